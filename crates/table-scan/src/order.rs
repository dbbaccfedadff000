//! Which of two keys comes first, as far as that can be told without the server.
//!
//! Numbers, dates, times and binary strings have an order of their own. What comes first of two texts is the collation's business, which only the server knows.

use std::cmp::Ordering;

use datain_contract::types::{Error, Signedness};
use datain_row_block::{ColumnKind, Value};

use crate::definition::{BINARY, ColumnDefinition, TableDefinition};
use crate::key::ScanKey;

impl ScanKey {
    /// The order of two keys of the same table in its index, falling columns included. None where only the server can tell: the first columns that differ hold
    /// characters. Keys of equal bytes are equal.
    ///
    /// # Errors
    /// `snapshot.key-foreign` for a key that is none of this table's.
    pub fn compare(
        &self,
        table: &TableDefinition,
        a: &[u8],
        b: &[u8],
    ) -> Result<Option<Ordering>, Error> {
        self.split(table, a, |a| {
            self.split(table, b, |b| {
                for (part, (a, b)) in self.parts.iter().zip(a.iter().zip(b)) {
                    let order = order(&table.columns[part.column], a, b);
                    if order != Some(Ordering::Equal) {
                        let falling = part.descending;
                        return Ok(order.map(|o| if falling { o.reverse() } else { o }));
                    }
                }
                Ok(Some(Ordering::Equal))
            })
        })
    }
}

fn order(column: &ColumnDefinition, a: &Value<'_>, b: &Value<'_>) -> Option<Ordering> {
    match (a, b) {
        (Value::Integer(_), Value::Integer(_)) if column.signedness == Signedness::Unsigned => {
            a.as_u64().partial_cmp(&b.as_u64())
        }
        (Value::Integer(_), Value::Integer(_)) => a.as_i64().partial_cmp(&b.as_i64()),
        (Value::Unsigned(a), Value::Unsigned(b)) => Some(a.cmp(b)),
        (Value::Float(a), Value::Float(b)) => a.partial_cmp(b),
        (Value::Double(a), Value::Double(b)) => a.partial_cmp(b),
        (Value::Text(a), Value::Text(b)) => match column.kind {
            ColumnKind::Decimal | ColumnKind::Time => Some(signed(a, b)),
            // Of one form, with the largest unit first.
            _ => Some(a.cmp(b)),
        },
        (Value::Bytes(a), Value::Bytes(b)) if a == b => Some(Ordering::Equal),
        (Value::Bytes(a), Value::Bytes(b)) if column.collation == Some(BINARY) => {
            match column.kind {
                // The block leaves the zeros at the end of a BINARY away.
                ColumnKind::Char => {
                    let padded = |bytes: &[u8]| {
                        let mut bytes = bytes.to_vec();
                        bytes.resize(bytes.len().max(column.length as usize), 0);
                        bytes
                    };
                    Some(padded(a).cmp(&padded(b)))
                }
                _ => Some(a.cmp(b)),
            }
        }
        _ => None,
    }
}

/// Numbers with as many digits after the point, and times with as many of a fraction: more digits before are a larger number.
fn signed(a: &[u8], b: &[u8]) -> Ordering {
    let magnitude = |a: &[u8], b: &[u8]| a.len().cmp(&b.len()).then_with(|| a.cmp(b));
    match (a.strip_prefix(b"-"), b.strip_prefix(b"-")) {
        (None, None) => magnitude(a, b),
        (Some(_), None) => Ordering::Less,
        (None, Some(_)) => Ordering::Greater,
        (Some(a), Some(b)) => magnitude(b, a),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_times_by_their_size() {
        let ordered: [&[u8]; 7] = [
            b"-100.00", b"-9.99", b"-9.98", b"0.00", b"0.01", b"9.99", b"10.00",
        ];
        let times: [&[u8]; 5] = [
            b"-838:59:59",
            b"-00:00:01",
            b"00:00:00",
            b"99:59:59",
            b"100:00:00",
        ];
        let check = |ordered: &[&[u8]]| {
            for (i, a) in ordered.iter().enumerate() {
                for (j, b) in ordered.iter().enumerate() {
                    assert_eq!(signed(a, b), i.cmp(&j));
                }
            }
        };
        check(&ordered);
        check(&times);
    }
}
