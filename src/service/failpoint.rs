//! Where a test may end the process, or have something fail: the places at which it would hurt most.
//!
//! In a build for tests (the crate `fail` has its feature on there, and with `--features failpoints`)
//! the variable `FAILPOINTS` names one, such as `after-drain=3*off->return`: the fourth time that it
//! is reached, the process is gone, as by a kill. In any other build there is nothing here.

use crate::kafka::KafkaFailure;

/// A place at which a process may be ended, or something fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Failpoint {
    /// Records of a transaction were handed to the client.
    AfterProduce,
    /// The broker has them.
    AfterDrain,
    /// The offsets are part of the transaction.
    AfterOffsets,
    /// The broker has committed, and nobody here knows.
    AfterCommit,
    /// A checkpoint was begun.
    BeforeCheckpoint,
    /// A slice of a checkpoint was written.
    InCheckpoint,
    /// A checkpoint was written.
    AfterCheckpoint,
    /// Some of a partition's rows were read back.
    InRestore,
    /// Partitions are asked for, and still here.
    InRevoke,
    /// Partitions of a source are asked for, and still here.
    InRouteRevoke,
    /// Partitions were given, and not taken up.
    InAssign,
    /// Partitions cannot be gone on with, and what was processed before is to be committed first.
    BeforeStop,
}

impl Failpoint {
    /// Returns the name in `FAILPOINTS`.
    const fn as_str(self) -> &'static str {
        match self {
            Self::AfterProduce => "after-produce",
            Self::AfterDrain => "after-drain",
            Self::AfterOffsets => "after-offsets",
            Self::AfterCommit => "after-commit",
            Self::BeforeCheckpoint => "before-checkpoint",
            Self::InCheckpoint => "in-checkpoint",
            Self::AfterCheckpoint => "after-checkpoint",
            Self::InRestore => "in-restore",
            Self::InRevoke => "in-revoke",
            Self::InRouteRevoke => "in-route-revoke",
            Self::InAssign => "in-assign",
            Self::BeforeStop => "before-stop",
        }
    }

    /// Says that this place is reached.
    pub(super) fn reached(self) {
        let name = self.as_str();
        tracing::trace!(name, "failpoint");
        fail::fail_point!(name, |_given| std::process::abort());
    }

    /// Says that this place is reached, where a test wants no end but a failure that can be undone.
    pub(super) fn fails(self) -> Result<(), KafkaFailure> {
        self.failure().map_or(Ok(()), Err)
    }

    fn failure(self) -> Option<KafkaFailure> {
        let name = self.as_str();
        tracing::trace!(name, "failpoint");
        fail::fail_point!(name, |_given| Some(KafkaFailure::lost_partitions()));
        None
    }
}
