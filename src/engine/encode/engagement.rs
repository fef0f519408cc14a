//! A record of `engagement`: how one customer stands.

use super::{super::timeline::Context, json::Json};
use crate::{
    engine::{
        rules::RuleSet,
        score::{Standing, band_at, next_fall, standing_at},
        state::{Customer, Engagement},
    },
    model::{Band, Channels, EventTime, Stage, Track},
};

/// Writes the scores of an instant.
pub(super) fn write_scores(
    json: &mut Json<'_>,
    standing: &Standing,
    band: Band,
    balance: Option<f64>,
) {
    for &track in Track::ALL {
        json.decimal(track.as_str(), standing.track(track));
    }
    json.decimal("overall", standing.overall);
    json.text("band", band.as_str());
    json.optional_decimal("balance", balance);
}

/// Writes a record of `engagement`, as of the customer's latest change or of a given instant.
pub(crate) fn write_engagement(
    out: &mut Vec<u8>,
    customer: &Customer,
    context: Context<'_>,
    at: Option<EventTime>,
) {
    let mut json = Json::object(out);
    write_fields(&mut json, customer, context, at);
    json.end();
}

/// Writes what `engagement` and the look-up of a customer have in common.
pub(super) fn write_fields(
    json: &mut Json<'_>,
    customer: &Customer,
    context: Context<'_>,
    at: Option<EventTime>,
) {
    let head = &customer.head;
    let as_of = at.or(head.as_of).unwrap_or_default();
    let standing = standing_at(head, context.rules, as_of);
    let band = band_at(head, standing.overall);
    let journey = &head.journey;
    json.text("customer_id", context.customer_id);
    json.optional_text("account_id", customer.account_id.as_deref());
    json.time("as_of", Some(as_of));
    json.text("stage", journey.stage.unwrap_or(Stage::None).as_str());
    json.text("deepest_stage", journey.deepest.unwrap_or(Stage::None).as_str());
    json.time("stage_since", journey.since);
    json.nested("engagement", |scores| {
        write_scores(scores, &standing, band, head.balance.value());
    });
    json.optional_text("dominant_track", standing.dominant().map(Track::as_str));
    json.time("next_band_at", next_fall(head, context.rules, as_of));
    json.count("touchpoints", head.touchpoints);
    json.count("pains", head.pains.into());
    json.count("glories", head.glories.into());
    json.count("recovered", head.recovered.into());
    write_open_episodes(json, head, context.rules);
    json.nested("channels", |channels| {
        let known = &context.settings.channels;
        let named = |name: &str| -> u64 {
            let counted = head.channels.iter().filter(|(one, _)| known.name(*one) == name);
            counted.map(|(_, count)| u64::from(*count)).sum()
        };
        for name in known.names().filter(|name| *name != Channels::OTHER) {
            let count = named(name);
            if 0 < count {
                channels.count(name, count);
            }
        }
        let other = named(Channels::OTHER);
        if 0 < other {
            channels.count(Channels::OTHER, other);
        }
    });
    json.time("first_seen", head.first_seen);
    json.time("last_seen", head.last_seen);
    json.text("rules_version", context.rules.version());
}

/// Writes what is open.
pub(super) fn write_open_episodes(json: &mut Json<'_>, head: &Engagement, rules: &RuleSet) {
    json.array("open_episodes", |episodes| {
        for episode in head.episodes.iter().filter(|one| one.pain.is_none() || one.hurts()) {
            let Some(kind) = rules.kind(episode.kind) else { continue };
            episodes.element(|json| {
                json.text("kind", &kind.name);
                json.optional_text("key", episode.key.as_deref());
                json.time("opened_at", Some(episode.opened_at));
                json.time("deadline", episode.deadline);
                if episode.overdue.is_some() {
                    json.flag("overdue");
                }
                if let Some(pain) = &episode.pain {
                    json.optional_text("reason", pain.reason.as_deref());
                    json.count("severity", pain.severity.weight().into());
                }
            });
        }
    });
}
