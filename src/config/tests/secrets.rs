//! A password is in the config file or in the environment, and nowhere else.

use super::{said, settings_of, settings_with};

/// Ways to write a password, each wrong in another way.
const SLIPS: [&str; 14] = [
    "kafka: { properties: { sasl.password: hunter2, group.id: x } }\n",
    "kafka:\n  properties:\n    sasl.password: [hunter2]\n",
    "kafka:\n  properties: sasl.password=hunter2\n",
    "kafka:\n  properties:\n    sasl.password=hunter2\n",
    "kafka:\n  properties:\n    - sasl.password: hunter2\n",
    "kafka:\n  sasl.password: hunter2\n",
    "kafka: hunter2\n",
    "sasl.password: hunter2\n",
    "kafka:\n  properties:\n    sasl.password: \"hunter2\n",
    "kafka:\n  properties:\n    sasl.password: a: hunter2\n",
    "kafka:\n  properties:\n    sasl.password: one\n    sasl.password: hunter2\n",
    "kafka:\n  properties:\n    sasl.password: &x hunter2\n",
    "kafka:\n  properties:\n    acks: |\n      hunter2\n",
    "kafka:\n  properties:\n    'hunter2 X': y\n",
];

#[test]
fn no_problem_shows_a_password() {
    for text in SLIPS {
        let said = said(text);
        assert!(!said.contains("hunter2"), "{text}\n{said}");
    }
}

#[test]
fn no_problem_shows_a_password_from_the_environment() {
    for name in ["SASL_PASSWORD", "ACKS"] {
        let name = format!("REGA_KAFKA__PROPERTIES__{name}");
        let said = settings_with("app: '!'\n", &[(&name, "hunter2")]).unwrap_err();
        assert!(!said.to_string().contains("hunter2"), "{said}");
        assert!(!format!("{said:?}").contains("hunter2"), "{said:?}");
    }
}

#[test]
fn debug_shows_no_password() {
    let config = settings_of("kafka: { properties: { sasl.password: hunter2 } }\n");
    assert_eq!(config.kafka.properties.get("sasl.password"), Some("hunter2"));
    let shown = format!("{config:?}");
    assert!(shown.contains("sasl.password") && !shown.contains("hunter2"), "{shown}");
}
