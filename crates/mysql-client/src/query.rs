//! Statements: sending them, and reading what they return.
//!
//! COM_QUERY in the text protocol (page_protocol_com_query and page_protocol_com_query_response of the MySQL source
//! documentation). [`Session::query`] does both halves. The halves can be had apart: [`Session::send_query`] only sends, and may be
//! called several times before [`Session::read_result`] reads the results in the same order, so that a batch of statements costs
//! one round trip. The server runs every statement that was sent, also after one of them has failed: do not send COMMIT
//! ahead of results that it depends on. Keep unread results small (no SELECTs of many rows), since a server
//! that cannot send its results stops reading statements.

use std::collections::VecDeque;

use mysql_common::constants::{CapabilityFlags, Command, StatusFlags};

use crate::result::{
    ColumnInfo, OkResult, Outcome, ResultSet, TextRow, is_end, parse_column_count, parse_end,
    parse_ok,
};
use crate::session::{Pending, Session, State, server_error};
use crate::{ClientError, Result, Stream};

/// File contents go to the server in packets of at most this size, which is under any max_allowed_packet in ordinary use.
pub(crate) const LOCAL_CHUNK: usize = 256 << 10;

/// How a result begins.
enum Head {
    Ok(OkResult),
    Columns(Vec<ColumnInfo>),
}

impl<S: Stream> Session<S> {
    /// Runs one statement, or several with `multi_statements`, and returns what each returned.
    ///
    /// If one of several fails, those before it have been carried out, those after it not; the error's context
    /// tells which it was.
    pub async fn query(&mut self, sql: &[u8]) -> Result<Vec<Outcome>> {
        self.require_idle()?;
        self.send_query(sql).await?;
        let mut outcomes = Vec::with_capacity(1);
        loop {
            let (outcome, more) = self.read_result().await?;
            outcomes.push(outcome);
            if !more {
                return Ok(outcomes);
            }
        }
    }

    /// Runs a statement that returns no rows. Of several statements, the last one's result is returned.
    pub async fn exec(&mut self, sql: &[u8]) -> Result<OkResult> {
        match self.query(sql).await?.pop() {
            Some(Outcome::Ok(ok)) => Ok(ok),
            _ => Err(ClientError::usage(
                "session.unexpected-rows",
                "a statement that was expected to return no rows returned some",
                None,
            )),
        }
    }

    /// Runs a statement that returns rows, as text; bytes that are not UTF-8 are replaced.
    pub async fn query_rows(&mut self, sql: &[u8]) -> Result<Vec<Vec<Option<String>>>> {
        let Some(Outcome::Rows(set)) = self.query(sql).await?.pop() else {
            return Err(ClientError::usage(
                "session.no-rows",
                "a statement that was expected to return rows returned none",
                None,
            ));
        };
        let text = |value: Vec<u8>| match String::from_utf8(value) {
            Ok(text) => text,
            Err(e) => String::from_utf8_lossy(e.as_bytes()).into_owned(),
        };
        let row = |row: Vec<Option<Vec<u8>>>| row.into_iter().map(|v| v.map(text)).collect();
        Ok(set.rows.into_iter().map(row).collect())
    }

    /// Runs a statement that returns rows; the first row as text, if there is one.
    pub async fn query_first(&mut self, sql: &[u8]) -> Result<Option<Vec<Option<String>>>> {
        Ok(self.query_rows(sql).await?.into_iter().next())
    }

    /// Sends a statement without waiting for its result; see the module for the rules.
    pub async fn send_query(&mut self, sql: &[u8]) -> Result<()> {
        self.require_ready()?;
        self.state = State::Busy;
        let sent = self.command(&[Command::COM_QUERY as u8], sql).await;
        let sequence = self.settle(sent)?;
        self.pending.push_back(Pending {
            sequence,
            index: 0,
            context: statement_name(sql),
        });
        Ok(())
    }

    /// How many sent statements still await (some of) their results.
    pub fn pending_results(&self) -> usize {
        self.pending.len()
    }

    /// Reads the next result of the statements that were sent, and whether the same statement text has more results.
    ///
    /// A server error belongs to the statement whose turn it is and ends its results; results of later ones can still be read.
    pub async fn read_result(&mut self) -> Result<(Outcome, bool)> {
        let pending = self.begin_result()?;
        let result = self.whole_result(pending).await;
        self.end_result(result)
    }

    /// Runs a statement whose result is read row by row with [`next_row`](Self::next_row), and returns its columns.
    pub async fn open_rows(&mut self, sql: &[u8]) -> Result<Vec<ColumnInfo>> {
        self.require_idle()?;
        self.send_query(sql).await?;
        let pending = self.begin_result()?;
        let result = match self.head(pending, None).await {
            Ok(Head::Columns(columns)) => {
                self.state = State::Rows {
                    columns: columns.len(),
                };
                return Ok(columns);
            }
            Ok(Head::Ok(ok)) => Ok((
                ClientError::usage(
                    "session.no-rows",
                    "a statement that was expected to return rows returned none",
                    None,
                ),
                ok.status.contains(StatusFlags::SERVER_MORE_RESULTS_EXISTS),
            )),
            Err(e) => Err(e),
        };
        let (no_rows, _) = self.end_result(result)?;
        Err(no_rows)
    }

    /// The next row of the result set that [`open_rows`](Self::open_rows) began, or `None` after the last. Dropping the
    /// future loses nothing: the next call goes on where it left off.
    pub async fn next_row(&mut self) -> Result<Option<TextRow<'_>>> {
        let State::Rows { columns } = self.state else {
            self.require_ready()?;
            return Err(ClientError::usage(
                "session.no-rows",
                "no result set is being read",
                None,
            ));
        };
        if let Err(e) = self.fill().await {
            if !e.is_interrupted() {
                self.state = State::Broken;
            }
            return Err(e);
        }
        let deprecate_eof = self.deprecate_eof();
        // The row borrows from the reader, so the rest of the session is changed beside it.
        let Self {
            reader,
            state,
            pending,
            status,
            ..
        } = self;
        let payload = reader.next_packet()?.unwrap_or_default();
        let end = if payload.first() == Some(&0xff) {
            let context = pending.front().map_or("statement", |p| p.context);
            Err(server_error(payload, context))
        } else if is_end(payload, deprecate_eof) {
            parse_end(payload, deprecate_eof).map(|(now, _)| {
                *status = now;
                ((), now.contains(StatusFlags::SERVER_MORE_RESULTS_EXISTS))
            })
        } else {
            return Ok(Some(TextRow::new(payload, columns)));
        };
        advance(pending, &end);
        *state = State::after(&end);
        end.map(|_| None)
    }

    /// Runs `LOAD DATA LOCAL INFILE …` and feeds it `data`; the file name in `sql` is never opened, here or on
    /// the server. Needs `local_files` at login and `local_infile` on the server.
    ///
    /// `data` leaves only after the server has asked for it, packet by packet, each packet copied once into a buffer of its size.
    /// LOCAL implies IGNORE: what would be an error of an INSERT is one of the `warnings` in the result, and a row that is missing from `affected_rows`.
    ///
    /// # Errors
    /// `server.local-infile-disabled` where the server has `local_infile = OFF`: then nothing of `data` was sent, and session and transaction go on.
    pub async fn load_local(&mut self, sql: &[u8], data: &[u8]) -> Result<OkResult> {
        self.require_idle()?;
        self.send_query(sql).await?;
        let pending = self.begin_result()?;
        let result = match self.head(pending, Some(data)).await {
            Ok(Head::Ok(ok)) => {
                let more = ok.status.contains(StatusFlags::SERVER_MORE_RESULTS_EXISTS);
                Ok((ok, more))
            }
            Ok(Head::Columns(_)) => Err(ClientError::malformed(
                "LOAD DATA was expected to return no rows and returned some",
            )),
            Err(e) => Err(e),
        };
        self.end_result(result).map(|(ok, _)| ok)
    }

    /// Keeps the packets of [`load_local`](Self::load_local) below the server's `max_allowed_packet`, of so many bytes, where that is very small.
    pub fn limit_local_packets(&mut self, max_allowed_packet: usize) {
        self.local_packet = (max_allowed_packet / 2).clamp(1, LOCAL_CHUNK);
    }

    /// Takes the turn of the first statement that awaits results.
    fn begin_result(&mut self) -> Result<Pending> {
        self.require_ready()?;
        let Some(pending) = self.pending.front().copied() else {
            return Err(ClientError::usage(
                "session.no-statement",
                "a result was asked for and no statement was sent",
                None,
            ));
        };
        if pending.index == 0 {
            self.reader.expect_sequence(pending.sequence);
        }
        self.state = State::Busy;
        Ok(pending)
    }

    /// Ends that turn.
    fn end_result<T>(&mut self, result: Result<(T, bool)>) -> Result<(T, bool)> {
        advance(&mut self.pending, &result);
        self.settle(result)
    }

    async fn whole_result(&mut self, pending: Pending) -> Result<(Outcome, bool)> {
        let columns = match self.head(pending, None).await? {
            Head::Ok(ok) => {
                let more = ok.status.contains(StatusFlags::SERVER_MORE_RESULTS_EXISTS);
                return Ok((Outcome::Ok(ok), more));
            }
            Head::Columns(columns) => columns,
        };
        let deprecate_eof = self.deprecate_eof();
        let mut rows = Vec::new();
        loop {
            let payload = self.receive().await?;
            if payload.first() == Some(&0xff) {
                return Err(server_error(payload, &context(pending)));
            }
            if is_end(payload, deprecate_eof) {
                let (status, warnings) = parse_end(payload, deprecate_eof)?;
                self.status = status;
                let more = status.contains(StatusFlags::SERVER_MORE_RESULTS_EXISTS);
                let set = ResultSet {
                    columns,
                    rows,
                    warnings,
                    status,
                };
                return Ok((Outcome::Rows(set), more));
            }
            rows.push(TextRow::new(payload, columns.len()).to_vec()?);
        }
    }

    /// Reads a result up to its rows. `data` is what a LOAD DATA LOCAL is given.
    async fn head(&mut self, pending: Pending, data: Option<&[u8]>) -> Result<Head> {
        let deprecate_eof = self.deprecate_eof();
        let payload = self.receive().await?;
        let count = match payload {
            [0x00, ..] => {
                let ok = parse_ok(payload)?;
                self.status = ok.status;
                return Ok(Head::Ok(ok));
            }
            [0xff, ..] => return Err(server_error(payload, &context(pending))),
            [0xfb, ..] => return self.local_infile(pending, data).await.map(Head::Ok),
            _ => parse_column_count(payload)?,
        };
        let mut columns = Vec::with_capacity(count.min(64));
        for _ in 0..count {
            columns.push(ColumnInfo::parse(self.receive().await?)?);
        }
        if !deprecate_eof {
            parse_end(self.receive().await?, false)?;
        }
        Ok(Head::Columns(columns))
    }

    /// Answers the server's request for a local file (page_protocol_com_query_response_local_infile_request): with `data`, or
    /// with an empty file and an error if nobody here has asked for it. A server may ask at any time, so a client that
    /// opens what it is asked for hands out its disk.
    async fn local_infile(&mut self, pending: Pending, data: Option<&[u8]>) -> Result<OkResult> {
        if self.pending.len() > 1 {
            // The server takes the statements behind this one for the file's contents.
            return Err(refused_local_infile());
        }
        let allowed = self
            .capabilities
            .contains(CapabilityFlags::CLIENT_LOCAL_FILES);
        for chunk in data
            .filter(|_| allowed)
            .unwrap_or_default()
            .chunks(self.local_packet)
        {
            self.reply(&[], chunk).await?;
        }
        self.reply(&[], &[]).await?;
        let payload = self.receive().await?;
        let ok = match payload {
            [0x00, ..] => parse_ok(payload)?,
            [0xff, ..] => return Err(server_error(payload, &context(pending))),
            _ => {
                return Err(ClientError::malformed(
                    "OK or an error was expected after the file",
                ));
            }
        };
        self.status = ok.status;
        if data.is_none() || !allowed {
            return Err(refused_local_infile());
        }
        Ok(ok)
    }
}

/// After a result: the statement is done with unless it has more results.
fn advance<T>(pending: &mut VecDeque<Pending>, result: &Result<(T, bool)>) {
    match (result, pending.front_mut()) {
        (Ok((_, true)), Some(front)) => front.index += 1,
        _ => {
            pending.pop_front();
        }
    }
}

fn refused_local_infile() -> ClientError {
    ClientError::usage(
        "session.local-infile-refused",
        "the server asked for a local file that nobody offered; it was given nothing and the connection is closed",
        Some("find out whether the server is the one it claims to be"),
    )
}

/// What an error message calls the statement: its kind, and which of several it is.
fn context(pending: Pending) -> String {
    match pending.index {
        0 => pending.context.to_owned(),
        n => format!(
            "statement {} of the query that begins with {}",
            n + 1,
            pending.context
        ),
    }
}

/// The kind of a statement, without anything that it says.
fn statement_name(sql: &[u8]) -> &'static str {
    const NAMES: [(&str, &str); 22] = [
        ("ALTER", "ALTER"),
        ("ANALYZE", "ANALYZE"),
        ("BEGIN", "BEGIN"),
        ("BINLOG", "BINLOG"),
        ("COMMIT", "COMMIT"),
        ("CREATE", "CREATE"),
        ("DELETE", "DELETE"),
        ("DROP", "DROP"),
        ("GRANT", "GRANT"),
        ("INSERT", "INSERT"),
        ("KILL", "KILL"),
        ("LOAD", "LOAD DATA"),
        ("LOCK", "LOCK"),
        ("RENAME", "RENAME"),
        ("REPLACE", "REPLACE"),
        ("ROLLBACK", "ROLLBACK"),
        ("SELECT", "SELECT"),
        ("SET", "SET"),
        ("SHOW", "SHOW"),
        ("START", "START"),
        ("TRUNCATE", "TRUNCATE"),
        ("UPDATE", "UPDATE"),
    ];
    let sql = sql.trim_ascii_start();
    let end = sql
        .iter()
        .position(|b| !b.is_ascii_alphabetic())
        .unwrap_or(sql.len());
    NAMES
        .iter()
        .find(|(word, _)| word.as_bytes().eq_ignore_ascii_case(&sql[..end]))
        .map_or("statement", |(_, name)| name)
}
