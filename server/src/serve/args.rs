//! The command line of `auricle serve`.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::Args;

const EXAMPLES: &str = "\
Examples:
  auricle serve                                   listen on 127.0.0.1:8020
  auricle serve --replay recordings/              play recordings as calls under way, and watch them
  auricle serve --replay recordings/ --speed 4    four times as fast
  auricle serve --replay a.wav --once             end when it is over
  auricle watch                                   in another terminal: partials and alerts
  curl -N http://127.0.0.1:8020/api/v1/live       the same as Server-Sent Events

A call that comes over a network and is named as a saved one gets a number behind its name: `-2` for the second.

What it answers, and `[live]` of auricle.toml: docs/live.md.";

/// Options of `auricle serve`.
#[derive(Debug, Args)]
#[command(after_long_help = EXAMPLES)]
pub(crate) struct ServeArgs {
    /// IP address and port of the HTTP interface, instead of `live.listen`; port 0 takes a free one.
    #[arg(long, value_name = "ADDRESS", value_parser = address)]
    pub(super) listen: Option<SocketAddr>,
    /// A model by its name, instead of the one that the configuration chooses.
    #[arg(long, value_name = "NAME")]
    pub(super) model: Option<String>,
    /// Recordings, or folders of them, to play as calls under way, named `live-` and the file. What was saved of a call of
    /// this name before, its alerts and who saw to them are replaced.
    #[arg(long, value_name = "PATH", num_args = 1..)]
    pub(super) replay: Vec<PathBuf>,
    /// Seconds of sound that are played a second.
    #[arg(long, value_name = "N", default_value_t = 1.0, requires = "replay", value_parser = speed)]
    pub(super) speed: f64,
    /// Calls that are played at a time.
    #[arg(long, value_name = "N", default_value_t = 4, requires = "replay")]
    pub(super) at_once: usize,
    /// End when all that is played is over.
    #[arg(long, requires = "replay")]
    pub(super) once: bool,
}

fn address(text: &str) -> Result<SocketAddr, String> {
    text.parse().map_err(|_| {
        "it must be an IP address and a port, for example 127.0.0.1:8020, or 0.0.0.0:8020 for all addresses of this machine".to_owned()
    })
}

fn speed(text: &str) -> Result<f64, String> {
    let speed: f64 = text.parse().map_err(|_| "it must be a number".to_owned())?;
    match (0.1..=1_000.0).contains(&speed) {
        true => Ok(speed),
        false => Err("it must be 0.1 to 1000".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_numbers_and_a_port() {
        assert_eq!(address("0.0.0.0:0"), Ok(SocketAddr::from(([0; 4], 0))));
        for wrong in ["localhost:8120", "0.0.0.0", "8120", ""] {
            let said = address(wrong).unwrap_err();
            assert!(
                said.contains("for example 127.0.0.1:8020"),
                "{wrong}: {said}"
            );
        }
    }
}
