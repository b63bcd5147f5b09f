//! Checksums of what assessments follow from.

use sha2::{Digest, Sha256};

/// Bytes of a checksum that are told: 64 bits tell all versions apart.
const PRINT_BYTES: usize = 8;

/// Of `parts`, each with its length: 16 digits, the same with every release of the compiler.
pub(crate) fn print<'p>(parts: impl IntoIterator<Item = &'p [u8]>) -> String {
    let mut hasher = Sha256::new();
    for part in parts {
        hasher.update((part.len() as u64).to_le_bytes());
        hasher.update(part);
    }
    let digest = hasher.finalize();
    digest[..PRINT_BYTES]
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prints_tell_contents_apart_and_stay() {
        assert_eq!(print([&b"pack: p"[..]]), "fdf6a693e49fb8dc");
        assert_ne!(print([&b"ab"[..], b"c"]), print([&b"a"[..], b"bc"]));
        assert_ne!(print([&b""[..]]), print([]));
    }
}
