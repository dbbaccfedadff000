//! datain: capture.
