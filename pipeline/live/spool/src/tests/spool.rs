use std::fs;
use std::path::Path;

use super::*;
use crate::{Barrier, Durability, Recovered, Spool, SpoolError, SpoolOptions, SpoolRecording};

const NOW_UNIX_MS: u64 = CREATED_UNIX_MS + 60_000;
const DAY_MS: u64 = 86_400_000;

fn open(folder: &Path) -> Spool {
    Spool::open(folder, ring(), SpoolOptions::default()).unwrap()
}

/// Files under a folder, with `/`, sorted.
fn files(folder: &Path) -> Vec<String> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        match path.is_dir() {
            true => found.extend(files(&path).iter().map(|below| format!("{name}/{below}"))),
            false => found.push(name),
        }
    }
    found.sort();
    found
}

fn recordings(folder: &Path) -> Vec<String> {
    let mut found = files(folder);
    found.retain(|name| name.ends_with(".arec"));
    found
}

fn begun(spool: &Spool) -> SpoolRecording {
    let mut recording = spool.create(CREATED_UNIX_MS, b"{\"call\":\"a\"}").unwrap();
    recording.append(packet(0, 0).record()).unwrap();
    recording.flush().unwrap();
    recording
}

#[test]
fn a_recording_goes_from_open_to_done() {
    for durability in [Durability::FileSystem, Durability::EachFile] {
        let folder = tempfile::tempdir().unwrap();
        let options = SpoolOptions {
            durability,
            ..SpoolOptions::default()
        };
        let spool = Spool::open(folder.path(), ring(), options).unwrap();
        let mut recording = begun(&spool);
        let name = *recording.name();
        let under_way = [format!("open/{name}.arec")];
        assert_eq!(recordings(folder.path()), under_way);
        let (n_synced, n_moved) = (1, 0);
        assert_eq!(spool.barrier().unwrap(), Barrier { n_synced, n_moved });
        let (n_synced, n_moved) = (0, 0);
        assert_eq!(spool.barrier().unwrap(), Barrier { n_synced, n_moved });

        recording.finish(b"{}").unwrap();
        drop(recording);
        assert_eq!(recordings(folder.path()), under_way);
        assert!(spool.unfinished().unwrap().is_empty());
        let expected = [begin(), packet(0, 0), Owned::End(b"{}".to_vec())];
        assert_eq!(rest_of(&mut spool.reader(&name).unwrap()), expected);
        let (n_synced, n_moved) = (1, 1);
        assert_eq!(spool.barrier().unwrap(), Barrier { n_synced, n_moved });
        let done = [format!("done/2026-11-20/{name}.arec")];
        assert_eq!(recordings(folder.path()), done);
        assert!(spool.done_path(&name).is_file());
        assert_eq!(rest_of(&mut spool.reader(&name).unwrap()), expected);

        let stats = spool.stats();
        assert_eq!((stats.n_created, stats.n_finished, stats.n_open), (1, 1, 0));
        assert_eq!((stats.n_flushes, stats.n_barriers), (3, 3));
        let usage = spool.usage().unwrap();
        assert_eq!((usage.n_open, usage.n_done), (0, 1));
        assert_eq!(usage.done_bytes, stats.n_written_bytes);
        assert_eq!(
            usage.done_bytes,
            spool.done_path(&name).metadata().unwrap().len()
        );
    }
}

#[cfg(unix)]
#[test]
fn others_read_nothing() {
    use std::os::unix::fs::MetadataExt;
    let folder = tempfile::tempdir().unwrap();
    let place = folder.path().join("spool");
    let spool = open(&place);
    let recording = begun(&spool);
    let mode = |path: &Path| path.metadata().unwrap().mode() & 0o777;
    assert_eq!(mode(&place), 0o700);
    let file = place.join(format!("open/{}.arec", recording.name()));
    assert_eq!(mode(&file), 0o600);
}

#[test]
fn a_folder_belongs_to_one_program() {
    let folder = tempfile::tempdir().unwrap();
    let spool = open(folder.path());
    let second = Spool::open(folder.path(), ring(), SpoolOptions::default());
    let error = second.map(|_| ()).unwrap_err();
    assert!(matches!(error, SpoolError::Busy(_)), "{error}");
    drop(spool);
    open(folder.path());
}

#[test]
fn what_a_crash_left_is_sealed_at_every_byte() {
    let sample = sample(1);
    let folder = tempfile::tempdir().unwrap();
    let spool = open(folder.path());
    let name = "20261120T091320.250Z-01010101010101010101010101010101";
    let path = folder.path().join(format!("open/{name}.arec"));
    let name = name.parse().unwrap();
    // The header cut is for another test; here all of the last chunks, and each place where one ends.
    let cuts = (sample.chunks[2].0..sample.bytes.len()).chain([8192, sample.chunks[0].0]);
    for n_bytes in cuts {
        fs::write(&path, &sample.bytes[..n_bytes]).unwrap();
        assert_eq!(spool.unfinished().unwrap(), [name]);
        let recovered = spool.recover(&name, NOW_UNIX_MS).unwrap();
        let (end, n_records) = sample.whole(n_bytes);
        let sealed = Ending::Sealed {
            n_bytes_dropped: (n_bytes - end) as u64,
            sealed_unix_ms: NOW_UNIX_MS,
        };
        let path = spool.done_path(&name);
        let ending = sealed;
        assert_eq!(recovered, Recovered::Done { path, ending });
        let mut reader = spool.reader(&name).unwrap();
        assert_eq!(rest_of(&mut reader), sample.records[..n_records]);
        assert_eq!(reader.ending(), Some(sealed));
        assert!(spool.unfinished().unwrap().is_empty());
    }
}

/// Sealing is a write like others: killed in it, the next start does it again, and under another key.
#[test]
fn a_kill_while_sealing_does_no_harm() {
    let sample = sample(1);
    let folder = tempfile::tempdir().unwrap();
    let spool = open(folder.path());
    let name = "20261120T091320.250Z-01010101010101010101010101010101";
    let open_path = folder.path().join(format!("open/{name}.arec"));
    let name = name.parse().unwrap();
    let cut = sample.chunks[2].0 + 30;
    let sealed = |bytes: &[u8]| {
        fs::write(&open_path, bytes).unwrap();
        spool.recover(&name, NOW_UNIX_MS).unwrap();
        fs::read(spool.done_path(&name)).unwrap()
    };
    let first = sealed(&sample.bytes[..cut]);
    let end = sample.chunks[2].0;
    assert_eq!(first[8192..end], sample.bytes[8192..end]);
    for n_bytes in end..first.len() {
        let again = sealed(&first[..n_bytes]);
        let (records, ending) = read(&again).unwrap();
        assert_eq!(records, sample.records[..sample.chunks[2].1]);
        assert!(matches!(ending, Ending::Sealed { .. }));
        // Another salt, another key.
        let salt_at = end + crate::chunk::head_bytes(2);
        assert_ne!(again[salt_at..salt_at + 32], first[salt_at..salt_at + 32]);
    }
    // Sealed already: only the move was missing.
    assert_eq!(sealed(&first), first);
}

#[test]
fn a_seal_cannot_be_changed_or_moved() {
    let folder = tempfile::tempdir().unwrap();
    let spool = open(folder.path());
    let (one, two) = (sample(1), sample(2));
    let sealed = |sample: &Sample, id: u8| {
        let id = format!("{id:02x}").repeat(16);
        let name = format!("20261120T091320.250Z-{id}").parse().unwrap();
        let cut = &sample.bytes[..sample.chunks[2].0];
        fs::write(folder.path().join(format!("open/{name}.arec")), cut).unwrap();
        spool.recover(&name, NOW_UNIX_MS).unwrap();
        fs::read(spool.done_path(&name)).unwrap()
    };
    let (first, second) = (sealed(&one, 1), sealed(&two, 2));
    let end = one.chunks[2].0;
    for at in end..first.len() {
        let mut bytes = first.clone();
        bytes[at] ^= 1;
        let (records, ending) = read(&bytes).unwrap();
        assert_eq!(records, one.records[..one.chunks[2].1]);
        assert!(!matches!(ending, Ending::Sealed { .. } | Ending::Finished));
    }
    let mixed = [&first[..end], &second[end..]].concat();
    let ending = read(&mixed).unwrap().1;
    assert_eq!(ending, Ending::Damaged { at: end as u64 });
    // One chunk fewer before it.
    let before = one.chunks[1].0;
    let shorter = [&first[..before], &first[end..]].concat();
    let ending = read(&shorter).unwrap().1;
    assert_eq!(ending, Ending::Damaged { at: before as u64 });
}

#[test]
fn a_crash_leaves_what_was_flushed() {
    let folder = tempfile::tempdir().unwrap();
    let spool = open(folder.path());
    let mut recordings = (0..3).map(|_| begun(&spool)).collect::<Vec<_>>();
    let names = recordings.iter().map(|one| *one.name()).collect::<Vec<_>>();
    // One finished without a barrier, one with records that were not flushed.
    recordings[0].finish(b"{}").unwrap();
    recordings[1].append(packet(0, 1).record()).unwrap();
    assert!(spool.recover(&names[1], NOW_UNIX_MS).is_err());
    drop((recordings, spool));

    let spool = open(folder.path());
    let mut unfinished = spool.unfinished().unwrap();
    assert_eq!(unfinished.len(), 3);
    unfinished.sort_by_key(|name| names.iter().position(|one| one == name));
    let endings = unfinished.iter().map(|name| {
        let recovered = spool.recover(name, NOW_UNIX_MS).unwrap();
        let Recovered::Done { ending, .. } = recovered else {
            panic!("{recovered:?}");
        };
        let n_records = rest_of(&mut spool.reader(name).unwrap()).len();
        (ending, n_records)
    });
    let sealed = Ending::Sealed {
        n_bytes_dropped: 0,
        sealed_unix_ms: NOW_UNIX_MS,
    };
    let expected = [(Ending::Finished, 3), (sealed, 2), (sealed, 2)];
    assert_eq!(endings.collect::<Vec<_>>(), expected);
    assert!(spool.unfinished().unwrap().is_empty());
}

#[test]
fn what_cannot_be_recovered_stays() {
    let folder = tempfile::tempdir().unwrap();
    let lost = KeyRing::fixed(&[("lost", [9; 32])]);
    let spool = Spool::open(folder.path(), lost, SpoolOptions::default()).unwrap();
    let foreign = *begun(&spool).name();
    drop(spool);
    let spool = open(folder.path());
    let error = spool.recover(&foreign, NOW_UNIX_MS).unwrap_err();
    assert!(matches!(error, SpoolError::Read(ReadError::MissingKey(_))));
    assert_eq!(spool.unfinished().unwrap(), [foreign]);

    // Killed before its header was written: nothing is in it, and it is no reason to stumble again.
    let empty = format!("{}0", &foreign.to_string()[..foreign.to_string().len() - 1]);
    let empty = empty.parse().unwrap();
    fs::write(folder.path().join(format!("open/{empty}.arec")), [0; 100]).unwrap();
    let path = folder.path().join(format!("broken/{empty}.arec"));
    let recovered = spool.recover(&empty, NOW_UNIX_MS).unwrap();
    assert_eq!(recovered, Recovered::Broken { path });
}

#[test]
fn a_file_under_the_name_of_another_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let spool = open(folder.path());
    let (one, two) = (*begun(&spool).name(), *begun(&spool).name());
    let path = |name| folder.path().join(format!("open/{name}.arec"));
    fs::rename(path(one), path(two)).unwrap();
    let read = spool.reader(&two).map(|_| ()).unwrap_err();
    assert!(matches!(read, ReadError::Another));
    let recovered = spool.recover(&two, NOW_UNIX_MS).unwrap_err();
    assert!(matches!(recovered, SpoolError::Read(ReadError::Another)));
    assert_eq!(spool.unfinished().unwrap(), [two]);
}

#[test]
fn what_is_damaged_is_kept_as_it_is() {
    let sample = sample(1);
    let folder = tempfile::tempdir().unwrap();
    let spool = open(folder.path());
    let name = "20261120T091320.250Z-01010101010101010101010101010101";
    let open_path = folder.path().join(format!("open/{name}.arec"));
    let name = name.parse().unwrap();
    let mut bytes = sample.bytes.clone();
    bytes[sample.chunks[1].0 + 60] ^= 1;
    fs::write(&open_path, &bytes).unwrap();
    let at = sample.chunks[1].0 as u64;
    let (path, ending) = (spool.done_path(&name), Ending::Damaged { at });
    let recovered = spool.recover(&name, NOW_UNIX_MS).unwrap();
    assert_eq!(recovered, Recovered::Done { path, ending });
    assert_eq!(fs::read(spool.done_path(&name)).unwrap(), bytes);
}

#[test]
fn a_recording_that_is_dropped_can_be_recovered_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let spool = open(folder.path());
    let recording = begun(&spool);
    let name = *recording.name();
    assert!(spool.unfinished().unwrap().is_empty());
    drop(recording);
    assert_eq!(spool.unfinished().unwrap(), [name]);
    spool.recover(&name, NOW_UNIX_MS).unwrap();
    assert_eq!(spool.stats().n_open, 0);
}

/// Whoever writes and whoever syncs are two threads: each recording is moved once, and none is lost.
#[test]
fn barriers_and_writers_do_not_wait_for_each_other() {
    let folder = tempfile::tempdir().unwrap();
    let spool = open(folder.path());
    let n_moved = std::thread::scope(|scope| {
        let writers = (0..2).map(|_| {
            scope.spawn(|| {
                for _ in 0..40 {
                    begun(&spool).finish(b"{}").unwrap();
                }
            })
        });
        let writers = writers.collect::<Vec<_>>();
        let mut n_moved = 0;
        while !writers.iter().all(|writer| writer.is_finished()) {
            n_moved += spool.barrier().unwrap().n_moved;
        }
        n_moved + spool.barrier().unwrap().n_moved
    });
    assert_eq!(n_moved, 80);
    let usage = spool.usage().unwrap();
    assert_eq!((usage.n_open, usage.n_done), (0, 80));
    assert_eq!(spool.stats().n_open, 0);
}

#[test]
fn times_that_have_no_date_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let spool = open(folder.path());
    let error = spool.create(u64::MAX, b"{}").map(|_| ()).unwrap_err();
    assert!(error.to_string().starts_with("`created_unix_ms` must be"));
    let long = vec![0; crate::MAX_NOTE_BYTES + 1];
    assert!(spool.create(0, &long).is_err());
    assert_eq!(recordings(folder.path()), [""; 0]);
    assert_eq!(spool.stats().n_open, 0);
}

#[test]
fn old_recordings_go_and_those_under_way_stay() {
    let folder = tempfile::tempdir().unwrap();
    let spool = open(folder.path());
    for day in 0..3 {
        let begun = spool.create(CREATED_UNIX_MS + day * DAY_MS, b"{}");
        let mut recording = begun.unwrap();
        recording.flush().unwrap();
        recording.finish(b"{}").unwrap();
    }
    let under_way = begun(&spool);
    spool.barrier().unwrap();
    let foreign = folder.path().join("done/2026-11-20/notes.txt");
    fs::write(&foreign, "a person's").unwrap();
    assert_eq!(spool.expire(CREATED_UNIX_MS).unwrap(), 0);
    assert_eq!(spool.expire(CREATED_UNIX_MS + 2 * DAY_MS).unwrap(), 2);
    let left = recordings(folder.path());
    assert_eq!(left.len(), 2, "{left:?}");
    assert!(left[0].starts_with("done/2026-11-22/"), "{left:?}");
    assert_eq!(left[1], format!("open/{}.arec", under_way.name()));
    assert!(foreign.exists() && !folder.path().join("done/2026-11-21").exists());
}

#[test]
fn what_was_put_aside_is_counted_and_goes_when_it_is_old() {
    let folder = tempfile::tempdir().unwrap();
    let spool = open(folder.path());
    let names = [0, 2].map(|day| {
        let begun = spool.create(CREATED_UNIX_MS + day * DAY_MS, b"{}");
        *begun.unwrap().name()
    });
    let put_aside = names.map(|name| spool.put_aside(&name).unwrap());
    let foreign = folder.path().join("broken/notes.txt");
    fs::write(&foreign, "a person's").unwrap();
    let n_bytes = put_aside.map(|path| path.metadata().unwrap().len());
    let usage = spool.usage().unwrap();
    assert_eq!((usage.n_open, usage.n_done, usage.n_broken), (0, 0, 2));
    assert_eq!(usage.broken_bytes, n_bytes.iter().sum::<u64>());
    assert_eq!(spool.expire(CREATED_UNIX_MS).unwrap(), 0);
    assert_eq!(spool.expire(CREATED_UNIX_MS + DAY_MS).unwrap(), 1);
    let later = format!("broken/{}.arec", names[1]);
    assert_eq!(recordings(folder.path()), [later]);
    assert!(foreign.exists());
}

#[test]
fn what_begins_after_other_keys_came_lies_under_them() {
    let folder = tempfile::tempdir().unwrap();
    let spool = open(folder.path());
    let mut before = begun(&spool);
    let newer = ("2026-12", [8; 32]);
    spool.replace_keys(KeyRing::fixed(&[newer, ("2026-11", [7; 32])]));
    let after = begun(&spool);
    let key_of = |recording: &SpoolRecording| {
        let reader = spool.reader(recording.name())?;
        Ok::<_, ReadError>(reader.info().key.to_string())
    };
    assert_eq!(key_of(&before).unwrap(), "2026-11");
    assert_eq!(key_of(&after).unwrap(), "2026-12");

    // One that goes on needs its key to be read, and not to be written.
    spool.replace_keys(KeyRing::fixed(&[newer]));
    before.append(packet(0, 1).record()).unwrap();
    before.finish(b"{}").unwrap();
    assert!(matches!(key_of(&before), Err(ReadError::MissingKey(_))));
    assert_eq!(key_of(&after).unwrap(), "2026-12");
}
