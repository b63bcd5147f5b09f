//! Model files: small, versioned, and checked before they are believed.
//!
//! ```text
//! "AURINTNT" u16 file version, u16 feature version (which the language has)
//! text: word classes;  u8 heads
//! head: u8 party (0 agent, 1 customer), u8 labels; label: text name, f32 bias, slope, offset, threshold, step
//!       varint features; feature: varint bucket less the one before, varint entries, entries of (u8 label, i8 steps)
//! rarity: varint features; feature: varint bucket less the one before, u8 steps
//! u64 digest of everything before: FNV-1a
//! ```
//! Numbers are little-endian, a text is a varint of bytes and UTF-8, varints are LEB128.

use auricle_contracts::Party;
use thiserror::Error;

use super::classes::WordClasses;
use super::features::N_BUCKETS;
use super::language::Language;
use super::model::{Calibration, Head, IntentModel, Label};
use super::random::digest;
use super::rarity::Rarity;
use super::rows::MAX_LABEL_BYTES;
use super::table::{Row, Table};

const MAGIC: &[u8; 8] = b"AURINTNT";
const FILE_VERSION: u16 = 2;
/// Most labels of one party.
pub(super) const MAX_LABELS: usize = 64;
const MAX_CLASSES_BYTES: usize = 1 << 20;
/// One for each party.
const MAX_HEADS: u8 = 2;
/// Larger numbers are none of a model, and sums of them would be none at all.
const MAX_NUMBER: f32 = 1.0e6;

/// Bytes that are no model.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum ReadModelError {
    /// Something else, or nothing.
    #[error("these bytes are no intent model\nhint: make one with `auricle intent train`")]
    Magic,
    /// From another Auricle.
    #[error(
        "the intent model has file version `{file}` and feature version `{features}`, wanted are `{FILE_VERSION}` and `{}` (Mandarin) or `{}` (English)\nhint: train it again from its labelled text",
        Language::Mandarin.features_version(),
        Language::English.features_version()
    )]
    Version {
        /// The file's.
        file: u16,
        /// Of its features.
        features: u16,
    },
    /// Cut off or changed.
    #[error(
        "the intent model is damaged: its digest is `{found:016x}`, written is `{written:016x}`\nhint: copy it again, or train it again"
    )]
    Digest {
        /// Of the bytes that are there.
        found: u64,
        /// As the file says.
        written: u64,
    },
    /// Well kept, but wrong.
    #[error("the intent model makes no sense: `{what}` at byte `{at}`\nhint: train it again")]
    Content {
        /// What is wrong.
        what: &'static str,
        /// Where.
        at: usize,
    },
}

impl IntentModel {
    /// Reads what [`Self::write`] wrote. Bytes of any origin may be given; memory stays within a small
    /// multiple of their number.
    ///
    /// # Errors
    /// Bytes that are no model, of another version, damaged or senseless.
    pub fn read(bytes: &[u8]) -> Result<Self, ReadModelError> {
        let (body, language) = checked(bytes)?;
        let mut reader = Reader {
            bytes: body,
            at: 12,
        };
        let classes = reader.text("word classes", MAX_CLASSES_BYTES)?;
        let classes = WordClasses::parse(classes, language);
        let n_heads = reader.byte("number of heads")?;
        if n_heads > MAX_HEADS {
            return Err(reader.fault("number of heads"));
        }
        let mut heads = Vec::new();
        for _ in 0..n_heads {
            heads.push(reader.head()?);
        }
        let rarity = reader.rarity()?;
        let model = Self {
            classes,
            heads,
            rarity,
        };
        match reader.at == body.len() {
            true => Ok(model),
            false => Err(reader.fault("length")),
        }
    }

    /// The model as bytes; the same model gives the same bytes.
    pub fn write(&self) -> Vec<u8> {
        let mut bytes = MAGIC.to_vec();
        bytes.extend(FILE_VERSION.to_le_bytes());
        bytes.extend(self.language().features_version().to_le_bytes());
        put_text(&mut bytes, self.classes.text());
        bytes.push(self.heads.len() as u8);
        for head in &self.heads {
            put_head(&mut bytes, head);
        }
        put_rarity(&mut bytes, &self.rarity);
        let digest = digest(&bytes);
        bytes.extend(digest.to_le_bytes());
        bytes
    }
}

/// Everything but the digest, which is right; the head is a model's of this version and of the language that is
/// told.
fn checked(bytes: &[u8]) -> Result<(&[u8], Language), ReadModelError> {
    let number = |at: usize| {
        let pair = bytes.get(at..at + 2)?;
        Some(u16::from_le_bytes([pair[0], pair[1]]))
    };
    let (Some(file), Some(features), true) = (number(8), number(10), bytes.starts_with(MAGIC))
    else {
        return Err(ReadModelError::Magic);
    };
    let language = Language::of_features(features).filter(|_| file == FILE_VERSION);
    let language = language.ok_or(ReadModelError::Version { file, features })?;
    let Some((body, written)) = bytes.split_last_chunk::<8>() else {
        return Err(ReadModelError::Magic);
    };
    let (found, written) = (digest(body), u64::from_le_bytes(*written));
    match found == written && body.len() >= 12 {
        true => Ok((body, language)),
        false => Err(ReadModelError::Digest { found, written }),
    }
}

fn put_head(bytes: &mut Vec<u8>, head: &Head) {
    bytes.push(u8::from(head.party == Party::Customer));
    bytes.push(head.labels.len() as u8);
    for (label, step) in head.labels.iter().zip(head.table.step_sizes()) {
        put_text(bytes, &label.name);
        let Calibration { slope, offset } = label.calibration;
        for number in [label.bias, slope, offset, label.threshold, *step] {
            bytes.extend(number.to_le_bytes());
        }
    }
    put_varint(bytes, head.table.n_rows() as u64);
    let mut last = 0;
    for (bucket, row) in head.table.rows() {
        put_varint(bytes, u64::from(bucket - last));
        put_varint(bytes, row.len() as u64);
        for (label, steps) in row {
            bytes.extend([label, steps as u8]);
        }
        last = bucket;
    }
}

fn put_rarity(bytes: &mut Vec<u8>, rarity: &Rarity) {
    put_varint(bytes, rarity.rows().count() as u64);
    let mut last = 0;
    for (bucket, steps) in rarity.rows() {
        put_varint(bytes, u64::from(bucket - last));
        bytes.push(steps);
        last = bucket;
    }
}

fn put_text(bytes: &mut Vec<u8>, text: &str) {
    put_varint(bytes, text.len() as u64);
    bytes.extend(text.as_bytes());
}

fn put_varint(bytes: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        bytes.push(number as u8 | 0x80);
        number >>= 7;
    }
    bytes.push(number as u8);
}

struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    const fn fault(&self, what: &'static str) -> ReadModelError {
        ReadModelError::Content { what, at: self.at }
    }

    fn take(&mut self, n: usize, what: &'static str) -> Result<&'a [u8], ReadModelError> {
        let end = self.at.checked_add(n);
        let taken = end.and_then(|end| self.bytes.get(self.at..end));
        let taken = taken.ok_or_else(|| self.fault(what))?;
        self.at += n;
        Ok(taken)
    }

    fn byte(&mut self, what: &'static str) -> Result<u8, ReadModelError> {
        self.take(1, what).map(|bytes| bytes[0])
    }

    fn float(&mut self, what: &'static str) -> Result<f32, ReadModelError> {
        let bytes = self.take(4, what)?;
        let number = f32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]);
        match number.abs() <= MAX_NUMBER {
            true => Ok(number),
            false => Err(self.fault(what)),
        }
    }

    /// At most `most`.
    fn varint(&mut self, what: &'static str, most: usize) -> Result<usize, ReadModelError> {
        let mut number = 0u64;
        for shift in (0..63).step_by(7) {
            let byte = self.byte(what)?;
            number |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                let number = usize::try_from(number).ok();
                let number = number.filter(|&number| number <= most);
                return number.ok_or_else(|| self.fault(what));
            }
        }
        Err(self.fault(what))
    }

    fn text(&mut self, what: &'static str, most: usize) -> Result<&'a str, ReadModelError> {
        let n = self.varint(what, most)?;
        std::str::from_utf8(self.take(n, what)?).map_err(|_| self.fault(what))
    }

    fn head(&mut self) -> Result<Head, ReadModelError> {
        let party = match self.byte("party")? {
            0 => Party::Agent,
            1 => Party::Customer,
            _ => return Err(self.fault("party")),
        };
        let n_labels = usize::from(self.byte("number of labels")?);
        if n_labels > MAX_LABELS {
            return Err(self.fault("number of labels"));
        }
        let (mut labels, mut steps) = (Vec::new(), Vec::new());
        for _ in 0..n_labels {
            let (label, step) = self.label()?;
            labels.push(label);
            steps.push(step);
        }
        let rows = self.rows(n_labels)?;
        let table = Table::new(&rows, steps).ok_or_else(|| self.fault("features"))?;
        Ok(Head {
            party,
            labels,
            table,
        })
    }

    fn label(&mut self) -> Result<(Label, f32), ReadModelError> {
        let name = self.text("label", MAX_LABEL_BYTES)?.to_owned();
        let label = Label {
            name,
            bias: self.float("bias")?,
            calibration: Calibration {
                slope: self.float("slope")?,
                offset: self.float("offset")?,
            },
            threshold: self.float("threshold")?,
        };
        Ok((label, self.float("step")?))
    }

    fn rows(&mut self, n_labels: usize) -> Result<Vec<(u32, Row)>, ReadModelError> {
        let n_rows = self.varint("number of features", N_BUCKETS)?;
        let (mut rows, mut bucket) = (Vec::new(), 0);
        for _ in 0..n_rows {
            bucket += self.varint("feature", N_BUCKETS)?;
            let n_entries = self.varint("number of weights", n_labels)?;
            let entries = self.take(2 * n_entries, "weights")?;
            let row = entries.chunks_exact(2);
            let row = row.map(|entry| (entry[0], entry[1] as i8)).collect();
            let place = u32::try_from(bucket).map_err(|_| self.fault("feature"))?;
            rows.push((place, row));
        }
        Ok(rows)
    }

    fn rarity(&mut self) -> Result<Rarity, ReadModelError> {
        let n_rows = self.varint("number of rarities", N_BUCKETS)?;
        let (mut rows, mut bucket) = (Vec::new(), 0);
        for _ in 0..n_rows {
            bucket += self.varint("feature", N_BUCKETS)?;
            let place = u32::try_from(bucket).map_err(|_| self.fault("feature"))?;
            rows.push((place, self.byte("rarity")?));
        }
        Ok(Rarity::of_steps(&rows))
    }
}
