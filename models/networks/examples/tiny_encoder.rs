//! Writes a small encoder that can be run, for fuzzing to start from: `tiny_encoder FILE`.

#[path = "../tests/common/tiny.rs"]
mod tiny;

use std::io::{Error, ErrorKind};

use prost::Message;

fn main() -> std::io::Result<()> {
    let missing = || Error::new(ErrorKind::InvalidInput, "usage: tiny_encoder FILE");
    let path = std::env::args_os().nth(1).ok_or_else(missing)?;
    std::fs::write(path, tiny::encoder(&tiny::STACKS).encode_to_vec())
}
