//! The lines of a session description, one after the other.

use super::description::{Origin, SessionDescription, Time};
use super::draft::{Connection, Defaults, Draft, read_address};
use super::error::{Oddity, SdpError, SdpWarning, odd};
use super::media::Direction;
use super::media_line::MediaLine;
use crate::limits::Limits;
use crate::query::Shown;

/// What the lines said so far.
pub(super) struct Reader<'a> {
    limits: &'a Limits,
    /// The line that is read, from 1.
    line: usize,
    has_version: bool,
    origin: Option<Origin>,
    time: Option<Time>,
    session: Defaults,
    /// Media; lines are about the last of them.
    drafts: Vec<Draft>,
    warnings: Vec<SdpWarning>,
}

impl<'a> Reader<'a> {
    pub(super) fn new(limits: &'a Limits) -> Self {
        Self {
            limits,
            line: 0,
            has_version: false,
            origin: None,
            time: None,
            session: Defaults::default(),
            drafts: Vec::new(),
            warnings: Vec::new(),
        }
    }

    /// Takes the next line, without its end.
    pub(super) fn read(&mut self, line: &str) -> Result<(), SdpError> {
        if self.line >= self.limits.sdp_lines {
            let limit = self.limits.sdp_lines;
            return Err(SdpError::TooManyLines { limit });
        }
        self.line += 1;
        let line = line.trim();
        let Some((letter, value)) = line.split_once('=') else {
            if !line.is_empty() {
                self.warn(Oddity::NotALine);
            }
            return Ok(());
        };
        let value = value.trim();
        match letter.trim() {
            "v" => self.read_version(value)?,
            "m" => self.read_media(value)?,
            "o" => self.read_origin(value),
            "c" => self.read_connection(value),
            "t" => self.read_time(value),
            "a" => self.read_attribute(value),
            _ => {}
        }
        Ok(())
    }

    /// Puts together what was read.
    pub(super) fn finish(mut self) -> Result<SessionDescription, SdpError> {
        if !self.has_version && self.drafts.is_empty() {
            return Err(SdpError::NotSdp);
        }
        let mut media = Vec::with_capacity(self.drafts.len());
        for draft in std::mem::take(&mut self.drafts) {
            self.line = draft.line_number;
            let (finished, oddities) = draft.finish(self.session, self.limits);
            media.push(finished);
            for oddity in oddities {
                self.warn(oddity);
            }
        }
        self.warnings.sort_by_key(|warning| warning.line);
        Ok(SessionDescription {
            origin: self.origin,
            address: self.session.connection.and_then(Connection::address),
            direction: self.session.direction,
            media,
            warnings: self.warnings,
            time: self.time.unwrap_or_default(),
        })
    }

    fn warn(&mut self, oddity: Oddity) {
        let line = self.line;
        self.warnings.push(SdpWarning { line, oddity });
    }

    fn read_version(&mut self, value: &str) -> Result<(), SdpError> {
        if value != "0" {
            let got = Shown::new(value);
            let line = self.line;
            return Err(SdpError::Version { line, got });
        }
        self.has_version = true;
        Ok(())
    }

    fn read_media(&mut self, value: &str) -> Result<(), SdpError> {
        if self.drafts.len() >= self.limits.sdp_media {
            let limit = self.limits.sdp_media;
            return Err(SdpError::TooManyMedia { limit });
        }
        let line = MediaLine::parse(value, self.line, self.limits)?;
        self.drafts.push(Draft::new(line, self.line));
        Ok(())
    }

    /// Counted from the end, for names with blanks in them stand at the beginning.
    fn read_origin(&mut self, value: &str) {
        let mut words = value.split_ascii_whitespace().rev().skip(3);
        let version = words.next().and_then(|word| word.parse::<u64>().ok());
        let session_id = words.next().and_then(|word| word.parse::<u64>().ok());
        match session_id.zip(version) {
            Some((session_id, version)) => {
                self.origin = Some(Origin {
                    session_id,
                    version,
                });
            }
            None => self.warn(Oddity::Origin),
        }
    }

    fn read_connection(&mut self, value: &str) {
        let connection = match read_address(value) {
            Some(address) => Connection::At(address),
            None => {
                self.warn(odd("c=", "an address such as `IN IP4 192.0.2.1`", value));
                Connection::Unknown
            }
        };
        self.own().connection = Some(connection);
    }

    /// The first of them; a call has one, and it is `0 0`.
    fn read_time(&mut self, value: &str) {
        let mut numbers = value
            .split_ascii_whitespace()
            .map(|word| word.parse::<u64>());
        match (numbers.next(), numbers.next()) {
            (Some(Ok(start)), Some(Ok(end))) => {
                self.time = self.time.or(Some(Time { start, end }));
            }
            _ => self.warn(odd("t=", "two numbers", value)),
        }
    }

    fn read_attribute(&mut self, text: &str) {
        let (name, value) = text.split_once(':').unwrap_or((text, ""));
        let name = name.trim();
        if let Some(direction) = Direction::named(name) {
            self.own().direction = Some(direction);
            return;
        }
        let Some(draft) = self.drafts.last_mut() else {
            return;
        };
        if let Err(oddity) = draft.attribute(name, value.trim(), self.limits) {
            self.warn(oddity);
        }
    }

    /// What the medium that is read says, or the session before the first.
    fn own(&mut self) -> &mut Defaults {
        match self.drafts.last_mut() {
            Some(draft) => &mut draft.own,
            None => &mut self.session,
        }
    }
}
