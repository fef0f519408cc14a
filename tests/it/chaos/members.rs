//! The processes, and what is done to them.

use std::{
    fs::{self, File, OpenOptions},
    io::{Read, Write},
    net::TcpStream,
    os::unix::process::ExitStatusExt,
    path::PathBuf,
    process::{Child, Command},
    time::Duration,
};

use rega::clock::Stopwatch;
use serde_json::Value;
use tempfile::TempDir;

use super::{PARTITIONS, offer::Dice, watch};
use crate::{
    broker::Broker,
    process::{Setup, free_port},
};

/// Rules whose outcome a few lines can work out: points that do not fade, and promises.
const PACK: &str = "
pack: chaos
tracks:
  engage: { weight: 0.5, half_life: off }
  access: { weight: 0.5, half_life: off }
episodes: { delivery: {} }
rules:
  - name: looked
    when: { event: looked }
    label: { micro_moment: know }
    points: { engage: { add: 0.25, cap: 20, once_per: touchpoint, half_life: off } }
  - name: ordered
    when: { event: ordered }
    label: { micro_moment: buy }
    points: { access: { add: 1, cap: 50, once_per: touchpoint, half_life: off } }
    opens: { episode: delivery, key: order, due: { field: promised } }
  - name: delivered
    when: { event: delivered }
    label: { micro_moment: do }
    closes: { episode: delivery, key: order }
  - name: overdue
    when: { event: episode_overdue, episode: delivery }
    label: { valence: pain, reason: late_delivery, severity: 1 }
";

/// What happened, counted.
#[derive(Clone, Copy, Default)]
pub(super) struct Outcome {
    pub(super) kills: u32,
    /// A transaction was open when the process was gone.
    pub(super) in_transaction: u32,
    pub(super) empty_disks: u32,
    pub(super) pauses: u32,
    pub(super) drains: u32,
    pub(super) joins: u32,
    pub(super) broker_crashes: u32,
}

struct Member {
    folder: PathBuf,
    port: u16,
    child: Option<Child>,
    /// Stopped, and to be continued after so long.
    paused: Option<(Stopwatch, Duration)>,
}

pub(super) struct Members<'b> {
    broker: &'b Broker,
    app: String,
    root: TempDir,
    all: Vec<Member>,
    pub(super) outcome: Outcome,
}

impl<'b> Members<'b> {
    /// Starts so many; one more can join and leave.
    pub(super) fn start(broker: &'b Broker, app: &str, count: usize) -> Self {
        let mut members = Self::new(broker, app, count + 1);
        for number in 0..count {
            members.spawn(number);
        }
        members
    }

    /// Makes room for so many.
    pub(super) fn new(broker: &'b Broker, app: &str, count: usize) -> Self {
        let root = TempDir::with_prefix("rega-chaos-").unwrap();
        fs::write(root.path().join("chaos.yaml"), PACK).unwrap();
        let mut members = Self {
            broker,
            app: app.to_owned(),
            root,
            all: Vec::new(),
            outcome: Outcome::default(),
        };
        for number in 0..count {
            let folder = members.root.path().join(format!("{number}"));
            fs::create_dir(&folder).unwrap();
            members.all.push(Member { folder, port: free_port(), child: None, paused: None });
        }
        members
    }

    pub(super) fn spawn(&mut self, number: usize) {
        let member = &mut self.all[number];
        let more = format!(
            "workers: {}\nrules: [\"{}\"]\ncommit: {{ interval: 50ms, max_touchpoints: 400 }}",
            1 + number % 2,
            self.root.path().join("chaos.yaml").display()
        );
        let folder = &member.folder;
        let setup = Setup { broker: self.broker, app: &self.app, folder, more: &more };
        // Writes the settings; its own log is too long for hours.
        drop(setup.command());
        let log = OpenOptions::new().create(true).append(true).open(folder.join("log")).unwrap();
        // Another one while this is being worked on, in hours-long runs.
        let binary = std::env::var_os("REGA_CHAOS_BINARY");
        let child = Command::new(binary.unwrap_or_else(|| env!("CARGO_BIN_EXE_rega").into()))
            .args(["run", "--config"])
            .arg(folder.join("rega.yaml"))
            .env("REGA_HTTP__LISTEN", format!("127.0.0.1:{}", member.port))
            .env("REGA_STATE__CHECKPOINT", "300ms")
            .stderr(log)
            .spawn()
            .unwrap();
        member.child = Some(child);
    }

    /// Waits until the processes have made a topic.
    pub(super) fn wait_for_topic(&self, topic: &str) {
        let watch = Stopwatch::start();
        while !crate::client::topic_exists(&self.broker.address(), topic) {
            assert!(watch.elapsed() < Duration::from_mins(1), "\"{topic}\" is not made");
            watch::pause(Duration::from_millis(100));
        }
    }

    /// Waits until a process has said something.
    pub(super) fn wait_for_log(&self, number: usize, text: &str) {
        let log = self.all[number].folder.join("log");
        let watch = Stopwatch::start();
        while !fs::read_to_string(&log).is_ok_and(|log| log.contains(text)) {
            assert!(watch.elapsed() < Duration::from_mins(1), "{number} does not say \"{text}\"");
            watch::pause(Duration::from_millis(100));
        }
    }

    /// Does something to somebody, a second or two after the last time.
    pub(super) fn strike(&mut self, dice: &mut Dice, moments: &str) {
        let wait = Duration::from_millis(500 + dice.below(2000));
        watch::pause(wait);
        self.look_after();
        let number = usize::try_from(dice.below(3)).unwrap();
        match dice.below(20) {
            0..=10 => self.kill(number, moments, false),
            11 | 12 => self.kill(number, moments, true),
            13..=15 => self.pause(number, Duration::from_secs(5 + dice.below(15))),
            16 | 17 => self.drain(number),
            _ => self.join_or_leave(),
        }
        if dice.below(2) == 0 {
            self.look_after();
        }
    }

    /// Continues who was paused for long enough, and starts who is gone.
    fn look_after(&mut self) {
        for number in 0..self.all.len() {
            let member = &mut self.all[number];
            if let Some(child) = &mut member.child {
                if member.paused.is_some_and(|(since, time)| since.left_of(time).is_zero()) {
                    member.paused = None;
                    signal(child, "-CONT");
                }
                if let Some(ended) = child.try_wait().unwrap() {
                    // A start needs a broker; whoever starts processes starts this one again.
                    let log = tail(&member.folder);
                    let last = log.lines().last().unwrap_or_default();
                    let no_broker = last.starts_with("rega: no Kafka broker answers");
                    assert!(no_broker, "it ended by itself: {ended:?}\n{log}");
                    member.child = None;
                }
            } else if number + 1 < self.all.len() {
                self.spawn(number);
            }
        }
    }

    fn kill(&mut self, number: usize, moments: &str, and_its_disk: bool) {
        let member = &mut self.all[number];
        let Some(mut child) = member.child.take() else { return };
        member.paused = None;
        child.kill().unwrap();
        child.wait().unwrap();
        self.outcome.kills += 1;
        if watch::is_open(&self.broker.address(), moments, PARTITIONS) {
            self.outcome.in_transaction += 1;
        }
        if and_its_disk {
            self.outcome.empty_disks += 1;
            for entry in fs::read_dir(member.folder.join("state")).into_iter().flatten().flatten() {
                if entry.path().is_dir() {
                    fs::remove_dir_all(entry.path()).unwrap();
                }
            }
        }
    }

    fn pause(&mut self, number: usize, time: Duration) {
        let member = &mut self.all[number];
        let Some(child) = member.child.as_ref().filter(|_| member.paused.is_none()) else { return };
        signal(child, "-STOP");
        member.paused = Some((Stopwatch::start(), time));
        self.outcome.pauses += 1;
    }

    pub(super) fn drain(&mut self, number: usize) {
        let member = &mut self.all[number];
        if member.paused.is_some() {
            return;
        }
        let Some(mut child) = member.child.take() else { return };
        signal(&child, "-TERM");
        let ended = child.wait().unwrap();
        // 1: not everything could be committed in time, for the broker is busy ending others'. None: it
        // had only just begun, and did not listen to signals yet.
        let fine = matches!(ended.code(), Some(0 | 1)) || ended.signal() == Some(15);
        assert!(fine, "{ended:?}\n{}", tail(&member.folder));
        self.outcome.drains += 1;
    }

    fn join_or_leave(&mut self) {
        let last = self.all.len() - 1;
        if self.all[last].child.is_none() {
            self.spawn(last);
        } else {
            self.drain(last);
            self.outcome.joins += 1;
        }
    }

    /// Continues and starts everybody.
    pub(super) fn calm_down(&mut self) -> Outcome {
        for member in &mut self.all {
            if let Some((_, time)) = &mut member.paused {
                *time = Duration::ZERO;
            }
        }
        self.look_after();
        self.outcome
    }

    /// Every customer's explanation adds up to their score, whoever is asked for it.
    pub(super) fn check_explanations<'c>(&self, customers: impl Iterator<Item = &'c str>) {
        let mut checked = 0;
        for id in customers {
            let views =
                self.all.iter().filter(|member| member.child.is_some()).filter_map(|member| {
                    let answer = get(member.port, &format!("/v1/customers/{id}"))?;
                    serde_json::from_str::<Value>(&answer).ok()
                });
            for view in views.filter(|view| view["ledger"].is_array()) {
                for track in ["engage", "access"] {
                    let lines = view["ledger"].as_array().unwrap().iter();
                    let sum: f64 = lines
                        .filter(|line| line["track"] == track)
                        .map(|line| line["counted"].as_f64().unwrap())
                        .sum();
                    let score = view["engagement"][track].as_f64().unwrap();
                    assert!((sum - score).abs() < 0.011, "{id}: {view}");
                }
                checked += 1;
            }
        }
        assert_ne!(checked, 0);
    }

    /// Nobody has panicked.
    pub(super) fn check_logs(&self) {
        for member in &self.all {
            let log = fs::read_to_string(member.folder.join("log")).unwrap_or_default();
            assert!(!log.contains("panicked"), "{}", tail(&member.folder));
        }
    }
}

impl Drop for Members<'_> {
    fn drop(&mut self) {
        for member in &mut self.all {
            if let Some(child) = &mut member.child {
                drop(child.kill());
                drop(child.wait());
            }
            if std::thread::panicking() {
                eprintln!("--- log of {}\n{}", member.folder.display(), tail(&member.folder));
            }
        }
    }
}

fn signal(child: &Child, signal: &str) {
    let pid = child.id().to_string();
    assert!(Command::new("kill").args([signal, &pid]).status().unwrap().success());
}

/// Returns the end of a member's log.
fn tail(folder: &std::path::Path) -> String {
    let mut log = String::new();
    if let Ok(mut file) = File::open(folder.join("log")) {
        drop(file.read_to_string(&mut log));
    }
    let lines: Vec<&str> = log.lines().filter(|line| !line.contains("kafka client")).collect();
    lines[lines.len().saturating_sub(60)..].join("\n")
}

/// Asks over HTTP; `None` where nobody answers with 200.
fn get(port: u16, path: &str) -> Option<String> {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).ok()?;
    stream.set_read_timeout(Some(Duration::from_secs(5))).ok()?;
    write!(stream, "GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").ok()?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).ok()?;
    let (head, body) = answer.split_once("\r\n\r\n")?;
    head.starts_with("HTTP/1.1 200").then(|| body.to_owned())
}
