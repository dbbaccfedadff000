//! A panic's text goes to the log, then the component traps: on this target it would be lost otherwise.

use std::sync::Once;

use crate::log::{Level, line};

static INSTALLED: Once = Once::new();

/// Installs the hook, once per instance; `who` is the part of the program.
pub fn install(who: &'static str) {
    INSTALLED.call_once(|| {
        std::panic::set_hook(Box::new(move |info| {
            let text = info
                .payload_as_str()
                .unwrap_or("a panic without a text message");
            let place = info
                .location()
                .map_or_else(String::new, |l| format!("{}:{}", l.file(), l.line()));
            let fields = [("location".to_owned(), place)];
            line(Level::Error, who, &format!("panicked: {text}"), &fields);
        }));
    });
}
