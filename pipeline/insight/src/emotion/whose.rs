//! Whose mood a word names: the speaker's own, or another's.
//!
//! 我很生气 is said by somebody angry, 我理解您的愤怒 and 抱歉让您生气了 by somebody who soothes. Whoever is named
//! last before the word feels it; where nobody is, words of sympathy before it tell that it is not the speaker.

use smallvec::SmallVec;

/// How far before a word its owner is looked for, in hanzi.
const REACH_HANZI: usize = 20;
/// How much of a clause is asked for on each side of a word, in hanzi: what stands before its owner, too.
pub(super) const CLAUSE_HANZI: usize = REACH_HANZI + 4;
/// How far behind sympathy it still reaches, in hanzi.
const SYMPATHY_HANZI: usize = 10;
/// The same in English words.
const REACH_WORDS: usize = 12;
/// How far behind a word, in English words.
const REACH_AFTER: usize = 6;

/// Who feels what a word names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Whose {
    Own,
    Others,
}

/// What a word of the lexicon names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Names {
    /// What the speaker thinks of others or of things, by saying it: insults, complaints, praise.
    Opinion,
    /// A state that anybody may be in: 生气, `angry`.
    State,
    /// What things are like for whoever meets them: `frustrating`.
    Trial,
    /// A state that whoever is named before it has mostly caused: 你这样真的受不了.
    Limit,
}

/// Who is named, what is done: what a stretch of text says of the mood behind it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Sign {
    Own,
    /// Somebody else, if little stands between.
    Other,
    /// The other party as a firm (你们), which feels only what it is said to be made to feel.
    Firm,
    /// Sympathy with what comes.
    Sympathy,
    /// 别, 请: what comes is asked of the other.
    Asked,
}

const HANZI_SIGNS: &[(&str, Sign)] = &[
    ("让人", Sign::Own),
    ("令人", Sign::Own),
    ("叫人", Sign::Own),
    ("使人", Sign::Own),
    ("本人", Sign::Own),
    ("我", Sign::Own),
    ("咱", Sign::Own),
    ("俺", Sign::Own),
    ("你们", Sign::Firm),
    ("您们", Sign::Firm),
    ("您", Sign::Other),
    ("你", Sign::Other),
    ("他们", Sign::Other),
    ("她们", Sign::Other),
    ("他", Sign::Other),
    ("她", Sign::Other),
    ("对方", Sign::Other),
    ("客户", Sign::Other),
    ("用户", Sign::Other),
    ("顾客", Sign::Other),
    ("理解", Sign::Sympathy),
    ("体谅", Sign::Sympathy),
    ("体会", Sign::Sympathy),
    ("感受到", Sign::Sympathy),
    ("感觉到", Sign::Sympathy),
    ("听得出", Sign::Sympathy),
    ("听出", Sign::Sympathy),
    ("看得出", Sign::Sympathy),
    ("抱歉", Sign::Sympathy),
    ("对不起", Sign::Sympathy),
    ("不好意思", Sign::Sympathy),
    ("道歉", Sign::Sympathy),
    ("致歉", Sign::Sympathy),
    ("歉意", Sign::Sympathy),
    ("请", Sign::Asked),
    ("别", Sign::Asked),
    ("不要", Sign::Asked),
    ("不用", Sign::Asked),
    ("不必", Sign::Asked),
];
/// Behind these, a person is one to whom something is done, and need not feel it.
const DONE_TO: &[&str] = &[
    "对", "跟", "被", "和", "向", "拿", "找", "给", "替", "帮", "谢", "认识", "因为", "投诉",
];
/// Before these, a person is only spoken to: 你看, 您好.
const SPOKEN_TO: &[&str] = &["好", "看", "说", "听", "想", "知道", "懂"];
/// Behind these, nobody sympathises: 不理解, 你能理解.
const NO_SYMPATHY: &[&str] = &[
    "不",
    "没",
    "没有",
    "无法",
    "没法",
    "难以",
    "不能",
    "不太",
    "不会",
    "你",
    "您",
    "你能",
    "您能",
    "请",
    "请你",
    "请您",
    "你们",
    "你们能",
    "能不能",
    "希望你",
    "希望您",
];
/// Where these end in 别, nothing is asked.
const NOT_ASKED: &[&str] = &[
    "特别", "分别", "个别", "区别", "差别", "告别", "级别", "类别",
];
/// Makes somebody feel, or tells that one knows that he does.
const FIRM_FEELS: &[&str] = &[
    "让",
    "使",
    "令",
    "惹",
    "害",
    "害得",
    "理解",
    "明白",
    "知道",
    "抱歉",
    "对不起",
    "不好意思",
];
/// What somebody else is thought to feel.
const GUESSES: &[&str] = &["一定", "肯定", "心里", "是不是", "应该", "恐怕", "想必"];
/// From here on, what stands before a mood tells of what it is about: 您对我们的服务不满.
const ABOUT: &[&str] = &["对", "因为", "由于", "因", "为了", "为"];
/// What may stand between somebody and his mood. Longer ones first.
const LIGHT: &[&str] = &[
    "会不会",
    "是不是",
    "非常",
    "特别",
    "十分",
    "真的",
    "这么",
    "那么",
    "这样",
    "如此",
    "这种",
    "那种",
    "这份",
    "那份",
    "比较",
    "有点",
    "有些",
    "有所",
    "一直",
    "现在",
    "可能",
    "一定",
    "肯定",
    "确实",
    "心里",
    "心中",
    "感到",
    "感觉",
    "觉得",
    "产生",
    "已经",
    "刚才",
    "当时",
    "今天",
    "昨天",
    "表示",
    "心情",
    "情绪",
    "失望",
    "愤怒",
    "生气",
    "不满",
    "着急",
    "担心",
    "委屈",
    "困扰",
    "应该",
    "千万",
    "不要",
    "不用",
    "不必",
    "不会",
    "不是",
    "不太",
    "很",
    "真",
    "太",
    "更",
    "最",
    "挺",
    "好",
    "也",
    "都",
    "还",
    "又",
    "就",
    "先",
    "会",
    "是",
    "的",
    "有",
    "了",
    "地",
    "得",
    "能",
    "别",
    "请",
    "所",
    "再",
    "那",
    "这",
    "和",
    "与",
];
/// Behind these, another thing is said: 我能理解但是很生气.
const TURNS: &[&str] = &["但", "但是", "可是", "不过", "就是", "然而"];
/// What ends like one of them and is none.
const NO_TURNS: &[&str] = &["不但", "非但", "您就是", "你就是", "他就是", "她就是"];
/// Behind a mood, that somebody else has it: 愤怒的心情我完全理解.
const UNDERSTOOD: &[&str] = &["理解", "明白", "体会", "了解", "感受到"];
/// What may stand between a mood and that it is understood. Longer ones first.
const UNDERSTOOD_BY: &[&str] = &[
    "我们", "非常", "完全", "特别", "十分", "心情", "情绪", "感受", "感觉", "可以", "能够", "的",
    "我", "很", "也", "都", "能", "是",
];

/// Whose the mood is between `before` and `after`, both hanzi without punctuation, of one clause.
pub(super) fn in_hanzi(names: Names, before: &str, after: &str) -> Whose {
    let before = behind_turn(before);
    let starts = before.char_indices().rev().map(|(start, _)| start);
    for start in starts.take(REACH_HANZI) {
        let (left, right) = before.split_at(start);
        let sign = HANZI_SIGNS.iter().find(|(word, _)| right.starts_with(word));
        let Some((word, sign)) = sign else {
            continue;
        };
        if let Some(whose) = told_by(names, *sign, word, left, &right[word.len()..]) {
            return whose;
        }
    }
    match begins_any(strip_all(after, UNDERSTOOD_BY), UNDERSTOOD) {
        true => Whose::Others,
        false => Whose::Own,
    }
}

/// What of `before` stands behind the last 但是 or the like.
fn behind_turn(before: &str) -> &str {
    let ends = before.char_indices().rev();
    let mut ends = ends.map(|(at, hanzi)| before.split_at(at + hanzi.len_utf8()));
    let turn = ends.find(|(left, _)| ends_any(left, TURNS) && !ends_any(left, NO_TURNS));
    turn.map_or(before, |(_, behind)| behind)
}

/// What `word` tells, with what stands before it, and between it and the mood.
fn told_by(names: Names, sign: Sign, word: &str, left: &str, between: &str) -> Option<Whose> {
    let is_person = || !ends_any(left, DONE_TO) && !begins_any(between, SPOKEN_TO);
    let is_light = || {
        let about = ABOUT.iter().filter_map(|word| between.find(word)).min();
        strip_all(&between[..about.unwrap_or(between.len())], LIGHT).is_empty()
    };
    let is_guess = || GUESSES.iter().any(|word| between.contains(word));
    let is_known = || ends_any(left, FIRM_FEELS);
    let is_limit = names == Names::Limit;
    let (holds, whose) = match sign {
        Sign::Own => (!ends_any(left, DONE_TO), Whose::Own),
        Sign::Other => {
            let feels = is_guess() || (is_light() && (!is_limit || is_known()));
            (is_person() && feels, Whose::Others)
        }
        Sign::Firm => (is_known() && is_light(), Whose::Others),
        Sign::Sympathy => {
            let is_meant = !ends_any(left, NO_SYMPATHY) && !between.starts_with("不了");
            let is_near = between.chars().count() <= SYMPATHY_HANZI;
            // 对不起受不了: nobody else is there who could feel it.
            let is_alone = is_limit && !between.contains(['您', '你', '他', '她']);
            (is_meant && is_near && !is_alone, Whose::Others)
        }
        Sign::Asked => {
            let whole = [left, word].concat();
            (!ends_any(&whole, NOT_ASKED) && is_light(), Whose::Others)
        }
    };
    holds.then_some(whose)
}

fn ends_any(text: &str, words: &[&str]) -> bool {
    words.iter().any(|word| text.ends_with(word))
}

fn begins_any(text: &str, words: &[&str]) -> bool {
    words.iter().any(|word| text.starts_with(word))
}

/// `text` from where it is none of `words` any more.
fn strip_all<'a>(mut text: &'a str, words: &[&str]) -> &'a str {
    while let Some(rest) = words.iter().find_map(|word| text.strip_prefix(word)) {
        text = rest;
    }
    text
}

const OWN_WORDS: &[&str] = &[
    "i", "im", "ive", "id", "ill", "me", "my", "myself", "we", "weve", "us", "our",
];
const OTHERS_WORDS: &[&str] = &[
    "you",
    "youre",
    "youve",
    "youd",
    "youll",
    "your",
    "he",
    "hes",
    "she",
    "shes",
    "they",
    "theyre",
    "him",
    "them",
    "their",
    "customer",
    "customers",
    "caller",
    "callers",
];
const SYMPATHY_WORDS: &[&str] = &[
    "understand",
    "understandable",
    "understandably",
    "realise",
    "realize",
    "imagine",
    "appreciate",
    "apologize",
    "apologise",
    "apologies",
    "sorry",
    "empathize",
    "empathise",
    "sympathize",
    "sympathise",
];
/// The same, before `how` or `why`.
const KNOWING_WORDS: &[&str] = &["know", "see"];
/// Behind what is a trial, that it is one for others: this is annoying and I apologise.
const EXCUSES: &[&str] = &["apologize", "apologise", "apologies", "sorry"];
/// Who excuses himself.
const EXCUSES_HIMSELF: &[&str] = &["i", "im", "id", "we", "our", "my"];
/// What may stand between him and the excuse.
const BEFORE_EXCUSE: &[&str] = &[
    "am",
    "are",
    "do",
    "must",
    "want",
    "would",
    "like",
    "to",
    "so",
    "very",
    "really",
    "truly",
    "sincerely",
    "sincerest",
    "deeply",
    "terribly",
    "just",
    "again",
    "say",
];
/// Who is asked for an excuse besides [`OTHERS_WORDS`].
const NOBODY: &[&str] = &["nobody", "anybody", "somebody", "one", "anyone", "someone"];
/// Behind these, nobody sympathises.
const NO_SYMPATHY_WORDS: &[&str] = &[
    "you", "dont", "didnt", "doesnt", "cant", "cannot", "not", "never", "they", "wont", "couldnt",
];
/// Behind these, a person is one to whom something is done.
const DONE_TO_WORDS: &[&str] = &[
    "with", "at", "of", "by", "to", "for", "from", "thank", "hate", "love", "because",
];
/// What may stand between somebody and his mood.
const LIGHT_WORDS: &[&str] = &[
    "are",
    "is",
    "was",
    "were",
    "be",
    "been",
    "being",
    "feel",
    "feels",
    "feeling",
    "felt",
    "may",
    "might",
    "must",
    "would",
    "will",
    "can",
    "could",
    "seem",
    "seems",
    "sound",
    "sounds",
    "look",
    "looks",
    "get",
    "gets",
    "got",
    "getting",
    "become",
    "became",
    "so",
    "very",
    "really",
    "quite",
    "pretty",
    "extremely",
    "rather",
    "a",
    "bit",
    "little",
    "still",
    "all",
    "too",
    "this",
    "that",
    "not",
    "have",
    "has",
    "had",
    "also",
    "such",
    "obviously",
    "clearly",
    "understandably",
    "rightly",
    "probably",
    "and",
    "or",
    "upset",
    "angry",
    "frustrated",
    "annoyed",
    "worried",
    "disappointed",
    "stressed",
    "unhappy",
    "as",
    "completely",
    "totally",
    "an",
    "the",
    "most",
    "frustrating",
    "annoying",
    "difficult",
    "stressful",
];

/// Whose the mood is between `before` and `after`, lower-case words without punctuation, of one clause.
pub(super) fn in_english(names: Names, before: &str, after: &str) -> Whose {
    let mut words: SmallVec<[&str; REACH_WORDS + 1]> = SmallVec::new();
    words.extend(before.split_whitespace().rev().take(REACH_WORDS + 1));
    words.reverse();
    // `, but`: what comes is another thing.
    let since = words.iter().rposition(|word| *word == "but");
    let words = &words[since.map_or(0, |at| at + 1)..];
    let after: SmallVec<[&str; REACH_AFTER]> = after.split_whitespace().take(REACH_AFTER).collect();
    let until = after.iter().position(|word| *word == "but");
    let follows = &after[..until.unwrap_or(after.len())];
    if names == Names::Trial && is_excused(follows) {
        return Whose::Others;
    }
    match after.as_slice() {
        // How angry I am, how angry this makes me.
        ["i" | "im" | "we" | "ive", ..] | [_, "makes" | "made", "me", ..] => return Whose::Own,
        ["you" | "youre" | "youve", ..] if words.last() == Some(&"how") => return Whose::Others,
        // Frustrating for you to keep me waiting: the other's doing, not his trial.
        ["for", "you", "to", ..] => {}
        ["for", "you", ..] => return Whose::Others,
        _ => {}
    }
    for at in (words.len().saturating_sub(REACH_WORDS)..words.len()).rev() {
        if let Some(whose) = told_by_word(names, &words[..at], words[at], &words[at + 1..]) {
            return whose;
        }
    }
    Whose::Own
}

/// Whether the speaker excuses himself in `follows`.
fn is_excused(follows: &[&str]) -> bool {
    let Some(at) = follows.iter().position(|word| EXCUSES.contains(word)) else {
        return false;
    };
    let mut before = follows[..at].iter().rev();
    before
        .find(|word| !BEFORE_EXCUSE.contains(word))
        .is_some_and(|word| EXCUSES_HIMSELF.contains(word))
}

/// Whether an excuse behind `left` is somebody else's to make: `you need to apologize for`.
fn is_owed(left: &[&str]) -> bool {
    let is_done_to = |at: usize| at > 0 && DONE_TO_WORDS.contains(&left[at - 1]);
    let persons = (0..left.len()).rev().filter(|at| !is_done_to(*at));
    let mut persons = persons.filter_map(|at| match left[at] {
        word if OWN_WORDS.contains(&word) => Some(false),
        word if OTHERS_WORDS.contains(&word) || NOBODY.contains(&word) => Some(true),
        _ => None,
    });
    persons.next() == Some(true)
}

fn told_by_word(names: Names, left: &[&str], word: &str, between: &[&str]) -> Option<Whose> {
    let last = left.last().copied().unwrap_or_default();
    let is = |words: &[&str]| words.contains(&word);
    if is(OWN_WORDS) {
        // Our service may be a trial to others.
        let is_ours = matches!(word, "we" | "weve" | "us" | "our");
        let is_passed_over = names == Names::Trial && is_ours || DONE_TO_WORDS.contains(&last);
        return (!is_passed_over).then_some(Whose::Own);
    }
    let is_known = is(KNOWING_WORDS) && matches!(between.first(), Some(&("how" | "why")));
    let is_light = || between.iter().all(|word| LIGHT_WORDS.contains(word));
    if is(SYMPATHY_WORDS) || is_known {
        let is_excuse = is(EXCUSES) && is_owed(left);
        let is_meant = !(NO_SYMPATHY_WORDS.contains(&last) || is_excuse);
        return is_meant.then_some(Whose::Others);
    }
    // `that must be frustrating`
    let is_guess = || matches!(between.first(), Some(&("be" | "have" | "feel")));
    if word == "must" && is_guess() && is_light() {
        let is_own = left.iter().any(|word| matches!(*word, "i" | "we"));
        return (!is_own).then_some(Whose::Others);
    }
    let is_other = names == Names::State && is(OTHERS_WORDS) && !DONE_TO_WORDS.contains(&last);
    (is_other && is_light()).then_some(Whose::Others)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_is_named_last_feels_it() {
        for (before, after, expected) in [
            ("我理解您的", "", Whose::Others),
            ("非常抱歉让您", "了", Whose::Others),
            ("我知道您等了这么久一定很", "", Whose::Others),
            ("理解您等了这么久很", "", Whose::Others),
            ("您对我们的服务很", "", Whose::Others),
            ("给您造成了", "非常抱歉", Whose::Own),
            ("抱歉给您造成了", "", Whose::Others),
            ("您先别这么", "", Whose::Others),
            ("", "的心情我完全理解", Whose::Others),
            ("他很", "", Whose::Others),
            ("抱歉让你们", "了", Whose::Others),
            ("我很", "", Whose::Own),
            ("你别让我", "", Whose::Own),
            ("你让我很", "", Whose::Own),
            ("我不理解很", "", Whose::Own),
            ("请你理解我的", "", Whose::Own),
            ("我对你们很", "", Whose::Own),
            ("对你们的服务", "", Whose::Own),
            ("你们公司太让人", "了", Whose::Own),
            ("你们公司太", "了", Whose::Own),
            ("投诉你们真的很", "", Whose::Own),
            ("你看特别", "", Whose::Own),
            ("谢谢你很", "", Whose::Own),
            ("跟您聊很", "", Whose::Own),
            ("我能理解但是真的很", "", Whose::Own),
            ("我理解你们有规定可是真的很", "", Whose::Own),
            ("理解你们公司有自己的规定这样真的很", "", Whose::Own),
            ("我理解您不但等了很久还很", "", Whose::Others),
            ("我理解您就是有点", "", Whose::Others),
            ("但是我理解您很", "", Whose::Others),
            ("让您感到失望和", "了", Whose::Others),
            ("我非常", "可以理解吧", Whose::Own),
            ("我很", "能理解吗", Whose::Own),
        ] {
            let found = in_hanzi(Names::State, before, after);
            assert_eq!(found, expected, "{before}…{after}");
        }
    }

    #[test]
    fn who_is_named_before_a_limit_has_caused_it() {
        for (before, expected) in [
            ("你这样真的", Whose::Own),
            ("他真的", Whose::Own),
            ("这样", Whose::Own),
            ("对不起", Whose::Own),
            ("我理解您", Whose::Others),
            ("理解您等了这么久", Whose::Others),
            ("您一定", Whose::Others),
        ] {
            assert_eq!(in_hanzi(Names::Limit, before, ""), expected, "{before}");
        }
    }

    #[test]
    fn the_same_in_english() {
        let state = |before, after, expected| {
            let found = in_english(Names::State, before, after);
            assert_eq!(found, expected, "{before} … {after}");
        };
        state("i understand you are", "", Whose::Others);
        state("i understand that you feel upset and", "", Whose::Others);
        state("i can see why youre", "", Whose::Others);
        state("im sorry that made you", "", Whose::Others);
        state("i know how", "you must be", Whose::Others);
        state("he was", "", Whose::Others);
        state("are you", "", Whose::Others);
        state("im really", "", Whose::Own);
        state("i understand that but im", "", Whose::Own);
        state("im sorry but im", "", Whose::Own);
        state("you are making me", "", Whose::Own);
        state("you have no idea how", "i am", Whose::Own);
        state("your service makes everybody", "", Whose::Own);
        state("do you understand how", "this makes me", Whose::Own);
        state("im so", "with you", Whose::Own);
        let trial = |before, after, expected| {
            let found = in_english(Names::Trial, before, after);
            assert_eq!(found, expected, "{before} … {after}");
        };
        trial("i understand how", "this is", Whose::Others);
        trial("that must be so", "", Whose::Others);
        trial("this is", "for you", Whose::Others);
        trial("i apologize for the", "experience", Whose::Others);
        trial("i know this is", "and i apologize", Whose::Others);
        trial("im calling as this is", "but sorry", Whose::Own);
        trial("this is so", "", Whose::Own);
        trial("do you know how", "this is", Whose::Own);
        trial("you dont understand how", "this is", Whose::Own);
        trial("sorry but this is", "", Whose::Own);
        trial("this is", "and im so sorry", Whose::Others);
        trial("this is", "and our sincerest apologies", Whose::Others);
        trial("this is", "and you need to apologize", Whose::Own);
        trial("this is", "and i want you to apologize", Whose::Own);
        trial("this is", "and nobody even said sorry", Whose::Own);
        trial("you need to apologize for this", "service", Whose::Own);
        trial("thank you for waiting sorry for the", "line", Whose::Others);
        trial("it is so", "for you to keep putting me", Whose::Own);
        trial("i understand it is", "for you to wait", Whose::Others);
        trial("you must be joking this is", "", Whose::Own);
        trial("it must have been a really", "", Whose::Others);
    }
}
