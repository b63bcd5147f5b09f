//! The audio of a recording: legs side by side as channels, decoded, cut, silenced.

use std::io::{Seek, Write};

use anyhow::{Context, Result, bail};
use auricle_audio::g711::Law;
use auricle_audio::{AudioBlock, RedactedSpan, Silencer, WavEncoding, WavWriter};
use auricle_record::BeginFacts;
use auricle_spool::{Encoding, Record, RecordingReader};

/// Frames that are written at once.
const BLOCK_FRAMES: usize = 8_192;
/// A leg that is so far behind the others is silent: what comes later has lost its place.
const BEHIND_SECS: usize = 30;

/// A stretch of a call, milliseconds from its start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Span {
    pub(crate) from_ms: u64,
    /// `u64::MAX`: to its end.
    pub(crate) to_ms: u64,
}

/// What was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Written {
    pub(crate) n_frames: u64,
    rate_hz: u32,
}

impl Written {
    pub(crate) fn ms(self) -> u64 {
        self.n_frames.saturating_mul(1000) / u64::from(self.rate_hz.max(1))
    }
}

/// Writes a stretch of a recording as 16-bit WAVE, a channel for each leg, silent where `silences` (times of the call) say
/// so.
///
/// # Errors
/// The recording says nothing of its call, its legs have different rates, or cannot be read; the sink's.
pub(crate) fn write_audio<W: Write + Seek>(
    mut reader: RecordingReader,
    span: Span,
    silences: &[RedactedSpan],
    sink: W,
) -> Result<Written> {
    let Some(Record::Begin(begin)) = reader.next_record()? else {
        bail!("the recording is empty");
    };
    let facts: BeginFacts =
        serde_json::from_slice(begin).context("the recording says nothing of its call")?;
    let rate_hz = match facts.legs.as_slice() {
        [first, rest @ ..] if rest.iter().all(|leg| leg.rate_hz == first.rate_hz) => first.rate_hz,
        _ => bail!("the legs of the recording have different rates"),
    };
    let frame = |ms: u64| ms.saturating_mul(u64::from(rate_hz)) / 1000;
    let (from, to) = (frame(span.from_ms), frame(span.to_ms));
    let silences: Vec<RedactedSpan> = silences
        .iter()
        .map(|silence| RedactedSpan {
            start_ms: silence.start_ms.saturating_sub(span.from_ms),
            end_ms: silence.end_ms.saturating_sub(span.from_ms),
            ..*silence
        })
        .collect();
    let n_legs = facts.legs.len();
    reader.records_from(from)?;
    let mut out = Out {
        silencer: Silencer::new(&silences, rate_hz, n_legs)?,
        writer: WavWriter::new(sink, WavEncoding::Pcm16, rate_hz, n_legs)?,
        legs: vec![Vec::new(); n_legs],
        n_written: 0,
        most_behind: BEHIND_SECS * rate_hz as usize,
    };
    let mut ends = vec![0; n_legs];
    while ends.iter().any(|end| *end < to)
        && let Some(record) = reader.next_record()?
    {
        let Record::Audio(audio) = record else {
            continue;
        };
        if let Some(end) = ends.get_mut(usize::from(audio.leg)) {
            *end = audio.end();
        }
        // Most of a long call lies outside: it is not decoded.
        if audio.end() <= from || audio.at >= to {
            continue;
        }
        let mut samples = decode(audio.encoding, audio.payload);
        samples.truncate(cut(audio.at, to, samples.len()));
        let n_before = cut(audio.at, from, samples.len());
        let samples = &samples[n_before..];
        if !samples.is_empty() {
            let at = audio.at.max(from) - from;
            out.take(usize::from(audio.leg), at, samples)?;
        }
    }
    let rest = out.legs.iter().map(Vec::len).max().unwrap_or(0);
    out.write(rest)?;
    out.writer.finish()?;
    Ok(Written {
        n_frames: out.n_written,
        rate_hz,
    })
}

struct Out<W: Write + Seek> {
    silencer: Silencer,
    writer: WavWriter<W>,
    /// What of each leg is not written yet, from frame `n_written` on.
    legs: Vec<Vec<f32>>,
    n_written: u64,
    most_behind: usize,
}

impl<W: Write + Seek> Out<W> {
    fn take(&mut self, leg: usize, at: u64, samples: &[f32]) -> Result<()> {
        let Some(waiting) = self.legs.get_mut(leg) else {
            return Ok(());
        };
        let n_late = self.n_written.saturating_sub(at).min(samples.len() as u64) as usize;
        let samples = &samples[n_late..];
        let place = at.max(self.n_written) - self.n_written;
        // A place far ahead is no gap but a clock that jumped: it would be silence for hours.
        let place = (place as usize).min(waiting.len() + self.most_behind);
        let end = place + samples.len();
        if waiting.len() < end {
            waiting.resize(end, 0.0);
        }
        waiting[place..end].copy_from_slice(samples);
        loop {
            let shortest = self.legs.iter().map(Vec::len).min().unwrap_or(0);
            let longest = self.legs.iter().map(Vec::len).max().unwrap_or(0);
            match shortest >= BLOCK_FRAMES || longest >= self.most_behind + BLOCK_FRAMES {
                true => self.write(BLOCK_FRAMES)?,
                false => return Ok(()),
            }
        }
    }

    /// Writes so many frames; a leg that has not so many is silent.
    fn write(&mut self, n_frames: usize) -> Result<()> {
        let mut left = n_frames;
        while left > 0 {
            let n = left.min(BLOCK_FRAMES);
            let planes = self.legs.iter_mut().map(|leg| {
                let mut plane: Vec<f32> = leg.drain(..n.min(leg.len())).collect();
                plane.resize(n, 0.0);
                plane
            });
            let mut block = AudioBlock::from_planes(planes.collect());
            self.silencer.silence(&mut block);
            self.writer.write_block(&block)?;
            self.n_written += n as u64;
            left -= n;
        }
        Ok(())
    }
}

/// How many of `n_samples` from `at` on lie before `place`.
fn cut(at: u64, place: u64, n_samples: usize) -> usize {
    place.saturating_sub(at).min(n_samples as u64) as usize
}

/// Samples, −1 to 1.
fn decode(encoding: Encoding, payload: &[u8]) -> Vec<f32> {
    let law = |law: Law| payload.iter().map(|code| law.decode_unit(*code)).collect();
    match encoding {
        Encoding::Ulaw => law(Law::Mu),
        Encoding::Alaw => law(Law::A),
        Encoding::L16 => {
            let (samples, _) = payload.as_chunks::<2>();
            let samples = samples.iter().map(|sample| i16::from_be_bytes(*sample));
            samples.map(|sample| f32::from(sample) / 32768.0).collect()
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;
    use std::path::Path;

    use auricle_spool::{Audio, KeyRing, RecordingWriter, Start, WriterLimits};

    use super::*;

    fn keys() -> KeyRing {
        KeyRing::parse("test = \"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\"").unwrap()
    }

    /// Ten seconds of two legs, of which the second comes a second behind the first.
    fn record(path: &Path) {
        let start = Start {
            created_unix_ms: 1_000,
            begin: br#"{"call_id": "c-1", "metadata": {}, "source": "test", "legs": [
                {"party": "agent", "rate_hz": 8000}, {"party": "customer", "rate_hz": 8000}]}"#,
            limits: WriterLimits::default(),
        };
        let mut writer = RecordingWriter::create(path, &keys(), &start).unwrap();
        for turn in 0..550_u64 {
            for (leg, number) in [(0_u8, Some(turn)), (1, turn.checked_sub(50))] {
                let Some(number) = number.filter(|number| *number < 500) else {
                    continue;
                };
                let at = number * 160;
                let sample = |at: u64| ((2 * at + u64::from(leg)) as i16).to_be_bytes();
                let payload: Vec<u8> = (at..at + 160).flat_map(sample).collect();
                let audio = Audio {
                    leg,
                    at,
                    encoding: Encoding::L16,
                    rate_hz: 8_000,
                    payload: &payload,
                };
                writer.append(Record::Audio(audio)).unwrap();
            }
            if turn % 12 == 0 {
                writer.flush().unwrap();
            }
        }
        writer.finish(b"{}").unwrap();
    }

    /// The samples of a stretch, two channels of 16 bits.
    fn stretch(path: &Path, from_ms: u64, to_ms: u64) -> Vec<u8> {
        let reader = RecordingReader::open(path, &keys()).unwrap();
        let mut sink = Cursor::new(Vec::new());
        let written = write_audio(reader, Span { from_ms, to_ms }, &[], &mut sink).unwrap();
        assert_eq!(written.ms(), to_ms.min(10_000) - from_ms.min(10_000));
        let mut wave = sink.into_inner();
        wave.split_off(wave.len() - 4 * written.n_frames as usize)
    }

    #[test]
    fn a_stretch_is_what_the_whole_has_there() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("call.arec");
        record(&path);
        let whole = stretch(&path, 0, u64::MAX);
        assert_eq!(whole.len(), 10_000 * 8 * 4);
        let place = |ms: u64| (ms as usize * 8 * 4).min(whole.len());
        for (from_ms, to_ms) in [
            (0, 500),
            (20, 21),
            (1_990, 4_010),
            (9_990, 20_000),
            (10_000, 20_000),
        ] {
            let expected = &whole[place(from_ms)..place(to_ms)];
            let is_same = stretch(&path, from_ms, to_ms) == expected;
            assert!(is_same, "{from_ms} to {to_ms} ms");
        }
    }
}
