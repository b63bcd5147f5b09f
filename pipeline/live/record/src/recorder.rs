//! The recorder's threads.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use auricle_spool::{Record, RecordingName, Spool, SpoolError, SpoolRecording};
use crossbeam::channel::{self, Receiver, Sender, TrySendError};
use thiserror::Error;

use crate::facts::{BeginFacts, EndFacts, LegTaken, NoteFacts};
use crate::tape::{MAX_PACKET_BYTES, Tape, TapeReader, tape};

/// How often rings are looked through.
const LOOK_EVERY: Duration = Duration::from_millis(20);
/// How often what came is written.
const FLUSH_EVERY: Duration = Duration::from_millis(250);
/// How often what was written is brought to the disk.
const BARRIER_EVERY: Duration = Duration::from_millis(300);
/// Calls that begin, or are saved, between two looks, and while the disk holds the recorder up: a storm of them. Whoever begins
/// more is refused; whoever saves waits.
const COMMANDS_WAITING: usize = 4_096;
/// A long wait for the disk is told until the span after it is over: whoever looks once in so many seconds misses none.
const SPAN_SECS: u64 = 60;
/// Failures are told once in so long.
const COMPLAIN_EVERY: Duration = Duration::from_secs(60);

/// A recording was not begun.
#[derive(Debug, Error)]
pub enum RecordError {
    /// See there.
    #[error(transparent)]
    Spool(#[from] SpoolError),
    /// The facts are longer than a record.
    #[error("what is known of the call cannot be written: {0}")]
    Facts(#[from] serde_json::Error),
    /// Calls begin faster than the disk takes recordings.
    #[error(
        "the disk is behind: recordings take nothing more\nhint: look at the disk; calls go on being heard"
    )]
    Busy,
    /// The recorder is about to end, or broke off.
    #[error("recordings are not taken any more")]
    Over,
}

impl RecordError {
    fn of(refused: TrySendError<Command>) -> Self {
        match refused {
            TrySendError::Full(_) => Self::Busy,
            TrySendError::Disconnected(_) => Self::Over,
        }
    }
}

/// Counts since the start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RecordStats {
    /// Calls being recorded or waiting to be saved.
    pub n_open: u64,
    /// Samples that found no room, as the disk was full.
    pub unrecorded_samples: u64,
    /// Writes and syncs that failed.
    pub n_failures: u64,
    /// The longest that a packet waited for the disk in the last minute, milliseconds; one that waits still counts. It is
    /// told for one to two minutes, however often somebody looks.
    pub longest_to_disk_ms: u64,
}

/// Records calls into a spool. Dropped, it ends.
pub struct Recorder {
    spool: Arc<Spool>,
    commands: Sender<Command>,
    shared: Arc<Shared>,
    threads: Mutex<Vec<JoinHandle<()>>>,
}

#[derive(Default)]
struct Shared {
    is_over: AtomicBool,
    /// What was written is not on the disk yet.
    is_dirty: AtomicBool,
    n_open: AtomicU64,
    unrecorded: AtomicU64,
    n_failures: AtomicU64,
    waits: Mutex<Waits>,
}

impl Shared {
    fn waits(&self) -> MutexGuard<'_, Waits> {
        self.waits.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What waited for the disk, and waits.
#[derive(Default)]
struct Waits {
    /// What waits came before this; `None`: nothing waits.
    since: Option<Instant>,
    over: Longest,
}

impl Waits {
    /// What came after `since` is on the disk.
    fn end(&mut self, since: Instant, now: Instant) {
        self.since = None;
        self.over.note(waited_ms(since, now), now);
    }

    fn longest_ms(&mut self, now: Instant) -> u64 {
        let waits_ms = self.since.map_or(0, |since| waited_ms(since, now));
        self.over.read(now).max(waits_ms)
    }
}

/// The longest wait of the span of [`SPAN_SECS`] that goes on and of the one before, milliseconds.
#[derive(Default)]
struct Longest {
    /// When the span began; `None`: nothing was looked at yet.
    since: Option<Instant>,
    now_ms: u64,
    before_ms: u64,
}

impl Longest {
    fn note(&mut self, wait_ms: u64, now: Instant) {
        self.go_on(now);
        self.now_ms = self.now_ms.max(wait_ms);
    }

    fn read(&mut self, now: Instant) -> u64 {
        self.go_on(now);
        self.now_ms.max(self.before_ms)
    }

    /// To the span of `now`.
    fn go_on(&mut self, now: Instant) {
        let since = *self.since.get_or_insert(now);
        let n_spans = now.saturating_duration_since(since).as_secs() / SPAN_SECS;
        self.before_ms = match n_spans {
            0 => return,
            1 => self.now_ms,
            _ => 0,
        };
        self.now_ms = 0;
        self.since = Some(since + Duration::from_secs(n_spans * SPAN_SECS));
    }
}

enum Command {
    Begin(Box<UnderWay>),
    Note(RecordingName, Vec<u8>),
    /// The call is saved.
    Settle(RecordingName),
}

impl Recorder {
    /// Starts the threads.
    ///
    /// # Errors
    /// The system gives none.
    pub fn start(spool: Spool) -> std::io::Result<Self> {
        let spool = Arc::new(spool);
        let shared = Arc::new(Shared::default());
        let (commands, taken) = channel::bounded(COMMANDS_WAITING);
        let record = Taker::new(taken, Arc::clone(&shared));
        let (of_barrier, to_sync) = (Arc::clone(&shared), Arc::clone(&spool));
        let named = |name: &str| std::thread::Builder::new().name(name.to_owned());
        let threads = vec![
            named("recorder").spawn(move || record.run())?,
            named("barrier").spawn(move || barriers(&to_sync, &of_barrier))?,
        ];
        Ok(Self {
            spool,
            commands,
            shared,
            threads: Mutex::new(threads),
        })
    }

    /// Begins the recording of a call: writes its header. The recording ends when all tapes are dropped, and is finished by
    /// [`Self::settle`].
    ///
    /// # Errors
    /// The file cannot be made, or the recorder takes no more; then nothing of it stays.
    pub fn begin(
        &self,
        created_unix_ms: u64,
        facts: &BeginFacts,
    ) -> Result<(RecordingName, Vec<Tape>), RecordError> {
        let begin = serde_json::to_vec(facts)?;
        let recording = self.spool.create(created_unix_ms, &begin)?;
        let name = *recording.name();
        let (mut tapes, mut legs) = (Vec::new(), Vec::new());
        for leg in &facts.legs {
            let (tape, reader) = tape(leg.rate_hz);
            tapes.push(tape);
            legs.push(Leg {
                reader,
                rate_hz: leg.rate_hz,
                end: 0,
                n_taken: 0,
                n_unrecorded: 0,
            });
        }
        self.shared.is_dirty.store(true, Ordering::SeqCst);
        let begun = Command::Begin(Box::new(UnderWay {
            recording,
            legs,
            state: State::Taking,
            flushed_at: Instant::now(),
        }));
        if let Err(refused) = self.commands.try_send(begun) {
            self.remove(&name);
            return Err(RecordError::of(refused));
        }
        self.shared.n_open.fetch_add(1, Ordering::SeqCst);
        Ok((name, tapes))
    }

    /// Removes a recording that nobody will write. Puts it aside first: what cannot be removed is not heard again as a call
    /// that a crash left.
    fn remove(&self, name: &RecordingName) {
        match self.spool.put_aside(name) {
            Ok(path) => {
                let _ = std::fs::remove_file(path);
            }
            Err(cause) => tracing::error!("a recording without a call cannot be removed: {cause}"),
        }
    }

    /// Writes what became known of a call; nothing where its recording is finished. Where the disk is full it is left out.
    ///
    /// # Errors
    /// The facts cannot be written, or the disk is behind. It never waits.
    pub fn note(&self, name: RecordingName, facts: &NoteFacts) -> Result<(), RecordError> {
        let note = serde_json::to_vec(facts)?;
        let told = self.commands.try_send(Command::Note(name, note));
        told.map_err(RecordError::of)
    }

    /// The call is saved: its recording may be finished.
    pub fn settle(&self, name: RecordingName) {
        let _ = self.commands.send(Command::Settle(name));
    }

    /// The folder.
    pub fn spool(&self) -> &Spool {
        &self.spool
    }

    /// Writes what waits, brings it to the disk, and takes no more. What is not settled stays unfinished.
    pub fn end(&self) {
        self.shared.is_over.store(true, Ordering::SeqCst);
        let threads = self.threads.lock();
        let threads = std::mem::take(&mut *threads.unwrap_or_else(PoisonError::into_inner));
        if threads.is_empty() {
            return;
        }
        for thread in threads {
            let _ = thread.join();
        }
        if let Err(cause) = self.spool.barrier() {
            tracing::error!("recordings are not all on the disk: {cause}");
        }
    }

    /// Counts, and the longest wait of the last minute.
    pub fn stats(&self) -> RecordStats {
        let shared = &self.shared;
        RecordStats {
            n_open: shared.n_open.load(Ordering::Relaxed),
            unrecorded_samples: shared.unrecorded.load(Ordering::Relaxed),
            n_failures: shared.n_failures.load(Ordering::Relaxed),
            longest_to_disk_ms: shared.waits().longest_ms(Instant::now()),
        }
    }
}

impl Drop for Recorder {
    fn drop(&mut self) {
        self.end();
    }
}

struct Leg {
    reader: TapeReader,
    rate_hz: u32,
    /// Behind the last sample.
    end: u64,
    /// Samples that were pushed.
    n_taken: u64,
    /// Those of them that found no room.
    n_unrecorded: u64,
}

impl Leg {
    /// What became of its audio, once it is over.
    fn taken(&self) -> LegTaken {
        let filled = self.reader.n_filled();
        LegTaken {
            expected: self.end,
            received: self.n_taken.saturating_sub(filled),
            filled,
            unrecorded: self.n_unrecorded,
        }
    }
}

struct UnderWay {
    recording: SpoolRecording,
    legs: Vec<Leg>,
    state: State,
    flushed_at: Instant,
}

/// Taking => Waiting => Settled
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Packets may come.
    Taking,
    /// All came; the call is not saved yet.
    Waiting,
    /// To be finished, as soon as the disk takes it.
    Settled,
}

/// The thread that takes packets.
struct Taker {
    commands: Receiver<Command>,
    shared: Arc<Shared>,
    under_way: HashMap<RecordingName, UnderWay>,
    complaint: Complaint,
}

impl Taker {
    fn new(commands: Receiver<Command>, shared: Arc<Shared>) -> Self {
        Self {
            commands,
            shared,
            under_way: HashMap::new(),
            complaint: Complaint::default(),
        }
    }

    fn run(mut self) {
        loop {
            // Read first: what was told before is there after.
            let is_over = self.shared.is_over.load(Ordering::SeqCst);
            self.turn(is_over);
            if is_over {
                return;
            }
            std::thread::sleep(LOOK_EVERY);
        }
    }

    fn turn(&mut self, is_last: bool) {
        for command in self.commands.try_iter() {
            match command {
                Command::Begin(call) => {
                    self.under_way.insert(*call.recording.name(), *call);
                }
                Command::Note(name, note) => {
                    let call = self.under_way.get_mut(&name);
                    let noted = call.map(|call| call.recording.append(Record::Note(&note)));
                    if let Some(Err(cause)) = noted {
                        self.shared.n_failures.fetch_add(1, Ordering::Relaxed);
                        self.complaint.tell(&cause);
                    }
                }
                Command::Settle(name) => {
                    if let Some(call) = self.under_way.get_mut(&name) {
                        call.state = State::Settled;
                    }
                }
            }
        }
        let (shared, complaint) = (&self.shared, &mut self.complaint);
        self.under_way.retain(|_, call| {
            let kept = call.turn(shared, is_last);
            kept.unwrap_or_else(|cause| {
                shared.n_failures.fetch_add(1, Ordering::Relaxed);
                complaint.tell(&cause);
                true
            })
        });
        let n_open = self.under_way.len() as u64;
        self.shared.n_open.store(n_open, Ordering::Relaxed);
    }
}

impl UnderWay {
    /// Takes what came, and writes it when it is time to; `false` when the recording is finished.
    fn turn(&mut self, shared: &Shared, is_last: bool) -> Result<bool, SpoolError> {
        let mut payload = [0; MAX_PACKET_BYTES];
        let mut is_over = true;
        for (number, leg) in self.legs.iter_mut().enumerate() {
            is_over &= leg.reader.is_over();
            while let Some(audio) = leg.reader.next(number as u8, leg.rate_hz, &mut payload) {
                let n_samples = audio.encoding.n_samples(audio.payload.len());
                leg.end = leg.end.max(audio.end());
                leg.n_taken += n_samples;
                match self.recording.append(Record::Audio(audio)) {
                    Ok(()) => {}
                    Err(SpoolError::BufferFull { .. }) => {
                        leg.n_unrecorded += n_samples;
                        shared.unrecorded.fetch_add(n_samples, Ordering::Relaxed);
                    }
                    Err(cause) => return Err(cause),
                }
            }
        }
        let is_due = is_last || self.flushed_at.elapsed() >= FLUSH_EVERY;
        if self.state == State::Settled && is_due {
            self.flushed_at = Instant::now();
            // Nobody pushes any more: the call was told and saved after its legs were over.
            let legs = self.legs.iter().map(Leg::taken).collect();
            let end = serde_json::to_vec(&EndFacts { legs }).unwrap_or_default();
            self.recording.finish(&end)?;
            shared.is_dirty.store(true, Ordering::SeqCst);
            return Ok(false);
        }
        let just_over = is_over && self.state == State::Taking;
        if just_over {
            self.state = State::Waiting;
        }
        if is_due || just_over {
            self.flushed_at = Instant::now();
            self.flush(shared)?;
        }
        Ok(true)
    }

    fn flush(&mut self, shared: &Shared) -> Result<(), SpoolError> {
        if self.recording.n_buffered_bytes() == 0 {
            return Ok(());
        }
        self.recording.flush()?;
        shared.is_dirty.store(true, Ordering::SeqCst);
        Ok(())
    }
}

/// Brings what was written to the disk, over and over.
fn barriers(spool: &Spool, shared: &Shared) {
    let mut complaint = Complaint::default();
    let mut before = Instant::now();
    while !shared.is_over.load(Ordering::SeqCst) {
        std::thread::sleep(BARRIER_EVERY);
        let begins = Instant::now();
        if shared.is_dirty.swap(false, Ordering::SeqCst) {
            // What was written just after the barrier before began waits for this one to end.
            let since = *shared.waits().since.get_or_insert(before);
            match spool.barrier() {
                Ok(_) => shared.waits().end(since, Instant::now()),
                Err(cause) => {
                    shared.is_dirty.store(true, Ordering::SeqCst);
                    shared.n_failures.fetch_add(1, Ordering::Relaxed);
                    complaint.tell(&cause);
                }
            }
        }
        before = begins;
    }
}

/// How long a packet has waited by `now` that was written after `since`: in the ring and the buffer, too.
fn waited_ms(since: Instant, now: Instant) -> u64 {
    let waited = now.saturating_duration_since(since);
    (waited + FLUSH_EVERY + LOOK_EVERY).as_millis() as u64
}

/// Tells failures, but not over and over: a disk that is full fails for every call, four times a second.
#[derive(Default)]
struct Complaint {
    told_at: Option<Instant>,
}

impl Complaint {
    fn tell(&mut self, cause: &SpoolError) {
        let is_due = self.told_at.is_none_or(|at| at.elapsed() >= COMPLAIN_EVERY);
        if is_due {
            self.told_at = Some(Instant::now());
            tracing::error!("recordings cannot be written: {cause}");
        }
    }
}

#[cfg(test)]
mod tests {
    use auricle_spool::{KeyRing, SpoolOptions};

    use super::*;

    #[test]
    fn a_long_wait_is_told_for_a_minute_and_at_most_two_however_often_somebody_looks() {
        let start = Instant::now();
        let after = |secs: u64| start + Duration::from_secs(secs);
        let mut longest = Longest::default();
        longest.note(900, start);
        longest.note(400, after(40));
        for (secs, expected_ms) in [(40, 900), (59, 900), (60, 900), (119, 900), (120, 0)] {
            for _look in 0..2 {
                assert_eq!(longest.read(after(secs)), expected_ms, "{secs}");
            }
        }
        longest.note(300, after(179));
        for (secs, expected_ms) in [(180, 300), (239, 300), (240, 0)] {
            assert_eq!(longest.read(after(secs)), expected_ms, "{secs}");
        }
        longest.note(500, after(250));
        assert_eq!(longest.read(after(10_000)), 0);
    }

    #[test]
    fn a_recording_that_is_not_taken_leaves_no_file() {
        let folder = tempfile::tempdir().unwrap();
        let keys =
            KeyRing::parse("test = \"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\"").unwrap();
        let spool = Spool::open(folder.path(), keys, SpoolOptions::default()).unwrap();
        // Nobody takes anything, so there is never room.
        let (commands, taken) = channel::bounded(0);
        let recorder = Recorder {
            spool: Arc::new(spool),
            commands,
            shared: Arc::default(),
            threads: Mutex::default(),
        };
        let json = r#"{"call_id": "c-1", "metadata": {}, "source": "test", "legs": []}"#;
        let facts: BeginFacts = serde_json::from_str(json).unwrap();
        let refused = || recorder.begin(1_000, &facts).map(drop).unwrap_err();
        let n_files = |name: &str| {
            let files = std::fs::read_dir(folder.path().join(name));
            files.unwrap().count()
        };
        assert!(matches!(refused(), RecordError::Busy));
        assert_eq!((n_files("open"), n_files("broken")), (0, 0));
        drop(taken);
        assert!(matches!(refused(), RecordError::Over));
        assert_eq!((n_files("open"), n_files("broken")), (0, 0));
        assert_eq!(recorder.spool().stats().n_open, 0);
    }
}
