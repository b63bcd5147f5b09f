//! The front end: packets → samples → voice activity → utterances, many legs on one thread.
//!
//! Frames of all legs are judged together. Nothing here locks or logs for a packet.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use auricle_contracts::Voice;
use auricle_models::{VadState, VoiceActivity};
use auricle_progress::{LegEnd, Marks};
use auricle_speech::{Ear, Heard, SpeechError, Voices};
use crossbeam::queue::ArrayQueue;
use rtrb::{Consumer, Producer};
use smallvec::SmallVec;

use crate::call::LegProgress;
use crate::clock::Clock;
use crate::metrics::{Depth, Metrics};
use crate::packet::Packet;
use crate::recognise::VOICES_WITHIN_MS;
use crate::stage::{Stage, Turn};
use crate::unpack::Unpack;

/// Legs in one batch of voice activity: more gain nothing.
const BATCH: usize = 64;
/// Packets of a leg that one turn takes: a second, so that a leg that has to catch up does not hold the others up.
const PACKETS_A_TURN: usize = 50;
/// Marks between the front end and recognition: two for each utterance, which lasts at least most of a second.
pub(crate) const MARKS_WAITING: usize = 32;
/// Speech between the front end and recognition beyond what one judgement may tell, milliseconds: as much as recognition
/// takes of a leg in one turn, so that its turns grow long, and show it, when it is behind.
pub(crate) const SPEECH_WAITING_MS: usize = 1_000;

/// Where an utterance begins or ends in a leg's speech.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Mark {
    /// Samples of speech before it.
    pub(crate) at_sample: u64,
    /// When it was known, by the pipeline's clock.
    pub(crate) known_us: u64,
    pub(crate) kind: MarkKind,
}

#[derive(Clone, Copy, Debug)]
#[expect(
    clippy::large_enum_variant,
    reason = "it lies in a ring: a box would be an allocation"
)]
pub(crate) enum MarkKind {
    Open {
        start_ms: u64,
        audio_from_ms: u64,
    },
    Close {
        end_ms: u64,
        is_cut: bool,
        voice: Option<Voice>,
    },
}

/// A leg as the front end gets it.
pub(crate) struct FrontLeg {
    pub(crate) packets: Consumer<Packet>,
    pub(crate) rate_hz: u32,
    pub(crate) ear: Ear,
    pub(crate) samples: Producer<f32>,
    pub(crate) marks: Producer<Mark>,
    pub(crate) progress: Arc<LegProgress>,
    /// Gives the leg's length when it is over.
    pub(crate) ended: Arc<LegEnd>,
}

/// The front end of some calls.
pub(crate) struct Front {
    arrivals: Arc<ArrayQueue<FrontLeg>>,
    legs: Vec<Leg>,
    vad: Box<dyn VoiceActivity>,
    voices: Voices,
    probs: Vec<f32>,
    samples: Vec<f32>,
    /// All legs are to end.
    hang_up: Arc<AtomicBool>,
    clock: Arc<dyn Clock>,
    metrics: Arc<Metrics>,
    depth: Depth,
}

struct Leg {
    from: FrontLeg,
    unpack: Unpack,
    n_speech: u64,
    n_samples: u64,
    state: LegState,
}

/// Live => Ending => Over
#[derive(Clone, Copy, PartialEq, Eq)]
enum LegState {
    /// Packets may come.
    Live,
    /// None will; some frames are not judged.
    Ending,
    Over,
}

impl Front {
    pub(crate) fn new(
        arrivals: Arc<ArrayQueue<FrontLeg>>,
        vad: Box<dyn VoiceActivity>,
        hang_up: Arc<AtomicBool>,
        clock: Arc<dyn Clock>,
        metrics: Arc<Metrics>,
    ) -> Self {
        Self {
            arrivals,
            legs: Vec::new(),
            vad,
            voices: Voices::new(),
            probs: Vec::with_capacity(BATCH),
            samples: Vec::new(),
            hang_up,
            clock,
            metrics,
            depth: Depth::default(),
        }
    }

    fn take_arrivals(&mut self) -> Turn {
        let before = self.legs.len();
        while let Some(from) = self.arrivals.pop() {
            self.legs.push(Leg {
                unpack: Unpack::new(from.rate_hz),
                from,
                n_speech: 0,
                n_samples: 0,
                state: LegState::Live,
            });
        }
        Turn::worked_if(self.legs.len() > before)
    }

    /// Judges a frame of each leg that has one, in batches; tells whether any had.
    fn judge(&mut self) -> Turn {
        let mut from = 0;
        let mut turn = Turn::Idle;
        while from < self.legs.len() {
            let mut frames: SmallVec<[&[f32]; BATCH]> = SmallVec::new();
            let mut states: SmallVec<[&mut VadState; BATCH]> = SmallVec::new();
            let mut places: SmallVec<[usize; BATCH]> = SmallVec::new();
            let first = from;
            for (place, leg) in self.legs.iter_mut().enumerate().skip(first) {
                if places.len() == BATCH {
                    break;
                }
                from = place + 1;
                if leg.has_room()
                    && let Some((frame, state)) = leg.from.ear.waiting_frame()
                {
                    frames.push(frame);
                    states.push(state);
                    places.push(place);
                }
            }
            if places.is_empty() {
                continue;
            }
            turn = Turn::Worked;
            self.probs.clear();
            let judged = self.vad.judge(&frames, &mut states, &mut self.probs);
            drop((frames, states));
            if let Err(cause) = judged {
                // The network is the same for all and does not fail on some input: without a judgement all is speech.
                self.metrics.vad_failed(&cause);
                self.probs.resize(places.len(), 1.0);
            }
            for (place, prob) in places.iter().zip(&self.probs) {
                let leg = &mut self.legs[*place];
                let judged = leg.judged(*prob, &mut self.voices, &*self.clock, &self.metrics);
                if let Err(cause) = judged {
                    self.metrics.leg_failed(&cause);
                    self.legs[*place].fail();
                }
            }
        }
        turn
    }
}

impl Stage for Front {
    fn turn(&mut self) -> Turn {
        let mut turn = self.take_arrivals();
        let is_hung_up = self.hang_up.load(Ordering::SeqCst);
        let waiting = self.legs.iter();
        let n_waiting = waiting
            .map(|leg| (leg.from.packets.slots() + leg.from.progress.n_kept()) as u64)
            .sum();
        self.depth.tell(n_waiting, &self.metrics.packets_waiting);
        let now_us = self.clock.now_us();
        for leg in &mut self.legs {
            leg.hurry_if_behind(now_us);
            if leg.from.samples.is_abandoned() {
                // Nobody hears it: recognition said why.
                leg.fail();
            }
            match leg.take_packets(&mut self.samples, is_hung_up) {
                Ok(taken) => turn = turn.and(taken),
                Err(cause) => {
                    self.metrics.leg_failed(&cause);
                    leg.fail();
                }
            }
        }
        while self.judge() == Turn::Worked {
            turn = Turn::Worked;
        }
        for leg in &mut self.legs {
            if let Err(cause) = leg.settle(&mut self.voices, &*self.clock) {
                self.metrics.leg_failed(&cause);
                leg.fail();
            }
        }
        self.legs.retain(|leg| leg.state != LegState::Over);
        turn
    }
}

impl Leg {
    /// Whether recognition has room for all that one judgement may tell.
    fn has_room(&self) -> bool {
        self.from.marks.slots() >= 2
            && self.from.samples.slots() >= self.from.ear.most_speech_samples()
    }

    /// Packets that waited long wait for too much work, here or in recognition.
    fn hurry_if_behind(&self, now_us: u64) {
        let oldest = self.from.packets.peek();
        let waited_us = oldest.map_or(0, |oldest| now_us.saturating_sub(oldest.came_us));
        if waited_us > VOICES_WITHIN_MS * 1000 {
            self.from.progress.hurry(now_us + waited_us);
        }
    }

    fn take_packets(
        &mut self,
        samples: &mut Vec<f32>,
        is_hung_up: bool,
    ) -> Result<Turn, SpeechError> {
        // A frame that waits has no room: more would wait behind it, beyond every bound.
        let is_stuck = self.from.ear.has_frame() || !self.has_room();
        if self.state != LegState::Live || is_stuck {
            return Ok(Turn::Idle);
        }
        samples.clear();
        // Read first: what was pushed before the feed was dropped is there after.
        let is_dropped = self.from.packets.is_abandoned();
        let is_over = is_dropped || is_hung_up;
        let mut n_taken = 0;
        while n_taken < PACKETS_A_TURN
            && let Some(packet) = self.next_packet(is_dropped)
        {
            self.unpack.take(&packet, samples);
            let n_told = self.n_samples + samples.len() as u64;
            let media_us = n_told.saturating_mul(1_000_000) / u64::from(self.from.rate_hz);
            self.from.progress.came(media_us, packet.came_us);
            n_taken += 1;
        }
        // What the feed keeps comes, too.
        let is_over = is_over && self.from.progress.n_kept() == 0 && self.from.packets.is_empty();
        if is_over {
            self.unpack.flush(samples);
        }
        self.n_samples += samples.len() as u64;
        self.from.ear.accept(samples)?;
        if is_over {
            self.from.ear.end()?;
            self.state = LegState::Ending;
        }
        let has_worked = n_taken > 0 || is_over;
        if has_worked {
            self.from.progress.count(self.unpack.counts);
        }
        Ok(Turn::worked_if(has_worked))
    }

    fn next_packet(&mut self, is_dropped: bool) -> Option<Packet> {
        let next = self.from.packets.pop().ok();
        match is_dropped {
            true => next.or_else(|| self.from.progress.next_left()),
            false => next,
        }
    }

    fn judged(
        &mut self,
        speech_prob: f32,
        voices: &mut Voices,
        clock: &dyn Clock,
        metrics: &Metrics,
    ) -> Result<(), SpeechError> {
        let out = &mut Out {
            clock,
            samples: &mut self.from.samples,
            marks: &mut self.from.marks,
            n_speech: &mut self.n_speech,
        };
        let progress = &*self.from.progress;
        let is_hurried = progress.is_hurried(clock.now_us());
        self.from.ear.measure_voices(!is_hurried);
        self.from.ear.judged(speech_prob, voices, |heard| {
            if is_hurried && matches!(heard, Heard::Open { .. }) {
                progress.voice_shed();
                metrics.voice_shed();
            }
            out.take(heard)
        })
    }

    /// Tells how far the leg is, and closes it when it is over.
    fn settle(&mut self, voices: &mut Voices, clock: &dyn Clock) -> Result<(), SpeechError> {
        self.from.ear.tidy();
        if self.state == LegState::Ending && !self.from.ear.has_frame() && self.has_room() {
            let out = &mut Out {
                clock,
                samples: &mut self.from.samples,
                marks: &mut self.from.marks,
                n_speech: &mut self.n_speech,
            };
            self.from.ear.close(voices, |heard| out.take(heard))?;
            self.over();
            return Ok(());
        }
        self.from.progress.front.tell(Marks {
            settled_ms: self.from.ear.settled_ms(),
            begun_ms: self.from.ear.begun_ms(),
        });
        Ok(())
    }

    fn over(&mut self) {
        let duration_ms = self.n_samples * 1000 / u64::from(self.from.rate_hz);
        // Whoever sees that the leg ended must not see older marks after it.
        self.from.progress.front.tell(Marks::OVER);
        self.from.ended.tell(duration_ms);
        self.state = LegState::Over;
    }

    /// Nothing more can be made of the leg; what was heard of it stays.
    fn fail(&mut self) {
        if self.state != LegState::Over {
            self.over();
        }
    }
}

/// The way to recognition. There is room: [`Leg::has_room`] was asked.
struct Out<'a> {
    clock: &'a dyn Clock,
    samples: &'a mut Producer<f32>,
    marks: &'a mut Producer<Mark>,
    n_speech: &'a mut u64,
}

impl Out<'_> {
    fn take(&mut self, heard: Heard<'_>) -> Result<(), SpeechError> {
        let kind = match heard {
            Heard::Speech(speech) => {
                let pushed = self.samples.push_entire_slice(speech);
                debug_assert!(pushed.is_ok(), "room was asked for");
                *self.n_speech += speech.len() as u64;
                return Ok(());
            }
            Heard::Open {
                start_ms,
                audio_from_ms,
            } => MarkKind::Open {
                start_ms,
                audio_from_ms,
            },
            Heard::Close {
                end_ms,
                is_cut,
                voice,
            } => MarkKind::Close {
                end_ms,
                is_cut,
                voice: voice.copied(),
            },
        };
        let pushed = self.marks.push(Mark {
            at_sample: *self.n_speech,
            known_us: self.clock.now_us(),
            kind,
        });
        debug_assert!(pushed.is_ok(), "room was asked for");
        Ok(())
    }
}
