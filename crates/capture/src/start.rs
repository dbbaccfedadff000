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
            Ok(State {
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
mod tests {
    use super::*;
    use datain_binlog::ChecksumAlgorithm;

    const A: &str = "aaaaaaaa-aaaa-aaaa-aaaa-aaaaaaaaaaaa";
    const B: &str = "bbbbbbbb-bbbb-bbbb-bbbb-bbbbbbbbbbbb";

    fn facts(gtid_on: bool, executed: &str, purged: &str) -> Facts {
        Facts {
            server_uuid: A.to_owned(),
            is_mariadb: false,
            log_bin: true,
            binlog_format: "ROW".to_owned(),
            checksum: ChecksumAlgorithm::Crc32,
            gtid_on,
            executed: Gtids::parse(executed, false).unwrap(),
            visible: Gtids::parse(executed, false).unwrap(),
            purged: Gtids::parse(purged, false).unwrap(),
            head: Some(Position {
                file: "b.000007".to_owned(),
                offset: 99,
            }),
            lower_case_names: false,
            explicit_timestamps: None,
        }
    }

    fn resume(uuid: &str, gtids: Option<&str>) -> Option<State> {
        Some(State {
            server_uuid: uuid.to_owned(),
            position: Position {
                file: "b.000003".to_owned(),
                offset: 44,
            },
            gtids: gtids.map(|t| Gtids::parse(t, false).unwrap()),
            file_began: None,
            copy: None,
            aside: None,
            scope: None,
        })
    }

    fn check(start: &Start, resume: Option<State>, facts: &Facts, expected: &str) {
        let found = match state(start, resume, facts) {
            Ok(s) => s.checkpoint(0).display,
            Err(e) => e.code,
        };
        assert_eq!(found, expected);
    }

    fn mode(mode: &str) -> Start {
        Start {
            mode: mode.to_owned(),
            ..Start::default()
        }
    }

    #[test]
    fn a_checkpoint_by_gtid_is_held_against_the_source() {
        let go = |set: &str, executed: &str, purged: &str, expected: &str| {
            check(
                &mode("now"),
                resume(B, Some(set)),
                &facts(true, executed, purged),
                expected,
            );
        };
        go(
            &format!("{B}:1-5"),
            &format!("{B}:1-9"),
            &format!("{B}:1-5"),
            &format!("b.000003:44 {B}:1-5"),
        );
        go(
            &format!("{B}:1-5"),
            &format!("{B}:1-4"),
            "",
            "source.diverged",
        );
        go(
            &format!("{B}:1-5"),
            &format!("{B}:1-9"),
            &format!("{B}:1-6"),
            "source.binlog-purged",
        );
        go(
            &format!("{B}:1-5"),
            &format!("{A}:1,{B}:1-9"),
            &format!("{A}:1"),
            "source.binlog-purged",
        );
    }

    fn mariadb(position: &str) -> Facts {
        Facts {
            server_uuid: "mariadb:7".to_owned(),
            is_mariadb: true,
            executed: Gtids::parse(position, true).unwrap(),
            purged: Gtids::none(true),
            ..facts(true, "", "")
        }
    }

    #[test]
    fn a_position_by_domain_is_held_against_the_source() {
        let resumed = |identity: &str, position: &str| {
            Some(State {
                server_uuid: identity.to_owned(),
                gtids: Some(Gtids::parse(position, true).unwrap()),
                ..resume(A, None).unwrap()
            })
        };
        for (checkpoint, source, expected) in [
            ("0-1-5", "0-1-9", "b.000003:44 0-1-5"),
            ("0-1-5", "0-1-4,1-1-9", "source.diverged"),
            ("0-1-5,1-1-1", "0-1-9", "source.diverged"),
            ("", "0-1-9", "b.000003:44 "),
        ] {
            // Another server id: a failover is survived by GTID.
            let resume = resumed("mariadb:9", checkpoint);
            check(&mode("now"), resume, &mariadb(source), expected);
        }
        let of_mysql = resume(A, Some(""));
        check(
            &mode("now"),
            of_mysql,
            &mariadb("0-1-9"),
            "source.other-server",
        );
        let of_mariadb = resumed("mariadb:7", "0-1-5");
        check(
            &mode("now"),
            of_mariadb,
            &facts(true, "", ""),
            "source.other-server",
        );
        let gtid = Start {
            gtid_set: "0-1-7".to_owned(),
            ..mode("gtid")
        };
        check(&gtid, None, &mariadb("0-1-9"), ":0 0-1-7");
        check(&gtid, None, &facts(true, "", ""), "config.invalid");
        for (ahead, code) in [
            ("gtid 0-1-3-9", ""),
            ("gtid 0-1-3-10", "source.diverged"),
            ("gtid 0", "config.invalid"),
        ] {
            let found = hold_ahead(ahead, &mariadb("0-1-9"));
            assert_eq!(
                found.map_or_else(|e| e.code, |()| String::new()),
                code,
                "{ahead}"
            );
        }
    }

    #[test]
    fn what_is_ahead_of_the_checkpoint_is_held_against_the_source() {
        let go = |ahead: &str, facts: &Facts, expected: &str| {
            let found =
                hold_ahead(ahead, facts).map_or_else(|error| error.code, |()| String::new());
            assert_eq!(found, expected, "{ahead}");
        };
        let gtids = facts(true, &format!("{B}:1-9,{B}:x:1-2"), "");
        for (last, expected) in [(9, ""), (10, "source.diverged")] {
            go(
                &format!("gtid {B}:7-{last}\ngtid {B}:3-3\n"),
                &gtids,
                expected,
            );
            go(
                &format!("gtid {B}:3-3\ngtid {B}:7-{last}\n"),
                &gtids,
                expected,
            );
        }
        go(&format!("gtid {B}:x:2-2\n"), &gtids, "");
        go(&format!("gtid {B}:y:2-2\n"), &gtids, "source.diverged");
        go(
            &format!("gtid {B}:1-1\n"),
            &facts(false, "", ""),
            "source.gtid-off",
        );
        let mut places = facts(false, "", "");
        go("place b.000007:98\nplace b.000006:500\n", &places, "");
        go("place b.000007:99\n", &places, "source.diverged");
        go("place b.000008:4\n", &places, "source.diverged");
        go("place other.000001:4\n", &places, "source.diverged");
        places.head = None;
        go("place b.000007:98\n", &places, "source.position-unknown");
        for ahead in ["nothing", "gtid x", "place b.000007", "other 1"] {
            go(ahead, &gtids, "config.invalid");
        }
    }

    #[test]
    fn a_file_that_is_gone_is_named() {
        let log = |file: &str| Position {
            file: file.to_owned(),
            offset: 100,
        };
        let logs = [log("b.000003"), log("b.000004")];
        assert!(named(&logs, &log("b.000004")).is_ok());
        assert!(named(&[], &log("b.000001")).is_ok());
        let error = named(&logs, &log("b.000001")).unwrap_err();
        assert_eq!(error.code, "source.binlog-purged");
        assert!(error.message.contains("b.000001"));
    }

    #[test]
    fn a_file_and_offset_belong_to_one_server() {
        check(
            &mode("now"),
            resume(A, None),
            &facts(false, "", ""),
            "b.000003:44",
        );
        check(
            &mode("now"),
            resume(B, None),
            &facts(false, "", ""),
            "source.other-server",
        );
        // GTIDs were turned off on the same server: its files still hold.
        check(
            &mode("now"),
            resume(A, Some("")),
            &facts(false, "", ""),
            "b.000003:44",
        );
        check(
            &mode("now"),
            resume(B, Some("")),
            &facts(false, "", ""),
            "source.gtid-off",
        );
    }

    #[test]
    fn a_new_pipeline_begins_where_the_configuration_says() {
        let all = format!("{A}:1-3");
        check(
            &mode("now"),
            None,
            &facts(true, &all, ""),
            &format!("b.000007:99 {all}"),
        );
        check(&mode("now"), None, &facts(false, "", ""), "b.000007:99");
        check(
            &mode("snapshot"),
            None,
            &facts(true, "", ""),
            "b.000007:99 ; copying definitions",
        );
        check(
            &mode("gtid"),
            None,
            &facts(false, "", ""),
            "source.gtid-off",
        );
        check(
            &mode("position"),
            None,
            &facts(true, "", ""),
            "config.invalid",
        );
        check(&mode("soon"), None, &facts(true, "", ""), "config.invalid");
        let position = Start {
            file: "b.000001".to_owned(),
            ..mode("position")
        };
        check(&position, None, &facts(true, &all, ""), "b.000001:4");
        let gtid = Start {
            gtid_set: format!("{A}:1-9"),
            ..mode("gtid")
        };
        check(&gtid, None, &facts(true, &all, ""), "source.diverged");
    }
}
