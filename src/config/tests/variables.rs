//! The environment over the file.

use std::{collections::BTreeSet, fs, path::Path};

use insta::assert_snapshot;

use super::{load_with, settings_of, settings_with};
use crate::config::{Colour, Environment, load::Loader, settings::KEYS};

#[test]
fn a_variable_is_checked_like_the_file_and_named() {
    let report = settings_with(
        "time: { tolerance: 1m }\n",
        &[
            ("REGA_TIME__TOLERANCE", "soon"),
            ("REGA_TIME__TOLERENCE", "1m"),
            ("REGA_KAFKA_BROKERS", "a:9092"),
            ("REGA_WORKERS", "0"),
            ("REGA_KAFKA__PROPERTIES__ACKS", "1"),
            ("REGA_PORT", "tcp://10.0.0.1:80"),
        ],
    );
    assert_snapshot!(report.unwrap_err(), @r#"
        REGA_KAFKA_BROKERS: not the name of a setting
          = did you mean "REGA_KAFKA__BROKERS" (kafka.brokers)?

        REGA_KAFKA__PROPERTIES__ACKS: "acks" is set by Rega
          = exactly once needs all

        REGA_TIME__TOLERANCE: expected a length of time, found "soon"
          = write a number and a unit, largest first: 45d, 24h, 1d12h, 10m, 30s, 500ms

        REGA_TIME__TOLERENCE: "time" has no field "tolerence"
          = did you mean "tolerance"?

        REGA_WORKERS: expected a whole number from 1 to 64, found "0"
        "#);
}

#[test]
fn a_variable_overrides_the_file() {
    let variables = [
        ("REGA_KAFKA__BROKERS", "a:9092, b:9093"),
        ("REGA_KAFKA__PROPERTIES__SECURITY_PROTOCOL", "sasl_ssl"),
        ("REGA_COMMIT__MAX_TOUCHPOINTS", "7"),
        ("REGA_APP", "other"),
        ("REGA_TEXT_FIELDS", "words"),
        ("REGA_RULES", "commerce,saas"),
        ("REGA_INSTANCE", ""),
        ("OTHER_APP", "x"),
    ];
    let text = "app: shop\nkafka: { brokers: [c:1] }\ninstance: one\n";
    let config = settings_with(text, &variables).unwrap();
    assert_eq!(config.kafka.brokers, ["a:9092", "b:9093"]);
    assert_eq!(config.kafka.properties.get("security.protocol"), Some("sasl_ssl"));
    assert_eq!((config.commit.max_touchpoints, config.app.as_str()), (7, "other"));
    assert_eq!(config.text_fields, ["words"]);
    assert_eq!(config.rules.len(), 2);
    assert_eq!(config.instance.as_deref(), Some("one"), "an empty variable is none");
}

#[test]
fn every_setting_can_be_overridden() {
    let values = [
        "zz",
        "zz:1",
        "7",
        "30000",
        "2000000",
        "3m",
        "3s",
        "2d",
        "true",
        "murmur2",
        "latest",
        "json",
        "saas",
        "15m",
        "2026-01-01T00:00:00Z",
        "0.0.0.0:1",
        "http://x",
        "silence",
        "Asia/Tehran",
    ];
    let usual = format!("{:?}", settings_of(""));
    for key in KEYS {
        let name = format!("REGA_{}", key.replace('.', "__").to_uppercase());
        let read = |value| settings_with("", &[(name.as_str(), value)]);
        // There is nothing else to choose, or it is no single value: it is read all the same.
        if ["input.keyed", "input.dialect", "input.mappings", "kafka.properties"].contains(&key) {
            assert!(read("zz").unwrap_err().to_string().starts_with(&name), "{key}");
            continue;
        }
        let changed = values.into_iter().filter_map(|value| read(value).ok());
        let changed = changed.filter(|config| format!("{config:?}") != usual).count();
        assert_ne!(changed, 0, "{key}");
    }
}

#[test]
fn a_misspelt_variable_is_told_with_the_name_that_was_meant() {
    let variables = [
        ("REGA_WORKRES", "4"),
        ("REGA_RULE", "saas"),
        ("REGA_KAFKA_BROKRS", "secret"),
        ("REGA_STATE", "/tmp"),
        ("REGA_HTTP_LISTEN", "127.0.0.1:1"),
    ];
    assert_snapshot!(load_with("", &variables).unwrap_err(), @r#"
    REGA_HTTP_LISTEN: not the name of a setting
      = did you mean "REGA_HTTP__LISTEN" (http.listen)?

    REGA_KAFKA_BROKRS: not the name of a setting
      = did you mean "REGA_KAFKA__BROKERS" (kafka.brokers)?

    REGA_RULE: not the name of a setting
      = did you mean "REGA_RULES" (rules)?

    REGA_STATE: not the name of a setting
      = those of "state" are REGA_STATE__DIR, REGA_STATE__CHECKPOINT, REGA_STATE__MEMORY_BYTES, REGA_STATE__DECODED, REGA_STATE__KEEP, REGA_STATE__RETENTION

    REGA_WORKRES: not the name of a setting
      = did you mean "REGA_WORKERS" (workers)?
    "#);
}

#[test]
fn what_others_set_under_our_prefix_stops_nothing() {
    let variables = [
        ("REGA_PORT", "tcp://10.0.0.1:80"),
        ("REGA_PORT_8080_TCP_ADDR", "10.0.0.1"),
        ("REGA_SERVICE_HOST", "10.0.0.1"),
        ("REGA_SERVICE_PORT_HTTP", "8080"),
        ("REGA_KAFKA_PORT", "tcp://10.0.0.1:9092"),
        ("REGA_REQUIRE", "kafka"),
        ("REGA_COLOUR", "red"),
    ];
    load_with("", &variables).unwrap();
    let mut loader = Loader::default();
    let environment: Environment = super::environment(&variables);
    let root = loader.text("rega.yaml".to_owned(), "app: x\n".to_owned());
    environment.overlay(&mut root.unwrap(), &mut loader);
    assert_snapshot!(loader.into_report().render_warnings(Colour::Never), @"
    REGA_COLOUR: warning: not the name of a setting
      = nothing reads it; a setting kafka.brokers is REGA_KAFKA__BROKERS
    ");
}

/// Returns every name that begins with our prefix in the files below a folder.
fn named_below(folder: &Path, names: &mut BTreeSet<String>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            named_below(&path, names);
            continue;
        }
        // Pictures are no text.
        let text = fs::read_to_string(&path).unwrap_or_default();
        let part = |from: &str| -> String {
            from.chars().take_while(|c| c.is_ascii_uppercase() || *c == '_').collect()
        };
        names.extend(text.split("REGA_").skip(1).map(part).filter(|name| !name.is_empty()));
    }
}

#[test]
fn what_our_own_tests_scripts_and_pages_set_stops_nothing() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut names = BTreeSet::new();
    for folder in ["tests", "benches", "deploy", "docs", ".ci", "src/engine", "src/telemetry"] {
        named_below(&root.join(folder), &mut names);
    }
    assert!(names.contains("REQUIRE") && names.contains("CHAOS_SEED"), "{names:?}");
    for name in names.iter().filter(|name| !name.contains("__") && *name != "WORKRES") {
        let variable = format!("REGA_{name}");
        let mut loader = Loader::default();
        let root = loader.text("rega.yaml".to_owned(), "app: x\n".to_owned());
        super::environment(&[(&variable, "x")]).overlay(&mut root.unwrap(), &mut loader);
        assert!(loader.problems.is_empty() && loader.warnings.is_empty(), "{variable}");
    }
}
