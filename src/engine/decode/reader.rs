//! A cursor over JSON text that knows at every step which byte it stands on.
//!
//! `serde_json` would read the same texts, and a test holds the two against each other. It has no
//! byte positions for borrowed parts, tells a number too large from a missing comma by the words of
//! its message only, and cannot see a repeated key. Here a record is read once, from front to back,
//! and whatever is wrong is a [`Reject`] with its place.
//!
//! # Invariants
//!
//! - `at` always stands on a character boundary: it moves over ASCII only, or over whole strings.
//! - Arrays and objects are entered at most [`MAX_DEPTH`] deep, so that recursion is bounded.

use std::fmt;

use super::{
    MAX_DEPTH,
    field::{Given, Value},
    reject::Reject,
    text::{RawText, plain_length},
};

/// What a JSON value is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// `null`
    Null,
    /// `true` or `false`
    Flag,
    /// A number.
    Number,
    /// A string.
    Text,
    /// An array.
    Array,
    /// An object.
    Object,
}

impl fmt::Display for Kind {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Null => "null",
            Self::Flag => "true or false",
            Self::Number => "a number",
            Self::Text => "text",
            Self::Array => "an array",
            Self::Object => "an object",
        })
    }
}

/// A cursor over JSON text.
#[derive(Clone, Debug)]
pub(super) struct Reader<'a> {
    text: &'a str,
    at: usize,
    depth: usize,
}

impl<'a> Reader<'a> {
    /// Reads `text` from byte `at`, which must stand before a value.
    pub(super) fn starting_at(text: &'a str, at: usize) -> Self {
        Self { text, at, depth: 0 }
    }

    /// Returns the byte that the cursor stands on.
    pub(super) fn at(&self) -> usize {
        self.at
    }

    /// Returns the text that the cursor moves over.
    pub(super) fn whole(&self) -> &'a str {
        self.text
    }

    /// Returns the text from `start` to the cursor.
    pub(super) fn since(&self, start: usize) -> &'a str {
        self.text.get(start..self.at).unwrap_or_default()
    }

    /// Moves to the next value, and returns what it is.
    pub(super) fn kind(&mut self) -> Result<Kind, Reject> {
        self.pass_space();
        match self.peek() {
            Some(b'{') => Ok(Kind::Object),
            Some(b'[') => Ok(Kind::Array),
            Some(b'"') => Ok(Kind::Text),
            Some(b'-' | b'0'..=b'9') => Ok(Kind::Number),
            Some(b't' | b'f') => Ok(Kind::Flag),
            Some(b'n') => Ok(Kind::Null),
            Some(_) | None => Err(self.unexpected("a value")),
        }
    }

    /// Reads a value of the envelope.
    pub(super) fn given(&mut self) -> Result<Given<'a>, Reject> {
        let kind = self.kind()?;
        let at = Some(self.at);
        let value = match kind {
            Kind::Null => self.null().map(|()| Value::Null)?,
            Kind::Flag => Value::Flag(self.flag()?),
            Kind::Number => Value::Number(self.number()?),
            Kind::Text => Value::Text(self.text()?.decode()?),
            Kind::Array | Kind::Object => self.pass().map(|()| Value::Nested(kind))?,
        };
        Ok(Given { value, at })
    }

    /// Moves past a value, whatever it is. Its strings are not decoded.
    pub(super) fn pass(&mut self) -> Result<(), Reject> {
        match self.kind()? {
            Kind::Null => self.null(),
            Kind::Flag => self.flag().map(drop),
            Kind::Number => self.number().map(drop),
            Kind::Text => self.text().map(drop),
            Kind::Array => self.array(Self::pass),
            Kind::Object => self.object(|reader, _key| reader.pass()),
        }
    }

    /// Reads an object: `each` is called on every key and must read the value.
    pub(super) fn object(
        &mut self,
        mut each: impl FnMut(&mut Self, RawText<'a>) -> Result<(), Reject>,
    ) -> Result<(), Reject> {
        self.enter()?;
        if !self.take(b'}') {
            loop {
                self.pass_space();
                if self.peek() != Some(b'"') {
                    return Err(self.unexpected("a key in quotes"));
                }
                let key = self.text()?;
                self.expect(b':', "`:`")?;
                each(self, key)?;
                if !self.take(b',') {
                    break;
                }
            }
            self.expect(b'}', "`,` or `}`")?;
        }
        self.depth -= 1;
        Ok(())
    }

    /// Reads an array: `each` is called before every element and must read it.
    pub(super) fn array(
        &mut self,
        mut each: impl FnMut(&mut Self) -> Result<(), Reject>,
    ) -> Result<(), Reject> {
        self.enter()?;
        if !self.take(b']') {
            loop {
                each(self)?;
                if !self.take(b',') {
                    break;
                }
            }
            self.expect(b']', "`,` or `]`")?;
        }
        self.depth -= 1;
        Ok(())
    }

    /// Reads a string. The cursor must stand on its quote.
    pub(super) fn text(&mut self) -> Result<RawText<'a>, Reject> {
        let start = self.at;
        self.at += 1;
        let mut escaped = false;
        loop {
            let rest = self.text.as_bytes().get(self.at..).unwrap_or_default();
            self.at += plain_length(rest);
            match self.peek() {
                Some(b'"') => {
                    let raw = self.since(start + 1);
                    self.at += 1;
                    return Ok(RawText { raw, escaped, at: start });
                }
                Some(b'\\') => {
                    escaped = true;
                    self.escape()?;
                }
                Some(_) => return Err(self.unexpected("control characters to be escaped")),
                None => return Err(self.unexpected("the end of a string")),
            }
        }
    }

    /// Reads a number, and returns it as written.
    pub(super) fn number(&mut self) -> Result<&'a str, Reject> {
        let start = self.at;
        self.step(b'-');
        if !self.step(b'0') {
            self.digits()?;
        }
        if self.step(b'.') {
            self.digits()?;
        }
        if self.step(b'e') || self.step(b'E') {
            if !self.step(b'+') {
                self.step(b'-');
            }
            self.digits()?;
        }
        Ok(self.since(start))
    }

    /// Reads `true` or `false`.
    pub(super) fn flag(&mut self) -> Result<bool, Reject> {
        let flag = self.peek() == Some(b't');
        self.word(if flag { "true" } else { "false" })?;
        Ok(flag)
    }

    /// Reads `null`.
    pub(super) fn null(&mut self) -> Result<(), Reject> {
        self.word("null")
    }

    /// Makes sure that nothing but white space is left.
    pub(super) fn finish(&mut self) -> Result<(), Reject> {
        self.pass_space();
        if self.peek().is_some() { Err(self.unexpected("the end of the record")) } else { Ok(()) }
    }

    /// Returns the reject for a key that stands at `at` and stood in its object before.
    pub(super) fn duplicate_key(&self, at: usize) -> Reject {
        let again = Self::starting_at(self.text, at).text().and_then(RawText::decode);
        again.map_or_else(|reject| reject, |key| Reject::duplicate_key(&key, at))
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    /// Moves past `byte` if it stands here.
    fn step(&mut self, byte: u8) -> bool {
        let here = self.peek() == Some(byte);
        self.at += usize::from(here);
        here
    }

    /// Moves past white space, and past `byte` if it stands there.
    fn take(&mut self, byte: u8) -> bool {
        self.pass_space();
        self.step(byte)
    }

    fn expect(&mut self, byte: u8, expected: &'static str) -> Result<(), Reject> {
        if self.take(byte) { Ok(()) } else { Err(self.unexpected(expected)) }
    }

    fn enter(&mut self) -> Result<(), Reject> {
        if self.depth == MAX_DEPTH {
            return Err(Reject::TooDeep { at: self.at });
        }
        self.depth += 1;
        self.at += 1;
        Ok(())
    }

    fn pass_space(&mut self) {
        while let Some(b' ' | b'\n' | b'\r' | b'\t') = self.peek() {
            self.at += 1;
        }
    }

    fn digits(&mut self) -> Result<(), Reject> {
        let start = self.at;
        while let Some(b'0'..=b'9') = self.peek() {
            self.at += 1;
        }
        if self.at == start { Err(self.unexpected("a digit")) } else { Ok(()) }
    }

    fn word(&mut self, word: &'static str) -> Result<(), Reject> {
        for &byte in word.as_bytes() {
            if !self.step(byte) {
                return Err(self.unexpected(word));
            }
        }
        Ok(())
    }

    /// Moves past a backslash and what it escapes.
    fn escape(&mut self) -> Result<(), Reject> {
        self.at += 1;
        match self.peek() {
            Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => self.at += 1,
            Some(b'u') => {
                self.at += 1;
                for _ in 0..4 {
                    if !self.peek().is_some_and(|byte| byte.is_ascii_hexdigit()) {
                        return Err(self.unexpected("four hexadecimal digits"));
                    }
                    self.at += 1;
                }
            }
            Some(_) | None => return Err(self.unexpected("an escape that JSON knows")),
        }
        Ok(())
    }

    fn unexpected(&self, expected: &'static str) -> Reject {
        match self.peek() {
            Some(_) => Reject::Malformed { at: self.at, expected },
            None => Reject::Truncated { at: self.at, expected },
        }
    }
}
