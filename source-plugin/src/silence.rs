//! A source that says nothing any more, though its connection still seems to stand.
//!
//! The source sends a heartbeat when it has been silent for a while, so silence of several of these times means that nothing arrives: a firewall or a
//! router forgot the connection, or a machine is gone that could not say so. Until the first event the source may have to look through its
//! log files for the place to begin at, and sends no heartbeats.

use std::future::Future;
use std::pin::pin;
use std::time::Duration;

use datain_contract::ErrorExt as _;
use datain_contract::types::Error;
use datain_plugin_runtime::executor;
use datain_plugin_runtime::stream::Heard;

/// Heartbeats that may be missing.
const HEARTBEATS: u32 = 3;
/// What the first event may take.
const FIRST_EVENT: Duration = Duration::from_secs(120);

/// How long a source may be silent.
pub fn limit(heartbeat_seconds: u64, has_begun: bool) -> Duration {
    let limit = Duration::from_secs(heartbeat_seconds.max(1)) * HEARTBEATS;
    if has_begun {
        limit
    } else {
        limit.max(FIRST_EVENT)
    }
}

/// Lets `work` go on for as long as something arrives.
///
/// # Errors
/// Those of `work`; `source.silent`.
pub async fn watched<T>(
    heard: &Heard,
    limit: impl Fn() -> Duration,
    work: impl Future<Output = Result<T, Error>>,
) -> Result<T, Error> {
    let mut work = pin!(work);
    // The time in which nobody asked does not count: what came then is read first.
    let result = executor::with_timer(
        || heard.last().after(limit()),
        |context| work.as_mut().poll(context),
    )
    .await;
    result.unwrap_or_else(|_| {
        Err(Error::retry(
            "source.silent",
            format!(
                "the source has sent nothing for {} s, not even a heartbeat",
                limit().as_secs()
            ),
        )
        .hint(
            "a firewall, a router or a tunnel in between may have dropped the connection without closing it, or the source hangs; a new connection is made",
        ))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_heartbeats_may_be_missing_after_the_first_event() {
        assert_eq!(limit(5, true), Duration::from_secs(15));
        assert_eq!(limit(5, false), FIRST_EVENT);
        assert_eq!(limit(0, true), Duration::from_secs(3));
        assert_eq!(limit(60, false), Duration::from_secs(180));
    }
}
