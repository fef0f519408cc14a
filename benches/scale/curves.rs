//! What is varied, and what else is held.

use std::{fmt::Write, path::Path};

use rega::{
    model::EventTime,
    simulation::{Simulated, Simulation, SimulationSpec},
};

use crate::worker::Worker;

/// 2026-01-05T00:00:00Z, a Monday.
const START_MILLIS: i64 = 1_767_571_200_000;

/// What `state.memory` leaves one of two workers, about.
const BUDGET: usize = 1 << 30;

/// One thing that is varied.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Curve {
    Customers,
    OtherRules,
    SameRules,
    Properties,
    History,
    Uptime,
}

/// One measurement.
#[derive(Clone, Debug)]
pub(crate) struct Point {
    pub(crate) value: u64,
    pub(crate) micros: f64,
    pub(crate) memory_mib: f64,
}

impl Curve {
    pub(crate) const ALL: [Self; 6] = [
        Self::Customers,
        Self::OtherRules,
        Self::SameRules,
        Self::Properties,
        Self::History,
        Self::Uptime,
    ];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Customers => "customers",
            Self::OtherRules => "rules for other events",
            Self::SameRules => "rules for the same events",
            Self::Properties => "properties",
            Self::History => "touchpoints of each customer",
            Self::Uptime => "tenth of a long run",
        }
    }

    /// Measures every value; returns the curves that come of it by name.
    pub(crate) fn measure(self, small: bool) -> Vec<(&'static str, Vec<Point>)> {
        let scale = |count: u64| scaled(count, small);
        let folder = tempfile::tempdir().unwrap();
        let run = |packs: &[&str], customers: u64, warm: u64, count: u64| {
            let folder = tempfile::tempdir().unwrap();
            let mut worker = Worker::new(packs, folder.path(), BUDGET);
            let mut stream = simulation(customers);
            worker.run(stream.by_ref().take(size(warm)));
            let micros = worker.run(stream.take(size(count)));
            (micros, worker.memory_mib())
        };
        let point = |value, (micros, memory_mib)| Point { value, micros, memory_mib };
        let points = match self {
            Self::Customers => return customers(small),
            Self::OtherRules | Self::SameRules => [50, 200, 1_000]
                .map(|count| {
                    let file = rules(folder.path(), count, matches!(self, Self::SameRules));
                    let measured = run(&[&file], 10_000, scale(100_000), scale(100_000));
                    point(u64::from(count), measured)
                })
                .to_vec(),
            Self::Properties => [5, 20, 50]
                .map(|count| {
                    let folder = tempfile::tempdir().unwrap();
                    let mut worker = Worker::new(&["commerce"], folder.path(), BUDGET);
                    let mut stream = simulation(10_000).map(|one| with_properties(&one, count));
                    worker.run(stream.by_ref().take(size(scale(50_000))));
                    let micros = worker.run(stream.take(size(scale(100_000))));
                    point(count, (micros, worker.memory_mib()))
                })
                .to_vec(),
            // So many customers that there are always as many touchpoints; the last tenth is measured.
            Self::History => [10, 100, 1_000, 10_000, 100_000]
                .map(|count| {
                    let customers = 200_000 / count;
                    let folder = tempfile::tempdir().unwrap();
                    let mut worker = Worker::new(&["commerce"], folder.path(), BUDGET);
                    let mut turns = (0..customers).cycle();
                    let mut stream =
                        simulation(500).map(|one| as_customer(&one, turns.next().unwrap()));
                    worker.run(stream.by_ref().take(size(scale(180_000))));
                    let micros = worker.run(stream.take(size(scale(20_000))));
                    point(count, (micros, worker.memory_mib()))
                })
                .to_vec(),
            Self::Uptime => {
                let mut worker = Worker::new(&["commerce"], folder.path(), BUDGET);
                // A hundred days first, in which who comes least often comes a hundred times: whatever a
                // row keeps of the newest is as long as it gets.
                let customers = scale(2_000);
                let per_day = 10.0 * f64::from(u32::try_from(customers).unwrap());
                let mut stream = simulation_from(START_MILLIS, customers, 7, per_day);
                worker.run(stream.by_ref().take(size(scale(2_000_000))));
                (1..=10)
                    .map(|tenth| {
                        let micros = worker.run(stream.by_ref().take(size(scale(200_000))));
                        point(tenth, (micros, worker.memory_mib()))
                    })
                    .collect()
            }
        };
        vec![(self.name(), points)]
    }
}

/// Each customer has been there in the mean before anything is measured: first with all of them equally
/// likely to come, then with a few who come all the time while the others stay where they are.
fn customers(small: bool) -> Vec<(&'static str, Vec<Point>)> {
    const ACTIVE: u64 = 10_000;
    let scale = |count: u64| scaled(count, small);
    let (mut all, mut few) = (Vec::new(), Vec::new());
    for customers in [10_000, 100_000, 1_000_000, 10_000_000].map(scale) {
        let folder = tempfile::tempdir().unwrap();
        let mut worker = Worker::new(&["commerce"], folder.path(), BUDGET);
        let mut stream = simulation(customers);
        worker.run(stream.by_ref().take(size(customers)));
        let mut measured = stream.take(size(scale(200_000)));
        let mut last = START_MILLIS;
        let noted = std::iter::from_fn(|| {
            let one = measured.next()?;
            last = one.emitted_at.as_millis();
            Some(one)
        });
        let micros = worker.run(noted);
        all.push(Point { value: customers, micros, memory_mib: worker.memory_mib() });
        // So often that the time of day stands still: what falls due for the others is theirs.
        let per_day = 10_000_000.0;
        let mut stream = simulation_from(last, scale(ACTIVE).min(customers), 8, per_day);
        worker.run(stream.by_ref().take(size(scale(100_000))));
        let micros = worker.run(stream.take(size(scale(200_000))));
        few.push(Point { value: customers, micros, memory_mib: worker.memory_mib() });
    }
    vec![("customers", all), ("customers, 10,000 of them active", few)]
}

fn scaled(count: u64, small: bool) -> u64 {
    if small { (count / 200).max(10) } else { count }
}

fn size(count: u64) -> usize {
    usize::try_from(count).unwrap()
}

fn simulation(customers: u64) -> Simulation {
    let per_day = f64::from(u32::try_from(customers).unwrap());
    simulation_from(START_MILLIS, customers, 7, per_day)
}

/// Customers have the same ids with every seed, touchpoints others.
fn simulation_from(start: i64, customers: u64, seed: u64, touchpoints_per_day: f64) -> Simulation {
    let customers = u32::try_from(customers).unwrap();
    Simulation::new(SimulationSpec {
        customers,
        seed,
        start: EventTime::from_millis(start).unwrap(),
        touchpoints_per_day,
        spikes: Vec::new(),
    })
}

/// Writes a pack with so many rules: of the twenty most frequent events, or all but fifty of events
/// that never come.
fn rules(folder: &Path, count: u32, same: bool) -> String {
    const EVENTS: [&str; 20] = [
        "page_viewed",
        "product_viewed",
        "search_performed",
        "app_opened",
        "product_added",
        "checkout_started",
        "order_placed",
        "payment_approved",
        "order_shipped",
        "order_delivered",
        "email_sent",
        "email_opened",
        "article_read",
        "products_compared",
        "wishlist_added",
        "review_submitted",
        "ticket_opened",
        "survey_sent",
        "survey_answered",
        "order_tracked",
    ];
    let mut text = String::from("pack: many\nrules:\n");
    for (number, event) in (0..count).zip(EVENTS.iter().cycle()) {
        let event =
            if same || number < 50 { (*event).to_owned() } else { format!("never_{number}") };
        write!(
            text,
            "  - name: rule {number}\n    \
               when: {{ event: {event}, properties: {{ price: {{ min: {number} }} }} }}\n    \
               label: {{ micro_moment: know, stage: consideration }}\n    \
               points: {{ engage: 1 }}\n"
        )
        .unwrap();
    }
    let file = folder.join(format!("many-{count}.yaml"));
    std::fs::write(&file, text).unwrap();
    file.display().to_string()
}

/// The same touchpoint with so many properties more that no rule asks for.
fn with_properties(touchpoint: &Simulated, count: u64) -> Simulated {
    let mut line = touchpoint.line.clone();
    let start = line.windows(14).position(|part| part == b"\"properties\":{").unwrap() + 14;
    let mut more = String::new();
    for number in 0..count {
        write!(more, "\"more_{number}\":\"value {number}\",").unwrap();
    }
    if line[start] == b'}' {
        more.pop();
    }
    line.splice(start..start, more.into_bytes());
    Simulated { line, ..touchpoint.clone() }
}

/// The same touchpoint of somebody else.
fn as_customer(touchpoint: &Simulated, number: u64) -> Simulated {
    let text = str::from_utf8(&touchpoint.line).unwrap();
    let customer_id = format!("hot-{number}");
    let line = text.replace(
        &format!("\"customer_id\":\"{}\"", touchpoint.customer_id),
        &format!("\"customer_id\":\"{customer_id}\""),
    );
    Simulated { customer_id, line: line.into_bytes(), ..touchpoint.clone() }
}
