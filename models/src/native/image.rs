//! Is a file a whole shared library for this machine?
//!
//! The system's loader maps a library before it is all there: one cut short would end the process
//! with a bus error, not with a message. So the ELF headers are checked against the file's length
//! first. Source: System V ABI, ELF header and program header, 64-bit little endian.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;

const ELF_MAGIC: &[u8; 4] = b"\x7fELF";
const CLASS_64_LITTLE_ENDIAN: [u8; 2] = [2, 1];
const TYPE_SHARED: u16 = 3;
const HEADER_BYTES: usize = 64;
const PROGRAM_HEADER_BYTES: u16 = 56;

/// `e_machine` of the machine this was compiled for; none where it is not known.
const fn this_machine() -> Option<u16> {
    if cfg!(target_arch = "x86_64") {
        Some(62)
    } else if cfg!(target_arch = "aarch64") {
        Some(183)
    } else {
        None
    }
}

/// Checks a shared library of this system as far as its headers go.
///
/// # Errors
/// What is wrong with the file, in words.
pub(super) fn check(path: &Path) -> Result<(), String> {
    let mut file = File::open(path).map_err(|cause| format!("cannot be read: {cause}"))?;
    let len = file
        .metadata()
        .map_err(|cause| format!("cannot be read: {cause}"))?
        .len();
    if !cfg!(target_os = "linux") || !cfg!(target_pointer_width = "64") {
        return Ok(());
    }
    check_elf(&mut file, len)
}

fn check_elf(file: &mut (impl Read + Seek), file_bytes: u64) -> Result<(), String> {
    let mut header = [0; HEADER_BYTES];
    read_at(file, 0, &mut header).map_err(|_| "is no shared library".to_owned())?;
    if header[..4] != *ELF_MAGIC || u16_at(&header, 16) != TYPE_SHARED {
        return Err("is no shared library".to_owned());
    }
    let machine = u16_at(&header, 18);
    if header[4..6] != CLASS_64_LITTLE_ENDIAN || this_machine().is_some_and(|own| own != machine) {
        return Err(format!(
            "is a library for another kind of machine (ELF machine {machine})"
        ));
    }
    let (programs, program_bytes, n_programs) = (
        u64_at(&header, 32),
        u16_at(&header, 54),
        u16_at(&header, 56),
    );
    if program_bytes != PROGRAM_HEADER_BYTES {
        return Err("is damaged: its program headers have a wrong size".to_owned());
    }
    for row in 0..u64::from(n_programs) {
        let mut program = [0; PROGRAM_HEADER_BYTES as usize];
        let at = programs.saturating_add(row * u64::from(program_bytes));
        let end = read_at(file, at, &mut program)
            .map(|()| u64_at(&program, 8).saturating_add(u64_at(&program, 32)));
        if !end.is_ok_and(|end| end <= file_bytes) {
            return Err(format!("is cut short at {file_bytes} bytes"));
        }
    }
    Ok(())
}

fn read_at(file: &mut (impl Read + Seek), at: u64, into: &mut [u8]) -> io::Result<()> {
    file.seek(SeekFrom::Start(at))?;
    file.read_exact(into)
}

fn u16_at(bytes: &[u8], at: usize) -> u16 {
    u16::from_le_bytes([bytes[at], bytes[at + 1]])
}

fn u64_at(bytes: &[u8], at: usize) -> u64 {
    let mut word = [0; 8];
    word.copy_from_slice(&bytes[at..at + 8]);
    u64::from_le_bytes(word)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Cursor;

    fn library(machine: u16, segment_end: u64) -> Vec<u8> {
        let mut image = vec![0; HEADER_BYTES + usize::from(PROGRAM_HEADER_BYTES)];
        image[..4].copy_from_slice(ELF_MAGIC);
        image[4..6].copy_from_slice(&CLASS_64_LITTLE_ENDIAN);
        image[16] = TYPE_SHARED as u8;
        image[18..20].copy_from_slice(&machine.to_le_bytes());
        image[32] = HEADER_BYTES as u8;
        image[54] = PROGRAM_HEADER_BYTES as u8;
        image[56] = 1;
        image[HEADER_BYTES + 32..HEADER_BYTES + 40].copy_from_slice(&segment_end.to_le_bytes());
        image
    }

    fn check(image: &[u8], expected: Result<(), &str>) {
        let outcome = check_elf(&mut Cursor::new(image), image.len() as u64);
        match (outcome, expected) {
            (Ok(()), Ok(())) => {}
            (Err(message), Err(part)) => assert!(message.contains(part), "{message}"),
            (outcome, expected) => panic!("{outcome:?}, not {expected:?}"),
        }
    }

    #[test]
    fn tells_whole_cut_foreign_and_other_files_apart() {
        let own = this_machine().unwrap_or(62);
        check(&library(own, 120), Ok(()));
        check(&library(own, 121), Err("cut short at 120 bytes"));
        check(&library(own, u64::MAX), Err("cut short"));
        check(&library(own, 120)[..100], Err("cut short at 100"));
        check(&library(8, 120), Err("another kind of machine"));
        check(b"", Err("no shared library"));
        check(&[b'x'; 200], Err("no shared library"));
    }

    proptest::proptest! {
        #[test]
        fn any_bytes_are_judged_without_panic(image in proptest::collection::vec(0_u8.., 0..200)) {
            let mut elf = image.clone();
            if elf.len() > 20 {
                elf[..4].copy_from_slice(ELF_MAGIC);
                elf[16..18].copy_from_slice(&[3, 0]);
            }
            let _ = check_elf(&mut Cursor::new(&elf), elf.len() as u64);
            let _ = check_elf(&mut Cursor::new(&image), image.len() as u64);
        }
    }
}
