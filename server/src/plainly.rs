//! What readers of JSON and TOML say, with the place, in words for people who write such files.

use auricle_insight::plainly;

/// What a JSON reader says.
pub(crate) fn json_plainly(cause: &serde_json::Error) -> String {
    let said = cause.to_string();
    let (line, column) = (cause.line(), cause.column());
    if said.starts_with("expected ") && (line, column) == (1, 1) {
        return "this is no JSON".to_owned();
    }
    let place = format!(" at line {line} column {column}");
    match said.strip_suffix(&place) {
        Some(said) if line > 0 => format!("{} (line {line}, column {column})", plainly(said)),
        _ => plainly(&said),
    }
}

/// What a TOML reader says, with the line itself.
pub(crate) fn toml_plainly(cause: &toml::de::Error) -> String {
    let shown = cause.to_string();
    let said = plainly(cause.message());
    let mut lines = shown.lines();
    let place = lines
        .next()
        .and_then(|line| line.strip_prefix("TOML parse error at "));
    let Some(place) = place else { return said };
    let mut told = format!("{place}: {said}");
    for line in lines.take(3) {
        told.push('\n');
        told.push_str(line);
    }
    told
}

#[cfg(test)]
mod tests {
    use auricle_contracts::Transcript;
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    #[expect(dead_code, reason = "only its mistakes are wanted")]
    struct Settings {
        packs: Vec<String>,
        jobs: Option<usize>,
        share: Option<f32>,
        name: Option<std::path::PathBuf>,
        is_on: Option<bool>,
        more: Option<Vec<Settings>>,
    }

    /// Words of libraries that nobody should be shown.
    const FOREIGN: [&str; 12] = [
        "invalid", "sequence", "map", "struct", "variant", "field", "u64", "usize", "f32", "EOF",
        "parse", "TOML",
    ];

    fn check(said: &str, expected: &str) {
        assert!(said.contains(expected), "{said}");
        for word in FOREIGN {
            assert!(!said.contains(word), "{said}");
        }
    }

    #[test]
    fn mistakes_in_settings_are_told_in_words_of_their_own() {
        for (text, expected) in [
            (
                "packs = 'a'",
                "line 1, column 9: expected a list, got \"a\"",
            ),
            (
                "packs = []\njobs = -1",
                "expected a whole number, 0 or more, got `-1`",
            ),
            ("packs = []\nname = ['a']", "expected text, got a list"),
            ("packs = []\nshare = 'a'", "expected a number, got \"a\""),
            (
                "packs = []\nis_on = 1",
                "expected `true` or `false`, got `1`",
            ),
            (
                "packs = []\nmore = {}",
                "expected a list, got keys with values",
            ),
            (
                "job = 1",
                "unknown key `job`; did you mean `jobs`? keys are `packs`, `jobs`",
            ),
            ("jobs = 1", "`packs` is missing"),
        ] {
            let error = toml::from_str::<Settings>(text).unwrap_err();
            check(&toml_plainly(&error), expected);
        }
    }

    #[test]
    fn mistakes_in_transcripts_are_told_in_words_of_their_own() {
        let head = r#"{"call_id": "a", "file": "a", "engine": "e", "duration_ms": "#;
        for (text, expected) in [
            ("{}", "`call_id` is missing"),
            ("[]", "expected keys with values, got a list of 0"),
            (
                "{\"call_id\": 3}",
                "expected text, got `3` (line 1, column 13)",
            ),
            ("RIFF", "this is no JSON"),
            (
                "{\"call_id\": }",
                "a value is missing here (line 1, column 13)",
            ),
            ("", "the text ends in the middle"),
            (
                &format!("{head}\"x\""),
                "a whole number, 0 or more, got \"x\"",
            ),
            (
                &format!("{head}1, \"utterances\": {{}}}}"),
                "expected a list, got keys with values",
            ),
            (
                &format!("{head}1, \"layout\": \"per-party\"}}"),
                "unknown value `per-party`; did you mean `per_party`?",
            ),
        ] {
            let error = serde_json::from_str::<Transcript>(text).unwrap_err();
            check(&json_plainly(&error), expected);
        }
    }
}
