//! Plain calls: somebody has this program listen. And how dialogs begin and end.

use super::agent::{Agent, Said};
use super::rtp::{Stream, speak};
use super::{
    CONFIG, analysed, assert_alike, connect, n_under_way, offer, only_call, sdp, short_call, ulaw,
    wait_until_over,
};
use crate::bare::desk_with_voice_activity;
use crate::server::Server;

#[test]
fn two_calls_of_one_name_are_the_parties_of_a_call() {
    let Some((desk, models)) = desk_with_voice_activity() else {
        return;
    };
    desk.put("auricle.toml", CONFIG);
    let server = Server::start(&desk, &models, &[]);
    let audio = short_call();
    let codes = audio.each_ref().map(|linear| ulaw(linear));
    let mut streams = [1, 2].map(Stream::new);
    let mut agents = [Agent::over_udp(&server), Agent::over_udp(&server)];
    // The address says whose line it is, or headers do.
    agents[0].call_to("tap-7", ";party=agent");
    let headers = [
        "",
        "X-Auricle-Call-Id: tap-7\r\nX-Auricle-Party: customer\r\n",
    ];
    for ((agent, stream), headers) in agents.iter_mut().zip(&mut streams).zip(headers) {
        let stream = std::slice::from_mut(stream);
        let mut said = sdp(&offer(stream, 1, "sendonly"));
        said.headers += headers;
        let answer = agent.ask("INVITE", &said);
        connect(stream, &answer);
    }
    speak(&mut streams, &codes.each_ref().map(Vec::as_slice));
    for agent in &mut agents {
        agent.hang_up();
    }
    let (listed, saved) = only_call(&server);
    assert_eq!(listed["call_id"], "tap-7");
    assert_alike(&saved, &analysed(&models, &audio));
    server.stop();
}

#[test]
fn dialogs_begin_and_end_once() {
    let Some((desk, models)) = desk_with_voice_activity() else {
        return;
    };
    desk.put("auricle.toml", CONFIG);
    let server = Server::start(&desk, &models, &[]);
    let nothing = Said::default();
    for make in [Agent::over_udp, Agent::over_tcp] {
        let stream = [Stream::new(5)];
        let said = sdp(&offer(&stream, 1, "sendonly"));
        let options = make(&server).ask("OPTIONS", &nothing);
        assert_eq!(options.status(), 200, "{options:?}");
        let allow = options.header("Allow").unwrap();
        for method in ["INVITE", "BYE", "CANCEL", "UPDATE"] {
            assert!(allow.contains(method), "{allow}");
        }

        // The same request again is no other call.
        let mut again = make(&server);
        let request = again.request("INVITE", &said);
        again.send(request.as_bytes());
        again.send(request.as_bytes());
        assert_eq!(again.settle("INVITE").status(), 200);
        assert_eq!(n_under_way(&server), 1);
        again.hang_up();
        assert_eq!(again.ask("BYE", &nothing).status(), 481);
        wait_until_over(&server);

        // Cancelled before it can be known whether it was answered (RFC 3261, section 9.1).
        let mut cancelled = make(&server);
        let request = cancelled.request("INVITE", &said);
        let cancel = cancelled.same_request("CANCEL", &nothing);
        cancelled.send(request.as_bytes());
        cancelled.send(cancel.as_bytes());
        let answer = cancelled.settle("INVITE");
        match answer.status() {
            200 => cancelled.hang_up(),
            status => assert_eq!(status, 487, "{answer:?}"),
        }
        wait_until_over(&server);
    }
    server.stop();
}

#[test]
fn a_server_that_ends_hangs_up() {
    let Some((desk, models)) = desk_with_voice_activity() else {
        return;
    };
    desk.put("auricle.toml", format!("[live]\ndrain_secs = 0\n{CONFIG}"));
    let server = Server::start(&desk, &models, &[]);
    let mut streams = [Stream::new(5)];
    let mut agent = Agent::over_tcp(&server);
    let answer = agent.ask("INVITE", &sdp(&offer(&streams, 1, "sendonly")));
    connect(&mut streams, &answer);
    let codes = ulaw(&short_call()[0][..16_000]);
    speak(&mut streams, &[&codes]);
    let asked = std::thread::spawn(move || agent.asked("BYE"));
    let (code, said) = server.stop();
    assert_eq!(code, Some(0), "{said}");
    asked.join().unwrap();
}
