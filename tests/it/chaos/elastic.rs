//! More processes and fewer, under load, and one that slept through it all.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex,
        mpsc::{RecvTimeoutError, SyncSender, sync_channel},
    },
    thread::{self, JoinHandle},
    time::Duration,
};

use rega::clock::Stopwatch;
use tempfile::TempDir;

use super::{
    PARTITIONS, RATE, check, members::Members, offer::Offer, wait_until_all_is_read, watch,
};
use crate::{
    broker::{self, unique},
    client::{self, Reader},
    process::Setup,
    stream::Stream,
};

/// Between two steps, each partition gets on by so many offsets.
const WHILE: i64 = 200;

/// How long partitions were without progress, as a reader of committed moments sees it.
#[derive(Default)]
struct Gaps {
    last: BTreeMap<i32, (Stopwatch, i64)>,
    longest: BTreeMap<i32, Duration>,
}

struct GapWatch {
    broker: String,
    topic: String,
    gaps: Arc<Mutex<Gaps>>,
    enough: SyncSender<()>,
    thread: JoinHandle<()>,
}

impl GapWatch {
    fn begin(broker: &str, topic: &str) -> Self {
        let (enough, done) = sync_channel::<()>(1);
        let gaps = Arc::new(Mutex::new(Gaps::default()));
        let (reader, shared) = (Reader::new(broker, topic, PARTITIONS), Arc::clone(&gaps));
        let thread = thread::spawn(move || {
            while done.recv_timeout(Duration::ZERO) == Err(RecvTimeoutError::Timeout) {
                let Some(record) = reader.poll(Duration::from_millis(50)) else { continue };
                let mut gaps = shared.lock().unwrap();
                let Gaps { last, longest } = &mut *gaps;
                let now = (Stopwatch::start(), record.offset);
                if let Some((since, _)) = last.insert(record.partition, now) {
                    let longest = longest.entry(record.partition).or_default();
                    *longest = since.elapsed().max(*longest);
                }
            }
        });
        Self { broker: broker.to_owned(), topic: topic.to_owned(), gaps, enough, thread }
    }

    /// Waits until every partition has got on by `more` offsets from where it is now.
    fn wait_for_all(&self, more: i64) {
        let watch = Stopwatch::start();
        let ends = client::ends(&self.broker, &self.topic, PARTITIONS, "read_uncommitted");
        let is_beyond = |(partition, end): (&i32, &i64)| {
            let gaps = self.gaps.lock().unwrap();
            gaps.last.get(partition).is_some_and(|(_, offset)| end + more <= *offset)
        };
        while !ends.iter().all(is_beyond) {
            assert!(watch.elapsed() < Duration::from_mins(2), "a partition does not get on");
            watch::pause(Duration::from_millis(100));
        }
    }

    /// Tells the step's gaps, and begins another step.
    fn step(&self, name: &str) {
        let mut gaps = self.gaps.lock().unwrap();
        let longest = std::mem::take(&mut gaps.longest);
        let gaps: Vec<String> =
            longest.values().map(|gap| format!("{:.1}", gap.as_secs_f64())).collect();
        println!("{name}: seconds without progress by partition: {}", gaps.join(" "));
        assert_eq!(i32::try_from(longest.len()), Ok(PARTITIONS), "a partition stands");
    }

    fn end(self) {
        self.enough.send(()).unwrap();
        self.thread.join().unwrap();
    }
}

#[test]
fn one_becomes_three_becomes_one_under_load() {
    let Some(broker) = broker::shared() else { return };
    let app = unique("elastic");
    let (input, moments) = (format!("{app}-touchpoints"), format!("{app}-moments"));
    client::create_topic(broker, &input, PARTITIONS, &[]);
    let mut members = Members::new(broker, &app, 3);
    members.spawn(0);
    let offer = Offer::begin(&broker.address(), &input, 1, RATE);
    members.wait_for_topic(&moments);
    let gaps = GapWatch::begin(&broker.address(), &moments);
    gaps.wait_for_all(1);
    gaps.step("one starts");
    gaps.wait_for_all(WHILE);
    gaps.step("one works");
    members.spawn(1);
    members.spawn(2);
    members.wait_for_log(1, "partition ready");
    members.wait_for_log(2, "partition ready");
    gaps.wait_for_all(WHILE);
    gaps.step("one becomes three");
    members.drain(1);
    members.drain(2);
    // A static member that ends does not leave: its partitions wait for its session to be over. What
    // comes from now on is the first one's work.
    gaps.wait_for_all(WHILE);
    gaps.step("three become one");
    gaps.end();
    println!("{} touchpoints offered", offer.end());
    wait_until_all_is_read(broker, &app, &input);
    check(broker, &app, &input, &members);
    members.check_logs();
}

/// It is stopped with a transaction open, others take its work over, and it wakes up.
#[test]
fn a_zombies_transaction_is_refused_and_it_rejoins() {
    let Some(broker) = broker::shared() else { return };
    let stream = Stream::new(&unique("zombie"), 2, 3000);
    stream.create_input(broker);
    let more = "workers: 1\ncommit: { interval: 3s, max_touchpoints: 100000 }";
    let folders = [TempDir::new().unwrap(), TempDir::new().unwrap()];
    let start = |number: usize| {
        let folder = folders[number].path();
        Setup { broker, app: stream.app(), folder, more }.start()
    };
    let mut sleeper = start(0);
    sleeper.wait_for_each("partition ready", 2);
    let mut other = start(1);
    other.wait_for("partition ready");
    stream.produce(broker, 0..1000);
    // It has read what there is, and commits three seconds later.
    sleeper.wait_for_any(&["end of partition at offset 505", "end of partition at offset 495"]);
    sleeper.signal("-STOP");
    stream.produce(broker, 1000..2000);
    other.wait_for("partition ready");
    other.wait_for("committed worker=0 records=");
    sleeper.signal("-CONT");
    sleeper.wait_for("commit failed, its work is done again");
    sleeper.wait_for("partition ready");
    stream.produce(broker, 2000..3000);
    stream.check(broker);
}
