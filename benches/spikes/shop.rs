//! A made-up shop: seasons of the day and the week, surges without pain, waves of surveys, a herd of
//! deadlines at midnight, drift, and pain that is told late. All of it happens also in quiet weeks.

use rega::{engine::spike::Draft, model::EventTime};

use crate::{dice::Dice, rivals::Series};

pub(crate) const DAY: i64 = 1440;
pub(crate) const WEEK: i64 = 7 * DAY;

/// Monday, 2026-01-05, in minutes.
pub(crate) const START: i64 = 29_459_520;

/// Channel and event.
type Name = (&'static str, &'static str);

/// Where spikes are made.
pub(crate) const STRUCK_CHANNEL: &str = "app";
const STRUCK: Name = (STRUCK_CHANNEL, "checkout");

/// Touchpoints against those of the struck kind of contact, and pain against the base rate.
const LEAVES: [(Name, f64, f64); 5] = [
    (STRUCK, 1.0, 1.0),
    (("web", "checkout"), 1.3, 0.7),
    (("web", "search"), 0.5, 0.3),
    (("call_center", "call_ended"), 0.3, 2.0),
    (("email", "survey_answered"), 0.2, 6.0),
];

/// Something goes wrong.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Outbreak {
    pub(crate) at: i64,
    pub(crate) lasts: i64,
    pub(crate) factor: f64,
}

pub(crate) struct Shop {
    /// What happens, and, apart from it, to whom: thresholds are chosen without asking for whom.
    dice: Dice,
    people: Dice,
    volume: f64,
    base: f64,
    /// A minute that is said again, with what was not known when it was said first.
    late: Option<(i64, Vec<u8>)>,
}

/// What happened in a minute: of each kind of contact how often, and how often it hurt.
#[derive(Debug)]
pub(crate) struct Happened {
    minute: i64,
    counts: Vec<(Name, u32, u32)>,
}

impl Shop {
    /// `volume` is that of the struck kind of contact, by minute, `base` its pain rate.
    pub(crate) fn new(seed: u64, volume: f64, base: f64) -> Self {
        let (dice, people) = (Dice::new(seed), Dice::new(seed + 500_000));
        Self { dice, people, volume, base, late: None }
    }

    /// Lets a minute pass. What happened to the struck kind of contact is noted for the rivals, who
    /// hear of everything in time.
    pub(crate) fn pass(
        &mut self,
        minute: i64,
        outbreaks: &[Outbreak],
        series: &mut Series,
    ) -> Happened {
        let season = season(minute);
        let creep = 1.0 + 0.2 * hours(minute) / (20.0 * 7.0 * 24.0);
        let mut counts = Vec::with_capacity(LEAVES.len() + 1);
        for (name, share, hurts) in LEAVES {
            let count = self.dice.poisson(self.volume * share * season * wave(name, minute));
            let usual = self.base * hurts * evening(minute) * creep;
            let factor = outbreaks
                .iter()
                .filter(|one| name == STRUCK && (one.at..one.at + one.lasts).contains(&minute))
                .map(|one| one.factor)
                .product::<f64>();
            let hurt = self.dice.poisson(f64::from(count) * (usual * factor).min(0.9)).min(count);
            if name == STRUCK {
                series.push(count, hurt, f64::from(count) * usual);
            }
            counts.push((name, count, hurt));
        }
        if minute % DAY == 0 {
            // All of the day's promises fall due at once.
            let due = self.dice.poisson(self.volume * 60.0);
            let hurt = self.dice.poisson(f64::from(due) * self.base * 2.0).min(due);
            counts.push((("delivery", "episode_overdue"), due, hurt));
        }
        Happened { minute, counts }
    }

    /// Returns what is said after a minute: of itself, and of the one before.
    pub(crate) fn say(&mut self, happened: &Happened) -> Vec<(i64, Vec<u8>)> {
        let minute = happened.minute;
        let (mut draft, mut known) = (Draft::default(), Draft::default());
        for (name, count, hurt) in &happened.counts {
            draft.count(*name, &[], *count);
            known.count(*name, &[], *count);
            for _ in 0..*hurt {
                let pain = self.pain(minute);
                draft.hurt(*name, &[], pain);
                // One in twenty comes after its minute was judged.
                if 0.05 <= self.people.next() {
                    known.hurt(*name, &[], pain);
                }
            }
        }
        let mut said = vec![(minute, known.to_value())];
        said.extend(self.late.take());
        self.late = Some((minute, draft.to_correction()));
        said
    }

    fn pain(&mut self, minute: i64) -> (EventTime, u64, &'static str) {
        let millis = i64::try_from(self.people.bits() % 60_000).unwrap();
        let at = EventTime::from_millis((START + minute) * 60_000 + millis).unwrap();
        (at, self.people.bits() % 1_000_000, "broken")
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
fn wave((_, event): Name, minute: i64) -> f64 {
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
