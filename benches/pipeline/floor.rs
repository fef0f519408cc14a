//! The floor: a bare client that consumes, parses, and produces as much as Rega does.
//!
//! With the calls that Rega makes, in transactions of the same length, and with real records of
//! Rega's as what it produces. What Rega costs above it is what thinking costs.

use std::{
    collections::{BTreeMap, BTreeSet, HashSet},
    fs,
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};

use rega::kafka::{self, Connection, GroupConsumer, Outbox, Outgoing, Polled, Rebalance};

use crate::sample::Patterns;

/// What a touchpoint must be parsed for, borrowed.
#[derive(serde::Deserialize)]
struct Envelope<'a> {
    #[serde(borrow)]
    event_id: std::borrow::Cow<'a, str>,
    #[serde(borrow)]
    customer_id: std::borrow::Cow<'a, str>,
    #[serde(borrow)]
    ts: std::borrow::Cow<'a, str>,
    #[serde(borrow)]
    channel: std::borrow::Cow<'a, str>,
    #[serde(borrow)]
    event: std::borrow::Cow<'a, str>,
    #[serde(borrow)]
    properties: &'a serde_json::value::RawValue,
}

/// Where a floor works.
#[derive(Debug)]
pub(crate) struct Place {
    pub(crate) brokers: String,
    pub(crate) group: String,
    pub(crate) input: String,
    pub(crate) outputs: [String; 3],
    pub(crate) commit_every: Duration,
    pub(crate) folder: std::path::PathBuf,
}

impl Place {
    /// As arguments of a process of its own.
    pub(crate) fn arguments(&self) -> Vec<String> {
        let millis = self.commit_every.as_millis().to_string();
        let folder = self.folder.display().to_string();
        let [moments, engagement, state] = self.outputs.clone();
        vec![
            "floor".to_owned(),
            self.brokers.clone(),
            self.group.clone(),
            self.input.clone(),
            moments,
            engagement,
            state,
            millis,
            folder,
        ]
    }

    /// From arguments.
    pub(crate) fn parse(arguments: &[String]) -> Option<Self> {
        let [floor, brokers, group, input, moments, engagement, state, millis, folder] = arguments
        else {
            return None;
        };
        (floor == "floor").then(|| Self {
            brokers: brokers.clone(),
            group: group.clone(),
            input: input.clone(),
            outputs: [moments.clone(), engagement.clone(), state.clone()],
            commit_every: Duration::from_millis(millis.parse().unwrap()),
            folder: folder.into(),
        })
    }
}

/// Writes patterns to a folder, one length-prefixed file each.
pub(crate) fn write_patterns(folder: &Path, patterns: &Patterns) {
    for (name, records) in [
        ("moments", &patterns.moments),
        ("engagements", &patterns.engagements),
        ("rows", &patterns.rows),
    ] {
        let mut all = Vec::new();
        for record in records {
            all.extend(u32::try_from(record.len()).unwrap().to_le_bytes());
            all.extend(record);
        }
        fs::write(folder.join(name), all).unwrap();
    }
}

fn read_patterns(folder: &Path, name: &str) -> Vec<Vec<u8>> {
    let all = fs::read(folder.join(name)).unwrap();
    let (mut rest, mut records) = (&all[..], Vec::new());
    while let Some((length, after)) = rest.split_first_chunk::<4>() {
        let (record, after) = after.split_at(usize::try_from(u32::from_le_bytes(*length)).unwrap());
        records.push(record.to_vec());
        rest = after;
    }
    records
}

/// Works until killed.
pub(crate) fn run(place: &Place) -> ! {
    let connection = Connection::new(&place.brokers, BTreeMap::new()).unwrap();
    let mut outbox = Outbox::open(&connection, &format!("{}.0", place.group)).unwrap();
    let consumer = GroupConsumer::open(
        &connection,
        &place.group,
        &format!("{}.0", place.group),
        &[&place.input],
    )
    .unwrap();
    let input: Arc<str> = Arc::from(place.input.as_str());
    let moments = read_patterns(&place.folder, "moments");
    let engagements = read_patterns(&place.folder, "engagements");
    let rows = read_patterns(&place.folder, "rows");
    let mut dirty: HashSet<(i32, Vec<u8>)> = HashSet::new();
    let mut offsets: BTreeMap<i32, i64> = BTreeMap::new();
    let (mut turn, mut since, mut count) = (0_usize, Instant::now(), 0);
    let mut value = Vec::new();
    loop {
        answer_group(&consumer);
        match consumer.poll(Duration::from_millis(20)) {
            Polled::Record(record) => {
                let payload = str::from_utf8(record.value().unwrap()).unwrap();
                let parsed: Envelope<'_> = serde_json::from_str(payload).unwrap();
                std::hint::black_box((
                    &parsed.ts,
                    &parsed.channel,
                    &parsed.event,
                    parsed.properties,
                ));
                outbox.begin().unwrap();
                turn += 1;
                value.clear();
                value.extend_from_slice(b"{\"event_id\":\"");
                value.extend_from_slice(parsed.event_id.as_bytes());
                let pattern = &moments[turn % moments.len()];
                value.extend_from_slice(pattern.get(value.len()..).unwrap_or_default());
                let key = parsed.customer_id.as_bytes();
                send(&outbox, &place.outputs[0], record.partition(), key, &value);
                dirty.insert((record.partition(), key.to_vec()));
                offsets.insert(record.partition(), record.offset() + 1);
                count += 1;
            }
            Polled::Failed(failure) => panic!("{failure}"),
            Polled::OutOfRange => panic!("out of range"),
            Polled::End(_) | Polled::Nothing => {}
        }
        if 0 < count && (place.commit_every <= since.elapsed() || 20_000 <= count) {
            let changed: BTreeSet<(i32, Vec<u8>)> = dirty.drain().collect();
            for (partition, key) in &changed {
                turn += 1;
                let [_, engagement, state] = &place.outputs;
                send(&outbox, engagement, *partition, key, &engagements[turn % engagements.len()]);
                send(&outbox, state, *partition, key, &rows[turn % rows.len()]);
            }
            let list: Vec<(kafka::Place, i64)> = offsets
                .iter()
                .map(|(one, offset)| (kafka::Place::of(&input, *one), *offset))
                .collect();
            outbox.drain().unwrap();
            outbox.send_offsets(&consumer, &list).unwrap();
            outbox.commit().unwrap();
            (since, count) = (Instant::now(), 0);
        } else if count == 0 {
            since = Instant::now();
        }
    }
}

/// Begins every partition at its beginning.
fn answer_group(consumer: &GroupConsumer) {
    while let Some(rebalance) = consumer.next_rebalance() {
        match rebalance {
            Rebalance::Assigned(places) => {
                let begin: Vec<(kafka::Place, i64)> =
                    places.into_iter().map(|one| (one, 0)).collect();
                consumer.assign(&begin).unwrap();
            }
            Rebalance::Revoked { places, .. } => consumer.unassign(&places).unwrap(),
        }
    }
}

fn send(outbox: &Outbox, topic: &str, partition: i32, key: &[u8], value: &[u8]) {
    let record = Outgoing { topic, partition, key: Some(key), value: Some(value) };
    outbox.send(&record, &[]).unwrap();
}
