//! A recording that is heard again: an ingest like those whose audio comes over a network.

use anyhow::Result;
use auricle_live::Encoding;
use auricle_spool::{Audio, Record, RecordingName, RecordingReader};
use smallvec::SmallVec;

use super::Recordings;
use super::tries::STEP_SECS;
use crate::serve::ingest::leg::{live_encoding, swap_bytes};
use crate::serve::ingest::{CallLeg, Ingest, Piece};

/// A recording that is heard again, and notes how far.
pub(super) struct Playing<'r> {
    recordings: &'r Recordings,
    name: RecordingName,
    reader: RecordingReader,
    opened: Option<Vec<CallLeg>>,
    n_legs: usize,
    /// The audio that was read last.
    leg: usize,
    audio: Vec<u8>,
    /// Audio of all legs that was read, microseconds.
    read_us: u64,
    noted_secs: u64,
}

impl<'r> Playing<'r> {
    /// From its first record on, into legs that are in its order.
    pub(super) fn new(
        recordings: &'r Recordings,
        name: RecordingName,
        reader: RecordingReader,
        legs: Vec<CallLeg>,
    ) -> Self {
        let n_legs = legs.len();
        Self {
            recordings,
            name,
            reader,
            opened: Some(legs),
            n_legs,
            leg: 0,
            audio: Vec::new(),
            read_us: 0,
            noted_secs: 0,
        }
    }

    /// Reads on to the next audio, and says how it is written and where it lies; `None` at the end.
    fn read(&mut self) -> Result<Option<(Encoding, u64)>> {
        while let Some(record) = self.reader.next_record()? {
            let Record::Audio(audio) = record else {
                continue;
            };
            let leg = usize::from(audio.leg);
            if leg >= self.n_legs || audio.payload.is_empty() {
                continue;
            }
            self.leg = leg;
            self.read_us += lasts_us(&audio);
            let (encoding, at) = (live_encoding(audio.encoding), audio.at);
            self.audio.clear();
            self.audio.extend_from_slice(audio.payload);
            if encoding == Encoding::L16 {
                swap_bytes(&mut self.audio);
            }
            self.note();
            return Ok(Some((encoding, at)));
        }
        Ok(None)
    }

    /// Says how far it came, once a step.
    fn note(&mut self) {
        let secs = self.read_us / 1_000_000;
        if secs >= self.noted_secs + STEP_SECS {
            self.noted_secs = secs;
            self.recordings.tries().came(&self.name, secs);
        }
    }
}

/// How long audio lasts, microseconds.
fn lasts_us(audio: &Audio<'_>) -> u64 {
    let n_samples = audio.encoding.n_samples(audio.payload.len());
    n_samples * 1_000_000 / u64::from(audio.rate_hz.max(1))
}

impl Ingest for Playing<'_> {
    async fn next(&mut self) -> Result<Option<Piece<'_>>> {
        if let Some(legs) = self.opened.take() {
            return Ok(Some(Piece::Opened(legs)));
        }
        let read = tokio::task::block_in_place(|| self.read())?;
        Ok(read.map(|(encoding, at)| {
            let mut channels: SmallVec<[&[u8]; 2]> = SmallVec::from_elem(&[][..], self.n_legs);
            channels[self.leg] = &self.audio;
            Piece::Audio {
                encoding,
                at: Some(at),
                channels,
            }
        }))
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::sync::Mutex;

    use auricle_record::Recorder;
    use auricle_spool::{KeyRing, Spool, SpoolOptions};

    use super::*;
    use crate::serve::recordings::tries::Tries;

    /// Eleven seconds of two legs, 20 ms at a time.
    fn record(spool: &Spool) -> RecordingName {
        let mut recording = spool.create(1_000, b"{}").unwrap();
        for number in 0..550 {
            for leg in 0..2 {
                let audio = Audio {
                    leg,
                    at: number * 160,
                    encoding: auricle_spool::Encoding::Ulaw,
                    rate_hz: 8_000,
                    payload: &[0xff; 160],
                };
                recording.append(Record::Audio(audio)).unwrap();
            }
            if number % 50 == 49 {
                recording.flush().unwrap();
            }
        }
        *recording.name()
    }

    #[test]
    fn how_far_it_came_is_noted_once_a_step() {
        let folder = tempfile::tempdir().unwrap();
        let keys =
            KeyRing::parse("test = \"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\"").unwrap();
        let spool = Spool::open(folder.path(), keys, SpoolOptions::default()).unwrap();
        let name = record(&spool);
        let file = folder.path().join("tries.json");
        let recordings = Recordings {
            recorder: Recorder::start(spool).unwrap(),
            newer_keys: None,
            keep_days: 0,
            most_calls: 1,
            tries: Mutex::new(Tries::read(file.clone())),
        };
        recordings.tries().begin(&name);
        let reader = recordings.recorder.spool().reader(&name).unwrap();
        let mut playing = Playing::new(&recordings, name, reader, Vec::new());
        playing.n_legs = 2;
        for n_read in 1..=1_100 {
            assert!(playing.read().unwrap().is_some());
            let secs = n_read / 500 * 10;
            let expected = format!("{{\"{name}\":{{\"count\":1,\"furthest_secs\":{secs}}}}}");
            assert_eq!(fs::read_to_string(&file).unwrap(), expected, "{n_read}");
        }
        assert!(playing.read().unwrap().is_none());
    }
}
