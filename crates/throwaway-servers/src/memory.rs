//! Servers whose files are in memory.
//!
//! A server that starts waits for its disk most of the time: with its files in `/dev/shm` it is up in about 0.7 s instead of 2, and where others
//! use the same disk instead of 10. A process that is killed loses nothing there, since the files are the kernel's. What they cannot
//! show is how long a disk takes, so whoever measures asks for the disk ([`ServerBuilder::on_disk`](crate::ServerBuilder::on_disk)), and so does
//! `DATAIN_SERVERS=disk` for all servers.

use std::{env, ffi::CString, fs};

/// A file system in memory that every Linux has. In a container it may be tiny.
pub(crate) const FOLDER: &str = "/dev/shm";

/// Room that has to be left for a server's files: a test's servers take 0.1 to 1 GB each, and several tests run at once.
const FILES: u64 = 4 << 30;

/// Memory that has to be left besides, since the files take it from the processes.
const PROCESSES: u64 = 4 << 30;

/// Whether another server's files may be in memory now.
pub(crate) fn has_room() -> bool {
    let asked_for_disk = env::var_os("DATAIN_SERVERS").is_some_and(|value| value == "disk");
    !asked_for_disk
        && free_bytes().is_some_and(|free| free >= FILES)
        && available().is_some_and(|bytes| bytes >= FILES + PROCESSES)
}

/// What fits into the folder, if it is one in memory.
fn free_bytes() -> Option<u64> {
    let path = CString::new(FOLDER).ok()?;
    // SAFETY: `statfs` is plain numbers, for which zeros are values too.
    let mut stat: libc::statfs = unsafe { std::mem::zeroed() };
    // SAFETY: the path ends with a zero, and the kernel fills the structure that is lent to it.
    let asked = unsafe { libc::statfs(path.as_ptr(), &raw mut stat) };
    let in_memory = asked == 0 && stat.f_type == libc::TMPFS_MAGIC;
    in_memory.then(|| stat.f_bavail * u64::try_from(stat.f_bsize).unwrap_or_default())
}

/// Memory that processes can still have, by the kernel's own estimate.
fn available() -> Option<u64> {
    let text = fs::read_to_string("/proc/meminfo").ok()?;
    available_in(&text)
}

fn available_in(meminfo: &str) -> Option<u64> {
    let line = meminfo
        .lines()
        .find_map(|line| line.strip_prefix("MemAvailable:"))?;
    let kilobytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kilobytes * 1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kernels_estimate_is_read() {
        let text = "MemTotal:       24684084 kB\nMemAvailable:   20000000 kB\n";
        assert_eq!(available_in(text), Some(20_480_000_000));
        assert_eq!(available_in("MemTotal: 5 kB\n"), None);
    }
}
