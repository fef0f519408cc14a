//! The content hash: the same for the same content however written, another for other content.

use proptest::prelude::*;
use serde_json::Value;

use super::*;

/// JSON as a tree: numbers are small integers, which have one way to be written.
fn content() -> impl Strategy<Value = Value> {
    let scalar = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i32>().prop_map(Value::from),
        "[a-c1é\"\\\\\n/😀]{0,3}".prop_map(Value::from),
    ];
    let tree = scalar.prop_recursive(3, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map("[a-c]{0,2}", inner, 0..4)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    });
    prop::collection::btree_map("[a-cé\"]{0,2}", tree, 0..4)
        .prop_map(|map| Value::Object(map.into_iter().collect()))
}

/// Writes a tree: keys in an order, white space, and escapes chosen by `seed`.
fn written(value: &Value, seed: &mut u64) -> String {
    let mut next = |below: u64| {
        *seed =
            seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (*seed >> 33) % below
    };
    let space = [" ", "", "\n", "\t"][usize::try_from(next(4)).unwrap()];
    let text = match value {
        Value::Object(map) => {
            let mut members: Vec<_> = map.iter().map(|member| (next(1000), member)).collect();
            members.sort_by_key(|(order, _)| *order);
            let members: Vec<_> = members
                .into_iter()
                .map(|(_, (key, value))| {
                    let key = written(&Value::from(key.as_str()), seed);
                    format!("{key}:{}", written(value, seed))
                })
                .collect();
            format!("{{{}}}", members.join(","))
        }
        Value::Array(items) => {
            let items: Vec<_> = items.iter().map(|item| written(item, seed)).collect();
            format!("[{}]", items.join(","))
        }
        Value::String(text) if next(2) == 0 => {
            let units = text.encode_utf16().map(|unit| format!("\\u{unit:04x}"));
            format!("\"{}\"", units.collect::<String>())
        }
        Value::String(_) | Value::Null | Value::Bool(_) | Value::Number(_) => value.to_string(),
    };
    format!("{space}{text}{space}")
}

fn hash(properties: &str) -> u64 {
    hash_with("", properties)
}

fn hash_with(fields: &str, properties: &str) -> u64 {
    let record =
        format!(r#"{{"customer_id":"c","ts":0,"event":"x",{fields}"properties":{properties}}}"#);
    decode(record.as_bytes())[0].accepted().content_hash
}

proptest! {
    #[test]
    fn the_same_content_has_one_hash_however_written(content in content(), first: u64, second: u64) {
        let (first, second) = (written(&content, &mut { first }), written(&content, &mut { second }));
        prop_assert_eq!(hash(&first), hash(&second), "{} {}", first, second);
    }

    #[test]
    fn other_content_has_another_hash(first in content(), second in content()) {
        prop_assert_eq!(first == second, hash(&first.to_string()) == hash(&second.to_string()));
    }
}

#[test]
fn kinds_and_nesting_are_content() {
    let all = [
        "{}",
        r#"{"a":null}"#,
        r#"{"a":1}"#,
        r#"{"a":"1"}"#,
        r#"{"a":[1]}"#,
        r#"{"a":1.0}"#,
        r#"{"a":[]}"#,
        r#"{"a":{}}"#,
        r#"{"a":[[]]}"#,
        r#"{"a":true}"#,
        r#"{"a":"true"}"#,
        r#"{"a":[1,2]}"#,
        r#"{"a":[2,1]}"#,
        r#"{"a":{"b":1},"c":2}"#,
        r#"{"a":{"c":2},"b":1}"#,
        r#"{"a":9007199254740993}"#,
        r#"{"a":9007199254740992}"#,
    ];
    let hashes: std::collections::BTreeSet<u64> = all.into_iter().map(hash).collect();
    assert_eq!(hashes.len(), all.len());
}

#[test]
fn times_and_ids_of_the_envelope_are_no_content() {
    let plain = hash("{}");
    assert_eq!(hash_with(r#""event_id":"e","sent_at":1,"received_at":2,"v":3,"#, "{}"), plain);
    assert_eq!(hash_with(r#""channel":" Other ","actor":"","#, "{}"), plain);
    for field in [
        r#""channel":"web","#,
        r#""actor":"brand","#,
        r#""text":"t","#,
        r#""account_id":"t","#,
        r#""anonymous_id":"t","#,
    ] {
        assert_ne!(hash_with(field, "{}"), plain, "{field}");
    }
}
