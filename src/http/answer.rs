//! Answers: text, JSON, and errors that are JSON too.

use axum::{
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse as _, Response},
};
use serde_json::json;

/// Returns text of the given type.
pub(super) fn text(content_type: &'static str, body: impl Into<String>) -> Response {
    ([(header::CONTENT_TYPE, content_type)], body.into()).into_response()
}

/// Returns bytes that are JSON already. They may be about a person, so nobody on the way keeps them.
pub(super) fn json_bytes(status: StatusCode, body: Vec<u8>) -> Response {
    let headers = [(header::CONTENT_TYPE, "application/json"), (header::CACHE_CONTROL, "no-store")];
    (status, headers, body).into_response()
}

/// Returns a JSON value.
pub(super) fn json(status: StatusCode, body: &serde_json::Value) -> Response {
    json_bytes(status, body.to_string().into_bytes())
}

/// Returns `{ "error": … }`.
pub(super) fn error(status: StatusCode, message: &str) -> Response {
    json(status, &json!({ "error": message }))
}

/// Returns the way to another instance: the same method, the same path.
pub(super) fn redirect(location: &str) -> Response {
    let mut response = json(
        StatusCode::TEMPORARY_REDIRECT,
        &json!({ "error": "ask there", "location": location }),
    );
    if let Ok(location) = HeaderValue::from_str(location) {
        response.headers_mut().insert(header::LOCATION, location);
    }
    response
}

/// Returns where another instance answers, for those who cannot be sent there.
pub(super) fn elsewhere(location: &str) -> Response {
    let body = json!({ "error": "ask there", "location": location });
    json(StatusCode::MISDIRECTED_REQUEST, &body)
}

/// Returns `{ "error": … }` with 401, and how to do better.
pub(super) fn unauthorized() -> Response {
    let mut response =
        error(StatusCode::UNAUTHORIZED, "this needs the header `Authorization: Bearer <token>`");
    let challenge = HeaderValue::from_static("Bearer realm=\"rega\"");
    response.headers_mut().insert(header::WWW_AUTHENTICATE, challenge);
    response
}

/// Returns `{ "error": … }` with 503 and the advice to ask again in a second.
pub(super) fn ask_again(message: &str) -> Response {
    let mut response = error(StatusCode::SERVICE_UNAVAILABLE, message);
    response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
    response
}
