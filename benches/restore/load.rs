//! Touchpoints of many customers: one of each to begin with, and then a steady stream.

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant, SystemTime},
};

use rega::{
    kafka::{Connection, Feeder},
    model::EventTime,
};

use crate::broker::Broker;

/// A prime: steps of it meet every customer once, and not in the order of their ids, for they do not
/// come in that order in life.
const STRIDE: u64 = 7_368_787;

/// Between the touchpoints that everybody begins with and those that go on coming.
const DAY_MILLIS: i64 = 86_400_000;

/// Opens a producer of touchpoints.
pub(crate) fn feeder(broker: &Broker, topic: &str) -> Feeder {
    let connection = Connection::new(&broker.address(), BTreeMap::new()).unwrap();
    Feeder::open(&connection, topic).unwrap()
}

pub(crate) fn now_millis() -> i64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap();
    i64::try_from(since.as_millis()).unwrap()
}

/// Gives every customer a touchpoint, and every fourth one an order with a promise. Returns how many
/// touchpoints these are.
pub(crate) fn fill(feeder: &Feeder, customers: u64) -> i64 {
    let start = now_millis() - DAY_MILLIS;
    let mut count = 0;
    for turn in 0..customers {
        let customer = turn * STRIDE % customers;
        let id = format!("customer-{customer:07}");
        let at = i64::try_from(u128::from(turn) * 80_000_000 / u128::from(customers)).unwrap();
        let ts = EventTime::from_millis(start + at).unwrap();
        let product = customer % 997;
        feeder.send(id.as_bytes(), &viewed(count, &id, ts, product)).unwrap();
        count += 1;
        if customer.is_multiple_of(4) {
            let due = ts.plus(5 * DAY_MILLIS);
            let line = format!(
                "{{\"event_id\":\"e{count}\",\"customer_id\":\"{id}\",\"ts\":\"{ts}\",\"channel\":\"web\",\
                 \"event\":\"order_placed\",\"properties\":{{\"order_id\":\"o{count}\",\"total\":59.9,\
                 \"estimated_delivery\":\"{due}\"}}}}"
            );
            feeder.send(id.as_bytes(), line.as_bytes()).unwrap();
            count += 1;
        }
    }
    feeder.finish().unwrap();
    count
}

fn viewed(number: i64, id: &str, ts: EventTime, product: u64) -> Vec<u8> {
    format!(
        "{{\"event_id\":\"e{number}\",\"customer_id\":\"{id}\",\"ts\":\"{ts}\",\"channel\":\"web\",\
         \"event\":\"product_viewed\",\"properties\":{{\"product_id\":\"p{product}\",\"price\":24.5,\
         \"url\":\"https://shop.example/products/p{product}\"}}}}"
    )
    .into_bytes()
}

/// Touchpoints that go on coming, whatever happens to who reads them. Ends when dropped.
pub(crate) struct Stream {
    enough: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Stream {
    /// `next` makes the line of each, and says whose it is.
    pub(crate) fn begin(
        feeder: Feeder,
        rate: u64,
        mut next: impl FnMut() -> (String, Vec<u8>) + Send + 'static,
    ) -> Self {
        let enough = Arc::new(AtomicBool::new(false));
        let end = Arc::clone(&enough);
        let thread = thread::spawn(move || {
            let (begin, mut sent) = (Instant::now(), 0_u128);
            while !end.load(Ordering::Relaxed) {
                let due = begin.elapsed().as_millis() * u128::from(rate) / 1000;
                while sent < due {
                    let (id, line) = next();
                    feeder.send(id.as_bytes(), &line).unwrap();
                    sent += 1;
                }
                thread::sleep(Duration::from_millis(5));
            }
            feeder.finish().unwrap();
        });
        Self { enough, thread: Some(thread) }
    }

    /// Customers who are known come back, anyone as likely as another.
    pub(crate) fn of_known(feeder: Feeder, rate: u64, customers: u64, from: i64) -> Self {
        let (mut dice, mut number) = (0x9e37_79b9_7f4a_7c15_u64, from);
        Self::begin(feeder, rate, move || {
            dice ^= dice << 13;
            dice ^= dice >> 7;
            dice ^= dice << 17;
            number += 1;
            let id = format!("customer-{:07}", dice % customers);
            let ts = EventTime::from_millis(now_millis()).unwrap();
            let line = viewed(number, &id, ts, dice % 991);
            (id, line)
        })
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        self.enough.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            drop(thread.join());
        }
    }
}
