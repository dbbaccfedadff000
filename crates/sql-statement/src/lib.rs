//! datain: sql-statement.
