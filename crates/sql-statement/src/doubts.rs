//! Why a statement may have another effect on another server ("Determination of Safe and Unsafe Statements in Binary Logging" of the MySQL manual).

use std::fmt;

/// What makes a statement doubtful.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Doubt {
    /// It calls this function, whose result is another one on each server or at each time.
    Function(&'static str),
    /// It reads a system variable.
    SystemVariable,
    /// `LIMIT` without `ORDER BY`: which rows it takes is the server's choice.
    Limit,
    /// `IGNORE`: which rows are left out depends on the order in which they are found.
    Ignore,
    /// `ON DUPLICATE KEY UPDATE`: with several unique keys it depends on which one is found first.
    OnDuplicateKey,
}

impl fmt::Display for Doubt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Function(name) => write!(f, "{name}()"),
            Self::SystemVariable => f.write_str("a system variable"),
            Self::Limit => f.write_str("LIMIT without ORDER BY"),
            Self::Ignore => f.write_str("IGNORE"),
            Self::OnDuplicateKey => f.write_str("ON DUPLICATE KEY UPDATE"),
        }
    }
}

/// Functions whose result the log does not carry. (RAND, NOW, LAST_INSERT_ID and their like are carried.)
const FUNCTIONS: [&str; 26] = [
    "BENCHMARK",
    "CONNECTION_ID",
    "CURRENT_ROLE",
    "CURRENT_USER",
    "FOUND_ROWS",
    "GET_LOCK",
    "GTID_SUBSET",
    "ICU_VERSION",
    "IS_FREE_LOCK",
    "IS_USED_LOCK",
    "LOAD_FILE",
    "MASTER_POS_WAIT",
    "RANDOM_BYTES",
    "RELEASE_ALL_LOCKS",
    "RELEASE_LOCK",
    "ROW_COUNT",
    "SESSION_USER",
    "SLEEP",
    "SOURCE_POS_WAIT",
    "SYSDATE",
    "SYSTEM_USER",
    "USER",
    "UUID",
    "UUID_SHORT",
    "VERSION",
    "WAIT_FOR_EXECUTED_GTID_SET",
];

/// The doubt that a call of a function of this name raises.
pub(crate) fn of_call(name: &[u8]) -> Option<Doubt> {
    FUNCTIONS
        .iter()
        .find(|function| name.eq_ignore_ascii_case(function.as_bytes()))
        .map(|function| Doubt::Function(function))
}

/// Whether this is surely a function of the server's own, or a keyword: the common ones. Of any other name nothing is known.
pub(crate) fn is_builtin(name: &[u8]) -> bool {
    of_call(name).is_some()
        || COMMON
            .iter()
            .any(|known| name.eq_ignore_ascii_case(known.as_bytes()))
}

/// Reserved words, and native functions: a stored function of such a name is called with its schema only.
const COMMON: [&str; 74] = [
    "ABS",
    "ADDDATE",
    "AVG",
    "BIGINT",
    "CAST",
    "CEIL",
    "CEILING",
    "CHAR",
    "CHAR_LENGTH",
    "COALESCE",
    "CONCAT",
    "CONCAT_WS",
    "CONVERT",
    "COUNT",
    "CURDATE",
    "CURRENT_DATE",
    "CURRENT_TIME",
    "CURRENT_TIMESTAMP",
    "CURTIME",
    "DATE",
    "DATEDIFF",
    "DATE_ADD",
    "DATE_FORMAT",
    "DATE_SUB",
    "DAY",
    "DECIMAL",
    "ELT",
    "FIELD",
    "FLOOR",
    "FORMAT",
    "FROM_UNIXTIME",
    "GREATEST",
    "HEX",
    "HOUR",
    "IF",
    "IFNULL",
    "INSTR",
    "KEY",
    "LAST_INSERT_ID",
    "LEAST",
    "LEFT",
    "LENGTH",
    "LOCATE",
    "LOWER",
    "LPAD",
    "LTRIM",
    "MAX",
    "MD5",
    "MIN",
    "MINUTE",
    "MOD",
    "MONTH",
    "NAME_CONST",
    "NOW",
    "NULLIF",
    "POW",
    "RAND",
    "REPEAT",
    "REPLACE",
    "RIGHT",
    "ROUND",
    "ROW",
    "RPAD",
    "RTRIM",
    "SECOND",
    "SHA1",
    "SUBSTR",
    "SUBSTRING",
    "SUM",
    "TRIM",
    "UNIX_TIMESTAMP",
    "UPPER",
    "UTC_TIMESTAMP",
    "YEAR",
];
