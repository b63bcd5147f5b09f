//! Measures recordings: `voice_measures FILE…` writes one line of JSON for each channel of each file, with the
//! measures under the names of [`VoiceMeasures`]. With `--spans FILE`, the lines of that file
//! (`recording channel start_ms end_ms`, separated by tabs) say which stretches to measure instead.

use std::error::Error;
use std::io::Write;

use auricle_audio::{
    AudioBlock, AudioReader, Resampler, VOICE_RATE_HZ, VoiceBench, VoiceMeasures, VoiceMeter,
};
use serde_json::json;

/// A stretch of one channel, milliseconds.
struct Span {
    channel: usize,
    start_ms: u64,
    end_ms: u64,
}

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let mut out = std::io::stdout().lock();
    match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["--spans", list] => measure_spans(&std::fs::read_to_string(list)?, &mut out),
        [] => Err("usage: voice_measures FILE… | --spans FILE".into()),
        _ => {
            let mut bench = VoiceBench::new();
            for file in &arguments {
                let channels = samples(file)?;
                for channel in 0..channels.len() {
                    write_measures(&mut out, file, &channels, &mut bench, &whole(channel))?;
                }
            }
            Ok(())
        }
    }
}

const fn whole(channel: usize) -> Span {
    Span {
        channel,
        start_ms: 0,
        end_ms: u64::MAX,
    }
}

fn measure_spans(list: &str, out: &mut impl Write) -> Result<(), Box<dyn Error>> {
    let mut read = (String::new(), Vec::new());
    let mut bench = VoiceBench::new();
    for line in list.lines() {
        let [file, channel, start_ms, end_ms] = line.split('\t').collect::<Vec<_>>()[..] else {
            return Err(format!("a span has four fields, got `{line}`").into());
        };
        if read.0 != file {
            read = (file.to_owned(), samples(file)?);
        }
        let span = Span {
            channel: channel.parse()?,
            start_ms: start_ms.parse()?,
            end_ms: end_ms.parse()?,
        };
        write_measures(out, file, &read.1, &mut bench, &span)?;
    }
    Ok(())
}

/// All channels of a recording at the rate of measuring.
fn samples(file: &str) -> Result<Vec<Vec<f32>>, Box<dyn Error>> {
    let mut reader = AudioReader::open(file)?;
    let info = reader.info().clone();
    let mut channels = vec![Vec::new(); info.n_channels];
    let new = || Resampler::new(info.sample_rate_hz, VOICE_RATE_HZ);
    let mut resamplers = (0..info.n_channels)
        .map(|_| new())
        .collect::<Result<Vec<_>, _>>()?;
    let mut block = AudioBlock::new();
    while reader.next_block(&mut block)? > 0 {
        let parts = block.channels().zip(&mut resamplers).zip(&mut channels);
        for ((samples, resampler), channel) in parts {
            resampler.process(samples, channel)?;
        }
    }
    for (resampler, channel) in resamplers.iter_mut().zip(&mut channels) {
        resampler.finish(channel)?;
    }
    Ok(channels)
}

fn write_measures(
    out: &mut impl Write,
    file: &str,
    channels: &[Vec<f32>],
    bench: &mut VoiceBench,
    span: &Span,
) -> Result<(), Box<dyn Error>> {
    let samples = channels.get(span.channel).map_or(&[][..], Vec::as_slice);
    let at =
        |ms: u64| (ms.min(1 << 40) as usize * VOICE_RATE_HZ as usize / 1000).min(samples.len());
    let (from, to) = (at(span.start_ms), at(span.end_ms));
    let mut meter = VoiceMeter::new();
    meter.accept(samples.get(from..to).unwrap_or(&[]), bench);
    let voice = meter.finish().map(|voice| as_json(&voice));
    let line = json!({ "file": file, "channel": span.channel, "start_ms": span.start_ms,
        "end_ms": to * 1000 / VOICE_RATE_HZ as usize, "voice": voice });
    Ok(writeln!(out, "{line}")?)
}

fn as_json(voice: &VoiceMeasures) -> serde_json::Value {
    json!({
        "loudness_db": voice.loudness_db,
        "loudness_peak_db": voice.loudness_peak_db,
        "loudness_range_db": voice.loudness_range_db,
        "loudness_slope_db": voice.loudness_slope_db,
        "loudness_peaks_per_sec": voice.loudness_peaks_per_sec,
        "pitch_hz": voice.pitch_hz,
        "pitch_low_hz": voice.pitch_low_hz,
        "pitch_high_hz": voice.pitch_high_hz,
        "pitch_deviation_semitones": voice.pitch_deviation_semitones,
        "pitch_slope_semitones": voice.pitch_slope_semitones,
        "pitch_motion_semitones": voice.pitch_motion_semitones,
        "voiced_ratio": voice.voiced_ratio,
        "voiced_per_sec": voice.voiced_per_sec,
        "pause_ratio": voice.pause_ratio,
        "pause_longest_secs": voice.pause_longest_secs,
        "alpha_ratio_db": voice.alpha_ratio_db,
        "alpha_ratio_deviation_db": voice.alpha_ratio_deviation_db,
        "effort_ratio_db": voice.effort_ratio_db,
        "hammarberg_db": voice.hammarberg_db,
        "hammarberg_deviation_db": voice.hammarberg_deviation_db,
        "tilt_db": voice.tilt_db,
        "tilt_middle_db": voice.tilt_middle_db,
        "centroid_hz": voice.centroid_hz,
        "flux": voice.flux,
        "harmonicity_db": voice.harmonicity_db,
        "jitter_ratio": voice.jitter_ratio,
        "shimmer_db": voice.shimmer_db,
        "cepstra": voice.cepstra,
        "cepstra_deviations": voice.cepstra_deviations,
    })
}
