//! Recordings of live calls: after a kill, played, under other keys.

use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};

use auricle_store::Store;
use serde_json::Value;

use crate::bare::desk_with_voice_activity;
use crate::desk::Desk;
use crate::server::{Server, analysed, channels, frame};

const CALL: &str = "07070707-0707-0707-0707-070707070707";
/// Audio is taken as fast as it comes.
const CONFIG: &str = "[live]\nmost_ahead_secs = 600\naudiosocket.listen = '127.0.0.1:0'\n";
/// Milliseconds since 1970, beyond all that was told.
const END_OF_TIME: u64 = 4_102_444_800_000;

/// Both legs of a call that goes on.
struct Speaking {
    legs: [TcpStream; 2],
}

impl Speaking {
    fn begin(server: &Server) -> Self {
        Self::begin_as(server, 7)
    }

    /// The call whose name is this byte, sixteen times.
    fn begin_as(server: &Server, byte: u8) -> Self {
        let address = server.audiosocket.as_ref().unwrap();
        let mut agent = TcpStream::connect(address).unwrap();
        agent.write_all(&frame(0x01, &[byte; 16])).unwrap();
        agent.write_all(&frame(0x10, &[0; 320])).unwrap();
        // The first is the agent's.
        let name = name_of(byte);
        server.wait_for("/api/v1/calls", |calls| {
            let mut under_way = calls["under_way"].as_array().unwrap().iter();
            under_way.any(|call| call["call_id"] == name.as_str())
        });
        let mut customer = TcpStream::connect(address).unwrap();
        customer.write_all(&frame(0x01, &[byte; 16])).unwrap();
        Self {
            legs: [agent, customer],
        }
    }

    fn say(&mut self, audio: [&[u8]; 2]) {
        for (agent, customer) in audio[0].chunks(320).zip(audio[1].chunks(320)) {
            self.legs[0].write_all(&frame(0x10, agent)).unwrap();
            self.legs[1].write_all(&frame(0x10, customer)).unwrap();
        }
    }
}

/// As a call of AudioSocket is called.
fn name_of(byte: u8) -> String {
    let digits = format!("{byte:02x}");
    [4, 2, 2, 2, 6].map(|n| digits.repeat(n)).join("-")
}

/// Files of the recordings that are under way or done.
fn recordings(desk: &Desk, folder: &str) -> Vec<PathBuf> {
    let files = walkdir::WalkDir::new(desk.path("data/recordings").join(folder));
    let files = files.into_iter().filter_map(Result::ok);
    files
        .filter(|file| file.file_type().is_file())
        .map(walkdir::DirEntry::into_path)
        .collect()
}

fn texts(call: &Value) -> Vec<String> {
    let utterances = call["utterances"].as_array().unwrap().iter();
    utterances
        .map(|utterance| utterance["text"].as_str().unwrap().to_owned())
        .collect()
}

/// Of a WAVE file.
fn samples_of(wave: &[u8]) -> &[u8] {
    let data = wave.windows(4).position(|bytes| bytes == b"data");
    // Behind its length.
    &wave[data.unwrap() + 8..]
}

/// Takes the key that the first start made out of the file.
fn throw_first_key_away(desk: &Desk) {
    let file = desk.path("data/recording-keys");
    let keys = fs::read_to_string(&file).unwrap();
    let (first, rest): (Vec<&str>, Vec<&str>) =
        keys.lines().partition(|line| line.starts_with("key-"));
    assert_eq!(first.len(), 1, "{rest:?}");
    fs::write(file, rest.join("\n")).unwrap();
}

#[test]
fn a_key_that_is_added_while_calls_go_on_is_that_of_the_next_call() {
    let Some((desk, models)) = desk_with_voice_activity() else {
        return;
    };
    desk.put("auricle.toml", CONFIG);
    let server = Server::start(&desk, &models, &[]);
    let audio = channels("fixture-01");
    let said = audio.each_ref().map(|leg| &leg[..16_000 * 12]);
    let has_recorded = |n_calls: usize| {
        let open = recordings(&desk, "open");
        let n_bytes = open.iter().map(|file| fs::metadata(file).unwrap().len());
        n_bytes.sum::<u64>() >= (n_calls * 2 * 16_000 * 12) as u64
    };
    let calls = [7, 8].map(|byte| {
        if byte == 8 {
            desk.ok(&["keys", "add", "second"]);
        }
        let mut call = Speaking::begin_as(&server, byte);
        call.say(said);
        let n_calls = usize::from(byte) - 6;
        while !has_recorded(n_calls) {
            std::thread::yield_now();
        }
        call
    });
    // What goes on is put under the new key, too.
    let rotated = desk.run(&["keys", "rotate"]);
    assert_eq!(rotated.code, Some(0), "{}", rotated.err);
    let told = "1 recording put under `second`, 1 under it already\nneeded no more: `key-";
    assert!(rotated.err.contains(told), "{}", rotated.err);
    throw_first_key_away(&desk);
    drop(calls);
    for byte in [7, 8] {
        let name = name_of(byte);
        server.events("after=0", "", &name);
        desk.ok(&[
            "recordings",
            "export",
            &name,
            "--out",
            "x.wav",
            "--unredacted",
        ]);
    }
    let (code, said) = server.stop();
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("stopping: no more calls are taken"), "{said}");
    assert!(!said.contains("run the same command again"), "{said}");
}

#[test]
fn a_call_outlives_a_kill_and_is_played_under_another_key() {
    let Some((desk, models)) = desk_with_voice_activity() else {
        return;
    };
    desk.put("auricle.toml", CONFIG);
    let server = Server::start(&desk, &models, &[]);
    let audio = channels("fixture-01");
    let audio = audio.each_ref().map(Vec::as_slice);
    let mut call = Speaking::begin(&server);
    call.say(audio);
    // Written is enough: the system outlives the program.
    let n_bytes = audio[0].len() + audio[1].len();
    let recorded = || {
        let open = recordings(&desk, "open");
        open.iter()
            .map(|file| fs::metadata(file).unwrap().len())
            .sum::<u64>()
    };
    while recorded() < n_bytes as u64 {
        std::thread::yield_now();
    }
    server.kill();
    assert_eq!(recordings(&desk, "done"), [] as [PathBuf; 0]);

    // The next start finds it, hears it again and says so.
    let server = Server::start(&desk, &models, &[]);
    let events = server.events("after=0", "", CALL);
    assert_eq!(events[0]["source"], "recovered");
    let ended = events.last().unwrap();
    let warning = ended["warnings"][0].as_str().unwrap();
    assert!(warning.contains("recovered from its recording"), "{ended}");
    let saved = server.json(&format!("/api/v1/calls/{CALL}"));
    assert_eq!(
        texts(&saved).len(),
        texts(&analysed(&models, "fixture-01")).len()
    );
    assert_eq!(saved["warnings"][0], warning);
    let (status, wave) = server.get_bytes(&format!("/api/v1/calls/{CALL}/audio?to_ms=2000"));
    assert_eq!((status, &wave[..4]), (200, &b"RIFF"[..]));
    // Two channels of two seconds at 8 kHz.
    assert_eq!(samples_of(&wave).len(), 2 * 2 * 16_000);
    let (status, _) = server.get_bytes(&format!("/api/v1/calls/{CALL}/audio?from_ms=5&to_ms=5"));
    assert_eq!(status, 400);
    server.stop();
    assert_eq!(recordings(&desk, "open"), [] as [PathBuf; 0]);
    assert_eq!(recordings(&desk, "done").len(), 1);

    // It is heard again once only.
    let server = Server::start(&desk, &models, &[]);
    let (_, said) = server.stop();
    assert!(!said.contains("recovering"), "{said}");

    // What is said stands in the recording, in no other file of the data folder.
    let export = ["recordings", "export", "07070707", "--out"];
    let said = desk.run(&[&export[..], &["all.wav", "--unredacted"]].concat());
    assert_eq!(said.code, Some(0), "{}", said.err);
    let exported = fs::read(desk.path("all.wav")).unwrap();
    // Two channels of 16 bits at 8 kHz.
    let ms = samples_of(&exported).len() / (2 * 2 * 8);
    let told = format!(
        "all.wav: {}.{} s of call `{CALL}`",
        ms / 1000,
        ms % 1000 / 100
    );
    assert!(said.err.contains(&told), "{told}: {}", said.err);
    desk.fails(
        &[&export[..], &["none.wav", "--from", "8000"]].concat(),
        1,
        &[
            &format!("nothing of call `{CALL}` is recorded from 8000 s: it is "),
            " s long",
        ],
    );
    assert!(!desk.path("none.wav").exists() && !desk.path("none.part").exists());
    let agent: Vec<u8> = samples_of(&exported)
        .chunks(4)
        .flat_map(|frame| [frame[0], frame[1]])
        .collect();
    // Behind the packet that opened the call.
    assert_eq!(agent[320..320 + 16_000], audio[0][..16_000]);
    desk.ok(&["keys", "add", "second"]);
    let rotated = desk.run(&["keys", "rotate"]);
    assert!(
        rotated.err.contains("1 recording put under `second`"),
        "{}",
        rotated.err
    );
    throw_first_key_away(&desk);
    desk.ok(&["recordings", "export", "07070707", "--out", "silenced.wav"]);
    assert_eq!(
        fs::read(desk.path("silenced.wav")).unwrap().len(),
        exported.len()
    );

    // What is older than it is to be kept goes with the next start.
    let old = desk.path("data/recordings/done/2020-01-02");
    fs::create_dir(&old).unwrap();
    let name = format!("20200102T030405.678Z-{}.arec", "0f".repeat(16));
    fs::copy(&recordings(&desk, "done")[0], old.join(name)).unwrap();
    desk.put(
        "auricle.toml",
        format!("[live.recordings]\nkeep_days = 30\n{CONFIG}"),
    );
    let server = Server::start(&desk, &models, &[]);
    while old.exists() {
        std::thread::yield_now();
    }
    server.stop();
    assert_eq!(recordings(&desk, "done").len(), 1);
}

/// Leaves a call of 12 s behind, as a crash does.
fn killed_in_a_call(desk: &Desk, models: &Path) {
    killed_in_calls(desk, models, &[7]);
}

/// The same of several calls, by what [`name_of`] names them.
fn killed_in_calls(desk: &Desk, models: &Path, bytes: &[u8]) {
    desk.put("auricle.toml", CONFIG);
    let server = Server::start(desk, models, &[]);
    let audio = channels("fixture-01");
    let speaking = bytes.iter().map(|byte| {
        let mut call = Speaking::begin_as(&server, *byte);
        call.say(audio.each_ref().map(|leg| &leg[..16_000 * 12]));
        call
    });
    let calls: Vec<Speaking> = speaking.collect();
    let n_bytes = || {
        let open = recordings(desk, "open");
        open.iter()
            .map(|file| fs::metadata(file).unwrap().len())
            .sum::<u64>()
    };
    while n_bytes() < calls.len() as u64 * 2 * 16_000 * 12 {
        std::thread::yield_now();
    }
    server.kill();
}

#[test]
fn who_calls_again_does_not_take_the_place_of_the_call_that_was_cut_off() {
    let Some((desk, models)) = desk_with_voice_activity() else {
        return;
    };
    killed_in_a_call(&desk, &models);
    let server = Server::start(&desk, &models, &[]);
    // It may be heard again by now, or wait for that.
    let address = server.audiosocket.as_ref().unwrap();
    let mut agent = TcpStream::connect(address).unwrap();
    agent.write_all(&frame(0x01, &[7; 16])).unwrap();
    agent.write_all(&frame(0x10, &[0; 320])).unwrap();
    agent.shutdown(std::net::Shutdown::Write).unwrap();
    let mut answer = Vec::new();
    let _ = agent.read_to_end(&mut answer);
    assert_eq!(answer, [0; 0], "it is not refused");
    let other = format!("{CALL}-2");
    let path = format!("/api/v1/calls/{other}");
    while server.get(&path).0 != 200 || server.get(&format!("/api/v1/calls/{CALL}")).0 != 200 {
        std::thread::yield_now();
    }
    let first = server.json(&format!("/api/v1/calls/{CALL}"));
    assert!(
        first["warnings"][0].as_str().unwrap().contains("recovered"),
        "{first}"
    );
    assert!(!texts(&first).is_empty());
    assert_eq!(texts(&server.json(&path)), [] as [String; 0]);
    server.stop();
}

#[test]
fn recordings_for_which_there_is_no_room_yet_wait_for_it() {
    let Some((desk, models)) = desk_with_voice_activity() else {
        return;
    };
    killed_in_calls(&desk, &models, &[7, 8]);
    desk.put("auricle.toml", format!("{CONFIG}most_calls = 1\n"));
    let server = Server::start(&desk, &models, &[]);
    let is_none_refused = || {
        let metrics = server.get("/metrics").1;
        metrics.contains("\nauricle_live_calls_refused_total 0\n")
    };
    while !recordings(&desk, "open").is_empty() {
        assert!(is_none_refused());
    }
    for byte in [7, 8] {
        let saved = server.json(&format!("/api/v1/calls/{}", name_of(byte)));
        assert!(!texts(&saved).is_empty(), "{saved}");
    }
    let (code, said) = server.stop();
    assert_eq!(code, Some(0), "{said}");
    assert!(!desk.path("data/recordings/tries.json").exists());
}

#[test]
fn a_recording_that_ends_the_program_over_and_over_is_put_aside() {
    let Some((desk, models)) = desk_with_voice_activity() else {
        return;
    };
    killed_in_a_call(&desk, &models);
    let open = recordings(&desk, "open");
    let name = open[0].file_stem().unwrap().to_str().unwrap().to_owned();
    let tries = format!("{{\"{name}\": 5}}");
    desk.put("data/recordings/tries.json", tries);
    let server = Server::start(&desk, &models, &[]);
    while recordings(&desk, "broken").is_empty() {
        std::thread::yield_now();
    }
    let (code, said) = server.stop();
    assert!(
        said.contains("broke off 5 times while it heard this again"),
        "{said}"
    );
    assert_eq!(code, Some(1), "{said}");
    assert_eq!(recordings(&desk, "open"), [] as [PathBuf; 0]);
    assert!(!desk.path("data/recordings/tries.json").exists());
}

#[test]
fn calls_without_recordings_say_so() {
    let Some((desk, models)) = desk_with_voice_activity() else {
        return;
    };
    desk.put(
        "auricle.toml",
        format!("[live.recordings]\nkeep = false\n{CONFIG}"),
    );
    let server = Server::start(&desk, &models, &[]);
    let mut call = Speaking::begin(&server);
    let audio = channels("fixture-01");
    call.say(audio.each_ref().map(|leg| &leg[..16_000 * 12]));
    drop(call);
    server.events("after=0", "", CALL);
    let (status, body) = server.get(&format!("/api/v1/calls/{CALL}/audio"));
    assert_eq!(status, 404, "{body}");
    assert!(body.contains("has no recording"), "{body}");
    server.stop();
    assert!(!desk.path("data/recordings").exists());
    desk.fails(
        &["recordings", "export", "07070707", "--out", "x.wav"],
        1,
        &["has no recording"],
    );
}

/// Puts the only recording that is done where an earlier run would have left it.
fn leave_unfinished(desk: &Desk) {
    let done = recordings(desk, "done").remove(0);
    let open = desk.path("data/recordings/open");
    fs::rename(&done, open.join(done.file_name().unwrap())).unwrap();
}

#[test]
fn an_end_that_was_not_told_is_told_by_the_next_start() {
    let Some((desk, models)) = desk_with_voice_activity() else {
        return;
    };
    desk.put("auricle.toml", CONFIG);
    let server = Server::start(&desk, &models, &[]);
    let audio = channels("fixture-01");
    let mut call = Speaking::begin(&server);
    call.say(audio.each_ref().map(|leg| &leg[..16_000 * 12]));
    drop(call);
    let events = server.events("after=0", "", CALL);
    let ended = events.last().unwrap();
    let last = ended["id"].as_u64().unwrap();
    server.stop();

    // Killed before its recording was put away: all was told, and nothing is told again.
    let put_away = |server: &Server| {
        while !recordings(&desk, "open").is_empty() {
            std::thread::yield_now();
        }
        server.get(&format!("/api/v1/calls/{CALL}")).0
    };
    leave_unfinished(&desk);
    let server = Server::start(&desk, &models, &[]);
    assert_eq!(put_away(&server), 200);
    server.stop();
    // Killed before that was told: it is told, and not heard again.
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let store = Store::open(&desk.path("data/auricle.db")).await.unwrap();
        let since = store.events_between(last, u64::MAX, 10).await.unwrap();
        assert!(since.is_empty(), "{since:?}");
        store.prune_events(END_OF_TIME).await.unwrap();
        store.close().await.unwrap();
    });
    leave_unfinished(&desk);
    let server = Server::start(&desk, &models, &[]);
    let events = server.events(&format!("after={last}"), "", CALL);
    let [told] = &events[..] else {
        panic!("{events:?}");
    };
    let said = [
        "type",
        "duration_ms",
        "n_utterances",
        "n_hits",
        "score",
        "passed",
    ];
    for field in said {
        assert_eq!(told[field], ended[field], "{field}");
    }
    assert_eq!(put_away(&server), 200);
    server.stop();
}

/// The program with its data on a small disk of its own, which only it sees; `None` where nobody may make one.
#[cfg(target_os = "linux")]
fn on_a_small_disk(desk: &Desk, models: &Path) -> Option<Server> {
    const OWN: [&str; 5] = ["unshare", "--map-root-user", "--mount", "sh", "-c"];
    const MOUNT: &str = "mount -t tmpfs -o size=48m tmpfs data";
    fs::create_dir(desk.path("data")).unwrap();
    let tried = desk.command_through(&[&OWN[..], &[MOUNT]].concat(), &[]);
    let tried = { tried }.status();
    if !tried.is_ok_and(|status| status.success()) {
        println!(
            "skipped: nobody may mount a disk of their own here (unshare --map-root-user --mount)"
        );
        return None;
    }
    let then = format!("{MOUNT} && exec \"$0\" \"$@\"");
    let args = ["serve", "--listen", "127.0.0.1:0"];
    let command = desk.command_through(&[&OWN[..], &[&then]].concat(), &args);
    Some(Server::start_by(command, models))
}

#[test]
#[cfg(target_os = "linux")]
fn a_call_that_ends_on_a_full_disk_is_saved_when_there_is_room() {
    let Some((desk, models)) = desk_with_voice_activity() else {
        return;
    };
    desk.put("auricle.toml", CONFIG);
    let Some(server) = on_a_small_disk(&desk, &models) else {
        return;
    };
    // As it sees it.
    let pid = server.child.id();
    let data = PathBuf::from(format!("/proc/{pid}/root"))
        .join(desk.path("data").strip_prefix("/").unwrap());
    let audio = channels("fixture-01");
    let mut call = Speaking::begin(&server);
    let begun = || {
        let open = fs::read_dir(data.join("recordings/open")).unwrap();
        open.map(|file| file.unwrap().metadata().unwrap().len())
            .any(|n_bytes| n_bytes > 0)
    };
    while !begun() {
        std::thread::yield_now();
    }
    let ballast = data.join("ballast");
    let mut file = fs::File::create(&ballast).unwrap();
    let full = std::io::copy(&mut std::io::repeat(0), &mut file).unwrap_err();
    assert_eq!(full.kind(), std::io::ErrorKind::StorageFull);
    call.say(audio.each_ref().map(Vec::as_slice));
    drop(call);
    let events = server.events("after=0", "", CALL);
    let ended = events.last().unwrap();
    let warning = ended["warnings"].as_array().unwrap().last().unwrap();
    assert!(
        warning
            .as_str()
            .unwrap()
            .starts_with("not saved yet: the disk is full"),
        "{ended}"
    );
    let under_way = &server.json("/api/v1/calls")["under_way"][0];
    assert_eq!(
        (&under_way["call_id"], &under_way["is_over"]),
        (&CALL.into(), &true.into())
    );
    let is_unsaved = |n: u32| {
        server
            .get("/metrics")
            .1
            .contains(&format!("\nauricle_live_calls_unsaved {n}\n"))
    };
    assert!(is_unsaved(1));

    drop(file);
    fs::remove_file(ballast).unwrap();
    while !is_unsaved(0) {
        std::thread::yield_now();
    }
    let saved = server.json(&format!("/api/v1/calls/{CALL}"));
    let finals = events.iter().filter(|event| event["type"] == "final");
    let told: Vec<_> = finals
        .map(|event| event["utterance"]["text"].clone())
        .collect();
    assert!(!told.is_empty());
    assert_eq!(texts(&saved).len(), told.len());
    assert_eq!(saved["warnings"], Value::Null, "{saved}");
    let (status, wave) = server.get_bytes(&format!("/api/v1/calls/{CALL}/audio"));
    assert_eq!(status, 200);
    // Behind the packet that opened the call.
    assert_eq!(samples_of(&wave).len(), 2 * (320 + audio[0].len()));
    let (code, said) = server.stop();
    assert_eq!(code, Some(0), "{said}");
}
