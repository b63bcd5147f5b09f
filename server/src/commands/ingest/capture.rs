//! `auricle ingest capture`: packets of a call under way, into a file.

use std::fs::{self, File, OpenOptions};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::pin::pin;
use std::time::Duration;

use anyhow::{Context, Result, anyhow, bail};
use auricle_contracts::CallId;
use clap::Args;
use indicatif::{HumanBytes, ProgressBar, ProgressStyle};
use reqwest::Response;

use super::client::Client;
use crate::analyze::wait_for_signal;
use crate::app::App;
use crate::exit::{Exit, message_of};
use crate::file_name::file_stem;
use crate::terminal::{printable, say};

const EXAMPLES: &str = "\
Examples:
  auricle ingest capture 4f1c                        a minute of call 4f1c, into 4f1c.pcap
  auricle ingest capture 4f1c --secs 300 -o one.pcap --server http://10.0.0.5:8020 --key-file key.txt

The file has what was said in clear: audio, numbers, keys that were pressed. Delete it when it has served.";

/// Options of `auricle ingest capture`.
#[derive(Debug, Args)]
#[command(after_long_help = EXAMPLES)]
pub(crate) struct CaptureArgs {
    /// The call, as `auricle ingest check` names it.
    #[arg(value_name = "CALL")]
    call: String,
    /// Address of `auricle serve`.
    #[arg(long, value_name = "URL", default_value = "http://127.0.0.1:8020")]
    server: String,
    /// File with a key of the role `support` for the server: what `auricle api-key` prints behind `key:`, in one line.
    #[arg(long, value_name = "FILE")]
    key_file: Option<PathBuf>,
    /// Seconds after which it ends, if the call does not end before.
    #[arg(long, value_name = "SECONDS", default_value_t = 60, value_parser = clap::value_parser!(u64).range(1..=600))]
    secs: u64,
    /// The file to write; the call's name with `.pcap` if it is not given.
    #[arg(long, short, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Write over a file that is there.
    #[arg(long)]
    force: bool,
}

/// How the packets ended.
enum Ended {
    /// The server said so.
    Whole,
    /// By Ctrl-C.
    Stopped,
    /// The connection was lost.
    Broken(reqwest::Error),
}

pub(super) fn run(app: &App, args: &CaptureArgs) -> Result<Exit> {
    let path = args.path();
    // Before the server is asked, which notes that it was.
    if !args.force && path.exists() {
        bail!(there_already(&path));
    }
    let client = Client::new(&args.server, args.key_file.as_deref())?;
    app.runtime.block_on(async {
        let packets = client.capture(&args.call, args.secs).await?;
        let mut file = create(&path, args)?;
        say!(
            "capturing call `{}` for {} s at most; Ctrl-C ends it, and what came stays",
            printable(&args.call),
            args.secs
        );
        let (n_bytes, ended) = copy(packets, &mut file)
            .await
            .with_context(|| not_written(&path))?;
        say!("{}: {}", path.display(), HumanBytes(n_bytes));
        match ended {
            Ended::Whole | Ended::Stopped => Ok(Exit::Done),
            Ended::Broken(error) => {
                let cause = message_of(&error.without_url().into());
                Err(anyhow!(
                    "the capture broke off: {cause}\nhint: what came before is in the file"
                ))
            }
        }
    })
}

impl CaptureArgs {
    fn path(&self) -> PathBuf {
        let named = || PathBuf::from(file_stem(&CallId(self.call.clone())) + ".pcap");
        self.out.clone().unwrap_or_else(named)
    }
}

/// Copies packets as they come, and shows how many bytes came.
async fn copy(mut packets: Response, file: &mut File) -> Result<(u64, Ended)> {
    let bar = bar();
    let mut stopped = pin!(wait_for_signal());
    let mut n_bytes = 0_u64;
    let ended = loop {
        let part = tokio::select! {
            part = packets.chunk() => part,
            _ = &mut stopped => break Ended::Stopped,
        };
        match part {
            Ok(Some(part)) => {
                file.write_all(&part)?;
                n_bytes = n_bytes.saturating_add(part.len() as u64);
                bar.set_position(n_bytes);
            }
            Ok(None) => break Ended::Whole,
            Err(error) => break Ended::Broken(error),
        }
    };
    bar.finish_and_clear();
    file.flush()?;
    Ok((n_bytes, ended))
}

/// A new file that only its owner can read.
fn create(path: &Path, args: &CaptureArgs) -> Result<File> {
    if args.force
        && let Err(cause) = fs::remove_file(path)
        && cause.kind() != ErrorKind::NotFound
    {
        return Err(cause).with_context(|| not_written(path));
    }
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    match options.open(path) {
        Err(cause) if cause.kind() == ErrorKind::AlreadyExists => bail!(there_already(path)),
        opened => opened.with_context(|| not_written(path)),
    }
}

fn there_already(path: &Path) -> String {
    let path = path.display();
    format!("`{path}` is there already\nhint: -o names another file; --force writes over this one")
}

fn not_written(path: &Path) -> String {
    format!("cannot write `{}`", path.display())
}

/// Hidden by itself where standard error is no terminal.
fn bar() -> ProgressBar {
    let bar = ProgressBar::new_spinner();
    if let Ok(style) = ProgressStyle::with_template("{spinner} {elapsed}  {bytes}") {
        bar.set_style(style);
    }
    bar.enable_steady_tick(Duration::from_millis(500));
    bar
}

#[cfg(test)]
mod tests {
    use super::*;

    fn args(out: Option<&Path>) -> CaptureArgs {
        CaptureArgs {
            call: "a/b".to_owned(),
            server: String::new(),
            key_file: None,
            secs: 60,
            out: out.map(Path::to_owned),
            force: false,
        }
    }

    #[test]
    fn files_are_named_by_calls() {
        assert_eq!(args(None).path(), Path::new("a_b.pcap"));
        let out = Path::new("one.pcap");
        assert_eq!(args(Some(out)).path(), out);
    }

    #[test]
    fn a_file_that_is_there_stays_unless_it_is_said_otherwise() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("one.pcap");
        fs::write(&path, "mine").unwrap();
        let refused = create(&path, &args(None)).unwrap_err().to_string();
        assert!(refused.contains("is there already"), "{refused}");
        assert_eq!(fs::read_to_string(&path).unwrap(), "mine");
        let forced = CaptureArgs {
            force: true,
            ..args(None)
        };
        for _ in 0..2 {
            create(&path, &forced).unwrap();
            assert_eq!(fs::read(&path).unwrap(), b"");
            fs::remove_file(&path).unwrap();
        }
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let file = create(&path, &args(None)).unwrap();
            let mode = file.metadata().unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600);
        }
    }
}
