//! What is shown, and from where on it is asked for the next time.

use auricle_contracts::CallId;
use axum::Router;
use axum::extract::ws::{CloseFrame, Message, WebSocketUpgrade};
use axum::routing::get;
use tokio::net::TcpListener;

use super::*;
use crate::serve::{BEGINS_AFTER, GONE};

fn event(id: u64) -> Message {
    let event = LiveEvent {
        id,
        unix_ms: 0,
        call_id: CallId("x".into()),
        agent: None,
        happening: Happening::CallEnded(Box::default()),
    };
    Message::text(serde_json::to_string(&event).unwrap())
}

fn close(code: u16, reason: &str) -> Message {
    Message::Close(Some(CloseFrame {
        code,
        reason: reason.into(),
    }))
}

/// A server where events come after 7, and these messages to everybody. Then it waits until the other side is gone.
async fn server_that_tells(messages: &[Message]) -> String {
    let messages = messages.to_vec();
    let answer = move |upgrade: WebSocketUpgrade| {
        let messages = messages.clone();
        let response = upgrade.on_upgrade(async move |mut socket| {
            for message in messages {
                socket.send(message).await.unwrap();
            }
            while let Some(Ok(_)) = socket.recv().await {}
        });
        std::future::ready(([(BEGINS_AFTER, "7")], response))
    };
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let router = Router::new().route("/api/v1/live", get(answer));
    tokio::spawn(axum::serve(listener, router).into_future());
    address
}

/// How watching such a server ends, and after which event it is asked the next time.
async fn watched(messages: &[Message], silent_within: Duration) -> (String, Option<u64>) {
    let args = WatchArgs {
        server: server_that_tells(messages).await,
        call: None,
        agent: None,
        alerts: false,
        from_start: false,
        key_file: None,
        json: false,
        stay: false,
    };
    let (mut out, mut view) = (Terminal::nowhere(), View::new(false));
    let ended = watch(&mut out, &args, None, &mut view, silent_within).await;
    let said = ended.map_or_else(|error| error.to_string(), |()| "over".to_owned());
    (said.replace(&args.server, "SERVER"), view.after)
}

#[tokio::test]
async fn it_goes_on_where_it_was_unless_that_is_gone() {
    for (messages, said, after) in [
        (vec![close(1_001, "")], "over", 7),
        (vec![event(9), close(1_001, "")], "over", 9),
        (
            vec![event(9), close(1_008, "idle")],
            "the server ended: idle",
            9,
        ),
        (
            vec![event(9), close(1_011, "disk")],
            "the server ended: disk",
            9,
        ),
        (
            vec![event(9), close(GONE, "too old")],
            "the server ended: too old",
            0,
        ),
        (vec![event(9), close(GONE, "")], "the server ended: ", 0),
    ] {
        let watched = watched(&messages, SILENT_WITHIN).await;
        assert_eq!(watched, (said.to_owned(), Some(after)), "{messages:?}");
    }
}

#[tokio::test]
async fn a_server_without_a_sign_of_life_is_given_up() {
    let (said, after) = watched(&[], Duration::from_millis(1)).await;
    assert_eq!(said, "nothing came from `SERVER` for 0 s");
    assert_eq!(after, Some(7));
}
