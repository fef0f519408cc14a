//! Where a value stands in JSON, as written in rules and mappings: `a.b`, `products[].product_id`.
//!
//! `[]` tells the reader that several values are meant. It changes nothing for a search: arrays are
//! entered wherever they are met, and a single value where `[]` is written counts as one element.
//! Senders drift between `"tags": "new"` and `"tags": ["new"]`, and a rule should see both.

use std::fmt;

/// A path below some JSON object.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Path {
    keys: Vec<Box<str>>,
    many: bool,
}

/// What is wrong with a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadPath {
    /// Nothing is written, or nothing before, between or after a dot.
    #[error("a key is missing before, between or after the dots")]
    MissingKey,
    /// Brackets that are not `[]` at the end of a key.
    #[error("brackets may only be `[]`, at the end of a key; write `\\[` and `\\]` for such a key")]
    BadBrackets,
    /// A backslash before anything but `.`, `[`, `]` or `\`.
    #[error("a backslash may only stand before `.`, `[`, `]` or another backslash")]
    BadEscape,
    /// More keys than [`Path::MAX_KEYS`].
    #[error("more than {max} keys", max = Path::MAX_KEYS)]
    TooLong,
}

impl Path {
    /// Deeper than any payload seen; keeps the search for a path short.
    pub const MAX_KEYS: usize = 16;

    /// Reads a path as written. A dot that belongs to a key is written `a\.b`.
    ///
    /// # Errors
    ///
    /// Says what is wrong with it, for whoever wrote the rule or the mapping.
    pub fn parse(text: &str) -> Result<Self, BadPath> {
        let mut keys = Vec::new();
        let mut many = false;
        let mut key = String::new();
        let mut chars = text.chars().peekable();
        loop {
            match chars.next() {
                Some('\\') => match chars.next() {
                    Some(escaped @ ('.' | '[' | ']' | '\\')) => key.push(escaped),
                    Some(_) | None => return Err(BadPath::BadEscape),
                },
                Some('[') => {
                    let closed = chars.next() == Some(']');
                    if !closed || !matches!(chars.peek(), None | Some('.' | '[')) {
                        return Err(BadPath::BadBrackets);
                    }
                    many = true;
                }
                Some(']') => return Err(BadPath::BadBrackets),
                end @ (None | Some('.')) => {
                    if key.is_empty() {
                        return Err(BadPath::MissingKey);
                    }
                    keys.push(std::mem::take(&mut key).into_boxed_str());
                    if keys.len() > Self::MAX_KEYS {
                        return Err(BadPath::TooLong);
                    }
                    if end.is_none() {
                        return Ok(Self { keys, many });
                    }
                }
                Some(other) => key.push(other),
            }
        }
    }

    /// Returns the keys, from the outside in.
    pub fn keys(&self) -> impl ExactSizeIterator<Item = &str> {
        self.keys.iter().map(|key| &**key)
    }

    /// Returns whether `[]` is written in it, so that several values are meant.
    pub fn is_many(&self) -> bool {
        self.many
    }
}

impl fmt::Display for Path {
    /// Writes the keys with dots between and dots within escaped. Brackets are not repeated.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, key) in self.keys().enumerate() {
            if index > 0 {
                formatter.write_str(".")?;
            }
            for character in key.chars() {
                if matches!(character, '.' | '[' | ']' | '\\') {
                    formatter.write_str("\\")?;
                }
                write!(formatter, "{character}")?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, keys: &[&str], many: bool) {
        let path = Path::parse(text).unwrap();
        assert_eq!(path.keys().collect::<Vec<_>>(), keys);
        assert_eq!(path.is_many(), many);
        assert_eq!(Path::parse(&path.to_string()).unwrap().keys, path.keys);
    }

    #[test]
    fn a_path_is_keys_with_dots_between() {
        check("order_id", &["order_id"], false);
        check("a.b", &["a", "b"], false);
        check("products[].product_id", &["products", "product_id"], true);
        check("rows[][].x", &["rows", "x"], true);
        check(r"a\.b.c\\d.e\[\]", &["a.b", r"c\d", "e[]"], false);
    }

    #[test]
    fn a_bad_path_says_what_is_wrong() {
        for text in ["", ".", "a.", ".a", "a..b", "[].a"] {
            assert_eq!(Path::parse(text), Err(BadPath::MissingKey), "{text}");
        }
        for text in ["a[0]", "a[", "a]", "a[]b"] {
            assert_eq!(Path::parse(text), Err(BadPath::BadBrackets), "{text}");
        }
        assert_eq!(Path::parse(r"a\b"), Err(BadPath::BadEscape));
        assert_eq!(Path::parse(&"a.".repeat(17)), Err(BadPath::TooLong));
    }
}
