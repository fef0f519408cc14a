//! A record of `pain-spikes`.

use super::json::Json;
use crate::{
    engine::spike::{Key, Numerator, Run, Spike, SpikeState, Watched},
    model::{EventTime, Stage},
};

/// What is said of a spike.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SpikeSaid<'a> {
    pub(crate) key: &'a (Numerator, Key),
    pub(crate) state: SpikeState,
    pub(crate) watched: &'a Watched,
    pub(crate) spike: &'a Spike,
    pub(crate) run: &'a Run,
    pub(crate) as_of: EventTime,
    pub(crate) backfill: bool,
}

/// Writes a record of `pain-spikes`.
pub(crate) fn write_spike(out: &mut Vec<u8>, said: &SpikeSaid<'_>) {
    let SpikeSaid { key: (numerator, key), state, watched, spike, run, as_of, backfill } = *said;
    let instant = |millis: i64| EventTime::from_millis(millis);
    let mut json = Json::object(out);
    json.text("spike_id", &spike.id);
    json.count("sequence", spike.sequence.into());
    json.text("state", state.as_str());
    json.text("numerator", numerator.as_str());
    json.nested("key", |json| {
        for (name, value) in key.labels() {
            json.text(name, value);
        }
    });
    json.count("severity", run.severity().into());
    json.time("onset", instant(spike.onset.saturating_mul(crate::engine::spike::MINUTE)));
    json.time("opened_at", instant(spike.opened_at));
    let closed = (state == SpikeState::Closed).then_some(as_of);
    json.time("closed_at", closed);
    json.time("as_of", Some(as_of));
    json.decimal("observed", run.observed);
    json.decimal("expected", run.expected);
    json.decimal("ratio", run.ratio());
    json.decimal("ratio_lower", run.ratio_lower(watched.phi()));
    json.count("customers", u64::try_from(run.customers()).unwrap_or(0));
    json.decimal("touchpoints", run.touchpoints);
    json.nested("reasons", |json| {
        for (reason, count) in &run.reasons {
            json.named_count(reason, (*count).into());
        }
    });
    json.nested("stages", |json| {
        for (stage, count) in &run.stages {
            let stage = Stage::from_index((*stage).into()).unwrap_or(Stage::None);
            json.count(stage.as_str(), (*count).into());
        }
    });
    json.array("examples", |json| {
        for example in &run.examples {
            json.element_text(example);
        }
    });
    if backfill {
        json.flag("backfill");
    }
    json.end();
}
