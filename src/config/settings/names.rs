//! Names that Kafka, metrics and addresses accept.

use std::net::SocketAddr;

use crate::{
    config::{
        problem::Problems,
        values::{names, text},
        yaml::{Node, Scalar, Value},
    },
    engine::rules::spec::Located,
    model::Channels,
};

/// Kafka's own limit for a topic.
const TOPIC_CHARS_MAX: usize = 249;

/// Leaves room for what is appended: `<app>-detector`, `<app>.<instance>.<worker>`.
const APP_CHARS_MAX: usize = 100;

/// Letters that Kafka allows in names of topics, groups and clients.
fn kafka_letter(letter: char) -> bool {
    letter.is_ascii_alphanumeric() || matches!(letter, '.' | '_' | '-')
}

fn kafka_name(node: &Node, most: usize, problems: &mut Problems) -> Option<String> {
    let name = text(node, problems)?;
    let fits =
        name.len() <= most && name.chars().all(kafka_letter) && !name.trim_matches('.').is_empty();
    if !fits {
        problems.add_with_help(
            node.at,
            format!("\"{name}\" is not a name that Kafka accepts"),
            format!("use letters, digits, \".\", \"_\" and \"-\", at most {most} of them"),
        );
        return None;
    }
    Some(name)
}

/// Reads a topic's name.
pub(super) fn topic(node: &Node, problems: &mut Problems) -> Option<String> {
    kafka_name(node, TOPIC_CHARS_MAX, problems)
}

/// More than anybody lists by hand: a bound against slips of the pen.
const INPUTS_MAX: usize = 64;

/// Reads the topics that touchpoints come from: the first, and the others.
pub(super) fn topics(node: &Node, problems: &mut Problems) -> Option<(String, Vec<String>)> {
    let topics = names(node, problems)?;
    if topics.is_empty() || INPUTS_MAX < topics.len() {
        let message = format!("{} topics, 1 to {INPUTS_MAX} are allowed", topics.len());
        problems.add_with_help(node.at, message, "write one name, or [one, another]");
        return None;
    }
    let mut read = Vec::new();
    for topic in &topics {
        let scalar = Scalar { text: topic.value.clone(), plain: true };
        let one = Node { at: topic.at, value: Value::Scalar(scalar) };
        if read.contains(&topic.value) {
            problems.add(topic.at, format!("\"{}\" stands twice", topic.value));
        }
        read.extend(self::topic(&one, problems));
    }
    let more = read.split_off(read.len().min(1));
    let first = read.pop()?;
    (more.len() + 1 == topics.len()).then_some((first, more))
}

/// Reads the name of an app or an instance.
pub(super) fn app(node: &Node, problems: &mut Problems) -> Option<String> {
    kafka_name(node, APP_CHARS_MAX, problems)
}

/// Reads the brokers' addresses.
pub(super) fn brokers(node: &Node, problems: &mut Problems) -> Option<Vec<String>> {
    let brokers = names(node, problems)?;
    if brokers.is_empty() {
        problems.add_with_help(node.at, "no broker", "write host:port, at least one");
    }
    let bad: Vec<_> = brokers.iter().filter(|broker| !is_address(&broker.value)).collect();
    for broker in &bad {
        let message = format!("\"{}\" is not the address of a broker", broker.value);
        problems.add_with_help(broker.at, message, "write host:port, such as kafka-1:9092");
    }
    (bad.is_empty() && !brokers.is_empty())
        .then(|| brokers.into_iter().map(|broker| broker.value).collect())
}

/// Returns whether that is `host:port`, where the protocol may stand before it, as librdkafka
/// allows.
fn is_address(broker: &str) -> bool {
    let protocols = ["PLAINTEXT://", "SSL://", "SASL_PLAINTEXT://", "SASL_SSL://"];
    let bare = protocols.iter().find_map(|protocol| broker.strip_prefix(protocol));
    let Some((host, port)) = bare.unwrap_or(broker).rsplit_once(':') else { return false };
    let bracketed = host.starts_with('[') && host.ends_with(']');
    let host_fits = !host.is_empty()
        && (bracketed || !host.contains(':'))
        && !host.contains(|letter: char| letter.is_whitespace() || matches!(letter, '/' | '@'));
    host_fits && port.parse::<u16>().is_ok_and(|port| port != 0)
}

/// Reads an address to listen on. Port 0 lets the system choose.
pub(super) fn listen(node: &Node, problems: &mut Problems) -> Option<SocketAddr> {
    let written = text(node, problems)?;
    let address = written.parse().ok();
    if address.is_none() {
        problems.add_with_help(
            node.at,
            format!("expected an address, found \"{written}\""),
            "write ip:port: 127.0.0.1:8080 (this machine alone) or 0.0.0.0:8080 (everybody)",
        );
    }
    address
}

/// Reads where others reach this instance.
pub(super) fn advertise(node: &Node, problems: &mut Problems) -> Option<String> {
    let written = text(node, problems)?;
    let rest = written.strip_prefix("http://").or_else(|| written.strip_prefix("https://"));
    let host = rest.map(|rest| rest.trim_end_matches('/'));
    if host.is_none_or(|host| host.is_empty() || host.contains(char::is_whitespace)) {
        problems.add_with_help(
            node.at,
            format!("expected a URL, found \"{written}\""),
            "write http://host:port, as other instances reach it",
        );
        return None;
    }
    Some(written.trim_end_matches('/').to_owned())
}

/// Reads where something is posted to.
pub(super) fn receiver(node: &Node, problems: &mut Problems) -> Option<String> {
    let written = text(node, problems)?;
    let scheme = ["http://", "https://"].into_iter().find_map(|one| written.strip_prefix(one));
    let host = scheme.map(|rest| rest.split('/').next().unwrap_or_default());
    if host.is_none_or(str::is_empty) || written.contains(char::is_whitespace) {
        // Not shown: a webhook's address is often its password.
        let help = "write http://host:port, with a path where the receiver has one";
        problems.add_with_help(node.at, "expected a URL", help);
        return None;
    }
    Some(written.trim_end_matches('/').to_owned())
}

/// Reads the user's own channels.
pub(super) fn channels(node: &Node, problems: &mut Problems) -> Option<Vec<String>> {
    let channels = names(node, problems)?;
    let known = Channels::default();
    let room = Channels::MAX - known.names().count();
    if room < channels.len() {
        let message = format!("{} channels, and there is room for {room}", channels.len());
        let help = "each is a label of several metrics; the rest is counted as \"other\"";
        problems.add_with_help(node.at, message, help);
    }
    let bad: Vec<_> = channels.iter().filter(|channel| !is_label(&channel.value)).collect();
    for channel in &bad {
        let help = "use lower case letters, digits and \"_\", beginning with a letter";
        let message = format!("\"{}\" is not the name of a channel", channel.value);
        problems.add_with_help(channel.at, message, help);
    }
    let repeated = channels.iter().filter(|channel| known.get(&channel.value).is_some());
    for channel in repeated {
        let message = format!("the channel \"{}\" is built in", channel.value);
        problems.add_with_help(channel.at, message, "remove it here");
    }
    Some(channels.into_iter().map(|channel| channel.value).collect())
}

fn is_label(name: &str) -> bool {
    let letter = |letter: char| letter.is_ascii_lowercase() || letter.is_ascii_digit();
    name.starts_with(|first: char| first.is_ascii_lowercase())
        && name.len() <= 64
        && name.chars().all(|each| letter(each) || each == '_')
}

/// Reads the packs to load.
pub(super) fn packs(node: &Node, problems: &mut Problems) -> Option<Vec<Located<String>>> {
    let packs = names(node, problems)?;
    if packs.is_empty() {
        problems.add_with_help(node.at, "no pack", "write [commerce], or remove the line");
        return None;
    }
    Some(packs)
}
