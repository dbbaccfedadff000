//! Identifiers and string literals in SQL text.
//!
//! "Schema Object Names" and "String Literals" of the MySQL manual.

/// An identifier in backticks, with backticks inside doubled.
pub fn quote_identifier(name: &str) -> String {
    let mut out = String::with_capacity(name.len() + 2);
    out.push('`');
    for c in name.chars() {
        if c == '`' {
            out.push('`');
        }
        out.push(c);
    }
    out.push('`');
    out
}

/// Room for values from this size on is measured before it is taken.
const LARGE: usize = 1 << 20;

fn needs_escape(byte: u8) -> bool {
    matches!(byte, 0 | b'\n' | b'\r' | 0x1a | b'\'' | b'\\' | b'"')
}

/// Appends `'…'` with `bytes` escaped by backslashes.
///
/// Only for sessions in `SET NAMES binary` or utf8mb4, and without NO_BACKSLASH_ESCAPES in sql_mode: in sessions of
/// other character sets a byte of the value may be taken for part of a multi-byte character.
pub fn append_string(out: &mut Vec<u8>, bytes: &[u8]) {
    if bytes.len() < LARGE {
        out.reserve(bytes.len() + 2);
    } else {
        // A vector that must grow doubles; a large value may be a good part of memory. Some room is for what follows in the statement.
        let escaped = bytes.iter().filter(|byte| needs_escape(**byte)).count();
        out.reserve_exact(bytes.len() + escaped + LARGE / 16);
    }
    out.push(b'\'');
    let mut plain = 0;
    for (at, &byte) in bytes.iter().enumerate() {
        let escaped = match byte {
            0 => b'0',
            b'\n' => b'n',
            b'\r' => b'r',
            0x1a => b'Z',
            b'\'' | b'\\' | b'"' => byte,
            _ => continue,
        };
        out.extend_from_slice(&bytes[plain..at]);
        out.extend_from_slice(&[b'\\', escaped]);
        plain = at + 1;
    }
    out.extend_from_slice(&bytes[plain..]);
    out.push(b'\'');
}

/// `bytes` as a string literal with its quotes; see [`append_string`] for the sessions that it is meant for.
pub fn escape_string(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    append_string(&mut out, bytes);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identifiers() {
        assert_eq!(quote_identifier("a"), "`a`");
        assert_eq!(quote_identifier("a`b``"), "`a``b`````");
        assert_eq!(quote_identifier(""), "``");
    }

    #[test]
    fn strings() {
        assert_eq!(escape_string(b"it's"), b"'it\\'s'");
        assert_eq!(
            escape_string(b"\0\n\r\x1a\\\"\xff"),
            b"'\\0\\n\\r\\Z\\\\\\\"\xff'"
        );
        assert_eq!(escape_string(b""), b"''");
    }
}
