//! datain: sink-plugin.
