//! Laws over records that nobody thought of.

use std::sync::LazyLock;

use proptest::{prelude::*, sample::Index};

use super::*;

/// A decoder of each dialect; the first finds it, the last is the native form.
static DECODERS: LazyLock<Vec<(Decoder, Vec<PathId>)>> = LazyLock::new(|| {
    ["auto", "segment", "cloudevents", "snowplow", "posthog", "ga4", "native"]
        .map(|name| decoder(named(name)))
        .into()
});

const VALID: [&str; 7] = [
    r#"{"batch":[{"type":"track","event":"Order Completed","userId":"u","messageId":"m","timestamp":"2026-01-02T03:04:05Z","context":{"page":{"path":"/"},"device":{"type":"ios"}},"properties":{"products":[{"product_id":"p"}]}},{"type":"page","anonymousId":"a","name":"Home","properties":{"url":"/"}}],"sentAt":"2026-01-02T03:04:05Z"}"#,
    r#"{"specversion":"1.0","id":"1","source":"/s","type":"com.example.order.placed","subject":"c","time":"2026-01-02T03:04:05Z","ext1":5,"data":{"order_id":"o"}}"#,
    r#"{"specversion":"1.0","id":"1","source":"/s","type":"x","subject":"c","data_base64":"eyJhIjoxfQ=="}"#,
    r#"{"app_id":"shop","platform":"web","collector_tstamp":"2026-01-02T03:04:05.000Z","event":"unstruct","event_id":"c6ef3124-b53a-4b13-a233-0088f79dcbcb","event_name":"order_placed","user_id":"u","unstruct_event_com_acme_order_placed_1":{"order_id":"o"},"contexts_com_acme_card_1":[{"a":1}],"contexts":{"schema":"iglu:x/contexts/y/1-0-0","data":[{"schema":"iglu:com.acme/b/jsonschema/1-0-0","data":{}}]}}"#,
    r#"{"api_key":"k","batch":[{"event":"$pageview","properties":{"distinct_id":"d","$lib":"web"},"timestamp":"2026-01-02T03:04:05Z"},{"event":"$autocapture","distinct_id":"d","properties":"{\"$event_type\":\"click\"}"}]}"#,
    r#"{"client_id":"1.2","timestamp_micros":1767323045000000,"events":[{"name":"view_item","params":{"items":[{"item_id":"p"}]}}]}"#,
    r#"{"event_name":"purchase","event_timestamp":"1767323045000000","user_pseudo_id":"1.2","event_params":[{"key":"value","value":{"int_value":"5"}}],"items":[{"item_id":"p"}],"ecommerce":{"transaction_id":"t"}}"#,
];

const SPOILERS: [&str; 22] = [
    "",
    "{",
    "}",
    "[",
    "]",
    "\"",
    "\\",
    ",",
    ":",
    "null",
    "-",
    "0",
    "1e400",
    "\t",
    "\0",
    "é",
    "{}",
    "\"batch\":[",
    "\"type\":5,",
    "\"properties\":\"{\",",
    "\\ud83d",
    "\"specversion\":\"1.0\",",
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

/// Reads a record in every dialect, alone and with headers.
fn read_all(bytes: &[u8]) {
    let headers: [(&str, &[u8]); 4] = [
        ("ce_specversion", b"1.0"),
        ("ce_id", bytes.get(..3).unwrap_or(b"1")),
        ("ce_source", b"/s"),
        ("ce_type", bytes),
    ];
    for (decoder, ids) in DECODERS.iter() {
        for headers in [&[][..], &headers] {
            let outcomes = read_by(decoder, ids, &record(Some(bytes), headers));
            assert!(outcomes.len() <= bytes.len().max(1));
        }
    }
}

/// Why text is no record in any dialect.
const UNREADABLE: [&str; 7] = [
    "malformed",
    "truncated",
    "bad_unicode",
    "duplicate_key",
    "not_utf8",
    "too_deep",
    "number_out_of_range",
];

proptest! {
    #[test]
    fn arbitrary_bytes_panic_in_no_dialect(bytes in prop::collection::vec(any::<u8>(), 0..64)) {
        read_all(&bytes);
    }

    #[test]
    fn a_spoiled_record_panics_in_no_dialect(bytes in spoiled()) {
        read_all(&bytes);
    }

    #[test]
    fn rows_of_any_text_panic_in_no_dialect(
        fields in prop::collection::vec("|[a-z{}\\[\\]\":0-9-]{0,6}|\\{\"schema\":\"iglu:a/b\",\"data\":\\{\\}\\}", 129..133),
    ) {
        read_all(fields.join("\t").as_bytes());
    }

    #[test]
    fn a_dialect_that_is_found_reads_as_the_one_that_is_named(bytes in spoiled()) {
        let all = DECODERS.iter().map(|(one, ids)| read_by(one, ids, &record(Some(&bytes), &[])));
        let all: Vec<_> = all.collect();
        let (found, named) = all.split_first().unwrap();
        let known = found.iter().all(|outcome| {
            !matches!(outcome, Err(reject) if reject.code() == "unknown_dialect")
        });
        // What is wrong in two places may be refused for either: looking for the dialect reads less
        // closely.
        let unreadable = |outcomes: &Vec<Result<_, Reject>>| {
            matches!(&outcomes[..], [Err(reject)] if UNREADABLE.contains(&reject.code()))
        };
        let same = named.contains(found) || all.iter().all(unreadable);
        prop_assert!(!known || same, "{:?}", all);
    }
}
