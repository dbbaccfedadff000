//! What a person orders: stop and start, skip, remove; and the note of an error for those who ask later.
//!
//! Each works on a session of its own, whether a writer is open somewhere or not. Stop and skip raise the epoch, so a writer that is
//! open can commit nothing from then on.

use datain_contract::ErrorExt as _;
use datain_contract::types::{Checkpoint, Error};
use datain_mysql_client::{Session, Stream, append_string};

use super::store::make_row;
use super::{Lock, ahead, cutovers, layout, literal, temporary};
use crate::settings;

/// A longer description of a skipped transaction is cut.
const TEXT_BYTES: usize = 60 << 10;

/// What is recorded of a skipped transaction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Skipped {
    /// GTID, or file and offset.
    pub identity: String,
    /// What was in it, for people.
    pub description: String,
    /// Why, in the words of the one who skipped it.
    pub reason: String,
}

/// What was removed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Removal {
    /// Whether there was such a pipeline.
    pub known: bool,
    /// Rows of `held_back`.
    pub held_back: u64,
    /// Rows of `skipped`.
    pub skipped: u64,
    /// It was the last pipeline: the tables are gone too.
    pub dropped_schema: bool,
}

/// Prepares a fresh session: the literals here need the same settings as those of rows.
async fn prepare<S: Stream>(session: &mut Session<S>) -> Result<(), Error> {
    let for_rows = settings::for_rows(session.server_version());
    session.exec(&for_rows).await?;
    Ok(())
}

fn of_stream(sql: &str, stream: &str) -> Vec<u8> {
    let mut sql = sql.as_bytes().to_vec();
    sql.extend_from_slice(b" WHERE stream = ");
    literal(&mut sql, stream);
    sql
}

/// Stops the pipeline, or lets it run again. A stop waits for a statement that is under way.
///
/// # Errors
/// Those of the server; `checkpoint.format`; `checkpoint.statement-running`, with the stop recorded; `cutover.under-way`.
pub async fn set_stopped<S: Stream>(
    session: &mut Session<S>,
    stream: &str,
    stopped: bool,
) -> Result<(), Error> {
    prepare(session).await?;
    if !stopped {
        if layout::exists(session).await? {
            cutovers::require_none(session, stream).await?;
            session
                .exec(&of_stream(
                    "UPDATE datain.checkpoints SET stopped_at = NULL",
                    stream,
                ))
                .await?;
        }
        return Ok(());
    }
    make_row(session, stream).await?;
    session.exec(b"START TRANSACTION").await?;
    let sql = "UPDATE datain.checkpoints SET stopped_at = COALESCE(stopped_at, CURRENT_TIMESTAMP(6)), epoch = epoch + 1";
    session.exec(&of_stream(sql, stream)).await?;
    session.exec(&ahead::fence_off_sql(stream)).await?;
    session.exec(b"COMMIT").await?;
    // From here on no writer can begin a statement; one that is under way is waited for.
    Lock::Statements(stream)
        .take(session)
        .await
        .map_err(|mut error| {
            error.message = format!("the stop is recorded, but {}", error.message);
            error
        })?;
    Lock::Statements(stream).give_back(session).await
}

/// Moves the checkpoint from `before` to `after` and records why.
///
/// # Errors
/// `checkpoint.moved` when the checkpoint is not `before`; `skip.applied` when the transaction is in the target ahead of it; `checkpoint.statement-running`; errors of the server. Then nothing
/// was changed.
pub async fn skip<S: Stream>(
    session: &mut Session<S>,
    stream: &str,
    before: &Checkpoint,
    after: &Checkpoint,
    skipped: &Skipped,
) -> Result<(), Error> {
    prepare(session).await?;
    // The statement that is to be skipped may still be running for a host that was killed.
    Lock::Statements(stream).take(session).await?;
    layout::complete(session).await?;
    session.exec(b"START TRANSACTION").await?;
    let mut sql = format!(
        "UPDATE datain.checkpoints SET epoch = epoch + 1, written_at = CURRENT_TIMESTAMP(6), ordinal = {}, state = _binary",
        after.ordinal
    )
    .into_bytes();
    append_string(&mut sql, &after.data);
    sql.extend_from_slice(b", display = ");
    literal(&mut sql, cut(&after.display));
    // The statement of an intent was in the transaction that is skipped.
    sql.extend_from_slice(b", ddl_identity = NULL, ddl_gtid = NULL WHERE stream = ");
    literal(&mut sql, stream);
    sql.extend_from_slice(
        format!(" AND ordinal = {} AND state = _binary", before.ordinal).as_bytes(),
    );
    append_string(&mut sql, &before.data);
    if session.exec(&sql).await?.affected_rows != 1 {
        return Err(Error::fatal(
            "checkpoint.moved",
            format!("the checkpoint of pipeline `{stream}` is no longer {}; nothing was skipped", before.display),
        )
        .hint("a host is running it: datain stop -c FILE first, then look again at what would be skipped"));
    }
    session.exec(&ahead::fence_off_sql(stream)).await?;
    let uuid = session
        .query_first(&of_stream(
            "SELECT ddl_uuid FROM datain.checkpoints",
            stream,
        ))
        .await?
        .and_then(|row| row.into_iter().next().flatten())
        .unwrap_or_default();
    let (applied, _) = ahead::read(session, stream, &uuid).await?;
    if applied.holds_name(&skipped.identity) {
        return Err(Error::reconfigure(
            "skip.applied",
            format!(
                "{} is in the target already, ahead of the checkpoint; nothing was skipped",
                skipped.identity
            ),
        )
        .hint("run the pipeline: it passes over what is there"));
    }
    let mut sql =
        b"INSERT INTO datain.skipped (stream, ordinal, identity, description, reason) VALUES ("
            .to_vec();
    literal(&mut sql, stream);
    sql.extend_from_slice(format!(", {}, ", after.ordinal).as_bytes());
    literal(&mut sql, &skipped.identity);
    sql.extend_from_slice(b", ");
    literal(&mut sql, cut(&skipped.description));
    sql.extend_from_slice(b", ");
    literal(&mut sql, cut(&skipped.reason));
    sql.push(b')');
    session.exec(&sql).await?;
    session.exec(b"COMMIT").await?;
    Lock::Statements(stream).give_back(session).await
}

/// Whether [`skip`] with the same arguments has been committed: for one whose answer was lost.
///
/// # Errors
/// Those of the server.
pub async fn was_skipped<S: Stream>(
    session: &mut Session<S>,
    stream: &str,
    after: &Checkpoint,
    skipped: &Skipped,
) -> Result<bool, Error> {
    prepare(session).await?;
    let mut sql = of_stream("SELECT COUNT(*) FROM datain.skipped", stream);
    sql.extend_from_slice(format!(" AND ordinal = {} AND identity = ", after.ordinal).as_bytes());
    literal(&mut sql, &skipped.identity);
    // A commit that is still going on in a connection that nobody hears of is waited for.
    sql.extend_from_slice(b" FOR UPDATE");
    let row = session.query_first(&sql).await?;
    Ok(row
        .and_then(|row| row.into_iter().next().flatten())
        .is_some_and(|count| count != "0"))
}

/// At most [`TEXT_BYTES`], on a character's border.
fn cut(text: &str) -> &str {
    let mut end = text.len().min(TEXT_BYTES);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}

/// Counts a pipeline's rows of `held_back` and of `skipped`.
///
/// # Errors
/// Those of the server.
pub async fn kept<S: Stream>(session: &mut Session<S>, stream: &str) -> Result<(u64, u64), Error> {
    if !layout::exists(session).await? {
        return Ok((0, 0));
    }
    let mut counts = [0; 2];
    for (count, table) in counts.iter_mut().zip(["held_back", "skipped"]) {
        let sql = of_stream(&format!("SELECT COUNT(*) FROM datain.{table}"), stream);
        let row = session.query_first(&sql).await?;
        *count = row
            .and_then(|row| row.into_iter().next().flatten())
            .and_then(|text| text.parse().ok())
            .unwrap_or(0);
    }
    Ok((counts[0], counts[1]))
}

/// Removes all rows of the pipeline; with the last pipeline also the tables. An open writer of it can commit nothing from then on.
///
/// # Errors
/// Those of the server, such as missing privileges; `checkpoint.statement-running`, `cutover.under-way`. Then nothing was changed.
pub async fn remove<S: Stream>(session: &mut Session<S>, stream: &str) -> Result<Removal, Error> {
    prepare(session).await?;
    if !layout::exists(session).await? {
        return Ok(Removal::default());
    }
    cutovers::require_ended(session, stream).await?;
    Lock::Statements(stream).take(session).await?;
    Lock::Layout.take(session).await?;
    // A pipeline of an older format may lack tables.
    layout::make(session).await?;
    session.exec(b"START TRANSACTION").await?;
    // The row of the checkpoint first: it is the one that a writer waits for.
    let known = session
        .exec(&of_stream("DELETE FROM datain.checkpoints", stream))
        .await?;
    let held_back = session
        .exec(&of_stream("DELETE FROM datain.held_back", stream))
        .await?;
    let skipped = session
        .exec(&of_stream("DELETE FROM datain.skipped", stream))
        .await?;
    for table in ["xa_prepared", "ahead", "cutovers"] {
        session
            .exec(&of_stream(&format!("DELETE FROM datain.{table}"), stream))
            .await?;
    }
    crate::examine::kept::remove(session, stream).await?;
    session.exec(b"COMMIT").await?;
    temporary::remove(session, stream).await?;
    // What is left of branches without their pipeline is of no use to anybody.
    let others = session
        .query_first(b"SELECT (SELECT COUNT(*) FROM datain.checkpoints) + (SELECT COUNT(*) FROM datain.held_back) + (SELECT COUNT(*) FROM datain.skipped)")
        .await?;
    let dropped_schema = others
        .and_then(|row| row.into_iter().next().flatten())
        .as_deref()
        == Some("0");
    if dropped_schema {
        layout::drop(session).await?;
    }
    Lock::Layout.give_back(session).await?;
    Lock::Statements(stream).give_back(session).await?;
    Ok(Removal {
        known: known.affected_rows > 0,
        held_back: held_back.affected_rows,
        skipped: skipped.affected_rows,
        dropped_schema,
    })
}

/// Keeps an error's report, in place of the one before.
///
/// # Errors
/// Those of the server.
pub async fn note_error<S: Stream>(
    session: &mut Session<S>,
    stream: &str,
    report: &str,
) -> Result<(), Error> {
    prepare(session).await?;
    if !layout::exists(session).await? {
        return Ok(());
    }
    let mut sql =
        b"UPDATE datain.checkpoints SET last_error_at = CURRENT_TIMESTAMP(6), last_error = "
            .to_vec();
    literal(&mut sql, report);
    sql.extend_from_slice(b" WHERE stream = ");
    literal(&mut sql, stream);
    session.exec(&sql).await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_texts_are_cut_on_a_border() {
        assert_eq!(cut("short"), "short");
        let long = "é".repeat(TEXT_BYTES);
        assert_eq!(cut(&long).len(), TEXT_BYTES);
        let odd = format!("x{long}");
        assert_eq!(cut(&odd).len(), TEXT_BYTES - 1);
    }
}
