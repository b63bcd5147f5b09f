use super::*;

const A: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
const B: &str = "ICEiIyQlJicoKSorLC0uLzAxMjM0NTY3ODk6Ozw9Pj8=";

/// Ids in order and the active one, or the error's first line.
fn told(text: &str) -> Result<(Vec<String>, String), String> {
    let ring = KeyRing::parse(text);
    let ring = ring.map_err(|error| error.to_string().lines().next().unwrap().to_owned())?;
    let ids = ring.ids().map(|id| id.to_string()).collect();
    Ok((ids, ring.active_id().to_string()))
}

#[test]
fn key_files_and_environment_text_are_read() {
    let file = format!("# keys\n\nactive = \"b-2\" # since May\na_1 = \"{A}\"\nb-2=\"{B}\"\r\n");
    let environment = format!("active=b-2, a_1={A}, b-2={B}");
    for text in [file, environment] {
        let (ids, active) = told(&text).unwrap();
        assert_eq!(ids, ["a_1", "b-2"]);
        assert_eq!(active, "b-2");
    }
    assert_eq!(told(&format!("only={A}")).unwrap().1, "only");
    let ring = KeyRing::parse(&format!("k = \"{A}\"")).unwrap();
    let bytes: [u8; 32] = std::array::from_fn(|at| at as u8);
    assert_eq!(**ring.active().1, bytes);
}

#[test]
fn what_is_wrong_is_told_without_quoting_it() {
    let long = "k".repeat(33);
    for (text, expected) in [
        (String::new(), "there is no key"),
        (
            format!("a={A}\nb={B}"),
            "no key is named for new recordings",
        ),
        (
            format!("active=c\na={A}"),
            "the active key `c` is not among the keys",
        ),
        (format!("a={A}\na={B}"), "key `a` is there twice"),
        (A.to_owned(), "line 1 of the keys is not `name = \"key\"`"),
        (
            format!("a={A}\nb=\"{B}"),
            "line 2 of the keys is not `name = \"key\"`",
        ),
        (
            format!("a={}", &A[4..]),
            "line 1 of the keys is not `name = \"key\"`",
        ),
        (
            format!("a={A}AAAA"),
            "line 1 of the keys is not `name = \"key\"`",
        ),
        (
            format!("a={}!", &A[..43]),
            "line 1 of the keys is not `name = \"key\"`",
        ),
        (
            format!("{long}={A}"),
            "line 1 of the keys is not `name = \"key\"`",
        ),
        (
            format!("ä={A}"),
            "line 1 of the keys is not `name = \"key\"`",
        ),
        (
            format!("active=a\nactive=a\na={A}"),
            "line 2 of the keys is not `name = \"key\"`",
        ),
        (
            format!("active={A}\na={A}"),
            "line 1 of the keys is not `name = \"key\"`",
        ),
    ] {
        assert_eq!(told(&text).unwrap_err(), expected);
    }
    let many = (0..=MAX_KEYS).map(|n| format!("k{n}={A}\n"));
    let error = told(&many.collect::<String>()).unwrap_err();
    assert_eq!(error, "there are more than 1024 keys");
}

#[test]
fn generated_keys_are_saved_and_loaded() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("keys.toml");
    let mut ring = KeyRing::generate("first".parse().unwrap()).unwrap();
    ring.save(&path, Existing::Keep).unwrap();
    let refused = ring.save(&path, Existing::Keep).unwrap_err();
    assert!(matches!(refused, KeyError::Io { doing: "write", .. }));

    ring.add("second".parse().unwrap()).unwrap();
    let twice = ring.add("first".parse().unwrap()).unwrap_err();
    assert!(matches!(twice, KeyError::Twice(_)));
    ring.save(&path, Existing::Replace).unwrap();
    let loaded = KeyRing::load(&path).unwrap();
    assert_eq!(loaded.active_id().to_string(), "second");
    for id in ring.ids() {
        assert_eq!(loaded.get(id), ring.get(id));
    }
    assert_ne!(
        ring.get("first".parse().unwrap()),
        ring.get("second".parse().unwrap())
    );
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
}

#[cfg(unix)]
#[test]
fn a_file_that_others_can_read_is_refused() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("keys");
    std::fs::write(&path, format!("a = \"{A}\"")).unwrap();
    for (mode, is_fine) in [
        (0o600, true),
        (0o400, true),
        (0o640, false),
        (0o604, false),
        (0o602, false),
    ] {
        std::fs::set_permissions(&path, PermissionsExt::from_mode(mode)).unwrap();
        match KeyRing::load(&path) {
            Ok(_) => assert!(is_fine, "{mode:o}"),
            Err(error) => {
                assert!(!is_fine, "{mode:o}");
                assert!(error.to_string().contains("hint: chmod 600"), "{error}");
            }
        }
    }
}

#[test]
fn files_that_are_no_keys_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("keys");
    let ring = KeyRing::generate("a".parse().unwrap()).unwrap();
    ring.save(&path, Existing::Keep).unwrap();
    for content in [vec![0xff; 10], vec![b'#'; 200_000]] {
        std::fs::write(&path, content).unwrap();
        assert!(matches!(KeyRing::load(&path), Err(KeyError::NotKeys(_))));
    }
    let missing = KeyRing::load(&folder.path().join("none")).unwrap_err();
    assert!(matches!(missing, KeyError::Io { doing: "read", .. }));
}

#[test]
fn no_key_is_printed() {
    let ring = KeyRing::parse(&format!("a = \"{A}\"")).unwrap();
    assert_eq!(format!("{ring:?}"), "KeyRing { active a, all [a] }");
}

#[test]
fn ids_have_one_form_in_headers() {
    let id = "2026-w07_x".parse::<KeyId>().unwrap();
    assert_eq!(KeyId::unpadded(id.padded()), Some(id));
    assert_eq!(id.to_string(), "2026-w07_x");
    let mut padded = *id.padded();
    padded[20] = b'x';
    assert_eq!(KeyId::unpadded(&padded), None);
    assert_eq!(KeyId::unpadded(&[0; 32]), None);
    let longest = "k".repeat(32).parse::<KeyId>().unwrap();
    assert_eq!(KeyId::unpadded(longest.padded()), Some(longest));
}
