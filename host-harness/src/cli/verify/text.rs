//! The result for people.

use crate::pipeline::verify::{Difference, DifferenceKind, Report, TableReport, Values, Verdict};

/// Everything: a line for each table, with its differences below it, and a summary.
pub(super) fn whole(report: &Report) -> String {
    let mut text = String::new();
    for one in &report.tables {
        table(&mut text, one);
    }
    for name in &report.only_in_target {
        text.push_str(&format!("{name}: only on the target, not compared\n"));
    }
    if !text.is_empty() {
        text.push('\n');
    }
    text.push_str(&line(report));
    text.push('\n');
    text
}

/// One line for all of it.
pub(super) fn line(report: &Report) -> String {
    let of = |verdict| {
        let tables = report.tables.iter();
        tables.filter(|table| table.verdict == verdict).count()
    };
    let total = report.tables.len();
    let mut parts = vec![match report.verdict {
        Verdict::Equal => format!("equal: {total} table(s)"),
        Verdict::Different => format!(
            "different: {} of {total} table(s), {} row(s)",
            of(Verdict::Different),
            report.differing()
        ),
        Verdict::Undecided => format!("undecided: {} of {total} table(s)", of(Verdict::Undecided)),
    }];
    let repaired: u64 = report.tables.iter().map(|table| table.repaired).sum();
    if repaired > 0 {
        parts.push(format!("{repaired} row(s) repaired"));
    }
    parts.push(match report.sample_percent {
        Some(percent) => format!("{} row(s) compared, a sample of {percent} %", report.rows),
        None => format!("{} row(s) compared", report.rows),
    });
    parts.push(format!("{:.1} s", report.seconds));
    parts.join(", ")
}

fn table(text: &mut String, table: &TableReport) {
    let mut facts = vec![format!("{} row(s)", table.rows)];
    if table.verdict == Verdict::Equal && table.differing == 0 {
        facts.push("equal".to_owned());
    }
    if table.differing > 0 {
        let least = if table.more { "at least " } else { "" };
        facts.push(format!("{least}{} differ", table.differing));
    }
    if table.repaired > 0 {
        facts.push(format!("{} repaired", table.repaired));
    }
    if table.undecided > 0 {
        facts.push(format!("{} undecided", table.undecided));
    }
    if !table.definition.is_empty() {
        facts = vec!["cannot be equal".to_owned()];
    }
    text.push_str(&format!("{}: {}\n", table.table, facts.join(", ")));
    for why in &table.definition {
        text.push_str(&format!("  {why}\n"));
    }
    for one in &table.differences {
        difference(text, one);
    }
    let listed = table.differences.len() as u64;
    if listed > 0 && (table.differing > listed || table.more) {
        text.push_str("  and more\n");
    }
    for note in &table.notes {
        text.push_str(&format!("  note: {note}\n"));
    }
}

fn difference(text: &mut String, found: &Difference) {
    let kind = match found.kind {
        DifferenceKind::Missing => "missing",
        DifferenceKind::Surplus => "surplus",
        DifferenceKind::Changed => "changed",
    };
    text.push_str(&format!("  {kind} {}", found.key));
    if !found.columns.is_empty() {
        text.push_str(&format!(": {}", found.columns.join(", ")));
    }
    if found.repaired {
        text.push_str(" (repaired)");
    }
    text.push('\n');
    for values in &found.values {
        value(text, found.kind, values);
    }
}

fn value(text: &mut String, kind: DifferenceKind, values: &Values) {
    let shown = |value: &Option<String>| value.as_deref().unwrap_or("NULL").to_owned();
    let (source, target) = (shown(&values.source), shown(&values.target));
    text.push_str(&match kind {
        DifferenceKind::Missing => format!("    {}: source {source}\n", values.column),
        DifferenceKind::Surplus => format!("    {}: target {target}\n", values.column),
        DifferenceKind::Changed => {
            format!("    {}: source {source}, target {target}\n", values.column)
        }
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_table_has_its_line() {
        let equal = TableReport {
            table: "shop.a".to_owned(),
            verdict: Verdict::Equal,
            rows: 7,
            definition: Vec::new(),
            notes: Vec::new(),
            differences: Vec::new(),
            differing: 0,
            more: false,
            repaired: 0,
            undecided: 0,
        };
        let different = TableReport {
            table: "shop.b".to_owned(),
            verdict: Verdict::Different,
            differing: 2,
            repaired: 1,
            differences: vec![
                Difference {
                    key: "id=1".to_owned(),
                    kind: DifferenceKind::Missing,
                    columns: Vec::new(),
                    values: Vec::new(),
                    repaired: true,
                },
                Difference {
                    key: "id=2".to_owned(),
                    kind: DifferenceKind::Changed,
                    columns: vec!["name".to_owned()],
                    values: vec![Values {
                        column: "name".to_owned(),
                        source: Some("x".to_owned()),
                        target: None,
                    }],
                    repaired: false,
                },
            ],
            ..equal.clone()
        };
        let missing = TableReport {
            table: "shop.c".to_owned(),
            verdict: Verdict::Different,
            definition: vec!["the target has no such table".to_owned()],
            ..equal.clone()
        };
        let report = Report {
            pipeline: "p".to_owned(),
            verdict: Verdict::Different,
            tables: vec![equal, different, missing],
            only_in_target: vec!["shop.d".to_owned()],
            rows: 14,
            seconds: 1.25,
            sample_percent: None,
            checkpoint: None,
            began_at_micros: 0,
            ended_at_micros: 0,
        };
        assert_eq!(
            whole(&report),
            "shop.a: 7 row(s), equal\n\
             shop.b: 7 row(s), 2 differ, 1 repaired\n  missing id=1 (repaired)\n  changed id=2: name\n    name: source x, target NULL\n\
             shop.c: cannot be equal\n  the target has no such table\n\
             shop.d: only on the target, not compared\n\n\
             different: 2 of 3 table(s), 2 row(s), 1 row(s) repaired, 14 row(s) compared, 1.2 s\n"
        );
    }
}
