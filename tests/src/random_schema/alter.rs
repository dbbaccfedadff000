//! Random changes of a table's definition, with what the table is afterwards if the server agrees.

use super::kind::{Kind, Size};
use super::names::{name, sql};
use super::table::{Column, Table};
use crate::seed::{Rng, chance, pick};

/// A statement, and the table as it makes it.
pub fn alter(rng: &mut Rng, table: &Table) -> Option<(String, Table)> {
    let mut after = table.clone();
    let this = sql(&table.name);
    let free: Vec<usize> = (0..table.columns.len())
        .filter(|place| is_free(table, &table.columns[*place]))
        .collect();
    let change = match rng.u8(0..16) {
        0..4 => {
            let column = after.column(rng);
            let at = rng.usize(0..=after.columns.len());
            let place = place(&after, at);
            let how = if chance(rng, 50) {
                ", ALGORITHM=INSTANT"
            } else {
                ""
            };
            let change = format!("ADD COLUMN {}{place}{how}", column.definition());
            after.columns.insert(at, column);
            change
        }
        4 => {
            let column = after.generated(rng)?;
            let change = format!("ADD COLUMN {}", column.definition());
            after.columns.push(column);
            change
        }
        5 | 6 => {
            let at = *free.get(rng.usize(0..free.len().max(1)))?;
            let column = after.columns.remove(at);
            format!("DROP COLUMN {}", sql(&column.name))
        }
        7 => {
            let at = *free.get(rng.usize(0..free.len().max(1)))?;
            let old = sql(&after.columns[at].name);
            after.given += 1;
            after.columns[at].name = name(rng, "r", after.given);
            format!("RENAME COLUMN {old} TO {}", sql(&after.columns[at].name))
        }
        // Another place, so that positions mean other columns from here on.
        8 | 9 => {
            let at = *free.get(rng.usize(0..free.len().max(1)))?;
            let column = after.columns.remove(at);
            let to = rng.usize(0..=after.columns.len());
            let change = format!("MODIFY COLUMN {}{}", column.definition(), place(&after, to));
            after.columns.insert(to, column);
            change
        }
        10 | 11 => {
            let at = *free.get(rng.usize(0..free.len().max(1)))?;
            let column = &mut after.columns[at];
            column.kind = wider(rng, &column.kind)?;
            format!("MODIFY COLUMN {}", column.definition())
        }
        12 => {
            let key = after.secondary_key(rng)?;
            format!("ADD {key}")
        }
        13 => {
            after.name = format!("{}_renamed", name(rng, "t", after.given));
            return Some((
                format!("RENAME TABLE {this} TO {}", sql(&after.name)),
                after,
            ));
        }
        14 => return Some((format!("TRUNCATE TABLE {this}"), after)),
        _ => pick(
            rng,
            &[
                "ENGINE=InnoDB",
                "FORCE",
                "COMMENT='it''s'",
                "AUTO_INCREMENT=1000",
                "ROW_FORMAT=DYNAMIC",
            ],
        )
        .to_owned(),
    };
    Some((format!("ALTER TABLE {this} {change}"), after))
}

/// Nothing is built on it.
fn is_free(table: &Table, column: &Column) -> bool {
    let used = |text: &str| text.contains(&sql(&column.name));
    !table.key.contains(&column.name)
        && !column.numbered
        && column.is_written()
        && !table.keys.iter().any(|key| used(key))
        && !table
            .columns
            .iter()
            .any(|other| other.generated.as_deref().is_some_and(used))
}

fn place(table: &Table, at: usize) -> String {
    match at.checked_sub(1) {
        None => " FIRST".to_owned(),
        Some(before) => format!(" AFTER {}", sql(&table.columns[before].name)),
    }
}

/// A type that holds all values of this one, or turns them into others in the same way on every server.
fn wider(rng: &mut Rng, kind: &Kind) -> Option<Kind> {
    Some(match kind {
        Kind::Integer { unsigned, .. } => Kind::Integer {
            bytes: 8,
            unsigned: *unsigned,
        },
        Kind::Float => Kind::Double,
        Kind::Characters {
            size: Size::Fixed(n) | Size::Variable(n),
            charset,
            collation,
        } => Kind::Characters {
            size: Size::Variable(n + rng.u16(0..300)),
            charset,
            collation,
        },
        Kind::Characters {
            charset, collation, ..
        } => Kind::Characters {
            size: Size::Large(3),
            charset,
            collation,
        },
        Kind::Bytes(Size::Fixed(n) | Size::Variable(n)) => {
            Kind::Bytes(Size::Variable(n + rng.u16(0..300)))
        }
        Kind::Enum(members) => {
            let mut members = members.clone();
            members.push(format!("new {}", members.len()));
            Kind::Enum(members)
        }
        Kind::Time(_) => Kind::Time(6),
        Kind::Datetime(n) => Kind::Datetime(rng.u8(*n..=6)),
        // Read in the session's time zone.
        Kind::Timestamp(n) => Kind::Datetime(*n),
        Kind::Decimal { digits, scale } => Kind::Decimal {
            digits: (*digits + 5).min(65),
            scale: *scale,
        },
        _ => return None,
    })
}
