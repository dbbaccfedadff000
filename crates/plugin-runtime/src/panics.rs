//! A panic's text goes to the host's log, then the instance traps.

use std::sync::Once;

use datain_contract::log::{Level, log};

static INSTALLED: Once = Once::new();

/// Installs the hook, once per instance.
pub fn install() {
    INSTALLED.call_once(|| {
        std::panic::set_hook(Box::new(|info| {
            let text = info
                .payload_as_str()
                .unwrap_or("a panic without a text message");
            let place = info
                .location()
                .map_or_else(String::new, |l| format!("{}:{}", l.file(), l.line()));
            log(
                Level::Error,
                &format!("plugin panicked: {text}"),
                &[("location".to_owned(), place)],
            );
        }));
    });
}
