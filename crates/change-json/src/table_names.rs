//! Names of columns from CREATE TABLE statements, for rows of a log that holds none.
//!
//! A definition is taken as it stands, and the newest of a table counts. What would have to be worked out (`ALTER TABLE`, `LIKE`, a query) is not: the table is then without names, which
//! its reader is told. Names of schemas and tables are compared letter by letter.

use std::collections::HashMap;

use datain_sql_statement::{
    Charset, Kind, ObjectName, Options, TableAction, Tokens, classify, created_columns, script,
};

/// The columns of tables, by schema and name.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TableNames {
    tables: HashMap<(String, String), Vec<String>>,
}

/// The schema of tables for which the file names none: they stand for a table of that name in any schema.
const ANY: &str = "";

impl TableNames {
    /// Reads a file of statements in UTF-8, such as `mysqldump --no-data` or SHOW CREATE TABLE give; other statements than those on tables are passed over. Answers with what could not be
    /// read, by the number of its line.
    pub fn read(&mut self, sql: &[u8]) -> Vec<(usize, String)> {
        let options = Options::default();
        let mut default_schema = ANY.to_owned();
        let mut problems = Vec::new();
        for statement in script(sql, &options) {
            if let Some(schema) = used(statement.sql, &options) {
                default_schema = schema;
                continue;
            }
            if let Err(problem) = self.statement(statement.sql, &options, &default_schema) {
                problems.push((statement.line, problem));
            }
        }
        problems
    }

    /// The names of a table's columns in their order.
    #[must_use]
    pub fn of(&self, schema: &str, table: &str) -> Option<&[String]> {
        let find = |schema: &str| self.tables.get(&(schema.to_owned(), table.to_owned()));
        find(schema).or_else(|| find(ANY)).map(Vec::as_slice)
    }

    /// Whether no table has names.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.tables.is_empty()
    }

    fn statement(
        &mut self,
        sql: &[u8],
        options: &Options,
        default_schema: &str,
    ) -> Result<(), String> {
        let found = classify(sql, options);
        let action = match found.kind {
            Kind::Table(action) => action,
            Kind::Other => {
                return match Tokens::new(sql, options).next() {
                    // Nothing but a comment; what mysqldump puts around rows.
                    None => Ok(()),
                    Some(word) if word.is_word("LOCK") || word.is_word("UNLOCK") => Ok(()),
                    Some(_) => Err("a statement cannot be read, and is passed over".to_owned()),
                };
            }
            _ => return Ok(()),
        };
        if found.temporary {
            return Ok(());
        }
        if !found.complete {
            return Err("the name of a table cannot be read".to_owned());
        }
        for target in &found.targets {
            let key = key(target, default_schema)?;
            match action {
                TableAction::Create => match created(sql, options) {
                    Ok(names) => {
                        self.tables.insert(key, names);
                    }
                    Err(why) => {
                        let name = shown(&key);
                        self.tables.remove(&key);
                        return Err(format!(
                            "the columns of {name} cannot be told from its CREATE TABLE: {why}"
                        ));
                    }
                },
                TableAction::Drop => {
                    self.tables.remove(&key);
                }
                TableAction::Alter | TableAction::Rename => {
                    let name = shown(&key);
                    if self.tables.remove(&key).is_some() {
                        return Err(format!(
                            "{name} is changed after its CREATE TABLE, which is not followed"
                        ));
                    }
                }
                TableAction::Truncate | TableAction::CreateIndex | TableAction::DropIndex => {}
            }
        }
        Ok(())
    }
}

fn created(sql: &[u8], options: &Options) -> Result<Vec<String>, String> {
    let names = created_columns(sql, options)?;
    names
        .into_iter()
        .map(|name| String::from_utf8(name).map_err(|_| "a name in it is no UTF-8".to_owned()))
        .collect()
}

fn key(name: &ObjectName, default_schema: &str) -> Result<(String, String), String> {
    let decoded = name.decode(Charset::Utf8, default_schema);
    decoded
        .map(|(schema, table)| (schema.into_owned(), table.into_owned()))
        .ok_or_else(|| "the name of a table is no UTF-8".to_owned())
}

fn shown((schema, table): &(String, String)) -> String {
    if schema == ANY {
        return format!("`{table}`");
    }
    format!("`{schema}`.`{table}`")
}

/// The schema that `USE` names.
fn used(sql: &[u8], options: &Options) -> Option<String> {
    let mut tokens = Tokens::new(sql, options);
    tokens.next().filter(|token| token.is_word("USE"))?;
    let name = tokens.next()?.identifier()?.into_owned();
    String::from_utf8(name).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(sql: &str) -> (TableNames, Vec<(usize, String)>) {
        let mut names = TableNames::default();
        let problems = names.read(sql.as_bytes());
        (names, problems)
    }

    fn columns(names: &TableNames, schema: &str, table: &str) -> String {
        names
            .of(schema, table)
            .map_or_else(|| "none".to_owned(), |names| names.join(","))
    }

    #[test]
    fn a_dump_of_several_schemas_names_each_table() {
        let (names, problems) = read(
            "-- MySQL dump\n/*!40101 SET NAMES utf8mb4 */;\nCREATE DATABASE /*!32312 IF NOT EXISTS*/ `a` /*!40100 DEFAULT CHARACTER SET utf8mb4 */;\nUSE `a`;\n\
             DROP TABLE IF EXISTS `t`;\nCREATE TABLE `t` (\n  `id` int,\n  `v` int\n);\nLOCK TABLES `t` WRITE;\nUNLOCK TABLES;\nUSE `b`;\nCREATE TABLE `t` (`x` int);\n\
             CREATE TABLE a.u (y int);\nDELIMITER ;;\nCREATE TRIGGER g BEFORE INSERT ON t FOR EACH ROW BEGIN CREATE TABLE no (a INT); END ;;\nDELIMITER ;\n",
        );
        assert_eq!(columns(&names, "a", "t"), "id,v");
        assert_eq!(columns(&names, "b", "t"), "x");
        assert_eq!(columns(&names, "a", "u"), "y");
        assert_eq!(columns(&names, "b", "no"), "none");
        assert_eq!(columns(&names, "c", "t"), "none");
        assert_eq!(problems, []);
    }

    #[test]
    fn a_table_without_a_schema_stands_for_that_name_in_each() {
        let (names, problems) = read("CREATE TABLE t (a INT); CREATE TABLE s.t (b INT)");
        assert_eq!(problems, []);
        assert_eq!(columns(&names, "s", "t"), "b");
        assert_eq!(columns(&names, "other", "t"), "a");
        assert_eq!(columns(&names, "other", "T"), "none");
    }

    #[test]
    fn what_cannot_be_read_is_said_and_never_guessed() {
        let (names, problems) = read(
            "CREATE TABLE s.a (x INT);\nCREATE TABLE s.b LIKE s.a;\nCREATE TABLE s.c (x INT) SELECT 1 AS y;\nALTER TABLE s.a ADD y INT;\nGIBBERISH;\nCREATE TABLE s.d (x INT);\nRENAME TABLE s.d TO s.e;\n\
             CREATE TEMPORARY TABLE s.f (x INT);\n",
        );
        for table in ["a", "b", "c", "d", "e", "f"] {
            assert_eq!(columns(&names, "s", table), "none", "{table}");
        }
        let lines: Vec<_> = problems.iter().map(|(line, _)| *line).collect();
        assert_eq!(lines, [2, 3, 4, 5, 7], "{problems:?}");
        assert!(problems[0].1.contains("`s`.`b`"), "{problems:?}");
        assert!(names.is_empty());
    }
}
