//! Kafka: the clients, the topics, the transaction, the changelog.
//!
//! Everything here is the mechanics of one client each. What a worker does with them, and in which
//! order, is `service`'s. Each setting stands beside the reason for it in [`client`].

mod changelog;
mod client;
mod consumer;
mod embedded;
mod error;
mod feeder;
mod follower;
mod input_record;
mod intake;
mod membership;
mod native;
mod orphans;
mod producer;
mod sample;
mod topic_ids;
mod topics;
mod witness;

pub use self::{
    changelog::{Restore, RestoreStep, RestoredRow},
    client::{Connection, FixedProperty},
    consumer::{GroupConsumer, Polled, Rebalance},
    embedded::EmbeddedBroker,
    error::{Class, KafkaFailure, Trouble},
    feeder::Feeder,
    follower::Follower,
    input_record::InputRecord,
    intake::{Handover, Intake, Place, Source, Taken, committed_by, has_records, survey},
    orphans::Ownership,
    producer::{Header, Outbox, Outgoing},
    sample::{SampledRecord, sample},
    topic_ids::TopicId,
    topics::{Role, TopicFailure, TopicPlan, TopicSet, ensure},
    witness::{Wanted, Witness, partition_count, topic_settings},
};
