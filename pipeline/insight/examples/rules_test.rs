//! Checks packs and runs their tests: `rules_test PACK.yaml …`, each with `PACK.tests.yaml` beside it
//! where there is one. As in the program intents are those of the classifier that Auricle brings with it.

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a command")]

#[path = "../tests/common/pack.rs"]
mod pack;

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use auricle_insight::TrialObserver;
use auricle_insight::rules::{RuleSet, check_test_file, read_tests, run_tests};

use pack::read_pack;

fn main() -> ExitCode {
    let mut all_passed = true;
    for path in std::env::args_os().skip(1).map(PathBuf::from) {
        match test(&path) {
            Ok(passed) => all_passed &= passed,
            Err(message) => {
                eprintln!("{message}");
                all_passed = false;
            }
        }
    }
    if all_passed {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

fn test(path: &Path) -> Result<bool, String> {
    let read =
        |path: &Path| std::fs::read(path).map_err(|error| format!("{}: {error}", path.display()));
    let file = read_pack(path).map_err(|error| format!("{}: {error}", path.display()))?;
    let files = [file];
    let compiled = RuleSet::compile(&files).map_err(|mistakes| mistakes.to_string())?;
    for warning in &compiled.warnings {
        eprintln!("{warning}");
    }
    let set = Arc::new(compiled.rules);
    let mut tests = files[0]
        .pack
        .as_ref()
        .map_or_else(Vec::new, |pack| pack.tests.clone());
    let beside = path.with_extension("tests.yaml");
    if beside.exists() {
        let name = beside.display().to_string();
        let (more, mut mistakes) = read_tests(&name, &read(&beside)?);
        mistakes.extend(check_test_file(&set, 0, &name, &more));
        if let Some(mistake) = mistakes.first() {
            return Err(mistake.to_string());
        }
        tests.extend(more);
    }
    let intents = files[0].language().model().clone();
    let mut observer = TrialObserver::new(Arc::new(intents));
    let report = run_tests(&set, 0, &tests, &mut observer);
    println!(
        "{}: {} rules, {} keywords",
        path.display(),
        set.rules().len(),
        set.n_keywords()
    );
    println!("{report}");
    Ok(report.passed())
}
