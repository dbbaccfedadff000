//! Accounts that the source's views, routines, triggers and events run as.
//!
//! The source tells whose there are, and of what it may not see all ("definer-unseen"). What cannot be seen is never taken to be absent.

use std::collections::{BTreeSet, HashSet};

use datain_contract::types::{Error, Finding, Severity};
use datain_contract::{FactsExt as _, FindingExt as _};
use datain_mysql_client::{ServerVersion, Session, Stream};
use datain_privileges::Account;
use datain_server_facts::list;

use super::{Look, NO_FACTS};

const CODE: &str = "pair.definers";

/// What the source's account may not see all of, and the statements with which it would.
#[derive(Debug, Default)]
pub(super) struct Unseen {
    pub(super) what: Vec<String>,
    pub(super) grants: Vec<String>,
}

impl Unseen {
    /// Of these kinds.
    pub(super) fn of(look: &Look<'_>, kinds: &[&str]) -> Unseen {
        let mut unseen = Unseen::default();
        for fact in look.facts.iter().filter(|f| f.name == "definer-unseen") {
            let kind = fact.subject.clone().unwrap_or_default();
            if kinds.contains(&kind.as_str()) {
                unseen.what.push(kind);
                if !unseen.grants.contains(&fact.value) {
                    unseen.grants.push(fact.value.clone());
                }
            }
        }
        unseen
    }

    pub(super) fn is_empty(&self) -> bool {
        self.what.is_empty()
    }
}

pub(super) async fn check<S: Stream>(
    session: &mut Session<S>,
    look: &Look<'_>,
    version: &ServerVersion,
) -> Result<Finding, Error> {
    if look.facts.value("tables").is_none() {
        return Ok(Finding::not_checked(CODE, NO_FACTS));
    }
    if look.facts.value("definer-choice") == Some("current-user") {
        return Ok(Finding::passed(
            CODE,
            "none is needed: everything runs as the target's account ([replicate] definer = \"current-user\")",
        ));
    }
    let unseen = Unseen::of(look, &["views", "routines", "triggers", "events"]);
    let wanted: BTreeSet<String> = look
        .facts
        .values("definer")
        .chain(look.facts.values("held-back-definer"))
        .map(str::to_owned)
        .collect();
    let missing = if wanted.is_empty() {
        Vec::new()
    } else {
        match accounts(session).await? {
            Some(there) => wanted
                .iter()
                .filter(|account| !there.contains(*account))
                .cloned()
                .collect(),
            None => return Ok(unreadable(look, wanted, &unseen)),
        }
    };
    let how = if version.is_mysql_since(8, 0, 18) {
        "IDENTIFIED BY RANDOM PASSWORD ACCOUNT LOCK"
    } else if version.is_mysql_since(5, 7, 6) {
        "ACCOUNT LOCK"
    } else {
        "IDENTIFIED BY '…'"
    };
    let mut statements: Vec<String> = missing
        .iter()
        .map(|account| format!("CREATE USER {account} {how};"))
        .collect();
    let mut message = match (wanted.len(), missing.as_slice()) {
        (0, _) => "none is seen on the source".to_owned(),
        (all, []) => format!("the target has all {all}"),
        (_, missing) => format!("the target lacks {}", list(missing)),
    };
    if !unseen.is_empty() {
        message = format!("{message}; {}", not_all(&unseen));
    }
    if !missing.is_empty() {
        statements.push(
            "-- or let everything run as the target's account: [replicate] definer = \"current-user\""
                .to_owned(),
        );
        let on_source = unseen.grants.iter();
        statements.extend(on_source.map(|grant| format!("-- on the source: {grant}")));
        return Ok(Finding::about(CODE, Severity::Warning, message)
            .remedy(statements.join("\n"))
            .subjects(missing));
    }
    if unseen.is_empty() {
        return Ok(Finding::passed(CODE, message));
    }
    Ok(Finding::about(CODE, Severity::Note, message).remedy(unseen.grants.join("\n")))
}

/// The target's accounts; none if they may not be read.
pub(crate) async fn accounts<S: Stream>(
    session: &mut Session<S>,
) -> Result<Option<HashSet<String>>, Error> {
    let rows = match session
        .query_rows(b"SELECT User, Host FROM mysql.user")
        .await
    {
        Ok(rows) => rows,
        Err(e) if e.code() == "server.privilege-missing" => return Ok(None),
        Err(e) => return Err(e.into()),
    };
    let accounts = rows.into_iter().filter_map(|row| {
        let [user, host] = <[Option<String>; 2]>::try_from(row).ok()?;
        Some(
            Account {
                user: user.unwrap_or_default(),
                host: host.unwrap_or_default(),
            }
            .to_string(),
        )
    });
    Ok(Some(accounts.collect()))
}

fn unreadable(look: &Look<'_>, wanted: BTreeSet<String>, unseen: &Unseen) -> Finding {
    let all: Vec<String> = wanted.into_iter().collect();
    let mut why = format!(
        "{} may not read mysql.user on the target; the definers are {}",
        look.rights.account,
        list(&all)
    );
    let mut remedy = format!("GRANT SELECT ON mysql.user TO {};", look.rights.account);
    if !unseen.is_empty() {
        why = format!("{why}; {}", not_all(unseen));
        for grant in &unseen.grants {
            remedy = format!("{remedy}\n-- on the source: {grant}");
        }
    }
    Finding::not_checked(CODE, &why)
        .remedy(remedy)
        .subjects(all)
}

fn not_all(unseen: &Unseen) -> String {
    format!(
        "not checked: the source's account may not see all {}",
        unseen.what.join(", ")
    )
}
