//! Bringing many files to the disk.

use std::fs::File;
use std::io;

/// How what was written is brought to the disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Durability {
    /// One call for the folder's whole file system: Linux's syncfs(2), which tells of failed writes since 5.8. Waits for
    /// what other programs wrote there, too: best where the spool has a file system of its own. Elsewhere than on
    /// Linux as [`Self::EachFile`].
    FileSystem,
    /// fdatasync of each file that was written to.
    EachFile,
}

impl Durability {
    /// The one that costs least here.
    pub fn for_this_system() -> Self {
        match cfg!(target_os = "linux") {
            true => Self::FileSystem,
            false => Self::EachFile,
        }
    }
}

impl Default for Durability {
    fn default() -> Self {
        Self::for_this_system()
    }
}

/// Syncs files that all lie in the folder's file system.
pub(crate) fn sync_all<'a>(
    durability: Durability,
    folder: &File,
    mut files: impl Iterator<Item = &'a File>,
) -> io::Result<()> {
    match durability {
        Durability::FileSystem => sync_file_system(folder, files),
        Durability::EachFile => files.try_for_each(File::sync_data),
    }
}

#[cfg(target_os = "linux")]
fn sync_file_system<'a>(folder: &File, _: impl Iterator<Item = &'a File>) -> io::Result<()> {
    Ok(rustix::fs::syncfs(folder)?)
}

#[cfg(not(target_os = "linux"))]
fn sync_file_system<'a>(_: &File, mut files: impl Iterator<Item = &'a File>) -> io::Result<()> {
    files.try_for_each(File::sync_data)
}
