//! What is left out when there is too much to do, by exact counts, and what never is.

use auricle_models::{
    EngineError, EngineInfo, EngineSource, Hypothesis, StepReport, StreamKey, StreamOptions,
    StreamingEngine, TokenTable,
};

use auricle_audio::g711::Law;

use super::*;
use crate::Full;
use crate::feed::PACKETS_WAITING;

/// What a call told, without partials.
fn kept(simulation: &Simulation, id: &str) -> Vec<String> {
    let lasting = simulation
        .happenings(id)
        .filter(|happening| !is_partial(happening));
    lasting.map(|happening| format!("{happening:?}")).collect()
}

fn is_partial(happening: &Happening) -> bool {
    matches!(happening, Happening::Partial { .. })
}

fn n_partials(simulation: &Simulation, id: &str) -> u64 {
    simulation
        .happenings(id)
        .filter(|happening| is_partial(happening))
        .count() as u64
}

/// Speaks 20 ms of both legs, where there is room for it.
fn packet(legs: &mut [LegFeed], channels: &[Vec<u8>], tick: usize) -> Result<(), Full> {
    let from = tick * PACKET;
    for (leg, channel) in legs.iter_mut().zip(channels) {
        let audio = &channel[from..from + PACKET];
        leg.push(&leg.packet(from as u64 / 2, Encoding::L16, audio))?;
    }
    Ok(())
}

fn n_ticks(channels: &[Vec<u8>]) -> usize {
    channels[0].len() / PACKET
}

/// A call to its end that nothing disturbs.
fn undisturbed(model: &Arc<SpeechModel>, channels: &[Vec<u8>]) -> (Simulation, EndedCall) {
    spoken(
        Simulation::new(model, one_worker()),
        model,
        channels,
        |_| {},
    )
}

/// A call to its end; `before` hears of every packet.
fn spoken(
    mut simulation: Simulation,
    model: &Arc<SpeechModel>,
    channels: &[Vec<u8>],
    before: impl Fn(usize),
) -> (Simulation, EndedCall) {
    let mut legs = simulation.open("x", model).unwrap();
    for tick in 0..n_ticks(channels) {
        before(tick);
        packet(&mut legs, channels, tick).unwrap();
        simulation.pass(20);
    }
    drop(legs);
    simulation.pass(20);
    let ended = simulation.ended().pop().unwrap();
    (simulation, ended)
}

#[test]
fn who_does_not_read_misses_partials_and_nothing_else() {
    let Some(model) = &*MODEL else { return };
    let channels = read("dev-01");
    let (calm, calm_end) = undisturbed(model, &channels);
    let bounds = Bounds {
        events: 16,
        ..Bounds::default()
    };
    let mut simulation = Simulation::bounded(model, one_worker(), bounds);
    let mut legs = simulation.open("x", model).unwrap();
    // From the tenth second to the thirtieth nobody reads: two seconds fill the queue.
    let stall = 500..1_500;
    let mut n_after = 0;
    for tick in 0..n_ticks(&channels) {
        packet(&mut legs, &channels, tick).unwrap();
        simulation.turn(20);
        if !stall.contains(&tick) {
            simulation.read();
        }
        if tick == stall.end {
            n_after = simulation.told.len();
        }
    }
    drop(legs);
    simulation.pass(20);
    let ended = simulation.ended().pop().unwrap();
    assert_eq!(kept(&simulation, "x"), kept(&calm, "x"));
    assert_eq!(ended.transcript, calm_end.transcript);
    let counts = simulation.graph.doors.metrics().counts();
    assert!(counts.partials_shed > 20, "{counts:?}");
    assert_eq!(
        n_partials(&simulation, "x") + counts.partials_shed,
        n_partials(&calm, "x")
    );
    // Once it is read again partials are told again.
    let later = simulation.told[n_after..].iter();
    let is_told =
        |told: &Told| matches!(told, Told::Happened { happening, .. } if is_partial(happening));
    assert!(later.filter(|told| is_told(told)).count() > 50);
    assert_eq!((counts.calls_ended, counts.failures), (1, 0));
}

#[test]
fn what_feeds_keep_for_a_front_end_that_is_behind_is_heard_when_they_are_gone() {
    let Some(model) = &*MODEL else { return };
    let channels = read("dev-01");
    let (_, calm) = undisturbed(model, &channels);
    let mut simulation = Simulation::new(model, one_worker());
    let mut legs = simulation.open("x", model).unwrap();
    let piece =
        |channel: usize, tick: usize| &channels[channel][tick * PACKET..(tick + 1) * PACKET];
    // Nothing is taken: the ring is full, then half a minute is kept, then the sender is told.
    let (mut n_taken, n_most) = ([0; 2], PACKETS_WAITING + 1_500);
    assert!(n_ticks(&channels) > n_most + 200);
    for (channel, leg) in legs.iter_mut().enumerate() {
        let mut taken = 0;
        loop {
            let at = (taken * PACKET / 2) as u64;
            let packet = leg.packet(at, Encoding::L16, piece(channel, taken));
            if let Err(full) = leg.push_or_keep(&packet) {
                assert_eq!(full, Full::ForNow);
                break;
            }
            taken += 1;
        }
        assert_eq!(leg.catch_up(), Ok(false));
        assert_eq!(
            leg.push(&leg.packet(0, Encoding::L16, &[0; 2])),
            Err(Full::ForNow)
        );
        n_taken[channel] = taken;
    }
    assert_eq!(n_taken, [n_most; 2]);
    // Room for more comes as it is heard; what is kept at the end is left to the front end.
    for tick in n_most..n_ticks(&channels) {
        for (channel, leg) in legs.iter_mut().enumerate() {
            let at = (tick * PACKET / 2) as u64;
            let packet = leg.packet(at, Encoding::L16, piece(channel, tick));
            while leg.push_or_keep(&packet) == Err(Full::ForNow) {
                simulation.pass(20);
                leg.catch_up().unwrap();
            }
        }
    }
    assert!(legs.iter_mut().all(|leg| leg.catch_up() == Ok(false)));
    drop(legs);
    let mut ended = Vec::new();
    while ended.is_empty() {
        simulation.pass(20);
        ended = simulation.ended();
    }
    let ended = ended.remove(0);
    assert_eq!(ended.transcript, calm.transcript);
    assert_eq!(ended.counts, calm.counts);
}

#[test]
fn a_judge_that_stalls_holds_senders_back_and_loses_nothing() {
    let Some(model) = &*MODEL else { return };
    let channels = read("dev-01");
    let (calm, calm_end) = undisturbed(model, &channels);
    let bounds = Bounds {
        reports: 4,
        ..Bounds::default()
    };
    let mut simulation = Simulation::bounded(model, one_worker(), bounds);
    let mut legs = simulation.open("x", model).unwrap();
    let mut tick = 0;
    let judges = std::mem::take(&mut simulation.graph.judges);
    // Speech fills the rings, and then the sender is told.
    while packet(&mut legs, &channels, tick).is_ok() {
        simulation.pass(20);
        tick += 1;
    }
    assert!(tick > PACKETS_WAITING, "{tick}");
    let stalled = simulation.graph.doors.metrics().counts();
    assert!(
        stalled.stalls > 0 && stalled.partials_shed > 0,
        "{stalled:?}"
    );
    let more = legs[0].packet(0, Encoding::L16, &[0; 2]);
    assert_eq!(legs[0].push(&more), Err(Full::ForNow));
    assert!(simulation.told.is_empty());
    simulation.graph.judges = judges;
    simulation.pass(20);
    // One leg may have had room where the other had none: what comes twice is counted as late.
    for tick in tick..n_ticks(&channels) {
        packet(&mut legs, &channels, tick).unwrap();
        simulation.pass(20);
    }
    drop(legs);
    simulation.pass(20);
    let ended = simulation.ended().pop().unwrap();
    assert_eq!(ended.transcript, calm_end.transcript);
    // A partial that was left out told no alert that the rest would have made none.
    let standing = |simulation: &Simulation| {
        let alerts = simulation.alerts("x").into_iter();
        let standing = alerts.filter(|alert| alert.state != AlertState::Withdrawn);
        let mut rules: Vec<_> = standing.map(|alert| alert.hit.rule).collect();
        rules.sort();
        rules
    };
    assert_eq!(standing(&simulation), standing(&calm));
    assert!(
        ended.counts.iter().all(|leg| leg.lost == 0),
        "{:?}",
        ended.counts
    );
    // Behind the burst partials are told as before.
    let shed = simulation.graph.doors.metrics().counts().partials_shed;
    assert!(n_partials(&simulation, "x") > shed);
}

/// How a [`Double`] steps the real engine; told how many utterances are under way.
type StepBy =
    dyn Fn(&mut dyn StreamingEngine, usize) -> Result<StepReport, EngineError> + Send + Sync;

/// The real engine but for its steps.
struct Double {
    engine: Box<dyn StreamingEngine>,
    step_by: Arc<StepBy>,
    n_open: usize,
}

impl StreamingEngine for Double {
    fn info(&self) -> &EngineInfo {
        self.engine.info()
    }

    fn open_stream(&mut self, options: &StreamOptions) -> Result<StreamKey, EngineError> {
        self.n_open += 1;
        self.engine.open_stream(options)
    }

    fn accept(&mut self, stream: StreamKey, samples: &[f32]) -> Result<(), EngineError> {
        self.engine.accept(stream, samples)
    }

    fn end(&mut self, stream: StreamKey) -> Result<(), EngineError> {
        self.engine.end(stream)
    }

    fn step(&mut self) -> Result<StepReport, EngineError> {
        (self.step_by)(&mut *self.engine, self.n_open)
    }

    fn partial(&self, stream: StreamKey) -> Result<Hypothesis, EngineError> {
        self.engine.partial(stream)
    }

    fn finish(&mut self, stream: StreamKey) -> Result<Vec<Hypothesis>, EngineError> {
        self.n_open -= 1;
        self.engine.finish(stream)
    }
}

struct DoubleSource {
    source: Box<dyn EngineSource>,
    step_by: Arc<StepBy>,
}

impl EngineSource for DoubleSource {
    fn engine(&self) -> Result<Box<dyn StreamingEngine>, EngineError> {
        Ok(Box::new(Double {
            engine: self.source.engine()?,
            step_by: Arc::clone(&self.step_by),
            n_open: 0,
        }))
    }

    fn tokens(&self) -> Option<&TokenTable> {
        self.source.tokens()
    }

    fn digests(&self) -> Result<Vec<String>, EngineError> {
        self.source.digests()
    }
}

/// The real model, its engines stepped so.
fn load_double(
    step_by: impl Fn(&mut dyn StreamingEngine, usize) -> Result<StepReport, EngineError>
    + Send
    + Sync
    + 'static,
) -> Arc<SpeechModel> {
    let step_by: Arc<StepBy> = Arc::new(step_by);
    let model = load_with(|source| Box::new(DoubleSource { source, step_by }));
    Arc::new(model.unwrap())
}

/// A call of which some packets meet a recogniser that needs so many milliseconds for a step.
fn hurried(
    channels: &[Vec<u8>],
    slow: std::ops::Range<usize>,
    step_ms: u64,
) -> (Simulation, EndedCall) {
    let clock = Arc::new(TestClock::default());
    let each_ms = Arc::new(AtomicU64::new(0));
    let (own_clock, own_ms) = (Arc::clone(&clock), Arc::clone(&each_ms));
    let model = load_double(move |engine, _| {
        let report = engine.step()?;
        if report.n_advanced > 0 {
            let took_us = own_ms.load(Ordering::SeqCst) * 1000;
            own_clock.now_us.fetch_add(took_us, Ordering::SeqCst);
        }
        Ok(report)
    });
    let simulation = Simulation::by_clock(clock, &model, one_worker(), Bounds::default());
    spoken(simulation, &model, channels, |tick| {
        let is_slow = slow.contains(&tick);
        each_ms.store(if is_slow { step_ms } else { 0 }, Ordering::SeqCst);
    })
}

#[test]
fn recognition_that_is_behind_leaves_out_partials_and_then_voices() {
    let Some(model) = &*MODEL else { return };
    let channels = read("dev-01");
    let (calm, calm_end) = undisturbed(model, &channels);
    let n_calm = n_partials(&calm, "x");
    let slow = 500..1_500;
    // A step beyond half a second leaves out partials; where an utterance ends, steps add up to more than a second.
    let n_voices = [600, 1_200].map(|step_ms| {
        let (simulation, mut ended) = hurried(&channels, slow.clone(), step_ms);
        let counts = simulation.graph.doors.metrics().counts();
        assert!(counts.partials_shed > 20, "{counts:?}");
        assert_eq!(n_partials(&simulation, "x") + counts.partials_shed, n_calm);
        let n_without = give_voices_back(&mut ended, &calm_end, &slow);
        assert_eq!(n_without, counts.voices_shed);
        let warnings = std::mem::take(&mut ended.transcript.warnings);
        let is_it = |said: &String| said.contains("not measured");
        assert!(
            !warnings.is_empty() && warnings.iter().all(is_it),
            "{warnings:?}"
        );
        assert_eq!(ended.transcript, calm_end.transcript);
        n_without
    });
    assert!(n_voices[0] < n_voices[1], "{n_voices:?}");
}

#[test]
fn a_front_end_that_is_behind_leaves_out_partials_and_voices() {
    let Some(model) = &*MODEL else { return };
    let channels = read("dev-01");
    let (_, calm_end) = undisturbed(model, &channels);
    let mut simulation = Simulation::new(model, one_worker());
    let mut legs = simulation.open("x", model).unwrap();
    // From the tenth second to the thirtieth it comes to its turn every 1.2 s only.
    let slow = 500..1_500;
    let mut n_told = Vec::new();
    for tick in 0..n_ticks(&channels) {
        packet(&mut legs, &channels, tick).unwrap();
        if slow.contains(&tick) && tick % 60 != 59 {
            simulation.clock.now_us.fetch_add(20_000, Ordering::SeqCst);
        } else {
            simulation.pass(20);
        }
        if tick == slow.start + 60 || tick == slow.end - 1 {
            n_told.push(n_partials(&simulation, "x"));
        }
    }
    drop(legs);
    simulation.pass(20);
    let mut ended = simulation.ended().pop().unwrap();
    assert_eq!(n_told[0], n_told[1], "partials go before voices");
    assert!(n_partials(&simulation, "x") > n_told[1] + 50);
    let counts = simulation.graph.doors.metrics().counts();
    let n_without = give_voices_back(&mut ended, &calm_end, &slow);
    assert_eq!(n_without, counts.voices_shed);
    assert!(
        n_without > 0 && counts.partials_shed > 10,
        "{n_without} {counts:?}"
    );
    ended.transcript.warnings.clear();
    assert_eq!(ended.transcript, calm_end.transcript);
}

#[test]
fn what_waits_in_the_front_end_is_bounded() {
    let Some(model) = &*MODEL else { return };
    let channels = read("dev-01");
    let (_, calm) = undisturbed(model, &channels);
    let mut agent = calm.transcript.utterances.iter();
    let said = agent.find(|said| said.channel == 0 && said.end_ms > said.start_ms + 3_000);
    let said = said.map(|said| said.start_ms as usize * 16..said.end_ms as usize * 16);
    let (samples, _) = channels[0][said.unwrap()].as_chunks::<2>();
    let codes = samples.iter();
    let speech: Vec<u8> = codes
        .map(|sample| Law::Mu.encode(i16::from_le_bytes(*sample)))
        .collect();
    // Without a pause, two minutes of it, in packets of 40 ms, as fast as they are taken.
    let speech: Vec<u8> = speech.into_iter().cycle().take(960_000).collect();
    let mut simulation = Simulation::new(model, one_worker());
    let mut legs = simulation.open("x", model).unwrap();
    let reach = legs[0].reach();
    let mut at = 0;
    while at < speech.len() {
        let code = &speech[at..at + PACKET];
        let packet = legs[0].packet(at as u64, Encoding::Ulaw, code);
        match legs[0].push(&packet) {
            Ok(()) => at += PACKET,
            // A turn of recognition takes a second, of the front end two.
            Err(_) => drop(simulation.graph.turn()),
        }
        let waits_ms = (at as u64 / 8).saturating_sub(reach.settled_ms());
        assert!(waits_ms < 9_000, "{waits_ms} ms wait behind {at} samples");
    }
}

/// Puts the voices of a calm call where one was not measured, which may only be while recognition is slow; tells how many.
fn give_voices_back(ended: &mut EndedCall, calm: &EndedCall, slow: &std::ops::Range<usize>) -> u64 {
    let utterances = ended.transcript.utterances.iter_mut();
    let pairs = utterances.zip(&calm.transcript.utterances);
    let mut n_without = 0;
    for (utterance, calm) in pairs.filter(|(hurried, calm)| hurried.voice != calm.voice) {
        // The haste goes on for as long again as the last turn took.
        let hurried = slow.start..slow.end + 200;
        let tick = utterance.start_ms as usize / 20;
        assert!(hurried.contains(&tick), "{utterance:?}");
        assert_eq!(utterance.voice.take(), None);
        n_without += 1;
        utterance.voice = calm.voice;
    }
    n_without
}

#[test]
fn an_engine_that_fails_is_replaced_and_what_it_heard_stays() {
    let Some(model) = &*MODEL else { return };
    let channels = read("dev-01");
    let (_, calm_end) = undisturbed(model, &channels);
    // Once, in the midst of an utterance.
    let n_steps = AtomicU64::new(0);
    let failing = load_double(move |engine, n_open| {
        match n_open > 0 && n_steps.fetch_add(1, Ordering::SeqCst) == 60 {
            true => Err(EngineError::ModelFile {
                path: "model".into(),
                cause: "fails by order".to_owned(),
            }),
            false => engine.step(),
        }
    });
    let (simulation, ended) = undisturbed(&failing, &channels);
    assert_eq!(simulation.graph.doors.metrics().counts().failures, 1);
    let warnings = &ended.transcript.warnings;
    assert!(
        warnings.len() == 1 && warnings[0].contains("fails by order"),
        "{warnings:?}"
    );
    let text = |call: &EndedCall| {
        let spoken = call
            .transcript
            .utterances
            .iter()
            .map(|said| said.spoken.as_str());
        spoken.collect::<String>().chars().count()
    };
    let (heard, expected) = (text(&ended), text(&calm_end));
    assert!(heard + 4 >= expected, "{heard} of {expected} characters");
    let last = |call: &EndedCall| call.transcript.utterances.last().cloned();
    assert_eq!(
        last(&ended),
        last(&calm_end),
        "the rest of the call is heard as ever"
    );
}
