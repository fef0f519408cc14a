//! The disk of a running process: kept, lost, spoiled, full.

use std::{fs, os::unix::process::CommandExt, process::Command};

use serde_json::json;
use tempfile::TempDir;

use crate::{
    broker::{self, Broker, unique},
    client,
    process::{Rega, Setup},
    stream::Stream,
};

const MORE: &str = "workers: 1\ncommit: { interval: 50ms, max_touchpoints: 400 }";

/// A stream of which half was worked off by a process that then ended in good order.
struct Half {
    stream: Stream,
    folder: TempDir,
}

impl Half {
    fn begin(broker: &Broker, name: &str) -> Self {
        let half =
            Self { stream: Stream::new(&unique(name), 1, 3000), folder: TempDir::new().unwrap() };
        half.stream.create_input(broker);
        half.stream.produce(broker, 0..1500);
        let mut rega = half.start(broker);
        rega.wait_for("reached end of partition at offset 1500");
        assert_eq!(rega.terminate().code(), Some(0), "{}", rega.log());
        half.stream.produce(broker, 1500..3000);
        half
    }

    fn start(&self, broker: &Broker) -> Rega {
        let (app, folder) = (self.stream.app(), self.folder.path());
        Setup { broker, app, folder, more: MORE }.start()
    }

    /// Starts it again, and returns how many records it read back from which offset on.
    fn restored(&self, broker: &Broker) -> (Rega, u64, i64) {
        let mut rega = self.start(broker);
        rega.wait_for("partition ready");
        let log = rega.log();
        let line = log.lines().rfind(|line| line.contains(": restoring")).unwrap();
        let number = |name: &str| {
            let (_, rest) = line.split_once(name).unwrap();
            rest.split_whitespace().next().unwrap().to_owned()
        };
        let (records, from) =
            (number("records=").parse().unwrap(), number("from=").parse().unwrap());
        (rega, records, from)
    }

    fn data(&self) -> std::path::PathBuf {
        self.folder.path().join("state/partition-0/data.mdb")
    }
}

#[test]
fn the_same_disk_reads_the_tail_and_a_new_one_reads_everything() {
    let Some(broker) = broker::shared() else { return };
    let half = Half::begin(broker, "tail");
    let (mut rega, records, from) = half.restored(broker);
    // The partition row, perhaps twice, and the transactions' marks; not 97 customers.
    assert!(0 < from && records < 20, "{records} from {from}");
    rega.kill();
    fs::remove_dir_all(half.folder.path().join("state/partition-0")).unwrap();
    let (_rega, records, from) = half.restored(broker);
    assert!(97 < records && from == 0, "{records} from {from}");
    half.stream.check(broker);
}

#[test]
fn a_spoiled_disk_is_thrown_away_whatever_was_spoiled() {
    let Some(broker) = broker::shared() else { return };
    let half = Half::begin(broker, "spoiled");
    let mut bytes = fs::read(half.data()).unwrap();
    // All but the two heads of the file, which would be noticed at once.
    for at in (8192..bytes.len()).step_by(61) {
        bytes[at] ^= 0x10;
    }
    fs::write(half.data(), bytes).unwrap();
    // Damaged pages may end the process that looks at them: at most three times.
    for _ in 0..3 {
        let mut rega = half.start(broker);
        if rega.sees_or_ends("committed worker=0 records=") {
            half.stream.check(broker);
            assert!(rega.log().contains("state on this disk discarded"), "{}", rega.log());
            return;
        }
    }
    let mut rega = half.start(broker);
    rega.wait_for("three starts in a row ended before anything was written to it");
    half.stream.check(broker);
}

#[test]
fn a_cut_file_is_thrown_away() {
    let Some(broker) = broker::shared() else { return };
    let half = Half::begin(broker, "cut");
    let length = fs::metadata(half.data()).unwrap().len();
    fs::OpenOptions::new().write(true).open(half.data()).unwrap().set_len(length / 2).unwrap();
    let mut rega = half.start(broker);
    rega.wait_for("state on this disk discarded");
    half.stream.check(broker);
}

/// The disk is a limit on the size of files here: it ends every write beyond, as a full disk would.
#[test]
fn a_full_disk_stops_reading_when_memory_is_full_and_goes_on_when_there_is_room() {
    const CUSTOMERS: usize = 5000;
    let Some(broker) = broker::shared() else { return };
    let app = unique("full");
    let (input, folder) = (format!("{app}-touchpoints"), TempDir::new().unwrap());
    client::create_topic(broker, &input, 1, &[]);
    let values: Vec<(String, String)> = (0..CUSTOMERS)
        .map(|number| {
            let id = format!("c{number}");
            let value = json!({
                "event_id": format!("e{number}"), "customer_id": id, "channel": "web",
                "ts": 1_750_000_000_000_u64 + u64::try_from(number).unwrap(),
                "event": "product_viewed", "properties": { "product_id": "p1" },
            });
            (id, value.to_string())
        })
        .collect();
    let records: Vec<(i32, &str, &str)> =
        values.iter().map(|(id, value)| (0, id.as_str(), value.as_str())).collect();
    client::produce(&broker.address(), &input, &records);
    let setup = Setup { broker, app: &app, folder: folder.path(), more: MORE };
    let mut limited = Command::new("bash");
    limited.args(["-c", "trap '' XFSZ; ulimit -S -f 64; exec \"$0\" \"$@\""]).process_group(0);
    // The least memory that may be configured: a partition's share is soon full.
    let settings = [("REGA_STATE__MEMORY_BYTES", "1048576"), ("REGA_STATE__CHECKPOINT", "200ms")];
    let mut rega = setup.start_within(limited, &settings);
    rega.wait_for("checkpoint refused");
    rega.wait_for("partition waits for room on the disk");
    let address = rega.address();
    let readiness = || crate::web::ask(&address, "GET", "/readyz", "").unwrap().1;
    let refused = "the disk does not take the checkpoint of partition 0";
    assert!(readiness().contains(refused), "{}", readiness());
    let moments = format!("{app}-moments");
    assert!(client::read(&broker.address(), &moments).len() < CUSTOMERS);
    let pid = rega.id().to_string();
    let raised = Command::new("prlimit").args(["--pid", &pid, "--fsize=unlimited:"]).status();
    assert!(raised.unwrap().success());
    client::read_until(&broker.address(), &moments, |seen| CUSTOMERS <= seen.len());
    rega.wait_for("checkpoint written");
    assert!(!readiness().contains(refused), "{}", readiness());
    assert_eq!(rega.terminate().code(), Some(0), "{}", rega.log());
    // Nothing twice, and the disk has everything.
    assert_eq!(client::read(&broker.address(), &moments).len(), CUSTOMERS);
    let mut rega = setup.start();
    rega.wait_for("partition ready");
    assert!(!rega.log().contains("discarded"), "{}", rega.log());
    let committed = client::committed(broker, &app, &input, 1);
    assert_eq!(committed[&0], i64::try_from(CUSTOMERS).unwrap());
}
