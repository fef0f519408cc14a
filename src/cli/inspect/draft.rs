//! Drafts: a mapping and a pack to begin with.

use std::fmt::Write;

use super::{labels::Labels, roles::Roles};
use crate::{engine::Engine, model::LabelledBy};

/// Drafts a mapping from what the fields seem to be.
pub(super) fn mapping_draft(roles: &Roles) -> String {
    let mut text = String::from(
        "# Drafted by `rega inspect`: look at every line, then run `rega check`.\nmapping: draft\n\
         fields:\n",
    );
    // What writes to a string cannot fail.
    draft_fields(&mut text, roles).unwrap_or_default();
    text
}

fn draft_fields(text: &mut String, roles: &Roles) -> std::fmt::Result {
    if let Some(path) = &roles.event_id {
        writeln!(text, "  event_id: {}", quoted(path))?;
    }
    match &roles.customer_id {
        Some(path) => writeln!(text, "  customer_id: {}", quoted(path))?,
        None => {
            writeln!(text, "  customer_id: customer_id    # none was found: say where it stands")?;
        }
    }
    for other in &roles.customer_candidates {
        writeln!(text, "  # or customer_id: {}", quoted(other))?;
    }
    match &roles.ts {
        Some((path, "rfc3339")) => writeln!(text, "  ts: {}", quoted(path))?,
        Some((path, "rfc3339 without zone")) => {
            let path = quoted(path);
            writeln!(text, "  ts: {{ path: {path}, zone: UTC }}    # which zone is it?")?;
        }
        Some((path, format)) => {
            writeln!(text, "  ts: {{ path: {}, format: {format} }}", quoted(path))?;
        }
        None => writeln!(text, "  # ts: no time was found; the record's own is taken")?,
    }
    if let Some(path) = &roles.channel {
        writeln!(text, "  channel: {}", quoted(path))?;
    }
    match &roles.event {
        Some(path) => writeln!(text, "  event: {}", quoted(path))?,
        None => writeln!(text, "  event: event    # none was found: say where it stands")?,
    }
    if let Some(path) = &roles.text {
        writeln!(text, "  text: {}", quoted(path))?;
    }
    if !roles.properties.is_empty() {
        writeln!(text, "  properties:")?;
        for (name, path) in &roles.properties {
            writeln!(text, "    {}: {}", quoted(name), quoted(path))?;
        }
    }
    Ok(())
}

/// Drafts a pack for the events that no rule knows: with what their names suggest.
pub(super) fn pack_draft(labels: &Labels, engine: &Engine) -> String {
    let mut text = String::from(
        "# Drafted by `rega inspect`: rules for the events that no loaded rule knows. Say what each is,\n\
         # and load it before the shipped pack: `rules: [./pack.yaml, commerce]`.\npack: draft\n",
    );
    let unknown = labels.events.iter().filter(|(_, (_, by))| *by != LabelledBy::Rule);
    let mut unknown: Vec<_> = unknown.collect();
    unknown.sort_by_key(|(event, (count, _))| (std::cmp::Reverse(*count), *event));
    if unknown.is_empty() {
        text.push_str("rules: []    # every event of the sample is known\n");
        return text;
    }
    text.push_str("rules:\n");
    for (event, (count, _)) in unknown {
        rule(&mut text, event, *count, engine).unwrap_or_default();
    }
    text
}

fn rule(text: &mut String, event: &str, count: usize, engine: &Engine) -> std::fmt::Result {
    let name = quoted(&event.replace('_', " "));
    writeln!(text, "  - name: {name}    # {count} in the sample")?;
    writeln!(text, "    when: {{ event: {} }}", quoted(event))?;
    match engine.rules().suggested(event) {
        Some((micro_moment, moment_of_truth, stage)) => writeln!(
            text,
            "    label: {{ micro_moment: {}, moment_of_truth: {}, stage: {} }}    # a guess",
            micro_moment.as_str(),
            moment_of_truth.as_str(),
            stage.as_str()
        ),
        None => writeln!(
            text,
            "    label: {{ micro_moment: none, moment_of_truth: none, stage: none }}    # not known"
        ),
    }
}

/// Writes a YAML scalar: plain where it is a plain word.
fn quoted(text: &str) -> String {
    let plain = |one: char| one.is_ascii_alphanumeric() || matches!(one, '_' | '.');
    let begins = text.starts_with(|one: char| one.is_ascii_alphabetic());
    let word = !matches!(text, "true" | "false" | "null" | "yes" | "no" | "on" | "off" | "y" | "n");
    if begins && word && text.chars().all(plain) {
        text.to_owned()
    } else {
        // JSON strings are YAML strings.
        serde_json::Value::from(text).to_string()
    }
}
