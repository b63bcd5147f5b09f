//! Any bytes as a transcript or an assessment of the store, in every encoding: what was read is written and
//! read again as the same.
#![no_main]

use auricle_bodies::{Content, Packed, decode, encode};
use auricle_contracts::{Assessment, Transcript};
use libfuzzer_sys::fuzz_target;

fn check<Value: Content>(encoding: &str, bytes: &[u8]) {
    let Ok(value) = decode::<Value>(encoding, bytes) else {
        return;
    };
    // Numbers may be longer when written by us than in the bytes that were read.
    let Ok(packed) = Packed::new(&value) else { return };
    let body = encode(&value).expect("it was laid out");
    assert!(packed.is_in(body.encoding, &body.bytes));
    let again = decode::<Value>(body.encoding, &body.bytes).expect("it was written");
    let again = Packed::new(&again).expect("it was written before");
    assert!(again.is_in(body.encoding, &body.bytes));
}

fuzz_target!(|bytes: &[u8]| {
    for encoding in ["packed1", "packed1+lz4", "json", "json+zlib"] {
        check::<Transcript>(encoding, bytes);
        check::<Assessment>(encoding, bytes);
    }
});
