//! Any bytes as a model of the text classifier: one that was read gives probabilities, and is written as it was.
#![no_main]

use auricle_contracts::Party;
use auricle_insight::Spoken;
use auricle_insight::intent::IntentModel;
use auricle_insight::rules::utterance_of_text;
use libfuzzer_sys::fuzz_target;

/// The digest that a file ends in (FNV-1a), so that what stands before it is looked at.
fn sealed(bytes: &[u8]) -> Vec<u8> {
    let body = &bytes[..bytes.len().saturating_sub(8)];
    let digest = body.iter().fold(0xcbf2_9ce4_8422_2325, |hash, &byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    [body, &u64::to_le_bytes(digest)].concat()
}

fn check(bytes: &[u8]) {
    let Ok(model) = IntentModel::read(bytes) else {
        return;
    };
    assert_eq!(IntentModel::read(&model.write()).as_ref(), Ok(&model));
    for party in [Party::Agent, Party::Customer, Party::Unknown] {
        let asked = utterance_of_text(party, 0, "您好，您要投诉吗？");
        let answer = utterance_of_text(party, 9000, "别再打电话了, please call me back");
        let (asked, answer) = (Spoken::new(&asked, 0), Spoken::new(&answer, 1));
        let n_labels = model.labels(party).count();
        let scores = model.scores(&answer, Some(&asked));
        assert_eq!(scores.len(), n_labels);
        for score in scores {
            assert!((0.0..=1.0).contains(&score.probability), "{score:?}");
        }
    }
}

fuzz_target!(|bytes: &[u8]| {
    check(bytes);
    check(&sealed(bytes));
});
