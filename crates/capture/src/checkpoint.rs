//! The source's encoding of a checkpoint: a small JSON object, which only the source reads.
//!
//! `{"v":1,"server_uuid":"…","file":"binlog.000003","offset":1234,"gtid_set":"…"}`; `gtid_set` is null where the stream goes by file and
//! offset. While a first copy is not complete, `copy` says how far it has come ([`Place`]), and `aside`
//! whose indexes it has still to make ([`Aside`]). `temporary` names temporary tables that a log of statements has made ([`TemporaryTables`]). `scope` is what was replicated last ([`Scope`]), from when the first copy is complete. A file and an offset mean something only on the server whose uuid stands beside them.
//!
//! MariaDB has no uuid: `mariadb:` and the server id stand in its place, and `file_began` is when the server began the file (the time of its format description), since server
//! ids are often the same on servers that have nothing to do with each other. Its `gtid_set` is a position by domain, `0-1-77`.

use datain_contract::ErrorExt as _;
use datain_contract::types::{Checkpoint, Error};
use serde::{Deserialize, Serialize};

use crate::copying::{Aside, Place};
use crate::gtids::Gtids;
use crate::position::Position;
use crate::temporary::TemporaryTables;

/// Where a stream stands after a whole transaction.
#[derive(Debug, Clone, PartialEq)]
pub struct State {
    /// `@@server_uuid` of the server that the position belongs to; of MariaDB what [`mariadb_identity`] makes.
    pub server_uuid: String,
    /// End of the newest transaction.
    pub position: Position,
    /// Everything received, where the stream goes by GTID.
    pub gtids: Option<Gtids>,
    /// When the server began the position's file, seconds since 1970; only of MariaDB, and only once it was read.
    pub file_began: Option<u32>,
    /// How far the first copy has come; none when it is complete, or there was none.
    pub copy: Option<Place>,
    /// Whose indexes come behind the rows, from when that is decided until the copy is complete.
    pub aside: Option<Aside>,
    /// What is replicated; none until the first copy is complete, and where a version before 2026-11-27 has written it. While tables are added it is what was replicated before.
    pub scope: Option<Scope>,
    /// Temporary tables of the source's sessions, where changes of rows are logged as statements and replayed.
    pub temporary: TemporaryTables,
}

/// The patterns of `[replicate]`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Scope {
    /// What is replicated; all where there are none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub include: Vec<String>,
    /// What is not.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub exclude: Vec<String>,
}

impl Scope {
    /// As text, for people, and to be compared.
    #[must_use]
    pub fn text(&self) -> String {
        format!("{:?} but {:?}", self.include, self.exclude)
    }
}

#[derive(Serialize, Deserialize)]
struct Stored<'a> {
    v: u32,
    server_uuid: std::borrow::Cow<'a, str>,
    file: std::borrow::Cow<'a, str>,
    offset: u64,
    gtid_set: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    file_began: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    copy: Option<Place>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    aside: Option<Aside>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    scope: Option<Scope>,
    #[serde(default, skip_serializing_if = "TemporaryTables::is_empty")]
    temporary: TemporaryTables,
}

/// What a MariaDB is known by in a checkpoint.
#[must_use]
pub fn mariadb_identity(server_id: &str) -> String {
    format!("{MARIADB}{server_id}")
}

/// Whether this is the identity of a MariaDB.
#[must_use]
pub fn is_mariadb(identity: &str) -> bool {
    identity.starts_with(MARIADB)
}

const MARIADB: &str = "mariadb:";
const VERSION: u32 = 1;
/// The version while a first copy is not complete: who does not know of copies must not go on.
const WITH_COPY: u32 = 2;

impl State {
    /// The contract's checkpoint for this state.
    #[must_use]
    pub fn checkpoint(&self, ordinal: u64) -> Checkpoint {
        let gtids = self.gtids.as_ref().map(ToString::to_string);
        let mut display = match &gtids {
            Some(set) => format!("{} {set}", self.position),
            None => self.position.to_string(),
        };
        if let Some(place) = &self.copy {
            display.push_str(&format!("; copying {place}"));
        }
        let stored = Stored {
            v: if self.copy.is_some() {
                WITH_COPY
            } else {
                VERSION
            },
            server_uuid: self.server_uuid.as_str().into(),
            file: self.position.file.as_str().into(),
            offset: self.position.offset,
            gtid_set: gtids,
            file_began: self.file_began,
            copy: self.copy.clone(),
            aside: self.aside.clone(),
            scope: self.scope.clone(),
            temporary: self.temporary.clone(),
        };
        Checkpoint {
            ordinal,
            // Strings and numbers always serialise.
            data: serde_json::to_vec(&stored).unwrap_or_default(),
            display,
        }
    }

    /// Reads a checkpoint.
    ///
    /// # Errors
    /// `checkpoint.damaged`, `checkpoint.version`.
    pub fn from_checkpoint(checkpoint: &Checkpoint) -> Result<State, Error> {
        let damaged = |why: String| {
            Error::fatal(
                "checkpoint.damaged",
                format!("the checkpoint in the target cannot be read: {why}"),
            )
            .hint("restore the row in datain.checkpoints, or remove the pipeline and begin anew")
        };
        let stored: Stored<'_> =
            serde_json::from_slice(&checkpoint.data).map_err(|e| damaged(e.to_string()))?;
        if ![VERSION, WITH_COPY].contains(&stored.v) {
            return Err(Error::fatal(
                "checkpoint.version",
                format!(
                    "the checkpoint has version {}, this version of datain knows {VERSION}",
                    stored.v
                ),
            )
            .hint("run the version of datain that wrote it, or a newer one"));
        }
        let gtids = match &stored.gtid_set {
            Some(text) => Some(
                Gtids::parse(text, is_mariadb(&stored.server_uuid))
                    .map_err(|e| damaged(format!("its GTID set: {e}")))?,
            ),
            None => None,
        };
        Ok(State {
            server_uuid: stored.server_uuid.into_owned(),
            position: Position {
                file: stored.file.into_owned(),
                offset: stored.offset,
            },
            gtids,
            file_began: stored.file_began,
            copy: stored.copy,
            aside: stored.aside,
            scope: stored.scope,
            temporary: stored.temporary,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn state(gtids: Option<&str>) -> State {
        State {
            server_uuid: "3e11fa47-71ca-11e1-9e33-c80aa9429562".to_owned(),
            position: Position {
                file: "binlog.000003".to_owned(),
                offset: 5_000_000_000,
            },
            gtids: gtids.map(|t| Gtids::parse(t, false).unwrap()),
            file_began: None,
            copy: None,
            aside: None,
            scope: None,
            temporary: TemporaryTables::default(),
        }
    }

    #[test]
    fn what_is_written_is_read() {
        for gtids in [
            None,
            Some(""),
            Some("3e11fa47-71ca-11e1-9e33-c80aa9429562:1-77:99"),
        ] {
            let state = state(gtids);
            assert_eq!(State::from_checkpoint(&state.checkpoint(7)).unwrap(), state);
            let scope = Scope {
                include: vec!["shop.%".to_owned()],
                exclude: Vec::new(),
            };
            let mut state = State {
                scope: Some(scope),
                ..state
            };
            assert_eq!(State::from_checkpoint(&state.checkpoint(7)).unwrap(), state);
            let name = ("d".to_owned(), "t".to_owned());
            state.temporary.put(7, name, true);
            assert_eq!(State::from_checkpoint(&state.checkpoint(7)).unwrap(), state);
        }
        assert_eq!(
            state(None).checkpoint(7).display,
            "binlog.000003:5000000000"
        );
    }

    #[test]
    fn a_position_by_domain_is_read_as_one_also_where_it_is_empty() {
        for gtids in [None, Some(""), Some("0-1-77,4-2-9")] {
            let state = State {
                server_uuid: mariadb_identity("7"),
                gtids: gtids.map(|t| Gtids::parse(t, true).unwrap()),
                file_began: Some(1_700_000_000),
                ..state(None)
            };
            assert_eq!(State::from_checkpoint(&state.checkpoint(7)).unwrap(), state);
        }
    }

    /// The bytes that 0.1 writes: a later version must go on reading them.
    #[test]
    fn version_1_stays_readable() {
        let data = br#"{"v":1,"server_uuid":"3e11fa47-71ca-11e1-9e33-c80aa9429562","file":"binlog.000003","offset":5000000000,"gtid_set":null}"#;
        let checkpoint = Checkpoint {
            ordinal: 1,
            data: data.to_vec(),
            display: String::new(),
        };
        assert_eq!(State::from_checkpoint(&checkpoint).unwrap(), state(None));
        assert_eq!(state(None).checkpoint(1).data, data);
    }

    /// A copy that a version without indexes behind the rows has begun, and one that has them.
    #[test]
    fn copies_of_other_versions_stay_readable() {
        let read = |rest: &str| {
            let data = format!(
                r#"{{"v":2,"server_uuid":"u","file":"b.1","offset":4,"gtid_set":null,{rest}}}"#
            );
            let checkpoint = Checkpoint {
                ordinal: 1,
                data: data.clone().into_bytes(),
                display: String::new(),
            };
            let state = State::from_checkpoint(&checkpoint).unwrap();
            assert_eq!(String::from_utf8(state.checkpoint(1).data).unwrap(), data);
            state
        };
        let old = read(
            r#""copy":{"table":{"schema":"s","name":"t","after":"00","whole":false,"filter":"*"}}"#,
        );
        assert_eq!(old.aside, None);
        let new = read(r#""copy":{"indexes":{"done":1,"filter":"*"}},"aside":[0,7]"#);
        assert!(new.aside.is_some_and(|aside| !aside.is_empty()));
    }

    #[test]
    fn damage_and_later_versions_are_refused() {
        let check = |data: &str, code: &str| {
            let checkpoint = Checkpoint {
                ordinal: 1,
                data: data.into(),
                display: String::new(),
            };
            assert_eq!(State::from_checkpoint(&checkpoint).unwrap_err().code, code);
        };
        check("{", "checkpoint.damaged");
        check(
            r#"{"v":3,"server_uuid":"","file":"","offset":0,"gtid_set":null}"#,
            "checkpoint.version",
        );
        check(
            r#"{"v":1,"server_uuid":"","file":"","offset":0,"gtid_set":"x"}"#,
            "checkpoint.damaged",
        );
    }
}
