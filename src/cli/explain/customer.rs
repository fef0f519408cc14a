//! A customer's explanation as text: from the JSON that the service answers with, so that both say
//! the same.

use std::fmt::Write as _;

use serde_json::Value as Json;

use crate::cli::words::{counted, fixed};

pub(super) fn render(explanation: &Json) -> String {
    let mut out = String::new();
    let text = |field: &str| text(explanation, field);
    // Writing to a string does not fail.
    _ = writeln!(out, "{}, as of {}", text("customer_id"), text("as_of"));
    let falls = match explanation.get("next_band_at").and_then(Json::as_str) {
        Some(at) => format!(", falls at {at} if nothing happens"),
        None => String::new(),
    };
    let overall = number(explanation, "overall");
    _ = writeln!(out, "{overall:.2} of 100: {}{falls}", text("band"));
    for track in list(explanation, "tracks") {
        render_track(&mut out, track);
    }
    let gone = list(explanation, "not_loaded");
    if !gone.is_empty() {
        _ = writeln!(out, "\nof rules that are not loaded, counting nothing");
    }
    for line in gone {
        let (track, points) = (self::text(line, "track"), number(line, "points"));
        let (rule, at) = (self::text(line, "rule_hash"), self::text(line, "as_of"));
        let points = fixed(points, 2);
        _ = writeln!(out, "  {points:>8}  {track}, rule {rule}, as of {at}");
    }
    render_balance(&mut out, explanation);
    render_journey(&mut out, explanation.get("journey").unwrap_or(&Json::Null));
    let open = list(explanation, "open_episodes");
    if !open.is_empty() {
        _ = writeln!(out, "\nopen");
    }
    for episode in open {
        let key = episode.get("key").and_then(Json::as_str).unwrap_or("-");
        let reason = episode.get("reason").and_then(Json::as_str);
        let reason = reason.map(|reason| format!(" ({reason})")).unwrap_or_default();
        let late = if episode.get("overdue").is_some() { ", overdue" } else { "" };
        let due = episode.get("deadline").and_then(Json::as_str);
        let due = due.map(|due| format!(", due {due}")).unwrap_or_default();
        let (kind, since) = (self::text(episode, "kind"), self::text(episode, "opened_at"));
        _ = writeln!(out, "  {kind} {key}{reason} since {since}{due}{late}");
    }
    _ = writeln!(out, "\nrules {}", rules(explanation));
    out
}

fn rules(explanation: &Json) -> String {
    let version = text(explanation, "rules_version");
    match explanation.get("rules_since").and_then(Json::as_str) {
        Some(since) => format!("{version}, for this customer since {since}"),
        None => version,
    }
}

fn render_track(out: &mut String, track: &Json) {
    let lines = list(track, "lines");
    let (score, share) = (number(track, "score"), number(track, "share"));
    if lines.is_empty() && score == 0.0 {
        return;
    }
    let name = text(track, "track");
    let sum = number(track, "sum");
    let within =
        if (sum - score).abs() < 1e-9 { String::new() } else { format!(", of a sum of {sum:.2}") };
    _ = writeln!(
        out,
        "\n{name} {score:.2}{within}; weighs {:.0} %: {:.2} of the whole",
        100.0 * share,
        share * score
    );
    for line in lines {
        let (rule, at) = (text(line, "rule"), text(line, "as_of"));
        let fading = match line.get("half_life").and_then(Json::as_str) {
            Some(half_life) => format!("halves in {half_life}"),
            None => "never fades".to_owned(),
        };
        let capped = match line.get("capped") {
            Some(_) => format!("; {}, but capped", fixed(number(line, "points"), 2)),
            None => String::new(),
        };
        let (counted, given) = (fixed(number(line, "counted"), 2), fixed(number(line, "given"), 2));
        _ = writeln!(out, "  {counted:>8}  {rule}: {given} at {at}, {fading}{capped}");
    }
}

fn render_balance(out: &mut String, explanation: &Json) {
    let Some(balance) = explanation.get("balance") else { return };
    let value = match balance.get("value").and_then(Json::as_f64) {
        Some(value) => fixed(value, 0),
        None => "not known: fewer than two moments".to_owned(),
    };
    let (good, bad) = (number(balance, "good"), number(balance, "bad"));
    let count = |field: &str| explanation.get(field).and_then(Json::as_u64).unwrap_or(0);
    _ = writeln!(
        out,
        "\nbalance {value} (good {good:.2}, bad {bad:.2}); {}, {}, {} made good",
        counted(count("pains"), "pain"),
        counted(count("glories"), "glory"),
        count("recovered")
    );
}

fn render_journey(out: &mut String, journey: &Json) {
    let steps = list(journey, "transitions");
    let visits = journey.get("visits").and_then(Json::as_u64).unwrap_or(0);
    _ = writeln!(out, "\njourney: {}", counted(visits, "visit"));
    for step in steps {
        let (at, kind) = (text(step, "at"), text(step, "kind"));
        _ = writeln!(out, "  {at}  {kind}: {} to {}", text(step, "from"), text(step, "to"));
    }
}

fn text(of: &Json, field: &str) -> String {
    of.get(field).and_then(Json::as_str).unwrap_or("-").to_owned()
}

fn number(of: &Json, field: &str) -> f64 {
    of.get(field).and_then(Json::as_f64).unwrap_or(0.0)
}

fn list<'j>(of: &'j Json, field: &str) -> &'j [Json] {
    of.get(field).and_then(Json::as_array).map_or(&[], Vec::as_slice)
}
