//! What MariaDB's log has of its own: where a transaction begins, and which file of which server it is.

use datain_binlog::{AlterPhase, EventHeader, MariadbGtid, MariadbXa};
use datain_contract::ErrorExt as _;
use datain_contract::types::{Error, XaBranch, XaStep};
use datain_sql_statement::Xid;

use super::Assembler;
use crate::gtids::TransactionGtid;

impl Assembler {
    /// A Gtid event: it stands for BEGIN or XA START, unless a single statement follows.
    pub(super) fn begin_mariadb(
        &mut self,
        event: &MariadbGtid<'_>,
        header: &EventHeader,
        before: u64,
    ) -> Result<(), Error> {
        self.must_be_between("a new transaction begins")?;
        let micros = u64::from(header.timestamp) * 1_000_000;
        // By GTID the server leaves out what is not wanted, so the event before may have ended elsewhere.
        let size = u64::from(header.event_size);
        let begins = self.framing.at.offset.saturating_sub(size).max(before);
        let gtid = TransactionGtid::Mariadb(event.gtid);
        let open = self.framing.begin(Some(gtid), begins, micros);
        open.block = !event.is_standalone;
        open.alter = event.alter;
        open.xa = match &event.xa {
            Some(xa) if xa.is_prepared => Some(XaBranch {
                step: XaStep::Prepare,
                xid: xid(xa).to_string(),
            }),
            // What becomes of it says the statement that follows.
            _ => None,
        };
        Ok(())
    }

    /// The file at hand was begun at this time. A file and an offset are only good on the server that they were read from, and that cannot be told by its id.
    pub(super) fn file_began(&mut self, at: u32) -> Result<(), Error> {
        let framing = &mut self.framing;
        let same_file = framing.state.position.file == framing.at.file;
        if same_file && framing.state.gtids.is_none() {
            match framing.state.file_began {
                Some(began) if began != at => return Err(other_file(&framing.at.file)),
                _ => framing.state.file_began = Some(at),
            }
        }
        framing.file_began = Some(at);
        Ok(())
    }

    /// Whether the statement of the transaction under way is a phase of a two-phase ALTER that changes nothing: it runs once, when it is known to have succeeded.
    pub(super) fn is_idle_phase(&self) -> bool {
        let alter = self.framing.open.as_ref().and_then(|open| open.alter);
        matches!(alter, Some(AlterPhase::Start | AlterPhase::Rollback(_)))
    }
}

fn xid(xa: &MariadbXa<'_>) -> Xid {
    Xid {
        gtrid: xa.gtrid.to_vec(),
        bqual: xa.bqual.to_vec(),
        format_id: u64::from(xa.format_id),
    }
}

fn other_file(file: &str) -> Error {
    Error::fatal(
        "source.other-server",
        format!("the checkpoint was read from another file of the name {file}: this one was begun at another time"),
    )
    .hint("the source is another server with the same server_id, or its log was reset (RESET MASTER): a file and an offset mean nothing there. Only a pipeline that goes by GTID survives a failover of its source")
}

/// The server decrypts what it sends, so only a damaged or foreign stream holds this event.
pub(super) fn encrypted() -> Error {
    Error::reconfigure(
        "binlog.encrypted",
        "MariaDB has encrypted what follows in the log (encrypt_binlog = ON)",
    )
    .hint("read the log from its server, which decrypts it, not from its files")
}
