//! HTTP as one writes it by hand: for asking Rega, Prometheus and the browser's driver.

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
    time::Duration,
};

use serde_json::Value;

/// Longer than any answer takes; a test that waits so long has failed.
const LIMIT: Duration = Duration::from_secs(100);

/// Asks `address` (host:port), and returns the status and the body. `Err` where nobody answers.
pub(crate) fn ask(
    address: &str,
    method: &str,
    path: &str,
    body: &str,
) -> std::io::Result<(u16, String)> {
    let mut stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(LIMIT))?;
    let length = body.len();
    write!(
        stream,
        "{method} {path} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\
         content-type: application/json\r\ncontent-length: {length}\r\n\r\n{body}"
    )?;
    read_answer(&mut BufReader::new(stream))
}

/// Reads one answer. Its end is where it says: not everybody closes the connection when asked to.
fn read_answer(stream: &mut impl BufRead) -> std::io::Result<(u16, String)> {
    let mut line = String::new();
    stream.read_line(&mut line)?;
    let status = line.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(0);
    let (mut length, mut chunked) = (None, false);
    loop {
        line.clear();
        stream.read_line(&mut line)?;
        let header = line.trim_end().to_ascii_lowercase();
        if header.is_empty() {
            break;
        }
        if let Some(written) = header.strip_prefix("content-length:") {
            length = written.trim().parse().ok();
        }
        chunked |= header == "transfer-encoding: chunked";
    }
    let mut body = Vec::new();
    match length {
        Some(length) => drop(stream.take(length).read_to_end(&mut body)?),
        None if chunked => read_chunks(stream, &mut body)?,
        None => drop(stream.read_to_end(&mut body)?),
    }
    Ok((status, String::from_utf8_lossy(&body).into_owned()))
}

fn read_chunks(stream: &mut impl BufRead, body: &mut Vec<u8>) -> std::io::Result<()> {
    loop {
        let mut line = String::new();
        stream.read_line(&mut line)?;
        let size = u64::from_str_radix(line.trim(), 16).unwrap_or(0);
        stream.by_ref().take(size).read_to_end(body)?;
        stream.read_line(&mut String::new())?;
        if size == 0 {
            return Ok(());
        }
    }
}

/// Follows `/v1/stream` until a summary is as it should be, and returns that one.
#[track_caller]
pub(crate) fn watch_until(address: &str, is_right: impl Fn(&Value) -> bool) -> Value {
    let mut newest = Value::Null;
    // A stream ends with its connection, after a while: then another.
    for _ in 0..3 {
        let mut stream = TcpStream::connect(address).unwrap();
        stream.set_read_timeout(Some(LIMIT)).unwrap();
        write!(stream, "GET /v1/stream HTTP/1.1\r\nhost: {address}\r\n\r\n").unwrap();
        let lines = BufReader::new(stream).lines().map_while(Result::ok).take(400);
        for line in lines {
            let Some(data) = line.strip_prefix("data: ") else { continue };
            newest = serde_json::from_str(data).unwrap();
            if is_right(&newest) {
                return newest;
            }
        }
    }
    panic!("the summary never was as it should be, but {newest}");
}
