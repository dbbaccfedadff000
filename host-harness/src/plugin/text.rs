//! Words of plugins, before a person sees them: of bounded length, and without control characters, since a plugin must not be able to write on the operator's terminal.

/// One line of at most `max` bytes, and an ellipsis where it was longer.
pub(super) fn line(text: &str, max: usize) -> String {
    cleaned(text, max, |_| false)
}

/// The same for a text that may have several lines.
pub(super) fn lines(text: &str, max: usize) -> String {
    cleaned(text, max, |c| c == '\n')
}

fn cleaned(text: &str, max: usize, kept: impl Fn(char) -> bool) -> String {
    let end = (0..=max.min(text.len()))
        .rev()
        .find(|at| text.is_char_boundary(*at))
        .unwrap_or(0);
    let mut clean: String = text[..end]
        .chars()
        .map(|c| if c.is_control() && !kept(c) { ' ' } else { c })
        .collect();
    if end < text.len() {
        clean.push('…');
    }
    clean
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_short_and_without_control_characters() {
        assert_eq!(line("a\u{1b}[2Jb\nc", 100), "a [2Jb c");
        assert_eq!(lines("a\u{1b}[2Jb\nc", 100), "a [2Jb\nc");
        assert_eq!(line(&"ä".repeat(5000), 4097).chars().count(), 2049);
        assert_eq!(line("abc", 3), "abc");
        assert_eq!(line("abcd", 3), "abc…");
    }
}
