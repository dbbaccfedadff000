//! Events in, batches of transactions out.
//!
//! A transaction begins at its Gtid event, or, where the log has none, at BEGIN or at a statement that stands alone; it ends at Xid, at COMMIT, or
//! with that statement; the first phase of an XA branch goes from XA START to its XA_prepare event, the second is a transaction of one statement. [`crate::framing`] keeps account of transactions and checkpoints; here is what each event means.

use datain_binlog::{
    BinlogError, ChecksumAlgorithm, Event, EventBody, EventFlags, EventHeader, EventType,
    FormatDescription, GtidEvent, QueryEvent, TableMap, XaPrepare,
};
use datain_contract::ErrorExt as _;
use datain_contract::types::{Batch, Change, Error, XaBranch, XaStep};
use datain_schema_objects::plan::Definer;
use datain_sql_statement::{TableFilter, Xid};

use crate::checkpoint::{Scope, State};
use crate::copying::Copying;
use crate::framing::{Counts, Framing, Open};
use crate::gtids::{Gtids, TransactionGtid};
use crate::position::{Position, widen};
use crate::printed;
use crate::replay::Replay;
use crate::restarts::Files;
use crate::statement::{Meaning, meaning, run_as, statement};
use crate::tables::Tables;
use crate::unsaid::{self, Sessions};
use pieces::Unpacking;

mod copied;
mod mariadb;
mod older;
mod pieces;
mod replayed;
mod rows;

/// See the module.
pub struct Assembler {
    filter: TableFilter,
    max_row_bytes: u64,
    format: FormatDescription,
    checksum: ChecksumAlgorithm,
    tables: Tables,
    framing: Framing,
    /// The dump has said in which file it is.
    knows_its_place: bool,
    /// Tables whose first copy is not complete.
    copying: Copying,
    /// Takes the tables that are being added to a running pipeline, if any are.
    added: Option<TableFilter>,
    /// An event that is taken in pieces, or that holds others.
    unpacking: Option<Unpacking>,
    /// Statements that replication refuses are shown.
    shows_statements: bool,
    /// The events stand in a relay log.
    in_relay_log: bool,
    /// As whom views, routines, triggers and events run.
    definer: Definer,
    /// For statements of whose session the log does not say all.
    sessions: Sessions,
    /// Changes of rows that were logged as statements are handed on.
    replay: Option<Replay>,
    /// Files of the log behind the checkpoint, for temporary tables.
    files: Files,
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
            knows_its_place: false,
            copying: Copying::default(),
            added: None,
            unpacking: None,
            shows_statements: false,
            in_relay_log: false,
            definer: Definer::default(),
            sessions: Sessions::default(),
            replay: None,
            files: Files::default(),
        }
    }

    /// What is replicated, to be written down when a copy is complete.
    pub fn aim_at(&mut self, scope: Scope) {
        self.framing.scope = Some(scope);
    }

    /// Hands on changes of rows that were logged as statements.
    pub(crate) fn replay_statements(&mut self, replay: Replay, files: Files) {
        self.replay = Some(replay);
        self.files = files;
    }

    /// What holds for all sessions of the server that wrote the log, where the log itself does not say.
    pub fn suppose(&mut self, sessions: Sessions) {
        self.sessions = sessions;
    }

    /// For a stream that nothing is applied from: statements that replication must refuse are passed on like any other ([`crate::printed`]).
    pub fn show_statements(&mut self) {
        self.shows_statements = true;
    }

    /// As whom views, routines, triggers and events run that the log makes or changes.
    pub fn let_run_as(&mut self, definer: Definer) {
        self.definer = definer;
    }

    /// The events that follow stand at the beginning of this file, which is read without a server.
    pub fn begin_file(&mut self, name: &str) {
        if self.framing.open.is_none() {
            self.framing.at = Position {
                file: name.to_owned(),
                offset: 4,
            };
        }
    }

    /// The next event begins at this offset of its file, whatever the headers say.
    pub fn stand_at(&mut self, offset: u64) {
        self.framing.at.offset = offset;
    }

    /// Whether the events that follow stand in a relay log: the replica's own are among them, a transaction may go on behind a reconnect, or begin anew.
    pub fn in_relay_log(&mut self, yes: bool) {
        self.in_relay_log = yes;
    }

    /// Where the transaction under way begins.
    #[must_use]
    pub fn begins(&self) -> Option<&Position> {
        self.framing.open.as_ref().map(|open| &open.begins)
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
    pub fn gtids(&self) -> Option<&Gtids> {
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
        let limit = self.join_limit();
        let inflated = event
            .inflated(&self.format, limit)
            .map_err(|e| unreadable(&e, &self.framing.at))?;
        let plain = match &inflated {
            Some(bytes) => Event::split(bytes, ChecksumAlgorithm::Off),
            None => Ok(event),
        };
        let body = plain
            .and_then(|event| event.parse(&self.format))
            .map_err(|e| unreadable(&e, &self.framing.at))?;
        let header = event.header;
        self.framing.counts.bytes += u64::from(header.event_size);
        let before = self.framing.at.offset;
        // A format description in mid-file is a copy that the server makes for the dump; it stands at no position.
        let copied = header.flags.is_artificial()
            || self.in_relay_log && header.flags.contains(EventFlags::RELAY_LOG)
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
                if format.is_mariadb() {
                    self.file_began(header.timestamp)?;
                }
                self.format = format;
                if !copied {
                    self.tables.forget();
                }
                if !copied && self.format.created != 0 {
                    // The server had just started.
                    self.framing.temporary.clear();
                }
                self.must_be_between("a new file begins")
            }
            EventBody::Rotate(rotate) => {
                self.must_be_between("the log goes on in another file")?;
                if self.framing.at.file != rotate.file {
                    self.framing.file_began = None;
                    self.other_file(rotate.file, copied);
                }
                self.framing.at = Position { file: rotate.file.to_owned(), offset: rotate.position };
                self.knows_its_place = true;
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
            EventBody::MariadbGtid(gtid) => self.begin_mariadb(&gtid, header, before),
            EventBody::MariadbGtidList(_) | EventBody::MariadbBinlogCheckpoint => Ok(()),
            EventBody::MariadbStartEncryption => Err(mariadb::encrypted()),
            EventBody::Query(query) => self.query(&query, header, before),
            EventBody::Xid(_) if self.has_ended_already() => Ok(()),
            EventBody::Xid(_) => self.commit(),
            EventBody::TableMap(map) => self.table_map(&map),
            EventBody::Rows(rows) if self.may_stand_alone() => self.rows_alone(&rows, header, before),
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
            EventBody::Intvar(_) | EventBody::Rand(_) | EventBody::UserVar(_) if self.shows_statements => {
                let setting = printed::setting(&body)?;
                self.opened(header, before);
                self.framing.push(Change::Statement(setting));
                Ok(())
            }
            EventBody::Intvar(_) | EventBody::Rand(_) | EventBody::UserVar(_) if self.replay.is_some() => {
                self.opened(header, before);
                self.replay.as_mut().map_or(Ok(()), |replay| replay.set(&body))
            }
            EventBody::Intvar(_) | EventBody::Rand(_) | EventBody::UserVar(_) => Err(Error::fatal(
                "source.statement-format",
                "the source logged a change of rows as a statement, which may have another effect on the target",
            )
            .hint("SET PERSIST binlog_format = ROW on the source, and reconnect its sessions")),
            EventBody::XaPrepare(prepare) => self.prepare(&prepare),
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
            EventBody::BeginLoadQuery(block) => self.load_block(block, true, header, before),
            EventBody::AppendBlock(block) => self.load_block(block, false, header, before),
            EventBody::DeleteFile(file_id) => {
                self.delete_load_file(file_id);
                Ok(())
            }
            EventBody::ExecuteLoadQuery(load) => self.execute_load(&load, header, before),
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
            // A replica that was cut off in a transaction asks for the rest, or for all of it once more.
            Some(_) if self.in_relay_log => Ok(()),
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
        let gtid = event.gtid.map(TransactionGtid::Mysql);
        self.framing.begin(gtid, before, micros);
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
        if self.is_idle_phase() {
            return self.framing.end();
        }
        let standing = self.standing(header);
        let (inside, dialect) = (standing.inside, standing.dialect);
        if let Some(replay) = &mut self.replay {
            let tables = &mut self.framing.temporary;
            let replayed = replay.take(query, header.timestamp, standing, &self.filter, tables);
            match replayed {
                Err(error) if self.shows_statements && printed::is_shown(&error) => {}
                other => {
                    if self.replayed(other?, inside, header, before)? {
                        return Ok(());
                    }
                }
            }
        }
        let meaning = match meaning(query, header.timestamp, inside, &self.filter, dialect) {
            Err(error) if self.shows_statements && printed::is_shown(&error) => {
                let statement = statement(query, header.timestamp);
                self.opened(header, before);
                self.framing.push(Change::Statement(statement));
                if !inside || printed::ends_transaction(query) {
                    self.framing.end()?;
                }
                return Ok(());
            }
            meaning => meaning?,
        };
        match meaning {
            Meaning::Begin => {
                self.opened(header, before).block = true;
                Ok(())
            }
            Meaning::BeginBranch(xid) => {
                let open = self.opened(header, before);
                open.block = true;
                open.xa = Some(XaBranch {
                    step: XaStep::Prepare,
                    xid,
                });
                Ok(())
            }
            Meaning::EndBranch(branch) => {
                self.opened(header, before).xa = Some(branch);
                self.framing.end()
            }
            Meaning::Commit => self.commit(),
            Meaning::Nothing if inside => Ok(()),
            Meaning::Nothing | Meaning::Filtered => {
                self.opened(header, before);
                self.framing.end()
            }
            Meaning::Statement(mut statement) => {
                unsaid::fill_in(&mut statement.context, &self.format, self.sessions);
                self.must_not_define(&statement)?;
                self.opened(header, before);
                let statement = run_as(self.definer, statement);
                self.framing.push_statement(statement);
                self.framing.end()
            }
            Meaning::CreateSelect(mut statement) if self.framing.is_at_its_beginning() => {
                unsaid::fill_in(&mut statement.context, &self.format, self.sessions);
                self.must_not_define(&statement)?;
                self.framing.push_statement(statement);
                Ok(())
            }
            Meaning::CreateSelect(_) => Err(Error::fatal(
                "source.statement-inside",
                "the source logged a statement inside a transaction of rows",
            )
            .hint("apply its effect to the target by hand, then skip the transaction")),
        }
    }

    /// The end of a transaction that began with BEGIN.
    fn commit(&mut self) -> Result<(), Error> {
        if self.framing.open.as_ref().is_some_and(|o| o.xa.is_some()) {
            return Err(Error::fatal(
                "binlog.malformed",
                "the log commits an XA branch that it has not prepared",
            ));
        }
        self.framing.end()
    }

    /// The end of an XA branch's first phase. Its xid stands in the statement that began it; the event cuts format ids to 32 bits.
    fn prepare(&mut self, event: &XaPrepare<'_>) -> Result<(), Error> {
        let xid = Xid {
            gtrid: event.gtrid.to_vec(),
            bqual: event.bqual.to_vec(),
            format_id: u64::from(event.format_id),
        };
        let begun = self.framing.open.as_ref().and_then(|open| open.xa.as_ref());
        let names = |xid: &str| xid.rsplit_once(',').map(|(names, _)| names.to_owned());
        if begun.is_none_or(|begun| names(&begun.xid) != names(&xid.to_string())) {
            return Err(Error::fatal(
                "binlog.malformed",
                "the log prepares an XA branch that it has not begun",
            ));
        }
        self.framing.end_branch(event.one_phase)
    }

    fn table_map(&mut self, map: &TableMap<'_>) -> Result<(), Error> {
        self.tables
            .note(map, &self.filter)
            .map_err(|e| unreadable(&e, &self.framing.at).in_table(map.schema, map.table))
    }
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
