//! Ctrl-C and SIGTERM.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::app::App;
use crate::exit::Exit;

/// The first Ctrl-C or SIGTERM lets recordings under way end; the second ends the process. That is
/// safe at any time: what is not saved whole is not saved.
pub(crate) fn stop_on_signals(app: &App, stop: &Arc<AtomicBool>) {
    let words = "stopping once the calls under way are done; again to stop at once\nhint: run the same command again and it goes on where it stopped";
    stop_on_signals_saying(app, stop, words.to_owned());
}

/// The same for a program that has words of its own for the first signal.
pub(crate) fn stop_on_signals_saying(app: &App, stop: &Arc<AtomicBool>, words: String) {
    let stop = Arc::clone(stop);
    app.runtime.spawn(async move {
        if wait_for_signal().await.is_err() {
            return;
        }
        stop.store(true, Ordering::Relaxed);
        crate::terminal::say!("{words}");
        if wait_for_signal().await.is_ok() {
            std::process::exit(i32::from(Exit::Stopped.code()));
        }
    });
}

/// Waits for the next of them.
#[cfg(unix)]
pub(crate) async fn wait_for_signal() -> std::io::Result<()> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminate = signal(SignalKind::terminate())?;
    tokio::select! {
        done = tokio::signal::ctrl_c() => done,
        _ = terminate.recv() => Ok(()),
    }
}

/// Waits for the next of them.
#[cfg(not(unix))]
pub(crate) async fn wait_for_signal() -> std::io::Result<()> {
    tokio::signal::ctrl_c().await
}
