//! Names of accounts as SQL.

use std::fmt;

/// A user at a host. Displays as SQL: `'repl'@'%'`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Account {
    /// The user's name; empty for the anonymous one.
    pub user: String,
    /// The host, or the pattern of hosts.
    pub host: String,
}

impl Account {
    /// Reads `user@host`, as CURRENT_USER() and the columns DEFINER of information_schema show it. The host holds no `@`.
    #[must_use]
    pub fn parse(text: &str) -> Account {
        let (user, host) = text.rsplit_once('@').unwrap_or((text, "%"));
        Account {
            user: user.to_owned(),
            host: host.to_owned(),
        }
    }
}

impl fmt::Display for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Doubled quotes are understood under every sql_mode.
        let quoted = |text: &str| text.replace('\\', "\\\\").replace('\'', "''");
        write!(f, "'{}'@'{}'", quoted(&self.user), quoted(&self.host))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_at_divides() {
        assert_eq!(Account::parse("a@b@%").to_string(), "'a@b'@'%'");
        assert_eq!(
            Account::parse("o'x@localhost").to_string(),
            "'o''x'@'localhost'"
        );
        assert_eq!(Account::parse("@%").to_string(), "''@'%'");
    }
}
