//! Import, show, search and export through the real binary.

use std::fs;

use crate::desk::{Desk, card_call, loan_call};
use auricle_contracts::Transcript;

#[test]
fn a_call_is_shown_as_a_dialogue() {
    let desk = Desk::new();
    desk.import_samples();
    let shown = desk.ok(&["show", "贷款 回访 01"]);
    let (dialogue, findings) = shown.split_once("\nHits").unwrap();
    insta::assert_snapshot!(dialogue, @r"
    贷款 回访 01  recordings/贷款 回访 01.wav
    1 min 05 s · one party per channel · ort/test · agent 张三 · campaign loans · began 2026-11-19T10:00:00+08:00
    ! file is truncated

    0:01.0  agent     这个产品保证收益。
    1:02.3  customer  我要退款。
                      asks for a refund 1.00 · asks to cancel 1.00
    ");
    assert!(findings.contains("Score "), "{findings}");
    let lost = findings.split_once("Score ").unwrap().1;
    for text in [findings, lost] {
        assert!(text.contains(" (promise_return)"), "title and id: {text}");
        assert!(text.contains("auto-fail"), "{text}");
    }
    assert!(lost.contains("保证收益"), "why points were lost: {lost}");
}

#[test]
fn a_call_is_shown_in_one_language() {
    let desk = Desk::new();
    desk.import_samples();
    let shown = desk.ok(&["show", "贷款 回访 01", "--language", "zh", "--scores"]);
    for words in [
        "坐席",
        "客户",
        "要求退款",
        "命中",
        "致命",
        "一票否决",
        "情绪",
        "得分",
        "摘要",
        "历次评分",
    ] {
        assert!(shown.contains(words), "{words}: {shown}");
    }
    for words in ["  customer  ", "Hits", "Mood", "Score ", "refund"] {
        assert!(!shown.contains(words), "{words}: {shown}");
    }
    desk.fails(&["show", "card", "--language", "fr"], 2, &["`en` or `zh`"]);
}

#[test]
fn syllables_are_shown_where_asked_for() {
    let desk = Desk::new();
    desk.import_samples();
    let shown = desk.ok(&["show", "card", "--syllables"]);
    assert!(shown.contains("bao4 zheng4 shou4 yi4"), "{shown}");
    assert!(!desk.ok(&["show", "card"]).contains("bao4"));
}

#[test]
fn colour_only_where_it_is_seen_or_asked_for() {
    let desk = Desk::new();
    desk.import_samples();
    assert!(!desk.ok(&["show", "card-7"]).contains('\u{1b}'));
    assert!(
        desk.ok(&["show", "card-7", "--color", "always"])
            .contains("\u{1b}[36m")
    );
}

#[test]
fn json_comes_back_as_it_went_in() {
    let desk = Desk::new();
    desk.import_samples();
    let shown = desk.ok(&["show", "card-7", "--json"]);
    assert_eq!(
        serde_json::from_str::<Transcript>(&shown).unwrap(),
        card_call()
    );
}

#[test]
fn unknown_and_ambiguous_calls_are_said() {
    let desk = Desk::new();
    desk.fails(&["show", "x"], 1, &["no store", "hint: analyze or import"]);
    desk.import_samples();
    desk.fails(&["show", "nobody"], 1, &["no call `nobody`", "hint:"]);
    let mut other = card_call();
    other.call_id.0 = "card-8".into();
    desk.put("c.json", serde_json::to_string(&other).unwrap());
    desk.ok(&["import", "c.json"]);
    desk.fails(&["show", "card"], 1, &["several calls: card-7, card-8"]);
}

#[test]
fn hits_are_highlighted_and_say_where_to_play_from() {
    let desk = Desk::new();
    desk.import_samples();
    let found = desk.ok(&["search", "保证收益"]);
    assert!(found.contains("这个产品【保证收益】。"), "{found}");
    assert!(found.contains("贷款 回访 01"), "{found}");
    assert!(found.contains("1 hit in 1 call"), "{found}");
    assert!(!found.contains("card-7"), "{found}");
}

#[test]
fn sounds_find_what_was_written_otherwise() {
    let desk = Desk::new();
    desk.import_samples();
    let found = desk.ok(&["search", "sound:保证收益"]);
    assert!(
        found.contains("card-7") && found.contains("贷款 回访 01"),
        "{found}"
    );
}

#[test]
fn turns_fields_and_facets() {
    let desk = Desk::new();
    desk.import_samples();
    let found = desk.ok(&["search", "收益 THEN/2 退款", "--context", "9"]);
    assert!(found.contains("1 hit"), "{found}");
    let lines: Vec<&str> = found.lines().collect();
    let then = lines.iter().position(|line| line.trim() == "then").unwrap();
    assert!(lines[then - 1].contains("【收益】"), "{found}");
    assert!(
        lines[then + 1..]
            .iter()
            .any(|line| line.contains("【退款】")),
        "{found}"
    );
    // What led to the hit is shown once, though it is near the hit too.
    assert_eq!(found.matches("收益").count(), 1, "{found}");
    assert!(
        desk.ok(&["search", "campaign:cards", "party:agent"])
            .contains("您好")
    );
    let facets = desk.ok(&["search", "sound:保证收益", "--facets"]);
    assert!(
        facets.contains("loans") && facets.contains("cards"),
        "{facets}"
    );
    let without = desk.ok(&["search", "--", "-退款"]);
    assert!(without.contains("3 hits in 2 calls"), "{without}");
    let json = desk.ok(&["search", "退款", "--json"]);
    let json = serde_json::from_str::<serde_json::Value>(&json).unwrap();
    assert_eq!(json["total_hits"], 1);
    assert_eq!(json["calls"][0]["call_id"], "贷款 回访 01");
}

#[test]
fn a_mistake_in_a_query_shows_its_place() {
    let desk = Desk::new();
    let run = desk.fails(
        &["search", "保证 party:boss"],
        2,
        &["agent, customer or unknown"],
    );
    assert!(run.err.contains("             ^^^^"), "{}", run.err);
    desk.fails(&["search", "(保证"], 2, &["`)`"]);
    desk.fails(&["search", ""], 2, &["a term"]);
    desk.fails(&["search", "保证"], 1, &["no transcript index"]);
}

#[test]
fn calls_move_between_installations() {
    let (here, there) = (Desk::new(), Desk::new());
    here.import_samples();
    let lines = here.ok(&["export"]);
    assert_eq!(lines.lines().count(), 2);
    there.put("calls.jsonl", &lines);
    there.ok(&["import", "calls.jsonl"]);
    assert_eq!(there.ok(&["export"]), lines);
    assert!(there.ok(&["search", "退款"]).contains("1 hit"));
}

#[test]
fn importing_again_changes_nothing_and_differences_need_a_word() {
    let desk = Desk::new();
    desk.import_samples();
    let run = desk.run(&["import", "in"]);
    assert_eq!(run.code, Some(0));
    assert!(
        run.err.contains("imported 0 calls, 2 were there already"),
        "{}",
        run.err
    );
    let mut changed = loan_call();
    changed.utterances[1].text = "我不要退款。".into();
    desk.put("in/a.json", serde_json::to_string(&changed).unwrap());
    desk.fails(
        &["import", "in"],
        1,
        &["another transcript", "hint: --replace"],
    );
    assert!(!desk.ok(&["show", "贷款"]).contains("不要"));
    desk.ok(&["import", "in", "--replace"]);
    assert!(desk.ok(&["show", "贷款"]).contains("我不要退款"));
    assert_eq!(
        desk.ok(&["search", "--json", "退款"])
            .matches("\"turn\"")
            .count(),
        1
    );
}

#[test]
fn bad_files_fail_and_the_others_are_imported() {
    let desk = Desk::new();
    desk.put("in/bad.json", "{\"call_id\": 3}");
    desk.put("in/empty.json", "");
    desk.put(
        "in/evil.json",
        serde_json::to_string(&loan_call())
            .unwrap()
            .replace("贷款 回访 01", "a\\u0000b"),
    );
    desk.put("in/good.json", serde_json::to_string(&card_call()).unwrap());
    let line = serde_json::to_string(&loan_call()).unwrap();
    let mut late = loan_call();
    late.utterances[1].confidence = 7.0;
    let late = serde_json::to_string(&late).unwrap();
    desk.put("in/lines.jsonl", format!("{late}\nnot json\n\n{line}\n"));
    let told = [
        "bad.json",
        "evil.json",
        "line 1: call `贷款 回访 01`, utterance 2: `confidence` must be 0 to 1, got 7",
        "line 2",
    ];
    let run = desk.fails(&["import", "in", "not there.json"], 1, &told);
    assert!(run.err.contains("imported 2 calls"), "{}", run.err);
    let missing = "failed: cannot read `not there.json`: No such file";
    assert!(run.err.contains(missing), "{}", run.err);
    assert!(desk.ok(&["show", "card-7"]).contains("您好"));
}

#[test]
fn export_writes_csv_text_and_subtitles() {
    let desk = Desk::new();
    desk.import_samples();
    desk.ok(&["export", "--format", "csv", "--out", "calls.csv"]);
    let csv = fs::read_to_string(desk.path("calls.csv")).unwrap();
    assert!(csv.starts_with("call_id,file,agent,"), "{csv}");
    assert_eq!(csv.lines().count(), 5);
    desk.ok(&["export", "--format", "srt", "--out", "subtitles"]);
    let srt = fs::read_to_string(desk.path("subtitles/贷款 回访 01.srt")).unwrap();
    assert!(
        srt.contains("00:01:02,300 --> 00:01:03,100\ncustomer: 我要退款。"),
        "{srt}"
    );
    assert!(
        desk.ok(&["export", "--format", "vtt", "card-7"])
            .starts_with("WEBVTT")
    );
    desk.fails(
        &["export", "--format", "vtt"],
        2,
        &["makes a file for each call"],
    );
    assert!(
        desk.ok(&["export", "--format", "txt"])
            .contains("# card-7\n0:00.5 agent: 您好。")
    );
    let leftovers = fs::read_dir(desk.folder.path()).unwrap();
    let is_part = |name: std::ffi::OsString| name.to_string_lossy().ends_with(".part");
    assert!(
        !leftovers
            .map(|entry| entry.unwrap().file_name())
            .any(is_part)
    );
}

#[test]
fn what_other_programs_write_is_imported() {
    let desk = Desk::new();
    let mut call = serde_json::to_value(card_call()).unwrap();
    let fields = call.as_object_mut().unwrap();
    for field in ["layout", "metadata", "warnings"] {
        fields.remove(field);
    }
    for utterance in call["utterances"].as_array_mut().unwrap() {
        utterance.as_object_mut().unwrap().remove("confidence");
    }
    desk.put("other.json", call.to_string());
    desk.ok(&["import", "other.json"]);
    assert!(
        desk.ok(&["show", "card-7"])
            .contains("one party per channel")
    );
    assert!(desk.ok(&["search", "您好"]).contains("1 hit"));
}

#[test]
fn subtitles_of_one_call_may_be_one_file() {
    let desk = Desk::new();
    desk.import_samples();
    desk.ok(&["export", "--format", "vtt", "--out", "x.vtt", "card-7"]);
    let text = fs::read_to_string(desk.path("x.vtt")).unwrap();
    assert!(text.starts_with("WEBVTT"), "{text}");
    desk.ok(&["export", "--format", "vtt", "--out", "all.vtt"]);
    assert!(
        desk.path("all.vtt/card-7.vtt").is_file(),
        "several calls need a folder"
    );
}

#[test]
fn a_named_call_that_gives_nothing_is_an_error() {
    let desk = Desk::new();
    desk.import_samples();
    desk.fails(
        &["export", "card-7", "--campaign", "loans"],
        1,
        &["none of the calls that were named"],
    );
    assert_eq!(desk.ok(&["export", "--campaign", "none"]), "");
}

#[test]
fn an_export_with_a_long_name_is_written() {
    let desk = Desk::new();
    let mut call = card_call();
    call.call_id.0 = "字".repeat(82);
    desk.put("long.json", serde_json::to_string(&call).unwrap());
    desk.ok(&["import", "long.json"]);
    desk.ok(&["export", "--format", "srt", "--out", "out"]);
    assert!(desk.path(&format!("out/{}.srt", call.call_id)).exists());
}

#[test]
fn export_picks_calls_by_search_campaign_and_time() {
    let desk = Desk::new();
    desk.import_samples();
    let ids = |args: &[&str]| {
        let lines = desk.ok(args);
        let calls = lines
            .lines()
            .map(|line| serde_json::from_str::<Transcript>(line).unwrap());
        calls.map(|call| call.call_id.0).collect::<Vec<_>>()
    };
    assert_eq!(ids(&["export", "--query", "退款"]), ["贷款 回访 01"]);
    assert_eq!(ids(&["export", "--campaign", "cards"]), ["card-7"]);
    assert_eq!(ids(&["export", "--since", "2026-11-19"]), ["贷款 回访 01"]);
    assert_eq!(
        ids(&["export", "--until", "2026-11-19T02:00:00Z"]),
        Vec::<String>::new()
    );
    assert_eq!(ids(&["export", "card-7"]), ["card-7"]);
    desk.fails(
        &["export", "--since", "gestern"],
        2,
        &["--since: time must look like"],
    );
}

#[test]
fn a_lost_index_is_made_anew_from_the_store() {
    let desk = Desk::new();
    desk.import_samples();
    fs::remove_dir_all(desk.path("data/index")).unwrap();
    desk.fails(&["search", "退款"], 1, &["no transcript index"]);
    desk.ok(&["index", "rebuild"]);
    assert!(desk.ok(&["search", "退款"]).contains("1 hit"));
    // Whatever writes next brings back all calls, not only its own.
    fs::remove_dir_all(desk.path("data/index")).unwrap();
    desk.ok(&["import", "in"]);
    assert!(desk.ok(&["search", "退款"]).contains("1 hit"));
}

#[test]
fn a_search_that_cannot_see_all_calls_says_so() {
    let desk = Desk::new();
    desk.import_samples();
    fs::remove_dir_all(desk.path("data/index")).unwrap();
    desk.fails(&["search", "保证"], 1, &["auricle index rebuild"]);
    let report = desk.run(&["doctor"]).out;
    assert!(report.contains("not there; 2 calls not in it"), "{report}");
    desk.ok(&["index", "rebuild"]);
    assert!(!desk.run(&["search", "保证"]).err.contains("warning"));
    change_store(&desk, "UPDATE calls SET indexed_version = 0");
    let found = desk.run(&["search", "没说过"]);
    assert!(
        found
            .err
            .contains("2 calls heard and not in the search index yet"),
        "{}",
        found.err
    );
}

#[test]
fn finding_nothing_tells_what_was_probably_meant() {
    let desk = Desk::new();
    desk.import_samples();
    let notes = |query: &str| desk.run(&["search", query]).err;
    assert!(notes("保证收益 or 承诺").contains("in capitals: OR"));
    assert!(notes("没说过 near/5 保证").contains("in capitals: NEAR"));
    assert!(notes("disposition:promise").contains("no call has "));
    let unknown = notes("hit:promise");
    assert!(unknown.contains("no call has `hit:promise`"), "{unknown}");
    // Also where something else is found.
    assert!(notes("没说过 -hit:promise").contains("no call has `hit:promise`"));
    let unknown = notes("意图:没有这个");
    assert!(unknown.contains("no call has `意图:没有这个`"), "{unknown}");
    let text = notes("坐席:张三");
    assert!(text.contains("no field is called `坐席`"), "{text}");
    assert_eq!(notes("没说过"), "");
    assert_eq!(notes("情绪:中性"), "");
}

#[test]
fn a_damaged_index_says_how_to_mend_it() {
    let desk = Desk::new();
    desk.import_samples();
    fs::write(desk.path("data/index/meta.json"), "{}").unwrap();
    desk.fails(
        &["search", "退款"],
        1,
        &["damaged", "hint: `auricle index rebuild`"],
    );
    desk.ok(&["index", "rebuild"]);
    assert!(desk.ok(&["search", "退款"]).contains("1 hit"));
}

#[test]
fn a_damaged_store_is_said_by_every_command() {
    let desk = Desk::new();
    desk.put("data/auricle.db", "this is no database ".repeat(500));
    for args in [
        ["show", "x"].as_slice(),
        &["export"],
        &["index", "rebuild"],
        &["import", "."],
    ] {
        desk.fails(args, 1, &["damaged", "auricle.db", "hint:"]);
    }
}

#[test]
fn a_reader_that_closes_the_pipe_is_no_failure() {
    let desk = Desk::new();
    let mut call = card_call();
    let utterance = call.utterances[0].clone();
    call.utterances = vec![utterance; 20_000];
    desk.put("long.json", serde_json::to_string(&call).unwrap());
    desk.ok(&["import", "long.json"]);
    let mut child = desk
        .command(&["export", "--format", "txt"])
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert_eq!(
        output.status.code(),
        Some(0),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
}

fn broken(call_id: &str) -> String {
    format!("UPDATE transcripts SET body = x'00' WHERE call_id = '{call_id}'")
}

/// One statement on the store's file, as a defect or a bad disk would leave it.
fn change_store(desk: &Desk, sql: &str) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let address = format!("sqlite://{}", desk.path("data/auricle.db").display());
    runtime.block_on(async {
        let db = sea_orm::Database::connect(address).await.unwrap();
        sea_orm::ConnectionTrait::execute_unprepared(&db, sql)
            .await
            .unwrap();
        db.close().await.unwrap();
    });
}

#[test]
fn one_transcript_that_cannot_be_read_keeps_only_itself_out() {
    let desk = Desk::new();
    desk.import_samples();
    change_store(&desk, &broken("card-7"));
    let named = [
        "failed: the transcript of call `card-7` cannot be read",
        "hint:",
    ];
    let run = desk.fails(&["export"], 1, &named);
    assert_eq!(run.out.lines().count(), 1, "{}", run.out);
    let run = desk.fails(&["export", "--format", "srt", "--out", "out"], 1, &named);
    assert!(run.err.contains("exported 1 call"), "{}", run.err);
    assert!(desk.path("out/贷款 回访 01.srt").exists());
    desk.fails(&["export", "card-7", "--out", "x.jsonl"], 1, &named);
}

#[test]
fn a_deleted_call_is_nowhere() {
    let desk = Desk::new();
    desk.import_samples();
    let run = desk.fails(
        &["delete", "card", "nobody", "贷款 回访 01"],
        1,
        &[
            "no call has the id `card`\nhint: `card-7` may be meant",
            "no call `nobody`",
            "deleted `贷款 回访 01`; its recording was `recordings/贷款 回访 01.wav`",
            "deleted 1 call",
        ],
    );
    assert_eq!(run.out, "");
    desk.fails(&["show", "贷款 回访 01"], 1, &["no call"]);
    assert!(desk.ok(&["search", "退款"]).contains("0 hits"));
    assert_eq!(desk.ok(&["export"]).lines().count(), 1);
    let left = ["auricle.db", "auricle.db-wal"].map(|name| fs::read(desk.path("data").join(name)));
    let recording = "recordings/贷款 回访 01.wav".as_bytes();
    for bytes in left.into_iter().flatten() {
        assert!(!bytes.windows(recording.len()).any(|some| some == recording));
    }
    desk.ok(&["delete", "card-7"]);
    assert_eq!(desk.ok(&["export"]), "");
    // It may come back like any other.
    desk.ok(&["import", "in"]);
    assert!(desk.ok(&["search", "退款"]).contains("1 hit"));
}
