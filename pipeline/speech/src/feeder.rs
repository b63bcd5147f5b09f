//! Speech on its way into an engine's stream, at the engine's rate.

use auricle_audio::{ResampleError, Resampler};
use auricle_models::{StreamKey, StreamingEngine};

use crate::model::SpeechError;

/// Speech is resampled in pieces, so that a long slice does not make the buffer grow.
const PIECE_SAMPLES: usize = 1_024;

/// Brings the utterances of one channel, one after the other, to an engine's rate and into its streams.
///
/// What is heard of an utterance does not depend on how it is cut into calls. Delay: [`Resampler::latency_secs`], 4 ms from
/// 8 to 16 kHz; [`Self::end`] brings out the rest.
pub struct Feeder {
    to_engine: Resampler,
    samples: Vec<f32>,
}

impl Feeder {
    /// From speech at one rate to an engine that takes another.
    ///
    /// # Errors
    /// When a rate is absurd.
    pub fn new(speech_rate_hz: u32, engine_rate_hz: u32) -> Result<Self, ResampleError> {
        Ok(Self {
            to_engine: Resampler::new(speech_rate_hz, engine_rate_hz)?,
            samples: Vec::new(),
        })
    }

    /// More speech of the utterance that `stream` hears.
    ///
    /// # Errors
    /// When it cannot be resampled, or as the engine gives them.
    pub fn accept(
        &mut self,
        engine: &mut dyn StreamingEngine,
        stream: StreamKey,
        speech: &[f32],
    ) -> Result<(), SpeechError> {
        self.bring(speech, |samples| Ok(engine.accept(stream, samples)?))
    }

    /// The utterance is over: the next may begin.
    ///
    /// # Errors
    /// As [`Self::accept`].
    pub fn end(
        &mut self,
        engine: &mut dyn StreamingEngine,
        stream: StreamKey,
    ) -> Result<(), SpeechError> {
        self.bring_rest(|samples| Ok(engine.accept(stream, samples)?))?;
        Ok(engine.end(stream)?)
    }

    /// Forgets the utterance so far: another one begins.
    pub fn restart(&mut self) {
        self.to_engine.restart();
    }

    fn bring(
        &mut self,
        speech: &[f32],
        mut to: impl FnMut(&[f32]) -> Result<(), SpeechError>,
    ) -> Result<(), SpeechError> {
        for piece in speech.chunks(PIECE_SAMPLES) {
            self.samples.clear();
            self.to_engine.process(piece, &mut self.samples)?;
            to(&self.samples)?;
        }
        Ok(())
    }

    fn bring_rest(
        &mut self,
        to: impl FnOnce(&[f32]) -> Result<(), SpeechError>,
    ) -> Result<(), SpeechError> {
        self.samples.clear();
        self.to_engine.finish(&mut self.samples)?;
        to(&self.samples)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn tone(n_samples: usize, hz: f32) -> Vec<f32> {
        let at = |at: usize| 0.5 * (at as f32 * hz * std::f32::consts::TAU / 8_000.0).sin();
        (0..n_samples).map(at).collect()
    }

    /// What an engine gets of an utterance that comes in such pieces.
    fn fed(feeder: &mut Feeder, said: &[f32], piece: usize) -> Vec<f32> {
        let mut got = Vec::new();
        for piece in said.chunks(piece) {
            let taken = feeder.bring(piece, |samples| {
                got.extend_from_slice(samples);
                Ok(())
            });
            taken.unwrap();
        }
        let taken = feeder.bring_rest(|samples| {
            got.extend_from_slice(samples);
            Ok(())
        });
        taken.unwrap();
        got
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(32))]

        #[test]
        fn how_speech_is_cut_does_not_matter_and_none_is_lost(
            n_samples in 1_usize..20_000,
            piece in 1_usize..9_000,
            rates in prop::sample::select(vec![(8_000, 16_000), (16_000, 16_000), (11_025, 16_000), (8_000, 8_000)]),
        ) {
            let said = tone(n_samples, 440.0);
            let whole = fed(&mut Feeder::new(rates.0, rates.1).unwrap(), &said, usize::MAX);
            let expected = (n_samples as f64 * f64::from(rates.1) / f64::from(rates.0)).round();
            prop_assert_eq!(whole.len(), expected as usize);
            let mut feeder = Feeder::new(rates.0, rates.1).unwrap();
            prop_assert_eq!(&fed(&mut feeder, &said, piece), &whole);
            // Neither an utterance that ended nor one that was broken off is heard in the next.
            prop_assert_eq!(&fed(&mut feeder, &said, piece), &whole);
            feeder.bring(&tone(700, 900.0), |_| Ok(())).unwrap();
            feeder.restart();
            prop_assert_eq!(&fed(&mut feeder, &said, piece), &whole);
        }
    }
}
