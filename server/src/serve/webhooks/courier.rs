//! One webhook's events, one after the other, from the store to its address.

use std::sync::Arc;
use std::time::Duration;

use auricle_store::{Delivery, Failure, Store, StoreError};
use reqwest::header::CONTENT_TYPE;
use reqwest::{Client, Url};
use tokio::sync::watch;
use zeroize::Zeroizing;

use super::sign::signature;
use super::{Webhook, WebhookConfig};
use crate::clock::unix_ms;
use crate::exit::message_of;

/// After the store failed.
const STORE_PAUSE: Duration = Duration::from_secs(1);
/// How often, and after what pauses, the store is told that an event was taken: for ten minutes.
const NOTE_TRIES: u32 = 120;
const NOTE_PAUSE: Duration = Duration::from_secs(5);
/// An answer up to this length is read, so that its connection can be used again.
const LONGEST_ANSWER: u64 = 64 << 10;

/// What sends the events of one webhook.
pub(super) struct Courier {
    pub(super) webhook: Arc<Webhook>,
    pub(super) secret: Zeroizing<String>,
    pub(super) url: Url,
    pub(super) store: Arc<Store>,
    pub(super) client: Client,
}

/// What became of a turn.
enum Turn {
    /// An event was taken.
    Sent,
    /// One was not; others may be due.
    Failed,
    /// There is nothing to do for so long; for ever, where it is `None`.
    Nothing(Option<Duration>),
}

impl Courier {
    /// Sends until it is stopped; then what is due, as long as it is taken.
    pub(super) async fn run(self, mut stopped: watch::Receiver<bool>) {
        loop {
            let turn = self.turn().await;
            let is_stopped = *stopped.borrow();
            let pause = match turn {
                Ok(Turn::Sent) => continue,
                _ if is_stopped => return,
                Ok(Turn::Failed) => continue,
                Ok(Turn::Nothing(pause)) => pause,
                Err(cause) => {
                    let name = &self.webhook.config.name;
                    tracing::error!("webhook `{name}`: {cause}");
                    Some(STORE_PAUSE)
                }
            };
            let pause = async {
                match pause {
                    Some(pause) => tokio::time::sleep(pause).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                () = pause => {}
                () = self.webhook.news.notified() => {}
                _ = stopped.wait_for(|stopped| *stopped) => {}
            }
        }
    }

    async fn turn(&self) -> Result<Turn, StoreError> {
        let config = &self.webhook.config;
        let now = unix_ms();
        let hold_ms = config.hold_secs * 1_000;
        let long_ago = now.saturating_sub(hold_ms);
        let next = self
            .store
            .next_delivery(&config.name, now, long_ago)
            .await?;
        let Some(delivery) = next else {
            return Ok(Turn::Nothing(None));
        };
        if delivery.next_unix_ms > now {
            let stands_aside = delivery.failing_since_unix_ms.map(|since| since + hold_ms);
            let until = match stands_aside.filter(|until| *until >= now) {
                // Then those after it go on.
                Some(until) => delivery.next_unix_ms.min(until + 1),
                None => delivery.next_unix_ms,
            };
            let pause = Duration::from_millis(until - now);
            return Ok(Turn::Nothing(Some(pause)));
        }
        match self.send(&delivery).await {
            Ok(()) => {
                self.webhook.note(None);
                self.note_delivered(delivery.event_id).await?;
                Ok(Turn::Sent)
            }
            Err(cause) => {
                self.webhook.note(Some(&cause));
                let failure = failure(config, &delivery, unix_ms(), cause, random_share());
                if failure.next_unix_ms.is_none() {
                    let (name, id) = (&config.name, delivery.event_id);
                    tracing::warn!(
                        "webhook `{name}`: event {id} is given up: {}",
                        failure.error
                    );
                }
                let noted = self
                    .store
                    .not_delivered(&config.name, delivery.event_id, &failure);
                noted.await?;
                Ok(Turn::Failed)
            }
        }
    }

    /// It was taken: that is said again and again to a store that does not take it, as the event would go out twice
    /// otherwise.
    async fn note_delivered(&self, event_id: u64) -> Result<(), StoreError> {
        let name = &self.webhook.config.name;
        for _ in 0..NOTE_TRIES {
            match self.store.delivered(name, event_id).await {
                Ok(()) => return Ok(()),
                Err(cause) => {
                    tracing::error!("webhook `{name}`: event {event_id} was taken: {cause}");
                    tokio::time::sleep(NOTE_PAUSE).await;
                }
            }
        }
        self.store.delivered(name, event_id).await
    }

    /// Says why it was not taken. Nothing that is sent, and no address, is in that.
    async fn send(&self, delivery: &Delivery) -> Result<(), String> {
        let timestamp_secs = unix_ms() / 1_000;
        let signature = signature(&self.secret, timestamp_secs, &delivery.json);
        let signature = signature.ok_or("it cannot be signed")?;
        let request = self
            .client
            .post(self.url.clone())
            .header(CONTENT_TYPE, "application/json")
            .header("Auricle-Event-Id", delivery.event_id)
            .header("Auricle-Timestamp", timestamp_secs)
            .header("Auricle-Signature", signature)
            .body(delivery.json.clone());
        let answer = request.send().await.map_err(cause_of)?;
        let status = answer.status();
        if answer
            .content_length()
            .is_some_and(|length| length <= LONGEST_ANSWER)
        {
            let _ = answer.bytes().await;
        }
        match status {
            _ if status.is_success() => Ok(()),
            _ if status.is_redirection() => Err(format!("answered {status}: that is not followed")),
            _ => Err(format!("answered {status}")),
        }
    }
}

fn cause_of(error: reqwest::Error) -> String {
    match error.is_timeout() {
        true => "no answer in time".to_owned(),
        false => message_of(&error.without_url().into()),
    }
}

/// When to try again. `share` of the pause, 0 to 1, is left to chance, so that not all come back at once.
fn failure(
    config: &WebhookConfig,
    delivery: &Delivery,
    now: u64,
    error: String,
    share: f64,
) -> Failure {
    let doublings = u32::try_from(delivery.n_attempts).unwrap_or(u32::MAX);
    let longest = config.longest_retry_ms.max(config.first_retry_ms);
    let pause = config
        .first_retry_ms
        .saturating_mul(2_u64.saturating_pow(doublings))
        .min(longest);
    let pause = pause - (pause as f64 * share / 2.0) as u64;
    let give_up = delivery
        .since_unix_ms
        .saturating_add(config.give_up_secs * 1_000);
    Failure {
        unix_ms: now,
        // Once more when its time is over, however long the pause.
        next_unix_ms: (now < give_up).then(|| (now + pause).min(give_up)),
        error,
    }
}

/// Evenly from 0 to 1.
fn random_share() -> f64 {
    let random = getrandom::u32().unwrap_or(0);
    f64::from(random) / f64::from(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::super::config::tests::webhook;
    use super::*;

    #[test]
    fn pauses_double_until_they_are_long_and_end_after_a_day() {
        let config = webhook("name = 'x'\nurl = 'http://x'\nsecret = '0123456789abcdef'");
        let delivery = |n_attempts| Delivery {
            event_id: 1,
            kind: "alert".into(),
            json: String::new(),
            since_unix_ms: 0,
            n_attempts,
            failing_since_unix_ms: None,
            next_unix_ms: 0,
            last_error: None,
        };
        let next = |n_attempts, now, share| {
            let failure = failure(&config, &delivery(n_attempts), now, String::new(), share);
            failure.next_unix_ms
        };
        assert_eq!(next(0, 100, 0.0), Some(1_100));
        assert_eq!(next(0, 100, 1.0), Some(600));
        assert_eq!(next(1, 100, 0.0), Some(2_100));
        assert_eq!(next(11, 0, 0.0), Some(2_048_000));
        assert_eq!(next(12, 0, 0.0), Some(3_600_000));
        assert_eq!(next(1_000_000, 0, 0.0), Some(3_600_000));
        let day = 86_400_000;
        assert_eq!(next(20, day - 1_000, 0.0), Some(day));
        assert_eq!(next(21, day, 0.0), None);
    }
}
