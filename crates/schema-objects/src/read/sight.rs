//! What the account may not see, as findings: one for each privilege that it lacks.

use std::collections::{BTreeMap, BTreeSet};

use datain_contract::FindingExt as _;
use datain_contract::types::{Finding, Severity};
use datain_server_facts::{Rights, Sight, list};
use datain_sql_statement::TableFilter;

use super::UNSEEN;
use super::list::Name;

/// Objects whose names are seen, and not their definitions.
pub(super) fn denied(names: &[Name], rights: &Rights, insensitive: bool) -> Vec<Finding> {
    let mut by_privilege: BTreeMap<&str, Vec<&Name>> = BTreeMap::new();
    for name in names {
        by_privilege
            .entry(name.privilege(rights))
            .or_default()
            .push(name);
    }
    by_privilege
        .into_iter()
        .map(|(privilege, names)| {
            let grants: BTreeSet<String> = names
                .iter()
                .map(|name| match privilege {
                    "SHOW_ROUTINE" => rights.grant_globally(&[privilege]),
                    _ if insensitive => {
                        rights.grant_on_schema(&[privilege], &name.schema.to_lowercase())
                    }
                    _ => rights.grant_on_schema(&[privilege], &name.schema),
                })
                .collect();
            let texts: Vec<String> = names.iter().map(ToString::to_string).collect();
            let message = format!(
                "{} lacks {privilege} and cannot read {}",
                rights.account,
                list(&texts)
            );
            Finding::about(UNSEEN, Severity::Fatal, message)
                .remedy(grants.into_iter().collect::<Vec<_>>().join("\n"))
                .subjects(names.iter().map(|name| name.quoted()).collect())
        })
        .collect()
}

/// Kinds of which there may be some that the account does not even see the name of.
pub(super) fn unseen(
    sights: &[(&str, Sight)],
    filter: &TableFilter,
    rights: &Rights,
    insensitive: bool,
    knows_show_routine: bool,
) -> Vec<Finding> {
    sights
        .iter()
        .filter_map(|(what, sight)| {
            let grants = sight.missing(filter, rights, insensitive, knows_show_routine);
            let finding = Finding::about(
                UNSEEN,
                Severity::Warning,
                format!(
                    "{} may not see all {what}: there may be some that are not copied",
                    rights.account
                ),
            )
            .remedy(grants.join("\n"))
            .subjects(vec![rights.account.to_string()]);
            (!grants.is_empty()).then_some(finding)
        })
        .collect()
}
