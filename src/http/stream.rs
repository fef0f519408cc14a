//! What is seen, once or live: `/v1/summary` and `/v1/stream`.

use axum::{
    Extension,
    body::Body,
    extract::State,
    http::{StatusCode, header},
    response::{IntoResponse as _, Response},
};
use tokio::sync::watch;

use super::{answer, site::Site};

/// Says when a connection should end. Each connection puts it into its requests.
#[derive(Clone, Debug)]
pub(super) struct Ending(pub(super) watch::Receiver<bool>);

/// Answers with the newest summary. Asking is also a wish: whoever reads the topics begins, so that
/// the next answer has something to tell.
pub(super) async fn summary(State(site): State<Site>) -> Response {
    site.viewers.ask();
    answer::json_bytes(StatusCode::OK, (site.summary)())
}

/// Answers with a summary now, and with another every second, as server-sent events.
pub(super) async fn stream(
    State(site): State<Site>,
    ending: Option<Extension<Ending>>,
) -> Response {
    let Some(Extension(Ending(ending))) = ending else {
        return answer::error(StatusCode::INTERNAL_SERVER_ERROR, "this connection has no end");
    };
    match site.viewers.enter(&(site.summary)(), ending) {
        Ok(visit) => {
            let headers =
                [(header::CONTENT_TYPE, "text/event-stream"), (header::CACHE_CONTROL, "no-store")];
            (headers, Body::new(visit)).into_response()
        }
        Err(full) => answer::ask_again(&full.to_string()),
    }
}
