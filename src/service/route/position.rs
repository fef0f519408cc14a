//! Where a router begins to read a partition that it was given.
//!
//! The group's committed offset says so, and where there is none, what else is known. As everywhere:
//! nothing jumps silently. What cannot be decided stops that partition, and the others go on.

use crate::{service::InputStart, telemetry::StopReason};

/// What is known of a partition before it is read.
#[derive(Clone, Copy, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "facts that are independent of each other")]
pub(super) struct Known {
    /// The route group's committed offset.
    pub(super) committed: Option<i64>,
    /// The workers have read this topic themselves, before it was routed.
    pub(super) read_before: bool,
    /// How far they had read this partition.
    pub(super) before_routing: Option<i64>,
    /// The first offset that the broker holds, and the one after the last.
    pub(super) bounds: (i64, i64),
    /// The group had read from this topic before, or the partition is younger than the process.
    pub(super) widened: bool,
    /// The copy has records already.
    pub(super) copied: bool,
    /// `--adopt-offsets`.
    pub(super) adopt_offsets: bool,
    /// `input.start`.
    pub(super) start: InputStart,
}

/// Where to begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Begin {
    /// There.
    At(i64),
    /// At the first record from that time on (milliseconds).
    Since(i64),
}

/// Why a router cannot begin by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Lost {
    #[error(
        "it would go on at offset {offset}, but the broker holds {first} to {end}: records were \
         deleted before they were routed, or the topic was made again; set the offset of the route \
         group, or start anew with another `app`"
    )]
    OutOfRange { offset: i64, first: i64, end: i64 },
    #[error(
        "the route group has no offsets any more, but the routed topic has records: they expired or \
         were deleted, and to begin at `input.start` could repeat touchpoints; set the offsets of the \
         route group, or start with `--adopt-offsets` to begin at `input.start` all the same"
    )]
    NoOffsets,
    #[error(
        "this topic was read by the workers themselves before: start once with `--adopt-offsets` to \
         route it from where they were, or start anew with another `app`"
    )]
    ReadBefore,
}

impl Lost {
    /// Returns the name under which it is counted.
    pub(super) const fn code(self) -> StopReason {
        match self {
            Self::OutOfRange { .. } => StopReason::OutOfRange,
            Self::NoOffsets => StopReason::NoOffsets,
            Self::ReadBefore => StopReason::ReadBefore,
        }
    }
}

/// Decides where to begin.
pub(super) fn begin(known: &Known) -> Result<Begin, Lost> {
    let (first, end) = known.bounds;
    let at = |offset: i64| {
        if (first..=end).contains(&offset) {
            Ok(Begin::At(offset))
        } else {
            Err(Lost::OutOfRange { offset, first, end })
        }
    };
    if let Some(offset) = known.committed {
        return at(offset);
    }
    if known.read_before && !known.adopt_offsets {
        return Err(Lost::ReadBefore);
    }
    if let Some(offset) = known.before_routing {
        return at(offset);
    }
    if known.widened || known.read_before {
        // Whoever widened the topic wants what was written there.
        return Ok(Begin::At(first));
    }
    if known.copied && !known.adopt_offsets {
        return Err(Lost::NoOffsets);
    }
    Ok(match known.start {
        InputStart::Earliest => Begin::At(first),
        InputStart::Latest => Begin::At(end),
        InputStart::At(time) => Begin::Since(time.as_millis()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const UNREAD: Known = Known {
        committed: None,
        read_before: false,
        before_routing: None,
        bounds: (10, 100),
        widened: false,
        copied: false,
        adopt_offsets: false,
        start: InputStart::Latest,
    };

    #[test]
    fn what_was_committed_is_gone_on_with_and_nothing_jumps() {
        let known = Known { committed: Some(50), ..UNREAD };
        assert_eq!(begin(&known), Ok(Begin::At(50)));
        let known = Known { committed: Some(9), ..UNREAD };
        assert_eq!(begin(&known), Err(Lost::OutOfRange { offset: 9, first: 10, end: 100 }));
    }

    #[test]
    fn an_unread_topic_begins_where_it_was_told_to() {
        assert_eq!(begin(&UNREAD), Ok(Begin::At(100)));
        assert_eq!(begin(&Known { start: InputStart::Earliest, ..UNREAD }), Ok(Begin::At(10)));
    }

    #[test]
    fn a_partition_that_was_added_is_read_from_its_first_record() {
        assert_eq!(begin(&Known { widened: true, copied: true, ..UNREAD }), Ok(Begin::At(10)));
    }

    #[test]
    fn offsets_that_are_gone_stop_until_the_operator_decides() {
        let known = Known { copied: true, ..UNREAD };
        assert_eq!(begin(&known), Err(Lost::NoOffsets));
        assert_eq!(begin(&Known { adopt_offsets: true, ..known }), Ok(Begin::At(100)));
    }

    /// From `input.keyed: true` to `false`: the router goes on where the workers were.
    #[test]
    fn what_the_workers_had_read_themselves_is_not_routed_again() {
        let known = Known { read_before: true, before_routing: Some(70), ..UNREAD };
        assert_eq!(begin(&known), Err(Lost::ReadBefore));
        let known = Known { adopt_offsets: true, ..known };
        assert_eq!(begin(&known), Ok(Begin::At(70)));
        // And what was added to the topic since, from its first record.
        assert_eq!(begin(&Known { before_routing: None, ..known }), Ok(Begin::At(10)));
    }
}
