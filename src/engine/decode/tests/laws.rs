//! Laws over records that nobody thought of.

use proptest::{prelude::*, sample::Index};
use serde::de::IgnoredAny;

use super::*;

const VALID: [&str; 4] = [
    r#"{"event_id":"e1","customer_id":"c1","ts":"2026-01-02T03:04:05.678Z","channel":"web","event":"order_placed","properties":{"order_id":"o1","lines":[{"sku":"a","n":1.5e3},{"sku":"b\n\u00e9","n":-2}],"gift":true,"note":null}}"#,
    r#"[{"customer_id":7,"ts":-1,"event":"Mail Opened"},{"anonymous_id":"a","sent_at":5,"event":"x","text":"😀 \ud83d\ude00"}]"#,
    r#" { "customer_id" : "c" , "ts" : 0 , "sent_at" : 1 , "received_at" : 2 , "event" : "x" , "actor" : "brand" } "#,
    r#"{"a":{"b":[{"c":"x"},[1,2,[3]],{}]},"d":"\\\"\/\b\f\n\r\t","e":[true,false,null]}"#,
];

/// What is put into a valid record to spoil it.
const SPOILERS: [&str; 24] = [
    "",
    "{",
    "}",
    "[",
    "]",
    "\"",
    "\\",
    ",",
    ":",
    "\\u",
    "\\ud83d",
    "null",
    "tru",
    "-",
    "0",
    "1e400",
    "1e",
    ".",
    "\0",
    "\u{7f}",
    "é",
    "\"ts\":1,",
    "\"\":{",
    "[[[[[[[[[[",
];

/// A valid record with some pieces cut out, repeated, or replaced.
fn spoiled() -> impl Strategy<Value = Vec<u8>> {
    let spoil = (any::<Index>(), 0..6_usize, any::<Index>(), any::<bool>());
    (any::<Index>(), prop::collection::vec(spoil, 0..4)).prop_map(|(record, spoils)| {
        let mut bytes = record.get(&VALID).as_bytes().to_vec();
        for (place, length, spoiler, cut) in spoils {
            let start = place.index(bytes.len() + 1);
            let end = if cut { start + length } else { start }.min(bytes.len());
            bytes.splice(start..end, spoiler.get(&SPOILERS).bytes());
        }
        bytes
    })
}

fn mapped() -> Dialect {
    let path = |text: &str| Path::parse(text).unwrap();
    let field = |text: &str| {
        let source = mapping::spec::Source::Path(path(text));
        Some(mapping::spec::FieldSpec { source, names: BTreeMap::new() })
    };
    Dialect::Mapping(Box::new(MappingSpec {
        items: Some(path("a.b")),
        customer_id: field("c"),
        event: field("d"),
        properties: Some(mapping::spec::PropertiesSpec::Fields(BTreeMap::from([
            ("order_id".to_owned(), path("e[]")),
            ("other".to_owned(), path("c.d")),
        ]))),
        ..MappingSpec::default()
    }))
}

/// Decodes, and makes sure that only an empty array gives nothing.
fn gives_something(bytes: &[u8]) {
    let outcomes = decode(bytes);
    let is_array = |bytes| serde_json::from_slice::<Vec<IgnoredAny>>(bytes);
    assert!(!outcomes.is_empty() || is_array(bytes).is_ok_and(|items| items.is_empty()));
    let mapped = super::outcomes(mapped(), &["order_id", "a.b"], &record(Some(bytes)));
    assert!(mapped.len() <= bytes.len().max(1));
}

proptest! {
    #[test]
    fn arbitrary_bytes_are_a_reject_and_no_panic(bytes in prop::collection::vec(any::<u8>(), 0..64)) {
        gives_something(&bytes);
    }

    #[test]
    fn a_spoiled_record_gives_something_and_no_panic(bytes in spoiled()) {
        gives_something(&bytes);
    }

    #[test]
    fn the_reader_takes_for_json_what_serde_json_does(bytes in spoiled()) {
        let Ok(text) = str::from_utf8(&bytes) else { return Ok(()) };
        let mut reader = Reader::starting_at(text, 0);
        let ours = reader.pass().and_then(|()| reader.finish());
        let theirs = serde_json::from_str::<IgnoredAny>(text);
        prop_assert_eq!(ours.is_ok(), theirs.is_ok(), "{:?} {:?} {}", ours, theirs, text);
        let is_cut = matches!(ours, Err(Reject::Truncated { .. }));
        let their_cut = theirs.is_err_and(|error| error.is_eof());
        // Where a record ends within an escape, `serde_json` calls it either.
        prop_assert!(is_cut == their_cut || text.contains('\\'), "{:?} {}", ours, text);
    }

    #[test]
    fn a_batch_is_the_same_as_its_items(first in spoiled(), second in spoiled()) {
        let parts = [first, second].map(|part| {
            let part = String::from_utf8_lossy(&part).into_owned();
            let is_object = part.trim().starts_with('{');
            if is_object && serde_json::from_str::<IgnoredAny>(&part).is_ok() {
                part
            } else {
                VALID[2].to_owned()
            }
        });
        let together = decode(format!("[{}]", parts.join(",")).as_bytes());
        prop_assert_eq!(together.len(), 2);
        for (part, item) in parts.iter().zip(&together) {
            let alone = decode(part.as_bytes());
            prop_assert_eq!(alone[0].code(), item.code());
            if let (Outcome::Accepted(alone), Outcome::Accepted(item)) = (&alone[0], item) {
                let event_id = alone.event_id.clone();
                let item = Accepted { event_id, ..Accepted::clone(item) };
                prop_assert_eq!(&**alone, &item);
            }
        }
    }

    #[test]
    fn memory_carries_nothing_from_record_to_record(records in prop::collection::vec(spoiled(), 1..6)) {
        let spec = spec(Dialect::Native, &["order_id", "lines[].sku"]);
        let ids = ["order_id", "lines.sku"].map(|path| spec.properties.id(path).unwrap());
        let decoder = Decoder::new(spec);
        let mut used = Scratch::default();
        for bytes in &records {
            let record = record(Some(bytes));
            let mut seen = [Vec::new(), Vec::new()];
            for (scratch, seen) in [&mut used, &mut Scratch::default()].into_iter().zip(&mut seen) {
                decoder.decode(&record, now(), scratch, &mut |item| match item {
                    Item::Touchpoint(found) => seen.push(Ok(accepted(&found, &ids))),
                    Item::Reject(rejected) => seen.push(Err(rejected.reject)),
                });
            }
            let [used, fresh] = seen;
            prop_assert_eq!(used, fresh);
        }
    }
}

#[test]
fn the_records_to_spoil_are_valid() {
    for valid in VALID {
        assert!(serde_json::from_str::<IgnoredAny>(valid).is_ok());
    }
    for valid in &VALID[..3] {
        assert!(decode(valid.as_bytes()).iter().all(|outcome| outcome.code().is_none()));
    }
}
