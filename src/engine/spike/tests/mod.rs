//! The detector against a made-up shop: what is a spike, and what only looks like one.

mod pulse;
mod watched;

use std::collections::BTreeMap;

use serde_json::Value;

use super::{
    Detector, DetectorSettings, Draft, Found, Numerator, Patience, PulseRecord, Restored,
    SpikeState,
};
use crate::model::EventTime;

/// Monday, 2026-01-05, in minutes.
const MONDAY: i64 = 29_459_520;
const DAY: i64 = 1440;

/// A small generator: the tests are the same every time.
struct Dice(u64);

impl Dice {
    fn next(&mut self) -> f64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        f64::from(u32::try_from(self.0 >> 32).unwrap()) / f64::from(u32::MAX)
    }

    /// Knuth's.
    fn poisson(&mut self, mean: f64) -> u32 {
        let limit = (-mean).exp();
        let (mut count, mut product) = (0, self.next());
        while limit < product {
            count += 1;
            product *= self.next();
        }
        count
    }
}

const LEAVES: [((&str, &str), f64, f64); 5] = [
    // It hurts always: more of it is more pain, and not more exposure.
    (("app", "crashed"), 0.15, 1.0),
    (("web", "product_viewed"), 12.0, 0.004),
    (("app", "checkout"), 6.0, 0.02),
    (("delivery", "order_delivered"), 3.0, 0.04),
    (("email", "survey_answered"), 0.5, 0.3),
];

/// A shop's kinds of contact: how many touchpoints a minute, and how many of them hurt.
type Leaves = &'static [((&'static str, &'static str), f64, f64)];

struct Shop {
    leaves: Leaves,
    dice: Dice,
    detector: Detector,
    offset: i64,
    log: Vec<(i64, Vec<u8>)>,
    found: Vec<Value>,
}

impl Shop {
    fn new(seed: u64, watch: &[Numerator]) -> Self {
        let settings = DetectorSettings { watch: watch.to_vec(), ..DetectorSettings::default() };
        Self {
            leaves: &LEAVES,
            dice: Dice(seed),
            detector: Detector::new(settings),
            offset: 0,
            log: Vec::new(),
            found: Vec::new(),
        }
    }

    /// Lives through minutes; `change` says by how much volume and pain differ from the normal.
    fn live(&mut self, minutes: std::ops::Range<i64>, change: impl Fn((&str, &str)) -> (f64, f64)) {
        for minute in minutes {
            let mut draft = Draft::default();
            for &(name, volume, rate) in self.leaves {
                let (more, worse) = change(name);
                let count = self.dice.poisson(volume * more);
                draft.count(name, &[("store", "7")], count);
                let hurt = if rate < 1.0 {
                    self.dice.poisson(f64::from(count) * rate * worse)
                } else {
                    count
                };
                for _ in 0..hurt {
                    let customer = (self.dice.next() * 1e9).round();
                    let at = EventTime::from_millis((MONDAY + minute) * 60_000).unwrap();
                    let at =
                        at.plus((self.dice.next() * 59_000.0).round().to_string().parse().unwrap());
                    let customer = customer.to_string().parse().unwrap();
                    draft.hurt(name, &[("store", "7")], (at, customer, "broken"));
                }
            }
            self.say(minute, draft.to_value());
        }
    }

    fn say(&mut self, minute: i64, value: Vec<u8>) {
        let mut found = Found::default();
        self.hear(minute, &value, &mut found);
        self.detector.judge(None, None, &mut found);
        self.log.push((minute, value));
        self.take(found);
    }

    fn hear(&mut self, minute: i64, value: &[u8], found: &mut Found) {
        let pulse = PulseRecord {
            partition: 0,
            minute: MONDAY + minute,
            value,
            offset: self.offset,
            heard_at: EventTime::MIN,
        };
        assert!(self.detector.note(&pulse, found));
        self.offset += 1;
    }

    fn take(&mut self, found: Found) {
        for said in found.said {
            let record: Value = serde_json::from_slice(&said.value).unwrap();
            assert_eq!(record["spike_id"], &*said.spike_id);
            assert_eq!(record["state"], said.state.as_str());
            self.found.push(record);
        }
    }

    fn opened(&self) -> Vec<&Value> {
        self.found.iter().filter(|one| one["state"] == SpikeState::Open.as_str()).collect()
    }
}

fn normal(_: (&str, &str)) -> (f64, f64) {
    (1.0, 1.0)
}

#[test]
fn five_quiet_days_have_no_spike() {
    let mut shop = Shop::new(11, &[Numerator::Pain]);
    shop.live(0..5 * DAY, normal);
    assert!(shop.opened().is_empty(), "{:#?}", shop.opened());
}

#[test]
fn a_spike_opens_under_the_key_that_it_is_in_and_closes_after() {
    let mut shop = Shop::new(12, &[Numerator::Pain]);
    shop.live(0..2 * DAY, normal);
    let from = 2 * DAY + 600;
    shop.live(2 * DAY..from, normal);
    shop.live(from..from + 90, |(channel, _)| (1.0, if channel == "app" { 5.0 } else { 1.0 }));
    shop.live(from + 90..from + 400, normal);
    let opened = shop.opened();
    assert_eq!(opened.len(), 1, "{opened:#?}");
    let key = serde_json::json!({"channel": "app", "event": "checkout"});
    assert_eq!(opened[0]["key"], key);
    assert!(1.5 <= opened[0]["ratio_lower"].as_f64().unwrap());
    assert!(5 <= opened[0]["customers"].as_u64().unwrap());
    assert_eq!(opened[0]["severity"], 2);
    let last = shop.found.last().unwrap();
    assert_eq!(last["state"], "closed");
    assert_eq!(last["spike_id"], opened[0]["spike_id"]);
    let sequences: Vec<u64> =
        shop.found.iter().map(|one| one["sequence"].as_u64().unwrap()).collect();
    assert_eq!(sequences, (0..u64::try_from(sequences.len()).unwrap()).collect::<Vec<_>>());
}

#[test]
fn a_wave_of_answers_that_hurt_more_often_is_no_spike() {
    let mut shop = Shop::new(13, &[Numerator::Pain]);
    shop.live(0..2 * DAY, normal);
    // Forty times as many answers: three times as much pain as there ever was.
    shop.live(2 * DAY..2 * DAY + 180, |(channel, _)| {
        (if channel == "email" { 40.0 } else { 1.0 }, 1.0)
    });
    assert!(shop.opened().is_empty(), "{:#?}", shop.opened());
}

#[test]
fn more_crashes_are_a_spike_though_each_of_them_always_hurts() {
    let mut shop = Shop::new(18, &[Numerator::Pain]);
    shop.live(0..2 * DAY, normal);
    shop.live(2 * DAY..2 * DAY + 60, |(_, event)| {
        (if event == "crashed" { 6.0 } else { 1.0 }, 1.0)
    });
    let opened = shop.opened();
    assert_eq!(opened.len(), 1, "{opened:#?}");
    assert_eq!(opened[0]["key"], serde_json::json!({"channel": "app", "event": "crashed"}));
}

/// A call center with so few calls that it takes days until its complaints are measured against
/// them, and not against what happens everywhere.
const SMALL_CHANNEL: Leaves = &[
    (("web", "product_viewed"), 5.0, 0.004),
    (("call_center", "call_ended"), 0.03, 0.0),
    (("call_center", "survey_answered"), 0.004, 1.0),
];

#[test]
fn what_a_small_channel_suffers_every_day_is_no_spike() {
    let mut shop = Shop { leaves: SMALL_CHANNEL, ..Shop::new(19, &[Numerator::Pain]) };
    shop.live(0..21 * DAY, normal);
    assert!(shop.opened().is_empty(), "{:#?}", shop.opened());
}

#[test]
fn a_small_channel_that_suffers_more_is_a_spike_and_measured_by_its_own_touchpoints() {
    let mut shop = Shop { leaves: SMALL_CHANNEL, ..Shop::new(20, &[Numerator::Pain]) };
    shop.live(0..14 * DAY, normal);
    // Ten times as many visitors of the web are no more reason to complain of a call.
    shop.live(14 * DAY..14 * DAY + 720, |(channel, event)| match (channel, event) {
        ("web", _) => (10.0, 0.1),
        (_, "survey_answered") => (8.0, 1.0),
        _ => (1.0, 1.0),
    });
    let opened = shop.opened();
    assert_eq!(opened.len(), 1, "{opened:#?}");
    let spike = opened[0];
    assert_eq!(spike["key"]["channel"], "call_center");
    let (expected, touchpoints) = (&spike["expected"], &spike["touchpoints"]);
    assert!((1.0..4.0).contains(&expected.as_f64().unwrap()), "{expected}");
    assert!(touchpoints.as_u64().unwrap() < 60, "{touchpoints}");
}

/// Returns hurt a hundred times as often as anything else on their channel.
const RETURNS: Leaves =
    &[(("web", "product_viewed"), 5.0, 0.004), (("web", "return_requested"), 0.013, 0.47)];

#[test]
fn what_seldom_happens_and_often_hurts_is_no_spike_when_it_begins_to_count() {
    let mut shop = Shop { leaves: RETURNS, ..Shop::new(22, &[Numerator::Pain]) };
    shop.live(0..14 * DAY, normal);
    assert!(shop.opened().is_empty(), "{:#?}", shop.opened());
}

#[test]
fn a_crowd_is_no_spike() {
    let mut shop = Shop::new(14, &[Numerator::Pain]);
    shop.live(0..2 * DAY, normal);
    shop.live(2 * DAY..2 * DAY + 120, |_| (6.0, 1.0));
    assert!(shop.opened().is_empty(), "{:#?}", shop.opened());
}

#[test]
fn an_event_that_nobody_knows_yet_is_learnt_and_alarms_nobody() {
    let mut shop = Shop::new(15, &[Numerator::Pain]);
    shop.live(0..26 * 60, |(channel, _)| (if channel == "email" { 0.0 } else { 1.0 }, 1.0));
    shop.live(26 * 60..2 * DAY, |(channel, _)| (if channel == "email" { 20.0 } else { 1.0 }, 1.0));
    assert!(shop.opened().is_empty(), "{:#?}", shop.opened());
}

#[test]
fn silence_is_noticed_where_it_is_watched() {
    let mut shop = Shop::new(16, &[Numerator::Silence]);
    shop.live(0..9 * DAY, normal);
    shop.live(9 * DAY..9 * DAY + 60, |_| (0.1, 1.0));
    let opened = shop.opened();
    assert_eq!(opened.len(), 1, "{opened:#?}");
    assert_eq!(opened[0]["numerator"], "silence");
    assert_eq!(opened[0]["key"], serde_json::json!({}));
}

/// Kills the detector after some records and lets another go on from the committed state.
fn restarted(log: &[(i64, Vec<u8>)], every: usize) -> (Vec<Value>, BTreeMap<Vec<u8>, Vec<u8>>) {
    let settings = DetectorSettings { watch: vec![Numerator::Pain], ..DetectorSettings::default() };
    let mut rows: BTreeMap<Vec<u8>, Vec<u8>> = BTreeMap::new();
    let mut said = Vec::new();
    let mut next = 0;
    while next < log.len() {
        let mut restored = Restored::new(settings.clone());
        for (key, row) in &rows {
            restored.take(key, Some(row), EventTime::MIN).unwrap();
        }
        let (from, start) = (restored.recall_from, restored.next_offset.unwrap_or(0));
        let mut detector = restored.detector;
        assert_eq!(usize::try_from(start).unwrap(), next);
        let mut found = Found::default();
        detector.recall();
        let hear = |detector: &mut Detector, offset: usize, found: &mut Found| {
            let (minute, value) = &log[offset];
            let offset = i64::try_from(offset).unwrap();
            let minute = MONDAY + minute;
            let partition = 0;
            let heard_at = EventTime::MIN;
            let pulse = PulseRecord { partition, minute, value, offset, heard_at };
            assert!(detector.note(&pulse, found));
        };
        for offset in usize::try_from(from).unwrap()..next {
            hear(&mut detector, offset, &mut found);
        }
        detector.recalled();
        let until = (next + every).min(log.len());
        for offset in next..until {
            hear(&mut detector, offset, &mut found);
            detector.judge(None, None, &mut found);
        }
        next = until;
        detector.save(i64::try_from(next).unwrap(), |key, row| {
            match row {
                Some(row) => rows.insert(key.to_vec(), row.to_vec()),
                None => rows.remove(key),
            };
        });
        said.extend(found.said.iter().map(|one| serde_json::from_slice(&one.value).unwrap()));
    }
    (said, rows)
}

#[test]
fn wherever_it_dies_it_goes_on_as_if_nothing_had_been() {
    let mut shop = Shop::new(17, &[Numerator::Pain]);
    shop.live(0..26 * 60, normal);
    shop.live(26 * 60..26 * 60 + 60, |(channel, _)| {
        (1.0, if channel == "app" { 6.0 } else { 1.0 })
    });
    shop.live(26 * 60 + 60..26 * 60 + 200, normal);
    let whole = restarted(&shop.log, usize::MAX / 2);
    assert!(!whole.0.is_empty());
    assert_eq!(whole.0, shop.found);
    assert!(whole == restarted(&shop.log, 7), "died after every seventh minute");
    assert!(whole == restarted(&shop.log, 1), "died after every minute");
}

#[test]
fn beyond_two_thousand_keys_none_is_watched_and_that_is_counted() {
    let mut detector = Detector::new(DetectorSettings::default());
    let mut found = Found::default();
    // A partition's minute holds a thousand cells.
    for partition in 0..3 {
        let mut draft = Draft::default();
        for store in 0..900 {
            let store = format!("{partition}-{store}");
            draft.count(("web", "product_viewed"), &[("store", &store)], 1);
        }
        let value = draft.to_value();
        let (minute, offset, heard_at) = (MONDAY, 0, EventTime::MIN);
        let pulse = PulseRecord { partition, minute, value: &value, offset, heard_at };
        assert!(detector.note(&pulse, &mut found));
    }
    detector.judge(None, None, &mut found);
    assert_eq!(detector.key_counts().values().sum::<u64>(), 2000);
    // Each store is a key of pain and one of interest.
    assert!(3000 <= found.unwatched, "{}", found.unwatched);
}

#[test]
fn a_minute_waits_for_every_partition_that_is_not_idle() {
    let mut detector = Detector::new(DetectorSettings::default());
    let at = |minutes: i64| EventTime::from_millis(minutes * 60_000).unwrap();
    let patience = |now| Some(Patience { now, idle_after: 2 * 60_000 });
    detector.expect([0, 1], at(0));
    let mut found = Found::default();
    let hear = |detector: &mut Detector, partition, minute, heard_at| {
        let value = Draft::default().to_value();
        let pulse = PulseRecord { partition, minute, value: &value, offset: minute, heard_at };
        let mut found = Found::default();
        assert!(detector.note(&pulse, &mut found));
        // The wall clock says nothing about who is waited for: it may be a simulated one.
        detector.judge(Some(EventTime::MAX), patience(heard_at), &mut found);
        found.minutes
    };
    assert_eq!(hear(&mut detector, 0, 100, at(1)), 0);
    assert_eq!(hear(&mut detector, 1, 99, at(1)), 1);
    assert_eq!(hear(&mut detector, 1, 100, at(2)), 1);
    assert_eq!(hear(&mut detector, 0, 101, at(3)), 0);
    // The second is idle for two minutes.
    assert_eq!(hear(&mut detector, 0, 102, at(4)), 2);
    detector.judge(Some(EventTime::MAX), patience(at(4)), &mut found);
    assert_eq!(found.minutes, 0);
}

#[test]
fn damaged_rows_are_told_and_no_panic() {
    let mut restored = Restored::new(DetectorSettings::default());
    for key in [&b""[..], b"x", b"l", b"k\x01\xff\xff", b"s"] {
        let row = if key == b"s" { &b"\x01\xff"[..] } else { b"" };
        assert!(restored.take(key, Some(row), EventTime::MIN).is_err(), "{key:?}");
    }
    let mut found = Found::default();
    let pulse = PulseRecord {
        partition: 0,
        minute: 0,
        value: b"\x01\xff\xff\xff",
        offset: 0,
        heard_at: EventTime::MIN,
    };
    assert!(!restored.detector.note(&pulse, &mut found));
}
