//! Other people's user agents: sipp (Debian's package is `sip-tester`) and baresip (`baresip-core`), which scripts/test.sh
//! installs.

use std::fs;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use super::rtp::speak;
use super::{
    CONFIG, analysed, assert_alike, letters, names_of, only_call, share_different, short_call,
    two_streams, ulaw, wave,
};
use crate::bare::desk_with_voice_activity;
use crate::desk::Desk;
use crate::server::Server;

/// What passes another codec may be heard otherwise in more places.
const MOST_DIFFERENT: f64 = 0.25;
/// Behind what is said.
const SPOKEN_MS: &str = "8000";
/// Where distributions have what baresip loads.
const MODULES: [&str; 3] = [
    "/usr/lib/baresip/modules",
    "/usr/lib/x86_64-linux-gnu/baresip/modules",
    "/usr/lib64/baresip/modules",
];

const ALL_CODECS: &str = "codecs = ['pcmu', 'pcma', 'g722', 'opus']\n";
/// Calls of baresip with what it is told of its account, and the codec that is heard.
const ACCOUNTS: [Account; 4] = [
    Account {
        call: "alaw",
        settings: "audio_codecs=PCMA/8000/1",
        format: (1, 1),
        codec: "pcma",
    },
    Account {
        call: "wide",
        settings: "audio_codecs=G722/16000/1",
        format: (2, 1),
        codec: "g722",
    },
    Account {
        call: "opus",
        settings: "audio_codecs=opus/48000/2",
        format: (6, 2),
        codec: "opus",
    },
    Account {
        call: "encrypted",
        settings: "audio_codecs=PCMU/8000/1;mediaenc=srtp-mand",
        format: (1, 1),
        codec: "pcmu",
    },
];

/// A call of baresip.
struct Account {
    call: &'static str,
    settings: &'static str,
    /// What it plays, as it does not change rates: times 8 kHz, and channels.
    format: (usize, u16),
    /// What is heard.
    codec: &'static str,
}

impl Account {
    /// A WAVE file in its format of 16-bit samples at 8 kHz: between two of them lie others on a straight line.
    fn wave(&self, linear: &[u8]) -> Vec<u8> {
        let (times, n_channels) = self.format;
        let (samples, _) = linear.as_chunks::<2>();
        let samples: Vec<i16> = samples.iter().copied().map(i16::from_le_bytes).collect();
        let mut played = Vec::new();
        for pair in samples.windows(2) {
            let [from, to] = [i32::from(pair[0]), i32::from(pair[1])];
            for step in 0..times as i32 {
                let sample = from + (to - from) * step / times as i32;
                for _ in 0..n_channels {
                    played.extend_from_slice(&(sample as i16).to_le_bytes());
                }
            }
        }
        wave(&played, 8_000 * times as u32, n_channels)
    }
}

/// Scenarios by name.
const SIPREC: (&str, &str) = ("siprec", include_str!("siprec.xml"));
const PLAIN: (&str, &str) = ("plain", include_str!("plain.xml"));
const DIGEST: (&str, &str) = ("digest", include_str!("digest.xml"));
const WRONG_PASSWORD: (&str, &str) = ("wrong_password", include_str!("wrong_password.xml"));
/// That need neither audio nor passwords.
const DIALOGS: [(&str, &str); 5] = [
    ("options", include_str!("options.xml")),
    ("hold", include_str!("hold.xml")),
    ("bye_twice", include_str!("bye_twice.xml")),
    ("unreadable", include_str!("unreadable.xml")),
    ("no_bye", include_str!("no_bye.xml")),
];

/// Whether a program is there.
fn has(program: &str, argument: &str) -> bool {
    let mut tried = Command::new(program);
    tried.arg(argument).stdin(Stdio::null());
    if tried.output().is_ok() {
        return true;
    }
    println!("skipped: there is no {program} (scripts/test.sh installs it)");
    false
}

/// sipp at work on one call of a scenario.
fn start_sipp(desk: &Desk, (name, scenario): (&str, &str), to: &str, more: &[&str]) -> Child {
    let file = desk.put(&format!("{name}.xml"), scenario);
    Command::new("sipp")
        .current_dir(desk.folder.path())
        .args([to, "-sf", file.to_str().unwrap(), "-m", "1", "-nostdin"])
        .args(["-i", "127.0.0.1", "-mi", "127.0.0.1"])
        .args(["-timeout", "60", "-timeout_error", "-trace_err"])
        .args(["-error_file", &format!("{name}.errors")])
        .args(more)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

/// Requires that all went as the scenario has it.
fn finish(desk: &Desk, name: &str, mut sipp: Child) {
    let status = sipp.wait().unwrap();
    let errors = fs::read_to_string(desk.path(&format!("{name}.errors"))).unwrap_or_default();
    assert!(status.success(), "{name}: {status}\n{errors}");
}

/// Ports of the answer that sipp wrote down; none where it ended without.
fn ports_in(messages: &Path, sipp: &mut Child) -> Vec<u16> {
    loop {
        let text = fs::read_to_string(messages).unwrap_or_default();
        let answer = text.split("SIP/2.0 200").nth(1).unwrap_or_default();
        let media = answer.split("m=audio ").skip(1);
        let ports = media.filter_map(|line| line.split(' ').next()?.parse().ok());
        let ports: Vec<u16> = ports.collect();
        // Written whole: what sipp answers stands behind it.
        if text.contains("\nACK ") || sipp.try_wait().unwrap().is_some() {
            return ports;
        }
        std::thread::yield_now();
    }
}

#[test]
fn sipp_records_a_call() {
    let Some((desk, models)) = desk_with_voice_activity() else {
        return;
    };
    if !has("sipp", "-v") {
        return;
    }
    desk.put("auricle.toml", CONFIG);
    let server = Server::start(&desk, &models, &[]);
    let audio = short_call();
    let codes = audio.each_ref().map(|linear| ulaw(linear));
    let mut streams = two_streams();
    let ports = streams.each_ref().map(|stream| stream.port().to_string());
    let messages = desk.path("messages");
    let more = [
        ["-t", "t1"],
        ["-d", SPOKEN_MS],
        ["-message_file", messages.to_str().unwrap()],
    ];
    let keys = [
        "-key",
        "first_port",
        &ports[0],
        "-key",
        "second_port",
        &ports[1],
    ];
    let more = [more.as_flattened(), &["-trace_msg"], &keys].concat();
    // One stream is all that it plays itself: both are sent beside it.
    let mut sipp = start_sipp(&desk, SIPREC, &server.sip("tcp"), &more);
    for (stream, port) in streams.iter_mut().zip(ports_in(&messages, &mut sipp)) {
        stream.send_to(port);
    }
    speak(&mut streams, &codes.each_ref().map(Vec::as_slice));
    finish(&desk, "siprec", sipp);
    let (listed, saved) = only_call(&server);
    assert_alike(&saved, &analysed(&models, &audio));
    assert_eq!(listed["metadata"]["agent"], "8001");
    server.stop();
}

#[test]
fn sipp_plays_a_stream() {
    let Some((desk, models)) = desk_with_voice_activity() else {
        return;
    };
    if !has("sipp", "-v") {
        return;
    }
    desk.put("auricle.toml", CONFIG);
    let server = Server::start(&desk, &models, &[]);
    let audio = short_call();
    desk.put("speech.ul", ulaw(&audio[0]));
    let sipp = start_sipp(&desk, PLAIN, &server.sip("udp"), &["-d", SPOKEN_MS]);
    finish(&desk, "plain", sipp);
    let (listed, saved) = only_call(&server);
    assert_eq!(listed["call_id"], "plain-1");
    let expected = letters(&analysed(&models, &audio), "agent");
    let share = share_different(&letters(&saved, "agent"), &expected);
    assert!(share <= super::MOST_DIFFERENT, "{saved}");
    server.stop();
}

#[test]
fn sipp_is_answered_as_it_expects() {
    let Some((desk, models)) = desk_with_voice_activity() else {
        return;
    };
    if !has("sipp", "-v") {
        return;
    }
    // Those of which nobody says that they are over end with the program.
    desk.put("auricle.toml", format!("[live]\ndrain_secs = 0\n{CONFIG}"));
    let server = Server::start(&desk, &models, &[]);
    for transport in ["udp", "tcp"] {
        let kind = &transport.replace("udp", "u1").replace("tcp", "t1");
        let more = ["-t", kind, "-d", "300"];
        let ports = ["-key", "first_port", "9", "-key", "second_port", "9"];
        for scenario in DIALOGS {
            let more = [more.as_slice(), &ports].concat();
            let sipp = start_sipp(&desk, scenario, &server.sip(transport), &more);
            finish(&desk, scenario.0, sipp);
        }
    }
    let (code, said) = server.stop();
    assert_eq!(code, Some(0), "{said}");
}

#[test]
fn sipp_gives_a_password() {
    let Some((desk, models)) = desk_with_voice_activity() else {
        return;
    };
    if !has("sipp", "-v") {
        return;
    }
    desk.put("password", "correct horse\n");
    let users = "users = [{ name = 'recorder', password_file = 'password' }]\n";
    desk.put("auricle.toml", format!("{CONFIG}{users}"));
    let server = Server::start(&desk, &models, &[]);
    let password = |password| ["-au", "recorder", "-ap", password, "-d", "300"];
    let to = server.sip("udp");
    let sipp = start_sipp(&desk, DIGEST, &to, &password("correct horse"));
    finish(&desk, "digest", sipp);
    let sipp = start_sipp(&desk, WRONG_PASSWORD, &to, &password("battery staple"));
    finish(&desk, "wrong_password", sipp);
    assert_eq!(names_of(&server, 1).len(), 1);
    let (_, said) = server.stop();
    assert!(!said.contains("correct horse"), "{said}");
}

/// baresip in a folder of its own, which calls, plays this file and hangs up at its end.
fn start_baresip(desk: &Desk, name: &str, account: &str, audio: &[u8], to: &str) -> Option<Child> {
    let modules = MODULES.iter().find(|folder| Path::new(folder).is_dir());
    let Some(modules) = modules else {
        println!("skipped: the modules of baresip are not where they are elsewhere");
        return None;
    };
    let sound = desk.put(&format!("{name}/speech.wav"), audio);
    let heard = desk.path(&format!("{name}/heard.wav"));
    let (sound, heard) = (sound.display(), heard.display());
    let config = format!(
        "poll_method epoll\nsip_listen 127.0.0.1:0\nnet_interface 127.0.0.1\n\
         audio_source aufile,{sound}\naudio_player aufile,{heard}\naudio_alert aufile,{heard}\n\
         module_path {modules}\nmodule g711.so\nmodule g722.so\nmodule opus.so\nmodule aufile.so\n\
         module srtp.so\n\
         module_app account.so\nmodule_app menu.so\n"
    );
    desk.put(&format!("{name}/config"), config);
    let account = format!("<sip:{name}@127.0.0.1>;regint=0;{account}\n");
    desk.put(&format!("{name}/accounts"), account);
    desk.put(&format!("{name}/contacts"), "");
    let baresip = Command::new("baresip")
        .arg("-f")
        .arg(desk.path(name))
        .args(["-e", &format!("/dial {to}"), "-t", "12"])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn();
    Some(baresip.unwrap())
}

#[test]
fn baresip_is_heard_by_other_codecs_and_encrypted() {
    let Some((desk, models)) = desk_with_voice_activity() else {
        return;
    };
    if !has("baresip", "-h") {
        return;
    }
    desk.put("auricle.toml", format!("{CONFIG}{ALL_CODECS}"));
    let server = Server::start(&desk, &models, &[]);
    let audio = short_call();
    let mut started = Vec::new();
    for account in &ACCOUNTS {
        let call = account.call;
        for (party, audio) in ["agent", "customer"].iter().zip(&audio) {
            let address = server.sip("tcp");
            let played = account.wave(audio);
            let to = format!("sip:{call}@{address};party={party};transport=tcp");
            let name = format!("{call}-{party}");
            let Some(baresip) = start_baresip(&desk, &name, account.settings, &played, &to) else {
                return;
            };
            started.push(baresip);
        }
    }
    for mut baresip in started {
        baresip.wait().unwrap();
    }
    assert_eq!(names_of(&server, 4), ["alaw", "encrypted", "opus", "wide"]);
    let expected = analysed(&models, &audio);
    for Account { call, codec, .. } in ACCOUNTS {
        let saved = server.json(&format!("/api/v1/calls/{call}"));
        for party in ["agent", "customer"] {
            let (heard, wanted) = (letters(&saved, party), letters(&expected, party));
            let share = share_different(&heard, &wanted);
            assert!(share <= MOST_DIFFERENT, "{call}: {heard:?}, {wanted:?}");
            let line = super::of_leg(&saved["lines"], party);
            assert_eq!(line["codec"], codec, "{line}");
            // Its first and its last packet of RTCP are plain.
            assert!(line["unauthentic"].as_u64().unwrap() <= 2, "{line}");
        }
    }
    server.stop();
}
