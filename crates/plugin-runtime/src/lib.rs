//! datain: plugin-runtime.
