//! Fetches a model: its files from their addresses, or out of an archive; checked, then renamed into place.
//!
//! An interrupted pull leaves `.part` files that the next one continues; a file of the model appears
//! under its own name only after its checksum matched.

use std::fs::TryLockError;
use std::io;
use std::path::Path;
use std::time::Duration;

use reqwest::Client;

use super::archive::{Limits, UnpackError, unpack};
use super::card::{ModelArchive, ModelCard, ModelFile, Need};
use super::download::{Begun, Checked, DownloadError, Target, download};
use super::pull_error::{ByHand, PullError, disk_error};
use super::site::{self, Retry, SiteFailure};
use super::store::{ModelState, ModelStore};
use super::verify::{Depth, FileVerdict, VerifyReport, check_file, check_folder, sha256_of_file};

/// Longest file that is taken where a card does not say a size: the largest Whisper model has 3 GiB.
const MAX_FILE_BYTES: u64 = 8 << 30;
/// Attempts at one address before the next.
const ATTEMPTS: u32 = 4;

/// How models are fetched.
#[derive(Clone, Debug)]
pub struct PullOptions {
    /// Copies of the models, asked before the cards' addresses. A mirror serves a file as
    /// `<mirror>/<model>/<file>` (a models folder behind a web server) and an archive by its name.
    pub mirrors: Vec<String>,
    /// How requests leave the house.
    pub proxy: Proxy,
    /// Longest wait for a connection.
    pub connect_timeout: Duration,
    /// Longest silence in the middle of an answer.
    pub read_timeout: Duration,
    /// Pause before the second attempt at an address; it grows with each.
    pub retry_pause: Duration,
}

/// How requests leave the house.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Proxy {
    /// By `HTTPS_PROXY`, `HTTP_PROXY`, `ALL_PROXY` and `NO_PROXY`.
    #[default]
    Environment,
    /// By none, whatever the environment says.
    Direct,
    /// By this one.
    At(String),
}

impl Default for PullOptions {
    fn default() -> Self {
        Self {
            mirrors: Vec::new(),
            proxy: Proxy::Environment,
            connect_timeout: Duration::from_secs(15),
            read_timeout: Duration::from_secs(60),
            retry_pause: Duration::from_secs(1),
        }
    }
}

impl PullOptions {
    /// The given mirrors, then those of `AURICLE_MODEL_MIRROR` (separated by white space).
    pub fn with_mirrors(mirrors: impl IntoIterator<Item = String>) -> Self {
        let mut all: Vec<String> = mirrors.into_iter().collect();
        all.extend(site::mirrors_of_environment());
        Self {
            mirrors: all,
            ..Self::default()
        }
    }
}

/// Told how a pull goes; a progress bar implements it.
pub trait PullProgress: Send + Sync {
    /// A file begins, or begins again; `have_bytes` of `total_bytes` are there from before.
    fn start(&self, label: &str, total_bytes: Option<u64>, have_bytes: u64);
    /// More of the file arrived.
    fn advance(&self, n_bytes: u64);
    /// The file is in place.
    fn finish(&self, label: &str);
    /// Something a person should see: an address that failed, another that is tried.
    fn note(&self, message: &str);
}

/// Shows nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct Silent;

impl PullProgress for Silent {
    fn start(&self, _label: &str, _total_bytes: Option<u64>, _have_bytes: u64) {}
    fn advance(&self, _n_bytes: u64) {}
    fn finish(&self, _label: &str) {}
    fn note(&self, _message: &str) {}
}

impl ModelStore {
    /// Fetches what a model lacks into the first models folder and checks it; files that are there and
    /// right are left alone, and so is everything where another of the folders has the model whole.
    /// The report covers every file. Each file is read for its checksum once.
    ///
    /// # Errors
    /// When the name is unknown, no address gives the right content, or the disk refuses.
    pub async fn pull(
        &self,
        name: &str,
        options: &PullOptions,
        progress: &dyn PullProgress,
    ) -> Result<VerifyReport, PullError> {
        let listed = self.state(name)?;
        let card = listed.card;
        if listed.state == ModelState::Carried {
            return Ok(self.verify(name)?);
        }
        let folder = self
            .dirs()
            .first()
            .ok_or(PullError::NoFolder)?
            .join(&card.name);
        if listed.state == ModelState::Installed && listed.folder != folder {
            let elsewhere = report(card, &listed.folder, Depth::Checksum).await?;
            if has_all_there_is(card, &elsewhere) {
                return Ok(elsewhere);
            }
        }
        create_folder(&folder)?;
        let _lock = lock(&folder)?;
        let client = site::client(options).map_err(PullError::Client)?;
        Pull {
            card,
            folder: &folder,
            options,
            progress,
            client,
        }
        .run()
        .await
    }
}

fn create_folder(folder: &Path) -> Result<(), PullError> {
    std::fs::create_dir_all(folder).map_err(|cause| disk_error(folder, cause, None))
}

/// Held while a model is fetched. The file stays: removing it would let a waiting process lock a
/// name that is gone.
fn lock(folder: &Path) -> Result<std::fs::File, PullError> {
    let path = folder.join(".pull.lock");
    let file = std::fs::File::create(&path).map_err(|cause| disk_error(&path, cause, None))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(PullError::Busy(folder.to_path_buf())),
        Err(TryLockError::Error(cause)) => Err(disk_error(&path, cause, None)),
    }
}

/// Work on the file system that may take long, away from the async threads.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> io::Result<T> {
    tokio::task::spawn_blocking(work)
        .await
        .map_err(io::Error::other)
}

/// Checks a model's files, away from the async threads.
async fn report(card: &ModelCard, folder: &Path, depth: Depth) -> Result<VerifyReport, PullError> {
    let work = {
        let (card, folder) = (card.clone(), folder.to_path_buf());
        move || check_folder(&card, &folder, depth)
    };
    let report = blocking(work).await;
    report.map_err(|cause| disk_error(folder, cause, None))
}

/// Whether nothing is left to fetch: only optional files without an address may be missing.
fn has_all_there_is(card: &ModelCard, report: &VerifyReport) -> bool {
    let has_address = |file: &ModelFile| !file.urls.is_empty() || !card.archives.is_empty();
    let mut files = card.files.iter().zip(&report.files);
    files.all(|(file, found)| found.verdict.is_usable() || (found.is_good() && !has_address(file)))
}

/// One running pull.
struct Pull<'a> {
    card: &'a ModelCard,
    folder: &'a Path,
    options: &'a PullOptions,
    progress: &'a dyn PullProgress,
    client: Client,
}

impl Pull<'_> {
    async fn run(&self) -> Result<VerifyReport, PullError> {
        let mut report = report(self.card, self.folder, Depth::Checksum).await?;
        let mut failures = Vec::new();
        for file in self.lacking(&report) {
            if let Err(mut tried) = self.fetch_file(&file).await? {
                failures.append(&mut tried);
                if self.card.archives.is_empty() && file.need == Need::Required {
                    return Err(self.unreachable(&file.path, failures));
                }
            } else {
                self.note_fetched(&mut report, std::slice::from_ref(&file));
            }
        }
        for archive in &self.card.archives {
            let lacking = self.lacking(&report);
            if lacking.is_empty() {
                break;
            }
            if let Err(mut tried) = self.fetch_archive(archive, &lacking).await? {
                failures.append(&mut tried);
                return Err(self.unreachable(file_name(archive), failures));
            }
            self.note_fetched(&mut report, &lacking);
        }
        if report.is_good() {
            Ok(report)
        } else {
            Err(PullError::NotWhole(report))
        }
    }

    /// Files that are not there or not right.
    fn lacking(&self, report: &VerifyReport) -> Vec<ModelFile> {
        let files = self.card.files.iter().zip(&report.files);
        files
            .filter(|(_, found)| !found.verdict.is_usable())
            .map(|(file, _)| file.clone())
            .collect()
    }

    /// Files that came were judged by their checksums before they got their names: their presence is
    /// all that is looked at here.
    fn note_fetched(&self, report: &mut VerifyReport, fetched: &[ModelFile]) {
        for found in &mut report.files {
            if let Some(file) = fetched.iter().find(|file| file.path == found.path) {
                let place = self.folder.join(&file.path);
                found.verdict = check_file(file, &place, Depth::Size);
            }
        }
    }

    fn unreachable(&self, file: &str, failures: Vec<(String, String)>) -> PullError {
        let by_hand = ByHand {
            name: self.card.name.clone(),
            folder: self.folder.to_path_buf(),
            files: self
                .card
                .files
                .iter()
                .map(|file| file.path.clone())
                .collect(),
            source: self.card.source.clone(),
            note: self.card.by_hand.clone(),
        };
        PullError::Unreachable {
            name: self.card.name.clone(),
            file: file.to_owned(),
            failures,
            by_hand: Box::new(by_hand),
        }
    }

    /// Fetches one file from its own addresses; the inner error lists those that failed.
    async fn fetch_file(&self, file: &ModelFile) -> Result<Result<(), Failures>, PullError> {
        let path = format!("{}/{}", self.card.name, file.path);
        let mirrored = self
            .options
            .mirrors
            .iter()
            .map(|mirror| site::below(mirror, &path));
        let urls: Vec<String> = mirrored.chain(file.urls.iter().cloned()).collect();
        let target = Target {
            label: path,
            file: self.folder.join(&file.path),
            size_bytes: file.size_bytes,
            max_bytes: MAX_FILE_BYTES,
            checked: if file.sha256.is_some() {
                Checked::BySum
            } else {
                Checked::NotAtAll
            },
        };
        if let Some(parent) = target.file.parent() {
            create_folder(parent)?;
        }
        self.fetch(&urls, &target, file.sha256.as_deref()).await
    }

    /// Fetches an archive, takes the files out of it aside, checks them, and moves them in.
    async fn fetch_archive(
        &self,
        archive: &ModelArchive,
        lacking: &[ModelFile],
    ) -> Result<Result<(), Failures>, PullError> {
        let name = file_name(archive);
        let mirrored = self
            .options
            .mirrors
            .iter()
            .map(|mirror| site::below(mirror, name));
        let urls: Vec<String> = mirrored.chain(archive.urls.iter().cloned()).collect();
        let target = Target {
            label: name.to_owned(),
            file: self.folder.join(format!(".{name}")),
            size_bytes: None,
            max_bytes: MAX_FILE_BYTES,
            checked: if archive.sha256.is_some() {
                Checked::BySum
            } else {
                Checked::NotAtAll
            },
        };
        let mut failures = Vec::new();
        for url in &urls {
            let one = std::slice::from_ref(url);
            if let Err(mut tried) = self.fetch(one, &target, archive.sha256.as_deref()).await? {
                failures.append(&mut tried);
                continue;
            }
            let unpacked = self.unpack(archive, &target.file, lacking).await;
            let _ = std::fs::remove_file(&target.file);
            match unpacked? {
                Ok(()) => return Ok(Ok(())),
                Err(cause) => self.failed(url, cause, &mut failures),
            }
        }
        Ok(Err(failures))
    }

    async fn unpack(
        &self,
        archive: &ModelArchive,
        packed: &Path,
        lacking: &[ModelFile],
    ) -> Result<Result<(), String>, PullError> {
        let staging = self.folder.join(".unpacked");
        let _ = std::fs::remove_dir_all(&staging);
        create_folder(&staging)?;
        let work = {
            let (archive, card, packed) =
                (archive.clone(), self.card.clone(), packed.to_path_buf());
            let (staging, folder, lacking) =
                (staging.clone(), self.folder.to_path_buf(), lacking.to_vec());
            move || unpack_into(&packed, &archive, &card, &staging, &folder, &lacking)
        };
        let outcome = blocking(work).await;
        let _ = std::fs::remove_dir_all(&staging);
        match outcome.map_err(|cause| disk_error(&staging, cause, None))? {
            Ok(()) => Ok(Ok(())),
            Err(UnpackError::Archive(cause)) => Ok(Err(cause)),
            Err(UnpackError::Disk(cause)) => Err(disk_error(self.folder, cause, None)),
        }
    }

    fn failed(&self, url: &str, cause: String, failures: &mut Failures) {
        let host = site::host(url);
        self.progress.note(&format!("{host}: {cause}"));
        failures.push((host, cause));
    }

    /// Fetches from the first address that gives the right content.
    async fn fetch(
        &self,
        urls: &[String],
        target: &Target,
        sha256: Option<&str>,
    ) -> Result<Result<(), Failures>, PullError> {
        let error = |cause| disk_error(&target.part(), cause, target.size_bytes);
        let mut failures = Failures::new();
        if self.adopt(target, sha256).await.map_err(error)? {
            return Ok(Ok(()));
        }
        for url in urls {
            for attempt in 1..=ATTEMPTS {
                let failure = match download(&self.client, url, target, self.progress).await {
                    Ok(begun) => match self.judge(target, sha256, begun).await.map_err(error)? {
                        None => {
                            target.commit().await.map_err(error)?;
                            self.progress.finish(&target.label);
                            return Ok(Ok(()));
                        }
                        Some(failure) => failure,
                    },
                    Err(DownloadError::Site(failure)) => failure,
                    Err(DownloadError::Disk(cause)) => return Err(error(cause)),
                };
                if failure.retry == Retry::Never || attempt == ATTEMPTS {
                    self.failed(url, failure.cause, &mut failures);
                    break;
                }
                self.progress.note(&format!(
                    "{}: {}, trying again",
                    site::host(url),
                    failure.cause
                ));
                tokio::time::sleep(site::pause(self.options, attempt)).await;
            }
        }
        Ok(Err(failures))
    }

    /// Takes a part that an earlier run fetched whole but did not rename.
    async fn adopt(&self, target: &Target, sha256: Option<&str>) -> io::Result<bool> {
        let (Some(size_bytes), Some(expected)) = (target.size_bytes, sha256) else {
            return Ok(false);
        };
        let part = target.part();
        if !part
            .metadata()
            .is_ok_and(|metadata| metadata.len() == size_bytes)
        {
            return Ok(false);
        }
        let is_right = blocking(move || sha256_of_file(&part)).await?? == expected;
        if is_right {
            target.commit().await?;
            self.progress.finish(&target.label);
        }
        Ok(is_right)
    }

    /// Why the finished part is not what was asked for; it is thrown away then.
    async fn judge(
        &self,
        target: &Target,
        sha256: Option<&str>,
        begun: Begun,
    ) -> io::Result<Option<SiteFailure>> {
        let Some(expected) = sha256 else {
            return Ok(None);
        };
        let part = target.part();
        let actual = blocking(move || sha256_of_file(&part)).await??;
        if actual == expected {
            return Ok(None);
        }
        target.forget().await?;
        let cause = format!("wrong checksum {actual}, {expected} expected");
        // A part begun elsewhere may be to blame; an answer given whole will not change.
        Ok(Some(match begun {
            Begun::Before => SiteFailure::soon(cause),
            Begun::Now => SiteFailure::never(cause),
        }))
    }
}

/// Hosts that failed and why.
type Failures = Vec<(String, String)>;

/// Last part of the archive's first address.
fn file_name(archive: &ModelArchive) -> &str {
    let url = archive.urls.first().map(String::as_str).unwrap_or_default();
    url.rsplit('/')
        .next()
        .filter(|name| !name.is_empty())
        .unwrap_or("archive")
}

/// Unpacks aside; moves the files in when those that were lacking are right. A file that is there and
/// right already stays: the archive's own copy of it was never compared with the card.
fn unpack_into(
    packed: &Path,
    archive: &ModelArchive,
    card: &ModelCard,
    staging: &Path,
    folder: &Path,
    lacking: &[ModelFile],
) -> Result<(), UnpackError> {
    let taken = unpack(packed, archive, card, staging, Limits::default())?;
    for file in lacking {
        let verdict = check_file(file, &staging.join(&file.path), Depth::Checksum);
        if !verdict.is_usable() && !may_lack(card, file, &verdict) {
            return Err(UnpackError::Archive(format!(
                "the archive's `{}` is not the right file: {verdict}",
                file.path
            )));
        }
    }
    let is_among = |files: &[ModelFile], path: &Path| {
        let mut files = files.iter();
        files.any(|file| Path::new(&file.path) == path)
    };
    for path in taken {
        if is_among(&card.files, &path) && !is_among(lacking, &path) {
            continue;
        }
        let place = folder.join(&path);
        if let Some(parent) = place.parent() {
            std::fs::create_dir_all(parent).map_err(UnpackError::Disk)?;
        }
        std::fs::rename(staging.join(&path), place).map_err(UnpackError::Disk)?;
    }
    Ok(())
}

/// Whether an archive may do without a file: where the model runs without it, or another archive may
/// hold it.
fn may_lack(card: &ModelCard, file: &ModelFile, verdict: &FileVerdict) -> bool {
    let is_elsewhere = file.need == Need::Optional || card.archives.len() > 1;
    *verdict == FileVerdict::Missing && is_elsewhere
}

#[cfg(test)]
mod tests;
