//! datain: binary-json.
