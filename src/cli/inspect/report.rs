//! What an inspection tells.

use std::fmt::Write;

use super::{Findings, fields::FieldFacts};
use crate::{cli::words::counted, model::LabelledBy};

/// Events that are shown one by one.
const EVENTS_SHOWN: usize = 40;
/// Fields that are shown one by one.
const FIELDS_SHOWN: usize = 60;

pub(super) fn render(findings: &Findings) -> String {
    let mut text = String::new();
    // What writes to a string cannot fail.
    head(&mut text, findings).unwrap_or_default();
    events(&mut text, findings).unwrap_or_default();
    fields(&mut text, findings).unwrap_or_default();
    text
}

/// Returns the drafts, to be shown after the rest.
pub(super) fn drafts(findings: &Findings) -> String {
    let mut text = String::new();
    if let Some(mapping) = &findings.mapping {
        text.push_str("\n--- mapping.yaml\n");
        text.push_str(mapping);
    }
    text.push_str("\n--- pack.yaml\n");
    text.push_str(&findings.pack);
    text
}

fn head(text: &mut String, findings: &Findings) -> std::fmt::Result {
    let Findings { records, dialects, read_by, labels, roles, .. } = findings;
    let spoken: Vec<String> =
        dialects.iter().map(|(name, count)| format!("{name} {count}")).collect();
    writeln!(text, "records   {}", records.len())?;
    writeln!(text, "dialect   {}", spoken.join(", "))?;
    match read_by {
        Some(name) => writeln!(text, "read as   {name}")?,
        None => writeln!(text, "read by   the drafted mapping below")?,
    }
    let by = |by| share(labels.by.get(&by).copied().unwrap_or(0), labels.touchpoints);
    writeln!(
        text,
        "found     {} of {}; {} without a time, {} without an id",
        counted(labels.touchpoints, "touchpoint"),
        counted(labels.customers, "customer"),
        labels.without_time,
        labels.without_id
    )?;
    writeln!(
        text,
        "labelled  by rule {}, by guess {}, not at all {}",
        by(LabelledBy::Rule),
        by(LabelledBy::Guess),
        by(LabelledBy::None)
    )?;
    for (reason, (count, detail)) in &labels.rejects {
        writeln!(text, "rejected  {reason} {count}: {detail}")?;
    }
    let mut channels: Vec<_> = labels.channels.iter().collect();
    channels.sort_by_key(|(name, count)| (std::cmp::Reverse(**count), *name));
    let channels: Vec<String> =
        channels.iter().take(12).map(|(name, count)| format!("{name} {count}")).collect();
    writeln!(text, "channels  {}", channels.join(", "))?;
    if read_by.is_none() {
        let customer = roles.customer_id.as_deref().unwrap_or("none found");
        let others = roles.customer_candidates.join(", ");
        let others = if others.is_empty() { others } else { format!("; or {others}") };
        writeln!(text, "customer  {customer}{others}")?;
    }
    Ok(())
}

fn events(text: &mut String, findings: &Findings) -> std::fmt::Result {
    let mut events: Vec<_> = findings.labels.events.iter().collect();
    events.sort_by_key(|(name, (count, _))| (std::cmp::Reverse(*count), *name));
    if events.is_empty() {
        return Ok(());
    }
    writeln!(text, "\n{:>8}  {:<6}  event", "count", "by")?;
    for (name, (count, by)) in events.iter().take(EVENTS_SHOWN) {
        writeln!(text, "{count:>8}  {:<6}  {name}", by.as_str())?;
    }
    more(text, events.len(), EVENTS_SHOWN)
}

fn fields(text: &mut String, findings: &Findings) -> std::fmt::Result {
    let all = &findings.fields;
    if all.by_path.is_empty() {
        return Ok(());
    }
    writeln!(
        text,
        "\n{:>6}  {:>8}  {:<12}  field, and what values look like",
        "in", "distinct", "kinds"
    )?;
    for (path, facts) in all.by_path.iter().take(FIELDS_SHOWN) {
        let distinct = facts.distinct().map_or_else(|| "many".to_owned(), |one| one.to_string());
        let examples = facts.examples.join(" · ");
        let share = (facts.count * 100).checked_div(all.objects).unwrap_or(0);
        writeln!(text, "{share:>4} %  {distinct:>8}  {:<12}  {path}: {examples}", kinds(facts))?;
    }
    more(text, all.by_path.len() + all.left_out, FIELDS_SHOWN)
}

fn kinds(facts: &FieldFacts) -> String {
    match facts.times.iter().max_by_key(|(_, count)| **count) {
        Some((_, count)) if facts.count * 9 <= *count * 10 => "time".to_owned(),
        Some(_) | None => facts.kinds.keys().copied().collect::<Vec<_>>().join("|"),
    }
}

fn more(text: &mut String, all: usize, shown: usize) -> std::fmt::Result {
    match all.checked_sub(shown) {
        Some(rest @ 1..) => writeln!(text, "          … and {rest} more"),
        Some(0) | None => Ok(()),
    }
}

fn share(part: usize, whole: usize) -> String {
    let tenths = (part * 1000).checked_div(whole).unwrap_or(0);
    format!("{part} ({}.{} %)", tenths / 10, tenths % 10)
}
