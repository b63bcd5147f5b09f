//! Whole calls through voice activity, recognition, lattice and written form, on the real models and
//! recordings beside the repository.

#![expect(clippy::unwrap_used, clippy::print_stderr, reason = "helpers of tests")]

use std::path::PathBuf;
use std::sync::{Arc, LazyLock};

use auricle_audio::{AudioBlock, AudioReader, Resampler};
use auricle_contracts::{Party, Utterance};
use auricle_models::native::{self, SearchPath};
use auricle_models::{OnnxRuntime, OrtSileroSource, RunBy, TransducerModel};
use auricle_speech::lm::LanguageData;
use auricle_speech::{
    CallTranscriber, ChannelPlan, Hotwords, Pace, SpeechModel, SpeechParts, SpeechSettings,
};

fn shared(path: &str) -> Option<PathBuf> {
    let root = std::env::var_os("AURICLE_SHARED").map_or_else(
        || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared"),
        PathBuf::from,
    );
    let path = root.join(path);
    path.exists().then_some(path)
}

fn load(hotwords: &str) -> Option<Arc<SpeechModel>> {
    let library = native::onnxruntime(&SearchPath::detect(None)).ok()?;
    let (recogniser, vad) = (
        shared("models/zh-zipformer-3.3m")?,
        shared("models/silero-vad/silero_vad.onnx")?,
    );
    let settings = SpeechSettings {
        beam: 4,
        ..SpeechSettings::default()
    };
    let language = Arc::new(LanguageData::default_model().unwrap());
    let transducer = TransducerModel::open(&recogniser, RunBy::Auricle, settings.decode()).unwrap();
    let parts = SpeechParts {
        recogniser: Box::new(transducer),
        vad: Arc::new(OrtSileroSource {
            runtime: OnnxRuntime::load(&library).unwrap(),
            path: vad,
        }),
        second_pass: None,
        language,
        hotwords: Hotwords::parse(hotwords).unwrap(),
        stands_in: false,
    };
    Some(Arc::new(SpeechModel::new(parts, settings).unwrap()))
}

static MODEL: LazyLock<Option<Arc<SpeechModel>>> = LazyLock::new(|| {
    let model = load("");
    if model.is_none() {
        eprintln!(
            "skipped: recognition needs ../shared/models and ONNX Runtime (scripts/setup.sh)"
        );
    }
    model
});

struct Call {
    rate_hz: u32,
    channels: Vec<Vec<f32>>,
}

fn read(path: &str) -> Option<Call> {
    let mut reader = AudioReader::open(shared(path)?).unwrap();
    let info = reader.info().clone();
    let (mut block, mut channels) = (AudioBlock::new(), vec![Vec::new(); info.n_channels]);
    while reader.next_block(&mut block).unwrap() > 0 {
        for (channel, samples) in channels.iter_mut().zip(block.channels()) {
            channel.extend_from_slice(samples);
        }
    }
    Some(Call {
        rate_hz: info.sample_rate_hz,
        channels,
    })
}

const PARTIES: [Party; 2] = [Party::Agent, Party::Customer];

fn hear(model: &Arc<SpeechModel>, call: &Call, piece: usize) -> Vec<Utterance> {
    hear_at(Pace::Recorded, model, call, piece)
}

fn hear_at(pace: Pace, model: &Arc<SpeechModel>, call: &Call, piece: usize) -> Vec<Utterance> {
    let plans: Vec<ChannelPlan> = (0..call.channels.len())
        .map(|channel| ChannelPlan {
            channel: channel as u16,
            party: PARTIES[channel % 2],
        })
        .collect();
    let mut transcriber =
        CallTranscriber::new(Arc::clone(model), &plans, call.rate_hz, pace).unwrap();
    let length = call.channels[0].len();
    for from in (0..length).step_by(piece) {
        for (channel, samples) in call.channels.iter().enumerate() {
            transcriber
                .push(channel, &samples[from..(from + piece).min(length)])
                .unwrap();
        }
    }
    transcriber.finish().unwrap()
}

fn told(model: &Arc<SpeechModel>, call: &Call) -> String {
    hear(model, call, 4096)
        .iter()
        .map(|utterance| utterance.spoken.as_str())
        .collect()
}

#[test]
fn a_call_is_heard_turn_by_turn_with_times() {
    let (Some(model), Some(call)) = (&*MODEL, read("audio/zh-calls-dev/dev-02.wav")) else {
        return;
    };
    let utterances = hear(model, &call, 4000);
    let duration_ms = call.channels[0].len() as u64 * 1000 / u64::from(call.rate_hz);
    assert!(utterances.len() >= 8, "{} utterances", utterances.len());
    assert!(utterances.is_sorted_by_key(|utterance| utterance.start_ms));
    for utterance in &utterances {
        assert!(utterance.start_ms < utterance.end_ms && utterance.end_ms <= duration_ms);
        assert!(!utterance.syllables.is_empty() && !utterance.words.is_empty());
        assert!(utterance.words.is_sorted_by_key(|word| word.start_ms));
        assert!(
            utterance
                .words
                .iter()
                .all(|word| word.start_ms <= word.end_ms)
        );
        assert!(
            utterance
                .syllables
                .iter()
                .all(|syllable| (0.0..=1.0).contains(&syllable.conf))
        );
        let said: String = utterance.words.iter().map(|word| word.w.as_str()).collect();
        assert_eq!(said, utterance.spoken.replace(' ', ""));
        assert!(
            utterance.text.ends_with(['。', '？', '！']),
            "{}",
            utterance.text
        );
    }
    let all: String = utterances
        .iter()
        .map(|utterance| utterance.text.as_str())
        .collect();
    assert!(all.contains("银行") && all.contains('%'), "{all}");
    let parties: Vec<Party> = utterances.iter().map(|utterance| utterance.party).collect();
    assert!(parties.contains(&Party::Agent) && parties.contains(&Party::Customer));
}

#[test]
fn pieces_do_not_change_what_is_heard() {
    let (Some(model), Some(mut call)) = (&*MODEL, read("audio/zh-calls-dev/dev-05.wav")) else {
        return;
    };
    call.channels
        .iter_mut()
        .for_each(|samples| samples.truncate(8000 * 20));
    let whole = hear(model, &call, usize::MAX / 2);
    assert!(!whole.is_empty());
    for piece in [160, 3777] {
        assert_eq!(hear(model, &call, piece), whole, "pieces of {piece}");
    }
    let live = hear_at(Pace::Live, model, &call, 160);
    assert_eq!(live, whole, "waiting for one another changes nothing");
}

#[test]
fn silence_hiss_and_nothing_are_no_utterances() {
    let Some(model) = &*MODEL else { return };
    let silence = vec![0.0; 8000 * 5];
    let direct_current = vec![0.3; 8000 * 5];
    let mut state = 7_u32;
    let hiss = (0..8000 * 10).map(|_| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        ((state >> 8) as f32 / (1 << 24) as f32 - 0.5) * 0.01
    });
    for samples in [
        Vec::new(),
        silence,
        direct_current,
        vec![0.1; 7],
        hiss.collect(),
    ] {
        let call = Call {
            rate_hz: 8000,
            channels: vec![samples],
        };
        assert_eq!(hear(model, &call, 800), []);
    }
}

#[test]
fn other_rates_hear_the_same_speech() {
    let (Some(model), Some(call)) = (&*MODEL, read("audio/zh-dev/zh-dev-000.wav")) else {
        return;
    };
    let expected = told(model, &call);
    assert!(expected.starts_with("中共高级"), "{expected}");
    for rate_hz in [16_000, 44_100, 48_000] {
        let mut resampler = Resampler::new(call.rate_hz, rate_hz).unwrap();
        let mut samples = Vec::new();
        resampler.process(&call.channels[0], &mut samples).unwrap();
        resampler.finish(&mut samples).unwrap();
        let channels = vec![samples];
        let heard = told(model, &Call { rate_hz, channels });
        assert!(heard.starts_with("中共高级"), "{rate_hz} Hz: {heard}");
    }
}

#[test]
fn hotwords_win_among_words_that_sound_alike() {
    let (Some(plain), Some(call)) = (&*MODEL, read("audio/zh-calls-dev/dev-01.wav")) else {
        return;
    };
    // Nobody writes the word so; it only sounds like the one in the call.
    let invented = load("代宽 dai4 kuan3 12\n").unwrap();
    assert!(!told(plain, &call).contains("代宽"));
    let heard = told(&invented, &call);
    assert!(heard.contains("代宽"), "{heard}");
    assert_ne!(plain.fingerprint(), invented.fingerprint());
    // A call's own word is as good as one of a list, and no better for standing in both.
    let own = Hotwords::parse("代宽 dai4 kuan3 12\n").unwrap();
    for leaning in [plain.leaning(&own), invented.leaning(&own)] {
        assert_eq!(told(&Arc::new(leaning), &call), heard);
    }
}

#[test]
fn a_channel_that_was_not_opened_is_an_error() {
    let Some(model) = &*MODEL else { return };
    let plan = [ChannelPlan {
        channel: 0,
        party: Party::Unknown,
    }];
    let mut transcriber = CallTranscriber::new(Arc::clone(model), &plan, 8000, Pace::Live).unwrap();
    let error = transcriber.push(1, &[0.0]).unwrap_err().to_string();
    assert!(error.contains("channel `1` was not opened"), "{error}");
    assert!(CallTranscriber::new(Arc::clone(model), &plan, 0, Pace::Live).is_err());
}
