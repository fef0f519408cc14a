//! A password is in the config file or in the environment, and nowhere else.

use super::{said, settings_of, settings_with};
use crate::config::Environment;

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
fn no_problem_shows_a_token() {
    for text in [
        "http: { token: hunter2 }\n",
        "http: { token: [hunter2] }\n",
        "http:\n  token: \"hunter2 hunter2 hunter2\"\n",
        "http: { listen: nowhere, token: hunter2-hunter2-hunter2 }\n",
        "token: hunter2\n",
    ] {
        let said = said(text);
        assert!(!said.contains("hunter2"), "{text}\n{said}");
    }
}

/// Returns what is said of a secret that stands in a file of its own.
fn said_of_file(key: &str, secret: &str) -> String {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("secret"), secret).unwrap();
    let file = folder.path().join("rega.yaml");
    let (section, key) = key.split_once('.').unwrap();
    std::fs::write(&file, format!("{section}: {{ {key}: secret }}\n")).unwrap();
    match crate::config::load(Some(&file), &Environment::from_iter([])) {
        Ok(loaded) => format!("{:?} {:?}", loaded.config.kafka, loaded.config.http),
        Err(report) => report.to_string(),
    }
}

#[test]
fn secrets_may_stand_in_files_and_are_not_shown() {
    let said = said_of_file("kafka.properties_file", "# mine\n\nsasl.password = hunter2=\n");
    assert!(said.contains("sasl.password") && !said.contains("hunter2"), "{said}");
    let said = said_of_file("http.token_file", "hunter2-hunter2-hunter2\n");
    assert!(said.contains("Some((secret))") && !said.contains("hunter2"), "{said}");
    for (key, secret, what) in [
        ("kafka.properties_file", "hunter2", "\"secret\": line 1: expected name=value"),
        (
            "kafka.properties_file",
            "HUNTER2 hunter2=x",
            "line 1: not the name of a librdkafka setting",
        ),
        ("kafka.properties_file", "linger.ms=5\nacks=hunter2", "line 2: \"acks\" is set by Rega"),
        ("http.token_file", "hunter2", "a token of fewer than 16 characters can be guessed"),
    ] {
        let said = said_of_file(key, secret);
        assert!(said.contains(what) && !said.to_lowercase().contains("hunter2"), "{said}");
    }
}

#[test]
fn debug_shows_no_password() {
    let config = settings_of("kafka: { properties: { sasl.password: hunter2 } }\n");
    assert_eq!(config.kafka.properties.get("sasl.password"), Some("hunter2"));
    let shown = format!("{config:?}");
    assert!(shown.contains("sasl.password") && !shown.contains("hunter2"), "{shown}");
}
