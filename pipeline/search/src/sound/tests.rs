//! What is found, and what it costs.

use super::classes::classes;
use super::codes::{BREAK, TONES, push_position};
use super::*;
use proptest::prelude::*;

fn codes(text: &str) -> Vec<u16> {
    let mut codes = Vec::new();
    for position in text.split(' ') {
        let hearings = position.split('/').map(|s| s.parse::<Syllable>().unwrap());
        push_position(&mut codes, hearings);
    }
    codes
}

fn pattern(text: &str, budget: u16) -> SoundPattern {
    let rows: Vec<Vec<Syllable>> = text
        .split(' ')
        .map(|options| options.split('/').map(|s| s.parse().unwrap()).collect())
        .collect();
    SoundPattern::new(&rows, budget)
}

fn check(query: &str, budget: u16, said: &str, expected: &[(usize, usize, u16)]) {
    let spans: Vec<_> = pattern(query, budget)
        .find(&codes(said))
        .into_iter()
        .map(|span| (span.start, span.end, span.cost))
        .collect();
    assert_eq!(spans, expected, "{query} in {said}");
}

#[test]
fn tones_are_tolerated_and_near_sounds_cost_less() {
    check("bao3 zheng4", 0, "wo3 bao1 zheng5 ni3", &[(1, 3, 0)]);
    check("bao zheng", 0, "bao3 zhen4", &[]);
    check("bao zheng", 6, "bao3 zhen4", &[(0, 2, 4)]);
    check("bao zheng", 6, "bao3 zen4", &[]);
    check("bao zheng", 12, "bao3 zen4", &[(0, 2, 7)]);
    check("nan", 6, "lan2", &[(0, 1, 4)]);
    check("hang2/xing2", 0, "yin2 hang2", &[(1, 2, 0)]);
}

#[test]
fn alternatives_are_heard() {
    check("bao zheng", 0, "bao3 chen1/zheng4 ni3", &[(0, 2, 0)]);
    check("bao zheng", 0, "pao3/bao3 chen1/zheng4", &[(0, 2, 0)]);
}

#[test]
fn one_edit_is_a_change_an_extra_or_a_missing_syllable() {
    check("bao zheng shou yi", 20, "bao3 ma3 shou1 yi4", &[(0, 4, 20)]);
    check(
        "bao zheng shou yi",
        20,
        "bao3 zheng4 de5 shou1 yi4",
        &[(0, 5, 20)],
    );
    check("bao zheng shou yi", 20, "bao3 shou1 yi4", &[(0, 3, 20)]);
    check("bao zheng shou yi", 20, "bao3 ma3 ma3 yi4", &[]);
    check(
        "bao zheng shou yi",
        20,
        "ni3 bao3 zheng4 shou1 yi4 a5",
        &[(1, 5, 0)],
    );
}

#[test]
fn near_sounding_syllables_share_a_class_and_others_do_not() {
    let class = |text: &str| classes()[text.parse::<Syllable>().unwrap().index() / TONES];
    for (one, other) in [("zhang", "zan"), ("niu", "liu"), ("huang", "fuang")] {
        if let Ok(second) = other.parse::<Syllable>() {
            assert_eq!(
                class(one),
                classes()[second.index() / TONES],
                "{one} {other}"
            );
        }
    }
    assert_ne!(class("ba"), class("pa"));
    assert_ne!(class("xin"), class("xian"));
}

/// Looks for a sound in both ways: they must agree whether it is there, and on what it costs.
fn check_both_ways(pattern: &SoundPattern, codes: &[u16]) -> Result<(), TestCaseError> {
    let found = pattern.find(codes);
    let least = found.iter().map(|span| span.cost).min();
    let bytes: Vec<u8> = codes.iter().flat_map(|code| code.to_le_bytes()).collect();
    let quality = pattern.quality(&bytes, &mut Vec::new());
    prop_assert_eq!(least.is_some(), quality.is_some());
    prop_assert!(quality.is_none() || pattern.may_match(&bytes));
    if let (Some(least), Some(quality)) = (least, quality) {
        let edited = pattern.full_edits() > 0;
        let (low, high) = match (edited, least) {
            (true, 0) => (quality_of(quality::EDITED, 0), 1.0),
            (true, _) => (
                quality_of(quality::EDITED, least),
                quality_of(quality::EDITED, least),
            ),
            (false, _) => (quality_of(0.3, least), 1.0),
        };
        prop_assert!(
            (low - 1e-6..=high + 1e-6).contains(&quality),
            "{} costs {}",
            quality,
            least
        );
    }
    Ok(())
}

/// Few syllables, half of them near each other.
fn alike(number: usize) -> Syllable {
    let all = ["zhi1", "zi3", "shi4", "si4", "lan2", "nan2", "ma1", "ya2"];
    all[number % all.len()].parse().unwrap()
}

/// Hearings from numbers: 0 is no syllable, and every other one may have been another.
fn heard_codes(heard: Vec<(usize, bool)>, syllable: impl Fn(usize) -> Syllable) -> Vec<u16> {
    let mut codes = Vec::new();
    for (number, alternative) in heard {
        if number == 0 {
            codes.push(BREAK);
            continue;
        }
        let other = alternative.then(|| syllable(number + 1));
        push_position(&mut codes, [syllable(number)].into_iter().chain(other));
    }
    codes
}

proptest! {
    #[test]
    fn quality_and_find_agree(
        heard in prop::collection::vec((0usize..60, any::<bool>()), 0..24),
        wanted in prop::collection::vec(0usize..60, 1..7),
        budget in prop::sample::select(vec![0u16, 6, 10, 20, 26, 40, 60]),
    ) {
        // The parser refuses patterns that could be edited away.
        prop_assume!(usize::from(budget) < 20 * wanted.len());
        let syllable = |index: usize| Syllable::from_index(index * 37 % Syllable::COUNT).unwrap();
        let rows: Vec<_> = wanted.into_iter().map(|index| vec![syllable(index)]).collect();
        let pattern = SoundPattern::new(&rows, budget);
        check_both_ways(&pattern, &heard_codes(heard, syllable))?;
    }

    #[test]
    fn quality_and_find_agree_where_much_sounds_alike(
        heard in prop::collection::vec((0usize..20, any::<bool>()), 0..40),
        wanted in prop::collection::vec(0usize..8, 1..33),
        length in prop::sample::select(vec![2usize, 3, 5, 8, 32]),
        budget in prop::sample::select(vec![0u16, 6, 12, 20, 30, 40, 50, 60, 79]),
    ) {
        let wanted = &wanted[..length.min(wanted.len())];
        prop_assume!(usize::from(budget) < 20 * wanted.len());
        let rows: Vec<_> = wanted.iter().map(|&number| vec![alike(number)]).collect();
        let pattern = SoundPattern::new(&rows, budget);
        check_both_ways(&pattern, &heard_codes(heard, alike))?;
    }
}
