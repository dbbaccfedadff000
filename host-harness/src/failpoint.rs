//! A point at which the process dies, as by `kill -9`: for tests of what a death leaves behind (`tests/tests/failpoints`).
//!
//! The plugins can read no environment, and what they send passes through here as plaintext, since TLS begins below. So a point is a text that a plugin writes
//! to its server; which text that is, only the test knows, and nothing here speaks MySQL. `DATAIN_FAILPOINT` holds four words, of which the last may have spaces:
//!
//! | word | says |
//! |---|---|
//! | side | `source` or `target`: whose connections; `host` for a step of the host's own |
//! | moment | `before` anything of the write that holds the text is sent; `within` the text, of which the first half is sent; when the write was `sent`; when something was `answered` to it, before the plugin is told. Of the host: `at` |
//! | count | at which occurrence of the text in this process |
//! | text | what is looked for; of the host, the name of the step ([`pass`]) |
//!
//! The module is there only where debug assertions are on, which they are in no release build. A point that cannot be read ends the process by SIGABRT, so
//! that a test with a slip in it does not pass.

use std::env;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

use rustix::process::{Signal, getpid, kill_process};

#[cfg(not(debug_assertions))]
compile_error!("failpoints must not be in a release build");

/// The environment variable that sets the point.
const VARIABLE: &str = "DATAIN_FAILPOINT";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Moment {
    Before,
    Within,
    Sent,
    Answered,
    At,
}

#[derive(Debug)]
struct Failpoint {
    side: String,
    moment: Moment,
    count: u64,
    text: String,
    /// How often the text was met.
    met: AtomicU64,
}

impl Failpoint {
    fn parse(words: &str) -> Option<Self> {
        let mut words = words.splitn(4, ' ');
        let side = words.next()?;
        let moment = match words.next()? {
            "before" => Moment::Before,
            "within" => Moment::Within,
            "sent" => Moment::Sent,
            "answered" => Moment::Answered,
            "at" => Moment::At,
            _ => return None,
        };
        let count = words.next()?.parse().ok().filter(|&count| count > 0)?;
        let text = words.next().filter(|text| !text.is_empty())?;
        let fits = match side {
            "host" => moment == Moment::At,
            "source" | "target" => moment != Moment::At,
            _ => false,
        };
        fits.then(|| Self {
            side: side.to_owned(),
            moment,
            count,
            text: text.to_owned(),
            met: AtomicU64::new(0),
        })
    }

    /// Where, in what is about to be written, the occurrence begins that is meant.
    fn reached_in(&self, data: &[u8]) -> Option<usize> {
        let met = self.met.load(Ordering::Relaxed);
        let wanted = self.count.checked_sub(met + 1)?;
        occurrences(data, self.text.as_bytes()).nth(usize::try_from(wanted).ok()?)
    }

    /// Counts what was written. Whether the occurrence that is meant was in it.
    fn count_in(&self, data: &[u8]) -> bool {
        let here = occurrences(data, self.text.as_bytes()).count() as u64;
        let met = self.met.fetch_add(here, Ordering::Relaxed);
        met < self.count && self.count <= met + here
    }
}

/// Where `text` begins in `data`, without overlaps.
fn occurrences<'a>(data: &'a [u8], text: &'a [u8]) -> impl Iterator<Item = usize> + 'a {
    let mut from = 0;
    std::iter::from_fn(move || {
        let found = data
            .get(from..)?
            .windows(text.len())
            .position(|w| w == text)?;
        let at = from + found;
        from = at + text.len();
        Some(at)
    })
}

/// The point of this process, if it has one.
fn set() -> Option<&'static Failpoint> {
    static POINT: OnceLock<Option<Failpoint>> = OnceLock::new();
    let point = POINT.get_or_init(|| {
        let words = env::var(VARIABLE).ok().filter(|words| !words.is_empty())?;
        let point = Failpoint::parse(&words);
        if point.is_none() {
            tracing::error!("{VARIABLE}={words:?} is no failpoint");
            std::process::abort();
        }
        point
    });
    point.as_ref()
}

/// A step of the host's own.
pub(crate) fn pass(step: &str) {
    if let Some(point) = set()
        && point.side == "host"
        && point.text == step
        && point.count_in(step.as_bytes())
    {
        die(point);
    }
}

fn die(point: &Failpoint) -> ! {
    tracing::warn!("failpoint: {point:?}");
    // It fails for no process of one's own.
    let _ = kill_process(getpid(), Signal::KILL);
    std::process::abort()
}

/// One connection's part in it.
#[derive(Debug)]
pub(crate) struct Watch {
    point: Option<&'static Failpoint>,
    awaits_answer: bool,
    /// What is being written is to be cut off.
    is_within: bool,
    dies_once_sent: bool,
}

impl Watch {
    /// Of a connection to the endpoint of this name.
    pub(crate) fn new(endpoint: &str) -> Self {
        Self {
            point: set().filter(|point| point.side == endpoint),
            awaits_answer: false,
            is_within: false,
            dies_once_sent: false,
        }
    }

    /// What is to be sent of `data`, unless this is where it ends.
    pub(crate) fn before_write<'d>(&mut self, data: &'d [u8]) -> &'d [u8] {
        let Some(point) = self.point else {
            return data;
        };
        match (point.moment, point.reached_in(data)) {
            (Moment::Before, Some(_)) => die(point),
            (Moment::Within, Some(at)) => {
                self.is_within = true;
                &data[..at + point.text.len() / 2]
            }
            _ => data,
        }
    }

    /// This was taken for sending.
    pub(crate) fn written(&mut self, data: &[u8]) {
        self.dies_once_sent |= self.is_within && !data.is_empty();
        if let Some(point) = self.point
            && point.count_in(data)
        {
            match point.moment {
                Moment::Sent => self.dies_once_sent = true,
                Moment::Answered => self.awaits_answer = true,
                Moment::Before | Moment::Within | Moment::At => {}
            }
        }
    }

    /// Nothing is held back any more of what was taken.
    pub(crate) fn sent(&self) {
        if let Some(point) = self.point
            && self.dies_once_sent
        {
            die(point);
        }
    }

    /// Something has come from the server.
    pub(crate) fn answered(&self) {
        if let Some(point) = self.point
            && self.awaits_answer
        {
            die(point);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_point_is_read_or_refused() {
        let point =
            Failpoint::parse("target sent 3 UPDATE datain.checkpoints SET").expect("a point");
        assert_eq!(point.side, "target");
        assert_eq!((point.moment, point.count), (Moment::Sent, 3));
        assert_eq!(point.text, "UPDATE datain.checkpoints SET");
        for wrong in [
            "target sent 3",
            "target sent 0 COMMIT",
            "target at 1 COMMIT",
            "host sent 1 durable",
            "sink sent 1 COMMIT",
            "target later 1 COMMIT",
            "target sent 1 ",
        ] {
            assert!(Failpoint::parse(wrong).is_none(), "{wrong}");
        }
    }

    #[test]
    fn the_occurrence_that_is_meant_is_found_over_several_writes() {
        let point = Failpoint::parse("target before 3 ab").expect("a point");
        assert_eq!(point.reached_in(b"xab"), None);
        assert!(!point.count_in(b"xab"));
        assert_eq!(point.reached_in(b"ab, ab"), Some(4));
        assert!(point.count_in(b"ab, ab"));
        assert_eq!(point.reached_in(b"ab"), None, "it is over");
        assert!(!point.count_in(b"ab"));
    }
}
