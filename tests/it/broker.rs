//! Real brokers for tests: started by `deploy/local/kafka`, and gone with this process.

use std::{
    io::{BufRead, BufReader},
    os::unix::process::CommandExt,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{
        OnceLock,
        atomic::{AtomicU32, Ordering},
    },
};

use tempfile::TempDir;

use crate::process::free_port;

/// One broker, with a data folder of its own.
pub(crate) struct Broker {
    port: u16,
    data: PathBuf,
    /// Stops the broker and removes its data when our end of its standard input closes: on drop, at
    /// the end of the process, and also when the process is killed.
    _guard: Child,
}

/// The broker that tests share. `None`, said aloud, where there is no Java or Maven.
pub(crate) fn shared() -> Option<&'static Broker> {
    static SHARED: OnceLock<Option<Broker>> = OnceLock::new();
    SHARED.get_or_init(Broker::start).as_ref()
}

/// Whether a part may be missing. `REGA_REQUIRE=kafka,kcat` says that it may not.
pub(crate) fn skip(part: &str, reason: &str) {
    let required = std::env::var_os("REGA_REQUIRE").unwrap_or_default();
    let required = required.to_string_lossy();
    assert!(!required.split(',').any(|name| name == part), "{part} is required: {reason}");
    eprintln!("SKIPPED, because {part} is not to be had here: {reason}");
}

impl Broker {
    /// Starts a broker on free ports.
    pub(crate) fn start() -> Option<Self> {
        Self::start_with(&[])
    }

    /// The same, with more lines in its settings.
    pub(crate) fn start_with(settings: &[&str]) -> Option<Self> {
        let options: Vec<String> =
            settings.iter().flat_map(|setting| ["--set", setting]).map(str::to_owned).collect();
        Self::start_as(&options)
    }

    /// The same, with these options of `deploy/local/kafka`.
    pub(crate) fn start_as(options: &[String]) -> Option<Self> {
        let folder = TempDir::with_prefix("rega-kafka-").unwrap().keep();
        // Another process may take the port between our look and the broker's: then once more.
        for _ in 0..3 {
            // Its controller takes the next one, and some tests two more.
            let port = free_port();
            match start_guarded(port, &folder, options) {
                Ok(guard) => return Some(Self { port, data: folder, _guard: guard }),
                Err(reason) if reason.contains("BindException") => {}
                Err(reason) => {
                    skip("kafka", &reason);
                    return None;
                }
            }
        }
        panic!("no free ports for a broker");
    }

    /// The address for clients.
    pub(crate) fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// The address of the listener so many ports above.
    pub(crate) fn address_above(&self, above: u16) -> String {
        format!("127.0.0.1:{}", self.port + above)
    }

    /// Runs one of Kafka's own tools on this broker.
    pub(crate) fn tool(&self, arguments: &[&str]) {
        let (name, rest) = arguments.split_first().unwrap();
        let address = self.address();
        run_script(&[&[*name, "--bootstrap-server", &address], rest].concat());
    }

    /// Kills the broker.
    pub(crate) fn crash(&self) {
        run_script(&["stop", "--now", "--data", text(&self.data)]);
    }

    /// Kills the broker as a crash would, and starts it again on the same data.
    pub(crate) fn crash_and_restart(&self) {
        self.crash();
        self.restart();
    }

    /// Starts the broker again on the same data.
    pub(crate) fn restart(&self) {
        run_script(&["start", "--port", &self.port.to_string(), "--data", text(&self.data)]);
    }
}

/// A name that no other test of this process has.
pub(crate) fn unique(name: &str) -> String {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    format!("{name}-{}", COUNT.fetch_add(1, Ordering::Relaxed))
}

pub(crate) fn script() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("deploy/local/kafka")
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

fn run_script(arguments: &[&str]) {
    let output = Command::new(script()).args(arguments).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

const GUARD: &str = r#"
trap '' INT TERM HUP
script=$1 port=$2 data=$3
shift 3
"$script" start --port "$port" --data "$data" --heap 384m "$@" && echo up || echo down
cat >/dev/null
"$script" stop --now --data "$data"
rm -rf "$data"
"#;

fn start_guarded(port: u16, data: &Path, options: &[String]) -> Result<Child, String> {
    let errors = tempfile::NamedTempFile::new().unwrap();
    let mut guard = Command::new("bash")
        .args(["-c", GUARD, "guard", text(&script()), &port.to_string(), text(data)])
        .args(options)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(errors.reopen().unwrap())
        // A Ctrl-C in the terminal is for us. The guard then sees its input close.
        .process_group(0)
        .spawn()
        .map_err(|error| error.to_string())?;
    let said = BufReader::new(guard.stdout.take().unwrap())
        .lines()
        .map_while(Result::ok)
        .find(|line| line == "up" || line == "down");
    if said.as_deref() == Some("up") {
        return Ok(guard);
    }
    drop(guard.stdin.take());
    guard.wait().unwrap();
    Err(std::fs::read_to_string(errors.path()).unwrap())
}
