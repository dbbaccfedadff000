//! Where a stream begins: after the checkpoint, or where the configuration says.
//!
//! Before anything is read, the place is held against the server. By GTID: everything that the checkpoint holds must be known to the source
//! (else the target has transactions that this source never had, and going on would let the two diverge without a word; the
//! server itself notices that only for its own uuid), and nothing that the source has purged may be missing from it. By file and offset: the
//! server must be the one that the position was read from.

use std::cmp::Ordering;

use datain_contract::ErrorExt as _;
use datain_contract::types::Error;
use datain_mysql_client::{Session, Stream};
use serde::Deserialize;

use crate::checkpoint::{State, is_mariadb};
use crate::copying::Place;
use crate::facts::Facts;
use crate::gtids::Gtids;
use crate::inspect;
use crate::position::Position;
use crate::temporary::TemporaryTables;

/// Offset of the first event in every file.
const FIRST_EVENT: u64 = 4;

/// The configuration's `start`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct Start {
    /// `snapshot`, `position`, `gtid` or `now`.
    pub mode: String,
    /// With `position`.
    pub file: String,
    /// With `position`.
    pub position: u64,
    /// With `gtid`: what the target holds already.
    pub gtid_set: String,
}

/// Decides where to begin.
///
/// # Errors
/// `source.diverged`, `source.binlog-purged`, `source.other-server`, `source.gtid-off`, `source.position-unknown`, `config.invalid`.
pub fn state(start: &Start, resume: Option<State>, facts: &Facts) -> Result<State, Error> {
    let state = match resume {
        Some(state) => resumed(state, facts)?,
        None => fresh(start, facts)?,
    };
    if let Some(gtids) = &state.gtids {
        hold_against(gtids, facts)?;
    }
    Ok(state)
}

fn resumed(state: State, facts: &Facts) -> Result<State, Error> {
    match &state.gtids {
        Some(gtids) if facts.gtid_on && matches!(gtids, Gtids::Position(_)) == facts.is_mariadb => {
            let mut temporary = state.temporary;
            if state.server_uuid != facts.server_uuid {
                // Sessions of the first server may go on in this one's log, as far as it was a replica; its own sessions have the same numbers.
                temporary.doubt();
            }
            Ok(State {
                temporary,
                server_uuid: facts.server_uuid.clone(),
                ..state
            })
        }
        _ if state.server_uuid == facts.server_uuid => Ok(State { gtids: None, ..state }),
        Some(_) if is_mariadb(&state.server_uuid) != facts.is_mariadb => Err(other_flavour()),
        Some(_) => Err(gtid_off()),
        None => Err(Error::fatal(
            "source.other-server",
            format!(
                "the checkpoint {} was read from the server {}, this source is {}",
                state.position, state.server_uuid, facts.server_uuid
            ),
        )
        .hint("a file and an offset mean nothing on another server: only a pipeline that goes by GTID survives a failover of its source")),
    }
}

fn fresh(start: &Start, facts: &Facts) -> Result<State, Error> {
    let place = |position: Position, gtids: Option<Gtids>| State {
        server_uuid: facts.server_uuid.clone(),
        position,
        gtids,
        file_began: None,
        copy: (start.mode == "snapshot").then_some(Place::BEGINNING),
        aside: None,
        scope: None,
        temporary: TemporaryTables::default(),
    };
    match start.mode.as_str() {
        "position" => {
            if start.file.is_empty() {
                return Err(Error::reconfigure(
                    "config.invalid",
                    "start.mode = \"position\" needs start.file",
                ));
            }
            let position = Position {
                file: start.file.clone(),
                offset: start.position.max(FIRST_EVENT),
            };
            Ok(place(position, None))
        }
        "gtid" => {
            if !facts.gtid_on {
                return Err(gtid_off());
            }
            let set = Gtids::parse(&start.gtid_set, facts.is_mariadb).map_err(|e| {
                Error::reconfigure(
                    "config.invalid",
                    format!("start.gtid_set cannot be read: {e}"),
                )
                .hint(if facts.is_mariadb {
                    "write it as @@gtid_binlog_pos shows it: 0-1-77,4-2-5"
                } else {
                    "write it as @@gtid_executed shows it: uuid:1-77,uuid:1-5"
                })
            })?;
            Ok(place(Position::default(), Some(set)))
        }
        "now" | "snapshot" if facts.gtid_on => Ok(place(
            facts.head.clone().unwrap_or_default(),
            Some(facts.visible.clone()),
        )),
        "now" | "snapshot" => match &facts.head {
            Some(head) => Ok(place(head.clone(), None)),
            None => Err(position_unknown()),
        },
        other => Err(Error::reconfigure(
            "config.invalid",
            format!("start.mode = {other:?} is none of snapshot, position, gtid, now"),
        )),
    }
}

fn hold_against(gtids: &Gtids, facts: &Facts) -> Result<(), Error> {
    require_known(gtids, facts)?;
    let missing = facts.purged.subtract(gtids);
    if !missing.is_empty() {
        return Err(Error::resnapshot(
            "source.binlog-purged",
            "the source has removed transactions from its binary log that the target still needs",
        )
        .detail(format!("needed and purged: {missing}"))
        .hint("take a new first copy; raise binlog_expire_logs_seconds on the source so that it does not happen again"));
    }
    Ok(())
}

fn require_known(gtids: &Gtids, facts: &Facts) -> Result<(), Error> {
    let unknown = gtids.subtract(&facts.executed);
    if unknown.is_empty() {
        return Ok(());
    }
    Err(diverged(format!("unknown to the source: {unknown}")))
}

fn diverged(detail: String) -> Error {
    Error::fatal(
        "source.diverged",
        "the target holds transactions that this source has never committed",
    )
    .detail(detail)
    .hint("the source may be a replica that lags, or an older copy: wait for it, or point [source] to the right server")
}

/// Holds what the target has beyond the checkpoint against the server, as the sink has told it (`resumption` in wit/sink.wit): it would be passed over, or never come.
///
/// # Errors
/// `source.diverged`; `source.gtid-off`, `source.position-unknown` where that cannot be seen; `config.invalid` for what no sink tells.
pub fn hold_ahead(ahead: &str, facts: &Facts) -> Result<(), Error> {
    let unreadable = || {
        Error::reconfigure(
            "config.invalid",
            "the source cannot read what the target has beyond the checkpoint",
        )
        .hint("use source and sink plugins of the same release")
    };
    for line in ahead.lines() {
        match line.split_once(' ').ok_or_else(unreadable)? {
            ("gtid", _) if !facts.gtid_on => return Err(gtid_off()),
            ("gtid", set) => {
                let set = if facts.is_mariadb {
                    last_of(set).ok_or_else(unreadable)?
                } else {
                    set.to_owned()
                };
                let set = Gtids::parse(&set, facts.is_mariadb).map_err(|_| unreadable())?;
                require_known(&set, facts)?;
            }
            ("place", place) => {
                let (file, offset) = place.rsplit_once(':').ok_or_else(unreadable)?;
                let place = Position {
                    file: file.to_owned(),
                    offset: offset.parse().map_err(|_| unreadable())?,
                };
                let head = facts.head.as_ref().ok_or_else(position_unknown)?;
                if place.compare(head) != Some(Ordering::Less) {
                    return Err(diverged(format!(
                        "the target has what was logged at {place}, and the source's log ends at {head}"
                    )));
                }
            }
            _ => return Err(unreadable()),
        }
    }
    Ok(())
}

/// The last transaction of what a sink writes for a range of numbers, `0-1-5-9`, which stands for all of them with MariaDB.
fn last_of(range: &str) -> Option<String> {
    let (before, last) = range.rsplit_once('-')?;
    let (name, _) = before.rsplit_once('-')?;
    Some(format!("{name}-{last}"))
}

/// Whether the server still has the file. The server itself only says that it did not find one; an account that may not ask leaves it to that.
///
/// # Errors
/// `source.binlog-purged` with the file's name; errors of the server.
pub async fn file_is_there<S: Stream>(
    session: &mut Session<S>,
    position: &Position,
) -> Result<(), Error> {
    let logs = inspect::logs(session).await?;
    named(&logs, position)
}

fn named(logs: &[Position], position: &Position) -> Result<(), Error> {
    let (Some(oldest), Some(newest)) = (logs.first(), logs.last()) else {
        return Ok(());
    };
    if logs.iter().any(|log| log.file == position.file) {
        return Ok(());
    }
    Err(Error::resnapshot(
        "source.binlog-purged",
        format!(
            "the source has no binary log file {}: it was removed, or never was",
            position.file
        ),
    )
    .detail(format!(
        "the source has {} to {}",
        oldest.file, newest.file
    ))
    .hint(
        "check the file's name; if it was purged, take a new first copy, and raise binlog_expire_logs_seconds on the source",
    ))
}

/// The error of a stream by file and position whose account may not ask for the newest position.
#[must_use]
pub fn position_unknown() -> Error {
    Error::reconfigure(
        "source.position-unknown",
        "the account may not ask the source for its position",
    )
    .hint("GRANT REPLICATION CLIENT ON *.* TO the source's account")
}

fn other_flavour() -> Error {
    Error::fatal(
        "source.other-server",
        "the checkpoint was read from a server of the other flavour, MySQL or MariaDB, whose GTIDs and positions mean nothing on this one",
    )
    .hint("point [source] to the server that it was read from, or remove the pipeline and begin anew")
}

fn gtid_off() -> Error {
    Error::reconfigure(
        "source.gtid-off",
        "the stream goes by GTID, and the source's gtid_mode is not ON",
    )
    .hint("set gtid_mode = ON on the source, or start by file and position")
}

#[cfg(test)]
mod tests;
