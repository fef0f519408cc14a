//! The operator's tables: every setting with its default, and no other; every start error.

use std::{collections::BTreeMap, fs, path::Path};

use serde_json::Value;

use super::page::{read, root, table};

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

/// Returns the text of all code below a folder, with string literals as they will be said.
fn code(folder: &Path) -> String {
    let mut text = String::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            text.push_str(&code(&path));
        } else {
            text.push_str(&fs::read_to_string(path).unwrap());
        }
    }
    text
}

/// A literal goes on in the next line after a backslash, without the spaces before it.
fn said(code: &str) -> String {
    let mut parts = code.split("\\\n");
    let mut said = parts.next().unwrap_or_default().to_owned();
    parts.for_each(|part| said.push_str(part.trim_start()));
    said.replace("\\\"", "\"")
}

/// That they are said is tested in `startup` and `topics`; here, that the page quotes them rightly.
#[test]
fn the_start_errors_are_quoted_as_they_are_said() {
    let said = ["src/kafka", "src/http", "src/service"].map(|folder| said(&code(&root(folder))));
    let said = said.concat();
    let page = read("docs/operating.md");
    for row in table(&page, "## Start errors") {
        let message = row[0].trim_matches('`');
        for part in message.split('…').filter(|part| 2 < part.trim().len()) {
            assert!(said.contains(part), "nobody says \"{part}\" of \"{message}\"");
        }
    }
}
