//! What both sides ask of a server when they check it, and the findings that are the same on both.
//!
//! A check uses one session and few statements: all variables at once ([`Variables`]), SHOW GRANTS ([`Rights`]), the clock ([`clock`]), and the replicated
//! tables with their keys and columns from information_schema ([`tables`]), read row by row, since there may be many. Only statements that MySQL 5.6 and
//! MariaDB understand too are used, unless a function says otherwise. Nothing is changed on the server.

pub mod clock;
pub mod encryption;
mod filter;
pub mod gtid;
mod rights;
mod setting;
mod sight;
pub mod tables;
mod variables;
pub mod zone;

pub use filter::filter;
pub use rights::Rights;
pub use setting::{list, set};
pub use sight::Sight;
pub use variables::Variables;
