//! What a request must be before anybody looks into it, and what is told of us.

use std::net::SocketAddr;

use rsipstack::sip::{
    Auth, Contact, Header, HeadersExt, Method, Param, Request, Scheme, StatusCode, Transport, Uri,
};

use super::refusal::Refusal;
use super::timer::{Asked, Support};
use super::way::WAY;

/// Methods that are answered.
const ALLOW: &str = "INVITE, ACK, BYE, CANCEL, OPTIONS, UPDATE";
/// Bodies that are read.
const ACCEPT: &str = "application/sdp, multipart/mixed, application/rs-metadata+xml";
/// Extensions that are known (RFC 7866, RFC 4028).
const KNOWN: [&str; 2] = ["siprec", "timer"];
/// Headers of one request: SIPREC's through several proxies have some forty.
const MOST_HEADERS: usize = 256;
/// Bytes of all of them: bodies are longer, and have limits of their own.
const MOST_HEADER_BYTES: usize = 16 << 10;

/// What a request must be.
///
/// # Errors
/// Why it is refused.
pub(super) fn check(request: &Request) -> Result<(), Refusal> {
    let headers = &request.headers;
    let n_bytes: usize = headers
        .iter()
        .map(|header| header.name().len() + header.value().len())
        .sum();
    if headers.len() > MOST_HEADERS || n_bytes > MOST_HEADER_BYTES {
        return Err(Refusal::new(
            StatusCode::MessageTooLarge,
            "too_large",
            format!(
                "{} headers of {n_bytes} bytes are more than {MOST_HEADERS} of {MOST_HEADER_BYTES}",
                headers.len()
            ),
        ));
    }
    check_length(request)?;
    check_encoding(request)?;
    let unknown = values(request, "Require")
        .flat_map(|value| value.split(','))
        .map(str::trim)
        .filter(|tag| !tag.is_empty() && !KNOWN.iter().any(|known| known.eq_ignore_ascii_case(tag)))
        .collect::<Vec<_>>();
    if !unknown.is_empty() {
        return Err(Refusal::new(
            StatusCode::BadExtension,
            "unknown_extension",
            "`Require` names an extension that is not known",
        )
        .with(Header::Unsupported(unknown.join(", ").into())));
    }
    Ok(())
}

/// Whether the body is as long as is said (RFC 3261, section 18.3).
fn check_length(request: &Request) -> Result<(), Refusal> {
    let malformed = |why: String| Refusal::new(StatusCode::BadRequest, "malformed", why);
    let Some(text) = values(request, "Content-Length").next() else {
        return Ok(());
    };
    let length: usize = text
        .parse()
        .map_err(|_| malformed("`Content-Length` must be a number".to_owned()))?;
    let n_bytes = request.body.len();
    match length == n_bytes {
        true => Ok(()),
        false => Err(malformed(format!(
            "`Content-Length` is `{length}`, and the body has {n_bytes} bytes"
        ))),
    }
}

fn check_encoding(request: &Request) -> Result<(), Refusal> {
    let mut encodings = values(request, "Content-Encoding");
    match encodings.all(|encoding| encoding.is_empty() || encoding.eq_ignore_ascii_case("identity"))
    {
        true => Ok(()),
        false => Err(Refusal::new(
            StatusCode::UnsupportedMediaType,
            "unsupported_body",
            "`Content-Encoding` must be `identity`",
        )
        .with(Header::AcceptEncoding("identity".into()))),
    }
}

/// What it says of session timers.
///
/// # Errors
/// When that cannot be read.
pub(super) fn timer_asked(request: &Request) -> Result<Asked, Refusal> {
    let names_timer = |name: &str| request.header_contains_token(name, "timer");
    let support = match names_timer("Supported") || names_timer("Require") {
        true => Support::Timer,
        false => Support::None,
    };
    let session_expires = values(request, "Session-Expires").next();
    let min_se = values(request, "Min-SE").next();
    Ok(Asked::read(support, session_expires, min_se)?)
}

/// Whether the other side takes UPDATE (RFC 3311).
pub(super) fn takes_update(request: &Request) -> bool {
    let mut methods = values(request, "Allow").flat_map(|value| value.split(','));
    methods.any(|method| method.trim().eq_ignore_ascii_case("UPDATE"))
}

/// Headers that a call may be named by, with the names that they came with: not those that are for the way of the message,
/// nor those with passwords.
pub(super) fn told(request: &Request) -> Vec<(String, String)> {
    let is_told = |header: &&Header| {
        !matches!(
            header,
            Header::Via(_)
                | Header::From(_)
                | Header::To(_)
                | Header::CallId(_)
                | Header::CSeq(_)
                | Header::MaxForwards(_)
                | Header::Route(_)
                | Header::RecordRoute(_)
                | Header::ContentLength(_)
                | Header::ContentType(_)
                | Header::Authorization(_)
                | Header::ProxyAuthorization(_)
        ) && !header.name().eq_ignore_ascii_case(WAY)
    };
    let headers = request.headers.iter().filter(is_told);
    headers
        .map(|header| (header.name().to_owned(), header.value().trim().to_owned()))
        .collect()
}

/// The first header of this name, without the spaces around it.
pub(super) fn value<'r>(request: &'r Request, name: &str) -> Option<&'r str> {
    let mut headers = request.headers.iter();
    let header = headers.find(|header| header.name().eq_ignore_ascii_case(name))?;
    Some(header.value().trim())
}

fn values<'r>(request: &'r Request, name: &'static str) -> impl Iterator<Item = &'r str> {
    let headers = request.headers.iter();
    let headers = headers.filter(move |header| header.name().eq_ignore_ascii_case(name));
    headers.map(|header| header.value().trim())
}

/// What we can, for OPTIONS and answers (RFC 3261, section 11.2).
pub(super) fn abilities() -> Vec<Header> {
    vec![
        Header::Allow(ALLOW.into()),
        Header::Accept(ACCEPT.into()),
        Header::Supported(KNOWN.join(", ").into()),
    ]
}

/// Where we are reached in a call: with `sips` only where the other side insists on it (RFC 3261, section 12.1.1).
pub(super) fn contact(request: &Request, transport: Transport, local: SocketAddr) -> Uri {
    let is_secure = request.uri.scheme == Some(Scheme::Sips);
    Uri {
        scheme: Some(match is_secure {
            true => Scheme::Sips,
            false => Scheme::Sip,
        }),
        auth: Some(Auth {
            user: "auricle".to_owned(),
            password: None,
        }),
        host_with_port: local.into(),
        params: match transport {
            Transport::Udp => Vec::new(),
            other => vec![Param::Transport(other)],
        },
        headers: Vec::new(),
    }
}

/// The same as a header; a recorder says that it is one (RFC 7866, section 6.1.2).
pub(super) fn contact_header(contact: &Uri, role: Role) -> Header {
    let feature = match role {
        Role::Recorder => ";+sip.srs",
        Role::Listener => "",
    };
    Header::Contact(Contact::new(format!("<{contact}>{feature}")))
}

/// What we are in a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    /// Of SIPREC.
    Recorder,
    /// Of a plain call.
    Listener,
}

/// What a request outside of a call is answered where it begins none.
///
/// # Errors
/// Why it is refused: all but OPTIONS.
pub(super) fn outside(method: Method) -> Result<(), Refusal> {
    match method {
        Method::Options => Ok(()),
        Method::Bye | Method::Update | Method::Info | Method::PRack | Method::Cancel => {
            Err(Refusal::new(
                StatusCode::CallTransactionDoesNotExist,
                "no_call",
                "there is no such call",
            ))
        }
        _ => Err(not_allowed()),
    }
}

/// A method that is not served.
pub(super) fn not_allowed() -> Refusal {
    let why = format!("only {ALLOW} are served");
    Refusal::new(StatusCode::MethodNotAllowed, "method", why).with(Header::Allow(ALLOW.into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(headers: &str, body: &str) -> Request {
        let length = match headers.contains("Content-Length") {
            true => String::new(),
            false => format!("Content-Length: {}\r\n", body.len()),
        };
        let text = format!(
            "INVITE sip:auricle@192.0.2.1 SIP/2.0\r\nVia: SIP/2.0/TCP 192.0.2.9:5060;branch=z9hG4bK1\r\n\
             From: <sip:src@192.0.2.9>;tag=1\r\nTo: <sip:auricle@192.0.2.1>\r\nCall-ID: c1\r\n\
             CSeq: 1 INVITE\r\nContact: <sip:src@192.0.2.9>\r\n{headers}{length}\r\n{body}"
        );
        Request::try_from(text.as_str()).unwrap()
    }

    fn refused(headers: &str, body: &str) -> Option<(u16, &'static str)> {
        let refusal = check(&request(headers, body)).err()?;
        Some((refusal.status.code(), refusal.reason))
    }

    #[test]
    fn what_is_refused_says_why() {
        let many = "X-Header: 1\r\n".repeat(300);
        let long = format!("X-Header: {}\r\n", "x".repeat(20_000));
        for (headers, body, expected) in [
            ("", "", None),
            ("Require: siprec\r\nrequire: Timer\r\n", "v=0\r\n", None),
            (
                "Require: siprec, 100rel\r\n",
                "",
                Some((420, "unknown_extension")),
            ),
            ("Content-Length: 9\r\n", "v=0\r\n", Some((400, "malformed"))),
            (
                "Content-Length: many\r\n",
                "v=0\r\n",
                Some((400, "malformed")),
            ),
            ("Content-Encoding: identity\r\n", "", None),
            (
                "Content-Encoding: gzip\r\n",
                "",
                Some((415, "unsupported_body")),
            ),
            (many.as_str(), "", Some((513, "too_large"))),
            (long.as_str(), "", Some((513, "too_large"))),
        ] {
            assert_eq!(refused(headers, body), expected, "{:.60}", headers);
        }
        let refusal = check(&request("Require: a, siprec, b\r\n", "")).unwrap_err();
        assert_eq!(refusal.headers()[0].to_string(), "Unsupported: a, b");
    }

    #[test]
    fn timers_are_read_where_both_know_them() {
        let agreed = |headers: &str| {
            let asked = timer_asked(&request(headers, "")).unwrap();
            let agreed = asked.agree(1_800).unwrap();
            agreed.map(|timer| timer.session_expires())
        };
        assert_eq!(agreed(""), None);
        assert_eq!(
            agreed("k: timer, siprec\r\n").as_deref(),
            Some("1800;refresher=uac")
        );
        assert_eq!(
            agreed("Supported: timer\r\nx: 600;refresher=uas\r\n").as_deref(),
            Some("600;refresher=uas")
        );
        assert!(timer_asked(&request("Session-Expires: soon\r\n", "")).is_err());
        assert!(takes_update(&request("Allow: INVITE, UPDATE\r\n", "")));
        assert!(!takes_update(&request("Allow: INVITE\r\n", "")));
    }

    #[test]
    fn what_names_a_call_is_told_and_no_password() {
        let request = request(
            "X-Auricle-Call-Id:  c7 \r\nAuthorization: Digest response=\"x\"\r\nUser-to-User: 00\r\n",
            "",
        );
        let told = told(&request);
        let find = |name: &str| told.iter().find(|(key, _)| key == name);
        assert_eq!(find("X-Auricle-Call-Id").unwrap().1, "c7");
        assert_eq!(find("User-to-User").unwrap().1, "00");
        assert!(!told.iter().any(|(_, value)| value.contains("Digest")));
        assert!(find("From").is_none() && find("Via").is_none());
        assert_eq!(value(&request, "x-auricle-call-id"), Some("c7"));
    }

    #[test]
    fn contacts_say_where_and_as_what_we_are_reached() {
        let of = |uri: &str, transport, role| {
            let mut request = request("", "");
            request.uri = uri.try_into().unwrap();
            let contact = contact(&request, transport, "192.0.2.1:5060".parse().unwrap());
            contact_header(&contact, role).value().to_owned()
        };
        assert_eq!(
            of("sip:a@b", Transport::Udp, Role::Listener),
            "<sip:auricle@192.0.2.1:5060>"
        );
        assert_eq!(
            of("sip:a@b", Transport::Tcp, Role::Recorder),
            "<sip:auricle@192.0.2.1:5060;transport=TCP>;+sip.srs"
        );
        assert_eq!(
            of("sips:a@b", Transport::Tls, Role::Recorder),
            "<sips:auricle@192.0.2.1:5060;transport=TLS>;+sip.srs"
        );
    }

    #[test]
    fn outside_of_calls_only_options_are_answered() {
        assert!(outside(Method::Options).is_ok());
        assert_eq!(outside(Method::Bye).unwrap_err().status.code(), 481);
        assert_eq!(outside(Method::Register).unwrap_err().status.code(), 405);
    }
}
