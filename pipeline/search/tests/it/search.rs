//! What queries find.

use crate::common::{
    OPTIONS, TestIndex, call, check_all, found, index_of, nothing, search, with_syllables,
};
use auricle_contracts::{CallId, Transcript};
use auricle_search::{SearchRequest, SearchResults, Sort, TranscriptIndex, mark};

fn calls() -> Vec<Transcript> {
    let mut first = call(
        "loan",
        &[
            "a 您好 请问 是 张先生 吗",
            "c 是的 你 说",
            "a 我们 这款 产品 保证 收益 百分之五=我们这款产品，保证收益5%。",
            "c 那 要 一百二十块 手续费 吗=那要120块手续费吗？",
            "a 不 需要 的",
            "c 我要 投诉 你们",
        ],
    );
    first.metadata.agent = Some("张伟".into());
    first.metadata.campaign = Some("贷款2026春".into());
    first.metadata.region = Some("北京".into());
    first.metadata.started_at = Some("2026-01-15T09:30:00+08:00".into());
    let mut second = call(
        "card",
        &[
            "a 您好 这里 是 WIFI 客服",
            "c 我的 wifi 密码 忘 了",
            "a 请 提供 手机号 幺三八零零=请提供手机号13800。",
            "c 我 要 退款",
            "a 收益 我们 不能 保证",
            "c hello world 再见",
        ],
    );
    second.utterances[4] = with_syllables(
        second.utterances[4].clone(),
        "shou1 yi4 wo3 men5 bu4 neng2 bao3/pao3 zhen4",
    );
    second.metadata.agent = Some("李娜".into());
    second.metadata.campaign = Some("信用卡".into());
    second.metadata.started_at = Some("2026-02-01T00:10:00+08:00".into());
    let mut third = call(
        "quiet",
        &["u 会计算 吗", "u 我 是 会计", "u 爆正 手艺", "u 你 去 哪里"],
    );
    third.metadata.agent = Some("张敏".into());
    vec![first, second, third]
}

#[test]
fn phrases_and_terms() {
    check_all(
        &index_of(&calls()),
        &[
            ("保证收益", "loan/2"),
            ("\"保证收益\"", "loan/2"),
            ("保证，收益", "loan/2"),
            ("保证 收益", "card/4 loan/2"),
            ("证收", "loan/2"),
            ("保证", "card/4 loan/2"),
            ("我", "card/1 card/3 card/4 loan/2 loan/5 quiet/1"),
            ("见", "card/5"),
            ("wifi", "card/0 card/1"),
            ("WiFi密码", "card/1"),
            ("wif", ""),
            ("wif*", "card/0 card/1"),
            ("\"hello world\"", "card/5"),
            ("\"world hello\"", ""),
            ("ｈｅｌｌｏ", "card/5"),
            ("没有人说过", ""),
        ],
    );
}

#[test]
fn spoken_and_written_forms_are_both_found() {
    check_all(
        &index_of(&calls()),
        &[
            ("120块", "loan/3"),
            ("20块", "loan/3"),
            ("一百二十块", "loan/3"),
            ("5%", "loan/2"),
            ("百分之五", "loan/2"),
            ("138", "card/2"),
            ("幺三八", "card/2"),
            ("手机号13800", "card/2"),
        ],
    );
}

#[test]
fn words_and_prefixes_follow_the_dictionary() {
    check_all(
        &index_of(&calls()),
        &[
            ("会计", "quiet/0 quiet/1"),
            ("word:会计", "quiet/1"),
            ("计算*", "quiet/0"),
            ("会计*", "quiet/1"),
            ("手续*", "loan/3"),
            ("续费*", ""),
            ("word:我", "card/1 card/3 loan/5 quiet/1"),
        ],
    );
}

#[test]
fn proximity_counts_units() {
    check_all(
        &index_of(&calls()),
        &[
            ("保证 NEAR/0 收益", "loan/2"),
            ("收益 NEAR/4 保证", "card/4 loan/2"),
            ("收益 NEAR/3 保证", "loan/2"),
            ("收益 BEFORE/9 保证", "card/4"),
            ("收益 BEFORE/3 保证", ""),
            ("产品 NEAR/5 (收益 OR 手续费)", "loan/2"),
            ("那要 NEAR/4 块", "loan/3"),
            ("我们 NEAR/9 sound:保证~0.3", "card/4 loan/2"),
            ("hello NEAR/1 再见", "card/5"),
            ("hello NEAR/0 再见", ""),
        ],
    );
}

#[test]
fn boolean_operators() {
    check_all(
        &index_of(&calls()),
        &[
            ("保证 AND 产品", "loan/2"),
            ("投诉 OR 退款", "card/3 loan/5"),
            ("保证 -产品", "card/4"),
            ("保证 NOT (产品 OR 我们)", ""),
            ("party:unknown -会计", "quiet/2 quiet/3"),
            (
                "-party:agent -party:customer",
                "quiet/0 quiet/1 quiet/2 quiet/3",
            ),
        ],
    );
}

#[test]
fn fields_and_ranges() {
    check_all(
        &index_of(&calls()),
        &[
            ("party:customer 投诉", "loan/5"),
            ("party:agent 投诉", ""),
            ("agent:张 保证", "loan/2"),
            ("agent:\"张\" 保证", ""),
            ("agent:\"张伟\" 保证", "loan/2"),
            ("file:\"Recordings/quiet.wav\" 会计", ""),
            ("file:Recordings 会计", "quiet/0 quiet/1"),
            ("file:Rec* 会计", "quiet/0 quiet/1"),
            ("agent:李* 我", "card/1 card/3 card/4"),
            ("campaign:贷款 投诉", "loan/5"),
            ("region:北京 投诉", "loan/5"),
            ("engine:ORT 会计", "quiet/0 quiet/1"),
            ("call:quiet 会计", "quiet/0 quiet/1"),
            ("call:qui 会计", ""),
            ("call:qui* 会计", "quiet/0 quiet/1"),
            ("file:\"recordings/quiet.wav\" 会计", "quiet/0 quiet/1"),
            ("date:2026-01 保证", "loan/2"),
            ("date:[2026-01-01 TO 2026-02-01] 保证", "card/4 loan/2"),
            ("date:[2026-01-01 TO 2026-02-01} 保证", "loan/2"),
            ("date:>2026-01-15 保证", "card/4"),
            ("utterance:0", "card/0 loan/0 quiet/0"),
            ("utterance:>=5", "card/5 loan/5"),
            ("turn:5 call:loan", "loan/5"),
            ("start:<1s", "card/0 loan/0 quiet/0"),
            ("call:quiet length:<=0.8s utterance:3", "quiet/3"),
            ("call:loan duration:>1h", ""),
            ("call:loan end:<3000ms", "loan/0"),
        ],
    );
}

#[test]
fn sounds() {
    check_all(
        &index_of(&calls()),
        &[
            ("sound:保正收益", "loan/2 quiet/2"),
            ("sound:保正收亿", "loan/2 quiet/2"),
            ("sound:baozhengshouyi", "loan/2 quiet/2"),
            ("sound:\"bao1 zheng1 shou1 yi1\"", "loan/2 quiet/2"),
            ("sound:保证", "loan/2 quiet/2"),
            ("sound:保证~0.3", "card/4 loan/2 quiet/2"),
            ("sound:paozhen", "card/4"),
            ("sound:保证收亿~1", "loan/2 quiet/2"),
            ("sound:baozhengdeshouyi~1", "loan/2 quiet/2"),
            ("sound:zhengshouyi~1", "card/4 loan/2 quiet/2"),
            ("sound:baomashouyi~1", "loan/2 quiet/2"),
            ("sound:baomashouma~1", ""),
            ("sound:lali", ""),
            ("sound:lali~0.3", "quiet/3"),
            ("sound:yi", "card/4 loan/2 loan/3 quiet/2"),
        ],
    );
}

#[test]
fn sequences_across_utterances() {
    check_all(
        &index_of(&calls()),
        &[
            ("保证 THEN 投诉", "loan/5"),
            ("保证 THEN/3 投诉", "loan/5"),
            ("保证 THEN/2 投诉", ""),
            ("投诉 THEN 保证", ""),
            ("保证 THEN 保证", ""),
            ("party:agent 保证 THEN/1 party:customer", "card/5 loan/3"),
            ("您好 THEN 保证 THEN 投诉", "loan/5"),
            ("(您好 THEN 手续费) OR 退款", "card/3 loan/3"),
            ("sound:保证 THEN 手续费 THEN/2 投诉", "loan/5"),
        ],
    );
}

#[test]
fn turns_are_changes_of_speaker() {
    let lines = [
        "a 您好 请问",
        "a 有什么 可以 帮您",
        "a 您 请说",
        "c 我 想 退款",
        "c 现在 就要",
        "a 好的",
        "c 投诉 你们",
    ];
    let unknown = lines.map(|line| format!("u{}", &line[1..]));
    let unknown: Vec<&str> = unknown.iter().map(String::as_str).collect();
    let index = index_of(&[call("known", &lines), call("mono", &unknown)]);
    check_all(
        &index,
        &[
            ("您好 THEN/1 退款", "known/3"),
            ("您好 THEN/1 现在", "known/4"),
            ("您好 THEN/1 请说", "known/2"),
            ("您好 THEN/2 投诉", ""),
            ("您好 THEN/3 投诉", "known/6"),
            ("退款 THEN/1 投诉", ""),
            ("退款 THEN/2 投诉", "known/6"),
            ("退款 THEN/3 投诉", "known/6 mono/6"),
            ("请说 THEN 您好", ""),
            ("call:known turn:1", "known/3 known/4"),
            ("call:mono turn:1", "mono/1"),
            ("call:known utterance:1", "known/1"),
        ],
    );
    let hit = &search(&index, "call:known 您好 THEN/3 投诉").calls[0].hits[0];
    assert_eq!((hit.utterance, hit.turn), (6, 3));
    assert_eq!((hit.led_by[0].utterance, hit.led_by[0].turn), (0, 0));
}

#[test]
fn a_huge_utterance_of_one_hanzi_does_no_harm() {
    let huge = format!("a {}", "的".repeat(20_000));
    let index = index_of(&[call("huge", &[&huge, "c 好"])]);
    for query in [
        "的 NEAR/1000 的 NEAR/1000 的 NEAR/1000 的",
        "(的 NEAR/9 的) NEAR/1000 (的 BEFORE/1000 的)",
        "sound:的 NEAR/1000 的",
        "sound:的的的~1",
        "的的的",
    ] {
        let results = search(&index, query);
        let hit = &results.calls[0].hits[0];
        assert_eq!(hit.highlights.len(), 1, "{query}");
        assert!(hit.highlights[0].end > 19_900, "{query}");
    }
}

#[test]
fn hits_are_marked_and_play_from_a_little_before() {
    let index = index_of(&calls());
    let hit = |query: &str| {
        let results = search(&index, query);
        results.calls[0].hits[0].clone()
    };
    let marked = |query: &str| {
        let hit = hit(query);
        let text = mark(&hit.text, &hit.highlights, "<", ">");
        (text, mark(&hit.spoken, &hit.spoken_highlights, "<", ">"))
    };
    let check = |query: &str, text: &str, spoken: &str| {
        assert_eq!(marked(query), (text.into(), spoken.into()), "{query}");
    };
    check(
        "收益 campaign:贷",
        "我们这款产品，保证<收益>5%。",
        "我们 这款 产品 保证 <收益> 百分之五",
    );
    check(
        "一百二十",
        "那要<120>块手续费吗？",
        "那 要 <一百二十>块 手续费 吗",
    );
    check(
        "20块",
        "那要1<20块>手续费吗？",
        "那 要 <一百二十块> 手续费 吗",
    );
    check(
        "sound:首续",
        "那要120块<手续>费吗？",
        "那 要 一百二十块 <手续>费 吗",
    );
    check(
        "那 NEAR/9 块",
        "<那>要120<块>手续费吗？",
        "<那> 要 一百二十<块> 手续费 吗",
    );
    check(
        "手续*",
        "那要120块<手续>费吗？",
        "那 要 一百二十块 <手续>费 吗",
    );
    check(
        "hello再见 OR world",
        "hello <world> 再见",
        "hello <world> 再见",
    );
    check("保证 THEN 投诉", "我要 <投诉> 你们", "我要 <投诉> 你们");
    check("NOT NOT 投诉", "我要 <投诉> 你们", "我要 <投诉> 你们");
    check("我要 -(-投诉)", "<我要> <投诉> 你们", "<我要> <投诉> 你们");

    let results = search(&index, "保证 THEN 投诉");
    let hit = &results.calls[0].hits[0];
    assert_eq!(hit.led_by.len(), 1);
    let lead = &hit.led_by[0];
    assert_eq!((lead.utterance, lead.highlights.len()), (2, 1));
    // The second word of the utterance, after 我要 (400 ms), less half a second.
    assert_eq!(hit.play_from_ms, hit.start_ms + 400 - 500);
    assert_eq!(hit.before[0].utterance, 4);
    assert!(hit.after.is_empty());

    // What was said earlier led to the right side of THEN and to nothing else.
    let results = search(&index, "call:loan ((保证 THEN 投诉) OR 需要)");
    let led_by = results.calls[0].hits.iter().map(|hit| hit.led_by.len());
    assert_eq!(led_by.collect::<Vec<_>>(), [0, 1]);
}

/// Tones never exclude; where they agree a hit comes first, with edits allowed too.
#[test]
fn tones_tell_equal_sounds_apart() {
    let calls = [
        ("other", "bao4 zheng1 shou2 yi1"),
        ("toned", "bao3 zheng4 shou1 yi4"),
    ];
    let calls = calls.map(|(id, syllables)| {
        let mut call = call(id, &["a 保 证 收 益"]);
        call.utterances[0] = with_syllables(call.utterances[0].clone(), syllables);
        call
    });
    let index = index_of(&calls);
    for query in ["sound:保证收益", "sound:保证收益~0.5", "sound:保证收益~1"] {
        let found = search(&index, query).calls;
        let ids: Vec<&str> = found.iter().map(|call| call.call_id.as_str()).collect();
        assert_eq!(ids, ["toned", "other"], "{query}");
        assert!(found[0].relevance > found[1].relevance, "{query}");
    }
}

/// A hanzi that no table reads keeps its place between the others.
#[test]
fn hanzi_without_readings_do_not_shift_what_is_marked() {
    let blocks = [
        '\u{3400}'..='\u{4DBF}',
        '\u{4E00}'..='\u{9FFF}',
        '\u{20000}'..='\u{323AF}',
    ];
    let mut rare = blocks
        .into_iter()
        .flatten()
        .filter(|letter| letter.is_alphabetic() && auricle_pinyin::readings(*letter).is_empty());
    let rare = rare.next().unwrap();
    let index = index_of(&[call("rare", &[&format!("a 您{rare}好保证收益")])]);
    let hit = &search(&index, "sound:保证").calls[0].hits[0];
    assert_eq!(
        mark(&hit.text, &hit.highlights, "<", ">"),
        format!("您{rare}好<保证>收益")
    );
    assert_eq!(search(&index, "sound:您好").total_hits, 0);
}

#[test]
fn play_times_come_from_syllables_and_words() {
    let index = index_of(&calls());
    let results = search(&index, "call:card sound:保真");
    let hit = &results.calls[0].hits[0];
    assert_eq!(hit.utterance, 4);
    assert_eq!(hit.play_from_ms, hit.start_ms + 6 * 200 - 500);
    let by_number = search(&index, "138");
    let hit = &by_number.calls[0].hits[0];
    // 请 提供 手机号 are six hanzi.
    assert_eq!(hit.play_from_ms, hit.start_ms + 6 * 200 - 500);
}

#[test]
fn facets_count_all_hits() {
    let results = search(&index_of(&calls()), "我 OR 您好");
    let counts = |counts: &[auricle_search::FacetCount]| {
        counts
            .iter()
            .map(|c| format!("{}:{}/{}", c.value, c.hits, c.calls))
            .collect::<Vec<_>>()
    };
    assert_eq!(
        counts(&results.facets.party),
        ["agent:4/2", "customer:3/2", "unknown:1/1"]
    );
    assert_eq!(
        counts(&results.facets.agent),
        ["李娜:4/1", "张伟:3/1", "张敏:1/1"]
    );
    assert_eq!(
        counts(&results.facets.campaign),
        ["信用卡:4/1", "贷款2026春:3/1"]
    );
    assert_eq!(
        counts(&results.facets.month),
        ["2026-01:3/1", "2026-02:4/1"]
    );
    assert_eq!(
        counts(&results.facets.day),
        ["2026-01-15:3/1", "2026-02-01:4/1"]
    );
}

#[test]
fn pages_and_orders() {
    let index = index_of(&calls());
    let ids = |request: SearchRequest| {
        let results = index.index.reader().search(&request).unwrap();
        assert_eq!(results.total_calls, 3);
        results
            .calls
            .into_iter()
            .map(|call| call.call_id)
            .collect::<Vec<_>>()
    };
    let request = |sort, offset, limit| SearchRequest {
        sort,
        offset,
        limit,
        ..SearchRequest::new("utterance:0")
    };
    assert_eq!(ids(request(Sort::Newest, 0, 9)), ["card", "loan", "quiet"]);
    assert_eq!(ids(request(Sort::Oldest, 0, 9)), ["loan", "card", "quiet"]);
    assert_eq!(ids(request(Sort::Newest, 1, 1)), ["loan"]);
    assert_eq!(ids(request(Sort::Relevance, 3, 5)), [""; 0]);
    assert_eq!(
        ids(request(Sort::Relevance, usize::MAX, usize::MAX)),
        [""; 0]
    );
}

#[test]
fn hits_on_whole_words_come_first() {
    let index = index_of(&[call("across", &["a 会计算"]), call("whole", &["a 会计 算"])]);
    // Jieba cuts 会计算 the same way in both; the order of equal ones is as added.
    let results = search(&index, "会计");
    assert_eq!(results.total_calls, 2);
    let quiet = index_of(&calls());
    let hits = &search(&quiet, "会计").calls[0].hits;
    assert!(hits[1].relevance > hits[0].relevance, "{hits:?}");
}

#[test]
fn adding_again_replaces_and_deleting_removes() {
    let index = index_of(&calls());
    index
        .index
        .add(&call("loan", &["a 全新 内容"]), &nothing())
        .unwrap();
    assert_eq!(
        found(&search(&index, "投诉")),
        "loan/5",
        "not shown before commit"
    );
    index.index.commit().unwrap();
    check_all(
        &index,
        &[("投诉", ""), ("全新内容", "loan/0"), ("agent:张伟", "")],
    );
    index.index.delete_call(&CallId("loan".into())).unwrap();
    index
        .index
        .delete_call(&CallId("never there".into()))
        .unwrap();
    index.index.commit().unwrap();
    check_all(&index, &[("全新", ""), ("保证", "card/4")]);
    assert_eq!(index.index.reader().size().unwrap().utterances, 10);
}

#[test]
fn dates_that_cannot_be_read_are_reported() {
    let index = index_of(&[]);
    let mut transcript = calls().remove(0);
    transcript.metadata.started_at = Some("yesterday".into());
    let added = index.index.add(&transcript, &nothing()).unwrap();
    assert_eq!(added.warnings.len(), 1);
    assert!(added.warnings[0].contains("`yesterday`"));
    index.index.commit().unwrap();
    check_all(&index, &[("投诉", "loan/5"), ("投诉 date:>2000", "")]);
}

#[test]
fn an_index_is_read_while_it_is_written_and_after_merges() {
    let index = index_of(&calls());
    let reader = index.index.reader();
    for round in 0..12 {
        let id = format!("more-{round}");
        index
            .index
            .add(
                &call(&id, &["a 您好", "c 保证 没有 问题", "a 谢谢"]),
                &nothing(),
            )
            .unwrap();
        if round % 3 == 0 {
            index
                .index
                .delete_call(&CallId(format!("more-{}", round / 2)))
                .unwrap();
        }
        index.index.commit().unwrap();
        let results = reader
            .search(&SearchRequest::new("您好 THEN/1 保证没有问题"))
            .unwrap();
        let expected = (0..=round)
            .filter(|n| ![0, 1, 3, 4].contains(n) || *n > round / 2)
            .count();
        let deleted: std::collections::BTreeSet<_> =
            (0..=round).filter(|n| n % 3 == 0).map(|n| n / 2).collect();
        let live = round + 1 - deleted.len();
        assert_eq!(results.total_calls, live as u64, "{round} {expected}");
    }
    index.index.finish_merging().unwrap();
    let before = found(&search(&index, "保证 OR 会计"));
    drop(index.index);
    let reopened = TranscriptIndex::open(index.folder.path(), OPTIONS).unwrap();
    let index = TestIndex {
        folder: index.folder,
        index: reopened,
    };
    assert_eq!(found(&search(&index, "保证 OR 会计")), before);
    index.index.reader().verify().unwrap();
}

#[test]
fn results_are_json() {
    let results = search(&index_of(&calls()), "保证 THEN 投诉");
    let text = serde_json::to_string(&results).unwrap();
    assert_eq!(
        serde_json::from_str::<SearchResults>(&text).unwrap(),
        results
    );
    let request: SearchRequest =
        serde_json::from_str(r#"{"query":"保证","sort":"newest"}"#).unwrap();
    assert_eq!((request.sort, request.limit), (Sort::Newest, 10));
}

#[test]
fn a_call_added_twice_before_a_commit_is_there_once() {
    let index = index_of(&calls());
    std::thread::scope(|scope| {
        for round in 0..8 {
            let index = &index.index;
            scope.spawn(move || {
                for id in ["same", "loan"] {
                    index
                        .add(
                            &call(
                                id,
                                &["a 同时 写入", &format!("c {}", "好".repeat(round + 1))],
                            ),
                            &nothing(),
                        )
                        .unwrap();
                }
            });
        }
    });
    index.index.commit().unwrap();
    check_all(&index, &[("同时写入", "loan/0 same/0"), ("投诉", "")]);
    index
        .index
        .add(&call("same", &["a 再来 一次"]), &nothing())
        .unwrap();
    index.index.delete_call(&CallId("same".into())).unwrap();
    index.index.commit().unwrap();
    check_all(&index, &[("再来 OR 同时", "loan/0")]);
}
