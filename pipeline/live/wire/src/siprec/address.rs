//! Addresses of SIP and of telephones, as far as they are compared here.

/// User and domain of an address. Both may be empty.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Address<'a> {
    /// A number or name, without password and parameters.
    pub(super) user: &'a str,
    /// Without port and parameters.
    pub(super) domain: &'a str,
}

impl<'a> Address<'a> {
    /// Reads `sip:`, `sips:` and `tel:` addresses, with or without scheme, parameters, angle brackets and a name before
    /// them (RFC 3261, section 19.1; RFC 3966, section 3). What has no `@` is a user: some equipment leaves the domain
    /// out.
    pub(super) fn read(text: &'a str) -> Self {
        let text = match text.split_once('<') {
            Some((_, inside)) => until(inside, '>'),
            None => text,
        };
        let bare = without_scheme(text.trim());
        let (user, domain) = bare.rsplit_once('@').unwrap_or((bare, ""));
        let user = until(until(until(user, ';'), '?'), ':');
        let domain = until(until(domain, ';'), '?');
        Self {
            user,
            domain: without_port(domain),
        }
    }

    /// Whether both are the same one, as far as they say. An empty user is nobody's.
    pub(super) fn fits(self, other: Self) -> bool {
        let is_any = self.domain.is_empty() || other.domain.is_empty();
        !self.user.is_empty()
            && self.user.eq_ignore_ascii_case(other.user)
            && (is_any || self.domain.eq_ignore_ascii_case(other.domain))
    }
}

/// An address without `sip:` and the like.
pub(super) fn without_scheme(address: &str) -> &str {
    let schemes = ["sip", "sips", "tel"];
    match address.split_once(':') {
        Some((scheme, rest))
            if schemes
                .iter()
                .any(|known| scheme.eq_ignore_ascii_case(known)) =>
        {
            rest
        }
        _ => address,
    }
}

/// What stands before the first of these.
fn until(text: &str, end: char) -> &str {
    text.split(end).next().unwrap_or_default()
}

/// The brackets of an IPv6 address hold colons of their own.
fn without_port(domain: &str) -> &str {
    match domain.starts_with('[') {
        true => until(domain, ']').trim_start_matches('['),
        false => until(domain, ':'),
    }
}
