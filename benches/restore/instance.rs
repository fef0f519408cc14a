//! One `rega run`, its log with the time at which each line came, and its end.

use std::{
    fs,
    io::{BufRead, BufReader, Read, Write},
    net::{TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{Arc, Mutex},
    thread,
    time::{Duration, Instant},
};

use crate::{broker::Broker, options::Options};

/// Longer than anything that is waited for takes: a restore of all customers.
const PATIENCE: Duration = Duration::from_mins(5);

type Lines = Arc<Mutex<Vec<(Instant, String)>>>;

/// How an instance is started, again and again.
pub(crate) struct Setup {
    rega: PathBuf,
    folder: PathBuf,
    config: PathBuf,
    port: u16,
}

/// A running instance. Killed when dropped.
pub(crate) struct Instance {
    child: Child,
    lines: Lines,
    port: u16,
}

impl Setup {
    /// Writes the settings. `more` are further ones.
    pub(crate) fn new(
        options: &Options,
        broker: &Broker,
        folder: &Path,
        (app, more): (&str, &str),
    ) -> Self {
        let folder = folder.join(app);
        fs::create_dir_all(&folder).unwrap();
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let config = format!(
            "app: {app}\n\
             kafka: {{ brokers: [\"{}\"] }}\n\
             topics: {{ touchpoints: {app}-touchpoints, moments: {app}-moments, engagement: {app}-engagement, rejects: {app}-rejects }}\n\
             workers: {}\n\
             rules: [commerce]\n\
             http: {{ listen: \"127.0.0.1:{port}\" }}\n\
             {more}\n",
            broker.address(),
            options.workers,
        );
        let file = folder.join("rega.yaml");
        fs::write(&file, config).unwrap();
        Self { rega: options.rega.clone(), folder, config: file, port }
    }

    pub(crate) fn start(&self) -> Instance {
        let mut child = Command::new(&self.rega)
            .args(["run", "--log", "rega=debug", "--config"])
            .arg(&self.config)
            .env("REGA_STATE__DIR", self.folder.join("state"))
            .stdin(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("cannot start {}: {error}", self.rega.display()));
        let lines = Lines::default();
        let (stderr, shared) = (BufReader::new(child.stderr.take().unwrap()), Arc::clone(&lines));
        thread::spawn(move || {
            for line in stderr.lines().map_while(Result::ok) {
                shared.lock().unwrap().push((Instant::now(), line));
            }
        });
        Instance { child, lines, port: self.port }
    }

    /// Forgets what the disk has of every partition.
    pub(crate) fn empty_disk(&self) {
        for entry in fs::read_dir(self.folder.join("state")).unwrap().flatten() {
            if entry.path().is_dir() {
                fs::remove_dir_all(entry.path()).unwrap();
            }
        }
    }
}

impl Instance {
    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Returns when each line that contains `text` came, and the line.
    pub(crate) fn said(&self, text: &str) -> Vec<(Instant, String)> {
        let lines = self.lines.lock().unwrap();
        lines.iter().filter(|(_, line)| line.contains(text)).cloned().collect()
    }

    /// Waits until `text` has been said so often.
    pub(crate) fn wait_for(&mut self, text: &str, count: usize) {
        let began = Instant::now();
        while self.said(text).len() < count {
            let gone = self.child.try_wait().unwrap();
            if gone.is_some() || PATIENCE < began.elapsed() {
                let lines = self.lines.lock().unwrap();
                let last: Vec<&str> =
                    lines.iter().rev().take(30).map(|(_, line)| line.as_str()).collect();
                panic!("\"{text}\" was not said, {gone:?}; at last: {last:#?}");
            }
            thread::sleep(Duration::from_millis(10));
        }
    }

    /// Returns what `/metrics` says.
    pub(crate) fn metrics(&self) -> String {
        let mut stream = TcpStream::connect(("127.0.0.1", self.port)).unwrap();
        write!(stream, "GET /metrics HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
            .unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    }

    /// Kills it; returns the instant before.
    pub(crate) fn kill(mut self) -> Instant {
        let at = Instant::now();
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        at
    }

    /// Asks it to end; returns how long it took.
    pub(crate) fn drain(mut self) -> Duration {
        let asked = Instant::now();
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
        let ended = self.child.wait().unwrap();
        assert!(ended.success(), "it did not drain: {ended}");
        asked.elapsed()
    }
}

impl Drop for Instance {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}
