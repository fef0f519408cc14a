//! The real binary as a process of its own: started, watched by its log, stopped or killed.

use std::{
    io::{BufRead, BufReader},
    net::TcpListener,
    path::Path,
    process::{Child, Command, ExitStatus, Stdio},
    sync::{
        atomic::{AtomicU32, Ordering},
        mpsc::{Receiver, RecvTimeoutError, Sender, channel},
    },
    thread,
    time::Duration,
};

use rega::clock::Stopwatch;

use crate::broker::Broker;

/// Longer than anything that is waited for takes; then the test fails and says what it waited for.
pub(crate) const LIMIT: Duration = Duration::from_secs(90);

/// How long one line may be waited for while others come: a log that goes on and on ends no test.
const WAIT_LIMIT: Duration = Duration::from_mins(4);

/// How a process ends at a failpoint: SIGABRT.
pub(crate) const ABORTED: Option<i32> = Some(6);

/// One running `rega run`. Killed when dropped.
pub(crate) struct Rega {
    child: Child,
    lines: Receiver<String>,
    seen: Vec<String>,
}

/// What an instance is started with.
pub(crate) struct Setup<'a> {
    pub(crate) broker: &'a Broker,
    pub(crate) app: &'a str,
    /// Its folder: state and config.
    pub(crate) folder: &'a Path,
    /// More settings, as YAML.
    pub(crate) more: &'a str,
}

impl Setup<'_> {
    /// Writes the config file, and returns a command that runs it.
    pub(crate) fn command(&self) -> Command {
        let file = self.folder.join("rega.yaml");
        let (app, brokers, more) = (self.app, self.broker.address(), self.more);
        let state = self.folder.join("state");
        let topics = format!(
            "topics:\n  touchpoints: {app}-touchpoints\n  moments: {app}-moments\n  \
             engagement: {app}-engagement\n  rejects: {app}-rejects\n  pain_spikes: {app}-pain-spikes"
        );
        // A test that names topics names all of them.
        let topics = if more.contains("topics:") { String::new() } else { topics };
        let kafka = format!(
            "kafka: {{ brokers: \"{brokers}\", properties: {{ session.timeout.ms: 6000, \
             topic.metadata.refresh.interval.ms: 2000 }} }}"
        );
        let kafka = if more.contains("kafka:") { String::new() } else { kafka };
        let config = format!(
            "app: {app}\n\
             {kafka}\n\
             {topics}\n\
             state: {{ dir: \"{}\" }}\n\
             {more}\n",
            state.display()
        );
        std::fs::write(&file, config).unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_rega"));
        command.args(["run", "--log", "rega=debug", "--config"]).arg(file);
        if !self.more.contains("http:") {
            command.env("REGA_HTTP__LISTEN", "127.0.0.1:0");
        }
        command
    }

    pub(crate) fn start(&self) -> Rega {
        self.start_with(&[])
    }

    pub(crate) fn start_with(&self, arguments: &[&str]) -> Rega {
        let mut command = self.command();
        command.args(arguments);
        Self::spawn(command)
    }

    /// Starts it with failpoints set: it ends by itself at one of them.
    pub(crate) fn start_failing(&self, failpoints: &str) -> Rega {
        let mut command = self.command();
        command.env("FAILPOINTS", failpoints).env("REGA_STATE__CHECKPOINT", "200ms");
        Self::spawn(command)
    }

    /// Starts it by another program, with more of an environment.
    pub(crate) fn start_within(&self, mut outer: Command, environment: &[(&str, &str)]) -> Rega {
        let command = self.command();
        outer.arg(command.get_program()).args(command.get_args());
        outer.envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
        outer.envs(environment.iter().copied());
        Self::spawn(outer)
    }

    fn spawn(mut command: Command) -> Rega {
        let mut child = command.stderr(Stdio::piped()).spawn().unwrap();
        let stderr = BufReader::new(child.stderr.take().unwrap());
        let (sender, lines) = unbounded();
        thread::spawn(move || {
            for line in stderr.lines().map_while(Result::ok) {
                if sender.send(line).is_err() {
                    return;
                }
            }
        });
        Rega { child, lines, seen: Vec::new() }
    }

    /// Runs to the end, which must come by itself; returns the exit code and what was said.
    #[track_caller]
    pub(crate) fn run(&self) -> (Option<i32>, String) {
        let mut rega = Self::spawn(self.command());
        (rega.wait().code(), rega.log())
    }
}

impl Rega {
    /// Waits for a log line that contains `text`, from where the last wait ended.
    #[track_caller]
    pub(crate) fn wait_for(&mut self, text: &str) {
        self.wait_for_any(&[text]);
    }

    /// The same for any of some texts.
    #[track_caller]
    pub(crate) fn wait_for_any(&mut self, texts: &[&str]) {
        self.wait_for_any_within(texts, WAIT_LIMIT);
    }

    /// Waits no longer than that, whatever else is said meanwhile.
    #[track_caller]
    fn wait_for_any_within(&mut self, texts: &[&str], limit: Duration) {
        let watch = Stopwatch::start();
        loop {
            let Ok(line) = self.lines.recv_timeout(watch.left_of(limit).min(LIMIT)) else {
                panic!("none of {texts:?} in the log:\n{}", self.seen.join("\n"));
            };
            let found = texts.iter().any(|text| line.contains(text));
            self.seen.push(line);
            if found {
                return;
            }
        }
    }

    #[track_caller]
    pub(crate) fn wait_for_each(&mut self, text: &str, count: usize) {
        for _ in 0..count {
            self.wait_for(text);
        }
    }

    /// Ends it at once, as a crash would.
    pub(crate) fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Waits for a log line that contains `text`, or for the end; returns whether it was the line.
    pub(crate) fn sees_or_ends(&mut self, text: &str) -> bool {
        while let Ok(line) = self.lines.recv_timeout(LIMIT) {
            let found = line.contains(text);
            self.seen.push(line);
            if found {
                return true;
            }
        }
        assert!(self.child.try_wait().unwrap().is_some(), "neither in time:\n{}", self.log());
        false
    }

    /// Returns the process's number.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Returns where it answers over HTTP: at port 0 the system chooses one that nobody has.
    #[track_caller]
    pub(crate) fn address(&mut self) -> String {
        const SAID: &str = "answering over HTTP address=";
        if !self.seen.iter().any(|line| line.contains(SAID)) {
            self.wait_for(SAID);
        }
        let line = self.seen.iter().find_map(|line| line.split_once(SAID));
        line.map(|(_, address)| address.trim().to_owned()).unwrap()
    }

    /// Waits until it has ended by itself.
    #[track_caller]
    pub(crate) fn wait(&mut self) -> ExitStatus {
        self.wait_within(LIMIT)
    }

    /// Asks it to end, and waits until it has.
    #[track_caller]
    pub(crate) fn terminate(&mut self) -> ExitStatus {
        self.signal("-TERM");
        self.wait_within(LIMIT)
    }

    /// Asks it to end again and again, and waits until it has.
    #[track_caller]
    pub(crate) fn insist(&mut self) -> ExitStatus {
        let watch = Stopwatch::start();
        while watch.elapsed() < LIMIT {
            self.signal("-TERM");
            match self.lines.recv_timeout(Duration::from_millis(100)) {
                Ok(line) => self.seen.push(line),
                Err(RecvTimeoutError::Disconnected) => return self.child.wait().unwrap(),
                Err(RecvTimeoutError::Timeout) => {}
            }
        }
        panic!("it has not ended within {LIMIT:?}:\n{}", self.log())
    }

    /// Reads its log to the end, which is the process's. One that does not end fails the test, with
    /// its log, instead of holding up all others.
    #[track_caller]
    fn wait_within(&mut self, limit: Duration) -> ExitStatus {
        let watch = Stopwatch::start();
        loop {
            match self.lines.recv_timeout(watch.left_of(limit)) {
                Ok(line) => self.seen.push(line),
                Err(RecvTimeoutError::Disconnected) => return self.child.wait().unwrap(),
                Err(RecvTimeoutError::Timeout) => {
                    panic!("it has not ended within {limit:?}:\n{}", self.log())
                }
            }
        }
    }

    pub(crate) fn signal(&self, signal: &str) {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args([signal, &pid]).status().unwrap().success());
    }

    /// Everything logged so far.
    pub(crate) fn log(&mut self) -> String {
        self.seen.extend(self.lines.try_iter());
        self.seen.join("\n")
    }
}

impl Drop for Rega {
    fn drop(&mut self) {
        // It may have ended by itself.
        drop(self.child.kill());
        drop(self.child.wait());
        if thread::panicking() {
            eprintln!("--- log of the instance\n{}", self.log());
        }
    }
}

/// Makes a queue that takes every line: at a bound the instance would wait for its log to be read.
#[expect(clippy::disallowed_methods, reason = "a bound would stop the process under test")]
fn unbounded() -> (Sender<String>, Receiver<String>) {
    channel()
}

/// The ports given away: below those that Linux takes for outgoing connections (from 32,768 on), so
/// that none of them gets one between our look and the program that is to listen there.
const PORTS: std::ops::Range<u16> = 12_000..32_000;

/// How many neighbours go together: a broker takes two, and some tests two more.
const NEIGHBOURS: u16 = 4;

/// A port that nobody had a moment ago, and the three above it: for programs that cannot say which one
/// they took. No two tests get the same. An instance of Rega listens on port 0 and is asked for its
/// [`Rega::address`].
pub(crate) fn free_port() -> u16 {
    static GIVEN: AtomicU32 = AtomicU32::new(0);
    let places = u32::from((PORTS.end - PORTS.start) / NEIGHBOURS);
    for _ in 0..places {
        // Another process of tests begins elsewhere.
        let turn =
            GIVEN.fetch_add(1, Ordering::Relaxed).wrapping_add(std::process::id().wrapping_mul(97));
        let place = u16::try_from(turn % places).unwrap();
        let first = PORTS.start + place * NEIGHBOURS;
        let free = |port| TcpListener::bind(("127.0.0.1", port)).is_ok();
        if (first..first + NEIGHBOURS).all(free) {
            return first;
        }
    }
    panic!("no port in {PORTS:?} is free");
}

#[test]
fn a_log_that_goes_on_and_on_does_not_hold_a_wait_up() {
    let mut endless = Command::new("sh");
    endless.args(["-c", "exec yes line >&2"]);
    let mut rega = Setup::spawn(endless);
    let wait = || rega.wait_for_any_within(&["another"], Duration::from_millis(50));
    let waited = std::panic::catch_unwind(std::panic::AssertUnwindSafe(wait));
    assert!(waited.is_err(), "it has found what nobody said");
    rega.seen.clear();
}
