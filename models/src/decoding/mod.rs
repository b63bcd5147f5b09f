//! What every search over a network's outputs shares: tokens, expected phrases, chains of emitted tokens.

pub(crate) mod chain;
pub(crate) mod hotwords;
mod tokens;

pub use tokens::{TokenTable, TokenTableError};
