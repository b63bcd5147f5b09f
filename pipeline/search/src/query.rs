//! The query language: text to [`Node`], or a [`QueryError`] that points at the mistake.

mod ast;
mod error;
mod lexer;
mod parser;
#[cfg(test)]
mod tests;
mod value;

pub use ast::{Kind, Node, NumberField, Order, Sound, TextComparison, TextField};
pub use error::QueryError;
pub use lexer::is_keyword;
pub use parser::{
    MAX_DEPTH, MAX_EDITS, MAX_PHRASE_UNITS, MAX_QUERY_BYTES, MAX_SYLLABLES, MAX_TERMS, parse,
};
