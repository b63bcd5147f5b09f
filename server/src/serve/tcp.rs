//! Connections whose other side went away without a word.

use std::io;
use std::time::Duration;

use socket2::{SockRef, TcpKeepalive};
use tokio::net::TcpStream;

/// A side that does not take what it is sent, and does not say that it is there, is gone after so long.
const GONE_AFTER: Duration = Duration::from_secs(60);
/// How often a silent side is asked whether it is there.
const ASK_EVERY: Duration = Duration::from_secs(20);

/// Half-open connections end by themselves.
pub(crate) fn watch_over(stream: &TcpStream) {
    if let Err(cause) = try_watch_over(stream) {
        tracing::debug!("a connection is not watched over: {cause}");
    }
}

fn try_watch_over(stream: &TcpStream) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let socket = SockRef::from(stream);
    let keepalive = TcpKeepalive::new()
        .with_time(ASK_EVERY)
        .with_interval(ASK_EVERY);
    socket.set_tcp_keepalive(&keepalive)?;
    #[cfg(target_os = "linux")]
    socket.set_tcp_user_timeout(Some(GONE_AFTER))?;
    Ok(())
}
