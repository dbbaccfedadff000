//! datain's host.
