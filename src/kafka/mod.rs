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
mod membership;
mod native;
mod orphans;
mod place;
mod producer;
mod repeats;
mod sample;
mod sources;
mod topic_ids;
mod topics;
mod witness;

pub use self::{
    changelog::{Restore, RestoreStep, RestoredRow},
    client::{Connection, FixedProperty},
    consumer::{GroupConsumer, LostPosition, Polled, Rebalance},
    embedded::EmbeddedBroker,
    error::{Class, KafkaFailure, Trouble},
    feeder::Feeder,
    follower::Follower,
    input_record::InputRecord,
    orphans::Ownership,
    place::Place,
    producer::{Header, Outbox, Outgoing},
    sample::{SampledRecord, sample},
    sources::{Source, committed_by, has_records, survey},
    topic_ids::TopicId,
    topics::{Role, TopicFailure, TopicPlan, TopicSet, ensure},
    witness::{Wanted, Witness, partition_count, topic_settings},
};
