//! Webhooks: events sent to other programs, signed, in order, again and again until they are taken.
//!
//! ```text
//! archive ─▶ deliveries (store) ─▶ a courier each ─▶ POST ─┬▶ taken: gone
//!                                   ▲                      ├▶ not taken: again, later
//!                                   └── asked for ◀────────┴▶ not taken for a day: a dead letter
//! ```

mod config;
mod courier;
mod sign;

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context, Result};
use auricle_contracts::EventKind;
use auricle_store::Store;
use reqwest::redirect::Policy;
use tokio::sync::{Notify, watch};
use tokio::task::JoinSet;

pub(crate) use self::config::{WebhookConfig, check};
use self::courier::Courier;
use super::archive::Subscriber;
use super::tls;
use crate::terminal::say;

/// How long what is due may still be sent when the program ends; the rest goes out by the next start.
const END_WITHIN: Duration = Duration::from_secs(10);

/// One webhook, as it does.
pub(crate) struct Webhook {
    pub(crate) config: WebhookConfig,
    n_delivered: AtomicU64,
    n_failed: AtomicU64,
    /// Why the last attempt failed; `None` where it did not.
    failing: Mutex<Option<String>>,
    news: Arc<Notify>,
}

impl Webhook {
    /// Events that were taken since the program began.
    pub(crate) fn n_delivered(&self) -> u64 {
        self.n_delivered.load(Ordering::Relaxed)
    }

    /// Attempts that failed since the program began.
    pub(crate) fn n_failed(&self) -> u64 {
        self.n_failed.load(Ordering::Relaxed)
    }

    /// Why the last attempt failed; `None` where it did not.
    pub(crate) fn failing(&self) -> Option<String> {
        let failing = self.failing.lock();
        failing.unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// There is something to send.
    pub(crate) fn wake(&self) {
        self.news.notify_one();
    }

    fn note(&self, failure: Option<&str>) {
        let count = match failure {
            None => &self.n_delivered,
            Some(_) => &self.n_failed,
        };
        count.fetch_add(1, Ordering::Relaxed);
        let mut failing = self.failing.lock().unwrap_or_else(PoisonError::into_inner);
        *failing = failure.map(str::to_owned);
    }
}

/// All of them.
pub(crate) struct Webhooks {
    all: Vec<Arc<Webhook>>,
}

impl Webhooks {
    pub(crate) fn new(configs: &[WebhookConfig]) -> Self {
        let webhook = |config: &WebhookConfig| {
            Arc::new(Webhook {
                config: config.clone(),
                n_delivered: AtomicU64::new(0),
                n_failed: AtomicU64::new(0),
                failing: Mutex::new(None),
                news: Arc::new(Notify::new()),
            })
        };
        Self {
            all: configs.iter().map(webhook).collect(),
        }
    }

    pub(crate) fn all(&self) -> &[Arc<Webhook>] {
        &self.all
    }

    pub(crate) fn named(&self, name: &str) -> Option<&Webhook> {
        let webhook = self.all.iter().find(|webhook| webhook.config.name == name);
        webhook.map(Arc::as_ref)
    }

    /// What the archive is to put by for them.
    pub(crate) fn subscribers(&self) -> Vec<Subscriber> {
        let subscriber = |webhook: &Arc<Webhook>| Subscriber {
            name: webhook.config.name.clone(),
            kinds: webhook.config.events.clone(),
            news: Arc::clone(&webhook.news),
        };
        self.all.iter().map(subscriber).collect()
    }

    /// Starts a task for each.
    ///
    /// # Errors
    /// A secret is not there; there is no TLS.
    pub(crate) fn start(
        &self,
        store: &Arc<Store>,
        runtime: &tokio::runtime::Handle,
    ) -> Result<Couriers> {
        let (stop, stopped) = watch::channel(false);
        let mut tasks = JoinSet::new();
        if !self.all.is_empty() {
            tls::install();
        }
        for webhook in &self.all {
            let config = &webhook.config;
            if config.is_readable_on_the_way() {
                let name = &config.name;
                say!("warning: webhook `{name}` sends to an address without TLS");
            }
            // What is sent, with its signature, is for this address and no other.
            let client = reqwest::Client::builder()
                .user_agent(concat!("auricle/", env!("CARGO_PKG_VERSION")))
                .timeout(Duration::from_millis(config.timeout_ms))
                .redirect(Policy::none())
                .build()
                .context("webhooks")?;
            let courier = Courier {
                webhook: Arc::clone(webhook),
                secret: config.secret()?,
                url: config.parsed_url()?,
                store: Arc::clone(store),
                client,
            };
            tasks.spawn_on(courier.run(stopped.clone()), runtime);
        }
        Ok(Couriers { tasks, stop })
    }
}

/// The tasks that send.
pub(crate) struct Couriers {
    tasks: JoinSet<()>,
    stop: watch::Sender<bool>,
}

impl Couriers {
    /// Lets what is due go out, as far as it is taken, and ends.
    pub(crate) async fn end(mut self) {
        self.stop.send_replace(true);
        let ended = async { while self.tasks.join_next().await.is_some() {} };
        let _ = tokio::time::timeout(END_WITHIN, ended).await;
    }
}

/// What a webhook gets that does not say what.
fn usual_events() -> Vec<EventKind> {
    vec![EventKind::Alert, EventKind::CallEnded]
}

#[cfg(test)]
mod tests;
