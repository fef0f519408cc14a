//! What came of it: medians with their spread, and ratios.

use std::collections::BTreeMap;

use crate::{contestant::Cost, runners::Runner};

/// Prints one run.
pub(crate) fn line(name: &str, round: usize, cost: &Cost) {
    println!(
        "  run {round} {name:<10} {:6.2} µs CPU a touchpoint ({:.2} with the start), {:7.0} a second, {:5.0} MiB",
        cost.cpu_micros, cost.cpu_micros_whole, cost.rate, cost.rss_mib
    );
}

/// Prints all of them, and each beside the floor and beside Kafka Streams.
pub(crate) fn table(costs: &BTreeMap<&str, Vec<Cost>>) {
    println!(
        "\n| | CPU µs a touchpoint | touchpoints/s | peak RSS MiB | CPU : floor | CPU : streams |"
    );
    println!("|---|---|---|---|---|---|");
    for name in Runner::ALL.map(Runner::name) {
        let Some(own) = costs.get(name) else { continue };
        let column = |of: fn(&Cost) -> f64| spread(own.iter().map(of).collect());
        // Run by run: both saw the same machine.
        let beside = |other: &str| {
            costs.get(other).map_or_else(String::new, |others| {
                let pairs = own.iter().zip(others);
                spread(pairs.map(|(one, other)| one.cpu_micros / other.cpu_micros).collect())
            })
        };
        println!(
            "| {name} | {} | {} | {} | {} | {} |",
            column(|cost| cost.cpu_micros),
            column(|cost| cost.rate),
            column(|cost| cost.rss_mib),
            beside("floor"),
            beside("streams"),
        );
    }
}

/// Returns the median with least and most.
pub(crate) fn spread(mut values: Vec<f64>) -> String {
    values.sort_unstable_by(f64::total_cmp);
    let (Some(least), Some(most)) = (values.first(), values.last()) else { return String::new() };
    let median = values[values.len() / 2];
    let digits = if median < 100.0 { 2 } else { 0 };
    format!("{median:.digits$} ({least:.digits$}–{most:.digits$})")
}
