//! datain: apply.
