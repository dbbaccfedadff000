//! Rows of a table that is being copied for the first time, of which the target may or may not have the ones that change.
//!
//! What the target has of such a table is some of the rows that the source had right before. So to make a row what it should be, what stands under its key is deleted, as
//! under the key that it had before, and it is inserted; nothing else can stand in its way.

use datain_contract::ErrorExt as _;
use datain_contract::types::{Error, Operation as Op, RowSet};
use datain_row_block::Image;

use super::plan::{Fill, Plan};
use super::{Bounds, Check, Open, Statement, insert_one};
use crate::mapping::Mapping;
use crate::row_set::Rows;

/// Writes the rows of `set`, but for the first `done`, as statements, in order, and hands each to `emit`.
///
/// # Errors
/// As [`super::write`]; `row.partial-image` where an update lacks columns, or a row has no key.
pub fn write_copying(
    set: &RowSet,
    block: &[u8],
    mapping: &Mapping,
    bounds: Bounds,
    done: u32,
    mut emit: impl FnMut(Statement) -> Result<(), Error>,
) -> Result<(), Error> {
    let target = &mapping.target;
    let in_table = |e: Error| e.in_table(&target.schema, &target.name);
    let mut rows = Rows::open(set, block, mapping)?;
    let (before, after) = (rows.before_present(), rows.after_present());
    let deletes_before = match set.operation {
        Op::Insert => None,
        Op::Update | Op::Delete => {
            Some(Plan::new(target, Op::Delete, before, None).map_err(in_table)?)
        }
    };
    let inserts = match set.operation {
        Op::Delete => None,
        Op::Insert | Op::Update => {
            let plan = Plan::new(target, Op::Insert, None, after).map_err(in_table)?;
            let whole = |(_, fill): &(usize, Fill)| *fill == Fill::Image;
            let columns = target.columns.iter().filter(|column| !column.generated);
            if set.operation == Op::Update
                && !(plan.written.len() == columns.count() && plan.written.iter().all(whole))
            {
                return Err(in_table(partial()));
            }
            Some((
                plan,
                Plan::new(target, Op::Delete, after, None).map_err(in_table)?,
            ))
        }
    };
    for _ in 0..done {
        rows.next_row()?;
    }
    while let Some(row) = rows.next_row()? {
        if let (Some(plan), Some(before)) = (&deletes_before, row.before) {
            delete(mapping, plan, before, bounds, &mut emit).map_err(in_table)?;
        }
        let (Some((insert, key)), Some(after)) = (&inserts, row.after) else {
            continue;
        };
        let keeps_key = deletes_before.as_ref().is_some_and(|plan| {
            let same =
                |column: &usize| row.before.and_then(|b| b.get(*column)) == after.get(*column);
            plan.key == key.key && key.key.iter().all(same)
        });
        if !keeps_key {
            delete(mapping, key, after, bounds, &mut emit).map_err(in_table)?;
        }
        insert_one(mapping, insert, after, bounds, &mut emit).map_err(in_table)?;
    }
    Ok(())
}

/// Deletes the row with the image's key, if there is one.
fn delete(
    mapping: &Mapping,
    plan: &Plan,
    image: Image<'_, '_>,
    bounds: Bounds,
    emit: &mut impl FnMut(Statement) -> Result<(), Error>,
) -> Result<(), Error> {
    let mut open = Open::new(mapping, plan, bounds);
    open.add(Op::Delete, Some(image), None)?;
    open.check = Check::MayMiss;
    open.close(emit)
}

fn partial() -> Error {
    Error::reconfigure(
        "row.partial-image",
        "a row of a table that is being copied was changed, and the log does not hold all of its columns",
    )
    .hint("SET PERSIST binlog_row_image = FULL on the source, and reconnect its sessions, before the first copy; then remove the pipeline and copy anew")
}
