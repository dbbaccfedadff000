//! Places in the binary log, with offsets of 64 bits.
//!
//! An event's header has only 32 bits for its end position, which wrap in files over 4 GiB, and MariaDB 11.8 writes 0 inside transactions. So
//! offsets are counted: the header's number gives the lower half, and going backwards means that it wrapped. Where a file could not be that long, which
//! only a Rotate event or a checkpoint of no server says, counting stays at the largest number.

use std::cmp::Ordering;
use std::fmt;

/// A file of the binary log and an offset in it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Position {
    /// The file's name, e.g. `binlog.000003`; empty while unknown.
    pub file: String,
    /// Bytes from the file's start.
    pub offset: u64,
}

impl Position {
    /// Moves to the end of an event in the same file.
    ///
    /// `log_pos` is the header's end position, 0 if it has none; `size` is the event's length.
    pub fn pass(&mut self, log_pos: u32, size: u32) {
        self.offset = match log_pos {
            0 => self.offset.saturating_add(u64::from(size)),
            low => widen(self.offset, low),
        };
    }

    /// Compares places of one server's log: files by their number, then offsets. None when a name has no number or the names differ before it.
    #[must_use]
    pub fn compare(&self, other: &Position) -> Option<Ordering> {
        let (a, b) = (split(&self.file)?, split(&other.file)?);
        (a.0 == b.0).then(|| a.1.cmp(&b.1).then(self.offset.cmp(&other.offset)))
    }
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.file, self.offset)
    }
}

/// The offset at or after `from` whose lower 32 bits are `low`.
#[must_use]
pub fn widen(from: u64, low: u32) -> u64 {
    let candidate = (from & !0xffff_ffff) | u64::from(low);
    if candidate < from {
        candidate.saturating_add(1 << 32)
    } else {
        candidate
    }
}

fn split(file: &str) -> Option<(&str, u64)> {
    let (base, number) = file.rsplit_once('.')?;
    Some((base, number.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(file: &str, offset: u64) -> Position {
        Position {
            file: file.to_owned(),
            offset,
        }
    }

    #[test]
    fn offsets_go_on_past_4_gib() {
        let mut p = at("b.1", 0xffff_ff00);
        p.pass(0xffff_fff0, 0xf0);
        assert_eq!(p.offset, 0xffff_fff0);
        p.pass(0x100, 0x110);
        assert_eq!(p.offset, 0x1_0000_0100);
        p.pass(0, 0x10);
        assert_eq!(p.offset, 0x1_0000_0110);
    }

    #[test]
    fn nonsense_does_not_overflow() {
        let mut p = at("b.1", u64::MAX - 1);
        p.pass(0, 23);
        assert_eq!(p.offset, u64::MAX);
        p.pass(4, 23);
        assert_eq!(p.offset, u64::MAX);
    }

    #[test]
    fn files_compare_by_number() {
        assert_eq!(
            at("b.999999", 9).compare(&at("b.1000000", 4)),
            Some(Ordering::Less)
        );
        assert_eq!(
            at("b.000002", 9).compare(&at("b.000002", 4)),
            Some(Ordering::Greater)
        );
        assert_eq!(at("a.000002", 9).compare(&at("b.000002", 9)), None);
        assert_eq!(at("", 9).compare(&at("b.000002", 9)), None);
    }
}
