//! What was seen lately: the last hour in minutes, the last minutes in seconds, the newest moments.
//!
//! Everything is bounded. Beyond [`PLACES_MAX`] places a minute's pain is counted under `other`, and
//! of a second's moments only a few are kept to be shown, the others counted.

use std::collections::{BTreeMap, VecDeque};

use super::record::{MomentV1, Shown};
use crate::model::{EventTime, MicroMoment, MomentOfTruth, Stage, TransitionKind, Valence};

/// How many minutes are looked back on. An hour is what somebody who opens the page asks about; for
/// more there is Prometheus.
const MINUTES: usize = 60;

/// How many seconds have their own counts: what the small curves show.
const SECONDS: usize = 120;

/// How many places of pain are told apart in a minute. A page shows ten rows.
const PLACES_MAX: usize = 200;

/// How many moments of a kind are kept of one second. More than four a second cannot be read.
const LOUD_A_SECOND_MAX: usize = 4;
const QUIET_A_SECOND_MAX: usize = 3;

/// How many moments wait for who comes anew.
const RECENT_MAX: usize = 30;

/// Where pain happened, and why.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Place {
    pub(super) channel: String,
    pub(super) event: String,
    pub(super) stage: Stage,
    pub(super) reason: String,
}

/// Counts of some stretch of time. Signed, because a claim may be taken back after its minute.
#[derive(Clone, Debug, Default)]
pub(super) struct Counts {
    pub(super) moments: i64,
    pub(super) pains: i64,
    pub(super) glories: i64,
    pub(super) recovered: i64,
    pub(super) stages: BTreeMap<Stage, i64>,
    pub(super) micro_moments: BTreeMap<MicroMoment, i64>,
    pub(super) moments_of_truth: BTreeMap<MomentOfTruth, i64>,
    pub(super) transitions: BTreeMap<(TransitionKind, Stage, Stage), i64>,
    pub(super) places: BTreeMap<Place, i64>,
}

/// What one second had, for the small curves.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Second {
    pub(super) moments: u32,
    pub(super) pains: u32,
}

/// What was seen lately.
#[derive(Debug)]
pub(super) struct Window {
    minutes: VecDeque<Counts>,
    second_in_minute: u8,
    pub(super) seconds: VecDeque<Second>,
    now: Second,
    /// Before the first tick come moments of the past, which are no part of any curve.
    begun: bool,
    pub(super) recent: VecDeque<Shown>,
    loud: usize,
    quiet: usize,
    pub(super) unshown: u64,
    pub(super) latest: Option<EventTime>,
}

impl Window {
    /// Makes a window through which nothing was seen yet.
    pub(super) fn new() -> Self {
        Self {
            minutes: VecDeque::from([Counts::default()]),
            second_in_minute: 0,
            seconds: VecDeque::new(),
            now: Second::default(),
            begun: false,
            recent: VecDeque::new(),
            loud: 0,
            quiet: 0,
            unshown: 0,
            latest: None,
        }
    }

    /// Takes a moment into account. Only what was published first counts; what is taken back is
    /// taken from the count.
    pub(super) fn see(&mut self, moment: &MomentV1<'_>) {
        let once = moment.same_pain_as.is_none();
        if moment.retracted {
            if moment.valence() == Valence::Pain && once {
                self.pain(moment, -1);
            }
            return;
        }
        if moment.revision != 0 {
            return;
        }
        self.latest = self.latest.max(moment.ts());
        self.now.moments = self.now.moments.saturating_add(1);
        if let Some(counts) = self.minutes.back_mut() {
            counts.see(moment);
        }
        if moment.valence() == Valence::Pain && once {
            self.now.pains = self.now.pains.saturating_add(1);
            self.pain(moment, 1);
        }
        self.show(moment);
    }

    fn pain(&mut self, moment: &MomentV1<'_>, count: i64) {
        if let Some(counts) = self.minutes.back_mut() {
            counts.pain(moment, count);
        }
    }

    /// Keeps a few moments of each second, those that somebody felt first.
    fn show(&mut self, moment: &MomentV1<'_>) {
        let (kept, limit) = match moment.valence() {
            Valence::Pain | Valence::Glory | Valence::Recovered => {
                (&mut self.loud, LOUD_A_SECOND_MAX)
            }
            Valence::Neutral | Valence::Unknown => (&mut self.quiet, QUIET_A_SECOND_MAX),
        };
        if *kept == limit {
            self.unshown = self.unshown.saturating_add(1);
            return;
        }
        *kept += 1;
        if self.recent.len() == RECENT_MAX {
            self.recent.pop_front();
        }
        self.recent.push_back(moment.shown());
    }

    /// A second is over.
    pub(super) fn tick(&mut self) {
        if self.seconds.len() == SECONDS {
            self.seconds.pop_front();
        }
        let second = std::mem::take(&mut self.now);
        self.seconds.push_back(if self.begun { second } else { Second::default() });
        self.begun = true;
        (self.loud, self.quiet) = (0, 0);
        self.second_in_minute += 1;
        if self.second_in_minute == 60 {
            self.second_in_minute = 0;
            if self.minutes.len() == MINUTES {
                self.minutes.pop_front();
            }
            self.minutes.push_back(Counts::default());
        }
    }

    /// Returns the counts of all minutes together.
    pub(super) fn sum(&self) -> Counts {
        let mut sum = Counts::default();
        for counts in &self.minutes {
            sum.absorb(counts);
        }
        sum
    }

    /// Returns how many seconds are looked back on.
    pub(super) fn seconds_count(&self) -> usize {
        self.minutes.len().saturating_sub(1) * 60 + usize::from(self.second_in_minute)
    }
}

impl Counts {
    fn see(&mut self, moment: &MomentV1<'_>) {
        self.moments += 1;
        *self.stages.entry(moment.stage()).or_default() += 1;
        *self.micro_moments.entry(moment.micro_moment()).or_default() += 1;
        *self.moments_of_truth.entry(moment.moment_of_truth()).or_default() += 1;
        if let Some(step) = moment.transition() {
            *self.transitions.entry(step).or_default() += 1;
        }
        match moment.valence() {
            Valence::Glory => self.glories += 1,
            Valence::Recovered => self.recovered += 1,
            Valence::Pain | Valence::Neutral | Valence::Unknown => {}
        }
    }

    fn pain(&mut self, moment: &MomentV1<'_>, count: i64) {
        self.pains += count;
        let place = Place {
            channel: moment.channel.to_string(),
            event: moment.event.to_string(),
            stage: moment.stage(),
            reason: moment.reason.as_deref().unwrap_or("none").to_owned(),
        };
        self.add(place, count);
    }

    fn add(&mut self, mut place: Place, count: i64) {
        if PLACES_MAX <= self.places.len() && !self.places.contains_key(&place) {
            "other".clone_into(&mut place.event);
            "other".clone_into(&mut place.reason);
        }
        *self.places.entry(place).or_default() += count;
    }

    fn absorb(&mut self, other: &Self) {
        self.moments += other.moments;
        self.pains += other.pains;
        self.glories += other.glories;
        self.recovered += other.recovered;
        add_all(&mut self.stages, &other.stages);
        add_all(&mut self.micro_moments, &other.micro_moments);
        add_all(&mut self.moments_of_truth, &other.moments_of_truth);
        add_all(&mut self.transitions, &other.transitions);
        for (place, count) in &other.places {
            self.add(place.clone(), *count);
        }
    }
}

fn add_all<K: Copy + Ord>(sums: &mut BTreeMap<K, i64>, counts: &BTreeMap<K, i64>) {
    for (key, count) in counts {
        *sums.entry(*key).or_default() += count;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn see(window: &mut Window, fields: &str) {
        let json = format!(
            r#"{{"ts":"2026-01-01T00:00:00Z","customer_id":"c","channel":"web","event":"e",
                "stage":"purchase","valence":"neutral"{fields}}}"#
        );
        // A field that is given twice is the later one: rewritten, so that it is given once.
        let value: serde_json::Value = serde_json::from_str(&json).unwrap();
        let json = value.to_string();
        window.see(&serde_json::from_str(&json).unwrap());
    }

    const PAIN: &str = r#","valence":"pain","reason":"rude_agent""#;

    #[test]
    fn a_pain_counts_once_and_no_more_when_it_is_taken_back() {
        let mut window = Window::new();
        see(&mut window, PAIN);
        see(&mut window, &format!(r#"{PAIN},"same_pain_as":"x""#));
        see(&mut window, &format!(r#"{PAIN},"revision":1"#));
        assert_eq!((window.sum().moments, window.sum().pains), (2, 1));
        see(&mut window, &format!(r#"{PAIN},"revision":1,"retracted":true"#));
        assert_eq!((window.sum().moments, window.sum().pains), (2, 0));
    }

    #[test]
    fn an_hour_later_it_is_forgotten() {
        let mut window = Window::new();
        see(&mut window, PAIN);
        for _ in 0..59 * 60 {
            window.tick();
        }
        assert_eq!(window.sum().pains, 1);
        for _ in 0..60 {
            window.tick();
        }
        assert_eq!(window.sum().pains, 0);
        assert_eq!(window.seconds.len(), SECONDS);
        assert_eq!(window.seconds_count(), 59 * 60);
    }

    #[test]
    fn of_a_busy_second_a_few_moments_are_shown_and_the_others_counted() {
        let mut window = Window::new();
        for _ in 0..10 {
            see(&mut window, "");
            see(&mut window, PAIN);
        }
        assert_eq!(window.recent.len(), LOUD_A_SECOND_MAX + QUIET_A_SECOND_MAX);
        assert_eq!(window.unshown, 13);
        window.tick();
        see(&mut window, "");
        assert_eq!(window.recent.len(), LOUD_A_SECOND_MAX + QUIET_A_SECOND_MAX + 1);
    }

    #[test]
    fn a_flood_of_places_is_counted_under_other() {
        let mut window = Window::new();
        for number in 0..1000 {
            see(&mut window, &format!(r#"{PAIN},"event":"e{number}""#));
        }
        let sum = window.sum();
        assert_eq!(sum.places.len(), PLACES_MAX + 1);
        assert_eq!(sum.places.values().sum::<i64>(), 1000);
    }
}
