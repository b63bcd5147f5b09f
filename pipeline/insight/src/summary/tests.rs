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
        let party = if who == "a" { Party::Agent } else { Party::Customer };
        let mut said = utterance(party, start_ms, words.trim());
        said.spoken = words.to_lowercase().replace(['，', '。', '？', '！', ',', '.', '?', '!'], " ");
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

#[expect(clippy::print_stderr, reason = "shows what is made of calls when asked to")]
#[test]
fn calls_to_look_at() {
    let Some(folder) = std::env::var_os("AURICLE_HEARD") else {
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
        let call: auricle_contracts::Transcript = serde_json::from_str(&text).expect("a transcript");
        let summary = summary(&call.utterances, &[]);
        eprintln!("{}", path.display());
        for (name, quotes) in [
            ("reason", &summary.reason),
            ("outcome", &summary.outcome),
            ("promises", &summary.promises),
            ("numbers", &summary.numbers),
        ] {
            let quotes = quotes.iter().map(|quote| format!("{}: {}", &quote.party.as_str()[..1], quote.text));
            eprintln!("  {name:9} {}", quotes.collect::<Vec<_>>().join(" | "));
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
        let expected: String = expected.lines().map(|line| format!("{}\n", line.trim())).collect();
        assert_eq!(told(&summary(&dialogue(text), &[])), expected);
    };
    check(
        REPAIR,
        "reason: 我家的空调不制冷了，昨天开始一直漏水
        outcome: 行，那就明天上午 | 好的，我马上登记，感谢您的来电，再见
        promises: 还在保修期内，我给您登记一下，安排师傅上门 | 师傅明天上午10点之前会联系您 | 好的，我马上登记，感谢您的来电，再见
        numbers: 去年6月 | 3200块 | 明天上午10点之前 | 8折 | 明天上午",
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
        numbers: Sunday | $49.90 | two times | today | 3 business days | Tuesday at 10 am",
    );
}
