//! A made-up shop: seasons of the day and the week, surges without pain, waves of surveys, a herd of
//! deadlines at midnight, drift, and pain that is told late. All of it happens also in quiet weeks.

use rega::{engine::spike::Draft, model::EventTime};

use crate::{dice::Dice, rivals::Series};

pub(crate) const DAY: i64 = 1440;
pub(crate) const WEEK: i64 = 7 * DAY;

/// Monday, 2026-01-05, in minutes.
pub(crate) const START: i64 = 29_459_520;

/// Where spikes are made.
pub(crate) const STRUCK_CHANNEL: &str = "app";
const STRUCK: (&str, &str) = (STRUCK_CHANNEL, "checkout");

/// Share of the volume, and pain against the base rate.
const LEAVES: [((&str, &str), f64, f64); 5] = [
    (STRUCK, 0.30, 1.0),
    (("web", "checkout"), 0.40, 0.7),
    (("web", "search"), 0.15, 0.3),
    (("call_center", "call_ended"), 0.10, 2.0),
    (("email", "survey_answered"), 0.05, 6.0),
];

/// Something goes wrong.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Outbreak {
    pub(crate) at: i64,
    pub(crate) lasts: i64,
    pub(crate) factor: f64,
}

pub(crate) struct Shop {
    dice: Dice,
    volume: f64,
    base: f64,
    /// A minute that is said again, with what was not known when it was said first.
    late: Option<(i64, Vec<u8>)>,
}

impl Shop {
    pub(crate) fn new(seed: u64, volume: f64, base: f64) -> Self {
        Self { dice: Dice::new(seed), volume, base, late: None }
    }

    /// Returns what is said in a minute: of itself, and of earlier ones. What happened to the struck
    /// event is noted for the rivals, who hear of everything in time.
    pub(crate) fn live(
        &mut self,
        minute: i64,
        outbreaks: &[Outbreak],
        series: &mut Series,
    ) -> Vec<(i64, Vec<u8>)> {
        let (mut draft, mut known) = (Draft::default(), Draft::default());
        let (mut exposure, mut pains) = (0, 0);
        let season = season(minute);
        let creep = 1.0 + 0.2 * hours(minute) / (20.0 * 7.0 * 24.0);
        for (name, share, hurts) in LEAVES {
            let wave = wave(name, minute);
            let count = self.dice.poisson(self.volume * share * season * wave);
            draft.count(name, &[], count);
            known.count(name, &[], count);
            let factor = outbreaks
                .iter()
                .filter(|one| name == STRUCK && (one.at..one.at + one.lasts).contains(&minute))
                .map(|one| one.factor)
                .product::<f64>();
            let rate = (self.base * hurts * evening(minute) * creep * factor).min(0.9);
            let hurt = self.dice.poisson(f64::from(count) * rate).min(count);
            for _ in 0..hurt {
                // One in twenty comes after its minute was judged.
                let late = self.dice.next() < 0.05;
                self.hurt(&mut draft, if late { None } else { Some(&mut known) }, (name, minute));
            }
            if name == STRUCK {
                (exposure, pains) = (count, hurt);
            }
        }
        if minute % DAY == 0 {
            self.midnight(&mut draft, &mut known, minute);
        }
        series.push(exposure, pains);
        let mut said = vec![(minute, known.to_value())];
        said.extend(self.late.take());
        self.late = Some((minute, draft.to_correction()));
        said
    }

    /// All of the day's promises fall due at once.
    fn midnight(&mut self, draft: &mut Draft, known: &mut Draft, minute: i64) {
        let name = ("delivery", "episode_overdue");
        let due = self.dice.poisson(self.volume * 20.0);
        draft.count(name, &[], due);
        known.count(name, &[], due);
        for _ in 0..self.dice.poisson(f64::from(due) * self.base * 2.0).min(due) {
            self.hurt(draft, Some(known), (name, minute));
        }
    }

    fn hurt(
        &mut self,
        draft: &mut Draft,
        known: Option<&mut Draft>,
        (name, minute): ((&str, &str), i64),
    ) {
        let seconds = i64::try_from(self.dice.bits() % 60_000).unwrap();
        let at = EventTime::from_millis((START + minute) * 60_000 + seconds).unwrap();
        let pain = (at, self.dice.bits() % 1_000_000, "broken");
        draft.hurt(name, &[], pain);
        if let Some(known) = known {
            known.hurt(name, &[], pain);
        }
    }
}

/// Busy in the evening, quiet at night, less at the weekend. The mean of a weekday is 1.
fn season(minute: i64) -> f64 {
    let hour = hours(minute % DAY);
    let day = 1.0 + 0.8 * ((hour - 13.0) / 24.0 * std::f64::consts::TAU).cos();
    if is_weekend(minute) { day * 0.7 } else { day }
}

/// People in the evening complain more.
fn evening(minute: i64) -> f64 {
    let hour = hours(minute % DAY);
    let late = if (18.0..23.0).contains(&hour) { 1.4 } else { 0.9 };
    if is_weekend(minute) { late * 1.1 } else { late }
}

/// A campaign on Thursdays brings four times as many, a survey on Tuesdays twenty times as many
/// answers: neither hurts more often than it does.
fn wave((_, event): (&str, &str), minute: i64) -> f64 {
    let (weekday, hour) = (minute / DAY % 7, minute % DAY / 60);
    match (weekday, event) {
        (3, "checkout" | "search") if (12..14).contains(&hour) => 4.0,
        (1, "survey_answered") if (10..12).contains(&hour) => 20.0,
        _ => 1.0,
    }
}

fn is_weekend(minute: i64) -> bool {
    5 <= minute / DAY % 7
}

fn hours(minutes: i64) -> f64 {
    f64::from(i32::try_from(minutes).unwrap()) / 60.0
}
