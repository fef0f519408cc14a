//! The fields of a sample: where they stand, what they hold, how often.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use crate::{kafka::SampledRecord, model::stable_hash};

/// More fields than anybody reads; beyond it they are left out, and counted.
const FIELDS_MAX: usize = 500;
/// Distinct values that are counted; beyond it there are "many".
const DISTINCT_MAX: usize = 20_000;
/// Values that are kept to be looked at.
const EXAMPLES_MAX: usize = 3;
/// Values that are kept by name, for the roles of fields.
const VALUES_MAX: usize = 100;
/// How deep objects are entered.
const DEPTH_MAX: usize = 12;

/// The fields of a sample, by path.
#[derive(Debug, Default)]
pub(super) struct Fields {
    /// How many objects were looked at.
    pub(super) objects: usize,
    /// How many fields are not in `by_path`.
    pub(super) left_out: usize,
    pub(super) by_path: BTreeMap<String, FieldFacts>,
}

/// What is known of one field.
#[derive(Debug, Default)]
pub(super) struct FieldFacts {
    /// How often it was there, and not null.
    pub(super) count: usize,
    /// Kind of value → how often.
    pub(super) kinds: BTreeMap<&'static str, usize>,
    distinct: BTreeSet<u64>,
    /// The first few values, masked.
    pub(super) examples: Vec<String>,
    /// Values as they are → how often; only for finding out what the field is.
    pub(super) values: BTreeMap<String, usize>,
    /// How many are times.
    pub(super) times: BTreeMap<&'static str, usize>,
}

impl Fields {
    pub(super) fn of(records: &[SampledRecord]) -> Self {
        let mut fields = Self::default();
        for record in records {
            let value = record.value.as_deref().unwrap_or_default();
            match serde_json::from_slice::<Value>(value) {
                Ok(Value::Array(items)) => items.iter().for_each(|item| fields.object(item)),
                Ok(other) => fields.object(&other),
                Err(_) => {}
            }
        }
        fields
    }

    fn object(&mut self, value: &Value) {
        if value.is_object() {
            self.objects += 1;
            self.enter("", value, 0);
        }
    }

    fn enter(&mut self, path: &str, value: &Value, depth: usize) {
        match value {
            Value::Object(members) if depth < DEPTH_MAX => {
                for (key, member) in members {
                    let key = escaped(key);
                    let path = if path.is_empty() { key } else { format!("{path}.{key}") };
                    self.enter(&path, member, depth + 1);
                }
            }
            Value::Array(elements) if depth < DEPTH_MAX => {
                for element in elements {
                    self.enter(&format!("{path}[]"), element, depth + 1);
                }
            }
            Value::Null => {}
            value @ (Value::Bool(_)
            | Value::Number(_)
            | Value::String(_)
            | Value::Array(_)
            | Value::Object(_)) => {
                let room = self.by_path.len() < FIELDS_MAX || self.by_path.contains_key(path);
                if room {
                    self.by_path.entry(path.to_owned()).or_default().see(value);
                } else {
                    self.left_out += 1;
                }
            }
        }
    }
}

impl FieldFacts {
    /// Returns how many values differ; `None`: too many to count.
    pub(super) fn distinct(&self) -> Option<usize> {
        Some(self.distinct.len()).filter(|count| *count < DISTINCT_MAX)
    }

    fn see(&mut self, value: &Value) {
        self.count += 1;
        let (kind, text) = match value {
            Value::String(text) => ("text", text.clone()),
            Value::Number(number) => ("number", number.to_string()),
            Value::Bool(flag) => ("flag", flag.to_string()),
            Value::Null | Value::Array(_) | Value::Object(_) => ("nested", String::new()),
        };
        *self.kinds.entry(kind).or_default() += 1;
        if self.distinct.len() < DISTINCT_MAX {
            self.distinct.insert(stable_hash(text.as_bytes()));
        }
        if let Some(format) = time_format(value) {
            *self.times.entry(format).or_default() += 1;
        }
        let masked = mask(&text);
        if self.examples.len() < EXAMPLES_MAX && !self.examples.contains(&masked) {
            self.examples.push(masked);
        }
        if self.values.len() < VALUES_MAX || self.values.contains_key(&text) {
            *self.values.entry(text).or_default() += 1;
        }
    }
}

/// Returns how a value is written if it is a time of this century.
fn time_format(value: &Value) -> Option<&'static str> {
    const SECONDS: std::ops::Range<f64> = 946_684_800.0..4_102_444_800.0;
    match value {
        Value::String(text) => {
            let zoned = text.parse::<jiff::Timestamp>().is_ok();
            let local = || text.parse::<jiff::civil::DateTime>().is_ok() && text.len() > 10;
            if zoned { Some("rfc3339") } else { local().then_some("rfc3339 without zone") }
        }
        Value::Number(number) => {
            let number = number.as_f64()?;
            if SECONDS.contains(&number) {
                Some("unix_seconds")
            } else {
                SECONDS.contains(&(number / 1000.0)).then_some("unix_millis")
            }
        }
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
    }
}

/// How much of a value's shape is shown.
const SHAPE_MAX: usize = 40;

/// Returns the shape of a value: nobody's name or number is shown.
pub(super) fn mask(text: &str) -> String {
    let shape = |letter: char| match letter {
        letter if letter.is_numeric() => '9',
        letter if letter.is_uppercase() => 'A',
        letter if letter.is_alphabetic() => 'a',
        letter if letter.is_control() => ' ',
        other => other,
    };
    let mut masked: String = text.chars().take(SHAPE_MAX).map(shape).collect();
    if text.chars().nth(SHAPE_MAX).is_some() {
        masked.push('…');
    }
    masked
}

/// Writes a key as paths of mappings have it.
fn escaped(key: &str) -> String {
    let mut path = String::new();
    for letter in key.chars() {
        if matches!(letter, '.' | '[' | ']' | '\\') {
            path.push('\\');
        }
        path.push(letter);
    }
    path
}
