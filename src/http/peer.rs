//! Asking another instance, as far as a redirect needs it: does it answer, and with which status?
//!
//! Two lines of HTTP over a connection of its own, so that no client library and no pool stands between
//! a look-up and its answer. The body is not read: whoever asked follows the redirect.

use std::time::Duration;

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    time::timeout,
};

use super::Token;

/// How long another instance may take. Half a look-up's own time at most.
const PEER_LIMIT: Duration = Duration::from_secs(2);

/// A status line is far shorter.
const STATUS_BYTES_MAX: u64 = 256;

/// Asks `address` (`http://host:port`) for `path`, and returns the status; `None` where nobody answers.
/// An `https` address stands behind somebody else's proxy: it is believed (`None` is never returned), and
/// answers with the status 0.
pub async fn ask(address: &str, path: &str, token: Option<&Token>) -> Option<u16> {
    let Some(host) = address.strip_prefix("http://") else { return Some(0) };
    let host = host.split('/').next().unwrap_or(host);
    let authority = if host.rsplit_once(':').is_some_and(|(_, port)| port.parse::<u16>().is_ok()) {
        host.to_owned()
    } else {
        format!("{host}:80")
    };
    let token = token.map(|token| format!("authorization: {}\r\n", token.header()));
    let request = format!(
        "GET {path} HTTP/1.1\r\nhost: {host}\r\n{}connection: close\r\n\r\n",
        token.unwrap_or_default()
    );
    timeout(PEER_LIMIT, status(&authority, &request)).await.ok()?.ok()
}

async fn status(authority: &str, request: &str) -> std::io::Result<u16> {
    let mut stream = TcpStream::connect(authority).await?;
    stream.write_all(request.as_bytes()).await?;
    let mut head = Vec::new();
    let mut limited = stream.take(STATUS_BYTES_MAX);
    while !head.contains(&b'\n') && limited.read_buf(&mut head).await? != 0 {}
    let line = String::from_utf8_lossy(&head);
    let status = line.split(' ').nth(1).and_then(|status| status.parse().ok());
    status.ok_or_else(|| std::io::Error::other("no HTTP"))
}
