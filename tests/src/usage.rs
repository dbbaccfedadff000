//! What a process uses of the machine.

use std::fs;

/// What a process uses at a moment.
#[derive(Debug, Clone, Copy)]
pub struct Sample {
    /// Seconds since its start.
    pub at: f64,
    /// Resident memory.
    pub kib: u64,
    /// The most that it ever was.
    pub peak_kib: u64,
    /// Open file descriptors.
    pub files: u64,
    /// Threads.
    pub threads: u64,
}

impl Sample {
    /// Of this process, so many seconds after its start; none when it is gone.
    #[must_use]
    pub fn of(pid: u32, at: f64) -> Option<Self> {
        let status = fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
        let number = |key: &str| -> Option<u64> {
            let line = status.lines().find_map(|line| line.strip_prefix(key))?;
            line.split_whitespace().next()?.parse().ok()
        };
        let files = fs::read_dir(format!("/proc/{pid}/fd")).ok()?.count();
        Some(Self {
            at,
            kib: number("VmRSS:")?,
            peak_kib: number("VmHWM:")?,
            files: u64::try_from(files).ok()?,
            threads: number("Threads:")?,
        })
    }
}

/// The middle one.
///
/// # Panics
/// When there is none.
#[must_use]
pub fn median(values: impl Iterator<Item = u64>) -> u64 {
    let mut values: Vec<u64> = values.collect();
    assert!(!values.is_empty(), "there are samples");
    values.sort_unstable();
    values[values.len() / 2]
}

/// Processor time that a process has used since its start, in seconds; none when it is gone.
#[must_use]
pub fn cpu_seconds(pid: u32) -> Option<f64> {
    /// `USER_HZ`, which is 100 on every Linux that this runs on.
    const TICKS: f64 = 100.0;
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name may hold anything but its closing bracket comes last; utime and stime are fields 14 and 15.
    let (_, rest) = stat.rsplit_once(')')?;
    let mut fields = rest.split_whitespace().skip(11);
    let user: f64 = fields.next()?.parse().ok()?;
    let system: f64 = fields.next()?.parse().ok()?;
    Some((user + system) / TICKS)
}
