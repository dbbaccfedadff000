//! Making what a source's schemas hold, before its rows are copied: the list that `datain-schema-objects` puts together is run here.
//!
//! Each object stands alone, since DDL commits by itself. Before one is made it is looked for: what is there and is the same is passed over, so a list that was run half-way is simply run
//! again; what is there and differs is an error. Nothing of the target's is ever dropped or changed.
//!
//! A routine remembers the collation that its schema had when it was made, and only the schema can give it that. Where it is another than the schema's own by now, the schema gets it for the
//! moment in which the routine is made. Killed in that moment, the next run, whatever its phase, gives the schema its own again.

use datain_contract::ErrorExt as _;
use datain_contract::types::{Disposition, Error};
use datain_mysql_client::{Session, Stream, quote_identifier};
use datain_schema_objects::read::{Shown, prepare, prepare_again, show};
use datain_schema_objects::{Kind, Object, Phase, default_characters, is_same};

use crate::settings;

/// What became of an object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Done {
    /// It was made.
    Made,
    /// It was there already.
    Found,
    /// The target refused it, for which it had an excuse.
    LeftOut {
        /// What the target said, and the excuse.
        reason: String,
    },
}

/// Makes all objects of one phase, in the order of the list, and tells of each. `objects` is the whole list: an index that is to come may be there already.
///
/// `goes_on`: a copy that was begun before goes on, so tables may hold rows.
///
/// The session is one that [`settings::for_rows`] was given to; it is so again afterwards, with `information_schema` as its default schema. After an error it is of no use any more.
///
/// # Errors
/// `target.object-differs`, `table.not-empty`; errors of the server and of the network, with the object that was being made.
pub async fn make<S: Stream>(
    session: &mut Session<S>,
    objects: &[Object],
    phase: Phase,
    goes_on: bool,
    mut tell: impl FnMut(&Object, &Done),
) -> Result<(), Error> {
    prepare(session).await?;
    session.exec(b"SET SESSION foreign_key_checks = 0").await?;
    for sql in settings::IF_KNOWN {
        match session.exec(sql).await {
            Err(e) if e.errno() != Some(settings::UNKNOWN_VARIABLE) => return Err(e.into()),
            _ => {}
        }
    }
    implied_timestamps_off(session).await?;
    if goes_on {
        take_back(session, objects).await?;
    }
    for (at, object) in objects.iter().enumerate() {
        if object.kind.phase() == phase {
            let done = one(
                session,
                object,
                objects.get(at..).unwrap_or_default(),
                goes_on,
            )
            .await?;
            tell(object, &done);
        }
    }
    if objects
        .iter()
        .any(|object| object.context.default_collation_for_utf8mb4.is_some())
    {
        session
            .exec(b"SET SESSION default_collation_for_utf8mb4 = DEFAULT")
            .await?;
    }
    let for_rows = settings::for_rows(session.server_version());
    session.exec(&for_rows).await?;
    Ok(())
}

/// Triggers and events of the list whose names are taken by something else than they are, as text; makes nothing. The session is left as by [`make`].
///
/// # Errors
/// Errors of the server.
pub async fn taken<S: Stream>(
    session: &mut Session<S>,
    objects: &[Object],
) -> Result<Vec<String>, Error> {
    prepare(session).await?;
    let mut taken = Vec::new();
    for object in objects {
        if object.kind.phase() != Phase::HeldBack {
            continue;
        }
        let there = look(session, object).await?;
        if there.is_there() && !there.is_any(objects, object) {
            taken.push(object.to_string());
        }
    }
    let for_rows = settings::for_rows(session.server_version());
    session.exec(&for_rows).await?;
    Ok(taken)
}

/// A TIMESTAMP column says all that is to be known of it: the server must add nothing. It does not by default, and the setting needs a privilege in some versions.
async fn implied_timestamps_off<S: Stream>(session: &mut Session<S>) -> Result<(), Error> {
    let row = session
        .query_first(b"SELECT @@explicit_defaults_for_timestamp")
        .await?;
    if row
        .and_then(|row| row.into_iter().next().flatten())
        .as_deref()
        != Some("1")
    {
        session
            .exec(b"SET SESSION explicit_defaults_for_timestamp = 1")
            .await?;
    }
    Ok(())
}

/// `list` begins with the object.
async fn one<S: Stream>(
    session: &mut Session<S>,
    object: &Object,
    list: &[Object],
    goes_on: bool,
) -> Result<Done, Error> {
    let there = look(session, object).await?;
    if there.is_any(list, object) {
        if object.kind == Kind::Table && !goes_on {
            refuse_rows(session, object).await?;
        }
        return Ok(Done::Found);
    }
    // Indexes are told from their table, which was made or found before.
    if there.is_there() && object.kind != Kind::Indexes {
        return Err(differs(object));
    }
    let Some(wanted) = &object.context.database_collation else {
        return run(session, object).await;
    };
    match collation(session, &object.schema).await? {
        Some(own) if own != *wanted => {
            set_collation(session, &object.schema, wanted).await?;
            let made = run(session, object).await;
            let back = set_collation(session, &object.schema, &own).await;
            let done = made?;
            back?;
            Ok(done)
        }
        _ => run(session, object).await,
    }
}

/// What is found under an object's name.
enum There {
    Nothing,
    Something(Option<Box<Object>>),
}

impl There {
    fn is_there(&self) -> bool {
        matches!(self, There::Something(_))
    }

    /// Whether it is the object, or what the object will be when the rest of the list has run.
    fn is_any(&self, list: &[Object], object: &Object) -> bool {
        let There::Something(Some(found)) = self else {
            return false;
        };
        let is_table = |kind: Kind| matches!(kind, Kind::Table | Kind::Indexes);
        list.iter().any(|later| {
            (later.kind == object.kind || is_table(later.kind) && is_table(object.kind))
                && later.schema == object.schema
                && later.name == object.name
                && is_same(later, found)
        })
    }
}

async fn look<S: Stream>(session: &mut Session<S>, object: &Object) -> Result<There, Error> {
    let kind = match object.kind {
        Kind::Indexes => Kind::Table,
        kind => kind,
    };
    Ok(
        match show(session, kind, &object.schema, &object.name).await? {
            Shown::Missing => There::Nothing,
            Shown::Object(found) => There::Something(Some(found)),
            Shown::Denied | Shown::Unusable { .. } => There::Something(None),
        },
    )
}

/// Runs the object's statement in the object's session, and goes back to the one in which objects are looked at.
async fn run<S: Stream>(session: &mut Session<S>, object: &Object) -> Result<Done, Error> {
    if let Some(schema) = &object.context.default_schema {
        let sql = format!("USE {}", quote_identifier(schema));
        session.exec(sql.as_bytes()).await.map_err(Error::from)?;
    }
    let set = session.exec(&object.context.set_sql()).await;
    let result = match set {
        Ok(_) => session.exec(&object.sql).await,
        refused => refused,
    };
    let Err(error) = result else {
        prepare_again(session).await?;
        return Ok(Done::Made);
    };
    let error = Error::from(error);
    if error.server_errno.is_some() {
        prepare_again(session).await?;
    }
    let passing = error.server_errno.is_none()
        || error.disposition == Disposition::Retry
        || error.code == "server.privilege-missing";
    if let (Some(excuse), false) = (&object.excuse, passing) {
        return Ok(Done::LeftOut {
            reason: format!("{}; {excuse}", error.message),
        });
    }
    Err(refused(object, error))
}

fn refused(object: &Object, error: Error) -> Error {
    let error = error.detail(format!("while making {object}"));
    let hint = match error.server_errno {
        Some(1418 | 1419) => {
            "SET PERSIST log_bin_trust_function_creators = ON on the target: its own binary log makes it wary of functions"
        }
        // A view over a view whose definer is missing is refused, though the view below was made.
        Some(1449) => {
            "create the definer's account on the target (it may be locked), or let everything run as the target's account (definer = \"current-user\")"
        }
        _ if error.hint.is_some() => return error,
        _ => "make it on the target by hand, as the source has it, or exclude it",
    };
    error.hint(hint)
}

fn differs(object: &Object) -> Error {
    let drop = match object.kind {
        Kind::Schema => "give it the source's default character set and collation (ALTER DATABASE)",
        _ => "rename or drop it there if it is not needed",
    };
    Error::reconfigure(
        "target.object-differs",
        format!("{object} is on the target already, and is not as on the source"),
    )
    .in_table(&object.schema, &object.name)
    .hint(format!("{drop}, or exclude it; datain drops nothing"))
}

async fn refuse_rows<S: Stream>(session: &mut Session<S>, object: &Object) -> Result<(), Error> {
    let sql = format!("SELECT 1 FROM {} LIMIT 1", object.quoted());
    if session.query_first(sql.as_bytes()).await?.is_none() {
        return Ok(());
    }
    Err(Error::reconfigure(
        "table.not-empty",
        format!("{object} holds rows on the target already"),
    )
    .in_table(&object.schema, &object.name)
    .hint("empty or drop it there if its rows are not needed; datain deletes nothing that it did not write"))
}

/// A schema's collation now.
async fn collation<S: Stream>(
    session: &mut Session<S>,
    schema: &str,
) -> Result<Option<String>, Error> {
    let mut sql =
        b"SELECT DEFAULT_COLLATION_NAME FROM information_schema.SCHEMATA WHERE SCHEMA_NAME = "
            .to_vec();
    datain_mysql_client::append_string(&mut sql, schema.as_bytes());
    let row = session.query_first(&sql).await?;
    Ok(row.and_then(|row| row.into_iter().next().flatten()))
}

/// Gives schemas their own collations again that have another one which a routine of theirs needs: an earlier run was killed while it made that routine.
async fn take_back<S: Stream>(session: &mut Session<S>, list: &[Object]) -> Result<(), Error> {
    for schema in list.iter().filter(|object| object.kind == Kind::Schema) {
        let there = look(session, schema).await?;
        if !there.is_there() || there.is_any(list, schema) {
            continue;
        }
        let now = collation(session, &schema.schema).await?;
        let lent = list.iter().any(|object| {
            object.schema == schema.schema
                && object.context.database_collation.is_some()
                && object.context.database_collation == now
        });
        if lent {
            own_collation(session, schema).await?;
        }
    }
    Ok(())
}

/// Gives the schema the collation of its own definition.
async fn own_collation<S: Stream>(session: &mut Session<S>, schema: &Object) -> Result<(), Error> {
    let Some(own) = default_characters(&schema.sql) else {
        return Ok(());
    };
    let mut sql = format!("ALTER DATABASE {} ", quote_identifier(&schema.schema)).into_bytes();
    sql.extend_from_slice(&own);
    session.exec(&sql).await?;
    Ok(())
}

async fn set_collation<S: Stream>(
    session: &mut Session<S>,
    schema: &str,
    collation: &str,
) -> Result<(), Error> {
    let mut sql = format!("ALTER DATABASE {} COLLATE ", quote_identifier(schema)).into_bytes();
    datain_mysql_client::append_string(&mut sql, collation.as_bytes());
    session.exec(&sql).await?;
    Ok(())
}
