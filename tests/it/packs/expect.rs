//! Compares moments with what a test expects, and says in words where they differ.

use std::fmt::Write as _;

use rega::{
    config::{Expectation, PackTest},
    engine::rules::spec::At,
    model::{Span, Track},
};
use serde_json::Value as Json;

use super::journey::{Moment, at_of};

/// Returns every expectation that is not met: where it stands, and what differs.
pub(super) fn differences(test: &PackTest, moments: &[Moment]) -> Vec<(At, String)> {
    let each = test.expect.iter();
    each.filter_map(|one| Some((one.place, difference(one, moments)?))).collect()
}

fn difference(expected: &Expectation, moments: &[Moment]) -> Option<String> {
    let there: Vec<&Moment> = moments.iter().filter(|moment| is_meant(expected, moment)).collect();
    if expected.absent {
        let unwanted = there.first()?;
        let (event, customer) = (&unwanted["event"], &unwanted["customer_id"]);
        return Some(format!("  {}: expected no {event} of {customer}\n", when(expected.at)));
    }
    let [moment] = there.as_slice() else {
        let what = if there.is_empty() { "nothing stands there" } else { "several stand there" };
        let mut out =
            format!("  {}: {what}; say which with \"event\" or \"customer\"\n", when(expected.at));
        for moment in moments {
            let at = at_of(moment).map_or_else(|| "?".to_owned(), when);
            _ = writeln!(out, "    {at}: {} ({})", moment["event"], moment["customer_id"]);
        }
        return Some(out);
    };
    let mut out = String::new();
    for (what, expected, found) in unequal(expected, moment) {
        _ = writeln!(out, "    {what}: expected {expected}, found {found}");
    }
    (!out.is_empty()).then(|| {
        format!(
            "  {}, {} of {}:\n{out}    rules: {}\n",
            when(expected.at),
            moment["event"],
            moment["customer_id"],
            moment["rules"]
        )
    })
}

/// A moment is meant by its time, and by event and customer where these are given.
fn is_meant(expected: &Expectation, moment: &Moment) -> bool {
    let same = |wanted: &Option<String>, field: &str| {
        wanted.as_ref().is_none_or(|wanted| moment[field] == wanted.as_str())
    };
    at_of(moment) == Some(expected.at)
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
        .chain(expected.points.iter().map(|(track, points)| {
            let what = format!("points, {}", track.as_str());
            (what, (*points).into(), given(moment, *track))
        }))
        .chain(expected.rules.iter().map(|rule| {
            let names = moment["rules"].as_array();
            let matched = names.is_some_and(|names| names.contains(&Json::from(&*rule.value)));
            (format!("rule \"{}\" matched", rule.value), true.into(), matched.into())
        }))
        .filter(|(_, wanted, found)| wanted != found)
        .collect()
}

/// Returns the labels that were stated, under their names in a moment.
fn labels(expected: &Expectation) -> [(&'static str, Option<Json>); 7] {
    [
        ("micro_moment", expected.micro_moment.map(|one| one.as_str().into())),
        ("moment_of_truth", expected.moment_of_truth.map(|one| one.as_str().into())),
        ("stage", expected.stage.map(|one| one.as_str().into())),
        ("valence", expected.valence.map(|one| one.as_str().into())),
        ("reason", expected.reason.clone().map(Json::from)),
        ("severity", expected.severity.map(|one| one.weight().into())),
        ("evidence", expected.evidence.map(|one| one.as_str().into())),
    ]
}

/// Returns what else was stated, beside what was found.
fn circumstances(expected: &Expectation, moment: &Moment) -> [(String, Option<Json>, Json); 5] {
    let transition = expected.transition.map(|one| one.as_str().into());
    let band = expected.band.map(|one| one.as_str().into());
    let same_pain = moment["same_pain_as"].is_string();
    [
        ("same_pain".to_owned(), expected.same_pain.map(Json::from), same_pain.into()),
        (
            "derived".to_owned(),
            expected.derived.map(Json::from),
            (moment["derived"] == true).into(),
        ),
        (
            "episode".to_owned(),
            expected.episode.clone().map(Json::from),
            moment["episode"]["kind"].clone(),
        ),
        ("transition".to_owned(), transition, moment["transition"]["kind"].clone()),
        ("band".to_owned(), band, moment["engagement"]["band"].clone()),
    ]
}

/// Points on a track; a moment leaves out what is 0.
fn given(moment: &Moment, track: Track) -> Json {
    moment["points"][track.as_str()].as_f64().unwrap_or(0.0).into()
}

/// Writes a span as a test would: `1d2h`.
fn when(mut span: Span) -> String {
    let mut out = String::new();
    for (unit, size) in [("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1000), ("ms", 1)]
    {
        if size <= span {
            _ = write!(out, "{}{unit}", span / size);
            span %= size;
        }
    }
    if out.is_empty() { "0d".to_owned() } else { out }
}
