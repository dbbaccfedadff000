//! Bars of a first copy on a terminal: one for all of it, one for the table at hand.

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};

use super::copy_text;
use crate::pipeline::CopyStatus;

/// Both bars, while there is a copy.
#[derive(Default)]
pub(super) struct CopyBars(Option<[ProgressBar; 2]>);

impl CopyBars {
    /// Shows how far it is; takes the bars away when there is no copy, or none any more.
    pub(super) fn show(&mut self, bars: &MultiProgress, copy: Option<&CopyStatus>) {
        let Some(copy) = copy.filter(|copy| !copy.complete) else {
            for bar in self.0.take().into_iter().flatten() {
                bar.finish_and_clear();
                bars.remove(&bar);
            }
            return;
        };
        let [whole, current] = self.0.get_or_insert_with(|| [bar(bars), bar(bars)]);
        whole.set_position(copy_text::permille(copy.rows, copy.estimated_rows));
        whole.set_message(copy_text::whole(copy));
        let table = copy.current();
        current.set_position(table.map_or(0, |t| copy_text::permille(t.rows, t.estimated_rows)));
        current.set_message(table.map_or_else(String::new, copy_text::current));
    }
}

fn bar(bars: &MultiProgress) -> ProgressBar {
    let bar = bars.add(ProgressBar::new(1000));
    if let Ok(style) = ProgressStyle::with_template("{bar:30} {percent:>3} % {wide_msg}") {
        bar.set_style(style);
    }
    bar
}
