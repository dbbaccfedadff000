//! The value of a user variable as an SQL literal, for people: `User_var_log_event::pack_info` of MySQL's `log_event.cc` does the same.

use std::fmt::Write as _;

use datain_binary_json::decimal::DecimalText;

use crate::event::statement_vars::UserVarValue;

impl UserVarValue<'_> {
    /// An expression that gives this value. A string is written in hexadecimal, with the number of its collation in a comment. None when the bytes are not
    /// what the type says.
    #[must_use]
    pub fn to_sql(&self) -> Option<String> {
        match self.result_type {
            0 => {
                let mut sql = "X'".to_owned();
                for byte in self.bytes {
                    // Writing to a String cannot fail.
                    let _ = write!(sql, "{byte:02X}");
                }
                let _ = write!(sql, "' /* collation {} */", self.collation);
                Some(sql)
            }
            // With an exponent it is a DOUBLE to every server.
            1 => Some(format!(
                "{:e}",
                f64::from_le_bytes(self.bytes.try_into().ok()?)
            )),
            2 => {
                let bytes = self.bytes.try_into().ok()?;
                Some(if self.unsigned {
                    u64::from_le_bytes(bytes).to_string()
                } else {
                    i64::from_le_bytes(bytes).to_string()
                })
            }
            4 => {
                let [precision, scale, digits @ ..] = self.bytes else {
                    return None;
                };
                let text = DecimalText::decode(digits, *precision, *scale).ok()?;
                Some(text.as_str().to_owned())
            }
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(result_type: u8, unsigned: bool, bytes: &[u8], expected: Option<&str>) {
        let value = UserVarValue {
            result_type,
            collation: 255,
            unsigned,
            bytes,
        };
        assert_eq!(value.to_sql().as_deref(), expected);
    }

    #[test]
    fn each_type_of_value_is_a_literal_and_damage_is_none() {
        check(0, false, b"a'", Some("X'6127' /* collation 255 */"));
        check(1, false, &0.5_f64.to_le_bytes(), Some("5e-1"));
        check(2, false, &(-7_i64).to_le_bytes(), Some("-7"));
        check(
            2,
            true,
            &u64::MAX.to_le_bytes(),
            Some("18446744073709551615"),
        );
        // 12.50 as DECIMAL(4, 2): two digits before and two after the point, a byte each, the first bit turned.
        check(4, false, &[4, 2, 0x8c, 50], Some("12.50"));
        for (result_type, bytes) in [
            (1, &[1][..]),
            (2, &[]),
            (4, &[4]),
            (4, &[200, 2, 1]),
            (3, b"x"),
        ] {
            check(result_type, false, bytes, None);
        }
    }
}
