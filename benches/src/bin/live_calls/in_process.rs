//! Calls into a pipeline of this process.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Result;
use auricle_contracts::{CallId, CallMetadata, Party};
use auricle_insight::Judge;
use auricle_live::{Encoding, Full, LegFeed, Live, NewCall, NewLeg};
use auricle_speech::SpeechModel;

use crate::alerts::Began;
use crate::slots::{PlayedCall, Way};

/// Opens calls in a pipeline.
pub(crate) struct InProcess<'l> {
    pub(crate) live: &'l Live,
    pub(crate) model: Arc<SpeechModel>,
    pub(crate) judge: Arc<Judge>,
    /// When calls that are spoken from their beginning began.
    pub(crate) began: &'l Began,
}

impl Way for InProcess<'_> {
    fn open(&mut self, number: u64, is_whole: bool) -> Result<Box<dyn PlayedCall>> {
        let id = CallId(format!("call-{number}"));
        if is_whole {
            self.began.tell(id.clone());
        }
        let leg = |party| NewLeg {
            party,
            rate_hz: 8_000,
        };
        let feeds = self.live.open(NewCall {
            id,
            metadata: CallMetadata::default(),
            source: "bench",
            legs: [Party::Agent, Party::Customer].map(leg).to_vec(),
            model: Arc::clone(&self.model),
            endpoint: None,
            judge: Arc::clone(&self.judge),
        })?;
        Ok(Box::new(Feeds(feeds)))
    }
}

struct Feeds(Vec<LegFeed>);

impl PlayedCall for Feeds {
    fn push(&mut self, leg: usize, at: u64, packet: &[u8]) -> Result<Duration> {
        let feed = &mut self.0[leg];
        let packet = feed.packet(at, Encoding::L16, packet);
        if feed.push(&packet) != Err(Full::ForNow) {
            return Ok(Duration::ZERO);
        }
        let began = Instant::now();
        while feed.push(&packet) == Err(Full::ForNow) {
            std::thread::sleep(Duration::from_millis(1));
        }
        Ok(began.elapsed())
    }
}
