//! A partition of a topic: what a member of a group is given, reads at an offset, and gives back.

use std::{collections::BTreeMap, sync::Arc};

use rdkafka::{
    Offset, TopicPartitionList, error::KafkaResult, topic_partition_list::TopicPartitionListElem,
};

/// A partition of a topic.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// The topic. Shared, because every record's place is looked up by it.
    pub topic: Arc<str>,
    /// The partition.
    pub partition: i32,
}

impl Place {
    /// Returns a partition of `topic`.
    pub fn of(topic: &Arc<str>, partition: i32) -> Self {
        Self { topic: Arc::clone(topic), partition }
    }

    /// Reads what the library gives.
    pub(super) fn read(element: &TopicPartitionListElem<'_>) -> Self {
        Self { topic: Arc::from(element.topic()), partition: element.partition() }
    }
}

impl std::fmt::Display for Place {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{}/{}", self.topic, self.partition)
    }
}

/// Returns positions as the library wants them.
pub(super) fn positions(positions: &[(Place, i64)]) -> KafkaResult<TopicPartitionList> {
    let mut list = TopicPartitionList::new();
    for (place, offset) in positions {
        list.add_partition_offset(&place.topic, place.partition, Offset::Offset(*offset))?;
    }
    Ok(list)
}

/// Returns partitions as the library wants them, without offsets.
pub(super) fn partitions(places: &[Place]) -> TopicPartitionList {
    let mut list = TopicPartitionList::new();
    for place in places {
        list.add_partition(&place.topic, place.partition);
    }
    list
}

/// Reads offsets that the library gives; `None` where a partition has none.
///
/// # Errors
///
/// One of the partitions has an error instead.
pub(super) fn offsets(list: &TopicPartitionList) -> KafkaResult<BTreeMap<Place, Option<i64>>> {
    let mut offsets = BTreeMap::new();
    for element in list.elements() {
        element.error()?;
        let offset = match element.offset() {
            Offset::Offset(offset) => Some(offset),
            Offset::Beginning
            | Offset::End
            | Offset::Stored
            | Offset::Invalid
            | Offset::OffsetTail(_) => None,
        };
        offsets.insert(Place::read(&element), offset);
    }
    Ok(offsets)
}
