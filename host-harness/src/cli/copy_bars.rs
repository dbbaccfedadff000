//! Bars of a first copy on a terminal: one for all of it, one for each table whose rows are being read.

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};

use super::copy_text;
use crate::pipeline::CopyStatus;

/// The bars, while there is a copy: that of all of it, then those of tables.
#[derive(Default)]
pub(super) struct CopyBars(Vec<ProgressBar>);

impl CopyBars {
    /// Shows how far it is; takes the bars away when there is no copy, or none any more. Every line begins with `label`.
    pub(super) fn show(&mut self, bars: &MultiProgress, copy: Option<&CopyStatus>, label: &str) {
        let mut lines = Vec::new();
        if let Some(copy) = copy.filter(|copy| !copy.complete) {
            let is_read = copy.tables > 0 && copy.tables_whole == copy.tables;
            let permille = match is_read {
                true => 1000,
                false => copy_text::permille(copy.rows, copy.estimated_rows),
            };
            lines.push((permille, copy_text::whole(copy, "")));
            lines.extend(copy.current().map(|table| {
                let permille = copy_text::permille(table.rows, table.estimated_rows);
                (permille, copy_text::current(table))
            }));
        }
        while self.0.len() > lines.len()
            && let Some(bar) = self.0.pop()
        {
            bar.finish_and_clear();
            bars.remove(&bar);
        }
        while self.0.len() < lines.len() {
            self.0.push(bar(bars));
        }
        for (bar, (permille, text)) in self.0.iter().zip(lines) {
            bar.set_position(permille);
            bar.set_message(format!("{label}{text}"));
        }
    }
}

fn bar(bars: &MultiProgress) -> ProgressBar {
    let bar = bars.add(ProgressBar::new(1000));
    if let Ok(style) = ProgressStyle::with_template("{bar:30} {percent:>3} % {wide_msg}") {
        bar.set_style(style);
    }
    bar
}
