//! Numbers as people dictate them: doubled digits, false starts, corrections; and as they write them.

use super::tests::{call, find_in, shown};

/// How the marks between digits reach the finder.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Marks {
    /// As a recogniser gives Mandarin: not at all.
    Lost,
    /// As a text that was written has them.
    Kept,
}

/// Calls, and the personal data that is in each.
fn check(marks: Marks, cases: &[(&str, &[&str])]) {
    let wrong: Vec<String> = cases
        .iter()
        .filter_map(|&(lines, expected)| {
            let mut call = call(lines);
            if marks == Marks::Kept {
                for said in &mut call {
                    said.spoken.clone_from(&said.text);
                }
            }
            let found = shown(&call, &find_in(&call));
            (found != expected).then(|| format!("{lines}: {found:?}"))
        })
        .collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn digits_said_as_many() {
    check(
        Marks::Lost,
        &[
            (
                "c: 我的电话一三八双零一三八三个零",
                &["phone c 一三八双零一三八三个零"],
            ),
            (
                "c: 我手机一三八双零幺三八零零零",
                &["phone c 一三八双零幺三八零零零"],
            ),
            (
                "c: 幺八六双幺三四五六七八",
                &["phone c 幺八六双幺三四五六七八"],
            ),
            (
                "c: 幺三九八八八八八三个六",
                &["phone c 幺三九八八八八八三个六"],
            ),
            (
                "c: 您打一百三十八零零一三八零零零",
                &["phone c 一百三十八零零一三八零零零"],
            ),
            (
                "c: 您打一百五十双零一三八三个零",
                &["phone c 一百五十双零一三八三个零"],
            ),
            ("c: 订单号一三八双零一三八三个零", &[]),
            ("c: 一共一百三十八块，买了双鞋", &[]),
            ("c: 双十一买的，一百三十八，两双", &[]),
            ("c: 一百三十八一个，三个八折", &[]),
        ],
    );
}

#[test]
fn false_starts_and_corrections_belong_to_the_number() {
    check(
        Marks::Kept,
        &[
            (
                "c: 手机号幺八六，呃，幺八六二三，二三什么来着，二三四五，六七八九",
                &["phone c 幺八六，呃，幺八六二三，二三什么来着，二三四五，六七八九"],
            ),
            (
                "c: 幺八六，呃，幺八六二三，二三什么来着，二三四五，六七八九，您记一下",
                &["phone c 幺八六，呃，幺八六二三，二三什么来着，二三四五，六七八九"],
            ),
            (
                "c: 手机号幺八六，二三四五，六七七八，不不，五六七九",
                &["phone c 幺八六，二三四五，六七七八，不不，五六七九"],
            ),
            (
                "c: 手机号幺八六，二三四五，六七七八，不，五六七九",
                &["phone c 幺八六，二三四五，六七七八，不，五六七九"],
            ),
            (
                "c: 手机号一三八零零一三八零零零，后四位是7518，麻烦了",
                &["phone c 一三八零零一三八零零零，后四位是7518"],
            ),
            (
                "c: 一三八零零一三八零零零|a: 好的|c: 后四位是七五一八",
                &["phone c 一三八零零一三八零零零 七五一八"],
            ),
            (
                "c: 一三八零零零零一二三四，一二三四",
                &["phone c 一三八零零零零一二三四，一二三四"],
            ),
            (
                "c: 电话是一八七，一八六，等一下，一三八零零零零一二三四",
                &["phone c 一八七，一八六，等一下，一三八零零零零一二三四"],
            ),
            // No number can be made of them.
            (
                "c: 我手机号是幺八六二，嗯，四四三三，说错了，九九二，想想，七七一，零零",
                &["phone c 幺八六二，嗯，四四三三，说错了，九九二，想想，七七一，零零"],
            ),
            ("c: 身份证是三二零一零二七", &["id_card c 三二零一零二七"]),
            ("c: 卡的后四位是7518", &[]),
            (
                "c: 手机号一三八零零一三八零零零，身份证后四位是7518",
                &["phone c 一三八零零一三八零零零"],
            ),
            ("c: 手机号没带，五十块，二零二六年九月三号的", &[]),
            ("c: 电话里说是20260903", &[]),
            ("c: 订单一二三四，不不，五六七八，九九零零", &[]),
            ("c: 请拨打四零零，八零零，一二三四", &[]),
            ("a: 手机号是多少|c: 三百五十块，分三期", &[]),
        ],
    );
}

#[test]
fn parts_of_a_corrected_number_keep_their_times() {
    let call = call("c: 手机号幺八六二三四五|a: 嗯|c: 六七七八不不五六七九");
    let spans = find_in(&call);
    assert_eq!(
        shown(&call, &spans),
        ["phone c 幺八六二三四五 六七七八不不五六七九"]
    );
    assert_eq!(
        (spans[0].start_ms, spans[0].end_ms),
        (call[0].start_ms + 3 * 250, call[2].end_ms)
    );
}

#[test]
fn written_numbers_of_north_america() {
    check(
        Marks::Lost,
        &[
            ("c: call me back at 415-555-2671", &["phone c 415-555-2671"]),
            (
                "c: please use (415) 555-2671 or 415.555.2671.",
                &["phone c 415) 555-2671", "phone c 415.555.2671"],
            ),
            (
                "a: what is a good callback number for you|c: 415 555 2671",
                &["phone c 415 555 2671"],
            ),
            ("c: my number's 650.253.0000", &["phone c 650.253.0000"]),
            ("c: it is +1 415 555 2671", &["phone c 1 415 555 2671"]),
            ("c: you can reach me at 6505552671", &["phone c 6505552671"]),
            ("c: it says 4155552671 on the box", &[]),
            ("c: my order number is 415-555-2671", &[]),
            ("a: the order number please|c: 415-555-2671", &[]),
            ("c: it was 415-155-2671", &[]),
            ("c: I paid 415.55 and 1,415,555.20 on 2026-09-03", &[]),
            ("a: our hotline is 415-555-2671", &[]),
            ("a: dial 1-800-555-0199 or 888-555-0199", &[]),
        ],
    );
}

#[test]
fn social_is_a_number_only_where_it_is_somebodys() {
    check(
        Marks::Lost,
        &[
            ("c: my social's 123-45-6789", &["ssn c 123-45-6789"]),
            ("c: her social is 123-45-6789", &["ssn c 123-45-6789"]),
            (
                "a: I need the full social please|c: 123456789",
                &["ssn c 123456789"],
            ),
            ("a: what was the social|c: 123456789", &["ssn c 123456789"]),
            ("c: follow us on our socials, 123456789", &[]),
            ("c: my socials are down, ticket 123456789", &[]),
            ("c: my social insurance is 123456789", &[]),
            ("c: I joined the social club, 123456789", &[]),
            ("c: social care sent me 123456789", &[]),
            ("a: is it for a social event|c: 123456789", &[]),
            ("c: your social media page says 123456789", &[]),
        ],
    );
}
