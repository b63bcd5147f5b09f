//! What all pages share: the frame, the navigation, the player, tiles and badges.

use std::fmt::Write as _;

use auricle_contracts::Severity;
use maud::{DOCTYPE, Markup, PreEscaped, html};
use sha2::{Digest, Sha256};

use crate::language::Language;

const STYLE: &str = include_str!("style.css");
const SCRIPT: &str = include_str!("script.js");
const TABLE_SCRIPT: &str = include_str!("table.js");

/// Which script a page needs.
#[derive(Clone, Copy)]
pub(crate) enum Scripts {
    /// The player alone.
    Player,
    /// The player, and tables that sort and filter.
    PlayerAndTables,
}

impl Scripts {
    const fn sources(self) -> &'static [&'static str] {
        match self {
            Self::Player => &[SCRIPT],
            Self::PlayerAndTables => &[SCRIPT, TABLE_SCRIPT],
        }
    }
}

/// One part of a page, with its place in the navigation.
pub(crate) struct Section {
    pub(crate) id: &'static str,
    pub(crate) title: &'static str,
    pub(crate) body: Markup,
}

/// Who made a page.
const GENERATOR: &str = "Auricle";
/// It stands within so many bytes of a page's start.
pub const PAGE_HEAD_BYTES: usize = 2048;

/// Whether a file that begins so ([`PAGE_HEAD_BYTES`] are enough) is a page of this room.
pub fn is_own_page(head: &[u8]) -> bool {
    let mark = format!(r#"<meta name="generator" content="{GENERATOR}">"#);
    let head = &head[..head.len().min(PAGE_HEAD_BYTES)];
    head.windows(mark.len()).any(|part| part == mark.as_bytes())
}

/// A page's frame.
pub(crate) struct Page<'a> {
    pub(crate) language: Language,
    pub(crate) title: &'a str,
    /// What stands between the title and the navigation.
    pub(crate) head: Markup,
    pub(crate) sections: Vec<Section>,
    pub(crate) scripts: Scripts,
}

impl Page<'_> {
    pub(crate) fn render(&self) -> String {
        let language = self.language;
        let markup = html! {
            (DOCTYPE)
            html lang=(language.tag()) {
                head {
                    meta charset="utf-8";
                    meta name="viewport" content="width=device-width, initial-scale=1";
                    meta http-equiv="Content-Security-Policy" content=(self.policy());
                    meta name="generator" content=(GENERATOR);
                    meta name="robots" content="noindex";
                    meta name="referrer" content="no-referrer";
                    title { (self.title) " · Auricle" }
                    style { (PreEscaped(STYLE)) }
                }
                body {
                    a.skip href="#content" { (language.skip()) }
                    header {
                        p.brand { "Auricle" }
                        h1 { (self.title) }
                        (self.head)
                    }
                    (self.navigation())
                    main id="content" {
                        @for section in &self.sections {
                            section id=(section.id) aria-labelledby=(format!("{}-title", section.id)) {
                                h2 id=(format!("{}-title", section.id)) { (section.title) }
                                (section.body)
                            }
                        }
                    }
                    footer { (language.footer()) }
                    div #player role="region" aria-label=(language.player()) hidden {
                        audio controls preload="none" {}
                        button type="button" { (language.close()) }
                    }
                    @for source in self.scripts.sources() {
                        script { (PreEscaped(source)) }
                    }
                }
            }
        };
        markup.into_string()
    }

    fn navigation(&self) -> Markup {
        html! {
            nav.bar aria-label=(self.language.contents()) {
                div {
                    @for section in &self.sections {
                        a href=(format!("#{}", section.id)) { (section.title) }
                    }
                }
            }
        }
    }

    /// Nothing but the page's own style and scripts runs, and nothing but sounds is loaded (CSP level 2).
    fn policy(&self) -> String {
        let mut policy = format!(
            "default-src 'none'; base-uri 'none'; form-action 'none'; media-src 'self' file:; style-src {}; script-src",
            hash_source(STYLE)
        );
        for source in self.scripts.sources() {
            // Writing to a String cannot fail.
            let _ = write!(policy, " {}", hash_source(source));
        }
        policy
    }
}

fn hash_source(text: &str) -> String {
    format!("'sha256-{}'", base64(&Sha256::digest(text.as_bytes())))
}

/// RFC 4648, with padding.
fn base64(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let group = chunk
            .iter()
            .chain(&[0; 2])
            .take(3)
            .fold(0u32, |group, byte| group << 8 | u32::from(*byte));
        for idx in 0..4 {
            if idx > chunk.len() {
                out.push('=');
            } else {
                let sextet = (group >> (18 - 6 * idx)) & 63;
                out.push(char::from(ALPHABET[sextet as usize]));
            }
        }
    }
    out
}

/// One key figure.
pub(crate) struct Tile {
    pub(crate) label: &'static str,
    pub(crate) value: String,
    pub(crate) note: String,
    pub(crate) tone: Tone,
}

/// Whether a figure calls for somebody.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tone {
    Plain,
    Bad,
}

impl Tone {
    pub(crate) const fn bad_if_any(n: u64) -> Self {
        if n > 0 { Self::Bad } else { Self::Plain }
    }
}

pub(crate) fn tiles(tiles: &[Tile]) -> Markup {
    html! {
        dl.tiles {
            @for tile in tiles {
                div.bad[tile.tone == Tone::Bad] {
                    dt { (tile.label) }
                    dd { b { (tile.value) } span { (tile.note) } }
                }
            }
        }
    }
}

pub(crate) fn severity_badge(severity: Severity, language: Language) -> Markup {
    html! { span.badge.(severity.as_str()) { (language.severity_name(severity)) } }
}

/// A link that plays a sound: the script plays it in place, without script the browser opens it there.
pub(crate) fn play_link(url: Option<&str>, times: &str, language: Language) -> Markup {
    html! {
        @if let Some(url) = url {
            a.play href=(url) aria-label=(format!("{} {times}", language.play())) { (times) }
        } @else {
            span.nowrap { (times) }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::base64;

    #[test]
    fn base64_follows_the_vectors_of_rfc_4648() {
        let check = |text: &str, expected| assert_eq!(base64(text.as_bytes()), expected);
        check("", "");
        check("f", "Zg==");
        check("fo", "Zm8=");
        check("foo", "Zm9v");
        check("foobar", "Zm9vYmFy");
    }
}
