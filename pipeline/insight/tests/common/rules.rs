//! Rules from their text.

use std::sync::Arc;

use auricle_insight::rules::{PackFile, RuleSet};

pub(crate) fn rules(yaml: &str) -> Arc<RuleSet> {
    let files = [PackFile::read("p.yaml", yaml.as_bytes())];
    let compiled = RuleSet::compile(&files).unwrap_or_else(|mistakes| panic!("{mistakes}"));
    Arc::new(compiled.rules)
}
