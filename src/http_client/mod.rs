//! The one HTTP client: other instances are asked with it, and receivers told.
//!
//! Every request has a limit of time, and every answer that is read one of size. Each has a connection
//! of its own: what is asked is rare, and one that was kept and has gone stale would cost the very time
//! that nobody has. `https` is spoken where Rega was built with it (`tls`), with the certificates that
//! the system trusts.
//!
//! Errors name no address: where a receiver is may be a secret.

mod error;
#[cfg(test)]
mod tests;

use std::{fmt, fmt::Write as _, future::poll_fn, io, pin::Pin, time::Duration};

use hyper::{
    Response, StatusCode, Uri,
    body::{Body as _, Incoming},
    header,
};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};
use tokio::{runtime::Runtime, time::timeout};

pub use self::error::Unanswered;

#[cfg(feature = "tls")]
type Connector = hyper_tls::HttpsConnector<HttpConnector>;
#[cfg(not(feature = "tls"))]
type Connector = HttpConnector;

/// What is asked that is read: the explanation of a customer is some kilobytes, and the state row of
/// which it is made is bounded too. What is longer is no answer.
const ANSWER_BYTES_MAX: usize = 8 << 20;

/// The owner of a customer is one hop away; while partitions move it may be another one by then.
const HOPS_MAX: usize = 3;

/// What is asked, or told.
#[derive(Clone, Copy, Debug, Default)]
pub struct Request<'r> {
    /// `http://host:port/path`, or `https`.
    pub url: &'r str,
    /// The value of `Authorization`.
    pub authorization: Option<&'r str>,
    /// What is posted; without, a page is got.
    pub posted: Option<Posted<'r>>,
}

/// What is posted.
#[derive(Clone, Copy, Debug)]
pub struct Posted<'r> {
    /// Its media type.
    pub content_type: &'static str,
    /// By which a receiver recognises what it has been told before.
    pub idempotency_key: Option<&'r str>,
    /// The text.
    pub body: &'r str,
}

/// An answer that was read.
#[derive(Debug, PartialEq, Eq)]
pub struct Answer {
    /// Its status.
    pub status: u16,
    /// What was said.
    pub body: Vec<u8>,
}

/// Asks, without a thread that waits.
#[derive(Clone)]
pub struct HttpClient(Client<Connector, String>);

impl fmt::Debug for HttpClient {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("HttpClient")
    }
}

impl HttpClient {
    /// Makes a client.
    ///
    /// # Errors
    ///
    /// The system has no certificates that can be read.
    pub fn new() -> io::Result<Self> {
        let mut client = Client::builder(TokioExecutor::new());
        client.pool_max_idle_per_host(0);
        Ok(Self(client.build(connector()?)))
    }

    /// Asks, and returns the status. The body is not read.
    ///
    /// # Errors
    ///
    /// See [`Unanswered`].
    pub async fn status(&self, request: Request<'_>, limit: Duration) -> Result<u16, Unanswered> {
        let asked = timeout(limit, self.ask(request)).await;
        asked.map_err(|_elapsed| Unanswered::TooLate)?.map(|response| response.status().as_u16())
    }

    /// Gets a page. Who has it may be another instance: any one leads to the one that has a customer, and
    /// what authorises goes along, because all instances are shown the same and who sends us on has just
    /// been. Nothing else is followed.
    ///
    /// # Errors
    ///
    /// See [`Unanswered`].
    pub async fn page(
        &self,
        url: &str,
        authorization: Option<&str>,
        limit: Duration,
    ) -> Result<Answer, Unanswered> {
        let mut url = url.to_owned();
        for hop in 0..=HOPS_MAX {
            let request = Request { url: &url, authorization, posted: None };
            let response = timeout(limit, self.ask(request)).await;
            let response = match response.map_err(|_elapsed| Unanswered::TooLate)? {
                // What an instance said, and not what we were asked for.
                Err(Unanswered::NoAddress) if 0 < hop => return Err(Unanswered::SentAstray),
                answer => answer?,
            };
            let is_elsewhere = response.status() == StatusCode::TEMPORARY_REDIRECT;
            let owner = response.headers().get(header::LOCATION).filter(|_| is_elsewhere);
            let Some(owner) = owner else {
                let read = timeout(limit, read(response)).await;
                return read.map_err(|_elapsed| Unanswered::TooLate)?;
            };
            url = String::from_utf8_lossy(owner.as_bytes()).into_owned();
        }
        Err(Unanswered::RoundAndRound)
    }

    async fn ask(&self, request: Request<'_>) -> Result<Response<Incoming>, Unanswered> {
        let Request { url, authorization, posted } = request;
        let mut asked = hyper::Request::builder().uri(address(url)?);
        if let Some(authorization) = authorization {
            asked = asked.header(header::AUTHORIZATION, authorization);
        }
        let mut body = String::new();
        if let Some(Posted { content_type, idempotency_key, body: text }) = posted {
            asked = asked.method(hyper::Method::POST).header(header::CONTENT_TYPE, content_type);
            if let Some(key) = idempotency_key {
                asked = asked.header("idempotency-key", key);
            }
            text.clone_into(&mut body);
        }
        let asked = asked.body(body).map_err(|_refused| Unanswered::NoHeader)?;
        self.0.request(asked).await.map_err(|error| Unanswered::of(&error, error.is_connect()))
    }
}

/// The same for who has nothing else to do meanwhile.
pub struct WaitingClient {
    runtime: Runtime,
    client: HttpClient,
}

impl fmt::Debug for WaitingClient {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("WaitingClient")
    }
}

impl WaitingClient {
    /// Makes a client.
    ///
    /// # Errors
    ///
    /// As [`HttpClient::new`], or the system gives nothing to wait with.
    pub fn new() -> io::Result<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        Ok(Self { runtime, client: HttpClient::new()? })
    }

    /// As [`HttpClient::status`].
    ///
    /// # Errors
    ///
    /// See [`Unanswered`].
    pub fn status(&self, request: Request<'_>, limit: Duration) -> Result<u16, Unanswered> {
        self.runtime.block_on(self.client.status(request, limit))
    }

    /// As [`HttpClient::page`].
    ///
    /// # Errors
    ///
    /// See [`Unanswered`].
    pub fn page(
        &self,
        url: &str,
        authorization: Option<&str>,
        limit: Duration,
    ) -> Result<Answer, Unanswered> {
        self.runtime.block_on(self.client.page(url, authorization, limit))
    }
}

#[cfg(feature = "tls")]
fn connector() -> io::Result<Connector> {
    let mut http = HttpConnector::new();
    http.enforce_http(false);
    let tls = native_tls::TlsConnector::new().map_err(io::Error::other)?;
    Ok(Connector::from((http, tls.into())))
}

#[cfg(not(feature = "tls"))]
fn connector() -> io::Result<Connector> {
    Ok(Connector::new())
}

/// Reads an address. One from outside must not bring headers of its own, nor another scheme.
fn address(url: &str) -> Result<Uri, Unanswered> {
    let uri: Uri = url.parse().map_err(|_wrong| Unanswered::NoAddress)?;
    let spoken = match uri.scheme_str() {
        Some("http") => true,
        Some("https") => cfg!(feature = "tls"),
        Some(_) | None => false,
    };
    let has_host = uri.host().is_some_and(|host| !host.is_empty());
    if spoken && has_host { Ok(uri) } else { Err(Unanswered::NoAddress) }
}

async fn read(response: Response<Incoming>) -> Result<Answer, Unanswered> {
    let status = response.status().as_u16();
    let mut incoming = response.into_body();
    let mut body = Vec::new();
    while let Some(frame) = poll_fn(|context| Pin::new(&mut incoming).poll_frame(context)).await {
        let frame = frame.map_err(|_cut| Unanswered::Cut { found: body.len() })?;
        let Ok(bytes) = frame.into_data() else { continue };
        body.extend_from_slice(&bytes);
        if ANSWER_BYTES_MAX < body.len() {
            return Err(Unanswered::TooLong);
        }
    }
    Ok(Answer { status, body })
}

/// Returns the address of a path of somebody whose address may end in a slash or not.
pub fn address_of(base: &str, path: &str) -> String {
    format!("{}{path}", base.trim_end_matches('/'))
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
