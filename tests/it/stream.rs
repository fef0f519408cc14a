//! A stream of touchpoints whose right outcome is known without any of Rega's code.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::{broker::Broker, client};

/// When the first touchpoint happens: long ago, so that no wall clock matters.
const START: i64 = 1_750_000_000_000;

/// Touchpoints in the order in which each partition has them.
pub(crate) struct Stream {
    app: String,
    partitions: i32,
    records: Vec<(i32, String, String)>,
}

impl Stream {
    /// Makes `count` views of products by 97 customers, one second apart, on `partitions`.
    pub(crate) fn new(app: &str, partitions: i32, count: i64) -> Self {
        Self::of(97, app, partitions, count)
    }

    /// The same by so many customers.
    pub(crate) fn of(customers: i64, app: &str, partitions: i32, count: i64) -> Self {
        let records = (0..count)
            .map(|number| {
                let customer = number % customers;
                let partition = i32::try_from(customer).unwrap() % partitions;
                let touchpoint = json!({
                    "event_id": format!("e{number}"),
                    "customer_id": format!("c{customer}"),
                    "ts": START + number * 1000,
                    "channel": "web",
                    "event": "product_viewed",
                    "properties": { "product_id": format!("p{}", number % 11) },
                });
                (partition, format!("c{customer}"), touchpoint.to_string())
            })
            .collect();
        Self { app: app.to_owned(), partitions, records }
    }

    pub(crate) fn app(&self) -> &str {
        &self.app
    }

    pub(crate) fn topic(&self, role: &str) -> String {
        format!("{}-{role}", self.app)
    }

    pub(crate) fn create_input(&self, broker: &Broker) {
        client::create_topic(broker, &self.topic("touchpoints"), self.partitions, &[]);
    }

    /// Produces a part of the stream.
    pub(crate) fn produce(&self, broker: &Broker, part: std::ops::Range<usize>) {
        let records: Vec<(i32, &str, &str)> = self.records[part]
            .iter()
            .map(|(partition, key, value)| (*partition, key.as_str(), value.as_str()))
            .collect();
        client::produce(&broker.address(), &self.topic("touchpoints"), &records);
    }

    pub(crate) fn len(&self) -> usize {
        self.records.len()
    }

    /// Waits until every touchpoint has its moment, or too many have one; then checks everything.
    pub(crate) fn check(&self, broker: &Broker) {
        let topic = self.topic("moments");
        client::read_until(&broker.address(), &topic, |seen| self.len() <= seen.len());
        self.check_moments(broker);
        self.check_engagement(broker);
        self.check_offsets(broker);
    }

    /// The group has committed exactly what was read.
    fn check_offsets(&self, broker: &Broker) {
        let mut expected: BTreeMap<i32, i64> = BTreeMap::new();
        for (partition, ..) in &self.records {
            *expected.entry(*partition).or_default() += 1;
        }
        let topic = self.topic("touchpoints");
        assert_eq!(client::committed(broker, &self.app, &topic, self.partitions), expected);
    }

    /// Per partition: the same event ids as in the input, in the same order, each once.
    fn check_moments(&self, broker: &Broker) {
        let mut expected: BTreeMap<i32, Vec<String>> = BTreeMap::new();
        for (partition, _, value) in &self.records {
            let value: Value = serde_json::from_str(value).unwrap();
            expected.entry(*partition).or_default().push(value["event_id"].to_string());
        }
        let mut found: BTreeMap<i32, Vec<String>> = BTreeMap::new();
        for record in client::read(&broker.address(), &self.topic("moments")) {
            let value: Value = serde_json::from_str(&record.value.unwrap()).unwrap();
            assert_eq!(record.key.as_deref(), value["customer_id"].as_str());
            assert_eq!(value["revision"], 0, "{value}");
            found.entry(record.partition).or_default().push(value["event_id"].to_string());
        }
        for (partition, expected) in &expected {
            let found = found.get(partition).map_or(&[][..], Vec::as_slice);
            let differs = expected.iter().zip(found).position(|(one, other)| one != other);
            assert_eq!(differs, None, "partition {partition} differs there");
            assert_eq!(found.len(), expected.len(), "partition {partition}");
        }
        assert_eq!(found.len(), expected.len());
    }

    /// Each customer's last record counts every touchpoint once.
    fn check_engagement(&self, broker: &Broker) {
        let mut expected: BTreeMap<String, u64> = BTreeMap::new();
        for (_, customer, _) in &self.records {
            *expected.entry(customer.clone()).or_default() += 1;
        }
        let mut found: BTreeMap<String, u64> = BTreeMap::new();
        for record in client::read(&broker.address(), &self.topic("engagement")) {
            let value: Value = serde_json::from_str(&record.value.unwrap()).unwrap();
            found.insert(record.key.unwrap(), value["touchpoints"].as_u64().unwrap());
        }
        assert_eq!(found, expected);
    }
}
