//! The table of settings: every key, with its default, and no other.

use std::collections::BTreeMap;

use serde_json::Value;

use super::page::{read, table};

/// Collects key and default of every setting. The schema's keys are those of the program: a test
/// beside the code says so.
fn collect(schema: &Value, prefix: &str, keys: &mut BTreeMap<String, Option<String>>) {
    for (name, property) in schema["properties"].as_object().unwrap() {
        let key = format!("{prefix}{name}");
        if property.get("properties").is_some() {
            collect(property, &format!("{key}."), keys);
        } else {
            keys.insert(key, property.get("default").map(written));
        }
    }
}

/// Returns a default as one writes it in YAML.
fn written(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(items) => {
            format!("[{}]", items.iter().map(written).collect::<Vec<_>>().join(", "))
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_) => value.to_string(),
    }
}

#[test]
fn the_table_of_settings_is_complete_and_has_the_right_defaults() {
    let mut keys = BTreeMap::new();
    collect(&serde_json::from_str(&read("docs/schemas/config.json")).unwrap(), "", &mut keys);
    let page = read("docs/operating.md");
    let mut rows = BTreeMap::new();
    for row in table(&page, "## Settings") {
        let [key, default, ..] = row.as_slice() else { panic!("{row:?}") };
        let default = default.strip_prefix('`').and_then(|default| default.strip_suffix('`'));
        let key = key.trim_matches('`').to_owned();
        assert!(rows.insert(key, default.map(str::to_owned)).is_none(), "twice: {row:?}");
    }
    // A default that follows from the machine or from others is told in words.
    for (key, default) in &keys {
        assert!(rows.contains_key(key), "docs/operating.md lacks {key}");
        if let Some(default) = default {
            assert_eq!(rows[key].as_ref(), Some(default), "the default of {key}");
        }
    }
    let unknown: Vec<_> = rows.keys().filter(|key| !keys.contains_key(*key)).collect();
    assert!(unknown.is_empty(), "docs/operating.md has {unknown:?}");
}
