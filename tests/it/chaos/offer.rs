//! What customers do: skewed, out of order, sometimes twice, with promises kept, broken and kept in
//! secret.

use std::{
    collections::BTreeMap,
    sync::mpsc::{RecvTimeoutError, SyncSender, sync_channel},
    thread::{self, JoinHandle},
    time::Duration,
};

use serde_json::json;

use super::PARTITIONS;
use crate::client::Producer;

/// When the first touchpoint happens: long ago, so that no wall clock matters.
const START: i64 = 1_750_000_000_000;

const MINUTE: i64 = 60_000;

/// How many customers there are. Every fifth one orders too.
const CUSTOMERS: u64 = 400;

/// Random enough, and the same everywhere (xorshift64*).
pub(super) struct Dice(u64);

impl Dice {
    pub(super) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    /// Returns a number below `sides`.
    pub(super) fn below(&mut self, sides: u64) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) % sides
    }

    fn between(&mut self, from: i64, to: i64) -> i64 {
        from + i64::try_from(self.below(u64::try_from(to - from).unwrap())).unwrap()
    }
}

/// One record of the input.
type Offered = (i32, String, String);

/// Makes the stream.
struct Customers {
    dice: Dice,
    clock: i64,
    number: u64,
    /// What is on its way, by when it comes.
    later: BTreeMap<(i64, u64), Offered>,
}

impl Customers {
    fn next(&mut self) -> Offered {
        self.clock += self.dice.between(500, 4000);
        if let Some(entry) = self.later.first_entry().filter(|entry| entry.key().0 <= self.clock) {
            return entry.remove();
        }
        let offered = if self.dice.below(5) == 0 {
            let buyer = self.dice.below(CUSTOMERS / 5) * 5;
            self.order(buyer)
        } else {
            // Few customers do most.
            let customer = self.dice.below(CUSTOMERS) * self.dice.below(CUSTOMERS) / CUSTOMERS;
            self.look(customer)
        };
        if self.dice.below(30) == 0 {
            // The same again, soon.
            let at = self.clock + self.dice.between(0, 2 * MINUTE);
            self.schedule(at, offered.clone());
        }
        offered
    }

    fn look(&mut self, customer: u64) -> Offered {
        // Up to four minutes late: within the tolerance of five.
        let ts = self.clock - self.dice.between(0, 4 * MINUTE);
        self.touchpoint(customer, "looked", ts, &json!({}))
    }

    fn order(&mut self, customer: u64) -> Offered {
        let ts = self.clock;
        let promised = ts + self.dice.between(6 * MINUTE, 40 * MINUTE);
        let key = format!("o{}", self.number);
        let (at, delivered) = match self.dice.below(4) {
            // In time.
            0 => {
                let at = self.dice.between(ts + 2000, promised);
                (at, at - 1000)
            }
            // Late.
            1 => {
                let at = promised + self.dice.between(1000, 30 * MINUTE);
                (at, at)
            }
            // In time, but we hear of it when the deadline has passed.
            2 => (promised + self.dice.between(6 * MINUTE, 30 * MINUTE), promised - 1000),
            // Hours late.
            _ => (promised + 240 * MINUTE, promised + 240 * MINUTE),
        };
        let order = self.touchpoint(
            customer,
            "ordered",
            ts,
            &json!({ "order": key, "promised": promised }),
        );
        let delivery = self.touchpoint(customer, "delivered", delivered, &json!({ "order": key }));
        self.schedule(at, delivery);
        order
    }

    fn schedule(&mut self, at: i64, offered: Offered) {
        self.number += 1;
        self.later.insert((at, self.number), offered);
    }

    fn touchpoint(
        &mut self,
        customer: u64,
        event: &str,
        ts: i64,
        properties: &serde_json::Value,
    ) -> Offered {
        self.number += 1;
        let id = format!("c{customer}");
        let value = json!({
            "event_id": format!("e{}", self.number), "customer_id": id, "ts": ts,
            "channel": "web", "event": event, "properties": properties,
        });
        let partitions = u64::try_from(PARTITIONS).unwrap();
        let partition = i32::try_from(customer % partitions).unwrap();
        (partition, id, value.to_string())
    }
}

/// Touchpoints being offered, at a steady rate, by a thread of their own.
pub(super) struct Offer {
    enough: SyncSender<()>,
    thread: JoinHandle<u64>,
}

impl Offer {
    pub(super) fn begin(brokers: &str, topic: &str, seed: u64, rate: u64) -> Self {
        let (enough, done) = sync_channel::<()>(1);
        let producer = Producer::new(brokers, topic);
        let thread = thread::spawn(move || {
            let dice = Dice::new(seed.wrapping_add(7));
            let mut customers = Customers { dice, clock: START, number: 0, later: BTreeMap::new() };
            let mut offered = 0;
            while done.recv_timeout(Duration::from_millis(50)) == Err(RecvTimeoutError::Timeout) {
                for _ in 0..rate / 20 {
                    let (partition, key, value) = customers.next();
                    producer.send(partition, &key, &value);
                    offered += 1;
                }
            }
            producer.finish();
            offered
        });
        Self { enough, thread }
    }

    /// Ends, when the broker has everything; returns how many there were.
    pub(super) fn end(self) -> u64 {
        self.enough.send(()).unwrap();
        self.thread.join().unwrap()
    }
}
