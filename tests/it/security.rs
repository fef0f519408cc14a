//! TLS, SCRAM and permissions, against a broker that asks for them.

use std::{
    ops::Range,
    path::{Path, PathBuf},
    process::Command,
};

use rega::kafka::ensure;
use tempfile::TempDir;

use crate::{
    broker::{Broker, skip, unique},
    client::{self, produce},
    process::Setup,
    topics::{connection, plan},
};

const PASSWORD: &str = "hunter2-hunter2";

/// Certificates in a folder: the broker's, which is its own authority here, and a client's.
struct Certificates(TempDir);

impl Certificates {
    fn make() -> Option<Self> {
        let made = Self(TempDir::new().unwrap());
        for (name, subject, more) in
            [("broker", "CN=broker", "-ext SAN=ip:127.0.0.1"), ("client", "CN=rega", "")]
        {
            let store = made.text(&format!("{name}.p12"));
            let arguments = format!(
                "-genkeypair -alias {name} -keyalg RSA -keysize 2048 -validity 2 -storetype PKCS12 \
                 -keystore {store} -storepass {PASSWORD} -dname {subject} {more}"
            );
            if !keytool(&arguments) {
                skip("kafka", "keytool is part of the JDK, and there is none");
                return None;
            }
            let pem = made.text(&format!("{name}.pem"));
            assert!(keytool(&format!(
                "-exportcert -rfc -alias {name} -keystore {store} -storepass {PASSWORD} -file {pem}"
            )));
        }
        assert!(keytool(&format!(
            "-importcert -noprompt -alias client -file {} -storetype PKCS12 -keystore {} -storepass \
             {PASSWORD}",
            made.text("client.pem"),
            made.text("trusted.p12")
        )));
        Some(made)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn text(&self, name: &str) -> String {
        self.path(name).to_str().unwrap().to_owned()
    }
}

fn keytool(arguments: &str) -> bool {
    let output = Command::new("keytool").args(arguments.split_whitespace()).output();
    output.is_ok_and(|output| output.status.success())
}

/// Starts a broker with a listener for TLS and SCRAM (two ports above its own) and one for clients with
/// certificates (three above). Whoever is not named in an ACL may do nothing; only the plain listener's
/// nobody and the owner of the client certificate may do everything.
fn secured(certificates: &Certificates) -> Option<Broker> {
    let settings = [
        "listeners=PLAINTEXT://127.0.0.1:@0@,CONTROLLER://127.0.0.1:@1@,SCRAM://127.0.0.1:@2@,\
         MUTUAL://127.0.0.1:@3@",
        "advertised.listeners=PLAINTEXT://127.0.0.1:@0@,SCRAM://127.0.0.1:@2@,MUTUAL://127.0.0.1:@3@",
        "listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,SCRAM:SASL_SSL,\
         MUTUAL:SSL",
        "sasl.enabled.mechanisms=SCRAM-SHA-512",
        "listener.name.scram.scram-sha-512.sasl.jaas.config=\
         org.apache.kafka.common.security.scram.ScramLoginModule required;",
        &format!("ssl.keystore.location={}", certificates.text("broker.p12")),
        &format!("ssl.keystore.password={PASSWORD}"),
        "ssl.keystore.type=PKCS12",
        &format!("ssl.truststore.location={}", certificates.text("trusted.p12")),
        &format!("ssl.truststore.password={PASSWORD}"),
        "ssl.truststore.type=PKCS12",
        "listener.name.mutual.ssl.client.auth=required",
        "authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer",
        "super.users=User:ANONYMOUS;User:CN=rega",
    ];
    let mut options: Vec<String> =
        settings.iter().flat_map(|setting| ["--set", setting]).map(str::to_owned).collect();
    let user = format!("SCRAM-SHA-512=[name=rega,password={PASSWORD}]");
    options.extend(["--add-scram".to_owned(), user]);
    Broker::start_as(&options)
}

/// Settings for the SCRAM listener; the password stands in a file of its own.
fn scram(broker: &Broker, certificates: &Certificates, folder: &Path, password: &str) -> String {
    std::fs::write(folder.join("secrets"), format!("sasl.password={password}\n")).unwrap();
    format!(
        "workers: 1\n\
         kafka:\n  brokers: \"{}\"\n  properties_file: secrets\n  properties:\n    \
         session.timeout.ms: 6000\n    security.protocol: SASL_SSL\n    \
         sasl.mechanism: SCRAM-SHA-512\n    sasl.username: rega\n    ssl.ca.location: \"{}\"",
        broker.address_above(2),
        certificates.text("broker.pem"),
    )
}

fn touchpoints(numbers: Range<usize>) -> Vec<(i32, String, String)> {
    numbers
        .map(|number| {
            let value = format!(
                r#"{{"event_id":"e{number}","customer_id":"ada","ts":{},"channel":"web","event":"product_viewed"}}"#,
                1_750_000_000_000_u64 + 1000 * u64::try_from(number).unwrap()
            );
            (0, "ada".to_owned(), value)
        })
        .collect()
}

fn produce_some(broker: &Broker, topic: &str, numbers: Range<usize>) {
    let records = touchpoints(numbers);
    let borrowed: Vec<(i32, &str, &str)> =
        records.iter().map(|(at, key, value)| (*at, key.as_str(), value.as_str())).collect();
    produce(&broker.address(), topic, &borrowed);
}

/// Returns the arguments of every printed `kafka-acls.sh`, for our user.
fn printed_acls(said: &str) -> Vec<Vec<String>> {
    let commands = said.lines().filter_map(|line| line.trim().strip_prefix("kafka-acls.sh"));
    commands
        .map(|command| {
            let command = command.replace("User:<rega's user>", "User:rega");
            let mut words = command.split_whitespace().map(str::to_owned);
            // The tests' tool brings its own address.
            assert_eq!(words.next().as_deref(), Some("--bootstrap-server"));
            words.skip(1).collect()
        })
        .collect()
}

fn acls(broker: &Broker, arguments: &[String]) {
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    broker.tool(&[&["acls"], arguments.as_slice()].concat());
}

/// Runs to the end, which must come by itself; returns what was said.
fn refused(setup: &Setup<'_>) -> String {
    let (code, said) = setup.run();
    assert_eq!(code, Some(1), "{said}");
    assert!(!said.contains(PASSWORD) && !said.contains("wrong-wrong"), "{said}");
    said
}

#[test]
fn over_tls_with_scram_and_only_the_permissions_that_are_listed() {
    let Some(certificates) = Certificates::make() else { return };
    let Some(broker) = secured(&certificates) else { return };
    let app = unique("secured");
    // Somebody who may has made the topics.
    let plan = plan(&app);
    ensure(&connection(&broker), &plan).unwrap();
    let folder = TempDir::new().unwrap();
    let more = scram(&broker, &certificates, folder.path(), "wrong-wrong");
    let setup = Setup { broker: &broker, app: &app, folder: folder.path(), more: &more };
    let said = refused(&setup);
    assert!(said.contains("Authentication failed"), "{said}");

    let more = scram(&broker, &certificates, folder.path(), PASSWORD);
    let setup = Setup { broker: &broker, app: &app, folder: folder.path(), more: &more };
    let said = refused(&setup);
    assert!(said.contains("the Kafka broker does not permit a look at topic"), "{said}");
    for command in printed_acls(&said) {
        acls(&broker, &command);
    }
    produce_some(&broker, &format!("{app}-touchpoints"), 0..20);
    let mut rega = setup.start();
    rega.wait_for("committed worker=0");
    let moments = format!("{app}-moments");
    client::read_until(&broker.address(), &moments, |seen| 20 <= seen.len());
    assert_eq!(rega.terminate().code(), Some(0), "{}", rega.log());
    assert!(!rega.log().contains(PASSWORD));

    // And each that is missing is named.
    let topic = format!("{app}-moments");
    let state = format!("{app}-state");
    let transactions = format!("{app}.");
    let prefixed = ["--resource-pattern-type", "prefixed"];
    for (number, (operation, resource, more, expected)) in (20..).zip([
        (
            "Write",
            ["--topic", &topic],
            [].as_slice(),
            format!("partition \"{topic}\" [0] to transaction: Broker: Topic authorization failed"),
        ),
        ("Read", ["--topic", &state], &[], "Topic authorization failed".to_owned()),
        ("Read", ["--group", &app], &[], "Group authorization failed".to_owned()),
        (
            "Write",
            ["--transactional-id", &transactions],
            &prefixed,
            "Transactional Id authorization failed".to_owned(),
        ),
    ]) {
        // A new one each time: a repetition would have nothing written to `moments`.
        produce_some(&broker, &format!("{app}-touchpoints"), number..number + 1);
        let deny = ["--deny-principal", "User:rega", "--operation", operation];
        broker.tool(&[&["acls", "--add"], deny.as_slice(), &resource, more].concat());
        let said = refused(&setup);
        assert!(said.contains("the Kafka broker does not permit what Rega needs"), "{said}");
        assert!(said.contains(&expected), "{said}");
        assert!(said.contains("kafka-acls.sh --bootstrap-server"), "{said}");
        broker.tool(&[&["acls", "--remove", "--force"], deny.as_slice(), &resource, more].concat());
    }
}

#[test]
fn with_a_certificate_instead_of_a_password() {
    let Some(certificates) = Certificates::make() else { return };
    let Some(broker) = secured(&certificates) else { return };
    let app = unique("mutual");
    let folder = TempDir::new().unwrap();
    let more = format!(
        "workers: 1\n\
         kafka:\n  brokers: \"{}\"\n  properties:\n    security.protocol: SSL\n    \
         ssl.keystore.location: \"{}\"\n    ssl.keystore.password: {PASSWORD}\n    \
         ssl.ca.location: \"{}\"",
        broker.address_above(3),
        certificates.text("client.p12"),
        certificates.text("broker.pem"),
    );
    let setup = Setup { broker: &broker, app: &app, folder: folder.path(), more: &more };
    let mut rega = setup.start();
    rega.wait_for("partition ready");
    produce_some(&broker, &format!("{app}-touchpoints"), 0..5);
    let moments = format!("{app}-moments");
    client::read_until(&broker.address(), &moments, |seen| 5 <= seen.len());
    assert_eq!(rega.terminate().code(), Some(0), "{}", rega.log());
    assert!(!rega.log().contains(PASSWORD));
}
