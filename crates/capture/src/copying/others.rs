//! Steps of a copy besides chunks: of a table that is read in one go, and of what comes behind all rows.

use datain_contract::types::Error;
use datain_mysql_client::Stream;

use super::refusals::no_connection;
use super::whole::{At, Whole};
use super::{Copier, Place, Step, definitions};
use crate::assembler::Assembler;

impl<S: Stream + 'static> Copier<S> {
    /// Does the next thing with a table that is read in one go.
    pub(super) async fn step_of_whole(
        &mut self,
        mut whole: Whole<S>,
        assembler: &mut Assembler,
    ) -> Result<Step, Error> {
        if whole.needs_session() {
            whole.take_session(self.readers.take().ok_or_else(no_connection)?);
        }
        let step = whole.step(assembler, self.by_gtid).await?;
        let name = whole.name().clone();
        match step {
            At::Waits => {
                self.whole = Some(whole);
                return Ok(Step::Waits);
            }
            At::Goes => self.whole = Some(whole),
            At::Statement(statement) => {
                self.whole = Some(whole);
                let kind = format!("emptying {}.{}", name.0, name.1);
                let place = self.place(assembler.copying());
                assembler.hand_on_statement(statement, &kind, 1, place);
            }
            At::Rows(rows, read, is_last) => {
                let now = (self.now)();
                self.control.handed_on(&name, read, now);
                if is_last {
                    self.control.end_table(&name, whole.began(), now);
                    self.readers.give_back(whole.end()?);
                    assembler.copying().end_whole(&name);
                } else {
                    self.whole = Some(whole);
                }
                let place = self.place(assembler.copying());
                assembler.hand_on_rows(&rows, place);
                self.throttle.note_handed_on(assembler.ordinal(), now);
            }
        }
        Ok(Step::HandedOn)
    }

    /// Hands on what comes behind all rows: the next statement that adds indexes, or the end.
    pub(super) async fn behind_rows(&mut self, assembler: &mut Assembler) -> Result<Step, Error> {
        if self.todo.indexes.is_none() {
            let done = match assembler.copy_place() {
                Some(Place::Indexes { done, .. }) => *done,
                _ => 0,
            };
            let aside = assembler.set_aside().cloned().unwrap_or_default();
            let session = self.readers.idle().ok_or_else(no_connection)?;
            let (filter, choices) = (&self.filter, self.choices);
            let left = definitions::behind_rows(session, filter, choices, done, &aside).await?;
            self.todo.indexes = Some((left, done));
        }
        let next = self.todo.indexes.as_mut().and_then(|(left, done)| {
            let statement = left.pop_front()?;
            *done += 1;
            Some((statement, *done))
        });
        match next {
            Some((statement, done)) => {
                let place = Place::Indexes {
                    done,
                    filter: self.patterns.clone(),
                    whole: self.control.whole(),
                };
                assembler.hand_on_statement(statement, "indexes", done, place);
            }
            None => {
                assembler.end_copying();
                self.control.complete(assembler.ordinal());
            }
        }
        Ok(Step::HandedOn)
    }
}
