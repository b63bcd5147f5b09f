//! Processor time and memory of a process, by its threads.

use std::collections::HashMap;
use std::path::PathBuf;

use anyhow::{Context, Result};

/// What a process has used.
#[derive(Clone, Debug, Default)]
pub struct Spent {
    /// Name and seconds by the number of a thread.
    threads: HashMap<String, (String, f64)>,
    /// Memory held, KiB.
    pub resident_kib: u64,
}

/// Cores that were busy.
pub struct Cores {
    /// Of all threads.
    pub all: f64,
    by_thread: Vec<(String, f64)>,
}

impl Spent {
    /// Of the process of this number; `None`: of this one.
    ///
    /// # Errors
    /// When /proc does not tell it: there is no such process, or this is not Linux.
    pub fn so_far(process: Option<u32>) -> Result<Self> {
        let name = process.map_or_else(|| "self".to_owned(), |id| id.to_string());
        let folder = PathBuf::from("/proc").join(name);
        let mut threads = HashMap::new();
        for task in std::fs::read_dir(folder.join("task"))? {
            let task = task?;
            let read = |file: &str| std::fs::read_to_string(task.path().join(file));
            // A thread may end while it is read.
            let (Ok(stat), Ok(name)) = (read("stat"), read("comm")) else {
                continue;
            };
            let number = task.file_name().to_string_lossy().into_owned();
            threads.insert(number, (name.trim().to_owned(), thread_secs(&stat)?));
        }
        let status = std::fs::read_to_string(folder.join("status"))?;
        let held = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let held = held.and_then(|held| held.trim().strip_suffix("kB"));
        Ok(Self {
            threads,
            resident_kib: held.context("/proc tells no memory")?.trim().parse()?,
        })
    }

    /// Cores busy in the `secs` since `before`.
    pub fn since(&self, before: &Self, secs: f64) -> Cores {
        let by_thread = self.threads.iter().map(|(number, (name, now))| {
            let before = before.threads.get(number).map_or(0.0, |(_, secs)| *secs);
            (name.clone(), (now - before) / secs)
        });
        let by_thread: Vec<_> = by_thread.collect();
        Cores {
            all: by_thread.iter().map(|(_, share)| share).sum(),
            by_thread,
        }
    }
}

impl Cores {
    /// Of the threads of a stage together.
    pub fn of(&self, stage: &str) -> f64 {
        let of = |name: &str| name.split('-').next() == Some(stage);
        let shares = self.by_thread.iter().filter(|(name, _)| of(name));
        shares.map(|(_, share)| share).sum()
    }

    /// The thread with the least time left: what will be full first.
    pub fn busiest(&self) -> (&str, f64) {
        let busiest = self.by_thread.iter().max_by(|a, b| a.1.total_cmp(&b.1));
        busiest.map_or(("", 0.0), |(name, share)| (name, *share))
    }
}

/// utime and stime, the fields 14 and 15 of a thread's `stat` (proc(5)), in hundredths of a second.
fn thread_secs(stat: &str) -> Result<f64> {
    let after_name = stat.rsplit(')').next().unwrap_or_default();
    let fields: Vec<&str> = after_name.split_whitespace().collect();
    let ticks = |place: usize| -> Result<f64> {
        let field = fields.get(place).context("/proc tells no times")?;
        Ok(field.parse()?)
    };
    Ok((ticks(11)? + ticks(12)?) / 100.0)
}
