//! Writing one native touchpoint as a line of JSON.
//!
//! By hand rather than through `serde`: properties differ from step to step, and a value tree per
//! touchpoint would cost more than everything else in the simulation.

use super::{people::Person, rhythm::DAY};
use crate::model::EventTime;

/// What every touchpoint has.
#[derive(Clone, Copy, Debug)]
pub(super) struct Head {
    /// Unique over the whole simulation.
    pub(super) errand: u64,
    /// How many touchpoints the errand had before.
    pub(super) step: u16,
    pub(super) person: Person,
    pub(super) ts: EventTime,
    pub(super) channel: &'static str,
    pub(super) event: &'static str,
}

/// The line being written; its memory is reused.
#[derive(Debug, Default)]
pub(super) struct Line {
    json: String,
    has_properties: bool,
    actor: Option<&'static str>,
    text: Option<&'static str>,
    calendar: Calendar,
}

impl Line {
    /// Begins a touchpoint; what was written before is gone.
    pub(super) fn begin(&mut self, head: &Head) {
        self.json.clear();
        self.has_properties = false;
        self.actor = None;
        self.text = None;
        self.json.push_str(r#"{"event_id":""#);
        push_hex(&mut self.json, head.errand, 16);
        self.json.push('-');
        push_hex(&mut self.json, u64::from(head.step), 2);
        self.json.push_str(r#"","customer_id":""#);
        push_customer_id(&mut self.json, head.person);
        self.json.push_str(r#"","ts":""#);
        self.calendar.push(&mut self.json, head.ts);
        self.json.push_str(r#"","channel":""#);
        self.json.push_str(head.channel);
        self.json.push_str(r#"","event":""#);
        self.json.push_str(head.event);
        self.json.push_str(r#"","properties":{"#);
    }

    /// Adds a property that is text.
    pub(super) fn text(&mut self, key: &str, value: &str) -> &mut Self {
        self.key(key);
        push_text(&mut self.json, value);
        self
    }

    /// Adds a property that is text made of a prefix and the lower 48 bits of a number.
    pub(super) fn id(&mut self, key: &str, prefix: &str, bits: u64) -> &mut Self {
        self.key(key);
        self.json.push('"');
        self.json.push_str(prefix);
        push_hex(&mut self.json, bits, 12);
        self.json.push('"');
        self
    }

    /// Adds a property that is text made of a prefix and a decimal number.
    pub(super) fn numbered(&mut self, key: &str, prefix: &str, number: u32) -> &mut Self {
        self.key(key);
        self.json.push('"');
        self.json.push_str(prefix);
        self.json.push_str(itoa::Buffer::new().format(number));
        self.json.push('"');
        self
    }

    /// Adds a property that is a list of numbered names.
    pub(super) fn numbered_list(&mut self, key: &str, prefix: &str, numbers: &[u32]) -> &mut Self {
        self.key(key);
        for (index, &number) in numbers.iter().enumerate() {
            self.json.push_str(if index == 0 { "[\"" } else { "\",\"" });
            self.json.push_str(prefix);
            self.json.push_str(itoa::Buffer::new().format(number));
        }
        self.json.push_str(if numbers.is_empty() { "[]" } else { "\"]" });
        self
    }

    /// Adds a property that is a whole number.
    pub(super) fn number(&mut self, key: &str, value: i64) -> &mut Self {
        self.key(key);
        self.json.push_str(itoa::Buffer::new().format(value));
        self
    }

    /// Adds a property that is an amount of money.
    pub(super) fn money(&mut self, key: &str, cents: u64) -> &mut Self {
        self.key(key);
        self.json.push_str(itoa::Buffer::new().format(cents / 100));
        self.json.push('.');
        push_digits(&mut self.json, i64::try_from(cents % 100).unwrap_or(0), 2);
        self
    }

    /// Adds a property that is `true` or `false`.
    pub(super) fn flag(&mut self, key: &str, value: bool) -> &mut Self {
        self.key(key);
        self.json.push_str(if value { "true" } else { "false" });
        self
    }

    /// Adds a property that is an instant.
    pub(super) fn time(&mut self, key: &str, value: EventTime) -> &mut Self {
        self.key(key);
        self.json.push('"');
        self.calendar.push(&mut self.json, value);
        self.json.push('"');
        self
    }

    /// Adds a property that is a bare date.
    pub(super) fn date(&mut self, key: &str, value: EventTime) -> &mut Self {
        self.key(key);
        self.json.push('"');
        self.json.push_str(self.calendar.date(value));
        self.json.push('"');
        self
    }

    /// Says who acted.
    pub(super) fn actor(&mut self, actor: &'static str) -> &mut Self {
        self.actor = Some(actor);
        self
    }

    /// Adds what the customer wrote.
    pub(super) fn says(&mut self, text: &'static str) -> &mut Self {
        self.text = Some(text);
        self
    }

    /// Ends the touchpoint, and returns its bytes without a line break.
    pub(super) fn finish(&mut self) -> Vec<u8> {
        self.json.push('}');
        if let Some(actor) = self.actor {
            self.json.push_str(r#","actor":""#);
            self.json.push_str(actor);
            self.json.push('"');
        }
        if let Some(text) = self.text {
            self.json.push_str(r#","text":"#);
            push_text(&mut self.json, text);
        }
        self.json.push('}');
        self.json.as_bytes().to_vec()
    }

    fn key(&mut self, key: &str) {
        if self.has_properties {
            self.json.push(',');
        }
        self.has_properties = true;
        self.json.push('"');
        self.json.push_str(key);
        self.json.push_str("\":");
    }
}

/// Returns a customer's id.
pub(super) fn customer_id(person: Person) -> String {
    let mut id = String::with_capacity(Person::ID_BYTES);
    push_customer_id(&mut id, person);
    id
}

fn push_customer_id(json: &mut String, person: Person) {
    json.push_str("cus_");
    push_hex(json, u64::from(person.id_bits()), 8);
}

/// Writes the lower bits of a number as that many hexadecimal digits.
fn push_hex(json: &mut String, bits: u64, digits: u32) {
    for digit in (0..digits).rev() {
        let nibble = u32::try_from((bits >> (4 * digit)) & 0xf).unwrap_or(0);
        json.push(char::from_digit(nibble, 16).unwrap_or('0'));
    }
}

/// Writes the lowest decimal digits of a number, with zeros in front.
fn push_digits(json: &mut String, number: i64, digits: u32) {
    for digit in (0..digits).rev() {
        let decimal = u32::try_from(number / 10_i64.pow(digit) % 10).unwrap_or(0);
        json.push(char::from_digit(decimal, 10).unwrap_or('0'));
    }
}

/// Writes a JSON string. Our texts hold no control characters (a test says so).
fn push_text(json: &mut String, text: &str) {
    json.push('"');
    if text.bytes().any(|byte| matches!(byte, b'"' | b'\\')) {
        for letter in text.chars() {
            if matches!(letter, '"' | '\\') {
                json.push('\\');
            }
            json.push(letter);
        }
    } else {
        json.push_str(text);
    }
    json.push('"');
}

/// RFC 3339 with the date of the latest day kept: nearly every time falls on the same day as the
/// one before, and a date takes longer to work out than the rest of a line.
#[derive(Debug, Default)]
struct Calendar {
    day: i64,
    date: String,
}

impl Calendar {
    fn push(&mut self, json: &mut String, time: EventTime) {
        json.push_str(self.date(time));
        let in_day = time.as_millis().rem_euclid(DAY);
        json.push('T');
        push_digits(json, in_day / 3_600_000, 2);
        json.push(':');
        push_digits(json, in_day / 60_000 % 60, 2);
        json.push(':');
        push_digits(json, in_day / 1000 % 60, 2);
        json.push('.');
        push_digits(json, in_day % 1000, 3);
        json.push('Z');
    }

    fn date(&mut self, time: EventTime) -> &str {
        let day = time.as_millis().div_euclid(DAY);
        if self.date.is_empty() || self.day != day {
            self.day = day;
            self.date = time.to_string();
            self.date.truncate("2026-01-05".len());
        }
        &self.date
    }
}

#[cfg(test)]
mod tests {
    use super::{super::people::Population, *};

    #[test]
    fn a_line_is_one_json_touchpoint() {
        let ts = EventTime::from_millis(1_767_571_262_003).unwrap();
        let head = Head {
            errand: 0xabc,
            step: 1,
            person: Population::new(10, 1).person(3),
            ts,
            channel: "web",
            event: "page_viewed",
        };
        let mut line = Line::default();
        line.begin(&head);
        line.text("page", "/\"a\"\\").number("n", -3).money("price", 1205).flag("new", true);
        line.date("day", ts).time("at", ts.plus(86_400_000)).numbered_list("of", "p-", &[1, 2]);
        line.actor("brand").says("سلام");
        let bytes = line.finish();
        insta::assert_snapshot!(String::from_utf8(bytes.clone()).unwrap(), @r#"{"event_id":"0000000000000abc-01","customer_id":"cus_9176eb1b","ts":"2026-01-05T00:01:02.003Z","channel":"web","event":"page_viewed","properties":{"page":"/\"a\"\\","n":-3,"price":12.05,"new":true,"day":"2026-01-05","at":"2026-01-06T00:01:02.003Z","of":["p-1","p-2"]},"actor":"brand","text":"سلام"}"#);
        assert!(serde_json::from_slice::<serde_json::Value>(&bytes).is_ok());
    }

    #[test]
    fn times_are_written_as_the_model_prints_them() {
        let mut calendar = Calendar::default();
        for millis in [0, 86_399_999, 86_400_000, -1, 1_709_164_800_123] {
            let time = EventTime::from_millis(millis).unwrap();
            let mut json = String::new();
            calendar.push(&mut json, time);
            assert_eq!(json, time.to_string());
        }
    }
}
