//! How well the spike detector detects: against a static threshold, a rolling z-score and EARS C2,
//! at matched false alarms.
//!
//! `cargo bench --bench spikes` prints the tables of `docs/spikes.md`. The rivals are given what no
//! operator has: thresholds that were chosen on quiet weeks of the same shop, so that they have as
//! many false alarms as the budget allows. What is printed comes from other seeds.
#![cfg(test)]

mod dice;
mod rivals;
mod shop;

use std::io::Write;

use rega::engine::spike::{Detector, DetectorSettings, Found, Numerator, PulseRecord, SpikeState};
use rega::model::EventTime;

use self::{
    rivals::{Rival, Series},
    shop::{Outbreak, Shop, WEEK},
};

/// Weeks in which everything is learnt, and nothing counted.
const LEARNING: i64 = 2 * WEEK;

/// Seeds that thresholds were chosen on, and those that are reported.
const TUNING: [u64; 2] = [101, 102];
const REPORTED: [u64; 2] = [1, 2];

/// Minutes that a spike lasts.
const LASTS: i64 = 120;

/// What came of one run.
#[derive(Debug, Default)]
struct Outcome {
    spikes: u32,
    found: u32,
    delays: Vec<i64>,
    false_alarms: u32,
    /// Spikes that were told for those that were found.
    told: u32,
    quiet_weeks: f64,
    keys: usize,
}

impl Outcome {
    fn add(&mut self, other: Self) {
        self.spikes += other.spikes;
        self.found += other.found;
        self.delays.extend(other.delays);
        self.false_alarms += other.false_alarms;
        self.told += other.told;
        self.quiet_weeks += other.quiet_weeks;
        self.keys = self.keys.max(other.keys);
    }

    fn row(&mut self, name: &str) -> String {
        self.delays.sort_unstable();
        let median = self.delays.get(self.delays.len() / 2);
        let median = median.map_or("–".to_owned(), |delay| format!("{delay} min"));
        let share = 100.0 * f64::from(self.found) / f64::from(self.spikes.max(1));
        let told = f64::from(self.told) / f64::from(self.found.max(1));
        let alarms = f64::from(self.false_alarms) / self.quiet_weeks.max(1.0);
        let by_key = alarms / f64::from(u32::try_from(self.keys.max(1)).unwrap());
        format!("{name} | {share:.0} % | {median} | {alarms:.2} | {by_key:.3} | {told:.1} |")
    }
}

/// Runs the detector through a shop; `at` are the outbreaks.
fn detect(shop: &mut Shop, minutes: i64, outbreaks: &[Outbreak], series: &mut Series) -> Outcome {
    let settings = DetectorSettings { watch: vec![Numerator::Pain], ..DetectorSettings::default() };
    let mut detector = Detector::new(settings);
    let mut outcome = Outcome { quiet_weeks: weeks(minutes - LEARNING), ..Outcome::default() };
    let mut hit = vec![None; outbreaks.len()];
    for minute in 0..minutes {
        let mut found = Found::default();
        for (of_minute, value) in shop.live(minute, outbreaks, series) {
            let pulse = PulseRecord {
                partition: 0,
                minute: shop::START + of_minute,
                value: &value,
                offset: minute,
                heard_at: EventTime::MIN,
            };
            assert!(detector.note(&pulse, &mut found));
        }
        detector.judge(None, None, &mut found);
        for said in found.said.iter().filter(|said| said.state == SpikeState::Open) {
            if minute < LEARNING {
                continue;
            }
            // One that is told up to an hour after its end is still told of that spike.
            let of =
                outbreaks.iter().position(|one| (one.at..one.at + LASTS + 60).contains(&minute));
            match of {
                Some(number) => {
                    outcome.told += 1;
                    let right = said.key == "all" || said.key.starts_with(shop::STRUCK_CHANNEL);
                    if right && hit[number].is_none() {
                        hit[number] = Some(minute - outbreaks[number].at + 1);
                    }
                }
                None => outcome.false_alarms += 1,
            }
        }
    }
    outcome.spikes = u32::try_from(outbreaks.len()).unwrap();
    outcome.delays = hit.into_iter().flatten().filter(|delay| *delay <= LASTS).collect();
    outcome.found = u32::try_from(outcome.delays.len()).unwrap();
    outcome.keys =
        detector.key_counts().values().map(|count| usize::try_from(*count).unwrap()).sum();
    outcome
}

/// Runs a rival over what happened on the struck event.
fn rival(rival: Rival, threshold: f64, series: &Series, outbreaks: &[Outbreak]) -> Outcome {
    let minutes = series.len();
    let mut outcome =
        Outcome { quiet_weeks: weeks(minutes - LEARNING), keys: 1, ..Outcome::default() };
    let mut hit = vec![None; outbreaks.len()];
    for minute in rival.alarms(series, threshold, LEARNING) {
        match outbreaks.iter().position(|one| (one.at..one.at + LASTS + 60).contains(&minute)) {
            Some(number) => {
                outcome.told += 1;
                hit[number].get_or_insert(minute - outbreaks[number].at + 1);
            }
            None => outcome.false_alarms += 1,
        }
    }
    outcome.spikes = u32::try_from(outbreaks.len()).unwrap();
    outcome.delays = hit.into_iter().flatten().filter(|delay| *delay <= LASTS).collect();
    outcome.found = u32::try_from(outcome.delays.len()).unwrap();
    outcome
}

fn weeks(minutes: i64) -> f64 {
    f64::from(i32::try_from(minutes).unwrap()) / f64::from(i32::try_from(WEEK).unwrap())
}

/// Spikes a day and a half apart, at other hours each.
fn outbreaks(factor: f64, count: i64) -> Vec<Outbreak> {
    (0..count)
        .map(|number| Outbreak { at: LEARNING + 600 + number * 2237, lasts: LASTS, factor })
        .collect()
}

fn main() {
    // `cargo bench -- --test`, and the tests of everything, run it once on little.
    let has = |wanted: &str| std::env::args().any(|argument| argument == wanted);
    let short = !has("--bench") || has("--test");
    let (volumes, quiet_weeks, spikes): (&[f64], i64, i64) =
        if short { (&[10.0], 1, 1) } else { (&[2.0, 10.0, 50.0, 500.0], 10, 10) };
    say("| volume | base | spike | method | found | median delay | false alarms a week \
         | a key and week | told per spike |");
    say("|---|---|---|---|---|---|---|---|---|");
    // Volumes may be named: `cargo bench --bench spikes -- 10 50`.
    let named: Vec<f64> = std::env::args().filter_map(|argument| argument.parse().ok()).collect();
    for &volume in volumes.iter().filter(|volume| named.is_empty() || named.contains(volume)) {
        for base in [0.01, 0.05] {
            report(volume, base, LEARNING + quiet_weeks * WEEK, spikes);
        }
    }
}

fn report(volume: f64, base: f64, quiet: i64, spikes: i64) {
    let thresholds = Rival::ALL.map(|rival| {
        let quiets = TUNING.map(|seed| {
            let mut series = Series::default();
            let mut shop = Shop::new(seed, volume, base);
            for minute in 0..quiet {
                shop.live(minute, &[], &mut series);
            }
            series
        });
        rival.threshold_for(&quiets, LEARNING)
    });
    let mut quiet_outcome = Outcome::default();
    let mut rivals_quiet = [0; 3];
    for seed in REPORTED {
        let mut series = Series::default();
        let mut shop = Shop::new(seed, volume, base);
        quiet_outcome.add(detect(&mut shop, quiet, &[], &mut series));
        for ((one, threshold), alarms) in
            Rival::ALL.into_iter().zip(thresholds).zip(&mut rivals_quiet)
        {
            *alarms += rival(one, threshold, &series, &[]).false_alarms;
        }
    }
    for factor in [2.0, 3.0, 5.0] {
        let outbreaks = outbreaks(factor, spikes);
        let end = outbreaks.last().map_or(0, |last| last.at) + 600;
        let mut ours = Outcome::default();
        let mut theirs = Rival::ALL.map(|_| Outcome::default());
        for seed in REPORTED {
            let mut series = Series::default();
            let mut shop = Shop::new(seed + 1000, volume, base);
            ours.add(detect(&mut shop, end, &outbreaks, &mut series));
            for ((one, threshold), outcome) in
                Rival::ALL.into_iter().zip(thresholds).zip(&mut theirs)
            {
                outcome.add(rival(one, threshold, &series, &outbreaks));
            }
        }
        let case = format!("| {volume}/min | {:.0} % | ×{factor} |", base * 100.0);
        ours.false_alarms = quiet_outcome.false_alarms;
        ours.quiet_weeks = quiet_outcome.quiet_weeks;
        say(&format!("{case} {}", ours.row("Rega")));
        for ((one, outcome), alarms) in Rival::ALL.into_iter().zip(&mut theirs).zip(rivals_quiet) {
            outcome.false_alarms = alarms;
            outcome.quiet_weeks = quiet_outcome.quiet_weeks;
            say(&format!("{case} {}", outcome.row(one.name())));
        }
    }
}

/// Prints a line at once: a run takes a while.
fn say(line: &str) {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{line}").unwrap();
    out.flush().unwrap();
}
