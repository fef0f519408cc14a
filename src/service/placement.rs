//! Which partition a customer is in, where the producers' way of choosing it is known or has been learnt.
//!
//! Java's producers hash a key one way and librdkafka's another. With `input.partitioner: auto` the pairs
//! of key and partition that are read tell which: a pair that fits the one way and not the other is
//! evidence. Until it suffices, and for good where producers differ or choose freely, nobody knows, and
//! whoever looks for a customer asks every partition.

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use crate::model::Partitioner;

/// So many pairs must fit one way alone. By chance that happens once in 2³².
const EVIDENCE: u32 = 32;

/// What is known of how partitions are chosen. Atomics, because every worker adds to it.
#[derive(Debug)]
pub(super) struct Placement {
    partition_count: u32,
    given: Option<Partitioner>,
    /// Nothing more is to be learnt.
    settled: AtomicBool,
    /// Pairs that fit murmur2 alone, CRC-32 alone, and neither.
    murmur2: AtomicU32,
    crc32: AtomicU32,
    neither: AtomicU32,
}

impl Placement {
    pub(super) fn new(partition_count: i32, given: Option<Partitioner>) -> Self {
        let partition_count = u32::try_from(partition_count).unwrap_or(1).max(1);
        Self {
            partition_count,
            given,
            settled: AtomicBool::new(given.is_some() || partition_count == 1),
            murmur2: AtomicU32::new(0),
            crc32: AtomicU32::new(0),
            neither: AtomicU32::new(0),
        }
    }

    /// Takes note of a record. Costs one look at a flag once it is settled.
    pub(super) fn observe(&self, key: Option<&[u8]>, partition: i32) {
        if self.settled.load(Ordering::Relaxed) {
            return;
        }
        let Some(key) = key else { return };
        let fits = |way: Partitioner| {
            Ok(way.partition(key, self.partition_count)) == u32::try_from(partition)
        };
        let counter = match (fits(Partitioner::Murmur2), fits(Partitioner::Crc32)) {
            (true, true) => return,
            (true, false) => &self.murmur2,
            (false, true) => &self.crc32,
            (false, false) => &self.neither,
        };
        if EVIDENCE <= counter.fetch_add(1, Ordering::Relaxed).saturating_add(1) {
            self.settled.store(true, Ordering::Relaxed);
        }
    }

    /// Returns a customer's partition, if it can be known.
    pub(super) fn partition_of(&self, customer_id: &str) -> Option<i32> {
        let way = if self.partition_count == 1 {
            Partitioner::Murmur2
        } else {
            self.given.or_else(|| self.learnt())?
        };
        i32::try_from(way.partition(customer_id.as_bytes(), self.partition_count)).ok()
    }

    fn learnt(&self) -> Option<Partitioner> {
        let count = |counter: &AtomicU32| counter.load(Ordering::Relaxed);
        match (count(&self.murmur2), count(&self.crc32), count(&self.neither)) {
            (EVIDENCE.., 0, 0) => Some(Partitioner::Murmur2),
            (0, EVIDENCE.., 0) => Some(Partitioner::Crc32),
            _ => None,
        }
    }

    pub(super) fn partition_count(&self) -> u32 {
        self.partition_count
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn observe(placement: &Placement, customers: std::ops::Range<u32>, way: Partitioner) {
        for customer in customers {
            let key = format!("c{customer}");
            let partition = way.partition(key.as_bytes(), placement.partition_count());
            placement.observe(Some(key.as_bytes()), i32::try_from(partition).unwrap());
        }
    }

    #[test]
    fn enough_pairs_say_whose_partitioner_it_is() {
        for &way in Partitioner::ALL {
            let placement = Placement::new(6, None);
            observe(&placement, 0..10, way);
            assert_eq!(placement.partition_of("ada"), None, "too early");
            observe(&placement, 10..100, way);
            let partition = i32::try_from(way.partition(b"ada", 6)).unwrap();
            assert_eq!(placement.partition_of("ada"), Some(partition));
        }
    }

    #[test]
    fn producers_that_differ_leave_it_open() {
        let placement = Placement::new(6, None);
        observe(&placement, 0..10, Partitioner::Crc32);
        observe(&placement, 10..500, Partitioner::Murmur2);
        assert_eq!(placement.partition_of("ada"), None);
    }

    #[test]
    fn what_was_configured_or_is_the_only_one_needs_no_evidence() {
        let partition = i32::try_from(Partitioner::Crc32.partition(b"ada", 6)).unwrap();
        let placement = Placement::new(6, Some(Partitioner::Crc32));
        assert_eq!(placement.partition_of("ada"), Some(partition));
        assert_eq!(Placement::new(1, None).partition_of("ada"), Some(0));
    }
}
