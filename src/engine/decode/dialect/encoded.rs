//! Base64, as JSON carries bytes.

/// Returns the bytes that standard base64 stands for; `None` where it is none.
pub(super) fn from_base64(text: &str) -> Option<Vec<u8>> {
    let text = text.as_bytes();
    if !text.len().is_multiple_of(4) {
        return None;
    }
    let padding = text.iter().rev().take_while(|byte| **byte == b'=').count();
    if padding > 2 {
        return None;
    }
    let digits = text.get(..text.len() - padding)?;
    let mut bytes = Vec::with_capacity(text.len() / 4 * 3);
    for group in digits.chunks(4) {
        let mut bits = 0_u32;
        for &digit in group {
            bits = (bits << 6) | u32::from(value(digit)?);
        }
        // A short group is as if zeros followed; its last bytes are none.
        bits <<= 6 * (4 - group.len());
        let whole = bits.to_be_bytes();
        bytes.extend(whole.get(1..group.len())?);
    }
    Some(bytes)
}

fn value(digit: u8) -> Option<u8> {
    Some(match digit {
        b'A'..=b'Z' => digit - b'A',
        b'a'..=b'z' => digit - b'a' + 26,
        b'0'..=b'9' => digit - b'0' + 52,
        b'+' => 62,
        b'/' => 63,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: Option<&[u8]>) {
        assert_eq!(from_base64(text).as_deref(), expected, "{text}");
    }

    #[test]
    fn base64_stands_for_bytes() {
        check("", Some(b""));
        check("YQ==", Some(b"a"));
        check("YWI=", Some(b"ab"));
        check("YWJj", Some(b"abc"));
        check("YWJjZA==", Some(b"abcd"));
        check("+/+/", Some(&[0xfb, 0xff, 0xbf]));
        for bad in ["Y", "YQ", "YQ=", "Y===", "====", "Y=Q=", "YQ==YQ==", "YW\nJj", "YW*j"] {
            check(bad, None);
        }
    }
}
