//! A filter's word on a whole statement.

use crate::{Charset, DataChange, Kind, Statement, TableFilter};

/// What a filter says about a statement's objects. It looks at names only: whether a kind of statement is replicated
/// at all (accounts are not) is for the caller to say.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Verdict {
    /// The kind has no objects in schemas: transaction control, accounts, the server's objects, DML, variables, others.
    NoObjects,
    /// All its objects are replicated.
    In,
    /// None of its objects is.
    Out,
    /// Some are, some are not: the statement can be passed on neither whole nor not at all.
    Mixed,
    /// A name could not be read. Nothing must be decided by it.
    Unknown,
}

impl TableFilter {
    /// Judges the objects of a statement. Tables, views and sequences are judged by name; schemas, routines, events and dropped
    /// triggers by their schema; a created trigger by its table. `default_schema` is that of the Query event.
    #[must_use]
    pub fn judge(&self, statement: &Statement, default_schema: &str, charset: Charset) -> Verdict {
        let by_schema = match statement.kind {
            Kind::Table(_) | Kind::View(_) | Kind::Sequence(_) => false,
            Kind::Maintenance if !statement.targets.is_empty() => false,
            Kind::Schema(_) | Kind::Routine(_) | Kind::Event(_) | Kind::Trigger(_) => true,
            _ => return Verdict::NoObjects,
        };
        if !statement.complete {
            return Verdict::Unknown;
        }
        if let Some(table) = &statement.trigger_table {
            // The table's schema is the trigger's, where the trigger's name has one and the table's has none, too.
            let table = crate::ObjectName {
                schema: table
                    .schema
                    .clone()
                    .or_else(|| statement.targets.first().and_then(|t| t.schema.clone())),
                name: table.name.clone(),
            };
            return table.decode(charset, default_schema).map_or(
                Verdict::Unknown,
                |(schema, name)| {
                    if self.matches(&schema, &name) {
                        Verdict::In
                    } else {
                        Verdict::Out
                    }
                },
            );
        }
        if statement.targets.is_empty() {
            return if self.matches_schema(default_schema) {
                Verdict::In
            } else {
                Verdict::Out
            };
        }
        // A schema goes with everything in it: the filter must mean all of that.
        if statement.kind == Kind::Schema(crate::Action::Drop) {
            let schema = statement
                .targets
                .first()
                .and_then(|target| target.decode(charset, default_schema));
            return match schema {
                None => Verdict::Unknown,
                Some((schema, _)) if self.covers_schema(&schema) => Verdict::In,
                Some((schema, _)) if self.matches_schema(&schema) => Verdict::Mixed,
                Some(_) => Verdict::Out,
            };
        }
        let mut inside = 0;
        for target in &statement.targets {
            let Some((schema, name)) = target.decode(charset, default_schema) else {
                return Verdict::Unknown;
            };
            let fits = if by_schema {
                self.matches_schema(&schema)
            } else {
                self.matches(&schema, &name)
            };
            inside += usize::from(fits);
        }
        match inside {
            0 => Verdict::Out,
            all if all == statement.targets.len() => Verdict::In,
            _ => Verdict::Mixed,
        }
    }

    /// Judges a statement by the schemas that the server says it touches, through views, triggers and functions too: those of the Query event's `updated_db_names`.
    /// Only [`Verdict::In`] and [`Verdict::Out`] say something.
    #[must_use]
    pub fn judge_schemas(&self, schemas: Option<&[&str]>) -> Verdict {
        match schemas {
            // One without a name stands for any, where foreign keys lead to other tables.
            Some(names) if !names.is_empty() && !names.contains(&"") => {
                if names.iter().all(|name| self.covers_schema(name)) {
                    Verdict::In
                } else if !names.iter().any(|name| self.matches_schema(name)) {
                    Verdict::Out
                } else {
                    Verdict::Unknown
                }
            }
            _ => Verdict::Unknown,
        }
    }

    /// Judges the tables of a statement that changes rows: those that it reads count as well, since without them its effect is another one.
    #[must_use]
    pub fn judge_change(
        &self,
        change: &DataChange,
        default_schema: &str,
        charset: Charset,
    ) -> Verdict {
        if !change.complete {
            return Verdict::Unknown;
        }
        let mut counts = [0, 0];
        for table in change.writes.iter().chain(&change.reads) {
            let Some((schema, name)) = table.decode(charset, default_schema) else {
                return Verdict::Unknown;
            };
            counts[usize::from(self.matches(&schema, &name))] += 1;
        }
        match counts {
            [0, _] => Verdict::In,
            // A function may change other tables.
            [_, 0]
                if change
                    .calls
                    .iter()
                    .all(|name| crate::doubts::is_builtin(name)) =>
            {
                Verdict::Out
            }
            [_, 0] => Verdict::Unknown,
            _ => Verdict::Mixed,
        }
    }
}
