//! Puzzling journeys, decided from the domain page, come out as decided.
//!
//! A file's name says how it is played: `pack@Zone_Name.theme.yaml`. Its tests run with the shipped
//! pack, which is read from the folder, in that zone (UTC if none is said).

use std::{fs, path::Path};

use super::journey::{Report, run_beside};

#[test]
fn puzzling_journeys_come_out_as_decided() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut files: Vec<_> = fs::read_dir(root.join("tests/cases/journeys"))
        .expect("the cases are there")
        .map(|entry| entry.expect("a case").path())
        .collect();
    files.sort();
    let (mut failures, mut count) = (Vec::new(), 0);
    for file in files {
        let name = file.file_name().and_then(|name| name.to_str()).expect("a name");
        let played = name.split('.').next().unwrap_or_default();
        let (pack, zone) = played.split_once('@').unwrap_or((played, "UTC"));
        let pack = root.join("config/rules").join(pack);
        let report = run_beside(&pack, &file, &zone.replace('_', "/"));
        let Report { failures: unmet, tests, .. } = report.unwrap_or_else(|text| panic!("{text}"));
        failures.extend(unmet);
        count += tests;
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
    assert!(40 <= count, "{count} journeys");
}
