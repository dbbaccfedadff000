//! The definitions by which the own table is read, so that its rows and keys come in the source's form.

use datain_contract::types::Signedness;
use datain_row_block::ColumnKind;
use datain_table_scan::{ColumnDefinition, KeyPart, ScanKey, TableDefinition};

use crate::pairing::Pair;

/// The key by which this table is read in the source's ranges, its columns by their places in the source: none where it lacks such a key, or orders it otherwise.
pub(crate) fn scan_key(
    source: &TableDefinition,
    own: &TableDefinition,
    pairs: &[Pair],
    paired: &[usize],
) -> Option<ScanKey> {
    let key = source.scan_key.as_ref()?;
    if !key.parts.iter().all(|part| pairs[part.column].same_order) {
        return None;
    }
    let wanted: Vec<usize> = key.parts.iter().map(|part| paired[part.column]).collect();
    let found = own.scan_key.iter().chain(&own.other_keys).find(|own| {
        let columns = own.parts.iter().map(|part| part.column);
        columns.eq(wanted.iter().copied())
    })?;
    Some(ScanKey {
        index: found.index.clone(),
        parts: key.parts.clone(),
    })
}

/// The key's columns alone, as a table.
pub(crate) fn of_keys(own: &TableDefinition, pairs: &[Pair], key: &ScanKey) -> TableDefinition {
    let columns = key.parts.iter();
    TableDefinition {
        schema: own.schema.clone(),
        name: own.name.clone(),
        columns: columns
            .map(|part| pairs[part.column].read_as.clone())
            .collect(),
        primary_key: Vec::new(),
        scan_key: Some(ScanKey {
            index: key.index.clone(),
            parts: key
                .parts
                .iter()
                .enumerate()
                .map(|(column, part)| KeyPart {
                    column,
                    descending: part.descending,
                })
                .collect(),
        }),
        other_keys: Vec::new(),
    }
}

/// The table as the source would define it, what is selected for its columns where that is not the column itself, and the columns that have marks.
pub(crate) fn in_source_form(
    own: &TableDefinition,
    pairs: &[Pair],
    scan_key: Option<ScanKey>,
) -> (TableDefinition, Vec<Option<String>>, Vec<usize>) {
    let mut columns: Vec<ColumnDefinition> =
        pairs.iter().map(|pair| pair.read_as.clone()).collect();
    let mut items: Vec<Option<String>> = pairs.iter().map(|pair| pair.item.clone()).collect();
    let mut marked = Vec::new();
    for (at, pair) in pairs.iter().enumerate() {
        let Some(mark) = &pair.mark else {
            continue;
        };
        marked.push(at);
        items.push(Some(format!("({mark})")));
        columns.push(ColumnDefinition {
            name: format!("mark of {}", pair.read_as.name),
            kind: ColumnKind::Tinyint,
            signedness: Signedness::Signed,
            collation: None,
            charset: None,
            length: 0,
            scale: 0,
            nullable: false,
            members: 0,
            column_type: String::new(),
        });
    }
    let table = TableDefinition {
        schema: own.schema.clone(),
        name: own.name.clone(),
        columns,
        primary_key: Vec::new(),
        scan_key,
        other_keys: Vec::new(),
    };
    (table, items, marked)
}
