//! `/v1/listen`: calls as clients of Deepgram's API stream them.

use serde_json::{Value, json};

use crate::bare::desk_with_voice_activity;
use crate::server::{Client, Server, analysed, channels, interleaved, key, python, said_by};

const LINEAR: &str = "encoding=linear16&sample_rate=8000";

fn open(server: &Server, query: &str, headers: &[(&str, &str)]) -> Client {
    Client::open(server, &format!("/v1/listen?{query}"), headers)
}

fn of_type<'m>(messages: &'m [Value], kind: &str) -> Vec<&'m Value> {
    messages
        .iter()
        .filter(|message| message["type"] == kind)
        .collect()
}

fn finals(messages: &[Value]) -> Vec<&Value> {
    let results = of_type(messages, "Results").into_iter();
    results
        .filter(|results| results["is_final"] == true)
        .collect()
}

fn transcript(results: &Value) -> String {
    let best = &results["channel"]["alternatives"][0];
    best["transcript"].as_str().unwrap().to_owned()
}

#[test]
fn two_channels_are_heard_and_told_while_they_are_said() {
    let Some((desk, models)) = desk_with_voice_activity() else {
        return;
    };
    let server = Server::start(&desk, &models, &[]);
    let more = "channels=2&multichannel=true&interim_results=true&smart_format=true&vad_events=true&utterance_end_ms=1000&model=nova-3&keyterm=credit%20card&extra=call_id:dg-1&extra=agent:1002";
    let mut client = open(&server, &format!("{LINEAR}&{more}"), &[]);
    let id = client.headers["dg-request-id"].to_str().unwrap().to_owned();
    let warnings = client.headers.get_all("auricle-warning").iter();
    let warnings: Vec<_> = warnings.map(|value| value.to_str().unwrap()).collect();
    insta::assert_snapshot!(warnings.join("\n"));
    let audio = interleaved(&channels("fixture-01"));
    client.say(r#"{"type":"KeepAlive"}"#);
    client.say("not JSON");
    client.speak(&audio, 3_200);
    client.say(r#"{"type":"Configure","keyterms":["征信"]}"#);
    client.say(r#"{"type":"CloseStream"}"#);
    let (messages, close) = client.rest();
    assert_eq!(close, (1000, String::new()));

    let last = messages.last().unwrap();
    assert_eq!(
        (&last["type"], &last["request_id"]),
        (&json!("Metadata"), &json!(id))
    );
    let seconds = audio.len() as f64 / 4.0 / 8_000.0;
    assert!(
        (last["duration"].as_f64().unwrap() - seconds).abs() < 1e-3,
        "{last}"
    );
    assert_eq!(last["channels"], 2);
    assert_eq!(of_type(&messages, "Error").len(), 1);
    assert_eq!(of_type(&messages, "ConfigureFailure").len(), 1);
    let interim = of_type(&messages, "Results").into_iter();
    let interim: Vec<_> = interim
        .filter(|results| results["is_final"] == false)
        .collect();
    assert!(!interim.is_empty());
    assert!(
        interim
            .iter()
            .all(|results| results["speech_final"] == false)
    );

    // Word for word what hearing the recording gives.
    let expected = analysed(&models, "fixture-01");
    let finals = finals(&messages);
    for (channel, party) in [(0, "agent"), (1, "customer")] {
        let of_channel = finals
            .iter()
            .filter(|results| results["channel_index"] == json!([channel, 2]));
        let told: Vec<String> = of_channel.map(|results| transcript(results)).collect();
        assert_eq!(told, said_by(&expected, party));
    }
    let first = finals
        .iter()
        .find(|results| results["channel_index"][0] == 0)
        .unwrap();
    let agents = expected["utterances"].as_array().unwrap().iter();
    let said = agents
        .clone()
        .find(|utterance| utterance["party"] == "agent")
        .unwrap();
    let start_ms = said["start_ms"].as_f64().unwrap();
    assert_eq!(first["start"], start_ms / 1000.0);
    assert_eq!(
        (&first["speech_final"], &first["from_finalize"]),
        (&json!(true), &json!(false))
    );
    let words = first["channel"]["alternatives"][0]["words"]
        .as_array()
        .unwrap();
    assert_eq!(words.len(), said["words"].as_array().unwrap().len());
    assert_eq!(
        words[0]["start"],
        said["words"][0]["start_ms"].as_f64().unwrap() / 1000.0
    );
    // Whoever begins to speak is told of first, and silence behind words.
    let started = of_type(&messages, "SpeechStarted");
    assert_eq!(started.len(), finals.len());
    assert!(!of_type(&messages, "UtteranceEnd").is_empty());

    let saved = server.json("/api/v1/calls/dg-1");
    assert_eq!(saved["utterances"], expected["utterances"]);
    assert_eq!(saved["metadata"]["agent"], "1002");
    server.stop();
}

#[test]
fn a_call_leans_towards_words_of_its_own() {
    let Some((desk, models)) = desk_with_voice_activity() else {
        return;
    };
    let server = Server::start(&desk, &models, &[]);
    let [audio, _] = channels("fixture-01");
    let heard = |more: &str| {
        let mut client = open(&server, &format!("{LINEAR}{more}"), &[]);
        let warnings = client.headers.get_all("auricle-warning").iter();
        assert_eq!(warnings.count(), 0);
        client.speak(&audio, 3_200);
        client.say(r#"{"type":"CloseStream"}"#);
        let (messages, _) = client.rest();
        let texts = finals(&messages).into_iter().map(transcript);
        texts.collect::<String>()
    };
    assert!(heard("").contains("保证"));
    // 宝正, a name that sounds the same.
    let leaning = heard("&keywords=%E5%AE%9D%E6%AD%A3:8");
    assert!(leaning.contains("宝正"), "{leaning}");
    assert!(heard("").contains("保证"), "other calls do not");
    server.stop();
}

#[test]
fn utterances_end_after_the_silence_that_the_client_asks_for() {
    let Some((desk, models)) = desk_with_voice_activity() else {
        return;
    };
    let server = Server::start(&desk, &models, &[]);
    let [mut audio, _] = channels("fixture-01");
    // Two pauses in what is said in one: a short one that ends nothing, and one that does.
    let expected = analysed(&models, "fixture-01");
    let agents = expected["utterances"].as_array().unwrap().iter();
    let words = agents
        .filter(|utterance| utterance["party"] == "agent")
        .map(|utterance| utterance["words"].as_array().unwrap())
        .max_by_key(|words| words.len())
        .unwrap();
    for (place, pause_ms) in [(words.len() * 2 / 3, 1_000), (words.len() / 3, 400)] {
        let byte = words[place]["end_ms"].as_u64().unwrap() as usize * 16;
        audio.splice(byte..byte, vec![0; pause_ms * 16]);
    }
    let heard = |endpointing: &str| {
        let more = format!("{LINEAR}&endpointing={endpointing}");
        let mut client = open(&server, &more, &[]);
        let warnings = client.headers.get_all("auricle-warning").iter();
        let n_warnings = warnings
            .filter(|value| value.to_str().unwrap().contains("endpointing"))
            .count();
        client.speak(&audio, 3_200);
        client.say(r#"{"type":"CloseStream"}"#);
        let (messages, _) = client.rest();
        (finals(&messages).len(), n_warnings)
    };
    let (usual, short, long) = (heard("true"), heard("200"), heard("2000"));
    assert_eq!((usual.1, short.1, long.1), (0, 0, 0));
    assert!(short.0 > usual.0, "{short:?} {usual:?}");
    assert!(long.0 < usual.0, "{long:?} {usual:?}");
    // What cannot be held is told.
    assert_eq!(heard("10"), (short.0, 1));
    let never = heard("false");
    assert!(never.0 <= long.0 && never.1 == 1, "{never:?}");
    server.stop();
}

#[test]
fn what_the_client_asked_for_outlives_a_kill() {
    let Some((desk, models)) = desk_with_voice_activity() else {
        return;
    };
    let server = Server::start(&desk, &models, &[]);
    let [audio, _] = channels("fixture-01");
    let recorded = || {
        let files = walkdir::WalkDir::new(desk.path("data/recordings/open")).into_iter();
        let files = files.filter_map(|file| file.ok()?.metadata().ok());
        files.map(|file| file.len()).sum::<u64>()
    };
    // 宝正, a name that sounds the same as 保证.
    let more =
        "&extra=call_id:asked&extra=party:agent&endpointing=false&keywords=%E5%AE%9D%E6%AD%A3:8";
    let mut client = open(&server, &format!("{LINEAR}{more}"), &[]);
    client.speak(&audio, 3_200);
    while recorded() < audio.len() as u64 {
        std::thread::yield_now();
    }
    server.kill();
    let server = Server::start(&desk, &models, &[]);
    let events = server.events("after=0", "", "asked");
    assert_eq!(events[0]["source"], "recovered");
    let saved = server.json("/api/v1/calls/asked");
    let texts = said_by(&saved, "agent");
    assert!(texts.concat().contains("宝正"), "{texts:?}");
    let usual = said_by(&analysed(&models, "fixture-01"), "agent");
    assert!(texts.len() < usual.len(), "{texts:?} {usual:?}");
    server.stop();
}

#[test]
fn what_was_said_is_final_when_the_client_asks() {
    let Some((desk, models)) = desk_with_voice_activity() else {
        return;
    };
    let server = Server::start(&desk, &models, &[]);
    let expected = analysed(&models, "fixture-01");
    let agents = expected["utterances"].as_array().unwrap().iter();
    let agents: Vec<_> = agents
        .filter(|utterance| utterance["party"] == "agent")
        .collect();
    let [audio, _] = channels("fixture-01");
    // Up to the end of the first words: silence would end them only later.
    let byte = |ms: &Value| ms.as_u64().unwrap() as usize * 16;
    let (first, rest) = audio.split_at(byte(&agents[0]["end_ms"]));
    let mut client = open(&server, LINEAR, &[]);
    client.say(r#"{"type":"Finalize"}"#);
    let nothing = client.next().unwrap();
    assert_eq!(
        (transcript(&nothing), &nothing["from_finalize"]),
        (String::new(), &json!(true))
    );
    client.speak(first, 3_200);
    // Each has its answer.
    client.say(r#"{"type":"Finalize"}"#);
    client.say(r#"{"type":"Finalize"}"#);
    let told = client.next().unwrap();
    assert_eq!(told["from_finalize"], true, "{told}");
    assert_eq!(told["speech_final"], true, "{told}");
    assert!(!transcript(&told).is_empty());
    let again = client.next().unwrap();
    assert_eq!(
        (transcript(&again), &again["from_finalize"]),
        (String::new(), &json!(true))
    );
    // Silence that ended it is none of the client's time.
    client.speak(rest, 3_200);
    client.say(r#"{"type":"CloseStream"}"#);
    let (messages, close) = client.rest();
    assert_eq!(close.0, 1000);
    let told = finals(&messages);
    let last = told.last().unwrap();
    let start_ms = agents.last().unwrap()["start_ms"].as_f64().unwrap();
    let start = last["start"].as_f64().unwrap();
    assert!((start - start_ms / 1000.0).abs() < 0.3, "{last} {start_ms}");
    assert!(told.iter().all(|results| results["from_finalize"] == false));
    let seconds = audio.len() as f64 / 16_000.0;
    let duration = messages.last().unwrap()["duration"].as_f64().unwrap();
    assert!((duration - seconds).abs() < 1e-3);
    server.stop();
}

#[test]
fn finalize_puts_no_silence_behind_next_to_nothing() {
    let Some((desk, models)) = desk_with_voice_activity() else {
        return;
    };
    let server = Server::start(&desk, &models, &[]);
    let more = "&endpointing=false&extra=call_id:brief";
    let mut client = open(&server, &format!("{LINEAR}{more}"), &[]);
    client.speak(&[0, 0], 2);
    for _ in 0..3 {
        client.say(r#"{"type":"Finalize"}"#);
        let nothing = client.next().unwrap();
        assert_eq!(
            (transcript(&nothing), &nothing["from_finalize"]),
            (String::new(), &json!(true))
        );
    }
    client.say(r#"{"type":"CloseStream"}"#);
    let (messages, close) = client.rest();
    assert_eq!((messages.len(), close.0), (1, 1000), "{messages:?}");
    let saved = server.json("/api/v1/calls/brief");
    assert_eq!(saved["duration_ms"], 0);
    server.stop();
}

#[test]
fn speech_that_is_cut_for_its_length_is_final_and_goes_on() {
    let Some((desk, models)) = desk_with_voice_activity() else {
        return;
    };
    desk.put(
        "auricle.toml",
        "[speech.endpoint]\nmax_utterance_ms = 1000\n",
    );
    let server = Server::start(&desk, &models, &[]);
    let [audio, _] = channels("fixture-01");
    let mut client = open(&server, &format!("{LINEAR}&extra=call_id:cut"), &[]);
    client.speak(&audio, 3_200);
    client.say(r#"{"type":"CloseStream"}"#);
    let (messages, close) = client.rest();
    assert_eq!(close.0, 1000);
    let told = finals(&messages);
    let last = told.last().unwrap();
    assert_eq!(last["speech_final"], true, "{last}");
    let told = told
        .iter()
        .filter(|results| !transcript(results).is_empty());
    let told: Vec<bool> = told
        .map(|results| results["speech_final"] == true)
        .collect();

    let events = server.events("after=0", "", "cut");
    let events = events.iter().filter(|event| event["type"] == "final");
    let events: Vec<_> = events.collect();
    let ms = |event: &Value, name: &str| event["utterance"][name].as_u64().unwrap();
    // Whoever pauses behind it as long as utterances usually need is done all the same; so is whoever says no more.
    let has_pause = |place: usize| {
        let next = events.get(place + 1);
        next.is_none_or(|next| ms(next, "start_ms") >= ms(events[place], "end_ms") + 640)
    };
    assert_eq!(told.len(), events.len());
    for (place, is_over) in told.into_iter().enumerate() {
        let is_cut = events[place]["is_cut"] == true;
        assert!(is_over != is_cut || has_pause(place), "{}", events[place]);
    }
    let n_cut = events.iter().filter(|event| event["is_cut"] == true);
    assert!(n_cut.count() > 1, "{events:?}");
    server.stop();
}

#[test]
fn more_calls_than_there_may_be_are_refused() {
    let Some((desk, models)) = desk_with_voice_activity() else {
        return;
    };
    desk.put("auricle.toml", "[live]\nmost_calls = 1\n");
    let server = Server::start(&desk, &models, &[]);
    let first = open(&server, LINEAR, &[]);
    let refused = Client::try_open(&server, &format!("/v1/listen?{LINEAR}"), &[]);
    let refused = refused.err().unwrap();
    let body: Value = serde_json::from_str(&refused.body).unwrap();
    assert_eq!(
        (refused.status, &body["err_code"]),
        (429, &json!("TOO_MANY_REQUESTS"))
    );
    first.leave();
    server.stop();
}

#[test]
fn what_cannot_be_is_refused_as_deepgram_refuses() {
    let Some((desk, models)) = desk_with_voice_activity() else {
        return;
    };
    let integrator = key(&desk, "integrator");
    let server = Server::start(&desk, &models, &[]);
    let token = format!("Token {integrator}");
    let own = [("authorization", token.as_str())];
    let mut quiet = open(&server, LINEAR, &own);
    let refused = |query: &str, headers: &[(&str, &str)]| {
        let refused = Client::try_open(&server, &format!("/v1/listen?{query}"), headers);
        refused.err().unwrap()
    };
    let check = |query: &str, headers: &[(&str, &str)], status: u16, code: &str, words: &str| {
        let refused = refused(query, headers);
        let body: Value = serde_json::from_str(&refused.body).unwrap();
        assert_eq!(
            (refused.status, &body["err_code"]),
            (status, &json!(code)),
            "{query}"
        );
        assert!(body["err_msg"].as_str().unwrap().contains(words), "{body}");
        assert_eq!(
            body["request_id"],
            refused.headers["dg-request-id"].to_str().unwrap()
        );
        assert!(refused.headers.contains_key("dg-error"));
    };
    check(
        "sample_rate=8000",
        &own,
        400,
        "INVALID_QUERY_PARAMETER",
        "`encoding` is missing",
    );
    let english = format!("{LINEAR}&language=en");
    check(
        &english,
        &own,
        400,
        "INVALID_QUERY_PARAMETER",
        "`language` must be zh, got `en`",
    );
    let other = format!("{LINEAR}&model=our-own");
    check(
        &other,
        &own,
        400,
        "INVALID_QUERY_PARAMETER",
        "`model` must be telephony-8k",
    );
    check(LINEAR, &[], 401, "INVALID_AUTH", "Invalid credentials");
    let wrong = [("authorization", "Token other")];
    check(LINEAR, &wrong, 401, "INVALID_AUTH", "Invalid credentials");
    // They count as keys do that any other page refuses.
    let (_, metrics) = server.get(&format!("/metrics?key={integrator}"));
    let n_refused = "\nauricle_http_keys_refused_total 2\n";
    assert!(metrics.contains(n_refused), "{metrics}");

    // From a browser the key comes as a protocol.
    let protocols = format!("token, {integrator}");
    let named = format!("{LINEAR}&extra=call_id:same");
    let mut first = open(&server, &named, &[("sec-websocket-protocol", &protocols)]);
    assert_eq!(first.headers["sec-websocket-protocol"], "token");
    check(
        &named,
        &own,
        400,
        "INVALID_QUERY_PARAMETER",
        "call `same` is under way already",
    );
    // Files are none of what is heard.
    first.socket.send(b"OggS".to_vec().into()).unwrap();
    let (messages, close) = first.rest();
    assert!(messages.is_empty(), "{messages:?}");
    assert_eq!(close.0, 1008, "{close:?}");
    // Nor is there patience with somebody who says nothing.
    let (_, (code, reason)) = quiet.rest();
    assert_eq!(code, 1011);
    assert!(reason.starts_with("NET-0001"), "{reason}");
    server.stop();
}

/// The words of a call, by Deepgram's own client.
const CLIENT: &str = r#"
import json, sys, threading
from deepgram import DeepgramClient
from deepgram.core.events import EventType
from deepgram.environment import DeepgramClientEnvironment

host, key, path = sys.argv[1:]
environment = DeepgramClientEnvironment(base=f"http://{host}", production=f"ws://{host}", agent="", agent_rest="")
client = DeepgramClient(api_key=key, environment=environment)
audio = open(path, "rb").read()
told = []
def note(message):
    if message.type == "Results" and message.is_final:
        best = message.channel.alternatives[0]
        told.append({"channel": message.channel_index[0], "text": best.transcript, "n_words": len(best.words)})
    elif message.type == "Metadata":
        told.append({"duration": message.duration, "channels": message.channels})
with client.listen.v1.connect(
    model="nova-3", language="zh", encoding="linear16", sample_rate=8000, channels=2,
    multichannel=True, interim_results=True, smart_format=True,
    extra=["call_id:by-deepgram", "agent:1002"],
) as stream:
    stream.on(EventType.MESSAGE, note)
    listening = threading.Thread(target=stream.start_listening)
    listening.start()
    for place in range(0, len(audio), 3200):
        stream.send_media(audio[place:place + 3200])
    stream.send_close_stream()
    listening.join()
print(json.dumps(told))
"#;

#[test]
fn the_client_of_deepgram_gets_the_words_of_a_call() {
    let Some((desk, models)) = desk_with_voice_activity() else {
        return;
    };
    let Some(mut python) = python("deepgram") else {
        return;
    };
    let integrator = key(&desk, "integrator");
    let server = Server::start(&desk, &models, &[]);
    let audio = desk.put("audio", interleaved(&channels("fixture-01")));
    let ran = python
        .args(["-c", CLIENT, &server.address, &integrator])
        .arg(audio)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&ran.stderr);
    assert!(ran.status.success(), "{said}");
    let told: Vec<Value> = serde_json::from_slice(&ran.stdout).unwrap();
    let expected = analysed(&models, "fixture-01");
    for (channel, party) in [(0, "agent"), (1, "customer")] {
        let of_channel = told.iter().filter(|told| told["channel"] == channel);
        let texts: Vec<_> = of_channel
            .map(|told| told["text"].as_str().unwrap())
            .collect();
        assert_eq!(texts, said_by(&expected, party));
    }
    assert_eq!(told.last().unwrap()["channels"], 2);
    server.stop();
}
