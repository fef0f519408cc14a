//! What Rega would produce from the load: the floor produces the same, without having thought.

use std::{collections::BTreeSet, path::Path, sync::Arc};

use rega::{
    config::load_packs,
    engine::{Effect, Effects, Engine, Partition, Record, Sealed, Settings, decode::Dialect},
    model::EventTime,
    simulation::Simulated,
    store::MemoryStore,
};

/// Records kept as patterns: real ones, because compression costs by content.
const PATTERNS: usize = 2_000;

/// Touchpoints between two commits: about as many as a worker takes in 100 ms under load.
const COMMIT_EVERY: usize = 5_000;

/// Real outputs, to be produced again and again.
#[derive(Debug, Default)]
pub(crate) struct Patterns {
    pub(crate) moments: Vec<Vec<u8>>,
    pub(crate) rows: Vec<Vec<u8>>,
    pub(crate) engagements: Vec<Vec<u8>>,
    /// Sizes in the mean, over everything.
    pub(crate) sizes: [usize; 3],
    /// Rows, and as many engagement records, per touchpoint.
    pub(crate) rows_each: f64,
}

/// Runs the load through the engine, and keeps outputs of its last part.
pub(crate) fn patterns(packs: &[&str], load: &[Simulated]) -> Patterns {
    let rules = load_packs(packs.iter().copied()).unwrap_or_else(|report| panic!("{report}")).rules;
    let settings = Settings { backfill_after: Some(3_600_000), ..Settings::default() };
    let engine = Engine::new(Arc::new(rules), settings, Dialect::Native);
    let mut partition = Partition::default();
    let (mut store, mut sealed, mut effects) =
        (MemoryStore::default(), Sealed::default(), Effects::default());
    let (mut patterns, mut counted) = (Patterns::default(), [(0_usize, 0_usize); 3]);
    let mut note = |place: usize, bytes: &[u8], kept: &mut Vec<Vec<u8>>| {
        let (count, sum) = &mut counted[place];
        (*count, *sum) = (*count + 1, *sum + bytes.len());
        if kept.len() < PATTERNS {
            kept.push(bytes.to_vec());
        } else {
            kept[*count % PATTERNS] = bytes.to_vec();
        }
    };
    for (offset, touchpoint) in (0..).zip(load) {
        let record = Record {
            value: Some(&touchpoint.line),
            key: Some(touchpoint.customer_id.as_bytes()),
            topic: "t",
            partition: 0,
            offset,
            timestamp: None,
            headers: &[],
        };
        partition.process(&engine, &record, EventTime::MAX, &store, &mut effects);
        for effect in effects.iter() {
            if let Effect::Moment(moment) = effect {
                note(0, effects.bytes(moment.value), &mut patterns.moments);
            }
        }
        effects.clear();
        let done = usize::try_from(offset).unwrap() + 1;
        if done.is_multiple_of(COMMIT_EVERY) || done == load.len() {
            sealed.clear();
            partition.seal(&engine, &mut sealed);
            for change in &sealed.customers {
                if let (Some(row), Some(engagement)) = (change.row, change.engagement) {
                    note(1, sealed.bytes(row), &mut patterns.rows);
                    note(2, sealed.bytes(engagement), &mut patterns.engagements);
                }
            }
            store.apply(&sealed);
            partition.committed(&engine);
        }
    }
    patterns.sizes = counted.map(|(count, sum)| sum / count.max(1));
    let count = |count: usize| f64::from(u32::try_from(count).unwrap());
    patterns.rows_each = count(counted[1].0) / count(load.len());
    patterns
}

/// Writes the pack that the table of the reference job stands for.
pub(crate) fn write_reference_pack(table: &str, file: &Path) {
    use std::fmt::Write;
    let rows: Vec<Vec<&str>> =
        table.lines().skip(1).map(|line| line.split('\t').collect()).collect();
    let mut pack = String::from(
        "pack: reference\n\
         tracks:\n\
         \x20 access: { weight: 0.30, half_life: 45d }\n\
         \x20 engage: { weight: 0.40, half_life: 45d }\n\
         \x20 customize: { weight: 0.20, half_life: 60d }\n\
         \x20 connect: { weight: 0.05, half_life: 30d }\n\
         \x20 collaborate: { weight: 0.05, half_life: 60d }\n",
    );
    let reasons: BTreeSet<&str> = rows.iter().map(|row| row[9]).collect();
    let own = reasons.into_iter().filter(|one| !["-", "payment_failed", "app_crash"].contains(one));
    writeln!(pack, "reasons: [{}]\nrules:", own.collect::<Vec<_>>().join(", ")).unwrap();
    for row in &rows {
        let test = match (row[2], row[4]) {
            ("-", _) => String::new(),
            (property, "-") => format!(", properties: {{ {property}: {{ min: {} }} }}", row[3]),
            (property, max) => {
                format!(", properties: {{ {property}: {{ min: {}, max: {max} }} }}", row[3])
            }
        };
        writeln!(pack, "  - name: {}\n    when: {{ event: {}{test} }}", row[0], row[1]).unwrap();
        let reason = if row[9] == "-" { String::new() } else { format!(", reason: {}", row[9]) };
        // Severity 1 opens no pain: the reference job has no episodes.
        let severity = if row[8] == "pain" { ", severity: 1" } else { "" };
        writeln!(
            pack,
            "    label: {{ micro_moment: {}, moment_of_truth: {}, stage: {}, valence: {}{reason}{severity} }}",
            row[5], row[6], row[7], row[8]
        )
        .unwrap();
        if row[11] != "0" {
            writeln!(
                pack,
                "    points: {{ {}: {{ add: {}, cap: 100, once_per: touchpoint }} }}",
                row[10], row[11]
            )
            .unwrap();
        }
    }
    std::fs::write(file, pack).unwrap();
}
