//! What a `[replicate]` that was changed means for a pipeline that runs already.
//!
//! The checkpoint keeps what was replicated ([`Scope`]). What is taken less is left out from the opening on. Tables that are taken anew are copied like those of a first copy, where `[start]` asks for copies:
//! until the stream has come to where the source was at the opening, they are left out as before, for the definitions in the log behind that place are older than those that are copied.
//! Then the stream takes them in, as tables that wait, and the copy begins. Until it is complete the checkpoint goes on to say what was replicated before: a [`Place`](crate::copying::Place) beside
//! it is that of tables that are added.
//!
//! Putting `[replicate]` back to what it was gives the copy up.

use datain_contract::ErrorExt as _;
use datain_contract::types::{Disposition, Error};
use datain_mysql_client::{Session, Stream};
use datain_server_facts::tables::quoted;
use datain_sql_statement::TableFilter;

use crate::checkpoint::{Scope, State};

/// What there is to do about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// Nothing, or nothing is known of what was replicated before.
    None,
    /// Tables may have to be copied when the stream has come to the head.
    Add {
        /// What was replicated before.
        before: Scope,
    },
    /// Tables are being copied beside those that were replicated before.
    GoOn {
        /// What was replicated before.
        before: Scope,
    },
    /// The copy of tables that were added ends: they are not replicated any more.
    GiveUp,
    /// Tables may have been added, and `[start]` asks for no copies.
    Uncopied {
        /// What was replicated before.
        before: Scope,
    },
}

/// Holds what the checkpoint says against what is to be replicated now, and brings the state in line with it. `copies` says that `[start]` asks for copies.
///
/// # Errors
/// `snapshot.filter-changed` in the middle of a copy.
pub fn take_in(state: &mut State, now: &Scope, copies: bool) -> Result<Change, Error> {
    let place = state.copy.clone();
    let begun = place.as_ref().map(|place| place.filter());
    match (begun, state.scope.clone()) {
        // A first copy: the scope is written down at its end.
        (Some(filter), None) => match filter {
            Some(filter) if filter != now.text() => Err(changed(filter, now, None)),
            _ => Ok(Change::None),
        },
        (Some(Some(filter)), Some(before)) if filter == now.text() => Ok(Change::GoOn { before }),
        (Some(Some(filter)), Some(before)) if before != *now => {
            Err(changed(filter, now, Some(&before)))
        }
        (Some(begun), Some(before)) => {
            state.copy = None;
            state.aside = None;
            Ok(match begun {
                Some(_) => Change::GiveUp,
                // Nothing of it was handed on.
                None => add(&before, now, copies),
            })
        }
        (None, Some(before)) => {
            let change = add(&before, now, copies);
            if !matches!(change, Change::Add { .. }) {
                state.scope = Some(now.clone());
            }
            Ok(change)
        }
        (None, None) => {
            state.scope = Some(now.clone());
            Ok(Change::None)
        }
    }
}

fn add(before: &Scope, now: &Scope, copies: bool) -> Change {
    let before = before.clone();
    if before == *now {
        Change::None
    } else if copies {
        Change::Add { before }
    } else {
        Change::Uncopied { before }
    }
}

fn changed(began: &str, now: &Scope, before: Option<&Scope>) -> Error {
    let now = now.text();
    let detail = format!("the copy began with {began}, and now it is {now}");
    match before {
        None => Error::reconfigure(
            "snapshot.filter-changed",
            "[replicate] was changed before the first copy was complete",
        )
        .detail(detail)
        .hint("put it back until the copy is complete; or remove the pipeline, drop what was copied, and start again"),
        Some(before) => Error::reconfigure(
            "snapshot.filter-changed",
            "[replicate] was changed before the copy of the tables that were added was complete",
        )
        .detail(format!("{detail}; before it was {}", before.text()))
        .hint("put it back until the copy is complete; or to what it was before, which gives the copy up, and drop what was copied of the added tables on the target"),
    }
}

/// An error in the midst of a copy of added tables says how to get out of it: the pipeline itself is whole.
#[must_use]
pub fn with_way_out(error: Error) -> Error {
    if error.disposition != Disposition::Resnapshot || !error.code.starts_with("snapshot.") {
        return error;
    }
    error.hint("put [replicate] back to what it was, which gives up the copy of the tables that were added, and start; drop what was copied of them on the target, and add them again when nothing changes their definitions")
}

/// What a copy that is given up leaves behind.
pub const GIVEN_UP: &str = "the copy of tables that were added is given up, since [replicate] is what it was before: drop on the target what was copied of them";

/// What people should know of tables that are added and not copied, if there are any.
///
/// # Errors
/// Errors of the server.
pub async fn uncopied<S: Stream>(
    session: &mut Session<S>,
    added: &TableFilter,
) -> Result<Option<String>, Error> {
    let tables = datain_server_facts::tables::tables(session, added).await?;
    let names: Vec<String> = tables
        .iter()
        .map(|table| quoted(&table.schema, &table.name))
        .collect();
    Ok((!names.is_empty()).then(|| {
        format!(
            "[replicate] was changed; of the tables that it adds only changes from here on are replicated, since start.mode is not snapshot: {}",
            names.join(", ")
        )
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::copying::Place;
    use crate::position::Position;

    fn scope(include: &str) -> Scope {
        Scope {
            include: vec![include.to_owned()],
            exclude: Vec::new(),
        }
    }

    fn check(
        copy: Option<&Scope>,
        before: Option<&Scope>,
        copies: bool,
        expected: Result<&Change, &str>,
        left: (bool, Option<&Scope>),
    ) {
        let mut state = State {
            server_uuid: String::new(),
            position: Position::default(),
            gtids: None,
            file_began: None,
            copy: copy.map(|scope| Place::Definitions {
                done: 1,
                filter: scope.text(),
            }),
            aside: None,
            scope: before.cloned(),
            temporary: Default::default(),
        };
        let found = take_in(&mut state, &scope("now.%"), copies);
        match (&found, expected) {
            (Ok(found), Ok(expected)) => assert_eq!(found, expected),
            (Err(error), Err(code)) => assert_eq!(error.code, code),
            other => panic!("{other:?}"),
        }
        assert_eq!((state.copy.is_some(), state.scope.as_ref()), left);
    }

    #[test]
    fn tables_are_added_where_copies_are_asked_for() {
        let (now, before) = (scope("now.%"), scope("before.%"));
        let add = Change::Add {
            before: before.clone(),
        };
        let uncopied = Change::Uncopied {
            before: before.clone(),
        };
        // What was replicated stays written down until the copy is complete.
        check(None, Some(&before), true, Ok(&add), (false, Some(&before)));
        check(
            None,
            Some(&before),
            false,
            Ok(&uncopied),
            (false, Some(&now)),
        );
        check(
            None,
            Some(&now),
            true,
            Ok(&Change::None),
            (false, Some(&now)),
        );
        check(None, None, true, Ok(&Change::None), (false, Some(&now)));
    }

    #[test]
    fn a_copy_goes_on_with_what_it_began_with_alone() {
        let (now, before, other) = (scope("now.%"), scope("before.%"), scope("other.%"));
        let go_on = Change::GoOn {
            before: before.clone(),
        };
        check(
            Some(&now),
            Some(&before),
            true,
            Ok(&go_on),
            (true, Some(&before)),
        );
        check(Some(&now), None, true, Ok(&Change::None), (true, None));
        let refused = "snapshot.filter-changed";
        check(Some(&other), None, true, Err(refused), (true, None));
        check(
            Some(&other),
            Some(&before),
            true,
            Err(refused),
            (true, Some(&before)),
        );
        check(
            Some(&other),
            Some(&now),
            true,
            Ok(&Change::GiveUp),
            (false, Some(&now)),
        );
    }
}
