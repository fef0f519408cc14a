//! The pages, and what every request must satisfy before it reaches one.

use axum::{
    Router,
    extract::{Path, Request, State, rejection::PathRejection},
    http::{HeaderMap, StatusCode, Uri, header},
    middleware::{self, Next},
    response::Response,
    routing::get,
};
use serde_json::json;

use super::{
    answer, console,
    site::{LookupError, Reach, Site},
    stream,
};

/// Longer than any customer id that decode accepts: whoever asks for this asks for nobody.
const CUSTOMER_ID_BYTES_MAX: usize = 512;

/// In a query: an instance asks another one, which must not send it on.
pub(super) const ONLY_HERE: &str = "here=1";

/// Where another instance has the customer, its address is told instead of a redirect: a browser
/// follows none to another origin.
const STAY: &str = "redirect=no";

/// The pages that show customers, and may ask for a token.
const GUARDED: &str = "/v1";

/// The type that Prometheus knows its text format by.
const METRICS_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

const TEXT_TYPE: &str = "text/plain; charset=utf-8";

/// What there is, for whoever looks without a browser.
const INDEX: &str = "rega: /metrics /healthz /readyz /v1/customers/{id} \
                     /v1/customers/{id}/explanation /v1/spikes /v1/summary \
                     /v1/stream, and the console in a browser\n";

/// Returns all pages behind the limits.
pub(super) fn router(site: Site) -> Router {
    Router::new()
        .route("/", get(index))
        .route("/metrics", get(metrics))
        .route("/healthz", get(alive))
        .route("/readyz", get(ready))
        .route("/v1/customers/{id}", get(customer))
        .route("/v1/customers/{id}/explanation", get(explanation))
        .route("/v1/spikes", get(spikes))
        .route("/v1/summary", get(stream::summary))
        .route("/v1/stream", get(stream::stream))
        .route("/console/{file}", get(console::file))
        .fallback(nothing_here)
        .method_not_allowed_fallback(only_reading)
        .layer(middleware::from_fn_with_state(site.clone(), within_limits))
        .with_state(site)
}

/// A browser gets the console, anything else a line of text.
async fn index(headers: HeaderMap) -> Response {
    if console::is_wanted(&headers) {
        return console::page(&headers);
    }
    answer::text(TEXT_TYPE, INDEX)
}

async fn metrics(State(site): State<Site>) -> Response {
    answer::text(METRICS_TYPE, (site.metrics)())
}

/// Says only that the process answers. Whether it works is `/readyz`: a probe that restarted an
/// instance because the broker is away would make things worse.
async fn alive() -> Response {
    answer::text(TEXT_TYPE, "alive\n")
}

async fn ready(State(site): State<Site>) -> Response {
    let readiness = site.readiness.borrow().clone();
    if readiness.is_ready() {
        let body = json!({ "ready": true, "warnings": readiness.warnings });
        return answer::json(StatusCode::OK, &body);
    }
    let body = json!({
        "error": "not ready",
        "ready": false,
        "reasons": readiness.reasons,
        "warnings": readiness.warnings,
    });
    answer::json(StatusCode::SERVICE_UNAVAILABLE, &body)
}

type Id = Result<Path<String>, PathRejection>;

async fn customer(State(site): State<Site>, uri: Uri, id: Id) -> Response {
    match customer_id(id) {
        Ok(id) => found(site.customers.look_up(&id, reach(&uri)).await, &uri),
        Err(refusal) => refusal,
    }
}

async fn explanation(State(site): State<Site>, uri: Uri, id: Id) -> Response {
    match customer_id(id) {
        Ok(id) => found(site.customers.explain(&id, reach(&uri)).await, &uri),
        Err(refusal) => refusal,
    }
}

/// Returns how far a look-up may go: an instance that asks another one must not be sent on.
fn reach(uri: &Uri) -> Reach {
    if asks(uri, ONLY_HERE) { Reach::Here } else { Reach::Everywhere }
}

fn asks(uri: &Uri, wanted: &str) -> bool {
    uri.query().is_some_and(|query| query.split('&').any(|part| part == wanted))
}

#[expect(clippy::result_large_err, reason = "an answer, made once a request")]
fn customer_id(id: Id) -> Result<String, Response> {
    let Ok(Path(id)) = id else {
        return Err(answer::error(StatusCode::BAD_REQUEST, "the customer id is not UTF-8"));
    };
    if id.len() > CUSTOMER_ID_BYTES_MAX {
        return Err(answer::error(StatusCode::BAD_REQUEST, "no customer id is that long"));
    }
    Ok(id)
}

fn found(customer: Result<Option<Vec<u8>>, LookupError>, uri: &Uri) -> Response {
    match customer {
        Ok(Some(body)) => answer::json_bytes(StatusCode::OK, body),
        Ok(None) => answer::error(StatusCode::NOT_FOUND, "no such customer"),
        Err(LookupError::At(address)) => {
            let location = format!("{address}{}", uri.path());
            if asks(uri, STAY) { answer::elsewhere(&location) } else { answer::redirect(&location) }
        }
        Err(
            error @ (LookupError::Busy
            | LookupError::NotReady
            | LookupError::OwnerGone { .. }
            | LookupError::OwnerUnknown { .. }),
        ) => answer::ask_again(&error.to_string()),
        Err(error @ LookupError::Elsewhere) => {
            answer::error(StatusCode::MISDIRECTED_REQUEST, &error.to_string())
        }
    }
}

async fn spikes(State(site): State<Site>) -> Response {
    answer::json_bytes(StatusCode::OK, site.spikes.to_json())
}

async fn nothing_here() -> Response {
    answer::error(StatusCode::NOT_FOUND, "nothing here; / lists what there is")
}

async fn only_reading() -> Response {
    answer::error(StatusCode::METHOD_NOT_ALLOWED, "this can only be read, with GET")
}

/// Refuses who does not show the token, and a body that is announced as too large, and gives up on a page that takes too long. A
/// body that is not announced is not read: hyper closes the connection after the answer.
async fn within_limits(State(site): State<Site>, request: Request, next: Next) -> Response {
    if let Some(token) = site.token.as_ref().filter(|_| request.uri().path().starts_with(GUARDED)) {
        let shown = request.headers().get(header::AUTHORIZATION);
        if !shown.is_some_and(|shown| token.is_shown_by(shown.as_bytes())) {
            return answer::unauthorized();
        }
    }
    let announced = request.headers().get(header::CONTENT_LENGTH);
    let announced = announced.and_then(|length| length.to_str().ok()?.parse::<u64>().ok());
    if announced.is_some_and(|length| length > site.limits.body_bytes_max) {
        return answer::error(StatusCode::PAYLOAD_TOO_LARGE, "the body is too large");
    }
    match tokio::time::timeout(site.limits.request_time, next.run(request)).await {
        Ok(response) => response,
        Err(_elapsed) => answer::ask_again("no answer in time, ask again"),
    }
}
