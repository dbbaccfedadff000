//! The order of the tables where the source does not log what foreign keys change: before MySQL 9.6, and MariaDB.
//!
//! When a parent's row goes or gets another key, only that is in the log, and the target has to do to its children what the source did. It can as long as it has all of the parent's rows
//! and its children's parents are whole too, however far a cascade leads. So a table is begun when all those to which its foreign keys refer are whole. Tables in a circle are begun together,
//! and while they are copied no foreign key among them, or from one to itself, may change rows: nobody could tell which. That is seen when the parent's change comes by.
//!
//! Of a child's rows those on the target follow by its own foreign keys. A chunk that was read and is not there yet must not be touched by a change that the log has before its high mark and that
//! the chunk does not show: so its rows are locked for reading until that mark is known. A change that waits for them comes later in the log, and the stream does not take it before
//! it has handed the chunk on. Rows that move from what is still to be read into what was read are another matter: [`super::moves`].

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::rc::Rc;

use datain_contract::ErrorExt as _;
use datain_contract::types::Error;
use datain_mysql_client::{Outcome, Session, Stream, quote_identifier};
use datain_schema_objects::indexes;
use datain_table_scan::TableDefinition;

use super::moves::{Moves, Takeover};
use super::window::{Name, changed_meanwhile};

/// Without these words there is no foreign key in what SHOW CREATE TABLE says.
const KEYWORDS: &[u8] = b"FOREIGN KEY";

/// Foreign keys among the tables of a copy.
#[derive(Debug, Default)]
pub(super) struct Families {
    /// Tables by how many steps they are away from those that refer to nothing.
    levels: BTreeMap<Name, usize>,
    links: Links,
}

/// Foreign keys that change rows.
#[derive(Debug, Default)]
pub struct Links {
    /// The children whose rows change with a parent's, by parent.
    pub(super) followers: HashMap<Name, BTreeSet<Name>>,
    /// Tables in circles with such foreign keys, by any of them.
    pub(super) circles: HashMap<Name, Rc<Circle>>,
    /// Circles into which a table's changes lead, by that table, which may be in them or not.
    pub(super) into: HashMap<Name, Vec<Rc<Circle>>>,
    /// What moves rows within tables that are being copied.
    pub(super) moves: Moves,
}

/// Tables whose foreign keys lead back to themselves.
#[derive(Debug, Default)]
pub(super) struct Circle {
    /// All of them; the first one stands for the circle.
    pub(super) tables: BTreeSet<Name>,
    /// What changes rows in the circle by way of a table of it, by the parent with which it begins.
    pub(super) acts: HashMap<Name, Acts>,
}

/// What about a parent's row changes its children's.
#[derive(Debug, Default, Clone)]
pub(super) struct Acts {
    /// That it goes.
    pub(super) on_delete: bool,
    /// That it gets other values of one of these columns, by their place.
    pub(super) on_update: BTreeSet<usize>,
}

/// A foreign key.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Reference {
    child: Name,
    parent: Name,
    on_delete: bool,
    /// The parent's columns, if new values of them change rows.
    on_update: Vec<String>,
    /// The child's columns, in the same order.
    own: Vec<String>,
}

impl Reference {
    /// Takes one of a child's over; none within where its parent is not among the tables. None if it is not understood.
    fn read(
        found: indexes::Reference,
        child: &Name,
        tables: &BTreeSet<Name>,
    ) -> Option<Option<Self>> {
        let text = |name: Vec<u8>| String::from_utf8(name).ok();
        let texts = |names: Vec<Vec<u8>>| names.into_iter().map(text).collect::<Option<Vec<_>>>();
        let (columns, own) = (texts(found.columns)?, texts(found.own)?);
        if own.is_empty() || columns.len() != own.len() {
            return None;
        }
        let schema = match found.schema {
            Some(schema) => text(schema)?,
            None => child.0.clone(),
        };
        let parent = spelled(tables, (schema, text(found.table)?));
        Some(parent.map(|parent| Self {
            child: child.clone(),
            parent,
            on_delete: found.acts_on_delete,
            on_update: if found.acts_on_update {
                columns
            } else {
                Vec::new()
            },
            own,
        }))
    }

    fn acts(&self) -> bool {
        self.on_delete || !self.on_update.is_empty()
    }

    /// What new values of the parent's columns come to.
    fn takeovers(&self) -> impl Iterator<Item = Takeover> {
        let columns = self.on_update.iter().zip(&self.own).enumerate();
        columns.map(|(at, (from, to))| Takeover {
            parent: self.parent.clone(),
            from: from.clone(),
            child: self.child.clone(),
            to: to.clone(),
            is_indexed: at == 0,
        })
    }
}

impl Families {
    /// Asks for the foreign keys of these tables.
    ///
    /// # Errors
    /// Errors of the server; `snapshot.definition-changed`.
    pub(super) async fn ask<S: Stream>(
        session: &mut Session<S>,
        tables: &BTreeSet<Name>,
    ) -> Result<Self, Error> {
        let mut references = Vec::new();
        for name in tables {
            let sql = format!(
                "SHOW CREATE TABLE {}.{}",
                quote_identifier(&name.0),
                quote_identifier(&name.1)
            );
            let answer = session.query(sql.as_bytes()).await?;
            let shown = answer.into_iter().find_map(|outcome| match outcome {
                Outcome::Rows(set) => set.rows.into_iter().next()?.into_iter().nth(1).flatten(),
                Outcome::Ok(_) => None,
            });
            // Of a foreign key that is not seen the target would lose what it does.
            let shown = shown.ok_or_else(|| unreadable().in_table(&name.0, &name.1))?;
            let found = match indexes::references(&shown) {
                Some(found) => found,
                None if !shown.windows(KEYWORDS.len()).any(|words| words == KEYWORDS) => Vec::new(),
                None => return Err(unreadable().in_table(&name.0, &name.1)),
            };
            for found in found {
                let reference = Reference::read(found, name, tables);
                let reference = reference.ok_or_else(|| unreadable().in_table(&name.0, &name.1))?;
                references.extend(reference);
            }
        }
        let (levels, circles) = ordered(tables, &references);
        let steps: Vec<Takeover> = references.iter().flat_map(Reference::takeovers).collect();
        let mut links = Links {
            moves: Moves::ask(session, &steps).await?,
            ..Links::default()
        };
        for reference in references.iter().filter(|reference| reference.acts()) {
            let followers = links.followers.entry(reference.parent.clone()).or_default();
            followers.insert(reference.child.clone());
        }
        for tables in circles {
            let mut acts: HashMap<Name, Acts> = HashMap::new();
            for (parent, what) in acts_in(&tables, &references) {
                let table = TableDefinition::ask(session, &parent.0, &parent.1)
                    .await?
                    .ok_or_else(changed_meanwhile)?;
                let place =
                    |name: &String| table.columns.iter().position(|c| same_name(&c.name, name));
                let on_update = what.on_update.iter().filter_map(place).collect();
                acts.insert(
                    parent,
                    Acts {
                        on_delete: what.on_delete,
                        on_update,
                    },
                );
            }
            if !acts.is_empty() {
                let circle = Rc::new(Circle { tables, acts });
                let members = circle.tables.iter();
                let members = members.map(|table| (table.clone(), Rc::clone(&circle)));
                links.circles.extend(members);
                for parent in circle.acts.keys() {
                    let into = links.into.entry(parent.clone()).or_default();
                    into.push(Rc::clone(&circle));
                }
            }
        }
        Ok(Self { levels, links })
    }

    /// Tables of a lower level must be whole before one of a higher is begun.
    pub(super) fn level(&self, name: &Name) -> usize {
        self.levels.get(name).copied().unwrap_or(0)
    }

    /// The first table of the circle that is begun together with this one.
    pub(super) fn circle(&self, name: &Name) -> Option<&Name> {
        self.links.circles.get(name)?.tables.first()
    }

    /// Whether rows of the table change with a parent's.
    pub(super) fn follows(&self, name: &Name) -> bool {
        let mut followers = self.links.followers.values();
        followers.any(|children| children.contains(name))
    }

    /// Whether rows of other tables change with the table's, without a word in the log.
    pub(super) fn leads(&self, name: &Name) -> bool {
        self.links.followers.contains_key(name)
    }

    /// The foreign keys that change rows.
    pub(super) fn into_links(self) -> Links {
        self.links
    }
}

/// What about a parent's row leads on, by the names of columns.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
struct Leads {
    on_delete: bool,
    on_update: BTreeSet<String>,
}

/// What changes rows of a circle by way of one of its tables, by the parent with which it begins: a table of the circle, or one whose changes come to such a table by foreign keys.
fn acts_in(circle: &BTreeSet<Name>, references: &[Reference]) -> HashMap<Name, Leads> {
    let mut acts: HashMap<Name, Leads> = HashMap::new();
    let is_inside = |r: &&Reference| circle.contains(&r.child) && circle.contains(&r.parent);
    for reference in references.iter().filter(is_inside).filter(|r| r.acts()) {
        let leads = acts.entry(reference.parent.clone()).or_default();
        leads.on_delete |= reference.on_delete;
        leads.on_update.extend(reference.on_update.iter().cloned());
    }
    loop {
        let before = acts.clone();
        for reference in references.iter().filter(|r| !circle.contains(&r.parent)) {
            let Some(child) = acts.get(&reference.child).cloned() else {
                continue;
            };
            let follows = |own: &String| child.on_update.iter().any(|c| same_name(c, own));
            // Whether the row goes, or loses the key (SET NULL), is not told apart.
            let on_delete =
                reference.on_delete && (child.on_delete || reference.own.iter().any(follows));
            let on_update = reference.own.iter().any(follows);
            if on_delete || on_update && !reference.on_update.is_empty() {
                let leads = acts.entry(reference.parent.clone()).or_default();
                leads.on_delete |= on_delete;
                let columns = reference.on_update.iter().filter(|_| on_update);
                leads.on_update.extend(columns.cloned());
            }
        }
        if acts == before {
            return acts;
        }
    }
}

/// Tables with their levels, and those that are in circles.
fn ordered(
    tables: &BTreeSet<Name>,
    references: &[Reference],
) -> (BTreeMap<Name, usize>, Vec<BTreeSet<Name>>) {
    let mut parents: HashMap<&Name, Vec<&Name>> = HashMap::new();
    for Reference { child, parent, .. } in references {
        parents.entry(child).or_default().push(parent);
    }
    let parents = |child: &Name| parents.get(child).cloned().unwrap_or_default();
    let mut levels = BTreeMap::new();
    let mut circles = Vec::new();
    let mut left = tables.clone();
    let mut level = 0;
    while !left.is_empty() {
        let above = |name: &Name| {
            let mut above = BTreeSet::new();
            let mut ways = vec![name];
            while let Some(at) = ways.pop() {
                for parent in parents(at).into_iter().filter(|p| left.contains(*p)) {
                    if above.insert(parent.clone()) {
                        ways.push(parent);
                    }
                }
            }
            above
        };
        let waits = |name: &&Name| {
            parents(name)
                .into_iter()
                .any(|parent| left.contains(parent))
        };
        let mut next: BTreeSet<Name> = left.iter().filter(|name| !waits(name)).cloned().collect();
        if next.is_empty() {
            // All of them are in circles or behind one: that above which there is no other.
            next = left
                .iter()
                .map(above)
                .min_by_key(BTreeSet::len)
                .unwrap_or_default();
            circles.push(next.clone());
        }
        left.retain(|name| !next.contains(name));
        levels.extend(next.into_iter().map(|name| (name, level)));
        level += 1;
    }
    (levels, circles)
}

/// Whether two names of columns are the same: letter case does not count.
pub(super) fn same_name(a: &str, b: &str) -> bool {
    a.to_lowercase() == b.to_lowercase()
}

/// The table of this name as the list spells it: servers that do not tell letters apart may show another spelling.
fn spelled(tables: &BTreeSet<Name>, name: Name) -> Option<Name> {
    if tables.contains(&name) {
        return Some(name);
    }
    let lower = |name: &Name| (name.0.to_lowercase(), name.1.to_lowercase());
    let sought = lower(&name);
    tables.iter().find(|table| lower(table) == sought).cloned()
}

fn unreadable() -> Error {
    Error::fatal(
        "snapshot.definition-unreadable",
        "what SHOW CREATE TABLE says of a table is not understood, so nobody knows what its foreign keys change without a word in the log",
    )
    .hint("exclude the table, and report it, with SHOW CREATE TABLE")
}

/// The error of a change that leads from one table of a circle to another while they are copied.
pub(super) fn in_circle() -> Error {
    Error::resnapshot(
        "snapshot.unlogged-cascades",
        "while this table was being copied, a foreign key that leads back to it, by itself or over other tables, may have changed rows, and the source does not log that",
    )
    .hint("nothing wrong was written, and nothing more will be: datain remove -c FILE, drop what was copied on the target, and start again when no such rows are deleted or get other keys; or exclude the table; or let the source log cascades (MySQL 9.6 and later with innodb_native_foreign_keys = OFF)")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(table: &str) -> Name {
        ("s".to_owned(), table.to_owned())
    }

    fn check(tables: &str, references: &[&str], expected: &[(&str, usize)], circles: &[&str]) {
        let tables: BTreeSet<Name> = tables.split(' ').map(name).collect();
        let reference = |text: &&str| {
            let (child, parent) = text.split_once('>').unwrap();
            Reference {
                child: name(child),
                parent: name(parent),
                on_delete: true,
                on_update: Vec::new(),
                own: Vec::new(),
            }
        };
        let references: Vec<Reference> = references.iter().map(reference).collect();
        let (levels, found) = ordered(&tables, &references);
        for (table, level) in expected {
            assert_eq!(levels[&name(table)], *level, "{table}");
        }
        let circle = |text: &&str| text.split(' ').map(name).collect::<BTreeSet<Name>>();
        assert_eq!(found, circles.iter().map(circle).collect::<Vec<_>>());
    }

    #[test]
    fn parents_come_first() {
        check(
            "a b c d",
            &["a>b", "b>c", "a>c"],
            &[("c", 0), ("b", 1), ("a", 2), ("d", 0)],
            &[],
        );
        check("a", &[], &[("a", 0)], &[]);
    }

    #[test]
    fn what_is_in_a_circle_comes_together() {
        check(
            "a b c d e",
            &["a>b", "b>a", "c>b", "d>d", "a>e"],
            &[("e", 0), ("d", 1), ("a", 2), ("b", 2), ("c", 3)],
            &["d", "a b"],
        );
    }

    #[test]
    fn what_leads_into_a_circle_from_outside_counts() {
        let reference =
            |child: &str, own: &str, parent: &str, on_delete, on_update: &[&str]| Reference {
                child: name(child),
                parent: name(parent),
                on_delete,
                on_update: on_update.iter().map(|&c| c.to_owned()).collect(),
                own: vec![own.to_owned()],
            };
        let circle = BTreeSet::from([name("tree")]);
        let references = [
            reference("tree", "up", "tree", true, &["id"]),
            reference("tree", "x", "x", true, &["id"]),
            reference("tree", "ID", "key", false, &["k"]),
            reference("x", "y", "y", true, &[]),
            reference("x", "z", "z", false, &["id"]),
            reference("other", "x", "x", true, &["id"]),
        ];
        let acts = acts_in(&circle, &references);
        let leads = |on_delete, on_update: &[&str]| Leads {
            on_delete,
            on_update: on_update.iter().map(|&c| c.to_owned()).collect(),
        };
        let expected = HashMap::from([
            (name("tree"), leads(true, &["id"])),
            // Another `x` of a row of the tree is nothing to those under it.
            (name("x"), leads(true, &[])),
            (name("key"), leads(false, &["k"])),
            (name("y"), leads(true, &[])),
        ]);
        assert_eq!(acts, expected);
    }

    #[test]
    fn a_foreign_key_that_is_not_understood_is_no_reference() {
        let tables = BTreeSet::from([name("a"), name("B")]);
        let found = |table: &[u8], columns: &[&[u8]]| indexes::Reference {
            schema: None,
            table: table.to_vec(),
            columns: columns.iter().map(|c| c.to_vec()).collect(),
            own: vec![b"x".to_vec()],
            acts_on_delete: false,
            acts_on_update: true,
        };
        let read = |found| Reference::read(found, &name("a"), &tables);
        let reference = read(found(b"b", &[b"id"])).unwrap().unwrap();
        assert_eq!(
            (reference.parent, reference.on_update),
            (name("B"), vec!["id".to_owned()])
        );
        assert_eq!(read(found(b"elsewhere", &[b"id"])), Some(None));
        assert_eq!(read(found(b"b", &[b"id", b"n"])), None);
        assert_eq!(read(found(b"b", &[b"\xff"])), None);
        assert_eq!(read(found(b"\xff", &[b"id"])), None);
    }
}
