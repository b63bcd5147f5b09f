//! Calls in a few lines, and what in them is personal data.

use std::fmt::Write as _;

use auricle_contracts::{Party, PiiSpan, Syllable, SyllableAlternative, Utterance};

use super::{PiiFinder, settle};
use crate::Spoken;
use crate::testing::utterance;

/// A call from lines of `a: …` (agent), `c: …` (customer) and `u: …` (unknown), parted by `|`.
pub(super) fn call(lines: &str) -> Vec<Utterance> {
    let mut start_ms = 0;
    lines
        .split('|')
        .map(|line| {
            let (party, text) = line.trim().split_once(": ").unwrap_or(("u", line));
            let party = match party {
                "a" => Party::Agent,
                "c" => Party::Customer,
                _ => Party::Unknown,
            };
            let mut said = utterance(party, start_ms, text);
            if text.is_ascii() {
                said.spoken = text.to_owned();
            }
            start_ms = said.end_ms + 500;
            said
        })
        .collect()
}

pub(super) fn find_in(call: &[Utterance]) -> Vec<PiiSpan> {
    let mut finder = PiiFinder::new();
    let mut spans = Vec::new();
    for (idx, utterance) in call.iter().enumerate() {
        spans.extend(finder.utterance(&Spoken::new(utterance, idx)));
    }
    spans.extend(finder.finish());
    settle(spans)
}

/// `kind party text/text` for each span.
pub(super) fn shown(call: &[Utterance], spans: &[PiiSpan]) -> Vec<String> {
    let show = |span: &PiiSpan| {
        let mut line = format!("{} {}", span.kind.as_str(), &span.party.as_str()[..1]);
        for place in &span.places {
            let chars = call[place.utterance].spoken.chars();
            let text: String = chars.skip(place.from).take(place.to - place.from).collect();
            let _ = write!(line, " {text}");
        }
        line
    };
    spans.iter().map(show).collect()
}

fn check(lines: &str, expected: &[&str]) {
    let call = call(lines);
    assert_eq!(shown(&call, &find_in(&call)), expected, "{lines}");
}

#[test]
fn telephones() {
    for (lines, expected) in [
        (
            "c: 我的电话是幺三八零零零零幺二三四",
            &["phone c 幺三八零零零零幺二三四"] as &[&str],
        ),
        (
            "c: 一三八，零零零零，一二三四。",
            &["phone c 一三八零零零零一二三四"],
        ),
        (
            "c: 加八六幺三八零零零零幺二三四",
            &["phone c 八六幺三八零零零零幺二三四"],
        ),
        ("c: +86 138-0000-1234", &["phone c 86 138-0000-1234"]),
        (
            "c: 打幺三九二个八两个零一二三四吧",
            &["phone c 幺三九二个八两个零一二三四"],
        ),
        ("c: 洞拐勾不是号码", &[]),
        (
            "c: 幺三拐洞洞洞洞幺二三勾",
            &["phone c 幺三拐洞洞洞洞幺二三勾"],
        ),
        (
            "c: 记一下一三八零零零零一二三四一定要打",
            &["phone c 一三八零零零零一二三四"],
        ),
        (
            "c: one three eight double oh double oh one two three four",
            &["phone c one three eight double oh double oh one two three four"],
        ),
        (
            "c: my number is four one five five five five oh one three two",
            &["phone c four one five five five five oh one three two"],
        ),
        (
            "a: what's the best number to reach you on|c: four one five five double five oh one three two",
            &["phone c four one five five double five oh one three two"],
        ),
        (
            "c: my order number is four one five five five five oh one three two",
            &[],
        ),
        (
            "c: my mobile is oh seven seven double oh nine double oh one two three",
            &["phone c oh seven seven double oh nine double oh one two three"],
        ),
        (
            "a: 请问联系电话是多少|c: 一三八零零|a: 嗯|c: 零零一二三四",
            &["phone c 一三八零零 零零一二三四"],
        ),
        (
            "a: 手机号报一下|c: 幺三八|a: 幺三八|c: 零零零零|a: 零零零零|c: 幺二三四|a: 幺二三四",
            &[
                "phone c 幺三八 零零零零 幺二三四",
                "phone a 幺三八 零零零零 幺二三四",
            ],
        ),
        (
            "c: 一三八零零零，不对，一三九零零零零一二三四",
            &["phone c 一三八零零零不对一三九零零零零一二三四"],
        ),
        (
            "c: 一三八零零零零一二三四|a: 一三八零零零零一二三四对吗|c: 不对，是一三九零零零零一二三四",
            &[
                "phone c 一三八零零零零一二三四",
                "phone a 一三八零零零零一二三四",
                "phone c 一三九零零零零一二三四",
            ],
        ),
        (
            "c: 一三九，零零五四，不对，零零四五，一二三四",
            &["phone c 一三九零零五四不对零零四五一二三四"],
        ),
        (
            "c: 我的电话是一三八零零零零一二三",
            &["phone c 一三八零零零零一二三"],
        ),
        (
            "c: 幺三八零零零零幺二三四是我的手机号|a: 好",
            &["phone c 幺三八零零零零幺二三四"],
        ),
        (
            "u: 电话多少|u: 一三八零零|u: 嗯|u: 零零一二三四",
            &["phone u 一三八零零 零零一二三四"],
        ),
        ("a: 我们的客服热线是四零零八零零一二三四", &[]),
        ("a: 我们公司电话是零一零六二三四五六七八", &[]),
        (
            "c: 我家座机是零一零六二三四五六七八",
            &["landline c 零一零六二三四五六七八"],
        ),
        (
            "c: 打零七五五二六零零一二三四",
            &["landline c 零七五五二六零零一二三四"],
        ),
        (
            "a: 家里电话是多少|c: 六二三四五六七八",
            &["landline c 六二三四五六七八"],
        ),
        ("c: 请拨打幺零零八六或者九五五八八", &[]),
        (
            "a: 电话幺三八，幺三八，零零零零，幺二三四",
            &["phone a 幺三八幺三八零零零零幺二三四"],
        ),
        (
            "a: 我加您微信，一三八零零零零一二三四是吧",
            &["phone a 一三八零零零零一二三四"],
        ),
        (
            "c: 工号八零零一说的，我电话幺三八零零零零幺二三四",
            &["phone c 幺三八零零零零幺二三四"],
        ),
        (
            "c: 这个订单我没有收到你打我这个号幺三八零零零零幺二三四",
            &["phone c 幺三八零零零零幺二三四"],
        ),
        (
            "a: 请报一下订单号|c: 我没有，一三八零零零零一二三四可以吗",
            &["phone c 一三八零零零零一二三四"],
        ),
        (
            "c: 一三八零零零零一二三四，一三九零零零零一二三四",
            &[
                "phone c 一三八零零零零一二三四",
                "phone c 一三九零零零零一二三四",
            ],
        ),
        (
            "c: 幺三八零，错了，幺三九零，不对不对，幺三七零零零零幺二三四",
            &["phone c 幺三八零错了幺三九零不对不对幺三七零零零零幺二三四"],
        ),
        (
            "c: my phone number is one three eight sorry one three nine oh oh oh oh one two three four",
            &["phone c one three eight sorry one three nine oh oh oh oh one two three four"],
        ),
        (
            "c: my card number is 4111 1111 1111 1111",
            &["bank_card c 4111 1111 1111 1111"],
        ),
        ("c: the order number is 4111 1111 1111 1111", &[]),
    ] {
        check(lines, expected);
    }
}

#[test]
fn cards() {
    for (lines, expected) in [
        (
            "c: 身份证一一零一零五一九四九一二三一零零二叉",
            &["id_card c 一一零一零五一九四九一二三一零零二叉"] as &[&str],
        ),
        ("c: 11010519491231002X", &["id_card c 11010519491231002X"]),
        (
            "c: 一一零一零五|a: 嗯嗯|c: 一九四九一二三一|a: 对|c: 零零二艾克斯",
            &["id_card c 一一零一零五 一九四九一二三一 零零二艾克斯"],
        ),
        (
            "a: 身份证号码说一下|c: 一一零一零五四九一二三一零零二",
            &["id_card c 一一零一零五四九一二三一零零二"],
        ),
        (
            "a: 身份证号码说一下|c: 一一零一零五一九四九一二三一零零二",
            &["id_card c 一一零一零五一九四九一二三一零零二"],
        ),
        ("c: 一一零一零五四九一二三一零零二", &[]),
        (
            "c: 卡号四一一一，一一一一，一一一一，一一一一",
            &["bank_card c 四一一一一一一一一一一一一一一一"],
        ),
        (
            "c: 六二二八|a: 嗯|c: 四八零四|a: 嗯|c: 零二五六|c: 四八九零|c: 零一八",
            &["bank_card c 六二二八 四八零四 零二五六 四八九零 零一八"],
        ),
        ("a: 您的卡尾号是六二一八对吗", &[]),
        (
            "a: 卡号多少|c: 六二二八四八零四零二五六四八九零零一",
            &["bank_card c 六二二八四八零四零二五六四八九零零一"],
        ),
        (
            "c: 护照号是E一二三四五六七八",
            &["passport c E一二三四五六七八"],
        ),
        ("c: 护照一二三四五六七八", &["passport c 一二三四五六七八"]),
        ("c: 车牌是粤B一二三四五", &["plate c 粤B一二三四五"]),
        ("c: 京A·D12345撞了我", &["plate c 京AD12345"]),
    ] {
        check(lines, expected);
    }
}

#[test]
fn addresses() {
    for (lines, expected) in [
        (
            "c: 邮箱是zhangsan三二一艾特qq点com",
            &["email c zhangsan三二一艾特qq点com"] as &[&str],
        ),
        (
            "c: 发到zhang.san@example.com就行",
            &["email c zhangsanexamplecom"],
        ),
        (
            "c: my email is john dot smith at gmail dot com",
            &["email c john dot smith at gmail dot com"],
        ),
        (
            "c: my email is jane underscore doe eight two at hotmail dot co dot uk",
            &["email c jane underscore doe eight two at hotmail dot co dot uk"],
        ),
        (
            "c: 我的邮箱，九八七六五四三二一艾特一六三点康姆",
            &["email c 九八七六五四三二一艾特一六三点康姆"],
        ),
        (
            "c: 我QQ邮箱就是一二三四五六七八",
            &["email c 一二三四五六七八"],
        ),
        ("c: 我在公司看邮件", &[]),
        ("c: look at that dot", &[]),
    ] {
        check(lines, expected);
    }
}

#[test]
fn social_security_numbers() {
    for (lines, expected) in [
        (
            "c: my social is 123-45-6789",
            &["ssn c 123-45-6789"] as &[&str],
        ),
        ("c: my SSN is 123456789", &["ssn c 123456789"]),
        (
            "a: can I have your social security number please|c: one two three forty five six seven eight nine",
            &["ssn c one two three forty five six seven eight nine"],
        ),
        (
            "a: what is your social|c: sure|a: go ahead|c: one two three, forty-five, six seven eight nine",
            &["ssn c one two three, forty-five, six seven eight nine"],
        ),
        (
            "a: your social security number please|c: one two three|a: okay|c: four five|a: okay|c: six seven eight nine",
            &["ssn c one two three four five six seven eight nine"],
        ),
        ("c: 我的社会安全号是123-45-6789", &["ssn c 123456789"]),
        // Never issued.
        ("c: my social is 000-45-6789", &[]),
        ("c: my social is 666-45-6789", &[]),
        ("c: my social is 912-45-6789", &[]),
        ("c: my social is 123-00-6789", &[]),
        ("c: my social is 123-45-0000", &[]),
        // Nobody says that it is one.
        ("c: 123-45-6789", &[]),
        ("c: my order number is 123456789", &[]),
        ("c: I saw it on social media, item 123456789", &[]),
        (
            "a: what is your social|c: I would rather not|a: then your order number please|c: 123456789",
            &[],
        ),
        (
            "a: the last four of your social please|c: six seven eight nine",
            &[],
        ),
        // Tens read as two digits are part of every number.
        (
            "c: my number is four one five five fifty five oh one thirty two",
            &["phone c four one five five fifty five oh one thirty two"],
        ),
    ] {
        check(lines, expected);
    }
}

#[test]
fn other_numbers_are_nobodys_secret() {
    for lines in [
        "c: 订单号是一三八零零零零一二三四",
        "c: 快递单号六二二八四八零四零二五六四八九零零一八",
        "a: 我是工号八八零一二三四五六七",
        "c: 一共三万五千八百块",
        "c: 二零二六年九月三号下午三点",
        "c: 流水号是二零二六零九零三四四七一",
        "a: 您的订单号报一下|c: 八六二零，五五一二，三三零九，七七一",
        "c: 12345678901元",
        "c: SF1380000123412",
        "c: 2026-09-03 14:05:33",
        "c: 一二三四五六七",
        "c: 第一一三条",
        "c: 我说一二三你就一二三四",
        "a: 验证码是一三八六五零",
        "c: 3.14159265358979",
        "c: 合同编号一一零一零五二零二六零零一二",
    ] {
        check(lines, &[]);
    }
}

/// An utterance as it was heard: hanzi with other sounds than they are read with, where these are given
/// as `字sound,sound`.
fn heard(letters: &str, start_ms: u64) -> Utterance {
    let mut said = utterance(Party::Customer, start_ms, "");
    for (place, letter) in letters.split_whitespace().enumerate() {
        let hanzi = letter.chars().next().unwrap_or('零');
        let sounds = &letter[hanzi.len_utf8()..];
        let read = auricle_pinyin::readings(hanzi)
            .first()
            .map(|reading| reading.syllable.to_string());
        let mut options = match sounds.is_empty() {
            true => read.into_iter().collect::<Vec<_>>(),
            false => sounds.split(',').map(str::to_owned).collect(),
        }
        .into_iter();
        said.spoken.push(hanzi);
        let at_ms = start_ms + place as u64 * 500;
        said.syllables.push(Syllable {
            s: options.next().unwrap_or_default(),
            start_ms: at_ms,
            end_ms: at_ms + 480,
            conf: 0.8,
            alternatives: options
                .map(|s| SyllableAlternative { s, conf: 0.1 })
                .collect(),
        });
        said.end_ms = at_ms + 480;
    }
    said.text.clone_from(&said.spoken);
    said
}

fn check_heard(asked: &str, letters: &str, expected: &[&str]) {
    let call = vec![utterance(Party::Agent, 0, asked), heard(letters, 10_000)];
    assert_eq!(shown(&call, &find_in(&call)), expected, "{letters}");
}

#[test]
fn misheard_digits_belong_to_the_number() {
    let phone = "手机号是多少";
    let card = "您的银行卡号是多少";
    for (asked, letters, expected) in [
        (
            phone,
            "一 三 八 零 林 零 零 五 六 七 八",
            &["phone c 一三八零林零零五六七八"] as &[&str],
        ),
        (
            phone,
            "七qi1,yi1 三 八 零 零 零 零 五 六 七 八",
            &["phone c 七三八零零零零五六七八"],
        ),
        (
            "好的",
            "七qi1,yi1 三 八 零 零 零 零 五 六 七 八",
            &["phone c 七三八零零零零五六七八"],
        ),
        (
            phone,
            "老 三 八 零 零 零 零 五 六 七 八",
            &["phone c 老三八零零零零五六七八"],
        ),
        (
            phone,
            "好 的 一 三 八 零 零 零 零 粉 六 七 八 啊",
            &["phone c 一三八零零零零粉六七八"],
        ),
        (
            card,
            "另li4 有 二 二 四 八 零 四 零 二 五 六 四 八 九 零 零",
            &["bank_card c 另有二二四八零四零二五六四八九零零"],
        ),
        (
            card,
            "六 二 二 八 四 八 零 四 零 二 五 分 四 八 九 零 零 一 八",
            &["bank_card c 六二二八四八零四零二五分四八九零零一八"],
        ),
        // 800 would be a number that anybody may know, if the rest were sure.
        (
            "您的电话是多少",
            "老 八 路 零 零 零 幺 二 五 七 九",
            &["phone c 老八路零零零幺二五七九"],
        ),
        ("订单号是多少", "一 三 八 零 零 零 零 五 六 七", &[]),
        ("好的", "我 说 一 三 八 零 林 零 零", &[]),
    ] {
        check_heard(asked, letters, expected);
    }
}

#[test]
fn the_time_of_a_number_heard_in_part_reaches_over_what_was_lost() {
    let mut said = heard("三 八 零 零 零 零 五 六 七 八", 10_000);
    said.end_ms += 700;
    let asked = utterance(Party::Agent, 0, "手机号是多少");
    let spans = find_in(&[asked, said]);
    assert_eq!(
        (spans[0].start_ms, spans[0].end_ms),
        (10_000 - 625, 14_980 + 700)
    );
}

#[test]
fn numbers_in_parts_are_given_when_they_are_complete() {
    let call =
        call("c: 一三八零零零零一二三四|a: 好的|c: 一三八|c: 零零零零|a: 嗯|c: 五六七八|c: 再见");
    let mut finder = PiiFinder::new();
    let counts: Vec<usize> = call
        .iter()
        .enumerate()
        .map(|(idx, said)| finder.utterance(&Spoken::new(said, idx)).len())
        .collect();
    assert_eq!(counts, [1, 0, 0, 0, 0, 1, 0]);
    assert!(finder.finish().is_empty());
}

#[test]
fn digits_that_wait_are_told() {
    let call = call("c: 一三八零零|c: 好");
    let mut finder = PiiFinder::new();
    finder.utterance(&Spoken::new(&call[0], 0));
    assert_eq!(finder.pending().len(), 1);
    assert_eq!(finder.pending()[0].to, 5);
}
