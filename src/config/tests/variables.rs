//! The environment over the file.

use insta::assert_snapshot;

use super::{settings_of, settings_with};
use crate::config::settings::KEYS;

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
