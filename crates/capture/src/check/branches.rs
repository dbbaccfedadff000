//! XA branches that are prepared at the source before a new pipeline begins.

use datain_contract::FindingExt as _;
use datain_contract::types::{Error, Finding, Severity};
use datain_mysql_client::{Outcome, Session, Stream};
use datain_server_facts::Rights;
use datain_sql_statement::Xid;

const CODE: &str = "source.xa-prepared";

/// errno of "XAER_RMERR", with which a server answers an account that lacks XA_RECOVER_ADMIN.
const NOT_ALLOWED: u16 = 1401;

/// `is_new`: the pipeline has no checkpoint yet, so that whatever is prepared now may have been prepared before its beginning.
pub(super) async fn finding<S: Stream>(
    session: &mut Session<S>,
    rights: &Rights,
    is_new: bool,
) -> Result<Finding, Error> {
    if !is_new {
        return Ok(Finding::passed(
            CODE,
            "the pipeline has begun; a branch that it does not know stops it with source.xa-unknown",
        ));
    }
    if !logs_prepared(session) {
        return Ok(Finding::passed(
            CODE,
            "this server logs a branch as one transaction when it is committed",
        ));
    }
    let xids = match prepared(session).await? {
        Prepared::Told(xids) => xids,
        Prepared::NotAllowed => {
            let why = format!("{} may not ask which branches are prepared", rights.account);
            return Ok(Finding::not_checked(CODE, &why)
                .remedy(rights.grant_globally(&["XA_RECOVER_ADMIN"])));
        }
    };
    let ends: Vec<String> = xids
        .iter()
        .map(|xid| format!("XA COMMIT {xid}; -- or XA ROLLBACK"))
        .collect();
    Ok(Finding::judge(
        CODE,
        xids.is_empty(),
        Severity::Warning,
        format!(
            "{} XA branches are prepared; if one was before the place where the pipeline begins, its XA COMMIT will stop the stream",
            xids.len()
        ),
    )
    .remedy(ends.join("\n"))
    .subjects(xids))
}

/// Whether the server logs a branch when it is prepared, so that its rows come before its XA COMMIT. MySQL before 5.7.7 and MariaDB before 10.5 log it as one transaction at that.
pub(crate) fn logs_prepared<S: Stream>(session: &Session<S>) -> bool {
    let version = session.server_version();
    version.is_mariadb_since(10, 5, 0) || version.is_mysql_since(5, 7, 7)
}

/// What a server says of its prepared branches.
pub(crate) enum Prepared {
    /// Their xids, as XA COMMIT takes them.
    Told(Vec<String>),
    /// Nothing: the account lacks XA_RECOVER_ADMIN.
    NotAllowed,
}

/// Asks which branches are prepared.
///
/// # Errors
/// Errors of the server.
pub(crate) async fn prepared<S: Stream>(session: &mut Session<S>) -> Result<Prepared, Error> {
    // As bytes: 5.6 cannot say it in digits.
    let rows = match session.query(b"XA RECOVER").await {
        Ok(mut outcomes) => match outcomes.pop() {
            Some(Outcome::Rows(set)) => set.rows,
            _ => Vec::new(),
        },
        Err(error) if error.errno() == Some(NOT_ALLOWED) => return Ok(Prepared::NotAllowed),
        Err(error) => return Err(error.into()),
    };
    let mut xids: Vec<String> = rows
        .iter()
        .map(|row| xid(row).unwrap_or_else(|| "one whose xid cannot be read".to_owned()))
        .collect();
    xids.sort_unstable();
    Ok(Prepared::Told(xids))
}

/// A row of XA RECOVER: format id, the two lengths, and both parts together.
fn xid(row: &[Option<Vec<u8>>]) -> Option<String> {
    let [Some(format_id), Some(gtrid), Some(_), Some(data)] = row else {
        return None;
    };
    let number = |digits: &[u8]| std::str::from_utf8(digits).ok()?.parse::<u64>().ok();
    let at = usize::try_from(number(gtrid)?).ok()?;
    let (gtrid, bqual) = data.split_at_checked(at)?;
    Some(
        Xid {
            gtrid: gtrid.to_vec(),
            bqual: bqual.to_vec(),
            format_id: number(format_id)?,
        }
        .to_string(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_branch_is_shown_as_it_can_be_ended() {
        let row = |cells: [&[u8]; 4]| cells.map(|cell| Some(cell.to_vec())).to_vec();
        let is = |cells, expected| assert_eq!(xid(&row(cells)).as_deref(), expected);
        is([b"7", b"2", b"1", b"g1\xff"], Some("X'6731',X'ff',7"));
        is([b"1", b"1", b"0", b"g"], Some("X'67',X'',1"));
        is([b"1", b"2", b"0", b"g"], None);
        is([b"x", b"1", b"0", b"g"], None);
    }
}
