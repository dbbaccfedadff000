//! A table as the target defines it. The target's information_schema is the only schema that a sink knows: DDL is applied in order, so at
//! each change it is the schema of that moment.

use datain_mysql_client::{ServerVersion, append_string};

/// One column, in the table's order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TargetColumn {
    /// Its name.
    pub name: String,
    /// information_schema's DATA_TYPE in lower case, e.g. `bigint`.
    pub data_type: String,
    /// COLUMN_TYPE says `unsigned`.
    pub unsigned: bool,
    /// CHARACTER_SET_NAME; none for binary and non-string columns.
    pub charset: Option<String>,
    /// COLLATION_NAME; none likewise.
    pub collation: Option<String>,
    /// CHARACTER_OCTET_LENGTH; 0 for non-strings.
    pub octet_length: u64,
    /// Fractional digits of a temporal column, digits of a DECIMAL; 0 for others.
    pub precision: u32,
    /// Digits of a DECIMAL after the point; 0 for others.
    pub scale: u8,
    /// It may be NULL.
    pub nullable: bool,
    /// The server numbers rows by it.
    pub auto_increment: bool,
    /// Computed by the server, so never written.
    pub generated: bool,
    /// What the server stores where a row does not say.
    pub default: ColumnDefault,
    /// `ON UPDATE CURRENT_TIMESTAMP`: it changes by itself in an UPDATE that does not name it.
    pub on_update: bool,
}

/// What a column gets in a row that has no value for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ColumnDefault {
    /// NULL.
    Null,
    /// A constant.
    Constant,
    /// The result of an expression or of CURRENT_TIMESTAMP, which is another one each time.
    Expression,
    /// The column is NOT NULL and has no default: its type's own, which the server takes when it is not strict.
    OfType,
}

/// The columns of all unique keys.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Unique {
    /// For each column of the table, whether it is part of one.
    pub columns: Vec<bool>,
    /// Those over whole columns, some of which may be NULL.
    pub keys: Vec<Vec<usize>>,
    /// One holds an expression or a computed column, so that any column may count.
    pub computed: bool,
    /// One holds only the first characters of a column, or an expression: it is not among `keys`.
    pub partial: bool,
}

/// A table and the key by which its rows are found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TargetTable {
    /// Its schema.
    pub schema: String,
    /// Its name.
    pub name: String,
    /// InnoDB, or another engine.
    pub engine: String,
    /// All columns in order.
    pub columns: Vec<TargetColumn>,
    /// Each as indexes into `columns`: the primary key, if there is one, then the unique keys over columns that are all NOT NULL. Rows are found by
    /// the first one whose columns the log holds.
    pub keys: Vec<Vec<usize>>,
    /// The first of them is the primary key.
    pub has_primary_key: bool,
    /// By which columns rows of the table may stand in each other's way.
    pub unique: Unique,
    /// MariaDB keeps its rows' history.
    pub is_versioned: bool,
    /// It is a sequence of MariaDB's: a table of one row, which each INSERT takes the place of.
    pub is_sequence: bool,
    /// Number of triggers on it; none when the account may not see triggers.
    pub triggers: Option<u64>,
}

/// The query whose first row, if any, says engine, number of triggers, and whether the account may see triggers: without the privilege
/// information_schema shows none, whether there are any or not.
#[must_use]
pub fn table_query(schema: &str, name: &str) -> Vec<u8> {
    let mut sql = b"SELECT t.ENGINE, (SELECT COUNT(*) FROM information_schema.TRIGGERS g WHERE g.EVENT_OBJECT_SCHEMA = t.TABLE_SCHEMA \
        AND g.EVENT_OBJECT_TABLE = t.TABLE_NAME), \
        EXISTS (SELECT 1 FROM information_schema.USER_PRIVILEGES p WHERE p.PRIVILEGE_TYPE = 'TRIGGER' AND p.GRANTEE = me.grantee) OR \
        EXISTS (SELECT 1 FROM information_schema.SCHEMA_PRIVILEGES p WHERE p.PRIVILEGE_TYPE = 'TRIGGER' AND p.GRANTEE = me.grantee \
        AND t.TABLE_SCHEMA LIKE p.TABLE_SCHEMA) OR \
        EXISTS (SELECT 1 FROM information_schema.TABLE_PRIVILEGES p WHERE p.PRIVILEGE_TYPE = 'TRIGGER' AND p.GRANTEE = me.grantee \
        AND p.TABLE_SCHEMA = t.TABLE_SCHEMA AND p.TABLE_NAME = t.TABLE_NAME), t.TABLE_TYPE \
        FROM (SELECT CONCAT('''', LEFT(CURRENT_USER(), CHAR_LENGTH(CURRENT_USER()) - LOCATE('@', REVERSE(CURRENT_USER()))), '''@''', \
        SUBSTRING_INDEX(CURRENT_USER(), '@', -1), '''') AS grantee) AS me \
        JOIN information_schema.TABLES t WHERE t.TABLE_TYPE IN ('BASE TABLE', 'SYSTEM VERSIONED', 'SEQUENCE') AND "
        .to_vec();
    place(&mut sql, "t.", schema, name);
    sql
}

/// The query for the columns in order.
#[must_use]
pub fn columns_query(schema: &str, name: &str, version: &ServerVersion) -> Vec<u8> {
    let mut sql = b"SELECT COLUMN_NAME, DATA_TYPE, COLUMN_TYPE, CHARACTER_SET_NAME, CHARACTER_OCTET_LENGTH, EXTRA, DATETIME_PRECISION, NUMERIC_PRECISION, NUMERIC_SCALE, \
        IS_NULLABLE, "
        .to_vec();
    sql.extend_from_slice(if version.is_mariadb_since(10, 2, 7) {
        MARIADB_DEFAULT
    } else {
        b"COLUMN_DEFAULT IS NULL"
    });
    sql.extend_from_slice(b", COLLATION_NAME FROM information_schema.COLUMNS WHERE ");
    place(&mut sql, "", schema, name);
    sql.extend_from_slice(b" ORDER BY ORDINAL_POSITION");
    sql
}

/// 1 for no default or NULL, 0 for a constant, 2 for an expression. MariaDB shows defaults as SQL: NULL as the word, strings in quotes.
const MARIADB_DEFAULT: &[u8] =
    b"CASE WHEN COLUMN_DEFAULT IS NULL OR COLUMN_DEFAULT = 'NULL' THEN 1 \
    WHEN COLUMN_DEFAULT REGEXP '^(-?[0-9]|[bx]?'')' THEN 0 ELSE 2 END";

/// The query for the columns of unique keys whose every part is a whole column and NOT NULL, the primary key first.
#[must_use]
pub fn keys_query(schema: &str, name: &str) -> Vec<u8> {
    let mut sql = b"SELECT INDEX_NAME, COLUMN_NAME, NULLABLE, SUB_PART FROM information_schema.STATISTICS WHERE NON_UNIQUE = 0 AND ".to_vec();
    place(&mut sql, "", schema, name);
    sql.extend_from_slice(b" ORDER BY INDEX_NAME <> 'PRIMARY', INDEX_NAME, SEQ_IN_INDEX");
    sql
}

fn place(sql: &mut Vec<u8>, alias: &str, schema: &str, name: &str) {
    for (column, value, glue) in [("TABLE_SCHEMA", schema, " AND "), ("TABLE_NAME", name, "")] {
        sql.extend_from_slice(alias.as_bytes());
        sql.extend_from_slice(column.as_bytes());
        sql.extend_from_slice(b" = _utf8mb4");
        append_string(sql, value.as_bytes());
        sql.extend_from_slice(glue.as_bytes());
    }
}

type Row = Vec<Option<String>>;

fn text(row: &Row, at: usize) -> &str {
    row.get(at).and_then(Option::as_deref).unwrap_or_default()
}

impl TargetTable {
    /// Whether its rows can be told apart; else they are found by all that they hold.
    #[must_use]
    pub fn has_key(&self) -> bool {
        !self.keys.is_empty()
    }

    /// Puts the answers of the three queries together; `None` when there is no such base table.
    #[must_use]
    pub fn from_answers(
        schema: &str,
        name: &str,
        table: Option<&Row>,
        columns: &[Row],
        keys: &[Row],
    ) -> Option<TargetTable> {
        let table = table?;
        let columns: Vec<TargetColumn> = columns.iter().map(column).collect();
        Some(TargetTable {
            schema: schema.to_owned(),
            name: name.to_owned(),
            engine: text(table, 0).to_owned(),
            triggers: text(table, 1)
                .parse()
                .ok()
                .filter(|_| text(table, 2) == "1"),
            is_versioned: text(table, 3) == "SYSTEM VERSIONED",
            is_sequence: text(table, 3) == "SEQUENCE",
            has_primary_key: keys.first().is_some_and(|row| text(row, 0) == "PRIMARY"),
            unique: find_unique(&columns, keys),
            keys: find_keys(&columns, keys),
            columns,
        })
    }
}

fn column(row: &Row) -> TargetColumn {
    let extra = text(row, 5).to_ascii_uppercase();
    TargetColumn {
        name: text(row, 0).to_owned(),
        data_type: text(row, 1).to_ascii_lowercase(),
        unsigned: text(row, 2).to_ascii_lowercase().contains("unsigned"),
        charset: row.get(3).cloned().flatten(),
        collation: row.get(11).cloned().flatten(),
        octet_length: text(row, 4).parse().unwrap_or(0),
        precision: text(row, 6)
            .parse()
            .or_else(|_| text(row, 7).parse())
            .unwrap_or(0),
        scale: text(row, 8).parse().unwrap_or(0),
        nullable: text(row, 9).eq_ignore_ascii_case("YES"),
        auto_increment: extra.contains("AUTO_INCREMENT"),
        generated: extra.contains("VIRTUAL GENERATED")
            || extra.contains("STORED GENERATED")
            || extra.contains("PERSISTENT GENERATED"),
        default: if extra.contains("DEFAULT_GENERATED") || text(row, 10) == "2" {
            ColumnDefault::Expression
        } else if text(row, 10) == "0" {
            ColumnDefault::Constant
        } else if text(row, 9).eq_ignore_ascii_case("YES") {
            ColumnDefault::Null
        } else {
            ColumnDefault::OfType
        },
        on_update: extra.contains("ON UPDATE"),
    }
}

fn find_keys(columns: &[TargetColumn], rows: &[Row]) -> Vec<Vec<usize>> {
    let mut keys = Vec::new();
    for group in rows.chunk_by(|a, b| text(a, 0) == text(b, 0)) {
        let primary = text(&group[0], 0) == "PRIMARY";
        let usable = |row: &Row| {
            // A prefix in the primary key does no harm: the whole values still name at most one row.
            primary
                || (!text(row, 2).eq_ignore_ascii_case("YES")
                    && row.get(3).is_none_or(Option::is_none))
        };
        let places: Option<Vec<usize>> = group
            .iter()
            .map(|row| {
                columns
                    .iter()
                    .position(|c| c.name == text(row, 1))
                    .filter(|_| usable(row))
            })
            .collect();
        keys.extend(places);
    }
    keys
}

fn find_unique(columns: &[TargetColumn], rows: &[Row]) -> Unique {
    let names: Vec<&str> = rows.iter().map(|row| text(row, 1)).collect();
    // The name of an expression is NULL.
    let plain = |name: &&str| columns.iter().any(|c| c.name == **name && !c.generated);
    let whole_keys = rows.chunk_by(|a, b| text(a, 0) == text(b, 0)).map(|key| {
        let whole = |row: &Row| row.get(3).is_none_or(Option::is_none);
        let place = |row: &Row| columns.iter().position(|c| c.name == text(row, 1));
        key.iter()
            .map(|row| place(row).filter(|_| whole(row)))
            .collect::<Option<Vec<usize>>>()
    });
    let keys: Vec<Option<Vec<usize>>> = whole_keys.collect();
    Unique {
        columns: columns
            .iter()
            .map(|c| names.contains(&c.name.as_str()))
            .collect(),
        computed: !names.iter().all(plain),
        partial: keys.iter().any(Option::is_none),
        keys: keys.into_iter().flatten().collect(),
    }
}

#[cfg(test)]
impl TargetColumn {
    /// A column `INT NULL`, for tests.
    pub(crate) fn int(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            data_type: "int".to_owned(),
            unsigned: false,
            charset: None,
            collation: None,
            octet_length: 0,
            precision: 0,
            scale: 0,
            nullable: true,
            auto_increment: false,
            generated: false,
            default: ColumnDefault::Null,
            on_update: false,
        }
    }
}

#[cfg(test)]
impl TargetTable {
    /// A table `s.NAME` of three such columns, with the primary key over the first, for tests.
    pub(crate) fn of_ints(name: &str, columns: [&str; 3], unique: Unique) -> Self {
        Self {
            schema: "s".to_owned(),
            name: name.to_owned(),
            engine: "InnoDB".to_owned(),
            columns: columns.map(TargetColumn::int).to_vec(),
            keys: vec![vec![0]],
            has_primary_key: true,
            unique,
            is_versioned: false,
            is_sequence: false,
            triggers: Some(0),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(cells: &[Option<&str>]) -> Row {
        cells.iter().map(|c| c.map(str::to_owned)).collect()
    }

    fn table(keys: &[Row]) -> TargetTable {
        let columns = [
            row(&[
                Some("id"),
                Some("bigint"),
                Some("bigint unsigned"),
                None,
                None,
                Some("auto_increment"),
                None,
                Some("20"),
                Some("0"),
                Some("NO"),
                Some("1"),
            ]),
            row(&[
                Some("name"),
                Some("varchar"),
                Some("varchar(9)"),
                Some("utf8mb4"),
                Some("36"),
                Some(""),
                None,
                None,
                None,
                Some("YES"),
                Some("1"),
            ]),
            row(&[
                Some("twice"),
                Some("bigint"),
                Some("bigint"),
                None,
                None,
                Some("STORED GENERATED"),
                None,
                None,
                None,
                Some("NO"),
                Some("1"),
            ]),
            row(&[
                Some("at"),
                Some("timestamp"),
                Some("timestamp"),
                None,
                None,
                Some("DEFAULT_GENERATED on update CURRENT_TIMESTAMP"),
                Some("0"),
                None,
                None,
                Some("NO"),
                Some("0"),
            ]),
        ];
        let head = row(&[Some("InnoDB"), Some("0"), Some("1")]);
        TargetTable::from_answers("s", "t", Some(&head), &columns, keys).unwrap()
    }

    #[test]
    fn columns_are_read() {
        let t = table(&[]);
        assert!(t.columns[0].unsigned && !t.columns[0].generated);
        assert!(t.columns[0].auto_increment && !t.columns[1].auto_increment);
        assert!(!t.columns[0].nullable && t.columns[1].nullable);
        assert_eq!(t.columns[1].charset.as_deref(), Some("utf8mb4"));
        assert!(t.columns[2].generated);
        // DEFAULT_GENERATED only says that the default is an expression.
        assert!(!t.columns[3].generated && t.columns[3].on_update);
        let defaults: Vec<ColumnDefault> = t.columns.iter().map(|c| c.default).collect();
        assert_eq!(
            defaults,
            [
                ColumnDefault::OfType,
                ColumnDefault::Null,
                ColumnDefault::OfType,
                ColumnDefault::Expression
            ]
        );
    }

    #[test]
    fn a_unique_key_serves_only_when_it_is_whole_and_not_null() {
        let nullable = row(&[Some("a"), Some("name"), Some("YES"), None]);
        let prefix = row(&[Some("b"), Some("name"), Some(""), Some("3")]);
        let expression = row(&[Some("c"), None, Some(""), None]);
        let whole = row(&[Some("d"), Some("id"), Some(""), None]);
        assert_eq!(
            table(&[nullable.clone(), prefix.clone(), expression.clone()]).keys,
            Vec::<Vec<usize>>::new()
        );
        assert_eq!(
            table(&[nullable, prefix, expression, whole]).keys,
            [vec![0]]
        );
        let primary = row(&[Some("PRIMARY"), Some("name"), Some(""), Some("3")]);
        assert_eq!(table(&[primary]).keys, [vec![1]]);
    }

    #[test]
    fn every_unique_key_counts_for_what_stands_in_the_way() {
        let nullable = row(&[Some("a"), Some("name"), Some("YES"), Some("3")]);
        let found = table(std::slice::from_ref(&nullable));
        assert_eq!(found.unique.columns, [false, true, false, false]);
        assert!(!found.unique.computed && !found.has_primary_key);
        assert_eq!(found.unique.keys, Vec::<Vec<usize>>::new(), "a prefix");
        assert!(found.unique.partial);
        let whole = row(&[Some("a"), Some("name"), Some("YES"), None]);
        let found = table(&[whole]);
        assert_eq!(found.unique.keys, [vec![1]]);
        assert!(!found.unique.partial);
        let primary = row(&[Some("PRIMARY"), Some("id"), Some(""), None]);
        let expression = row(&[Some("c"), None, Some(""), None]);
        assert!(
            table(&[primary.clone(), nullable.clone(), expression])
                .unique
                .computed
        );
        let generated = row(&[Some("c"), Some("twice"), Some(""), None]);
        assert!(table(&[nullable, generated]).unique.computed);
        assert!(table(&[primary]).has_primary_key);
    }

    #[test]
    fn no_table_no_answer() {
        assert_eq!(TargetTable::from_answers("s", "t", None, &[], &[]), None);
    }
}
