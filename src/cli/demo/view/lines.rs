//! The demo in plain lines, where there is no terminal: for logs, pipes, and CI.

use super::{
    canvas::grouped,
    words::{day_and_minute, length, short},
};
use crate::{
    cli::{
        demo::snapshot::{Notable, Snapshot},
        words::{counted, plural},
    },
    model::Stage,
};

/// Returns the state of things in one line.
pub(in super::super) fn status_line(snapshot: &Snapshot) -> String {
    let situation = &snapshot.situation;
    let rate = situation.rates.last().copied().unwrap_or(0.0);
    let mut line = format!(
        "{}  {rate:.0}/s  {}  pains {}",
        day_and_minute(situation.clock),
        many(snapshot.moment_count, "moment"),
        grouped(snapshot.pain_count),
    );
    if let Some((reason, count)) = snapshot.reasons.first() {
        line.push_str(&format_args!(" (most: {reason} {})", grouped(*count)).to_string());
    }
    line.push_str(
        &format_args!(
            "  recovered {}  back in the funnel {}",
            grouped(snapshot.recovered_count),
            grouped(snapshot.regress_count),
        )
        .to_string(),
    );
    if let Some(spike) = snapshot.spikes.first() {
        let (key, observed, expected) = (&spike.key, grouped(spike.observed), spike.expected);
        let since = short(spike.onset);
        let told = format!("  spike {key} {observed} instead of {expected:.1} since {since}");
        line.push_str(&told);
    }
    if let Some(latency) = situation.latency {
        let (p50, p99) = (length(latency.p50), length(latency.p99));
        line.push_str(&format_args!("  p50 {p50} p99 {p99}").to_string());
    }
    line
}

/// Returns a notable moment in one line.
pub(in super::super) fn notable_line(notable: &Notable) -> String {
    format!(
        "  {:<11} {}  {}  {} · {}",
        notable.kind.as_str(),
        short(notable.at),
        notable.customer_id,
        notable.what,
        notable.why,
    )
}

/// Returns what there is to say at the end.
pub(in super::super) fn summary(snapshot: &Snapshot) -> String {
    let situation = &snapshot.situation;
    let mut lines = vec![
        format!(
            "In {} of your time and up to {} of theirs, {} had {}.",
            counted(situation.elapsed.as_secs(), "second"),
            day_and_minute(situation.clock),
            many(snapshot.customer_count, "customer"),
            many(situation.touchpoint_count, "touchpoint"),
        ),
        format!("  moments     {}", grouped(snapshot.moment_count)),
        format!("  stages      {}", stages(snapshot)),
        format!("  pains       {}{}", grouped(snapshot.pain_count), reasons(snapshot)),
        format!(
            "  made good   {}, not in time {}, taken back {}",
            grouped(snapshot.recovered_count),
            grouped(snapshot.unrecovered_count),
            grouped(snapshot.taken_back_count),
        ),
        format!("  glories     {}", grouped(snapshot.glory_count)),
        format!("  went back   {} to an earlier stage", many(snapshot.regress_count, "time")),
    ];
    if let Some(best) = snapshot.engaged.first() {
        let band = best.band.map_or("", |band| band.as_str()).replace('_', " ");
        lines.push(format!("  engaged     most: {}, {:.2} {band}", best.customer_id, best.overall));
    }
    if let Some(latency) = situation.latency {
        let (p50, p99) = (length(latency.p50), length(latency.p99));
        lines.push(format!("  latency     p50 {p50}, p99 {p99} from produced to readable"));
    }
    if 0 < snapshot.unreadable_count {
        lines.push(format!("  unreadable  {}", grouped(snapshot.unreadable_count)));
    }
    lines.join("\n")
}

/// As [`counted`], for large counts.
fn many(count: u64, noun: &str) -> String {
    format!("{} {}", grouped(count), plural(count, noun))
}

fn stages(snapshot: &Snapshot) -> String {
    let stages: Vec<String> = snapshot
        .stages
        .iter()
        .filter(|row| row.stage != Stage::None)
        .map(|row| format!("{} {}", row.stage.as_str(), grouped(row.customer_count)))
        .collect();
    stages.join(", ")
}

fn reasons(snapshot: &Snapshot) -> String {
    let reasons: Vec<String> = snapshot
        .reasons
        .iter()
        .take(5)
        .map(|(reason, count)| format!("{reason} {}", grouped(*count)))
        .collect();
    if reasons.is_empty() { String::new() } else { format!(": {}", reasons.join(", ")) }
}
