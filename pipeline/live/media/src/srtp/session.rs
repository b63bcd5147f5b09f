//! One direction of RTP or RTCP: encryption and signature.

use aes_gcm::aead::AeadInOut;
use aes_gcm::aes::{Aes128, Aes256};
use aes_gcm::{Aes128Gcm, Aes256Gcm};
use ctr::cipher::{InnerIvInit, StreamCipher};
use ctr::{Ctr128BE, CtrCore, flavors};
use hmac::{Hmac, KeyInit, Mac};
use sha1::Sha1;

use crate::keys::{SrtpKey, SrtpSuite};

use super::derive::{Label, derive};
use super::{IS_ENCRYPTED, RTCP_HEAD_BYTES};

const GCM_TAG_BYTES: usize = 16;
/// SRTCP is signed with 80 bits in all suites of AES-CM (RFC 4568, section 6.2; RFC 6188, section 3).
const RTCP_TAG_BYTES: usize = 10;
const NUMBER_BYTES: usize = 4;

/// Which packet it is: whose, and its number, of 48 bits in RTP and 31 in RTCP.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) ssrc: u32,
    pub(super) index: u64,
}

impl Place {
    /// The salt, mixed with source and number, which are the last ten bytes of every vector (RFC 3711, section 4.1.1; RFC
    /// 7714, sections 8.1 and 9.1).
    fn mixed<const N: usize>(self, salt: &[u8; N]) -> [u8; N] {
        let mut mixed = *salt;
        let [_, _, index @ ..] = self.index.to_be_bytes();
        let place = self.ssrc.to_be_bytes().into_iter().chain(index);
        for (byte, with) in mixed.iter_mut().rev().zip(place.rev()) {
            *byte ^= with;
        }
        mixed
    }

    /// The upper 32 bits of the number, which RTP does not send.
    const fn rollovers(self) -> u32 {
        (self.index >> 16) as u32
    }
}

/// Keys of one direction, with what they are used by.
pub(super) enum Session {
    Cm(Box<Cm>),
    Gcm(Gcm),
}

impl Session {
    /// `None`: the key has not the length of its suite.
    pub(super) fn new(key: &SrtpKey, label: Label) -> Option<Self> {
        Some(match key.suite() {
            SrtpSuite::AesCm128HmacSha1_80 | SrtpSuite::AesCm256HmacSha1_80 => {
                Self::Cm(Box::new(Cm::new(key, label, 10)?))
            }
            SrtpSuite::AesCm128HmacSha1_32 | SrtpSuite::AesCm256HmacSha1_32 => {
                Self::Cm(Box::new(Cm::new(key, label, 4)?))
            }
            SrtpSuite::AeadAes128Gcm | SrtpSuite::AeadAes256Gcm => Self::Gcm(Gcm::new(key, label)?),
        })
    }

    /// Opens a packet whose first `n_head` bytes are plain; gives its length then.
    pub(super) fn open_rtp(&self, packet: &mut [u8], n_head: usize, place: Place) -> Option<usize> {
        match self {
            Self::Cm(session) => session.open_rtp(packet, n_head, place),
            Self::Gcm(session) => session.open_rtp(packet, n_head, place),
        }
    }

    /// Number of a packet of RTCP, with the mark of encryption.
    pub(super) fn rtcp_number(&self, packet: &[u8]) -> Option<u32> {
        let n_behind = match self {
            Self::Cm(_) => RTCP_TAG_BYTES,
            Self::Gcm(_) => 0,
        };
        let end = packet.len().checked_sub(n_behind)?;
        let number = packet.get(..end)?.last_chunk::<NUMBER_BYTES>()?;
        Some(u32::from_be_bytes(*number))
    }

    /// Opens an encrypted datagram of RTCP; gives its length then.
    pub(super) fn open_rtcp(&self, packet: &mut [u8], place: Place) -> Option<usize> {
        match self {
            Self::Cm(session) => session.open_rtcp(packet, place),
            Self::Gcm(session) => session.open_rtcp(packet, place),
        }
    }

    /// Encrypts and signs the first `n_bytes` as RTCP; gives their length then.
    pub(super) fn seal_rtcp(
        &self,
        buffer: &mut [u8],
        n_bytes: usize,
        place: Place,
    ) -> Option<usize> {
        let number = (place.index as u32 | IS_ENCRYPTED).to_be_bytes();
        match self {
            Self::Cm(session) => session.seal_rtcp(buffer, n_bytes, place, number),
            Self::Gcm(session) => session.seal_rtcp(buffer, n_bytes, place, number),
        }
    }
}

/// Blocks of a keystream.
type Counter<C> = CtrCore<C, flavors::Ctr128BE>;

/// AES with keys of either length.
enum Aes {
    Short(Box<Aes128>),
    Long(Box<Aes256>),
}

/// AES in counter mode, signed by HMAC of SHA-1 (RFC 3711, sections 4.1.1 and 4.2.1).
pub(super) struct Cm {
    aes: Aes,
    salt: [u8; 14],
    mac: Hmac<Sha1>,
    /// Of RTP; those of RTCP are always [`RTCP_TAG_BYTES`].
    tag_bytes: usize,
}

impl Cm {
    fn new(key: &SrtpKey, label: Label, tag_bytes: usize) -> Option<Self> {
        let aes = match key.suite().key_bytes() {
            16 => {
                let key = derive::<16>(key, label.encryption)?;
                Aes::Short(Box::new(Aes128::new_from_slice(key.as_slice()).ok()?))
            }
            _ => {
                let key = derive::<32>(key, label.encryption)?;
                Aes::Long(Box::new(Aes256::new_from_slice(key.as_slice()).ok()?))
            }
        };
        let signature = derive::<20>(key, label.signature)?;
        Some(Self {
            aes,
            salt: *derive::<14>(key, label.salt)?,
            mac: Hmac::new_from_slice(signature.as_slice()).ok()?,
            tag_bytes,
        })
    }

    /// Encrypts or decrypts, which is the same.
    fn apply(&self, place: Place, bytes: &mut [u8]) {
        // The last two bytes count blocks.
        let mut iv = [0; 16];
        for (byte, from) in iv.iter_mut().zip(place.mixed(&self.salt)) {
            *byte = from;
        }
        match &self.aes {
            Aes::Short(aes) => {
                let core = Counter::<&Aes128>::inner_iv_init(aes, &iv.into());
                Ctr128BE::<&Aes128>::from_core(core).apply_keystream(bytes);
            }
            Aes::Long(aes) => {
                let core = Counter::<&Aes256>::inner_iv_init(aes, &iv.into());
                Ctr128BE::<&Aes256>::from_core(core).apply_keystream(bytes);
            }
        }
    }

    fn open_rtp(&self, packet: &mut [u8], n_head: usize, place: Place) -> Option<usize> {
        let end = packet.len().checked_sub(self.tag_bytes)?;
        let (body, tag) = packet.split_at_mut_checked(end)?;
        let signed = self.mac.clone().chain_update(&*body);
        let signed = signed.chain_update(place.rollovers().to_be_bytes());
        signed.verify_truncated_left(tag).ok()?;
        self.apply(place, body.get_mut(n_head..)?);
        Some(end)
    }

    fn open_rtcp(&self, packet: &mut [u8], place: Place) -> Option<usize> {
        let end = packet.len().checked_sub(RTCP_TAG_BYTES)?;
        let (signed, tag) = packet.split_at_mut_checked(end)?;
        let mac = self.mac.clone().chain_update(&*signed);
        mac.verify_truncated_left(tag).ok()?;
        let (body, _number) = signed.split_last_chunk_mut::<NUMBER_BYTES>()?;
        self.apply(place, body.get_mut(RTCP_HEAD_BYTES..)?);
        Some(body.len())
    }

    fn seal_rtcp(
        &self,
        buffer: &mut [u8],
        n_bytes: usize,
        place: Place,
        number: [u8; NUMBER_BYTES],
    ) -> Option<usize> {
        self.apply(place, buffer.get_mut(RTCP_HEAD_BYTES..n_bytes)?);
        let end = put(buffer, n_bytes, &number)?;
        let mac = self.mac.clone().chain_update(buffer.get(..end)?);
        let signature = mac.finalize().into_bytes();
        put(buffer, end, signature.get(..RTCP_TAG_BYTES)?)
    }
}

/// AES in Galois counter mode, which signs as it encrypts (RFC 7714).
pub(super) struct Gcm {
    aes: GcmAes,
    salt: [u8; 12],
}

enum GcmAes {
    Short(Box<Aes128Gcm>),
    Long(Box<Aes256Gcm>),
}

impl Gcm {
    fn new(key: &SrtpKey, label: Label) -> Option<Self> {
        let aes = match key.suite().key_bytes() {
            16 => {
                let key = derive::<16>(key, label.encryption)?;
                GcmAes::Short(Box::new(Aes128Gcm::new_from_slice(key.as_slice()).ok()?))
            }
            _ => {
                let key = derive::<32>(key, label.encryption)?;
                GcmAes::Long(Box::new(Aes256Gcm::new_from_slice(key.as_slice()).ok()?))
            }
        };
        let salt = *derive::<12>(key, label.salt)?;
        Some(Self { aes, salt })
    }

    /// Decrypts what is signed together with what stays plain; gives its length.
    fn open(&self, place: Place, plain: &[u8], sealed: &mut [u8]) -> Option<usize> {
        let nonce = place.mixed(&self.salt).into();
        let (bytes, tag) = sealed.split_last_chunk_mut::<GCM_TAG_BYTES>()?;
        let tag = (*tag).into();
        let n_bytes = bytes.len();
        let opened = match &self.aes {
            GcmAes::Short(aes) => aes.decrypt_inout_detached(&nonce, plain, bytes.into(), &tag),
            GcmAes::Long(aes) => aes.decrypt_inout_detached(&nonce, plain, bytes.into(), &tag),
        };
        opened.ok().map(|()| n_bytes)
    }

    /// Encrypts, and gives the signature.
    fn seal(&self, place: Place, plain: &[u8], bytes: &mut [u8]) -> Option<[u8; GCM_TAG_BYTES]> {
        let nonce = place.mixed(&self.salt).into();
        let sealed = match &self.aes {
            GcmAes::Short(aes) => aes.encrypt_inout_detached(&nonce, plain, bytes.into()),
            GcmAes::Long(aes) => aes.encrypt_inout_detached(&nonce, plain, bytes.into()),
        };
        sealed.ok().map(Into::into)
    }

    fn open_rtp(&self, packet: &mut [u8], n_head: usize, place: Place) -> Option<usize> {
        let (head, sealed) = packet.split_at_mut_checked(n_head)?;
        let n_bytes = self.open(place, head, sealed)?;
        n_head.checked_add(n_bytes)
    }

    fn open_rtcp(&self, packet: &mut [u8], place: Place) -> Option<usize> {
        let (packet, number) = packet.split_last_chunk_mut::<NUMBER_BYTES>()?;
        let (head, sealed) = packet.split_first_chunk_mut::<RTCP_HEAD_BYTES>()?;
        let n_bytes = self.open(place, &rtcp_plain(head, *number), sealed)?;
        n_bytes.checked_add(RTCP_HEAD_BYTES)
    }

    fn seal_rtcp(
        &self,
        buffer: &mut [u8],
        n_bytes: usize,
        place: Place,
        number: [u8; NUMBER_BYTES],
    ) -> Option<usize> {
        let packet = buffer.get_mut(..n_bytes)?;
        let (head, body) = packet.split_first_chunk_mut::<RTCP_HEAD_BYTES>()?;
        let signature = self.seal(place, &rtcp_plain(head, number), body)?;
        let end = put(buffer, n_bytes, &signature)?;
        put(buffer, end, &number)
    }
}

/// What is signed of a packet of RTCP and not encrypted (RFC 7714, section 9.2).
fn rtcp_plain(
    head: &[u8; RTCP_HEAD_BYTES],
    number: [u8; NUMBER_BYTES],
) -> [u8; RTCP_HEAD_BYTES + NUMBER_BYTES] {
    let mut plain = [0; RTCP_HEAD_BYTES + NUMBER_BYTES];
    for (byte, from) in plain.iter_mut().zip(head.iter().chain(&number)) {
        *byte = *from;
    }
    plain
}

/// Puts bytes from a place on; gives the place behind them.
fn put(buffer: &mut [u8], from: usize, bytes: &[u8]) -> Option<usize> {
    let end = from.checked_add(bytes.len())?;
    buffer.get_mut(from..end)?.copy_from_slice(bytes);
    Some(end)
}

/// What senders do, for tests.
#[cfg(test)]
impl Session {
    /// Encrypts and signs a packet of RTP whose first `n_head` bytes stay plain.
    pub(super) fn seal_rtp(&self, packet: &[u8], n_head: usize, place: Place) -> Vec<u8> {
        let mut sealed = packet.to_vec();
        match self {
            Self::Cm(session) => {
                session.apply(place, &mut sealed[n_head..]);
                let mac = session.mac.clone().chain_update(&sealed);
                let mac = mac.chain_update(place.rollovers().to_be_bytes());
                sealed.extend_from_slice(&mac.finalize().into_bytes()[..session.tag_bytes]);
            }
            Self::Gcm(session) => {
                let (head, body) = sealed.split_at_mut(n_head);
                let signature = session.seal(place, head, body).unwrap();
                sealed.extend_from_slice(&signature);
            }
        }
        sealed
    }
}
