//! `auricle api-key`: a key for the HTTP interface.

use std::io::Write;

use anyhow::{Result, anyhow};
use auricle_models::registry::hex;
use clap::Args;
use sha2::{Digest, Sha256};

use crate::app::App;
use crate::exit::Exit;
use crate::serve::Role;
use crate::terminal::say;

/// Random bytes of a key.
const KEY_BYTES: usize = 24;

/// Options of `auricle api-key`.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Example:
  auricle api-key wallboard --role supervisor >> auricle.toml

The key itself is printed once, on standard error; auricle.toml holds its digest.")]
pub(crate) struct ApiKeyArgs {
    /// Whose key it is.
    #[arg(value_name = "NAME")]
    name: String,
    /// What it may do: supervisor watches and reads, inspector searches and reads, support captures packets beside that, integrator
    /// may everything else.
    #[arg(long, value_name = "ROLE")]
    role: Role,
}

pub(crate) fn run(app: &mut App, args: &ApiKeyArgs) -> Result<Exit> {
    let mut bytes = [0; KEY_BYTES];
    getrandom::fill(&mut bytes)
        .map_err(|cause| anyhow!("the system gives no random bytes: {cause}"))?;
    let key = format!("auricle_{}", hex(&bytes));
    let digest = hex(&Sha256::digest(key.as_bytes()));
    let name = toml::Value::String(args.name.clone());
    let role = args.role.as_str();
    write!(
        app.terminal,
        "\n[[live.keys]]\nname = {name}\nrole = \"{role}\"\nsha256 = \"{digest}\"\n"
    )?;
    say!(
        "key: {key}\nhint: keep it now, it is shown once; clients send `Authorization: Bearer KEY`"
    );
    Ok(Exit::Done)
}
