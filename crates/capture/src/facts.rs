//! What must be known of a server before its log is read.

use datain_binlog::{ChecksumAlgorithm, GtidSet};
use datain_contract::ErrorExt as _;
use datain_contract::types::Error;
use datain_mysql_client::{Session, Stream};

use crate::position::Position;
use crate::visible;

/// The server's own word on its binary log.
#[derive(Debug, Clone)]
pub struct Facts {
    /// `@@server_uuid`; empty on servers that have none.
    pub server_uuid: String,
    /// Whether the log is on.
    pub log_bin: bool,
    /// `ROW`, `MIXED` or `STATEMENT`.
    pub binlog_format: String,
    /// What events are protected with from now on.
    pub checksum: ChecksumAlgorithm,
    /// `gtid_mode` is ON.
    pub gtid_on: bool,
    /// All GTIDs in the log.
    pub executed: GtidSet,
    /// Those of them whose changes can be seen ([`crate::visible`]).
    pub visible: GtidSet,
    /// All GTIDs that are no longer in the log.
    pub purged: GtidSet,
    /// End of the log; none when the account lacks REPLICATION CLIENT.
    pub head: Option<Position>,
    /// Whether names of schemas and tables are compared without regard to letter case.
    pub lower_case_names: bool,
    /// `explicit_defaults_for_timestamp`, where the server has it.
    pub explicit_timestamps: Option<bool>,
}

const VARIABLES: &[u8] =
    b"SHOW GLOBAL VARIABLES WHERE Variable_name IN ('server_uuid', 'log_bin', 'binlog_format', \
    'binlog_checksum', 'gtid_mode', 'lower_case_table_names', 'explicit_defaults_for_timestamp')";

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
        let gtid_on = variable("gtid_mode") == "ON";
        let mut facts = Facts {
            server_uuid: variable("server_uuid"),
            log_bin: variable("log_bin") == "ON",
            binlog_format: variable("binlog_format"),
            checksum: if variable("binlog_checksum") == "CRC32" {
                ChecksumAlgorithm::Crc32
            } else {
                ChecksumAlgorithm::Off
            },
            gtid_on,
            executed: GtidSet::new(),
            visible: GtidSet::new(),
            purged: GtidSet::new(),
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
        if self.gtid_on {
            // SHOW VARIABLES cuts long values off.
            let sets = session
                .query_first(b"SELECT @@global.gtid_executed, @@global.gtid_purged")
                .await?;
            let mut sets = sets.unwrap_or_default().into_iter().flatten();
            self.executed = gtid_set(&sets.next().unwrap_or_default())?;
            self.purged = gtid_set(&sets.next().unwrap_or_default())?;
            self.visible = visible::of(session, &self.executed).await?;
        }
        self.head = head(session).await?;
        Ok(())
    }

    /// Says what makes replication from this server impossible.
    ///
    /// # Errors
    /// `source.log-bin-off`, `source.format-not-row`.
    pub fn require(&self) -> Result<(), Error> {
        if !self.log_bin {
            return Err(Error::reconfigure(
                "source.log-bin-off",
                "the source writes no binary log",
            )
            .hint("start the source with log_bin, and take the first copy after that"));
        }
        if self.binlog_format != "ROW" && !self.binlog_format.is_empty() {
            return Err(Error::reconfigure(
                "source.format-not-row",
                format!("the source logs in {} format, which does not say which rows were changed", self.binlog_format),
            )
            .hint("SET PERSIST binlog_format = ROW on the source, reconnect its sessions, and take the first copy after that"));
        }
        Ok(())
    }
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

pub(crate) fn gtid_set(text: &str) -> Result<GtidSet, Error> {
    text.parse().map_err(|e| {
        Error::fatal(
            "source.gtid-set-unreadable",
            format!("the source's GTID set cannot be read: {e}"),
        )
    })
}
