//! Of what a customer's score is made: every line of the ledger, faded, and what caps took off.
//!
//! Numbers are exact here, not rounded to two decimals as elsewhere, so that they can be added up:
//! counted lines to a track's sum, this within 0 to 100 to its score, scores by weight to the whole.

use super::{
    engagement::write_open_episodes,
    json::Json,
    row::RowError,
    view::{read, write_journey},
};
use crate::{
    engine::{
        Engine,
        rules::{PointsRule, RuleSet, spec::HalfLifeSpec},
        score::{Line, band_at, next_fall, standing_at},
        state::{Customer, Engagement},
    },
    model::{EventTime, Track},
};

/// Returns why a customer has the score that they have, as JSON, from the committed row. Scores are
/// faded to `at` (`None`, or before the customer's own latest change: to that).
///
/// # Errors
///
/// The row cannot be read: it was written by a newer version, or damaged.
pub fn customer_explanation(
    engine: &Engine,
    customer_id: &str,
    row: &[u8],
    at: Option<EventTime>,
) -> Result<Vec<u8>, RowError> {
    let customer = read(engine, customer_id, row)?;
    let rules = &*engine.rules;
    let head = &customer.head;
    let latest = head.as_of.unwrap_or_default();
    let at = at.map_or(latest, |at| at.max(latest));
    let mut out = Vec::with_capacity(4096);
    let mut json = Json::object(&mut out);
    json.text("customer_id", customer_id);
    json.time("as_of", Some(at));
    json.text("rules_version", rules.version());
    // What `seen` predicates that came with these rules remember begins here at the earliest.
    json.time("rules_since", customer.rules_since);
    write_score(&mut json, &customer, rules, at);
    json.array("tracks", |tracks| {
        for &track in Track::ALL {
            tracks.element(|json| write_track(json, head, rules, (track, at)));
        }
    });
    json.array("not_loaded", |lines| {
        for line in &head.ledger.0 {
            let loaded = rules.rule_by_hash(line.rule);
            if loaded.is_none_or(|(_, rule)| rule.points_on(line.track).is_none()) {
                lines.element(|json| {
                    json.optional_text("rule", loaded.map(|(_, rule)| &*rule.name));
                    json.text("rule_hash", &format!("{:016x}", line.rule));
                    json.text("track", line.track.as_str());
                    exact(json, "points", line.value);
                    json.time("as_of", Some(line.as_of));
                });
            }
        }
    });
    json.nested("balance", |balance| {
        balance.optional_decimal("value", head.balance.value());
        exact(balance, "good", head.balance.good);
        exact(balance, "bad", head.balance.bad);
        balance.count("moments", head.balance.moments.into());
        balance.time("as_of", head.balance.as_of);
    });
    write_journey(&mut json, head);
    write_open_episodes(&mut json, head, rules);
    json.end();
    Ok(out)
}

fn write_score(json: &mut Json<'_>, customer: &Customer, rules: &RuleSet, at: EventTime) {
    let head = &customer.head;
    let standing = standing_at(head, rules, at);
    exact(json, "overall", standing.overall);
    json.text("band", band_at(head, standing.overall).as_str());
    json.time("next_band_at", next_fall(head, rules, at));
    json.count("touchpoints", head.touchpoints);
    json.count("pains", head.pains.into());
    json.count("glories", head.glories.into());
    json.count("recovered", head.recovered.into());
}

fn write_track(
    json: &mut Json<'_>,
    head: &Engagement,
    rules: &RuleSet,
    (track, at): (Track, EventTime),
) {
    let weights: f64 = rules.tracks.iter().map(|track| track.weight).sum();
    let weight = rules.tracks.get(track.index()).map_or(0.0, |track| track.weight);
    let lines: Vec<(&Line, &PointsRule)> =
        head.ledger.counting(rules).filter(|(line, _)| line.track == track).collect();
    let counted = |(line, points): &(&Line, &PointsRule)| points.counted(line.worth(points, at));
    let sum: f64 = lines.iter().map(counted).sum();
    json.text("track", track.as_str());
    exact(json, "share", if 0.0 < weights { weight / weights } else { 0.0 });
    exact(json, "sum", sum);
    exact(json, "score", standing_at(head, rules, at).track(track));
    json.array("lines", |list| {
        for (line, points) in &lines {
            let worth = line.worth(points, at);
            list.element(|json| {
                let rule = rules.rule_by_hash(line.rule);
                json.optional_text("rule", rule.map(|(_, rule)| &*rule.name));
                exact(json, "given", line.value);
                json.time("as_of", Some(line.as_of));
                let half_life = match points.half_life {
                    HalfLifeSpec::After(span) => Some(crate::engine::explain::span_in_words(span)),
                    HalfLifeSpec::Never => None,
                };
                json.optional_text("half_life", half_life.as_deref());
                exact(json, "points", worth);
                exact(json, "cap", points.cap);
                exact(json, "counted", points.counted(worth));
                if points.cap < worth.abs() {
                    json.flag("capped");
                }
            });
        }
    });
}

/// Writes a number as exactly as it is kept.
fn exact(json: &mut Json<'_>, key: &str, number: f64) {
    json.raw(key, number.to_string().as_bytes());
}
