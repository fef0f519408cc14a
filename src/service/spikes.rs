//! The spikes that are open, as every instance shows them: read from the committed topic.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use serde::Deserialize;

use super::shared::Shared;
use crate::{
    http::OpenSpikes,
    kafka::{Follower, KafkaFailure, Role},
    telemetry::log,
};

/// More are never open: the detector watches no more keys.
const OPEN_MAX: usize = 2000;

/// How long to wait for a record.
const PATIENCE: Duration = Duration::from_millis(200);

/// A pause before a new reader is made.
const PAUSE: Duration = Duration::from_secs(1);

/// The last record of every open spike. Written by one thread, read by whoever asks.
#[derive(Debug, Default)]
pub(super) struct SpikeBoard(Mutex<BTreeMap<String, Vec<u8>>>);

/// What is asked of a record.
#[derive(Deserialize)]
struct Head<'r> {
    spike_id: &'r str,
    state: &'r str,
}

impl SpikeBoard {
    fn see(&self, record: &[u8]) {
        let Ok(Head { spike_id, state }) = serde_json::from_slice(record) else { return };
        let mut open = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if state == "closed" {
            open.remove(spike_id);
        } else if open.len() < OPEN_MAX || open.contains_key(spike_id) {
            open.insert(spike_id.to_owned(), record.to_vec());
        }
    }

    /// Returns the open spikes' last records.
    pub(super) fn records(&self) -> Vec<Vec<u8>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).values().cloned().collect()
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
    let topic = shared.settings.topics.name(Role::PainSpikes);
    while !shared.stop.is_asked() {
        let ended = Follower::open(&shared.settings.connection, &[topic], 1).and_then(|reader| {
            while !shared.stop.is_asked() {
                reader.poll(PATIENCE, |_, record| shared.spikes.see(record))?;
            }
            Ok(())
        });
        if let Err(failure) = ended {
            if failure.is_refusal() {
                return Err(failure);
            }
            log::detector_rebuilt(&failure.to_string());
            shared.stop.wait(PAUSE);
        }
    }
    Ok(())
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
}
