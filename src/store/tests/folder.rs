//! What can happen to a folder: it is the right state afterwards, or thrown away with its reason.

use std::{
    fs,
    io::{Read, Seek, SeekFrom, Write},
    path::{Path, PathBuf},
};

use super::{KEEP, discarded, identity, now, open, rows, shelf, write};
use crate::{
    engine::Customers,
    model::{EventTime, span_of},
    store::{DiskFailure, Identity, Opened, disk::FORMAT},
};

fn file(dir: &Path, name: &str) -> PathBuf {
    dir.join("partition-3").join(name)
}

/// A folder with a checkpoint of some customers, and these.
fn checkpoint() -> (tempfile::TempDir, Vec<(String, Vec<u8>)>) {
    let (dir, rows) = (tempfile::tempdir().unwrap(), rows(300, 3));
    write(&mut open(dir.path()), &rows, 42);
    (dir, rows)
}

#[test]
fn a_checkpoint_is_found_again() {
    let (dir, rows) = checkpoint();
    let store = open(dir.path());
    assert_eq!(store.changelog_offset(), Some(42));
    assert_eq!(store.partition_row(), Some(&b"partition row"[..]));
    assert_eq!(store.pulse()[&b"minute"[..]], b"counted");
    assert_eq!(store.pending_count(), 0);
    for (id, row) in &rows {
        assert_eq!(store.row(id).as_deref(), Some(row.as_slice()));
    }
    let standings: i64 = store.standings().iter().map(|(.., count)| count).sum();
    assert_eq!(standings, 300);
}

#[test]
fn a_partition_is_open_once() {
    let dir = tempfile::tempdir().unwrap();
    let shelf = shelf(dir.path());
    let first = shelf.open(identity(), now()).unwrap();
    let refused = shelf.open(identity(), now()).unwrap_err().to_string();
    assert!(refused.contains("another worker still has partition 3"), "{refused}");
    drop(first);
    shelf.open(identity(), now()).unwrap();
}

#[test]
fn half_a_checkpoint_is_none() {
    let (dir, rows) = (tempfile::tempdir().unwrap(), rows(20, 1));
    let mut store = open(dir.path());
    for (id, row) in &rows {
        store.put(id, Some(row)).unwrap();
    }
    store.begin_checkpoint(7, now());
    assert!(!store.write_some(5).unwrap());
    drop(store);
    assert_eq!(discarded(dir.path()), "it was never finished");
}

#[test]
fn a_folder_of_something_else_is_not_read() {
    let others = [
        (
            Identity { app: "other".to_owned(), input: "other".to_owned(), ..identity() },
            "it is of app \"shop\" and not \"other\", of input \"touchpoints\" and not \"other\"",
        ),
        (
            Identity { topic_ids: ["i".to_owned(), "made again".to_owned()], ..identity() },
            "it is of state topic's id \"c\" and not \"made again\"",
        ),
    ];
    for (other, expected) in others {
        let (dir, _) = checkpoint();
        let Opened { store, discarded } = shelf(dir.path()).open(other, now()).unwrap();
        assert_eq!(discarded.unwrap(), expected);
        assert_eq!(store.changelog_offset(), None);
    }
    // What is not known says nothing.
    let (dir, _) = checkpoint();
    let unknown = Identity { topic_ids: ["i".to_owned(), String::new()], ..identity() };
    let Opened { discarded, .. } = shelf(dir.path()).open(unknown, now()).unwrap();
    assert_eq!(discarded, None);
    // Moved by hand.
    let (dir, _) = checkpoint();
    fs::rename(dir.path().join("partition-3"), dir.path().join("partition-4")).unwrap();
    let fourth = Identity { partition: 4, ..identity() };
    let Opened { discarded, .. } = shelf(dir.path()).open(fourth, now()).unwrap();
    assert_eq!(discarded.unwrap(), "it is of partition \"3\" and not \"4\"");
}

#[test]
fn a_folder_from_before_a_crash_of_the_machine_is_not_believed() {
    let (dir, _) = checkpoint();
    fs::write(file(dir.path(), "marker"), "another boot\n0\n").unwrap();
    assert_eq!(discarded(dir.path()), "the machine went down while it was in use");
}

#[test]
fn a_folder_that_was_closed_in_good_order_outlives_the_boot() {
    let (dir, rows) = checkpoint();
    open(dir.path()).close().unwrap();
    assert_eq!(fs::read_to_string(file(dir.path(), "marker")).unwrap(), "clean\n0\n");
    let store = open(dir.path());
    assert_eq!(store.row(&rows[0].0).as_deref(), Some(rows[0].1.as_slice()));
    // In use again, it is one that a crash may spoil.
    assert_ne!(fs::read_to_string(file(dir.path(), "marker")).unwrap(), "clean\n0\n");
}

#[test]
fn an_old_folder_is_thrown_away_and_then_swept() {
    let (dir, _) = checkpoint();
    let later = now().plus(span_of(KEEP) + 60_000);
    let Opened { discarded, .. } = shelf(dir.path()).open(identity(), later).unwrap();
    assert_eq!(discarded.unwrap(), "it was written 721 minutes ago");
    // By the files' own times.
    let shelf = shelf(dir.path());
    let wall = crate::clock::wall_clock();
    assert_eq!(shelf.sweep(wall), Vec::<i32>::new());
    let held = shelf.open(identity(), now()).unwrap();
    let much_later = wall.plus(span_of(KEEP) + 60_000);
    assert_eq!(shelf.sweep(much_later), Vec::<i32>::new());
    drop(held);
    assert_eq!(shelf.sweep(much_later), [3]);
    assert!(!dir.path().join("partition-3").exists());
}

#[test]
fn another_format_is_not_read() {
    let (dir, _) = checkpoint();
    let mut bytes = fs::read(file(dir.path(), "data.mdb")).unwrap();
    // The head stands in its page behind its key, "head".
    let head = [&b"head"[..], &[FORMAT]].concat();
    let places: Vec<usize> =
        (0..bytes.len() - 5).filter(|at| bytes[*at..].starts_with(&head)).collect();
    assert!(!places.is_empty());
    for at in places {
        bytes[at + 4] = 0;
    }
    fs::write(file(dir.path(), "data.mdb"), bytes).unwrap();
    let reason = discarded(dir.path());
    let expected = format!("it has format 0, this version writes {FORMAT}");
    assert!(reason.contains(&expected), "{reason}");
}

#[test]
fn a_file_that_was_cut_is_thrown_away() {
    for part in [0, 1, 3, 5, 9] {
        let (dir, _) = checkpoint();
        let data = fs::OpenOptions::new().write(true).open(file(dir.path(), "data.mdb")).unwrap();
        data.set_len(data.metadata().unwrap().len() * part / 10).unwrap();
        let Opened { store, .. } = shelf(dir.path()).open(identity(), now()).unwrap();
        assert_eq!(store.changelog_offset(), None);
        assert_eq!(store.row("c1"), None);
    }
}

#[test]
fn a_flipped_bit_is_never_somebodys_score() {
    let (dir, rows) = checkpoint();
    let path = file(dir.path(), "data.mdb");
    let whole = fs::read(&path).unwrap();
    let (id, row) = &rows[17];
    let places: Vec<usize> =
        (0..whole.len() - row.len()).filter(|at| whole[*at..].starts_with(row)).collect();
    for at in places {
        let mut data = fs::OpenOptions::new().read(true).write(true).open(&path).unwrap();
        let mut byte = [0];
        data.seek(SeekFrom::Start(u64::try_from(at + 3).unwrap())).unwrap();
        data.read_exact(&mut byte).unwrap();
        data.seek(SeekFrom::Current(-1)).unwrap();
        data.write_all(&[byte[0] ^ 4]).unwrap();
    }
    let store = open(dir.path());
    assert!(store.trouble().is_none());
    assert_eq!(store.row(id), None);
    assert!(matches!(store.trouble(), Some(DiskFailure::Damaged(_))), "{:?}", store.trouble());
    store.discard().unwrap();
    assert_eq!(open(dir.path()).changelog_offset(), None);
}

#[test]
fn a_deadline_that_was_moved_by_a_flipped_bit_is_noticed() {
    let (dir, rows) = checkpoint();
    let path = file(dir.path(), "data.mdb");
    let mut whole = fs::read(&path).unwrap();
    let due = crate::engine::inspect_row(&rows[0].1).unwrap().due.unwrap();
    let key = (due.as_millis() ^ i64::MIN).to_be_bytes();
    let places: Vec<usize> =
        (0..whole.len() - 8).filter(|at| whole[*at..].starts_with(&key)).collect();
    assert!(!places.is_empty());
    for at in places {
        whole[at + 7] ^= 1;
    }
    fs::write(&path, whole).unwrap();
    let store = open(dir.path());
    while let Some((at, _)) = store.due(None, EventTime::MAX) {
        assert!(at < EventTime::MAX);
        if store.trouble().is_some() {
            break;
        }
    }
    assert!(store.trouble().is_some());
}

#[test]
fn a_folder_that_is_gone_is_begun_anew() {
    let (dir, _) = checkpoint();
    fs::remove_dir_all(dir.path().join("partition-3")).unwrap();
    assert_eq!(open(dir.path()).changelog_offset(), None);
}
