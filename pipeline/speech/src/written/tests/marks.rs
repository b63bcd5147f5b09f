//! Marks at clauses. `|` is a pause of 290 ms among gaps of 25 ms.

use super::{timed, write};
use crate::written::{Ending, SpokenWord, write_utterance};

fn check_all(table: &[(&str, &str)]) {
    let mut wrong = Vec::new();
    for (spoken, written) in table {
        let got = write(spoken, Ending::Final).text;
        if got != *written {
            wrong.push(format!("`{spoken}` must be `{written}`, got `{got}`"));
        }
    }
    assert!(
        wrong.is_empty(),
        "{} wrong of {}\n{}",
        wrong.len(),
        table.len(),
        wrong.join("\n")
    );
}

#[test]
fn pauses_make_clauses() {
    check_all(&[
        (
            "我们 有 一个 新 产品 | 一年 一定 赚 百分之十",
            "我们有一个新产品，一年一定赚10%。",
        ),
        (
            "先生 您 好 | 我 是 银行 的 张明",
            "先生您好，我是银行的张明。",
        ),
        ("听起来 不错 | 我 想 买 五万", "听起来不错，我想买5万。"),
        ("好 | 我 马上 记录", "好，我马上记录。"),
        ("不用 了 | 谢谢 | 再见", "不用了，谢谢，再见。"),
        (
            "好 的 | 幺 五 九 零 零 零 零 幺 二 三 四",
            "好的，15900001234。",
        ),
        (
            "三 天 以内 到账 | 密码 请 不要 告诉 别人",
            "3天以内到账，密码请不要告诉别人。",
        ),
        ("再 学 一年 | 九千 六", "再学一年，9600。"),
    ]);
}

#[test]
fn numbers_hold_together_over_pauses() {
    check_all(&[
        ("幺 三 八 | 零 零 零 零 | 五 六 七 八", "13800005678。"),
        (
            "我 的 号码 是 | 幺 三 八 | 零 零 零 零 | 五 六 七 八",
            "我的号码是，13800005678。",
        ),
        ("一 百 | 二 十 | 块", "120块。"),
        ("二零二六 年 | 三 月 | 五 号", "2026年3月5号。"),
        ("下午 三 点 | 二十", "下午3点20。"),
        ("百 分 之 | 五", "5%。"),
        ("三 块 | 五", "3块5。"),
        ("三 | 个 月", "3个月。"),
        ("一百 | 两百 | 三百", "100，200，300。"),
        ("两百三 | 两百四", "230，240。"),
        ("给 我 转 二十 | 万一 不够 呢", "给我转20，万一不够呢？"),
        ("三十 号 或者 三十一 号", "30号或者31号。"),
    ]);
}

#[test]
fn words_make_clauses_without_a_pause() {
    check_all(&[
        ("您好 我 是 客服 小王", "您好，我是客服小王。"),
        ("喂 您 好 请问 是 刘 先生 吗", "喂您好，请问是刘先生吗？"),
        ("好的 我 明白 了", "好的，我明白了。"),
        ("没关系 您 听 我 说", "没关系，您听我说。"),
        ("我 想 买 但是 没有 钱", "我想买，但是没有钱。"),
        (
            "这个 产品 很 好 而且 不贵 所以 大家 都 买",
            "这个产品很好，而且不贵，所以大家都买。",
        ),
        ("今天 不行 因为 我 在 开会", "今天不行，因为我在开会。"),
        ("你好 吗", "你好吗？"),
        ("你好 像 不 明白", "你好像不明白。"),
        ("是的 话 就 办", "是的话就办。"),
        ("只 是因为 贵", "只是因为贵。"),
        ("那 如果 不 还 呢", "那如果不还呢？"),
    ]);
}

#[test]
fn final_marks() {
    check_all(&[
        ("能 通过 吗", "能通过吗？"),
        ("需要 带 什么", "需要带什么？"),
        ("利息 是 多少", "利息是多少？"),
        ("您 怎么 称呼", "您怎么称呼？"),
        ("你 是 谁", "你是谁？"),
        ("哪 一家 公司", "哪一家公司？"),
        ("为什么 不 交", "为什么不交？"),
        ("能不能 便宜 一点", "能不能便宜一点？"),
        ("有 没有 时间", "有没有时间？"),
        ("您 是 不是 本人", "您是不是本人？"),
        ("去 不 去", "去不去？"),
        ("几 点 开门", "几点开门？"),
        ("人 呢", "人呢？"),
        ("您 是 王 先生 吧", "您是王先生吧？"),
        ("你 说 吧", "你说吧。"),
        ("那 好 吧", "那好吧。"),
        ("我 没有 贷款 啊", "我没有贷款啊。"),
        ("我 什么 都 没 做 过", "我什么都没做过。"),
        ("谁 来 都 能 过", "谁来都能过。"),
        ("没什么", "没什么。"),
        ("我 看看 你 是 谁", "我看看你是谁。"),
        ("我 不 知道 怎么 办", "我不知道怎么办。"),
        ("不管 是 不是 真的", "不管是不是真的。"),
        ("你 知道 吗", "你知道吗？"),
        ("还 没 到 呢", "还没到呢。"),
        ("怕 什么 呢", "怕什么呢？"),
        ("不 三 不 四", "不三不四。"),
        ("能不能 帮 我 查一下 余额", "能不能帮我查一下余额？"),
        ("可不可以 帮 我 看看", "可不可以帮我看看？"),
        ("我 帮 您 查一下 能不能 办", "我帮您查一下能不能办。"),
        ("我 帮 您 查询 是否 到账", "我帮您查询是否到账。"),
        ("有 什么 问题 随时 联系 我们", "有什么问题随时联系我们。"),
        ("哪怕 利息 高 一点", "哪怕利息高一点。"),
        ("你们 动不动 就 打 电话", "你们动不动就打电话。"),
        (
            "您 看 是 今天 处理 还是 明天 处理",
            "您看是今天处理还是明天处理？",
        ),
        ("手机 还是 有 问题", "手机还是有问题。"),
        ("我 马上 记录", "我马上记录。"),
        ("hello world", "hello world."),
        ("我 要 OK", "我要OK。"),
    ]);
}

#[test]
fn a_clause_inside_may_ask() {
    check_all(&[
        (
            "你 叫 什么 名字 | 我 帮 您 登记",
            "你叫什么名字？我帮您登记。",
        ),
        ("真的 吗 | 让 我 想 一 想", "真的吗？让我想一想。"),
        ("钱 到 了 吗 我 看看", "钱到了吗？我看看。"),
    ]);
}

#[test]
fn no_final_mark_while_it_goes_on() {
    assert_eq!(write("您好 我 是", Ending::Partial).text, "您好，我是");
    assert_eq!(write("", Ending::Final).text, "");
    assert_eq!(write("|", Ending::Final).text, "");
}

/// A slow speaker leaves 250 ms between all words and 800 ms at clauses.
#[test]
fn slow_speakers_get_no_comma_after_every_word() {
    let spread = |spoken: &'static str, gap_ms: u64, clause_ms: u64| {
        let mut now_ms = 0;
        let mut words: Vec<SpokenWord<'_>> = Vec::new();
        for text in spoken.split_whitespace() {
            if text == "|" {
                now_ms += clause_ms - gap_ms;
                continue;
            }
            words.push(SpokenWord {
                text,
                start_ms: now_ms,
                end_ms: now_ms + 300,
            });
            now_ms += 300 + gap_ms;
        }
        write_utterance(&words, Ending::Final).text
    };
    let spoken = "我们 现在 有 一个 贷款 | 最多 可以 借 二十万";
    assert_eq!(
        spread(spoken, 250, 800),
        "我们现在有一个贷款，最多可以借20万。"
    );
    assert_eq!(
        spread(spoken, 10, 160),
        "我们现在有一个贷款，最多可以借20万。"
    );
    assert_eq!(
        spread(spoken, 40, 1200),
        "我们现在有一个贷款。最多可以借20万。"
    );
}

/// Some engines end each word where the next begins: the pause is then inside the word.
#[test]
fn pauses_hidden_in_word_lengths() {
    let mut words = timed("听起来 不错 我 想 买 五万");
    words[1].end_ms += 350;
    for at in 2..words.len() {
        let length_ms = words[at].end_ms - words[at].start_ms;
        words[at].start_ms = words[at - 1].end_ms;
        words[at].end_ms = words[at].start_ms + length_ms;
    }
    words[1].start_ms = words[0].end_ms;
    assert_eq!(
        write_utterance(&words, Ending::Final).text,
        "听起来不错，我想买5万。"
    );
}
