//! datain: mysql-client.
