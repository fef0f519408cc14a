//! What a running service has to know. Made from the checked configuration.

use std::{path::PathBuf, time::Duration};

use crate::{
    clock::Clock,
    engine::spike::DetectorSettings,
    http::Token,
    kafka::{Connection, TopicPlan},
    model::{EventTime, Partitioner},
    notify,
};

/// Where a partition begins that nobody of the group has read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InputStart {
    /// At the oldest record the broker holds.
    Earliest,
    /// After the newest one.
    Latest,
    /// At the first record that is not older.
    At(EventTime),
}

/// What is kept on this machine.
#[derive(Clone, Debug)]
pub struct StateSettings {
    /// Where: locked by whoever starts the service.
    pub dir: PathBuf,
    /// The longest time between two checkpoints while records flow.
    pub checkpoint_interval: Duration,
    /// How much memory the rows of all workers may take. From half of a partition's share on, a
    /// checkpoint is made whatever the time; a partition whose share is full of what the disk does
    /// not take is not read any further.
    pub memory_bytes: usize,
    /// How long the state of a partition that went elsewhere is kept.
    pub keep: Duration,
}

/// The settings of one process.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The application: group id, and prefix of transactional ids and of internal topics.
    pub app: String,
    /// This process among those of the application.
    pub instance: String,
    /// How to reach Kafka.
    pub connection: Connection,
    /// The topics.
    pub topics: TopicPlan,
    /// Where other instances reach this one; `None`: where it listens.
    pub advertise: Option<String>,
    /// What a request for customers must show.
    pub token: Option<Token>,
    /// How many workers share this process's partitions.
    pub worker_count: u16,
    /// The longest time between two commits while records flow; where more wait than are read, see
    /// [`Settings::commit_after`].
    pub commit_interval: Duration,
    /// The most records in one transaction: bounds what an abort repeats, and memory.
    pub max_records_per_commit: usize,
    /// How long the end may take.
    pub drain_timeout: Duration,
    /// How the input's producers choose a partition; `None`: to be learnt from what is read.
    pub partitioner: Option<Partitioner>,
    /// What is kept on this machine, and how much of it in memory.
    pub state: StateSettings,
    /// Where an unread partition begins.
    pub input_start: InputStart,
    /// Where the group's offset and the state disagree, the group's offset is believed.
    pub adopt_offsets: bool,
    /// How long the broker must confirm a partition's end before its time moves by itself.
    pub idle_after: Duration,
    /// What "now" means.
    pub clock: Clock,
    /// What is watched for spikes.
    pub detector: DetectorSettings,
    /// Who is told of them.
    pub notify: Option<notify::Settings>,
    /// How many may watch the live picture at a time.
    pub viewers_max: usize,
}

impl Settings {
    /// How long a partition must be at its end before it counts as idle: DOMAIN.md's five minutes,
    /// the time that a mobile phone's upload may take.
    pub const IDLE_AFTER: Duration = Duration::from_mins(5);

    /// How long a transaction lasts at least where records wait. Who is behind by seconds does not
    /// notice, and shorter ones would cost CPU where there is none to spare: at 50ms a fifth more a
    /// touchpoint (`docs/performance.md`).
    const COMMIT_AFTER_BEHIND: Duration = Duration::from_millis(100);

    /// Returns after how long a transaction is committed.
    pub(super) fn commit_after(&self, is_behind: bool) -> Duration {
        if is_behind {
            self.commit_interval.max(Self::COMMIT_AFTER_BEHIND)
        } else {
            self.commit_interval
        }
    }

    /// Returns the name under which a worker is a member of the group and a producer.
    pub fn worker_name(&self, worker: u16) -> String {
        format!("{}.{}.{worker}", self.app, self.instance)
    }

    /// The same for the router beside it.
    pub fn router_name(&self, router: u16) -> String {
        format!("{}.{}.route.{router}", self.app, self.instance)
    }
}
