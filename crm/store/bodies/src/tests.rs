use std::fmt::Debug;
use std::io::Write;

use auricle_contracts::{Assessment, Hit, Party, Severity, Transcript, UtteranceInsight};
use flate2::Compression;
use flate2::write::ZlibEncoder;
use proptest::prelude::*;

use super::*;
use crate::arbitrary::{any_assessment, any_transcript};

/// As older versions wrote it.
fn zlib(json: &[u8]) -> Vec<u8> {
    let mut packer = ZlibEncoder::new(Vec::new(), Compression::fast());
    packer.write_all(json).unwrap();
    packer.finish().unwrap()
}

fn transcript() -> Transcript {
    let json = r#"{"call_id":"c","file":"c.wav","duration_ms":9000,"engine":"e","metadata":{"agent":"李"},
        "utterances":[{"party":"agent","channel":1,"start_ms":40,"end_ms":900,"text":"您好。","spoken":"您好",
            "confidence":0.922,"words":[{"w":"您好","start_ms":40,"end_ms":900}],
            "syllables":[{"s":"nin2","start_ms":40,"end_ms":400,"conf":0.988},
                {"s":"hao3","start_ms":400,"end_ms":900,"conf":0.5,"alternatives":[{"s":"hao4","conf":0.054}]}],
            "voice":{"loudness_db":-21.511,"pitch_hz":264.914}}]}"#;
    serde_json::from_str(json).unwrap()
}

fn assessment(why: &str) -> Assessment {
    let hit = Hit {
        rule: "promise".into(),
        pack: "finance".into(),
        title: "保证收益".into(),
        severity: Severity::Major,
        party: Party::Agent,
        start_ms: 40,
        end_ms: 900,
        deduct: 7.5,
        auto_fail: false,
        evidence: Vec::new(),
        why: why.into(),
    };
    Assessment {
        hits: vec![hit],
        utterances: vec![UtteranceInsight::default()],
        ..Assessment::default()
    }
}

/// By what every field shows, so that NaN is like itself and -0 is not like 0.
fn comes_back<Value: Content + Debug>(value: &Value) -> Result<(), TestCaseError> {
    let body = encode(value).unwrap();
    let read = decode::<Value>(body.encoding, &body.bytes).unwrap();
    prop_assert_eq!(format!("{read:?}"), format!("{value:?}"));
    let packed = Packed::new(value).unwrap();
    prop_assert!(packed.is_in(body.encoding, &body.bytes));
    prop_assert_eq!(&Packed::new(&read).unwrap().bytes, &packed.bytes);
    Ok(())
}

/// Bytes that were hit somewhere, or end early, or go on: an error, or another value.
fn survives<Value: Content + Debug>(
    value: &Value,
    (place, bit, n_left): (usize, u8, usize),
) -> Result<(), TestCaseError> {
    let packed = Packed::new(value).unwrap().bytes;
    let small = block::compress_prepend_size(&packed);
    for (encoding, whole) in [(PACKED, packed), (PACKED_LZ4, small)] {
        let mut hit = whole.clone();
        hit[place % whole.len()] ^= 1 << (bit % 8);
        let _ = decode::<Value>(encoding, &hit);
        let cut = &whole[..n_left % whole.len()];
        prop_assert!(decode::<Value>(encoding, cut).is_err());
        let mut long = whole;
        long.push(0);
        prop_assert!(decode::<Value>(encoding, &long).is_err());
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn any_transcript_comes_back(value in any_transcript()) {
        comes_back(&value)?;
    }

    #[test]
    fn any_assessment_comes_back(value in any_assessment()) {
        comes_back(&value)?;
    }

    #[test]
    fn damage_is_an_error_or_another_value(
        transcript in any_transcript(),
        assessment in any_assessment(),
        damage: (usize, u8, usize),
    ) {
        survives(&transcript, damage)?;
        survives(&assessment, damage)?;
    }

    #[test]
    fn any_bytes_are_survived(bytes: Vec<u8>) {
        for encoding in [PACKED, PACKED_LZ4, JSON, JSON_ZLIB] {
            let _ = decode::<Transcript>(encoding, &bytes);
            let _ = decode::<Assessment>(encoding, &bytes);
        }
    }
}

#[test]
fn older_bodies_are_read() {
    let value = transcript();
    let json = serde_json::to_vec(&value).unwrap();
    assert_eq!(decode::<Transcript>(JSON, &json).unwrap(), value);
    assert_eq!(
        decode::<Transcript>(JSON_ZLIB, &zlib(&json)).unwrap(),
        value
    );
}

/// Whoever changes what `packed1` stands for makes stores unreadable: this is what it stood for at first.
#[test]
fn the_first_packed_bodies_are_read() {
    let hex = |bytes: &[u8]| -> String { bytes.iter().map(|byte| format!("{byte:02x}")).collect() };
    let written = Packed::new(&transcript()).unwrap().bytes;
    assert_eq!(hex(&written), FIRST_TRANSCRIPT);
    let read = decode::<Transcript>(PACKED, &written).unwrap();
    assert_eq!(read, transcript());
    let written = Packed::new(&assessment("因为")).unwrap().bytes;
    assert_eq!(hex(&written), FIRST_ASSESSMENT);
    let read = decode::<Assessment>(PACKED, &written).unwrap();
    assert_eq!(read, assessment("因为"));
}

const FIRST_TRANSCRIPT: &str = "03046e696e320468616f330468616f341f63632e77617665e69d8ee682a8e5a5bde38082e682a8e5a5bde682a8\
    e5a5bd0d010100000000010002000101010300010207010501030906060850b80db70dd00500e807b70db80d02\
    a8460137b50eb90fe9076d8ed00201010101a5ab20010101010101010101010101010101010101010101010101\
    01010101010101010101010101010101010101010100";
const FIRST_ASSESSMENT: &str = "030770726f6d6973650766696e616e63650ce4bf9de8af81e694b6e79b8a06e59ba0e4b8ba1401000001020000\
    000000000000000000000000000300010201060250b80d0300000001997500";

#[test]
fn what_repeats_is_compressed() {
    let mut value = transcript();
    value.utterances = vec![value.utterances[0].clone(); 400];
    let body = encode(&value).unwrap();
    assert_eq!(body.encoding, PACKED_LZ4);
    assert!(body.bytes.len() < 4096, "{}", body.bytes.len());
    assert_eq!(
        decode::<Transcript>(body.encoding, &body.bytes).unwrap(),
        value
    );
}

#[test]
fn the_same_is_known_in_any_encoding() {
    let value = assessment("因为");
    let json = serde_json::to_vec(&value).unwrap();
    let body = encode(&value).unwrap();
    let is_in = |packed: &Packed<Assessment>| {
        [
            packed.is_in(JSON, &json),
            packed.is_in(JSON_ZLIB, &zlib(&json)),
            packed.is_in(body.encoding, &body.bytes),
        ]
    };
    assert_eq!(is_in(&Packed::new(&value).unwrap()), [true; 3]);
    let other = assessment("所以");
    assert_eq!(is_in(&Packed::new(&other).unwrap()), [false; 3]);
    assert!(!Packed::new(&value).unwrap().is_in("cbor", &body.bytes));
    assert!(!Packed::new(&value).unwrap().is_in(PACKED, b"?"));
}

#[test]
fn bombs_are_refused() {
    let too_long = |encoding, bytes: &[u8]| decode::<Assessment>(encoding, bytes).unwrap_err();
    let claimed = u32::to_le_bytes(u32::MAX);
    assert_eq!(too_long(PACKED_LZ4, &claimed), BodyError::TooLong);
    let zeros = block::compress_prepend_size(&vec![0; MAX_PACKED_BYTES + 1]);
    assert_eq!(too_long(PACKED_LZ4, &zeros), BodyError::TooLong);

    // A list that says it has four thousand million items.
    let columns = Columns::default();
    let mut bytes = postcard::to_allocvec(&columns).unwrap();
    let tags = [1, 0xff, 0xff, 0xff, 0xff, 0x0f];
    bytes.splice(2..3, tags);
    assert_eq!(too_long(PACKED, &bytes), BodyError::TooLong);
}

/// One long name, meant very often, would be gigabytes.
#[test]
fn names_are_counted_as_often_as_they_are_meant() {
    let mut value = assessment("");
    value.hits[0].title = "保".repeat(1 << 20);
    value.hits = vec![value.hits[0].clone(); 60];
    assert!(encode(&value).is_ok());
    value.hits.extend(value.hits.clone());
    assert_eq!(encode(&value).unwrap_err(), BodyError::TooLong);
}

#[test]
fn errors_quote_nothing() {
    let secret = "一三八零零一三八零零零";
    let wrong = serde_json::to_string(&transcript()).unwrap();
    let wrong = wrong.replace(":9000", &format!(":\"{secret}\""));
    for (encoding, text) in [
        (JSON, wrong.as_str()),
        (JSON, secret),
        (JSON, "{"),
        (JSON_ZLIB, secret),
        (PACKED, secret),
        (PACKED_LZ4, secret),
        (secret, "{}"),
    ] {
        let told = decode::<Transcript>(encoding, text.as_bytes()).unwrap_err();
        assert!(!told.to_string().contains(secret), "{told}");
    }
    let told = decode::<Transcript>(JSON, wrong.as_bytes())
        .unwrap_err()
        .to_string();
    assert!(
        told.starts_with("it is JSON of another kind, line 1, column "),
        "{told}"
    );
}
