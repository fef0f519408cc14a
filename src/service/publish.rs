//! What the engine wants done, as records.
//!
//! Every output goes to the partition number of the input it came from, so that one customer's
//! records stay in one place in every topic.

use crate::{
    engine::{CUSTOMER_PREFIX, Effect, Effects, PARTITION_KEY, PulseMinute, RejectedItem, Sealed},
    kafka::{Header, KafkaFailure, Outbox, Outgoing, Role, TopicPlan, TopicSet},
};

/// Where records go.
#[derive(Clone, Copy, Debug)]
pub(super) struct Publisher<'a> {
    pub(super) outbox: &'a Outbox,
    pub(super) plan: &'a TopicPlan,
    pub(super) topics: TopicSet,
}

/// The record of the input that effects came from.
#[derive(Clone, Copy, Debug)]
pub(super) struct SourceRecord<'a> {
    pub(super) topic: &'a str,
    pub(super) partition: i32,
    pub(super) offset: i64,
    pub(super) key: Option<&'a [u8]>,
}

/// Returns the key of a minute in the pulse topic: input partition and minute.
pub(super) fn pulse_key(partition: i32, minute: i64) -> [u8; 12] {
    let mut key = [0; 12];
    let bytes = partition.to_be_bytes().into_iter().chain(minute.to_be_bytes());
    for (place, byte) in key.iter_mut().zip(bytes) {
        *place = byte;
    }
    key
}

/// Reads the key of a minute.
pub(super) fn read_pulse_key(key: &[u8]) -> Option<(i32, i64)> {
    let (partition, minute) = key.split_first_chunk::<4>()?;
    let minute = i64::from_be_bytes(minute.try_into().ok()?);
    Some((i32::from_be_bytes(*partition), minute))
}

impl Publisher<'_> {
    /// Produces what effects say, in their order, to that partition. Facts are telemetry's.
    pub(super) fn effects(
        &self,
        partition: i32,
        source: SourceRecord<'_>,
        effects: &Effects,
    ) -> Result<(), KafkaFailure> {
        for effect in effects.iter() {
            match effect {
                Effect::Moment(moment) => {
                    let record = Outgoing {
                        topic: self.plan.name(Role::Moments),
                        partition,
                        key: Some(effects.bytes(moment.key)),
                        value: Some(effects.bytes(moment.value)),
                    };
                    self.outbox.send(&record, &[])?;
                    if moment.alert {
                        let topic = self.plan.name(Role::Alerts);
                        self.outbox.send(&Outgoing { topic, partition: 0, ..record }, &[])?;
                    }
                }
                Effect::Reject(item) => self.reject(partition, source, effects, item)?,
                Effect::Pulse(minute) => self.pulse(partition, effects, minute)?,
                Effect::Fact(_) => {}
            }
        }
        Ok(())
    }

    /// A minute goes to the one partition of the pulse topic.
    fn pulse(
        &self,
        partition: i32,
        effects: &Effects,
        minute: &PulseMinute,
    ) -> Result<(), KafkaFailure> {
        let record = Outgoing {
            topic: self.plan.name(Role::Pulse),
            partition: 0,
            key: Some(&pulse_key(partition, minute.minute)),
            value: Some(effects.bytes(minute.value)),
        };
        self.outbox.send(&record, &[])
    }

    fn reject(
        &self,
        number: i32,
        source: SourceRecord<'_>,
        effects: &Effects,
        item: &RejectedItem,
    ) -> Result<(), KafkaFailure> {
        let index = item.index.to_string();
        let (partition, offset) = (source.partition.to_string(), source.offset.to_string());
        let header = |name, value| Header { name, value };
        let mut headers = vec![
            header("rega-reason", item.reason.as_bytes()),
            header("rega-detail", effects.bytes(item.detail)),
            header("rega-item", index.as_bytes()),
            header("rega-source-topic", source.topic.as_bytes()),
            header("rega-source-partition", partition.as_bytes()),
            header("rega-source-offset", offset.as_bytes()),
        ];
        if item.truncated {
            headers.push(header("rega-truncated", b"true"));
        }
        let record = Outgoing {
            topic: self.plan.name(Role::Rejects),
            // The topic may be an old one with fewer partitions; order per partition is kept.
            partition: number % self.topics.reject_partition_count.max(1),
            key: source.key,
            value: item.item.map(|item| effects.bytes(item)),
        };
        self.outbox.send(&record, &headers)
    }

    /// Produces the word that this instance has a partition.
    pub(super) fn owner(&self, partition: i32, claim: &[u8]) -> Result<(), KafkaFailure> {
        let key = partition.to_string();
        let record = Outgoing {
            topic: self.plan.name(Role::Owners),
            partition: 0,
            key: Some(key.as_bytes()),
            value: Some(claim),
        };
        self.outbox.send(&record, &[])
    }

    /// Produces what a transaction writes besides its effects.
    pub(super) fn sealed(&self, partition: i32, sealed: &Sealed) -> Result<(), KafkaFailure> {
        let mut state_key = vec![CUSTOMER_PREFIX];
        for erased in &sealed.erased {
            let customer_id = sealed.bytes(*erased);
            state_key.truncate(1);
            state_key.extend_from_slice(customer_id);
            for (role, key) in [(Role::Engagement, customer_id), (Role::State, &state_key)] {
                let topic = self.plan.name(role);
                self.outbox
                    .send(&Outgoing { topic, partition, key: Some(key), value: None }, &[])?;
            }
        }
        for change in &sealed.customers {
            let customer_id = sealed.bytes(change.customer);
            state_key.truncate(1);
            state_key.extend_from_slice(customer_id);
            let record = |topic, key, value| Outgoing { topic, partition, key, value };
            let engagement = change.engagement.map(|slice| sealed.bytes(slice));
            let row = change.row.map(|slice| sealed.bytes(slice));
            let topic = self.plan.name(Role::Engagement);
            self.outbox.send(&record(topic, Some(customer_id), engagement), &[])?;
            let topic = self.plan.name(Role::State);
            self.outbox.send(&record(topic, Some(&state_key), row), &[])?;
        }
        for (key, row) in &sealed.pulse {
            let record = Outgoing {
                topic: self.plan.name(Role::State),
                partition,
                key: Some(sealed.bytes(*key)),
                value: row.map(|row| sealed.bytes(row)),
            };
            self.outbox.send(&record, &[])?;
        }
        if let Some(row) = sealed.partition_row {
            let record = Outgoing {
                topic: self.plan.name(Role::State),
                partition,
                key: Some(PARTITION_KEY),
                value: Some(sealed.bytes(row)),
            };
            self.outbox.send(&record, &[])?;
        }
        Ok(())
    }
}
