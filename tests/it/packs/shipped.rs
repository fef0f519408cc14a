//! Every shipped pack passes its own tests, and every rule of it is hit by one.

use std::path::Path;

use super::journey::{Report, run};

#[track_caller]
fn check(pack: &str) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("config/rules").join(pack);
    let report = run(&folder).unwrap_or_else(|problems| panic!("{problems}"));
    let Report { failures, idle_rules, tests } = report;
    assert!(
        failures.is_empty(),
        "{} failures in {tests} tests\n\n{}",
        failures.len(),
        failures.join("\n")
    );
    assert!(idle_rules.is_empty(), "no test hits these rules: {}", idle_rules.join(", "));
    assert!(10 < tests, "{tests} tests are not the whole pack");
}

#[test]
fn the_commerce_pack_keeps_its_promises() {
    check("commerce");
}

#[test]
fn the_saas_pack_keeps_its_promises() {
    check("saas");
}

#[test]
fn the_service_pack_keeps_its_promises() {
    check("service");
}

#[test]
fn the_hospitality_pack_keeps_its_promises() {
    check("hospitality");
}
