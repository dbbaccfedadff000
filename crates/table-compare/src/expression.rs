//! A row's hash, as SQL, and a range's digest.
//!
//! **The row's text.** All columns are written behind each other such that no two rows have the same text: first, for each column of free text that may be NULL, its length in bytes or N;
//! for one that may not, its length (of the last one the length is what is left, and only whether it is NULL is said); then each column whose text has no comma in it, or N for NULL; then the free texts.
//! All are separated by commas. So the text can be read from its beginning: numbers, dates and times end at the next comma, free texts after their length, and those that are NULL are not there.
//! A value that has a mark (`pairing.rs`) puts an M in front of everything, which no row of the source has. Nothing of this depends on a server's flavour or settings; strings count by their bytes.
//!
//! **Reals** are written such that every bit counts, and alike on all servers. MySQL 9.7 gives the text of a real *expression* 22 characters and rounds it to fit; the text of a DOUBLE *column* has room for
//! all digits. Older servers and MariaDB do not round, and write small numbers with a fixed point where 9.7 writes an exponent. So a DOUBLE is taken as the column has it, but those from 1e-15 to 1e-3
//! are multiplied by 2⁵⁰ and marked with an s. A FLOAT's own text has six digits only; as a product with 1e0 it has up to 17, and with numbers below 1e-3 multiplied by 2¹⁵⁰ it never needs more
//! than 22 characters. Multiplying by a power of two is exact. A real of fixed decimals, DOUBLE(M,D), is rounded in the column's text, and is written in both ways.
//!
//! **Large rows.** The server cannot make a text longer than its `max_allowed_packet`: the function returns NULL then. A table with columns large enough for that has its rows written in full
//! while the large columns together have at most 256 KiB, and else with the SHA2-256 of each large column in place of the column: by a rule that only looks at the row, so both sides follow it alike.
//! A row that came to NULL nevertheless would be missing in the sum, so it makes the sum impossibly large, which is an error
//! (that costs nothing measurable).
//!
//! **The row's hash** is `CRC32(CRC32(text))`, or the first 64 bits of SHA2-256. A CRC is linear: swapping values between two rows leaves the XOR of all CRCs as it is, and far too often
//! their sum too (measured: 2 of 200,000 swaps of 68 characters between neighbours, and none with the second CRC). The second CRC reads the first one as decimal digits, which breaks that; it costs no second look at the row.
//! A CRC32 finds each difference of up to 32 consecutive bits with certainty, so no single bit is ever missed; the second CRC is one-to-one but for rare pairs of numbers.
//!
//! **The digest** is the number of rows and the sum of their hashes: it does not depend on their order, and equal rows do not cancel each other out, as they would under XOR.

use datain_mysql_client::quote_identifier;
use datain_row_block::ColumnKind;
use datain_table_scan::{ColumnDefinition, json_types};

use crate::pairing::{Pair, fixed_decimals};
use crate::shape::Algorithm;

/// Rows of more bytes may be written with hashes in place of their large columns.
const LARGE_ROW: u64 = 256 << 10;

/// The explicit collation decides over those of the columns: without it the server would convert all of them to the character set of one.
const COMMA: &str = "_binary',' COLLATE `binary`";

/// What a row that could not be hashed adds to the sum: more than all hashes of a table could come to.
pub(crate) const UNHASHED: &str = "10000000000000000000000000000000000000000";

/// A column in the row's text.
struct Item {
    sql: String,
    nullable: bool,
    /// It may hold commas.
    is_free: bool,
    /// How many bytes it may have.
    most: u64,
}

/// The hash of a row, as SQL over the table's alias `t`. `own` are the columns here, in the source's order.
pub(crate) fn hash(algorithm: Algorithm, pairs: &[Pair], own: &[&ColumnDefinition]) -> String {
    let mut items: Vec<Item> = Vec::new();
    let mut marks: Vec<String> = Vec::new();
    for (pair, own) in pairs.iter().zip(own) {
        marks.extend(pair.mark.clone());
        let nullable = pair.read_as.nullable;
        if own.nullable && !nullable {
            marks.push(format!("t.{} IS NULL", quote_identifier(&own.name)));
        }
        self::items(pair, own, &mut items);
    }
    let most: u64 = items.iter().map(|item| item.most).sum();
    let is_large = |item: &Item| item.most >= 1 << 16;
    let mut text = self::text(&items, &marks, &|item| item.sql.clone());
    if most > LARGE_ROW && items.iter().any(is_large) {
        let lengths: Vec<String> = items
            .iter()
            .filter(|item| is_large(item))
            .map(|item| match item.nullable {
                true => format!("IFNULL(LENGTH({}), 0)", item.sql),
                false => format!("LENGTH({})", item.sql),
            })
            .collect();
        let hashed = self::text(&items, &marks, &|item| match is_large(item) {
            true => format!("SHA2({}, 256)", item.sql),
            false => item.sql.clone(),
        });
        text = format!(
            "IF({} <= {LARGE_ROW}, {text}, {hashed})",
            lengths.join(" + ")
        );
    }
    let hash = match algorithm {
        Algorithm::Crc32 => format!("CRC32(CRC32({text}))"),
        Algorithm::Sha2 => {
            format!("CAST(CONV(LEFT(SHA2({text}, 256), 16), 16, 10) AS UNSIGNED)")
        }
    };
    format!("IFNULL({hash}, {UNHASHED})")
}

/// See the module.
fn text(items: &[Item], marks: &[String], sql: &dyn Fn(&Item) -> String) -> String {
    let last_free = items.iter().rposition(|item| item.is_free);
    let mut front = Vec::new();
    if !marks.is_empty() {
        let marks: Vec<String> = marks.iter().map(|mark| format!("({mark})")).collect();
        front.push(format!("IF({}, 'M', NULL)", marks.join(" OR ")));
    }
    let before = front.len();
    for (at, item) in items.iter().enumerate().filter(|(_, item)| item.is_free) {
        let sql = sql(item);
        match (item.nullable, Some(at) == last_free) {
            (true, true) => front.push(format!("{sql} IS NULL")),
            (true, false) => front.push(format!("IFNULL(LENGTH({sql}), 'N')")),
            (false, true) => {}
            (false, false) => front.push(format!("LENGTH({sql})")),
        }
    }
    for item in items.iter().filter(|item| !item.is_free) {
        let sql = sql(item);
        front.push(match item.nullable {
            true => format!("IFNULL({sql}, 'N')"),
            false => sql,
        });
    }
    if front.len() == before {
        // A single text must not look as if it began with an M of ours.
        front.push("0".to_owned());
    }
    let free = items.iter().filter(|item| item.is_free);
    front.extend(free.map(sql));
    format!("CONCAT_WS({COMMA}, {})", front.join(", "))
}

/// A column's items: one, or a document and the types of its values, by their hashes: its text is costly to make, and would have to be made twice.
fn items(pair: &Pair, own: &ColumnDefinition, out: &mut Vec<Item>) {
    use ColumnKind as K;
    let name = format!("t.{}", quote_identifier(&own.name));
    let nullable = pair.read_as.nullable;
    if own.kind == K::Json {
        for sql in [&name, &json_types(&name)] {
            out.push(Item {
                sql: format!("SHA2({sql}, 256)"),
                nullable,
                is_free: false,
                most: 64,
            });
        }
        return;
    }
    let sql = match (&pair.item, own.kind) {
        (Some(item), _) => item.clone(),
        (None, kind) if pair.zerofill && (kind.is_integer() || kind == K::Decimal) => {
            format!("({name} + 0)")
        }
        (None, K::Bit | K::Enum | K::Set) => format!("CAST({name} AS UNSIGNED)"),
        (None, K::Geometry | K::Vector) => format!("CAST({name} AS BINARY)"),
        (None, K::Float) => float(&name),
        (None, K::Double) => {
            if fixed_decimals(own).is_some() {
                out.push(Item {
                    sql: name.clone(),
                    nullable,
                    is_free: false,
                    most: 400,
                });
                float(&name)
            } else {
                double(&name)
            }
        }
        (None, _) => name.clone(),
    };
    let (is_free, most) = match own.kind {
        K::Text => match own.length {
            1 => (true, 1 << 8),
            2 => (true, 1 << 16),
            3 => (true, 1 << 24),
            _ => (true, 1 << 32),
        },
        K::Geometry => (true, 1 << 32),
        K::Vector => (true, 1 << 16),
        // A conversion may need more bytes.
        K::Char | K::Varchar => (true, 4 * u64::from(own.length)),
        _ => (false, 100),
    };
    out.push(Item {
        sql,
        nullable,
        is_free,
        most,
    });
}

/// 2¹⁵⁰ brings every FLOAT below 1e-3 to between 1 and 1e43.
fn float(name: &str) -> String {
    format!(
        "IF(ABS({name}) >= 1e-3 OR {name} = 0, {name} * 1e0, CONCAT('s', {name} * 1427247692705959881058285969449495136382746624e0))"
    )
}

/// 2⁵⁰ brings numbers from 1e-15 on to 1 and more.
fn double(name: &str) -> String {
    format!(
        "IF(ABS({name}) >= 1e-3 OR ABS({name}) < 1e-15, {name}, CONCAT('s', {name} * 1125899906842624e0))"
    )
}
