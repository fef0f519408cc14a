//! What the system says of a process.

use std::{fs, time::Duration};

/// Returns the CPU time that all its threads have taken.
pub(crate) fn cpu(pid: u32) -> Duration {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    // The name in parentheses may hold spaces; user and system time are the 12th and 13th after.
    let (_, after) = stat.rsplit_once(')').unwrap();
    let ticks: u64 =
        after.split_whitespace().skip(11).take(2).map(|one| one.parse::<u64>().unwrap()).sum();
    Duration::from_millis(ticks * 10)
}

/// Returns a number of its status, such as `VmHWM` (in KiB).
pub(crate) fn status(pid: u32, name: &str) -> f64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':')).unwrap();
    line.split_whitespace().next().unwrap().parse().unwrap()
}
