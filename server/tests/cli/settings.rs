//! Help, configuration, exit codes, and what `doctor` says.

use crate::desk::{Desk, Run};

#[test]
fn help_teaches() {
    let desk = Desk::new();
    let help = desk.ok(&["--help"]);
    for word in ["auricle doctor", "Exit codes:", "130", "AURICLE_DATA"] {
        assert!(help.contains(word), "{word} in {help}");
    }
    assert!(desk.ok(&["search", "--help"]).contains("投诉 THEN/6 退款"));
    assert!(desk.ok(&["analyze", "--help"]).contains("calls.csv"));
}

#[test]
fn every_query_in_the_help_of_search_can_be_read() {
    let help = Desk::new().ok(&["search", "--help"]);
    let (_, language) = help.split_once("query-language.md):\n").unwrap();
    let lines = language
        .lines()
        .take_while(|line| !line.trim().is_empty())
        .collect::<Vec<_>>();
    assert!(lines.len() > 15, "{lines:?}");
    for line in lines {
        let query = line.trim().split("  ").next().unwrap();
        auricle_search::parse(query).unwrap();
    }
}

#[test]
fn mistakes_on_the_command_line_are_code_2() {
    let desk = Desk::new();
    desk.fails(&["analyse"], 2, &["analyze"]);
    desk.fails(&["analyze"], 2, &["PATH"]);
    desk.fails(
        &["analyze", "x", "--channels", "left"],
        2,
        &["channels must look like"],
    );
    desk.fails(&["analyze", "x", "--beam", "0"], 2, &["1..=64"]);
    desk.fails(&["--log", "a=b=c", "show", "x"], 2, &["log level"]);
}

#[test]
fn mistakes_in_the_configuration_are_code_2_and_name_the_line() {
    let desk = Desk::new();
    desk.put(
        "auricle.toml",
        "[analyze]\njobs = 2\nchanels = \"agent=left\"\n",
    );
    desk.fails(&["show", "x"], 2, &["auricle.toml", "line 3", "chanels"]);
    desk.put("auricle.toml", "[log]\nlevel = 3\n");
    desk.fails(&["show", "x"], 2, &["line 2"]);
    desk.fails(&["--config", "no.toml", "show", "x"], 2, &["no.toml"]);
}

#[test]
fn the_configuration_is_found_beside_the_data_too() {
    let desk = Desk::new();
    desk.put("data/auricle.toml", "utc_offset = \"half past\"");
    desk.fails(&["show", "x"], 2, &["utc_offset", "data/auricle.toml"]);
    desk.put("auricle.toml", "");
    desk.fails(&["show", "x"], 1, &["no store"]);
}

#[test]
fn the_data_folder_is_the_variables_then_the_files_then_the_users() {
    let desk = Desk::new();
    desk.import_samples();
    desk.put("elsewhere/auricle.toml", "data_dir = \"../data\"");
    let mut command = desk.command(&["--config", "elsewhere/auricle.toml", "show", "card-7"]);
    let run = Run::of(command.env_remove("AURICLE_DATA").output().unwrap());
    assert_eq!(run.code, Some(0), "{}", run.err);
    let mut command = desk.command(&["show", "card-7"]);
    let run = Run::of(command.env_remove("AURICLE_DATA").output().unwrap());
    assert!(run.err.contains("home/.local/share/auricle"), "{}", run.err);
}

#[test]
fn doctor_says_what_is_missing_and_how_to_get_it() {
    let desk = Desk::new();
    let mut command = desk.command(&["doctor", "--json"]);
    let run = Run::of(
        command
            .env("AURICLE_ONNXRUNTIME", "/nowhere/libonnxruntime.so")
            .output()
            .unwrap(),
    );
    assert_eq!(run.code, Some(1), "{}{}", run.out, run.err);
    let report = serde_json::from_str::<serde_json::Value>(&run.out).unwrap();
    assert_eq!(report["analyze_would_work"], false);
    let finding = |what: &str| {
        let findings = report["findings"].as_array().unwrap();
        findings
            .iter()
            .find(|finding| finding["what"] == what)
            .unwrap()
            .clone()
    };
    assert_eq!(finding("ONNX Runtime")["health"], "optional");
    assert!(
        finding("recogniser")["hint"]
            .as_str()
            .unwrap()
            .contains("auricle models pull")
    );
    assert_eq!(finding("store")["health"], "good");
}

#[test]
fn doctor_looks_into_store_and_index() {
    let desk = Desk::new();
    desk.import_samples();
    let report = desk.run(&["doctor"]).out;
    assert!(
        report.contains("2 calls done, 0 failed, 0 pending"),
        "{report}"
    );
    assert!(report.contains("4 utterances"), "{report}");
    desk.put("data/auricle.db", "no database ".repeat(1000));
    // A write-ahead log that a process left would bring the pages back.
    for log in ["data/auricle.db-wal", "data/auricle.db-shm"] {
        let _ = std::fs::remove_file(desk.path(log));
    }
    let report = desk.run(&["doctor"]).out;
    assert!(report.contains("broken"), "{report}");
}

#[test]
fn models_are_listed_and_missing_ones_say_how_to_get_them() {
    let desk = Desk::new();
    let list = desk.ok(&["models", "list"]);
    assert!(
        list.contains("silero-vad") && list.contains("missing"),
        "{list}"
    );
    let rate = "toned syllable error 14.8 %";
    assert!(
        list.lines().any(|line| line.trim().starts_with(rate)),
        "{list}"
    );
    let json = desk.ok(&["models", "list", "--json"]);
    let json = serde_json::from_str::<serde_json::Value>(&json).unwrap();
    let mut models = json.as_array().unwrap().iter();
    let recogniser = models.find(|model| model["name"] == "zh-zipformer-3.3m");
    assert_eq!(recogniser.unwrap()["measured"][1]["value_percent"], 14.8);
    desk.fails(
        &["models", "path", "silero-vad"],
        1,
        &["auricle models pull silero-vad"],
    );
    desk.fails(
        &["models", "verify", "no-such"],
        2,
        &["no model is called `no-such`"],
    );
    let wanting = desk.fails(
        &["models", "verify", "zh"],
        1,
        &["hint: `auricle models pull zh-zipformer-3.3m` fetches it"],
    );
    let optional = "note: `zh-gigatdt-lm` is optional";
    assert!(wanting.err.contains(optional), "{}", wanting.err);
    let verified = desk.ok(&["models", "verify"]);
    assert!(
        verified.starts_with("telephony-8k in `the program itself`"),
        "{verified}"
    );
}

/// A card of one file that lies there already.
fn own_card(name: &str, kind: &str, engine: &str) -> String {
    format!(
        "name = '{name}'\nkind = '{kind}'\nengine = '{engine}'\nlanguages = ['zh']\nprofiles = ['own']\n\
         description = ''\nlicence = ''\nsource = 'https://example.org'\n[[file]]\npath = 'a.onnx'\n"
    )
}

#[test]
fn a_profile_is_fetched_without_what_has_no_address() {
    let desk = Desk::new();
    for (name, kind, engine) in [("own-vad", "vad", "ort"), ("own-lm", "lm", "arpa")] {
        let card = own_card(name, kind, engine);
        desk.put(&format!("data/models/cards/{name}.toml"), card);
    }
    desk.put("data/models/own-vad/a.onnx", "x");
    let run = desk.run(&["models", "pull", "own"]);
    assert_eq!(run.code, Some(0), "{}{}", run.out, run.err);
    assert!(run.out.contains("own-vad in"), "{}", run.out);
    for word in ["`own-lm` is optional", "by hand: put these files into"] {
        assert!(run.err.contains(word), "{}", run.err);
    }
    // Asked for by its name, it cannot be had.
    desk.fails(&["models", "pull", "own-lm"], 1, &["no address", "by hand"]);
}

#[test]
fn the_language_of_the_calls_is_the_configurations() {
    let desk = Desk::new();
    desk.put("auricle.toml", "[speech]\nlanguage = 'fr'\n");
    let report = desk.run(&["doctor"]).out;
    assert!(report.contains("language `fr`"), "{report}");
    desk.put("a.wav", "");
    desk.fails(&["analyze", "a.wav"], 1, &["auricle models pull"]);
}

/// Models in the checkout and in the shared folder, where they are there.
fn model_folders() -> Option<[std::path::PathBuf; 2]> {
    let own = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../.native/models");
    let Some(shared) = crate::desk::shared().filter(|_| own.join("silero-vad").is_dir()) else {
        println!("skipped: Silero VAD (scripts/setup.sh) and the shared folder are not both there");
        return None;
    };
    Some([own, shared.join("models")])
}

#[test]
fn calls_are_heard_without_any_native_library() {
    let Some([own, shared]) = model_folders() else {
        return;
    };
    let desk = Desk::new();
    desk.put("auricle.toml", format!("[models]\ndir = {own:?}\n"));
    let run = |args: &[&str]| {
        let mut command = desk.command(args);
        let command = command
            .env("AURICLE_MODELS", &shared)
            .env("AURICLE_ONNXRUNTIME", "/nowhere/libonnxruntime.so");
        Run::of(command.output().unwrap())
    };
    let doctor = run(&["doctor"]);
    assert_eq!(doctor.code, Some(0), "{}", doctor.out);
    assert!(
        doctor.out.contains("auricle runs `silero_vad.onnx`"),
        "{}",
        doctor.out
    );
    let clip = shared
        .join("../audio/zh-dev/zh-dev-001.wav")
        .display()
        .to_string();
    let heard = run(&["analyze", &clip]);
    assert_eq!(heard.code, Some(0), "{}", heard.err);
    let text = run(&["export", "--format", "txt"]).out;
    assert!(text.contains("unknown: "), "{text}");
    let refused = run(&["analyze", "--engine", "ort", "--force", &clip]);
    assert_ne!(refused.code, Some(0), "there is no ONNX Runtime");
}

/// Silero's files with one weight's name spelled otherwise: the same network, not known to Auricle.
fn foreign_silero(desk: &Desk, from: &std::path::Path) {
    for name in ["silero_vad.onnx", "silero_vad_op18_ifless.onnx"] {
        let mut bytes = std::fs::read(from.join("silero-vad").join(name)).unwrap();
        let (known, foreign) = (b"forward_basis_buffer", b"forward_basis_bufffr");
        for at in 0..bytes.len() - known.len() {
            if bytes[at..].starts_with(known) {
                bytes[at..at + known.len()].copy_from_slice(foreign);
            }
        }
        desk.put(&format!("foreign/silero-vad/{name}"), bytes);
    }
}

#[test]
fn voice_activity_that_is_wired_otherwise_runs_on_what_is_there() {
    let Some([own, shared]) = model_folders() else {
        return;
    };
    let desk = Desk::new();
    foreign_silero(&desk, &own);
    let recogniser = "zh-zipformer-3.3m";
    std::os::unix::fs::symlink(
        shared.join(recogniser),
        desk.path("foreign").join(recogniser),
    )
    .unwrap();
    let library = own.join("../lib/libonnxruntime.so");
    let runs = [
        (library.is_file(), library.as_path(), "ONNX Runtime runs"),
        (
            cfg!(feature = "tract"),
            "/nowhere/libonnxruntime.so".as_ref(),
            "tract runs",
        ),
    ];
    for (_, library, wanted) in runs.into_iter().filter(|(is_here, ..)| *is_here) {
        let run = |args: &[&str]| {
            let mut command = desk.command(args);
            let command = command
                .env("AURICLE_MODELS", desk.path("foreign"))
                .env("AURICLE_ONNXRUNTIME", library);
            Run::of(command.output().unwrap())
        };
        let doctor = run(&["doctor"]).out;
        assert!(doctor.contains(wanted), "{doctor}");
        let clip = shared
            .join("../audio/zh-dev/zh-dev-001.wav")
            .display()
            .to_string();
        let heard = run(&["analyze", "--force", &clip]);
        assert_eq!(heard.code, Some(0), "{}", heard.err);
        assert!(
            run(&["export", "--format", "txt"])
                .out
                .contains("unknown: ")
        );
    }
}

#[test]
fn language_models_are_built_and_measured() {
    let desk = Desk::new();
    desk.put(
        "text.txt",
        "您好请问有什么可以帮您\n这个产品不能保证收益\n我要办理退款\n".repeat(20),
    );
    desk.ok(&["lm", "build", "text.txt", "--out", "own.arpa"]);
    let arpa = std::fs::read_to_string(desk.path("own.arpa")).unwrap();
    assert!(
        arpa.contains("\\data\\") && arpa.contains("保证"),
        "no ARPA file"
    );
    let perplexity = |args: &[&str]| {
        let json = serde_json::from_str::<serde_json::Value>(&desk.ok(args)).unwrap();
        json["perplexity"].as_f64().unwrap()
    };
    let without = perplexity(&["lm", "eval", "text.txt", "--json"]);
    let with = perplexity(&["lm", "eval", "text.txt", "--arpa", "own.arpa", "--json"]);
    assert!(with < without, "{with} < {without}");
    desk.fails(&["lm", "build", "none.txt", "--out", "x"], 1, &["none.txt"]);
    desk.put("latin.txt", "hello\n");
    desk.fails(
        &["lm", "build", "latin.txt", "--out", "x"],
        2,
        &["no words in hanzi"],
    );
}
