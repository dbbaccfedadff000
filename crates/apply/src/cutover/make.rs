//! Definitions of the contract as objects, and making them.

use datain_contract::types::{Definition, Error};
use datain_mysql_client::{Session, Stream};
use datain_schema_objects::plan::{Abilities, Choices, plan};
use datain_schema_objects::read::Reading;
use datain_schema_objects::{Context, Kind, Object, Phase};

use crate::from_mariadb;
use crate::mapping::Collations;
use crate::objects::{self, Done};
use crate::settings;

/// What became of one definition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Made {
    /// `trigger` or `event`.
    pub kind: String,
    /// As `` `schema`.`name` ``.
    pub name: String,
    /// It was there already.
    pub found: bool,
}

/// Makes the definitions of one kind in their order, passing over what is there. Schemas are never made: they say what their collation is.
///
/// # Errors
/// As [`objects::make`].
pub async fn make<S: Stream>(
    session: &mut Session<S>,
    definitions: Vec<Definition>,
    kind: &str,
    choices: Choices,
) -> Result<Vec<Made>, Error> {
    let for_rows = settings::for_rows(session.server_version());
    session.exec(&for_rows).await?;
    let wanted = definitions
        .into_iter()
        .filter(|definition| definition.kind == kind || definition.kind == "schema")
        .collect();
    let list = planned(session, wanted, choices).await?;
    let mut made = Vec::new();
    // As if it went on: an earlier run may have been killed while a schema had another collation.
    objects::make(session, &list, Phase::HeldBack, true, |object, done| {
        made.push(Made {
            kind: kind.to_owned(),
            name: object.quoted(),
            found: *done == Done::Found,
        });
    })
    .await?;
    Ok(made)
}

/// The list in the form in which this target can make it.
///
/// # Errors
/// `ddl.mode-gone`, `ddl.mariadb-only`, `statement.collation-unknown`; errors of the server.
pub(super) async fn planned<S: Stream>(
    session: &mut Session<S>,
    definitions: Vec<Definition>,
    choices: Choices,
) -> Result<Vec<Object>, Error> {
    let abilities = Abilities::ask(session).await?;
    let version = session.server_version().clone();
    let foreign = |definition: &Definition| definition.session.of_mariadb && !version.is_mariadb();
    let collations = if definitions.iter().any(foreign) {
        let rows = session.query_rows(Collations::query(&version)).await?;
        Collations::from_answer(&rows)
    } else {
        Collations::default()
    };
    let mut objects = Vec::new();
    for definition in definitions {
        let is_foreign = foreign(&definition);
        let Some(object) = object(definition) else {
            continue;
        };
        objects.push(if is_foreign {
            from_mariadb::object(object, &collations)?
        } else {
            object
        });
    }
    let reading = Reading {
        objects,
        ..Reading::default()
    };
    Ok(plan(reading, &abilities, choices).objects)
}

fn object(definition: Definition) -> Option<Object> {
    let kind = match definition.kind.as_str() {
        "schema" => Kind::Schema,
        "trigger" => Kind::Trigger,
        "event" => Kind::Event,
        _ => return None,
    };
    let context = definition.session;
    Some(Object {
        kind,
        schema: definition.schema,
        name: definition.name,
        shown: definition.sql.clone(),
        sql: definition.sql,
        context: Context {
            default_schema: context.default_schema,
            sql_mode: context.sql_mode,
            character_set_client: context.character_set_client,
            collation_connection: context.collation_connection,
            database_collation: context.database_collation,
            time_zone: context.time_zone,
            default_collation_for_utf8mb4: context.default_collation_for_utf8mb4,
        },
        definer: definition.definer,
        excuse: None,
        bytes: 0,
    })
}
