//! One leg of a call under way, as an ingest feeds it: to be heard, and to be recorded.

use std::time::Duration;

use anyhow::{Result, bail};
use auricle_live::{Encoding, Full, LegFeed, LegReach, PACKET_BYTES};
use auricle_record::Tape;

/// How long a leg waits for room, where the pipeline or the disk is behind.
const FULL_WAIT: Duration = Duration::from_millis(5);

/// A leg. Dropped, it is over.
pub(crate) struct CallLeg {
    feed: LegFeed,
    /// `None` where the call is not recorded, as its audio lies in a file already.
    tape: Option<Tape>,
    rate_hz: u32,
    /// Time before it came, which is silence.
    behind: Duration,
    /// Behind the last sample.
    end: u64,
}

impl CallLeg {
    pub(crate) fn new(feed: LegFeed, tape: Option<Tape>) -> Self {
        Self {
            rate_hz: feed.rate_hz(),
            feed,
            tape,
            behind: Duration::ZERO,
            end: 0,
        }
    }

    /// Samples a second.
    pub(crate) const fn rate_hz(&self) -> u32 {
        self.rate_hz
    }

    /// How far it is heard.
    pub(crate) fn reach(&self) -> LegReach {
        self.feed.reach()
    }

    /// The leg came so long after its call began.
    pub(crate) fn late_by(mut self, behind: Duration) -> Self {
        self.behind = behind;
        self
    }

    /// Takes audio, at a place of the leg's clock or behind what came before. Where there is no room it waits, and the
    /// sender is held back.
    ///
    /// # Errors
    /// When nobody hears the leg any more.
    pub(crate) async fn push(
        &mut self,
        encoding: Encoding,
        at: Option<u64>,
        bytes: &[u8],
    ) -> Result<()> {
        if bytes.is_empty() {
            return Ok(());
        }
        let behind = std::mem::take(&mut self.behind);
        self.push_silence(behind).await?;
        self.end = at.unwrap_or(self.end);
        for packet in bytes.chunks(PACKET_BYTES) {
            while !self.push_packet(encoding, packet)? {
                tokio::time::sleep(FULL_WAIT).await;
            }
        }
        Ok(())
    }

    /// Takes silence of this length, for time in which nothing came.
    pub(crate) async fn push_silence(&mut self, length: Duration) -> Result<()> {
        let mut n_samples = (length.as_millis() as u64 * u64::from(self.rate_hz) / 1000) as usize;
        let silence = [0; PACKET_BYTES];
        while n_samples > 0 {
            let n = n_samples.min(PACKET_BYTES / 2);
            while !self.push_packet(Encoding::L16, &silence[..2 * n])? {
                tokio::time::sleep(FULL_WAIT).await;
            }
            self.feed.filled(n as u64);
            n_samples -= n;
        }
        Ok(())
    }

    /// Both or none: what is heard is recorded. `false`: there is no room for now.
    fn push_packet(&mut self, encoding: Encoding, packet: &[u8]) -> Result<bool> {
        if self.tape.as_ref().is_some_and(|tape| !tape.has_room()) {
            return Ok(false);
        }
        match self.feed.push(self.end, encoding, packet) {
            Ok(()) => {}
            Err(Full::ForNow) => return Ok(false),
            Err(Full::ForEver) => bail!("the leg cannot be heard any more"),
        }
        if let Some(tape) = &mut self.tape {
            match encoding {
                Encoding::Ulaw => tape.push(self.end, auricle_spool::Encoding::Ulaw, packet),
                Encoding::Alaw => tape.push(self.end, auricle_spool::Encoding::Alaw, packet),
                Encoding::L16 => {
                    let mut bytes = [0; PACKET_BYTES];
                    bytes[..packet.len()].copy_from_slice(packet);
                    swap_bytes(&mut bytes);
                    let bytes = &bytes[..packet.len()];
                    tape.push(self.end, auricle_spool::Encoding::L16, bytes);
                }
            }
        }
        self.end += (packet.len() / encoding.sample_bytes()) as u64;
        Ok(true)
    }
}

/// What the pipeline calls an encoding of recordings, whose 16-bit samples begin with the high byte.
pub(crate) const fn live_encoding(encoding: auricle_spool::Encoding) -> Encoding {
    match encoding {
        auricle_spool::Encoding::Ulaw => Encoding::Ulaw,
        auricle_spool::Encoding::Alaw => Encoding::Alaw,
        auricle_spool::Encoding::L16 => Encoding::L16,
    }
}

/// Exchanges the bytes of 16-bit samples.
pub(crate) fn swap_bytes(samples: &mut [u8]) {
    let (samples, _) = samples.as_chunks_mut::<2>();
    samples.iter_mut().for_each(|sample| sample.reverse());
}
