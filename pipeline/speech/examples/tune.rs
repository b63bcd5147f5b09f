//! Hears the clips of a manifest once, then decodes the lattice under many settings and prints the
//! syllable and hanzi errors of each: `cargo run --example tune -- MANIFEST_DIR MODEL_DIR ORT_LIB [ARPA]`.
#![expect(
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a tool for developers"
)]

use std::path::Path;

use auricle_audio::{AudioBlock, AudioReader, Resampler};
use auricle_models::{
    DecodeSettings, Hypothesis, OnnxRuntime, RunBy, StreamOptions, StreamingEngine, TransducerModel,
};
use auricle_pinyin::word_readings;
use auricle_speech::lattice::{LatticeSettings, Slot, merge, search, slots_of};
use auricle_speech::lm::{LanguageData, LanguageOptions};

struct Clip {
    text: Vec<char>,
    hypotheses: Vec<Hypothesis>,
}

fn edits<T: PartialEq>(a: &[T], b: &[T]) -> usize {
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.iter().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, y) in b.iter().enumerate() {
            let cost = (diagonal + usize::from(x != y))
                .min(row[j] + 1)
                .min(row[j + 1] + 1);
            diagonal = std::mem::replace(&mut row[j + 1], cost);
        }
    }
    row[b.len()]
}

fn hear(dir: &Path, model: &TransducerModel) -> Vec<Clip> {
    let mut engine = model.engine().unwrap();
    let manifest = std::fs::read_to_string(dir.join("manifest.jsonl")).unwrap();
    let mut clips = Vec::new();
    for line in manifest.lines() {
        let row: serde_json::Value = serde_json::from_str(line).unwrap();
        let text = row["text"].as_str().unwrap();
        if text.chars().any(|c| c.is_ascii_alphanumeric()) {
            continue;
        }
        let mut reader = AudioReader::open(dir.join(row["file"].as_str().unwrap())).unwrap();
        let mut to_16k = Resampler::new(reader.info().sample_rate_hz, 16_000).unwrap();
        let (mut block, mut samples) = (AudioBlock::new(), Vec::new());
        while reader.next_block(&mut block).unwrap() > 0 {
            to_16k.process(block.channel(0), &mut samples).unwrap();
        }
        to_16k.finish(&mut samples).unwrap();
        samples.extend(vec![0.0; 8000]);
        let stream = engine.open_stream(&StreamOptions::default()).unwrap();
        engine.accept(stream, &samples).unwrap();
        while engine.step().unwrap().n_advanced > 0 {}
        let hypotheses = engine.finish(stream).unwrap();
        let text = text
            .chars()
            .filter(|c| ('\u{4e00}'..='\u{9fff}').contains(c))
            .collect();
        clips.push(Clip { text, hypotheses });
    }
    clips
}

fn main() {
    let args: Vec<String> = std::env::args().collect();
    let runtime = OnnxRuntime::load(Path::new(&args[3])).unwrap();
    let model = TransducerModel::open(
        Path::new(&args[2]),
        RunBy::OnnxRuntime(runtime),
        DecodeSettings { n_paths: 8 },
    )
    .unwrap();
    let began = std::time::Instant::now();
    let clips = hear(Path::new(&args[1]), &model);
    println!(
        "heard {} clips in {:.1} s",
        clips.len(),
        began.elapsed().as_secs_f32()
    );
    let arpa = args
        .get(4)
        .filter(|path| !path.is_empty())
        .map(|path| vec![(path.into(), None)])
        .unwrap_or_default();
    let options = LanguageOptions {
        arpa,
        ..LanguageOptions::default()
    };
    let began = std::time::Instant::now();
    let mut language = LanguageData::build(&options, |_| ()).unwrap();
    println!(
        "language in {:.1} s, weights {:?}",
        began.elapsed().as_secs_f32(),
        language.model.weights()
    );
    let first: Vec<Vec<Slot>> = clips
        .iter()
        .map(|clip| slots_of(&clip.hypotheses[0]))
        .collect();
    let merged: Vec<Vec<Slot>> = clips
        .iter()
        .map(|clip| {
            let readings: Vec<_> = clip
                .hypotheses
                .iter()
                .map(|h| (slots_of(h), h.log_prob))
                .collect();
            merge(&readings)
        })
        .collect();
    report_first(&clips, &first);
    let perfect: Vec<Vec<Slot>> = clips.iter().map(|clip| perfect_slots(&clip.text)).collect();
    let print = std::env::var("PRINT").is_ok();
    let base = LatticeSettings::default();
    let weights: Vec<Vec<f32>> = match std::env::var("WEIGHTS") {
        Ok(text) => text
            .split(';')
            .map(|row| row.split(',').map(|w| w.parse().unwrap()).collect())
            .collect(),
        Err(_) => vec![language.model.weights()],
    };
    for weights in weights {
        language.model.set_weights(&weights);
        println!("weights {weights:?}");
        for lm in list("LM", base.lm_weight_ratio) {
            for bonus in list("WB", base.word_bonus) {
                for syllable in list("SB", base.syllable_bonus) {
                    let settings = LatticeSettings {
                        lm_weight_ratio: lm,
                        word_bonus: bonus,
                        syllable_bonus: syllable,
                        ..base
                    };
                    println!(
                        "lm {lm} word {bonus} syllable {syllable}: merged {} first {} perfect {}",
                        score(&clips, &merged, &language, &settings, print),
                        score(&clips, &first, &language, &settings, false),
                        score(&clips, &perfect, &language, &settings, false),
                    );
                }
            }
        }
    }
}

fn list(name: &str, default: f32) -> Vec<f32> {
    std::env::var(name).map_or(vec![default], |text| {
        text.split(',').map(|v| v.parse().unwrap()).collect()
    })
}

fn perfect_slots(text: &[char]) -> Vec<Slot> {
    use auricle_speech::lattice::{SlotKind, Sound};
    let text: String = text.iter().collect();
    let words = auricle_speech::lm::cut(&[auricle_speech::lm::Piece {
        text,
        start_ms: 0,
        end_ms: 0,
        confidence: 1.0,
    }]);
    let syllables = words
        .iter()
        .flat_map(|word| word_readings(&word.text)[0].0.clone());
    syllables
        .map(|syllable| Slot {
            start_ms: 0,
            end_ms: 0,
            kind: SlotKind::Sounds(vec![Sound {
                syllable,
                log_prob: 0.0,
            }]),
            skip_log_prob: f32::NEG_INFINITY,
        })
        .collect()
}

fn reference(clip: &Clip) -> Vec<String> {
    perfect_slots(&clip.text)
        .iter()
        .map(|slot| slot.sounds()[0].syllable.to_string())
        .collect()
}

fn bare(syllables: &[String]) -> Vec<String> {
    syllables
        .iter()
        .map(|s| s.trim_end_matches(|c: char| c.is_ascii_digit()).to_string())
        .collect()
}

fn report_first(clips: &[Clip], slots: &[Vec<Slot>]) {
    let (mut n, mut toned, mut toneless) = (0, 0, 0);
    for (clip, slots) in clips.iter().zip(slots) {
        let heard: Vec<String> = slots
            .iter()
            .filter_map(|s| Some(s.sounds().first()?.syllable.to_string()))
            .collect();
        let reference = reference(clip);
        n += reference.len();
        toned += edits(&reference, &heard);
        toneless += edits(&bare(&reference), &bare(&heard));
    }
    println!(
        "first best: toneless {:.2} toned {:.2}",
        100.0 * toneless as f64 / n as f64,
        100.0 * toned as f64 / n as f64
    );
}

fn score(
    clips: &[Clip],
    slots: &[Vec<Slot>],
    language: &LanguageData,
    settings: &LatticeSettings,
    print: bool,
) -> String {
    let began = std::time::Instant::now();
    let (mut n, mut toned, mut toneless, mut hanzi) = (0, 0, 0, 0);
    for (clip, slots) in clips.iter().zip(slots) {
        let words = search(slots, language, settings);
        let heard: Vec<String> = words
            .iter()
            .flat_map(|w| &w.syllables)
            .map(|c| c.syllable.to_string())
            .collect();
        let text: Vec<char> = words.iter().flat_map(|w| w.text.chars()).collect();
        let reference = reference(clip);
        n += reference.len();
        toned += edits(&reference, &heard);
        toneless += edits(&bare(&reference), &bare(&heard));
        hanzi += edits(&clip.text, &text);
        if print {
            println!(
                "  {}\n  {}",
                clip.text.iter().collect::<String>(),
                words.iter().map(|w| &*w.text).collect::<Vec<_>>().join(" ")
            );
            println!("    {}\n    {}", reference.join(" "), heard.join(" "));
        }
    }
    let percent = |errors: usize| 100.0 * errors as f64 / n as f64;
    format!(
        "[toneless {:.2} toned {:.2} hanzi {:.2}, {:.2} s]",
        percent(toneless),
        percent(toned),
        percent(hanzi),
        began.elapsed().as_secs_f32()
    )
}
