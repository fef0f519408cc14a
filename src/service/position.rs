//! Where a restored partition goes on.
//!
//! State and offsets are written in one transaction, so they agree, or something happened outside:
//! offsets reset by hand, a topic deleted and made again, a partition added. Then the partition
//! stops and says what can be done. To guess would count touchpoints twice, or lose them, and nobody
//! could tell.

use crate::{engine::PartitionRow, telemetry::StopReason};

/// What is known about a partition before it starts.
#[derive(Clone, Copy, Debug)]
pub(super) struct Known<'a> {
    /// The input's id now; empty where it is not known.
    pub(super) topic_id: &'a str,
    /// The group's committed offset.
    pub(super) committed: Option<i64>,
    /// The partition row of the changelog.
    pub(super) row: Option<&'a PartitionRow>,
    /// The input's partition count now.
    pub(super) partition_count: i32,
    /// The first offset that the broker holds, and the one after the last.
    pub(super) bounds: (i64, i64),
    /// `--adopt-offsets`.
    pub(super) adopt_offsets: bool,
}

/// Where to go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Position {
    /// State and offset agree.
    Continue(i64),
    /// The group's offset is believed against the state, because the operator said so.
    Adopted(i64),
    /// Nobody has read this partition: `input.start` decides.
    Unread,
}

/// Why a partition cannot go on by itself.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Mismatch {
    #[error(
        "the state was written up to offset {state}, but the group's committed offset is \
         {committed}; start with `--adopt-offsets` to go on at {committed} with this state, or \
         start anew with another `app`"
    )]
    Offsets { state: i64, committed: i64 },
    #[error(
        "the group's committed offset is {committed}, but there is no state: was the state topic \
         deleted or made again? start with `--adopt-offsets` to go on at {committed} with empty \
         state, or start anew with another `app`"
    )]
    NoState { committed: i64 },
    #[error(
        "the state was written when the input had {state} partitions, and it has {now} now, so \
         customers have moved between partitions; start anew with another `app`"
    )]
    PartitionCount { state: i32, now: i32 },
    #[error(
        "the input topic is another than the state was written from (deleted and made again, or routed \
         now), so its offsets mean other records; set the group's offset and start with \
         `--adopt-offsets` to go on there with this state (without one: at its beginning), or start \
         anew with another `app`"
    )]
    TopicRemade,
    #[error(
        "it would go on at offset {offset}, but the broker holds {first} to {end}: records were \
         deleted before they were read, or the input was made again; set the group's offset and \
         start with `--adopt-offsets`, or start anew with another `app`"
    )]
    OutOfRange { offset: i64, first: i64, end: i64 },
}

impl Mismatch {
    /// Returns the name under which it is counted.
    pub(super) const fn code(&self) -> StopReason {
        match self {
            Self::Offsets { .. } => StopReason::Offsets,
            Self::NoState { .. } => StopReason::NoState,
            Self::TopicRemade => StopReason::OtherTopic,
            Self::PartitionCount { .. } => StopReason::PartitionCount,
            Self::OutOfRange { .. } => StopReason::OutOfRange,
        }
    }
}

/// Decides where a partition goes on.
pub(super) fn position(known: &Known<'_>) -> Result<Position, Mismatch> {
    if let Some(row) = known.row
        && row.partition_count != known.partition_count
    {
        return Err(Mismatch::PartitionCount {
            state: row.partition_count,
            now: known.partition_count,
        });
    }
    if let Some(row) = known.row
        && is_another(&row.topic_id, known.topic_id)
    {
        if !known.adopt_offsets {
            return Err(Mismatch::TopicRemade);
        }
        if known.committed.is_none() {
            // The row's offset means nothing here. From a keyed topic to its routed copy, this is
            // how.
            return Ok(Position::Adopted(known.bounds.0));
        }
    }
    let position = match (known.committed, known.row) {
        (None, None) => return Ok(Position::Unread),
        // The group's offsets expire and may be deleted; the state's offset does not.
        (None, Some(row)) => Position::Continue(row.next_offset),
        (Some(committed), Some(row)) if committed == row.next_offset => {
            Position::Continue(committed)
        }
        (Some(committed), _) if known.adopt_offsets => Position::Adopted(committed),
        (Some(committed), Some(row)) => {
            return Err(Mismatch::Offsets { state: row.next_offset, committed });
        }
        // An offset of 0 was never moved: nothing has been read.
        (Some(0), None) => Position::Continue(0),
        (Some(committed), None) => return Err(Mismatch::NoState { committed }),
    };
    in_range(position, known.bounds)
}

/// Returns whether two ids are of two topics. One that is not known is of any.
fn is_another(one: &str, other: &str) -> bool {
    !one.is_empty() && !other.is_empty() && one != other
}

fn in_range(position: Position, (first, end): (i64, i64)) -> Result<Position, Mismatch> {
    match position {
        Position::Continue(offset) | Position::Adopted(offset)
            if !(first..=end).contains(&offset) =>
        {
            Err(Mismatch::OutOfRange { offset, first, end })
        }
        Position::Continue(_) | Position::Adopted(_) | Position::Unread => Ok(position),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(next_offset: i64) -> PartitionRow {
        PartitionRow { next_offset, partition_count: 4, ..PartitionRow::default() }
    }

    #[track_caller]
    fn check(
        committed: Option<i64>,
        row: Option<&PartitionRow>,
        adopt_offsets: bool,
        expected: &Result<Position, Mismatch>,
    ) {
        let bounds = (10, 100);
        let known =
            Known { topic_id: "now", committed, row, partition_count: 4, bounds, adopt_offsets };
        assert_eq!(&position(&known), expected);
    }

    #[test]
    fn state_and_offset_that_agree_go_on() {
        check(Some(50), Some(&row(50)), false, &Ok(Position::Continue(50)));
        check(Some(100), Some(&row(100)), false, &Ok(Position::Continue(100)));
    }

    #[test]
    fn without_a_committed_offset_the_state_knows() {
        check(None, Some(&row(50)), false, &Ok(Position::Continue(50)));
        check(None, None, false, &Ok(Position::Unread));
    }

    #[test]
    fn a_disagreement_stops_until_the_operator_decides() {
        let mismatch = Mismatch::Offsets { state: 50, committed: 60 };
        check(Some(60), Some(&row(50)), false, &Err(mismatch));
        check(Some(60), Some(&row(50)), true, &Ok(Position::Adopted(60)));
    }

    #[test]
    fn an_offset_without_state_stops_too() {
        check(Some(60), None, false, &Err(Mismatch::NoState { committed: 60 }));
        check(Some(60), None, true, &Ok(Position::Adopted(60)));
    }

    #[test]
    fn nothing_jumps_over_records_that_are_gone() {
        for offset in [9, 101] {
            let expected = Err(Mismatch::OutOfRange { offset, first: 10, end: 100 });
            check(Some(offset), Some(&row(offset)), false, &expected);
        }
    }

    #[test]
    fn a_topic_that_was_made_again_stops_also_where_its_offsets_exist() {
        let of = |topic_id: &str| PartitionRow { topic_id: topic_id.to_owned(), ..row(50) };
        check(Some(50), Some(&of("before")), false, &Err(Mismatch::TopicRemade));
        check(None, Some(&of("before")), false, &Err(Mismatch::TopicRemade));
        check(Some(50), Some(&of("before")), true, &Ok(Position::Continue(50)));
        // From a keyed topic to its routed copy, which nobody has read.
        check(None, Some(&of("before")), true, &Ok(Position::Adopted(10)));
        check(None, Some(&of("now")), true, &Ok(Position::Continue(50)));
        check(Some(50), Some(&of("now")), false, &Ok(Position::Continue(50)));
    }

    #[test]
    fn another_partition_count_cannot_be_adopted() {
        let grown = PartitionRow { partition_count: 3, ..row(50) };
        let expected = Err(Mismatch::PartitionCount { state: 3, now: 4 });
        check(Some(50), Some(&grown), true, &expected);
    }
}
