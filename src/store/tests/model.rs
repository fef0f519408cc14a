//! Whatever is put and whenever it is written, the store says what a plain map would say.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::{open, rows};
use crate::{
    engine::{Customers, inspect_row},
    model::EventTime,
    store::PartitionStore,
};

#[derive(Clone, Debug)]
enum Step {
    Put(usize, Option<usize>),
    Begin,
    Write(usize),
    Budget(usize),
    Restored,
    Reopen,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        8 => (0_usize..20, prop::option::weighted(0.8, 0_usize..20))
            .prop_map(|(id, row)| Step::Put(id, row)),
        2 => Just(Step::Begin),
        3 => (1_usize..8).prop_map(Step::Write),
        1 => (0_usize..4000).prop_map(Step::Budget),
        1 => Just(Step::Restored),
        1 => Just(Step::Reopen),
    ]
}

pub(super) type Model = BTreeMap<String, Vec<u8>>;

#[track_caller]
pub(super) fn agree(store: &PartitionStore, model: &Model) {
    for number in 0..20 {
        let id = format!("c{number}");
        assert_eq!(store.row(&id).as_deref(), model.get(&id).map(Vec::as_slice), "{id}");
    }
    let mut expected: Vec<(EventTime, &str)> = model
        .iter()
        .filter_map(|(id, row)| Some((inspect_row(row).unwrap().due?, id.as_str())))
        .collect();
    expected.sort_unstable();
    let mut found: Vec<(EventTime, String)> = Vec::new();
    loop {
        let after = found.last().map(|(at, id)| (*at, id.as_str()));
        let Some((at, id)) = store.due(after, EventTime::MAX) else { break };
        found.push((at, id.into_owned()));
    }
    let found: Vec<(EventTime, &str)> = found.iter().map(|(at, id)| (*at, id.as_str())).collect();
    assert_eq!(found, expected);
    let mut standings = BTreeMap::new();
    for (stage, band, count) in store.standings() {
        *standings.entry((stage, band)).or_insert(0) += count;
    }
    for row in model.values() {
        *standings.entry(inspect_row(row).unwrap().standing).or_insert(0) -= 1;
    }
    assert!(standings.values().all(|count| *count == 0), "{standings:?}");
    assert!(store.trouble().is_none());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// A reopened store is what it was when its last checkpoint began, or newer; with the changes
    /// since then put once more, as a restore does, it is what it was.
    #[test]
    fn the_store_says_what_a_plain_map_would_say(steps in prop::collection::vec(step(), 0..80)) {
        let dir = tempfile::tempdir().unwrap();
        // Some of them have another deadline, stage and band.
        let all: Vec<Vec<u8>> =
            rows(10, 1).into_iter().chain(rows(10, 40)).map(|(_, row)| row).collect();
        let mut store = open(dir.path());
        let mut model = Model::new();
        // What the changelog has, and the offset that the checkpoint under way has.
        let mut changelog: Vec<(String, Option<Vec<u8>>)> = Vec::new();
        for step in steps {
            match step {
                Step::Put(id, row) => {
                    let (id, row) = (format!("c{id}"), row.map(|row| all[row].clone()));
                    store.put(&id, row.as_deref()).unwrap();
                    match row.clone() {
                        Some(row) => { model.insert(id.clone(), row); }
                        None => { model.remove(&id); }
                    }
                    changelog.push((id, row));
                }
                Step::Begin => {
                    let offset = i64::try_from(changelog.len()).unwrap();
                    if !store.is_writing() {
                        store.begin_checkpoint(offset, super::now());
                    }
                }
                Step::Write(limit) => { store.write_some(limit).unwrap(); }
                Step::Budget(bytes) => store.set_budget(bytes),
                Step::Restored => store.restored(),
                Step::Reopen if store.changelog_offset().is_some() => {
                    drop(store);
                    store = open(dir.path());
                    let from = usize::try_from(store.changelog_offset().unwrap()).unwrap();
                    for (id, row) in &changelog[from..] {
                        store.put(id, row.as_deref()).unwrap();
                    }
                }
                Step::Reopen => {}
            }
            agree(&store, &model);
        }
    }
}
