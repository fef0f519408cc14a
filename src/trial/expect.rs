//! Compares what came of a journey with what its test expects, and says in words where they differ.

use std::fmt::Write as _;

use serde_json::Value as Json;

use super::journey::{Moment, Played, at_of};
use crate::{
    config::{Expectation, PackTest, display_span},
    engine::rules::spec::At,
    model::{Span, Track},
};

/// Moments listed where the one that was meant is not there.
const LISTED_MAX: usize = 12;

/// Returns every expectation that is not met: where it stands, and what differs.
pub(super) fn differences(test: &PackTest, played: &Played) -> Vec<(At, String)> {
    let each = test.expect.iter();
    let unmet = each.filter_map(|one| Some((one.place, difference(one, test, played)?)));
    unmet.chain(unexpected_rejects(test, played)).collect()
}

/// A step that is set aside though nobody expected it is a slip in the test, or worse.
fn unexpected_rejects(test: &PackTest, played: &Played) -> Vec<(At, String)> {
    let expected = |at: Span, customer: &str| {
        test.expect.iter().any(|one| {
            let same = one.customer.as_ref().is_none_or(|wanted| wanted == customer);
            one.rejected.is_some() && one.at == at && same
        })
    };
    let unexpected = played.rejects.iter().filter(|one| !expected(one.at, &one.customer));
    let told = unexpected.map(|reject| {
        let step = test.journey.iter().find(|step| step.at == reject.at);
        let said = format!(
            "  {}, {}: the step is set aside: {} ({})\n",
            display_span(reject.at),
            reject.event,
            reject.reason,
            reject.detail
        );
        (step.map_or(test.name.at, |step| step.place), said)
    });
    told.collect()
}

fn difference(expected: &Expectation, test: &PackTest, played: &Played) -> Option<String> {
    let at = display_span(expected.at);
    if let Some(reason) = &expected.rejected {
        let mut here = played.rejects.iter().filter(|one| one.at == expected.at);
        let found = here.clone().map(|one| one.reason).collect::<Vec<_>>().join(", ");
        let found = if found.is_empty() { "it is not".to_owned() } else { found };
        return (!here.any(|one| one.reason == reason))
            .then(|| format!("  {at}: expected to be set aside: {reason}, found: {found}\n"));
    }
    let is_meant = |moment: &&Moment| is_meant(expected, test, moment);
    let there: Vec<&Moment> = played.moments.iter().filter(is_meant).collect();
    if expected.absent {
        let unwanted = there.first()?;
        return Some(format!("  {at}: expected nothing, found {}\n", name_of(unwanted)));
    }
    let [moment] = there.as_slice() else {
        return Some(not_one(expected, test, played, there.is_empty()));
    };
    let unequal = unequal(expected, moment);
    if unequal.is_empty() {
        return None;
    }
    let mut out = format!("  {at}, {}:\n", name_of(moment));
    let width = unequal.iter().map(|(what, _, _)| what.chars().count()).max().unwrap_or(0);
    for (what, expected, found) in unequal {
        _ = writeln!(
            out,
            "    {what:width$}  expected {}, found {}",
            shown(&expected),
            shown(&found)
        );
    }
    _ = writeln!(out, "    {:width$}  {}", "rules", rules_of(moment));
    Some(out)
}

/// Says what stands there instead.
fn not_one(expected: &Expectation, test: &PackTest, played: &Played, none: bool) -> String {
    let at = display_span(expected.at);
    let event = expected.event.as_deref().unwrap_or("anything");
    let what = if none {
        format!("expected {event}, and nothing stands there")
    } else {
        "several stand there: say which with \"event\" or \"customer\"".to_owned()
    };
    let mut out = format!("  {at}: {what}; these are told:\n");
    for moment in played.moments.iter().take(LISTED_MAX) {
        let at = at_of(moment, test).map_or_else(|| "before".to_owned(), display_span);
        _ = writeln!(out, "    {at}: {}", name_of(moment));
    }
    if let Some(more) = played.moments.len().checked_sub(LISTED_MAX).filter(|more| 0 < *more) {
        _ = writeln!(out, "    and {more} more");
    }
    out
}

fn name_of(moment: &Moment) -> String {
    let text = |field: &str| moment[field].as_str().unwrap_or("?").to_owned();
    match text("customer_id") {
        customer if customer == super::journey::SOMEBODY => text("event"),
        customer => format!("{} of {customer}", text("event")),
    }
}

fn rules_of(moment: &Moment) -> String {
    let names = moment["rules"].as_array().into_iter().flatten();
    let names: Vec<&str> = names.filter_map(Json::as_str).collect();
    if names.is_empty() { "none matched".to_owned() } else { names.join(", ") }
}

/// Shows a value as a test would have it written.
fn shown(value: &Json) -> String {
    match value {
        Json::Null => "nothing".to_owned(),
        Json::String(text) => text.clone(),
        Json::Bool(_) | Json::Number(_) | Json::Array(_) | Json::Object(_) => value.to_string(),
    }
}

/// A moment is meant by its time (or where that is a span, by standing in it), and by event and
/// customer where these are given.
fn is_meant(expected: &Expectation, test: &PackTest, moment: &Moment) -> bool {
    let same = |wanted: &Option<String>, field: &str| {
        wanted.as_ref().is_none_or(|wanted| moment[field] == wanted.as_str())
    };
    let until = expected.until.unwrap_or(expected.at);
    at_of(moment, test).is_some_and(|at| (expected.at..=until).contains(&at))
        && same(&expected.event, "event")
        && same(&expected.customer, "customer_id")
}

/// Returns (what, expected, found) of everything that was stated and is otherwise.
fn unequal(expected: &Expectation, moment: &Moment) -> Vec<(String, Json, Json)> {
    labels(expected)
        .into_iter()
        .map(|(field, wanted)| (field.to_owned(), wanted, moment[field].clone()))
        .chain(circumstances(expected, moment))
        .filter_map(|(what, wanted, found)| Some((what, wanted?, found)))
        .chain(numbers(expected, moment))
        .chain(expected.rules.iter().map(|rule| {
            let names = moment["rules"].as_array();
            let matched = names.is_some_and(|names| names.contains(&Json::from(&*rule.value)));
            let word = |matched: bool| Json::from(if matched { "a match" } else { "none" });
            (format!("rule \"{}\"", rule.value), word(true), word(matched))
        }))
        .filter(|(_, wanted, found)| !same(wanted, found))
        .collect()
}

/// Numbers are published with two decimals: what differs by less is the same.
fn same(wanted: &Json, found: &Json) -> bool {
    match (wanted.as_f64(), found.as_f64()) {
        (Some(wanted), Some(found)) => (wanted - found).abs() < 0.005_000_1,
        _ => wanted == found,
    }
}

/// Returns the labels that were stated, under their names in a moment.
fn labels(expected: &Expectation) -> [(&'static str, Option<Json>); 7] {
    [
        ("micro_moment", expected.micro_moment.map(|one| one.as_str().into())),
        ("moment_of_truth", expected.moment_of_truth.map(|one| one.as_str().into())),
        ("stage", expected.stage.map(|one| one.as_str().into())),
        ("valence", expected.valence.map(|one| one.as_str().into())),
        ("reason", expected.reason.as_deref().map(reason)),
        ("severity", expected.severity.map(|one| one.weight().into())),
        ("evidence", expected.evidence.map(|one| one.as_str().into())),
    ]
}

/// Returns a reason as a moment has it: `none` is not written there.
fn reason(stated: &str) -> Json {
    if stated == "none" { Json::Null } else { stated.into() }
}

/// Returns what else was stated, beside what was found.
fn circumstances(expected: &Expectation, moment: &Moment) -> [(String, Option<Json>, Json); 6] {
    let transition = expected.transition.map(|one| one.as_str().into());
    let band = expected.band.map(|one| one.as_str().into());
    let actor = expected.actor.map(|one| one.as_str().into());
    let same_pain = moment["same_pain_as"].is_string();
    [
        ("actor".to_owned(), actor, at(moment, "/actor")),
        ("same_pain".to_owned(), expected.same_pain.map(Json::from), same_pain.into()),
        (
            "derived".to_owned(),
            expected.derived.map(Json::from),
            (moment["derived"] == true).into(),
        ),
        (
            "episode".to_owned(),
            expected.episode.clone().map(Json::from),
            at(moment, "/episode/kind"),
        ),
        ("transition".to_owned(), transition, at(moment, "/transition/kind")),
        ("band".to_owned(), band, at(moment, "/engagement/band")),
    ]
}

/// Returns a value inside a moment; null where there is none.
fn at(moment: &Moment, pointer: &str) -> Json {
    moment.pointer(pointer).cloned().unwrap_or_default()
}

/// Returns the points and scores that were stated, beside what was found. A moment leaves out
/// points of 0.
fn numbers(expected: &Expectation, moment: &Moment) -> Vec<(String, Json, Json)> {
    let scores = &moment["engagement"];
    let number = |of: &Json, track: Track| of[track.as_str()].as_f64().unwrap_or(0.0).into();
    let points = expected.points.iter().map(|(track, points)| {
        let what = format!("points, {}", track.as_str());
        (what, (*points).into(), number(&moment["points"], *track))
    });
    let tracks = expected.scores.iter().map(|(track, score)| {
        let what = format!("score, {}", track.as_str());
        (what, (*score).into(), number(scores, *track))
    });
    let whole = [("overall", expected.overall), ("balance", expected.balance)];
    let whole = whole
        .into_iter()
        .filter_map(|(name, wanted)| Some((name.to_owned(), wanted?.into(), scores[name].clone())));
    points.chain(tracks).chain(whole).collect()
}
