//! How well the spike detector detects: against a static threshold, a rolling z-score and EARS C2,
//! at matched false alarms.
//!
//! `cargo bench --bench spikes` prints the tables of `docs/spikes.md`. The rivals are given what no
//! operator has: thresholds that were chosen on quiet weeks of the same shop, so that they have as
//! many false alarms as the budget allows. What is printed comes from other seeds.
#![cfg(test)]

mod dice;
mod outcome;
mod rivals;
mod shop;

use std::{
    io::Write,
    sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering},
    },
};

use rega::engine::spike::{Detector, DetectorSettings, Found, Numerator, PulseRecord, SpikeState};
use rega::model::EventTime;

use self::{
    outcome::{Outcome, weeks},
    rivals::{Rival, Series},
    shop::{Outbreak, Shop, WEEK},
};

/// Weeks in which everything is learnt, and nothing counted.
const LEARNING: i64 = 2 * WEEK;

/// Seeds that thresholds were chosen on, and those that are reported. The detector's own numbers were
/// chosen with the first ones too.
const TUNING: [u64; 3] = [101, 102, 103];
const REPORTED: [u64; 3] = [1, 2, 3];

/// What a seed's spiky weeks have added to it, so that they are not its quiet ones again.
const SPIKY: u64 = 1000;

/// How much more frequent pain is while it spikes.
const FACTORS: [f64; 3] = [2.0, 3.0, 5.0];

/// Minutes that a spike lasts, and minutes from one to the next: at other hours each.
const LASTS: i64 = 120;
const APART: i64 = 2237;

/// Quiet weeks of each seed, and spikes of each seed and factor.
#[derive(Clone, Copy, Debug)]
struct Length {
    quiet_weeks: i64,
    spikes: i64,
}

/// Runs the detector through a shop; returns what was found, by factor.
fn detect(
    shop: &mut Shop,
    minutes: i64,
    outbreaks: &[Outbreak],
    series: &mut Series,
) -> Vec<Outcome> {
    let settings = DetectorSettings { watch: vec![Numerator::Pain], ..DetectorSettings::default() };
    let mut detector = Detector::new(settings);
    let mut alarms = Vec::new();
    for minute in 0..minutes {
        let mut found = Found::default();
        let happened = shop.pass(minute, outbreaks, series);
        for (of_minute, value) in shop.say(&happened) {
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
        let open = found.said.iter().filter(|said| said.state == SpikeState::Open);
        alarms.extend(open.filter(|_| LEARNING <= minute).map(|said| {
            let right = said.key == "all" || said.key.starts_with(shop::STRUCK_CHANNEL);
            (minute, right)
        }));
    }
    let keys = detector.key_counts().values().sum::<u64>();
    Outcome::of(&alarms, outbreaks, (weeks(minutes - LEARNING), keys))
}

/// Runs a rival over what happened on the struck event.
fn rival(rival: Rival, threshold: f64, series: &Series, outbreaks: &[Outbreak]) -> Vec<Outcome> {
    let alarms: Vec<(i64, bool)> = rival
        .alarms(series, threshold, LEARNING)
        .into_iter()
        .map(|minute| (minute, true))
        .collect();
    Outcome::of(&alarms, outbreaks, (weeks(series.len() - LEARNING), 1))
}

fn outbreaks(count: i64) -> Vec<Outbreak> {
    let all = (0..count).flat_map(|round| FACTORS.iter().map(move |factor| (round, *factor)));
    (0..)
        .zip(all)
        .map(|(number, (_, factor))| Outbreak {
            at: LEARNING + 600 + number * APART,
            lasts: LASTS,
            factor,
        })
        .collect()
}

fn main() {
    // `cargo bench -- --test`, and the tests of everything, run it once on little.
    let has = |wanted: &str| std::env::args().any(|argument| argument == wanted);
    let short = !has("--bench") || has("--test");
    let (volumes, length): (&[f64], _) = if short {
        (&[10.0], Length { quiet_weeks: 1, spikes: 1 })
    } else {
        (&[2.0, 10.0, 50.0, 500.0], Length { quiet_weeks: 7, spikes: 10 })
    };
    say("| volume | base | spike | method | in 30 min | in 2 h | median delay \
         | false alarms a week | a key and week | told per spike |");
    say("|---|---|---|---|---|---|---|---|---|---|");
    // Volumes may be named: `cargo bench --bench spikes -- 10 50`.
    let named: Vec<f64> = std::env::args().filter_map(|argument| argument.parse().ok()).collect();
    let seeds = if has("tuning") { (REPORTED, TUNING) } else { (TUNING, REPORTED) };
    let cells: Vec<(f64, f64)> = volumes
        .iter()
        .filter(|volume| named.is_empty() || named.contains(volume))
        .flat_map(|volume| [(*volume, 0.01), (*volume, 0.05)])
        .collect();
    // The greatest volumes take longest, and go first.
    let next = AtomicUsize::new(cells.len());
    let reports = Mutex::new(vec![Vec::new(); cells.len()]);
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(1, usize::from) {
            scope.spawn(|| {
                while let Ok(left) = next
                    .fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1))
                {
                    let report = report(cells[left - 1], length, seeds);
                    reports.lock().unwrap()[left - 1] = report;
                }
            });
        }
    });
    for line in reports.into_inner().unwrap().into_iter().flatten() {
        say(&line);
    }
}

/// Returns the lines of one volume and base rate.
fn report(
    (volume, base): (f64, f64),
    length: Length,
    (tuning, reported): ([u64; 3], [u64; 3]),
) -> Vec<String> {
    let quiet = LEARNING + length.quiet_weeks * WEEK;
    let quiets = tuning.map(|seed| {
        let mut series = Series::default();
        let mut shop = Shop::new(seed, volume, base);
        for minute in 0..quiet {
            shop.pass(minute, &[], &mut series);
        }
        series
    });
    let thresholds = Rival::ALL.map(|rival| rival.threshold_for(&quiets, LEARNING));
    let outbreaks = outbreaks(length.spikes);
    let end = outbreaks.last().map_or(0, |last| last.at) + 600;
    let mut all = vec![vec![Outcome::default(); FACTORS.len()]; Rival::ALL.len() + 1];
    let mut add = |method: usize, quiet: &[Outcome], spiky: Vec<Outcome>| {
        for (sum, one) in all[method].iter_mut().zip(spiky) {
            sum.add(one, quiet);
        }
    };
    for seed in reported {
        let mut quiet_series = Series::default();
        let calm = detect(&mut Shop::new(seed, volume, base), quiet, &[], &mut quiet_series);
        let mut spiky_series = Series::default();
        let mut shop = Shop::new(seed + SPIKY, volume, base);
        add(0, &calm, detect(&mut shop, end, &outbreaks, &mut spiky_series));
        for ((method, one), threshold) in (1..).zip(Rival::ALL).zip(thresholds) {
            let calm = rival(one, threshold, &quiet_series, &[]);
            add(method, &calm, rival(one, threshold, &spiky_series, &outbreaks));
        }
    }
    let names = ["Rega"].into_iter().chain(Rival::ALL.map(Rival::name));
    let outcomes: Vec<(&str, Vec<Outcome>)> = names.zip(all).collect();
    (0..FACTORS.len())
        .flat_map(|factor| {
            let case = format!("| {volume}/min | {:.0} % | ×{} |", base * 100.0, FACTORS[factor]);
            outcomes.iter().map(move |(name, outcomes)| {
                let bold = if *name == "Rega" { "**Rega**" } else { name };
                format!("{case} {}", outcomes[factor].row(bold))
            })
        })
        .collect()
}

/// Prints a line at once: a run takes a while.
fn say(line: &str) {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{line}").unwrap();
    out.flush().unwrap();
}
