//! datain: row-block.
