//! What a copy refuses, and what an error in its midst means.

use datain_contract::ErrorExt as _;
use datain_contract::types::Error;
use datain_mysql_client::{Session, Stream};

use super::changed_meanwhile;
use crate::check::branches::{self, Prepared};

/// Refuses to begin while XA branches are prepared: of one that was prepared before the stream's beginning the log never shows the rows, and the copy sees them only if it is
/// committed in time.
pub(super) async fn no_branch_is_prepared<S: Stream>(
    session: &mut Session<S>,
    notices: &mut Vec<String>,
) -> Result<(), Error> {
    if !branches::logs_prepared(session) {
        return Ok(());
    }
    let xids = match branches::prepared(session).await? {
        Prepared::Told(xids) if xids.is_empty() => return Ok(()),
        Prepared::Told(xids) => xids,
        Prepared::NotAllowed => {
            notices.push(
                "the source's account may not ask which XA branches are prepared (XA_RECOVER_ADMIN): one that is stops the stream when it is committed, with source.xa-unknown"
                    .to_owned(),
            );
            return Ok(());
        }
    };
    Err(Error::reconfigure(
        "snapshot.xa",
        "XA transactions are prepared on the source, so what they have changed would be missed",
    )
    .detail(format!("prepared: {}", xids.join("; ")))
    .hint("end them with XA COMMIT or XA ROLLBACK, then start again; nothing was written yet"))
}

pub(super) fn no_connection() -> Error {
    Error::fatal(
        "source.contract",
        "a first copy was begun without a connection",
    )
}

/// errno of an unknown schema, an unknown column, a table that is not there, an index that is not, and a definition that has changed since.
const GONE: [u16; 5] = [1049, 1054, 1146, 1176, 1412];

/// What the source no longer has was renamed, dropped or altered.
pub(super) fn as_change(error: Error) -> Error {
    if !error
        .server_errno
        .is_some_and(|errno| GONE.contains(&errno))
    {
        return error;
    }
    Error {
        table: error.table,
        ..changed_meanwhile()
    }
}

/// The error of an order that would let the stream go past something that the copy still needs.
pub(crate) fn incomplete() -> Error {
    Error::reconfigure(
        "snapshot.incomplete",
        "the first copy is not complete: until it is, no transaction can be left out, and there is no other place from which the stream could go on",
    )
    .hint("mend what stops it, and let it come to its end; or datain remove -c FILE, drop what was copied on the target, and begin where [start] says")
}

pub(super) fn damaged() -> Error {
    Error::fatal(
        "checkpoint.damaged",
        "the checkpoint names a key of the table being copied that cannot be read",
    )
    .hint("remove the pipeline and copy anew")
}
