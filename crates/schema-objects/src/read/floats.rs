//! Defaults of FLOAT columns with all their digits.
//!
//! SHOW CREATE TABLE shows six of them, so that a table made of it has another default (seen on MySQL 9.7: 1.2345678 becomes 1.23457). The server tells the value when it is asked for it by
//! `DEFAULT(column)`, also of an empty table. The statement gets that value; what the target shows of it are six digits again.

use std::ops::Range;

use datain_contract::types::Error;
use datain_mysql_client::{Outcome, Session, Stream};
use datain_sql_statement::TokenKind;

use crate::Object;
use crate::edit::replace;
use crate::table_text::TableText;

/// A column with such a default.
struct Shortened {
    /// Its name in quotes.
    column: Vec<u8>,
    /// Where the default stands, with its quotes.
    default: Range<usize>,
}

/// Puts exact defaults into a table's statement. What is shown of it stays.
///
/// # Errors
/// Errors of the server, other than that the account may not ask: then it cannot read the table either, which is found elsewhere.
pub(super) async fn exact<S: Stream>(
    session: &mut Session<S>,
    table: &mut Object,
) -> Result<(), Error> {
    let found = shortened(&table.sql);
    if found.is_empty() {
        return Ok(());
    }
    let mut ask = b"SELECT ".to_vec();
    for (at, one) in found.iter().enumerate() {
        ask.extend_from_slice(if at == 0 {
            b"DEFAULT(t."
        } else {
            b", DEFAULT(t."
        });
        ask.extend_from_slice(&one.column);
        // As DOUBLE, whose digits are all shown.
        ask.extend_from_slice(b") + 0e0");
    }
    ask.extend_from_slice(
        format!(
            " FROM (SELECT 1) AS one LEFT JOIN {} AS t ON FALSE",
            table.quoted()
        )
        .as_bytes(),
    );
    let set = match session.query(&ask).await {
        Ok(mut outcomes) => match outcomes.pop() {
            Some(Outcome::Rows(set)) => set,
            _ => return Ok(()),
        },
        Err(error) if error.code() == "server.privilege-missing" => return Ok(()),
        Err(error) => return Err(error.into()),
    };
    let values = set.rows.into_iter().next().unwrap_or_default();
    let changes: Vec<_> = found
        .into_iter()
        .zip(values)
        .filter_map(|(one, value)| {
            let value = value?;
            let shown = table.sql.get(one.default.clone())?;
            let shown = shown.get(1..shown.len().checked_sub(1)?)?;
            let quoted = [b"'", value.as_slice(), b"'"].concat();
            (single(shown)? != single(&value)?).then_some((one.default, quoted))
        })
        .collect();
    table.sql = replace(&table.sql, changes);
    Ok(())
}

/// The bits of the nearest FLOAT.
fn single(digits: &[u8]) -> Option<u32> {
    let value: f64 = std::str::from_utf8(digits).ok()?.parse().ok()?;
    #[allow(
        clippy::cast_possible_truncation,
        reason = "a FLOAT is what the server makes of it"
    )]
    Some((value as f32).to_bits())
}

/// FLOAT columns whose default is a literal.
fn shortened(sql: &[u8]) -> Vec<Shortened> {
    let Some(table) = TableText::read(sql) else {
        return Vec::new();
    };
    let column = |item: &crate::table_text::Item<'_>| {
        item.column()?;
        let (name, kind) = (item.tokens.first()?, item.tokens.get(1)?);
        let at = item.outside("DEFAULT")?;
        let default = item
            .tokens
            .get(at + 1)
            .filter(|token| token.kind == TokenKind::String && kind.is_word("float"))?;
        Some(Shortened {
            column: name.text.to_vec(),
            default: default.start..default.end(),
        })
    };
    table.items.iter().filter_map(column).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn floats_with_literals_are_found() {
        let sql = b"CREATE TABLE `t` (\n  `a` float DEFAULT '1.23457' COMMENT 'DEFAULT',\n  `b` float DEFAULT (1.5),\n  `c` double DEFAULT '1',\n  `d` float unsigned NOT NULL DEFAULT '2',\n  `e` float DEFAULT NULL\n)";
        let found: Vec<_> = shortened(sql)
            .into_iter()
            .map(|one| (one.column, &sql[one.default]))
            .collect();
        assert_eq!(
            found,
            [
                (b"`a`".to_vec(), &b"'1.23457'"[..]),
                (b"`d`".to_vec(), b"'2'")
            ]
        );
    }

    #[test]
    fn only_another_float_is_another_value() {
        assert_eq!(single(b"0.1"), single(b"0.10000000149011612"));
        assert_ne!(single(b"1.23457"), single(b"1.2345677614212036"));
        assert_eq!(single(b"x"), None);
    }
}
