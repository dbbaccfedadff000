//! Counts events by their type, and transactions, without looking at rows.
//!
//! A transaction begins at its Gtid event, or, where the log has none, at BEGIN or at a statement that stands alone; it ends at Xid, at COMMIT, or with that statement. The
//! events inside a compressed transaction are not counted: they stand in one Transaction_payload event.

use std::collections::BTreeMap;

use datain_binlog::{Event, EventBody, EventType, FormatDescription};
use datain_contract::ErrorExt as _;
use datain_contract::types::Error;
use datain_sql_statement::{Charset, Dialect, Kind, Options, Xa, classify};

/// Events of one type.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Count {
    /// How many.
    pub events: u64,
    /// Their length with headers and checksums.
    pub bytes: u64,
}

/// Everything counted so far.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Statistics {
    /// By the type's code.
    pub by_type: BTreeMap<u8, Count>,
    /// Whole transactions.
    pub transactions: u64,
    open: Open,
}

/// The transaction under way.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Open {
    /// None.
    #[default]
    No,
    /// Its Gtid event was read: it is one statement, unless BEGIN follows.
    Begun,
    /// It ends at Xid, COMMIT or ROLLBACK.
    Block,
}

/// MariaDB's flag of a Gtid event that stands for no BEGIN: FL_STANDALONE of its `log_event.h`.
const STANDALONE: u8 = 1;
/// Where the flags stand in the body of that event.
const MARIADB_FLAGS_AT: usize = 12;

impl Statistics {
    /// Nothing counted.
    #[must_use]
    pub const fn none() -> Self {
        Statistics {
            by_type: BTreeMap::new(),
            transactions: 0,
            open: Open::No,
        }
    }

    /// What servers call the type with this code.
    #[must_use]
    pub fn name(code: u8) -> &'static str {
        EventType::from(code).server_name()
    }

    /// Whether a transaction has begun and not ended.
    #[must_use]
    pub fn is_inside(&self) -> bool {
        self.open != Open::No
    }

    /// Counts an event whose checksum was verified. `bytes` is its length in the file.
    ///
    /// # Errors
    /// When it is a statement that cannot be parsed.
    pub fn count(
        &mut self,
        event: &Event<'_>,
        bytes: u64,
        format: &FormatDescription,
    ) -> Result<(), Error> {
        let kind = event.header.event_type;
        self.count_unseen(kind, bytes);
        match kind {
            EventType::MariadbGtid => {
                let alone = event
                    .body()
                    .get(MARIADB_FLAGS_AT)
                    .is_some_and(|flags| flags & STANDALONE != 0);
                self.open = if alone { Open::Begun } else { Open::Block };
            }
            EventType::Query => {
                let body = event
                    .parse(format)
                    .map_err(|e| Error::fatal(e.code(), e.to_string()))?;
                if let EventBody::Query(query) = body {
                    let charset = query
                        .status
                        .charset
                        .map_or_else(Charset::default, |c| Charset::from_collation(c.0));
                    let options = Options::from_sql_mode(
                        query.status.sql_mode.unwrap_or(0),
                        charset,
                        Dialect::default(),
                    );
                    self.statement(query.sql, &options);
                }
            }
            _ => {}
        }
        Ok(())
    }

    /// Counts an event whose body nobody has looked at, and which is neither a statement nor a Gtid event of MariaDB.
    pub(super) fn count_unseen(&mut self, kind: EventType, bytes: u64) {
        let count = self.by_type.entry(kind.code()).or_default();
        count.events += 1;
        count.bytes += bytes;
        match kind {
            EventType::Gtid | EventType::AnonymousGtid | EventType::GtidTagged => {
                self.open = Open::Begun;
            }
            // MySQL 5.0 wrote one behind a statement that stood alone, too.
            EventType::Xid if self.open == Open::No => {}
            EventType::Xid | EventType::XaPrepare | EventType::TransactionPayload => self.end(),
            EventType::MariadbQueryCompressed if self.open != Open::Block => self.end(),
            _ => {}
        }
    }

    fn statement(&mut self, sql: &[u8], options: &Options) {
        if sql == b"BEGIN" {
            self.open = Open::Block;
            return;
        }
        let kind = classify(sql, options).kind;
        match (kind, self.open) {
            (Kind::Begin | Kind::Xa(Xa::Start), _) => self.open = Open::Block,
            (Kind::Commit | Kind::Rollback, _) | (_, Open::No | Open::Begun) => self.end(),
            (_, Open::Block) => {}
        }
    }

    fn end(&mut self) {
        self.open = Open::No;
        self.transactions += 1;
    }
}
