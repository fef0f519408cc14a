//! A JSON string between its quotes, and what it says.

use std::borrow::Cow;

use super::reject::Reject;

/// A string as it is written. Its escapes are known to be well formed.
#[derive(Clone, Copy, Debug)]
pub(super) struct RawText<'a> {
    /// What stands between the quotes.
    pub(super) raw: &'a str,
    /// There is a backslash in it.
    pub(super) escaped: bool,
    /// The byte in the record where its quote stands.
    pub(super) at: usize,
}

impl<'a> RawText<'a> {
    /// Returns what it says; owned only where there are escapes.
    pub(super) fn decode(self) -> Result<Cow<'a, str>, Reject> {
        if self.escaped {
            let mut decoded = String::with_capacity(self.raw.len());
            self.unescape(&mut decoded)?;
            Ok(Cow::Owned(decoded))
        } else {
            Ok(Cow::Borrowed(self.raw))
        }
    }

    /// Returns what it says, written into `buffer` where there are escapes.
    pub(super) fn decode_into<'b>(self, buffer: &'b mut String) -> Result<&'b str, Reject>
    where
        'a: 'b,
    {
        if self.escaped {
            buffer.clear();
            self.unescape(buffer)?;
            Ok(buffer)
        } else {
            Ok(self.raw)
        }
    }

    fn unescape(self, decoded: &mut String) -> Result<(), Reject> {
        let mut rest = self.raw;
        while let Some((plain, escape)) = rest.split_once('\\') {
            decoded.push_str(plain);
            let mut after = escape.chars();
            let character = match after.next() {
                Some('b') => '\u{8}',
                Some('f') => '\u{c}',
                Some('n') => '\n',
                Some('r') => '\r',
                Some('t') => '\t',
                Some('u') => {
                    let (character, length) =
                        unicode(escape).ok_or(Reject::BadUnicode { at: self.at })?;
                    rest = escape.get(length..).unwrap_or_default();
                    decoded.push(character);
                    continue;
                }
                Some(itself) => itself,
                None => break,
            };
            decoded.push(character);
            rest = after.as_str();
        }
        decoded.push_str(rest);
        Ok(())
    }
}

/// Returns how many bytes come before the next quote, backslash or control character.
///
/// Most of a record is inside strings, so this takes eight bytes at a time until a word holds one (a
/// byte below 0x20, or equal to one of the two: the usual zero-byte trick). What the trick marks
/// wrongly stands behind a right mark, so the first mark is the place.
pub(in crate::engine) fn plain_length(bytes: &[u8]) -> usize {
    const ONES: u64 = u64::MAX / 0xff;
    const HIGHS: u64 = ONES << 7;
    let below = |word: u64, limit: u64| word.wrapping_sub(ONES * limit) & !word & HIGHS;
    let marks = |word: u64| {
        let quote = below(word ^ (ONES * u64::from(b'"')), 1);
        let backslash = below(word ^ (ONES * u64::from(b'\\')), 1);
        below(word, 0x20) | quote | backslash
    };
    let (words, rest) = bytes.as_chunks::<8>();
    let mut plain = 0;
    for word in words {
        let marks = marks(u64::from_le_bytes(*word));
        if marks != 0 {
            return plain + usize::try_from(marks.trailing_zeros() / 8).unwrap_or(0);
        }
        plain += 8;
    }
    let end = rest.iter().position(|&byte| matches!(byte, b'"' | b'\\' | 0..0x20));
    plain + end.unwrap_or(rest.len())
}

/// Reads `u0041` or `ud83d\ude00`, and returns the character with the length of what was read.
/// `None` for half of a surrogate pair.
fn unicode(escape: &str) -> Option<(char, usize)> {
    let first = unit(escape.get(1..5)?)?;
    if let Some(character) = char::from_u32(first) {
        return Some((character, 5));
    }
    let second = unit(escape.get(5..11)?.strip_prefix("\\u")?)?;
    let pair = [u16::try_from(first).ok()?, u16::try_from(second).ok()?];
    let character = char::decode_utf16(pair).next()?.ok()?;
    Some((character, 11))
}

fn unit(digits: &str) -> Option<u32> {
    u32::from_str_radix(digits, 16).ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[track_caller]
    fn check(raw: &str, expected: Option<&str>) {
        let text = RawText { raw, escaped: raw.contains('\\'), at: 3 };
        let mut buffer = "before".to_owned();
        assert_eq!(text.decode().ok().as_deref(), expected);
        assert_eq!(text.decode_into(&mut buffer).ok(), expected);
    }

    #[test]
    fn escapes_say_what_they_stand_for() {
        check("שלום", Some("שלום"));
        check(r#"a\"\\\/\b\f\n\r\tz"#, Some("a\"\\/\u{8}\u{c}\n\r\tz"));
        check(r"\u05e9\u00e9", Some("שé"));
        check(r"x\ud83d\ude00\u0041y", Some("x😀Ay"));
    }

    proptest! {
        #[test]
        fn eight_bytes_at_a_time_find_what_one_does(bytes in "[a\"\\\\\x00\x1f\x20!\x7fé😀]{0,40}") {
            let bytes = bytes.as_bytes();
            let end = bytes.iter().position(|&byte| byte < 0x20 || b"\"\\".contains(&byte));
            prop_assert_eq!(plain_length(bytes), end.unwrap_or(bytes.len()));
        }
    }

    #[test]
    fn half_a_surrogate_pair_stands_for_no_character() {
        check(r"\ud83d", None);
        check(r"\ude00\ud83d", None);
        check(r"\ud83dx", None);
        check(r"\ud83d\n12345", None);
        check(r"\ud83d\u0041", None);
    }
}
