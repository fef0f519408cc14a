//! Puzzling journeys, decided from the domain page, come out as decided.
//!
//! They are packs that stand on a shipped one: the one that a file's name begins with.

use std::{fs, path::Path};

use rega::{
    config::{Colour, load_packs},
    engine::Settings,
    trial,
};

#[test]
fn puzzling_journeys_come_out_as_decided() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases/journeys");
    let mut files: Vec<_> = fs::read_dir(folder)
        .expect("the cases are there")
        .map(|entry| entry.expect("a case").path())
        .collect();
    files.sort();
    let (mut failures, mut count) = (Vec::new(), 0);
    for file in files {
        let name = file.file_name().and_then(|name| name.to_str()).expect("a name");
        let shipped = name.split('.').next().unwrap_or_default();
        let path = file.to_str().expect("a path that is text");
        let pack = load_packs([shipped, path]);
        let pack = pack.unwrap_or_else(|report| panic!("{}", report.render(Colour::Never)));
        let verdict = trial::run(&pack, &Settings::default());
        let told = verdict.failures.iter();
        failures.extend(told.map(|one| format!("{}: {}\n{}", one.place, one.test, one.text)));
        count += verdict.test_count;
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
    assert!(40 <= count, "{count} journeys");
}
