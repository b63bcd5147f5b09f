//! Calls over AudioSocket into a program that serves, which this tool starts on a folder of its own.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, ChildStderr, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use auricle_live::{BOUNDS_MS, Measured};
use tempfile::TempDir;

use crate::slots::{PlayedCall, Way};

/// Kinds of AudioSocket's messages: a name, audio at 8 kHz.
const NAME: u8 = 0x01;
const AUDIO: u8 = 0x10;

/// `auricle serve` at work. Dropped, it is killed.
pub(crate) struct Served {
    program: Child,
    http: String,
    audiosocket: String,
    _folder: TempDir,
}

impl Served {
    /// Starts it; `model` and `vad` as in its configuration.
    pub(crate) fn start(binary: &Path, most_calls: usize) -> Result<Self> {
        let folder = tempfile::tempdir()?;
        let config = folder.path().join("auricle.toml");
        let most_connections = 2 * most_calls + 100;
        let text = format!(
            "[live]\nmost_calls = {}\n[live.audiosocket]\nlisten = '127.0.0.1:0'\nmost_connections = {most_connections}\n",
            most_calls + 50
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
        let (http, audiosocket) = addresses(said)?;
        Ok(Self {
            program,
            http,
            audiosocket,
            _folder: folder,
        })
    }

    pub(crate) fn process(&self) -> u32 {
        self.program.id()
    }

    /// Its histograms: packet to partial, silence to final, word to alert; and partials left out.
    pub(crate) fn figures(&self) -> Result<([Measured; 3], u64)> {
        let mut connection = TcpStream::connect(&self.http)?;
        write!(
            connection,
            "GET /metrics HTTP/1.0\r\nHost: {}\r\n\r\n",
            self.http
        )?;
        let mut page = String::new();
        connection.read_to_string(&mut page)?;
        let histograms = ["packet_to_partial", "end_to_final", "word_to_alert"]
            .map(|name| histogram(&page, &format!("auricle_live_{name}_seconds")));
        let [partial, end, alert] = histograms;
        let shed = value(&page, "auricle_live_partials_shed_total ")? as u64;
        Ok(([partial?, end?, alert?], shed))
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.program.kill();
        let _ = self.program.wait();
    }
}

/// Of HTTP and of AudioSocket, as the program tells them. What it says later is read and dropped.
fn addresses(said: ChildStderr) -> Result<(String, String)> {
    let (mut lines, mut audiosocket, mut all) = (BufReader::new(said), None, String::new());
    loop {
        let mut line = String::new();
        if lines.read_line(&mut line)? == 0 {
            bail!("the program does not serve: {all}");
        }
        if let Some(address) = line.strip_prefix("listening: AudioSocket on ") {
            audiosocket = Some(address.trim().to_owned());
        } else if let Some(rest) = line.strip_prefix("listening: http://") {
            let http = rest.split_whitespace().next().unwrap_or_default();
            let http = http.trim_end_matches('/').to_owned();
            std::thread::spawn(move || std::io::copy(&mut lines, &mut std::io::sink()));
            return Ok((http, audiosocket.context("AudioSocket is off")?));
        }
        all += &line;
    }
}

fn value(page: &str, name: &str) -> Result<f64> {
    let line = page.lines().find_map(|line| line.strip_prefix(name));
    let value = line.with_context(|| format!("/metrics has no `{name}`"))?;
    Ok(value.trim().parse()?)
}

fn histogram(page: &str, name: &str) -> Result<Measured> {
    let mut buckets = [0; BOUNDS_MS.len() + 1];
    let bounds = BOUNDS_MS.map(|bound_ms| (bound_ms as f64 / 1000.0).to_string());
    let bounds = bounds.into_iter().chain(["+Inf".to_owned()]);
    let mut n_below = 0;
    for (bucket, bound) in buckets.iter_mut().zip(bounds) {
        let n_within = value(page, &format!("{name}_bucket{{le=\"{bound}\"}} "))? as u64;
        *bucket = n_within - n_below;
        n_below = n_within;
    }
    let sum_us = (value(page, &format!("{name}_sum "))? * 1e6) as u64;
    Ok(Measured { buckets, sum_us })
}

/// Opens calls over AudioSocket, two connections each.
pub(crate) struct OverAudioSocket<'s> {
    pub(crate) served: &'s Served,
}

impl Way for OverAudioSocket<'_> {
    fn open(&mut self, number: u64, _is_whole: bool) -> Result<Box<dyn PlayedCall>> {
        let mut connections = Vec::with_capacity(2);
        for _ in 0..2 {
            let mut connection = TcpStream::connect(&self.served.audiosocket)?;
            connection.set_nodelay(true)?;
            let mut name = vec![NAME, 0, 16];
            name.extend(u128::from(number).to_be_bytes());
            connection.write_all(&name)?;
            connections.push(connection);
        }
        Ok(Box::new(Connections(connections)))
    }
}

struct Connections(Vec<TcpStream>);

impl PlayedCall for Connections {
    fn push(&mut self, leg: usize, _at: u64, packet: &[u8]) -> Result<Duration> {
        let mut message = vec![AUDIO];
        message.extend((packet.len() as u16).to_be_bytes());
        message.extend(packet);
        let began = Instant::now();
        self.0[leg].write_all(&message)?;
        // A write into room takes microseconds.
        let took = began.elapsed();
        Ok(took.saturating_sub(Duration::from_millis(5)))
    }
}
