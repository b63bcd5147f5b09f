//! How hanzi are read, and pinyin typed without spaces.

use auricle_pinyin::Syllable;

/// Every reading of a hanzi, likeliest first; empty for other characters.
pub(crate) fn readings(letter: char) -> Vec<Syllable> {
    let all = auricle_pinyin::readings(letter).iter();
    all.map(|reading| reading.syllable).collect()
}

/// Reads a word of pinyin: one syllable, or several run together (`bao3zheng4`, `baozheng`,
/// `xi'an`). Of several ways to split it the one with the fewest syllables is taken.
///
/// Gives back the first letters that no syllable begins with.
pub(crate) fn split_pinyin(word: &str) -> Result<Vec<Syllable>, String> {
    let mut syllables = Vec::new();
    for part in word.split(['\'', '’', '-']).filter(|part| !part.is_empty()) {
        syllables.extend(split_part(part)?);
    }
    Ok(syllables)
}

/// The longest spelling of one syllable in characters: `zhuang4`, or `lu:4` with its marks.
const LONGEST: usize = 8;

fn split_part(part: &str) -> Result<Vec<Syllable>, String> {
    let letters: Vec<char> = part.chars().collect();
    // `best[i]`: the syllables that spell the first `i` letters, fewest first.
    let mut best: Vec<Option<Vec<Syllable>>> = vec![None; letters.len() + 1];
    best[0] = Some(Vec::new());
    let mut reached = 0;
    for end in 1..=letters.len() {
        for start in end.saturating_sub(LONGEST)..end {
            let Some(before) = &best[start] else { continue };
            // A digit belongs to the syllable before it.
            if letters[start].is_ascii_digit() {
                continue;
            }
            let spelled: String = letters[start..end].iter().collect();
            let Ok(syllable) = spelled.parse::<Syllable>() else {
                continue;
            };
            if best[end]
                .as_ref()
                .is_none_or(|now| now.len() > before.len() + 1)
            {
                let mut longer = before.clone();
                longer.push(syllable);
                best[end] = Some(longer);
                reached = end;
            }
        }
    }
    best.pop()
        .flatten()
        .ok_or_else(|| letters[reached..].iter().take(16).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn gives_every_reading_of_a_hanzi() {
        let names = |letter| {
            readings(letter)
                .iter()
                .map(ToString::to_string)
                .collect::<Vec<_>>()
        };
        assert_eq!(names('保'), ["bao3"]);
        assert!(names('行').contains(&"xing2".into()));
        assert!(names('行').contains(&"hang2".into()));
        assert!(names('的').contains(&"de5".into()));
        assert!(names('绿').contains(&"lv4".into()));
        assert!(names('a').is_empty());
    }

    /// Syllables are put under hanzi by counting both.
    #[test]
    fn only_hanzi_have_readings() {
        let all = ('\u{80}'..=char::MAX).filter(|&letter| !readings(letter).is_empty());
        for letter in all {
            assert!(crate::units::is_hanzi_letter(letter), "{letter:?}");
        }
    }

    #[test]
    fn splits_pinyin_run_together() {
        let check = |word: &str, expected: &str| {
            let split = split_pinyin(word).unwrap();
            let names: Vec<_> = split.iter().map(ToString::to_string).collect();
            assert_eq!(names.join(" "), expected);
        };
        check("bao3zheng4shou1yi4", "bao3 zheng4 shou1 yi4");
        check("baozhengshouyi", "bao zheng shou yi");
        check("xian", "xian");
        check("xi'an", "xi an");
        check("lü4sè", "lv4 se4");
        check("BAOXIAN", "bao xian");
        assert_eq!(split_pinyin("baoqqq"), Err("qqq".into()));
        assert_eq!(split_pinyin("3bao"), Err("3bao".into()));
    }

    proptest! {
        #[test]
        fn any_word_is_split_or_refused(word in "[a-zü0-9'é]{0,40}") {
            let _ = split_pinyin(&word);
        }
    }
}
