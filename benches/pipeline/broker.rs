//! A native broker, started by `deploy/local/kafka` and gone with this process.

use std::{
    net::TcpListener,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::Duration,
};

use rdkafka::{
    ClientConfig, Offset, TopicPartitionList,
    admin::{AdminClient, AdminOptions, NewTopic, TopicReplication},
    client::DefaultClientContext,
    consumer::{BaseConsumer, Consumer},
};

const PATIENCE: Duration = Duration::from_secs(20);

/// A running broker.
pub(crate) struct Broker {
    port: u16,
    data: PathBuf,
}

impl Broker {
    /// Starts one on free ports; `None`, said aloud, where there is no Java or Maven.
    pub(crate) fn start(data: &Path) -> Option<Self> {
        let port = free_port_pair();
        let started = Command::new(script())
            .args(["start", "--heap", "768m", "--port", &port.to_string(), "--data"])
            .arg(data)
            .stdout(Stdio::null())
            .output()
            .unwrap();
        if !started.status.success() {
            let reason = String::from_utf8_lossy(&started.stderr).into_owned();
            let required = std::env::var("REGA_REQUIRE").unwrap_or_default();
            assert!(
                !required.split(',').any(|name| name == "kafka"),
                "kafka is required: {reason}"
            );
            println!("SKIPPED, because kafka is not to be had here: {reason}");
            return None;
        }
        Some(Self { port, data: data.to_owned() })
    }

    /// The address for clients.
    pub(crate) fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// Returns the settings that every client of the bench begins with.
    pub(crate) fn client(&self) -> ClientConfig {
        let mut config = ClientConfig::new();
        config.set("bootstrap.servers", self.address());
        config
    }

    /// Makes topics.
    pub(crate) fn create(&self, topics: &[&str], partitions: i32) {
        let admin: AdminClient<DefaultClientContext> = self.client().create().unwrap();
        let topics: Vec<NewTopic<'_>> = topics
            .iter()
            .map(|name| NewTopic::new(name, partitions, TopicReplication::Fixed(1)))
            .collect();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let made = runtime.block_on(admin.create_topics(&topics, &AdminOptions::new())).unwrap();
        for topic in made {
            topic.unwrap();
        }
    }

    /// Returns a consumer that reads `topic` from `from` on.
    pub(crate) fn reader(&self, topic: &str, partitions: i32, from: Offset) -> BaseConsumer {
        let reader: BaseConsumer = self
            .client()
            .set("group.id", "bench-reader")
            .set("enable.auto.commit", "false")
            .set("isolation.level", "read_committed")
            .set("fetch.wait.max.ms", "5")
            .set("fetch.queue.backoff.ms", "5")
            .create()
            .unwrap();
        let mut list = TopicPartitionList::new();
        for partition in 0..partitions {
            list.add_partition_offset(topic, partition, from).unwrap();
        }
        reader.assign(&list).unwrap();
        reader
    }

    /// Returns where each partition of a topic ends.
    pub(crate) fn ends(&self, topic: &str, partitions: i32) -> Vec<i64> {
        let asking: BaseConsumer = self.client().set("group.id", "bench").create().unwrap();
        let end = |partition| asking.fetch_watermarks(topic, partition, PATIENCE).unwrap().1;
        (0..partitions).map(end).collect()
    }
}

/// Asks how far a group has come.
pub(crate) struct Progress {
    consumer: BaseConsumer,
    topic: String,
    partitions: i32,
}

impl Progress {
    /// `group` is the application's.
    pub(crate) fn of(broker: &Broker, group: &str, topic: &str, partitions: i32) -> Self {
        let consumer = broker
            .client()
            .set("group.id", group)
            // Else the answer waits while a transaction with offsets is open.
            .set("isolation.level", "read_uncommitted")
            .create()
            .unwrap();
        Self { consumer, topic: topic.to_owned(), partitions }
    }

    /// Returns how many records are committed.
    pub(crate) fn committed(&self) -> i64 {
        let mut list = TopicPartitionList::new();
        for partition in 0..self.partitions {
            list.add_partition(&self.topic, partition);
        }
        let Ok(answer) = self.consumer.committed_offsets(list, PATIENCE) else { return 0 };
        answer.elements().iter().map(|one| one.offset().to_raw().unwrap_or(0).max(0)).sum()
    }
}

impl Drop for Broker {
    fn drop(&mut self) {
        let stop =
            Command::new(script()).args(["stop", "--now", "--data"]).arg(&self.data).output();
        drop(stop);
    }
}

fn script() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("deploy/local/kafka")
}

/// The broker takes this port, and its controller the next.
fn free_port_pair() -> u16 {
    for _ in 0..100 {
        let first = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = first.local_addr().unwrap().port();
        if port < u16::MAX && TcpListener::bind(("127.0.0.1", port + 1)).is_ok() {
            return port;
        }
    }
    panic!("no two neighbouring ports are free");
}
