//! Runs the journey of a pack's test through the engine.
//!
//! Every customer has a partition of their own: customers share nothing but the clock, and a test
//! should read the same whether its journeys are told one after the other or mingled.

use std::{collections::BTreeSet, path::Path, sync::Arc};

use rega::{
    config::{LoadedPack, PackTest, Step, load_packs},
    engine::{
        Effect, Effects, Engine, Fact, Partition, PartitionRow, Record, Settings, decode::Dialect,
    },
    model::{EventTime, Span},
    store::MemoryStore,
};
use serde_json::{Value as Json, json};

use super::expect::differences;

/// Who acts in a test that names no customer.
const SOMEBODY: &str = "somebody";

/// No test is longer: wall time stands there, so that nothing comes from the future.
const TEN_YEARS: Span = 3653 * 86_400_000;

/// What was published of one touchpoint, as it stands in the end.
pub(super) type Moment = Json;

/// What running the tests of a pack showed.
#[derive(Debug, Default)]
pub(crate) struct Report {
    /// One text per expectation that was not met.
    pub(crate) failures: Vec<String>,
    /// Rules that no test hits.
    pub(super) idle_rules: Vec<String>,
    /// How many tests ran.
    pub(super) tests: usize,
}

/// Loads packs and runs their tests.
///
/// # Errors
///
/// Returns the problems of the files, as a person would read them.
pub(crate) fn run(pack: &Path) -> Result<Report, String> {
    play_all(&[pack], settings(), |_| true)
}

/// Runs the tests of a file with the rules of a pack, in a time zone.
///
/// # Errors
///
/// As [`run`].
pub(crate) fn run_beside(pack: &Path, file: &Path, zone: &str) -> Result<Report, String> {
    let timezone = jiff::tz::TimeZone::get(zone).map_err(|error| error.to_string())?;
    let own = file.to_str().unwrap_or_default();
    play_all(&[pack, file], Settings { timezone, ..settings() }, |place| place.starts_with(own))
}

fn play_all(
    packs: &[&Path],
    settings: Settings,
    is_meant: impl Fn(&str) -> bool,
) -> Result<Report, String> {
    let names: Option<Vec<&str>> = packs.iter().map(|pack| pack.to_str()).collect();
    let names = names.ok_or("a path that is no text")?;
    let pack = load_packs(names).map_err(|report| report.render(rega::config::Colour::Never))?;
    let LoadedPack { rules, tests, sources, .. } = pack;
    let names: Vec<String> = rules.rule_names().map(str::to_owned).collect();
    let engine = Engine::new(Arc::new(rules), settings, Dialect::Native);
    let mut report = Report::default();
    let mut hit = BTreeSet::new();
    let place = |at| {
        let place = sources.place(at);
        let file = place.and_then(|place| sources.source(place.source));
        let line = place.map_or(0, |place| place.line);
        format!("{}:{line}", file.map_or("?", |file| &*file.name))
    };
    for test in tests.iter().filter(|test| is_meant(&place(test.name.at))) {
        report.tests += 1;
        let moments = play(&engine, test, &mut hit)?;
        for (at, difference) in differences(test, &moments) {
            report.failures.push(format!("{}: {}\n{difference}", place(at), test.name.value));
        }
    }
    report.idle_rules =
        names.into_iter().enumerate().filter(|(at, _)| !hit.contains(at)).map(|(_, n)| n).collect();
    Ok(report)
}

/// History counts as complete: the stream is known since long before any test begins.
fn settings() -> Settings {
    Settings { history_since: Some(PackTest::start().minus(TEN_YEARS)), ..Settings::default() }
}

/// Plays a journey, and returns every moment in its last revision.
fn play(
    engine: &Engine,
    test: &PackTest,
    hit: &mut BTreeSet<usize>,
) -> Result<Vec<Moment>, String> {
    let who = |step: &Step| step.customer.clone().unwrap_or_else(|| SOMEBODY.to_owned());
    let customers: BTreeSet<String> = test.journey.iter().map(who).collect();
    let steps = test.journey.iter().map(|step| step.at);
    let end = steps.chain(test.expect.iter().map(|one| one.at)).max().unwrap_or_default();
    let mut moments = Vec::new();
    for customer in customers {
        let mut partition = Partition::new(PartitionRow::default());
        let (store, mut effects) = (MemoryStore::default(), Effects::default());
        let now = PackTest::start().plus(TEN_YEARS);
        for (index, step) in test.journey.iter().enumerate().filter(|(_, one)| who(one) == customer)
        {
            let payload = touchpoint(index, step, &customer).to_string();
            let record = record(index, &payload);
            partition.process(engine, &record, now, &store, &mut effects);
        }
        let until = PackTest::start().plus(end).plus(engine.settings().tolerance);
        partition.tick(engine, until, now, &store, &mut effects);
        gather(&effects, &mut moments, hit)
            .map_err(|error| format!("{}: {error}", test.name.value))?;
    }
    Ok(moments)
}

fn record(index: usize, payload: &str) -> Record<'_> {
    Record {
        value: Some(payload.as_bytes()),
        key: None,
        headers: &[],
        topic: "test",
        partition: 0,
        offset: i64::try_from(index).unwrap_or_default(),
        timestamp: None,
    }
}

fn touchpoint(index: usize, step: &Step, customer: &str) -> Json {
    let event_id = step.event_id.clone().unwrap_or_else(|| format!("step-{index:04}"));
    let mut touchpoint = json!({
        "event_id": event_id,
        "customer_id": customer,
        "ts": PackTest::start().plus(step.at).to_string(),
        "channel": step.channel,
        "event": step.event,
        "properties": step.properties,
    });
    let actor = step.actor.map(|actor| actor.as_str().to_owned());
    for (field, value) in [("actor", actor), ("text", step.text.clone())] {
        if let Some(value) = value {
            touchpoint[field] = value.into();
        }
    }
    touchpoint
}

/// Adds the moments of one customer: of each, the highest revision, unless it was taken back.
fn gather(
    effects: &Effects,
    moments: &mut Vec<Moment>,
    hit: &mut BTreeSet<usize>,
) -> Result<(), String> {
    let mut latest: Vec<Moment> = Vec::new();
    for effect in effects.iter() {
        match effect {
            Effect::Moment(moment) => {
                let text = effects.text(moment.value);
                let moment: Moment =
                    serde_json::from_str(text).map_err(|e| format!("{e}: {text}"))?;
                latest.retain(|one| one["event_id"] != moment["event_id"]);
                latest.push(moment);
            }
            Effect::Reject(reject) => {
                let item = reject.item.map_or("", |item| effects.text(item));
                return Err(format!("{}: {}\n{item}", reject.reason, effects.text(reject.detail)));
            }
            Effect::Fact(Fact::RuleHit(rule)) => {
                hit.insert(usize::from(*rule));
            }
            Effect::Pulse(_) | Effect::Fact(_) => {}
        }
    }
    moments.extend(latest.into_iter().filter(|moment| moment["retracted"].is_null()));
    Ok(())
}

/// Returns how long after the start of a test a moment stands.
pub(super) fn at_of(moment: &Moment) -> Option<Span> {
    let ts: jiff::Timestamp = moment["ts"].as_str()?.parse().ok()?;
    let ts = EventTime::from_millis(ts.as_millisecond())?;
    Some(ts.since(PackTest::start()))
}
