mod calls;
mod desk;
mod figures;
mod marks;
mod properties;
mod stays;

use super::{Ending, SpokenWord, WrittenForm, write_utterance};

/// Words with 300 ms a character, 25 ms between them, and 290 ms more wherever `|` stands.
fn timed(spoken: &str) -> Vec<SpokenWord<'_>> {
    let mut now_ms = 100;
    let mut words = Vec::new();
    for text in spoken.split_whitespace() {
        if text == "|" {
            now_ms += 290;
            continue;
        }
        let end_ms = now_ms + 300 * text.chars().count() as u64;
        words.push(SpokenWord {
            text,
            start_ms: now_ms,
            end_ms,
        });
        now_ms = end_ms + 25;
    }
    words
}

fn write(spoken: &str, ending: Ending) -> WrittenForm {
    write_utterance(&timed(spoken), ending)
}

/// Every hanzi its own word, as a decoder may cut.
fn cut_to_characters(spoken: &str) -> String {
    let spaced = |ch: char| match super::cells::is_hanzi(ch) {
        true => format!(" {ch} "),
        false => ch.to_string(),
    };
    spoken.chars().map(spaced).collect()
}

/// All hanzi between pauses and Latin words one word.
fn cut_to_stretches(spoken: &str) -> String {
    let is_foreign = |word: &str| !word.starts_with(super::cells::is_hanzi);
    let words: Vec<&str> = spoken.split_whitespace().collect();
    let mut joined = String::new();
    for pair in words.windows(2) {
        joined.push_str(pair[0]);
        if is_foreign(pair[0]) || is_foreign(pair[1]) {
            joined.push(' ');
        }
    }
    joined + words.last().copied().unwrap_or_default()
}

/// The numbers of an utterance without pauses, under three ways of cutting it into words.
fn check_all(table: &[(&str, &str)]) {
    let mut wrong = Vec::new();
    for (spoken, written) in table {
        for cut in [
            (*spoken).to_owned(),
            cut_to_characters(spoken),
            cut_to_stretches(spoken),
        ] {
            let got = write(&cut, Ending::Partial).text;
            if got != *written {
                wrong.push(format!("`{cut}` must be `{written}`, got `{got}`"));
            }
        }
    }
    assert!(
        wrong.is_empty(),
        "{} wrong of {}\n{}",
        wrong.len(),
        3 * table.len(),
        wrong.join("\n")
    );
}
