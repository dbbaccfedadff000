//! How far a cutover has come: one row per pipeline in `datain.cutovers`, which outlives whoever began it.
//!
//! Only its host understands the row's note. What the row does by itself: while `bars_start` is set, no person's start lets the pipeline run.
//!
//! Each change names the revision that it follows, and must match it: of two commands that work on one cutover the slower one changes nothing more. Revisions of a cutover that was
//! forgotten do not come back, since the first one is the time at which it began.

use datain_contract::ErrorExt as _;
use datain_contract::types::Error;
use datain_mysql_client::{Session, Stream};

use super::layout::{self, Found};
use super::{Lock, ahead, literal, read};
use crate::settings;

/// The host's word for a cutover that has ended.
const DONE: &str = "done";

/// What is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Progress {
    /// The host's word for it.
    pub stage: String,
    /// What it wants to find again.
    pub note: String,
    /// Whether a person's start is refused.
    pub bars_start: bool,
}

/// What was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Known {
    /// What is kept.
    pub progress: Progress,
    /// For [`set`].
    pub revision: u64,
    /// Microseconds since 1970.
    pub began_at_micros: u64,
    /// Microseconds since 1970.
    pub changed_at_micros: u64,
}

/// What happens to the pipeline in the same transaction.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Consequences {
    /// It is stopped, and every writer is fenced off.
    pub stop: bool,
    /// It may run again.
    pub start: bool,
    /// What was held back is forgotten.
    pub settle: bool,
}

fn of_stream(sql: &str, stream: &str) -> Vec<u8> {
    let mut sql = sql.as_bytes().to_vec();
    sql.extend_from_slice(b" WHERE stream = ");
    literal(&mut sql, stream);
    sql
}

/// What the target knows; none where there is no cutover. Changes nothing.
///
/// # Errors
/// `checkpoint.format`; errors of the server.
pub async fn known<S: Stream>(
    session: &mut Session<S>,
    stream: &str,
) -> Result<Option<Known>, Error> {
    if layout::find(session).await? != Found::All {
        return Ok(None);
    }
    let for_rows = settings::for_rows(session.server_version());
    session.exec(&for_rows).await?;
    let sql = of_stream(
        "SELECT stage, note, bars_start, revision, CAST(UNIX_TIMESTAMP(began_at) * 1000000 AS UNSIGNED), \
         CAST(UNIX_TIMESTAMP(changed_at) * 1000000 AS UNSIGNED) FROM datain.cutovers",
        stream,
    );
    let Some(row) = session.query_first(&sql).await? else {
        return Ok(None);
    };
    let [
        Some(stage),
        Some(note),
        Some(bars),
        Some(revision),
        Some(began),
        Some(changed),
    ] = row.as_slice()
    else {
        return Err(damaged());
    };
    let number = |text: &String| text.parse::<u64>().map_err(|_| damaged());
    Ok(Some(Known {
        progress: Progress {
            stage: stage.clone(),
            note: note.clone(),
            bars_start: bars != "0",
        },
        revision: number(revision)?,
        began_at_micros: number(began)?,
        changed_at_micros: number(changed)?,
    }))
}

fn damaged() -> Error {
    Error::fatal(
        "checkpoint.damaged",
        "the row in datain.cutovers cannot be read",
    )
    .hint(
        "restore the row, or delete it and look at both servers before the cutover is begun again",
    )
}

/// Keeps `next`, or with none forgets the cutover, if it still is at the revision that was `seen` (0: there was none). Returns the new revision.
///
/// # Errors
/// `cutover.elsewhere`, `cutover.no-pipeline`; `checkpoint.statement-running`, with the change made; errors of the server.
pub async fn set<S: Stream>(
    session: &mut Session<S>,
    stream: &str,
    seen: u64,
    next: Option<&Progress>,
    consequences: Consequences,
) -> Result<u64, Error> {
    let for_rows = settings::for_rows(session.server_version());
    session.exec(&for_rows).await?;
    if read(session, stream).await?.is_none() {
        return Err(Error::reconfigure(
            "cutover.no-pipeline",
            format!("the target knows no pipeline `{stream}`"),
        )
        .hint("a cutover ends a migration: datain run -c FILE begins one"));
    }
    layout::complete(session).await?;
    session.exec(b"START TRANSACTION").await?;
    let changed = session
        .exec(&change_sql(stream, seen, next))
        .await?
        .affected_rows;
    if changed != 1 {
        session.exec(b"ROLLBACK").await?;
        return Err(Error::fatal(
            "cutover.elsewhere",
            format!("another command has gone on with the cutover of pipeline `{stream}`; this one has changed nothing more"),
        )
        .hint("datain status -c FILE says how far it is"));
    }
    if consequences.stop {
        let sql = "UPDATE datain.checkpoints SET stopped_at = COALESCE(stopped_at, CURRENT_TIMESTAMP(6)), epoch = epoch + 1";
        session.exec(&of_stream(sql, stream)).await?;
        session.exec(&ahead::fence_off_sql(stream)).await?;
    }
    if consequences.start {
        let sql = "UPDATE datain.checkpoints SET stopped_at = NULL";
        session.exec(&of_stream(sql, stream)).await?;
    }
    if consequences.settle {
        let sql = "DELETE FROM datain.held_back";
        session.exec(&of_stream(sql, stream)).await?;
    }
    let row = session
        .query_first(&of_stream("SELECT revision FROM datain.cutovers", stream))
        .await?;
    session.exec(b"COMMIT").await?;
    if consequences.stop {
        // No writer can begin a statement any more; one that is under way is waited for.
        Lock::Statements(stream).take(session).await?;
        Lock::Statements(stream).give_back(session).await?;
    }
    let revision = row.and_then(|row| row.into_iter().next().flatten());
    match (next, revision.and_then(|text| text.parse().ok())) {
        (None, _) => Ok(0),
        (Some(_), Some(revision)) => Ok(revision),
        (Some(_), None) => Err(damaged()),
    }
}

fn change_sql(stream: &str, seen: u64, next: Option<&Progress>) -> Vec<u8> {
    let Some(next) = next else {
        let mut sql = of_stream("DELETE FROM datain.cutovers", stream);
        sql.extend_from_slice(format!(" AND revision = {seen}").as_bytes());
        return sql;
    };
    let values = |sql: &mut Vec<u8>| {
        literal(sql, &next.stage);
        sql.extend_from_slice(b", note = ");
        literal(sql, &next.note);
        sql.extend_from_slice(format!(", bars_start = {}", u8::from(next.bars_start)).as_bytes());
    };
    if seen == 0 {
        let mut sql = b"INSERT IGNORE INTO datain.cutovers SET revision = CAST(UNIX_TIMESTAMP(CURRENT_TIMESTAMP(6)) * 1000000 AS UNSIGNED), stream = ".to_vec();
        literal(&mut sql, stream);
        sql.extend_from_slice(b", stage = ");
        values(&mut sql);
        return sql;
    }
    let mut sql = b"UPDATE datain.cutovers SET revision = revision + 1, changed_at = CURRENT_TIMESTAMP(6), stage = ".to_vec();
    values(&mut sql);
    sql.extend_from_slice(b" WHERE stream = ");
    literal(&mut sql, stream);
    sql.extend_from_slice(format!(" AND revision = {seen}").as_bytes());
    sql
}

/// Whether a person's start must be refused.
///
/// # Errors
/// `cutover.under-way` if so; errors of the server.
pub(super) async fn require_none<S: Stream>(
    session: &mut Session<S>,
    stream: &str,
) -> Result<(), Error> {
    let Some(known) = known(session, stream).await? else {
        return Ok(());
    };
    if !known.progress.bars_start {
        return Ok(());
    }
    let stage = &known.progress.stage;
    let error = Error::reconfigure(
        "cutover.under-way",
        format!("pipeline `{stream}` must not run any more: it is in a cutover ({stage})"),
    );
    Err(if stage == DONE {
        error.hint("the target is in use now: the .reverse.toml beside FILE replicates the other way; datain remove -c FILE forgets the pipeline")
    } else {
        error.hint(
            "datain cutover -c FILE goes on with it, datain cutover -c FILE --abort takes it back",
        )
    })
}

/// Whether the pipeline's rows may be removed: while a cutover is under way they say what must be undone.
///
/// # Errors
/// `cutover.under-way` if not; errors of the server.
pub(super) async fn require_ended<S: Stream>(
    session: &mut Session<S>,
    stream: &str,
) -> Result<(), Error> {
    match known(session, stream).await? {
        Some(known) if known.progress.stage != DONE => Err(Error::reconfigure(
            "cutover.under-way",
            format!(
                "pipeline `{stream}` is in a cutover ({}): what it has changed would be forgotten",
                known.progress.stage
            ),
        )
        .hint(
            "datain cutover -c FILE goes on with it, datain cutover -c FILE --abort takes it back",
        )),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_change_names_what_it_follows() {
        let next = Progress {
            stage: "frozen".to_owned(),
            note: "{\"a\":'}".to_owned(),
            bars_start: false,
        };
        let sql = |seen, next| String::from_utf8(change_sql("s", seen, next)).unwrap();
        assert_eq!(
            sql(7, Some(&next)),
            "UPDATE datain.cutovers SET revision = revision + 1, changed_at = CURRENT_TIMESTAMP(6), stage = _utf8mb4'frozen', \
             note = _utf8mb4'{\\\"a\\\":\\'}', bars_start = 0 WHERE stream = _utf8mb4's' AND revision = 7"
        );
        assert!(
            sql(0, Some(&next)).starts_with("INSERT IGNORE INTO datain.cutovers SET revision = ")
        );
        assert_eq!(
            sql(7, None),
            "DELETE FROM datain.cutovers WHERE stream = _utf8mb4's' AND revision = 7"
        );
    }
}
