//! End-to-end tests' support.
