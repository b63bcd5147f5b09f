//! Any bytes as a rule pack: a program, or mistakes that name their file.
#![no_main]

use auricle_insight::rules::{NoFacts, PackFile, RuleSet, read_tests, run_tests};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let files = [PackFile::read("p.yaml", bytes)];
    let _ = read_tests("p.tests.yaml", bytes);
    match RuleSet::compile(&files) {
        Ok(compiled) => {
            let Some(pack) = &files[0].pack else { return };
            run_tests(&compiled.rules.into(), 0, &pack.tests, &mut NoFacts);
        }
        Err(mistakes) => {
            assert!(!mistakes.0.is_empty());
            assert!(mistakes.0.iter().all(|mistake| mistake.file == "p.yaml"));
        }
    }
});
