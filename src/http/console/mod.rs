//! The console: a page that shows what the API tells, built into the binary.
//!
//! Plain HTML, CSS and modules, served as they are written: no build step, nothing from elsewhere.
//! The files hold no data, so they need no token; what they fetch does.

use axum::{
    extract::Path,
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse as _, Response},
};

use super::answer;
use crate::model::stable_hash;

/// Nothing from elsewhere, nothing inline, nobody may frame it.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; \
                      img-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

const HTML: &str = "text/html; charset=utf-8";
const CSS: &str = "text/css; charset=utf-8";
const SCRIPT: &str = "text/javascript; charset=utf-8";
const PICTURE: &str = "image/svg+xml";

/// One file of the console.
struct Asset {
    name: &'static str,
    content_type: &'static str,
    content: &'static str,
}

macro_rules! assets {
    ($($name:literal $content_type:ident;)+) => {
        [$(Asset { name: $name, content_type: $content_type, content: include_str!($name) }),+]
    };
}

const INDEX: Asset =
    Asset { name: "index.html", content_type: HTML, content: include_str!("index.html") };

static ASSETS: [Asset; 12] = assets! {
    "console.css" CSS;
    "console.js" SCRIPT;
    "api.js" SCRIPT;
    "words.js" SCRIPT;
    "draw.js" SCRIPT;
    "figures.js" SCRIPT;
    "funnel.js" SCRIPT;
    "heat.js" SCRIPT;
    "moments.js" SCRIPT;
    "spikes.js" SCRIPT;
    "customer.js" SCRIPT;
    "icon.svg" PICTURE;
};

/// Returns whether who asks is a browser, which wants a page and not a line of text.
pub(super) fn is_wanted(headers: &HeaderMap) -> bool {
    let accepted = headers.get(header::ACCEPT).and_then(|accepted| accepted.to_str().ok());
    accepted.is_some_and(|accepted| accepted.contains("text/html"))
}

/// Returns the page.
pub(super) fn page(headers: &HeaderMap) -> Response {
    serve(&INDEX, headers)
}

/// Returns one of the page's files.
pub(super) async fn file(Path(name): Path<String>, headers: HeaderMap) -> Response {
    match ASSETS.iter().find(|asset| asset.name == name) {
        Some(asset) => serve(asset, &headers),
        None => answer::error(StatusCode::NOT_FOUND, "the console has no such file"),
    }
}

/// The browser asks each time and is mostly told that nothing has changed: a new binary is seen at
/// once.
fn serve(asset: &Asset, headers: &HeaderMap) -> Response {
    let tag = format!("\"{:016x}\"", stable_hash(asset.content.as_bytes()));
    let known = headers.get(header::IF_NONE_MATCH);
    let mut response = if known.is_some_and(|known| known.as_bytes() == tag.as_bytes()) {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        answer::text(asset.content_type, asset.content)
    };
    let fixed = [
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::CACHE_CONTROL, "no-cache"),
        (header::VARY, "accept"),
    ];
    for (name, value) in fixed {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    if let Ok(tag) = HeaderValue::from_str(&tag) {
        response.headers_mut().insert(header::ETAG, tag);
    }
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_needs_nothing_from_elsewhere_and_nothing_inline() {
        for asset in ASSETS.iter().chain([&INDEX]) {
            // A namespace is a name, not an address.
            let own = asset.content.replace("http://www.w3.org/", "");
            for elsewhere in ["http://", "https://", "//cdn", "@import", "url("] {
                assert!(!own.contains(elsewhere), "{} has {elsewhere}", asset.name);
            }
        }
        for inline in ["<style", "style=", "onclick", "javascript:", "<script>"] {
            assert!(!INDEX.content.contains(inline), "{inline}");
        }
    }

    #[test]
    fn every_file_that_is_named_is_there() {
        let named = ASSETS.iter().chain([&INDEX]).flat_map(|asset| {
            let modules = asset.content.split("from \"./").skip(1);
            let files = asset.content.split("\"/console/").skip(1);
            modules.chain(files).map(|rest| rest.split('"').next().unwrap())
        });
        let named: std::collections::BTreeSet<_> = named.collect();
        let there: std::collections::BTreeSet<_> = ASSETS.iter().map(|asset| asset.name).collect();
        assert_eq!(named, there);
    }

    #[test]
    fn the_page_weighs_less_than_a_picture() {
        let bytes: usize = ASSETS.iter().chain([&INDEX]).map(|asset| asset.content.len()).sum();
        assert!(bytes < 150_000, "{bytes} bytes");
    }
}
