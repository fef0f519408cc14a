//! The spikes that are open or closed lately, as every instance shows them: read from the committed
//! topic, once for the API, the console and who tells of them.

use std::{
    borrow::Cow,
    collections::{BTreeMap, VecDeque},
    sync::{Arc, Mutex, PoisonError},
};

use serde::Deserialize;
use serde_json::value::RawValue;

use super::{
    persist::{persist, read_along, unless_refused},
    shared::Shared,
    watchdog::Task,
};
use crate::{
    http::OpenSpikes,
    kafka::{KafkaFailure, Role},
    telemetry::log,
};

/// More are never open: the detector watches no more keys.
const OPEN_MAX: usize = 2000;

/// Closed ones that are remembered. A page shows no more.
const CLOSED_MAX: usize = 50;

/// How many the console is shown. More open at once than that are one incident.
const SHOWN_MAX: usize = 50;

/// The newest record of every spike. Written by one thread, read by whoever asks.
#[derive(Debug, Default)]
pub(super) struct SpikeBoard(Mutex<Spikes>);

#[derive(Debug, Default)]
struct Spikes {
    open: BTreeMap<String, Spike>,
    /// The one that closed last is at the end.
    closed: VecDeque<Spike>,
    /// How many records were seen.
    seen: u64,
}

/// The newest record of one spike.
#[derive(Debug)]
struct Spike {
    id: String,
    sequence: u64,
    /// The number of that record among all that were seen.
    seen: u64,
    /// As it was published, also what a newer version put into it.
    record: Box<RawValue>,
}

/// What is asked of a record. Read as any consumer should: what is missing stops nothing.
#[derive(Deserialize)]
struct Head<'r> {
    #[serde(borrow)]
    spike_id: Cow<'r, str>,
    #[serde(default)]
    sequence: u64,
    #[serde(borrow, default)]
    state: Cow<'r, str>,
}

impl Spikes {
    /// Takes the newest word on a spike. Among too many closed ones, the one that closed first goes.
    fn see(&mut self, record: &[u8]) {
        let Ok(record) = serde_json::from_slice::<Box<RawValue>>(record) else { return };
        let Ok(Head { spike_id, sequence, state }) = serde_json::from_str(record.get()) else {
            return;
        };
        let known = self.open.get(&*spike_id);
        let closed = self.closed.iter().position(|spike| spike.id == *spike_id);
        let known = known.or_else(|| closed.and_then(|at| self.closed.get(at)));
        if known.is_some_and(|known| sequence < known.sequence) {
            return;
        }
        if let Some(at) = closed {
            self.closed.remove(at);
        }
        self.seen += 1;
        let (id, seen, is_closed) = (spike_id.into_owned(), self.seen, state == "closed");
        let spike = Spike { id: id.clone(), sequence, seen, record: record.clone() };
        if is_closed {
            self.open.remove(&id);
            if CLOSED_MAX <= self.closed.len() {
                self.closed.pop_front();
            }
            self.closed.push_back(spike);
        } else if self.open.len() < OPEN_MAX || self.open.contains_key(&id) {
            self.open.insert(id, spike);
        }
    }
}

impl SpikeBoard {
    fn see(&self, record: &[u8]) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).see(record);
    }

    /// Returns the open spikes' last records.
    pub(super) fn records(&self) -> Vec<Vec<u8>> {
        let spikes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        spikes.open.values().map(|spike| spike.record.get().as_bytes().to_vec()).collect()
    }

    /// Returns the last records of open spikes and then of closed ones, of each kind those with the
    /// newest word first.
    pub(super) fn newest(&self) -> Vec<Box<RawValue>> {
        let spikes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut open: Vec<&Spike> = spikes.open.values().collect();
        open.sort_unstable_by_key(|spike| std::cmp::Reverse(spike.seen));
        let all = open.into_iter().chain(spikes.closed.iter().rev());
        all.take(SHOWN_MAX).map(|spike| spike.record.clone()).collect()
    }
}

impl OpenSpikes for SpikeBoard {
    fn to_json(&self) -> Vec<u8> {
        let mut json = b"{\"spikes\":[".to_vec();
        json.extend_from_slice(&self.records().join(&b","[..]));
        json.extend_from_slice(b"]}");
        json
    }
}

/// Follows the topic of spikes until asked to stop.
///
/// # Errors
///
/// The broker does not permit it: that does not get better by trying.
pub(super) fn follow(shared: &Arc<Shared>) -> Result<(), KafkaFailure> {
    persist(
        shared,
        Task::Spikes,
        || read_along(shared, Task::Spikes, Role::PainSpikes, |record| shared.spikes.see(record)),
        |failure| {
            log::spikes_unread(&unless_refused(failure)?);
            Ok(())
        },
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_open_spike_is_shown_until_it_is_closed() {
        let board = SpikeBoard::default();
        board.see(br#"{"spike_id":"a","sequence":0,"state":"open"}"#);
        board.see(br#"{"spike_id":"b","sequence":0,"state":"open"}"#);
        board.see(br#"{"spike_id":"a","sequence":1,"state":"update"}"#);
        board.see(br#"{"spike_id":"b","sequence":1,"state":"closed"}"#);
        board.see(b"no json");
        let shown = String::from_utf8(board.to_json()).unwrap();
        assert_eq!(shown, r#"{"spikes":[{"spike_id":"a","sequence":1,"state":"update"}]}"#);
    }

    #[test]
    fn the_newest_word_counts_and_open_ones_come_first() {
        let board = SpikeBoard::default();
        let see = |id: &str, sequence: u64, state: &str| {
            let json = format!(
                r#"{{"spike_id":"{id}","sequence":{sequence},"state":"{state}","new":[1]}}"#
            );
            board.see(json.as_bytes());
        };
        see("a", 0, "open");
        see("b", 0, "open");
        see("c", 0, "open");
        see("a", 1, "closed");
        // Read again by a new reader: the older word changes nothing.
        see("a", 0, "open");
        see("b", 1, "update");
        let told = |board: &SpikeBoard| -> Vec<String> {
            let newest = board.newest();
            let told = newest.iter().map(|record| {
                let Head { spike_id, state, .. } = serde_json::from_str(record.get()).unwrap();
                format!("{spike_id} {state}")
            });
            told.collect()
        };
        assert_eq!(told(&board), ["b update", "c open", "a closed"]);
        assert!(board.newest()[0].get().ends_with(r#""new":[1]}"#));
        see("a", 2, "open");
        assert_eq!(told(&board), ["a open", "b update", "c open"]);
        for number in 0..100 {
            see(&format!("s{number}"), 0, "closed");
        }
        assert_eq!(told(&board).len(), SHOWN_MAX);
        assert_eq!(told(&board)[3], "s99 closed");
    }
}
