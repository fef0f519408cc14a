//! Two programs that claim to do one job must say the same.
//!
//! Per event id the labels, and per customer the count and the five scores at the end. Scores in
//! between are not compared: what comes out of order is put in its place by Rega, and taken as it
//! comes by the other.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use rdkafka::{Message, Offset};
use serde_json::Value;

use crate::broker::Broker;

const LABELS: [&str; 5] = ["micro_moment", "moment_of_truth", "stage", "valence", "reason"];
const TRACKS: [(&str, f64); 5] = [
    ("access", 45.0),
    ("engage", 45.0),
    ("customize", 60.0),
    ("connect", 30.0),
    ("collaborate", 60.0),
];

/// Compares; panics at the first difference.
pub(crate) fn check(
    broker: &Broker,
    partitions: i32,
    (ours, engagement): (&str, &str),
    theirs: &str,
) {
    let labels = |record: &Value| LABELS.map(|label| record[label].clone());
    let (mut mine, mut others) = (BTreeMap::new(), BTreeMap::new());
    read(broker, partitions, ours, &mut |record| {
        if record["revision"] == 0 && record.get("derived").is_none() {
            mine.insert(record["event_id"].to_string(), labels(&record));
        }
    });
    let mut last = BTreeMap::new();
    read(broker, partitions, theirs, &mut |record| {
        others.insert(record["event_id"].to_string(), labels(&record));
        last.insert(record["customer_id"].to_string(), record);
    });
    assert_eq!(mine.len(), others.len(), "one record for each touchpoint");
    for (event_id, labels) in &mine {
        assert_eq!(Some(labels), others.get(event_id), "labels of {event_id}");
    }
    let mut engagements = BTreeMap::new();
    read(broker, partitions, engagement, &mut |record| {
        engagements.insert(record["customer_id"].to_string(), record);
    });
    assert_eq!(engagements.len(), last.len(), "one state for each customer");
    for (customer, own) in &engagements {
        let other = &last[customer];
        assert_eq!(own["touchpoints"], other["touchpoints"], "touchpoints of {customer}");
        let at: jiff::Timestamp = own["as_of"].as_str().unwrap().parse().unwrap();
        let days =
            crate::contestant::as_f64(at.as_millisecond() - other["as_of"].as_i64().unwrap())
                / 86_400_000.0;
        for (track, half_life) in TRACKS {
            let score = other["engagement"][track].as_f64().unwrap() * (-days / half_life).exp2();
            let difference = (own["engagement"][track].as_f64().unwrap() - score).abs();
            // Each rounds to two decimals.
            assert!(difference <= 0.011, "{track} of {customer}: {own} {other}");
        }
    }
    println!("  equal: labels of {} touchpoints, scores of {} customers", mine.len(), last.len());
}

fn read(broker: &Broker, partitions: i32, topic: &str, see: &mut dyn FnMut(Value)) {
    let ends = broker.ends(topic, partitions);
    let reader = broker.reader(topic, partitions, Offset::Beginning);
    // Control records count as offsets: the last data record may stand before the end.
    let mut quiet = Instant::now();
    let mut next = vec![0; ends.len()];
    while next.iter().zip(&ends).any(|(next, end)| next < end)
        && quiet.elapsed() < Duration::from_secs(3)
    {
        if let Some(Ok(record)) = reader.poll(Duration::from_millis(100)) {
            quiet = Instant::now();
            next[usize::try_from(record.partition()).unwrap()] = record.offset() + 1;
            if let Some(value) = record.payload() {
                see(serde_json::from_slice(value).unwrap());
            }
        }
    }
}
