//! The lines together.

use crate::line::{self, Place};
use crate::pattern;

/// Everything that SHOW GRANTS says of an account.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Grants {
    everywhere: Vec<String>,
    schemas: Vec<(String, Vec<String>)>,
    tables: Vec<(String, String, Vec<String>)>,
    revoked: Vec<(String, Vec<String>)>,
    roles: Vec<String>,
    literal_names: bool,
}

/// Whether a list holds a privilege. `ALL PRIVILEGES` holds all but the dynamic ones of MySQL 8.0 and later, which have an underscore in their names.
fn holds(list: &[String], privilege: &str) -> bool {
    list.iter().any(|held| {
        held == privilege
            || (matches!(held.as_str(), "ALL" | "ALL PRIVILEGES") && !privilege.contains('_'))
    })
}

impl Grants {
    /// Reads the lines. `literal_names` says that `partial_revokes` is ON: then schema names are no patterns.
    #[must_use]
    pub fn read<'a>(lines: impl IntoIterator<Item = &'a str>, literal_names: bool) -> Grants {
        let mut grants = Grants {
            literal_names,
            ..Grants::default()
        };
        for line in lines.into_iter().filter_map(line::parse) {
            match line.place {
                Place::Everything if !line.revokes => grants.everywhere.extend(line.privileges),
                Place::Schema(schema) if line.revokes => {
                    grants.revoked.push((schema, line.privileges));
                }
                Place::Schema(schema) => grants.schemas.push((schema, line.privileges)),
                Place::Table(schema, table) => {
                    grants.tables.push((schema, table, line.privileges));
                }
                Place::Role(role) => grants.roles.push(role),
                Place::Everything | Place::Other => {}
            }
        }
        grants
    }

    /// Whether the account has a privilege on everything.
    #[must_use]
    pub fn globally(&self, privilege: &str) -> bool {
        holds(&self.everywhere, privilege)
    }

    /// Whether the account has a privilege on everything, with no schema taken out of it.
    #[must_use]
    pub fn without_exception(&self, privilege: &str) -> bool {
        self.globally(privilege) && !self.revoked.iter().any(|(_, list)| holds(list, privilege))
    }

    /// Whether the account has a privilege on all of a schema, which need not exist.
    #[must_use]
    pub fn on_schema(&self, privilege: &str, schema: &str) -> bool {
        let revoked = self
            .revoked
            .iter()
            .any(|(name, list)| name == schema && holds(list, privilege));
        (self.globally(privilege) && !revoked)
            || self
                .schemas
                .iter()
                .any(|(name, list)| self.covers(name, schema) && holds(list, privilege))
    }

    /// Whether the account has a privilege on a table.
    #[must_use]
    pub fn on_table(&self, privilege: &str, schema: &str, table: &str) -> bool {
        self.on_schema(privilege, schema)
            || self
                .tables
                .iter()
                .any(|(s, t, list)| s == schema && t == table && holds(list, privilege))
    }

    /// The roles that the account has; their privileges are among the others where they are active.
    #[must_use]
    pub fn roles(&self) -> &[String] {
        &self.roles
    }

    /// A schema's name as it must stand in GRANT, in backticks: `_` and `%` would be wildcards.
    #[must_use]
    pub fn schema_in_grant(&self, schema: &str) -> String {
        let mut out = String::from("`");
        for letter in schema.chars() {
            match letter {
                '`' => out.push('`'),
                '_' | '%' | '\\' if !self.literal_names => out.push('\\'),
                _ => {}
            }
            out.push(letter);
        }
        out.push('`');
        out
    }

    fn covers(&self, granted: &str, schema: &str) -> bool {
        if self.literal_names {
            granted == schema
        } else {
            // Not also by equality: the pattern `a\_c` stands for the schema `a_c`, and for no schema `a\_c`.
            pattern::matches(granted, schema)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LINES: [&str; 7] = [
        "GRANT SELECT, RELOAD ON *.* TO `u`@`%`",
        "GRANT REPLICATION_APPLIER ON *.* TO `u`@`%`",
        "GRANT ALL PRIVILEGES ON `shop`.* TO `u`@`%`",
        "GRANT INSERT ON `tmp\\_%`.* TO `u`@`%`",
        "REVOKE SELECT ON `secret`.* FROM `u`@`%`",
        "GRANT UPDATE, DELETE (`c`) ON `other`.`t` TO `u`@`%`",
        "GRANT `r`@`%` TO `u`@`%`",
    ];

    #[test]
    fn each_level_is_asked() {
        let grants = Grants::read(LINES, false);
        assert!(grants.globally("SELECT") && !grants.globally("INSERT"));
        assert!(grants.globally("REPLICATION_APPLIER"));
        assert!(grants.on_schema("SELECT", "any") && !grants.on_schema("SELECT", "secret"));
        assert!(!grants.without_exception("SELECT") && grants.without_exception("RELOAD"));
        assert!(grants.on_schema("TRIGGER", "shop") && !grants.on_schema("TRIGGER", "shops"));
        assert!(!grants.on_schema("SET_ANY_DEFINER", "shop"));
        assert!(grants.on_schema("INSERT", "tmp_1") && !grants.on_schema("INSERT", "tmpX1"));
        assert!(
            grants.on_table("UPDATE", "other", "t") && !grants.on_table("UPDATE", "other", "u")
        );
        assert!(!grants.on_table("DELETE", "other", "t"));
        assert_eq!(grants.roles(), ["r@%"]);
    }

    #[test]
    fn with_partial_revokes_names_are_literal() {
        let grants = Grants::read(["GRANT INSERT ON `a_c`.* TO `u`@`%`"], true);
        assert!(grants.on_schema("INSERT", "a_c") && !grants.on_schema("INSERT", "abc"));
        assert_eq!(grants.schema_in_grant("a_c"), "`a_c`");
        let grants = Grants::read(["GRANT INSERT ON `a_c`.* TO `u`@`%`"], false);
        assert!(grants.on_schema("INSERT", "abc"));
        assert_eq!(grants.schema_in_grant("a_c`"), "`a\\_c```");
    }

    /// Found by fuzzing: the name was also compared as it was written.
    #[test]
    fn an_escaped_name_is_not_the_name_of_a_schema() {
        let line = r"GRANT INSERT ON `a\_c`.* TO `u`@`%`";
        let grants = Grants::read([line], false);
        assert!(grants.on_schema("INSERT", "a_c") && !grants.on_schema("INSERT", r"a\_c"));
        let grants = Grants::read([line], true);
        assert!(!grants.on_schema("INSERT", "a_c") && grants.on_schema("INSERT", r"a\_c"));
    }
}
