//! The table filter with names compared as the server compares them.

use datain_contract::ErrorExt as _;
use datain_contract::types::Error;
use datain_sql_statement::{NameCase, TableFilter};

/// Reads the patterns. `lower_case_names`: the server compares names of schemas and tables without regard to letter case.
///
/// # Errors
/// `config.filter`.
pub fn filter(
    include: &[String],
    exclude: &[String],
    lower_case_names: bool,
) -> Result<TableFilter, Error> {
    let case = if lower_case_names {
        NameCase::Insensitive
    } else {
        NameCase::Sensitive
    };
    let filter = TableFilter::new(include, exclude).map_err(|e| {
        Error::reconfigure("config.filter", e.to_string()).hint(
            "a pattern is schema.table, with % and _ as wildcards, or schema.* for all of a schema",
        )
    })?;
    Ok(filter.with_case(case))
}
