//! The session of a MariaDB's statement, in MySQL's settings.
//!
//! Numbers of collations are translated by [`collations`](super::collations). The modes of `sql_mode` have the same bits up to the 31st; of MariaDB's own
//!
//! | mode | on MySQL |
//! |---|---|
//! | `IGNORE_BAD_TABLE_OPTIONS`, `NO_AUTO_CREATE_USER`, `NO_*_OPTIONS`, names of other products | left out: they say nothing of what is made, or what they stand for is set beside them |
//! | `ORACLE`, `MAXDB`, `EMPTY_STRING_IS_NULL`, `SIMULTANEOUS_ASSIGNMENT` | refused: under them DATE, TIMESTAMP, `''` or an UPDATE in a routine mean something else |
//! | `TIME_ROUND_FRACTIONAL` | without it MariaDB cuts fractions of a second off where MySQL rounds, which is MySQL's `TIME_TRUNCATE_FRACTIONAL` |

use datain_contract::ErrorExt as _;
use datain_contract::types::{Error, SessionContext};

use super::collations;
use crate::mapping::Collations;

/// utf8mb4_general_ci, which is utf8mb4's own collation in a MariaDB that has not been told another.
const UTF8MB4_GENERAL_CI: u16 = 45;
/// utf8mb4_0900_ai_ci, which is utf8mb4's own collation in MySQL.
const UTF8MB4_0900_AI_CI: u16 = 255;

/// IGNORE_BAD_TABLE_OPTIONS.
const MEANINGLESS: u64 = 1 << 4;
/// Modes under which the same words make something else.
const OTHER_MEANING: [(u64, &str); 4] = [
    (1 << 9, "ORACLE, in which DATE means DATETIME"),
    (1 << 12, "MAXDB, in which TIMESTAMP means DATETIME"),
    (1 << 32, "EMPTY_STRING_IS_NULL"),
    (1 << 33, "SIMULTANEOUS_ASSIGNMENT"),
];
const TIME_ROUND_FRACTIONAL: u64 = 1 << 34;
/// Of MySQL; the same bit as MariaDB's EMPTY_STRING_IS_NULL.
const TIME_TRUNCATE_FRACTIONAL: u64 = 1 << 32;
/// The modes that both have.
const COMMON: u64 = 0xffff_ffff;

/// The context in MySQL's terms.
///
/// # Errors
/// `ddl.mode-gone`, `statement.collation-unknown`.
pub(super) fn adapted(
    context: &SessionContext,
    target: &Collations,
) -> Result<SessionContext, Error> {
    let known = |id: Option<u16>| match id {
        None => Ok(None),
        Some(id) => collations::number(id, target)
            .map(Some)
            .ok_or_else(|| unknown(id)),
    };
    Ok(SessionContext {
        sql_mode: context.sql_mode.map(modes).transpose()?,
        charset_client: known(context.charset_client)?,
        collation_connection: known(context.collation_connection)?,
        collation_server: known(context.collation_server)?,
        default_collation_for_utf8mb4: Some(own_of_utf8mb4(context, target)?),
        character_set_collations: None,
        ..context.clone()
    })
}

fn modes(modes: u64) -> Result<u64, Error> {
    if let Some((_, mode)) = OTHER_MEANING.iter().find(|(bit, _)| modes & bit != 0) {
        return Err(Error::fatal(
            "ddl.mode-gone",
            format!("the statement ran with sql_mode {mode}, a mode of MariaDB's that the target does not know"),
        )
        .hint("run what the statement means on the target by hand, and leave it out with datain skip"));
    }
    let truncates = if modes & TIME_ROUND_FRACTIONAL == 0 {
        TIME_TRUNCATE_FRACTIONAL
    } else {
        0
    };
    Ok(modes & COMMON & !MEANINGLESS | truncates)
}

/// The collation of a bare `CHARSET utf8mb4`. MariaDB logs it where the statement has asked for it, and MySQL knows two.
fn own_of_utf8mb4(context: &SessionContext, target: &Collations) -> Result<u16, Error> {
    let mut pairs = context.character_set_collations.iter().flatten();
    let Some((_, chosen)) = pairs.find(|(of, _)| *of == UTF8MB4_GENERAL_CI) else {
        return Ok(UTF8MB4_GENERAL_CI);
    };
    match collations::number(*chosen, target) {
        Some(number @ (UTF8MB4_GENERAL_CI | UTF8MB4_0900_AI_CI)) => Ok(number),
        _ => Err(unknown(*chosen)),
    }
}

fn unknown(id: u16) -> Error {
    Error::reconfigure(
        "statement.collation-unknown",
        format!("the statement was run with collation {id} of MariaDB's, for which the target has no other"),
    )
    .hint("run it on the target by hand, with a collation that it knows, then skip the transaction")
}
