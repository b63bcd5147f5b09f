//! `/api/v1/live`: what happens in calls under way, as a WebSocket or as Server-Sent Events.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use auricle_contracts::LiveEvent;
use axum::extract::ws::{CloseFrame, Message, Utf8Bytes, WebSocket, WebSocketUpgrade};
use axum::extract::{FromRequestParts, Query, Request, State};
use axum::http::header;
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use futures_util::stream;
use serde::Deserialize;
use utoipa::{IntoParams, ToSchema};

use super::Served;
use super::accept::Place;
use super::error::ApiError;
use crate::serve::hub::{KeptEvent, Wanted};
use crate::serve::ingest::websocket::see_closed;
use crate::serve::watcher::{BEGINS_AFTER, GONE, Over, Watcher};

/// How long one message may take: whoever takes none for so long is gone.
const SEND_WITHIN: Duration = Duration::from_secs(30);
/// Between signs of life.
const PING_EVERY: Duration = Duration::from_secs(15);
/// A message of a client, of which nothing is expected, may have so many bytes, in one frame or in several.
const LONGEST_MESSAGE: usize = 4 << 10;
/// Close code of a server that ends (RFC 6455, 7.4.1).
const AWAY: u16 = 1_001;
/// Close code of a server that met with what it cannot go on with (RFC 6455, 7.4.1).
const FAILED: u16 = 1_011;

/// What is asked for.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(crate) struct LiveQuery {
    /// The last event that was seen: everything after it comes. 0: everything that is kept. Without it, what happens
    /// from now on.
    after: Option<u64>,
    /// Only this call.
    call: Option<String>,
    /// Only calls of this agent.
    agent: Option<String>,
    /// `alerts`: nothing else, but who saw to them.
    #[param(inline)]
    only: Option<Only>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum Only {
    Alerts,
}

/// What happens in calls under way: a WebSocket, or Server-Sent Events for who asks without one.
#[utoipa::path(
    get,
    path = "/api/v1/live",
    operation_id = "watch",
    tag = "live",
    params(
        LiveQuery,
        ("Last-Event-ID" = Option<u64>, Header, description = "As `after`: browsers send it when a stream broke off."),
    ),
    responses(
        (status = 101, description = "WebSocket. Each text message is an event; nothing is expected of the client. It closes with 4010 when events after `after` are gone, with 1011 when they cannot be read now and the same `after` may be asked for again, with 1001 when the program ends.", body = LiveEvent,
            headers(("auricle-after" = u64, description = "The id after which events come: `after` for who breaks off before the first."))),
        (status = 200, description = "Server-Sent Events: first an `id` alone, after which events come; then `id`, `event` (the type), `data` (the event in one line). `gone` is told when events after `after` are gone; a stream that ends without it goes on with the last `id`.", body = LiveEvent, content_type = "text/event-stream"),
    )
)]
pub(crate) async fn live(
    State(served): State<Arc<Served>>,
    query: Result<Query<LiveQuery>, axum::extract::rejection::QueryRejection>,
    request: Request,
) -> Result<Response, ApiError> {
    let Query(query) = query.map_err(|cause| {
        ApiError::new(cause.status(), cause.body_text())
            .with_hint("after=ID, call=ID, agent=NAME, only=alerts")
    })?;
    // Browsers send it when a stream broke off.
    let last_seen = request.headers().get("last-event-id");
    let last_seen = last_seen.and_then(|id| id.to_str().ok()?.parse().ok());
    let after = match last_seen.or(query.after) {
        None => served.hub.newest(),
        Some(0) => served.hub.oldest(),
        Some(after) => after,
    };
    let wanted = Wanted {
        call: query.call,
        agent: query.agent,
        alerts_only: query.only == Some(Only::Alerts),
    };
    let mut watcher = Watcher::new(&served.hub, wanted, after);
    let is_websocket = request.headers().contains_key(header::SEC_WEBSOCKET_KEY);
    if !is_websocket {
        return Ok(events(watcher).into_response());
    }
    let (mut parts, _) = request.into_parts();
    let upgrade = WebSocketUpgrade::from_request_parts(&mut parts, &served).await;
    let upgrade = upgrade.map_err(|cause| ApiError::new(cause.status(), cause.body_text()))?;
    let upgrade = upgrade
        .max_message_size(LONGEST_MESSAGE)
        .max_frame_size(LONGEST_MESSAGE);
    let place = parts.extensions.get::<Place>().cloned();
    let begins_after = [(BEGINS_AFTER, watcher.after().to_string())];
    let response = upgrade.on_upgrade(async move |socket| {
        let _place = place;
        watcher.serve(socket).await;
    });
    Ok((begins_after, response).into_response())
}

impl Watcher {
    async fn serve(&mut self, mut socket: WebSocket) {
        let mut pings = tokio::time::interval(PING_EVERY);
        loop {
            let messages: Vec<Message> = tokio::select! {
                events = self.next() => match events {
                    Ok(events) => events
                        .iter()
                        .map(|event| Message::Text(Utf8Bytes::from(event.json.as_str())))
                        .collect(),
                    Err(over) => vec![over.message()],
                },
                _ = pings.tick() => vec![Message::Ping(Vec::new().into())],
                received = socket.recv() => match received {
                    Some(Ok(Message::Close(_))) => return see_closed(&mut socket).await,
                    Some(Err(_)) | None => return,
                    Some(Ok(_)) => continue,
                },
            };
            for message in messages {
                let is_last = matches!(message, Message::Close(_));
                let sent = tokio::time::timeout(SEND_WITHIN, socket.send(message)).await;
                if is_last || !matches!(sent, Ok(Ok(()))) {
                    return;
                }
            }
        }
    }
}

impl Over {
    fn text(self) -> String {
        match self {
            Self::Gone(gone) => format!(
                "events before {} are gone: read the calls anew",
                gone.oldest
            ),
            Self::Unreadable => "events cannot be read now: ask again from there on".to_owned(),
            Self::Ending => String::new(),
        }
    }

    fn message(self) -> Message {
        let code = match self {
            Self::Gone(_) => GONE,
            Self::Unreadable => FAILED,
            Self::Ending => AWAY,
        };
        Message::Close(Some(CloseFrame {
            code,
            reason: self.text().into(),
        }))
    }
}

/// The same as Server-Sent Events (WHATWG HTML, 9.2).
fn events(watcher: Watcher) -> impl IntoResponse {
    // A browser keeps it, and dispatches nothing as there is no data: where it breaks off before the first event it
    // goes on there.
    let begins_after = Event::default().id(watcher.after().to_string());
    let first = (Some(watcher), vec![begins_after].into_iter());
    let stream = stream::unfold(first, async |(mut watcher, mut waiting)| {
        loop {
            if let Some(event) = waiting.next() {
                return Some((Ok::<_, Infallible>(event), (watcher, waiting)));
            }
            let source = watcher.as_mut()?;
            let hub = Arc::clone(source.hub());
            match source.next().await {
                Ok(events) => {
                    let events: Vec<Event> = events.iter().map(|event| one(event)).collect();
                    waiting = events.into_iter();
                }
                // A browser that comes back goes on with the last id.
                Err(Over::Ending | Over::Unreadable) => return None,
                Err(over) => {
                    watcher = None;
                    let event = Event::default().event("gone").data(over.text());
                    // A browser that comes back goes on there.
                    let event = event.id(hub.oldest().to_string());
                    waiting = vec![event].into_iter();
                }
            }
        }
    });
    Sse::new(stream).keep_alive(KeepAlive::new().interval(PING_EVERY))
}

fn one(event: &KeptEvent) -> Event {
    Event::default()
        .id(event.id.to_string())
        .event(event.kind.as_str())
        .data(&event.json)
}

#[cfg(test)]
mod tests {
    use auricle_contracts::{Acknowledged, CallId, Happening};
    use futures_util::StreamExt;

    use super::*;
    use crate::serve::hub::{EventHub, Gone};

    /// The first events of a stream of alerts, as they are written.
    async fn first(hub: &Arc<EventHub>, after: u64, n_events: usize) -> Vec<String> {
        let wanted = Wanted {
            alerts_only: true,
            ..Wanted::default()
        };
        let answer = events(Watcher::new(hub, wanted, after)).into_response();
        let written = answer.into_body().into_data_stream().take(n_events);
        let texts = written.map(|event| String::from_utf8(event.unwrap().to_vec()).unwrap());
        texts.collect().await
    }

    #[tokio::test]
    async fn who_breaks_off_before_the_first_event_misses_none() {
        let hub = Arc::new(EventHub::from(100, None, None));
        let call = || CallId("x".into());
        hub.tell(call(), None, Happening::CallEnded(Box::default()));
        assert_eq!(first(&hub, hub.newest(), 1).await, ["id: 101\n\n"]);
        let seen = Acknowledged {
            alert_id: "x-0".into(),
            by: "li".into(),
            note: None,
        };
        hub.tell(call(), None, Happening::Acknowledged(Box::new(seen)));
        let told = first(&hub, 101, 2).await;
        let kept = hub.after(101, 1).unwrap();
        let event = format!("id: 102\nevent: acknowledged\ndata: {}\n\n", kept[0].json);
        assert_eq!(told, ["id: 101\n\n", &event]);
    }

    #[test]
    fn only_what_is_gone_is_closed_as_gone() {
        let code = |over: Over| match over.message() {
            Message::Close(Some(frame)) => frame.code,
            other => panic!("{other:?}"),
        };
        assert_eq!(code(Over::Gone(Gone { oldest: 1 })), 4_010);
        assert_eq!(code(Over::Unreadable), 1_011);
        assert_eq!(code(Over::Ending), 1_001);
    }
}
