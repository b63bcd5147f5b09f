//! Numbers that are written in digits, as they are said in Mandarin: recognised speech has them in words.

/// More ways of saying one text are not told.
const MOST_WAYS: usize = 32;
/// Longer numbers are said digit by digit alone.
const MOST_COUNTED: usize = 12;

const DIGITS: [char; 10] = ['零', '一', '二', '三', '四', '五', '六', '七', '八', '九'];
/// Before these, 2 is 两.
const MEASURES: &str = "个年天周次块元万千百亿位条种倍张笔家件份斤台人";

/// Whether digits stand in a text.
pub(super) fn has_number(text: &str) -> bool {
    text.chars().any(|letter| digit(letter).is_some())
}

/// All ways in which a text with digits is likely said: 10% is 百分之十; 110 is 一百一十, 一百一, 一一零 or 幺幺零.
pub(super) fn ways_said(text: &str) -> Vec<String> {
    let mut ways = vec![String::new()];
    for part in parts(text) {
        let said = part.ways();
        let joined = ways
            .iter()
            .flat_map(|way| said.iter().map(move |said| format!("{way}{said}")));
        ways = joined.take(MOST_WAYS).collect();
    }
    ways
}

/// The likeliest of [`ways_said`]: what a recogniser would write. Everything but numbers stays.
pub(super) fn as_said(text: &str) -> String {
    parts(text).iter().map(Part::likeliest).collect()
}

/// A text, cut at its numbers.
#[derive(Debug)]
enum Part {
    Text(String),
    Number(Number),
    /// Hours and minutes.
    Time([Vec<u8>; 2]),
    /// A dash between two numbers; short ones are the ends of a range.
    Dash {
        is_range: bool,
    },
}

#[derive(Debug)]
struct Number {
    whole: Vec<u8>,
    fraction: Vec<u8>,
    share: Share,
    after: Option<char>,
}

/// What a number is a share of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Share {
    Nothing,
    Hundred,
    Thousand,
}

impl Share {
    const fn said(self) -> &'static str {
        match self {
            Self::Nothing => "",
            Self::Hundred => "百分之",
            Self::Thousand => "千分之",
        }
    }
}

/// Full-width digits do, too.
fn digit(letter: char) -> Option<u8> {
    let value = match letter {
        '0'..='9' => letter as u32 - '0' as u32,
        '０'..='９' => letter as u32 - '０' as u32,
        _ => return None,
    };
    u8::try_from(value).ok()
}

fn parts(text: &str) -> Vec<Part> {
    let mut parts: Vec<Part> = Vec::new();
    let letters: Vec<char> = text.chars().collect();
    let mut at = 0;
    while let Some(&letter) = letters.get(at) {
        if digit(letter).is_some() {
            let (part, to) = number(&letters, at);
            parts.push(part);
            at = to;
            continue;
        }
        at += 1;
        let next_is_number = letters.get(at).copied().and_then(digit).is_some();
        match parts.last_mut() {
            Some(Part::Number(before)) if is_dash(letter) && next_is_number => {
                let n_next = letters[at..].iter().map_while(|&l| digit(l)).count();
                let is_range = before.whole.len().max(n_next) <= 2;
                parts.push(Part::Dash { is_range });
            }
            Some(Part::Text(text)) => text.push(letter),
            _ => parts.push(Part::Text(letter.into())),
        }
    }
    parts
}

const fn is_dash(letter: char) -> bool {
    matches!(letter, '-' | '~' | '－' | '～' | '–' | '—')
}

/// The number that begins at `from`, and where it ends.
fn number(letters: &[char], from: usize) -> (Part, usize) {
    let digits_at = |from: usize| -> Vec<u8> {
        let rest = letters.get(from..).unwrap_or_default();
        rest.iter().map_while(|&letter| digit(letter)).collect()
    };
    let is_at = |at: usize, wanted: [char; 2]| letters.get(at).is_some_and(|l| wanted.contains(l));
    let mut whole = digits_at(from);
    let mut at = from + whole.len();
    // 10,000
    while whole.len() <= MOST_COUNTED && is_at(at, [',', '，']) && digits_at(at + 1).len() == 3 {
        whole.extend(digits_at(at + 1));
        at += 4;
    }
    let minutes = digits_at(at + 1);
    if is_at(at, [':', '：']) && whole.len() <= 2 && minutes.len() == 2 {
        return (Part::Time([whole, minutes]), at + 3);
    }
    let mut fraction = Vec::new();
    if is_at(at, ['.', '．']) {
        fraction = digits_at(at + 1);
        at += if fraction.is_empty() {
            0
        } else {
            fraction.len() + 1
        };
    }
    let share = match letters.get(at) {
        Some('%' | '％') => Share::Hundred,
        Some('‰') => Share::Thousand,
        _ => Share::Nothing,
    };
    at += usize::from(share != Share::Nothing);
    let after = letters.get(at).copied();
    let number = Number {
        whole,
        fraction,
        share,
        after,
    };
    (Part::Number(number), at)
}

impl Part {
    fn ways(&self) -> Vec<String> {
        match self {
            Self::Text(text) => vec![text.clone()],
            Self::Number(number) => number.ways(),
            Self::Time([hours, minutes]) => {
                let mut ways = vec![self.likeliest()];
                let hours = counted(hours, Two::Two);
                match minutes.as_slice() {
                    [3, 0] => ways.push(format!("{hours}点半")),
                    [0, 0] => ways.push(format!("{hours}点整")),
                    _ => {}
                }
                if minutes != &[0, 0] {
                    ways.push(format!("{}分", self.likeliest()));
                }
                ways
            }
            Self::Dash { .. } => ["到", "至", ""].map(str::to_owned).to_vec(),
        }
    }

    fn likeliest(&self) -> String {
        match self {
            Self::Text(text) => text.clone(),
            Self::Number(number) => number.likeliest(),
            Self::Time([hours, minutes]) => {
                let hours = match hours.as_slice() {
                    [0, hour] => counted(&[*hour], Two::Pair),
                    hours => counted(hours, Two::Pair),
                };
                let minutes = match minutes.as_slice() {
                    [0, 0] => String::new(),
                    [0, minute] => spelled(&[0, *minute], '一'),
                    minutes => counted(minutes, Two::Two),
                };
                format!("{hours}点{minutes}")
            }
            Self::Dash { is_range } => if *is_range { "到" } else { "" }.to_owned(),
        }
    }
}

impl Number {
    fn ways(&self) -> Vec<String> {
        let digits = [spelled(&self.whole, '一'), spelled(&self.whole, '幺')];
        let mut ways = Vec::new();
        if self.is_countable() {
            for two in [Two::Pair, Two::Two] {
                let counted = counted(&self.whole, two);
                if self.fraction.is_empty() {
                    ways.extend(shortened(&counted));
                }
                ways.insert(0, counted);
            }
        }
        let is_plain = self.fraction.is_empty() && self.share == Share::Nothing;
        if ways.is_empty() || is_plain && self.whole.len() > 1 {
            ways.extend(digits);
        }
        if !self.fraction.is_empty() {
            let fraction = spelled(&self.fraction, '一');
            let whole = ways.iter();
            ways = whole.map(|way| format!("{way}点{fraction}")).collect();
        }
        let share = self.share.said();
        let mut ways: Vec<String> = ways.iter().map(|way| format!("{share}{way}")).collect();
        if self.is_all() {
            ways.push("百分之百".to_owned());
        }
        let mut seen = std::collections::BTreeSet::new();
        ways.retain(|way| seen.insert(way.clone()));
        ways
    }

    fn likeliest(&self) -> String {
        if self.is_all() {
            return "百分之百".to_owned();
        }
        let is_year = self.after == Some('年') && self.whole.len() == 4;
        let is_name = self.whole.len() > 4 && !self.whole.ends_with(&[0, 0]);
        let is_plain = self.fraction.is_empty() && self.share == Share::Nothing;
        if !self.is_countable() || is_plain && (is_year || is_name) {
            return spelled(&self.whole, if is_year { '一' } else { '幺' });
        }
        let is_measured = self.after.is_some_and(|after| MEASURES.contains(after));
        let two = match self.whole.as_slice() {
            [2] if !is_measured => Two::Two,
            _ => Two::Pair,
        };
        let mut said = format!("{}{}", self.share.said(), counted(&self.whole, two));
        if !self.fraction.is_empty() {
            said.push('点');
            said.push_str(&spelled(&self.fraction, '一'));
        }
        said
    }

    /// 100%.
    fn is_all(&self) -> bool {
        self.share == Share::Hundred && self.whole == [1, 0, 0] && self.fraction.is_empty()
    }

    fn is_countable(&self) -> bool {
        let has_lead = self.whole.len() > 1 && self.whole[0] == 0;
        !has_lead && self.whole.len() <= MOST_COUNTED
    }
}

fn spelled(digits: &[u8], one: char) -> String {
    let spell = |&digit: &u8| match digit {
        1 => one,
        digit => DIGITS[usize::from(digit)],
    };
    digits.iter().map(spell).collect()
}

/// What 2 is before 百, 千, 万 and 亿, and alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Two {
    /// 二
    Two,
    /// 两
    Pair,
}

impl Two {
    const fn said(self) -> char {
        match self {
            Self::Two => '二',
            Self::Pair => '两',
        }
    }
}

/// As a number: at most [`MOST_COUNTED`] digits.
fn counted(digits: &[u8], two: Two) -> String {
    let value = digits
        .iter()
        .fold(0_u64, |value, &digit| value * 10 + u64::from(digit));
    match value {
        0 => return "零".to_owned(),
        2 => return two.said().into(),
        _ => {}
    }
    let groups = [
        (value / 100_000_000, "亿"),
        (value / 10_000 % 10_000, "万"),
        (value % 10_000, ""),
    ];
    let mut said = String::new();
    for (group, unit) in groups {
        if group == 0 {
            continue;
        }
        if !said.is_empty() && group < 1_000 {
            said.push('零');
        }
        match (group, unit) {
            (2, "万" | "亿") => said.push(two.said()),
            _ => push_group(&mut said, group, two),
        }
        said.push_str(unit);
    }
    match said.strip_prefix("一十") {
        Some(rest) => format!("十{rest}"),
        None => said,
    }
}

/// 1 to 9999.
fn push_group(said: &mut String, group: u64, two: Two) {
    let mut is_gap = false;
    let mut is_begun = false;
    for (weight, unit) in [(1_000, "千"), (100, "百"), (10, "十"), (1, "")] {
        let digit = group / weight % 10;
        if digit == 0 {
            is_gap = is_begun;
            continue;
        }
        if is_gap {
            said.push('零');
        }
        said.push(match digit {
            2 if weight >= 100 => two.said(),
            digit => DIGITS[digit as usize],
        });
        said.push_str(unit);
        (is_gap, is_begun) = (false, true);
    }
}

/// 一千五百 without its last unit: 一千五.
fn shortened(counted: &str) -> Option<String> {
    let letters: Vec<char> = counted.chars().collect();
    let [before @ .., higher, _, last] = letters.as_slice() else {
        return None;
    };
    let is_next = matches!((higher, last), ('百', '十') | ('千', '百') | ('万', '千'));
    let n_kept = before.len() + 2;
    is_next.then(|| letters[..n_kept].iter().collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_said_as_people_say_them() {
        for (text, said) in [
            ("年化10%", "年化百分之十"),
            ("100%保本", "百分之百保本"),
            ("3.5％的利息", "百分之三点五的利息"),
            ("24小时", "二十四小时"),
            ("2个月，2号", "两个月，二号"),
            ("200块", "两百块"),
            ("1,500元", "一千五百元"),
            ("10086", "幺零零八六"),
            ("20000", "两万"),
            ("105", "一百零五"),
            ("10000500", "一千万零五百"),
            ("2026年", "二零二六年"),
            ("3-5天", "三到五天"),
            ("9:30", "九点三十"),
            ("没有数字", "没有数字"),
        ] {
            assert_eq!(as_said(text), said, "{text}");
        }
    }

    #[test]
    fn what_is_likeliest_is_one_of_the_ways() {
        for (text, others) in [
            ("110", &["一百一十", "一百一", "一一零", "幺幺零"][..]),
            ("2", &["二", "两"]),
            ("1500块", &["一千五块", "一千五百块"]),
            ("23000", &["两万三", "二万三千"]),
            ("10%", &["百分之十"]),
            ("9:30", &["九点半", "九点三十分"]),
            ("2026年", &["二零二六年"]),
            ("0571-8888", &["零五七幺八八八八"]),
        ] {
            let ways = ways_said(text);
            assert!(ways.contains(&as_said(text)), "{text}: {ways:?}");
            for other in others {
                assert!(ways.iter().any(|way| way == other), "{other}: {ways:?}");
            }
        }
        assert!(ways_said(&"12".repeat(300)).len() <= MOST_WAYS);
        assert!(ways_said(&"12 ".repeat(300)).len() <= MOST_WAYS);
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_said(text in "[0-9０-９.,:%‰a百年 -]{0,30}") {
            proptest::prop_assert!(!has_number(&as_said(&text)));
            let ways = ways_said(&text);
            proptest::prop_assert!(!ways.is_empty() && !ways.iter().any(|way| has_number(way)));
        }
    }
}
