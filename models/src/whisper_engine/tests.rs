//! As far as goes without a model.

use std::fs;

use super::*;

fn refuse(path: &Path, expected: &str) {
    let error = SecondPass::load(path, WhisperSettings::default())
        .err()
        .unwrap();
    assert!(error.to_string().contains(expected), "{error}");
}

#[test]
fn missing_and_foreign_files_are_refused() {
    refuse(
        Path::new("no/such/model.bin"),
        "`no/such/model.bin` cannot be read",
    );
    let dir = tempfile::tempdir().unwrap();
    refuse(dir.path(), "holds no `.bin` file");
    let file = dir.path().join("a.bin");
    fs::write(&file, "not a model at all").unwrap();
    refuse(&file, "is no whisper.cpp model");
    refuse(dir.path(), "is no whisper.cpp model");
    fs::write(dir.path().join("b.bin"), "").unwrap();
    refuse(dir.path(), "several `.bin` files");
}

#[test]
fn damaged_models_end_in_an_error_not_in_the_process() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("ggml-tiny.bin");
    let whole = ggml::tests::tiny();
    // Sound in structure, but with tensors no model has: whisper.cpp itself refuses it.
    fs::write(&file, &whole).unwrap();
    refuse(&file, "whisper.cpp refused it");
    for keep in [3, 20, 1_000, whole.len() - 1] {
        fs::write(&file, &whole[..keep]).unwrap();
        refuse(&file, "ggml-tiny.bin` does not fit");
    }
}

#[test]
fn languages_are_known_by_their_usual_names() {
    let check = |language, is_multilingual| match check_language(language, is_multilingual) {
        Ok(name) => name,
        Err(cause) => cause,
    };
    assert_eq!(check("zh-CN", true), "zh");
    assert_eq!(check("cmn", true), "zh");
    assert_eq!(check("en_GB", false), "en");
    assert_eq!(check("zh", false), "the model hears English only, not `zh`");
    assert_eq!(check("xx", true), "whisper knows no language `xx`");
    assert_eq!(check("z\0h", true), "whisper knows no language `z\0h`");
}

#[test]
fn times_and_samples_are_bounded() {
    assert_eq!(centiseconds_to_ms(12), 120);
    assert_eq!(centiseconds_to_ms(-1), 0);
    assert_eq!(centiseconds_to_ms(i64::MAX), u32::MAX);
    assert_eq!(
        [f32::NAN, f32::INFINITY, 3.0, -0.5].map(finite),
        [0.0, 0.0, 1.0, -0.5]
    );
}

#[test]
fn a_real_model_hears_when_one_is_given() {
    let Some(path) = std::env::var_os("AURICLE_TEST_WHISPER") else {
        eprintln!("skipped: set AURICLE_TEST_WHISPER to a ggml model to run it");
        return;
    };
    let pass = SecondPass::load(Path::new(&path), WhisperSettings::default()).unwrap();
    assert!(
        pass.transcribe(&[], WHISPER_RATE_HZ, "en")
            .unwrap()
            .tokens
            .is_empty()
    );
    let silence = vec![0.0; 16_000];
    for language in ["en", "zh"] {
        let heard = pass
            .transcribe(&silence, WHISPER_RATE_HZ, language)
            .unwrap();
        assert!(
            heard.tokens.iter().all(|token| token.end_ms <= 1_000),
            "{heard:?}"
        );
    }
    let error = pass.transcribe(&silence, 8_000, "en").unwrap_err();
    assert!(
        error.to_string().contains("16000 Hz, got `8000`"),
        "{error}"
    );
}
