//! Every shipped pack passes its own tests, and every rule of it is hit by one.

use std::path::Path;

use super::{idle, run};

#[track_caller]
fn check(pack: &str) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("config/rules").join(pack);
    let verdict = run(&folder).unwrap_or_else(|problems| panic!("{problems}"));
    assert!(verdict.idle_rules.is_empty(), "no test hits these rules: {}", idle(&verdict));
    assert!(10 < verdict.test_count, "{} tests are not the whole pack", verdict.test_count);
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
