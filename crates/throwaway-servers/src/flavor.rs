//! The servers that can be had.

use std::{fmt, str::FromStr};

use crate::Error;

/// A server's make and version line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum Flavor {
    /// MySQL 9.7, from Debian's unstable suite. Its patch version is whatever the suite has on the day it is fetched.
    Mysql97,
    /// MySQL 5.6, from a package of the npm registry.
    Mysql56,
    /// MariaDB 10.11, from Debian 12.
    Mariadb1011,
    /// MariaDB 11.8, from Debian 13.
    Mariadb118,
}

impl Flavor {
    /// All of them.
    pub const ALL: [Self; 4] = [
        Self::Mysql97,
        Self::Mysql56,
        Self::Mariadb1011,
        Self::Mariadb118,
    ];

    /// Its name on the command line and in the cache.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Mysql97 => "mysql-9.7",
            Self::Mysql56 => "mysql-5.6",
            Self::Mariadb1011 => "mariadb-10.11",
            Self::Mariadb118 => "mariadb-11.8",
        }
    }

    /// Whether it is a MariaDB.
    #[must_use]
    pub const fn is_mariadb(self) -> bool {
        matches!(self, Self::Mariadb1011 | Self::Mariadb118)
    }

    /// How the version must begin that its server reports.
    pub(crate) const fn version_prefix(self) -> &'static str {
        match self {
            Self::Mysql97 => "9.",
            Self::Mysql56 => "5.6.",
            Self::Mariadb1011 => "10.11.",
            Self::Mariadb118 => "11.8.",
        }
    }

    /// Whether a server without certificates of the caller's offers TLS by itself.
    #[must_use]
    pub const fn has_tls_by_itself(self) -> bool {
        matches!(self, Self::Mysql97 | Self::Mariadb118)
    }
}

impl fmt::Display for Flavor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for Flavor {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        Self::ALL
            .into_iter()
            .find(|flavor| flavor.name() == text)
            .ok_or_else(|| {
                let names: Vec<_> = Self::ALL.iter().map(|flavor| flavor.name()).collect();
                Error::unusable(
                    format!("there is no server named {text:?}"),
                    format!("one of {}", names.join(", ")),
                )
            })
    }
}
