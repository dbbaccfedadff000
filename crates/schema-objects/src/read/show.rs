//! SHOW CREATE of one object, with the session in which it was made.

use std::collections::BTreeSet;

use datain_contract::types::Error;
use datain_mysql_client::{
    ClientError, Outcome, ResultSet, Session, StatusFlags, Stream, quote_identifier,
};

use super::{TABLE_CHARSET, TABLE_COLLATION, TABLE_MODE, header, unexpected};
use crate::object::quoted;
use crate::plan::views::pairs;
use crate::table_text::without_inherited_collations;
use crate::{Context, Kind, Object};

/// What came of asking for an object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Shown {
    /// Its definition.
    Object(Box<Object>),
    /// The account may not see it.
    Denied,
    /// There is none of this name.
    Missing,
    /// The server cannot show it, or not so that it could be made elsewhere.
    Unusable {
        /// Why.
        reason: String,
    },
}

/// The view refers to what is not there, or may not be used.
const VIEW_INVALID: &str = "1356";

/// Asks for an object's definition. The session must have been [prepared](super::prepare). `kind` is not [`Kind::Indexes`].
///
/// The object has no definer, excuse or size: no SHOW CREATE tells these.
///
/// # Errors
/// Errors of the server and of the network, other than those that [`Shown`] stands for.
pub async fn show<S: Stream>(
    session: &mut Session<S>,
    kind: Kind,
    schema: &str,
    name: &str,
) -> Result<Shown, Error> {
    // A view leaves out the default schema, wherever its tables are: so that is the one in which it will be made.
    if kind == Kind::View {
        let own = format!("USE {}", quote_identifier(schema));
        if let Err(error) = session.exec(own.as_bytes()).await {
            return refused(error, kind);
        }
    }
    let answer = ask(session, kind, schema, name).await;
    let set = match answer {
        Ok(set) => set,
        Err(error) => {
            if kind == Kind::View && error.server().is_some() {
                session.exec(super::AWAY).await?;
            }
            return refused(error, kind);
        }
    };
    let Some(row) = set.rows.first() else {
        return Ok(Shown::Missing);
    };
    // A routine whose body may not be seen is shown as NULL.
    let Some(sql) = row.get(statement_at(kind)).cloned().flatten() else {
        return Ok(Shown::Denied);
    };
    let context = context(kind, schema, &set)?;
    let sql = match kind {
        Kind::Schema => without_read_only(sql),
        Kind::Table => without_inherited_collations(&sql),
        Kind::Function | Kind::Procedure | Kind::Trigger | Kind::Event => {
            match header::as_written(session, kind, sql, &context).await? {
                Some(sql) => sql,
                None => {
                    let charset = &context.character_set_client;
                    let reason = format!(
                        "it names what the character set of the session that made it ({charset}) cannot express"
                    );
                    return Ok(Shown::Unusable { reason });
                }
            }
        }
        _ => sql,
    };
    let mut object = Object {
        kind,
        schema: schema.to_owned(),
        name: name.to_owned(),
        shown: sql.clone(),
        sql,
        context,
        definer: None,
        excuse: None,
        bytes: 0,
    };
    if kind == Kind::View {
        if set.warnings > 0 {
            object.excuse = invalid(session).await?;
        }
        session.exec(super::AWAY).await?;
    }
    Ok(Shown::Object(Box::new(object)))
}

/// The pairs of names in a view's text: of that which names the schema of every table, and converted, since converting loses no name that anything could be called by.
pub(super) async fn uses<S: Stream>(
    session: &mut Session<S>,
    view: &Object,
) -> Result<BTreeSet<(String, String)>, Error> {
    session
        .exec(b"SET SESSION character_set_results = utf8mb4")
        .await?;
    let set = ask(session, Kind::View, &view.schema, &view.name).await;
    let back = session
        .exec(b"SET SESSION character_set_results = NULL")
        .await;
    let set = set?;
    back?;
    let row = set.rows.into_iter().next().unwrap_or_default();
    let text = row.into_iter().nth(statement_at(Kind::View)).flatten();
    Ok(pairs(&text.unwrap_or_default()))
}

async fn ask<S: Stream>(
    session: &mut Session<S>,
    kind: Kind,
    schema: &str,
    name: &str,
) -> Result<ResultSet, ClientError> {
    let sql = format!("SHOW CREATE {} {}", kind.sql(), quoted(kind, schema, name));
    match session.query(sql.as_bytes()).await?.pop() {
        Some(Outcome::Rows(set)) => Ok(set),
        _ => Ok(ResultSet {
            columns: Vec::new(),
            rows: Vec::new(),
            warnings: 0,
            status: StatusFlags::empty(),
        }),
    }
}

/// The column with the statement.
fn statement_at(kind: Kind) -> usize {
    match kind {
        Kind::Schema | Kind::Table | Kind::Indexes | Kind::View => 1,
        Kind::Library | Kind::Function | Kind::Procedure | Kind::Trigger => 2,
        Kind::Event => 3,
    }
}

fn context(kind: Kind, schema: &str, set: &ResultSet) -> Result<Context, Error> {
    let cell = |name: &str| {
        let at = set.columns.iter().position(|column| column.name == name)?;
        let value = set.rows.first()?.get(at)?.as_deref()?;
        String::from_utf8(value.to_vec()).ok()
    };
    let needed =
        |name: &str| cell(name).ok_or_else(|| unexpected(&format!("SHOW CREATE lacks {name}")));
    let of_table = Context {
        default_schema: (kind != Kind::Schema).then(|| schema.to_owned()),
        sql_mode: TABLE_MODE.to_owned(),
        character_set_client: TABLE_CHARSET.to_owned(),
        collation_connection: TABLE_COLLATION.to_owned(),
        database_collation: None,
        time_zone: None,
        default_collation_for_utf8mb4: None,
    };
    Ok(match kind {
        Kind::Schema => of_table,
        Kind::Table | Kind::Indexes => Context {
            time_zone: Some("+00:00".to_owned()),
            ..of_table
        },
        Kind::Library => Context {
            sql_mode: needed("sql_mode")?,
            ..of_table
        },
        // A view's text is written without regard to modes. With NO_BACKSLASH_ESCAPES it would be read otherwise.
        Kind::View => Context {
            sql_mode: String::new(),
            character_set_client: needed("character_set_client")?,
            collation_connection: needed("collation_connection")?,
            ..of_table
        },
        Kind::Function | Kind::Procedure | Kind::Trigger | Kind::Event => Context {
            sql_mode: needed("sql_mode")?,
            character_set_client: needed("character_set_client")?,
            collation_connection: needed("collation_connection")?,
            database_collation: Some(needed("Database Collation")?),
            time_zone: cell("time_zone"),
            ..of_table
        },
    })
}

fn refused(error: ClientError, kind: Kind) -> Result<Shown, Error> {
    match error.errno() {
        // Unknown database, table, routine or library, trigger, event.
        Some(1049 | 1146 | 1305 | 1360 | 1539) => Ok(Shown::Missing),
        Some(_) if error.code() == "server.privilege-missing" => Ok(Shown::Denied),
        Some(_) if !matches!(kind, Kind::Schema | Kind::Table) && !error.is_transient() => {
            Ok(Shown::Unusable {
                reason: format!("the server cannot show it: {}", error.message()),
            })
        }
        _ => Err(error.into()),
    }
}

/// Whether one of the last statement's warnings says that the view is invalid.
async fn invalid<S: Stream>(session: &mut Session<S>) -> Result<Option<String>, Error> {
    let rows = session.query_rows(b"SHOW WARNINGS").await?;
    Ok(rows
        .iter()
        .any(|row| row.get(1).is_some_and(|code| code.as_deref() == Some(VIEW_INVALID)))
        .then(|| "it refers to a table, column or function that is not there on the source, or that its definer may not use".to_owned()))
}

/// A schema that is read-only says so in a comment, at its end: CREATE DATABASE has no such option.
fn without_read_only(sql: Vec<u8>) -> Vec<u8> {
    const COMMENT: &[u8] = b"/* READ ONLY=1 */";
    let trimmed = sql.trim_ascii_end();
    match trimmed.strip_suffix(COMMENT) {
        Some(rest) => rest.trim_ascii_end().to_vec(),
        None => sql,
    }
}
