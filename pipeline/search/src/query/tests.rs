use proptest::prelude::*;

use super::*;

/// Writes a node so that its structure can be read.
fn outline(node: &Node) -> String {
    let all = |parts: &[Node]| parts.iter().map(outline).collect::<Vec<_>>().join(" ");
    match &node.kind {
        Kind::Then {
            left,
            right,
            within,
        } => {
            let within = within.map_or("any".into(), |within| within.to_string());
            format!("(then {within} {} {})", outline(left), outline(right))
        }
        Kind::Or(parts) => format!("(or {})", all(parts)),
        Kind::And(parts) => format!("(and {})", all(parts)),
        Kind::Not(inner) => format!("(not {})", outline(inner)),
        Kind::Near {
            left,
            right,
            within,
            order,
        } => {
            let name = if *order == Order::Either {
                "near"
            } else {
                "before"
            };
            format!("({name} {within} {} {})", outline(left), outline(right))
        }
        Kind::Phrase(text) => format!("\"{text}\""),
        Kind::Prefix(text) => format!("{text}*"),
        Kind::Words(text) => format!("word:{text}"),
        Kind::Sound(sound) => {
            let rows: Vec<_> = sound
                .syllables
                .iter()
                .map(|row| row[0].to_string())
                .collect();
            format!("sound:{}~{}", rows.join("-"), sound.budget)
        }
        Kind::Party(party) => format!("party:{party}"),
        Kind::Text {
            field,
            comparison,
            value,
        } => format!("{field:?}:{comparison:?}:{value}"),
        Kind::Range { field, low, high } => {
            let limit = |limit: &Option<f64>| limit.map_or("*".into(), |limit| limit.to_string());
            format!("{field:?}:{}..{}", limit(low), limit(high))
        }
    }
}

fn check(query: &str, expected: &str) {
    match parse(query) {
        Ok(node) => assert_eq!(outline(&node), expected, "{query}"),
        Err(error) => panic!("{error}"),
    }
}

#[test]
fn terms_join_by_and_and_precedence_is_near_not_and_or_then() {
    check("保证", "\"保证\"");
    check("保证 收益", "(and \"保证\" \"收益\")");
    check("a AND b OR c d", "(or (and \"a\" \"b\") (and \"c\" \"d\"))");
    check("a OR b THEN/3 c", "(then 3 (or \"a\" \"b\") \"c\")");
    check("a THEN b THEN/2 c", "(then 2 (then any \"a\" \"b\") \"c\")");
    check("a -b NOT c", "(and \"a\" (not \"b\") (not \"c\"))");
    check("a NEAR/5 b c", "(and (near 5 \"a\" \"b\") \"c\")");
    check("a BEFORE/2 (b OR c)", "(before 2 \"a\" (or \"b\" \"c\"))");
    check("a NEAR b NEAR/1 c", "(near 1 (near 10 \"a\" \"b\") \"c\")");
    check("-a", "(not \"a\")");
    check("(a OR b) c", "(and (or \"a\" \"b\") \"c\")");
}

#[test]
fn fields_take_words_phrases_stars_ranges_and_comparisons() {
    check("party:agent", "party:agent");
    check("party:客户", "party:customer");
    check("agent:张", "Agent:Contains:张");
    check("agent:\"张 三\"", "Agent:Is:张 三");
    check("campaign:贷*", "Campaign:Begins:贷");
    check("call:a-1", "Call:Is:a-1");
    check("call:a*", "Call:Begins:a");
    check("start:>30s", "Start:30001..*");
    check("start:<=1:30", "Start:*..90000");
    check("duration:[1m TO 2m]", "Duration:60000..120000");
    check("duration:{1m TO *]", "Duration:60001..*");
    check("score:<60", "Score:*..59.999999999");
    check("turn:3", "Turn:3..3");
    check("utterance:<=3", "Utterance:*..3");
    check("date:[1970-01-01 TO 1970-01-02]", "Date:0..172799");
    check("date:1970-01", "Date:0..2678399");
    check("date:<1970-01-02", "Date:*..86399");
    check("word:行", "word:行");
    check("保证*", "保证*");
}

#[test]
fn fields_of_what_was_found_take_names_choices_and_ranges() {
    check("hit:promise_return", "Hit:IsNamed:promise_return");
    check("rule:promise_return", "Hit:IsNamed:promise_return");
    check("hit:\"Promise\"", "Hit:Is:Promise");
    check("hit:promise*", "Hit:Begins:promise");
    check("hit:* 保证", "(and Hit:Begins: \"保证\")");
    check("intent:opt_out", "Intent:IsNamed:opt_out");
    check("disposition:refused", "Disposition:IsNamed:refused");
    check("emotion:Angry", "Emotion:Is:angry");
    check("emotion：生气", "Emotion:Is:angry");
    check("emotion:*", "Emotion:Begins:");
    check("pii:手机", "Pii:Is:phone");
    check("passed:Yes", "Passed:Is:yes");
    check("passed:不合格", "Passed:Is:no");
    check("agent:*", "Agent:Begins:");
    check("severity:critical", "Severity:3..3");
    check("severity:>=严重", "Severity:2..*");
    check("severity:<minor", "Severity:*..0");
    check("severity:minor..major", "Severity:1..2");
    check("silence:>5s", "Silence:5001..*");
    check("silence:>=500ms", "Silence:500..*");
    check("silence:1min..2min", "Silence:60000..120000");
    check("score:60..80", "Score:60..80");
    check("score:60..", "Score:60..*");
    check("score:..59.5", "Score:*..59.5");
    check("score:*", "Score:*..*");
    check("score：＞＝80", "Score:80..*");
    check("date:1970-01-01..1970-01-02", "Date:0..172799");
    check("start:1.5s..2s", "Start:1500..2000");
}

#[test]
fn fields_and_their_values_may_be_chinese() {
    check("情绪:愤怒", "Emotion:Is:angry");
    check("情绪：愉快", "Emotion:Is:happy");
    check("emotion:低落", "Emotion:Is:sad");
    check("pii:固定电话", "Pii:Is:landline");
    check("级别:>=严重", "Severity:2..*");
    check("得分：<60", "Score:*..59.999999999");
    check("规则:opt_out", "Hit:IsNamed:opt_out");
    check(
        "意图:投诉",
        "(or Intent:IsNamed:complaint Intent:IsNamed:投诉)",
    );
    check(
        "意向:拒绝 通话结果:拒绝",
        "(and (or Intent:IsNamed:refuses Intent:IsNamed:拒绝) (or Disposition:IsNamed:refused Disposition:IsNamed:拒绝))",
    );
    check("intent:\"投诉\"", "Intent:Is:投诉");
    check("intent:投诉*", "Intent:Begins:投诉");
    // No field is called so: what people say may have a colon.
    check("客服:您好", "\"客服:您好\"");
    check_error("情绪:冷淡", 4, &["neutral, happy, angry or sad"]);
}

#[test]
fn a_star_is_the_last_of_its_word() {
    let expected = "nothing right after a star";
    check_error("hit:*/opt_out", 6, &[expected, "in all packs"]);
    check_error("hit:*out", 6, &[expected]);
    check_error("hit:opt*out", 9, &[expected]);
    check_error("保*益", 3, &[expected]);
    check_error("score:*5", 8, &[expected]);
    check_error("call:**", 7, &[expected]);
    check_error("hit:o?t", 5, &["`?` stands for itself", "hit:opt*"]);
    check("(hit:*) (保证*)", "(and Hit:Begins: 保证*)");
    check("file:a?", "File:Contains:a?");
}

#[test]
fn sounds_are_hanzi_or_pinyin_with_a_distance() {
    check("sound:保证", "sound:bao3-zheng4~0");
    check(
        "sound:\"bao3 zheng4 shou1\"~1",
        "sound:bao3-zheng4-shou1~20",
    );
    check("sound:baozheng~0.5", "sound:bao-zheng~10");
    check("sound:保证收益~", "sound:bao3-zheng4-shou1-yi4~20");
}

#[test]
fn full_width_punctuation_means_the_same() {
    check(
        "（保证 OR 收益） THEN／3 “投诉”",
        "(then 3 (or \"保证\" \"收益\") \"投诉\")",
    );
    check("party：agent －退款", "(and party:agent (not \"退款\"))");
    check("「保证，收益」", "\"保证，收益\"");
    check("保证 ， 收益", "(and \"保证\" \"收益\")");
    check("sound：保证收益～1", "sound:bao3-zheng4-shou1-yi4~20");
}

/// Checks where a mistake is said to be, and words that must be said of it.
fn check_error(query: &str, column: usize, words: &[&str]) {
    let error = parse(query).expect_err(query);
    let text = error.to_string();
    assert_eq!(error.column, column, "{text}");
    for word in words {
        assert!(text.contains(word), "`{word}` in {text}");
    }
}

#[test]
fn mistakes_name_place_and_expectation() {
    check_error("", 1, &["the end of the query", "a term", "hint"]);
    check_error("保证 AND )", 8, &["found `)`", "a term"]);
    check_error("(保证", 4, &["`)`", "opened at column 1"]);
    check_error("保证)", 3, &["never opened"]);
    check_error("\"保证", 1, &["not closed"]);
    check_error("pary:agent", 1, &["did you mean `party:`"]);
    check_error("party:boss", 7, &["agent, customer or unknown"]);
    check_error(
        "emotion:angy",
        9,
        &["neutral, happy, angry or sad", "did you mean `angry`?"],
    );
    check_error(
        "保证 emotion:cold",
        12,
        &["found `cold`", "neutral, happy, angry or sad"],
    );
    check_error("emotion:>angry", 9, &["found `>`", "compare numbers"]);
    check_error(
        "severity:bad",
        10,
        &["info, minor, major or critical", "severity:>=major"],
    );
    check_error("severity:>", 11, &["the end of the query", "info, minor"]);
    check_error("pii:name", 5, &["id_card, bank_card", "passport"]);
    check_error("passed:maybe", 8, &["yes or no"]);
    check_error("hit:", 5, &["the name of a rule, or *"]);
    check_error("hit:>3", 5, &["found `>`", "the name of a rule"]);
    check_error("intent:\"opt\"*", 13, &["no star after a quoted value"]);
    check_error(
        "score:<low",
        8,
        &["found `low`", "a number like 60", "score:60..80"],
    );
    check_error("score:=>60", 8, &["found `>`", "score:<60"]);
    check_error("score:60-80", 7, &["found `60-80`", "score:60..80"]);
    check_error("score:60～80", 7, &["found `60～80`", "score:60..80"]);
    check_error("score:>60..80", 8, &["found `60..80`", "score:60..80"]);
    check_error("score:80..60", 7, &["not before the beginning", "swap"]);
    check_error("score:..", 7, &["a number like 60"]);
    check_error("silence:>5x", 10, &["a time like 30s", "silence:>5s"]);
    check_error("a NEAR emotion:angry", 8, &["beside NEAR"]);
    check_error("date:2026-13", 6, &["a date like"]);
    check_error("date:[2026-01-01 2026-02-01]", 18, &["TO"]);
    check_error("date:[2026-02-01 TO 2026-01-01]", 21, &["swap"]);
    check_error("a NEAR/x b", 3, &["a number"]);
    check_error("a NEAR/5 party:agent", 10, &["beside NEAR"]);
    check_error("a THEN/0 b", 3, &["from 1"]);
    check_error("sound:qqq", 7, &["cannot be read"]);
    check_error("sound:保证~1", 1, &["at least 3 syllables"]);
    check_error("保证~1", 3, &["counts syllables"]);
    check_error("sound:保证收益~9", 11, &["from ~0 to ~3"]);
    check_error("a OR", 5, &["the end of the query"]);
    check_error("*", 1, &["right after"]);
    check_error("\"！\"", 1, &["at least one letter"]);
    check_error(&"(".repeat(100), MAX_DEPTH + 2, &["levels"]);
    check_error(&"a ".repeat(200), 2 * MAX_TERMS + 1, &["at most 128 terms"]);
    check_error(&"a".repeat(5000), 4097, &["at most 4096 bytes"]);
}

#[test]
fn carets_stand_under_the_mistake() {
    let error = parse("保证 party:boss").expect_err("a wrong party");
    let lines: Vec<String> = error.to_string().lines().map(str::to_owned).collect();
    assert_eq!(lines[1], "  保证 party:boss");
    assert_eq!(lines[2], "             ^^^^");
}

proptest! {
    #[test]
    fn any_text_is_a_query_or_a_mistake(text in ".{0,80}") {
        if let Err(error) = parse(&text) {
            let _ = error.to_string();
        }
    }

    #[test]
    fn near_queries_are_queries_or_mistakes(
        parts in prop::collection::vec(prop::sample::select(vec![
            "(", ")", "\"", "“", "」", "「", "保证", "a", "AND", "OR", "NOT", "-", "NEAR/3", "THEN",
            "THEN/2", "BEFORE", "sound:", "sound:保证", "~1", "~", "*", "[", "]", "{", "TO", "date:",
            "2026-01-01", "party:", "agent", ">", "<=", " ", "　", "：", "\\", "score:", "é", "，",
            "hit:", "severity:", "major", "emotion:", "angry", "silence:", "5s", "..", "60", "passed:",
        ]), 0..30),
    ) {
        let text = parts.concat();
        match parse(&text) {
            Ok(node) => prop_assert!(text.get(node.span).is_some()),
            Err(error) => {
                prop_assert!(error.column >= 1);
                prop_assert!(error.to_string().contains('^'));
            }
        }
    }
}
