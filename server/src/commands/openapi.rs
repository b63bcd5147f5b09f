//! `auricle openapi`: the HTTP interface, for programs that make clients of it.

use std::io::Write;

use anyhow::Result;

use crate::app::App;
use crate::exit::Exit;
use crate::serve::document;

pub(crate) fn run(app: &mut App) -> Result<Exit> {
    let text = document().to_pretty_json()?;
    writeln!(app.terminal, "{text}")?;
    Ok(Exit::Done)
}
