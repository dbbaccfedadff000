//! Reading the client's `--xml` output.
//!
//! It is the one output of the client that tells NULL from the text "NULL", and keeps tabs and line ends as they are. Each
//! row is `<row>`, each value `<field name="…">text</field>` or `<field name="…" xsi:nil="true" />`.

/// The values of all `<field>`s, by row.
pub(crate) fn rows(xml: &str) -> Vec<Vec<Option<String>>> {
    let mut rows = Vec::new();
    for row in xml.split("<row>").skip(1) {
        let mut values = Vec::new();
        // A value's own "<" is escaped, so these marks are never part of one.
        for field in row.split("<field name=\"").skip(1) {
            let Some((tag, rest)) = field.split_once('>') else {
                continue;
            };
            let value = if tag.ends_with("xsi:nil=\"true\" /") {
                None
            } else {
                Some(unescape(
                    rest.split_once("</field>").map_or(rest, |(text, _)| text),
                ))
            };
            values.push(value);
        }
        rows.push(values);
    }
    rows
}

fn unescape(text: &str) -> String {
    text.replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&quot;", "\"")
        .replace("&amp;", "&")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn null_empty_and_marks_are_told_apart() {
        let xml = "<?xml version=\"1.0\"?>\n\n<resultset statement=\"select 1\n\" xmlns:xsi=\"x\">\n  <row>\n\t\
                   <field name=\"a &gt; b\" xsi:nil=\"true\" />\n\t<field name=\"b\"></field>\n\t\
                   <field name=\"c\">NULL</field>\n\t<field name=\"d\">&lt;row&gt; &amp;lt;\n\t</field>\n  </row>\n\n  \
                   <row>\n\t<field name=\"a\">2</field>\n  </row>\n</resultset>\n";
        let text = |value: &str| Some(value.to_owned());
        assert_eq!(
            rows(xml),
            [
                vec![None, text(""), text("NULL"), text("<row> &lt;\n\t")],
                vec![text("2")],
            ]
        );
        assert!(rows("").is_empty());
    }
}
