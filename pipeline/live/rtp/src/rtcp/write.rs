//! What a listener tells its sender.

use thiserror::Error;

use super::{BLOCK_BYTES, DESCRIPTION, RECEIVER_REPORT, ReportBlock, VERSION};

/// No report is longer.
pub const MOST_REPORT_BYTES: usize = 8 + BLOCK_BYTES + 8 + 260;

/// The canonical name among what describes a source (RFC 3550, section 6.5.1).
const CNAME: u8 = 1;
/// What 24 bits with a sign can hold.
const LOST: (i32, i32) = (-0x80_0000, 0x7f_ffff);

/// Why a report cannot be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum RtcpWriteError {
    /// Its length is one byte there.
    #[error("`cname` has {n_bytes} bytes, more than 255")]
    LongName {
        /// Its length.
        n_bytes: usize,
    },
    /// The buffer ends before the report.
    #[error("a report does not fit into {n_bytes} bytes")]
    NoRoom {
        /// Length of the buffer.
        n_bytes: usize,
    },
}

/// Writes a receiver's report, on one source or on none, and the name of who tells, which each datagram must have (RFC
/// 3550, sections 6.1, 6.4.2 and 6.5). Gives its length, at most [`MOST_REPORT_BYTES`].
///
/// # Errors
/// Where the name is too long or `out` is too short; what is in `out` then is of no use.
pub fn write_receiver_report(
    out: &mut [u8],
    ssrc: u32,
    report: Option<&ReportBlock>,
    cname: &str,
) -> Result<usize, RtcpWriteError> {
    let n_bytes = cname.len();
    let name_bytes = u8::try_from(n_bytes).map_err(|_| RtcpWriteError::LongName { n_bytes })?;
    let mut cursor = Cursor { out, n_bytes: 0 };
    let (count, words) = match report {
        Some(_) => (1, 1 + BLOCK_BYTES as u16 / 4),
        None => (0, 1),
    };
    cursor.put_head(count, RECEIVER_REPORT, words)?;
    cursor.put(&ssrc.to_be_bytes())?;
    if let Some(report) = report {
        cursor.put_block(report)?;
    }
    // At least one zero ends the list of what describes the source, and as many as fill the word.
    let n_zeros = 4 - (2 + n_bytes) % 4;
    let words = 1 + (2 + u16::from(name_bytes) + n_zeros as u16) / 4;
    cursor.put_head(1, DESCRIPTION, words)?;
    cursor.put(&ssrc.to_be_bytes())?;
    cursor.put(&[CNAME, name_bytes])?;
    cursor.put(cname.as_bytes())?;
    for _ in 0..n_zeros {
        cursor.put(&[0])?;
    }
    Ok(cursor.n_bytes)
}

/// Writes into a buffer from its beginning.
struct Cursor<'o> {
    out: &'o mut [u8],
    /// Written so far.
    n_bytes: usize,
}

impl Cursor<'_> {
    fn put(&mut self, bytes: &[u8]) -> Result<(), RtcpWriteError> {
        let no_room = RtcpWriteError::NoRoom {
            n_bytes: self.out.len(),
        };
        let end = self.n_bytes.saturating_add(bytes.len());
        let place = self.out.get_mut(self.n_bytes..end).ok_or(no_room)?;
        place.copy_from_slice(bytes);
        self.n_bytes = end;
        Ok(())
    }

    /// `words` of 4 bytes follow it.
    fn put_head(&mut self, count: u8, kind: u8, words: u16) -> Result<(), RtcpWriteError> {
        let [high, low] = words.to_be_bytes();
        self.put(&[(VERSION << 6) | count, kind, high, low])
    }

    fn put_block(&mut self, report: &ReportBlock) -> Result<(), RtcpWriteError> {
        let (least, most) = LOST;
        let [_, lost @ ..] = report.lost.clamp(least, most).to_be_bytes();
        self.put(&report.ssrc.to_be_bytes())?;
        self.put(&[report.fraction_lost])?;
        self.put(&lost)?;
        let rest = [
            report.highest_sequence,
            report.jitter,
            report.last_report,
            report.delay,
        ];
        rest.iter()
            .try_for_each(|word| self.put(&word.to_be_bytes()))
    }
}
