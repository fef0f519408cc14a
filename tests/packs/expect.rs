//! Compares moments with what a test expects, and says in words where they differ.

use std::fmt::Write as _;

use rega::{
    config::{Expectation, PackTest},
    engine::rules::spec::At,
    model::{Span, Track},
};
use serde_json::Value as Json;

use crate::journey::{Moment, at_of};

/// Returns every expectation that is not met: where it stands, and what differs.
pub fn differences(test: &PackTest, moments: &[Moment]) -> Vec<(At, String)> {
    let each = test.expect.iter();
    each.filter_map(|one| Some((one.place, difference(one, moments)?))).collect()
}

fn difference(expected: &Expectation, moments: &[Moment]) -> Option<String> {
    let there: Vec<&Moment> = moments.iter().filter(|moment| is_meant(expected, moment)).collect();
    let [moment] = there.as_slice() else {
        let what = if there.is_empty() { "nothing stands there" } else { "several stand there" };
        let mut out =
            format!("  {}: {what}; say which with \"event\" or \"customer\"\n", when(expected.at));
        for moment in moments {
            let at = at_of(moment).map_or_else(|| "?".to_owned(), when);
            let _ = writeln!(out, "    {at}: {} ({})", moment["event"], moment["customer_id"]);
        }
        return Some(out);
    };
    let mut out = String::new();
    for (what, expected, found) in unequal(expected, moment) {
        let _ = writeln!(out, "    {what}: expected {expected}, found {found}");
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
    let text = |value: &str| Some(Json::from(value));
    let mut stated: Vec<(String, Option<Json>, Json)> = vec![
        (
            "micro_moment".into(),
            expected.micro_moment.and_then(|one| text(one.as_str())),
            moment["micro_moment"].clone(),
        ),
        (
            "moment_of_truth".into(),
            expected.moment_of_truth.and_then(|one| text(one.as_str())),
            moment["moment_of_truth"].clone(),
        ),
        (
            "stage".into(),
            expected.stage.and_then(|one| text(one.as_str())),
            moment["stage"].clone(),
        ),
        (
            "valence".into(),
            expected.valence.and_then(|one| text(one.as_str())),
            moment["valence"].clone(),
        ),
        ("reason".into(), expected.reason.clone().map(Json::from), moment["reason"].clone()),
        (
            "severity".into(),
            expected.severity.map(|one| one.weight().into()),
            moment["severity"].clone(),
        ),
        (
            "evidence".into(),
            expected.evidence.and_then(|one| text(one.as_str())),
            moment["evidence"].clone(),
        ),
        (
            "same_pain".into(),
            expected.same_pain.map(Json::from),
            moment["same_pain_as"].is_string().into(),
        ),
        ("derived".into(), expected.derived.map(Json::from), (moment["derived"] == true).into()),
        (
            "episode".into(),
            expected.episode.clone().map(Json::from),
            moment["episode"]["kind"].clone(),
        ),
        (
            "transition".into(),
            expected.transition.and_then(|one| text(one.as_str())),
            moment["transition"]["kind"].clone(),
        ),
        (
            "band".into(),
            expected.band.and_then(|one| text(one.as_str())),
            moment["engagement"]["band"].clone(),
        ),
    ];
    for (track, points) in &expected.points {
        stated.push((
            format!("points, {}", track.as_str()),
            Some((*points).into()),
            given(moment, *track),
        ));
    }
    for rule in &expected.rules {
        let matched = moment["rules"]
            .as_array()
            .is_some_and(|names| names.contains(&Json::from(&*rule.value)));
        stated.push((
            format!("rule \"{}\" matched", rule.value),
            Some(true.into()),
            matched.into(),
        ));
    }
    stated
        .into_iter()
        .filter_map(|(what, expected, found)| Some((what, expected?, found)))
        .filter(|(_, expected, found)| expected != found)
        .collect()
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
            let _ = write!(out, "{}{unit}", span / size);
            span %= size;
        }
    }
    if out.is_empty() { "0d".to_owned() } else { out }
}
