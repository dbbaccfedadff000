//! Statements on their way: packets of several, and the replies that each must get.

use std::rc::Rc;

use datain_contract::ErrorExt as _;
use datain_contract::types::{Disposition, Error};
use datain_mysql_client::{ClientError, Outcome, Stream};

use super::lane::Lane;
use super::{Notice, Place};
use crate::checkpoint::tables_are_gone;
use crate::lock_wait;
use crate::mapping::Mapping;

/// errno of "Subquery returns more than 1 row", by which a guard speaks.
const SEVERAL_ROWS: u16 = 1242;

/// errno of "Invalid … character string" and of "Incorrect string value".
const REFUSED_BYTES: [u16; 2] = [1300, 1366];

/// A statement whose reply is still to be read.
pub(super) struct Expected {
    pub(super) count: Count,
    /// Table of the rows, for errors.
    pub(super) mapping: Option<Rc<Mapping>>,
    pub(super) place: Rc<Place>,
}

/// Statements of this size and more are not copied, nor is room for another kept.
const LARGE_STATEMENT: usize = 8 << 20;

pub(super) enum Count {
    Any,
    Rows(u64),
    /// Deletes what should not be there: more than none is worth a word.
    Replaced,
    /// So many rows, found by what their documents hold too.
    Documents(u64),
    /// So many rows, with warnings; a [`Count::Guard`] follows.
    Lenient(u64),
    /// Nothing, and an error if the row before is not what it should be.
    Guard,
    Fence,
}

impl<S: Stream> Lane<S> {
    pub(super) fn push(
        &mut self,
        sql: &[u8],
        count: Count,
        mapping: Option<&Rc<Mapping>>,
        place: &Rc<Place>,
    ) {
        self.push_owned(sql.to_vec(), count, mapping, place);
    }

    /// The same without a copy where the packet is empty: a statement may be as large as a good part of memory.
    pub(super) fn push_owned(
        &mut self,
        sql: Vec<u8>,
        count: Count,
        mapping: Option<&Rc<Mapping>>,
        place: &Rc<Place>,
    ) {
        let length = sql.len();
        if self.packet.is_empty() && length >= LARGE_STATEMENT {
            self.packet = sql;
        } else {
            if !self.packet.is_empty() {
                self.packet.push(b';');
            }
            self.packet.extend_from_slice(&sql);
        }
        self.in_packet.push_back(Expected {
            count,
            mapping: mapping.cloned(),
            place: Rc::clone(place),
        });
        if let Some(written) = &mut self.written {
            *written += length;
        }
    }

    /// Sends what was collected; the replies of the packet before are read first, so that one packet is written here while the server works
    /// on another.
    pub(super) async fn send_packet(&mut self) -> Result<(), Error> {
        self.read_replies().await?;
        if self.packet.is_empty() {
            return Ok(());
        }
        self.session.send_query(&self.packet).await?;
        self.packet.clear();
        if self.packet.capacity() >= LARGE_STATEMENT {
            self.packet = Vec::new();
        }
        std::mem::swap(&mut self.in_packet, &mut self.on_the_way);
        Ok(())
    }

    pub(super) async fn read_replies(&mut self) -> Result<(), Error> {
        while let Some(expected) = self.on_the_way.pop_front() {
            let found = match self.session.read_result().await {
                Ok((Outcome::Ok(ok), _)) => ok,
                Ok((Outcome::Rows(_), _)) => {
                    return Err(expected.named(Error::fatal(
                        "sink.unexpected-rows",
                        "a change returned rows",
                    )));
                }
                Err(error) if matches!(expected.count, Count::Fence) && tables_are_gone(&error) => {
                    return Err(self.owner.lost(&mut self.session).await);
                }
                Err(error) => {
                    return Err(
                        lock_wait::explained(&mut self.session, expected.refused(error)).await,
                    );
                }
            };
            match expected.count {
                Count::Any | Count::Guard => {}
                Count::Lenient(n) if found.affected_rows == n => {}
                Count::Replaced if found.affected_rows == 0 => {}
                Count::Replaced => self.notices.push(Notice {
                    message: "an XA branch of the same xid was kept, whose end was never seen (it was skipped, or the log does not have it); the new one takes its place".to_owned(),
                    statement: "XA PREPARE".to_owned(),
                    transaction: expected.place.text(),
                }),
                Count::Fence if found.affected_rows == 1 => {}
                Count::Fence => return Err(self.owner.lost(&mut self.session).await),
                Count::Rows(n) | Count::Documents(n)
                    if found.affected_rows == n && found.warnings == 0 => {}
                Count::Rows(n) | Count::Documents(n) if found.affected_rows == n => {
                    return Err(expected.warned(found.warnings));
                }
                Count::Documents(n) => return Err(expected.unchanged(n, found.affected_rows)),
                Count::Rows(n) | Count::Lenient(n) => {
                    return Err(expected.miscounted(n, found.affected_rows));
                }
            }
        }
        Ok(())
    }
}

impl Expected {
    /// Attaches place and table.
    fn named(&self, error: Error) -> Error {
        let error = error.at(
            &self.place.file,
            self.place.offset,
            self.place.gtid.as_deref(),
        );
        match &self.mapping {
            Some(mapping) => error.in_table(&mapping.target.schema, &mapping.target.name),
            None => error,
        }
    }

    pub(super) fn warned(&self, warnings: u16) -> Error {
        let error = Error::fatal(
            "row.warning",
            format!("the target gave {warnings} warning(s) for a change of rows"),
        )
        .hint("a value may have been changed on its way in; nothing of this group was committed");
        self.named(error)
    }

    pub(super) fn refused(&self, error: ClientError) -> Error {
        let errno = error.errno();
        if matches!(self.count, Count::Guard) && errno == Some(SEVERAL_ROWS) {
            return self.named(
                Error::fatal(
                    "row.altered",
                    "the target did not keep a row as the source holds it, whose ENUM has the invalid value, or whose VECTOR has no bytes",
                )
                .hint("compare SHOW CREATE TABLE on both servers; nothing of this group was committed"),
            );
        }
        let mut error = Error::from(error);
        if self.mapping.is_some() && errno.is_some_and(|n| REFUSED_BYTES.contains(&n)) {
            error.code = "row.invalid-characters".to_owned();
            error.hint = Some("the source holds bytes that are invalid in the column's character set, which no SQL statement can store: mend the value on the source before this change, or leave this transaction out with datain skip; nothing of its group was committed".to_owned());
        }
        // What passes says nothing about the rows.
        let lasting = error.disposition != Disposition::Retry;
        if error.hint.is_none() && self.mapping.is_some() && lasting {
            error.hint = Some("the target's rows differ from the source's at this point: mend the target and start again, or leave this transaction out with datain skip; nothing of its group was committed".to_owned());
        }
        self.named(error)
    }

    fn unchanged(&self, wanted: u64, found: u64) -> Error {
        let error = Error::fatal(
            "row.json-change",
            format!("a change inside a JSON document should have touched {wanted} row(s) of the target and touched {found}"),
        )
        .hint("the row is not there, or its document differs from the source's: mend the target and start again, or leave this transaction out with datain skip; nothing of its group was committed");
        self.named(error)
    }

    pub(super) fn miscounted(&self, wanted: u64, found: u64) -> Error {
        let key = self.mapping.as_ref().map(|m| {
            let key = m.target.keys.first().map_or(&[][..], Vec::as_slice);
            let names: Vec<&str> = key
                .iter()
                .map(|c| m.target.columns[*c].name.as_str())
                .collect();
            if names.is_empty() {
                "all columns, since the table has no key".to_owned()
            } else {
                names.join(", ")
            }
        });
        let mut error = Error::fatal(
            "row.missing",
            format!("a change should have touched {wanted} row(s) of the target and touched {found}"),
        )
        .hint("the target's rows differ from the source's: somebody wrote to the target, or the start position was wrong; mend the target and start again, or leave this transaction out with datain skip; nothing of its group was committed");
        error.detail = key.map(|k| format!("rows were looked up by: {k}"));
        self.named(error)
    }
}
