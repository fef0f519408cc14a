//! `rega erase`: forgets customers, waits until it is done, and says what was done where.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
    sync::Arc,
    time::Duration,
};

use clap::Args;
use serde_json::{Map, Value, json};

use super::{Failure, kafka_failed, print};
use crate::{
    clock::wall_clock,
    config::{self, Config, Environment, settings::Partitioner as Written},
    engine::{CUSTOMER_PREFIX, ERASURE, decode::NATIVE_MARK},
    kafka::{
        Connection, Feeder, KafkaFailure, Place, Role, TopicPlan, Wanted, Witness, partition_count,
        topic_settings,
    },
    model::{Partitioner, stable_hash},
    service,
};

/// Forget customers: their state, their score, their record of engagement
///
/// A touchpoint that says so is written to the input for each. A running Rega then removes
/// everything it keeps of them, and this command waits until that is committed. One line of JSON per
/// customer says what was erased, and what Kafka itself still holds, for how long.
#[derive(Debug, Args)]
pub(super) struct EraseArguments {
    /// The customers' ids
    #[arg(value_name = "CUSTOMER", required = true)]
    customers: Vec<String>,

    /// The settings
    #[arg(long, value_name = "FILE")]
    config: PathBuf,

    /// How long to wait for a running Rega to do it, in seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 60)]
    wait: u64,
}

/// What Kafka's own cleaning of a topic depends on.
const SETTINGS: [&str; 4] =
    ["cleanup.policy", "retention.ms", "delete.retention.ms", "max.compaction.lag.ms"];

/// Longer than any customer id that decode accepts.
const CUSTOMER_ID_BYTES_MAX: usize = 256;

pub(super) fn run(arguments: &EraseArguments) -> Result<(), Failure> {
    let config = config::load(Some(&arguments.config), &Environment::of_process())?.config;
    for customer in &arguments.customers {
        if customer.is_empty() || CUSTOMER_ID_BYTES_MAX < customer.len() {
            return Err(Failure::Usage(format!("\"{customer}\" is no customer's id")));
        }
    }
    let connection =
        service::connection(&config).map_err(|problem| Failure::Usage(problem.to_string()))?;
    let brokers = connection.brokers().to_owned();
    let eraser =
        Eraser::new(&config, connection).map_err(|failure| kafka_failed(&brokers, &failure))?;
    // By then it may be written.
    let interrupted = |failure: KafkaFailure| {
        Failure::Fatal(format!("Kafka at {brokers}: {failure}; run this again to see it done"))
    };
    let mut missing = 0_usize;
    for customer in &arguments.customers {
        let receipt =
            eraser.erase(customer, Duration::from_secs(arguments.wait)).map_err(interrupted)?;
        missing += receipt.missing;
        print(&format!("{}\n", receipt.text));
    }
    if missing == 0 {
        return Ok(());
    }
    Err(Failure::Fatal(format!(
        "{} not come within {} s: is Rega running? the wish is written to the input, and will be \
         done when it is; run this again to see it done",
        if missing == 1 {
            "1 tombstone has".to_owned()
        } else {
            format!("{missing} tombstones have")
        },
        arguments.wait
    )))
}

struct Receipt {
    text: Value,
    /// Tombstones that have not come.
    missing: usize,
}

struct Eraser {
    connection: Connection,
    plan: TopicPlan,
    app: String,
    /// Where the wish is written.
    input: String,
    input_partition_count: i32,
    /// Of the state, and everything in line with it.
    partition_count: i32,
    partitioner: Option<Partitioner>,
    kept: Value,
}

impl Eraser {
    fn new(config: &Config, connection: Connection) -> Result<Self, KafkaFailure> {
        let plan = service::plan(config);
        let input = config.topics.touchpoints.clone();
        let input_partition_count = partition_count(&connection, &input)?;
        let partition_count = partition_count(&connection, plan.name(Role::State))?;
        let partitioner = match config.input.partitioner {
            // A routed copy is placed by Rega itself.
            Written::Auto if plan.is_routed() => Some(Partitioner::Murmur2),
            Written::Auto => None,
            Written::Murmur2 => Some(Partitioner::Murmur2),
            Written::Crc32 => Some(Partitioner::Crc32),
        };
        let kept = kept(&connection, config, &plan)?;
        let app = config.app.clone();
        Ok(Self {
            connection,
            plan,
            app,
            input,
            input_partition_count,
            partition_count,
            partitioner,
            kept,
        })
    }

    /// Returns the partitions that a customer may be in: the one, or where nobody said how producers
    /// choose, every one. A partition that does not know them writes a tombstone, and that is all.
    fn candidates(&self, customer: &str) -> Vec<i32> {
        let count = u32::try_from(self.partition_count).unwrap_or(1);
        match self.partitioner {
            Some(way) => {
                vec![i32::try_from(way.partition(customer.as_bytes(), count)).unwrap_or(0)]
            }
            None => (0..self.partition_count).collect(),
        }
    }

    fn erase(&self, customer: &str, limit: Duration) -> Result<Receipt, KafkaFailure> {
        let candidates = self.candidates(customer);
        let mut wanted = BTreeSet::new();
        let prefixed = [&[CUSTOMER_PREFIX][..], customer.as_bytes()].concat();
        let keys = [(Role::Engagement, customer.as_bytes().to_vec()), (Role::State, prefixed)];
        for (role, key) in keys {
            let topic: Arc<str> = Arc::from(self.plan.name(role));
            wanted.extend(candidates.iter().map(|&partition| Wanted {
                place: Place { topic: Arc::clone(&topic), partition },
                key: key.clone(),
            }));
        }
        let places = wanted.iter().map(|wanted| wanted.place.clone()).collect();
        // Before the wish: what comes after these ends is its answer.
        let witness = Witness::begin(&self.connection, &self.app, &places)?;
        let (event_id, requested) = self.request(customer, &candidates)?;
        let found = witness.tombstones(wanted.clone(), limit)?;
        Ok(self.receipt(customer, &event_id, &requested, (&wanted, &found)))
    }

    /// Writes the wish, and returns its event id and the partitions it was written to.
    fn request(
        &self,
        customer: &str,
        candidates: &[i32],
    ) -> Result<(String, Vec<i32>), KafkaFailure> {
        let now = wall_clock().as_millis();
        let event_id = format!("rega-erase-{:016x}-{now}", stable_hash(customer.as_bytes()));
        let touchpoint = json!({
            "event_id": event_id,
            "customer_id": customer,
            "channel": "other",
            "event": ERASURE,
            "actor": "customer",
        });
        // Read as what it is, whatever the topic's dialect. Its time is the record's.
        let value = touchpoint.to_string().replacen('{', NATIVE_MARK, 1);
        // A routed source may have other partitions than the state; any of them leads there.
        let partitions = if self.plan.is_routed() {
            let count = u32::try_from(self.input_partition_count).unwrap_or(1);
            let partition = Partitioner::Murmur2.partition(customer.as_bytes(), count);
            vec![i32::try_from(partition).unwrap_or(0)]
        } else {
            candidates.to_vec()
        };
        let feeder = Feeder::open(&self.connection, &self.input)?;
        for partition in &partitions {
            feeder.send_to(*partition, customer.as_bytes(), value.as_bytes())?;
        }
        feeder.finish()?;
        Ok((event_id, partitions))
    }

    fn receipt(
        &self,
        customer: &str,
        event_id: &str,
        requested: &[i32],
        (wanted, found): (&BTreeSet<Wanted>, &BTreeMap<Wanted, i64>),
    ) -> Receipt {
        let place = |Wanted { place: Place { topic, partition }, .. }: &Wanted| json!({ "topic": &**topic, "partition": partition });
        let tombstones: Vec<Value> = found
            .iter()
            .map(|(Wanted { place: Place { topic, partition }, .. }, offset)| {
                json!({ "topic": &**topic, "partition": partition, "offset": offset })
            })
            .collect();
        let missing: Vec<Value> =
            wanted.iter().filter(|wanted| !found.contains_key(wanted)).map(place).collect();
        let missing_count = missing.len();
        let text = json!({
            "customer_id": customer,
            "event_id": event_id,
            "requested": { "topic": self.input, "partitions": requested },
            "done": missing.is_empty(),
            "tombstones": tombstones,
            "missing": missing,
            "kept_by_kafka": self.kept,
        });
        Receipt { text, missing: missing_count }
    }
}

/// Returns what Kafka itself goes on holding, and for how long: Rega cannot take records out of a log.
fn kept(connection: &Connection, config: &Config, plan: &TopicPlan) -> Result<Value, KafkaFailure> {
    let mut holds: Vec<(&str, &str)> =
        config.topics.inputs().map(|topic| (topic, "touchpoints as they came")).collect();
    if plan.is_routed() {
        holds.push((plan.name(Role::Input), "routed copies of touchpoints"));
    }
    holds.extend([
        (plan.name(Role::Moments), "published moments"),
        (plan.name(Role::Alerts), "moments that somebody was to be told of, if any was theirs"),
        (plan.name(Role::Rejects), "items that could not be read, if any was theirs"),
        (plan.name(Role::Engagement), "earlier records, until the log is compacted"),
        (plan.name(Role::State), "earlier rows, until the log is compacted"),
    ]);
    let topics: Vec<&str> = holds.iter().map(|(topic, _)| *topic).collect();
    let settings = topic_settings(connection, &topics, &SETTINGS)?;
    let line = |(topic, what): &(&str, &str)| {
        let mut line = Map::new();
        line.insert("topic".to_owned(), (*topic).into());
        line.insert("holds".to_owned(), (*what).into());
        for (name, value) in settings.get(*topic).into_iter().flatten() {
            let value = value.parse::<i64>().map_or_else(|_| value.as_str().into(), Value::from);
            line.insert(name.replace('.', "_"), value);
        }
        Value::Object(line)
    };
    Ok(holds.iter().map(line).collect())
}
