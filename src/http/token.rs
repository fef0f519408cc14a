//! The bearer token that `/v1` may ask for.

use std::fmt;

/// A secret that a request must show.
#[derive(Clone)]
pub struct Token(String);

impl Token {
    /// Keeps a token.
    pub fn new(token: String) -> Self {
        Self(token)
    }

    /// Returns the header that shows it.
    pub fn header(&self) -> String {
        format!("Bearer {}", self.0)
    }

    /// Returns whether an `Authorization` header shows this token.
    pub(super) fn is_shown_by(&self, header: &[u8]) -> bool {
        let (scheme, given) = header.split_at_checked(BEARER.len()).unwrap_or_default();
        scheme.eq_ignore_ascii_case(BEARER) && same(self.0.as_bytes(), given.trim_ascii())
    }
}

const BEARER: &[u8] = b"bearer ";

impl fmt::Debug for Token {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Token")
    }
}

/// Compares in a time that does not tell how far a guess was right; only the length shows.
fn same(secret: &[u8], given: &[u8]) -> bool {
    let differ = secret.iter().zip(given).fold(0, |differ, (one, other)| differ | (one ^ other));
    // Kept from an optimiser that would stop at the first difference.
    std::hint::black_box(differ) == 0 && secret.len() == given.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_whole_token_opens() {
        let token = Token::new("open sesame".to_owned());
        for header in ["Bearer open sesame", "bearer  open sesame "] {
            assert!(token.is_shown_by(header.as_bytes()), "{header}");
        }
        for header in
            ["", "Bearer ", "Bearer open", "Bearer open sesame!", "Basic open sesame", "open"]
        {
            assert!(!token.is_shown_by(header.as_bytes()), "{header}");
        }
        assert!(token.is_shown_by(token.header().as_bytes()));
        assert_eq!(format!("{token:?}"), "Token");
    }
}
