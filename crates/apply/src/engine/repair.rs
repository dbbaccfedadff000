//! Repair mode: rows that are not as the source had them are made so.
//!
//! A group that cannot be applied is sought one by one ([`Engine::apply_as_written`]); then each row is written by itself, with a look at what was found. What stands in
//! the way of a new row in any unique key is deleted, for the source has no such row; a row that is missing is inserted, if the log holds all of it; one that was to
//! be deleted and is not there is counted. Each repair is reported.

use std::hash::BuildHasher;
use std::rc::Rc;

use datain_contract::types::{Error, Operation as Op, RowSet};
use datain_mysql_client::Stream;
use datain_row_block::{Bitmap, Image, Row, Value};

use super::foreign_keys::left_to_the_target;
use super::replies::{Count, Expected};
use super::{Engine, Notice, Place};
use crate::mapping::Mapping;
use crate::row_set::Rows;
use crate::statements::{self, Check, Open, Plan, Statement};

/// What a row's statements are about.
struct Target<'t> {
    mapping: &'t Rc<Mapping>,
    place: &'t Rc<Place>,
    operation: Op,
    after_present: Option<Bitmap<'t>>,
}

impl<S: Stream + 'static, H: BuildHasher + Default + 'static> Engine<S, H> {
    /// Writes the rows of a set, but for the first `done`, one by one.
    pub(super) async fn repair_rows(
        &mut self,
        set: &RowSet,
        block: &[u8],
        mapping: &Rc<Mapping>,
        done: u32,
        place: &Rc<Place>,
    ) -> Result<(), Error> {
        let plans = self.written_cascades(set, block, mapping).await?;
        self.lane.begin(place);
        let checks = left_to_the_target(set.flags) && plans.is_none();
        let mut plans = plans.unwrap_or_default().into_iter();
        let bounds = self.lane.bounds(1);
        let mut list = Vec::new();
        statements::write(set, block, mapping, bounds, done, |statement| {
            list.push(statement);
            Ok(())
        })?;
        let mut of_rows = list.split_inclusive(|statement| statement.ends_row);
        let mut rows = Rows::open(set, block, mapping)?;
        let target = Target {
            mapping,
            place,
            operation: set.operation,
            after_present: rows.after_present(),
        };
        let mut number = 0;
        while let Some(row) = rows.next_row()? {
            number += 1;
            let cascades = plans.next().unwrap_or_default();
            if number <= done {
                continue;
            }
            let statements = of_rows.next().unwrap_or_default();
            let mut repaired = self.make_room(&target, &row).await?;
            self.lane.set_checks(checks, place);
            for sql in cascades {
                self.lane.push(&sql, Count::Any, Some(mapping), place);
            }
            repaired |= self.write_row(&target, &row, statements).await?;
            if repaired {
                self.note_repair(&target);
            }
            if let Some(group) = &mut self.open.group {
                group.totals.rows += 1;
                group.totals.rows_repaired += u64::from(repaired);
            }
        }
        Ok(())
    }

    /// Deletes rows that have a unique value of the new row, but for the row itself. Returns whether there were any.
    async fn make_room(&mut self, target: &Target<'_>, row: &Row<'_, '_>) -> Result<bool, Error> {
        let Some(after) = &row.after else {
            return Ok(false);
        };
        let mapping = target.mapping;
        let mut in_the_way = Vec::new();
        for key in &mapping.target.unique.keys {
            let known =
                |column: &usize| matches!(after.get(*column), Some(value) if value != Value::Null);
            if !key.iter().all(known) {
                continue;
            }
            in_the_way.extend_from_slice(if in_the_way.is_empty() {
                b"("
            } else {
                b" OR ("
            });
            condition(&mut in_the_way, mapping, after, key)?;
            in_the_way.push(b')');
        }
        if in_the_way.is_empty() {
            return Ok(false);
        }
        let mut sql = format!("DELETE FROM {} WHERE (", mapping.table_sql).into_bytes();
        sql.extend_from_slice(&in_the_way);
        sql.push(b')');
        if let Some(before) = &row.before {
            let holds = |key: &&Vec<usize>| key.iter().all(|c| before.get(*c).is_some());
            let Some(key) = mapping.target.keys.iter().find(holds) else {
                return Ok(false);
            };
            sql.extend_from_slice(b" AND NOT (");
            condition(&mut sql, mapping, before, key)?;
            sql.push(b')');
        }
        // Rows that refer to one that stands in the way refer to the new one in a moment, if it has the same key; those of another key are differences of their own,
        // which the changes of their rows on the source will show.
        self.lane.set_checks(false, target.place);
        Ok(self.run(&sql, target).await? > 0)
    }

    /// Writes the row. Returns whether it was not as the source had it.
    async fn write_row(
        &mut self,
        target: &Target<'_>,
        row: &Row<'_, '_>,
        statements: &[Statement],
    ) -> Result<bool, Error> {
        let [statement] = statements else {
            // Changes inside of documents need the document.
            return self.write_strictly(target, statements).await;
        };
        if statement.check != Check::Strict {
            return self.write_strictly(target, statements).await;
        }
        let found = self.run(&statement.sql, target).await?;
        if found == statement.rows {
            return Ok(false);
        }
        match (target.operation, &row.after) {
            (Op::Delete, _) => Ok(true),
            (Op::Update, Some(after)) if is_whole(target.mapping, after) => {
                let plan = Plan::new(
                    &target.mapping.target,
                    Op::Insert,
                    None,
                    target.after_present,
                )?;
                let bounds = self.lane.bounds(1);
                let mut open = Open::new(target.mapping, &plan, bounds);
                let mut insert = Vec::new();
                open.push(Op::Insert, None, Some(*after), &mut |statement| {
                    insert.push(statement);
                    Ok(())
                })?;
                self.write_strictly(target, &insert).await?;
                Ok(true)
            }
            _ => {
                let expected = Expected {
                    count: Count::Any,
                    mapping: Some(Rc::clone(target.mapping)),
                    place: Rc::clone(target.place),
                };
                Err(expected.miscounted(statement.rows, found))
            }
        }
    }

    async fn write_strictly(
        &mut self,
        target: &Target<'_>,
        statements: &[Statement],
    ) -> Result<bool, Error> {
        for statement in statements {
            self.lane
                .push_statement(statement.clone(), target.mapping, target.place)
                .await?;
        }
        Ok(false)
    }

    /// Runs one statement, and returns how many rows it found.
    async fn run(&mut self, sql: &[u8], target: &Target<'_>) -> Result<u64, Error> {
        self.lane.send_packet().await?;
        self.lane.read_replies().await?;
        let expected = Expected {
            count: Count::Any,
            mapping: Some(Rc::clone(target.mapping)),
            place: Rc::clone(target.place),
        };
        let ok = match self.lane.session.exec(sql).await {
            Ok(ok) => ok,
            Err(error) => return Err(expected.refused(error)),
        };
        if ok.warnings > 0 {
            return Err(expected.warned(ok.warnings));
        }
        Ok(ok.affected_rows)
    }

    fn note_repair(&mut self, target: &Target<'_>) {
        let table = &target.mapping.target;
        let key = table.keys.first().map_or(&[][..], Vec::as_slice);
        let names: Vec<&str> = key
            .iter()
            .map(|column| table.columns[*column].name.as_str())
            .collect();
        let operation = match target.operation {
            Op::Insert => "INSERT",
            Op::Update => "UPDATE",
            Op::Delete => "DELETE",
        };
        self.notices.push(Notice {
            message: format!(
                "a row of `{}`.`{}` (key: {}) was not as the source had it, and was made so",
                table.schema,
                table.name,
                names.join(", ")
            ),
            statement: operation.to_owned(),
            transaction: target.place.text(),
        });
    }
}

fn condition(
    sql: &mut Vec<u8>,
    mapping: &Mapping,
    image: &Image<'_, '_>,
    key: &[usize],
) -> Result<(), Error> {
    for (n, column) in key.iter().enumerate() {
        if n > 0 {
            sql.extend_from_slice(b" AND ");
        }
        statements::sought(sql, mapping, image, *column)?;
    }
    Ok(())
}

/// Whether the image holds every column that an INSERT has to name.
fn is_whole(mapping: &Mapping, image: &Image<'_, '_>) -> bool {
    let columns = mapping.target.columns.iter().enumerate();
    columns
        .filter(|(_, column)| !column.generated)
        .all(|(place, _)| image.get(place).is_some())
}
