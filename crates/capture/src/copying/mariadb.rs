//! What a MariaDB may hold that a first copy does not bring.

use datain_contract::ErrorExt as _;
use datain_contract::types::Error;
use datain_mysql_client::{Session, Stream};
use datain_sql_statement::TableFilter;

/// Tables of other kinds than plain ones, and packages, each with its kind.
const SPECIAL: &[u8] = b"SELECT TABLE_SCHEMA, TABLE_NAME, TABLE_TYPE FROM information_schema.TABLES WHERE TABLE_TYPE IN ('SEQUENCE', 'SYSTEM VERSIONED') \
    UNION ALL SELECT ROUTINE_SCHEMA, ROUTINE_NAME, ROUTINE_TYPE FROM information_schema.ROUTINES WHERE ROUTINE_TYPE = 'PACKAGE'";

/// Refuses what would arrive without a part of it: a sequence without its value, a table without its rows' history, a package not at all.
///
/// # Errors
/// `snapshot.mariadb-object`; errors of the server.
pub(super) async fn must_be_plain<S: Stream>(
    session: &mut Session<S>,
    filter: &TableFilter,
) -> Result<(), Error> {
    if !session.server_version().is_mariadb_since(10, 3, 0) {
        return Ok(());
    }
    for row in session.query_rows(SPECIAL).await? {
        let [Some(schema), Some(name), Some(kind)] = &row[..] else {
            continue;
        };
        if !filter.matches(schema, name) {
            continue;
        }
        let (what, hint) = match kind.as_str() {
            "SEQUENCE" => (
                "a sequence is replicated, and the first copy does not bring the value that it has come to",
                "exclude it, and at the cutover CREATE SEQUENCE … START WITH … on the target; or copy by other means, and start at a position",
            ),
            "PACKAGE" => (
                "a package is replicated, which the first copy does not bring",
                "exclude it by its name, and create it on the target by hand; or copy by other means, and start at a position",
            ),
            _ => (
                "a system-versioned table is replicated, and the first copy does not bring the history of its rows",
                "exclude it; or ALTER TABLE … DROP SYSTEM VERSIONING on the source, which deletes the history",
            ),
        };
        return Err(Error::reconfigure("snapshot.mariadb-object", what)
            .hint(hint)
            .in_table(schema, name));
    }
    Ok(())
}
