//! The proof, by the servers' own words, and the totals.

use anyhow::Result;
use datain_tests::compare::{self, Summary, Table};
use sha2::{Digest as _, Sha256};

use super::{feed::Feed, host::Host, lab::Lab, screen::grouped};

/// Shows every table of both sides; whether all are equal, and not empty.
pub(super) fn show(lab: &Lab, host: &Host, feed: &Feed) -> Result<bool> {
    let tables = compare::tables(&lab.source, &lab.target, &["shop"])?;
    print!("{}", side_by_side(&tables));
    let rows: u64 = tables
        .iter()
        .filter_map(|table| Some(table.left.as_ref()?.rows))
        .sum();
    if rows == 0 {
        println!("  the source has no rows: that proves nothing");
    }
    for table in tables.iter().filter(|table| !table.is_equal()) {
        println!("  {}: {}", table.name, difference(table));
    }
    println!(
        "  {} transactions were replicated, with at least {} rows; 1 kill -9; greatest lag seen {:.1} s",
        grouped(host.transactions()?),
        grouped(feed.rows()),
        feed.greatest_lag()
    );
    Ok(rows > 0 && feed.rows() > 0 && tables.iter().all(Table::is_equal))
}

fn side_by_side(tables: &[Table]) -> String {
    let mut text = format!(
        "  {:<18} {:>11} {:>11}    {:<14} {}\n",
        "table", "source rows", "target rows", "source sum", "target sum"
    );
    for table in tables {
        let rows =
            |side: &Option<Summary>| side.as_ref().map_or("none".into(), |s| grouped(s.rows));
        let sum =
            |side: &Option<Summary>| side.as_ref().map_or("none".into(), |s| short(&s.checksum));
        text += &format!(
            "  {:<18} {:>11} {:>11}    {:<14} {:<14} {}\n",
            table.name,
            rows(&table.left),
            rows(&table.right),
            sum(&table.left),
            sum(&table.right),
            if table.is_equal() { "✓" } else { "✗" }
        );
    }
    text
}

/// The servers' sums have 40 digits and more. They are compared in full, and shown as the begin of their hash.
fn short(checksum: &str) -> String {
    let digest = Sha256::digest(checksum.as_bytes());
    digest
        .iter()
        .take(6)
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

fn difference(table: &Table) -> String {
    match (&table.left, &table.right) {
        (Some(left), Some(right)) if left.definition != right.definition => format!(
            "the definitions differ.\nsource:\n{}\ntarget:\n{}",
            left.definition, right.definition
        ),
        (Some(left), Some(right)) if left.rows != right.rows => {
            format!(
                "{} rows on the source, {} on the target",
                left.rows, right.rows
            )
        }
        (Some(_), Some(_)) => "as many rows, but other values".into(),
        (Some(_), None) => "missing on the target".into(),
        (None, _) => "only on the target".into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_difference_is_seen_and_named() {
        let side = |rows, checksum: &str| {
            Some(Summary {
                definition: "CREATE TABLE".into(),
                rows,
                checksum: checksum.into(),
            })
        };
        let table = |left, right| Table {
            name: "shop.orders".into(),
            left,
            right,
        };
        let check = |table: &Table, mark: char, named: &str| {
            assert!(
                side_by_side(std::slice::from_ref(table))
                    .trim_end()
                    .ends_with(mark)
            );
            assert!(difference(table).contains(named), "{}", difference(table));
        };
        check(&table(side(1200, "1-2"), side(1200, "1-2")), '✓', "");
        check(
            &table(side(1200, "1-2"), side(1200, "1-3")),
            '✗',
            "other values",
        );
        check(
            &table(side(2, "1-2"), side(1, "1-3")),
            '✗',
            "2 rows on the source, 1 on",
        );
        check(&table(side(2, "1-2"), None), '✗', "missing on the target");
    }
}
