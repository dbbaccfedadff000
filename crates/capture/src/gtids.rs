//! GTIDs of either flavour: MySQL's sets, and MariaDB's positions by domain.
//!
//! To the rest of the crate they are the same: something that grows with each transaction, and that is held against another. A checkpoint keeps its text; which flavour it is says
//! the identity of the server beside it, so that an empty text is read right too.

use std::fmt;

use datain_binlog::{DomainGtid, DomainPosition, Gtid, GtidSet, ParseGtidError};

/// What has been received, by GTID.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Gtids {
    /// MySQL's: every transaction is in it or not.
    Set(GtidSet),
    /// MariaDB's: the newest transaction of each domain.
    Position(DomainPosition),
}

/// The GTID of one transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TransactionGtid {
    /// MySQL's.
    Mysql(Gtid),
    /// MariaDB's.
    Mariadb(DomainGtid),
}

impl Gtids {
    /// None of this flavour.
    #[must_use]
    pub fn none(is_mariadb: bool) -> Self {
        if is_mariadb {
            Self::Position(DomainPosition::new())
        } else {
            Self::Set(GtidSet::new())
        }
    }

    /// Reads the text of this flavour.
    ///
    /// # Errors
    /// When it is not one.
    pub fn parse(text: &str, is_mariadb: bool) -> Result<Self, ParseGtidError> {
        if is_mariadb {
            text.parse().map(Self::Position)
        } else {
            text.parse().map(Self::Set)
        }
    }

    /// Adds the transaction that follows in the log; false if it is of the other flavour.
    #[must_use]
    pub fn add(&mut self, gtid: TransactionGtid) -> bool {
        match (self, gtid) {
            (Self::Set(set), TransactionGtid::Mysql(gtid)) => set.add(gtid),
            (Self::Position(position), TransactionGtid::Mariadb(gtid)) => position.reach(gtid),
            _ => return false,
        }
        true
    }

    /// Whether the other one holds all of this.
    #[must_use]
    pub fn is_subset_of(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Set(set), Self::Set(other)) => set.is_subset_of(other),
            _ => self.subtract(other).is_empty(),
        }
    }

    /// What the other one lacks; all of it if that is of the other flavour.
    #[must_use]
    pub fn subtract(&self, other: &Self) -> Self {
        match (self, other) {
            (Self::Set(set), Self::Set(other)) => Self::Set(set.subtract(other)),
            (Self::Position(position), Self::Position(other)) => {
                Self::Position(position.ahead_of(other))
            }
            _ => self.clone(),
        }
    }

    /// How many transactions the other one lacks. (MariaDB's numbers may have gaps, so there it is at most that many.)
    #[must_use]
    pub fn count_beyond(&self, other: &Self) -> u64 {
        match (self, other) {
            (Self::Position(position), Self::Position(other)) => position.distance_from(other),
            (Self::Set(_), Self::Set(_)) => match self.subtract(other) {
                Self::Set(set) => set.count(),
                Self::Position(_) => 0,
            },
            _ => 0,
        }
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        match self {
            Self::Set(set) => set.is_empty(),
            Self::Position(position) => position.is_empty(),
        }
    }
}

/// On one line.
impl fmt::Display for Gtids {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Set(set) => write!(f, "{set:#}"),
            Self::Position(position) => position.fmt(f),
        }
    }
}

impl fmt::Display for TransactionGtid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Mysql(gtid) => gtid.fmt(f),
            Self::Mariadb(gtid) => gtid.fmt(f),
        }
    }
}
