//! `auricle config`: what is wrong, what is in force, what there is.

use crate::desk::Desk;

#[test]
fn a_configuration_is_checked_with_all_that_it_names() {
    let desk = Desk::new();
    assert!(
        desk.ok(&["config", "check"])
            .contains("no configuration file")
    );
    desk.put(
        "ours.yaml",
        "pack: ours\nlanguage: zh\nrules:\n- {id: a, when: {says: [好]}}\n",
    );
    desk.put("auricle.toml", "insight.packs = ['ours.yaml']\n");
    let good = desk.ok(&["config", "check"]);
    assert_eq!(good, "auricle.toml: good\n");

    // Everything at once, but for what keeps the file from being read.
    desk.put("ours.yaml", "pack: ours\nrules: 3\n");
    desk.put("words.txt", "好 hao9\n");
    desk.put(
        "auricle.toml",
        "insight.packs = ['ours.yaml']\nanalyze.hotwords = 'words.txt'\nlm.texts = ['none.txt']\n\
         [[live.webhooks]]\nname = 'crm'\nurl = 'https://crm.example'\n",
    );
    let wrong = [
        "ours.yaml:2:",
        "words.txt",
        "line 1",
        "none.txt",
        "there is no `secret`",
    ];
    let refused = desk.fails(&["config", "check"], 2, &wrong);
    assert!(refused.out.is_empty());
    desk.put("auricle.toml", "[live]\nidle_ms = 0\nmost_calls = 0\n");
    desk.fails(
        &["config", "check"],
        2,
        &[
            "auricle.toml`, line 2, column 11: `live.idle_ms` must be 1 to 100, got `0`",
            "line 3",
            "`live.most_calls` must be 1 to 100000",
        ],
    );
}

#[test]
fn values_in_force_are_shown_as_a_file_that_says_the_same() {
    let desk = Desk::new();
    let secret = "0123456789abcdef";
    desk.put(
        "auricle.toml",
        format!(
            "[live]\nidle_ms = 0x07\n[[live.webhooks]]\nname = 'crm'\nurl = 'https://crm.example/token'\nsecret = '{secret}'\n"
        ),
    );
    let shown = desk.ok(&["config", "show"]);
    for line in [
        "# auricle.toml",
        "[live]",
        "idle_ms = 0x07  # line 2",
        "most_calls = 1000  # default",
        "[[live.webhooks]]",
        "name = 'crm'  # line 4",
        "# utc_offset is not set",
    ] {
        assert!(
            shown.lines().any(|shown| shown == line),
            "{line} in {shown}"
        );
    }
    assert!(shown.contains("--data or AURICLE_DATA"), "{shown}");
    assert!(
        !shown.contains(secret) && !shown.contains("token"),
        "{shown}"
    );
    desk.put("again.toml", &shown);
    let again = desk.ok(&["--config", "again.toml", "config", "show"]);
    let values = |shown: &str| -> Vec<String> {
        let lines = shown.lines().skip(1);
        let values = lines.map(|line| line.split("  # ").next().unwrap().to_owned());
        values.collect()
    };
    assert_eq!(values(&again), values(&shown));
}

#[test]
fn a_file_to_begin_from_is_written() {
    let desk = Desk::new();
    let template = desk.ok(&["config", "template"]);
    desk.put("auricle.toml", &template);
    assert_eq!(desk.ok(&["config", "check"]), "auricle.toml: good\n");
    assert_eq!(desk.ok(&["config", "template"]), template);
    let schema = desk.ok(&["config", "schema"]);
    let schema: serde_json::Value = serde_json::from_str(&schema).unwrap();
    assert_eq!(
        schema["properties"]["live"]["properties"]["idle_ms"]["maximum"],
        100
    );
    assert!(
        desk.ok(&["config", "reference"])
            .contains("## `[live.audiosocket]`")
    );
}
