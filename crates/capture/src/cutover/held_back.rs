//! Triggers and events of the replicated tables and schemas, in the contract's form.

use datain_contract::ErrorExt as _;
use datain_contract::types::{Definition, DefinitionSession, Error, Severity};
use datain_mysql_client::{Session, Stream};
use datain_schema_objects::plan::{Choices, Definer};
use datain_schema_objects::{Kind, Object, plan, read};
use datain_sql_statement::TableFilter;

use crate::copying::abilities;

/// Reads them, with the schemas that they are in, to run as `definer` says.
///
/// # Errors
/// `cutover.definitions-unseen` when the account may not see all of them, or the server cannot show one; `source.objects-changing`; errors of the server.
pub async fn definitions<S: Stream>(
    session: &mut Session<S>,
    filter: &TableFilter,
    definer: Definer,
) -> Result<Vec<Definition>, Error> {
    let reading = read::held_back(session, filter).await?;
    let wrong = reading
        .findings
        .iter()
        .filter(|finding| finding.severity >= Severity::Warning);
    let (messages, remedies): (Vec<&str>, Vec<&str>) = wrong
        .map(|finding| {
            let remedy = finding.remedy.as_deref().unwrap_or_default();
            (finding.message.as_str(), remedy)
        })
        .unzip();
    if !messages.is_empty() {
        return Err(Error::reconfigure(
            "cutover.definitions-unseen",
            "not all triggers and events of the source can be read, and the target would lack the rest",
        )
        .detail(messages.join("; "))
        .hint(format!("on the source: {}", remedies.join(" "))));
    }
    let choices = Choices {
        definer,
        indexes_after: None,
    };
    let plan = plan::plan(reading, &abilities(), choices);
    let of_mariadb = session.server_version().is_mariadb();
    let definition = |object| definition(object, of_mariadb);
    Ok(plan.objects.into_iter().filter_map(definition).collect())
}

fn definition(object: Object, of_mariadb: bool) -> Option<Definition> {
    let kind = match object.kind {
        Kind::Schema => "schema",
        Kind::Trigger => "trigger",
        Kind::Event => "event",
        _ => return None,
    };
    let context = object.context;
    Some(Definition {
        kind: kind.to_owned(),
        schema: object.schema,
        name: object.name,
        sql: object.sql,
        session: DefinitionSession {
            default_schema: context.default_schema,
            sql_mode: context.sql_mode,
            character_set_client: context.character_set_client,
            collation_connection: context.collation_connection,
            database_collation: context.database_collation,
            time_zone: context.time_zone,
            default_collation_for_utf8mb4: context.default_collation_for_utf8mb4,
            of_mariadb,
        },
        definer: object.definer,
    })
}
