//! Pages have the program's vocabulary where they list it, all of it and no other.

use std::collections::BTreeSet;

use rega::{
    engine::Bounded,
    model::{Actor, Band, Evidence, MicroMoment, MomentOfTruth, Severity, Stage, Track, Valence},
};

use super::page::{read, table};

/// Compares with the table whose first column is headed so.
#[track_caller]
fn check<T: Copy>(heading: &str, all: &[T], as_str: fn(T) -> &'static str) {
    let page = read("docs/words.md");
    let start = format!("| {heading} |");
    let lines = page.lines().skip_while(|line| !line.starts_with(&start));
    let rows = lines.skip(2).take_while(|line| line.starts_with('|'));
    let words = rows.filter_map(|row| row.strip_prefix("| `")?.split_once('`'));
    let words: BTreeSet<_> = words.map(|(word, _)| word).collect();
    assert_eq!(words, all.iter().map(|each| as_str(*each)).collect(), "{heading}");
}

#[test]
fn the_words_are_those_of_the_program() {
    check("`actor`", Actor::ALL, Actor::as_str);
    check("`micro_moment`", MicroMoment::ALL, MicroMoment::as_str);
    check("`moment_of_truth`", MomentOfTruth::ALL, MomentOfTruth::as_str);
    check("`stage`", Stage::ALL, Stage::as_str);
    check("`valence`", Valence::ALL, Valence::as_str);
    check("`severity`", Severity::ALL, Severity::as_str);
    check("`evidence`", Evidence::ALL, Evidence::as_str);
    check("track", Track::ALL, Track::as_str);
    check("band", Band::ALL, Band::as_str);
}

#[test]
fn every_bound_that_pushes_something_out_is_among_the_limits() {
    let page = read("docs/rules.md");
    let rows = table(&page, "## Limits");
    let counted = rows.iter().filter_map(|row| row.get(3)?.strip_prefix('`')?.split_once('`'));
    let counted: BTreeSet<_> = counted.map(|(bound, _)| bound).collect();
    assert_eq!(counted, Bounded::ALL.iter().map(|each| each.as_str()).collect());
}
