//! Keys that a plugin understands and the host does not: from TOML to the JSON that plugins get.

use serde_json::{Map, Value};

/// The table as a JSON object. Dates and times become text, as they stand in the file; numbers that JSON lacks (`inf`, `nan`) become null.
pub(super) fn json(table: toml::Table) -> Value {
    Value::Object(object(table))
}

fn object(table: toml::Table) -> Map<String, Value> {
    table
        .into_iter()
        .map(|(key, value)| (key, one(value)))
        .collect()
}

fn one(value: toml::Value) -> Value {
    match value {
        toml::Value::String(text) => Value::String(text),
        toml::Value::Integer(number) => number.into(),
        toml::Value::Float(number) => number.into(),
        toml::Value::Boolean(yes) => yes.into(),
        toml::Value::Datetime(time) => Value::String(time.to_string()),
        toml::Value::Array(list) => list.into_iter().map(one).collect(),
        toml::Value::Table(table) => Value::Object(object(table)),
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn every_kind_of_value() {
        let text = "a = 1\nb = [\"x\", true, 1.5]\nc = 2026-11-26\n[d]\ne = \"f\"\n";
        let json = super::json(toml::from_str(text).unwrap());
        let expected = r#"{"a":1,"b":["x",true,1.5],"c":"2026-11-26","d":{"e":"f"}}"#;
        assert_eq!(json.to_string(), expected);
    }
}
