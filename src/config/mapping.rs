//! Mapping files become a [`MappingSpec`]: where the parts of a touchpoint stand in somebody's own
//! JSON.

use std::collections::BTreeMap;

use jiff::tz::TimeZone;

use super::{
    dialect::dialect_name,
    fields::{Fields, entries, read_fields, suggestion},
    problem::Problems,
    values::{text, zone},
    yaml::{Node, Value},
};
use crate::{
    engine::decode::{
        Path, TimeFormat,
        mapping::spec::{FieldSpec, MappingSpec, PropertiesSpec, Source, TimeFieldSpec},
    },
    model::Actor,
};

/// Reads a mapping file.
pub(super) fn read(root: &Node, problems: &mut Problems) -> Option<MappingSpec> {
    read_fields(root, "the mapping", problems, |fields| {
        let name = fields.need("mapping", text);
        let base = fields.get("dialect", dialect_name);
        let items = fields.get("items", path);
        if let (Some(_), true) = (base, fields.has("items")) {
            let at = fields.at_of("items");
            let message = "a mapping that stands on a dialect has no \"items\"";
            let help = "the dialect knows its batches; remove the line";
            fields.problems().add_with_help(at, message, help);
        }
        let spec = fields.need("fields", |node, problems| {
            read_fields(node, "\"fields\"", problems, |fields| {
                Some(touchpoint(fields, base.is_some()))
            })
        });
        Some(MappingSpec { name: name?, base, items, ..spec? })
    })
}

/// Reads what a touchpoint is made of; name and items are the caller's. On a dialect, nothing must
/// be said.
fn touchpoint(fields: &mut Fields<'_, '_>, on_dialect: bool) -> MappingSpec {
    let somebody = fields.has("customer_id") || fields.has("anonymous_id");
    if !somebody && !on_dialect {
        let at = fields.at();
        fields.problems().add_with_help(
            at,
            "neither \"customer_id\" nor \"anonymous_id\" is mapped",
            "without a customer every touchpoint would be a reject: map at least one of them",
        );
    }
    MappingSpec {
        name: String::new(),
        base: None,
        items: None,
        event_id: fields.get("event_id", field),
        customer_id: fields.get("customer_id", field),
        anonymous_id: fields.get("anonymous_id", field),
        account_id: fields.get("account_id", field),
        ts: fields.get("ts", time),
        sent_at: fields.get("sent_at", time),
        received_at: fields.get("received_at", time),
        channel: fields.get("channel", field),
        event: if on_dialect { fields.get("event", field) } else { fields.need("event", field) },
        actor: fields.get("actor", actor),
        text: fields.get("text", field),
        properties: fields.get("properties", properties),
    }
}

fn path(node: &Node, problems: &mut Problems) -> Option<Path> {
    match Path::parse(&text(node, problems)?) {
        Ok(path) => Some(path),
        Err(bad) => {
            problems.add_with_help(
                node.at,
                format!("not a path: {bad}"),
                "write keys with dots between: user.id, products[].product_id",
            );
            None
        }
    }
}

fn field(node: &Node, problems: &mut Problems) -> Option<FieldSpec> {
    if let Value::Nothing | Value::Scalar(_) | Value::Sequence(_) = node.value {
        let source = Source::Path(path(node, problems)?);
        return Some(FieldSpec { source, names: BTreeMap::new() });
    }
    read_fields(node, "the field", problems, |fields| {
        let constant = fields.get("constant", text).map(Source::Constant);
        let path = fields.get("path", path).map(Source::Path);
        let names = fields.get("names", names).unwrap_or_default();
        if fields.has("constant") == fields.has("path") {
            let at = fields.at();
            fields.problems().add(at, "the field needs either \"path\" or \"constant\"");
        }
        Some(FieldSpec { source: constant.or(path)?, names })
    })
}

/// Reads where the actor stands. What the mapping itself says must be one that there is.
fn actor(node: &Node, problems: &mut Problems) -> Option<FieldSpec> {
    let field = field(node, problems)?;
    let Value::Mapping(written) = &node.value else { return Some(field) };
    let said = written.iter().flat_map(|entry| match (&*entry.key.value, &entry.value.value) {
        ("constant", _) => std::slice::from_ref(entry).iter(),
        ("names", Value::Mapping(names)) => names.iter(),
        (_, _) => [].iter(),
    });
    for entry in said {
        let Some(actor) = text(&entry.value, &mut Problems::default()) else { continue };
        // As the decoder reads it: in any case.
        if Actor::parse(&actor.trim().to_ascii_lowercase()).is_none() {
            let help = suggestion(&actor, Actor::ALL.iter().map(|actor| actor.as_str()));
            let message = format!("\"{actor}\" is not an actor");
            problems.add_with_help(entry.value.at, message, help);
        }
    }
    Some(field)
}

fn names(node: &Node, problems: &mut Problems) -> Option<BTreeMap<String, String>> {
    let entries = entries(node, "names", problems)?.iter();
    let names =
        entries.filter_map(|entry| Some((entry.key.value.clone(), text(&entry.value, problems)?)));
    Some(names.collect())
}

fn time(node: &Node, problems: &mut Problems) -> Option<TimeFieldSpec> {
    if let Value::Nothing | Value::Scalar(_) | Value::Sequence(_) = node.value {
        let (path, format) = (path(node, problems)?, TimeFormat::default());
        return Some(TimeFieldSpec { path, format, zone: None });
    }
    read_fields(node, "the time", problems, |fields| {
        let path = fields.need("path", path);
        let format = fields.get("format", format).unwrap_or_default();
        let zone: Option<TimeZone> = fields.get("zone", zone);
        Some(TimeFieldSpec { path: path?, format, zone })
    })
}

fn format(node: &Node, problems: &mut Problems) -> Option<TimeFormat> {
    let written = text(node, problems)?;
    match TimeFormat::parse(&written) {
        Ok(format) => Some(format),
        Err(bad) => {
            problems.add_with_help(
                node.at,
                format!("\"{written}\" {bad}"),
                "write rfc3339, unix_seconds, unix_millis, or a pattern such as \
                 \"%d/%m/%Y %H:%M:%S\"",
            );
            None
        }
    }
}

fn properties(node: &Node, problems: &mut Problems) -> Option<PropertiesSpec> {
    let Value::Mapping(entries) = &node.value else {
        return path(node, problems).map(PropertiesSpec::Object);
    };
    let paths = entries
        .iter()
        .filter_map(|entry| Some((entry.key.value.clone(), path(&entry.value, problems)?)));
    Some(PropertiesSpec::Fields(paths.collect()))
}
