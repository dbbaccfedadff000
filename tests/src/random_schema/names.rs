//! Names of schemas, tables and columns, plain and odd.

use datain_mysql_client::quote_identifier;

use crate::seed::{Rng, chance, pick};

/// Parts that names are made with: what would end a literal or an identifier that is put together carelessly.
const ODD: &[&str] = &[
    " ",
    "`",
    "``",
    "'",
    "\"",
    "\\",
    ".",
    ";",
    "--",
    "/*",
    "é",
    "größe",
    "名前",
    "select",
    "#",
    "%",
    "_",
    "$",
    "@",
    "?",
    "\t",
    "é\u{301}",
    "(",
    "\u{2028}",
];

/// A name that no other one of the same number has, whatever the case.
pub fn name(rng: &mut Rng, stem: &str, number: usize) -> String {
    if chance(rng, 60) {
        return format!("{stem}{number}");
    }
    let mut name = String::new();
    for _ in 0..rng.usize(1..4) {
        name.push_str(pick(rng, ODD));
    }
    // A space at the end of a name is refused.
    name.push_str(&format!("{stem}{number}"));
    while chance(rng, 8) && name.chars().count() < 60 {
        name.push_str("_long");
    }
    name
}

/// The name as SQL.
#[must_use]
pub fn sql(name: &str) -> String {
    quote_identifier(name)
}
