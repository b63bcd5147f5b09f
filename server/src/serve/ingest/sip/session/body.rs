//! What a request brings: a session description, metadata of a recording, or both.

use auricle_wire::Limits;
use auricle_wire::sdp::{SdpError, SessionDescription};
use auricle_wire::siprec::{
    MultipartError, Recording, RecordingError, find_metadata, find_sdp, parts,
};

use super::terms::{NotAnswered, Offer, Refused};

/// What a body is that does not say.
const USUAL: &str = "application/sdp";
/// The extension of recording sessions (RFC 7866, section 6.1).
const SIPREC: &str = "siprec";

/// The body of a request, taken apart.
#[derive(Debug)]
pub(super) struct Body<'b> {
    pub(super) sdp: Option<&'b str>,
    /// Metadata, or why they cannot be read.
    pub(super) metadata: Option<Result<Recording, RecordingError>>,
}

impl<'b> Body<'b> {
    /// Takes a body apart. Metadata that cannot be read are no reason to refuse it.
    ///
    /// # Errors
    /// What is too long, cannot be taken apart, or is neither of both.
    pub(super) fn read(offer: &Offer<'b>, limits: &Limits) -> Result<Self, NotAnswered> {
        let content_type = offer.content_type.unwrap_or(USUAL);
        let parts = parts(content_type, offer.body, limits).map_err(not_parts)?;
        let metadata = find_metadata(&parts).map(|part| Recording::parse(part.body, limits));
        let sdp = find_sdp(&parts).map(|part| part.body);
        let sdp = sdp.filter(|sdp| !sdp.trim_ascii().is_empty());
        if sdp.is_none() && metadata.is_none() && !offer.body.trim_ascii().is_empty() {
            let why = "body is neither a session description nor metadata of a recording";
            return Err(NotAnswered::new(415, Refused::BodyType, why));
        }
        let sdp = sdp.map(std::str::from_utf8).transpose().map_err(|_| {
            let why = "session description is not UTF-8";
            NotAnswered::new(400, Refused::Malformed, why)
        })?;
        Ok(Self { sdp, metadata })
    }
}

/// Whether a request is of a recording session.
pub(super) fn is_siprec(offer: &Offer<'_>, body: &Body<'_>) -> bool {
    let required = offer.headers.iter();
    let required = required.filter(|(name, _)| name.eq_ignore_ascii_case("require"));
    let mut required = required.flat_map(|(_, value)| value.split(','));
    body.metadata.is_some() || required.any(|tag| tag.trim().eq_ignore_ascii_case(SIPREC))
}

/// Reads a session description.
///
/// # Errors
/// What it has too much of, or that it cannot be read.
pub(super) fn description(sdp: &str, limits: &Limits) -> Result<SessionDescription, NotAnswered> {
    SessionDescription::parse(sdp, limits).map_err(|error| {
        let (status, reason) = match error {
            SdpError::TooLong { .. }
            | SdpError::TooManyLines { .. }
            | SdpError::TooManyMedia { .. }
            | SdpError::TooManyFormats { .. } => (413, Refused::TooLarge),
            SdpError::NotSdp | SdpError::Version { .. } | SdpError::MediaLine { .. } => {
                (400, Refused::Malformed)
            }
        };
        NotAnswered::new(status, reason, error.to_string())
    })
}

fn not_parts(error: MultipartError) -> NotAnswered {
    let (status, reason) = match error {
        MultipartError::TooManyParts { .. } | MultipartError::HeadersTooLong { .. } => {
            (413, Refused::TooLarge)
        }
        MultipartError::TransferEncoding { .. } => (415, Refused::BodyType),
        MultipartError::NoBoundary | MultipartError::NoParts | MultipartError::Nested => {
            (400, Refused::Malformed)
        }
    };
    NotAnswered::new(status, reason, error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::serve::ingest::sip::session::terms::tests::offer;

    const TWO_PARTS: &str = "--b\r\nContent-Type: application/sdp\r\n\r\nv=0\r\n--b\r\n\
        Content-Type: application/rs-metadata+xml\r\n\r\n<recording/>\r\n--b--\r\n";
    const MIXED: &str = "multipart/mixed;boundary=b";

    /// Whether there is a description, and whether there are metadata that can be read.
    fn read(content_type: Option<&str>, body: &str) -> Result<(bool, Option<bool>), u16> {
        let mut offer = offer();
        (offer.content_type, offer.body) = (content_type, body.as_bytes());
        let body = Body::read(&offer, &Limits::default()).map_err(|refused| refused.status)?;
        let metadata = body.metadata.map(|metadata| metadata.is_ok());
        Ok((body.sdp.is_some(), metadata))
    }

    #[test]
    fn bodies_of_all_kinds() {
        let broken = TWO_PARTS.replace("<recording/>", "<recording>");
        for (content_type, body, expected) in [
            (None, "", Ok((false, None))),
            (None, "v=0\r\n", Ok((true, None))),
            (Some("application/sdp"), "v=0\r\n", Ok((true, None))),
            (Some("application/sdp"), " \r\n", Ok((false, None))),
            (Some(MIXED), TWO_PARTS, Ok((true, Some(true)))),
            (Some(MIXED), broken.as_str(), Ok((true, Some(false)))),
            (Some("text/plain"), "hello", Err(415)),
            (Some("multipart/mixed"), TWO_PARTS, Err(400)),
        ] {
            assert_eq!(read(content_type, body), expected, "{content_type:?}");
        }
        let many = "--b\r\n\r\nx\r\n".repeat(100);
        assert_eq!(read(Some(MIXED), &many), Err(413));
    }

    #[test]
    fn what_is_required_tells_a_recording() {
        let mut offer = offer();
        let of = |offer: &Offer<'_>| {
            let body = Body::read(offer, &Limits::default()).unwrap();
            is_siprec(offer, &body)
        };
        assert!(!of(&offer));
        let headers = [("require".to_owned(), "timer, SIPREC".to_owned())];
        offer.headers = &headers;
        assert!(of(&offer));
        offer.headers = &[];
        offer.content_type = Some(MIXED);
        offer.body = TWO_PARTS.as_bytes();
        assert!(of(&offer));
    }

    #[test]
    fn descriptions_that_cannot_be_answered() {
        let status = |sdp: &str| {
            let refused = description(sdp, &Limits::default()).err();
            refused.map(|refused| refused.status)
        };
        assert_eq!(status("v=0\r\nm=audio 4 RTP/AVP 0\r\n"), None);
        assert_eq!(status("v=0\r\nm=audio x RTP/AVP 0\r\n"), Some(400));
        assert_eq!(status("hello"), Some(400));
        assert_eq!(status(&"m=audio 4 RTP/AVP 0\n".repeat(100)), Some(413));
    }
}
