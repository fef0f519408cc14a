//! Topics are made as they must be, and wrong ones are refused with what to do.

use std::{collections::BTreeMap, sync::Arc};

use rega::kafka::{Connection, Place, Role, TopicFailure, TopicPlan, TopicSet, ensure};

use crate::{
    broker::{self, Broker, unique},
    client::create_topic,
};

pub(crate) fn plan(app: &str) -> TopicPlan {
    let name = |role: &str| format!("{app}-{role}");
    TopicPlan {
        names: BTreeMap::from([
            (Role::Input, name("touchpoints")),
            (Role::Moments, name("moments")),
            (Role::Engagement, name("engagement")),
            (Role::Rejects, name("rejects")),
            (Role::State, name("state")),
            (Role::Owners, name("owners")),
            (Role::PainSpikes, name("pain-spikes")),
            (Role::Pulse, name("pulse")),
            (Role::Detector, name("detector")),
            (Role::Alerts, name("alerts")),
        ]),
        sources: Vec::new(),
        app: app.to_owned(),
        max_output_bytes: 1_000_000,
    }
}

pub(crate) fn connection(broker: &Broker) -> Connection {
    Connection::new(&broker.address(), BTreeMap::new()).unwrap()
}

/// Returns the first partition of a topic.
pub(crate) fn first_of(topic: &str) -> Place {
    Place { topic: Arc::from(topic), partition: 0 }
}

#[test]
fn missing_topics_are_made_with_the_inputs_partition_count() {
    let Some(broker) = broker::shared() else { return };
    let plan = plan(&unique("made"));
    create_topic(broker, plan.name(Role::Input), 3, &[]);
    let expected = TopicSet { partition_count: 3, reject_partition_count: 3 };
    assert_eq!(ensure(&connection(broker), &plan).unwrap(), expected);
    // A second start finds what the first made, and nothing wrong with it.
    assert_eq!(ensure(&connection(broker), &plan).unwrap(), expected);
}

#[test]
fn the_input_is_made_too_with_the_brokers_own_count() {
    let Some(broker) = broker::shared() else { return };
    let plan = plan(&unique("all"));
    assert_eq!(ensure(&connection(broker), &plan).unwrap().partition_count, 4);
}

#[test]
fn every_wrong_topic_is_told_at_once() {
    let Some(broker) = broker::shared() else { return };
    let plan = plan(&unique("wrong"));
    create_topic(broker, plan.name(Role::Input), 2, &[]);
    create_topic(broker, plan.name(Role::State), 2, &["cleanup.policy=delete"]);
    create_topic(broker, plan.name(Role::Moments), 5, &["max.message.bytes=1000"]);
    let TopicFailure::Wrong(problems) = ensure(&connection(broker), &plan).unwrap_err() else {
        panic!("another failure");
    };
    assert_eq!(problems.len(), 3, "{problems:#?}");
    let text = problems.join("\n");
    assert!(text.contains("has 5 partitions and"), "{text}");
    assert!(text.contains("has cleanup.policy \"delete\", which would lose it"), "{text}");
    assert!(text.contains("takes records of at most 1000 bytes"), "{text}");
}

#[test]
fn a_broker_that_is_not_there_is_named() {
    let connection = Connection::new("127.0.0.1:1", BTreeMap::new()).unwrap();
    let failure = ensure(&connection, &plan("nobody")).unwrap_err().to_string();
    assert!(failure.starts_with("no Kafka broker answers at 127.0.0.1:1"), "{failure}");
}
