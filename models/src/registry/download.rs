//! One file from one address, resumed where an earlier attempt stopped.
//!
//! Bytes go to `<file>.part`; `<file>.part.from` says which address they came from and the
//! validator (ETag or date) it gave. A part is continued with `Range` when its content is certain:
//! `If-Range` with that validator for the same address (RFC 9110, section 13.1.5), or a known
//! checksum that will judge the whole. Otherwise the file starts again.

use std::io;
use std::path::{Path, PathBuf};

use reqwest::header::{
    ACCEPT_ENCODING, CONTENT_RANGE, ETAG, HeaderMap, IF_RANGE, LAST_MODIFIED, RANGE,
};
use reqwest::{Client, Response, StatusCode};
use tokio::fs::{self, File, OpenOptions};
use tokio::io::AsyncWriteExt;

use super::pull::PullProgress;
use super::site::SiteFailure;

/// What is fetched and where it goes.
#[derive(Clone, Debug)]
pub(super) struct Target {
    /// Name for people.
    pub(super) label: String,
    /// The finished file.
    pub(super) file: PathBuf,
    /// Length where it is known.
    pub(super) size_bytes: Option<u64>,
    /// Longest answer that is taken.
    pub(super) max_bytes: u64,
    /// Whether a checksum will judge the whole.
    pub(super) checked: Checked,
}

/// Whether a checksum will judge a finished download.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Checked {
    /// One will.
    BySum,
    /// None is known.
    NotAtAll,
}

/// When the first byte of a finished part came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Begun {
    /// In an earlier attempt.
    Before,
    /// In this one.
    Now,
}

/// A download stopped.
#[derive(Debug)]
pub(super) enum DownloadError {
    /// The address gave nothing usable.
    Site(SiteFailure),
    /// The file cannot be written.
    Disk(io::Error),
}

impl From<SiteFailure> for DownloadError {
    fn from(failure: SiteFailure) -> Self {
        Self::Site(failure)
    }
}

impl From<io::Error> for DownloadError {
    fn from(cause: io::Error) -> Self {
        Self::Disk(cause)
    }
}

impl Target {
    /// The unfinished file.
    pub(super) fn part(&self) -> PathBuf {
        with_suffix(&self.file, ".part")
    }

    fn note(&self) -> PathBuf {
        with_suffix(&self.file, ".part.from")
    }

    /// Throws away what was fetched.
    pub(super) async fn forget(&self) -> io::Result<()> {
        for file in [self.part(), self.note()] {
            match fs::remove_file(&file).await {
                Err(cause) if cause.kind() != io::ErrorKind::NotFound => return Err(cause),
                _ => {}
            }
        }
        Ok(())
    }

    /// Renames the finished part into place.
    pub(super) async fn commit(&self) -> io::Result<()> {
        fs::rename(self.part(), &self.file).await?;
        let _ = fs::remove_file(self.note()).await;
        Ok(())
    }
}

fn with_suffix(file: &Path, suffix: &str) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}

/// Fetches `url` into the target's part; on success the part is whole as far as lengths tell.
pub(super) async fn download(
    client: &Client,
    url: &str,
    target: &Target,
    progress: &dyn PullProgress,
) -> Result<Begun, DownloadError> {
    let have_bytes = resumable_bytes(url, target).await;
    let response = request(client, url, target, have_bytes).await?;
    let status = response.status();
    let from_bytes = match status {
        StatusCode::PARTIAL_CONTENT if range_start(response.headers()) == Some(have_bytes) => {
            have_bytes
        }
        StatusCode::OK => 0,
        // The part is as long as the whole, or belongs to something else: start again.
        StatusCode::PARTIAL_CONTENT | StatusCode::RANGE_NOT_SATISFIABLE => {
            target.forget().await?;
            return Err(
                SiteFailure::soon("the unfinished file did not fit, starting again").into(),
            );
        }
        _ => return Err(SiteFailure::of_status(status).into()),
    };
    let announced = response
        .content_length()
        .map(|left| left.saturating_add(from_bytes));
    refuse_wrong_length(target, announced)?;
    let part = open_part(target, from_bytes).await?;
    // After the old bytes are gone: a stop between the two must not leave them under the new validator.
    write_note(url, target, response.headers()).await?;
    progress.start(&target.label, announced.or(target.size_bytes), from_bytes);
    let received = Received {
        from_bytes,
        announced,
    };
    receive(response, target, part, received, progress).await?;
    Ok(if from_bytes > 0 {
        Begun::Before
    } else {
        Begun::Now
    })
}

/// How much of the part may be continued.
async fn resumable_bytes(url: &str, target: &Target) -> u64 {
    let Ok(metadata) = fs::metadata(target.part()).await else {
        return 0;
    };
    let is_short = target
        .size_bytes
        .is_none_or(|size_bytes| metadata.len() < size_bytes);
    let is_certain = target.checked == Checked::BySum || validator(url, target).await.is_some();
    if is_short && is_certain {
        metadata.len()
    } else {
        0
    }
}

/// The validator that `url` gave with the part, if the part came from there.
async fn validator(url: &str, target: &Target) -> Option<String> {
    let note = fs::read_to_string(target.note()).await.ok()?;
    let (from, validator) = note.split_once('\n')?;
    let validator = validator.trim();
    (from == url && !validator.is_empty()).then(|| validator.to_owned())
}

async fn request(
    client: &Client,
    url: &str,
    target: &Target,
    have_bytes: u64,
) -> Result<Response, SiteFailure> {
    // A compressed answer would make byte ranges mean something else.
    let mut request = client.get(url).header(ACCEPT_ENCODING, "identity");
    if have_bytes > 0 {
        request = request.header(RANGE, format!("bytes={have_bytes}-"));
        if let Some(validator) = validator(url, target).await {
            request = request.header(IF_RANGE, validator);
        }
    }
    request
        .send()
        .await
        .map_err(|error| SiteFailure::of_error(&error))
}

/// First byte of `Content-Range: bytes 100-199/200`.
fn range_start(headers: &HeaderMap) -> Option<u64> {
    let range = headers.get(CONTENT_RANGE)?.to_str().ok()?;
    range
        .strip_prefix("bytes ")?
        .split_once('-')?
        .0
        .trim()
        .parse()
        .ok()
}

async fn write_note(url: &str, target: &Target, headers: &HeaderMap) -> io::Result<()> {
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
    // A weak ETag does not promise equal bytes, so it cannot guard a range.
    let validator = text(ETAG)
        .filter(|tag| !tag.starts_with("W/"))
        .or_else(|| text(LAST_MODIFIED))
        .unwrap_or_default();
    fs::write(target.note(), format!("{url}\n{validator}\n")).await
}

/// What there is of a file before its answer is read.
struct Received {
    /// In the part already.
    from_bytes: u64,
    /// Length of the whole by the answer's head.
    announced: Option<u64>,
}

async fn receive(
    mut response: Response,
    target: &Target,
    mut part: File,
    received: Received,
    progress: &dyn PullProgress,
) -> Result<(), DownloadError> {
    let announced = received.announced;
    let mut written_bytes = received.from_bytes;
    let outcome = loop {
        match response.chunk().await {
            Ok(Some(chunk)) => {
                written_bytes += chunk.len() as u64;
                if written_bytes > target.size_bytes.unwrap_or(target.max_bytes) {
                    break Err(SiteFailure::never("sent more than the file's size").into());
                }
                if let Err(cause) = part.write_all(&chunk).await {
                    break Err(DownloadError::Disk(cause));
                }
                progress.advance(chunk.len() as u64);
            }
            Ok(None) => break Ok(()),
            Err(error) => break Err(SiteFailure::of_error(&error).into()),
        }
    };
    // What arrived is kept in either case: the next attempt continues it.
    part.flush().await?;
    outcome?;
    part.sync_all().await?;
    match target.size_bytes.or(announced) {
        Some(size_bytes) if written_bytes < size_bytes => Err(SiteFailure::soon(format!(
            "the connection ended at {written_bytes} of {size_bytes} bytes"
        ))
        .into()),
        _ => Ok(()),
    }
}

fn refuse_wrong_length(target: &Target, announced: Option<u64>) -> Result<(), SiteFailure> {
    let Some(announced) = announced else {
        return Ok(());
    };
    match target.size_bytes {
        Some(size_bytes) if size_bytes != announced => Err(SiteFailure::never(format!(
            "offers {announced} bytes, the card says {size_bytes}"
        ))),
        None if announced > target.max_bytes => Err(SiteFailure::never(format!(
            "offers {announced} bytes, at most {} are taken",
            target.max_bytes
        ))),
        _ => Ok(()),
    }
}

async fn open_part(target: &Target, from_bytes: u64) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.create(true);
    if from_bytes > 0 {
        options.append(true);
    } else {
        options.write(true).truncate(true);
    }
    options.open(target.part()).await
}
