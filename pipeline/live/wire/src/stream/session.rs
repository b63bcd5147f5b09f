//! One connection of `mod_audio_stream`: messages in, audio and facts out.

use crate::channels::{ChannelSplitter, Frames};
use crate::close::Close;
use crate::facts::{Metadata, MetadataError};
use crate::limits::Limits;
use crate::stream::StreamRequest;

/// One connection. There is no order to its messages: metadata may come before, between and after audio, and audio may
/// pause for as long as the leg does. The other side ends it by closing.
#[derive(Debug)]
pub struct StreamSession {
    splitter: ChannelSplitter,
    limits: Limits,
    n_malformed: u32,
}

/// What a text message said.
#[derive(Clone, Debug, PartialEq)]
pub enum StreamText {
    /// Facts of the call, to be joined with [`CallFacts::complete`](crate::CallFacts::complete).
    Metadata(Metadata),
    /// Nothing that is understood; the connection goes on.
    Malformed(MetadataError),
}

impl StreamSession {
    /// A connection that was accepted.
    pub fn new(request: &StreamRequest, limits: &Limits) -> Self {
        Self {
            splitter: ChannelSplitter::new(StreamRequest::ENCODING, request.layout.n_channels()),
            limits: limits.clone(),
            n_malformed: 0,
        }
    }

    /// Takes a binary message: audio. An empty one is no audio.
    ///
    /// # Errors
    /// Where it is too long.
    pub fn binary(&mut self, message: &[u8]) -> Result<Frames<'_>, Close> {
        if message.len() > self.limits.audio_message_bytes {
            return Err(Close::TooLong);
        }
        Ok(self.splitter.split(message))
    }

    /// Takes a text message: metadata. One with a field that cannot be is not understood, though the others of it are taken.
    ///
    /// # Errors
    /// Where it is too long, or one too many that is not understood.
    pub fn text(&mut self, message: &str) -> Result<StreamText, Close> {
        match Metadata::read(message, &self.limits) {
            Ok(metadata) => {
                if !metadata.refused.is_empty() {
                    self.count_malformed()?;
                }
                Ok(StreamText::Metadata(metadata))
            }
            Err(MetadataError::TooLong { .. }) => Err(Close::TooLong),
            Err(error) => {
                self.count_malformed()?;
                Ok(StreamText::Malformed(error))
            }
        }
    }

    fn count_malformed(&mut self) -> Result<(), Close> {
        self.n_malformed += 1;
        match self.n_malformed > self.limits.malformed_messages {
            true => Err(Close::Malformed),
            false => Ok(()),
        }
    }

    /// Bytes of a frame that never came to its end, so far.
    pub fn n_kept_bytes(&self) -> usize {
        self.splitter.n_kept_bytes()
    }
}
