//! Accounts that the source's views, routines, triggers and events run as, and which of these the account does not see.
//!
//! What the account may not see ([`Sight`]) is a fact of its own, so that the sink can say that it was not checked.

use std::collections::BTreeSet;

use datain_contract::types::Error;
use datain_mysql_client::{Session, Stream};
use datain_privileges::Account;
use datain_server_facts::{Rights, Sight};
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
    /// The privileges that show all of them.
    sight: Sight,
}

const KINDS: [Kind; 4] = [
    Kind {
        name: "views",
        fact: "definer",
        sql: b"SELECT TABLE_SCHEMA, DEFINER FROM information_schema.VIEWS",
        sight: Sight::TABLES,
    },
    Kind {
        name: "routines",
        fact: "definer",
        sql: b"SELECT ROUTINE_SCHEMA, DEFINER FROM information_schema.ROUTINES",
        sight: Sight::ROUTINES,
    },
    Kind {
        name: "triggers",
        fact: "held-back-definer",
        sql: b"SELECT TRIGGER_SCHEMA, DEFINER FROM information_schema.TRIGGERS",
        sight: Sight::TRIGGERS,
    },
    Kind {
        name: "events",
        fact: "held-back-definer",
        sql: b"SELECT EVENT_SCHEMA, DEFINER FROM information_schema.EVENTS",
        sight: Sight::EVENTS,
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
        let grants = kind
            .sight
            .missing(filter, rights, insensitive, knows_show_routine);
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
