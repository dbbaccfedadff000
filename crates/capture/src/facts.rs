//! What must be known of a server before its log is read.

use datain_binlog::{ChecksumAlgorithm, GtidSet, ParseGtidError};
use datain_contract::ErrorExt as _;
use datain_contract::types::Error;
use datain_mysql_client::{ServerVersion, Session, Stream, append_string};

use crate::checkpoint::mariadb_identity;
use crate::gtids::Gtids;
use crate::position::Position;
use crate::visible;

/// The server's own word on its binary log.
#[derive(Debug, Clone)]
pub struct Facts {
    /// `@@server_uuid`; of MariaDB what stands for it in a checkpoint ([`mariadb_identity`]).
    pub server_uuid: String,
    /// It is MariaDB.
    pub is_mariadb: bool,
    /// Whether the log is on.
    pub log_bin: bool,
    /// `ROW`, `MIXED` or `STATEMENT`.
    pub binlog_format: String,
    /// What events are protected with from now on.
    pub checksum: ChecksumAlgorithm,
    /// `gtid_mode` is ON. MariaDB gives every transaction a GTID.
    pub gtid_on: bool,
    /// All GTIDs in the log; of MariaDB those of `gtid_binlog_pos`.
    pub executed: Gtids,
    /// Those of them whose changes can be seen ([`crate::visible`]); of MariaDB all, since its first copy does not go by them.
    pub visible: Gtids,
    /// All GTIDs that are no longer in the log. MariaDB does not tell before it is asked for the log.
    pub purged: Gtids,
    /// End of the log; none when the account lacks REPLICATION CLIENT.
    pub head: Option<Position>,
    /// Whether names of schemas and tables are compared without regard to letter case.
    pub lower_case_names: bool,
    /// `explicit_defaults_for_timestamp`, where the server has it.
    pub explicit_timestamps: Option<bool>,
}

const VARIABLES: &[u8] =
    b"SHOW GLOBAL VARIABLES WHERE Variable_name IN ('server_uuid', 'log_bin', 'binlog_format', \
    'binlog_checksum', 'gtid_mode', 'lower_case_table_names', 'server_id', 'explicit_defaults_for_timestamp')";

impl Facts {
    /// Asks the server.
    ///
    /// # Errors
    /// Errors of the server; `source.gtid-set-unreadable`.
    pub async fn ask<S: Stream>(session: &mut Session<S>) -> Result<Facts, Error> {
        let rows = session.query_rows(VARIABLES).await?;
        let variable = |name: &str| {
            rows.iter()
                .find(|row| row.first().and_then(Option::as_deref) == Some(name))
                .and_then(|row| row.get(1).cloned().flatten())
                .unwrap_or_default()
        };
        let is_mariadb = session.server_version().is_mariadb();
        let gtid_on = is_mariadb || variable("gtid_mode") == "ON";
        let mut facts = Facts {
            server_uuid: if is_mariadb {
                mariadb_identity(&variable("server_id"))
            } else {
                variable("server_uuid")
            },
            is_mariadb,
            log_bin: variable("log_bin") == "ON",
            binlog_format: variable("binlog_format"),
            checksum: if variable("binlog_checksum") == "CRC32" {
                ChecksumAlgorithm::Crc32
            } else {
                ChecksumAlgorithm::Off
            },
            gtid_on,
            executed: Gtids::none(is_mariadb),
            visible: Gtids::none(is_mariadb),
            purged: Gtids::none(is_mariadb),
            head: None,
            lower_case_names: variable("lower_case_table_names") != "0",
            explicit_timestamps: match variable("explicit_defaults_for_timestamp").as_str() {
                "" => None,
                value => Some(value == "ON"),
            },
        };
        facts.refresh(session).await?;
        Ok(facts)
    }

    async fn refresh<S: Stream>(&mut self, session: &mut Session<S>) -> Result<(), Error> {
        if self.is_mariadb {
            self.head = head(session).await?;
            self.executed = mariadb_position(session, self.head.as_ref()).await?;
            self.visible = self.executed.clone();
            return Ok(());
        }
        if self.gtid_on {
            // SHOW VARIABLES cuts long values off.
            let sets = session
                .query_first(b"SELECT @@global.gtid_executed, @@global.gtid_purged")
                .await?;
            let mut sets = sets.unwrap_or_default().into_iter().flatten();
            let executed = gtid_set(&sets.next().unwrap_or_default())?;
            self.purged = Gtids::Set(gtid_set(&sets.next().unwrap_or_default())?);
            self.visible = Gtids::Set(visible::of(session, &executed).await?);
            self.executed = Gtids::Set(executed);
        }
        self.head = head(session).await?;
        Ok(())
    }

    /// Says what makes replication from this server impossible. `replays`: changes of rows may be logged as statements.
    ///
    /// # Errors
    /// `source.log-bin-off`, `source.format-not-row`.
    pub fn require(&self, replays: bool) -> Result<(), Error> {
        if !self.log_bin {
            return Err(Error::reconfigure(
                "source.log-bin-off",
                "the source writes no binary log",
            )
            .hint("start the source with log_bin, and take the first copy after that"));
        }
        if !replays && self.binlog_format != "ROW" && !self.binlog_format.is_empty() {
            return Err(Error::reconfigure(
                "source.format-not-row",
                format!("the source logs in {} format, which does not say which rows were changed", self.binlog_format),
            )
            .hint("SET PERSIST binlog_format = ROW on the source, reconnect its sessions, and take the first copy after that"));
        }
        Ok(())
    }
}

/// Whether the log of a server of this version is understood: MySQL's, and MariaDB's since 10.6.
pub(crate) fn is_known_source(version: &ServerVersion) -> bool {
    !version.is_mariadb() || version.is_mariadb_since(10, 6, 0)
}

/// What the server is known by in a checkpoint; none where it does not tell.
pub(crate) async fn identity<S: Stream>(session: &mut Session<S>) -> Result<Option<String>, Error> {
    let is_mariadb = session.server_version().is_mariadb();
    let sql: &[u8] = if is_mariadb {
        b"SELECT @@global.server_id"
    } else {
        b"SELECT @@server_uuid"
    };
    let row = session.query_first(sql).await?;
    let found = row.and_then(|row| row.into_iter().next().flatten());
    Ok(if is_mariadb {
        found.map(|id| mariadb_identity(&id))
    } else {
        found
    })
}

/// End of the log, if the account may know it. The statement has two names; which one a server knows depends on its version.
/// The position of the log's end; none where the server does not tell it.
pub(crate) async fn head<S: Stream>(session: &mut Session<S>) -> Result<Option<Position>, Error> {
    let version = session.server_version();
    let sql: &[u8] = if version.is_mysql_since(8, 2, 0) {
        b"SHOW BINARY LOG STATUS"
    } else {
        b"SHOW MASTER STATUS"
    };
    match session.query_first(sql).await {
        Ok(Some(row)) => {
            let cell = |at: usize| row.get(at).cloned().flatten().unwrap_or_default();
            Ok(cell(1).parse().ok().map(|offset| Position {
                file: cell(0),
                offset,
            }))
        }
        Ok(None) => Ok(None),
        Err(e) if e.code() == "server.privilege-missing" => Ok(None),
        Err(e) => Err(e.into()),
    }
}

/// The GTID position at the log's end: where that may be asked, the one that belongs to the file and offset, since the two move on between two questions.
async fn mariadb_position<S: Stream>(
    session: &mut Session<S>,
    head: Option<&Position>,
) -> Result<Gtids, Error> {
    let mut found = None;
    if let Some(head) = head {
        let mut sql = b"SELECT BINLOG_GTID_POS(".to_vec();
        append_string(&mut sql, head.file.as_bytes());
        sql.extend_from_slice(format!(", {})", head.offset).as_bytes());
        // NULL where the server does not know the place, or the account may not ask.
        let row = session.query_first(&sql).await?;
        found = row.and_then(|row| row.into_iter().next().flatten());
    }
    let text = match found {
        Some(text) => text,
        None => {
            let row = session
                .query_first(b"SELECT @@global.gtid_binlog_pos")
                .await?;
            row.and_then(|row| row.into_iter().next().flatten())
                .unwrap_or_default()
        }
    };
    text.parse()
        .map(Gtids::Position)
        .map_err(|e| unreadable(&e))
}

pub(crate) fn gtid_set(text: &str) -> Result<GtidSet, Error> {
    text.parse().map_err(|e| unreadable(&e))
}

fn unreadable(why: &ParseGtidError) -> Error {
    Error::fatal(
        "source.gtid-set-unreadable",
        format!("the source's GTID set cannot be read: {why}"),
    )
}
