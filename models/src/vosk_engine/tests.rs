//! As far as goes without a model: the library, and folders that are none.

use std::fs;
use std::path::{Path, PathBuf};

use super::*;
use crate::native::{NativeLibrary, SearchPath, SystemLoader};

/// The library unpacked by the set-up script, or none with a word why.
fn library() -> Option<VoskLibrary> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../.native/lib");
    if !folder.join(NativeLibrary::Vosk.file_name()).exists() {
        eprintln!("skipped: libvosk is not in .native/lib, run scripts/setup.sh");
        return None;
    }
    let search = SearchPath {
        folders: vec![folder],
        system_loader: SystemLoader::Skip,
        ..SearchPath::default()
    };
    Some(VoskLibrary::open(&search).unwrap())
}

/// A folder that passes for a model at first sight.
fn folder(acoustic: &[u8], conf: &str) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    let graph = [[0xd6, 0xfd, 0xb2, 0x7e].as_slice(), &[0; 100]].concat();
    for (path, content) in [
        ("am/final.mdl", acoustic),
        ("conf/mfcc.conf", conf.as_bytes()),
        ("conf/model.conf", b"--max-active=3000\n--beam=10.0\n"),
        ("graph/HCLr.fst", &graph),
        ("graph/Gr.fst", &graph),
    ] {
        let file = dir.path().join(path);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, content).unwrap();
    }
    dir
}

fn kaldi_like() -> Vec<u8> {
    [b"\0B<TransitionModel> ".as_slice(), &[0x5a; 4096]].concat()
}

fn check(folder: &Path, expected: &str) {
    match model::look_over(folder) {
        Ok(rate_hz) => assert_eq!(rate_hz.to_string(), expected),
        Err(error) => assert!(error.to_string().contains(expected), "{error}"),
    }
}

#[test]
fn folders_are_looked_over() {
    check(&PathBuf::from("no/such/folder"), "there is no such folder");
    check(
        tempfile::tempdir().unwrap().path(),
        "am/final.mdl` cannot be read",
    );
    let dir = folder(&kaldi_like(), "--sample-frequency=16000\n");
    check(dir.path(), "16000");
    check(folder(&kaldi_like(), "--num-ceps=40\n").path(), "16000");
    check(
        folder(&kaldi_like(), "--sample-frequency=8000 # telephone\n").path(),
        "8000",
    );
    check(
        folder(&kaldi_like(), "--sample-frequency=96000\n").path(),
        "got `96000`",
    );
    check(
        folder(&kaldi_like(), "--sample-frequency=fast\n").path(),
        "got `fast`",
    );
    check(folder(b"", "").path(), "no Kaldi acoustic model (0 bytes)");
    check(folder(&[b'x'; 5_000], "").path(), "no Kaldi acoustic model");
    fs::write(dir.path().join("graph/Gr.fst"), "").unwrap();
    check(
        dir.path(),
        "Gr.fst` does not fit: is no OpenFst graph (0 bytes)",
    );
    fs::remove_file(dir.path().join("graph/HCLr.fst")).unwrap();
    check(dir.path(), "HCLr.fst` cannot be read");
    fs::remove_file(dir.path().join("conf/model.conf")).unwrap();
    check(dir.path(), "model.conf` cannot be read: it is not there");
}

#[test]
fn the_library_refuses_damaged_models_without_ending_the_process() {
    let Some(library) = library() else { return };
    assert!(library.path().ends_with(NativeLibrary::Vosk.file_name()));
    for content in [kaldi_like(), [b"\0B".as_slice(), &[0; 3_000]].concat()] {
        let dir = folder(&content, "--sample-frequency=16000\n");
        let error = VoskModel::load(&library, dir.path()).err().unwrap();
        assert!(
            error.to_string().contains("vosk could not load it"),
            "{error}"
        );
    }
    let error = VoskModel::load(&library, Path::new("no/such/model"))
        .err()
        .unwrap();
    assert!(matches!(error, EngineError::ModelFile { .. }), "{error}");
}

#[test]
fn samples_are_clipped_not_wrapped() {
    let rounded = [0.0, 1.0, -1.0, 2.0, -2.0, 0.5, f32::NAN, f32::INFINITY].map(to_i16);
    assert_eq!(
        rounded,
        [0, 32_767, -32_768, 32_767, -32_768, 16_384, 0, 32_767]
    );
}

#[test]
fn a_result_that_cannot_be_read_is_an_error() {
    let hook = std::panic::take_hook();
    std::panic::set_hook(Box::new(|_| {}));
    let outcome = guarded(|| -> u8 { panic!("invalid JSON") });
    std::panic::set_hook(hook);
    assert!(outcome.unwrap_err().to_string().contains("cannot be read"));
}
