//! SIGINT and SIGTERM: the first ends in order, the second at once.

use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::iterator::Signals;

use crate::error::{Error, Kind, Result};
use crate::pipeline::Stop;

/// Makes the first signal a request to `stop`.
pub(super) fn stop_on_signals(stop: &Stop) -> Result<()> {
    let failed = |e: std::io::Error| {
        Error::new(
            Kind::Fatal,
            "host.resources",
            "failed to listen for signals",
        )
        .detail(e.to_string())
    };
    let mut signals = Signals::new([SIGINT, SIGTERM]).map_err(failed)?;
    let stop = stop.clone();
    std::thread::Builder::new()
        .name("datain-signals".to_owned())
        .spawn(move || {
            for signal in signals.forever() {
                if stop.is_requested() {
                    // What was not committed is read again by the next run: ending here loses nothing.
                    std::process::exit(130);
                }
                let name = if signal == SIGINT {
                    "SIGINT"
                } else {
                    "SIGTERM"
                };
                tracing::info!(
                    signal = name,
                    "stopping: committing what was accepted; once more to end at once"
                );
                stop.request();
            }
        })
        .map_err(failed)?;
    Ok(())
}
