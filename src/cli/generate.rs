//! `rega generate`: simulated customers' touchpoints, for trying things out and for measuring.

use std::{
    borrow::Cow,
    io::{self, ErrorKind, Write},
    path::PathBuf,
    sync::Arc,
    time::Duration,
};

use clap::Args;
use jiff::Timestamp;

use super::{
    Failure, kafka_failed,
    output::{self, Output},
    pace::{Pace, Pacer, pause},
};
use crate::{
    clock::wall_clock,
    config::{self, Environment},
    engine::decode::Dialect,
    kafka::{Feeder, KafkaFailure},
    model::EventTime,
    service,
    simulation::{PAIN_KEYS, Simulated, Simulation, SimulationSpec, Spike, Translator},
};

/// 2026-01-05T00:00:00Z, a Monday: the same options promise the same bytes, so the default cannot
/// be today.
const DEFAULT_START: &str = "2026-01-05T00:00:00Z";

/// 9000-01-01, in seconds: what follows the start needs dates as well, and these end with 9999.
const START_MAX: i64 = 221_845_392_000;

/// Enough for three weeks of the default population's life, in 35 MB.
const DEFAULT_EVENTS: u64 = 100_000;

/// Write simulated customers' touchpoints, one JSON document per line
///
/// People browse, compare, buy, wait for parcels, complain, are consoled, come back, invite
/// friends. They are busier in the evening, a few do much, and what they do arrives late, out of
/// order and sometimes twice. The same options give the same bytes.
#[derive(Debug, Args)]
#[command(after_help = after_help())]
pub(super) struct GenerateArguments {
    /// How many touchpoints, repeats included [default: 100000; without end with --pace]
    #[arg(long, value_name = "N")]
    events: Option<u64>,

    /// How many customers there are
    #[arg(long, value_name = "N", default_value_t = 10_000)]
    #[arg(value_parser = clap::value_parser!(u32).range(1..=100_000_000))]
    customers: u32,

    /// What everything random follows from
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,

    /// When it begins, in RFC 3339 [default: 2026-01-05T00:00:00Z; now with --pace live]
    #[arg(long, value_name = "TIME", value_parser = instant)]
    start: Option<EventTime>,

    /// Touchpoints per customer in a mean day
    #[arg(long, value_name = "N", default_value_t = 1.0, value_parser = activity)]
    activity: f64,

    /// Touchpoints per second of your time, or "live": each when it happens
    #[arg(long, value_name = "N|live")]
    pace: Option<Pace>,

    /// Make something go wrong FACTOR times as often from AT on: KEY@AT×FACTOR[~LENGTH]
    #[arg(long, value_name = "SPIKE")]
    spike: Vec<String>,

    /// Tell the story as another tool would: segment, cloudevents, snowplow, posthog, ga4
    #[arg(long, value_name = "DIALECT", default_value = "native", value_parser = dialect)]
    dialect: Told,

    /// Produce to Kafka instead: brokers and topic are those of the settings
    #[arg(long)]
    to_kafka: bool,

    /// The settings file that says where Kafka is
    #[arg(long, value_name = "FILE", requires = "to_kafka")]
    config: Option<PathBuf>,
}

fn after_help() -> String {
    format!(
        "Spikes:\n  delivery@3d2h×5                        from 3 d 2 h after the start, for 2 h\n  \
         app/app_crashed@2026-01-07T10:00:00Z×3~90m  from that instant, for 90 min (x is as good as ×)\n  \
         KEY is a channel, or a channel and an event, of: {}.\n  \
         A late delivery hurts when its promise passes: up to a day after the van turned round.",
        PAIN_KEYS.join(", ")
    )
}

pub(super) fn run(arguments: &GenerateArguments) -> Result<(), Failure> {
    let simulation = Simulation::new(spec(arguments)?);
    if arguments.to_kafka {
        let feeder = feeder(arguments)?;
        send_all(simulation, arguments, &mut ToKafka(&feeder))?;
        return feeder.finish().map_err(|failure| Stopped::from(failure).into());
    }
    match send_all(simulation, arguments, &mut ToOutput(output::buffered())) {
        // The reader has seen enough (`rega generate | head`).
        Err(Stopped::Output(error)) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        outcome => Ok(outcome?),
    }
}

fn spec(arguments: &GenerateArguments) -> Result<SimulationSpec, Failure> {
    let start = match (arguments.start, arguments.pace) {
        (Some(start), _) => start,
        (None, Some(Pace::Live)) => wall_clock(),
        (None, Some(Pace::PerSecond(_)) | None) => {
            instant(DEFAULT_START).map_err(Failure::Usage)?
        }
    };
    let mut spikes = Vec::new();
    for text in &arguments.spike {
        let spike = Spike::parse(text, start)
            .map_err(|problem| Failure::Usage(format!("--spike \"{text}\": {problem}")))?;
        spikes.push(spike);
    }
    Ok(SimulationSpec {
        customers: arguments.customers,
        seed: arguments.seed,
        start,
        touchpoints_per_day: f64::from(arguments.customers) * arguments.activity,
        spikes,
    })
}

fn feeder(arguments: &GenerateArguments) -> Result<Feeder, Failure> {
    let settings = config::load(arguments.config.as_deref(), &Environment::of_process())?.config;
    let connection =
        service::connection(&settings).map_err(|problem| Failure::Usage(problem.to_string()))?;
    let brokers = connection.brokers();
    Feeder::open(&connection, &settings.topics.touchpoints)
        .map_err(|failure| kafka_failed(brokers, &failure))
}

/// Where touchpoints go.
trait Destination {
    /// Takes one, with its key.
    fn take(&mut self, key: &str, line: &[u8]) -> Result<(), Stopped>;
    /// Lets go of what was kept for later.
    fn let_go(&mut self) -> Result<(), Stopped>;
}

/// Why it ended before its time.
#[derive(Debug, thiserror::Error)]
enum Stopped {
    #[error("standard output: {0}")]
    Output(#[from] io::Error),
    #[error("{0}")]
    Kafka(#[from] KafkaFailure),
}

impl From<Stopped> for Failure {
    fn from(stopped: Stopped) -> Self {
        Self::Fatal(stopped.to_string())
    }
}

/// How touchpoints are told: natively, or as a dialect has them.
#[derive(Clone, Debug)]
struct Told(Option<Arc<Translator>>);

impl Told {
    fn line<'t>(&self, touchpoint: &'t Simulated) -> Cow<'t, [u8]> {
        match &self.0 {
            None => Cow::Borrowed(&touchpoint.line),
            Some(translator) => Cow::Owned(translator.translate(touchpoint)),
        }
    }
}

fn dialect(name: &str) -> Result<Told, String> {
    match config::dialect(name) {
        Some(Dialect::Native) => Ok(Told(None)),
        Some(Dialect::BuiltIn { spec, .. }) => Ok(Told(Some(Arc::new(Translator::new(&spec))))),
        Some(Dialect::Auto(_) | Dialect::Mapping(_)) | None => {
            Err("expected native, segment, cloudevents, snowplow, posthog or ga4".to_owned())
        }
    }
}

struct ToOutput(Output);

impl Destination for ToOutput {
    fn take(&mut self, _key: &str, line: &[u8]) -> Result<(), Stopped> {
        self.0.write_all(line)?;
        Ok(self.0.write_all(b"\n")?)
    }

    fn let_go(&mut self) -> Result<(), Stopped> {
        Ok(self.0.flush()?)
    }
}

struct ToKafka<'a>(&'a Feeder);

impl Destination for ToKafka<'_> {
    fn take(&mut self, key: &str, line: &[u8]) -> Result<(), Stopped> {
        Ok(self.0.send(key.as_bytes(), line)?)
    }

    fn let_go(&mut self) -> Result<(), Stopped> {
        // The client sends by itself within its linger time.
        Ok(())
    }
}

fn send_all(
    simulation: Simulation,
    arguments: &GenerateArguments,
    destination: &mut impl Destination,
) -> Result<(), Stopped> {
    let without_pace = if arguments.pace.is_none() { DEFAULT_EVENTS } else { u64::MAX };
    let count = arguments.events.unwrap_or(without_pace);
    let mut timetable =
        Timetable { pace: arguments.pace, start: arguments.start, due: Duration::ZERO };
    let pacer = Pacer::start();
    for touchpoint in simulation.take(usize::try_from(count).unwrap_or(usize::MAX)) {
        if let Some(length) = pacer.wait_for(timetable.due(touchpoint.emitted_at)) {
            destination.let_go()?;
            pause(length);
        }
        destination.take(&touchpoint.customer_id, &arguments.dialect.line(&touchpoint))?;
    }
    destination.let_go()
}

/// When each touchpoint leaves, counted from the start of the program.
#[derive(Debug)]
struct Timetable {
    pace: Option<Pace>,
    /// The simulated time that the program started at.
    start: Option<EventTime>,
    /// When the next one leaves, at a steady pace.
    due: Duration,
}

impl Timetable {
    fn due(&mut self, emitted_at: EventTime) -> Duration {
        match self.pace {
            None => Duration::ZERO,
            Some(Pace::PerSecond(rate)) => {
                let gap = Duration::try_from_secs_f64(rate.recip()).unwrap_or(Duration::MAX);
                let due = self.due;
                self.due = due.saturating_add(gap);
                due
            }
            Some(Pace::Live) => {
                let start = *self.start.get_or_insert(emitted_at);
                Duration::from_millis(u64::try_from(emitted_at.since(start)).unwrap_or(0))
            }
        }
    }
}

fn instant(text: &str) -> Result<EventTime, String> {
    text.parse::<Timestamp>()
        .ok()
        .filter(|instant| instant.as_second() < START_MAX)
        .and_then(|instant| EventTime::from_millis(instant.as_millisecond()))
        .ok_or_else(|| {
            "expected RFC 3339 with a zone and a year before 9000, such as 2026-01-05T00:00:00Z"
                .to_owned()
        })
}

fn activity(text: &str) -> Result<f64, String> {
    text.parse()
        .ok()
        .filter(|activity: &f64| 0.0 < *activity && *activity <= 1000.0)
        .ok_or_else(|| "expected a number above 0 and up to 1000".to_owned())
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Debug, Parser)]
    struct Command {
        #[command(flatten)]
        arguments: GenerateArguments,
    }

    fn parse(arguments: &[&str]) -> Result<GenerateArguments, clap::Error> {
        let arguments = std::iter::once("generate").chain(arguments.iter().copied());
        Command::try_parse_from(arguments).map(|command| command.arguments)
    }

    #[test]
    fn a_start_leaves_room_for_what_follows_it() {
        assert!(parse(&["--start", "8999-12-31T00:00:00Z"]).is_ok());
        for late in ["9000-01-01T00:00:00Z", "9999-12-31T00:00:00Z", "10000-01-01T00:00:00Z"] {
            let refusal = parse(&["--start", late]).unwrap_err().to_string();
            assert!(refusal.contains("a year before 9000"), "{refusal}");
        }
    }

    /// Keeps lines, and is full after so many.
    struct Kept {
        lines: Vec<String>,
        room: usize,
    }

    impl Destination for Kept {
        fn take(&mut self, _key: &str, line: &[u8]) -> Result<(), Stopped> {
            if self.lines.len() == self.room {
                return Err(io::Error::from(ErrorKind::BrokenPipe).into());
            }
            self.lines.push(String::from_utf8(line.to_vec()).unwrap());
            Ok(())
        }

        fn let_go(&mut self) -> Result<(), Stopped> {
            Ok(())
        }
    }

    fn written(arguments: &[&str]) -> Vec<String> {
        let arguments = parse(arguments).unwrap();
        let mut kept = Kept { lines: Vec::new(), room: usize::MAX };
        send_all(Simulation::new(spec(&arguments).unwrap()), &arguments, &mut kept).unwrap();
        kept.lines
    }

    #[test]
    fn as_many_are_written_as_were_asked_for() {
        let lines = written(&["--events", "250", "--customers", "100"]);
        assert_eq!(lines.len(), 250);
        assert_eq!(lines, written(&["--customers", "100", "--events", "250"]));
        assert_ne!(lines, written(&["--events", "250", "--customers", "100", "--seed", "2"]));
    }

    #[test]
    fn it_begins_when_it_was_told_to() {
        let lines = written(&["--events", "1", "--start", "2025-06-01T12:00:00+02:00"]);
        assert!(lines[0].contains(r#""ts":"2025-06-01T10:0"#), "{}", lines[0]);
    }

    #[test]
    fn a_full_destination_ends_it() {
        let arguments = parse(&["--events", "50"]).unwrap();
        let mut kept = Kept { lines: Vec::new(), room: 10 };
        let simulation = Simulation::new(spec(&arguments).unwrap());
        assert!(matches!(send_all(simulation, &arguments, &mut kept), Err(Stopped::Output(_))));
        assert_eq!(kept.lines.len(), 10);
    }

    #[test]
    fn a_steady_pace_is_steady_and_live_is_as_things_happen() {
        let at = |millis| EventTime::from_millis(millis).unwrap();
        let mut steady =
            Timetable { pace: Some(Pace::PerSecond(4.0)), start: None, due: Duration::ZERO };
        let dues: Vec<Duration> = (0..3).map(|_| steady.due(at(0))).collect();
        assert_eq!(dues, [0, 250, 500].map(Duration::from_millis));
        let mut live = Timetable { pace: Some(Pace::Live), start: None, due: Duration::ZERO };
        assert_eq!(live.due(at(5000)), Duration::ZERO);
        assert_eq!(live.due(at(6500)), Duration::from_millis(1500));
    }

    #[test]
    fn wrong_options_are_refused_with_what_was_expected() {
        #[track_caller]
        fn refuses(arguments: &[&str], expected: &str) {
            let refusal = parse(arguments).unwrap_err().to_string();
            assert!(refusal.contains(expected), "{refusal}");
        }
        refuses(&["--start", "yesterday"], "expected RFC 3339 with a zone");
        refuses(&["--pace", "fast"], "expected a number of touchpoints per second");
        refuses(&["--customers", "0"], "0 is not in 1..=100000000");
        refuses(&["--activity", "0"], "expected a number above 0");
        refuses(&["--config", "rega.yaml"], "--to-kafka");
        let arguments = parse(&["--spike", "pigeon@3d×5"]).unwrap();
        let Err(Failure::Usage(message)) = spec(&arguments) else { panic!("refused as usage") };
        assert!(message.starts_with("--spike \"pigeon@3d×5\": nothing goes wrong at \"pigeon\""));
    }
}
