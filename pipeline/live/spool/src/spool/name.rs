//! Names of files: when a recording was begun, and its id. Nothing of the call is in them.

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use time::{Date, Month, OffsetDateTime, PrimitiveDateTime, Time};

use super::{DONE, ENDING, OPEN};
use crate::{RecordingId, SpoolError};

/// Milliseconds of 9999-12-31T23:59:59.999Z.
const MAX_UNIX_MS: u64 = 253_402_300_799_999;
const ID_DIGITS: usize = 32;

/// What a recording is called: `20261120T093000.250Z-` and 32 hexadecimal digits. Ordered by time.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RecordingName {
    created_unix_ms: u64,
    id: RecordingId,
}

impl RecordingName {
    pub(crate) fn new(created_unix_ms: u64, id: RecordingId) -> Result<Self, SpoolError> {
        match created_unix_ms > MAX_UNIX_MS {
            false => Ok(Self {
                created_unix_ms,
                id,
            }),
            true => Err(SpoolError::Limit {
                name: "created_unix_ms",
                min: 0,
                max: MAX_UNIX_MS,
                got: created_unix_ms,
            }),
        }
    }

    /// Of a file, if it is called as recordings are.
    pub fn of(path: &Path) -> Option<Self> {
        let is_recording = path.extension().is_some_and(|ending| ending == ENDING);
        let stem = path.file_stem().filter(|_| is_recording)?.to_str()?;
        stem.parse().ok()
    }

    /// The id in its header.
    pub fn id(&self) -> RecordingId {
        self.id
    }

    /// When it was begun, in milliseconds since 1970 (UTC).
    pub fn created_unix_ms(&self) -> u64 {
        self.created_unix_ms
    }

    /// Where it lies in a spool's folder: among those under way if it is there, else among those that are done.
    pub fn path_in(&self, folder: &Path) -> PathBuf {
        let open = self.open_path(folder);
        match open.exists() {
            true => open,
            false => self.done_path(folder),
        }
    }

    /// Whether it is among those under way in a spool's folder: more of it may come.
    pub fn is_open_in(&self, folder: &Path) -> bool {
        self.open_path(folder).exists()
    }

    pub(super) fn open_path(&self, folder: &Path) -> PathBuf {
        folder.join(OPEN).join(self.file_name())
    }

    pub(super) fn done_path(&self, folder: &Path) -> PathBuf {
        folder.join(DONE).join(self.day()).join(self.file_name())
    }

    pub(crate) fn file_name(&self) -> String {
        format!("{self}.{ENDING}")
    }

    /// The day in UTC: `2026-11-20`.
    pub(crate) fn day(&self) -> String {
        let moment = self.moment();
        let (year, month, day) = (moment.year(), u8::from(moment.month()), moment.day());
        format!("{year:04}-{month:02}-{day:02}")
    }

    fn moment(&self) -> OffsetDateTime {
        let nanos = i128::from(self.created_unix_ms) * 1_000_000;
        // Names are only made of times that have a date.
        OffsetDateTime::from_unix_timestamp_nanos(nanos).unwrap_or(OffsetDateTime::UNIX_EPOCH)
    }
}

impl fmt::Display for RecordingName {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let moment = self.moment();
        let (year, month, day) = (moment.year(), u8::from(moment.month()), moment.day());
        let (hour, minute, second, ms) = moment.to_hms_milli();
        write!(
            out,
            "{year:04}{month:02}{day:02}T{hour:02}{minute:02}{second:02}.{ms:03}Z-{}",
            self.id
        )
    }
}

impl fmt::Debug for RecordingName {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, out)
    }
}

/// Text that names no recording.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "that is no recording's name\nhint: names are like `20261120T093000.250Z-` and 32 hexadecimal digits"
)]
pub struct NotAName;

impl FromStr for RecordingName {
    type Err = NotAName;

    fn from_str(text: &str) -> Result<Self, NotAName> {
        let (moment, id) = text.split_once("Z-").ok_or(NotAName)?;
        let name = Self {
            created_unix_ms: unix_ms(moment).ok_or(NotAName)?,
            id: id_of(id).ok_or(NotAName)?,
        };
        // One spelling only: a name is found again by its file.
        match name.to_string() == text {
            true => Ok(name),
            false => Err(NotAName),
        }
    }
}

fn unix_ms(text: &str) -> Option<u64> {
    let number = |from: usize, to: usize| text.get(from..to)?.parse::<u16>().ok();
    let small = |from: usize, to: usize| u8::try_from(number(from, to)?).ok();
    let year = i32::from(number(0, 4)?);
    let date = Date::from_calendar_date(year, Month::try_from(small(4, 6)?).ok()?, small(6, 8)?);
    let time = Time::from_hms_milli(
        small(9, 11)?,
        small(11, 13)?,
        small(13, 15)?,
        number(16, 19)?,
    );
    let moment = PrimitiveDateTime::new(date.ok()?, time.ok()?).assume_utc();
    u64::try_from(moment.unix_timestamp_nanos() / 1_000_000).ok()
}

fn id_of(text: &str) -> Option<RecordingId> {
    if text.len() != ID_DIGITS {
        return None;
    }
    let mut id = [0; 16];
    for (byte, at) in id.iter_mut().zip((0..).step_by(2)) {
        *byte = u8::from_str_radix(text.get(at..at + 2)?, 16).ok()?;
    }
    Some(RecordingId(id))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(created_unix_ms: u64) -> RecordingName {
        RecordingName::new(created_unix_ms, RecordingId([0xa5; 16])).unwrap()
    }

    #[test]
    fn names_come_back() {
        for created_unix_ms in [0, 1, 951_782_400_000, 1_795_166_000_250, MAX_UNIX_MS] {
            let name = name(created_unix_ms);
            assert_eq!(name.to_string().parse(), Ok(name));
            let path = Path::new("open").join(name.file_name());
            assert_eq!(RecordingName::of(&path), Some(name));
        }
        assert_eq!(name(951_782_400_000).day(), "2000-02-29");
        assert!(RecordingName::new(MAX_UNIX_MS + 1, RecordingId([0; 16])).is_err());
    }

    #[test]
    fn other_files_are_none() {
        let id = "a5".repeat(16);
        for text in [
            "",
            "20261120T093000.250Z-",
            &format!("20261320T093000.250Z-{id}"),
            &format!("20261120x093000.250Z-{id}"),
            &format!("20261120T093000.250Z-{id}0"),
            &format!("20261120T093000.250Z-{}", id.to_uppercase()),
            &format!("2026年120T093000.250Z-{id}"),
            &format!("20261120T093000.+25Z-{id}"),
        ] {
            assert_eq!(text.parse::<RecordingName>(), Err(NotAName), "{text}");
        }
        assert_eq!(RecordingName::of(Path::new("open/notes.txt")), None);
    }
}
