//! A process that does the job, and what it costs while it does.

use std::{
    fs,
    path::Path,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use crate::{broker::Progress, process};

/// How often progress is asked for. Each asking costs the broker something, and nobody else.
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// Nothing for so long is a failure.
const STUCK_AFTER: Duration = Duration::from_mins(2);

/// A process under measurement. Killed when dropped.
pub(crate) struct Contestant {
    child: Child,
    log: std::path::PathBuf,
}

/// What a run cost.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Cost {
    /// CPU of the process, all threads, per touchpoint, from a fifth of the way on.
    pub(crate) cpu_micros: f64,
    /// The same from the start of the process to the end of the work.
    pub(crate) cpu_micros_whole: f64,
    /// Touchpoints a second, from a fifth of the way on.
    pub(crate) rate: f64,
    /// The most memory the process ever held, in MiB.
    pub(crate) rss_mib: f64,
}

impl Contestant {
    /// Starts it; what it says goes to `log`.
    pub(crate) fn start(mut command: Command, log: &Path) -> Self {
        let file = fs::File::create(log).unwrap();
        let child = command
            .stdin(Stdio::null())
            .stdout(file.try_clone().unwrap())
            .stderr(file)
            .spawn()
            .unwrap_or_else(|error| panic!("cannot start {command:?}: {error}"));
        Self { child, log: log.to_owned() }
    }

    /// Measures it until `total` records are committed.
    pub(crate) fn measure(&mut self, progress: &Progress, total: i64) -> Cost {
        let began = Instant::now();
        let (mut first, mut last_move) = (None, (0, began));
        loop {
            std::thread::sleep(LOOK_EVERY);
            let committed = progress.committed();
            let look = (Instant::now(), self.cpu(), committed);
            if first.is_none() && total / 5 <= committed {
                first = Some(look);
            }
            if total <= committed {
                let (since, cpu, done) = first.unwrap_or((began, Duration::ZERO, 0));
                let (since, cpu, done) =
                    if done == committed { (began, Duration::ZERO, 0) } else { (since, cpu, done) };
                let touchpoints = as_f64(committed - done);
                return Cost {
                    cpu_micros: look.1.saturating_sub(cpu).as_secs_f64() * 1e6 / touchpoints,
                    cpu_micros_whole: look.1.as_secs_f64() * 1e6 / as_f64(total),
                    rate: touchpoints / (look.0 - since).as_secs_f64(),
                    rss_mib: self.peak_mib(),
                };
            }
            if last_move.0 != committed {
                last_move = (committed, look.0);
            }
            let stuck = STUCK_AFTER < look.0 - last_move.1;
            if stuck || self.child.try_wait().unwrap().is_some() {
                let said = fs::read_to_string(&self.log).unwrap_or_default();
                panic!("stopped at {committed} of {total}: {said}");
            }
        }
    }

    /// Returns the CPU time that all its threads have taken.
    pub(crate) fn cpu(&self) -> Duration {
        process::cpu(self.child.id())
    }

    /// Returns the most memory it ever held.
    pub(crate) fn peak_mib(&self) -> f64 {
        process::status(self.child.id(), "VmHWM") / 1024.0
    }

    /// Asks it to end, and waits.
    pub(crate) fn stop(mut self) {
        let pid = self.child.id().to_string();
        drop(Command::new("kill").args(["-TERM", &pid]).status());
        let asked = Instant::now();
        while self.child.try_wait().unwrap().is_none() && asked.elapsed() < Duration::from_secs(20)
        {
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

impl Drop for Contestant {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

#[expect(clippy::as_conversions, clippy::cast_precision_loss, reason = "counts below 2^52")]
pub(crate) fn as_f64(count: i64) -> f64 {
    count as f64
}
