//! Bodies of older stores: JSON, plain or in zlib.

use std::io::Read;

use flate2::read::ZlibDecoder;
use serde::de::DeserializeOwned;
use serde_json::error::Category;

use crate::error::BodyError;

/// JSON of calls shrinks to about a quarter.
const USUAL_RATIO: usize = 4;
/// A day of speech is about 100 MB of JSON; a longer body is damage, or a bomb.
const MAX_JSON_BYTES: u64 = 1 << 30;

pub(crate) fn read<Value: DeserializeOwned>(json: &[u8]) -> Result<Value, BodyError> {
    serde_json::from_slice(json).map_err(|error| told(&error))
}

pub(crate) fn unpack(bytes: &[u8]) -> Result<Vec<u8>, BodyError> {
    let mut json = Vec::with_capacity(bytes.len() * USUAL_RATIO);
    let mut unpacked = ZlibDecoder::new(bytes).take(MAX_JSON_BYTES + 1);
    let n_bytes = unpacked.read_to_end(&mut json);
    match n_bytes.map_err(|_| BodyError::Damaged)? as u64 > MAX_JSON_BYTES {
        true => Err(BodyError::TooLong),
        false => Ok(json),
    }
}

/// What is wrong and where. The library's own words would quote what was said.
pub fn told(error: &serde_json::Error) -> BodyError {
    BodyError::Json {
        class: match error.classify() {
            Category::Io => "it cannot be read",
            Category::Syntax => "it is no JSON",
            Category::Data => "it is JSON of another kind",
            Category::Eof => "it ends too early",
        },
        line: error.line(),
        column: error.column(),
    }
}
