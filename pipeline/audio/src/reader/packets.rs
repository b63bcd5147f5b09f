//! Containers of packets, taken apart and decoded by symphonia; Opus decoded by libopus.

use std::panic::{AssertUnwindSafe, catch_unwind};

use symphonia::core::audio::Channels;
use symphonia::core::codecs::CodecParameters;
use symphonia::core::codecs::audio::well_known::{
    CODEC_ID_AAC, CODEC_ID_ALAC, CODEC_ID_FLAC, CODEC_ID_MP3, CODEC_ID_OPUS, CODEC_ID_PCM_ALAW,
    CODEC_ID_PCM_F32BE, CODEC_ID_PCM_F32LE, CODEC_ID_PCM_F64BE, CODEC_ID_PCM_F64LE,
    CODEC_ID_PCM_MULAW, CODEC_ID_VORBIS,
};
use symphonia::core::codecs::audio::{AudioCodecParameters, AudioDecoder, AudioDecoderOptions};
use symphonia::core::errors::Error;
use symphonia::core::formats::{FormatReader, Track, TrackType};
use symphonia::core::io::MediaSourceStream;
use symphonia::core::packet::Packet;
use symphonia::core::units::TimeBase;
use symphonia::default::formats::{
    AdtsReader, AiffReader, FlacReader, IsoMp4Reader, MpaReader, OggReader,
};

use super::damage::DamageLog;
use super::mp4_edit::{Edit, read_edits};
use super::opus::{OpusDecoder, OpusHead};
use super::source::Source;
use super::{AudioInfo, CHANNELS_LIMIT, Codec, FrameSource, More, RATES_HZ, in_range};
use crate::block::{AudioBlock, MAX_BLOCK_FRAMES};
use crate::error::{AudioError, Container, ReadWarning};
use crate::g711::Law;

/// Packets in a row that give nothing, before the rest is taken for rubbish.
const VAIN_PACKETS_LIMIT: u32 = 2_000;
/// Missing time longer than this is a wrong time stamp, not a loss.
const GAP_LIMIT_SECS: u64 = 600;
/// Missing time shorter than this is rounding.
const GAP_LEAST_MS: u64 = 5;
/// Silence put in for damage and missing time, over the whole recording: what a damaged file may
/// make of a few bytes has to end somewhere.
const SILENCE_LIMIT_SECS: u64 = 4 * 3600;

/// Frames before the sound of an MP3 stream without LAME's tag: 529 of the decoder (ISO/IEC 11172-3
/// Annex C, filter bank and overlap) and the 576 that LAME puts before it. Short frames, as those of
/// telephone recordings, have no room for the tag.
const MP3_DELAY_FRAMES: u64 = 529 + 576;
/// Frames before the sound of AAC where no edit list tells: the overlap of the first block, the
/// least that any encoder has.
const AAC_DELAY_FRAMES: u64 = 1024;

/// A container of packets in the course of being read.
pub(super) struct PacketReader {
    name: String,
    info: AudioInfo,
    format: Box<dyn FormatReader>,
    track_id: u32,
    time_base: TimeBase,
    decoder: Decoder,
    /// Frames of the last packet, not yet given out while the reader is being opened.
    planes: Vec<Vec<f32>>,
    /// A packet that waits until the silence before it has been given out.
    held: Option<Packet>,
    n_silent_frames: u64,
    n_silence_left: u64,
    /// Frames still to be dropped at the start.
    n_to_skip: u64,
    /// Frames that may still be given out.
    n_allowed: u64,
    n_frames: u64,
    /// Time stamp expected next.
    next_pts: Option<i64>,
    /// Packets in a row that gave nothing; the largest number once reading has ended early.
    n_in_vain: u32,
    log: DamageLog,
}

enum Decoder {
    Symphonia(Box<dyn AudioDecoder>),
    Opus(Box<OpusDecoder>),
}

/// What became of one packet.
enum Step {
    /// Frames are in `planes`.
    Decoded,
    /// Nothing, or silence to be given out.
    Nothing,
    End,
}

/// Opens the container and decodes up to the first frames, which tell rate and channels more
/// truly than headers do.
pub(super) fn open(
    mut source: Source,
    container: Container,
) -> Result<Box<dyn FrameSource>, AudioError> {
    let name = source.name().to_owned();
    let edits = match container {
        Container::Mp4 => read_edits(&mut source).map_err(|error| source.read_error(error))?,
        _ => Vec::new(),
    };
    let damaged = |error: Error| failed_to_open(&name, container, error);
    let format = guarded(|| demultiplexer(source, container)).map_err(damaged)?;
    let track = match format.default_track(TrackType::Audio) {
        Some(track) => track.clone(),
        None => return Err(unread(&name, container, "none (no audio track)")),
    };
    let mut reader = PacketReader::new(name, container, format, &track)?;
    let edit = edits
        .iter()
        .find(|(id, _)| *id == track.id)
        .map(|(_, edit)| *edit);
    reader.start(&track, edit)?;
    Ok(Box::new(reader))
}

fn demultiplexer(source: Source, container: Container) -> Result<Box<dyn FormatReader>, Error> {
    let stream = MediaSourceStream::new(Box::new(source), Default::default());
    let options = Default::default();
    Ok(match container {
        Container::Flac => Box::new(FlacReader::try_new(stream, options)?),
        Container::Mp3 | Container::Wav => Box::new(MpaReader::try_new(stream, options)?),
        Container::Adts => Box::new(AdtsReader::try_new(stream, options)?),
        Container::Aiff => Box::new(AiffReader::try_new(stream, options)?),
        Container::Mp4 => Box::new(IsoMp4Reader::try_new(stream, options)?),
        Container::Ogg => Box::new(OggReader::try_new(stream, options)?),
    })
}

/// What a decoder that gave up on damaged data is reported as.
const GAVE_UP: &str = "the decoder gave up on damaged data";

/// Calls into decoders of others. Some of their arithmetic is not checked: values that no real file
/// has end in a panic, which must not end the batch. What was called is not used again after one.
fn guarded<T>(call: impl FnOnce() -> Result<T, Error>) -> Result<T, Error> {
    catch_unwind(AssertUnwindSafe(call)).unwrap_or(Err(Error::LimitError(GAVE_UP)))
}

fn failed_to_open(name: &str, container: Container, error: Error) -> AudioError {
    let name = name.to_owned();
    match error {
        Error::IoError(source) if source.raw_os_error().is_some() => {
            AudioError::Read { name, source }
        }
        error => AudioError::Damaged {
            name,
            container,
            cause: cause(&error),
        },
    }
}

/// What symphonia says, less its own introduction.
fn cause(error: &Error) -> String {
    match error {
        Error::IoError(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => {
            "it ends too early".to_owned()
        }
        Error::DecodeError(text) | Error::Unsupported(text) | Error::LimitError(text) => {
            (*text).to_owned()
        }
        error => error.to_string(),
    }
}

fn unread(name: &str, container: Container, codec: &str) -> AudioError {
    AudioError::Codec {
        name: name.to_owned(),
        container,
        codec: codec.to_owned(),
    }
}

impl PacketReader {
    fn new(
        name: String,
        container: Container,
        format: Box<dyn FormatReader>,
        track: &Track,
    ) -> Result<Self, AudioError> {
        let Some(CodecParameters::Audio(parameters)) = &track.codec_params else {
            return Err(unread(&name, container, "none (no audio track)"));
        };
        let decoder = guarded(|| Decoder::new(parameters)).map_err(|error| match error {
            Error::Unsupported(_) => unread(&name, container, &parameters.codec.to_string()),
            error => failed_to_open(&name, container, error),
        })?;
        let sample_rate_hz = parameters.sample_rate.unwrap_or(0);
        Ok(Self {
            info: AudioInfo {
                container,
                codec: codec(parameters),
                sample_rate_hz,
                n_channels: 0,
                n_frames: None,
            },
            name,
            track_id: track.id,
            time_base: track.time_base.unwrap_or_default(),
            format,
            decoder,
            planes: Vec::new(),
            held: None,
            n_silent_frames: 0,
            n_silence_left: u64::MAX,
            n_to_skip: 0,
            n_allowed: u64::MAX,
            n_frames: 0,
            next_pts: None,
            n_in_vain: 0,
            log: DamageLog::default(),
        })
    }

    /// Decodes the first packet, and from it knows rate and channels.
    fn start(&mut self, track: &Track, edit: Option<Edit>) -> Result<(), AudioError> {
        loop {
            match self.next_step()? {
                Step::Decoded => break,
                Step::Nothing => {}
                Step::End => {
                    return Err(AudioError::NoFrames {
                        name: self.name.clone(),
                        container: self.info.container,
                    });
                }
            }
        }
        self.info.n_channels = self.planes.len();
        self.check_range("channels", self.planes.len() as u64, "1 to 32", |n| {
            CHANNELS_LIMIT.contains(&(n as usize))
        })?;
        let rate_hz = self.info.sample_rate_hz;
        self.check_range("sample rate", rate_hz.into(), "1000 to 768000 Hz", |n| {
            RATES_HZ.contains(&(n as u32))
        })?;
        self.n_silence_left = SILENCE_LIMIT_SECS * u64::from(rate_hz);
        self.set_bounds(track, edit);
        Ok(())
    }

    fn check_range(
        &self,
        key: &'static str,
        value: u64,
        expected: &'static str,
        is_allowed: impl Fn(u64) -> bool,
    ) -> Result<(), AudioError> {
        if is_allowed(value) {
            return Ok(());
        }
        Err(AudioError::Header {
            name: self.name.clone(),
            container: self.info.container,
            key,
            value: value.to_string(),
            expected,
        })
    }

    /// First and last frame, as container and codec state them.
    fn set_bounds(&mut self, track: &Track, edit: Option<Edit>) {
        let n_stated = track.num_frames.map(|n_frames| self.in_frames(n_frames));
        let delay = u64::from(track.delay.unwrap_or(0));
        match (self.info.codec, edit) {
            (Codec::Opus, _) => {
                self.n_to_skip = self.in_frames(delay);
            }
            (Codec::Mp3, _) if track.delay.is_none() => self.n_to_skip = MP3_DELAY_FRAMES,
            (Codec::Aac, None) => self.n_to_skip = AAC_DELAY_FRAMES,
            (_, Some(edit)) => {
                self.n_to_skip = self.in_frames(edit.n_skipped);
                self.n_allowed = edit.n_frames.map_or(u64::MAX, |n| self.in_frames(n));
            }
            _ => {}
        }
        let n_after = n_stated.map(|n| n.saturating_sub(self.n_to_skip));
        self.info.n_frames = n_after.map(|n| n.min(self.n_allowed));
        // Without a table of packets or an encoder's tag the number is an estimate.
        self.log.n_frames_stated = match self.info.codec {
            Codec::Flac | Codec::Alac => self.info.n_frames,
            Codec::Aac if self.info.container == Container::Mp4 => self.info.n_frames,
            Codec::Mp3 if track.delay.is_some() => self.info.n_frames,
            _ => None,
        };
    }

    /// Units of the track's time base in frames.
    fn in_frames(&self, units: u64) -> u64 {
        let rate_hz = u128::from(self.info.sample_rate_hz);
        let numerator = u128::from(units) * u128::from(self.time_base.numer.get()) * rate_hz;
        let denominator = u128::from(self.time_base.denom.get());
        u64::try_from((numerator + denominator / 2) / denominator).unwrap_or(u64::MAX)
    }

    /// Reads and decodes one packet.
    fn next_step(&mut self) -> Result<Step, AudioError> {
        if self.n_in_vain == u32::MAX {
            return Ok(Step::End);
        }
        if self.n_in_vain > VAIN_PACKETS_LIMIT {
            return Ok(self.cut());
        }
        self.n_in_vain += 1;
        if let Some(packet) = self.held.take() {
            return Ok(self.decode(&packet));
        }
        match guarded(|| self.format.next_packet()) {
            Ok(Some(packet)) if packet.track_id != self.track_id => Ok(Step::Nothing),
            Ok(Some(packet)) => {
                if self.find_gap(&packet) {
                    self.held = Some(packet);
                    return Ok(Step::Nothing);
                }
                Ok(self.decode(&packet))
            }
            Ok(None) => Ok(Step::End),
            Err(Error::ResetRequired) => Ok(self.chained_stream()),
            Err(Error::DecodeError(_)) => {
                self.log.packet(self.n_frames);
                Ok(Step::Nothing)
            }
            Err(Error::IoError(source)) if source.raw_os_error().is_some() => {
                let name = self.name.clone();
                Err(AudioError::Read { name, source })
            }
            Err(_) => Ok(self.cut()),
        }
    }

    /// Ends reading for good, though the recording should go on.
    fn cut(&mut self) -> Step {
        self.log.is_cut = true;
        self.n_in_vain = u32::MAX;
        Step::End
    }

    /// Compares the packet's time with the end of the last one; a hole is filled with silence
    /// first. Only FLAC and Ogg keep times that tell of losses.
    fn find_gap(&mut self, packet: &Packet) -> bool {
        let pts = packet.pts.get();
        let n_units = i64::try_from(packet.block_dur().get()).unwrap_or(0);
        let expected = self.next_pts.replace(pts.saturating_add(n_units));
        let keeps_times = matches!(self.info.container, Container::Flac | Container::Ogg);
        let Some(expected) = expected.filter(|_| keeps_times) else {
            return false;
        };
        let missing = u64::try_from(pts.saturating_sub(expected)).unwrap_or(0);
        let n_missing = self.in_frames(missing);
        let rate_hz = u64::from(self.info.sample_rate_hz);
        if n_missing.saturating_mul(1000) < GAP_LEAST_MS * rate_hz
            || n_missing > GAP_LIMIT_SECS * rate_hz
        {
            return false;
        }
        self.log.gap(n_missing, self.n_frames);
        self.push_silence(n_missing);
        self.n_silent_frames > 0
    }

    fn push_silence(&mut self, n_frames: u64) {
        let n_frames = n_frames.min(self.n_silence_left);
        self.n_silence_left -= n_frames;
        self.n_silent_frames += n_frames;
    }

    fn decode(&mut self, packet: &Packet) -> Step {
        let n_channels = self.info.n_channels;
        let is_first = n_channels == 0;
        match guarded(|| self.decoder.decode(packet, &mut self.planes)) {
            Err(Error::LimitError(GAVE_UP)) => {
                self.planes.iter_mut().for_each(Vec::clear);
                return self.cut();
            }
            Ok(rate_hz) if is_first && !self.planes.is_empty() => {
                self.info.sample_rate_hz = rate_hz;
            }
            Ok(rate_hz)
                if rate_hz == self.info.sample_rate_hz && self.planes.len() == n_channels => {}
            _ => return self.damaged(packet),
        }
        self.trim_end(packet);
        if self.planes.first().is_none_or(Vec::is_empty) {
            return Step::Nothing;
        }
        self.n_in_vain = 0;
        Step::Decoded
    }

    /// Silence in place of a packet, so that what follows keeps its time.
    fn damaged(&mut self, packet: &Packet) -> Step {
        self.planes.iter_mut().for_each(Vec::clear);
        self.log.packet(self.n_frames);
        let n_frames = self.in_frames(packet.dur.get());
        // A packet of more than a second is a damaged time stamp.
        if n_frames <= u64::from(self.info.sample_rate_hz) {
            self.push_silence(n_frames);
        }
        Step::Nothing
    }

    /// Opus leaves trimming to its caller; the other decoders have done theirs.
    fn trim_end(&mut self, packet: &Packet) {
        if let Decoder::Opus(_) = self.decoder {
            let n_trimmed = self.in_frames(packet.trim_end.get()) as usize;
            for plane in &mut self.planes {
                plane.truncate(plane.len().saturating_sub(n_trimmed));
            }
        }
    }

    /// Another Ogg stream after the first: read on where it is alike.
    fn chained_stream(&mut self) -> Step {
        let track = self.format.default_track(TrackType::Audio).cloned();
        let parameters = track.as_ref().and_then(|track| match &track.codec_params {
            Some(CodecParameters::Audio(parameters)) => Some((track, parameters)),
            _ => None,
        });
        if let Some((track, parameters)) = parameters
            && codec(parameters) == self.info.codec
            && let Ok(decoder) = guarded(|| Decoder::new(parameters))
            && decoder.gives(parameters, &self.info)
        {
            self.decoder = decoder;
            self.track_id = track.id;
            self.time_base = track.time_base.unwrap_or_default();
            self.next_pts = None;
            if self.info.codec == Codec::Opus {
                self.n_to_skip = self.in_frames(track.delay.unwrap_or(0).into());
            }
            return Step::Nothing;
        }
        self.log.format_change(self.n_frames);
        self.n_in_vain = u32::MAX;
        Step::End
    }

    /// Moves the frames of `planes` to `out`, less what lies outside of the bounds.
    fn give(&mut self, out: &mut AudioBlock) {
        let n_decoded = self.planes.first().map_or(0, Vec::len);
        let n_skipped = self.n_to_skip.min(n_decoded as u64) as usize;
        self.n_to_skip -= n_skipped as u64;
        let n_given = self.n_allowed.min((n_decoded - n_skipped) as u64) as usize;
        self.n_allowed -= n_given as u64;
        self.n_frames += n_given as u64;
        for (plane, decoded) in out.planes_mut().iter_mut().zip(&mut self.planes) {
            let kept = &decoded[n_skipped..n_skipped + n_given];
            plane.extend(kept.iter().map(|&sample| in_range(sample)));
            decoded.clear();
        }
    }

    fn give_silence(&mut self, out: &mut AudioBlock) {
        let n_now = self.n_silent_frames.min(MAX_BLOCK_FRAMES as u64);
        self.n_silent_frames -= n_now;
        let n_skipped = self.n_to_skip.min(n_now);
        self.n_to_skip -= n_skipped;
        let n_given = (n_now - n_skipped).min(self.n_allowed);
        self.n_allowed -= n_given;
        self.n_frames += n_given;
        out.push_silence(n_given as usize);
    }
}

impl FrameSource for PacketReader {
    fn info(&self) -> &AudioInfo {
        &self.info
    }

    fn decode_more(&mut self, out: &mut AudioBlock) -> Result<More, AudioError> {
        if self.n_silent_frames > 0 {
            self.give_silence(out);
        } else if self.planes.first().is_some_and(|plane| !plane.is_empty()) {
            self.give(out);
        } else {
            match self.next_step()? {
                Step::Decoded => self.give(out),
                Step::Nothing => {}
                Step::End if self.n_silent_frames == 0 => return Ok(More::End),
                Step::End => {}
            }
        }
        match self.n_allowed {
            0 => Ok(More::End),
            _ => Ok(More::Frames),
        }
    }

    fn warnings(&self, found: &mut Vec<ReadWarning>) {
        self.log
            .warnings(self.n_frames, self.info.sample_rate_hz, found);
    }
}

impl Decoder {
    fn new(parameters: &AudioCodecParameters) -> Result<Self, Error> {
        if parameters.codec != CODEC_ID_OPUS {
            let options = AudioDecoderOptions::default();
            let registry = symphonia::default::get_codecs();
            return Ok(Self::Symphonia(
                registry.make_audio_decoder(parameters, &options)?,
            ));
        }
        let header = parameters.extra_data.as_deref().unwrap_or(&[]);
        let head = OpusHead::parse(header).ok_or(Error::DecodeError("opus: damaged header"))?;
        let decoder = OpusDecoder::new(&head);
        let decoder = decoder.map_err(|_| Error::DecodeError("opus: header refused by libopus"))?;
        Ok(Self::Opus(Box::new(decoder)))
    }

    /// Whether its frames will have the rate and the channels of `info`, as far as headers tell.
    fn gives(&self, parameters: &AudioCodecParameters, info: &AudioInfo) -> bool {
        let (rate_hz, n_channels) = match self {
            Self::Symphonia(_) => (
                parameters.sample_rate,
                parameters.channels.as_ref().map(Channels::count),
            ),
            Self::Opus(decoder) => (Some(decoder.rate_hz), Some(decoder.n_channels)),
        };
        rate_hz.is_none_or(|rate_hz| rate_hz == info.sample_rate_hz)
            && n_channels.is_none_or(|n_channels| n_channels == info.n_channels)
    }

    /// Replaces `planes` by the frames of the packet; returns their rate.
    fn decode(&mut self, packet: &Packet, planes: &mut Vec<Vec<f32>>) -> Result<u32, Error> {
        match self {
            Self::Symphonia(decoder) => {
                let decoded = decoder.decode(packet)?;
                decoded.copy_to_vecs_planar(planes);
                Ok(decoded.spec().rate())
            }
            Self::Opus(decoder) => match decoder.decode(&packet.data, planes) {
                Ok(()) => Ok(decoder.rate_hz),
                Err(_) => Err(Error::DecodeError("opus: damaged packet")),
            },
        }
    }
}

fn codec(parameters: &AudioCodecParameters) -> Codec {
    match parameters.codec {
        CODEC_ID_MP3 => Codec::Mp3,
        CODEC_ID_FLAC => Codec::Flac,
        CODEC_ID_AAC => Codec::Aac,
        CODEC_ID_ALAC => Codec::Alac,
        CODEC_ID_VORBIS => Codec::Vorbis,
        CODEC_ID_OPUS => Codec::Opus,
        CODEC_ID_PCM_ALAW => Codec::G711(Law::A),
        CODEC_ID_PCM_MULAW => Codec::G711(Law::Mu),
        CODEC_ID_PCM_F32BE | CODEC_ID_PCM_F32LE => Codec::PcmFloat { n_bits: 32 },
        CODEC_ID_PCM_F64BE | CODEC_ID_PCM_F64LE => Codec::PcmFloat { n_bits: 64 },
        _ => Codec::PcmInteger {
            n_bits: parameters.bits_per_sample.unwrap_or(0).min(64) as u8,
        },
    }
}
