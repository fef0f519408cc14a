//! A JSON writer onto a reused buffer: no allocation, fields in the order they are written.

use crate::{engine::decode::plain_length, model::EventTime};

/// Writes one JSON object or array at a time.
#[derive(Debug)]
pub(super) struct Json<'o> {
    out: &'o mut Vec<u8>,
    /// The next member is the first of its object or array.
    first: bool,
}

impl<'o> Json<'o> {
    /// Begins an object.
    pub(super) fn object(out: &'o mut Vec<u8>) -> Self {
        out.push(b'{');
        Self { out, first: true }
    }

    /// Ends the outermost object.
    pub(super) fn end(self) {
        self.out.push(b'}');
    }

    #[inline]
    fn key(&mut self, key: &str) {
        self.comma();
        self.out.push(b'"');
        self.out.extend_from_slice(key.as_bytes());
        self.out.extend_from_slice(b"\":");
    }

    #[inline]
    fn comma(&mut self) {
        if !self.first {
            self.out.push(b',');
        }
        self.first = false;
    }

    /// Writes a text member.
    pub(super) fn text(&mut self, key: &str, text: &str) {
        self.key(key);
        write_text(self.out, text);
    }

    /// Writes a text member, or null.
    pub(super) fn optional_text(&mut self, key: &str, text: Option<&str>) {
        self.key(key);
        match text {
            Some(text) => write_text(self.out, text),
            None => self.out.extend_from_slice(b"null"),
        }
    }

    /// Writes a time member as RFC 3339, or null.
    pub(super) fn time(&mut self, key: &str, at: Option<EventTime>) {
        self.key(key);
        match at {
            Some(at) => {
                self.out.push(b'"');
                self.out.extend_from_slice(&at.to_rfc3339());
                self.out.push(b'"');
            }
            None => self.out.extend_from_slice(b"null"),
        }
    }

    /// Writes a whole number.
    pub(super) fn count(&mut self, key: &str, count: u64) {
        self.key(key);
        self.out.extend_from_slice(itoa::Buffer::new().format(count).as_bytes());
    }

    /// Writes a whole number under a name that is somebody's data.
    pub(super) fn named_count(&mut self, name: &str, count: u64) {
        self.comma();
        write_text(self.out, name);
        self.out.push(b':');
        self.out.extend_from_slice(itoa::Buffer::new().format(count).as_bytes());
    }

    /// Writes a number with two decimals.
    pub(super) fn decimal(&mut self, key: &str, number: f64) {
        self.key(key);
        write_decimal(self.out, number);
    }

    /// Writes a number with two decimals, or null.
    pub(super) fn optional_decimal(&mut self, key: &str, number: Option<f64>) {
        self.key(key);
        match number {
            Some(number) => write_decimal(self.out, number),
            None => self.out.extend_from_slice(b"null"),
        }
    }

    /// Writes `true`.
    pub(super) fn flag(&mut self, key: &str) {
        self.key(key);
        self.out.extend_from_slice(b"true");
    }

    /// Writes bytes that are JSON already.
    pub(super) fn raw(&mut self, key: &str, json: &[u8]) {
        self.key(key);
        self.out.extend_from_slice(json);
    }

    /// Writes an object member.
    pub(super) fn nested(&mut self, key: &str, write: impl FnOnce(&mut Json<'_>)) {
        self.key(key);
        self.braces(b'{', b'}', write);
    }

    /// Writes an array member.
    pub(super) fn array(&mut self, key: &str, write: impl FnOnce(&mut Json<'_>)) {
        self.key(key);
        self.braces(b'[', b']', write);
    }

    /// Writes an object as an element.
    pub(super) fn element(&mut self, write: impl FnOnce(&mut Json<'_>)) {
        self.comma();
        self.braces(b'{', b'}', write);
    }

    /// Writes a text as an element.
    pub(super) fn element_text(&mut self, text: &str) {
        self.comma();
        write_text(self.out, text);
    }

    fn braces(&mut self, open: u8, close: u8, write: impl FnOnce(&mut Json<'_>)) {
        self.out.push(open);
        let mut inside = Json { out: &mut *self.out, first: true };
        write(&mut inside);
        self.out.push(close);
    }
}

fn write_text(out: &mut Vec<u8>, text: &str) {
    const HEX: &[u8; 16] = b"0123456789abcdef";
    out.push(b'"');
    let mut rest = text.as_bytes();
    // Nearly every text needs no escape and is copied whole.
    loop {
        let (plain, from) = rest.split_at(plain_length(rest));
        out.extend_from_slice(plain);
        let Some((&byte, after)) = from.split_first() else { break };
        match byte {
            b'"' => out.extend_from_slice(b"\\\""),
            b'\\' => out.extend_from_slice(b"\\\\"),
            b'\n' => out.extend_from_slice(b"\\n"),
            b'\r' => out.extend_from_slice(b"\\r"),
            b'\t' => out.extend_from_slice(b"\\t"),
            _ => {
                out.extend_from_slice(b"\\u00");
                for digit in [byte >> 4, byte & 15] {
                    out.extend(HEX.get(usize::from(digit)));
                }
            }
        }
        rest = after;
    }
    out.push(b'"');
}

/// Published numbers have two decimals: rounding hides the last bits, in which the order of
/// additions would show.
#[expect(
    clippy::as_conversions,
    clippy::cast_possible_truncation,
    reason = "scores, points and balances lie within ±100 000; `as` saturates beyond"
)]
fn write_decimal(out: &mut Vec<u8>, number: f64) {
    let hundredths = (number * 100.0).round() as i64;
    if hundredths < 0 {
        out.push(b'-');
    }
    let hundredths = hundredths.unsigned_abs();
    out.extend_from_slice(itoa::Buffer::new().format(hundredths / 100).as_bytes());
    let rest = hundredths % 100;
    if rest != 0 {
        out.push(b'.');
        out.push(b'0' + u8::try_from(rest / 10).unwrap_or(0));
        if !rest.is_multiple_of(10) {
            out.push(b'0' + u8::try_from(rest % 10).unwrap_or(0));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check_decimal(number: f64, expected: &str) {
        let mut out = Vec::new();
        write_decimal(&mut out, number);
        assert_eq!(String::from_utf8(out).unwrap(), expected);
    }

    #[test]
    fn numbers_have_at_most_two_decimals() {
        check_decimal(0.0, "0");
        check_decimal(-0.001, "0");
        check_decimal(12.5, "12.5");
        check_decimal(99.999, "100");
        check_decimal(-2.345_67, "-2.35");
        check_decimal(7.05, "7.05");
        check_decimal(f64::NAN, "0");
    }

    #[test]
    fn any_text_reads_back() {
        for text in ["", "a\"b\\c", "line\nbreak\t\u{0}\u{1f}", "سلام 🙂"] {
            let mut out = Vec::new();
            write_text(&mut out, text);
            assert_eq!(serde_json::from_slice::<String>(&out).unwrap(), text);
        }
    }
}
