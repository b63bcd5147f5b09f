//! The whole graph with a clock of its own: what it hears live is what the recording gives.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, LazyLock};

use auricle_audio::{AudioBlock, AudioReader};
use auricle_contracts::{Alert, AlertState, CallId, CallMetadata, Happening, Party, Transcript};
use auricle_insight::intent::Language;
use auricle_insight::rules::RuleSet;
use auricle_insight::{CallRun, Judge};
use auricle_models::{EngineSource, PlainSileroSource, RunBy, TransducerModel};
use auricle_speech::lm::LanguageData;
use auricle_speech::{
    CallTranscriber, ChannelPlan, Hotwords, Pace, SpeechModel, SpeechParts, SpeechSettings,
};

use crate::graph::{Bounds, Graph, LiveSettings, OpenError};
use crate::stage::{Stage, Turn};
use crate::{Clock, Encoding, EndedCall, LegFeed, NewCall, NewLeg, Told};

mod allocation;
mod loss;
mod overload;
#[path = "../../../insight/tests/common/pack.rs"]
mod pack;

const PARTIES: [Party; 2] = [Party::Agent, Party::Customer];
/// Bytes of 20 ms at 8 kHz.
const PACKET: usize = 320;

#[derive(Default)]
struct TestClock {
    now_us: AtomicU64,
}

impl Clock for TestClock {
    fn now_us(&self) -> u64 {
        self.now_us.load(Ordering::SeqCst)
    }
}

fn shared(path: &str) -> Option<PathBuf> {
    let root = std::env::var_os("AURICLE_SHARED").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared"),
        PathBuf::from,
    );
    let path = root.join(path);
    path.exists().then_some(path)
}

static MODEL: LazyLock<Option<Arc<SpeechModel>>> = LazyLock::new(|| {
    let model = load();
    if model.is_none() {
        eprintln!("skipped: hearing calls needs ../shared/models and ../shared/audio");
    }
    model
});

fn load() -> Option<Arc<SpeechModel>> {
    load_with(|source| source).map(Arc::new)
}

/// The model with an engine that is not quite its own.
fn load_with(
    wrap: impl FnOnce(Box<dyn EngineSource>) -> Box<dyn EngineSource>,
) -> Option<SpeechModel> {
    shared("audio/zh-calls-dev")?;
    let settings = SpeechSettings {
        beam: 4,
        ..SpeechSettings::default()
    };
    let recogniser = shared("models/zh-zipformer-3.3m")?;
    let recogniser = TransducerModel::open(&recogniser, RunBy::Auricle, settings.decode());
    let vad = PlainSileroSource::open(&shared("models/silero-vad/silero_vad.onnx")?);
    let parts = SpeechParts {
        recogniser: wrap(Box::new(recogniser.unwrap())),
        vad: Arc::new(vad.unwrap()),
        second_pass: None,
        language: Arc::new(LanguageData::default_model().unwrap()),
        hotwords: Hotwords::default(),
        stands_in: false,
    };
    Some(SpeechModel::new(parts, settings).unwrap())
}

static JUDGE: LazyLock<Arc<Judge>> = LazyLock::new(|| {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../packs/zh-telemarketing.yaml");
    let file = pack::read_pack(&path).unwrap();
    Arc::new(Judge {
        rules: Arc::new(RuleSet::compile(&[file]).unwrap().rules),
        card: None,
        intents: Arc::new(Language::Mandarin.model().clone()),
        emotions: None,
    })
});

/// Channels of a recording, 16-bit linear, low byte first.
fn read(name: &str) -> Vec<Vec<u8>> {
    let path = shared(&format!("audio/zh-calls-dev/{name}.wav")).unwrap();
    let mut reader = AudioReader::open(path).unwrap();
    assert_eq!(reader.info().sample_rate_hz, 8_000);
    let (mut block, mut channels) = (AudioBlock::new(), vec![Vec::new(); 2]);
    while reader.next_block(&mut block).unwrap() > 0 {
        for (channel, samples) in channels.iter_mut().zip(block.channels()) {
            let samples = samples.iter().map(|sample| (sample * 32768.0) as i16);
            channel.extend(samples.flat_map(i16::to_le_bytes));
        }
    }
    channels
}

fn heard_as_recording(model: &Arc<SpeechModel>, channels: &[Vec<u8>]) -> Transcript {
    let plans: Vec<ChannelPlan> = (0..2)
        .map(|channel| ChannelPlan {
            channel: channel as u16,
            party: PARTIES[channel],
        })
        .collect();
    let mut transcriber =
        CallTranscriber::new(Arc::clone(model), &plans, 8_000, Pace::Recorded).unwrap();
    for (place, channel) in channels.iter().enumerate() {
        let mut samples = Vec::new();
        Encoding::L16.decode(channel, &mut samples);
        transcriber.push(place, &samples).unwrap();
    }
    Transcript {
        call_id: CallId("x".into()),
        file: String::new(),
        duration_ms: channels[0].len() as u64 / 16,
        engine: model.name().to_owned(),
        layout: auricle_contracts::ChannelLayout::PerParty,
        metadata: CallMetadata::default(),
        warnings: Vec::new(),
        utterances: transcriber.finish().unwrap(),
    }
}

struct Simulation {
    graph: Graph,
    clock: Arc<TestClock>,
    told: Vec<Told>,
}

impl Simulation {
    fn new(model: &SpeechModel, settings: LiveSettings) -> Self {
        Self::bounded(model, settings, Bounds::default())
    }

    fn bounded(model: &SpeechModel, settings: LiveSettings, bounds: Bounds) -> Self {
        Self::by_clock(Arc::default(), model, settings, bounds)
    }

    fn by_clock(
        clock: Arc<TestClock>,
        model: &SpeechModel,
        settings: LiveSettings,
        bounds: Bounds,
    ) -> Self {
        let shared_clock = Arc::clone(&clock) as Arc<dyn Clock>;
        let graph = Graph::new(settings, bounds, model, shared_clock).unwrap();
        Self {
            graph,
            clock,
            told: Vec::new(),
        }
    }

    fn open(&self, id: &str, model: &Arc<SpeechModel>) -> Result<Vec<LegFeed>, OpenError> {
        self.graph.doors.open(NewCall {
            id: CallId(id.into()),
            metadata: CallMetadata::default(),
            source: "test",
            legs: PARTIES
                .map(|party| NewLeg {
                    party,
                    rate_hz: 8_000,
                })
                .to_vec(),
            model: Arc::clone(model),
            endpoint: None,
            judge: Arc::clone(&JUDGE),
        })
    }

    fn pass(&mut self, ms: u64) {
        self.turn(ms);
        self.read();
    }

    /// All stages work until none has anything to do; nobody reads what they tell.
    fn turn(&mut self, ms: u64) {
        self.clock.now_us.fetch_add(ms * 1000, Ordering::SeqCst);
        while self.graph.turn() == Turn::Worked {}
    }

    fn read(&mut self) {
        self.told
            .extend(std::iter::from_fn(|| self.graph.outlet.pop()));
    }

    /// Speaks the calls to their end, `n_packets` of 20 ms of each leg a turn.
    fn speak(
        &mut self,
        model: &Arc<SpeechModel>,
        calls: &[(&str, Vec<Vec<u8>>)],
        n_packets: usize,
    ) -> Vec<EndedCall> {
        self.speak_by(&vec![model; calls.len()], calls, n_packets)
    }

    /// The same with a model for each call.
    fn speak_by(
        &mut self,
        models: &[&Arc<SpeechModel>],
        calls: &[(&str, Vec<Vec<u8>>)],
        n_packets: usize,
    ) -> Vec<EndedCall> {
        let opened = calls.iter().zip(models);
        let feeds = opened.map(|((id, _), model)| self.open(id, model).unwrap());
        let mut feeds: Vec<Option<Vec<LegFeed>>> = feeds.map(Some).collect();
        for tick in 0.. {
            let passed_us = 20_000 * n_packets as u64;
            self.clock.now_us.fetch_add(passed_us, Ordering::SeqCst);
            for (feeds, (_, channels)) in feeds.iter_mut().zip(calls) {
                let Some(legs) = feeds else { continue };
                let from = tick * n_packets * PACKET;
                if from >= channels[0].len() {
                    *feeds = None;
                    continue;
                }
                for (leg, channel) in legs.iter_mut().zip(channels) {
                    let piece = &channel[from..(from + n_packets * PACKET).min(channel.len())];
                    for (place, packet) in piece.chunks(PACKET).enumerate() {
                        let at = ((from + place * PACKET) / 2) as u64;
                        leg.push(&leg.packet(at, Encoding::L16, packet)).unwrap();
                    }
                }
            }
            self.pass(0);
            if feeds.iter().all(Option::is_none) {
                break;
            }
        }
        self.pass(20);
        self.ended()
    }

    fn ended(&mut self) -> Vec<EndedCall> {
        let told = std::mem::take(&mut self.told);
        let (ended, rest): (Vec<_>, Vec<_>) = told
            .into_iter()
            .partition(|told| matches!(told, Told::Ended(_)));
        self.told = rest;
        let ended = ended.into_iter().filter_map(|told| match told {
            Told::Ended(call) => Some(*call),
            Told::Happened { .. } | Told::Timed(_) => None,
        });
        ended.collect()
    }

    /// What a call's alerts came to.
    fn alerts(&self, id: &str) -> Vec<Alert> {
        let mut alerts: Vec<Alert> = Vec::new();
        for happening in self.happenings(id) {
            let Happening::Alert(alert) = happening else {
                continue;
            };
            alerts.retain(|known| known.alert_id != alert.alert_id);
            alerts.push((**alert).clone());
        }
        alerts
    }

    fn happenings(&self, id: &str) -> impl Iterator<Item = &Happening> {
        self.told.iter().filter_map(move |told| match told {
            Told::Happened {
                call_id, happening, ..
            } if call_id.0 == id => Some(&**happening),
            _ => None,
        })
    }
}

fn one_worker() -> LiveSettings {
    LiveSettings {
        n_recognise: std::num::NonZeroUsize::MIN,
        ..LiveSettings::default()
    }
}

#[test]
fn what_is_heard_live_is_what_the_recording_gives() {
    let Some(model) = &*MODEL else { return };
    let calls = ["dev-01", "dev-03", "dev-05"].map(|name| (name, read(name)));
    check_heard_as_recorded(model, &calls, 1, one_worker());
    // In bursts, as after a stall: utterances of both legs end in one turn.
    let two_workers = LiveSettings {
        n_recognise: std::num::NonZeroUsize::new(2).unwrap(),
        ..one_worker()
    };
    check_heard_as_recorded(model, &calls, 60, two_workers);
}

fn check_heard_as_recorded(
    model: &Arc<SpeechModel>,
    calls: &[(&str, Vec<Vec<u8>>)],
    n_packets: usize,
    settings: LiveSettings,
) {
    let mut simulation = Simulation::new(model, settings);
    let ended = simulation.speak(model, calls, n_packets);
    assert_eq!(ended.len(), calls.len());
    for call in ended {
        let id = call.new.id.0.as_str();
        let (_, channels) = calls.iter().find(|(name, _)| *name == id).unwrap();
        let recorded = heard_as_recording(model, channels);
        assert_eq!(call.transcript.utterances, recorded.utterances, "{id}");
        assert_eq!(call.transcript.duration_ms, recorded.duration_ms, "{id}");
        let hits = CallRun::assess(&JUDGE, &recorded).hits;
        assert!(!hits.is_empty(), "{id}");
        let key = |hit: &auricle_contracts::Hit| (hit.start_ms, hit.end_ms, hit.rule.clone());
        let mut expected: Vec<_> = hits.iter().map(key).collect();
        let alerts = simulation.alerts(id);
        let stays = alerts
            .iter()
            .filter(|alert| alert.state != AlertState::Withdrawn);
        assert!(
            stays
                .clone()
                .all(|alert| alert.state != AlertState::Provisional)
        );
        let mut alerted: Vec<_> = stays.map(|alert| key(&alert.hit)).collect();
        expected.sort();
        alerted.sort();
        assert_eq!(alerted, expected, "{id}");
        assert_eq!(call.counts[0].lost, 0);

        let finals = simulation
            .happenings(id)
            .filter_map(|happening| match happening {
                Happening::Final { utterance, .. } => Some(utterance.end_ms),
                _ => None,
            });
        let finals: Vec<u64> = finals.collect();
        assert_eq!(finals.len(), recorded.utterances.len(), "{id}");
        assert!(finals.is_sorted(), "{id}: by the time of their end");
        let n_partials = simulation
            .happenings(id)
            .filter(|happening| matches!(happening, Happening::Partial { .. }))
            .count();
        assert!(n_partials > finals.len() / 2, "{id}: {n_partials} partials");
    }
}

#[test]
fn a_forbidden_phrase_is_told_before_its_utterance_is_over() {
    let Some(model) = &*MODEL else { return };
    let mut simulation = Simulation::new(model, one_worker());
    let calls = [("dev-01", read("dev-01"))];
    simulation.speak(model, &calls, 1);
    let provisional = simulation.happenings("dev-01").filter(|happening| {
        matches!(happening, Happening::Alert(alert) if alert.state == AlertState::Provisional)
    });
    assert!(provisional.count() > 0);
    // Every provisional alert got its answer.
    let alerts = simulation.alerts("dev-01");
    assert!(
        alerts
            .iter()
            .all(|alert| alert.state != AlertState::Provisional)
    );
    let counts = simulation.graph.doors.metrics().word_to_alert.read();
    assert!(counts.count() > 0);
}

#[test]
fn models_that_differ_in_their_words_share_an_engine_and_keep_their_words() {
    let Some(model) = &*MODEL else { return };
    let calls = ["with", "without"].map(|name| (name, read("dev-01")));
    let plain = heard_as_recording(model, &calls[0].1).utterances;
    // Nobody writes the word so; it only sounds like the one in the call.
    let invented = Hotwords::parse("代宽 dai4 kuan3 12").unwrap();
    let language = Arc::new(LanguageData::default_model().unwrap());
    let leaning = Arc::new(model.with_words(language, invented));
    assert_ne!(leaning.fingerprint(), model.fingerprint());
    let with = heard_as_recording(&leaning, &calls[0].1).utterances;
    assert!(with.iter().any(|one| one.text.contains("代宽")), "{with:?}");

    let mut simulation = Simulation::new(model, one_worker());
    let ended = simulation.speak_by(&[&leaning, model], &calls, 1);
    assert_eq!(ended.len(), 2);
    for call in ended {
        let expected = match call.new.id.0.as_str() {
            "with" => &with,
            _ => &plain,
        };
        assert_eq!(&call.transcript.utterances, expected, "{}", call.new.id);
    }
    assert_eq!(simulation.graph.recognisers[0].n_engines(), 1);
}

#[test]
fn calls_beyond_the_limit_are_refused() {
    let Some(model) = &*MODEL else { return };
    let settings = LiveSettings {
        most_calls: 1,
        ..one_worker()
    };
    let mut simulation = Simulation::new(model, settings);
    let first = simulation.open("a", model).unwrap();
    assert!(matches!(
        simulation.open("b", model),
        Err(OpenError::TooMany { n_calls: 1 })
    ));
    drop(first);
    simulation.pass(20);
    assert_eq!(simulation.ended().len(), 1, "without any audio, too");
    simulation.open("b", model).unwrap();
    let counts = simulation.graph.doors.metrics().counts();
    assert_eq!((counts.calls_opened, counts.calls_refused), (2, 1));
}

#[test]
fn a_call_that_is_over_before_its_judge_knew_of_it_ends() {
    let Some(model) = &*MODEL else { return };
    let mut simulation = Simulation::new(model, one_worker());
    drop(simulation.open("x", model).unwrap());
    let graph = &mut simulation.graph;
    let worked = |turns: [Turn; 2]| turns.contains(&Turn::Worked);
    while worked([graph.fronts[0].turn(), graph.recognisers[0].turn()]) {}
    // As where all of that happens after it looked for new calls.
    graph.judges[0].take_reports();
    simulation.pass(20);
    assert_eq!(simulation.ended().len(), 1);
}
