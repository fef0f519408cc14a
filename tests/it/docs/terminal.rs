//! A reader at a terminal who types what a page says.
//!
//! They stand in a folder of their own that has `config` and `deploy` as the project has them; their
//! `rega` is the one just built, and `cargo run --release -- …` means it. Broker and port are not the
//! page's but free ones, so that several readers can work at a time, beside whatever else runs here.

use std::{
    fs,
    io::{Read, Seek},
    os::unix::{fs::symlink, process::CommandExt},
    path::Path,
    process::{Child, Command, Stdio},
};

use tempfile::TempDir;

use super::page::root;
use crate::{
    broker::{self, Broker},
    process::free_port,
};

/// More than any command of ours takes, a loaded machine and debug build considered.
const COMMAND_SECONDS: u32 = 300;

/// What the shell knows before the page's first line. What only fetches or tests the project is
/// done already.
const PREAMBLE: &str = r#"
set -euo pipefail
cargo() {
  [[ $1 == run ]] || return 0
  while [[ $1 != -- ]]; do shift; done
  shift
  rega "$@"
}
git() { :; }
"#;

/// A terminal, and what is open in others.
pub(crate) struct Terminal {
    folder: TempDir,
    broker: Option<Broker>,
    http_port: u16,
    open: Vec<Window>,
    said: String,
}

/// Another terminal in which something runs on.
struct Window {
    child: Child,
    output: fs::File,
}

impl Terminal {
    /// Opens a terminal. `None`, said aloud, where a part is missing that the page needs.
    pub(crate) fn open(needs_broker: bool, needs: &[&str]) -> Option<Self> {
        for program in needs {
            let found = Command::new(program).arg("--version").output();
            if found.is_err() {
                broker::skip(program, "it is not installed");
                return None;
            }
        }
        let broker = if needs_broker { Some(Broker::start()?) } else { None };
        let folder = tempfile::tempdir().unwrap();
        for shared in ["config", "deploy", "docs"] {
            symlink(root(shared), folder.path().join(shared)).unwrap();
        }
        fs::create_dir(folder.path().join(".bin")).unwrap();
        symlink(env!("CARGO_BIN_EXE_rega"), folder.path().join(".bin/rega")).unwrap();
        let http_port = free_port();
        Some(Self { folder, broker, http_port, open: Vec::new(), said: String::new() })
    }

    /// Returns what the last command said.
    pub(crate) fn said(&self) -> &str {
        &self.said
    }

    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Saves a file as the page says.
    pub(crate) fn save(&self, file: &str, text: &str) {
        let path = self.folder.path().join(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, self.adapted(text)).unwrap();
    }

    /// Types commands, and waits for their end. Returns whether all succeeded.
    pub(crate) fn run(&mut self, commands: &str) -> bool {
        let mut output = tempfile::tempfile().unwrap();
        let limit = COMMAND_SECONDS.to_string();
        let limited = ["timeout", &limit, "bash"];
        let ended = self.shell(&limited, commands, &output).spawn().unwrap().wait().unwrap();
        output.rewind().unwrap();
        let mut said = Vec::new();
        output.read_to_end(&mut said).unwrap();
        self.said = String::from_utf8_lossy(&said).into_owned();
        ended.success()
    }

    /// Types commands in another terminal, where they run on; waits until they answer over HTTP.
    pub(crate) fn run_beside(&mut self, commands: &str) {
        let output = tempfile::tempfile().unwrap();
        let child = self.shell(&["bash"], commands, &output).spawn().unwrap();
        self.open.push(Window { child, output });
        let ready = format!(
            "until curl --silent --fail --max-time 5 localhost:{}/readyz; do sleep 0.2; done",
            self.http_port
        );
        let answers = Command::new("timeout").args(["90", "bash", "-c", &ready]).output().unwrap();
        self.said = self.open.last_mut().unwrap().said();
        assert!(answers.status.success(), "not ready within 90 s; it said:\n{}", self.said);
    }

    /// Asks what runs in the other terminals to end, as Ctrl-C would. Returns what the last of them
    /// said, and whether all ended well.
    pub(crate) fn interrupt(&mut self) -> bool {
        let mut well = true;
        for mut window in self.open.drain(..) {
            window.signal("-INT");
            well &= window.child.wait().unwrap().success();
            self.said = window.said();
        }
        well
    }

    fn shell(&self, shell: &[&str], commands: &str, output: &fs::File) -> Command {
        let path = std::env::var_os("PATH").unwrap_or_default();
        let bin = self.folder.path().join(".bin");
        let script = format!("{PREAMBLE}\n{}", self.adapted(commands));
        let mut shell_command = Command::new(shell[0]);
        shell_command
            .args(&shell[1..])
            .args(["-c", &script])
            .current_dir(self.folder.path())
            .env("PATH", format!("{}:{}", bin.display(), path.display()))
            .env("REGA_HTTP__LISTEN", format!("127.0.0.1:{}", self.http_port))
            .env("TMPDIR", self.folder.path())
            .stdin(Stdio::null())
            .stdout(output.try_clone().unwrap())
            .stderr(output.try_clone().unwrap())
            .process_group(0);
        if let Some(broker) = &self.broker {
            shell_command.env("REGA_KAFKA__BROKERS", broker.address());
        }
        shell_command
    }

    /// Puts our addresses in place of the page's. The broker runs already, and ends with us.
    fn adapted(&self, text: &str) -> String {
        let text = text.replace("localhost:8080", &format!("localhost:{}", self.http_port));
        let Some(broker) = &self.broker else { return text };
        let text = text.replace("localhost:9092", &broker.address());
        let text = text.replace("deploy/local/kafka start", "true deploy/local/kafka start");
        text.replace("deploy/local/kafka stop", "true deploy/local/kafka stop")
    }
}

impl Window {
    fn said(&mut self) -> String {
        self.output.rewind().unwrap();
        let mut said = Vec::new();
        self.output.read_to_end(&mut said).unwrap();
        String::from_utf8_lossy(&said).into_owned()
    }

    /// Signals the whole group that the window's commands are.
    fn signal(&self, signal: &str) {
        let group = format!("-{}", self.child.id());
        let sent = Command::new("kill").args([signal, "--", &group]).output();
        drop(sent.unwrap());
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        for window in &mut self.open {
            window.signal("-KILL");
            drop(window.child.wait());
        }
    }
}
