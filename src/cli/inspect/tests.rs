//! What an inspection finds, and that its drafts can be used.

use std::fs;

use super::*;

fn records(lines: &[String]) -> Vec<SampledRecord> {
    let numbered = (1..).zip(lines);
    numbered
        .map(|(offset, line)| SampledRecord {
            value: Some(line.clone().into_bytes()),
            topic: "sample".to_owned(),
            offset,
            ..SampledRecord::default()
        })
        .collect()
}

fn found(lines: &[String]) -> Findings {
    let loaded = config::load(None, &Environment::default()).unwrap();
    findings(records(lines), None, loaded).unwrap_or_else(|_failure| panic!("nothing found"))
}

/// A till's own form.
fn tills() -> Vec<String> {
    let line = |number: u32| {
        let what = ["basket_weighed", "receipt_printed", "order_placed"]
            .get(usize::try_from(number % 3).unwrap())
            .unwrap()
            .to_owned();
        serde_json::json!({
            "head": { "guid": format!("g-{number}"), "at": format!("2026-01-02 03:04:{:02}", number % 60) },
            "buyer": { "user_id": format!("u{}", number % 7), "email": format!("b{}@mail.example", number % 7) },
            "where": "till",
            "what": what,
            "sum": 5.25,
            "lines": [{ "sku": "a.b", "n": number }],
            "odd.key[": number,
        })
        .to_string()
    };
    (0..60).map(line).collect()
}

#[test]
fn an_unknown_stream_gets_a_mapping_that_reads_it() {
    let findings = found(&tills());
    assert_eq!(findings.read_by, None);
    assert_eq!(findings.labels.touchpoints, 60, "{:?}", findings.labels.rejects);
    assert_eq!(findings.labels.customers, 7);
    assert_eq!((findings.labels.without_time, findings.labels.without_id), (0, 0));
    assert_eq!(findings.labels.channels.keys().collect::<Vec<_>>(), ["till"]);
    insta::assert_snapshot!(findings.mapping.unwrap(), @r#"
    # Drafted by `rega inspect`: look at every line, then run `rega check`.
    mapping: draft
    fields:
      event_id: head.guid
      customer_id: buyer.user_id
      # or customer_id: buyer.email
      ts: { path: head.at, zone: UTC }    # which zone is it?
      channel: where
      event: what
      properties:
        email: buyer.email
        key: "odd\\.key\\["
        lines: "lines[]"
        sum: sum
    "#);
}

#[test]
fn drafts_have_no_problem() {
    let findings = found(&tills());
    let folder = tempfile::tempdir().unwrap();
    write_drafts(folder.path(), &findings).unwrap_or_else(|_failure| panic!("not written"));
    let checked = config::check(&[folder.path().to_owned()], &Environment::default());
    assert_eq!(checked.report.to_string(), "");
    assert_eq!(checked.file_count, 2);
    let pack = fs::read_to_string(folder.path().join("pack.yaml")).unwrap();
    assert!(pack.contains("basket weighed") && !pack.contains("order placed"), "{pack}");
    // Drafts that are there are somebody's work by now.
    assert!(matches!(write_drafts(folder.path(), &findings), Err(Failure::Fatal(_))));
}

#[test]
fn names_that_yaml_would_misread_are_quoted() {
    let lines: Vec<String> = ["true", "5", "a: b", "- x", "#", "\"", "null", "ünï"]
        .iter()
        .flat_map(|event| {
            (0..3).map(move |number| {
                serde_json::json!({ "user_id": number % 2, "event": event, "no": 1, "a b": 2 })
                    .to_string()
            })
        })
        .collect();
    let findings = found(&lines);
    let folder = tempfile::tempdir().unwrap();
    write_drafts(folder.path(), &findings).unwrap_or_else(|_failure| panic!("not written"));
    let checked = config::check(&[folder.path().to_owned()], &Environment::default());
    assert_eq!(checked.report.to_string(), "");
}

#[test]
fn a_known_dialect_needs_no_mapping() {
    let line = |number: u32| {
        serde_json::json!({
            "type": "track", "event": if number.is_multiple_of(2) { "Order Completed" } else { "Kite Flown" },
            "userId": "ada", "messageId": number.to_string(), "timestamp": "2026-01-02T03:04:05Z",
            "properties": { "secret": "Anna 5" },
        })
        .to_string()
    };
    let mut lines: Vec<String> = (0..20).map(line).collect();
    lines.push("words".to_owned());
    let findings = found(&lines);
    assert_eq!(findings.read_by.as_deref(), Some("segment"));
    assert_eq!(findings.mapping, None);
    assert_eq!(findings.dialects, [("segment", 20), ("none", 1)]);
    let text = report::render(&findings);
    assert!(
        text.contains("by rule 10 (50.0 %), by guess 0 (0.0 %), not at all 10 (50.0 %)"),
        "{text}"
    );
    assert!(text.contains("rejected  malformed 1: byte 0"), "{text}");
    assert!(text.contains("Aaaa 9") && !text.contains("Anna"), "{text}");
    assert!(findings.pack.contains("kite_flown"));
}

#[test]
fn several_dialects_are_found_per_record() {
    let segment = r#"{"type":"page","userId":"a","timestamp":"2026-01-02T03:04:05Z"}"#;
    let native = r#"{"customer_id":"a","ts":0,"event":"page_viewed"}"#;
    let findings = found(&[segment, native].map(str::to_owned));
    assert_eq!(findings.read_by.as_deref(), Some("auto"));
    assert_eq!(findings.labels.touchpoints, 2);
}

#[test]
fn values_are_shown_by_their_shape() {
    assert_eq!(fields::mask("Ada.L+1@mail.example"), "Aaa.A+9@aaaa.aaaaaaa");
    assert_eq!(fields::mask("שלום ۵"), "aaaa 9");
    assert_eq!(fields::mask(&"x".repeat(41)), format!("{}…", "a".repeat(40)));
}
