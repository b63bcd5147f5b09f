//! `/microphone`: a page that brings what a microphone hears as a call under way, and shows what is said in it.

use std::sync::LazyLock;

use axum::http::header;
use axum::response::IntoResponse;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};

/// One file with all that it needs.
const PAGE: &str = include_str!("microphone.html");

/// Nothing but the page's own script, its own style and this server. `blob:` is the audio worklet, which browsers load by
/// an address; the page makes it of its own text.
static POLICY: LazyLock<String> = LazyLock::new(|| {
    let script = digest_of(PAGE, "<script>", "</script>");
    let style = digest_of(PAGE, "<style>", "</style>");
    format!(
        "default-src 'none'; script-src '{script}' blob:; style-src '{style}'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
});

/// A page that brings what a microphone hears as a call. It holds nothing that a key would have to guard: what it asks for is asked with one.
#[utoipa::path(
    get,
    path = "/microphone",
    operation_id = "get_microphone_page",
    tag = "ingest",
    responses((status = 200, description = "HTML.", body = String, content_type = "text/html"))
)]
pub(super) async fn page() -> impl IntoResponse {
    let headers = [
        (header::CONTENT_TYPE, "text/html; charset=utf-8"),
        (header::CONTENT_SECURITY_POLICY, POLICY.as_str()),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::CACHE_CONTROL, "no-cache"),
    ];
    (headers, PAGE)
}

/// What stands between these, as a policy names it (Content Security Policy Level 3, 2.3.1).
fn digest_of(page: &str, from: &str, to: &str) -> String {
    let inside = page.split_once(from).map_or("", |(_, rest)| rest);
    let inside = inside.split_once(to).map_or("", |(inside, _)| inside);
    format!("sha256-{}", STANDARD.encode(Sha256::digest(inside)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_policy_names_what_stands_in_the_page() {
        // The digest of `alert('Hello, world.');` as the standard gives it.
        let page = "<script>alert('Hello, world.');</script>";
        assert_eq!(
            digest_of(page, "<script>", "</script>"),
            "sha256-qznLcsROx4GACP2dm0UCKCzCG+HiZ1guq6ZZDob/Tng="
        );
        let nothing = digest_of("", "<", ">");
        assert!(!POLICY.contains(&nothing), "{}", *POLICY);
    }
}
