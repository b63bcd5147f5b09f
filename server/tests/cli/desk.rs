//! The real binary in a data folder of its own.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use auricle_contracts::{
    CallId, CallMetadata, ChannelLayout, Party, Syllable, Transcript, Utterance, Word,
};

/// A folder with nothing in it but what the test puts there.
pub(crate) struct Desk {
    pub(crate) folder: tempfile::TempDir,
}

/// What a run of the binary gave.
pub(crate) struct Run {
    pub(crate) code: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Desk {
    pub(crate) fn new() -> Self {
        Self {
            folder: tempfile::tempdir().unwrap(),
        }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Writes a file, and its folder where that is missing.
    pub(crate) fn put(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, content).unwrap();
        path
    }

    /// The binary in this folder, with its data in `data`.
    pub(crate) fn command(&self, args: &[&str]) -> Command {
        self.command_through(&[], args)
    }

    /// The same, started by another program, which is told of both.
    pub(crate) fn command_through(&self, other: &[&str], args: &[&str]) -> Command {
        let words = [other, &[env!("CARGO_BIN_EXE_auricle")], args].concat();
        let mut command = Command::new(words[0]);
        command.current_dir(self.folder.path()).args(&words[1..]);
        for name in [
            "AURICLE_LOG",
            "AURICLE_MODELS",
            "AURICLE_MODEL_MIRROR",
            "NO_COLOR",
        ] {
            command.env_remove(name);
        }
        command
            .env("AURICLE_DATA", self.path("data"))
            .env("HOME", self.path("home"));
        command
    }

    pub(crate) fn run(&self, args: &[&str]) -> Run {
        Run::of(self.command(args).output().unwrap())
    }

    /// Runs, and requires exit code 0.
    pub(crate) fn ok(&self, args: &[&str]) -> String {
        let run = self.run(args);
        assert_eq!(run.code, Some(0), "{args:?}\n{}\n{}", run.out, run.err);
        run.out
    }

    /// Runs, and requires this exit code and these words on standard error.
    pub(crate) fn fails(&self, args: &[&str], code: i32, words: &[&str]) -> Run {
        let run = self.run(args);
        assert_eq!(run.code, Some(code), "{args:?}\n{}\n{}", run.out, run.err);
        for word in words {
            assert!(run.err.contains(word), "`{word}` in: {}", run.err);
        }
        assert!(!run.err.contains("panicked"), "{}", run.err);
        run
    }

    /// Puts two calls into the store, as another installation would hand them over.
    pub(crate) fn import_samples(&self) {
        self.put("in/a.json", serde_json::to_string(&loan_call()).unwrap());
        self.put("in/b.json", serde_json::to_string(&card_call()).unwrap());
        self.ok(&["import", "in"]);
    }
}

impl Run {
    pub(crate) fn of(output: Output) -> Self {
        Self {
            code: output.status.code(),
            out: String::from_utf8(output.stdout).unwrap(),
            err: String::from_utf8(output.stderr).unwrap(),
        }
    }
}

/// An utterance of words and their syllables, 200 ms a hanzi.
pub(crate) fn utterance(party: Party, start_ms: u64, words: &str, syllables: &str) -> Utterance {
    let mut at_ms = start_ms;
    let mut timed = Vec::new();
    for word in words.split_whitespace() {
        let end_ms = at_ms + 200 * word.chars().count() as u64;
        timed.push(Word {
            w: word.to_owned(),
            start_ms: at_ms,
            end_ms,
        });
        at_ms = end_ms;
    }
    let syllable = |(index, spelled): (usize, &str)| {
        let from_ms = start_ms + 200 * index as u64;
        let alternatives = Vec::new();
        Syllable {
            s: spelled.to_owned(),
            start_ms: from_ms,
            end_ms: from_ms + 200,
            conf: 0.9,
            alternatives,
        }
    };
    let spoken = words.split_whitespace().collect::<String>();
    Utterance {
        party,
        channel: u16::from(party == Party::Customer),
        start_ms,
        end_ms: at_ms,
        text: format!("{spoken}。"),
        spoken,
        confidence: 0.9,
        syllables: syllables
            .split_whitespace()
            .enumerate()
            .map(syllable)
            .collect(),
        words: timed,
        voice: None,
    }
}

fn transcript(name: &str, metadata: CallMetadata, utterances: Vec<Utterance>) -> Transcript {
    Transcript {
        call_id: CallId(name.to_owned()),
        file: format!("recordings/{name}.wav"),
        duration_ms: 65_000,
        engine: "ort/test".to_owned(),
        layout: ChannelLayout::PerParty,
        metadata,
        warnings: vec!["file is truncated".to_owned()],
        utterances,
    }
}

pub(crate) fn loan_call() -> Transcript {
    let metadata = CallMetadata {
        agent: Some("张三".into()),
        campaign: Some("loans".into()),
        region: None,
        started_at: Some("2026-11-19T10:00:00+08:00".into()),
    };
    let said = vec![
        utterance(
            Party::Agent,
            1_000,
            "这个 产品 保证 收益",
            "zhe4 ge5 chan3 pin3 bao3 zheng4 shou1 yi4",
        ),
        utterance(Party::Customer, 62_300, "我 要 退款", "wo3 yao4 tui4 kuan3"),
    ];
    transcript("贷款 回访 01", metadata, said)
}

pub(crate) fn card_call() -> Transcript {
    let metadata = CallMetadata {
        campaign: Some("cards".into()),
        ..CallMetadata::default()
    };
    let said = vec![
        utterance(Party::Agent, 500, "您 好", "nin2 hao3"),
        utterance(
            Party::Customer,
            3_000,
            "抱 证 受益",
            "bao4 zheng4 shou4 yi4",
        ),
    ];
    transcript("card-7", metadata, said)
}

/// The folder of data that is not part of the project, where it is there.
pub(crate) fn shared() -> Option<PathBuf> {
    let folder = std::env::var_os("AURICLE_SHARED").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared"),
        PathBuf::from,
    );
    folder
        .join("audio")
        .is_dir()
        .then(|| folder.canonicalize().unwrap())
}
