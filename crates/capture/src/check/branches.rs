//! XA branches that are prepared at the source before a new pipeline begins.

use datain_contract::FindingExt as _;
use datain_contract::types::{Error, Finding, Severity};
use datain_mysql_client::{Session, Stream};
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
    let version = session.server_version();
    let is_mariadb = version.is_mariadb_since(10, 5, 0);
    if !version.is_mysql_since(5, 7, 7) && !is_mariadb {
        return Ok(Finding::passed(
            CODE,
            "this server logs a branch as one transaction when it is committed",
        ));
    }
    let sql: &[u8] = if is_mariadb {
        b"XA RECOVER FORMAT='SQL'"
    } else {
        b"XA RECOVER CONVERT XID"
    };
    let rows = match session.query_rows(sql).await {
        Ok(rows) => rows,
        Err(error) if error.errno() == Some(NOT_ALLOWED) => {
            let why = format!("{} may not ask which branches are prepared", rights.account);
            return Ok(Finding::not_checked(CODE, &why)
                .remedy(rights.grant_globally(&["XA_RECOVER_ADMIN"])));
        }
        Err(error) if error.server().is_some() => {
            return Ok(Finding::not_checked(
                CODE,
                "the source does not tell which branches are prepared",
            ));
        }
        Err(error) => return Err(error.into()),
    };
    let shown = |row: &Vec<Option<String>>| {
        if is_mariadb {
            row.get(3).cloned()?
        } else {
            xid(row)
        }
    };
    let mut xids: Vec<String> = rows.iter().filter_map(shown).collect();
    xids.sort_unstable();
    let ends: Vec<String> = xids
        .iter()
        .map(|xid| format!("XA COMMIT {xid}; -- or XA ROLLBACK"))
        .collect();
    Ok(Finding::judge(
        CODE,
        rows.is_empty(),
        Severity::Warning,
        format!(
            "{} XA branches are prepared; if one was before the place where the pipeline begins, its XA COMMIT will stop the stream",
            rows.len()
        ),
    )
    .remedy(ends.join("\n"))
    .subjects(xids))
}

/// A row of XA RECOVER CONVERT XID: format id, the two lengths, and both parts together in hexadecimal digits behind `0x`.
fn xid(row: &[Option<String>]) -> Option<String> {
    let [Some(format_id), Some(gtrid), Some(_), Some(data)] = row else {
        return None;
    };
    let digits = data.strip_prefix("0x")?;
    let bytes: Option<Vec<u8>> = (0..digits.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(digits.get(at..at + 2)?, 16).ok())
        .collect();
    let mut gtrid_bytes = bytes?;
    let at = gtrid.parse::<usize>().ok()?.min(gtrid_bytes.len());
    let bqual = gtrid_bytes.split_off(at);
    Some(
        Xid {
            gtrid: gtrid_bytes,
            bqual,
            format_id: format_id.parse().ok()?,
        }
        .to_string(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_branch_is_shown_as_it_can_be_ended() {
        let row = |cells: [&str; 4]| cells.map(|cell| Some(cell.to_owned())).to_vec();
        assert_eq!(
            xid(&row(["7", "2", "1", "0x6731FF"])).as_deref(),
            Some("X'6731',X'ff',7")
        );
        assert_eq!(
            xid(&row(["1", "9", "0", "0x67"])).as_deref(),
            Some("X'67',X'',1")
        );
        assert_eq!(xid(&row(["1", "1", "0", "g"])), None);
        assert_eq!(xid(&row(["1", "1", "0", "0x6"])), None);
    }
}
