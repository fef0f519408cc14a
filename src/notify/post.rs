//! One request, with a limit.

use std::time::Duration;

use hyper::{Request, StatusCode, header};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};
use tokio::{runtime::Runtime, time::timeout};

/// How long a receiver may take. One that is slower is as good as dead while somebody waits.
const LIMIT: Duration = Duration::from_secs(5);

#[cfg(feature = "tls")]
type Connector = hyper_tls::HttpsConnector<HttpConnector>;
#[cfg(not(feature = "tls"))]
type Connector = HttpConnector;

/// Posts to receivers. Waits for each: whoever calls it has nothing else to do.
pub(super) struct Poster {
    runtime: Runtime,
    client: Client<Connector, String>,
}

impl std::fmt::Debug for Poster {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Poster").finish_non_exhaustive()
    }
}

/// What is posted.
#[derive(Clone, Debug)]
pub(super) struct Post<'p> {
    pub(super) url: &'p str,
    pub(super) content_type: &'static str,
    pub(super) token: Option<&'p str>,
    pub(super) idempotency_key: Option<&'p str>,
    pub(super) body: String,
}

/// Why it was not taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct NotTaken {
    /// It never will be.
    pub(super) for_good: bool,
    /// In a few words, without the address.
    pub(super) problem: String,
}

impl Poster {
    pub(super) fn new() -> Result<Self, String> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let runtime = runtime.map_err(|error| error.to_string())?;
        let client = Client::builder(TokioExecutor::new()).build(Connector::new());
        Ok(Self { runtime, client })
    }

    /// Posts once.
    pub(super) fn post(&self, post: Post<'_>) -> Result<(), NotTaken> {
        let not_taken =
            |for_good, problem: &str| NotTaken { for_good, problem: problem.to_owned() };
        let mut request = Request::post(post.url).header(header::CONTENT_TYPE, post.content_type);
        if let Some(token) = post.token {
            request = request.header(header::AUTHORIZATION, format!("Bearer {token}"));
        }
        if let Some(key) = post.idempotency_key {
            request = request.header("idempotency-key", key);
        }
        let request = request.body(post.body);
        let request = request
            .map_err(|_refused| not_taken(true, "the address or the token is not HTTP's"))?;
        let answer =
            self.runtime.block_on(async { timeout(LIMIT, self.client.request(request)).await });
        let status = match answer {
            Err(_elapsed) => return Err(not_taken(false, "no answer in time")),
            Ok(Err(error)) => {
                let what = if error.is_connect() { "no connection" } else { "no answer" };
                return Err(not_taken(false, what));
            }
            Ok(Ok(response)) => response.status(),
        };
        if status.is_success() {
            return Ok(());
        }
        // Too many requests and a time-out are a client's errors that go away.
        let passing = [StatusCode::TOO_MANY_REQUESTS, StatusCode::REQUEST_TIMEOUT];
        let for_good = status.is_client_error() && !passing.contains(&status);
        Err(not_taken(for_good, &format!("answered {status}")))
    }
}
