//! Events in, batches of transactions out.
//!
//! A transaction begins at its Gtid event, or, where the log has none, at BEGIN or at a statement that stands alone; it ends at Xid, at COMMIT, or
//! with that statement. [`crate::framing`] keeps account of transactions and checkpoints; here is what each event means.

use datain_binlog::{
    BinlogError, ChecksumAlgorithm, Event, EventBody, EventHeader, EventType, FormatDescription,
    GtidEvent, GtidSet, QueryEvent, RowsEvent, RowsFlags, TableMap,
};
use datain_contract::ErrorExt as _;
use datain_contract::types::{Batch, Change, Error, Operation, RowFlags, RowSet};
use datain_sql_statement::TableFilter;

use crate::checkpoint::State;
use crate::framing::{Counts, Framing, Open};
use crate::position::{Position, widen};
use crate::statement::{Meaning, meaning};
use crate::tables::Tables;
use pieces::Unpacking;

mod pieces;

/// See the module.
pub struct Assembler {
    filter: TableFilter,
    max_row_bytes: u64,
    format: FormatDescription,
    checksum: ChecksumAlgorithm,
    tables: Tables,
    framing: Framing,
    /// An event that is taken in pieces, or that holds others.
    unpacking: Option<Unpacking>,
}

/// How far a reader of rows came.
struct Taken {
    /// Bytes of the images that were used.
    used: usize,
    /// How many the next row needs at least.
    wanted: u64,
}

impl Assembler {
    /// Begins after `state`; `ordinal` is that of the last transaction before it. `checksum` is what was negotiated for the dump.
    #[must_use]
    pub fn new(
        state: State,
        ordinal: u64,
        checksum: ChecksumAlgorithm,
        filter: TableFilter,
        max_row_bytes: u64,
    ) -> Self {
        Assembler {
            filter,
            max_row_bytes,
            format: FormatDescription::assumed(checksum),
            checksum,
            tables: Tables::default(),
            framing: Framing::new(state, ordinal),
            unpacking: None,
        }
    }

    /// Row bytes at which a batch is ended.
    pub fn set_batch_bytes(&mut self, bytes: usize) {
        self.framing.max_batch_bytes = bytes.max(1);
    }

    /// Where the newest event ended.
    #[must_use]
    pub fn position(&self) -> &Position {
        &self.framing.at
    }

    /// GTIDs of all whole transactions, where the stream goes by GTID.
    #[must_use]
    pub fn gtids(&self) -> Option<&GtidSet> {
        self.framing.state.gtids.as_ref()
    }

    /// Ordinal of the newest whole transaction.
    #[must_use]
    pub fn ordinal(&self) -> u64 {
        self.framing.ordinal
    }

    /// Has the beginning of a new pipeline written down, as a record without changes, before anything else.
    pub fn tell_start(&mut self) {
        self.framing.tell_start();
    }

    /// Puts a resume point on every transaction.
    pub fn mark_each(&mut self) {
        self.framing.mark_each();
    }

    /// Forgets the transaction under way, which will not be completed: what came before it can be taken as a batch then.
    pub fn abandon(&mut self) {
        self.framing.abandon();
        self.unpacking = None;
    }

    /// Whether the stream stands between two transactions, and its beginning is told.
    #[must_use]
    pub fn is_settled(&self) -> bool {
        self.framing.is_settled()
    }

    /// Totals so far.
    #[must_use]
    pub fn counts(&self) -> Counts {
        self.framing.counts
    }

    /// Whether a full batch waits to be taken.
    #[must_use]
    pub fn has_full_batch(&self) -> bool {
        self.framing.batches.has_finished()
    }

    /// The oldest full batch; if there is none, what has been collected of whole transactions.
    pub fn take_batch(&mut self) -> Option<Batch> {
        self.framing.take_batch()
    }

    /// Takes one event of a dump, from its header to its checksum. A compressed transaction is unpacked to its end, however many batches that
    /// makes; see [`Assembler::offer`].
    ///
    /// # Errors
    /// Anything that cannot be replicated, with position, GTID and table.
    pub fn event(&mut self, bytes: &[u8]) -> Result<(), Error> {
        let result = self.take_event(bytes, false);
        result.map_err(|e| self.placed(e))
    }

    /// As [`Assembler::event`], but a compressed transaction is only unpacked until a batch is full: then take that, and
    /// [go on](Assembler::go_on) before the next event.
    ///
    /// # Errors
    /// As [`Assembler::event`].
    pub fn offer(&mut self, bytes: &[u8]) -> Result<(), Error> {
        let result = self.take_event(bytes, true);
        result.map_err(|e| self.placed(e))
    }

    /// An error with the place of the transaction under way.
    fn placed(&self, error: Error) -> Error {
        let (begins, gtid) = match &self.framing.open {
            Some(open) => (&open.begins, open.gtid.as_ref().map(ToString::to_string)),
            None => (&self.framing.at, None),
        };
        error.at(&begins.file, begins.offset, gtid.as_deref())
    }

    fn take_event(&mut self, bytes: &[u8], bounded: bool) -> Result<(), Error> {
        if self.unpacking.is_some() {
            return Err(Error::fatal(
                "binlog.malformed",
                "an event came before the one before it was over",
            ));
        }
        let event =
            Event::split(bytes, self.checksum).map_err(|e| unreadable(&e, &self.framing.at))?;
        if pieces::is_packed(bytes) {
            return self.take_packed(&event, bounded);
        }
        let body = event
            .parse(&self.format)
            .map_err(|e| unreadable(&e, &self.framing.at))?;
        let header = event.header;
        self.framing.counts.bytes += u64::from(header.event_size);
        let before = self.framing.at.offset;
        // A format description in mid-file is a copy that the server makes for the dump; it stands at no position.
        let copied = header.flags.is_artificial()
            || header.event_type == EventType::FormatDescription && header.log_pos == 0;
        if !copied && !matches!(body, EventBody::Heartbeat(_)) {
            self.framing.at.pass(header.log_pos, header.event_size);
        }
        self.take_body(body, &header, before, copied)
    }

    /// What an event means. `before` is where it begins; `copied` says that it stands at no position.
    fn take_body(
        &mut self,
        body: EventBody<'_>,
        header: &EventHeader,
        before: u64,
        copied: bool,
    ) -> Result<(), Error> {
        match body {
            EventBody::FormatDescription(format) => {
                self.checksum = format.checksum;
                self.format = format;
                if !copied {
                    self.tables.forget();
                }
                self.must_be_between("a new file begins")
            }
            EventBody::Rotate(rotate) => {
                self.must_be_between("the log goes on in another file")?;
                self.framing.at = Position { file: rotate.file.to_owned(), offset: rotate.position };
                // Where the dump begins; later only whole transactions move the state.
                if self.framing.state.position.file.is_empty() {
                    self.framing.state.position = self.framing.at.clone();
                }
                if !self.framing.is_settled() {
                    self.framing.progress();
                }
                Ok(())
            }
            EventBody::Gtid(gtid) => self.begin(&gtid, header, before),
            EventBody::Query(query) => self.query(&query, header, before),
            EventBody::Xid(_) => self.framing.end(),
            EventBody::TableMap(map) => self.table_map(&map),
            EventBody::Rows(rows) => self.rows(&rows, 0).map(|_| ()),
            EventBody::Heartbeat(heartbeat) => {
                let full = if heartbeat.is_full_position {
                    heartbeat.position
                } else {
                    widen(self.framing.at.offset, u32::try_from(heartbeat.position).unwrap_or(0))
                };
                if heartbeat.file == self.framing.at.file {
                    self.framing.at.offset = self.framing.at.offset.max(full);
                }
                self.framing.progress();
                Ok(())
            }
            EventBody::PreviousGtids(_) | EventBody::Stop | EventBody::RowsQuery(_) | EventBody::Ignorable(_) => Ok(()),
            EventBody::Intvar(_) | EventBody::Rand(_) | EventBody::UserVar(_) => Err(Error::fatal(
                "source.statement-format",
                "the source logged a change of rows as a statement, which may have another effect on the target",
            )
            .hint("SET PERSIST binlog_format = ROW on the source, and reconnect its sessions")),
            EventBody::XaPrepare(_) => Err(Error::fatal(
                "source.xa-unsupported",
                "the source logged an XA transaction, which this version cannot apply",
            )
            .hint("apply its effect to the target by hand, then skip the transaction")),
            // It is unpacked before its parts come here, and holds no other.
            EventBody::TransactionPayload(_) => Err(Error::fatal(
                "binlog.malformed",
                "a compressed transaction stands inside another one",
            )),
            EventBody::Incident(_) => Err(Error::resnapshot(
                "source.incident",
                "the source says that its log lacks changes (an INCIDENT event)",
            )
            .hint("the target may miss data: take a new first copy")),
            EventBody::Unhandled(kind) => Err(Error::fatal(
                "binlog.unknown-event",
                format!("the log holds an event of type {} ({kind}), which may carry data and is not known", kind.code()),
            )
            .hint("a newer version of datain may know it; going on without it could lose data")),
        }
    }

    fn must_be_between(&self, what: &str) -> Result<(), Error> {
        match &self.framing.open {
            None => Ok(()),
            // The checkpoint is before it, so nothing is lost by reading it again.
            Some(_) => Err(Error::fatal(
                "binlog.truncated-transaction",
                format!("{what} in the middle of a transaction"),
            )
            .hint("the source was stopped while it wrote this transaction; see its error log and mysqlbinlog, then skip the transaction")),
        }
    }

    fn begin(&mut self, event: &GtidEvent, header: &EventHeader, before: u64) -> Result<(), Error> {
        self.must_be_between("a new transaction begins")?;
        let micros = event
            .original_commit_timestamp
            .or(event.immediate_commit_timestamp)
            .filter(|micros| *micros > 0)
            .unwrap_or(u64::from(header.timestamp) * 1_000_000);
        self.framing.begin(event.gtid, before, micros);
        Ok(())
    }

    /// The open transaction; a log without Gtid events begins one here.
    fn opened(&mut self, header: &EventHeader, before: u64) -> &mut Open {
        if self.framing.open.is_none() {
            self.framing
                .begin(None, before, u64::from(header.timestamp) * 1_000_000);
        }
        self.framing.open.as_mut().expect("begun above")
    }

    fn query(
        &mut self,
        query: &QueryEvent<'_>,
        header: &EventHeader,
        before: u64,
    ) -> Result<(), Error> {
        let inside = self.framing.open.as_ref().is_some_and(|open| open.block);
        let meaning = meaning(query, header.timestamp, inside, &self.filter)?;
        match meaning {
            Meaning::Begin => {
                self.opened(header, before).block = true;
                Ok(())
            }
            Meaning::Commit => self.framing.end(),
            Meaning::Nothing if inside => Ok(()),
            Meaning::Nothing | Meaning::Filtered => {
                self.opened(header, before);
                self.framing.end()
            }
            Meaning::Statement(statement) => {
                // Groups end before a statement, so the transaction before it needs a resume point.
                self.framing.mark();
                self.opened(header, before);
                self.framing.push(Change::Statement(statement));
                self.framing.end()?;
                self.framing.mark();
                Ok(())
            }
        }
    }

    fn table_map(&mut self, map: &TableMap<'_>) -> Result<(), Error> {
        self.tables
            .note(map, &self.filter)
            .map_err(|e| unreadable(&e, &self.framing.at).in_table(map.schema, map.table))
    }

    /// Takes the rows that are there of a rows event, of which so many bytes are still to come.
    fn rows(&mut self, event: &RowsEvent<'_>, follows: u64) -> Result<Taken, Error> {
        let nothing = Taken {
            used: event.images.len(),
            wanted: 0,
        };
        if event.is_dummy() {
            return Ok(nothing);
        }
        let malformed = |what: String| Error::fatal("binlog.malformed", what);
        if self.framing.open.is_none() {
            return Err(malformed(
                "rows were logged outside a transaction".to_owned(),
            ));
        }
        let Some(table) = self.tables.get(event.table_id) else {
            return Err(malformed(format!(
                "rows of table number {} came without a table map",
                event.table_id
            )));
        };
        let Some(columns) = &mut table.columns else {
            return Ok(nothing);
        };
        // A server that was restarted numbers its tables anew.
        columns.table_id = event.table_id;
        if !table.announced {
            table.announced = true;
            self.framing.batches.add_table(table.record());
        }
        let (id, place) = (table.id, (table.schema.clone(), table.name.clone()));
        self.row_sets(event, id, follows)
            .map_err(|e| e.in_table(&place.0, &place.1))
    }

    /// Decodes the rows of an event; an event that outgrows a batch becomes several row sets.
    fn row_sets(&mut self, event: &RowsEvent<'_>, id: u32, follows: u64) -> Result<Taken, Error> {
        let there = event.images.len();
        let framing = &mut self.framing;
        let Some(columns) = self
            .tables
            .get(event.table_id)
            .and_then(|t| t.columns.as_ref())
        else {
            return Ok(Taken {
                used: there,
                wanted: 0,
            });
        };
        let mut decoder = event
            .rows(columns)
            .map_err(|e| unreadable(&e, &framing.at))?;
        loop {
            let max_bytes = framing.max_batch_bytes;
            let rows = framing.batches.rows();
            let start = rows.len();
            decoder.write_presence(rows);
            let mut count = 0;
            let mut end = None;
            while count == 0 || rows.len() < max_bytes {
                let row_at = rows.len();
                let left = decoder.remaining();
                match decoder.next_row(rows) {
                    Ok(true) => {}
                    Ok(false) => {
                        end = Some(Taken {
                            used: there,
                            wanted: 0,
                        });
                        break;
                    }
                    Err(error) => {
                        // More bytes help, unless the event does not have as many.
                        let missing = decoder
                            .shortfall(&error, left)
                            .filter(|wanted| *wanted <= left as u64 + follows);
                        let Some(wanted) = missing else {
                            return Err(unreadable(&error, &framing.at));
                        };
                        if wanted > self.max_row_bytes {
                            return Err(too_large(
                                &format!("at least {wanted}"),
                                self.max_row_bytes,
                            ));
                        }
                        end = Some(Taken {
                            used: there - left,
                            wanted,
                        });
                        break;
                    }
                }
                count += 1;
                let row_bytes = (rows.len() - row_at) as u64;
                if row_bytes > self.max_row_bytes {
                    return Err(too_large(&row_bytes.to_string(), self.max_row_bytes));
                }
            }
            if count == 0 {
                rows.truncate(start);
            } else {
                let length = rows.len() - start;
                framing.push(Change::Rows(RowSet {
                    table: id,
                    operation: operation(event.operation),
                    count,
                    offset: u32::try_from(start).unwrap_or(u32::MAX),
                    length: u32::try_from(length).unwrap_or(u32::MAX),
                    flags: flags(event.flags),
                }));
                framing.cut_if_full();
            }
            if let Some(taken) = end {
                return Ok(taken);
            }
        }
    }
}

fn too_large(bytes: &str, limit: u64) -> Error {
    Error::reconfigure(
        "row-too-large",
        format!("a row has {bytes} bytes, the limit is {limit}"),
    )
    .hint("raise limits.max_row_mib, and limits.memory_mib to several times that")
}

fn operation(operation: datain_row_block::Operation) -> Operation {
    match operation {
        datain_row_block::Operation::Insert => Operation::Insert,
        datain_row_block::Operation::Update => Operation::Update,
        datain_row_block::Operation::Delete => Operation::Delete,
    }
}

fn flags(logged: RowsFlags) -> RowFlags {
    let mut flags = RowFlags::empty();
    for (bit, flag) in [
        (
            RowsFlags::NO_FOREIGN_KEY_CHECKS,
            RowFlags::NO_FOREIGN_KEY_CHECKS,
        ),
        (RowsFlags::RELAXED_UNIQUE_CHECKS, RowFlags::NO_UNIQUE_CHECKS),
        (RowsFlags::USE_SQL_FOREIGN_KEY, RowFlags::CASCADES_LOGGED),
    ] {
        if logged.contains(bit) {
            flags |= flag;
        }
    }
    flags
}

fn unreadable(error: &BinlogError, at: &Position) -> Error {
    let hint = match error {
        BinlogError::Checksum { .. } => {
            "the event was damaged on the source's disk or on the way: compare with mysqlbinlog --verify-binlog-checksum on the source, then start again"
        }
        BinlogError::UnsupportedColumnType { .. } => {
            "exclude the table, or change the column's type on both servers"
        }
        BinlogError::TooLarge { .. } => {
            "raise limits.max_row_mib, and limits.memory_mib to several times that"
        }
        BinlogError::CompressionWindow { .. } => {
            "SET PERSIST binlog_transaction_compression_level_zstd = 19 or less on the source; skip this transaction after you have applied its effect to the target by hand"
        }
        BinlogError::CompressionKind(_) => {
            "a newer version of datain may know it; going on without it could lose data"
        }
        _ => {
            "compare with mysqlbinlog on the source; if the event is whole there, report this as a bug"
        }
    };
    Error::fatal(error.code(), error.to_string())
        .detail(format!("read up to {at}"))
        .hint(hint)
}
