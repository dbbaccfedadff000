//! Settings of the source's sessions as far as the target's version knows them.
//!
//! MySQL 8.0 has dropped modes of `sql_mode`. Those that only said how SHOW CREATE writes a definition, or whether GRANT makes accounts, mean nothing to a statement that is replicated, and the names
//! of other products stand for modes that are set beside them. Only MAXDB says something by itself: that TIMESTAMP means DATETIME.

use datain_contract::ErrorExt as _;
use datain_contract::types::{Error, SessionContext};
use datain_mysql_client::ServerVersion;

/// POSTGRESQL, ORACLE, MSSQL, DB2, MAXDB, NO_KEY_OPTIONS, NO_TABLE_OPTIONS, NO_FIELD_OPTIONS, MYSQL323, MYSQL40: bits 8 to 17; and NO_AUTO_CREATE_USER.
const GONE_SINCE_8: u64 = 0x3_ff00 | 1 << 28;
const MAXDB: u64 = 1 << 12;
/// TIME_TRUNCATE_FRACTIONAL and what may follow.
const NEW_SINCE_8: u64 = !0xffff_ffff;

/// What of the context can be set on a target of this version.
///
/// # Errors
/// `ddl.mode-gone`.
pub fn of(context: &SessionContext, target: &ServerVersion) -> Result<SessionContext, Error> {
    let mut known = context.clone();
    if target.is_mariadb() {
        return Ok(known);
    }
    if target.is_mysql_since(8, 0, 0) {
        if context.sql_mode.is_some_and(|mode| mode & MAXDB != 0) {
            return Err(Error::fatal(
                "ddl.mode-gone",
                "the statement ran with sql_mode MAXDB, in which TIMESTAMP means DATETIME, and the target does not know that mode",
            )
            .hint("run what the statement means on the target by hand, and leave it out with datain skip"));
        }
        known.sql_mode = context.sql_mode.map(|mode| mode & !GONE_SINCE_8);
        return Ok(known);
    }
    known.sql_mode = context.sql_mode.map(|mode| mode & !NEW_SINCE_8);
    known.default_collation_for_utf8mb4 = None;
    // Only the server's start sets it there.
    known.explicit_defaults_for_timestamp = None;
    known.default_table_encryption = None;
    Ok(known)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn context(sql_mode: u64) -> SessionContext {
        SessionContext {
            sql_mode: Some(sql_mode),
            flags2: None,
            charset_client: None,
            collation_connection: None,
            collation_server: None,
            collation_database: None,
            time_zone: None,
            auto_increment_increment: None,
            auto_increment_offset: None,
            lc_time_names: None,
            default_collation_for_utf8mb4: Some(45),
            character_set_collations: None,
            explicit_defaults_for_timestamp: Some(true),
            sql_require_primary_key: None,
            default_table_encryption: None,
            timestamp_micros: 0,
        }
    }

    #[test]
    fn modes_that_the_target_lacks_are_left_out() {
        let check = |version: &str, mode: u64, expected: Option<u64>| {
            let version = ServerVersion::parse(version.as_bytes());
            let known = of(&context(mode), &version);
            assert_eq!(known.ok().and_then(|c| c.sql_mode), expected, "{version}");
        };
        // ORACLE with what it implies, and NO_AUTO_CREATE_USER; STRICT_TRANS_TABLES stays.
        let oracle = 1 << 9 | 0b1110 | 0x7 << 13 | 1 << 28 | 1 << 21;
        check("9.7.4", oracle, Some(0b1110 | 1 << 21));
        check("5.6.24", oracle, Some(oracle));
        check("5.6.24", 1 << 32 | 1 << 21, Some(1 << 21));
        check("9.7.4", 1 << 32, Some(1 << 32));
        check("9.7.4", 1 << 12, None);
        check("5.6.24", 1 << 12, Some(1 << 12));
    }

    #[test]
    fn old_targets_have_no_other_collation_for_utf8mb4() {
        let of = |version: &str| {
            let version = ServerVersion::parse(version.as_bytes());
            of(&context(0), &version)
                .unwrap()
                .default_collation_for_utf8mb4
        };
        assert_eq!((of("5.6.24"), of("9.7.4")), (None, Some(45)));
    }
}
