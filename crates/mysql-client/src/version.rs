//! The server's version string: which of the two families it is of, and its numbers.
//!
//! MySQL sends `9.7.0` or `8.0.36-28`. MariaDB before 11.0 sends `5.5.5-10.11.6-MariaDB-…`: the prefix is there so that
//! old MySQL replicas accept its major version, and is no part of the version.

use std::fmt;

/// The family of a server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ServerFlavor {
    /// MySQL, and what is derived from it and keeps its version numbers.
    MySql,
    /// MariaDB.
    MariaDb,
}

/// A server's version, as far as it is a number.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ServerVersion {
    /// The string as the server sent it (invalid UTF-8 replaced).
    pub full: String,
    /// The family.
    pub flavor: ServerFlavor,
    /// `9` of `9.7.1`.
    pub major: u16,
    /// `7` of `9.7.1`.
    pub minor: u16,
    /// `1` of `9.7.1`.
    pub patch: u16,
}

impl ServerVersion {
    /// Reads a version string. Numbers that are missing or too large count as 0.
    pub fn parse(text: &[u8]) -> Self {
        let full = String::from_utf8_lossy(text).into_owned();
        let maria = full.to_ascii_lowercase().contains("mariadb");
        let numbers = match full.strip_prefix("5.5.5-") {
            Some(rest) if maria => rest,
            _ => &full,
        };
        let end = numbers
            .find(|c: char| !c.is_ascii_digit() && c != '.')
            .unwrap_or(numbers.len());
        let mut parts = numbers[..end].split('.').map(|n| n.parse().unwrap_or(0));
        let mut next = || parts.next().unwrap_or(0);
        let (major, minor, patch) = (next(), next(), next());
        let flavor = if maria {
            ServerFlavor::MariaDb
        } else {
            ServerFlavor::MySql
        };
        Self {
            full,
            flavor,
            major,
            minor,
            patch,
        }
    }

    /// The three numbers, for comparisons.
    pub fn numbers(&self) -> (u16, u16, u16) {
        (self.major, self.minor, self.patch)
    }

    /// Is it MariaDB?
    pub fn is_mariadb(&self) -> bool {
        self.flavor == ServerFlavor::MariaDb
    }

    /// Is it MariaDB of at least this version? False for MySQL.
    pub fn is_mariadb_since(&self, major: u16, minor: u16, patch: u16) -> bool {
        self.is_mariadb() && self.numbers() >= (major, minor, patch)
    }

    /// Is it MySQL of at least this version? False for MariaDB.
    pub fn is_mysql_since(&self, major: u16, minor: u16, patch: u16) -> bool {
        self.flavor == ServerFlavor::MySql && self.numbers() >= (major, minor, patch)
    }
}

impl fmt::Display for ServerVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = match self.flavor {
            ServerFlavor::MySql => "MySQL",
            ServerFlavor::MariaDb => "MariaDB",
        };
        write!(f, "{name} {}.{}.{}", self.major, self.minor, self.patch)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_forms() {
        let check = |text: &str, flavor, numbers| {
            let version = ServerVersion::parse(text.as_bytes());
            assert_eq!(
                (version.flavor, version.numbers()),
                (flavor, numbers),
                "{text}"
            );
        };
        check("9.7.0", ServerFlavor::MySql, (9, 7, 0));
        check("9.7.4-1", ServerFlavor::MySql, (9, 7, 4));
        check("8.0.36-28", ServerFlavor::MySql, (8, 0, 36));
        check("8.0.42-azure", ServerFlavor::MySql, (8, 0, 42));
        check("5.6.47.0", ServerFlavor::MySql, (5, 6, 47));
        check("5.6.24-log", ServerFlavor::MySql, (5, 6, 24));
        check("5.5.5-m3", ServerFlavor::MySql, (5, 5, 5));
        check(
            "5.5.5-10.11.14-MariaDB-0+deb12u2-log",
            ServerFlavor::MariaDb,
            (10, 11, 14),
        );
        check(
            "11.8.3-MariaDB-1 from Debian",
            ServerFlavor::MariaDb,
            (11, 8, 3),
        );
        check("", ServerFlavor::MySql, (0, 0, 0));
        check("99999999.x", ServerFlavor::MySql, (0, 0, 0));
    }

    #[test]
    fn comparisons() {
        let new = ServerVersion::parse(b"8.0.19");
        assert!(new.is_mysql_since(8, 0, 19) && !new.is_mysql_since(8, 0, 20));
        assert!(!ServerVersion::parse(b"5.5.5-10.11.1-MariaDB").is_mysql_since(5, 0, 0));
    }
}
