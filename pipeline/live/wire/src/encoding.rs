//! How samples lie in bytes.

/// An encoding of samples that live audio comes in. What it sounds like is found out in `pipeline/audio`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Encoding {
    /// µ-law, 8 bits (ITU-T G.711).
    Ulaw,
    /// A-law, 8 bits (ITU-T G.711).
    Alaw,
    /// Signed 16 bits, little-endian.
    L16Le,
    /// Signed 16 bits, network order: `L16` of RFC 3551, section 4.5.11.
    L16Be,
}

impl Encoding {
    /// Bytes of one sample of one channel.
    pub const fn bytes_per_sample(self) -> usize {
        match self {
            Self::Ulaw | Self::Alaw => 1,
            Self::L16Le | Self::L16Be => 2,
        }
    }

    /// The byte that means silence when it is repeated: the code of the smallest positive value (G.711, tables 1a
    /// and 2a), 0 for linear samples.
    pub const fn silence_byte(self) -> u8 {
        match self {
            Self::Ulaw => 0xff,
            Self::Alaw => 0xd5,
            Self::L16Le | Self::L16Be => 0,
        }
    }

    /// The name that `/v1/listen` has for it; it has none for network order.
    pub const fn listen_name(self) -> Option<&'static str> {
        match self {
            Self::Ulaw => Some("mulaw"),
            Self::Alaw => Some("alaw"),
            Self::L16Le => Some("linear16"),
            Self::L16Be => None,
        }
    }

    /// The encoding that `/v1/listen` means by this name.
    pub fn from_listen_name(name: &str) -> Option<Self> {
        [Self::Ulaw, Self::Alaw, Self::L16Le]
            .into_iter()
            .find(|encoding| encoding.listen_name() == Some(name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_sizes() {
        let check = |name, expected: Option<(Encoding, usize, u8)>| {
            let found = Encoding::from_listen_name(name);
            let found = found.map(|it| (it, it.bytes_per_sample(), it.silence_byte()));
            assert_eq!(found, expected, "{name}");
        };
        check("mulaw", Some((Encoding::Ulaw, 1, 0xff)));
        check("alaw", Some((Encoding::Alaw, 1, 0xd5)));
        check("linear16", Some((Encoding::L16Le, 2, 0)));
        check("linear32", None);
        check("LINEAR16", None);
        check("", None);
        assert_eq!(Encoding::L16Be.bytes_per_sample(), 2);
    }
}
