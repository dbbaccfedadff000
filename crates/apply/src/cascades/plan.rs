//! The statements that stand for the cascades of one row.

use datain_contract::ErrorExt as _;
use datain_contract::types::{Error, Operation as Op, RowSet};
use datain_mysql_client::quote_identifier;
use datain_row_block::Image;

use super::graph::{Action, Graph, Link, Place};
use crate::literal;
use crate::mapping::Mapping;
use crate::row_set::Rows;
use crate::statements;

/// More statements than this for one row mean foreign keys that fan out beyond sense.
const MOST: usize = 1000;

/// For each row of a set, in order, the statements that must run before its own.
pub type Plans = Vec<Vec<Vec<u8>>>;

/// The plans of the rows of `set`. None for inserts, which cascade nowhere.
///
/// # Errors
/// `table.cascade-circle` where foreign keys lead back to a table over another one; `row-block.*`, `row.value`.
pub fn plan(graph: &Graph, set: &RowSet, block: &[u8], mapping: &Mapping) -> Result<Plans, Error> {
    if set.operation == Op::Insert {
        return Ok(Vec::new());
    }
    let in_table = |e: Error| e.in_table(&mapping.target.schema, &mapping.target.name);
    let mut rows = Rows::open(set, block, mapping)?;
    let mut plans = Vec::new();
    while let Some(row) = rows.next_row()? {
        let place = (mapping.target.schema.clone(), mapping.target.name.clone());
        let mut planner = Planner {
            graph,
            trail: vec![place.clone()],
            statements: Vec::new(),
        };
        if let Some(before) = row.before {
            let this = condition(mapping, &before).map_err(in_table)?;
            let planned = match row.after {
                None => planner.delete_root(&place, &this),
                Some(after) => {
                    let changes = changes(mapping, &before, &after).map_err(in_table)?;
                    planner.update(&place, &this, &changes)
                }
            };
            planned.map_err(in_table)?;
        }
        plans.push(planner.statements);
    }
    Ok(plans)
}

/// The row, by a key of the target of which the image holds all columns.
fn condition(mapping: &Mapping, image: &Image<'_, '_>) -> Result<Vec<u8>, Error> {
    let holds = |key: &&Vec<usize>| key.iter().all(|column| image.get(*column).is_some());
    let Some(key) = mapping.target.keys.iter().find(holds) else {
        return Err(Error::reconfigure(
            "row.partial-image",
            "the log holds no whole key of the row that the target finds rows by",
        )
        .hint("give both tables the same primary key"));
    };
    let mut sql = Vec::new();
    for column in key {
        if !sql.is_empty() {
            sql.extend_from_slice(b" AND ");
        }
        statements::sought(&mut sql, mapping, image, *column)?;
    }
    Ok(sql)
}

/// A column and its new value, as SQL.
type Change = (String, Vec<u8>);

fn changes(
    mapping: &Mapping,
    before: &Image<'_, '_>,
    after: &Image<'_, '_>,
) -> Result<Vec<Change>, Error> {
    let mut changes = Vec::new();
    for (place, column) in mapping.target.columns.iter().enumerate() {
        if after.get(place).is_some() && before.get(place) != after.get(place) {
            changes.push((column.name.clone(), written(mapping, after, place)?));
        }
    }
    Ok(changes)
}

fn written(mapping: &Mapping, image: &Image<'_, '_>, column: usize) -> Result<Vec<u8>, Error> {
    let name = &mapping.target.columns[column].name;
    let unwritable = |why: &str| {
        Error::fatal(
            "row.value",
            format!("a value of column `{name}` cannot be written: {why}"),
        )
    };
    let value = image
        .get(column)
        .ok_or_else(|| unwritable("the log does not hold it"))?;
    let mut sql = Vec::new();
    literal::write(&mut sql, &mapping.forms[column], &value).map_err(|e| unwritable(&e.0))?;
    Ok(sql)
}

struct Planner<'g> {
    graph: &'g Graph,
    /// The tables on the way to where the plan stands.
    trail: Vec<Place>,
    statements: Vec<Vec<u8>>,
}

impl<'g> Planner<'g> {
    /// The row itself is deleted by its own statement; the rows that refer to it in the same table are not.
    fn delete_root(&mut self, place: &Place, this: &[u8]) -> Result<(), Error> {
        let rows = self.delete(place, this)?;
        if rows != this {
            let mut sql = format!("DELETE FROM {} WHERE ", name(place)).into_bytes();
            sql.extend_from_slice(&rows);
            sql.extend_from_slice(b" AND NOT (");
            sql.extend_from_slice(this);
            sql.push(b')');
            self.push(sql)?;
        }
        Ok(())
    }

    /// What goes with these rows of `place`. Returns the condition for them and for all that refer to them in the same table.
    fn delete(&mut self, place: &Place, rows: &[u8]) -> Result<Vec<u8>, Error> {
        let graph = self.graph;
        let own: Vec<&Link> = graph
            .of(place)
            .filter(|link| link.child == *place && link.on_delete == Action::Cascade)
            .collect();
        let rows = match own.first() {
            None => rows.to_vec(),
            Some(first) if own.iter().all(|link| link.referenced == first.referenced) => {
                with_descendants(place, &own, rows)
            }
            Some(_) => return Err(circle(place)),
        };
        for link in graph.of(place) {
            let theirs = referring(link, &rows);
            match link.on_delete {
                Action::None => {}
                Action::Cascade if link.child == *place => {}
                Action::Cascade => {
                    self.enter(&link.child)?;
                    let theirs = self.delete(&link.child, &theirs)?;
                    let mut sql = format!("DELETE FROM {} WHERE ", name(&link.child)).into_bytes();
                    sql.extend_from_slice(&theirs);
                    self.push(sql)?;
                    self.trail.pop();
                }
                Action::SetNull => {
                    let changes: Vec<Change> = link
                        .columns
                        .iter()
                        .map(|column| (column.clone(), b"NULL".to_vec()))
                        .collect();
                    self.change(link, &theirs, &changes)?;
                }
            }
        }
        Ok(rows)
    }

    /// What changes with these columns of these rows of `place`.
    fn update(&mut self, place: &Place, rows: &[u8], changes: &[Change]) -> Result<(), Error> {
        let graph = self.graph;
        for link in graph.of(place) {
            // InnoDB refuses an update that comes back to a table on its way, so where it has passed there was nothing to do.
            if link.on_update == Action::None || self.trail.contains(&link.child) {
                continue;
            }
            let follows = |(column, referenced): (&String, &String)| {
                let change = changes.iter().find(|change| change.0 == *referenced)?;
                Some((column.clone(), change.1.clone()))
            };
            let mut theirs: Vec<Change> = link
                .columns
                .iter()
                .zip(&link.referenced)
                .filter_map(follows)
                .collect();
            if theirs.is_empty() {
                continue;
            }
            if link.on_update == Action::SetNull {
                theirs = link
                    .columns
                    .iter()
                    .map(|column| (column.clone(), b"NULL".to_vec()))
                    .collect();
            }
            self.change(link, &referring(link, rows), &theirs)?;
        }
        Ok(())
    }

    fn change(&mut self, link: &Link, rows: &[u8], changes: &[Change]) -> Result<(), Error> {
        // A table's own rows may lose their reference; that leads back to nothing.
        if !self.trail.contains(&link.child) {
            self.enter(&link.child)?;
            self.update(&link.child, rows, changes)?;
            self.trail.pop();
        } else if link.child != link.parent {
            return Err(circle(&link.child));
        }
        let mut sql = format!("UPDATE {} SET ", name(&link.child)).into_bytes();
        for (n, (column, value)) in changes.iter().enumerate() {
            if n > 0 {
                sql.push(b',');
            }
            sql.extend_from_slice(quote_identifier(column).as_bytes());
            sql.push(b'=');
            sql.extend_from_slice(value);
        }
        for column in &link.stamped {
            let column = quote_identifier(column);
            sql.extend_from_slice(format!(",{column}={column}").as_bytes());
        }
        sql.extend_from_slice(b" WHERE ");
        sql.extend_from_slice(rows);
        self.push(sql)
    }

    fn enter(&mut self, place: &Place) -> Result<(), Error> {
        if self.trail.contains(place) {
            return Err(circle(place));
        }
        self.trail.push(place.clone());
        Ok(())
    }

    fn push(&mut self, sql: Vec<u8>) -> Result<(), Error> {
        if self.statements.len() >= MOST {
            return Err(circle(self.trail.last().unwrap_or(&self.trail[0])));
        }
        self.statements.push(sql);
        Ok(())
    }
}

fn circle((schema, table): &Place) -> Error {
    Error::reconfigure(
        "table.cascade-circle",
        format!("foreign keys lead from this table on in a circle, by way of `{schema}`.`{table}`; the source does not log what they do, and the target would do it incompletely"),
    )
    .hint("start the target with innodb_native_foreign_keys = ON, or, on a source since MySQL 9.6, the source with OFF; then start again")
}

fn name((schema, table): &Place) -> String {
    format!("{}.{}", quote_identifier(schema), quote_identifier(table))
}

fn list(columns: &[String], alias: &str) -> String {
    let quoted: Vec<String> = columns
        .iter()
        .map(|column| format!("{alias}{}", quote_identifier(column)))
        .collect();
    quoted.join(",")
}

/// Rows of the child that refer to these rows of the parent. What is selected is kept in a table of its own, as MySQL demands where the child is the parent.
fn referring(link: &Link, rows: &[u8]) -> Vec<u8> {
    let referenced = list(&link.referenced, "");
    let mut sql = format!(
        "({}) IN (SELECT * FROM (SELECT {referenced} FROM {} WHERE ",
        list(&link.columns, ""),
        name(&link.parent)
    )
    .into_bytes();
    sql.extend_from_slice(rows);
    sql.extend_from_slice(b") AS datain_rows)");
    sql
}

/// These rows of a table, and those that refer to them by `links`, over any number of steps.
fn with_descendants(place: &Place, links: &[&Link], rows: &[u8]) -> Vec<u8> {
    let referenced = &links[0].referenced;
    let joins: Vec<String> = links
        .iter()
        .map(|link| {
            format!(
                "({}) = ({})",
                list(&link.columns, "datain_child."),
                list(referenced, "datain_down.")
            )
        })
        .collect();
    let mut sql = format!(
        "({}) IN (SELECT * FROM (WITH RECURSIVE datain_down AS (SELECT {} FROM {} WHERE ",
        list(referenced, ""),
        list(referenced, ""),
        name(place)
    )
    .into_bytes();
    sql.extend_from_slice(rows);
    sql.extend_from_slice(
        format!(
            " UNION SELECT {} FROM {} AS datain_child JOIN datain_down ON {}) SELECT * FROM datain_down) AS datain_rows)",
            list(referenced, "datain_child."),
            name(place),
            joins.join(" OR ")
        )
        .as_bytes(),
    );
    sql
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(table: &str) -> Place {
        ("s".to_owned(), table.to_owned())
    }

    fn graph(links: &[(&str, &str, &str)]) -> Graph {
        let rows: Vec<Vec<Option<String>>> = links
            .iter()
            .enumerate()
            .map(|(n, (child, parent, rule))| {
                [
                    "s",
                    &n.to_string(),
                    "s",
                    child,
                    parent,
                    "s",
                    parent,
                    "id",
                    rule,
                    rule,
                ]
                .iter()
                .map(|cell| Some((*cell).to_owned()))
                .collect()
            })
            .collect();
        let stamped = ["s", "c", "changed"].map(|cell| Some(cell.to_owned()));
        Graph::from_answers(&rows, &[stamped.to_vec()])
    }

    fn check(links: &[(&str, &str, &str)], expected: &[&str]) {
        let graph = graph(links);
        let mut planner = Planner {
            graph: &graph,
            trail: vec![place("a")],
            statements: Vec::new(),
        };
        planner.delete_root(&place("a"), b"`id`=1").unwrap();
        let found: Vec<String> = planner
            .statements
            .iter()
            .map(|sql| String::from_utf8_lossy(sql).into_owned())
            .collect();
        assert_eq!(found, expected);
    }

    const OF_A: &str =
        "(`a`) IN (SELECT * FROM (SELECT `id` FROM `s`.`a` WHERE `id`=1) AS datain_rows)";

    #[test]
    fn the_far_end_comes_first() {
        check(
            &[("b", "a", "CASCADE"), ("c", "b", "SET NULL")],
            &[
                &format!(
                    "UPDATE `s`.`c` SET `b`=NULL,`changed`=`changed` WHERE (`b`) IN (SELECT * FROM (SELECT `id` FROM `s`.`b` WHERE {OF_A}) AS datain_rows)"
                ),
                &format!("DELETE FROM `s`.`b` WHERE {OF_A}"),
            ],
        );
    }

    #[test]
    fn a_table_that_refers_to_itself_is_followed_down() {
        let rows = "(`id`) IN (SELECT * FROM (WITH RECURSIVE datain_down AS (SELECT `id` FROM `s`.`a` WHERE `id`=1 \
            UNION SELECT datain_child.`id` FROM `s`.`a` AS datain_child JOIN datain_down ON (datain_child.`a`) = (datain_down.`id`)) \
            SELECT * FROM datain_down) AS datain_rows)";
        check(
            &[("a", "a", "CASCADE")],
            &[&format!(
                "DELETE FROM `s`.`a` WHERE {rows} AND NOT (`id`=1)"
            )],
        );
    }

    #[test]
    fn a_circle_over_another_table_is_refused() {
        let graph = graph(&[("b", "a", "CASCADE"), ("a", "b", "CASCADE")]);
        let mut planner = Planner {
            graph: &graph,
            trail: vec![place("a")],
            statements: Vec::new(),
        };
        let error = planner.delete_root(&place("a"), b"`id`=1").unwrap_err();
        assert_eq!(error.code, "table.cascade-circle");
    }

    #[test]
    fn an_update_follows_the_columns_that_changed() {
        let graph = graph(&[("b", "a", "CASCADE"), ("c", "b", "CASCADE")]);
        let mut planner = Planner {
            graph: &graph,
            trail: vec![place("a")],
            statements: Vec::new(),
        };
        let changes = [("id".to_owned(), b"2".to_vec())];
        planner.update(&place("a"), b"`id`=1", &changes).unwrap();
        // `c` refers to b's `id`, which does not change.
        assert_eq!(
            planner.statements,
            [format!("UPDATE `s`.`b` SET `a`=2 WHERE {OF_A}").into_bytes()]
        );
    }
}
