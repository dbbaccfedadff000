//! The datain command.
fn main() {}
