//! All error codes, by where they come from. A code that stands in the sources and not here, or here and not in the sources, fails `.ci/run`.

mod cutover;
mod host;
mod network;
mod server;
mod source;
mod target;
mod usage;
mod verify;

/// Codes that mean the same to the one who gets them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ErrorEntry {
    /// The codes.
    pub codes: &'static [&'static str],
    /// What `datain run` does then: `again`, `ends`, an exit code, or a combination in words.
    pub then: &'static str,
    /// What it means and what to do, in Markdown.
    pub meaning: &'static str,
}

/// Errors that come from one place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Section {
    /// The heading.
    pub title: &'static str,
    /// In the order in which they are shown.
    pub entries: &'static [ErrorEntry],
}

/// Everything that an error's code can be.
pub static ERRORS: &[Section] = &[
    usage::SECTION,
    network::SECTION,
    server::SECTION,
    source::SECTION,
    target::SECTION,
    verify::SECTION,
    host::SECTION,
    cutover::SECTION,
];
