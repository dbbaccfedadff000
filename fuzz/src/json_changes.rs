//! Changes of JSON documents, as the row block holds them. Those that can be read are written again and must be the same bytes.

use datain_binary_json::Document;
use datain_row_block::{JSON_CHANGES, JsonChanges, JsonOperation};

use crate::json::is_json;

/// Reads a value of a JSON column, if it holds changes.
pub fn run(data: &[u8]) {
    let Some(changes) = JsonChanges::of(data) else {
        assert_ne!(data.first(), Some(&JSON_CHANGES));
        return;
    };
    // No document begins with that byte.
    assert!(Document::new(data).to_text().is_err());
    let mut again = vec![JSON_CHANGES];
    let mut rest = changes;
    while let Some(change) = rest.next() {
        let Ok(change) = change else {
            assert!(rest.next().is_none(), "an error ends the list");
            return;
        };
        assert_eq!(
            change.value.is_none(),
            change.operation == JsonOperation::Remove
        );
        if let Some(text) = change
            .value
            .and_then(|value| Document::new(value).to_text().ok())
        {
            is_json(&text);
        }
        change.push(&mut again);
    }
    assert_eq!(again, data, "not what was read");
}
