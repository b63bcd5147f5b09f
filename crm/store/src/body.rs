//! Transcripts and assessments as bytes: JSON, compressed where that pays.

use std::borrow::Cow;
use std::io::{Read, Write};

use flate2::Compression;
use flate2::read::ZlibDecoder;
use flate2::write::ZlibEncoder;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::error::Category;

/// JSON as it is.
const PLAIN: &str = "json";
/// JSON, then zlib (RFC 1950).
const ZLIB: &str = "json+zlib";
/// Shorter bodies fit a few database pages anyway; compressing them only costs time.
const COMPRESS_FROM_BYTES: usize = 4096;
/// JSON of calls shrinks to about a quarter.
const USUAL_RATIO: usize = 4;
/// A day of speech is about 100 MB of JSON; a longer body is damage, or a bomb.
const MAX_JSON_BYTES: u64 = 1 << 30;

/// A value ready for its column, and the name of its encoding.
pub(crate) struct Body {
    pub(crate) encoding: &'static str,
    pub(crate) bytes: Vec<u8>,
}

/// What counts more. On JSON of calls, the small way takes a sixth to a tenth off what the fast way writes, in
/// more than twice the time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Packing {
    /// For what is written once, after hearing a call, which takes much longer.
    Small,
    /// For what is made anew by the hundred thousand.
    Fast,
}

/// Writes a value; fails only where JSON cannot hold a value.
pub(crate) fn encode(value: &impl Serialize) -> Result<Body, String> {
    pack(to_json(value)?, Packing::Small)
}

/// A value as JSON, not compressed.
pub(crate) fn to_json(value: &impl Serialize) -> Result<Vec<u8>, String> {
    serde_json::to_vec(value).map_err(|error| told(&error))
}

/// Compresses JSON where that pays.
pub(crate) fn pack(json: Vec<u8>, packing: Packing) -> Result<Body, String> {
    if json.len() < COMPRESS_FROM_BYTES {
        return Ok(Body {
            encoding: PLAIN,
            bytes: json,
        });
    }
    let level = match packing {
        Packing::Small => Compression::default(),
        Packing::Fast => Compression::fast(),
    };
    let mut packer = ZlibEncoder::new(Vec::with_capacity(json.len() / USUAL_RATIO), level);
    let packed = packer.write_all(&json).and_then(|()| packer.finish());
    let bytes = packed.map_err(|error| error.to_string())?;
    Ok(Body {
        encoding: ZLIB,
        bytes,
    })
}

/// Reads what [`encode`] wrote; the error says what is wrong with the bytes, and quotes none of them.
pub(crate) fn decode<Value: DeserializeOwned>(
    encoding: &str,
    bytes: &[u8],
) -> Result<Value, String> {
    let json = unpack(encoding, bytes)?;
    serde_json::from_slice(&json).map_err(|error| told(&error))
}

/// The JSON that [`pack`] was given.
pub(crate) fn unpack<'a>(encoding: &str, bytes: &'a [u8]) -> Result<Cow<'a, [u8]>, String> {
    match encoding {
        PLAIN => Ok(Cow::Borrowed(bytes)),
        ZLIB => {
            let mut json = Vec::with_capacity(bytes.len() * USUAL_RATIO);
            ZlibDecoder::new(bytes)
                .take(MAX_JSON_BYTES)
                .read_to_end(&mut json)
                .map_err(|error| error.to_string())?;
            Ok(Cow::Owned(json))
        }
        _ => Err("its encoding is not known here".to_owned()),
    }
}

/// What is wrong and where. The library's own words would quote what was said, and errors are logged.
pub(crate) fn told(error: &serde_json::Error) -> String {
    let class = match error.classify() {
        Category::Io => "it cannot be read",
        Category::Syntax => "it is no JSON",
        Category::Data => "it is JSON of another kind",
        Category::Eof => "it ends too early",
    };
    format!("{class}, line {}, column {}", error.line(), error.column())
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

    #[test]
    fn errors_say_where_and_quote_nothing() {
        let secret = "一三八零零一三八零零零";
        let wrong = serde_json::to_string(&transcript(vec!["x".into()])).unwrap();
        let wrong = wrong.replace(
            "\"duration_ms\":1",
            &format!("\"duration_ms\":\"{secret}\""),
        );
        for (encoding, text) in [
            (PLAIN, wrong.as_str()),
            (PLAIN, secret),
            (PLAIN, "{"),
            (secret, "{}"),
        ] {
            let told = decode::<Transcript>(encoding, text.as_bytes()).unwrap_err();
            assert!(!told.contains(secret), "{told}");
        }
        let told = decode::<Transcript>(PLAIN, wrong.as_bytes()).unwrap_err();
        assert!(
            told.starts_with("it is JSON of another kind, line 1, column "),
            "{told}"
        );
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
