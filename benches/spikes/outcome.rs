//! What came of a run: spikes found and missed, and alarms about nothing.

use crate::{
    FACTORS, LASTS,
    shop::{Outbreak, WEEK},
};

/// What came of the spikes of one factor.
#[derive(Clone, Debug, Default)]
pub(crate) struct Outcome {
    spikes: u32,
    delays: Vec<i64>,
    /// Spikes that were told for those that happened.
    told: u32,
    false_alarms: u32,
    quiet_weeks: f64,
    keys: u64,
}

impl Outcome {
    /// Returns what came of alarms, by factor: when each was, and whether it named the right place.
    /// All false alarms are counted with each of them.
    pub(crate) fn of(
        alarms: &[(i64, bool)],
        outbreaks: &[Outbreak],
        (quiet_weeks, keys): (f64, u64),
    ) -> Vec<Self> {
        // One that is told up to an hour after its end is still told of that spike.
        let belongs = |one: &Outbreak, minute: i64| (one.at..one.at + LASTS + 60).contains(&minute);
        let stray = |(minute, _): &&(i64, bool)| !outbreaks.iter().any(|one| belongs(one, *minute));
        let false_alarms = count(alarms.iter().filter(stray).count());
        let none = Self { false_alarms, quiet_weeks, keys, ..Self::default() };
        let mut outcomes = vec![none; FACTORS.len()];
        for one in outbreaks {
            let number = FACTORS.iter().position(|factor| (factor - one.factor).abs() < 0.1);
            let outcome = &mut outcomes[number.unwrap()];
            let mine: Vec<_> = alarms.iter().filter(|(minute, _)| belongs(one, *minute)).collect();
            outcome.spikes += 1;
            outcome.told += count(mine.len());
            let first =
                mine.iter().find(|(_, right)| *right).map(|(minute, _)| minute - one.at + 1);
            outcome.delays.extend(first.filter(|delay| *delay <= LASTS));
        }
        outcomes
    }

    /// Adds what came of another seed's spikes, and of its quiet weeks.
    pub(crate) fn add(&mut self, spiky: Self, quiet: &[Self]) {
        self.spikes += spiky.spikes;
        self.delays.extend(spiky.delays);
        self.told += spiky.told;
        self.keys = self.keys.max(spiky.keys);
        let quiet = &quiet[0];
        self.false_alarms += quiet.false_alarms;
        self.quiet_weeks += quiet.quiet_weeks;
    }

    pub(crate) fn row(&self, name: &str) -> String {
        let mut delays = self.delays.clone();
        delays.sort_unstable();
        let median = delays.get(delays.len() / 2);
        let median = median.map_or("–".to_owned(), |delay| format!("{delay} min"));
        let share = |found: usize| 100.0 * f64::from(count(found)) / f64::from(self.spikes.max(1));
        let soon = share(delays.iter().filter(|delay| **delay <= 30).count());
        let found = share(delays.len());
        let told = f64::from(self.told) / f64::from(count(delays.len()).max(1));
        let alarms = f64::from(self.false_alarms) / self.quiet_weeks.max(1.0);
        let by_key = alarms / f64::from(u32::try_from(self.keys.max(1)).unwrap());
        format!(
            "{name} | {soon:.0} % | {found:.0} % | {median} | {alarms:.2} | {by_key:.3} | {told:.1} |"
        )
    }
}

pub(crate) fn weeks(minutes: i64) -> f64 {
    f64::from(i32::try_from(minutes).unwrap()) / f64::from(i32::try_from(WEEK).unwrap())
}

fn count(number: usize) -> u32 {
    u32::try_from(number).unwrap()
}
