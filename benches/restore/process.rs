//! What the system says of a process.

use std::{fs, time::Duration};

/// How big it is at one moment.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Size {
    pub(crate) rss_mib: f64,
    pub(crate) files: f64,
    pub(crate) threads: f64,
}

/// Returns the size of a process.
pub(crate) fn size(pid: u32) -> Size {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let field = |name: &str| -> f64 {
        let line = status.lines().find(|line| line.starts_with(name)).unwrap();
        line.split_whitespace().nth(1).unwrap().parse().unwrap()
    };
    let files = fs::read_dir(format!("/proc/{pid}/fd")).unwrap().count();
    Size {
        rss_mib: field("VmRSS:") / 1024.0,
        files: f64::from(u32::try_from(files).unwrap()),
        threads: field("Threads:"),
    }
}

/// Returns the CPU time that all its threads have taken.
pub(crate) fn cpu(pid: u32) -> Duration {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    // The name in parentheses may hold spaces; user and system time are the 12th and 13th after.
    let (_, after) = stat.rsplit_once(')').unwrap();
    let ticks: u64 =
        after.split_whitespace().skip(11).take(2).map(|one| one.parse::<u64>().unwrap()).sum();
    Duration::from_millis(ticks * 10)
}
