//! What can be listened to, and where a page finds it.

/// Where a page finds a sound: relative to the folder of the batch's page, or `file:`. Made from a path
/// alone, so that it can never be a script or lead to a network.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MediaUrl(String);

impl MediaUrl {
    /// From a path, absolute or relative to the folder in which [`batch_page`](crate::batch_page) is
    /// written. Everything with a meaning in URLs is escaped.
    pub fn from_path(path: &str) -> Self {
        let escaped = percent_encoded(path);
        if path.starts_with('/') {
            Self(format!("file://{escaped}"))
        } else {
            Self(escaped)
        }
    }

    /// As a page writes it whose folder reaches the batch's page by `to_root` (empty, or `../`).
    fn seen_from(&self, to_root: &str) -> String {
        if self.0.starts_with("file://") {
            self.0.clone()
        } else {
            format!("{to_root}{}", self.0)
        }
    }
}

/// RFC 3986: all but unreserved characters and the slash, byte by byte.
fn percent_encoded(path: &str) -> String {
    use std::fmt::Write as _;

    let mut out = String::with_capacity(path.len());
    for byte in path.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' => {
                out.push(char::from(byte));
            }
            // Writing to a String cannot fail.
            _ => drop(write!(out, "%{byte:02X}")),
        }
    }
    out
}

/// A piece cut out of a recording.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Clip {
    /// Where it lies.
    pub url: MediaUrl,
    /// Where in the recording it begins, milliseconds.
    pub start_ms: u64,
}

/// What of a call can be listened to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Playable {
    /// Nothing.
    #[default]
    Nothing,
    /// There is a recording, and personal data would be heard in it: the page says how to get a copy.
    Withheld,
    /// The whole recording; the page plays the part that matters.
    Recording(MediaUrl),
    /// One clip for each of the assessment's hits, in their order; `None` where a hit has none.
    Clips(Vec<Option<Clip>>),
}

impl Playable {
    /// The address that plays `start_ms` to `end_ms` of the recording (W3C Media Fragments, temporal
    /// dimension). `hit_idx` says which hit it belongs to, if any.
    pub(crate) fn fragment(
        &self,
        hit_idx: Option<usize>,
        (start_ms, end_ms): (u64, u64),
        to_root: &str,
    ) -> Option<String> {
        let (url, offset_ms) = match self {
            Self::Nothing | Self::Withheld => return None,
            Self::Recording(url) => (url, 0),
            Self::Clips(clips) => {
                let clip = clips.get(hit_idx?)?.as_ref()?;
                (&clip.url, clip.start_ms)
            }
        };
        let from = secs(start_ms.saturating_sub(offset_ms));
        let url = url.seen_from(to_root);
        Some(if end_ms > start_ms {
            format!("{url}#t={from},{}", secs(end_ms.saturating_sub(offset_ms)))
        } else {
            format!("{url}#t={from}")
        })
    }
}

/// Seconds as `12.3`: at most three digits after the point, no useless zeros.
fn secs(ms: u64) -> String {
    let text = format!("{}.{:03}", ms / 1000, ms % 1000);
    let text = text.trim_end_matches('0');
    text.strip_suffix('.').unwrap_or(text).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_of_a_recording_is_a_media_fragment() {
        let recording = Playable::Recording(MediaUrl::from_path("../audio/a b#1.wav"));
        let check = |span, expected: &str| {
            assert_eq!(
                recording.fragment(None, span, "").as_deref(),
                Some(expected)
            );
        };
        check((12_300, 18_000), "../audio/a%20b%231.wav#t=12.3,18");
        check((45, 45), "../audio/a%20b%231.wav#t=0.045");
        let seen = recording.fragment(None, (0, 1500), "../");
        assert_eq!(seen.as_deref(), Some("../../audio/a%20b%231.wav#t=0,1.5"));
        assert_eq!(Playable::Nothing.fragment(None, (0, 1), ""), None);
        assert_eq!(Playable::Withheld.fragment(None, (0, 1), ""), None);
    }

    #[test]
    fn times_in_a_clip_count_from_its_start() {
        let clip = Clip {
            url: MediaUrl::from_path("clips/x.wav"),
            start_ms: 10_000,
        };
        let clips = Playable::Clips(vec![None, Some(clip)]);
        let second = clips.fragment(Some(1), (10_500, 12_000), "../");
        assert_eq!(second.as_deref(), Some("../clips/x.wav#t=0.5,2"));
        for missing in [None, Some(0), Some(7)] {
            assert_eq!(clips.fragment(missing, (10_500, 12_000), ""), None);
        }
    }

    #[test]
    fn a_path_is_never_a_scheme() {
        let check = |path, expected| assert_eq!(MediaUrl::from_path(path).0, expected);
        check("javascript:alert(1)", "javascript%3Aalert%281%29");
        check("/录音/a.wav", "file:///%E5%BD%95%E9%9F%B3/a.wav");
        check("\"><script>", "%22%3E%3Cscript%3E");
    }
}
