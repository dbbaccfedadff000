//! Temporary tables of the source's sessions, in a log of statements.
//!
//! A statement that reads one has its effect only where that table is, so the target gets the same ones, and the checkpoint says which there are: after a restart nothing in the log would tell a
//! temporary table from another one of its name.
//!
//! Not every one can be had on the target: one that is made of tables that are not replicated, for example. Such a one is known as well, since what reads it cannot be replayed.
//!
//! A server that stops loses all of them. Where it is not certain whether it has, they count as tables that the target does not have.

use serde::{Deserialize, Serialize};

/// The temporary tables that there are.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct TemporaryTables(Vec<TemporaryTable>);

/// One of them: its session, schema and name as the source compares names, and whether the target has it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct TemporaryTable(Owner, String, String, bool);

/// A session: the number of the server on which it is, or was where the source is a replica itself, times 2^32, and its own number there.
pub type Owner = u64;

/// The session of this number on this server.
#[must_use]
pub fn owner(server_id: u32, number: u32) -> Owner {
    u64::from(server_id) << 32 | u64::from(number)
}

/// Its number there.
fn number(owner: Owner) -> u32 {
    owner as u32
}

impl TemporaryTables {
    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether the target has any.
    #[must_use]
    pub fn is_none_there(&self) -> bool {
        !self.0.iter().any(|table| table.3)
    }

    /// The session's number, where the target has tables of it.
    #[must_use]
    pub fn session(&self, owner: Owner) -> Option<u32> {
        let has = |table: &TemporaryTable| table.0 == owner && table.3;
        self.0.iter().any(has).then_some(number(owner))
    }

    /// Whether the target has tables of a session with the same number on another server: it cannot tell the two apart.
    #[must_use]
    pub fn has_namesake(&self, owner: Owner) -> bool {
        let is_one = |table: &&TemporaryTable| {
            table.3 && table.0 != owner && number(table.0) == number(owner)
        };
        self.0.iter().any(|table| is_one(&table))
    }

    /// Whether the target has this temporary table of the session; none if the session has no such one.
    #[must_use]
    pub fn find(&self, session: Owner, name: &(String, String)) -> Option<bool> {
        let found = self.0.iter().find(|table| table.is(session, name));
        found.map(|table| table.3)
    }

    /// The session has made it.
    pub fn put(&mut self, session: Owner, name: (String, String), there: bool) {
        self.remove(session, &name);
        self.0.push(TemporaryTable(session, name.0, name.1, there));
    }

    /// The session has dropped it. Says whether the target has it; none if the session has no such one.
    pub fn remove(&mut self, session: Owner, name: &(String, String)) -> Option<bool> {
        let at = self.0.iter().position(|table| table.is(session, name))?;
        Some(self.0.remove(at).3)
    }

    /// The server may have stopped, or they may have changed unseen.
    pub fn doubt(&mut self) {
        for table in &mut self.0 {
            table.3 = false;
        }
    }

    /// Those of one session may have changed unseen.
    pub fn doubt_of(&mut self, session: Owner) {
        for table in self.0.iter_mut().filter(|table| table.0 == session) {
            table.3 = false;
        }
    }

    /// The server has stopped.
    pub fn clear(&mut self) {
        self.0.clear();
    }
}

impl TemporaryTable {
    fn is(&self, session: Owner, name: &(String, String)) -> bool {
        self.0 == session && self.1 == name.0 && self.2 == name.1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_session_has_its_own() {
        let name = |name: &str| ("d".to_owned(), name.to_owned());
        let mut tables = TemporaryTables::default();
        assert!(tables.is_empty() && tables.is_none_there());
        tables.put(7, name("a"), false);
        assert_eq!((tables.is_none_there(), tables.session(7)), (true, None));
        tables.put(8, name("a"), true);
        tables.put(8, name("b"), true);
        assert_eq!(tables.find(7, &name("a")), Some(false));
        assert_eq!(tables.find(8, &name("a")), Some(true));
        assert_eq!(tables.find(7, &name("b")), None);
        assert_eq!((tables.session(7), tables.session(8)), (None, Some(8)));
        let elsewhere = owner(2, 8);
        assert_eq!(tables.find(elsewhere, &name("a")), None);
        assert!(tables.has_namesake(elsewhere) && !tables.has_namesake(8));
        // Made again: what was there before is gone.
        tables.put(7, name("a"), true);
        assert_eq!(tables.find(7, &name("a")), Some(true));
        let text = serde_json::to_string(&tables).unwrap();
        assert_eq!(
            text,
            r#"[[8,"d","a",true],[8,"d","b",true],[7,"d","a",true]]"#
        );
        assert_eq!(
            serde_json::from_str::<TemporaryTables>(&text).unwrap(),
            tables
        );
        tables.doubt_of(7);
        assert_eq!(tables.find(7, &name("a")), Some(false));
        assert_eq!(tables.find(8, &name("a")), Some(true));
        assert_eq!(tables.remove(8, &name("a")), Some(true));
        assert_eq!(tables.remove(8, &name("a")), None);
        tables.doubt();
        assert!(tables.is_none_there() && !tables.is_empty());
        assert_eq!(tables.find(8, &name("b")), Some(false));
        tables.clear();
        assert!(tables.is_empty());
    }
}
