//! Which digit a letter is, or may be.

use std::sync::LazyLock;

use auricle_pinyin::{Syllable, TONELESS};

use crate::Letter;

/// The digit a letter is written as.
pub(super) const fn written(letter: char) -> Option<u8> {
    Some(match letter {
        '零' | '〇' | '○' | '0' | '０' => 0,
        '一' | '幺' | '壹' | '1' | '１' => 1,
        '二' | '两' | '贰' | '俩' | '2' | '２' => 2,
        '三' | '叁' | '仨' | '3' | '３' => 3,
        '四' | '肆' | '4' | '４' => 4,
        '五' | '伍' | '5' | '５' => 5,
        '六' | '陆' | '6' | '６' => 6,
        '七' | '柒' | '7' | '７' => 7,
        '八' | '捌' | '8' | '８' => 8,
        '九' | '玖' | '9' | '９' => 9,
        _ => return None,
    })
}

/// What makes a number of the digit before it (三百), or counts and measures with it (一个, 三天).
pub(super) const fn is_unit(letter: char) -> bool {
    matches!(
        letter,
        '十' | '百'
            | '千'
            | '万'
            | '亿'
            | '拾'
            | '佰'
            | '仟'
            | '元'
            | '块'
            | '毛'
            | '角'
            | '分'
            | '年'
            | '月'
            | '日'
            | '号'
            | '点'
            | '时'
            | '秒'
            | '天'
            | '周'
            | '个'
            | '位'
            | '次'
            | '张'
            | '条'
            | '笔'
            | '件'
            | '套'
            | '期'
            | '岁'
            | '楼'
            | '层'
            | '室'
            | '栋'
            | '度'
            | '吨'
            | '克'
            | '斤'
            | '米'
            | '折'
            | '倍'
            | '成'
            | '定'
            | '下'
            | '起'
            | '样'
            | '些'
            | '直'
            | '边'
            | '般'
            | '共'
            | '份'
            | '口'
            | '家'
            | '人'
            | '种'
            | '遍'
            | '台'
            | '辆'
    )
}

/// What makes a word of the digit behind it: 第一, 周三, 唯一.
pub(super) const fn takes_next(letter: char) -> bool {
    matches!(
        letter,
        '第' | '周' | '期' | '拜' | '唯' | '统' | '万' | '每' | '初' | '十' | '百' | '千' | '点'
    )
}

/// Likelihood below which a sound is not considered.
const LEAST_PROB: f32 = 0.02;

/// The digits a letter sounds like, likeliest first.
pub(super) fn sounding(letter: &Letter) -> Vec<u8> {
    let mut found = Vec::new();
    for &(syllable, prob) in &letter.sounds {
        let digit = of_sound(syllable).filter(|_| prob >= LEAST_PROB);
        found.extend(digit.filter(|digit| !found.contains(digit)));
    }
    found
}

fn of_sound(syllable: Syllable) -> Option<u8> {
    SOUNDS[syllable.toneless().index()].digit
}

/// What digits a syllable is or may be, by [`Syllable::index`] of the toneless one.
#[derive(Clone, Default)]
struct Sound {
    digit: Option<u8>,
    near: Vec<u8>,
}

static SOUNDS: LazyLock<Vec<Sound>> = LazyLock::new(|| {
    let mut sounds = vec![Sound::default(); Syllable::COUNT];
    for base in TONELESS {
        let near = HEARD_AS.iter().filter(|(_, bases)| bases.contains(&base));
        if let Some(syllable) = Syllable::new(base, 0) {
            sounds[syllable.index()] = Sound {
                digit: of_base(base),
                near: near.map(|(digit, _)| *digit).collect(),
            };
        }
    }
    sounds
});

fn of_base(base: &str) -> Option<u8> {
    Some(match base {
        "ling" => 0,
        "yi" | "yao" => 1,
        "er" | "liang" => 2,
        "san" => 3,
        "si" => 4,
        "wu" => 5,
        "liu" => 6,
        "qi" => 7,
        "ba" => 8,
        "jiu" => 9,
        _ => return None,
    })
}

/// Likelihood below which a sound that is only near to a digit's is not considered.
const LEAST_NEAR_PROB: f32 = 0.03;

/// What digits are heard as where a line of 4 kHz, or a slow voice that spells, took their consonants away.
const HEARD_AS: &[(u8, &[&str])] = &[
    (0, &["ming", "ning", "lin", "ding", "min", "nin"]),
    (
        1,
        &["di", "ni", "li", "ji", "lao", "mao", "nao", "yo", "ya"],
    ),
    (2, &["e", "a", "liao", "niang", "nang", "lang"]),
    (
        3,
        &[
            "fan", "fen", "fang", "feng", "sen", "shan", "shang", "sang", "suan", "can", "shen",
        ],
    ),
    (4, &["zi", "ci", "shi", "zhi", "chi", "ri"]),
    (5, &["fu", "hu", "mu", "wo"]),
    (6, &["you", "niu", "lou", "lu", "miu", "diu", "yong"]),
    (7, &["xi", "ji", "qu", "ti"]),
    (8, &["fa", "ma", "pa", "da", "bao", "ban", "wa"]),
    (9, &["xiu", "qiu", "you", "zhou"]),
];

/// The digits that a letter may be which was heard as something else, likeliest first.
pub(super) fn near(letter: &Letter) -> Vec<u8> {
    let mut found = Vec::new();
    let sounds = letter
        .sounds
        .iter()
        .filter(|(_, prob)| *prob >= LEAST_NEAR_PROB);
    for (syllable, _) in sounds {
        let near = SOUNDS[syllable.toneless().index()].near.iter().copied();
        for digit in of_sound(*syllable).into_iter().chain(near) {
            if !found.contains(&digit) {
                found.push(digit);
            }
        }
    }
    found
}

/// Whether a letter is the first half of a 六 that was heard as two syllables (`li you`).
pub(super) fn opens_split_six(letter: &Letter, next: Option<&Letter>) -> bool {
    let begins = letter
        .sounds
        .iter()
        .any(|(syllable, _)| matches!(syllable.initial(), "l" | "n"));
    let ends = next.is_some_and(|next| {
        let mut sounds = next.sounds.iter();
        sounds.any(|(syllable, prob)| syllable.base() == "you" && *prob >= LEAST_NEAR_PROB)
    });
    begins && ends
}
