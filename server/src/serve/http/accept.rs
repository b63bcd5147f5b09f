//! Connections of the HTTP interface: how many there may be, how slow, and how they end.

use std::io;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::{Body, Bytes, HttpBody};
use axum::extract::Request;
use axum::http::StatusCode;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use axum::{BoxError, Router};
use hyper::body::{Frame, Incoming, SizeHint};
use hyper::server::conn::http1::{self, UpgradeableConnection};
use hyper::service::{HttpService, Service, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};

use super::Served;
use super::error::ApiError;
use crate::serve::tcp::watch_over;

/// How long the head of a request may take, and how long a connection may wait for its next one.
const HEAD_WITHIN: Duration = Duration::from_secs(20);
/// How long a request may take until its answer begins, its body included.
const ANSWER_WITHIN: Duration = Duration::from_secs(60);
/// Connections that are told at a time that there is no place; more are closed without a word.
const REFUSALS: usize = 64;
/// How long telling it may take.
const REFUSE_WITHIN: Duration = Duration::from_secs(1);
/// After an error that concerns all connections: too many open files, of which some will be closed.
const PAUSE: Duration = Duration::from_secs(1);

/// A connection's place among those that there may be. Who goes on with the connection as a WebSocket keeps it.
#[derive(Clone)]
pub(crate) struct Place(
    #[expect(dead_code, reason = "it is given back when it is dropped")] Arc<OwnedSemaphorePermit>,
);

/// Takes connections until `closed`, and lets those end that are under way.
pub(crate) async fn accept(
    listener: TcpListener,
    router: Router,
    served: Arc<Served>,
    closed: impl Future<Output = ()>,
) {
    let http = http(HEAD_WITHIN);
    let places = Arc::new(Semaphore::new(served.config.live.most_connections));
    let refusals = Arc::new(Semaphore::new(REFUSALS));
    let (ending, _) = watch::channel(false);
    tokio::pin!(closed);
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = &mut closed => break,
        };
        let stream = match accepted {
            Ok((stream, _)) => stream,
            Err(cause) => {
                tracing::warn!("the HTTP interface takes no connection: {cause}");
                tokio::time::sleep(PAUSE).await;
                continue;
            }
        };
        let Ok(place) = Arc::clone(&places).try_acquire_owned() else {
            served.calls.live().metrics().connection_refused();
            if let Ok(place) = Arc::clone(&refusals).try_acquire_owned() {
                tokio::spawn(refuse(stream, place));
            }
            continue;
        };
        watch_over(&stream);
        let place = Place(Arc::new(place));
        let router = TowerToHyperService::new(router.clone());
        let service = service_fn(move |mut request: hyper::Request<Incoming>| {
            request.extensions_mut().insert(place.clone());
            router.call(request)
        });
        let connection = http.serve_connection(TokioIo::new(stream), service);
        tokio::spawn(to_its_end(connection.with_upgrades(), ending.subscribe()));
    }
    ending.send_replace(true);
    // Each connection has a receiver.
    ending.closed().await;
}

/// How connections are answered: each head of a request may take so long.
fn http(head_within: Duration) -> http1::Builder {
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new())
        .header_read_timeout(head_within);
    http
}

/// What those get for whom there is no place.
const FULL: &[u8] = b"HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\nContent-Type: application/json\r\n\
    Content-Length: 90\r\nRetry-After: 5\r\n\r\n\
    {\"error\":\"there are as many connections as may be\",\"hint\":\"raise `live.most_connections`\"}";

/// Answers what a connection asks, until it ends or the request under way when `ending` is told.
async fn to_its_end<S>(
    connection: UpgradeableConnection<TokioIo<TcpStream>, S>,
    mut ending: watch::Receiver<bool>,
) where
    S: HttpService<Incoming, ResBody = Body> + Send,
    S::Future: Send,
    S::Error: Into<BoxError>,
{
    let mut connection = pin!(connection);
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        _ = ending.changed() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(cause) = ended {
        tracing::debug!("a connection broke off: {cause}");
    }
}

/// Tells it, and takes what the other side still sends: a socket that is closed before loses the answer.
async fn refuse(mut stream: TcpStream, _place: OwnedSemaphorePermit) {
    let telling = async {
        stream.write_all(FULL).await?;
        stream.shutdown().await?;
        let mut request = [0; 1024];
        while stream.read(&mut request).await? > 0 {}
        io::Result::Ok(())
    };
    let _ = tokio::time::timeout(REFUSE_WITHIN, telling).await;
}

/// Ends requests whose answer does not begin in time.
pub(crate) async fn in_time(request: Request, next: Next) -> Response {
    answered_within(ANSWER_WITHIN, request, |request| next.run(request)).await
}

/// The answer, or who is late: 408 where the rest of the request's body is waited for, else 503.
async fn answered_within<A>(
    limit: Duration,
    request: Request,
    answer: impl FnOnce(Request) -> A,
) -> Response
where
    A: Future<Output = Response>,
{
    let is_awaited = Arc::new(AtomicBool::new(false));
    let request = request.map(|body| {
        let is_awaited = Arc::clone(&is_awaited);
        Body::new(SeenBody { body, is_awaited })
    });
    let secs = limit.as_secs();
    match tokio::time::timeout(limit, answer(request)).await {
        Ok(response) => response,
        Err(_) if is_awaited.load(Ordering::Relaxed) => {
            let message = format!("the body of the request did not come within {secs} s");
            ApiError::new(StatusCode::REQUEST_TIMEOUT, message)
                .with_hint("send it at once")
                .into_response()
        }
        Err(_) => {
            let message = format!("the answer was not made within {secs} s");
            ApiError::new(StatusCode::SERVICE_UNAVAILABLE, message)
                .with_hint("ask for less at a time, or later")
                .into_response()
        }
    }
}

/// The body of a request, and whether somebody waits for more of it.
struct SeenBody {
    body: Body,
    is_awaited: Arc<AtomicBool>,
}

impl HttpBody for SeenBody {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let frame = Pin::new(&mut self.body).poll_frame(context);
        self.is_awaited.store(frame.is_pending(), Ordering::Relaxed);
        frame
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use futures_util::stream;

    use super::*;

    #[tokio::test]
    async fn a_connection_whose_head_is_late_ends() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let mut client = TcpStream::connect(address).await.unwrap();
        let (stream, _) = listener.accept().await.unwrap();
        // It stays open, so that nothing else ends it.
        client.write_all(b"GET / HTTP/1.1\r\n").await.unwrap();
        let http = http(Duration::from_millis(10));
        let nothing = TowerToHyperService::new(Router::<()>::new());
        let connection = http.serve_connection(TokioIo::new(stream), nothing);
        let (_ending, ending) = watch::channel(false);
        to_its_end(connection.with_upgrades(), ending).await;
        let mut answer = Vec::new();
        client.read_to_end(&mut answer).await.unwrap();
        assert_eq!(answer, b"");
    }

    /// The status of an answer that is never made, by one who reads the body first.
    async fn status_without_answer(body: Body) -> StatusCode {
        let never = async |request: Request| {
            let _ = axum::body::to_bytes(request.into_body(), 9).await;
            std::future::pending::<Response>().await
        };
        let answer = answered_within(Duration::ZERO, Request::new(body), never);
        answer.await.status()
    }

    #[tokio::test]
    async fn who_is_late_is_told_apart() {
        let late = stream::pending::<Result<Bytes, Infallible>>();
        let status = status_without_answer(Body::from_stream(late)).await;
        assert_eq!(status, StatusCode::REQUEST_TIMEOUT);
        let status = status_without_answer(Body::from("{}")).await;
        assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
    }

    #[test]
    fn the_refusal_is_as_long_as_it_says() {
        let text = String::from_utf8_lossy(FULL);
        let (head, body) = text.split_once("\r\n\r\n").unwrap();
        assert!(
            head.contains(&format!("Content-Length: {}", body.len())),
            "{}",
            body.len()
        );
        serde_json::from_str::<serde_json::Value>(body).unwrap();
    }
}
