//! One statement that makes something on the target, with all that is needed to run it.

use std::fmt;

use datain_mysql_client::{append_string, quote_identifier};

/// What a statement makes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// A schema.
    Schema,
    /// A library of code, since MySQL 9.2.
    Library,
    /// A table.
    Table,
    /// A stored function.
    Function,
    /// A stored procedure.
    Procedure,
    /// A view.
    View,
    /// Indexes of a table that is there already. `name` is the table's.
    Indexes,
    /// A trigger.
    Trigger,
    /// An event.
    Event,
}

impl Kind {
    /// When it is made.
    #[must_use]
    pub fn phase(self) -> Phase {
        match self {
            Self::Indexes => Phase::AfterRows,
            Self::Trigger | Self::Event => Phase::HeldBack,
            _ => Phase::BeforeRows,
        }
    }

    /// Whether it runs as an account.
    #[must_use]
    pub fn has_definer(self) -> bool {
        matches!(
            self,
            Self::Function | Self::Procedure | Self::View | Self::Trigger | Self::Event
        )
    }

    /// As in SHOW CREATE and DROP.
    #[must_use]
    pub fn sql(self) -> &'static str {
        match self {
            Self::Schema => "DATABASE",
            Self::Library => "LIBRARY",
            Self::Table | Self::Indexes => "TABLE",
            Self::Function => "FUNCTION",
            Self::Procedure => "PROCEDURE",
            Self::View => "VIEW",
            Self::Trigger => "TRIGGER",
            Self::Event => "EVENT",
        }
    }

    /// What it is called in a message, with its article.
    #[must_use]
    pub fn words(self) -> &'static str {
        match self {
            Self::Schema => "the schema",
            Self::Library => "the library",
            Self::Table => "the table",
            Self::Function => "the function",
            Self::Procedure => "the procedure",
            Self::View => "the view",
            Self::Indexes => "the indexes of",
            Self::Trigger => "the trigger",
            Self::Event => "the event",
        }
    }
}

/// When an object is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Phase {
    /// Before any row is copied.
    BeforeRows,
    /// When the table's rows have been copied.
    AfterRows,
    /// At the cutover: before, it would change rows a second time.
    HeldBack,
}

/// The session in which a statement must run, by the names that the server gives it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Context {
    /// The schema in which names without one are looked up; none for a schema itself.
    pub default_schema: Option<String>,
    /// The modes, with commas between them.
    pub sql_mode: String,
    /// The character set in which the statement's bytes are.
    pub character_set_client: String,
    /// The collation of literals.
    pub collation_connection: String,
    /// The collation that the schema had when a routine, trigger or event was made in it. Only the schema itself can give it: no session has it.
    pub database_collation: Option<String>,
    /// The time zone: an event's own; for tables `+00:00`, under which a TIMESTAMP's default was read.
    pub time_zone: Option<String>,
    /// What a bare `utf8mb4` means, where that is not what it means on the target: servers before 8.0 had another default.
    pub default_collation_for_utf8mb4: Option<String>,
}

impl Context {
    /// The SET statement that makes a session like this. The default schema is set by USE; `database_collation` by nothing that a session can do.
    #[must_use]
    pub fn set_sql(&self) -> Vec<u8> {
        let mut sql = b"SET SESSION sql_mode = ".to_vec();
        append_string(&mut sql, self.sql_mode.as_bytes());
        let mut set = |name: &str, value: &str| {
            sql.extend_from_slice(format!(", SESSION {name} = ").as_bytes());
            append_string(&mut sql, value.as_bytes());
        };
        set("character_set_client", &self.character_set_client);
        set("collation_connection", &self.collation_connection);
        if let Some(zone) = &self.time_zone {
            set("time_zone", zone);
        }
        if let Some(collation) = &self.default_collation_for_utf8mb4 {
            set("default_collation_for_utf8mb4", collation);
        }
        sql
    }
}

/// Something to make on the target.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Object {
    /// What it is.
    pub kind: Kind,
    /// Its schema; of a schema, its own name.
    pub schema: String,
    /// Its name; of indexes, their table's.
    pub name: String,
    /// The statement, in the character set of the context.
    pub sql: Vec<u8>,
    /// What SHOW CREATE says of it on the target once the statement has run: mostly `sql` itself, of indexes the whole table. Compare with [`is_same`](crate::is_same).
    pub shown: Vec<u8>,
    /// The session.
    pub context: Context,
    /// The account as which it runs, as SQL: `'app'@'%'`. None where it has none, or runs as whoever makes it.
    pub definer: Option<String>,
    /// Why the target may refuse it, though nothing is wrong with the target: it is broken on the source, or needs what is not replicated. Where the target does refuse it then, it
    /// is left out and told. None for most.
    pub excuse: Option<String>,
    /// How large a table is, in bytes of data, as its source estimates it; 0 for what is no table.
    pub bytes: u64,
}

impl Object {
    /// `` `schema`.`name` ``; of a schema, `` `schema` ``.
    #[must_use]
    pub fn quoted(&self) -> String {
        quoted(self.kind, &self.schema, &self.name)
    }
}

/// As [`Object::quoted`].
pub(crate) fn quoted(kind: Kind, schema: &str, name: &str) -> String {
    match kind {
        Kind::Schema => quote_identifier(schema),
        _ => format!("{}.{}", quote_identifier(schema), quote_identifier(name)),
    }
}

/// ``the view `shop`.`v` ``
impl fmt::Display for Object {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.kind.words(), self.quoted())
    }
}
