//! Transcripts and assessments as the bytes that the store keeps.
//!
//! What is written: the value as columns of like things ([`postcard`] over the columns, then LZ4 where that
//! makes it shorter). What is read besides: JSON, plain or in zlib, as older stores have it. The name of the
//! encoding stands in a column beside the bytes.
//!
//! **Invariant**: what goes in comes out, to the last bit of every number.
//! **Invariant**: every field of the contracts is written: each type is taken apart and built whole, so that a
//! new field does not compile until it has its place in `transcript.rs` or `assessment.rs`.
//! **Invariant**: what a name stands for never changes. Another layout, also one more field, is another name,
//! and the reader of the old one stays.
//! **Invariant**: bytes of any kind give a value or an error that quotes none of them, within limits of memory.

mod assessment;
mod columns;
mod error;
mod json;
mod rows;
mod transcript;

#[cfg(test)]
mod arbitrary;
#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::marker::PhantomData;

use auricle_contracts::{Assessment, Transcript};
use lz4_flex::block;
use serde::de::DeserializeOwned;

use crate::columns::Columns;
pub use crate::error::BodyError;
pub use crate::json::told;
use crate::rows::Row;

/// Columns as they are.
const PACKED: &str = "packed1";
/// Columns, their length in four bytes (little-endian), then LZ4's block format.
const PACKED_LZ4: &str = "packed1+lz4";
/// JSON as it is: read, not written any more.
const JSON: &str = "json";
/// JSON, then zlib (RFC 1950): read, not written any more.
const JSON_ZLIB: &str = "json+zlib";

/// A day of speech is about 10 MB of columns; a longer body is damage, or a bomb.
const MAX_PACKED_BYTES: usize = 1 << 25;

/// What the store keeps as bytes.
#[expect(private_bounds, reason = "these two, and nothing from outside")]
pub trait Content: Row + DeserializeOwned {}

impl Content for Transcript {}
impl Content for Assessment {}

/// A value ready for its column, and the name of its encoding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Body {
    /// Goes into a column of its own.
    pub encoding: &'static str,
    /// What [`decode`] reads by that name.
    pub bytes: Vec<u8>,
}

/// A value in columns, not compressed: equal ones are equal byte by byte.
#[derive(Clone, Debug)]
pub struct Packed<Value> {
    bytes: Vec<u8>,
    of: PhantomData<fn() -> Value>,
}

impl<Value: Content> Packed<Value> {
    /// Lays a value out.
    ///
    /// # Errors
    /// `TooLong` where it would not be read again.
    pub fn new(value: &Value) -> Result<Self, BodyError> {
        let columns = rows::columns_of(value)?;
        // Writing into memory fails on nothing that columns have.
        let bytes = postcard::to_allocvec(&columns).map_err(|_| BodyError::Damaged)?;
        if bytes.len() > MAX_PACKED_BYTES {
            return Err(BodyError::TooLong);
        }
        let of = PhantomData;
        Ok(Self { bytes, of })
    }

    /// Whether `bytes` hold the same value, whatever their encoding. What cannot be read is not the same.
    pub fn is_in(&self, encoding: &str, bytes: &[u8]) -> bool {
        match encoding {
            PACKED | PACKED_LZ4 => unpack(encoding, bytes).is_ok_and(|known| *known == *self.bytes),
            _ => {
                let known = decode::<Value>(encoding, bytes);
                let known = known.and_then(|known| Self::new(&known));
                known.is_ok_and(|known| known.bytes == self.bytes)
            }
        }
    }

    /// Compresses it where that makes it shorter.
    pub fn into_body(self) -> Body {
        let small = block::compress_prepend_size(&self.bytes);
        match small.len() < self.bytes.len() {
            true => Body {
                encoding: PACKED_LZ4,
                bytes: small,
            },
            false => Body {
                encoding: PACKED,
                bytes: self.bytes,
            },
        }
    }
}

/// Writes a value.
///
/// # Errors
/// `TooLong` where it would not be read again.
pub fn encode<Value: Content>(value: &Value) -> Result<Body, BodyError> {
    Packed::new(value).map(Packed::into_body)
}

/// Reads what [`encode`] wrote, now or in older versions.
///
/// # Errors
/// What is wrong with the bytes, quoting none of them.
pub fn decode<Value: Content>(encoding: &str, bytes: &[u8]) -> Result<Value, BodyError> {
    match encoding {
        JSON => json::read(bytes),
        JSON_ZLIB => json::read(&json::unpack(bytes)?),
        _ => {
            let bytes = unpack(encoding, bytes)?;
            let columns = postcard::take_from_bytes::<Columns<'_>>(&bytes);
            let (columns, rest) = columns.map_err(|_| BodyError::Damaged)?;
            if !rest.is_empty() {
                return Err(BodyError::Damaged);
            }
            rows::value_of(&columns)
        }
    }
}

/// The columns' bytes.
fn unpack<'a>(encoding: &str, bytes: &'a [u8]) -> Result<Cow<'a, [u8]>, BodyError> {
    let (n_bytes, compressed) = match encoding {
        PACKED => (bytes.len(), None),
        PACKED_LZ4 => {
            let sized = block::uncompressed_size(bytes);
            let (n_bytes, packed) = sized.map_err(|_| BodyError::Damaged)?;
            (n_bytes, Some(packed))
        }
        _ => return Err(BodyError::UnknownEncoding),
    };
    if n_bytes > MAX_PACKED_BYTES {
        return Err(BodyError::TooLong);
    }
    let Some(compressed) = compressed else {
        return Ok(Cow::Borrowed(bytes));
    };
    let unpacked = block::decompress(compressed, n_bytes).map_err(|_| BodyError::Damaged)?;
    Ok(Cow::Owned(unpacked))
}
