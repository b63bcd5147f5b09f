//! Addresses of SIP and of telephones, as far as they are compared here.

use std::borrow::Cow;
use std::net::Ipv4Addr;

use crate::query::is_text;

/// What addresses of SIP begin with.
const SIP: [&str; 2] = ["sip", "sips"];
/// What addresses of telephones begin with.
const TEL: &str = "tel";

/// User and domain of an address. Both may be empty.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Address<'a> {
    /// A number or name, without password, parameters and escapes.
    pub(super) user: Cow<'a, str>,
    /// Without port and parameters.
    pub(super) domain: &'a str,
}

impl<'a> Address<'a> {
    /// Reads `sip:`, `sips:` and `tel:` addresses, with or without scheme, parameters, angle brackets and a name before
    /// them (RFC 3261, section 19.1; RFC 3966, section 3). What stands behind `sip:` without an `@` is a host where it
    /// can be one. Else it is a user, as `sip:8001` is: some equipment leaves the domain out.
    pub(super) fn read(text: &'a str) -> Self {
        let text = match text.split_once('<') {
            Some((_, inside)) => until(inside, '>'),
            None => text,
        };
        let text = text.trim();
        let is_sip = SIP
            .iter()
            .any(|scheme| behind_scheme(text, scheme).is_some());
        let bare = without_scheme(text);
        let (user, domain) = match bare.rsplit_once('@') {
            Some(both) => both,
            None if is_sip && is_host(plain(bare)) => ("", bare),
            None => (bare, ""),
        };
        Self {
            user: unescaped(until(plain(user), ':').trim()),
            domain: without_port(plain(domain)),
        }
    }

    /// Whether both are the same one, as far as they say. An empty user is nobody's.
    pub(super) fn fits(&self, other: &Self) -> bool {
        let is_any = self.domain.is_empty() || other.domain.is_empty();
        !self.user.is_empty()
            && self.user.eq_ignore_ascii_case(&other.user)
            && (is_any || self.domain.eq_ignore_ascii_case(other.domain))
    }
}

/// An address without `sip:` and the like.
pub(super) fn without_scheme(address: &str) -> &str {
    let mut schemes = SIP.iter().chain([&TEL]);
    let bare = schemes.find_map(|scheme| behind_scheme(address, scheme));
    bare.unwrap_or(address)
}

/// What stands behind this scheme, where it is there.
fn behind_scheme<'a>(address: &'a str, scheme: &str) -> Option<&'a str> {
    let (found, rest) = address.split_once(':')?;
    found.eq_ignore_ascii_case(scheme).then_some(rest)
}

/// What stands before the first of these.
fn until(text: &str, end: char) -> &str {
    text.split(end).next().unwrap_or_default()
}

/// Without parameters and headers.
fn plain(text: &str) -> &str {
    until(until(text, ';'), '?').trim()
}

/// The brackets of an IPv6 address hold colons of their own.
fn without_port(domain: &str) -> &str {
    match domain.starts_with('[') {
        true => until(domain, ']').trim_start_matches('['),
        false => until(domain, ':'),
    }
}

/// Whether it can be the name or address of a host, perhaps with a port (RFC 3261, section 25.1): the last part of a name
/// begins with a letter, so no number is one.
fn is_host(text: &str) -> bool {
    let host = without_port(text);
    if text.starts_with('[') || host.parse::<Ipv4Addr>().is_ok() {
        return true;
    }
    let host = host.strip_suffix('.').unwrap_or(host);
    let is_label = |label: &str| {
        let is_inside = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
        let has_ends = !label.starts_with('-') && !label.ends_with('-');
        !label.is_empty() && has_ends && label.bytes().all(is_inside)
    };
    let last = host.rsplit('.').next().unwrap_or_default();
    let begins = last.starts_with(|ch: char| ch.is_ascii_alphabetic());
    begins && host.split('.').all(is_label)
}

/// A user without its escapes (RFC 3261, section 19.1.2); as it stands where they give no text.
fn unescaped(user: &str) -> Cow<'_, str> {
    if !user.contains('%') {
        return Cow::Borrowed(user);
    }
    let mut bytes = Vec::with_capacity(user.len());
    let mut rest = user.as_bytes();
    while let Some((&byte, after)) = rest.split_first() {
        let escape = match after {
            [high, low, behind @ ..] if byte == b'%' => escaped(*high, *low).zip(Some(behind)),
            _ => None,
        };
        let (byte, behind) = escape.unwrap_or((byte, after));
        bytes.push(byte);
        rest = behind;
    }
    match String::from_utf8(bytes) {
        Ok(text) if is_text(&text) => Cow::Owned(text),
        _ => Cow::Borrowed(user),
    }
}

/// The byte of two hexadecimal digits.
fn escaped(high: u8, low: u8) -> Option<u8> {
    let digit = |byte: u8| char::from(byte).to_digit(16);
    let byte = digit(high)?.checked_mul(16)?.checked_add(digit(low)?)?;
    u8::try_from(byte).ok()
}
