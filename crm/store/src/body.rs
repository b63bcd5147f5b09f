//! Transcripts and assessments as bytes: JSON, compressed where that pays.

use std::io::{Read, Write};

use flate2::Compression;
use flate2::read::ZlibDecoder;
use flate2::write::ZlibEncoder;
use serde::Serialize;
use serde::de::DeserializeOwned;

/// JSON as it is.
const PLAIN: &str = "json";
/// JSON, then zlib (RFC 1950).
const ZLIB: &str = "json+zlib";
/// Shorter bodies fit a few database pages anyway; compressing them only costs time.
const COMPRESS_FROM_BYTES: usize = 4096;
/// A day of speech is about 100 MB of JSON; a longer body is damage, or a bomb.
const MAX_JSON_BYTES: u64 = 1 << 30;

/// A value ready for its column, and the name of its encoding.
pub(crate) struct Body {
    pub(crate) encoding: &'static str,
    pub(crate) bytes: Vec<u8>,
}

/// Writes a value; fails only where JSON cannot hold a value.
pub(crate) fn encode(value: &impl Serialize) -> Result<Body, String> {
    let json = serde_json::to_vec(value).map_err(|error| error.to_string())?;
    if json.len() < COMPRESS_FROM_BYTES {
        return Ok(Body {
            encoding: PLAIN,
            bytes: json,
        });
    }
    let mut packer = ZlibEncoder::new(Vec::with_capacity(json.len() / 4), Compression::default());
    let packed = packer.write_all(&json).and_then(|()| packer.finish());
    let bytes = packed.map_err(|error| error.to_string())?;
    Ok(Body {
        encoding: ZLIB,
        bytes,
    })
}

/// Reads what [`encode`] wrote; the error says what is wrong with the bytes.
pub(crate) fn decode<Value: DeserializeOwned>(
    encoding: &str,
    bytes: &[u8],
) -> Result<Value, String> {
    let parsed = match encoding {
        PLAIN => serde_json::from_slice(bytes),
        ZLIB => {
            let mut json = Vec::new();
            ZlibDecoder::new(bytes)
                .take(MAX_JSON_BYTES)
                .read_to_end(&mut json)
                .map_err(|error| error.to_string())?;
            serde_json::from_slice(&json)
        }
        other => return Err(format!("it has the unknown encoding `{other}`")),
    };
    parsed.map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use auricle_contracts::{CallId, CallMetadata, ChannelLayout, Party, Transcript, Utterance};
    use proptest::prelude::*;

    fn transcript(texts: Vec<String>) -> Transcript {
        let utterance = |text: String| Utterance {
            party: Party::Agent,
            channel: 0,
            start_ms: 0,
            end_ms: 1,
            spoken: text.clone(),
            text,
            confidence: 0.5,
            syllables: Vec::new(),
            words: Vec::new(),
            voice: None,
        };
        Transcript {
            call_id: CallId("c".into()),
            file: "c.wav".into(),
            duration_ms: 1,
            engine: "e".into(),
            layout: ChannelLayout::Mono,
            metadata: CallMetadata::default(),
            warnings: Vec::new(),
            utterances: texts.into_iter().map(utterance).collect(),
        }
    }

    #[test]
    fn long_ones_are_compressed_and_short_ones_are_not() {
        let short = encode(&transcript(vec!["你好".into()])).unwrap();
        assert_eq!(short.encoding, PLAIN);
        let long = encode(&transcript(vec!["您好请问".into(); 400])).unwrap();
        assert_eq!(long.encoding, ZLIB);
        assert!(long.bytes.len() < 4096, "{}", long.bytes.len());
    }

    #[test]
    fn damaged_bytes_are_an_error() {
        let long = encode(&transcript(vec!["您好请问".into(); 400])).unwrap();
        assert!(decode::<Transcript>(ZLIB, &long.bytes[..long.bytes.len() / 2]).is_err());
        assert!(decode::<Transcript>(PLAIN, &long.bytes).is_err());
        assert!(decode::<Transcript>("cbor", &long.bytes).is_err());
    }

    proptest! {
        #[test]
        fn what_went_in_comes_out(texts in proptest::collection::vec(".{0,40}", 0..200)) {
            let original = transcript(texts);
            let body = encode(&original).unwrap();
            prop_assert_eq!(decode::<Transcript>(body.encoding, &body.bytes).unwrap(), original);
        }
    }
}
