//! One toned syllable in two bytes.

use std::fmt;
use std::str::FromStr;

use thiserror::Error;

/// Every syllable of standard Mandarin without its tone, `v` for ü, sorted by bytes.
///
/// Source: the readings of the CJK Unified Ideographs block (Unihan `kMandarin`, `kHanyuPinyin`).
#[rustfmt::skip]
pub const TONELESS: [&str; 419] = [
    "a", "ai", "an", "ang", "ao", "ba", "bai", "ban", "bang", "bao", "bei", "ben", "beng", "bi",
    "bian", "biao", "bie", "bin", "bing", "bo", "bu", "ca", "cai", "can", "cang", "cao", "ce",
    "cen", "ceng", "cha", "chai", "chan", "chang", "chao", "che", "chen", "cheng", "chi", "chong",
    "chou", "chu", "chua", "chuai", "chuan", "chuang", "chui", "chun", "chuo", "ci", "cong", "cou",
    "cu", "cuan", "cui", "cun", "cuo", "da", "dai", "dan", "dang", "dao", "de", "dei", "den",
    "deng", "di", "dia", "dian", "diao", "die", "ding", "diu", "dong", "dou", "du", "duan", "dui",
    "dun", "duo", "e", "ei", "en", "eng", "er", "fa", "fan", "fang", "fei", "fen", "feng", "fiao",
    "fo", "fou", "fu", "ga", "gai", "gan", "gang", "gao", "ge", "gei", "gen", "geng", "gong", "gou",
    "gu", "gua", "guai", "guan", "guang", "gui", "gun", "guo", "ha", "hai", "han", "hang", "hao",
    "he", "hei", "hen", "heng", "hm", "hng", "hong", "hou", "hu", "hua", "huai", "huan", "huang",
    "hui", "hun", "huo", "ji", "jia", "jian", "jiang", "jiao", "jie", "jin", "jing", "jiong", "jiu",
    "ju", "juan", "jue", "jun", "ka", "kai", "kan", "kang", "kao", "ke", "kei", "ken", "keng",
    "kong", "kou", "ku", "kua", "kuai", "kuan", "kuang", "kui", "kun", "kuo", "la", "lai", "lan",
    "lang", "lao", "le", "lei", "len", "leng", "li", "lia", "lian", "liang", "liao", "lie", "lin",
    "ling", "liu", "lo", "long", "lou", "lu", "luan", "lun", "luo", "lv", "lve", "m", "ma", "mai",
    "man", "mang", "mao", "me", "mei", "men", "meng", "mi", "mian", "miao", "mie", "min", "ming",
    "miu", "mo", "mou", "mu", "n", "na", "nai", "nan", "nang", "nao", "ne", "nei", "nen", "neng",
    "ng", "ni", "nian", "niang", "niao", "nie", "nin", "ning", "niu", "nong", "nou", "nu", "nuan",
    "nun", "nuo", "nv", "nve", "o", "ou", "pa", "pai", "pan", "pang", "pao", "pei", "pen", "peng",
    "pi", "pian", "piao", "pie", "pin", "ping", "po", "pou", "pu", "qi", "qia", "qian", "qiang",
    "qiao", "qie", "qin", "qing", "qiong", "qiu", "qu", "quan", "que", "qun", "ran", "rang", "rao",
    "re", "ren", "reng", "ri", "rong", "rou", "ru", "rua", "ruan", "rui", "run", "ruo", "sa", "sai",
    "san", "sang", "sao", "se", "sen", "seng", "sha", "shai", "shan", "shang", "shao", "she",
    "shei", "shen", "sheng", "shi", "shou", "shu", "shua", "shuai", "shuan", "shuang", "shui",
    "shun", "shuo", "si", "song", "sou", "su", "suan", "sui", "sun", "suo", "ta", "tai", "tan",
    "tang", "tao", "te", "tei", "teng", "ti", "tian", "tiao", "tie", "ting", "tong", "tou", "tu",
    "tuan", "tui", "tun", "tuo", "wa", "wai", "wan", "wang", "wei", "wen", "weng", "wo", "wu", "xi",
    "xia", "xian", "xiang", "xiao", "xie", "xin", "xing", "xiong", "xiu", "xu", "xuan", "xue",
    "xun", "ya", "yan", "yang", "yao", "ye", "yi", "yin", "ying", "yo", "yong", "you", "yu", "yuan",
    "yue", "yun", "za", "zai", "zan", "zang", "zao", "ze", "zei", "zen", "zeng", "zha", "zhai",
    "zhan", "zhang", "zhao", "zhe", "zhei", "zhen", "zheng", "zhi", "zhong", "zhou", "zhu", "zhua",
    "zhuai", "zhuan", "zhuang", "zhui", "zhun", "zhuo", "zi", "zong", "zou", "zu", "zuan", "zui",
    "zun", "zuo",
];

/// A Mandarin syllable with its tone: 1 to 4, 5 for the neutral tone, 0 where it is not known.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Syllable(u16);

/// A text is no Mandarin syllable.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error("`{0}` is no pinyin syllable\nhint: write it like bao3, lv4 or bǎo")]
pub struct ParseSyllableError(String);

/// Tones and "unknown" take the low part of the packed number.
const TONES: u16 = 6;

impl Syllable {
    /// How many values [`Self::index`] takes: the size of a table over syllables.
    pub const COUNT: usize = TONELESS.len() * TONES as usize;

    /// The syllable spelled `base` (no tone, `v` for ü) with `tone` 0 to 5.
    pub fn new(base: &str, tone: u8) -> Option<Self> {
        let row = TONELESS.binary_search(&base).ok()?;
        (u16::from(tone) < TONES).then(|| Self(row as u16 * TONES + u16::from(tone)))
    }

    /// The spelling without tone.
    pub fn base(self) -> &'static str {
        TONELESS[usize::from(self.0 / TONES)]
    }

    /// 1 to 5; 0 where the tone is not known.
    pub const fn tone(self) -> u8 {
        (self.0 % TONES) as u8
    }

    /// The same syllable with another tone (0 to 5; larger values count as unknown).
    #[must_use]
    pub const fn with_tone(self, tone: u8) -> Self {
        let tone = if (tone as u16) < TONES {
            tone as u16
        } else {
            0
        };
        Self(self.0 - self.0 % TONES + tone)
    }

    /// The syllable with its tone taken off.
    #[must_use]
    pub const fn toneless(self) -> Self {
        self.with_tone(0)
    }

    /// A dense number below [`Self::COUNT`].
    pub const fn index(self) -> usize {
        self.0 as usize
    }

    /// The syllable whose [`Self::index`] is `index`.
    pub fn from_index(index: usize) -> Option<Self> {
        (index < Self::COUNT).then_some(Self(index as u16))
    }

    /// Initial consonant as spelled (`zh`, `b`, …), empty for `an`, `er`; `y` and `w` count as initials.
    pub fn initial(self) -> &'static str {
        let base = self.base();
        let len = match base.as_bytes() {
            [b'z' | b'c' | b's', b'h', ..] => 2,
            [b'm' | b'n' | b'h'] | [b'n' | b'h', b'g' | b'm', ..] => 0,
            [b'a' | b'e' | b'o', ..] => 0,
            _ => 1,
        };
        &base[..len]
    }

    /// What follows the initial.
    pub fn rhyme(self) -> &'static str {
        &self.base()[self.initial().len()..]
    }

    /// The rhyme with its tone mark, as pinyin is printed: `ǎo`, `üè`, `e` in the neutral tone.
    pub fn marked_rhyme(self) -> String {
        let rhyme = self.rhyme();
        // a and e always carry the mark, then o of ou; otherwise the last vowel does.
        let marked = rhyme
            .find(['a', 'e'])
            .or_else(|| rhyme.find("ou"))
            .or_else(|| rhyme.rfind(['i', 'o', 'u', 'v']));
        rhyme
            .char_indices()
            .map(|(at, letter)| {
                if Some(at) == marked {
                    mark(letter, self.tone())
                } else {
                    mark(letter, 0)
                }
            })
            .collect()
    }
}

impl fmt::Display for Syllable {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.tone() {
            0 => out.write_str(self.base()),
            tone => write!(out, "{}{tone}", self.base()),
        }
    }
}

impl fmt::Debug for Syllable {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, out)
    }
}

impl FromStr for Syllable {
    type Err = ParseSyllableError;

    /// Reads `bao3`, `bao`, `lü4`, `lv4`, `lu:4`, `bǎo`, marks composed or combining; case does not
    /// matter. No tone gives tone 0 (write 5 for the neutral tone); two tones are a mistake.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let mistake = || ParseSyllableError(text.chars().take(16).collect());
        let (letters, mut tone) = match text.char_indices().next_back() {
            Some((at, digit @ '0'..='5')) => (&text[..at], Some(digit as u8 - b'0')),
            _ => (text, None),
        };
        let mut base = String::with_capacity(8);
        for letter in letters.chars().flat_map(char::to_lowercase) {
            let mark = match unmark(letter) {
                (':' | COMBINING_DOTS, _) if base.ends_with('u') => {
                    base.pop();
                    base.push('v');
                    0
                }
                (COMBINING_TONE, mark) => mark,
                (plain, mark) => {
                    base.push(plain);
                    mark
                }
            };
            if (mark != 0 && tone.replace(mark).is_some()) || base.len() > 8 {
                return Err(mistake());
            }
        }
        // After j, q, x and y the dots are not written; after l and n `ue` can only mean `üe`.
        let spelled = match base.as_bytes() {
            [b'j' | b'q' | b'x' | b'y', b'v', ..] => base.replacen('v', "u", 1),
            [b'l' | b'n', b'u', b'e'] => base.replacen('u', "v", 1),
            _ => base,
        };
        Self::new(&spelled, tone.unwrap_or(0)).ok_or_else(mistake)
    }
}

/// The two dots as a character of their own.
const COMBINING_DOTS: char = '\u{308}';
/// What [`unmark`] gives for a mark as a character of its own.
const COMBINING_TONE: char = '\u{304}';

/// A letter without its tone mark, and the tone (0 without a mark). ü comes out as `v`.
const fn unmark(letter: char) -> (char, u8) {
    match letter {
        'ā' => ('a', 1),
        'á' => ('a', 2),
        'ǎ' => ('a', 3),
        'à' => ('a', 4),
        'ē' => ('e', 1),
        'é' | 'ế' => ('e', 2),
        'ě' => ('e', 3),
        'è' | 'ề' => ('e', 4),
        'ê' => ('e', 0),
        'ī' => ('i', 1),
        'í' => ('i', 2),
        'ǐ' => ('i', 3),
        'ì' => ('i', 4),
        'ō' => ('o', 1),
        'ó' => ('o', 2),
        'ǒ' => ('o', 3),
        'ò' => ('o', 4),
        'ū' => ('u', 1),
        'ú' => ('u', 2),
        'ǔ' => ('u', 3),
        'ù' => ('u', 4),
        'ǖ' => ('v', 1),
        'ǘ' => ('v', 2),
        'ǚ' => ('v', 3),
        'ǜ' => ('v', 4),
        'ü' => ('v', 0),
        'ń' => ('n', 2),
        'ň' => ('n', 3),
        'ǹ' => ('n', 4),
        'ḿ' => ('m', 2),
        '\u{304}' => (COMBINING_TONE, 1),
        '\u{301}' => (COMBINING_TONE, 2),
        '\u{30c}' => (COMBINING_TONE, 3),
        '\u{300}' => (COMBINING_TONE, 4),
        other => (other, 0),
    }
}

/// A vowel with the mark of a tone; `v` is printed ü.
fn mark(letter: char, tone: u8) -> char {
    let row = match letter {
        'a' => "aāáǎàa",
        'e' => "eēéěèe",
        'i' => "iīíǐìi",
        'o' => "oōóǒòo",
        'u' => "uūúǔùu",
        'v' => "üǖǘǚǜü",
        _ => return letter,
    };
    row.chars().nth(usize::from(tone)).unwrap_or(letter)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn check(text: &str, expected: &str) {
        assert_eq!(text.parse::<Syllable>().unwrap().to_string(), expected);
    }

    #[test]
    fn reads_numbers_marks_and_both_spellings_of_u_umlaut() {
        check("bao3", "bao3");
        check("BǍO", "bao3");
        check("lü4", "lv4");
        check("lu:4", "lv4");
        check("nǚ", "nv3");
        check("jǘ", "ju2");
        check("lüè", "lve4");
        check("lue4", "lve4");
        check("de5", "de5");
        check("ma", "ma");
        check("ba\u{30c}o", "bao3");
        check("nu\u{308}\u{30c}", "nv3");
        check("ma0", "ma");
    }

    #[test]
    fn refuses_what_is_no_syllable() {
        for text in [
            "",
            "3",
            "bxo3",
            "hello",
            "保",
            "bao3bao3",
            "zhuangzhuang",
            "3bao",
            "ba3o",
            "bao33",
            "bao6",
            "bǎo3",
            "bǎò",
            "\u{30c}",
        ] {
            assert!(text.parse::<Syllable>().is_err(), "{text}");
        }
    }

    #[test]
    fn rhymes_are_marked_as_printed() {
        for (text, expected) in [
            ("bao3", "ǎo"),
            ("gui4", "uì"),
            ("jiu3", "iǔ"),
            ("lve4", "üè"),
            ("dou1", "ōu"),
            ("de5", "e"),
            ("nv3", "ǚ"),
            ("bo1", "ō"),
            ("zhuo2", "uó"),
        ] {
            assert_eq!(text.parse::<Syllable>().unwrap().marked_rhyme(), expected);
        }
    }

    #[test]
    fn parts_rebuild_the_whole() {
        assert!(TONELESS.is_sorted());
        for base in TONELESS {
            let syllable = Syllable::new(base, 1).unwrap();
            assert_eq!(format!("{}{}", syllable.initial(), syllable.rhyme()), base);
            assert!(!syllable.rhyme().is_empty(), "{base}");
        }
    }

    proptest! {
        #[test]
        fn index_and_text_round_trip(index in 0..Syllable::COUNT) {
            let syllable = Syllable::from_index(index).unwrap();
            prop_assert_eq!(syllable.index(), index);
            prop_assert_eq!(syllable.to_string().parse::<Syllable>().unwrap(), syllable);
        }

        #[test]
        fn any_text_is_a_syllable_or_an_error(text in ".{0,12}") {
            let _ = text.parse::<Syllable>();
        }
    }
}
