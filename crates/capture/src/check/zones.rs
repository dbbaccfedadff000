//! What the source's tables make of the time zones of its sessions.
//!
//! A stored generated column is computed when its row is written, in the time zone of the session that writes it. datain writes in UTC, since the log's timestamps are, and the
//! log does not say to a row in which zone it was written. So where the expression depends on the zone, the target stores another value than the source, unless the source's
//! sessions are in UTC too. Columns that are not stored are computed for who reads them, and so are equal for equal readers.

use datain_contract::FindingExt as _;
use datain_contract::types::{Error, Finding, Severity};
use datain_mysql_client::{ServerVersion, Session, Stream, quote_identifier};
use datain_server_facts::zone::SystemZone;
use datain_server_facts::{Variables, list, tables::quoted};
use datain_sql_statement::TableFilter;

use super::Survey;

const CODE: &str = "source.zoned-column";

/// Stored columns that are TIMESTAMPs, or are computed from one, or by functions that convert. The server writes functions in lower case and names in backticks.
const QUERY: &[u8] = b"SELECT c.TABLE_SCHEMA, c.TABLE_NAME, c.COLUMN_NAME FROM information_schema.COLUMNS AS c \
    WHERE c.EXTRA LIKE '%STORED GENERATED%' AND (c.DATA_TYPE = 'timestamp' OR c.GENERATION_EXPRESSION LIKE '%from_unixtime(%' OR LOWER(c.GENERATION_EXPRESSION) LIKE '%convert_tz(%system%' \
    OR EXISTS (SELECT 1 FROM information_schema.COLUMNS AS t WHERE t.TABLE_SCHEMA = c.TABLE_SCHEMA AND t.TABLE_NAME = c.TABLE_NAME AND t.DATA_TYPE = 'timestamp' \
    AND INSTR(c.GENERATION_EXPRESSION, CONCAT('`', REPLACE(t.COLUMN_NAME, '`', '``'), '`')) > 0))";

/// Tells the sink of the source's zone, and judges the stored columns. `now` is datain's clock, microseconds since 1970.
pub(super) async fn tell<S: Stream>(
    session: &mut Session<S>,
    filter: &TableFilter,
    variables: &Variables,
    version: &ServerVersion,
    now: u64,
    survey: &mut Survey,
) -> Result<(), Error> {
    let of_sessions = variables.text("time_zone").to_owned();
    let system = SystemZone::ask(session, now / 1_000_000).await?;
    survey.tell("time-zone", of_sessions.as_str());
    if let Some(zone) = &system {
        survey.tell("system-time-zone", zone.to_string());
    }
    let is_utc = match of_sessions.as_str() {
        "+00:00" | "UTC" => true,
        "SYSTEM" => system.as_ref().is_some_and(SystemZone::is_utc),
        _ => false,
    };
    // Older servers have no generated columns.
    let columns = if version.is_mysql_since(5, 7, 6) || version.is_mariadb() {
        session.query_rows(QUERY).await?
    } else {
        Vec::new()
    };
    let mut columns: Vec<[String; 3]> = columns
        .into_iter()
        .filter_map(|row| {
            let cells: Option<Vec<String>> = row.into_iter().collect();
            <[String; 3]>::try_from(cells?).ok()
        })
        .filter(|[schema, table, _]| filter.matches(schema, table))
        .collect();
    columns.sort();
    let zone = match (of_sessions.as_str(), &system) {
        ("SYSTEM", Some(zone)) => format!("SYSTEM, at {} now", zone.now()),
        _ => of_sessions,
    };
    survey.find(judge(&columns, &zone, is_utc));
    Ok(())
}

fn judge(columns: &[[String; 3]], zone: &str, is_utc: bool) -> Finding {
    if columns.is_empty() {
        return Finding::passed(
            CODE,
            "no stored generated column of a replicated table depends on the time zone",
        );
    }
    let named: Vec<String> = columns
        .iter()
        .map(|[schema, table, column]| {
            format!("{}.{}", quoted(schema, table), quote_identifier(column))
        })
        .collect();
    let mut tables: Vec<String> = columns
        .iter()
        .map(|[schema, table, _]| quoted(schema, table))
        .collect();
    tables.dedup();
    // Where nobody sets another zone for a session, all is well.
    let (severity, consequence) = if is_utc {
        (
            Severity::Warning,
            "sessions that set another zone store values that the target does not",
        )
    } else {
        (Severity::Fatal, "the target stores other values")
    };
    Finding::about(
        CODE,
        severity,
        format!(
            "stored generated columns depend on the time zone, which is {zone} on the source and UTC in datain's sessions, so {consequence}: {}",
            list(&named)
        ),
    )
    .remedy(
        "make the columns VIRTUAL, without an index, or compute them from columns that are no TIMESTAMPs\nor leave out the tables\nor let the source's sessions be in UTC: SET PERSIST time_zone = '+00:00', which changes what its applications see; compute the columns that are there anew\nor, if these columns may differ: [check] allow = [\"zoned-column\"]",
    )
    .subjects(tables)
}
