//! Random changes of rows: statements of every kind, which touch rows that the server picks by an order that the seed decides.

use super::json;
use super::kind::Kind;
use super::names::sql;
use super::table::{Column, Table, value};
use crate::seed::{Rng, chance, pick};

/// A statement that changes rows of `table`; `most` bounds how many it may insert.
pub fn change(rng: &mut Rng, table: &Table, most: usize) -> String {
    match rng.u8(0..100) {
        0..42 => insert(rng, table, most),
        42..60 => update(rng, table),
        60..70 => update_key(rng, table),
        70..76 => shift(rng, table).unwrap_or_else(|| update(rng, table)),
        76..82 => json_change(rng, table).unwrap_or_else(|| insert(rng, table, most)),
        82..86 => copy(rng, table),
        86..98 => delete(rng, table),
        _ => format!("DELETE FROM {}", sql(&table.name)),
    }
}

/// So many rows, which ones depends on the seed.
fn some(rng: &mut Rng) -> String {
    let limit = if chance(rng, 80) {
        rng.u8(1..6)
    } else {
        rng.u8(1..60)
    };
    format!(" ORDER BY RAND({}) LIMIT {limit}", rng.u16(..))
}

fn insert(rng: &mut Rng, table: &Table, most: usize) -> String {
    let places: Vec<usize> = (0..table.columns.len())
        .filter(|place| {
            let column = &table.columns[*place];
            let omitted =
                (column.nullable || column.default.is_some() || column.numbered) && chance(rng, 20);
            column.is_written() && !omitted
        })
        .collect();
    if places.is_empty() {
        return format!("INSERT INTO {} () VALUES ()", sql(&table.name));
    }
    let count = match rng.u8(0..10) {
        0..4 => 1,
        4..9 => rng.usize(1..=most.clamp(1, 12)),
        _ => rng.usize(1..=most.max(1)),
    };
    let rows: Vec<String> = (0..count).map(|_| table.row(rng, &places)).collect();
    let names: Vec<String> = places
        .iter()
        .map(|place| sql(&table.columns[*place].name))
        .collect();
    // IGNORE passes over duplicates, and lets the ENUM's invalid value in.
    let (verb, tail) = match rng.u8(0..10) {
        0..3 => ("INSERT", String::new()),
        3..6 => ("INSERT IGNORE", String::new()),
        6..8 => ("REPLACE", String::new()),
        _ => {
            let place = pick(rng, &places);
            let set = assignment(rng, &table.columns[place]);
            ("INSERT", format!(" ON DUPLICATE KEY UPDATE {set}"))
        }
    };
    format!(
        "{verb} INTO {} ({}) VALUES {}{tail}",
        sql(&table.name),
        names.join(", "),
        rows.join(", ")
    )
}

fn assignment(rng: &mut Rng, column: &Column) -> String {
    format!("{} = {}", sql(&column.name), value(rng, column))
}

fn written(table: &Table, wanted: impl Fn(&Column) -> bool) -> Vec<&Column> {
    table
        .columns
        .iter()
        .filter(|column| column.is_written() && wanted(column))
        .collect()
}

/// IGNORE passes over rows that would meet others in a unique key.
fn update_verb(rng: &mut Rng) -> &'static str {
    if chance(rng, 40) {
        "UPDATE IGNORE"
    } else {
        "UPDATE"
    }
}

fn update(rng: &mut Rng, table: &Table) -> String {
    let mut columns = written(table, |column| !table.key.contains(&column.name));
    if columns.is_empty() {
        return update_key(rng, table);
    }
    rng.shuffle(&mut columns);
    columns.truncate(rng.usize(1..=columns.len().min(4)));
    let set: Vec<String> = columns
        .iter()
        .map(|column| assignment(rng, column))
        .collect();
    format!(
        "{} {} SET {}{}",
        update_verb(rng),
        sql(&table.name),
        set.join(", "),
        some(rng)
    )
}

fn update_key(rng: &mut Rng, table: &Table) -> String {
    let columns = written(table, |column| table.key.contains(&column.name));
    let Some(column) = (!columns.is_empty()).then(|| pick(rng, &columns)) else {
        return delete(rng, table);
    };
    format!(
        "{} {} SET {}{}",
        update_verb(rng),
        sql(&table.name),
        assignment(rng, column),
        some(rng)
    )
}

/// Moves many values of a column by one, so that each takes the place that the one before has left; or turns signs around, which swaps pairs.
fn shift(rng: &mut Rng, table: &Table) -> Option<String> {
    let columns = written(table, |column| {
        matches!(
            column.kind,
            Kind::Integer {
                unsigned: false,
                ..
            } | Kind::Float
                | Kind::Double
        )
    });
    let column = sql(&columns.get(rng.usize(0..columns.len().max(1)))?.name);
    let name = sql(&table.name);
    Some(match rng.u8(0..3) {
        0 => format!("UPDATE {name} SET {column} = {column} + 1 ORDER BY {column} DESC"),
        1 => format!("UPDATE {name} SET {column} = {column} - 1 ORDER BY {column}"),
        _ => format!("UPDATE IGNORE {name} SET {column} = -{column}{}", some(rng)),
    })
}

fn json_change(rng: &mut Rng, table: &Table) -> Option<String> {
    let columns = written(table, |column| column.kind == Kind::Json);
    let column = sql(&columns.get(rng.usize(0..columns.len().max(1)))?.name);
    // MySQL 9.7.4 takes the bytes of wide character sets into documents as they are, as if they were UTF-8. ENUM and SET may have one from their table, and then
    // become values of a type that no SQL gives (`row.value`).
    let is_plain = |column: &Column| {
        let sql = column.kind.sql();
        let avoided = ["utf16", "utf32", "ucs2", "ENUM(", "SET("];
        !avoided.iter().any(|word| sql.contains(word))
    };
    let any = written(table, is_plain);
    let other = sql(&any.get(rng.usize(0..any.len().max(1)))?.name);
    Some(format!(
        "{} {} SET {column} = {}{}",
        update_verb(rng),
        sql(&table.name),
        json::change(rng, &column, &other),
        some(rng)
    ))
}

/// Rows out of rows, with another key.
fn copy(rng: &mut Rng, table: &Table) -> String {
    let columns = written(table, |_| true);
    let names: Vec<String> = columns.iter().map(|column| sql(&column.name)).collect();
    let values: Vec<String> = columns
        .iter()
        .map(|column| {
            if table.key.contains(&column.name) {
                value(rng, column)
            } else {
                sql(&column.name)
            }
        })
        .collect();
    let name = sql(&table.name);
    format!(
        "INSERT IGNORE INTO {name} ({}) SELECT {} FROM {name}{}",
        names.join(", "),
        values.join(", "),
        some(rng)
    )
}

fn delete(rng: &mut Rng, table: &Table) -> String {
    format!("DELETE FROM {}{}", sql(&table.name), some(rng))
}
