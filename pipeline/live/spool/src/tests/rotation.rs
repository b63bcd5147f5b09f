use std::fs;
use std::path::{Path, PathBuf};

use super::*;
use crate::header::{SLOT_BYTES, SLOT_PITCH};
use crate::reader::read_slots;
use crate::rotate::rewrap;
use crate::{Rewrapped, Rotation, rotate};

const OLD: (&str, [u8; 32]) = ("2026-11", [7; 32]);
const NEW: (&str, [u8; 32]) = ("2026-12", [8; 32]);

/// The new key is active.
fn both() -> KeyRing {
    KeyRing::fixed(&[NEW, OLD])
}

fn new_only() -> KeyRing {
    KeyRing::fixed(&[NEW])
}

fn records_by(bytes: &[u8], keys: &KeyRing) -> Result<Vec<Owned>, ReadError> {
    let mut reader = RecordingReader::new(Cursor::new(bytes), keys)?;
    Ok(rest_of(&mut reader))
}

/// Every state that a kill or a power cut may leave of one write. A slot lies in one sector, so that a power cut leaves
/// all of it or nothing; a kill may leave any part from its front.
fn states(before: &[u8], offset: usize, written: &[u8]) -> Vec<Vec<u8>> {
    (0..=written.len())
        .map(|n_bytes| {
            let mut bytes = before.to_vec();
            bytes[offset..offset + n_bytes].copy_from_slice(&written[..n_bytes]);
            bytes
        })
        .collect()
}

/// Rewraps, asserting that every state on the way can be read with both keys; gives all states, the last is the end.
fn rotated(bytes: &[u8], expected: &[Owned]) -> Vec<Vec<u8>> {
    let plan = rewrap(read_slots(&mut Cursor::new(bytes)).unwrap(), &both()).unwrap();
    let mut all = vec![bytes.to_vec()];
    for (slot_idx, slot) in plan.0 {
        let offset = slot_idx * SLOT_PITCH as usize;
        let now = states(&all[all.len() - 1], offset, slot.bytes());
        for state in &now {
            assert_eq!(records_by(state, &both()).unwrap(), expected);
        }
        all.extend(now);
    }
    all
}

#[test]
fn a_kill_at_any_byte_of_a_rotation_leaves_a_file_that_reads() {
    let sample = sample(1);
    let states = rotated(&sample.bytes, &sample.records);
    assert!(states.len() > 2 * SLOT_BYTES);
    let last = &states[states.len() - 1];
    assert_eq!(records_by(last, &new_only()).unwrap(), sample.records);
    let old = records_by(last, &ring()).unwrap_err();
    assert!(matches!(old, ReadError::MissingKey(_)));
}

/// From wherever it was killed, a second run ends with both slots the same, under the new key; killed again, too.
#[test]
fn a_rotation_goes_on_from_where_it_was_killed() {
    let sample = sample(1);
    for state in rotated(&sample.bytes, &sample.records).iter().step_by(3) {
        for again in rotated(state, &sample.records).iter().step_by(29) {
            let end = rotated(again, &sample.records);
            let end = &end[end.len() - 1];
            let [first, second] = read_slots(&mut Cursor::new(end)).unwrap();
            assert!(first.is_ok() && first == second);
            assert_eq!(records_by(end, &new_only()).unwrap(), sample.records);
            let plan = rewrap([first, second], &both()).unwrap();
            assert!(plan.0.is_empty());
        }
    }
}

#[test]
fn a_rotation_back_is_a_rotation() {
    let sample = sample(1);
    let states = rotated(&sample.bytes, &sample.records);
    let mut bytes = states[states.len() - 1].clone();
    let back = KeyRing::fixed(&[OLD, NEW]);
    let plan = rewrap(read_slots(&mut Cursor::new(&bytes)).unwrap(), &back).unwrap();
    for (slot_idx, slot) in plan.0 {
        let offset = slot_idx * SLOT_PITCH as usize;
        bytes[offset..offset + SLOT_BYTES].copy_from_slice(slot.bytes());
    }
    assert_eq!(records_by(&bytes, &ring()).unwrap(), sample.records);
}

#[test]
fn a_later_version_is_not_touched() {
    let mut bytes = sample(1).bytes;
    let slot = &mut bytes[..SLOT_BYTES];
    slot[8] = 2;
    let crc = crc32fast::hash(&slot[..SLOT_BYTES - 4]);
    slot[SLOT_BYTES - 4..].copy_from_slice(&crc.to_le_bytes());
    let slots = read_slots(&mut Cursor::new(&bytes)).unwrap();
    assert!(matches!(rewrap(slots, &both()), Err(ReadError::Version(2))));
}

/// A spool's folder with these files in it.
fn folder(files: &[(&str, &[u8])]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for place in ["open", "done/2026-11-20", "done/2026-11-21", "broken"] {
        fs::create_dir_all(folder.path().join(place)).unwrap();
    }
    for (path, bytes) in files {
        fs::write(folder.path().join(path), bytes).unwrap();
    }
    folder
}

fn run(folder: &Path, keys: &KeyRing) -> (Rotation, Vec<(PathBuf, String)>) {
    let mut told = Vec::new();
    let mut progress = |path: &Path, outcome: &Rewrapped, _: &Rotation| {
        let outcome = match outcome {
            Rewrapped::Done => "done".to_owned(),
            Rewrapped::Already => "already".to_owned(),
            Rewrapped::Missing(id) => format!("missing {id}"),
            Rewrapped::Failed(error) => error.to_string(),
        };
        told.push((path.strip_prefix(folder).unwrap().to_owned(), outcome));
    };
    let rotation = rotate(folder, keys, &mut progress).unwrap();
    told.sort();
    (rotation, told)
}

#[test]
fn a_folder_is_rotated_and_what_cannot_be_is_told() {
    let (one, two) = (sample(1), sample(2));
    let foreign = {
        let disk = Disk::default();
        let start = Start {
            created_unix_ms: CREATED_UNIX_MS,
            begin: b"{}",
            limits: WriterLimits::default(),
        };
        let lost = KeyRing::fixed(&[("lost", [9; 32])]);
        RecordingWriter::begin(Box::new(disk.clone()), fixed(3, &lost), &start).unwrap();
        disk.bytes()
    };
    let folder = folder(&[
        ("open/a.arec", &one.bytes[..one.bytes.len() - 5]),
        ("open/notes.txt", b"not a recording"),
        ("done/2026-11-20/b.arec", &two.bytes),
        ("done/2026-11-20/c.arec", &foreign),
        ("done/2026-11-21/d.arec", b"nothing"),
    ]);
    let (rotation, told) = run(folder.path(), &both());
    assert_eq!((rotation.n_done, rotation.n_already), (2, 0));
    assert_eq!((rotation.n_missing, rotation.n_failed), (1, 1));
    assert!(!rotation.is_complete());
    let lost = rotation.missing.iter().next().unwrap();
    assert_eq!((lost.0.to_string(), *lost.1), ("lost".to_owned(), 1));
    let expected = [
        ("done/2026-11-20/b.arec", "done"),
        ("done/2026-11-20/c.arec", "missing lost"),
        ("done/2026-11-21/d.arec", "it is no recording"),
        ("open/a.arec", "done"),
    ];
    let expected = expected.map(|(path, outcome)| (PathBuf::from(path), outcome.to_owned()));
    assert_eq!(told, expected);
    let bytes = fs::read(folder.path().join("done/2026-11-20/b.arec")).unwrap();
    assert_eq!(records_by(&bytes, &new_only()).unwrap(), two.records);
    assert_eq!(bytes[8192..], two.bytes[8192..], "audio is not touched");

    let (rotation, _) = run(folder.path(), &both());
    assert_eq!((rotation.n_done, rotation.n_already), (0, 2));
}

/// Else the old key would be thrown away, and with it what was put aside.
#[test]
fn what_was_put_aside_is_rotated_and_what_has_no_header_there_is_no_failure() {
    let sample = sample(1);
    let folder = folder(&[
        ("broken/a.arec", &sample.bytes[..]),
        ("broken/b.arec", b"nothing"),
        ("broken/c.arec", b""),
        ("broken/d.arec", &sample.bytes[..100]),
    ]);
    let (rotation, told) = run(folder.path(), &both());
    let done = PathBuf::from("broken/a.arec");
    assert_eq!(told, [(done.clone(), "done".to_owned())]);
    assert_eq!((rotation.n_done, rotation.n_failed), (1, 0));
    assert!(rotation.is_complete());
    let bytes = fs::read(folder.path().join(done)).unwrap();
    assert_eq!(records_by(&bytes, &new_only()).unwrap(), sample.records);

    // What only needs a key that is not there may still be read by somebody.
    let (rotation, told) = run(folder.path(), &ring());
    assert_eq!(told[0].1, "missing 2026-12");
    assert_eq!((rotation.n_missing, rotation.n_failed), (1, 0));
    assert!(!rotation.is_complete());
}

#[test]
fn many_files_go_in_batches() {
    let sample = sample(1);
    let folder = folder(&[]);
    for n in 0..600 {
        let path = folder.path().join(format!("done/2026-11-20/{n}.arec"));
        fs::write(path, &sample.bytes).unwrap();
    }
    let (rotation, told) = run(folder.path(), &both());
    assert_eq!((rotation.n_done, told.len()), (600, 600));
    assert!(rotation.is_complete());
}

#[test]
fn a_recording_under_way_is_rotated_beneath_its_writer() {
    let folder = folder(&[]);
    let path = folder.path().join("open/a.arec");
    let start = Start {
        created_unix_ms: CREATED_UNIX_MS,
        begin: b"{\"call\":\"a\"}",
        limits: WriterLimits::default(),
    };
    let mut writer = RecordingWriter::create(&path, &ring(), &start).unwrap();
    writer.append(packet(0, 0).record()).unwrap();
    writer.flush().unwrap();
    let mut reader = RecordingReader::open(&path, &ring()).unwrap();
    assert_eq!(rest_of(&mut reader).len(), 2);
    assert_eq!(run(folder.path(), &both()).0.n_done, 1);
    writer.append(packet(0, 1).record()).unwrap();
    writer.finish(b"{}").unwrap();
    assert_eq!(rest_of(&mut reader).len(), 2);
    let bytes = fs::read(&path).unwrap();
    assert_eq!(records_by(&bytes, &new_only()).unwrap().len(), 4);
}

#[test]
fn two_rotations_do_not_meet_and_other_folders_are_left_alone() {
    let folder = folder(&[]);
    let held = crate::spool::lock(&folder.path().join("rotate.lock")).unwrap();
    let busy = rotate(folder.path(), &both(), &mut |_, _, _| {}).unwrap_err();
    assert!(busy.to_string().starts_with("another program uses"));
    drop(held);
    assert_eq!(run(folder.path(), &both()).0, Rotation::default());

    let other = tempfile::tempdir().unwrap();
    assert!(rotate(other.path(), &both(), &mut |_, _, _| {}).is_err());
    assert_eq!(fs::read_dir(other.path()).unwrap().count(), 0);
}
