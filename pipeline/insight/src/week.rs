//! Where 周一 is Monday, and where 一 begins another word: 下周一定, 这个星期五天都忙, 本周日程.

/// What goes on a word behind each numeral or 日, in Mandarin.
const WORDS_OF_ONE: &[&str] = &[
    "定", "直", "共", "般", "旦", "概", "律", "致", "切", "样", "边", "些", "块", "向", "会儿",
    "点钟", "点半", "下子",
];
const WORDS_OF_DAY: &[&str] = &["常", "程", "子", "历", "期", "报", "记", "产", "均"];
const WORDS_OF_SKY: &[&str] = &["气", "天"];
/// What numerals count. Others begin names and words as often: 下周三张经理, 下周二笔试, 下周五年会.
const COUNTED: &[&str] = &["次", "天", "个", "趟", "遍"];
/// These begin with a word for what is counted, and are others.
const NOT_COUNTED: &[&str] = &["天气", "天天", "天亮", "天黑", "天晴", "次日"];
/// Monday, although what follows looks like a word of 一.
const MONDAY: &[&str] = &["直接", "定下", "定金", "样品"];
/// Behind 一起 in these, something begins on Monday; behind others it is done together.
const BEGINS: &[&str] = &[
    "就", "都", "算", "执", "生效", "恢", "开始", "实", "正式", "停", "涨", "降", "调", "放假",
    "休", "可", "我", "你", "您", "他", "每", "连", "到", "至",
];
/// Before a week, that something begins in it.
const FROM: [char; 4] = ['从', '自', '打', '由'];

/// Whether `name`, which would be a day behind the name of a week (这周, 下个星期), begins a word of its own with what
/// comes `after` it. `before` stands before the week's name. Where no week is named, 周一 is Monday.
pub(crate) fn begins_another_word(before: Option<char>, name: char, after: &[char]) -> bool {
    let follows = |words: &[&str]| {
        words.iter().any(|word| {
            let mut letters = after.iter().copied();
            word.chars().all(|wanted| letters.next() == Some(wanted))
        })
    };
    match name {
        '日' => follows(WORDS_OF_DAY),
        '天' => follows(WORDS_OF_SKY),
        '一' if follows(MONDAY) => false,
        '一' if follows(WORDS_OF_ONE) => true,
        '一' if follows(&["起"]) => {
            let is_from = before.is_some_and(|letter| FROM.contains(&letter));
            let ends = after.get(1).is_none_or(|next| !next.is_alphanumeric());
            !is_from && !ends && !begins_something(&after[1..])
        }
        _ => follows(COUNTED) && !follows(NOT_COUNTED),
    }
}

fn begins_something(after: &[char]) -> bool {
    let text: String = after.iter().collect();
    BEGINS.iter().any(|word| text.starts_with(word))
}

/// Whether `letter` before 周 or 星期 makes it a week of its own, of which days are counted: 每周三次, 上周一直.
pub(crate) const fn names_week(letter: char) -> bool {
    matches!(
        letter,
        '每' | '上' | '下' | '这' | '本' | '那' | '个' | '一' | '两' | '几'
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_follows_tells_days_from_words() {
        for (text, expected) in [
            ("一定交", true),
            ("一直在忙", true),
            ("一起去吃饭", true),
            ("一起来", true),
            ("一共三次", true),
            ("五天都忙", true),
            ("三次", true),
            ("日常保养", true),
            ("日程", true),
            ("天天加班", true),
            ("一", false),
            ("一直接打给我", false),
            ("一起开始涨价", false),
            ("一起", false),
            ("一上午", false),
            ("一下午", false),
            ("五天气不好", false),
            ("三张经理给您回电", false),
            ("二笔试", false),
            ("五年会之后", false),
            ("日下午", false),
            ("二再说", false),
        ] {
            let letters: Vec<char> = text.chars().collect();
            let found = begins_another_word(None, letters[0], &letters[1..]);
            assert_eq!(found, expected, "{text}");
        }
        let together = ['起', '去'];
        assert!(!begins_another_word(Some('从'), '一', &together));
    }
}
