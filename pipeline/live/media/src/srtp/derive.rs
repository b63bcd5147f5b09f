//! Keys of a session, out of a master key. RFC 3711, section 4.3; RFC 7714, section 11.

use aes_gcm::aes::{Aes128, Aes256};
use ctr::Ctr128BE;
use ctr::cipher::{KeyIvInit, StreamCipher};
use zeroize::Zeroizing;

use crate::keys::SrtpKey;

/// What a derived key is for (RFC 3711, section 4.3.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Label {
    pub(super) encryption: u8,
    pub(super) signature: u8,
    pub(super) salt: u8,
}

impl Label {
    pub(super) const RTP: Self = Self {
        encryption: 0,
        signature: 1,
        salt: 2,
    };
    pub(super) const RTCP: Self = Self {
        encryption: 3,
        signature: 4,
        salt: 5,
    };
}

/// Derives `N` bytes for one purpose. `None` where the master key has another length than its cipher.
pub(super) fn derive<const N: usize>(master: &SrtpKey, label: u8) -> Option<Zeroizing<[u8; N]>> {
    let iv = iv(master.salt(), label)?;
    let mut derived = Zeroizing::new([0; N]);
    match master.key().len() {
        16 => Ctr128BE::<Aes128>::new_from_slices(master.key(), &iv)
            .ok()?
            .apply_keystream(derived.as_mut_slice()),
        _ => Ctr128BE::<Aes256>::new_from_slices(master.key(), &iv)
            .ok()?
            .apply_keystream(derived.as_mut_slice()),
    }
    Some(derived)
}

/// The salt, in which the label stands seven bytes before the end of 14; a salt of 12 has zeros behind it. Two more are the
/// counter.
fn iv(salt: &[u8], label: u8) -> Option<[u8; 16]> {
    const LABEL_IDX: usize = 7;
    let mut iv = [0; 16];
    iv.get_mut(..salt.len())?.copy_from_slice(salt);
    *iv.get_mut(LABEL_IDX)? ^= label;
    Some(iv)
}
