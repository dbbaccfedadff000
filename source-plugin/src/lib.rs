//! datain: source-plugin.
