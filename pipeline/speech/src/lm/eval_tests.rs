//! The model's figures on recordings' transcripts beside the project; skipped where those are not there.

use std::path::{Path, PathBuf};

use auricle_pinyin::{Syllable, word_readings};
use jieba_rs::Jieba;
use serde_json::Value;

use super::*;
use crate::lm::count::sentences;
use crate::lm::viterbi::words_of;
use crate::lm::{LanguageData, LanguageOptions};

fn shared() -> Option<PathBuf> {
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared");
    let folder = std::env::var_os("AURICLE_SHARED").map_or(beside, PathBuf::from);
    if folder.join("audio").is_dir() {
        return Some(folder);
    }
    println!(
        "skipped: no recordings at `{}`; set AURICLE_SHARED",
        folder.display()
    );
    None
}

fn lines(manifest: &Path) -> Vec<Value> {
    let text = std::fs::read_to_string(manifest).unwrap();
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

fn hanzi(text: &str) -> String {
    text.chars()
        .filter(|letter| ('\u{4e00}'..='\u{9fff}').contains(letter))
        .collect()
}

/// Share of hanzi read wrongly when the syllables are known for certain.
fn hanzi_error(data: &LanguageData, jieba: &Jieba, texts: &[String]) -> f64 {
    let (mut n_wrong, mut n_all) = (0, 0);
    for text in texts {
        let syllables: Vec<Syllable> = jieba
            .cut(text, false)
            .iter()
            .flat_map(|token| word_readings(token.word).swap_remove(0).0)
            .collect();
        let words = words_of(data, &syllables, 1.0).unwrap_or_default();
        let read: String = words
            .iter()
            .map(|&word| data.vocabulary.word(word))
            .collect();
        let n_right = read
            .chars()
            .zip(text.chars())
            .filter(|(a, b)| a == b)
            .count();
        n_all += text.chars().count();
        n_wrong += text.chars().count() - n_right;
    }
    n_wrong as f64 / n_all as f64
}

#[test]
fn figures_on_the_development_data() {
    let Some(shared) = shared() else { return };
    let read: Vec<String> = lines(&shared.join("audio/zh-dev/manifest.jsonl"))
        .iter()
        .map(|clip| hanzi(clip["text"].as_str().unwrap()))
        .collect();
    let calls: Vec<String> = lines(&shared.join("audio/zh-calls-dev/manifest.jsonl"))
        .iter()
        .flat_map(|call| call["turns"].as_array().unwrap().clone())
        .map(|turn| turn["text"].as_str().unwrap().to_owned())
        .collect();
    let jieba = Jieba::new();
    let arpa = shared.join("models/zh-gigatdt-lm/gigatdt.5000.arpa.gz");
    let with_arpa = LanguageOptions {
        arpa: vec![(arpa, None)],
        ..LanguageOptions::default()
    };
    for (name, options) in [
        ("default", LanguageOptions::default()),
        ("with arpa", with_arpa),
    ] {
        let data = LanguageData::build(&options, |_| ()).unwrap();
        let cut = |texts: &[String]| -> Vec<_> {
            texts
                .iter()
                .flat_map(|text| sentences(text, &jieba, &data.vocabulary))
                .collect()
        };
        let (read_words, call_words) = (cut(&read), cut(&calls));
        let on_read = evaluate(&data.model, &data.vocabulary, &read_words);
        let on_calls = evaluate(&data.model, &data.vocabulary, &call_words);
        let wrong = hanzi_error(&data, &jieba, &read);
        let wrong_calls = hanzi_error(
            &data,
            &jieba,
            &calls.iter().map(|text| hanzi(text)).collect::<Vec<_>>(),
        );
        println!(
            "{name}: perplexity a hanzi, read {:.1}, calls {:.1}; hanzi error on perfect syllables, read {:.2} %, calls {:.2} %",
            on_read.hanzi_perplexity(),
            on_calls.hanzi_perplexity(),
            100.0 * wrong,
            100.0 * wrong_calls,
        );
        println!(
            "weights for the read text {:?}",
            best_weights(&data.model, &read_words, 20)
        );
        assert!(wrong < 0.13, "{wrong}");
        assert!(on_calls.hanzi_perplexity() < 100.0);
        assert!(on_read.unknown_ratio() < 0.01);
    }
}

#[test]
fn weights_go_to_the_model_that_foresees() {
    let data = LanguageData::default_model().unwrap();
    let text = sentences("您好请问是王先生吗", &Jieba::new(), &data.vocabulary);
    let weights = best_weights(&data.model, &text, 30);
    assert!((weights.iter().sum::<f32>() - 1.0).abs() < 1e-3);
    assert!(
        weights[1] > weights[0],
        "texts before single words: {weights:?}"
    );
    let mut better = data.model.clone();
    better.set_weights(&weights);
    let before = evaluate(&data.model, &data.vocabulary, &text).perplexity();
    assert!(evaluate(&better, &data.vocabulary, &text).perplexity() <= before);
}
