//! Whether what is on the target is what a statement would make.

use datain_sql_statement::Charset;

use crate::edit::{cut, options, with_blanks_before};
use crate::table_text::TableText;
use crate::{Kind, Object, definer};

/// Whether `found`, as [`show`](crate::read::show) gives it of the target, is `wanted`, or will be when the rest of `wanted`'s list has run. Of a table, the next AUTO_INCREMENT
/// value does not count. A definer counts only if `wanted` names one.
#[must_use]
pub fn is_same(wanted: &Object, found: &Object) -> bool {
    let options = options(
        &found.context.sql_mode,
        Charset::from_name(&found.context.character_set_client),
    );
    let kept;
    let mut shown = found.shown.as_slice();
    if definer::is_named(shown, &options) && !definer::is_named(&wanted.shown, &options) {
        kept = definer::without(shown, &options);
        shown = &kept;
    }
    let same_text = match wanted.kind {
        Kind::Table | Kind::Indexes => without_next(&wanted.shown) == without_next(shown),
        _ => wanted.shown == shown,
    };
    same_text && same_session(wanted, found)
}

/// What has a body was made in a session, which the server remembers.
fn same_session(wanted: &Object, found: &Object) -> bool {
    if matches!(wanted.kind, Kind::Schema | Kind::Table | Kind::Indexes) {
        return true;
    }
    let (a, b) = (&wanted.context, &found.context);
    a.sql_mode == b.sql_mode
        && a.character_set_client == b.character_set_client
        && a.collation_connection == b.collation_connection
        && a.database_collation == b.database_collation
        && a.time_zone == b.time_zone
}

fn without_next(sql: &[u8]) -> Vec<u8> {
    match TableText::read(sql).and_then(|table| table.auto_increment()) {
        Some(range) => cut(sql, &[with_blanks_before(sql, range)]),
        None => sql.to_vec(),
    }
}
