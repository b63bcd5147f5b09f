//! What is derived from what, and sealed with what: `FORMAT.md`, "Keys".
//!
//! AES-256-GCM (NIST SP 800-38D), HKDF with SHA-256 (RFC 5869), randomness of the operating system.

use aes_gcm::aead::AeadInOut;
use aes_gcm::{Aes256Gcm, KeyInit};
use hkdf::Hkdf;
use sha2::Sha256;
use thiserror::Error;
use zeroize::Zeroizing;

pub(crate) const KEY_BYTES: usize = 32;
pub(crate) const TAG_BYTES: usize = 16;
/// Salts are as long as the hash (RFC 5869, 3.1): 2^128 of them before one is likely to come again.
pub(crate) const SALT_BYTES: usize = 32;

/// Master keys, data keys and all that is derived from them; overwritten when dropped.
pub(crate) type Secret = Zeroizing<[u8; KEY_BYTES]>;

/// Something failed that has nothing to do with the recording.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum CryptoError {
    /// No randomness.
    #[error(
        "the operating system gives no random bytes\nhint: check that getrandom or /dev/urandom is allowed"
    )]
    Random,
    /// Lengths that AES-GCM and HKDF do not take; none of ours are.
    #[error("a cipher refused its input")]
    Length,
}

/// Fresh random bytes.
pub(crate) fn random<const N: usize>() -> Result<[u8; N], CryptoError> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(|_| CryptoError::Random)?;
    Ok(bytes)
}

/// A fresh secret.
pub(crate) fn random_secret() -> Result<Secret, CryptoError> {
    let mut secret = Zeroizing::new([0; KEY_BYTES]);
    getrandom::fill(secret.as_mut()).map_err(|_| CryptoError::Random)?;
    Ok(secret)
}

/// AES-256-GCM under a derived key. Who seals takes care that no number comes twice.
pub(crate) struct Cipher(Aes256Gcm);

impl Cipher {
    /// Derives the key of one purpose from a secret.
    pub(crate) fn derive(
        secret: &Secret,
        salt: &[u8],
        info: &[&[u8]],
    ) -> Result<Self, CryptoError> {
        let mut key = Zeroizing::new([0; KEY_BYTES]);
        let hkdf = Hkdf::<Sha256>::new(Some(salt), secret.as_ref());
        let derived = hkdf.expand_multi_info(info, key.as_mut());
        derived.map_err(|_| CryptoError::Length)?;
        let cipher = Aes256Gcm::new_from_slice(key.as_ref());
        cipher.map(Self).map_err(|_| CryptoError::Length)
    }

    /// Encrypts in place and gives the tag.
    pub(crate) fn seal(
        &self,
        number: u32,
        bound: &[u8],
        bytes: &mut [u8],
    ) -> Result<[u8; TAG_BYTES], CryptoError> {
        let sealed = self
            .0
            .encrypt_inout_detached(&nonce(number).into(), bound, bytes.into());
        sealed.map(Into::into).map_err(|_| CryptoError::Length)
    }

    /// Decrypts in place. `None`: these are not the bytes, the number or the bound bytes that were sealed.
    pub(crate) fn open<'a>(
        &self,
        number: u32,
        bound: &[u8],
        sealed: &'a mut [u8],
    ) -> Option<&'a mut [u8]> {
        let (bytes, tag) = sealed.split_last_chunk_mut::<TAG_BYTES>()?;
        let tag = (*tag).into();
        self.0
            .decrypt_inout_detached(&nonce(number).into(), bound, (&mut *bytes).into(), &tag)
            .ok()?;
        Some(bytes)
    }
}

/// Eight zeros and the number, high byte first.
fn nonce(number: u32) -> [u8; 12] {
    let mut nonce = [0; 12];
    nonce[8..].copy_from_slice(&number.to_be_bytes());
    nonce
}
