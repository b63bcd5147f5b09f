//! One TLS stack for all that this program asks others: rustls with ring.

/// To be called before a client is made; doing it again changes nothing.
pub(crate) fn install() {
    let _ = rustls::crypto::ring::default_provider().install_default();
}
