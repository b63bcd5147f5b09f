//! The program that serves, on a folder of its own.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, ChildStderr, Command, Stdio};

use anyhow::{Context, Result, bail};
use tempfile::TempDir;

/// What it counts of packets: all datagrams, and those of which nothing is heard.
const DATAGRAMS: &str = "auricle_rtp_datagrams_total ";
const UNHEARD: [&str; 4] = [
    "auricle_rtp_unreadable_total ",
    "auricle_rtp_unauthentic_total ",
    "auricle_rtp_dropped_by_kernel_total ",
    "auricle_rtp_no_room_total ",
];

/// `auricle serve` at work. Dropped, it is killed.
pub(crate) struct Served {
    program: Child,
    http: String,
    sip: String,
    _folder: TempDir,
}

/// What it counted since it began.
pub(crate) struct Figures {
    pub(crate) datagrams: u64,
    /// Of which it heard nothing, whatever the reason.
    pub(crate) unheard: u64,
}

impl Served {
    /// Starts it for so many calls, set up at this rate.
    ///
    /// # Errors
    /// When it does not serve.
    pub(crate) fn start(binary: &Path, most_calls: usize, rate: u32) -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let config = folder.path().join("auricle.toml");
        let text = format!(
            "[live]\nmost_calls = {}\ndrain_secs = 0\n[live.sip]\nlisten = ['udp:127.0.0.1:0']\nagents = ['8*']\n\
             most_set_ups_per_sec = {}\n",
            most_calls + 50,
            2 * rate,
        );
        std::fs::write(&config, text)?;
        let mut program = Command::new(binary)
            .arg("--config")
            .arg(&config)
            .arg("--data")
            .arg(folder.path().join("data"))
            .args(["serve", "--listen", "127.0.0.1:0"])
            .stderr(Stdio::piped())
            .spawn()
            .with_context(|| binary.display().to_string())?;
        let said = program.stderr.take().context("it says nothing")?;
        let (http, sip) = addresses(said)?;
        Ok(Self {
            program,
            http,
            sip,
            _folder: folder,
        })
    }

    pub(crate) fn process(&self) -> u32 {
        self.program.id()
    }

    /// Where it listens over UDP.
    pub(crate) fn sip(&self) -> &str {
        &self.sip
    }

    /// # Errors
    /// When it does not tell them.
    pub(crate) fn figures(&self) -> Result<Figures> {
        let mut connection = TcpStream::connect(&self.http)?;
        let host = &self.http;
        write!(connection, "GET /metrics HTTP/1.0\r\nHost: {host}\r\n\r\n")?;
        let mut page = String::new();
        connection.read_to_string(&mut page)?;
        let value = |name: &str| -> Result<u64> {
            let line = page.lines().find_map(|line| line.strip_prefix(name));
            let value = line.with_context(|| format!("/metrics has no `{name}`"))?;
            Ok(value.trim().parse::<f64>()? as u64)
        };
        let mut unheard = 0;
        for name in UNHEARD {
            unheard += value(name)?;
        }
        Ok(Figures {
            datagrams: value(DATAGRAMS)?,
            unheard,
        })
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.program.kill();
        let _ = self.program.wait();
    }
}

/// Of HTTP and of SIP over UDP, as the program tells them. What it says later is read and dropped.
fn addresses(said: ChildStderr) -> Result<(String, String)> {
    let (mut lines, mut sip, mut all) = (BufReader::new(said), None, String::new());
    loop {
        let mut line = String::new();
        if lines.read_line(&mut line)? == 0 {
            bail!("the program does not serve: {all}");
        }
        if let Some(addresses) = line.strip_prefix("listening: SIP on ") {
            let mut addresses = addresses.split([' ', ',']);
            let over_udp = addresses.find_map(|address| address.strip_prefix("udp:"));
            sip = sip.or(over_udp.map(|address| address.trim().to_owned()));
        } else if let Some(rest) = line.strip_prefix("listening: http://") {
            let http = rest.split_whitespace().next().unwrap_or_default();
            let http = http.trim_end_matches('/').to_owned();
            std::thread::spawn(move || std::io::copy(&mut lines, &mut std::io::sink()));
            return Ok((http, sip.context("SIP over UDP is off")?));
        }
        all += &line;
    }
}
