//! What the source does for a cutover: it stops being written to, and tells what is still needed of it.
//!
//! The order is the host's; each function is one question or one order on a session of its own. What each proves:
//!
//! | | |
//! |---|---|
//! | [`writes::stop`] | from its return on no client's transaction commits: the server waits for those under way, and refuses the rest |
//! | [`end::of_log`], after that | everything that the server will ever have from its clients is before this end |
//! | [`end::has_passed`] | a checkpoint covers that end, by its GTID set and by its place in the log: neither alone is believed |
//! | [`numbers::next`] | which number each table would give next: rows that were deleted or rolled back have used numbers, too |
//!
//! The server's settings are the only thing that is ever changed here, never its data.

pub mod end;
pub mod held_back;
pub mod numbers;
pub mod writers;
pub mod writes;
