//! A first copy's progress in words.

use crate::pipeline::{CopyStatus, TableStatus};

/// How far it is, in one line.
pub(super) fn line(copy: &CopyStatus) -> String {
    if copy.complete {
        return format!(
            "complete: {} tables, {} rows, {}",
            copy.tables,
            copy.rows,
            size(copy.bytes)
        );
    }
    if copy.tables_whole == 0 && copy.current().next().is_none() {
        return format!(
            "definitions: {} of {}",
            copy.definitions_done, copy.definitions
        );
    }
    let mut parts: Vec<String> = copy.current().map(current).collect();
    let percent = permille(copy.rows, copy.estimated_rows) / 10;
    parts.push(whole(copy, &format!(" ({percent} %)")));
    parts.join(", ")
}

/// All of it; `share` stands behind the rows.
pub(super) fn whole(copy: &CopyStatus, share: &str) -> String {
    if copy.tables > 0 && copy.tables_whole == copy.tables {
        return format!(
            "all {} tables are read, {} rows, {}; the target has to do the rest of it, such as indexes of large tables",
            copy.tables,
            copy.rows,
            size(copy.bytes)
        );
    }
    let mut line = format!(
        "{} of {} tables whole, {} of about {} rows{share}, {}, {} rows/s, {} left",
        copy.tables_whole,
        copy.tables,
        copy.rows,
        copy.estimated_rows.max(copy.rows),
        size(copy.bytes),
        copy.rows_per_second,
        copy.seconds_left
            .map_or_else(|| "unknown time".to_owned(), time),
    );
    if let Some(why) = &copy.resting {
        line.push_str(&format!(", rests ({why})"));
    }
    line
}

/// A table whose rows are being read.
pub(super) fn current(table: &TableStatus) -> String {
    format!(
        "{}.{} {} of about {} rows",
        table.schema,
        table.table,
        table.rows,
        table.estimated_rows.max(table.rows)
    )
}

/// How many thousandths the one number is of the other, which may be estimated too low.
pub(super) fn permille(part: u64, whole: u64) -> u64 {
    let permille = u128::from(part) * 1000 / u128::from(whole.max(part).max(1));
    u64::try_from(permille).unwrap_or(1000)
}

/// Bytes in a unit that suits them.
fn size(bytes: u64) -> String {
    const UNITS: [&str; 4] = ["B", "KiB", "MiB", "GiB"];
    let unit = (0..3)
        .find(|unit| bytes >> (10 * unit) < 10_000)
        .unwrap_or(3);
    let name = UNITS.get(unit).copied().unwrap_or_default();
    format!("{} {name}", bytes >> (10 * unit))
}

/// Seconds as people say them.
fn time(seconds: u64) -> String {
    match seconds {
        0..=119 => format!("about {seconds} s"),
        120..=7199 => format!("about {} min", seconds.div_ceil(60)),
        _ => format!("about {} h", seconds.div_ceil(3600)),
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::config::Throttle;

    pub(in super::super) fn copy() -> CopyStatus {
        CopyStatus {
            definitions_done: 4,
            definitions: 4,
            tables_whole: 1,
            tables: 3,
            rows: 1500,
            bytes: 150_000,
            chunks: 3,
            estimated_rows: 6000,
            estimated_bytes: 600_000,
            rows_per_second: 500,
            bytes_per_second: 50_000,
            seconds_left: Some(9),
            complete: false,
            resting: Some("source-busy".to_owned()),
            throttle: Throttle::default(),
            listed: vec![TableStatus {
                schema: "shop".to_owned(),
                table: "orders".to_owned(),
                state: "copying".to_owned(),
                rows: 500,
                bytes: 50_000,
                chunks: 1,
                estimated_rows: 400,
                estimated_bytes: 40_000,
            }],
        }
    }

    #[test]
    fn it_is_told_in_one_line() {
        assert_eq!(
            line(&copy()),
            "shop.orders 500 of about 500 rows, 1 of 3 tables whole, 1500 of about 6000 rows (25 %), 146 KiB, 500 rows/s, about 9 s left, rests (source-busy)"
        );
        let beginning = CopyStatus {
            tables_whole: 0,
            listed: Vec::new(),
            ..copy()
        };
        assert_eq!(line(&beginning), "definitions: 4 of 4");
        let read = CopyStatus {
            tables_whole: 3,
            listed: Vec::new(),
            ..copy()
        };
        assert_eq!(
            line(&read),
            "all 3 tables are read, 1500 rows, 146 KiB; the target has to do the rest of it, such as indexes of large tables"
        );
        let complete = CopyStatus {
            complete: true,
            ..copy()
        };
        assert_eq!(line(&complete), "complete: 3 tables, 1500 rows, 146 KiB");
        assert_eq!(
            (time(130), time(7200)),
            ("about 3 min".to_owned(), "about 2 h".to_owned())
        );
        assert_eq!((permille(5, 0), permille(1, 3)), (1000, 333));
    }
}
