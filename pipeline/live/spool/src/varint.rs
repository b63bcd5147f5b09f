//! Whole numbers in as few bytes as they need: unsigned LEB128 (DWARF 5, 7.6), seven bits a byte, low ones first.

/// Ten bytes of seven bits hold 64.
const MAX_BYTES: usize = 10;

/// Adds a number.
pub(crate) fn put(out: &mut Vec<u8>, mut value: u64) {
    while value > 0x7f {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

/// The number that begins at `cursor`, which moves behind it. `None`: it is cut off or longer than 64 bits.
pub(crate) fn take(bytes: &[u8], cursor: &mut usize) -> Option<u64> {
    let mut value = 0_u64;
    for n_bytes in 0..MAX_BYTES {
        let byte = *bytes.get(*cursor + n_bytes)?;
        let bits = u64::from(byte & 0x7f);
        // The tenth byte has room for one bit.
        if n_bytes == MAX_BYTES - 1 && bits > 1 {
            return None;
        }
        value |= bits << (7 * n_bytes);
        if byte & 0x80 == 0 {
            *cursor += n_bytes + 1;
            return Some(value);
        }
    }
    None
}

/// A difference as a number that is small where the difference is: 0, −1, 1, −2 become 0, 1, 2, 3.
pub(crate) fn fold(difference: i64) -> u64 {
    ((difference << 1) ^ (difference >> 63)) as u64
}

/// What [`fold`] was given.
pub(crate) fn unfold(value: u64) -> i64 {
    (value >> 1) as i64 ^ -((value & 1) as i64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_come_back_and_take_what_they_need() {
        for (value, n_bytes) in [
            (0, 1),
            (127, 1),
            (128, 2),
            (160, 2),
            (u64::MAX >> 1, 9),
            (u64::MAX, 10),
        ] {
            let mut bytes = Vec::new();
            put(&mut bytes, value);
            assert_eq!(bytes.len(), n_bytes);
            let mut cursor = 0;
            assert_eq!(take(&bytes, &mut cursor), Some(value));
            assert_eq!(cursor, n_bytes);
            assert_eq!(take(&bytes[..n_bytes - 1], &mut 0), None);
        }
    }

    #[test]
    fn more_than_64_bits_are_refused() {
        assert_eq!(take(&[0xff; 11], &mut 0), None);
        let mut bytes = [0x80; 10];
        bytes[9] = 2;
        assert_eq!(take(&bytes, &mut 0), None);
    }

    #[test]
    fn differences_fold() {
        for (difference, value) in [(0, 0), (-1, 1), (1, 2), (i64::MIN, u64::MAX)] {
            assert_eq!(fold(difference), value);
            assert_eq!(unfold(value), difference);
        }
    }
}
