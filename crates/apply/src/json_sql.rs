//! JSON documents as SQL.
//!
//! A document whose types survive as text is written as text, which the server parses on its way into the column. Others (with a DECIMAL, a DATE, a small
//! unsigned number) are built by `JSON_OBJECT` and `JSON_ARRAY` around typed values, so that JSON_TYPE is the same on both sides.

use datain_binary_json::{Document, InvalidJson, Opaque, Scalar, Temporal, Token};
use datain_mysql_client::append_string;

use crate::literal::Unwritable;

/// Appends the SQL of a document in MySQL's binary form.
///
/// # Errors
/// For bytes that are no document, and for values that no SQL expression gives (opaque values other than DECIMAL, DATE, TIME and DATETIME).
pub fn write(out: &mut Vec<u8>, document: &[u8]) -> Result<(), Unwritable> {
    let document = Document::new(document);
    if document.text_keeps_types().map_err(invalid)? {
        let mut text = String::with_capacity(document.as_bytes().len());
        document.write_text(&mut text).map_err(invalid)?;
        out.extend_from_slice(b"_utf8mb4");
        append_string(out, text.as_bytes());
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
        let (precision, scale, text) = decimal.map_err(invalid)?;
        out.extend_from_slice(
            format!("CAST({} AS DECIMAL({precision},{scale}))", text.as_str()).as_bytes(),
        );
        return Ok(());
    }
    let temporal = opaque.temporal().transpose().map_err(invalid)?;
    let kind = match temporal {
        Some(Temporal::Date(_)) => "DATE",
        Some(Temporal::Time(_)) => "TIME(6)",
        Some(Temporal::Datetime(..)) => "DATETIME(6)",
        Some(Temporal::Timestamp(..)) | None => {
            return Err(Unwritable(format!(
                "the JSON document holds a value of MySQL's type {}, which no SQL expression gives",
                opaque.type_code
            )));
        }
    };
    let text = temporal.map(|t| t.to_string()).unwrap_or_default();
    out.extend_from_slice(format!("CAST('{text}' AS {kind})").as_bytes());
    Ok(())
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
        assert_eq!(String::from_utf8(out).unwrap(), expected);
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
    fn what_sql_cannot_say_is_refused() {
        let blob = [0x0f, 252, 1, b'x'];
        assert!(write(&mut Vec::new(), &blob).is_err());
        assert!(write(&mut Vec::new(), &[0xff]).is_err());
    }
}
