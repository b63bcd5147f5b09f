//! Any text as an utterance, its first line as a phrase: hits lie in the utterance.
#![no_main]

use std::sync::Arc;

use auricle_contracts::{CallMetadata, Party};
use auricle_insight::rules::{NoFacts, PackFile, PastCall, RuleSet, judge, utterance_of_text};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &str| {
    let (phrase, text) = input.split_once('\n').unwrap_or((input, input));
    let phrase = phrase.replace('\'', "''");
    let yaml = format!(
        "pack: p\nwords: {{g: [保证, 肯定], p: [收益, 不会亏, '<g>']}}\nnegation: {{words: [不, 没]}}\nrules:\n\
         - {{id: fixed, when: {{says: ['<g>..<p>', '^[喂]您好', '(a|b)[c]..d$']}}}}\n\
         - {{id: given, when: {{says: {{any: ['{phrase}'], sound: near}}}}}}\n"
    );
    let files = [PackFile::read("p.yaml", yaml.as_bytes())];
    let Ok(compiled) = RuleSet::compile(&files) else {
        return;
    };
    let utterance = utterance_of_text(Party::Agent, 0, text);
    let call = PastCall {
        utterances: std::slice::from_ref(&utterance),
        talk: &[],
        metadata: &CallMetadata::default(),
        duration_ms: utterance.end_ms,
    };
    for hit in judge(&Arc::new(compiled.rules), &call, &mut NoFacts) {
        assert!(hit.start_ms <= hit.end_ms && hit.end_ms <= utterance.end_ms);
        for evidence in &hit.evidence {
            assert!(utterance.spoken.contains(&evidence.words));
        }
    }
});
