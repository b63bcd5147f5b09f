//! Which of the times in an utterance is the one to call at.

use super::clause::{Clause, Day, Month, Wait};

/// The clause that asks for the call, with what it takes from those around it.
pub(super) fn choose(clauses: &[Clause]) -> Option<Clause> {
    if clauses.iter().any(|clause| calls_himself(&clause.rest)) {
        return None;
    }
    let scores = clauses.iter().map(|clause| score(clause, clauses));
    let scores = scores.enumerate();
    let candidates = scores.filter_map(|(place, score)| Some((score?, place)));
    // Of equals the first.
    let (_, place) = candidates.max_by_key(|&(score, place)| (score, usize::MAX - place))?;
    Some(complete(clauses, place))
}

/// Words that ask for a call.
const CALLS: &[&str] = &[
    "打", "联系", "回电", "来电", "电话", "回我", "回话", "回复", "找我", "问我", "再说", "再聊",
    "再谈", "再讲", "拨", "听信", "call", "ring", "phone", "contact", "reach", "try", "talk",
];
/// 打 in other words.
const NO_CALLS: &[&str] = &[
    "打算",
    "打针",
    "打扰",
    "打折",
    "打包",
    "打工",
    "打印",
    "打扫",
    "打开",
    "打过",
    "打了",
    "不用打",
    "别打",
    "不要打",
    "别再打",
    "不用电话",
    "不用打电话",
    "don'tcall",
    "dontcall",
    "打烊",
    "打球",
    "打牌",
    "打麻将",
    "打游戏",
    "打车",
    "打卡",
];
/// Says that the customer calls.
const OWN_CALLS: &[&str] = &[
    "我自己",
    "自己打",
    "自己联系",
    "打给你",
    "联系你",
    "找你",
    "给你打",
    "给你们打",
    "给你回",
    "给您打",
    "打给您",
    "联系您",
    "回给你",
    "我打过去",
    "我再打过去",
    "我打客服",
    "i'llcall",
    "illcall",
    "callyou",
    "iwillcall",
    "i'llring",
];
/// Not this time.
const NEGATIONS: &[&str] = &[
    "别",
    "不是",
    "不要",
    "不行",
    "没空",
    "没时间",
    "不方便",
    "不接",
    "昨天",
    "前天",
    "刚才",
    "上周",
    "上个月",
    "not",
    "don't",
    "can't",
    "yesterday",
    "last",
];
/// What may stand beside a time that is all there is in a clause. Longer ones first.
const FILLERS: &[&str] = &[
    "行不行",
    "可以吗",
    "好不好",
    "差不多",
    "一整天",
    "有空",
    "方便",
    "在家",
    "可以",
    "左右",
    "大概",
    "之间",
    "等到",
    "还是",
    "要不",
    "这样",
    "都行",
    "时候",
    "的话",
    "休息",
    "比较好",
    "合适",
    "上下",
    "然后",
    "准时",
    "maybe",
    "please",
    "okay",
    "would",
    "about",
    "around",
    "better",
    "works",
    "great",
    "some",
    "then",
    "time",
    "well",
    "fine",
    "good",
    "best",
    "late",
    "like",
    "say",
    "let's",
    "how",
    "the",
    "yes",
    "for",
    "me",
    "be",
    "is",
    "on",
    "at",
    "in",
    "by",
    "so",
    "or",
    "to",
    "of",
    "it",
    "ok",
    "um",
    "uh",
    "i'm",
    "free",
    "a",
    "吧",
    "啊",
    "呀",
    "呢",
    "哦",
    "嗯",
    "那",
    "就",
    "的",
    "我",
    "你",
    "再",
    "行",
    "好",
    "吗",
    "都",
    "整",
    "等",
    "到",
    "也",
    "嘛",
    "了",
    "呗",
    "哈",
    "诶",
    "哎",
    "您",
    "要",
    "多",
    "约",
    "得",
    "过",
];

/// How likely a clause of `all` is the one; `None` where it cannot be.
fn score(clause: &Clause, all: &[Clause]) -> Option<u32> {
    if !clause.names_time() {
        return None;
    }
    let rest = &clause.rest;
    if asks_for_call(rest) {
        return Some(10 + clause.closeness());
    }
    let mut sentence = all.iter().filter(|other| other.sentence == clause.sentence);
    let is_bare = sentence.all(|part| is_filler(&part.rest));
    (!is_denied(rest) && is_bare).then(|| clause.closeness())
}

fn is_denied(rest: &str) -> bool {
    // `行不行` denies nothing.
    let rest = rest.replace("行不行", "");
    NEGATIONS.iter().any(|word| rest.contains(word))
}

fn asks_for_call(rest: &str) -> bool {
    let rest = NO_CALLS
        .iter()
        .fold(rest.replace("打过来", "来电"), |rest, word| {
            rest.replace(word, "/")
        });
    let is_past = ["昨天", "前天", "刚才", "yesterday"];
    CALLS.iter().any(|word| rest.contains(word)) && !is_past.iter().any(|word| rest.contains(word))
}

fn calls_himself(rest: &str) -> bool {
    OWN_CALLS.iter().any(|word| rest.contains(word)) && !rest.contains("打给我")
}

fn is_filler(rest: &str) -> bool {
    let mut rest = rest.to_owned();
    for word in FILLERS {
        rest = rest.replace(word, "");
    }
    rest.is_empty()
}

/// Fills in what the chosen clause leaves to its neighbours: `周三，上午打给我`.
fn complete(clauses: &[Clause], place: usize) -> Clause {
    let mut asked = clauses[place].clone();
    let earlier = || clauses[..place].iter().rev();
    if asked.wait.is_none() {
        let known = earlier().filter(|clause| !is_denied(&clause.rest));
        match asked.day {
            None => take_day(&mut asked, known),
            Some(day) => asked.day = Some(in_context(day, earlier().filter_map(|c| c.day))),
        }
    }
    if asked.period.is_none() && asked.wait.is_none() {
        let later = clauses[place + 1..]
            .iter()
            .filter(|clause| score(clause, clauses).is_some() && clause.clock.is_none());
        let earlier = earlier().filter(|_| asked.clock.is_some());
        let mut around = earlier
            .chain(later)
            .filter(|clause| clause.day.is_none() || clause.day == asked.day);
        asked.period = around.find_map(|clause| clause.period);
    }
    // `九点以前都行，七点以后打`
    let limit = earlier().find(|clause| clause.is_before && clause.clock.is_some());
    if let (true, None, Some(limit)) = (asked.is_after, asked.clock_end, limit) {
        asked.clock_end = limit.clock;
        asked.is_after = false;
    }
    asked
}

fn take_day<'a>(asked: &mut Clause, mut earlier: impl Iterator<Item = &'a Clause>) {
    let Some(known) = earlier.find(|clause| {
        clause.day.is_some() || matches!(clause.wait, Some(Wait::Days(_) | Wait::Months(_)))
    }) else {
        return;
    };
    asked.day = known.day;
    if known.day.is_none() {
        asked.wait = known.wait;
    }
}

/// `下周一到周三都出差，周四` is next week's; `六月一号出去，二号` is June's.
fn in_context(day: Day, mut earlier: impl Iterator<Item = Day>) -> Day {
    match day {
        Day::Weekday { week: None, day } => {
            let week = earlier.find_map(|known| match known {
                Day::Weekday { week, .. } => week,
                Day::Week { week } => Some(week),
                _ => None,
            });
            Day::Weekday { week, day }
        }
        Day::Date {
            month: Month::Next,
            day,
        } => {
            let month = earlier.find_map(|known| match known {
                Day::Date { month, day: before } if before <= day => Some(month),
                _ => None,
            });
            let month = month.unwrap_or(Month::Next);
            Day::Date { month, day }
        }
        day => day,
    }
}
