//! Asking another instance one thing: for `rega explain`, which has no loop of its own to wait in.
//!
//! Any instance leads to the one that has the customer, and the token goes along: all instances have
//! the same one, and who sends us on has just been shown it. Nothing else is followed.
//!
//! Plain HTTP, one request a connection, everything bounded. Who wants TLS has a proxy before the
//! service anyway: it listens on loopback unless told otherwise.

use std::{
    fmt::Write as _,
    io::{self, Read, Write},
    net::{TcpStream, ToSocketAddrs},
    time::Duration,
};

use super::Token;

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
    /// One instance sends us to the next.
    #[error("\"{0}\" sends on to another instance, and so did the {HOPS_MAX} before it")]
    RoundAndRound(String),
    /// The connection ended before the answer did, or after it should have.
    #[error("\"{address}\" has sent {found} bytes of an answer of {length}")]
    Cut {
        /// Who was asked.
        address: String,
        /// What has come.
        found: usize,
        /// What it said it would send.
        length: usize,
    },
    /// More than anything that is asked for.
    #[error("the answer of \"{0}\" is longer than {ANSWER_BYTES_MAX} bytes")]
    TooLong(String),
    /// Nobody answers there, or what they say is no HTTP.
    #[error("\"{address}\" does not answer: {cause}")]
    Silent {
        /// Who was asked.
        address: String,
        /// What the system says.
        cause: io::Error,
    },
}

/// The owner is one hop away; while partitions move it may be another one by then.
const HOPS_MAX: usize = 3;

/// Gets a page, and returns its status and body. Who has it may be another instance.
///
/// # Errors
///
/// The address is wrong or nobody answers: see [`AskError`].
pub fn get(url: &str, path: &str, token: Option<&Token>) -> Result<(u16, Vec<u8>), AskError> {
    let mut answer = get_here(url, path, token)?;
    let mut asked = url.to_owned();
    for _ in 0..HOPS_MAX {
        let Some(owner) = answer.owner.filter(|_| answer.status == 307) else {
            return Ok((answer.status, answer.body));
        };
        answer = get_here(&owner, "", token)?;
        asked = owner;
    }
    match answer.status {
        307 => Err(AskError::RoundAndRound(asked)),
        status => Ok((status, answer.body)),
    }
}

/// What one instance said.
#[derive(Debug, PartialEq, Eq)]
struct Answer {
    status: u16,
    /// Where it sends us.
    owner: Option<String>,
    /// How many bytes the body should have, where it says so.
    length: Option<usize>,
    body: Vec<u8>,
}

fn get_here(url: &str, path: &str, token: Option<&Token>) -> Result<Answer, AskError> {
    let wrong = || AskError::Address(url.to_owned());
    let rest = url.strip_prefix("http://").filter(|rest| is_printable(rest)).ok_or_else(wrong)?;
    let (host, base) = rest.split_once('/').map_or((rest, ""), |(host, base)| (host, base));
    if host.is_empty() {
        return Err(wrong());
    }
    let base = base.trim_end_matches('/');
    let before = if base.is_empty() { String::new() } else { format!("/{base}") };
    let address = if host.contains(':') { host.to_owned() } else { format!("{host}:80") };
    let path = if before.is_empty() && path.is_empty() { "/" } else { path };
    let shown = token.map(|token| format!("Authorization: {}\r\n", token.header()));
    let shown = shown.unwrap_or_default();
    let ask = || -> io::Result<Vec<u8>> {
        let unknown = || io::Error::new(io::ErrorKind::NotFound, "no such host");
        let socket = address.to_socket_addrs()?.next().ok_or_else(unknown)?;
        let mut stream = TcpStream::connect_timeout(&socket, PATIENCE)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_write_timeout(Some(PATIENCE))?;
        let request = format!(
            "GET {before}{path} HTTP/1.0\r\nHost: {host}\r\nAccept: application/json\r\n{shown}\r\n"
        );
        stream.write_all(request.as_bytes())?;
        let mut answer = Vec::new();
        // One more than is allowed, so that what is longer is not taken for whole.
        stream.take(ANSWER_BYTES_MAX + 1).read_to_end(&mut answer)?;
        Ok(answer)
    };
    let silent = |cause| AskError::Silent { address: address.clone(), cause };
    let answer = ask().map_err(silent)?;
    if u64::try_from(answer.len()).is_ok_and(|length| ANSWER_BYTES_MAX < length) {
        return Err(AskError::TooLong(address));
    }
    let no_http = || silent(io::Error::new(io::ErrorKind::InvalidData, "no HTTP"));
    let answer = parse(&answer).ok_or_else(no_http)?;
    match (answer.length, answer.body.len()) {
        (Some(length), found) if length != found => Err(AskError::Cut { address, found, length }),
        (Some(_) | None, _) => Ok(answer),
    }
}

/// An address from outside must not bring headers of its own.
fn is_printable(address: &str) -> bool {
    address.bytes().all(|byte| byte.is_ascii_graphic())
}

/// Splits an HTTP/1.0 answer, which ends with its connection.
fn parse(answer: &[u8]) -> Option<Answer> {
    let end = answer.windows(4).position(|four| four == b"\r\n\r\n")?;
    let (head, body) = answer.split_at_checked(end + 4)?;
    let mut lines = str::from_utf8(head).ok()?.lines();
    let line = lines.next()?;
    let mut words = line.strip_prefix("HTTP/1.")?.split(' ');
    let status = words.nth(1)?.parse().ok()?;
    let (mut owner, mut length) = (None, None);
    for (name, value) in lines.filter_map(|line| line.split_once(':')) {
        if name.eq_ignore_ascii_case("location") {
            owner = Some(value.trim().to_owned());
        } else if name.eq_ignore_ascii_case("content-length") {
            length = Some(value.trim().parse().ok()?);
        }
    }
    Some(Answer { status, owner, length, body: body.to_vec() })
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
        let not_found = Answer { status: 404, owner: None, length: Some(2), body: b"{}".to_vec() };
        assert_eq!(parse(answer), Some(not_found));
        let answer = b"HTTP/1.1 307 Temporary Redirect\r\nLocation: http://b:1/v1\r\n\r\n";
        assert_eq!(parse(answer).and_then(|one| one.owner).as_deref(), Some("http://b:1/v1"));
        assert_eq!(parse(b"SSH-2.0-OpenSSH\r\n\r\n"), None);
        assert_eq!(parse(b""), None);
    }

    /// Says what to answer to whom has this address.
    type Reply = Box<dyn Fn(&str) -> String + Send>;

    /// Answers one request after the other with what it is given; returns what it was asked.
    fn answering(answers: Vec<Reply>) -> (String, std::thread::JoinHandle<Vec<String>>) {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let own = url.clone();
        let serve = move || {
            let mut asked = Vec::new();
            for answer in answers {
                let (mut stream, _) = listener.accept().unwrap();
                let mut request = Vec::new();
                while !request.ends_with(b"\r\n\r\n") {
                    let mut byte = [0];
                    stream.read_exact(&mut byte).unwrap();
                    request.extend(byte);
                }
                asked.push(String::from_utf8(request).unwrap());
                stream.write_all(answer(&own).as_bytes()).unwrap();
            }
            asked
        };
        (url, std::thread::spawn(serve))
    }

    fn redirect(to: &str) -> String {
        format!("HTTP/1.0 307 Temporary Redirect\r\nlocation: {to}\r\n\r\n")
    }

    #[test]
    fn the_owner_is_asked_and_shown_the_token() {
        let found = |_: &str| "HTTP/1.0 200 OK\r\n\r\n{}".to_owned();
        let (owner, ends) = answering(vec![Box::new(found)]);
        let place = format!("{owner}/v1/customers/ada");
        let (url, asked) = answering(vec![Box::new(move |_| redirect(&place))]);
        let token = Token::new("open sesame".to_owned());
        let answer = get(&url, "/v1/customers/ada", Some(&token)).unwrap();
        assert_eq!(answer, (200, b"{}".to_vec()));
        for asked in [asked.join().unwrap(), ends.join().unwrap()] {
            let [request] = asked.as_slice() else { panic!("{asked:?}") };
            assert!(request.starts_with("GET /v1/customers/ada HTTP/1.0\r\n"), "{request}");
            assert!(request.contains("\r\nAuthorization: Bearer open sesame\r\n"), "{request}");
        }
    }

    #[test]
    fn who_sends_in_circles_or_elsewhere_is_not_followed_for_ever() {
        let circle = || -> Reply { Box::new(redirect) };
        let (url, asked) = answering((0..=HOPS_MAX).map(|_| circle()).collect());
        assert!(matches!(get(&url, "/", None), Err(AskError::RoundAndRound(_))));
        assert_eq!(asked.join().unwrap().len(), HOPS_MAX + 1);
        let (url, asked) = answering(vec![Box::new(|_| redirect("ftp://elsewhere/x"))]);
        assert!(matches!(get(&url, "/", None), Err(AskError::Address(_))));
        asked.join().unwrap();
    }

    #[test]
    fn what_is_cut_or_too_long_is_no_answer() {
        let half = |_: &str| "HTTP/1.0 200 OK\r\ncontent-length: 9\r\n\r\n{\"id\"".to_owned();
        let (url, asked) = answering(vec![Box::new(half)]);
        let cut = get(&url, "/", None).unwrap_err();
        assert!(matches!(cut, AskError::Cut { found: 5, length: 9, .. }), "{cut}");
        asked.join().unwrap();
        let long = |_: &str| {
            let most = usize::try_from(ANSWER_BYTES_MAX).unwrap();
            format!("HTTP/1.0 200 OK\r\n\r\n{}", "x".repeat(most))
        };
        let (url, asked) = answering(vec![Box::new(long)]);
        let long = get(&url, "/", None).unwrap_err();
        assert!(matches!(long, AskError::TooLong(_)), "{long}");
        drop(asked.join());
    }

    #[test]
    fn any_id_is_one_segment() {
        assert_eq!(path_segment("anon:a/b c?é"), "anon%3Aa%2Fb%20c%3F%C3%A9");
        assert_eq!(path_segment("a/b א~1"), "a%2Fb%20%D7%90~1");
    }

    #[test]
    fn what_is_no_address_is_told() {
        for url in [
            "localhost:8080",
            "https://localhost",
            "",
            "http:///x",
            "http://a b",
            "http://a\r\nx:y",
        ] {
            assert!(matches!(get(url, "/", None), Err(AskError::Address(_))), "{url}");
        }
    }
}
