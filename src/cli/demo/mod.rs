//! `rega demo`: everything in one process, with simulated customers on an embedded broker.
//!
//! ```text
//! simulation ──► feed ──► embedded broker ◄──► service (as in `rega run`) ──► HTTP
//!                               │
//!                               └──► follower ──► stats ──► picture
//! ```
//!
//! The service is the real one. Only its broker and its clock are not: one second is an hour. What
//! is shown comes from the topics, as any consumer would read them.

mod feed;
mod latencies;
mod party;
mod records;
mod screen;
mod show;
mod snapshot;
mod spikes;
mod stats;
mod view;

use std::time::Duration;

use clap::Args;

use self::{feed::Feed, party::Party, show::Show, stats::DemoStats};
use super::Failure;
use crate::{
    clock::{Clock, Stopwatch},
    model::{EventTime, Span},
    simulation::{Simulation, SimulationSpec, Spike},
};

/// How fast the simulated clock runs, and the same in words.
const SPEED: f64 = 3600.0;
const SPEED_IN_WORDS: &str = "1 s = 1 h";
const SPEED_HOURS_A_DAY: f64 = 24.0;

/// 2026-01-05T00:00:00Z, a Monday: the same seed tells the same story on every day.
const BEGINNING_MILLIS: i64 = 1_767_571_200_000;

/// What has happened before anybody looks: long enough for parcels to be late, for apologies, and
/// for people to come back.
const HISTORY: Span = 14 * 24 * 3_600_000;

/// What goes wrong while somebody looks, in turn: ten hours, which are ten seconds, after the history,
/// and then every other day, for eight hours each. The list ends after twenty minutes.
const TROUBLES: [&str; 3] = ["app/app_crashed", "web/payment_failed", "delivery/survey_answered"];
const TROUBLE_COUNT: usize = 25;

/// See everything work, on made-up customers: no Kafka, no configuration, no file
#[derive(Debug, Args)]
pub(super) struct DemoArguments {
    /// End after so many seconds, with a summary [default: when interrupted]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    seconds: Option<u64>,

    /// How many customers there are
    #[arg(long, value_name = "N", default_value_t = 2000)]
    #[arg(value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    customers: u32,

    /// Touchpoints per second, in the mean of day and night
    #[arg(long, value_name = "N", default_value_t = 300)]
    #[arg(value_parser = clap::value_parser!(u32).range(1..=50_000))]
    rate: u32,

    /// What everything random follows from
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,

    /// Where to answer over HTTP [default: 127.0.0.1:8080, or another port if that is taken]
    #[arg(long, value_name = "ADDR", value_parser = address)]
    http: Option<String>,
}

/// Accepts what could be listened on, be it by a name that is looked up later.
fn address(text: &str) -> Result<String, String> {
    let parts = text.rsplit_once(':').filter(|(_, port)| port.parse::<u16>().is_ok());
    let named = parts.is_some_and(|(host, _)| {
        !host.is_empty() && !host.contains(|one: char| one == ':' || one.is_whitespace())
    });
    let is_address = named || text.parse::<std::net::SocketAddr>().is_ok();
    let expected = || "expected host:port, such as 127.0.0.1:9464".to_owned();
    is_address.then(|| text.to_owned()).ok_or_else(expected)
}

fn troubles(beginning: EventTime) -> Vec<Spike> {
    let numbered = TROUBLES.iter().cycle().take(TROUBLE_COUNT).enumerate();
    let spikes = numbered.map(|(number, key)| {
        let hours = 14 * 24 + 10 + 48 * number;
        Spike::parse(&format!("{key}@{hours}h×40~8h"), beginning)
    });
    spikes.filter_map(Result::ok).collect()
}

pub(super) fn run(arguments: &DemoArguments) -> Result<(), Failure> {
    let beginning = EventTime::from_millis(BEGINNING_MILLIS).unwrap_or_default();
    let clock = Clock::accelerated(beginning.plus(HISTORY), SPEED);
    let watch = Stopwatch::start();
    let party = Party::begin(clock, beginning, arguments.http.as_deref())?;
    let simulation = Simulation::new(SimulationSpec {
        customers: arguments.customers,
        seed: arguments.seed,
        start: beginning,
        touchpoints_per_day: f64::from(arguments.rate) * SPEED_HOURS_A_DAY,
        spikes: troubles(beginning),
    });
    let mut feed = Feed::new(simulation, party.feeder()?);
    let readers = party.readers()?;
    let mut stats = DemoStats::default();
    let mut show = Show::open();
    let limit = arguments.seconds.map(Duration::from_secs);
    while limit.is_none_or(|limit| watch.elapsed() < limit) && party.is_going_on() {
        feed.feed(clock.now(), stats.moment_count(), watch.elapsed())?;
        party.read(&readers, &mut stats, |event_id| feed.arrived(event_id, watch.elapsed()))?;
        let service = party.service(stats.latest());
        let situation = || feed.situation(clock.now(), watch.elapsed(), service);
        show.show(&mut stats, situation, watch.elapsed());
    }
    let service = party.service(stats.latest());
    let situation = feed.situation(clock.now(), watch.elapsed(), service);
    drop(show);
    party.end()?;
    show::summarise(&stats.snapshot(situation));
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_trouble_is_one_that_can_be_made() {
        assert_eq!(troubles(EventTime::default()).len(), TROUBLE_COUNT);
    }
}
