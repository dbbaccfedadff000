//! Which processor cores the two sides of a copy have.
//!
//! In use the source stands on a machine of its own. Where both servers and the copy share the cores of one machine, its clients lose what the target takes, which says nothing of the copy's cost for the source. So the source and its clients can be
//! kept on one half of the cores, and the target and the copy on the other, by `taskset` of util-linux.

use std::process::Command;

use anyhow::{Context, Result, ensure};
use datain_throwaway_servers::Server;

/// How the cores are shared out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Cores {
    /// The source's side has one half, the target's the other.
    Apart,
    /// Everybody has all.
    Shared,
}

/// A side of a copy.
#[derive(Debug, Clone, Copy)]
pub(super) enum Side {
    Source,
    Target,
}

impl Cores {
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Apart => "apart",
            Self::Shared => "shared",
        }
    }

    /// Gives a server its cores.
    pub(super) fn give(self, server: &Server, side: Side) -> Result<()> {
        let pid = server.pid().context("a server that was ended")?;
        set(pid, &self.list(side)?)
    }

    /// What this thread starts from now on has the side's cores.
    pub(super) fn start_on(self, side: Side) -> Result<()> {
        set(std::process::id(), &self.list(side)?)
    }

    fn list(self, side: Side) -> Result<String> {
        let all = std::thread::available_parallelism()?.get();
        let all = ALL.get_or_init(|| all);
        ensure!(
            self == Self::Shared || *all > 1,
            "there is only one core: the two sides cannot be kept apart"
        );
        Ok(range(self, side, *all))
    }
}

/// How many cores there were before any was taken away from this process.
static ALL: std::sync::OnceLock<usize> = std::sync::OnceLock::new();

fn range(cores: Cores, side: Side, all: usize) -> String {
    let (first, last) = match (cores, side) {
        (Cores::Shared, _) => (0, all - 1),
        (Cores::Apart, Side::Source) => (0, all / 2 - 1),
        (Cores::Apart, Side::Target) => (all / 2, all - 1),
    };
    format!("{first}-{last}")
}

fn set(pid: u32, list: &str) -> Result<()> {
    let pid = pid.to_string();
    let mut command = Command::new("taskset");
    command.args(["--all-tasks", "--cpu-list", "--pid", list, &pid]);
    let output = command
        .output()
        .context("taskset of util-linux is needed")?;
    let words = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "taskset: {}", words.trim());
    Ok(())
}

/// All cores again, when it is dropped.
pub(super) struct GiveBack;

impl Drop for GiveBack {
    fn drop(&mut self) {
        // Nothing is measured any more, and the servers end soon.
        let _ = Cores::Shared.start_on(Side::Source);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_halves_are_all() {
        assert_eq!(range(Cores::Apart, Side::Source, 2), "0-0");
        assert_eq!(range(Cores::Apart, Side::Target, 2), "1-1");
        assert_eq!(range(Cores::Apart, Side::Source, 5), "0-1");
        assert_eq!(range(Cores::Apart, Side::Target, 5), "2-4");
        assert_eq!(range(Cores::Shared, Side::Target, 5), "0-4");
    }
}
