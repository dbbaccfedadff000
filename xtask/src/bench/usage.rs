//! What a process has used, as /proc tells it (proc(5)).

use std::{
    fs,
    process::{Child, ExitStatus},
    time::Duration,
};

use anyhow::{Context as _, Result};

/// Processor time and memory of one process since it began.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct Usage {
    /// Seconds of processor time, in user and kernel mode, of all its threads.
    pub(super) cpu_seconds: f64,
    /// The most memory that it has held at one time, in MiB; none once it has ended.
    pub(super) peak_mib: Option<f64>,
    /// It has ended and was not waited for yet: its times are final.
    pub(super) ended: bool,
}

/// Of the process `pid`, which must be a child that was not waited for.
pub(super) fn of(pid: u32) -> Result<Usage> {
    let read = |file: &str| {
        let path = format!("/proc/{pid}/{file}");
        fs::read_to_string(&path).with_context(|| format!("failed to read {path}"))
    };
    let (stat, status) = (read("stat")?, read("status")?);
    parse(&stat, &status, ticks_per_second())
        .with_context(|| format!("/proc/{pid}/stat is not as proc(5) says"))
}

/// Waits for a child that has ended, and says how many seconds of processor time it has used: finer than /proc's hundredths. No other child may be waited for
/// in another thread meanwhile.
pub(super) fn wait(child: &mut Child) -> Result<(ExitStatus, f64)> {
    let before = of_children();
    let status = child.wait().context("failed to wait for a program")?;
    Ok((status, of_children() - before))
}

/// Of all children that were waited for.
fn of_children() -> f64 {
    // SAFETY: all bytes zero are a valid rusage.
    let mut usage: libc::rusage = unsafe { std::mem::zeroed() };
    // SAFETY: the pointer is to a rusage of ours. It cannot fail with these arguments.
    unsafe { libc::getrusage(libc::RUSAGE_CHILDREN, &raw mut usage) };
    let seconds = |time: libc::timeval| {
        let whole = u64::try_from(time.tv_sec).unwrap_or_default();
        let micros = u64::try_from(time.tv_usec).unwrap_or_default();
        Duration::from_secs(whole) + Duration::from_micros(micros)
    };
    (seconds(usage.ru_utime) + seconds(usage.ru_stime)).as_secs_f64()
}

/// How many processes wanted to run, on average over the last minute.
pub(super) fn load_average() -> Option<f64> {
    let text = fs::read_to_string("/proc/loadavg").ok()?;
    text.split(' ').next()?.parse().ok()
}

fn ticks_per_second() -> f64 {
    // SAFETY: sysconf has no preconditions.
    let ticks = unsafe { libc::sysconf(libc::_SC_CLK_TCK) };
    // 100 on every Linux.
    u32::try_from(ticks).map_or(100.0, f64::from)
}

fn parse(stat: &str, status: &str, ticks_per_second: f64) -> Option<Usage> {
    // The name, in parentheses, may hold blanks and parentheses: what counts stands after the last one.
    let (_, fields) = stat.rsplit_once(") ")?;
    let fields: Vec<&str> = fields.split_whitespace().collect();
    // Field 3 of the manual page is the first one here.
    let ticks = |number: usize| fields.get(number - 3)?.parse::<u32>().ok();
    let peak = status.lines().find_map(|line| {
        let kib = line.strip_prefix("VmHWM:")?.trim().strip_suffix(" kB")?;
        kib.parse::<u32>().ok()
    });
    Some(Usage {
        cpu_seconds: f64::from(ticks(14)?.checked_add(ticks(15)?)?) / ticks_per_second,
        peak_mib: peak.map(|kib| f64::from(kib) / 1024.0),
        ended: *fields.first()? == "Z",
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fields_are_found_behind_any_name() {
        let stat = "7 (a) b (c) S 1 7 7 0 -1 4194560 1 2 3 4 150 50 6 7 20 0 1 0 99 0 0";
        let status = "Name:\ta) b (c\nVmPeak:\t  9999 kB\nVmHWM:\t  2048 kB\n";
        let expected = Usage {
            cpu_seconds: 2.0,
            peak_mib: Some(2.0),
            ended: false,
        };
        assert_eq!(parse(stat, status, 100.0), Some(expected));
        let ended = parse(&stat.replace(" S 1", " Z 1"), "Name:\tx\n", 100.0).unwrap();
        assert!(ended.ended && ended.peak_mib.is_none());
        assert_eq!(parse("7 (a) S 1", status, 100.0), None);
    }

    #[test]
    fn a_child_that_works_has_used_time() {
        let mut child = std::process::Command::new("sh")
            .args(["-c", "i=0; while [ $i -lt 20000 ]; do i=$((i+1)); done"])
            .spawn()
            .unwrap();
        let (status, seconds) = wait(&mut child).unwrap();
        assert!(status.success() && seconds > 0.0, "{seconds}");
    }

    #[test]
    fn this_process_is_seen() {
        let usage = of(std::process::id()).unwrap();
        assert!(usage.peak_mib.unwrap() > 1.0 && !usage.ended);
    }
}
