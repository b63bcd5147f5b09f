//! Whether a clause asks: final particles, question words, A-not-A.

/// Question words; each asks wherever it stands unless a clause holds something of [`NOT_ASKING`].
const ASKING: [&str; 31] = [
    "什么",
    "怎么",
    "怎样",
    "多少",
    "多久",
    "多大",
    "多长时间",
    "多远",
    "哪",
    "谁",
    "为啥",
    "干嘛",
    "咋",
    "何时",
    "如何",
    "几点",
    "几号",
    "几月",
    "几楼",
    "几岁",
    "几位数",
    "星期几",
    "周几",
    "第几",
    "几个人",
    "几天能",
    "多贵",
    "啥",
    "几个月",
    "几期",
    "是否",
];

/// What makes a question word mean "any", "some" or an embedded clause.
const NOT_ASKING: [&str; 46] = [
    "没什么",
    "不知道",
    "不清楚",
    "不晓得",
    "不明白",
    "不确定",
    "不管",
    "无论",
    "不论",
    "看看",
    "看一下",
    "看一看",
    "想想",
    "想一想",
    "告诉",
    "记得",
    "忘了",
    "没怎么",
    "不怎么",
    "什么的",
    "随便",
    "多少有点",
    "多少会",
    "再怎么",
    "怎么着",
    "不太清楚",
    "取决于",
    "查一下",
    "查询是否",
    "核实是否",
    "确认是否",
    "随时",
    "哪怕",
    "哪里哪里",
    "看您",
    "看你",
    "好像",
    "如果有什么",
    "要是有什么",
    "有什么问题可以",
    "有什么需要可以",
    "谁知道",
    "我知道",
    "了解到",
    "听听",
    "说说",
];

/// These after a question word turn it into "all": 什么都没做, 谁也不去, 谁来都能过.
const ALL: [char; 2] = ['都', '也'];

/// Whether a clause, without its marks, is a question.
pub(super) fn is_question(clause: &str) -> bool {
    let clause = clause.trim_end_matches(['啊', '呀', '哦', '呃', '嗯', '那', '哈']);
    let Some(last) = clause.chars().last() else {
        return false;
    };
    match last {
        '吗' | '么' if !ends_in_word_with_me(clause) => true,
        '呢' => asks_with_ne(clause),
        '吧' => asks_with_ba(clause),
        _ => asks_inside(clause) || is_tag(clause),
    }
}

/// 么 of 什么, 怎么 and 那么 is no particle; whether those ask is another matter.
fn ends_in_word_with_me(clause: &str) -> bool {
    ["什么", "怎么", "那么", "这么", "要么", "多么"]
        .iter()
        .any(|word| clause.ends_with(word))
        && !asks_inside(clause)
}

/// 呢 asks, unless it says that something goes on.
fn asks_with_ne(clause: &str) -> bool {
    let goes_on = [
        "还没", "还在", "正在", "才", "着呢", "可", "等着", "多着", "早着",
    ];
    asks_inside(clause) || !goes_on.iter().any(|word| clause.contains(word))
}

/// 吧 mostly urges (你说吧); it asks behind a guess (您是王先生吧, 不能说吧).
fn asks_with_ba(clause: &str) -> bool {
    let guesses = [
        "不能", "不会", "不是", "没有", "是", "应该", "可能", "大概", "对",
    ];
    let urges = [
        "还是",
        "就是",
        "但是",
        "要是",
        "算了",
        "那就",
        "请您",
        "请你",
        "让",
        "好吧",
        "行吧",
        "有病吧",
        "是的",
    ];
    guesses.iter().any(|word| clause.contains(word))
        && !urges.iter().any(|word| clause.contains(word))
}

fn is_tag(clause: &str) -> bool {
    ["是吧", "对吧"].contains(&clause)
}

fn asks_inside(clause: &str) -> bool {
    // 能不能帮我查一下 asks, whatever follows; 帮我查一下能不能办 does not.
    let a_not_a = find_a_not_a(clause);
    let governed = |at: usize| NOT_ASKING.iter().any(|words| clause[..at].contains(words));
    if a_not_a.is_some_and(|at| !governed(at)) {
        return true;
    }
    let asks = a_not_a.is_some() || ASKING.iter().any(|word| asks_with(clause, word));
    let polite = clause.contains("请问");
    (asks || offers_a_choice(clause))
        && (polite || !NOT_ASKING.iter().any(|words| clause.contains(words)))
}

/// 是今天还是明天: both sides are named.
fn offers_a_choice(clause: &str) -> bool {
    clause
        .split_once("还是")
        .is_some_and(|(one, other)| one.contains('是') && !other.is_empty())
}

/// The question word stands here, and no 都 or 也 behind it.
fn asks_with(clause: &str, word: &str) -> bool {
    let Some(at) = clause.find(word) else {
        return false;
    };
    let behind = &clause[at + word.len()..];
    !behind.chars().take(5).any(|ch| ALL.contains(&ch))
}

/// Where 是不是, 能不能, 有没有, 去不去 begins: a verb, a negation and the same verb.
fn find_a_not_a(clause: &str) -> Option<usize> {
    let chars: Vec<(usize, char)> = clause.char_indices().collect();
    let found = chars.windows(3).find(|window| is_a_not_a(window))?;
    found.first().map(|(at, _)| *at)
}

fn is_a_not_a(window: &[(usize, char)]) -> bool {
    // 动不动就打来 says how often.
    const NO_VERBS: &str = "一二三四五六七八九十差左右时动不没";
    matches!(window, [(_, a), (_, '不' | '没'), (_, b)] if a == b && !NO_VERBS.contains(*a))
}
