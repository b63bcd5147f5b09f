//! Numbers that are written in digits, as they are said in Mandarin: recognised speech has them in words.

use crate::Letter;

/// More ways of saying one text are not told.
const MOST_WAYS: usize = 32;
/// Longer numbers are said digit by digit alone.
const MOST_COUNTED: usize = 12;
/// Digits from which on a number without a unit is likelier a name (of a line, an account) than a count.
const LEAST_NAME: usize = 5;
/// Digits from which on a round number needs a unit to be a count, and groups with spaces between are one number.
const LEAST_LONG: usize = 7;
/// More groups are not taken together.
const MOST_GROUPS: usize = 16;

const DIGITS: [char; 10] = ['零', '一', '二', '三', '四', '五', '六', '七', '八', '九'];
/// Before these, 2 is 两.
const MEASURES: &str = "个年天周次块元万千百亿位条种倍张笔家件份斤台人";
/// What stands before these is an amount.
const MONEY: &str = "元块万亿";

/// Whether digits stand in a text.
pub(super) fn has_number(text: &str) -> bool {
    text.chars().any(|letter| digit(letter).is_some())
}

/// Ways in which a text with digits is likely said, the likeliest first: 10% is 百分之十; 110 is 一百一十, 一百一,
/// 一一零 or 幺幺零.
pub(super) fn ways_said(text: &str) -> Vec<String> {
    // With each way, how unlikely its parts are.
    let mut ways = vec![(0, String::new())];
    for part in parts(text) {
        let said = part.ways();
        let joined = ways.iter().flat_map(|(rank, way)| {
            let said = said.iter().enumerate();
            said.map(move |(place, said)| (rank + place, format!("{way}{said}")))
        });
        ways = joined.collect();
        ways.sort_by_key(|(rank, _)| *rank);
        ways.truncate(MOST_WAYS);
    }
    ways.into_iter().map(|(_, way)| way).collect()
}

/// The likeliest of [`ways_said`]: what a recogniser would write. Everything but numbers stays.
pub(super) fn as_said(text: &str) -> String {
    parts(text).iter().map(Part::likeliest).collect()
}

/// At which ends a text is a number, which may not go on there where it is found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Bounds {
    front: bool,
    back: bool,
}

impl Bounds {
    /// Of [`ways_said`]. 百分之 begins what it stands in, 百分之百 ends it.
    pub(super) fn of(text: &str) -> Self {
        let has_letters = |part: &&Part| match part {
            Part::Text(text) => text.chars().any(char::is_alphanumeric),
            _ => true,
        };
        let parts = parts(text);
        let mut parts = parts.iter().filter(has_letters);
        let first = parts.next();
        let last = parts.next_back().or(first);
        Self {
            front: match first {
                Some(Part::Number(number)) => number.share == Share::Nothing,
                Some(Part::Time(_)) => true,
                _ => false,
            },
            back: match last {
                Some(Part::Number(number)) => !number.is_all(),
                Some(Part::Time(_)) => true,
                _ => false,
            },
        }
    }

    /// Whether what stands before the letter `from` and from the letter `to` on does not go on with the number.
    pub(super) fn fit(self, letters: &[Letter], from: usize, to: usize) -> bool {
        if self == Self::default() {
            return true;
        }
        let at = |place: usize| letters.get(place).map_or(' ', |letter| letter.letter);
        let before = |n: usize| from.checked_sub(n).map_or(' ', at);
        let goes_on_front = match before(1) {
            '点' => is_numeral(before(2)),
            letter => is_numeral(letter) || letter == '几',
        };
        let last = to.checked_sub(1).map_or(' ', at);
        let goes_on_back = match (at(to), at(to + 1)) {
            // 打一一零一下, 百分之十一定: these begin another word.
            ('一', next) => is_unit(last) && !ONE_WORDS.contains(next),
            ('几', _) => is_unit(last),
            ('两', _) => matches!(last, '千' | '万' | '亿'),
            ('点', next) => is_numeral(next),
            (next, _) => is_numeral(next),
        };
        !(self.front && goes_on_front || self.back && goes_on_back)
    }
}

/// 一 and one of these are a word that is no number.
const ONE_WORDS: &str = "定直般起样旦切些下";

fn is_numeral(letter: char) -> bool {
    matches!(letter, '〇' | '幺' | '两') || DIGITS.contains(&letter) || is_unit(letter)
}

const fn is_unit(letter: char) -> bool {
    matches!(letter, '十' | '百' | '千' | '万' | '亿')
}

/// A text, cut at its numbers.
#[derive(Debug)]
enum Part {
    Text(String),
    Number(Number),
    /// Hours and minutes.
    Time([Vec<u8>; 2]),
    /// A dash between the ends of a range.
    To,
}

#[derive(Debug)]
struct Number {
    whole: Vec<u8>,
    fraction: Vec<u8>,
    share: Share,
    after: Option<char>,
    writing: Writing,
}

/// How the digits of a number are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Writing {
    Plain,
    /// With commas at the thousands: 10,000.
    Thousands,
    /// With dashes or spaces at no set places: 400-800-8888.
    Groups,
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
            Some(Part::Number(_) | Part::Time(_))
                if (is_dash(letter) || is_tilde(letter)) && next_is_number =>
            {
                parts.push(Part::To);
            }
            Some(Part::Text(text)) => text.push(letter),
            _ => parts.push(Part::Text(letter.into())),
        }
    }
    parts
}

const fn is_dash(letter: char) -> bool {
    matches!(letter, '-' | '－' | '–' | '—')
}

const fn is_tilde(letter: char) -> bool {
    matches!(letter, '~' | '～')
}

/// The number that begins at `from`, and where it ends.
fn number(letters: &[char], from: usize) -> (Part, usize) {
    if let Some((whole, at)) = grouped(letters, from) {
        let number = Number {
            whole,
            fraction: Vec::new(),
            share: Share::Nothing,
            after: letters.get(at).copied(),
            writing: Writing::Groups,
        };
        return (Part::Number(number), at);
    }
    let digits_at = |from: usize| -> Vec<u8> {
        let rest = letters.get(from..).unwrap_or_default();
        rest.iter().map_while(|&letter| digit(letter)).collect()
    };
    let is_at = |at: usize, wanted: [char; 2]| letters.get(at).is_some_and(|l| wanted.contains(l));
    let mut whole = digits_at(from);
    let mut at = from + whole.len();
    let mut writing = Writing::Plain;
    // 10,000
    while whole.len() <= MOST_COUNTED && is_at(at, [',', '，']) && digits_at(at + 1).len() == 3 {
        whole.extend(digits_at(at + 1));
        at += 4;
        writing = Writing::Thousands;
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
        writing,
    };
    (Part::Number(number), at)
}

/// Digits that are one number in groups, and where it ends: dashes between them are no ranges.
fn grouped(letters: &[char], from: usize) -> Option<(Vec<u8>, usize)> {
    let mut groups: Vec<Vec<u8>> = Vec::new();
    let mut at = from;
    let mut mark: Option<char> = None;
    loop {
        let rest = letters.get(at..).unwrap_or_default();
        let group: Vec<u8> = rest.iter().map_while(|&letter| digit(letter)).collect();
        at += group.len();
        groups.push(group);
        let Some(&next) = letters.get(at) else { break };
        let is_same = mark.is_none_or(|mark| mark == next) && (is_dash(next) || next == ' ');
        let goes_on = letters.get(at + 1).is_some_and(|&l| digit(l).is_some());
        if !is_same || !goes_on || groups.len() == MOST_GROUPS {
            break;
        }
        mark = Some(next);
        at += 1;
    }
    let next = |place: usize| letters.get(place).copied();
    let is_cut = match next(at) {
        Some('%' | '％' | '‰') => true,
        Some('.' | '．' | ',' | '，' | ':' | '：') => next(at + 1).and_then(digit).is_some(),
        _ => false,
    };
    let is_measured = next(at).is_some_and(|after| MEASURES.contains(after));
    let n_digits = groups.iter().map(Vec::len).sum::<usize>();
    let has_lead = groups.iter().any(|group| group.len() > 1 && group[0] == 0);
    let is_one = match mark {
        None => false,
        Some(' ') => n_digits >= LEAST_LONG && !is_measured,
        Some(_) if groups.iter().all(|group| group.len() <= 2) => false,
        Some(_) => groups.len() > 2 || has_lead || !is_measured,
    };
    (is_one && !is_cut).then(|| (groups.concat(), at))
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
            Self::To => ["到", "至", ""].map(str::to_owned).to_vec(),
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
            Self::To => "到".to_owned(),
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
        ways.insert(0, self.likeliest());
        let mut seen = std::collections::BTreeSet::new();
        ways.retain(|way| seen.insert(way.clone()));
        ways
    }

    fn likeliest(&self) -> String {
        if self.is_all() {
            return "百分之百".to_owned();
        }
        let is_year = self.after == Some('年') && self.whole.len() == 4;
        let is_plain = self.fraction.is_empty() && self.share == Share::Nothing;
        let is_measured = self.after.is_some_and(|after| MEASURES.contains(after));
        let two = match self.whole.as_slice() {
            [2] if !is_measured => Two::Two,
            _ => Two::Pair,
        };
        let mut said = self.share.said().to_owned();
        said.push_str(
            &match !self.is_countable() || is_plain && (is_year || self.is_name()) {
                true => spelled(&self.whole, if is_year { '一' } else { '幺' }),
                false => counted(&self.whole, two),
            },
        );
        if !self.fraction.is_empty() {
            said.push('点');
            said.push_str(&spelled(&self.fraction, '一'));
        }
        said
    }

    /// Whether it likely names a line or an account: long, and neither an amount nor round.
    fn is_name(&self) -> bool {
        let n_digits = self.whole.len();
        let is_before = |units: &str| self.after.is_some_and(|after| units.contains(after));
        let is_round = self.whole.ends_with(&[0, 0]) && is_before(MEASURES)
            || n_digits < LEAST_LONG && self.whole.ends_with(&[0, 0, 0]);
        let is_amount = self.writing == Writing::Thousands || is_before(MONEY);
        n_digits >= LEAST_NAME && !is_round && !is_amount
    }

    /// 100%.
    fn is_all(&self) -> bool {
        self.share == Share::Hundred && self.whole == [1, 0, 0] && self.fraction.is_empty()
    }

    fn is_countable(&self) -> bool {
        let has_lead = self.whole.len() > 1 && self.whole[0] == 0;
        !has_lead && self.whole.len() <= MOST_COUNTED && self.writing != Writing::Groups
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
            ("10000500元", "一千万零五百元"),
            ("12,345,678", "一千两百三十四万五千六百七十八"),
            ("12345元", "一万两千三百四十五元"),
            ("100000块", "十万块"),
            ("95500", "九五五零零"),
            ("12300", "幺二三零零"),
            ("13800138000", "幺三八零零幺三八零零零"),
            ("138 0013 8000", "幺三八零零幺三八零零零"),
            ("138-0013-8000", "幺三八零零幺三八零零零"),
            ("400-800-8888", "四零零八零零八八八八"),
            ("0571-88889999", "零五七幺八八八八九九九九"),
            ("1000-2000元", "一千到两千元"),
            ("10-15%", "十到百分之十五"),
            ("9:00-10:30", "九点到十点三十"),
            ("07%", "百分之零七"),
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
            ("0571-8888", &["零五七幺八八八八", "零五七一八八八八"]),
            ("110-110-110-110", &["一一零一一零一一零一一零"]),
        ] {
            let ways = ways_said(text);
            assert!(ways.contains(&as_said(text)), "{text}: {ways:?}");
            for other in others {
                assert!(ways.iter().any(|way| way == other), "{other}: {ways:?}");
            }
        }
        assert_eq!(ways_said("400-800-8888"), ["四零零八零零八八八八"]);
        assert_eq!(ways_said("0571-88889999").len(), 2);
        // Of many numbers the likeliest ways are kept.
        let many = "1500块，110，2300天，119，".repeat(3);
        assert_eq!(ways_said(&many)[0], as_said(&many));
        assert!(ways_said(&"12".repeat(300)).len() <= MOST_WAYS);
        assert!(ways_said(&"12 ".repeat(300)).len() <= MOST_WAYS);
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_said(text in "[0-9０-９.,:%‰a百年 -]{0,30}") {
            proptest::prop_assert!(!has_number(&as_said(&text)));
            let ways = ways_said(&text);
            proptest::prop_assert!(!ways.iter().any(|way| has_number(way)));
            proptest::prop_assert_eq!(ways.first(), Some(&as_said(&text)));
        }
    }
}
