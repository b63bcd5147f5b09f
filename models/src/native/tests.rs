//! The search, its order and its messages.

use std::fs;

use super::*;

fn only(folder: &Path) -> SearchPath {
    SearchPath {
        folders: vec![folder.to_path_buf()],
        system_loader: SystemLoader::Skip,
        ..SearchPath::default()
    }
}

/// The checkout's own libraries, unpacked by the set-up script.
fn unpacked(library: NativeLibrary) -> Option<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent()?;
    let file = root.join(".native/lib").join(library.file_name());
    if !file.exists() {
        eprintln!("skipped: {library} is not in .native/lib, run scripts/setup.sh");
    }
    file.exists().then_some(file)
}

#[test]
fn nothing_found_lists_every_place() {
    let folder = tempfile::tempdir().unwrap();
    let mut search = only(folder.path());
    search.folders.push(folder.path().join("lib"));
    let message = onnxruntime(&search).unwrap_err().to_string();
    let name = NativeLibrary::OnnxRuntime.file_name();
    for place in [
        folder.path().join(&name),
        folder.path().join("lib").join(&name),
    ] {
        let line = format!("`{}`: not there", place.display());
        assert!(message.contains(&line), "{message}");
    }
    assert!(message.contains("hint: `scripts/setup.sh`"), "{message}");
    assert!(message.contains("AURICLE_ONNXRUNTIME"), "{message}");
}

#[test]
fn a_wrong_configured_path_is_not_replaced_by_another() {
    let folder = tempfile::tempdir().unwrap();
    let mut search = only(folder.path());
    if let Some(good) = unpacked(NativeLibrary::OnnxRuntime) {
        search.folders.push(good.parent().unwrap().to_path_buf());
    }
    search.onnxruntime = Some(folder.path().join("absent.so"));
    let message = onnxruntime(&search).unwrap_err().to_string();
    assert!(
        message.contains("absent.so` cannot be used: there is no such file"),
        "{message}"
    );

    let text = folder.path().join("readme.so");
    fs::write(&text, "no library at all").unwrap();
    search.onnxruntime = Some(text);
    let message = onnxruntime(&search).unwrap_err().to_string();
    assert!(
        message.contains("is no shared library") || message.contains("cannot be loaded"),
        "{message}"
    );
}

#[test]
fn folders_run_from_the_executable_to_the_checkout() {
    let root = tempfile::tempdir().unwrap();
    let checkout = root.path().join("checkout");
    let deep = checkout.join("a/b");
    fs::create_dir_all(&deep).unwrap();
    fs::create_dir_all(checkout.join(".git")).unwrap();
    fs::create_dir_all(checkout.join(".native")).unwrap();
    // Beyond the checkout nothing is looked at.
    fs::create_dir_all(root.path().join(".native")).unwrap();
    let found = folders(
        Some(Path::new("/opt/auricle/bin/auricle")),
        Some(Path::new("/var/lib/auricle")),
        Some(&deep),
    );
    let expected = [
        PathBuf::from("/opt/auricle/bin"),
        PathBuf::from("/opt/auricle/lib"),
        PathBuf::from("/var/lib/auricle/lib"),
        checkout.join(".native/lib"),
    ];
    assert_eq!(found, expected);
}

#[test]
fn the_right_library_is_found_by_folder_and_by_file() {
    let Some(file) = unpacked(NativeLibrary::OnnxRuntime) else {
        return;
    };
    let folder = file.parent().unwrap();
    assert_eq!(onnxruntime(&only(folder)).unwrap(), file);
    let mut search = only(Path::new("."));
    search.onnxruntime = Some(folder.to_path_buf());
    assert_eq!(onnxruntime(&search).unwrap(), file);
    let looks = survey(NativeLibrary::OnnxRuntime, &search);
    assert!(
        matches!(&looks[0].outcome, Outcome::Usable(Some(version)) if version.starts_with("1."))
    );
}

#[test]
fn foreign_and_truncated_libraries_are_refused() {
    let (Some(onnxruntime_file), Some(vosk_file)) = (
        unpacked(NativeLibrary::OnnxRuntime),
        unpacked(NativeLibrary::Vosk),
    ) else {
        return;
    };
    let mut search = only(Path::new("."));
    search.onnxruntime = Some(vosk_file);
    let message = onnxruntime(&search).unwrap_err().to_string();
    assert!(message.contains("is another library"), "{message}");

    search.vosk = Some(onnxruntime_file.clone());
    let message = libvosk(&search).unwrap_err().to_string();
    assert!(message.contains("has no `vosk_model_new`"), "{message}");

    let folder = tempfile::tempdir().unwrap();
    let cut = folder.path().join("cut.so");
    let whole = fs::read(&onnxruntime_file).unwrap();
    for keep in [0, 100, 5_000, whole.len() / 2, whole.len() - 500_000] {
        fs::write(&cut, &whole[..keep]).unwrap();
        search.onnxruntime = Some(cut.clone());
        assert!(
            onnxruntime(&search).is_err(),
            "{keep} bytes were taken for a library"
        );
    }
}
