//! Which part of a line must never be shown again: what a file says of the connection to Kafka.
//!
//! Problems are rendered with the line they stand in, and a line may hold a password, also (and
//! above all) when it is misplaced, misspelt or not even YAML. So this looks at text and not at a
//! tree, and hides rather too much: every value below `kafka` but the brokers, and every value of
//! a key that librdkafka would take for a secret, wherever it stands.

/// Beginnings of the names of librdkafka settings that hold secrets.
const SECRET_PREFIXES: [&str; 2] = ["sasl.", "ssl."];

/// Returns, for each line, the column (in characters) from which it is hidden; `None` shows it.
pub(super) fn hidden_from(text: &str) -> Vec<Option<usize>> {
    // The indentation of the `kafka` key whose block we are in.
    let mut block: Option<usize> = None;
    text.lines()
        .map(|line| {
            let indent = line.chars().take_while(|character| character.is_whitespace()).count();
            let blank = line.trim().is_empty() || line.trim_start().starts_with('#');
            if !blank && block.is_some_and(|outer| indent <= outer) {
                block = None;
            }
            let inside = block.is_some();
            let kafka = end_of_key(line, "kafka");
            if kafka.is_some() && !inside {
                block = Some(indent);
            }
            let dotted = SECRET_PREFIXES.iter().find_map(|prefix| end_of_dotted(line, prefix));
            // A webhook's token, and its address, which is often a password as well.
            let posted = ["token", "url"].iter().find_map(|key| end_of_key(line, key));
            let secret = dotted.into_iter().chain(posted).min();
            match (inside, kafka, secret) {
                (false, None, secret) => secret,
                (false, Some(end), secret) => secret.map_or(Some(end), |at| Some(at.min(end))),
                (true, ..) if end_of_key(line, "brokers").is_some() && !line.contains('{') => None,
                (true, ..) => Some(end_of_name(line).unwrap_or(indent)),
            }
        })
        .collect()
}

/// Returns the column after the colon of whatever key the line has; `None` where what stands before
/// the colon does not look like a key.
fn end_of_name(line: &str) -> Option<usize> {
    let colon = line.chars().position(|character| character == ':')?;
    let key: String = line.chars().take(colon).collect();
    let key = key.trim_matches(|letter: char| letter.is_whitespace() || "{\"'-".contains(letter));
    let letter = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '.' | '_');
    key.chars().all(letter).then_some(colon + 1)
}

/// Returns the column after `key:` where the line has that key, quoted or not.
fn end_of_key(line: &str, key: &str) -> Option<usize> {
    let characters: Vec<char> = line.chars().collect();
    let key: Vec<char> = key.chars().collect();
    let starts = characters.windows(key.len()).enumerate();
    for (start, _) in starts.filter(|(_, window)| *window == key) {
        let before = start.checked_sub(1).and_then(|index| characters.get(index));
        if before.is_some_and(|c| !(c.is_whitespace() || "{,\"'".contains(*c))) {
            continue;
        }
        let rest = characters.iter().enumerate().skip(start + key.len());
        let colon = rest.skip_while(|(_, c)| matches!(c, '"' | '\'' | ' ')).map(|(at, c)| (at, *c));
        if let Some((at, ':')) = { colon }.next() {
            return Some(at + 1);
        }
    }
    None
}

/// Returns the column after the colon of the first key that begins with `prefix`; where there is
/// no colon, the column after the prefix.
fn end_of_dotted(line: &str, prefix: &str) -> Option<usize> {
    let before = line.split(prefix).next().filter(|before| before.len() < line.len())?;
    let start = before.chars().count() + prefix.chars().count();
    let colon = line.chars().skip(start).position(|character| character == ':');
    Some(colon.map_or(start, |offset| start + offset + 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Shows the text as a reader would see it.
    fn shown(text: &str) -> String {
        let lines = text.lines().zip(hidden_from(text)).map(|(line, hidden)| {
            line.chars().take(hidden.unwrap_or(usize::MAX)).collect::<String>()
        });
        lines.collect::<Vec<_>>().join("\n")
    }

    #[test]
    fn a_secret_is_hidden_wherever_it_was_put() {
        for text in [
            "kafka:\n  properties:\n    sasl.password: hunter2",
            "kafka:\n  propertis: { sasl.password: hunter2 }",
            "kafka: { brokers: a, pass: hunter2 }",
            "kafka:\n  brokers: { sasl.password: hunter2 }",
            "{ \"kafka\": { \"properties\": { \"x\": \"hunter2\" } } }",
            "sasl.password: hunter2",
            "kafka:\n  properties:\n    pass: |\n      hunter2",
            "kafka:\n\n  # note\n  anything: 'hunter2",
            "'kafka' : {\n  x: hunter2 }",
            "app: x\nssl.key.password = hunter2",
            "http: { listen: x, token: hunter2 }",
        ] {
            assert!(!shown(text).contains("hunter2"), "{text}\nbecame\n{}", shown(text));
        }
    }

    #[test]
    fn what_is_no_secret_stays() {
        let text = "app: shop\nkafka:\n  brokers: [a:9092]\ntopics:\n  moments: kafkaesque: x";
        assert_eq!(shown(text), text);
        let text = "rules:\n  - name: asks for kafka\n    when: { properties: { x: 1 } }";
        assert_eq!(shown(text), text);
    }
}
