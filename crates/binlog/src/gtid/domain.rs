//! MariaDB's GTIDs: a domain, the server where the transaction was born, and a number within the domain. Text form as in its manual, "Global Transaction ID".
//!
//! Where MySQL has sets, MariaDB has positions: the newest transaction of each domain, in the order of the log. What came before it in its domain is taken to be there.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use super::id::ParseGtidError;

/// A transaction's identifier.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct DomainGtid {
    /// The stream of transactions that it belongs to; each has an order of its own.
    pub domain: u32,
    /// The server where it was born.
    pub server: u32,
    /// Its number in the domain.
    pub sequence: u64,
}

/// The newest transaction of each domain.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct DomainPosition {
    newest: BTreeMap<u32, DomainGtid>,
}

impl DomainPosition {
    /// Before the first transaction of every domain.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Moves to this transaction, which follows in the log.
    pub fn reach(&mut self, gtid: DomainGtid) {
        self.newest.insert(gtid.domain, gtid);
    }

    /// Whether there is no transaction in it.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.newest.is_empty()
    }

    /// The newest transaction of a domain.
    #[must_use]
    pub fn newest(&self, domain: u32) -> Option<DomainGtid> {
        self.newest.get(&domain).copied()
    }

    /// Whether the transaction is at or before this position.
    #[must_use]
    pub fn covers(&self, gtid: DomainGtid) -> bool {
        self.newest(gtid.domain)
            .is_some_and(|newest| newest.sequence >= gtid.sequence)
    }

    /// The domains of this position in which it is ahead of another.
    #[must_use]
    pub fn ahead_of(&self, other: &Self) -> Self {
        let ahead = self.newest.iter().filter(|(_, gtid)| !other.covers(**gtid));
        Self {
            newest: ahead.map(|(domain, gtid)| (*domain, *gtid)).collect(),
        }
    }

    /// How many numbers lie between another position and this one, in the domains in which this one is ahead.
    #[must_use]
    pub fn distance_from(&self, other: &Self) -> u64 {
        let gap = |gtid: &DomainGtid| {
            let begins = other
                .newest(gtid.domain)
                .map_or(0, |newest| newest.sequence);
            gtid.sequence.saturating_sub(begins)
        };
        let gaps = self.newest.values().map(gap);
        gaps.fold(0, u64::saturating_add)
    }
}

impl fmt::Display for DomainGtid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}-{}", self.domain, self.server, self.sequence)
    }
}

impl fmt::Display for DomainPosition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (n, gtid) in self.newest.values().enumerate() {
            if n > 0 {
                f.write_str(",")?;
            }
            gtid.fmt(f)?;
        }
        Ok(())
    }
}

impl FromStr for DomainGtid {
    type Err = ParseGtidError;

    fn from_str(text: &str) -> Result<Self, ParseGtidError> {
        let mut parts = text.trim().split('-');
        let mut part = |reason| {
            let digits = parts.next().filter(|part| {
                !part.is_empty() && part.len() <= 20 && part.bytes().all(|b| b.is_ascii_digit())
            });
            digits
                .and_then(|digits| digits.parse::<u64>().ok())
                .ok_or(ParseGtidError { offset: 0, reason })
        };
        let too_large = |_| ParseGtidError {
            offset: 0,
            reason: "the domain or the server id is larger than 2^32-1",
        };
        let domain = part("a domain's number is expected (domain-server-number)")?;
        let server = part("a server id is expected (domain-server-number)")?;
        let sequence = part("a number is expected (domain-server-number)")?;
        if parts.next().is_some() {
            return Err(ParseGtidError {
                offset: text.len(),
                reason: "the end is expected",
            });
        }
        Ok(Self {
            domain: u32::try_from(domain).map_err(too_large)?,
            server: u32::try_from(server).map_err(too_large)?,
            sequence,
        })
    }
}

impl FromStr for DomainPosition {
    type Err = ParseGtidError;

    fn from_str(text: &str) -> Result<Self, ParseGtidError> {
        let mut position = Self::new();
        if text.trim().is_empty() {
            return Ok(position);
        }
        let mut offset = 0;
        for part in text.split(',') {
            let gtid: DomainGtid = part
                .parse()
                .map_err(|error: ParseGtidError| ParseGtidError { offset, ..error })?;
            if position.newest(gtid.domain).is_some() {
                return Err(ParseGtidError {
                    offset,
                    reason: "a domain is named twice",
                });
            }
            position.reach(gtid);
            offset += part.len() + 1;
        }
        Ok(position)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> DomainPosition {
        text.parse().unwrap()
    }

    #[test]
    fn positions_are_read_as_they_are_written() {
        for text in ["", "0-1-5", "0-1-5,7-4294967295-18446744073709551615"] {
            assert_eq!(at(text).to_string(), text);
        }
        assert_eq!(at(" 3-1-5, 0-2-9 ").to_string(), "0-2-9,3-1-5");
        for text in [
            "0",
            "0-1",
            "0-1-",
            "0-1-5-6",
            "0-1-5,",
            "0-1-5,0-2-6",
            "4294967296-1-5",
            "a-1-5",
            "+0-1-5",
        ] {
            assert!(text.parse::<DomainPosition>().is_err(), "{text}");
        }
    }

    #[test]
    fn each_domain_counts_by_itself() {
        let position = at("0-1-5,1-2-9");
        for (gtid, covered) in [
            ("0-9-5", true),
            ("0-1-6", false),
            ("1-2-1", true),
            ("2-1-1", false),
        ] {
            assert_eq!(position.covers(gtid.parse().unwrap()), covered, "{gtid}");
        }
        assert_eq!(position.ahead_of(&at("0-1-5,1-2-8")), at("1-2-9"));
        assert_eq!(position.ahead_of(&at("1-1-10")), at("0-1-5"));
        assert_eq!(position.distance_from(&at("0-1-3")), 2 + 9);
        assert_eq!(position.distance_from(&at("0-1-30,1-2-9")), 0);
    }
}
