//! Partitions that a group has given to nobody, and how it is made to notice.
//!
//! A cooperative rebalance has two rounds: in the first a partition is taken from one member, in the
//! second it is given to another. Who gave it up asks for the second round by joining again. If that
//! member is killed in between (or the broker is), and is back within its session, it is a static
//! member that the group knows: it gets what it had after the first round, no round follows, and the
//! partition belongs to nobody for as long as all members live. So members look at times whether
//! every partition has an owner, and where one has none, a guest joins for a moment: that makes the
//! group share out anew. The guest asks for another topic, so that none of the work goes to it.

use std::{collections::BTreeSet, time::Duration};

use rdkafka::{
    consumer::Consumer,
    groups::{GroupInfo, GroupMemberInfo},
};

use super::{GroupConsumer, KafkaFailure, Place};

/// Who has what in a group.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ownership {
    /// Partitions of what the group reads that nobody has.
    pub orphans: Vec<Place>,
    /// The member that acts on it: the first by name, so that only one does.
    pub spokesman: String,
}

impl GroupConsumer {
    /// Asks the broker who has which partitions of the topics that are read; `None` while the group
    /// is sharing them out.
    ///
    /// # Errors
    ///
    /// No answer in time.
    pub fn ownership(&self, limit: Duration) -> Result<Option<Ownership>, KafkaFailure> {
        let wanted = self.places(limit)?;
        let groups = self
            .consumer
            .fetch_group_list(Some(self.group()), limit)
            .map_err(|error| KafkaFailure::new("asking who has which partitions", &error))?;
        let group = groups.groups().iter().find(|found| found.name() == self.group());
        Ok(group.filter(|group| group.state() == "Stable").and_then(|group| {
            let orphans = orphans(group, wanted)?;
            let spokesman = group.members().iter().map(GroupMemberInfo::client_id).min()?;
            Some(Ownership { orphans, spokesman: spokesman.to_owned() })
        }))
    }
}

/// Returns the wanted partitions that no member has; `None` where what the broker says is not
/// understood.
fn orphans(group: &GroupInfo, wanted: Vec<Place>) -> Option<Vec<Place>> {
    let mut owned = BTreeSet::new();
    for member in group.members() {
        owned.extend(assigned(member.assignment().unwrap_or_default())?);
    }
    let is_owned = |place: &Place| owned.contains(&(place.topic.as_bytes(), place.partition));
    Some(wanted.into_iter().filter(|place| !is_owned(place)).collect())
}

/// Reads a member's assignment as consumers write it: a version, then topics with their partitions.
fn assigned(bytes: &[u8]) -> Option<Vec<(&[u8], i32)>> {
    let mut found = Vec::new();
    if bytes.is_empty() {
        return Some(found);
    }
    let mut rest = bytes.get(2..)?;
    for _ in 0..take_i32(&mut rest)? {
        let (length, after) = rest.split_first_chunk::<2>()?;
        let (name, after) = after.split_at_checked(usize::from(u16::from_be_bytes(*length)))?;
        rest = after;
        for _ in 0..take_i32(&mut rest)? {
            found.push((name, take_i32(&mut rest)?));
        }
    }
    Some(found)
}

fn take_i32(rest: &mut &[u8]) -> Option<i32> {
    let (number, after) = rest.split_first_chunk::<4>()?;
    *rest = after;
    Some(i32::from_be_bytes(*number))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(topics: &[(&str, &[i32])]) -> Vec<u8> {
        let mut bytes = vec![0, 1];
        bytes.extend(u32::try_from(topics.len()).unwrap().to_be_bytes());
        for (name, partitions) in topics {
            bytes.extend(u16::try_from(name.len()).unwrap().to_be_bytes());
            bytes.extend(name.as_bytes());
            bytes.extend(u32::try_from(partitions.len()).unwrap().to_be_bytes());
            bytes.extend(partitions.iter().flat_map(|partition| partition.to_be_bytes()));
        }
        // What the assignor adds for itself.
        bytes.extend([0, 0, 0, 0]);
        bytes
    }

    #[test]
    fn a_members_partitions_are_read() {
        let bytes = written(&[("other", &[7]), ("touchpoints", &[0, 4]), ("empty", &[])]);
        let (other, touchpoints) = (b"other".as_slice(), b"touchpoints".as_slice());
        assert_eq!(assigned(&bytes), Some(vec![(other, 7), (touchpoints, 0), (touchpoints, 4)]));
        assert_eq!(assigned(&[]), Some(vec![]));
    }

    #[test]
    fn what_is_cut_is_not_understood() {
        let bytes = written(&[("touchpoints", &[0, 4])]);
        for length in 1..bytes.len() - 4 {
            assert_eq!(assigned(&bytes[..length]), None, "{length}");
        }
    }
}
