//! The demo's broker, inside the process.
//!
//! librdkafka's mock cluster: right for a demo, wrong as proof of anything about transactions. It
//! keeps no committed offsets, so a worker on it always begins at `input.start`.

use rdkafka::{mocking::MockCluster, producer::DefaultProducerContext};

use super::{Class, KafkaFailure, Role, TopicPlan};

/// A broker that lives as long as this value. Bound to the thread that started it.
pub struct EmbeddedBroker {
    cluster: MockCluster<'static, DefaultProducerContext>,
}

impl std::fmt::Debug for EmbeddedBroker {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("EmbeddedBroker").finish_non_exhaustive()
    }
}

impl EmbeddedBroker {
    /// Starts the broker with the plan's topics, each of `partition_count` partitions.
    ///
    /// # Errors
    ///
    /// The machine has no loopback ports to give.
    pub fn start(plan: &TopicPlan, partition_count: i32) -> Result<Self, KafkaFailure> {
        let doing = "starting the embedded broker";
        let cluster = MockCluster::new(1).map_err(|error| KafkaFailure::new(doing, &error))?;
        for role in Role::ALL {
            cluster
                .create_topic(plan.name(role), role.partition_count(partition_count), 1)
                .map_err(|error| KafkaFailure::own(doing, Class::Fatal, error.to_string()))?;
        }
        Ok(Self { cluster })
    }

    /// Returns the address for `kafka.brokers`.
    pub fn brokers(&self) -> String {
        self.cluster.bootstrap_servers()
    }
}
