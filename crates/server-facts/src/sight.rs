//! What an account may not see all of.
//!
//! information_schema leaves out, without a word, what an account has no right to see. So an empty answer says nothing by itself: that nothing is missing is only
//! known where the account has a right that shows all of a kind ("The INFORMATION_SCHEMA ROUTINES Table", "… TRIGGERS Table" and "… EVENTS Table" in the MySQL
//! manual).

use datain_sql_statement::TableFilter;

use crate::Rights;

/// The privileges that show all of one kind.
#[derive(Debug, Clone, Copy)]
pub struct Sight {
    /// Privileges on a schema of which each shows all of the kind there. The last one is what is asked for.
    on_schema: &'static [&'static str],
    /// Privileges on everything, likewise.
    globally: &'static [&'static str],
}

impl Sight {
    /// Tables, and views by name.
    pub const TABLES: Sight = Sight {
        on_schema: &["SELECT"],
        globally: &[],
    };
    /// Functions and procedures. Their definitions are shown by the global ones only.
    pub const ROUTINES: Sight = Sight {
        on_schema: &["EXECUTE", "CREATE ROUTINE", "ALTER ROUTINE"],
        globally: &["SELECT", "SHOW_ROUTINE"],
    };
    /// Triggers.
    pub const TRIGGERS: Sight = Sight {
        on_schema: &["TRIGGER"],
        globally: &[],
    };
    /// Events.
    pub const EVENTS: Sight = Sight {
        on_schema: &["EVENT"],
        globally: &[],
    };

    /// The statements without which the account may not see all of this kind that the filter lets through. `insensitive`: the server compares names of schemas without regard
    /// to letter case. `knows_show_routine`: it has the privilege SHOW_ROUTINE, which is younger than the rule that routines are hidden (MySQL 8.0.20).
    #[must_use]
    pub fn missing(
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
    use datain_privileges::{Account, Grants};

    use super::*;

    /// What is not all seen, by the statements that mend it.
    fn check(lines: &[&str], include: &[&str], expected: &[&str]) {
        let include: Vec<String> = include.iter().map(|&p| p.to_owned()).collect();
        let filter = crate::filter(&include, &[], false).unwrap();
        let rights = Rights {
            account: Account::parse("u@%"),
            grants: Grants::read(lines.iter().copied(), false),
        };
        let kinds = [
            Sight::TABLES,
            Sight::ROUTINES,
            Sight::TRIGGERS,
            Sight::EVENTS,
        ];
        let found: Vec<String> = kinds
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
