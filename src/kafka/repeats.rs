//! Connections that fail again and again: told once, and then summed up.
//!
//! Every client of a process tries every broker several times a second, and each says so each time. An
//! outage of half a minute would be forty lines of the same, between which the others are not seen.

use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
    time::Duration,
};

/// So long after a line was told, the same is only counted.
const QUIET: Duration = Duration::from_mins(1);

/// More than the brokers of a cluster, times the ways in which one fails. Beyond, lines are told as
/// they come.
const KINDS_MAX: usize = 256;

/// What has been told, of all clients of the process.
#[derive(Debug, Default)]
pub(super) struct Repeats {
    /// Written by callbacks of every client, seldom.
    told: Mutex<BTreeMap<String, Told>>,
}

/// One kind of line.
#[derive(Clone, Copy, Debug)]
struct Told {
    /// When it was last told, since the start.
    at: Duration,
    /// How often it came since.
    again: u64,
}

impl Repeats {
    /// Makes one that has told nothing.
    pub(super) const fn new() -> Self {
        Self { told: Mutex::new(BTreeMap::new()) }
    }

    /// Returns whether a line is to be told at a time since the start: how many like it have come
    /// untold before it, or `None` where it is one of those itself.
    pub(super) fn hear(&self, line: &str, now: Duration) -> Option<u64> {
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        let kind = kind(line);
        if let Some(known) = told.get_mut(&kind) {
            if now.saturating_sub(known.at) < QUIET {
                known.again += 1;
                return None;
            }
            let before = known.again;
            *known = Told { at: now, again: 0 };
            return Some(before);
        }
        told.retain(|_, old| 0 < old.again || now.saturating_sub(old.at) < QUIET);
        if told.len() < KINDS_MAX {
            told.insert(kind, Told { at: now, again: 0 });
        }
        Some(0)
    }
}

/// Returns what is the same in lines about one broker and one failure: neither which of the client's
/// connections it was, nor how long it took.
fn kind(line: &str) -> String {
    let line = line.split_once("]: ").map_or(line, |(_, said)| said);
    let line = line.split_once(" (after ").map_or(line, |(said, _)| said);
    let parts = line.split(": ").filter(|part| !part.ends_with("Coordinator"));
    let address = |part: &str| {
        let whole = part.contains(' ') || part.contains("://");
        if whole { part.to_owned() } else { part.split('/').next().unwrap_or(part).to_owned() }
    };
    parts.map(address).collect::<Vec<_>>().join(": ")
}

#[cfg(test)]
mod tests {
    use super::*;

    const REFUSED: &str = "Connect to ipv4#127.0.0.1:9 failed: Connection refused (after 0ms in \
                           state CONNECT)";

    fn at(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn an_outage_is_told_once_and_summed_up_after_a_minute() {
        let repeats = Repeats::new();
        let lines = [
            format!("[thrd:127.0.0.1:9/bootstrap]: 127.0.0.1:9/bootstrap: {REFUSED}"),
            format!("[thrd:127.0.0.1:9/1]: 127.0.0.1:9/1: {REFUSED}"),
            format!("[thrd:GroupCoordinator]: GroupCoordinator: 127.0.0.1:9: {REFUSED}"),
        ];
        let mut told = Vec::new();
        for second in 0..130 {
            told.extend(lines.iter().filter_map(|line| repeats.hear(line, at(second))));
        }
        assert_eq!(told, [0, 3 * 60 - 1, 3 * 60 - 1]);
    }

    #[test]
    fn another_broker_and_another_failure_are_told() {
        let repeats = Repeats::new();
        let lines = [
            "[thrd:a:9092/1]: a:9092/1: Connect to ipv4#10.0.0.1:9092 failed: Connection refused",
            "[thrd:b:9092/2]: b:9092/2: Connect to ipv4#10.0.0.2:9092 failed: Connection refused",
            "[thrd:a:9092/1]: a:9092/1: Disconnected (after 12ms in state UP)",
            "[thrd:b:9092/2]: b:9092/2: Disconnected (after 12ms in state UP)",
            "[thrd:ssl://a:9093/1]: ssl://a:9093/1: SSL handshake failed: bad certificate",
        ];
        for line in lines {
            assert_eq!(repeats.hear(line, at(1)), Some(0), "{line}");
            assert_eq!(repeats.hear(line, at(2)), None, "{line}");
        }
    }

    #[test]
    fn more_kinds_than_are_kept_are_told_as_they_come() {
        let repeats = Repeats::new();
        for number in 0..KINDS_MAX {
            assert_eq!(repeats.hear(&format!("x{number} failed"), at(1)), Some(0));
        }
        assert_eq!(repeats.hear("one more", at(1)), Some(0));
        assert_eq!(repeats.hear("one more", at(1)), Some(0));
        assert_eq!(repeats.told.lock().unwrap().len(), KINDS_MAX);
        assert_eq!(repeats.hear("one more", at(100)), Some(0));
        assert_eq!(repeats.hear("one more", at(100)), None);
    }
}
