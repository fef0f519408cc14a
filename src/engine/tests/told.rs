//! Comparing what the engine says with what the oracle says.

use std::collections::{BTreeMap, BTreeSet};

use proptest::{prop_assert, prop_assert_eq, test_runner::TestCaseError};
use serde_json::Value;

use super::{
    journey::Touch,
    oracle::{TWO_YEARS, tell},
    world::World,
};
use crate::{
    engine::{Settings, rules::spec::PackSpec},
    model::{EventTime, MicroMoment, Stage},
};

/// Every customer's moments and engagement are as the oracle tells them.
pub(super) fn as_the_oracle_says(
    world: &World,
    (pack, settings): (&PackSpec, &Settings),
    touches: &[Touch],
    watermark: EventTime,
) -> Result<(), TestCaseError> {
    let customers: BTreeSet<&str> = touches.iter().map(|touch| &*touch.customer).collect();
    for customer in customers {
        let theirs: Vec<&Touch> =
            touches.iter().filter(|touch| touch.customer == customer).collect();
        let told = tell((pack, settings), &theirs, watermark);
        let moments: BTreeMap<String, Value> = world
            .last_editions(customer)
            .into_iter()
            .map(|(id, moment)| (id, without_scores(moment)))
            .collect();
        for (id, said) in &told.moments {
            let said = with_plain_numbers(said.clone());
            prop_assert_eq!(moments.get(id), Some(&said), "moment of {}", customer);
        }
        let invented = moments.iter().find(|(id, _)| !told.moments.contains_key(*id));
        prop_assert_eq!(invented, None, "a moment that the oracle does not know");
        if world.store.rows.contains_key(customer) {
            same_engagement(&told.engagement, &found(world, customer))?;
        }
    }
    Ok(())
}

fn found(world: &World, customer: &str) -> Value {
    let mut found = world.engagement(customer);
    let journey = &world.view(customer)["journey"];
    let count = |of: &str, name: &str| journey[of][name]["count"].as_u64().unwrap_or(0);
    let stages =
        Stage::ALL[1..].iter().map(|one| count("stages", one.as_str())).collect::<Vec<_>>();
    let intents = MicroMoment::ALL[1..]
        .iter()
        .map(|one| count("micro_moments", one.as_str()))
        .collect::<Vec<_>>();
    found["stages"] = serde_json::json!(stages);
    found["micro_moments"] = serde_json::json!(intents);
    found
}

/// Numbers compare as numbers, whether or not they have a decimal point.
pub(super) fn with_plain_numbers(value: Value) -> Value {
    match value {
        Value::Number(number) => serde_json::json!(number.as_f64()),
        Value::Array(all) => all.into_iter().map(with_plain_numbers).collect(),
        Value::Object(all) => {
            all.into_iter().map(|(name, value)| (name, with_plain_numbers(value))).collect()
        }
        other => other,
    }
}

fn without_scores(mut moment: Value) -> Value {
    let members = moment.as_object_mut().unwrap();
    for name in ["engagement", "revision", "rules_version", "account_id"] {
        members.remove(name);
    }
    with_plain_numbers(moment)
}

fn same_engagement(told: &Value, found: &Value) -> Result<(), TestCaseError> {
    let same = [
        "as_of",
        "account_id",
        "stage",
        "deepest_stage",
        "stage_since",
        "touchpoints",
        "pains",
        "glories",
        "recovered",
        "open_episodes",
        "channels",
        "first_seen",
        "last_seen",
        "stages",
        "micro_moments",
    ];
    for name in same {
        prop_assert_eq!(&told[name], &found[name], "{}", name);
    }
    let (told_scores, scores) = (&told["engagement"], &found["engagement"]);
    for (name, told) in told_scores.as_object().unwrap() {
        match (told.as_f64(), scores[name].as_f64()) {
            // Published with two decimals.
            (Some(told), Some(found)) => {
                prop_assert!((told - found).abs() < 0.005_001, "{name} {told} is {found}");
            }
            _ => prop_assert_eq!(told, &scores[name], "{}", name),
        }
    }
    let instant = |value: &Value| -> Option<jiff::Timestamp> { value.as_str()?.parse().ok() };
    let as_of = instant(&told["as_of"]).unwrap().as_millisecond();
    let falls = |value: &Value| {
        let at = instant(value)?.as_millisecond();
        (at <= as_of + TWO_YEARS).then_some(at)
    };
    match (falls(&told["next_band_at"]), falls(&found["next_band_at"])) {
        // Rounding may move the crossing by a millisecond.
        (Some(told), Some(found)) => prop_assert!((told - found).abs() <= 1, "{told} is {found}"),
        (told, found) => prop_assert_eq!(told, found, "next_band_at"),
    }
    Ok(())
}
