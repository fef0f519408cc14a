//! Rows read back onto an empty disk, against a plain map.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::{discarded, model::agree, now, open, rows};
use crate::store::{DiskFailure, runs::Runs};

/// What memory a merge may use.
const BUDGET: usize = 1 << 20;

/// A key and what is put under it, or (`None`) a run is written.
type Step = Option<(Vec<u8>, Option<Vec<u8>>)>;

fn step() -> impl Strategy<Value = Step> {
    // Keys of which one begins another, also with zeros, and some that are equal for long.
    let key = prop_oneof![
        prop::collection::vec(0_u8..3, 0..4),
        prop::collection::vec(0_u8..3, 1..3).prop_map(|end| [&[7; 16][..], &end].concat()),
    ];
    let value = prop::option::weighted(0.8, prop::collection::vec(any::<u8>(), 0..20));
    prop_oneof![9 => (key, value).prop_map(Some), 1 => Just(None)]
}

proptest! {
    /// What comes out is what a map would hold, in its order, however it was cut into runs, and the
    /// same again where it was not taken.
    #[test]
    fn runs_give_back_what_a_map_would_hold(
        steps in prop::collection::vec(step(), 0..200),
        limit in 1_usize..50,
    ) {
        let dir = tempfile::tempdir().unwrap();
        let (mut runs, mut model) = (Runs::new(dir.path().to_owned()), BTreeMap::new());
        prop_assert!(runs.is_empty());
        for step in steps {
            match step {
                Some((key, value)) => {
                    runs.put(&key, value.as_deref());
                    prop_assert!(!runs.is_empty());
                    match value {
                        Some(value) => { model.insert(key, value); }
                        None => { model.remove(&key); }
                    }
                }
                None => runs.write_run().unwrap(),
            }
        }
        let mut found = Vec::new();
        loop {
            let some = |runs: &mut Runs| -> Vec<(Vec<u8>, Vec<u8>)> {
                let records = runs.next(limit, BUDGET).unwrap();
                records.iter().map(|(key, value)| (key.to_vec(), value.to_vec())).collect()
            };
            let records = some(&mut runs);
            prop_assert_eq!(&some(&mut runs), &records);
            runs.done();
            let last = records.len() < limit;
            prop_assert!(records.len() <= limit);
            found.extend(records);
            if last { break }
        }
        prop_assert_eq!(found, model.into_iter().collect::<Vec<_>>());
    }
}

#[test]
fn a_run_leaves_no_file_behind() {
    let dir = tempfile::tempdir().unwrap();
    let mut runs = Runs::new(dir.path().to_owned());
    runs.put(b"key", Some(b"value"));
    runs.write_run().unwrap();
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0);
    // And without a folder nothing is lost.
    drop(dir);
    let gone = tempfile::tempdir().unwrap().path().to_owned();
    let mut runs = Runs::new(gone.clone());
    runs.put(b"key", Some(b"value"));
    runs.write_run().unwrap_err();
    std::fs::create_dir(&gone).unwrap();
    assert_eq!(runs.next(5, BUDGET).unwrap().iter().next(), Some((&b"key"[..], &b"value"[..])));
    std::fs::remove_dir(gone).unwrap();
}

#[test]
fn a_disk_that_took_rows_in_says_what_a_plain_map_would_say() {
    let dir = tempfile::tempdir().unwrap();
    let (old, new) = (rows(20, 1), rows(15, 40));
    let mut store = open(dir.path());
    let mut intake = store.intake().unwrap();
    let mut model = BTreeMap::new();
    assert!(intake.is_empty());
    for (id, row) in old.iter().rev() {
        intake.put(id, Some(row)).unwrap();
        model.insert(id.clone(), row.clone());
    }
    store.write_run(&mut intake).unwrap();
    for (id, row) in &new {
        intake.put(id, Some(row)).unwrap();
        model.insert(id.clone(), row.clone());
    }
    intake.put("c3", None).unwrap();
    model.remove("c3");
    assert!(intake.put("c4", Some(b"no row")).is_err());
    store.put_partition_row(Some(b"partition row"));
    store.put_pulse(b"minute", Some(b"counted"));
    while !store.take_in(&mut intake, 7, 42, now()).unwrap() {
        assert_eq!(store.changelog_offset(), None);
    }
    assert!(store.intake().is_none());
    agree(&store, &model);
    assert_eq!(store.pending_count(), 0);
    // It goes on as any other, and is found again.
    store.put("c0", None).unwrap();
    store.restored();
    model.remove("c0");
    agree(&store, &model);
    store.begin_checkpoint(43, now());
    while !store.write_some(7).unwrap() {}
    drop(store);
    let store = open(dir.path());
    assert_eq!(store.changelog_offset(), Some(43));
    assert_eq!(store.partition_row(), Some(&b"partition row"[..]));
    assert_eq!(store.pulse()[&b"minute"[..]], b"counted");
    agree(&store, &model);
}

#[test]
fn half_an_intake_is_none() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = open(dir.path());
    let mut intake = store.intake().unwrap();
    for (id, row) in rows(20, 1) {
        intake.put(&id, Some(&row)).unwrap();
    }
    // All rows, and not yet all deadlines.
    assert!(!store.take_in(&mut intake, 15, 42, now()).unwrap());
    assert!(!store.take_in(&mut intake, 15, 42, now()).unwrap());
    assert!(!store.take_in(&mut intake, 15, 42, now()).unwrap());
    drop(store);
    assert_eq!(discarded(dir.path()), "it was never finished");
}

#[test]
fn what_was_put_aside_and_changed_since_is_damage() {
    let dir = tempfile::tempdir().unwrap();
    let mut runs = Runs::new(dir.path().to_owned());
    for number in 0..100_u8 {
        runs.put(&[number], Some(&[number; 50]));
    }
    runs.write_run().unwrap();
    runs.flip_a_bit(3000);
    assert!(matches!(runs.next(200, BUDGET), Err(DiskFailure::Damaged(_))));
}
