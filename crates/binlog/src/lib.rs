//! datain: binlog.
