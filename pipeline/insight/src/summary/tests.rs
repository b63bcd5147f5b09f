//! Summaries of dialogues made up for the purpose, and of any text at all.

use auricle_contracts::{Party, PiiKind, PiiSpan, Quote, Summary, TextPlace, Utterance};
use proptest::prelude::*;

use super::{CallText, summarize};
use crate::Spoken;
use crate::testing::utterance;

/// A call of lines `a: …` and `c: …`, one utterance each.
fn dialogue(text: &str) -> Vec<Utterance> {
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    let mut start_ms = 0;
    let utterances = lines.map(|line| {
        let (who, words) = line.split_once(':').expect("`a:` or `c:`");
        let party = if who == "a" {
            Party::Agent
        } else {
            Party::Customer
        };
        let mut said = utterance(party, start_ms, words.trim());
        said.spoken = words
            .to_lowercase()
            .replace(['，', '。', '？', '！', ',', '.', '?', '!'], " ");
        start_ms = said.end_ms + 500;
        said
    });
    utterances.collect()
}

fn summary(utterances: &[Utterance], pii: &[PiiSpan]) -> Summary {
    let spoken: Vec<Spoken<'_>> = utterances
        .iter()
        .enumerate()
        .map(|(idx, utterance)| Spoken::new(utterance, idx))
        .collect();
    summarize(&CallText {
        spoken: &spoken,
        pii,
        ..CallText::default()
    })
}

fn texts(quotes: &[Quote]) -> Vec<&str> {
    quotes.iter().map(|quote| quote.text.as_str()).collect()
}

/// Shows what is made of the transcripts in the folder that `AURICLE_HEARD` names.
#[test]
fn heard_calls_are_summed_up() {
    let Some(folder) = std::env::var_os("AURICLE_HEARD") else {
        eprintln!("skipped: AURICLE_HEARD names no folder of transcripts");
        return;
    };
    let mut files: Vec<_> = std::fs::read_dir(folder)
        .expect("a folder of transcripts")
        .flatten()
        .map(|file| file.path())
        .collect();
    files.sort();
    for path in files {
        let text = std::fs::read_to_string(&path).expect("a transcript");
        let call: auricle_contracts::Transcript =
            serde_json::from_str(&text).expect("a transcript");
        let summary = summary(&call.utterances, &[]);
        eprintln!("{}\n{}", path.display(), told(&summary));
        let lists = [
            &summary.reason,
            &summary.outcome,
            &summary.promises,
            &summary.numbers,
        ];
        for quote in lists.into_iter().flatten() {
            assert!(
                call.utterances[quote.utterance].text.contains(&quote.text),
                "{quote:?}"
            );
        }
    }
}

const REPAIR: &str = "
    a: 您好，星河家电售后，工号三零一，请问有什么可以帮您？
    c: 你好，我家的空调不制冷了，昨天开始一直漏水。
    a: 请问是什么时候买的？
    c: 去年6月买的，花了3200块。
    a: 还在保修期内，我给您登记一下，安排师傅上门。
    c: 那什么时候能来？
    a: 师傅明天上午10点之前会联系您。
    c: 要收钱吗？
    a: 保修期内不收费，换配件的话打8折。
    c: 行，那就明天上午。
    a: 好的，我马上登记，感谢您的来电，再见。
    c: 再见。";

const LOAN: &str = "
    a: 您好，我是金叶金融的，这次来电是想跟您确认一下逾期的账单。
    c: 哦，多少钱？
    a: 一共欠款8600元，已经超过15天了。
    c: 我最近手头紧，下周一发工资，我先还5000。
    a: 剩下的部分呢？
    c: 剩下的月底之前一定还清。
    a: 好，我给您记录，下周二我再给您回电话。
    c: 行，就这样吧。";

const ENGLISH: &str = "
    a: Good morning, this is Dana from Northwind support. How can I help?
    c: Hi, my router stopped working on Sunday and I was charged twice.
    a: I'm sorry to hear that. Can you tell me the amount?
    c: It was $49.90, two times.
    a: I will refund $49.90 today, you will receive it within 3 business days.
    c: And the router?
    a: We will send a technician on Tuesday at 10 am.
    c: That works, thank you.
    a: Thank you for calling, goodbye.";

/// One list a line, quotes between bars.
fn told(summary: &Summary) -> String {
    let lists = [
        ("reason", &summary.reason),
        ("outcome", &summary.outcome),
        ("promises", &summary.promises),
        ("numbers", &summary.numbers),
    ];
    let lists = lists.map(|(name, quotes)| format!("{name}: {}\n", texts(quotes).join(" | ")));
    lists.concat()
}

#[test]
fn dialogues_are_summed_up_in_their_own_words() {
    let check = |text: &str, expected: &str| {
        let expected: String = expected
            .lines()
            .map(|line| format!("{}\n", line.trim()))
            .collect();
        assert_eq!(told(&summary(&dialogue(text), &[])), expected);
    };
    check(
        REPAIR,
        "reason: 我家的空调不制冷了，昨天开始一直漏水
        outcome: 师傅明天上午10点之前会联系您 | 行，那就明天上午 | 好的，我马上登记，感谢您的来电，再见
        promises: 还在保修期内，我给您登记一下，安排师傅上门 | 师傅明天上午10点之前会联系您 | 好的，我马上登记，感谢您的来电，再见
        numbers: 去年6月 | 3200块 | 明天上午10点之前 | 8折",
    );
    check(
        LOAN,
        "reason: 这次来电是想跟您确认一下逾期的账单
        outcome: 好，我给您记录，下周二我再给您回电话 | 行，就这样吧
        promises: 我最近手头紧，下周一发工资，我先还5000 | 剩下的月底之前一定还清 | 好，我给您记录，下周二我再给您回电话
        numbers: 8600元 | 15天 | 下周一 | 5000 | 月底 | 下周二",
    );
    check(
        ENGLISH,
        "reason: my router stopped working on Sunday and I was charged twice
        outcome: I will refund $49.90 today, you will receive it within 3 business days | We will send a technician on Tuesday at 10 am | That works, thank you
        promises: I will refund $49.90 today, you will receive it within 3 business days | We will send a technician on Tuesday at 10 am
        numbers: Sunday | $49.90 | two times | 3 business days | Tuesday at 10 am",
    );
}

#[test]
fn what_is_asked_threatened_or_denied_is_no_promise() {
    let check = |line: &str, is_promise: bool| {
        let summary = summary(&dialogue(line), &[]);
        assert_eq!(!summary.promises.is_empty(), is_promise, "{line}");
    };
    check("a: 我明天给您回电话。", true);
    check("a: 款项三天内到账。", true);
    check("c: 我下周一还款。", true);
    check("a: 我们不会再联系您。", true);
    check("a: 这个收益我向您保证。", true);
    check("a: 专员会尽快跟您联系。", true);
    check("a: I'll call you back on Friday.", true);
    check("c: I will pay the rest next Monday.", true);
    check("a: 这个我不能给您保证。", false);
    check("a: 您明天能还款吗？", false);
    check("c: 你明天下午再打过来吧。", false);
    check("c: 麻烦您尽快给我处理。", false);
    check("a: 今天不还，我就给你老板打电话。", false);
    check("a: 今天天气不错。", false);
    check("a: Can you pay by Friday?", false);
    check("c: Please call me back tomorrow.", false);
}

#[test]
fn numbers_of_all_kinds_are_quoted() {
    let check = |line: &str, expected: &[&str]| {
        let summary = summary(&dialogue(line), &[]);
        assert_eq!(texts(&summary.numbers), expected, "{line}");
    };
    check("a: 年利率4.5%，手续费200元。", &["4.5%", "200元"]);
    check("a: 百分之三点五，打八折。", &["百分之三点五", "八折"]);
    check("a: 一共六块四，十万块一个月。", &["六块四", "十万块"]);
    check(
        "a: 12月15日上午9:30到，保修两年。",
        &["12月15日上午9:30", "两年"],
    );
    check("a: 分12期，每期300块。", &["12期", "每期300块"]);
    check("a: 下周三下午3点半之前。", &["下周三下午3点半之前"]);
    check("a: 一个人，一次，第二次，几天。", &[]);
    check(
        "a: It costs $1,299.50, five percent off until Friday.",
        &["$1,299.50", "five percent", "Friday"],
    );
    check("a: 订单号是30265518。", &[]);
    // 一 of what comes next is not the amount's, nor the week's.
    check("a: 五万一年。", &["五万"]);
    check(
        "a: 三千一个月，两百一次，一万一天。",
        &["三千", "两百", "一万"],
    );
    check(
        "a: 三百五一个月，3000一期，5万一套。",
        &["三百五", "3000", "5万"],
    );
    check("a: 五万一千一年。", &["五万一千"]);
    check("a: 一共五万一。", &["五万一"]);
    check("a: 五万一千块。", &["五万一千块"]);
    check("a: 三百二十一天。", &["三百二十一天"]);
    check("c: 我下个星期一定交。", &["下个星期"]);
    check("c: 我这周三次都没空。", &["这周", "三次"]);
    check("c: 下周一上午我一定交。", &["下周一上午"]);
    check("a: 本周日程满了。", &["本周"]);
    check("a: 我的卡号是六二二二零二八零一一。", &[]);
}

/// Personal data is named by its place in the spoken form; the written form has it in other letters.
#[test]
fn personal_data_is_in_no_list() {
    let mut utterances = dialogue(
        "a: 您好，请问有什么可以帮您？
        c: 我要退款，我的电话是13800005678。
        a: 好的，三天内退到您尾号12345的卡上。
        c: 好，打到13800005678，谢谢。",
    );
    utterances[1].spoken = "我要退款我的电话是幺三八零零零零五六七八".into();
    utterances[2].spoken = "好的三天内退到您尾号一二三四五的卡上".into();
    let place = |utterance, from, to| TextPlace {
        utterance,
        from,
        to,
    };
    let pii = [
        PiiSpan {
            kind: PiiKind::BankCard,
            party: Party::Agent,
            start_ms: 0,
            end_ms: 0,
            places: vec![place(2, 10, 15)],
        },
        PiiSpan {
            kind: PiiKind::Phone,
            party: Party::Customer,
            start_ms: utterances[3].start_ms,
            end_ms: utterances[3].end_ms,
            places: Vec::new(),
        },
    ];
    let summary = summary(&utterances, &pii);
    assert_eq!(texts(&summary.reason), ["我要退款"]);
    assert_eq!(
        texts(&summary.promises),
        ["好的"; 0],
        "the promise has the number in it"
    );
    assert_eq!(texts(&summary.numbers), ["三天内"]);
    assert!(!told(&summary).contains("138") && !told(&summary).contains("123"));
}

#[test]
fn calls_with_nothing_to_sum_up_have_empty_lists() {
    for text in ["", "a: 您好。", "c: 喂？", "a: 您好。\nc: 再见。"] {
        let summary = summary(&dialogue(text), &[]);
        assert!(
            summary.reason.is_empty() && summary.promises.is_empty(),
            "{text}: {}",
            told(&summary)
        );
    }
}

#[test]
fn homophones_do_not_hide_phrases() {
    let summary = summary(
        &dialogue("a: 好的，师父会连系您。\na: 我回头给您回电画。"),
        &[],
    );
    assert_eq!(
        texts(&summary.promises),
        ["好的，师父会连系您", "我回头给您回电画"]
    );
}

const PIECES: [&str; 14] = [
    "我明天给您回电话",
    "，",
    "。",
    "12,345.6元",
    "百分之三",
    " ",
    "OK",
    "I will call you",
    "？",
    "3点半",
    "您好",
    "我要退款",
    "6222",
    "é",
];

proptest! {
    /// Whatever is written and whatever was said, every text is a piece of its utterance, once in its list.
    #[test]
    fn every_text_is_a_piece_of_an_utterance(
        call in prop::collection::vec(
            (
                prop::collection::vec(prop::sample::select(PIECES.to_vec()), 0..40),
                prop_oneof![Just(None), "[我明天给您回电话三点3 a]{0,30}".prop_map(Some)],
                0..3u8,
            ),
            0..12,
        ),
        places in prop::collection::vec((0..12usize, 0..40usize, 0..40usize), 0..4),
    ) {
        let utterances: Vec<Utterance> = call.into_iter().zip(0u64..).map(|((pieces, spoken, who), at)| {
            let party = [Party::Agent, Party::Customer, Party::Unknown][usize::from(who)];
            let mut said = utterance(party, at * 3000, &pieces.concat());
            if let Some(spoken) = spoken {
                said.spoken = spoken;
            }
            said
        }).collect();
        let pii: Vec<PiiSpan> = places.into_iter().map(|(utterance, from, to)| PiiSpan {
            kind: PiiKind::Phone,
            party: Party::Agent,
            start_ms: 0,
            end_ms: 0,
            places: vec![TextPlace { utterance, from, to }],
        }).collect();
        let summary = summary(&utterances, &pii);
        let lists = [(&summary.reason, 1), (&summary.outcome, 3), (&summary.promises, 6), (&summary.numbers, 8)];
        for (quotes, most) in lists {
            prop_assert!(quotes.len() <= most);
            for (place, quote) in quotes.iter().enumerate() {
                let said = &utterances[quote.utterance];
                let written = if said.text.is_empty() { &said.spoken } else { &said.text };
                prop_assert!(written.contains(&quote.text), "{quote:?}");
                prop_assert!(!quote.text.is_empty() && quote.party == said.party);
                prop_assert!(quotes[..place].iter().all(|other| other.text != quote.text));
            }
        }
    }
}

#[test]
fn a_call_of_three_hours_is_summed_up() {
    let lines = REPAIR
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty());
    let text: Vec<&str> = lines.cycle().take(4000).collect();
    let utterances = dialogue(&text.join("\n"));
    assert!(
        utterances
            .last()
            .is_some_and(|last| last.end_ms > 3 * 3_600_000)
    );
    let summary = summary(&utterances, &[]);
    assert_eq!(
        texts(&summary.reason),
        ["我家的空调不制冷了，昨天开始一直漏水"]
    );
    assert_eq!(
        texts(&summary.numbers),
        ["去年6月", "3200块", "明天上午10点之前", "8折"]
    );
}
