//! Asking another instance one thing: for `rega explain`, which has no loop of its own to wait in.
//!
//! Plain HTTP, one request a connection, everything bounded. Who wants TLS has a proxy before the
//! service anyway: it listens on loopback unless told otherwise.

use std::{
    fmt::Write as _,
    io::{self, Read, Write},
    net::{TcpStream, ToSocketAddrs},
    time::Duration,
};

/// An answer takes milliseconds, a busy service says 503 within five seconds.
const PATIENCE: Duration = Duration::from_secs(10);

/// An explanation is some kilobytes; a state row, of which it is made, is bounded too.
const ANSWER_BYTES_MAX: u64 = 8 << 20;

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum AskError {
    /// Not an address that can be asked.
    #[error("\"{0}\" is not an address: write it as http://host:8080")]
    Address(String),
    /// Nobody answers there, or what they say is no HTTP.
    #[error("\"{address}\" does not answer: {cause}")]
    Silent {
        /// Who was asked.
        address: String,
        /// What the system says.
        cause: io::Error,
    },
}

/// Gets a page, and returns its status and body.
///
/// # Errors
///
/// The address is wrong or nobody answers: see [`AskError`].
pub fn get(url: &str, path: &str) -> Result<(u16, Vec<u8>), AskError> {
    let wrong = || AskError::Address(url.to_owned());
    let rest = url.strip_prefix("http://").ok_or_else(wrong)?;
    let (host, base) = rest.split_once('/').map_or((rest, ""), |(host, base)| (host, base));
    let base = base.trim_end_matches('/');
    let before = if base.is_empty() { String::new() } else { format!("/{base}") };
    let address = if host.contains(':') { host.to_owned() } else { format!("{host}:80") };
    let ask = || -> io::Result<(u16, Vec<u8>)> {
        let unknown = || io::Error::new(io::ErrorKind::NotFound, "no such host");
        let socket = address.to_socket_addrs()?.next().ok_or_else(unknown)?;
        let mut stream = TcpStream::connect_timeout(&socket, PATIENCE)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_write_timeout(Some(PATIENCE))?;
        let request = format!(
            "GET {before}{path} HTTP/1.0\r\nHost: {host}\r\nAccept: application/json\r\n\r\n"
        );
        stream.write_all(request.as_bytes())?;
        let mut answer = Vec::new();
        stream.take(ANSWER_BYTES_MAX).read_to_end(&mut answer)?;
        parse(&answer).ok_or_else(|| io::Error::new(io::ErrorKind::InvalidData, "no HTTP"))
    };
    ask().map_err(|cause| AskError::Silent { address: address.clone(), cause })
}

/// Splits an HTTP/1.0 answer, which ends with its connection, into status and body.
fn parse(answer: &[u8]) -> Option<(u16, Vec<u8>)> {
    let end = answer.windows(4).position(|four| four == b"\r\n\r\n")?;
    let (head, body) = answer.split_at_checked(end + 4)?;
    let line = str::from_utf8(head).ok()?.lines().next()?;
    let mut words = line.strip_prefix("HTTP/1.")?.split(' ');
    let status = words.nth(1)?.parse().ok()?;
    Some((status, body.to_vec()))
}

/// Writes a text so that it is one segment of a path (RFC 3986: all but the unreserved characters
/// are percent-encoded).
pub fn path_segment(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for &byte in text.as_bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            // Writing to a string does not fail.
            _ = write!(out, "%{byte:02X}");
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_has_a_status_and_a_body() {
        let answer = b"HTTP/1.0 404 Not Found\r\ncontent-length: 2\r\n\r\n{}";
        assert_eq!(parse(answer), Some((404, b"{}".to_vec())));
        assert_eq!(parse(b"SSH-2.0-OpenSSH\r\n\r\n"), None);
        assert_eq!(parse(b""), None);
    }

    #[test]
    fn any_id_is_one_segment() {
        assert_eq!(path_segment("anon:a/b c?é"), "anon%3Aa%2Fb%20c%3F%C3%A9");
    }

    #[test]
    fn what_is_no_address_is_told() {
        for url in ["localhost:8080", "https://localhost", ""] {
            assert!(matches!(get(url, "/"), Err(AskError::Address(_))), "{url}");
        }
    }
}
