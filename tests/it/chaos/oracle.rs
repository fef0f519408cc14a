//! What must come out, worked out from what went in by a few lines that know nothing of the engine.
//!
//! Only the meaning is shared (DOMAIN.md's): a repetition counts once; an order whose promise passes
//! is pain, when the partition's latest touchpoint is five minutes beyond it; a delivery in time that
//! comes after that takes the claim back; a late one is the same pain once more.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde_json::Value;

const TOLERANCE: i64 = 5 * 60_000;

#[derive(Default)]
struct Customer {
    seen: BTreeSet<String>,
    touchpoints: u64,
    looks: u64,
    orders: u64,
    pains: u64,
    last_seen: i64,
    /// Their moments in order: order is promised per customer.
    told: Vec<String>,
}

/// An order that was not delivered yet.
struct Order {
    promised: i64,
    fired: bool,
}

#[derive(Default)]
struct Partition {
    latest: i64,
    open: BTreeMap<(String, String), Order>,
}

pub(super) struct Oracle {
    partitions: BTreeMap<i32, Partition>,
    customers: BTreeMap<String, Customer>,
    fired: u64,
    taken_back: u64,
}

impl Oracle {
    pub(super) fn new(partitions: i32) -> Self {
        let partitions = (0..partitions).map(|number| (number, Partition::default())).collect();
        Self { partitions, customers: BTreeMap::new(), fired: 0, taken_back: 0 }
    }

    /// Takes one record of the input, in the order of its partition.
    pub(super) fn observe(&mut self, partition: i32, value: &str) {
        let value: Value = serde_json::from_str(value).unwrap();
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let (event_id, id) = (text(&value["event_id"]), text(&value["customer_id"]));
        let (event, ts) = (text(&value["event"]), value["ts"].as_i64().unwrap());
        let customer = self.customers.entry(id.clone()).or_default();
        if !customer.seen.insert(event_id.clone()) {
            return;
        }
        customer.touchpoints += 1;
        customer.last_seen = customer.last_seen.max(ts);
        let state = self.partitions.get_mut(&partition).unwrap();
        state.latest = state.latest.max(ts);
        self.fire(partition);
        let state = self.partitions.get_mut(&partition).unwrap();
        let customer = self.customers.get_mut(&id).unwrap();
        let mut valence = "neutral";
        let mut taken_back = None;
        match event.as_str() {
            "looked" => customer.looks += 1,
            "ordered" => {
                customer.orders += 1;
                let promised = value["properties"]["promised"].as_i64().unwrap();
                let key = (id.clone(), text(&value["properties"]["order"]));
                state.open.insert(key, Order { promised, fired: false });
            }
            "delivered" => {
                let key = (id.clone(), text(&value["properties"]["order"]));
                let order = state.open.remove(&key).unwrap();
                let in_time = ts <= order.promised;
                if !in_time {
                    valence = "pain";
                    if !order.fired {
                        self.fired += 1;
                        customer.pains += 1;
                        customer.told.push(overdue(&key, order.promised, 0, false));
                    }
                } else if order.fired {
                    self.taken_back += 1;
                    customer.pains -= 1;
                    taken_back = Some(overdue(&key, order.promised, 1, true));
                }
            }
            other => panic!("{other}"),
        }
        customer.told.push(format!("{id} {event} {event_id} {ts} 0 {valence} false"));
        customer.told.extend(taken_back);
    }

    /// Fires what the partition's clock has passed.
    fn fire(&mut self, partition: i32) {
        let state = self.partitions.get_mut(&partition).unwrap();
        let mut due: Vec<(i64, (String, String))> = state
            .open
            .iter()
            .filter(|(_, order)| !order.fired && order.promised <= state.latest - TOLERANCE)
            .map(|(key, order)| (order.promised, key.clone()))
            .collect();
        due.sort();
        for (promised, key) in due {
            state.open.get_mut(&key).unwrap().fired = true;
            let customer = self.customers.get_mut(&key.0).unwrap();
            customer.told.push(overdue(&key, promised, 0, false));
            customer.pains += 1;
            self.fired += 1;
        }
    }

    /// Returns what each customer's moments must be, in order.
    pub(super) fn told(&self) -> impl Iterator<Item = (&str, &Vec<String>)> {
        self.customers.iter().map(|(id, customer)| (id.as_str(), &customer.told))
    }

    pub(super) fn customers(&self) -> impl Iterator<Item = &str> {
        self.customers.keys().map(String::as_str)
    }

    /// Returns moments, deadlines fired, and claims taken back.
    pub(super) fn counts(&self) -> (usize, u64, u64) {
        let moments = self.customers.values().map(|customer| customer.told.len()).sum();
        (moments, self.fired, self.taken_back)
    }

    /// Compares every customer's last record.
    #[track_caller]
    pub(super) fn check_engagement(&self, found: &BTreeMap<String, Option<String>>) {
        assert_eq!(found.len(), self.customers.len());
        for (id, customer) in &self.customers {
            let record: Value = serde_json::from_str(found[id].as_ref().unwrap()).unwrap();
            let quarter = |count: u64| f64::from(u32::try_from(count).unwrap()) * 0.25;
            let whole = |count: u64| f64::from(u32::try_from(count).unwrap());
            assert_eq!(record["touchpoints"], customer.touchpoints, "{id}: {record}");
            assert_eq!(record["pains"], customer.pains, "{id}: {record}");
            assert_eq!(millis(&record["last_seen"]), customer.last_seen, "{id}: {record}");
            let engage = record["engagement"]["engage"].as_f64().unwrap();
            assert!((engage - quarter(customer.looks).min(20.0)).abs() < 0.006, "{id}: {record}");
            let access = record["engagement"]["access"].as_f64().unwrap();
            assert!((access - whole(customer.orders).min(50.0)).abs() < 0.006, "{id}: {record}");
        }
    }
}

fn overdue((id, order): &(String, String), ts: i64, revision: u32, retracted: bool) -> String {
    format!("{id} episode_overdue {order} {ts} {revision} pain {retracted}")
}

fn millis(time: &Value) -> i64 {
    time.as_str().unwrap().parse::<Timestamp>().unwrap().as_millisecond()
}

/// Writes a moment as the oracle writes it. A derived one has an id that only Rega can know: its
/// episode's key stands for it.
pub(super) fn line(moment: &Value) -> String {
    let text = |value: &Value| value.as_str().unwrap_or("?").to_owned();
    let derived = moment["derived"] == true;
    let id = text(if derived { &moment["episode"]["key"] } else { &moment["event_id"] });
    format!(
        "{} {} {id} {} {} {} {}",
        text(&moment["customer_id"]),
        text(&moment["event"]),
        millis(&moment["ts"]),
        moment["revision"],
        text(&moment["valence"]),
        moment["retracted"].as_bool().unwrap_or(false),
    )
}
