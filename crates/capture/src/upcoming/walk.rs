//! Goes through the log's events, leniently, to the end of one transaction.

use std::collections::{BTreeMap, HashMap};

use datain_binlog::{
    BinlogError, ChecksumAlgorithm, Event, EventBody, EventHeader, EventParts, EventType,
    FormatDescription, Part, RowsEvent, TableColumns,
};
use datain_contract::ErrorExt as _;
use datain_contract::types::Error;
use datain_mysql_client::DumpPacket;
use datain_row_block::Operation;
use datain_sql_statement::{TableFilter, Xid};

use super::Upcoming;
use crate::checkpoint::State;
use crate::gtids::TransactionGtid;
use crate::position::Position;
use crate::replay::left_out;
use crate::statement::{dialect, shown};

/// Goes through events until one transaction is complete.
pub struct Walk {
    state: State,
    checksum: ChecksumAlgorithm,
    format: FormatDescription,
    filter: TableFilter,
    pub(super) at: Position,
    /// When its file was begun: see [`State::file_began`].
    file_began: Option<u32>,
    pub(super) found: Option<Upcoming>,
    /// Where the transaction ends, if its Gtid event says so.
    ends: Option<u64>,
    /// BEGIN was seen.
    block: bool,
    /// A large event under way; none of it where it cannot be read.
    large: Option<(EventHeader, Option<EventParts>)>,
    /// Tables by the log's number: name, decoder.
    tables: HashMap<u64, (String, Option<TableColumns>)>,
    /// The most bytes of a row, or of an event without rows, that are held to be looked at.
    held: usize,
}

impl Walk {
    /// Begins after `state`. `checksum` is what was negotiated for the dump.
    #[must_use]
    pub fn new(state: State, checksum: ChecksumAlgorithm, filter: TableFilter) -> Self {
        Walk {
            at: state.position.clone(),
            file_began: state.file_began,
            state,
            checksum,
            format: FormatDescription::assumed(checksum),
            filter,
            found: None,
            ends: None,
            block: false,
            large: None,
            tables: HashMap::new(),
            held: HELD,
        }
    }

    /// Holds at most so many bytes of a row; a larger one is not counted.
    #[must_use]
    pub fn holding(mut self, bytes: usize) -> Self {
        self.held = bytes;
        self
    }

    /// Takes one event; the transaction, when this was its last.
    ///
    /// # Errors
    /// `binlog.malformed` for what is no event; `source.anonymous-transaction` in a stream by GTID.
    pub fn event(&mut self, bytes: &[u8]) -> Result<Option<Upcoming>, Error> {
        let header = EventHeader::parse(bytes)
            .map_err(|e| Error::fatal("binlog.malformed", e.to_string()))?;
        let copied = header.flags.is_artificial()
            || header.event_type == EventType::FormatDescription && header.log_pos == 0;
        let kind = header.event_type;
        // What can only stand between transactions ends one that was never finished, before itself.
        let between = matches!(
            kind,
            EventType::Gtid
                | EventType::AnonymousGtid
                | EventType::GtidTagged
                | EventType::MariadbGtid
                | EventType::Rotate
                | EventType::FormatDescription
                | EventType::PreviousGtids
                | EventType::Stop
        );
        if between && !copied && self.found.is_some() {
            return self.complete();
        }
        let heartbeat = matches!(kind, EventType::Heartbeat | EventType::HeartbeatV2);
        if !copied && !heartbeat {
            self.at.pass(header.log_pos, header.event_size);
        }
        // By GTID the server leaves out what is not wanted, so the event before may have ended elsewhere.
        let before = self.at.offset.saturating_sub(u64::from(header.event_size));
        let (checksum, format) = (self.checksum, self.format.clone());
        if kind == EventType::TransactionPayload {
            self.open(None, before, &header);
            let parts = Event::split(bytes, checksum)
                .and_then(|event| EventParts::of(&event, &format, self.held));
            self.begin(header, parts);
            self.use_parts(&format);
            self.large = None;
            return self.completed(true);
        }
        let event = Event::split(bytes, checksum);
        let inflated = match &event {
            Ok(event) => event.inflated(&format, self.held),
            Err(_) => Ok(None),
        };
        let body = event.and_then(|event| parsed(event, &inflated, &format));
        let ended = match body {
            Ok(body) => self.body(body, &header, before),
            Err(error) => {
                if matches!(
                    kind,
                    EventType::Gtid | EventType::GtidTagged | EventType::MariadbGtid
                ) {
                    return Err(Error::fatal(error.code(), error.to_string()));
                }
                self.open(None, before, &header);
                self.unreadable(error.to_string());
                ends_by_type(kind)
            }
        };
        self.completed(ended)
    }

    /// Takes an event or a piece of one.
    pub(super) fn packet(&mut self, packet: DumpPacket<'_>) -> Result<Option<Upcoming>, Error> {
        match packet {
            DumpPacket::Event(bytes) => self.event(bytes),
            DumpPacket::Piece { bytes, first, last } => self.piece(bytes, first, last),
            DumpPacket::EndOfStream => Ok(None),
        }
    }

    /// Takes a piece of a large event; the transaction, when that was its last.
    ///
    /// # Errors
    /// As [`Walk::event`].
    pub fn piece(
        &mut self,
        bytes: &[u8],
        first: bool,
        last: bool,
    ) -> Result<Option<Upcoming>, Error> {
        let format = self.format.clone();
        if first {
            let header = EventHeader::parse(bytes)
                .map_err(|e| Error::fatal("binlog.malformed", e.to_string()))?;
            self.open(None, self.at.offset, &header);
            let parts = EventParts::begin(bytes, last, self.checksum, &format, self.held);
            self.begin(header, parts);
        } else if let Some((header, Some(mut parts))) = self.large.take() {
            let fed = parts.feed(bytes, last);
            self.begin(header, fed.map(|()| parts));
        }
        self.use_parts(&format);
        if !last {
            return Ok(None);
        }
        let Some((header, _)) = self.large.take() else {
            return Ok(None);
        };
        self.at.pass(header.log_pos, header.event_size);
        self.completed(ends_by_type(header.event_type))
    }

    fn begin(&mut self, header: EventHeader, parts: Result<EventParts, BinlogError>) {
        let parts = match parts {
            Ok(parts) => Some(parts),
            Err(error) => {
                self.unreadable(error.to_string());
                None
            }
        };
        self.large = Some((header, parts));
    }

    /// Counts what there is of a large event.
    fn use_parts(&mut self, format: &FormatDescription) {
        let Some((header, Some(mut parts))) = self.large.take() else {
            return;
        };
        loop {
            let taken = match parts.next(format) {
                Ok(None) => break,
                Ok(Some(Part::Event(event))) => {
                    let header = event.header;
                    let at = self.at.offset;
                    let inflated = event.inflated(format, self.held);
                    parsed(event, &inflated, format)
                        .map(|body| {
                            self.body(body, &header, at);
                            None
                        })
                        .map_err(|e| e.to_string())
                }
                Ok(Some(Part::Rows { event, follows })) => self.rows(&event, follows).map(Some),
                Err(error) => Err(error.to_string()),
            };
            match taken {
                Ok(None) => {}
                Ok(Some((used, wanted))) => parts.took(used, wanted),
                Err(why) => {
                    self.unreadable(why);
                    parts.skip();
                }
            }
        }
        self.large = Some((header, Some(parts)));
    }

    /// The transaction, if it is over: by its length, or, where that is not known, if it has `ended` by its meaning.
    fn completed(&mut self, ended: bool) -> Result<Option<Upcoming>, Error> {
        if self.found.is_none() {
            return Ok(None);
        }
        let ended = match self.ends {
            Some(end) => self.at.offset >= end,
            None => ended,
        };
        if ended { self.complete() } else { Ok(None) }
    }

    /// Whether a transaction has begun of which it is known where it ends.
    #[must_use]
    pub fn end_is_known(&self) -> bool {
        self.found.is_some() && self.ends.is_some()
    }

    /// The transaction as far as it was read; its end must be known.
    ///
    /// # Errors
    /// `source.anonymous-transaction` in a stream by GTID.
    pub fn cut_short(&mut self, why: &str) -> Result<Option<Upcoming>, Error> {
        if let Some(end) = self.ends {
            self.at.offset = end;
        }
        self.unreadable(format!("not everything is counted, since {why}"));
        self.complete()
    }

    /// Takes an event's body; says whether it ends the transaction by its meaning.
    fn body(&mut self, body: EventBody<'_>, header: &EventHeader, before: u64) -> bool {
        match body {
            EventBody::FormatDescription(format) => {
                self.checksum = format.checksum;
                if format.is_mariadb() {
                    self.file_began = Some(header.timestamp);
                }
                self.format = format;
            }
            EventBody::Rotate(rotate) => {
                if self.at.file != rotate.file {
                    self.file_began = None;
                    // The server may have started in between.
                    self.state.temporary.doubt();
                }
                self.at = Position {
                    file: rotate.file.to_owned(),
                    offset: rotate.position,
                };
            }
            EventBody::Gtid(event) => {
                let micros = event
                    .original_commit_timestamp
                    .or(event.immediate_commit_timestamp);
                self.open(event.gtid.map(TransactionGtid::Mysql), before, header);
                if let Some(found) = &mut self.found
                    && let Some(micros) = micros.filter(|micros| *micros > 0)
                {
                    found.committed_at_micros = micros;
                }
                self.ends = event
                    .transaction_length
                    .map(|length| before.saturating_add(length));
            }
            EventBody::MariadbGtid(event) => {
                self.open(Some(TransactionGtid::Mariadb(event.gtid)), before, header);
                self.block = !event.is_standalone;
            }
            EventBody::Query(query) => {
                self.open(None, before, header);
                match query.sql {
                    b"BEGIN" => self.block = true,
                    b"COMMIT" => return true,
                    // Of an XA branch's first phase, XA PREPARE is the last event, and says it all.
                    sql if sql.starts_with(b"XA START") => self.block = true,
                    sql if sql.starts_with(b"XA END") => {}
                    _ => {
                        if let Some(found) = &mut self.found {
                            found.statements.push(shown(&query));
                            let dialect = dialect(&self.format);
                            left_out(
                                &mut found.after.temporary,
                                &query,
                                header.server_id,
                                &self.filter,
                                dialect,
                            );
                        }
                        return !self.block;
                    }
                }
            }
            EventBody::ExecuteLoadQuery(load) => {
                self.open(None, before, header);
                if let Some(found) = &mut self.found {
                    found.statements.push(shown(&load.query));
                    let dialect = dialect(&self.format);
                    left_out(
                        &mut found.after.temporary,
                        &load.query,
                        header.server_id,
                        &self.filter,
                        dialect,
                    );
                }
                return !self.block;
            }
            EventBody::BeginLoadQuery(_) | EventBody::AppendBlock(_) | EventBody::DeleteFile(_) => {
                self.open(None, before, header);
            }
            EventBody::TableMap(map) => {
                let name = format!("{}.{}", map.schema, map.table);
                let replicated = self.filter.matches(map.schema, map.table);
                if let Some(found) = &mut self.found {
                    found.tables.entry(name.clone()).or_default().replicated = replicated;
                }
                let columns = match map.columns() {
                    Ok(columns) => Some(columns),
                    Err(error) => {
                        self.unreadable(error.to_string());
                        None
                    }
                };
                self.tables.insert(map.table_id, (name, columns));
            }
            EventBody::Xid(_) => return true,
            EventBody::XaPrepare(prepare) => {
                let xid = Xid {
                    gtrid: prepare.gtrid.to_vec(),
                    bqual: prepare.bqual.to_vec(),
                    format_id: u64::from(prepare.format_id),
                };
                let statement = if prepare.one_phase {
                    format!("XA COMMIT {xid} ONE PHASE")
                } else {
                    format!("XA PREPARE {xid}")
                };
                if let Some(found) = &mut self.found {
                    found.statements.push(statement);
                }
                return true;
            }
            EventBody::Rows(rows) => {
                if let Err(why) = self.rows(&rows, 0) {
                    self.unreadable(why);
                }
            }
            // Unpacked before its parts come here.
            EventBody::TransactionPayload(_) => {}
            EventBody::Incident(_) => {
                self.open(None, before, header);
                self.unreadable(
                    "the source notes here that its log lacks changes (INCIDENT)".to_owned(),
                );
                return true;
            }
            EventBody::Unhandled(kind) => {
                self.unreadable(format!(
                    "it holds an event of type {} ({kind})",
                    kind.code()
                ));
            }
            EventBody::RowsQuery(_)
            | EventBody::PreviousGtids(_)
            | EventBody::MariadbGtidList(_)
            | EventBody::MariadbBinlogCheckpoint
            | EventBody::MariadbStartEncryption
            | EventBody::Heartbeat(_)
            | EventBody::Stop
            | EventBody::Ignorable(_)
            | EventBody::Intvar(_)
            | EventBody::Rand(_)
            | EventBody::UserVar(_) => {}
        }
        false
    }

    /// Begins the transaction, unless it has begun.
    fn open(&mut self, gtid: Option<TransactionGtid>, offset: u64, header: &EventHeader) {
        if self.found.is_some() {
            return;
        }
        self.found = Some(Upcoming {
            gtid,
            begins: Position {
                file: self.at.file.clone(),
                offset,
            },
            committed_at_micros: u64::from(header.timestamp) * 1_000_000,
            bytes: 0,
            tables: BTreeMap::new(),
            statements: Vec::new(),
            unreadable: None,
            after: self.state.clone(),
        });
    }

    fn unreadable(&mut self, why: String) {
        if let Some(found) = &mut self.found {
            found.unreadable.get_or_insert(why);
            found.after.temporary.doubt();
        }
    }

    /// Counts the rows that are there of an event, of which so many bytes follow; returns how many bytes were used, and how many the next row needs at
    /// least.
    fn rows(&mut self, event: &RowsEvent<'_>, follows: u64) -> Result<(usize, u64), String> {
        let all = (event.images.len(), 0);
        if event.is_dummy() {
            return Ok(all);
        }
        let (name, columns) = match self.tables.get(&event.table_id) {
            Some((name, Some(columns))) => (name, columns),
            Some((_, None)) => return Ok(all),
            None => return Err("it has rows of a table that it does not name".to_owned()),
        };
        let (rows, used, wanted) = count(event, columns, follows, self.held)?;
        if let Some(found) = &mut self.found {
            let table = found.tables.entry(name.clone()).or_default();
            match event.operation {
                Operation::Insert => table.inserted += rows,
                Operation::Update => table.updated += rows,
                Operation::Delete => table.deleted += rows,
            }
        }
        Ok((used, wanted))
    }

    fn complete(&mut self) -> Result<Option<Upcoming>, Error> {
        let Some(mut found) = self.found.take() else {
            return Ok(None);
        };
        found.bytes = self.at.offset.saturating_sub(found.begins.offset);
        found.after.position = self.at.clone();
        found.after.file_began = self.file_began;
        if let Some(gtids) = &mut found.after.gtids {
            let Some(gtid) = found.gtid else {
                return Err(Error::fatal(
                    "source.anonymous-transaction",
                    "the stream goes by GTID, and the source logged a transaction without one",
                )
                .hint("a transaction without a GTID cannot be named, so not skipped: go on by file and position, with --set-position"));
            };
            if !gtids.add(gtid) {
                return Err(Error::fatal(
                    "binlog.malformed",
                    "the log names a transaction in the manner of the other flavour, MySQL or MariaDB",
                ));
            }
        }
        Ok(Some(found))
    }
}

/// What an event says; `inflated` is what it is without compression.
fn parsed<'a>(
    event: Event<'a>,
    inflated: &'a Result<Option<Vec<u8>>, BinlogError>,
    format: &FormatDescription,
) -> Result<EventBody<'a>, BinlogError> {
    match inflated {
        Ok(None) => event.parse(format),
        Ok(Some(bytes)) => Event::split(bytes, ChecksumAlgorithm::Off)?.parse(format),
        Err(error) => Err(error.clone()),
    }
}

/// Whether an event of this type is the last of its transaction, where nothing else tells.
fn ends_by_type(kind: EventType) -> bool {
    matches!(
        kind,
        EventType::Xid | EventType::XaPrepare | EventType::TransactionPayload | EventType::Incident
    )
}

/// What is held at most unless [`Walk::holding`] says otherwise.
const HELD: usize = 64 << 20;

/// Rows, bytes used of the images, and bytes that the next row needs at least.
fn count(
    event: &RowsEvent<'_>,
    columns: &TableColumns,
    follows: u64,
    held: usize,
) -> Result<(u64, usize, u64), String> {
    let mut columns = columns.clone();
    columns.table_id = event.table_id;
    let mut decoder = event.rows(&columns).map_err(|e| e.to_string())?;
    let (mut rows, mut scratch) = (0, Vec::new());
    loop {
        let left = decoder.remaining();
        match decoder.next_row(&mut scratch) {
            Ok(true) => rows += 1,
            Ok(false) => return Ok((rows, event.images.len(), 0)),
            Err(error) => {
                let there = left as u64 + follows;
                return match decoder.shortfall(&error, left) {
                    Some(wanted) if wanted <= there && wanted > held as u64 => Err(
                        "not everything is counted, since one of its rows is too large".to_owned(),
                    ),
                    Some(wanted) if wanted <= there => {
                        Ok((rows, event.images.len() - left, wanted))
                    }
                    _ => Err(error.to_string()),
                };
            }
        }
        scratch.clear();
    }
}
