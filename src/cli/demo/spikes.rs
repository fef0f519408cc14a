//! The spikes that are open, as the topic of spikes tells of them.

use std::{borrow::Cow, collections::BTreeMap};

use jiff::Timestamp;
use serde::Deserialize;

use crate::model::EventTime;

/// More are not followed: a picture has room for one line.
const OPEN_MAX: usize = 100;

/// A record of `pain-spikes`, as far as the demo shows it.
#[derive(Debug, Deserialize)]
struct SpikeV1<'a> {
    #[serde(borrow)]
    spike_id: Cow<'a, str>,
    #[serde(borrow, default)]
    state: Cow<'a, str>,
    #[serde(borrow, default)]
    numerator: Cow<'a, str>,
    #[serde(borrow, default)]
    onset: Cow<'a, str>,
    #[serde(default)]
    observed: u64,
    #[serde(default)]
    expected: f64,
    #[serde(borrow, default)]
    key: KeyV1<'a>,
}

/// Where: everywhere, if nothing is named.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct KeyV1<'a> {
    #[serde(borrow)]
    channel: Option<Cow<'a, str>>,
    #[serde(borrow)]
    event: Option<Cow<'a, str>>,
    #[serde(borrow)]
    property: Option<Cow<'a, str>>,
    #[serde(borrow)]
    value: Option<Cow<'a, str>>,
    #[serde(borrow)]
    band: Option<Cow<'a, str>>,
}

/// A spike that is open.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct OpenSpike {
    /// Where, and of what if not of pain.
    pub(super) key: String,
    pub(super) onset: EventTime,
    pub(super) observed: u64,
    pub(super) expected: f64,
}

/// The spikes that are open.
#[derive(Debug, Default)]
pub(super) struct OpenSpikes(BTreeMap<String, OpenSpike>);

impl OpenSpikes {
    /// Takes a record into account; returns whether it could be read.
    pub(super) fn observe(&mut self, record: &[u8]) -> bool {
        let Ok(spike) = serde_json::from_slice::<SpikeV1<'_>>(record) else { return false };
        let (id, open) = (spike.spike_id.to_string(), spike.state != "closed");
        if !open {
            self.0.remove(&id);
        } else if self.0.len() < OPEN_MAX || self.0.contains_key(&id) {
            self.0.insert(id, spike.to_open());
        }
        true
    }

    /// Returns them, the one that began last first.
    pub(super) fn newest(&self) -> Vec<OpenSpike> {
        let mut open: Vec<OpenSpike> = self.0.values().cloned().collect();
        open.sort_by_key(|spike| std::cmp::Reverse(spike.onset));
        open
    }
}

impl SpikeV1<'_> {
    fn to_open(&self) -> OpenSpike {
        let KeyV1 { channel, event, property, value, band } = &self.key;
        let names = [channel, event, property, value, band].into_iter().flatten();
        let names: Vec<&str> = names.map(|name| &**name).collect();
        let place = if names.is_empty() { "everywhere".to_owned() } else { names.join("/") };
        let of_pain = self.numerator == "pain";
        let key = if of_pain { place } else { format!("{} {place}", self.numerator) };
        let onset = self.onset.parse::<Timestamp>().ok();
        let onset = onset.and_then(|onset| EventTime::from_millis(onset.as_millisecond()));
        let (observed, expected) = (self.observed, self.expected);
        OpenSpike { key, onset: onset.unwrap_or(EventTime::MIN), observed, expected }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_spike_is_named_until_it_closes() {
        let mut spikes = OpenSpikes::default();
        let record = |id: &str, state: &str, key: &str, onset: &str| {
            format!(
                r#"{{"spike_id":"{id}","state":"{state}","numerator":"pain","key":{key},
                    "onset":"2026-01-19T{onset}:00.000Z","observed":14,"expected":2.1}}"#
            )
        };
        let app = r#"{"channel":"app","event":"app_crashed"}"#;
        assert!(spikes.observe(record("a", "open", app, "10:20").as_bytes()));
        assert!(spikes.observe(record("b", "open", "{}", "10:30").as_bytes()));
        assert!(!spikes.observe(b"no json"));
        let keys = |spikes: &OpenSpikes| -> Vec<String> {
            spikes.newest().into_iter().map(|spike| spike.key).collect()
        };
        assert_eq!(keys(&spikes), ["everywhere", "app/app_crashed"]);
        assert!(spikes.observe(record("b", "closed", "{}", "10:30").as_bytes()));
        assert_eq!(keys(&spikes), ["app/app_crashed"]);
        assert_eq!(spikes.newest()[0].observed, 14);
        assert_eq!(spikes.newest()[0].onset.as_millis(), 1_768_818_000_000);
    }
}
