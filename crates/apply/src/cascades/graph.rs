//! The target's foreign keys that change rows, and where a change leads through them.

use crate::target_table::TargetTable;

/// A table's schema and name.
pub type Place = (String, String);

/// What happens to the child's rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// They follow.
    Cascade,
    /// Their foreign key becomes NULL.
    SetNull,
    /// Nothing: RESTRICT, NO ACTION, SET DEFAULT.
    None,
}

/// A foreign key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    /// The table that has it.
    pub child: Place,
    /// Its columns there.
    pub columns: Vec<String>,
    /// The table that it refers to.
    pub parent: Place,
    /// The columns there, in the same order.
    pub referenced: Vec<String>,
    /// When a row of the parent goes.
    pub on_delete: Action,
    /// When the key of a row of the parent changes.
    pub on_update: Action,
    /// Columns of the child that an UPDATE statement sets to the current time by itself, and a cascade leaves alone.
    pub stamped: Vec<String>,
}

/// All of them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Graph {
    links: Vec<Link>,
}

type Row = Vec<Option<String>>;

impl Graph {
    /// The query that [`Graph::from_answer`] reads.
    pub const QUERY: &'static [u8] = b"SELECT k.CONSTRAINT_SCHEMA, k.CONSTRAINT_NAME, k.TABLE_SCHEMA, k.TABLE_NAME, k.COLUMN_NAME, \
        k.REFERENCED_TABLE_SCHEMA, k.REFERENCED_TABLE_NAME, k.REFERENCED_COLUMN_NAME, r.DELETE_RULE, r.UPDATE_RULE \
        FROM information_schema.REFERENTIAL_CONSTRAINTS r JOIN information_schema.KEY_COLUMN_USAGE k \
        ON k.CONSTRAINT_SCHEMA = r.CONSTRAINT_SCHEMA AND k.CONSTRAINT_NAME = r.CONSTRAINT_NAME AND k.TABLE_NAME = r.TABLE_NAME \
        WHERE r.DELETE_RULE IN ('CASCADE', 'SET NULL') OR r.UPDATE_RULE IN ('CASCADE', 'SET NULL') \
        ORDER BY k.CONSTRAINT_SCHEMA, k.CONSTRAINT_NAME, k.ORDINAL_POSITION";

    /// The query whose answer [`Graph::from_answers`] reads second: columns with ON UPDATE CURRENT_TIMESTAMP.
    pub const STAMPED_QUERY: &'static [u8] = b"SELECT TABLE_SCHEMA, TABLE_NAME, COLUMN_NAME FROM information_schema.COLUMNS \
        WHERE EXTRA LIKE '%on update%' AND (TABLE_SCHEMA, TABLE_NAME) IN (SELECT CONSTRAINT_SCHEMA, TABLE_NAME \
        FROM information_schema.REFERENTIAL_CONSTRAINTS WHERE DELETE_RULE = 'SET NULL' OR UPDATE_RULE IN ('CASCADE', 'SET NULL'))";

    /// Reads the answers of [`Graph::QUERY`] and [`Graph::STAMPED_QUERY`].
    #[must_use]
    pub fn from_answers(rows: &[Row], stamped: &[Row]) -> Graph {
        let text = |row: &Row, at: usize| row.get(at).cloned().flatten().unwrap_or_default();
        let action = |rule: &str| match rule {
            "CASCADE" => Action::Cascade,
            "SET NULL" => Action::SetNull,
            _ => Action::None,
        };
        let links = rows
            .chunk_by(|a, b| a[..2] == b[..2])
            .map(|columns| {
                let first = &columns[0];
                let child = (text(first, 2), text(first, 3));
                let of_child = |row: &&Row| text(row, 0) == child.0 && text(row, 1) == child.1;
                let stamped = stamped.iter().filter(of_child);
                Link {
                    stamped: stamped.map(|row| text(row, 2)).collect(),
                    child,
                    columns: columns.iter().map(|row| text(row, 4)).collect(),
                    parent: (text(first, 5), text(first, 6)),
                    referenced: columns.iter().map(|row| text(row, 7)).collect(),
                    on_delete: action(&text(first, 8)),
                    on_update: action(&text(first, 9)),
                }
            })
            .collect();
        Graph { links }
    }

    /// Foreign keys that refer to this table.
    pub fn of<'g>(&'g self, parent: &'g Place) -> impl Iterator<Item = &'g Link> {
        self.links.iter().filter(move |link| link.parent == *parent)
    }

    /// Whether a new key of this table's rows changes rows that refer to them.
    #[must_use]
    pub fn follows_updates(&self, table: &TargetTable) -> bool {
        let place = (table.schema.clone(), table.name.clone());
        self.of(&place).any(|link| link.on_update != Action::None)
    }

    /// Whether a change of this table's rows leads on from a table to which it leads.
    #[must_use]
    pub fn leads_further(&self, table: &TargetTable) -> bool {
        let place = (table.schema.clone(), table.name.clone());
        self.of(&place).any(|link| {
            let after_delete = link.on_delete != Action::None;
            let after_update = link.on_update != Action::None;
            // Asked roughly: what the rows say decides which of the links count.
            (after_delete || after_update) && self.of(&link.child).next().is_some()
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row<const N: usize>(cells: [&str; N]) -> Row {
        cells.iter().map(|cell| Some((*cell).to_owned())).collect()
    }

    #[test]
    fn columns_of_one_key_are_put_together() {
        let keys = [
            row([
                "s",
                "f",
                "s",
                "c",
                "a",
                "o",
                "p",
                "x",
                "CASCADE",
                "NO ACTION",
            ]),
            row([
                "s",
                "f",
                "s",
                "c",
                "b",
                "o",
                "p",
                "y",
                "CASCADE",
                "NO ACTION",
            ]),
            row([
                "s", "g", "s", "d", "c", "s", "c", "id", "SET NULL", "CASCADE",
            ]),
        ];
        let stamped = [row(["s", "c", "changed"]), row(["s", "other", "changed"])];
        let graph = Graph::from_answers(&keys, &stamped);
        let parent = ("o".to_owned(), "p".to_owned());
        let links: Vec<&Link> = graph.of(&parent).collect();
        assert_eq!(links.len(), 1);
        assert_eq!(links[0].columns, ["a", "b"]);
        assert_eq!(links[0].referenced, ["x", "y"]);
        assert_eq!(links[0].stamped, ["changed"]);
        assert_eq!(
            (links[0].on_delete, links[0].on_update),
            (Action::Cascade, Action::None)
        );
        let table = |schema: &str, name: &str| TargetTable {
            schema: schema.to_owned(),
            name: name.to_owned(),
            engine: String::new(),
            columns: Vec::new(),
            keys: Vec::new(),
            has_primary_key: false,
            unique: crate::target_table::Unique::default(),
            is_versioned: false,
            is_sequence: false,
            triggers: None,
        };
        assert!(graph.leads_further(&table("o", "p")));
        assert!(!graph.leads_further(&table("s", "c")));
        assert!(!graph.follows_updates(&table("o", "p")));
        assert!(graph.follows_updates(&table("s", "c")));
    }
}
