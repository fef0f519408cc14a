//! Reading a committed row for people: `/v1/customers/{id}`, and `engagement` as of an instant.

use super::{
    engagement::{write_engagement, write_fields},
    json::Json,
    read_row,
    row::RowError,
};
use crate::{
    engine::{
        Engine,
        place::revive,
        state::{Customer, Engagement},
    },
    model::{EventTime, MicroMoment, Stage},
};

pub(super) fn read(engine: &Engine, customer_id: &str, row: &[u8]) -> Result<Customer, RowError> {
    let mut customer = read_row(row, &engine.rules)?;
    revive(&mut customer, engine.context(customer_id, EventTime::MIN));
    Ok(customer)
}

/// Returns the `engagement` record of a customer, faded to `at` where that is given.
///
/// # Errors
///
/// The row cannot be read: it was written by a newer version, or damaged.
pub fn engagement_record(
    engine: &Engine,
    customer_id: &str,
    row: &[u8],
    at: Option<EventTime>,
) -> Result<Vec<u8>, RowError> {
    let customer = read(engine, customer_id, row)?;
    let at = at.map(|at| customer.head.as_of.map_or(at, |as_of| as_of.max(at)));
    let mut out = Vec::with_capacity(1024);
    write_engagement(&mut out, &customer, engine.context(customer_id, EventTime::MIN), at);
    Ok(out)
}

/// Returns the look-up of a customer as JSON, from the committed row. Scores are faded to `at`
/// (never before the customer's own latest change).
///
/// # Errors
///
/// The row cannot be read: it was written by a newer version, or damaged.
pub fn customer_view(
    engine: &Engine,
    customer_id: &str,
    row: &[u8],
    at: EventTime,
) -> Result<Vec<u8>, RowError> {
    let customer = read(engine, customer_id, row)?;
    let context = engine.context(customer_id, at);
    let head = &customer.head;
    let at = head.as_of.map_or(at, |as_of| as_of.max(at));
    let mut out = Vec::with_capacity(2048);
    let mut json = Json::object(&mut out);
    write_fields(&mut json, &customer, context, Some(at));
    json.optional_text("referral", head.referral.as_deref());
    write_journey(&mut json, head);
    json.array("ledger", |lines| {
        for (line, points) in head.ledger.counting(&engine.rules) {
            let worth = line.worth(points, at);
            lines.element(|json| {
                let rule = engine.rules.rule_by_hash(line.rule);
                json.optional_text("rule", rule.map(|(_, rule)| &*rule.name));
                json.text("track", line.track.as_str());
                json.decimal("points", worth);
                json.decimal("counted", points.counted(worth));
                json.time("as_of", Some(line.as_of));
            });
        }
    });
    json.end();
    Ok(out)
}

/// Writes where a customer has been.
pub(super) fn write_journey(json: &mut Json<'_>, head: &Engagement) {
    json.nested("journey", |journey| {
        journey.count("visits", head.visits.into());
        journey.nested("stages", |stages| {
            for (&stage, record) in Stage::ALL.iter().zip(&head.journey.stages) {
                if 0 < record.count {
                    stages.nested(stage.as_str(), |json| {
                        json.count("count", record.count.into());
                        json.time("last", record.last);
                    });
                }
            }
        });
        journey.nested("micro_moments", |moments| {
            for (&moment, record) in MicroMoment::ALL.iter().zip(&head.journey.micro_moments) {
                if 0 < record.count {
                    moments.nested(moment.as_str(), |json| {
                        json.count("count", record.count.into());
                        json.time("last", record.last);
                    });
                }
            }
        });
        journey.array("transitions", |steps| {
            for step in &head.journey.transitions {
                steps.element(|json| {
                    json.time("at", Some(step.at));
                    json.text("from", step.from.as_str());
                    json.text("to", step.to.as_str());
                    json.text("kind", step.kind.as_str());
                });
            }
        });
    });
}
