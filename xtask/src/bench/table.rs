//! A table of text.

/// The rows, the first one being the heading. The first `texts` columns stand to the left, the others, which are numbers, to the right.
pub(super) fn aligned(rows: &[Vec<String>], texts: usize) -> String {
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let width = |column: usize| {
        let cells = rows.iter().filter_map(|row| row.get(column));
        cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..columns).map(width).collect();
    let mut text = String::new();
    for row in rows {
        let cells: Vec<String> = row
            .iter()
            .zip(&widths)
            .enumerate()
            .map(|(at, (cell, &width))| match at < texts {
                true => format!("{cell:<width$}"),
                false => format!("{cell:>width$}"),
            })
            .collect();
        text.push_str(cells.join("  ").trim_end());
        text.push('\n');
    }
    text
}

/// A number with three digits that count, and commas between thousands.
pub(super) fn rate(number: f64) -> String {
    if number >= 100.0 {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a rate for people"
        )]
        let whole = number.round() as u64;
        crate::demo::screen::grouped(whole)
    } else {
        decimals(number)
    }
}

/// A number with two decimals, or with one from ten on.
pub(super) fn decimals(number: f64) -> String {
    match number {
        ..10.0 => format!("{number:.2}"),
        _ => format!("{number:.1}"),
    }
}

/// What a number is, or a dash.
pub(super) fn or_dash(number: Option<f64>) -> String {
    number.map_or_else(|| "-".to_owned(), decimals)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_stand_to_the_left_and_numbers_to_the_right() {
        let row = |cells: [&str; 3]| cells.map(str::to_owned).to_vec();
        let rows = [row(["engine", "rows/s", "x"]), row(["größe", "1,234", ""])];
        let expected = "engine  rows/s  x\ngröße    1,234\n";
        assert_eq!(aligned(&rows, 1), expected);
        assert_eq!(aligned(&[], 1), "");
    }

    #[test]
    fn numbers_for_people() {
        assert_eq!(rate(1_234_567.4), "1,234,567");
        assert_eq!(rate(99.96), "100.0");
        assert_eq!(decimals(2.345), "2.35");
        assert_eq!(or_dash(None), "-");
    }
}
