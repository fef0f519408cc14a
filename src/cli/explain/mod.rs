//! `rega explain`: why a touchpoint got its labels, and why a customer has their score.

mod customer;
mod touchpoint;

use std::{path::PathBuf, sync::Arc, time::Duration};

use clap::Args;
use serde_json::Value as Json;

use super::{
    Failure, print,
    replay::{dialect_of, instant, lines::Lines},
};
use crate::{
    clock,
    config::{self, Environment, settings::Secret},
    engine::{
        Customers, Effect, Effects, Engine, Partition, Record, Sealed, TouchpointExplained,
        customer_explanation,
    },
    http::Token,
    http_client::{Answer, Unanswered, WaitingClient, address_of, path_segment},
    model::EventTime,
    store::MemoryStore,
};

/// Tell why a touchpoint has its labels, or a customer their score
#[derive(Debug, Args)]
#[command(after_help = "Without --event-id and --customer the last touchpoint of the files is \
                        explained.")]
pub(super) struct ExplainArguments {
    /// Files of touchpoints, as for `replay`; "-" is standard input
    #[arg(value_name = "FILE", required_unless_present = "from", conflicts_with = "from")]
    files: Vec<PathBuf>,

    /// The touchpoint to explain: its id, or that of what a deadline emitted
    #[arg(long, value_name = "ID", conflicts_with = "customer")]
    event_id: Option<String>,

    /// The customer to explain
    #[arg(long, value_name = "ID")]
    customer: Option<String>,

    /// Ask a running service about the customer, at an address like <http://localhost:8080>
    #[arg(long, value_name = "URL", requires = "customer")]
    from: Option<String>,

    /// Settings, rules and mappings, as for `run`; with --from only the token (`http.token`) counts
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,

    /// What the lines look like, as for `replay`
    #[arg(long, value_name = "DIALECT", conflicts_with = "from")]
    dialect: Option<String>,

    /// Let time pass until then at the end, and fade scores to it (RFC 3339)
    #[arg(long, value_name = "TIME", value_parser = instant, conflicts_with = "from")]
    as_of: Option<EventTime>,

    /// The time of lines that have none [default: the line before's]
    #[arg(long, value_name = "TIME", value_parser = instant, conflicts_with = "from")]
    default_ts: Option<EventTime>,

    /// Tell also of every rule that was far from matching
    #[arg(long)]
    all: bool,

    /// Print the customer's explanation as JSON
    #[arg(long, requires = "customer")]
    json: bool,
}

pub(super) fn run(arguments: &ExplainArguments) -> Result<(), Failure> {
    let explanation = match (&arguments.from, &arguments.customer) {
        (Some(url), Some(customer)) => ask(url, customer, token(arguments)?.as_ref())?,
        (_, Some(customer)) => {
            let told = replayed(arguments)?;
            told.customer(customer, arguments.as_of)?
        }
        (_, None) => {
            let Some(explained) = replayed(arguments)?.touchpoint else {
                return Err(Failure::Fatal(not_there(arguments.event_id.as_deref())));
            };
            print(&touchpoint::render(&explained, arguments.all));
            return Ok(());
        }
    };
    if arguments.json {
        print(&format!("{explanation}\n"));
    } else {
        print(&customer::render(&explanation));
    }
    Ok(())
}

fn not_there(event_id: Option<&str>) -> String {
    match event_id {
        Some(id) => format!(
            "no touchpoint \"{id}\" was evaluated: it is not in the files, or it was a reject or a \
             repetition (\"rega replay --rejects -\" tells)"
        ),
        None => "no touchpoint was evaluated (\"rega replay --rejects -\" tells why)".to_owned(),
    }
}

/// What is left of a replay.
struct Told {
    engine: Engine,
    store: MemoryStore,
    touchpoint: Option<TouchpointExplained>,
}

impl Told {
    fn customer(&self, id: &str, at: Option<EventTime>) -> Result<Json, Failure> {
        let Some(row) = self.store.row(id) else {
            let message = format!("no customer \"{id}\" is in the files");
            return Err(Failure::Fatal(message));
        };
        let explained = customer_explanation(&self.engine, id, &row, at);
        let bytes = explained.map_err(|error| Failure::Fatal(error.to_string()))?;
        serde_json::from_slice(&bytes).map_err(|error| Failure::Fatal(error.to_string()))
    }
}

/// Lines between two hand-overs to the store.
const LINES_PER_COMMIT: u32 = 10_000;

/// Runs the files through the engine, in one partition.
fn replayed(arguments: &ExplainArguments) -> Result<Told, Failure> {
    let loaded = config::load(arguments.config.as_deref(), &Environment::of_process())?;
    let dialect = dialect_of(arguments.dialect.as_deref(), &loaded)?;
    let mut settings = loaded.config.engine();
    (settings.backfill_after, settings.expects_keys) = (None, false);
    // What is not written anywhere needs no bound.
    settings.deadlines_per_commit = usize::MAX;
    let engine = Engine::new(Arc::new(loaded.rules), settings, dialect);
    let now = arguments.as_of.unwrap_or_else(clock::wall_clock);
    let (mut partition, mut store) = (Partition::default(), MemoryStore::default());
    let (mut effects, mut sealed) = (Effects::default(), Sealed::default());
    if arguments.customer.is_none() {
        partition.watch(arguments.event_id.as_deref());
    }
    let mut commit = |partition: &mut Partition, store: &mut MemoryStore| {
        sealed.clear();
        partition.seal(&engine, &mut sealed);
        store.apply(&sealed);
        partition.committed(&engine);
    };
    let mut lines = Lines::open(&arguments.files)?;
    let (mut line_before, mut waiting) = (None, 0);
    while let Some(line) = lines.next()? {
        let record = Record {
            value: Some(line.bytes),
            key: None,
            headers: &[],
            topic: line.file,
            partition: 0,
            offset: line.number,
            timestamp: arguments.default_ts.or(line_before),
        };
        partition.process(&engine, &record, now, &store, &mut effects);
        line_before = latest(&effects).or(line_before);
        effects.clear();
        waiting += 1;
        if LINES_PER_COMMIT <= waiting {
            commit(&mut partition, &mut store);
            waiting = 0;
        }
    }
    if let Some(as_of) = arguments.as_of {
        let until = as_of.plus(engine.settings().tolerance);
        partition.tick(&engine, until, now, &store, &mut effects);
    }
    commit(&mut partition, &mut store);
    Ok(Told { touchpoint: partition.explained(), engine, store })
}

/// Returns the time of the last line that had one.
fn latest(effects: &Effects) -> Option<EventTime> {
    let times = effects.iter().filter_map(|effect| match effect {
        Effect::Moment(moment) => Some(moment.ts).filter(|_| !moment.derived),
        Effect::Reject(_) | Effect::Fact(_) | Effect::Pulse(_) => None,
    });
    times.last()
}

/// Returns what a service may ask to be shown: as in its own settings, or in the environment.
fn token(arguments: &ExplainArguments) -> Result<Option<Token>, Failure> {
    let loaded = config::load(arguments.config.as_deref(), &Environment::of_process())?;
    Ok(loaded.config.http.token.map(|Secret(token)| Token::new(token)))
}

/// An answer takes milliseconds, a busy service says 503 within five seconds.
const PATIENCE: Duration = Duration::from_secs(10);

/// Asks a running service.
fn ask(url: &str, customer: &str, token: Option<&Token>) -> Result<Json, Failure> {
    let path = format!("/v1/customers/{}/explanation", path_segment(customer));
    let page = address_of(url, &path);
    let client = WaitingClient::new().map_err(|problem| Failure::Fatal(problem.to_string()))?;
    let authorization = token.map(Token::header);
    let answer = client.page(&page, authorization.as_deref(), PATIENCE);
    let Answer { status, body } = answer.map_err(|problem| {
        if problem == Unanswered::NoAddress {
            let told = format!("\"{url}\" is not an address: write it as http://host:8080");
            Failure::Usage(told)
        } else {
            Failure::Fatal(format!("{url}: {problem}"))
        }
    })?;
    let said: Json = serde_json::from_slice(&body).unwrap_or_default();
    if status == 200 {
        return Ok(said);
    }
    let why = said.get("error").and_then(Json::as_str).unwrap_or("no reason given");
    Err(Failure::Fatal(format!("{url} answers {status}: {why}")))
}
