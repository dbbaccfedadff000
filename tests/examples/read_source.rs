//! Reads a server's log natively, to its present end, with the crates that the source plugin is made of, and drops what it has read:
//! `cargo run --release -p datain-tests --example read_source -- HOST:PORT USER PASSWORD GTID_SET SCHEMA`. Prints one JSON object. `cargo xtask bench source` holds it
//! against the same crates in WebAssembly.

use std::env;

use anyhow::{Context as _, Result, anyhow};
use datain_capture::reader::{Reader, Settings};
use datain_contract::types::Change;
use datain_mysql_client::blocking::{BlockingStream, block_on};
use datain_mysql_client::{ConnectOptions, Session, TlsPolicy};
use serde_json::json;

/// The size of the source plugin's batches.
const BATCH: usize = 1 << 20;

fn main() -> Result<()> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let [address, user, password, set, schema] = arguments.as_slice() else {
        return Err(anyhow!(
            "HOST:PORT USER PASSWORD GTID_SET SCHEMA are expected"
        ));
    };
    let stream = BlockingStream::tcp(address).context("failed to connect")?;
    let mut options = ConnectOptions::new(user).with_password(password.as_str());
    options.tls = TlsPolicy::Disabled;
    options.get_server_public_key = true;
    let settings: Settings = serde_json::from_value(json!({
        "stream": "read-source",
        "server_id": 77,
        "include": [format!("{schema}.*")],
        "start": {"mode": "gtid", "gtid_set": set},
    }))?;
    let (rows, bytes) = block_on(read(stream, &options, &settings))
        .map_err(|error| anyhow!("{}: {}", error.code, error.message))?;
    println!("{}", json!({"rows": rows, "row_block_bytes": bytes}));
    Ok(())
}

/// Rows, and bytes of row blocks.
async fn read(
    stream: BlockingStream,
    options: &ConnectOptions,
    settings: &Settings,
) -> Result<(u64, usize), datain_contract::types::Error> {
    let session = Session::connect(stream, options).await?;
    let mut reader = Reader::open(session, settings, None, false).await?;
    let (mut rows, mut bytes, mut taken) = (0, 0, 0);
    while !reader.progress().reached_head || taken < reader.progress().ordinal {
        let batch = reader.next_batch(BATCH, |_| {}).await?;
        bytes += batch.rows.len();
        for transaction in batch.transactions {
            taken = taken.max(transaction.ordinal);
            rows += transaction
                .changes
                .iter()
                .map(|change| match change {
                    Change::Rows(set) => u64::from(set.count),
                    Change::Statement(_) => 0,
                })
                .sum::<u64>();
        }
    }
    Ok((rows, bytes))
}
