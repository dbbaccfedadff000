//! Changes of JSON documents (`binlog_row_value_options = PARTIAL_JSON`), made to the target's own documents.
//!
//! JSON_REPLACE and its like do nothing where a path leads nowhere. So the row is looked up by the condition, too, that each change can be made: on the
//! document as it is after the changes before it. Conditions grow with the square of the number of changes; where they become long, the changes so far are
//! made by an UPDATE of their own.

use datain_contract::ErrorExt as _;
use datain_contract::types::Error;
use datain_mysql_client::append_string;
use datain_row_block::{JsonChange, JsonChanges, JsonOperation};

use super::{Check, Statement};
use crate::json_sql;
use crate::literal::Unwritable;
use crate::mapping::Mapping;

/// Conditions longer than this are not added to.
const LONG: usize = 256 << 10;

/// The changes of one row.
pub(super) struct Documents<'m> {
    mapping: &'m Mapping,
    /// The condition that finds the row.
    key: &'m [u8],
    conditions: Vec<u8>,
    first: Vec<Statement>,
}

impl<'m> Documents<'m> {
    pub(super) fn new(mapping: &'m Mapping, key: &'m [u8]) -> Self {
        Self {
            mapping,
            key,
            conditions: Vec::new(),
            first: Vec::new(),
        }
    }

    /// Adds a column's changes to the assignments in `set`. No changes leave the document as it is.
    pub(super) fn change(
        &mut self,
        column: usize,
        changes: JsonChanges<'_>,
        set: &mut Vec<u8>,
    ) -> Result<(), Error> {
        let name = self.mapping.column_sql[column].as_bytes();
        let mut document = name.to_vec();
        for change in changes {
            let change = change.map_err(|e| Error::fatal(e.code(), e.to_string()))?;
            if self.conditions.len() > LONG && document != name {
                self.flush(name, &document);
                document = name.to_vec();
            }
            document = self.step(column, &document, &change)?;
        }
        if document != name {
            if !set.is_empty() {
                set.push(b',');
            }
            set.extend_from_slice(name);
            set.push(b'=');
            set.extend_from_slice(&document);
        }
        Ok(())
    }

    /// Statements that come before the row's own, and what its condition must also say.
    pub(super) fn finish(self) -> (Vec<Statement>, Vec<u8>) {
        (self.first, self.conditions)
    }

    /// An UPDATE of this document alone, with all conditions so far. Those of other columns hold before and after it.
    fn flush(&mut self, name: &[u8], document: &[u8]) {
        let mut sql = b"UPDATE ".to_vec();
        sql.extend_from_slice(self.mapping.table_sql.as_bytes());
        sql.extend_from_slice(b" SET ");
        sql.extend_from_slice(name);
        sql.push(b'=');
        sql.extend_from_slice(document);
        // What changes by itself in an UPDATE must not do so here either.
        for (column, target) in self.mapping.target.columns.iter().enumerate() {
            if target.on_update {
                let kept = self.mapping.column_sql[column].as_bytes();
                sql.push(b',');
                sql.extend_from_slice(kept);
                sql.push(b'=');
                sql.extend_from_slice(kept);
            }
        }
        sql.extend_from_slice(b" WHERE ");
        sql.extend_from_slice(self.key);
        sql.append(&mut self.conditions);
        self.first.push(Statement {
            sql,
            rows: 1,
            check: Check::Documents,
            ends_row: false,
        });
    }

    /// The expression of `document` with one more change, whose condition is noted.
    fn step(
        &mut self,
        column: usize,
        document: &[u8],
        change: &JsonChange<'_>,
    ) -> Result<Vec<u8>, Error> {
        let name = &self.mapping.target.columns[column].name;
        let refused = |why: &str| {
            Error::fatal(
                "row.json-change",
                format!("a change of the JSON document in column `{name}` cannot be made: {why}"),
            )
            .hint("SET PERSIST binlog_row_value_options = '' on the source, reconnect its sessions, and mend this row on the target")
        };
        let Some((parent, leg)) = last_leg(change.path) else {
            return Err(refused("its path is not understood"));
        };
        let mut path = b"_utf8mb4".to_vec();
        append_string(&mut path, change.path.as_bytes());
        let mut parent_path = b"_utf8mb4".to_vec();
        append_string(&mut parent_path, parent.as_bytes());
        let index = leg.strip_prefix('[');
        let parts: Vec<&[u8]> = match (change.operation, index) {
            (JsonOperation::Replace | JsonOperation::Remove, _) => vec![
                b"JSON_CONTAINS_PATH(",
                document,
                b",_utf8mb4'one',",
                &path,
                b")=1",
            ],
            (JsonOperation::Insert, None) => vec![
                b"JSON_CONTAINS_PATH(",
                document,
                b",_utf8mb4'one',",
                &path,
                b")=0 AND JSON_TYPE(JSON_EXTRACT(",
                document,
                b",",
                &parent_path,
                b"))=_utf8mb4'OBJECT'",
            ],
            // An index beyond the end appends, as it does on the source.
            (JsonOperation::Insert, Some(_)) => vec![
                b"JSON_TYPE(JSON_EXTRACT(",
                document,
                b",",
                &parent_path,
                b"))=_utf8mb4'ARRAY'",
            ],
        };
        self.conditions.extend_from_slice(b" AND ");
        for part in parts {
            self.conditions.extend_from_slice(part);
        }
        let function: &[u8] = match (change.operation, index) {
            (JsonOperation::Replace, _) => b"JSON_REPLACE(",
            (JsonOperation::Remove, _) => b"JSON_REMOVE(",
            (JsonOperation::Insert, None) => b"JSON_INSERT(",
            (JsonOperation::Insert, Some(_)) => b"JSON_ARRAY_INSERT(",
        };
        let mut changed = function.to_vec();
        changed.extend_from_slice(document);
        changed.push(b',');
        changed.extend_from_slice(&path);
        if let Some(value) = change.value {
            changed.push(b',');
            json_sql::write_value(&mut changed, value).map_err(|Unwritable(why)| refused(&why))?;
        }
        changed.push(b')');
        Ok(changed)
    }
}

/// A path without its last leg, and that leg. The server writes paths as `$`, then `.name`, `."name"` with JSON's escapes, or `[index]`; never wildcards.
fn last_leg(path: &str) -> Option<(&str, &str)> {
    let bytes = path.as_bytes();
    if bytes.first() != Some(&b'$') {
        return None;
    }
    let mut at = 1;
    let mut last = None;
    while let Some(byte) = bytes.get(at) {
        last = Some(at);
        at = match byte {
            b'[' => {
                let end = at + 1 + bytes[at + 1..].iter().position(|b| *b == b']')?;
                let digits = &bytes[at + 1..end];
                if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
                    return None;
                }
                end + 1
            }
            b'.' if bytes.get(at + 1) == Some(&b'"') => {
                let mut end = at + 2;
                loop {
                    match bytes.get(end)? {
                        b'\\' => end += 2,
                        b'"' => break end + 1,
                        _ => end += 1,
                    }
                }
            }
            b'.' => {
                let rest = &bytes[at + 1..];
                let length = rest
                    .iter()
                    .position(|b| matches!(b, b'.' | b'['))
                    .unwrap_or(rest.len());
                if length == 0 || rest[0] == b'*' {
                    return None;
                }
                at + 1 + length
            }
            _ => return None,
        };
    }
    last.map(|last| path.split_at(last))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_leg_is_found() {
        let check = |path: &str, expected: Option<(&str, &str)>| {
            assert_eq!(last_leg(path), expected, "{path}");
        };
        check("$.a", Some(("$", ".a")));
        check("$.a[12]", Some(("$.a", "[12]")));
        check("$[0].b", Some(("$[0]", ".b")));
        check(r#"$."x.y\"[0]""#, Some(("$", r#"."x.y\"[0]""#)));
        check(r#"$.""[1]."é""#, Some((r#"$.""[1]"#, r#"."é""#)));
        for wrong in [
            "", "$", "a", "$.", "$[", "$[]", "$[*]", "$.*", "$**.a", r#"$."a"#, "$[last]",
        ] {
            check(wrong, None);
        }
    }
}
