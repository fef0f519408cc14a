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
mod native;
mod orphans;
mod producer;
mod sample;
mod topic_ids;
mod topics;

pub use self::{
    changelog::{Restore, RestoreStep, RestoredRow},
    client::{Connection, FixedProperty},
    consumer::{GroupConsumer, InputRecord, Polled, Rebalance},
    embedded::EmbeddedBroker,
    error::{Class, KafkaFailure, Trouble},
    feeder::Feeder,
    follower::Follower,
    orphans::Ownership,
    producer::{Header, Outbox, Outgoing},
    sample::{SampledRecord, sample},
    topic_ids::TopicId,
    topics::{Role, TopicFailure, TopicPlan, TopicSet, ensure},
};
