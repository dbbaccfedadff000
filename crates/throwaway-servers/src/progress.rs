//! How long work is shown: a terminal draws a bar, a test prints lines.

/// Is told about long work. All methods may be called from any thread.
pub trait Progress: Send + Sync {
    /// A step begins. `total` is its size in bytes where it is known.
    fn begin(&self, what: &str, total: Option<u64>);
    /// So many bytes of the present step are done.
    fn advance(&self, done: u64);
    /// The present step is over; `summary` says what came of it.
    fn finish(&self, summary: &str);
}

/// One line on standard error at the begin and the end of each step.
#[derive(Debug, Default, Clone, Copy)]
pub struct Lines;

impl Progress for Lines {
    fn begin(&self, what: &str, total: Option<u64>) {
        match total {
            Some(bytes) => eprintln!("{what} ({}) …", size(bytes)),
            None => eprintln!("{what} …"),
        }
    }

    fn advance(&self, _done: u64) {}

    fn finish(&self, summary: &str) {
        eprintln!("{summary}");
    }
}

/// Says nothing.
#[derive(Debug, Default, Clone, Copy)]
pub struct Silent;

impl Progress for Silent {
    fn begin(&self, _what: &str, _total: Option<u64>) {}
    fn advance(&self, _done: u64) {}
    fn finish(&self, _summary: &str) {}
}

/// A size for people: megabytes with one digit.
pub(crate) fn size(bytes: u64) -> String {
    #[expect(clippy::cast_precision_loss, reason = "one digit is shown")]
    let megabytes = bytes as f64 / 1e6;
    format!("{megabytes:.1} MB")
}
