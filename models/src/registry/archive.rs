//! Takes files out of an archive that a stranger may have packed.
//!
//! Only plain files whose path stays inside the target are taken; links, devices and paths that
//! climb are refused or skipped, and the number and size of members are bounded, so that neither a
//! wrong nor a malicious archive can write elsewhere or fill the disk.

use std::fs::{self, File};
use std::io::{self, BufReader, Read, Write};
use std::path::{Path, PathBuf};

use bzip2::read::MultiBzDecoder;
use flate2::read::MultiGzDecoder;
use tar::EntryType;
use thiserror::Error;
use zip::ZipArchive;

use super::card::{ArchiveFormat, ModelArchive, ModelCard, Unpack, is_inside};

/// Bounds on what is unpacked.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    /// Members looked at.
    pub(super) n_members: usize,
    /// Bytes written in all.
    pub(super) total_bytes: u64,
}

impl Default for Limits {
    /// Above every model in the cards by a factor of five, far below a disk.
    fn default() -> Self {
        Self {
            n_members: 10_000,
            total_bytes: 8 << 30,
        }
    }
}

/// An archive cannot be unpacked.
#[derive(Debug, Error)]
pub(super) enum UnpackError {
    /// The archive is damaged or breaks a rule.
    #[error("{0}")]
    Archive(String),
    /// The files cannot be written.
    #[error(transparent)]
    Disk(io::Error),
}

/// Unpacks the wanted members of `file` into `into`, which exists.
pub(super) fn unpack(
    file: &Path,
    archive: &ModelArchive,
    card: &ModelCard,
    into: &Path,
    limits: Limits,
) -> Result<Vec<PathBuf>, UnpackError> {
    let packed = BufReader::new(File::open(file).map_err(UnpackError::Disk)?);
    let mut sink = Sink {
        archive,
        card,
        into,
        limits,
        n_members: 0,
        written_bytes: 0,
        taken: Vec::new(),
    };
    match archive.format {
        // Packers that use several processors write one stream after the other.
        ArchiveFormat::TarBz2 => unpack_tar(MultiBzDecoder::new(packed), &mut sink)?,
        ArchiveFormat::TarGz => unpack_tar(MultiGzDecoder::new(packed), &mut sink)?,
        ArchiveFormat::Zip => unpack_zip(packed, &mut sink)?,
    }
    Ok(sink.taken)
}

fn unpack_tar(packed: impl Read, sink: &mut Sink<'_>) -> Result<(), UnpackError> {
    let mut reader = tar::Archive::new(packed);
    for entry in reader.entries().map_err(damaged)? {
        let mut entry = entry.map_err(damaged)?;
        sink.count()?;
        let is_file = matches!(
            entry.header().entry_type(),
            EntryType::Regular | EntryType::Continuous
        );
        let path = entry.path().map_err(damaged)?.into_owned();
        if let (true, Some(place)) = (is_file, sink.place(&path)?) {
            sink.write(&mut entry, place)?;
        }
    }
    Ok(())
}

fn unpack_zip(packed: BufReader<File>, sink: &mut Sink<'_>) -> Result<(), UnpackError> {
    let mut reader = ZipArchive::new(packed).map_err(damaged)?;
    for row in 0..reader.len() {
        let mut entry = reader.by_index(row).map_err(damaged)?;
        sink.count()?;
        let path = PathBuf::from(entry.name().map_err(damaged)?.as_ref());
        if let (true, Some(place)) = (entry.is_file(), sink.place(&path)?) {
            sink.write(&mut entry, place)?;
        }
    }
    Ok(())
}

fn damaged(cause: impl std::fmt::Display) -> UnpackError {
    UnpackError::Archive(format!("the archive is damaged: {cause}"))
}

/// Where members go, and how much has gone.
struct Sink<'a> {
    archive: &'a ModelArchive,
    card: &'a ModelCard,
    into: &'a Path,
    limits: Limits,
    n_members: usize,
    written_bytes: u64,
    taken: Vec<PathBuf>,
}

impl Sink<'_> {
    fn count(&mut self) -> Result<(), UnpackError> {
        self.n_members += 1;
        if self.n_members > self.limits.n_members {
            return Err(UnpackError::Archive(format!(
                "the archive has more than {} members",
                self.limits.n_members
            )));
        }
        Ok(())
    }

    /// Path in the model's folder of a member that is wanted.
    fn place(&self, member: &Path) -> Result<Option<PathBuf>, UnpackError> {
        let member = member.strip_prefix("./").unwrap_or(member);
        let Ok(inner) = member.strip_prefix(&self.archive.folder) else {
            return Ok(None);
        };
        let is_listed = self
            .card
            .files
            .iter()
            .any(|file| Path::new(&file.path) == inner);
        if self.archive.unpack == Unpack::Listed && !is_listed {
            return Ok(None);
        }
        if !is_inside(inner) || inner.to_string_lossy().contains(['\\', ':']) {
            return Err(UnpackError::Archive(format!(
                "the archive's member `{}` leaves the folder",
                member.display()
            )));
        }
        Ok(Some(inner.to_path_buf()))
    }

    fn write(&mut self, from: &mut dyn Read, place: PathBuf) -> Result<(), UnpackError> {
        let target = self.into.join(&place);
        if let Some(parent) = target.parent() {
            fs::create_dir_all(parent).map_err(UnpackError::Disk)?;
        }
        let mut file = File::create(&target).map_err(UnpackError::Disk)?;
        let mut block = vec![0; 1 << 16];
        loop {
            let n_bytes = from.read(&mut block).map_err(damaged)?;
            if n_bytes == 0 {
                break;
            }
            self.written_bytes += n_bytes as u64;
            if self.written_bytes > self.limits.total_bytes {
                return Err(UnpackError::Archive(format!(
                    "the archive unpacks to more than {} bytes",
                    self.limits.total_bytes
                )));
            }
            file.write_all(&block[..n_bytes])
                .map_err(UnpackError::Disk)?;
        }
        file.sync_all().map_err(UnpackError::Disk)?;
        self.taken.push(place);
        Ok(())
    }
}
