//! A touchpoint's explanation as text.

use std::fmt::Write as _;

use crate::engine::{LabelGiven, RuleSeen, TouchpointExplained};

/// Rules that nearly matched are told up to here; `--all` tells of all.
const NEARLY_MAX: usize = 8;

pub(super) fn render(explained: &TouchpointExplained, all: bool) -> String {
    let TouchpointExplained { customer_id, event_id, ts, event, channel, actor, .. } = explained;
    let mut out = String::new();
    let derived = if explained.derived { ", emitted by a deadline" } else { "" };
    // Writing to a string does not fail.
    _ = writeln!(out, "{event} of {customer_id}, {ts}");
    _ = writeln!(out, "on {channel}, by the {}{derived}; event id {event_id}", actor.as_str());
    if explained.ignored {
        _ = writeln!(out, "ignored: nothing is published, and nothing counts");
    }
    labels(&mut out, &explained.labels);
    if !explained.points.is_empty() {
        _ = writeln!(out, "\npoints");
        for (rule, track, points) in &explained.points {
            _ = writeln!(out, "  {points:>6} {:<12} {rule}", track.as_str());
        }
    }
    let matched = explained.rules.iter().filter(|rule| rule.matched);
    _ = writeln!(out, "\nmatched");
    let mut none = true;
    for rule in matched {
        none = false;
        _ = writeln!(out, "  {}", rule.name);
    }
    if none {
        _ = writeln!(out, "  no rule");
    }
    nearly(&mut out, &explained.rules, all);
    out
}

fn labels(out: &mut String, labels: &[LabelGiven]) {
    _ = writeln!(out, "\nlabels");
    for LabelGiven { label, value, rule, note, later } in labels {
        let by = match (rule, note) {
            (Some(rule), Some(note)) => format!("by \"{rule}\"; {note}"),
            (Some(rule), None) => format!("by \"{rule}\""),
            (None, Some(note)) => note.clone(),
            (None, None) => String::new(),
        };
        _ = writeln!(out, "{}", format!("  {label:<16} {value:<14} {by}").trim_end());
        if !later.is_empty() {
            let names: Vec<String> = later.iter().map(|name| format!("\"{name}\"")).collect();
            _ = writeln!(out, "  {:<31} before {}", "", names.join(", "));
        }
    }
}

/// The fewer tests failed, the nearer.
fn nearly(out: &mut String, rules: &[RuleSeen], all: bool) {
    let mut near: Vec<&RuleSeen> = rules.iter().filter(|rule| !rule.matched).collect();
    if near.is_empty() {
        return;
    }
    near.sort_by_key(|rule| rule.missing.len());
    let shown = if all { near.len() } else { NEARLY_MAX.min(near.len()) };
    _ = writeln!(out, "\nnot matched, and what was missing");
    for rule in near.iter().take(shown) {
        let unknown = if rule.unknown { " (cannot be known yet)" } else { "" };
        _ = writeln!(out, "  {}{unknown}", rule.name);
        for missing in &rule.missing {
            _ = writeln!(out, "    {missing}");
        }
    }
    if shown < near.len() {
        _ = writeln!(out, "  and {} further ones: --all", near.len() - shown);
    }
}
