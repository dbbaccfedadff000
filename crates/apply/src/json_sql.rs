//! JSON documents as SQL.
//!
//! A document whose types survive as text is written as text, which the server parses on its way into the column. Others (with a DECIMAL, a DATE, a small
//! unsigned number) are built by `JSON_OBJECT` and `JSON_ARRAY` around typed values, so that JSON_TYPE is the same on both sides.

use datain_binary_json::{Document, InvalidJson, Opaque, Scalar, Temporal, Token};
use datain_mysql_client::append_string;

use crate::literal::Unwritable;

/// Appends the SQL of a document in MySQL's binary form, to be stored into a JSON column.
///
/// # Errors
/// For bytes that are no document, and for values that no SQL expression gives (opaque values of types that no column has).
pub fn write(out: &mut Vec<u8>, document: &[u8]) -> Result<(), Unwritable> {
    write_as(out, document, false)
}

/// Appends the SQL of a document as an argument of JSON functions, which would take a text for a JSON string.
///
/// # Errors
/// As [`write`].
pub fn write_value(out: &mut Vec<u8>, document: &[u8]) -> Result<(), Unwritable> {
    write_as(out, document, true)
}

fn write_as(out: &mut Vec<u8>, document: &[u8], is_argument: bool) -> Result<(), Unwritable> {
    let document = Document::new(document);
    if document.text_keeps_types().map_err(invalid)? {
        let mut text = String::with_capacity(document.as_bytes().len());
        document.write_text(&mut text).map_err(invalid)?;
        let (head, tail): (&[u8], &[u8]) = if is_argument {
            (b"CAST(_utf8mb4", b" AS JSON)")
        } else {
            (b"_utf8mb4", b"")
        };
        out.extend_from_slice(head);
        append_string(out, text.as_bytes());
        out.extend_from_slice(tail);
        return Ok(());
    }
    // A scalar by itself becomes a document by a cast; inside a container it is one already.
    let mut depth = 0_usize;
    let mut after_value = false;
    let mut after_key = false;
    for token in document.tokens() {
        let token = token.map_err(invalid)?;
        let ends = matches!(token, Token::EndObject | Token::EndArray);
        if after_value && !ends || after_key {
            out.push(b',');
        }
        (after_value, after_key) = (false, false);
        match token {
            Token::StartObject(_) => out.extend_from_slice(b"JSON_OBJECT("),
            Token::StartArray(_) => out.extend_from_slice(b"JSON_ARRAY("),
            Token::Key(key) => {
                out.extend_from_slice(b"_utf8mb4");
                append_string(out, key.as_bytes());
                after_key = true;
            }
            Token::EndObject | Token::EndArray => {
                out.push(b')');
                after_value = true;
            }
            Token::Scalar(scalar) if depth == 0 => {
                out.extend_from_slice(b"CAST(");
                write_scalar(out, &scalar)?;
                out.extend_from_slice(b" AS JSON)");
            }
            Token::Scalar(scalar) => {
                write_scalar(out, &scalar)?;
                after_value = true;
            }
        }
        match token {
            Token::StartObject(_) | Token::StartArray(_) => depth += 1,
            Token::EndObject | Token::EndArray => depth = depth.saturating_sub(1),
            Token::Key(_) | Token::Scalar(_) => {}
        }
    }
    Ok(())
}

/// A typed value, as an argument of JSON_OBJECT, JSON_ARRAY or a cast.
fn write_scalar(out: &mut Vec<u8>, scalar: &Scalar<'_>) -> Result<(), Unwritable> {
    match scalar {
        Scalar::Opaque(opaque) => write_opaque(out, opaque),
        Scalar::Int(number) if !scalar.text_keeps_type() => {
            out.extend_from_slice(format!("CAST({number} AS SIGNED)").as_bytes());
            Ok(())
        }
        Scalar::Uint(number) => {
            out.extend_from_slice(format!("CAST({number} AS UNSIGNED)").as_bytes());
            Ok(())
        }
        other => {
            let mut text = String::new();
            other.write_text(&mut text).map_err(invalid)?;
            out.extend_from_slice(b"CAST(_utf8mb4");
            append_string(out, text.as_bytes());
            out.extend_from_slice(b" AS JSON)");
            Ok(())
        }
    }
}

fn write_opaque(out: &mut Vec<u8>, opaque: &Opaque<'_>) -> Result<(), Unwritable> {
    if let Some(decimal) = opaque.decimal() {
        // The document's own precision may be larger than SQL's largest; that of the digits is at most 65.
        let (_, scale, text) = decimal.map_err(invalid)?;
        let digits = text.as_bytes().iter().filter(|b| b.is_ascii_digit());
        let precision = digits.count();
        let text = text.as_str();
        out.extend_from_slice(format!("CAST({text} AS DECIMAL({precision},{scale}))").as_bytes());
        return Ok(());
    }
    let temporal = opaque.temporal().transpose().map_err(invalid)?;
    let kind = match temporal {
        Some(Temporal::Date(_)) => "DATE",
        Some(Temporal::Time(_)) => "TIME(6)",
        Some(Temporal::Datetime(..)) => "DATETIME(6)",
        Some(timestamp @ Temporal::Timestamp(..)) => {
            let document = format!("_utf8mb4'\"{timestamp}\"'");
            typed(out, document.as_bytes(), "$", "TIMESTAMP(6)");
            return Ok(());
        }
        None => return write_bytes(out, opaque),
    };
    let text = temporal.map(|t| t.to_string()).unwrap_or_default();
    out.extend_from_slice(format!("CAST('{text}' AS {kind})").as_bytes());
    Ok(())
}

/// Binary strings and BIT. A JSON value remembers of which column type its bytes were, down to the size of a BLOB; and a literal is a VARBINARY. The other types
/// come from columns of JSON_TABLE, which has all types that a table has.
fn write_bytes(out: &mut Vec<u8>, opaque: &Opaque<'_>) -> Result<(), Unwritable> {
    const VARCHAR: u8 = 15;
    const BIT: u8 = 16;
    const TINY_BLOB: u8 = 249;
    const MEDIUM_BLOB: u8 = 250;
    const LONG_BLOB: u8 = 251;
    const BLOB: u8 = 252;
    const STRING: u8 = 254;
    let bytes = opaque.bytes;
    let kind = match (opaque.type_code, bytes.len()) {
        (VARCHAR, 0..=65_535) => {
            out.extend_from_slice(b"_binary");
            append_string(out, bytes);
            return Ok(());
        }
        (BIT, length @ 1..=8) => {
            let number = bytes.iter().fold(0, |sum, b| sum << 8 | u64::from(*b));
            let document = format!("_utf8mb4'{number}'");
            typed(
                out,
                document.as_bytes(),
                "$",
                &format!("BIT({})", 8 * length),
            );
            return Ok(());
        }
        (TINY_BLOB, _) => "TINYBLOB".to_owned(),
        (BLOB, _) => "BLOB".to_owned(),
        (MEDIUM_BLOB, _) => "MEDIUMBLOB".to_owned(),
        (LONG_BLOB, _) => "LONGBLOB".to_owned(),
        (STRING, length @ 0..=255) => format!("BINARY({length})"),
        (other, length) => {
            return Err(Unwritable(format!(
                "the JSON document holds {length} bytes of MySQL's type {other}, which no SQL expression gives"
            )));
        }
    };
    let mut document = b"JSON_ARRAY(_binary".to_vec();
    append_string(&mut document, bytes);
    document.push(b')');
    typed(out, &document, "$[0]", &kind);
    Ok(())
}

/// A value at `path` of a document, by way of a column of this type.
fn typed(out: &mut Vec<u8>, document: &[u8], path: &str, kind: &str) {
    out.extend_from_slice(b"(SELECT CAST(v AS JSON) FROM JSON_TABLE(");
    out.extend_from_slice(document);
    // Without ERROR ON ERROR a value that does not fit would become NULL.
    let columns =
        format!(",_utf8mb4'{path}' COLUMNS(v {kind} PATH _utf8mb4'$' ERROR ON ERROR)) AS t)");
    out.extend_from_slice(columns.as_bytes());
}

fn invalid(error: InvalidJson) -> Unwritable {
    Unwritable(error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(document: &[u8], expected: &str) {
        let mut out = Vec::new();
        write(&mut out, document).unwrap();
        assert_eq!(String::from_utf8_lossy(&out), expected);
    }

    /// A small array (type 2) of one inlined 16-bit number of type `kind`.
    fn array_of(kind: u8, number: u16) -> Vec<u8> {
        let [low, high] = number.to_le_bytes();
        vec![2, 1, 0, 7, 0, kind, low, high]
    }

    #[test]
    fn plain_documents_are_text() {
        check(&array_of(5, 7), "_utf8mb4'[7]'");
        check(b"\x0c\x02a'", "_utf8mb4'\\\"a\\'\\\"'");
    }

    #[test]
    fn types_that_text_would_lose_are_built() {
        check(&array_of(6, 7), "JSON_ARRAY(CAST(7 AS UNSIGNED))");
        check(&[6, 7, 0], "CAST(CAST(7 AS UNSIGNED) AS JSON)");
        // DECIMAL(3,2) 1.50: opaque, type 246, 4 bytes: precision, scale, digits.
        check(
            &[0x0f, 246, 4, 3, 2, 0x81, 50],
            "CAST(CAST(1.50 AS DECIMAL(3,2)) AS JSON)",
        );
        // As the server stores 1: nine digits before the point.
        check(
            &[0x0f, 246, 6, 9, 0, 0x80, 0, 0, 1],
            "CAST(CAST(1 AS DECIMAL(1,0)) AS JSON)",
        );
        // {"a": [1, 2u]}
        let inner = [2_u8, 0, 10, 0, 5, 1, 0, 6, 2, 0];
        let mut outer = vec![0_u8, 1, 0, 12 + 10, 0, 11, 0, 1, 0, 2, 12, 0, b'a'];
        outer.extend_from_slice(&inner);
        check(
            &outer,
            "JSON_OBJECT(_utf8mb4'a',JSON_ARRAY(CAST(_utf8mb4'1' AS JSON),CAST(2 AS UNSIGNED)))",
        );
    }

    #[test]
    fn bytes_keep_the_type_of_their_column() {
        check(
            &[0x0f, 15, 1, 0xc3],
            // The test's own text cannot hold a lone 0xc3.
            "CAST(_binary'\u{fffd}' AS JSON)",
        );
        check(
            &[0x0f, 252, 1, b'x'],
            "CAST((SELECT CAST(v AS JSON) FROM JSON_TABLE(JSON_ARRAY(_binary'x'),_utf8mb4'$[0]' COLUMNS(v BLOB PATH _utf8mb4'$' ERROR ON ERROR)) AS t) AS JSON)",
        );
        check(
            &[0x0f, 16, 2, 1, 2],
            "CAST((SELECT CAST(v AS JSON) FROM JSON_TABLE(_utf8mb4'258',_utf8mb4'$' COLUMNS(v BIT(16) PATH _utf8mb4'$' ERROR ON ERROR)) AS t) AS JSON)",
        );
    }

    #[test]
    fn an_argument_is_a_document_not_a_text() {
        let mut out = Vec::new();
        write_value(&mut out, &array_of(5, 7)).unwrap();
        assert_eq!(out, b"CAST(_utf8mb4'[7]' AS JSON)");
    }

    #[test]
    fn what_sql_cannot_say_is_refused() {
        let of_no_column = [0x0f, 253, 1, b'x'];
        assert!(write(&mut Vec::new(), &of_no_column).is_err());
        assert!(write(&mut Vec::new(), &[0xff]).is_err());
    }
}
