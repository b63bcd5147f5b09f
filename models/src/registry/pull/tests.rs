//! Pulls against a server on the loopback interface.

use std::fs;
use std::io::Write;
use std::sync::Mutex;

use tempfile::TempDir;
use tokio::net::TcpListener;

use super::*;
use crate::registry::test_server::{Resource, TestServer};
use crate::registry::verify::hex;
use sha2::{Digest, Sha256};

/// What a progress bar would have seen.
#[derive(Default)]
struct Seen {
    starts: Mutex<Vec<(String, Option<u64>, u64)>>,
    notes: Mutex<Vec<String>>,
}

impl PullProgress for Seen {
    fn start(&self, label: &str, total_bytes: Option<u64>, have_bytes: u64) {
        self.starts
            .lock()
            .unwrap()
            .push((label.to_owned(), total_bytes, have_bytes));
    }
    fn advance(&self, _n_bytes: u64) {}
    fn finish(&self, _label: &str) {}
    fn note(&self, message: &str) {
        self.notes.lock().unwrap().push(message.to_owned());
    }
}

/// 50,000 bytes that do not repeat.
fn weights() -> Vec<u8> {
    (0..50_000_u32)
        .map(|n| (n.wrapping_mul(2_654_435_761) >> 24) as u8)
        .collect()
}

fn sum(bytes: &[u8]) -> String {
    hex(Sha256::digest(bytes).as_slice())
}

fn quick() -> PullOptions {
    PullOptions {
        retry_pause: Duration::ZERO,
        // The environment of whoever runs the tests must not reroute the loopback interface.
        proxy: Proxy::Direct,
        ..PullOptions::default()
    }
}

/// A store whose first folder has one card, `own`, with this tail.
fn store(tail: &str) -> (TempDir, ModelStore) {
    let dir = tempfile::tempdir().unwrap();
    fs::create_dir(dir.path().join("cards")).unwrap();
    let card = format!(
        "name = 'own'\nkind = 'vad'\nengine = 'ort'\nlanguages = []\ndescription = ''\n\
         licence = ''\nsource = 'https://example.org/own'\n{tail}"
    );
    fs::write(dir.path().join("cards/own.toml"), card).unwrap();
    let store = ModelStore::open(vec![dir.path().to_path_buf()]).unwrap();
    assert_eq!(store.warnings(), []);
    (dir, store)
}

fn one_file(urls: &[String], sha256: &str, size_bytes: usize) -> String {
    format!(
        "[[file]]\npath = 'sub/a.onnx'\nsha256 = '{sha256}'\nsize_bytes = {size_bytes}\nurls = {urls:?}\n"
    )
}

async fn pull(store: &ModelStore) -> (Result<VerifyReport, PullError>, Seen) {
    let seen = Seen::default();
    let outcome = store.pull("own", &quick(), &seen).await;
    (outcome, seen)
}

fn names(folder: &Path) -> Vec<String> {
    let mut names: Vec<String> = walk(folder, folder);
    names.retain(|name| name != ".pull.lock");
    names.sort();
    names
}

fn walk(folder: &Path, root: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path());
    entries
        .flat_map(|path| {
            if path.is_dir() {
                walk(&path, root)
            } else {
                vec![path.strip_prefix(root).unwrap().display().to_string()]
            }
        })
        .collect()
}

#[tokio::test]
async fn a_file_arrives_whole_and_is_not_fetched_twice() {
    let server = TestServer::start().await;
    server.put("/a", Resource::plain(weights()));
    let (dir, store) = store(&one_file(&[server.url("/a")], &sum(&weights()), 50_000));
    let (outcome, seen) = pull(&store).await;
    assert!(outcome.unwrap().is_good());
    assert_eq!(names(&dir.path().join("own")), ["sub/a.onnx"]);
    assert_eq!(
        *seen.starts.lock().unwrap(),
        [("own/sub/a.onnx".into(), Some(50_000), 0)]
    );
    assert!(pull(&store).await.0.unwrap().is_good());
    assert_eq!(server.requests(), ["/a"]);
}

#[tokio::test]
async fn a_cut_download_continues_where_it_stopped() {
    let server = TestServer::start().await;
    server.put(
        "/a",
        Resource::ranged(weights(), "\"v1\"").cut(&[20_000, 10_000]),
    );
    let (_dir, store) = store(&one_file(&[server.url("/a")], &sum(&weights()), 50_000));
    let (outcome, seen) = pull(&store).await;
    assert!(outcome.unwrap().is_good());
    assert_eq!(
        server.requests(),
        ["/a", "/a bytes=20000-", "/a bytes=30000-"]
    );
    assert_eq!(seen.starts.lock().unwrap()[2].2, 30_000);
}

#[tokio::test]
async fn a_killed_pull_is_continued_by_the_next_one() {
    let server = TestServer::start().await;
    server.put("/a", Resource::ranged(weights(), "\"v1\""));
    let (dir, store) = store(&one_file(&[server.url("/a")], &sum(&weights()), 50_000));
    let part = dir.path().join("own/sub/a.onnx.part");
    fs::create_dir_all(part.parent().unwrap()).unwrap();
    fs::write(&part, &weights()[..49_000]).unwrap();
    assert!(pull(&store).await.0.unwrap().is_good());
    assert_eq!(server.requests(), ["/a bytes=49000-"]);
    // Killed between the last byte and the renaming: nothing is fetched at all.
    fs::rename(dir.path().join("own/sub/a.onnx"), &part).unwrap();
    assert!(pull(&store).await.0.unwrap().is_good());
    assert_eq!(server.requests().len(), 1);
}

#[tokio::test]
async fn a_part_of_something_else_starts_again() {
    let server = TestServer::start().await;
    server.put("/a", Resource::ranged(weights(), "\"v1\""));
    let (dir, store) = store(&one_file(&[server.url("/a")], &sum(&weights()), 50_000));
    let part = dir.path().join("own/sub/a.onnx.part");
    fs::create_dir_all(part.parent().unwrap()).unwrap();
    fs::write(&part, [0; 1_000]).unwrap();
    let (outcome, seen) = pull(&store).await;
    assert!(outcome.unwrap().is_good());
    assert_eq!(server.requests(), ["/a bytes=1000-", "/a"]);
    assert!(seen.notes.lock().unwrap()[0].contains("wrong checksum"));
}

#[tokio::test]
async fn without_checksum_only_the_same_version_is_continued() {
    let server = TestServer::start().await;
    server.put("/a", Resource::ranged(weights(), "\"v2\""));
    let tail = format!("[[file]]\npath = 'a'\nurls = ['{}']\n", server.url("/a"));
    let (dir, store) = store(&tail);
    let part = dir.path().join("own/a.part");
    fs::create_dir_all(part.parent().unwrap()).unwrap();
    fs::write(&part, [0; 1_000]).unwrap();
    fs::write(
        dir.path().join("own/a.part.from"),
        format!("{}\n\"v1\"\n", server.url("/a")),
    )
    .unwrap();
    assert!(pull(&store).await.0.unwrap().is_good());
    assert_eq!(fs::read(dir.path().join("own/a")).unwrap(), weights());
    // The server saw the old version's tag and sent the whole.
    assert_eq!(server.requests(), ["/a bytes=1000-"]);
}

#[tokio::test]
async fn a_server_without_ranges_starts_again() {
    let server = TestServer::start().await;
    server.put("/a", Resource::plain(weights()).cut(&[20_000]));
    let (_dir, store) = store(&one_file(&[server.url("/a")], &sum(&weights()), 50_000));
    let (outcome, seen) = pull(&store).await;
    assert!(outcome.unwrap().is_good());
    assert_eq!(server.requests(), ["/a", "/a bytes=20000-"]);
    assert_eq!(seen.starts.lock().unwrap()[1].2, 0);
}

#[tokio::test]
async fn a_new_validator_never_stands_over_old_bytes() {
    let server = TestServer::start().await;
    server.put("/a", Resource::ranged(weights(), "\"v2\""));
    let tail = format!("[[file]]\npath = 'a'\nurls = ['{}']\n", server.url("/a"));
    let (dir, store) = store(&tail);
    let part = dir.path().join("own/a.part");
    fs::create_dir_all(part.parent().unwrap()).unwrap();
    // No note: the server is asked for the whole. Where the note cannot be written, as after a stop
    // at that moment, the part must be empty already.
    fs::write(&part, [0; 1_000]).unwrap();
    fs::create_dir(dir.path().join("own/a.part.from")).unwrap();
    assert!(pull(&store).await.0.is_err());
    assert_eq!(fs::metadata(&part).unwrap().len(), 0);
}

#[tokio::test]
async fn a_whole_copy_in_another_folder_is_enough() {
    let server = TestServer::start().await;
    server.put("/a", Resource::plain(weights()));
    let (dir, _) = store(&one_file(&[server.url("/a")], &sum(&weights()), 50_000));
    let other = tempfile::tempdir().unwrap();
    let copy = other.path().join("own/sub/a.onnx");
    fs::create_dir_all(copy.parent().unwrap()).unwrap();
    fs::write(&copy, weights()).unwrap();
    let dirs = vec![dir.path().to_path_buf(), other.path().to_path_buf()];
    let own = ModelStore::open(dirs).unwrap();
    let report = pull(&own).await.0.unwrap();
    assert!(report.is_good());
    assert_eq!(report.folder, other.path().join("own"));
    assert_eq!(server.requests(), [""; 0]);

    let mut damaged = weights();
    damaged[7] ^= 1;
    fs::write(&copy, damaged).unwrap();
    let report = pull(&own).await.0.unwrap();
    assert_eq!(report.folder, dir.path().join("own"));
    assert_eq!(server.requests(), ["/a"]);
}

#[tokio::test]
async fn a_wrong_checksum_is_refused_and_the_next_address_asked() {
    let server = TestServer::start().await;
    let mut wrong = weights();
    wrong[123] ^= 1;
    server.put("/wrong", Resource::plain(wrong));
    server.put("/right", Resource::plain(weights()));
    let good = [server.url("/wrong"), server.url("/right")];
    let (dir, own) = store(&one_file(&good, &sum(&weights()), 50_000));
    assert!(pull(&own).await.0.unwrap().is_good());
    assert_eq!(
        fs::read(dir.path().join("own/sub/a.onnx")).unwrap(),
        weights()
    );

    let (dir, own) = store(&one_file(&good[..1], &sum(&weights()), 50_000));
    let message = pull(&own).await.0.unwrap_err().to_string();
    assert!(
        message.contains("127.0.0.1") && message.contains("wrong checksum"),
        "{message}"
    );
    assert_eq!(names(&dir.path().join("own")), [""; 0]);
}

#[tokio::test]
async fn not_found_names_host_cause_folder_and_files() {
    let server = TestServer::start().await;
    let (dir, store) = store(&one_file(&[server.url("/a")], &sum(&weights()), 50_000));
    let message = pull(&store).await.0.unwrap_err().to_string();
    let folder = dir.path().join("own").display().to_string();
    for part in [
        "`sub/a.onnx` of model `own` could not be fetched",
        "127.0.0.1:",
        "answered 404",
        "AURICLE_MODEL_MIRROR",
        "models.mirror",
        folder.as_str(),
        "auricle models verify own`: sub/a.onnx",
        "https://example.org/own",
    ] {
        assert!(message.contains(part), "{part}: {message}");
    }
    assert_eq!(server.requests().len(), 1);
}

#[tokio::test]
async fn passing_server_errors_are_tried_again_and_the_wrong_size_is_not() {
    let server = TestServer::start().await;
    server.put("/a", Resource::plain(weights()).statuses(&[503, 500]));
    let (_dir, own) = store(&one_file(&[server.url("/a")], &sum(&weights()), 50_000));
    assert!(pull(&own).await.0.unwrap().is_good());
    assert_eq!(server.requests().len(), 3);

    let (_dir, own) = store(&one_file(&[server.url("/a")], &sum(&weights()), 49_999));
    let message = pull(&own).await.0.unwrap_err().to_string();
    assert!(
        message.contains("offers 50000 bytes, the card says 49999"),
        "{message}"
    );
    assert_eq!(server.requests().len(), 4);
}

#[tokio::test]
async fn a_host_that_cannot_be_reached_is_named() {
    // A port that was free a moment ago and is not listened on.
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let urls = [
        format!("http://{address}/a"),
        "http://no-such-host.invalid/a".to_owned(),
    ];
    let (_dir, store) = store(&one_file(&urls, &sum(b""), 0));
    let message = pull(&store).await.0.unwrap_err().to_string();
    assert!(
        message.contains(&format!("{address}: cannot connect")),
        "{message}"
    );
    assert!(message.contains("no-such-host.invalid: "), "{message}");
}

#[tokio::test]
async fn a_mirror_goes_first_and_serves_cards_without_address() {
    let server = TestServer::start().await;
    server.put("/copy/own/sub/a.onnx", Resource::plain(weights()));
    let (_dir, store) = store(&one_file(&[], &sum(&weights()), 50_000));
    let message = pull(&store).await.0.unwrap_err().to_string();
    assert!(message.contains("its card has no address"), "{message}");
    let options = PullOptions {
        mirrors: vec![server.url("/copy/")],
        ..quick()
    };
    assert!(
        store
            .pull("own", &options, &Silent)
            .await
            .unwrap()
            .is_good()
    );
}

#[tokio::test]
async fn an_optional_file_that_cannot_be_had_is_no_failure() {
    let server = TestServer::start().await;
    server.put("/a", Resource::plain(weights()));
    let tail = one_file(&[server.url("/a")], &sum(&weights()), 50_000);
    let (_dir, store) = store(&format!("{tail}[[file]]\npath = 'b'\nneed = 'optional'\n"));
    let report = pull(&store).await.0.unwrap();
    assert_eq!(report.files[1].verdict, FileVerdict::Missing);
}

#[tokio::test]
async fn two_pulls_of_one_model_do_not_mix() {
    let (dir, store) = store(&one_file(&[], &sum(b""), 0));
    let folder = dir.path().join("own");
    fs::create_dir_all(&folder).unwrap();
    let held = lock(&folder).unwrap();
    assert!(matches!(pull(&store).await.0, Err(PullError::Busy(_))));
    drop(held);
    assert!(!matches!(pull(&store).await.0, Err(PullError::Busy(_))));
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_full_disk_is_told_with_what_is_needed() {
    let server = TestServer::start().await;
    server.put("/a", Resource::plain(weights()));
    let (dir, store) = store(&one_file(&[server.url("/a")], &sum(&weights()), 50_000));
    let part = dir.path().join("own/sub/a.onnx.part");
    fs::create_dir_all(part.parent().unwrap()).unwrap();
    // The device that answers every write with "no space left".
    std::os::unix::fs::symlink("/dev/full", &part).unwrap();
    let error = pull(&store).await.0.unwrap_err();
    assert!(matches!(error, PullError::DiskFull { .. }), "{error}");
    let message = error.to_string();
    assert!(
        message.contains("a.onnx.part` cannot be written, it needs 50000 bytes"),
        "{message}"
    );
}

fn tar_bz2(members: &[(&str, &[u8])]) -> Vec<u8> {
    bz2(&tar_of(members))
}

fn bz2(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = bzip2::write::BzEncoder::new(Vec::new(), bzip2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn tar_of(members: &[(&str, &[u8])]) -> Vec<u8> {
    let mut builder = tar::Builder::new(Vec::new());
    for (path, content) in members {
        let mut header = tar::Header::new_gnu();
        header.set_size(content.len() as u64);
        header.set_mode(0o644);
        // Written by hand: the builder itself refuses paths that climb.
        header.as_mut_bytes()[..path.len()].copy_from_slice(path.as_bytes());
        header.set_cksum();
        builder.append(&header, *content).unwrap();
    }
    builder.into_inner().unwrap()
}

fn zip_of(members: &[(&str, &[u8])]) -> Vec<u8> {
    let mut writer = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for (path, content) in members {
        let options = zip::write::SimpleFileOptions::default();
        writer.start_file(*path, options).unwrap();
        writer.write_all(content).unwrap();
    }
    writer.finish().unwrap().into_inner()
}

fn archived(server: &TestServer, name: &str, format: &str, unpack: &str) -> String {
    format!(
        "[[archive]]\nurls = ['{}']\nformat = '{format}'\nfolder = 'top'\nunpack = '{unpack}'\n\
         [[file]]\npath = 'sub/a.onnx'\nsha256 = '{}'\n",
        server.url(name),
        sum(&weights())
    )
}

#[tokio::test]
async fn an_archive_gives_the_listed_files_and_goes() {
    let server = TestServer::start().await;
    let members: [(&str, &[u8]); 3] = [
        ("top/sub/a.onnx", &weights()),
        ("top/readme", b"x"),
        ("other/sub/a.onnx", b"y"),
    ];
    let packed = tar_bz2(&members);
    server.put("/m.tar.bz2", Resource::ranged(packed, "\"1\"").cut(&[100]));
    let (dir, store) = store(&archived(&server, "/m.tar.bz2", "tar.bz2", "listed"));
    assert!(pull(&store).await.0.unwrap().is_good());
    assert_eq!(names(&dir.path().join("own")), ["sub/a.onnx"]);
    assert_eq!(server.requests(), ["/m.tar.bz2", "/m.tar.bz2 bytes=100-"]);
}

#[tokio::test]
async fn a_zip_can_give_every_file() {
    let server = TestServer::start().await;
    let members: [(&str, &[u8]); 2] = [("top/sub/a.onnx", &weights()), ("top/conf/b.conf", b"x")];
    server.put("/m.zip", Resource::plain(zip_of(&members)));
    let (dir, store) = store(&archived(&server, "/m.zip", "zip", "all"));
    assert!(pull(&store).await.0.unwrap().is_good());
    assert_eq!(
        names(&dir.path().join("own")),
        ["conf/b.conf", "sub/a.onnx"]
    );
}

#[tokio::test]
async fn an_archive_replaces_only_what_was_lacking() {
    let server = TestServer::start().await;
    let members: [(&str, &[u8]); 2] =
        [("top/sub/a.onnx", &weights()), ("top/b.txt", b"other text")];
    server.put("/m.tar.bz2", Resource::plain(tar_bz2(&members)));
    let card = format!(
        "{}[[file]]\npath = 'b.txt'\nsha256 = '{}'\n",
        archived(&server, "/m.tar.bz2", "tar.bz2", "listed"),
        sum(b"right text")
    );
    let (dir, store) = store(&card);
    let right = dir.path().join("own/b.txt");
    fs::create_dir(dir.path().join("own")).unwrap();
    fs::write(&right, b"right text").unwrap();
    assert!(pull(&store).await.0.unwrap().is_good());
    assert_eq!(fs::read(&right).unwrap(), b"right text");
    assert!(store.verify("own").unwrap().is_good());
}

#[tokio::test]
async fn two_archives_make_one_model_and_need_not_hold_what_is_optional() {
    let server = TestServer::start().await;
    let whole = tar_of(&[("top/sub/a.onnx", &weights())]);
    // As packers with several threads write it: two streams, one behind the other.
    let (first, second) = whole.split_at(whole.len() / 2);
    server.put(
        "/m.tar.bz2",
        Resource::plain([bz2(first), bz2(second)].concat()),
    );
    server.put("/n.zip", Resource::plain(zip_of(&[("b.txt", b"x")])));
    let card = format!(
        "{}[[archive]]\nurls = ['{}']\nformat = 'zip'\n\
         [[file]]\npath = 'b.txt'\n[[file]]\npath = 'c.txt'\nneed = 'optional'\n",
        archived(&server, "/m.tar.bz2", "tar.bz2", "listed"),
        server.url("/n.zip")
    );
    let (dir, store) = store(&card);
    assert!(pull(&store).await.0.unwrap().is_good());
    assert_eq!(names(&dir.path().join("own")), ["b.txt", "sub/a.onnx"]);
}

#[tokio::test]
async fn hostile_damaged_and_wrong_archives_leave_nothing() {
    let climbing = tar_bz2(&[("top/../../escaped", b"x")]);
    let mut damaged = tar_bz2(&[("top/sub/a.onnx", &weights())]);
    let middle = damaged.len() / 2;
    damaged.truncate(middle);
    let wrong = tar_bz2(&[("top/sub/a.onnx", b"other weights")]);
    let lacking = tar_bz2(&[("top/readme", b"x")]);
    for (packed, expected) in [
        (climbing, "leaves the folder"),
        (damaged, "the archive is damaged"),
        (
            b"<html>please log in</html>".to_vec(),
            "the archive is damaged",
        ),
        (wrong, "is not the right file: wrong checksum"),
        (lacking, "is not the right file: missing"),
    ] {
        let server = TestServer::start().await;
        server.put("/m.tar.bz2", Resource::plain(packed));
        let (dir, store) = store(&archived(&server, "/m.tar.bz2", "tar.bz2", "all"));
        let message = pull(&store).await.0.unwrap_err().to_string();
        assert!(message.contains(expected), "{message}");
        assert_eq!(names(&dir.path().join("own")), [""; 0]);
        assert!(!dir.path().join("escaped").exists());
    }
}

#[test]
fn archives_are_bounded() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("m");
    fs::write(&file, tar_bz2(&[("a", &[0; 5_000]), ("b", &[0; 5_000])])).unwrap();
    let archive = ModelArchive {
        urls: Vec::new(),
        format: crate::registry::ArchiveFormat::TarBz2,
        sha256: None,
        folder: String::new(),
        unpack: crate::registry::Unpack::All,
    };
    let (_dir, store) = store(&one_file(&[], &sum(b""), 0));
    let card = store.card("own").unwrap();
    let attempt = |n_members, total_bytes| {
        let into = tempfile::tempdir().unwrap();
        let limits = Limits {
            n_members,
            total_bytes,
        };
        unpack(&file, &archive, card, into.path(), limits).map_err(|error| error.to_string())
    };
    assert_eq!(attempt(2, 10_000).unwrap().len(), 2);
    assert!(
        attempt(1, 10_000)
            .unwrap_err()
            .contains("more than 1 members")
    );
    assert!(
        attempt(2, 9_999)
            .unwrap_err()
            .contains("more than 9999 bytes")
    );
}
