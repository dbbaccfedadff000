//! Accounts that the source's views, routines, triggers and events run as, and which of these the account does not see.
//!
//! information_schema leaves out, without a word, what an account has no right to see. So an empty answer says nothing by itself: who is missing is only
//! known where the account has the right that shows all of a kind ("The INFORMATION_SCHEMA ROUTINES Table", "… TRIGGERS Table" and "… EVENTS Table" in the MySQL
//! manual). What it may not see is a fact of its own, so that the sink can say that it was not checked.

use std::collections::BTreeSet;

use datain_contract::types::Error;
use datain_mysql_client::{Session, Stream};
use datain_privileges::Account;
use datain_server_facts::Rights;
use datain_sql_statement::TableFilter;

use super::Survey;

/// Things that run as somebody.
struct Kind {
    /// What they are called in the fact `definer-unseen`.
    name: &'static str,
    /// The fact that names their definers: views and routines are made on the target, triggers and events are held back.
    fact: &'static str,
    /// Schema and definer of each.
    sql: &'static [u8],
    /// Privileges on a schema of which each shows all of its kind there. The last one is what is asked for.
    on_schema: &'static [&'static str],
    /// Privileges on everything, likewise.
    globally: &'static [&'static str],
}

const KINDS: [Kind; 4] = [
    Kind {
        name: "views",
        fact: "definer",
        sql: b"SELECT TABLE_SCHEMA, DEFINER FROM information_schema.VIEWS",
        on_schema: &["SELECT"],
        globally: &[],
    },
    Kind {
        name: "routines",
        fact: "definer",
        sql: b"SELECT ROUTINE_SCHEMA, DEFINER FROM information_schema.ROUTINES",
        on_schema: &["EXECUTE", "CREATE ROUTINE", "ALTER ROUTINE"],
        globally: &["SELECT", "SHOW_ROUTINE"],
    },
    Kind {
        name: "triggers",
        fact: "held-back-definer",
        sql: b"SELECT TRIGGER_SCHEMA, DEFINER FROM information_schema.TRIGGERS",
        on_schema: &["TRIGGER"],
        globally: &[],
    },
    Kind {
        name: "events",
        fact: "held-back-definer",
        sql: b"SELECT EVENT_SCHEMA, DEFINER FROM information_schema.EVENTS",
        on_schema: &["EVENT"],
        globally: &[],
    },
];

pub(super) async fn tell<S: Stream>(
    session: &mut Session<S>,
    filter: &TableFilter,
    rights: &Rights,
    insensitive: bool,
    survey: &mut Survey,
) -> Result<(), Error> {
    // SHOW_ROUTINE is younger than the rule that routines are hidden.
    let knows_show_routine = session.server_version().is_mysql_since(8, 0, 20);
    let mut told = BTreeSet::new();
    for kind in KINDS {
        for row in session.query_rows(kind.sql).await? {
            if let [Some(schema), Some(definer)] = row.as_slice()
                && filter.matches_schema(schema)
            {
                told.insert((kind.fact, Account::parse(definer).to_string()));
            }
        }
        let grants = kind.missing(filter, rights, insensitive, knows_show_routine);
        if !grants.is_empty() {
            survey.tell_of(
                "definer-unseen",
                Some(kind.name.to_owned()),
                grants.join(" "),
            );
        }
    }
    for (fact, account) in told {
        survey.tell(fact, account);
    }
    Ok(())
}

impl Kind {
    /// The statements without which the account may not see all of this kind.
    fn missing(
        &self,
        filter: &TableFilter,
        rights: &Rights,
        insensitive: bool,
        knows_show_routine: bool,
    ) -> Vec<String> {
        let everywhere = |privilege: &&str| rights.grants.without_exception(privilege);
        if self.globally.iter().any(everywhere) || self.on_schema.iter().any(everywhere) {
            return Vec::new();
        }
        let global = match self.globally.last() {
            Some(_) if !knows_show_routine => Some(&"SELECT"),
            other => other,
        };
        let Some(names) = filter.named_schemas() else {
            let asked = global.or(self.on_schema.last());
            return asked
                .map(|privilege| rights.grant_globally(&[privilege]))
                .into_iter()
                .collect();
        };
        let unseen = names
            .into_iter()
            // Privileges are kept under names in lower case there.
            .map(|name| {
                if insensitive {
                    name.to_lowercase()
                } else {
                    name
                }
            })
            .filter(|schema| {
                !self
                    .on_schema
                    .iter()
                    .any(|privilege| rights.grants.on_schema(privilege, schema))
            });
        let mut grants: Vec<String> = unseen
            .filter_map(|schema| match global {
                Some(privilege) => Some(rights.grant_globally(&[privilege])),
                None => self
                    .on_schema
                    .last()
                    .map(|privilege| rights.grant_on_schema(&[privilege], &schema)),
            })
            .collect();
        grants.dedup();
        grants
    }
}

#[cfg(test)]
mod tests {
    use datain_privileges::Grants;

    use super::*;

    /// The names of the kinds that are not all seen, with the statement that mends it.
    fn check(lines: &[&str], include: &[&str], expected: &[&str]) {
        let include: Vec<String> = include.iter().map(|&p| p.to_owned()).collect();
        let filter = datain_server_facts::filter(&include, &[], false).unwrap();
        let rights = Rights {
            account: Account::parse("u@%"),
            grants: Grants::read(lines.iter().copied(), false),
        };
        let found: Vec<String> = KINDS
            .iter()
            .flat_map(|kind| kind.missing(&filter, &rights, false, true))
            .collect();
        assert_eq!(found, expected, "{lines:?}");
    }

    #[test]
    fn what_may_not_be_seen_is_known() {
        check(
            &["GRANT SELECT ON `shop`.* TO `u`@`%`"],
            &["shop.*"],
            &[
                "GRANT SHOW_ROUTINE ON *.* TO 'u'@'%';",
                "GRANT TRIGGER ON `shop`.* TO 'u'@'%';",
                "GRANT EVENT ON `shop`.* TO 'u'@'%';",
            ],
        );
        check(
            &["GRANT SELECT, TRIGGER, EVENT, EXECUTE ON `shop`.* TO `u`@`%`"],
            &["shop.a", "shop.b"],
            &[],
        );
        check(
            &[
                "GRANT SELECT, TRIGGER, EVENT ON `shop`.* TO `u`@`%`",
                "GRANT SHOW_ROUTINE ON *.* TO `u`@`%`",
            ],
            &["shop.*"],
            &[],
        );
        check(
            &["GRANT SELECT, EVENT ON *.* TO `u`@`%`"],
            &[],
            &["GRANT TRIGGER ON *.* TO 'u'@'%';"],
        );
        check(&["GRANT ALL PRIVILEGES ON *.* TO `u`@`%`"], &[], &[]);
        check(
            &[
                "GRANT SELECT ON *.* TO `u`@`%`",
                "REVOKE SELECT ON `shop`.* FROM `u`@`%`",
                "GRANT TRIGGER, EVENT ON `shop`.* TO `u`@`%`",
            ],
            &["shop.*"],
            &[
                "GRANT SELECT ON `shop`.* TO 'u'@'%';",
                "GRANT SHOW_ROUTINE ON *.* TO 'u'@'%';",
            ],
        );
    }
}
