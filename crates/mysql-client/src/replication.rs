//! Reading the binary log as a replica does: register, ask for a dump, take events.
//!
//! COM_REGISTER_SLAVE, COM_BINLOG_DUMP and COM_BINLOG_DUMP_GTID (page_protocol_com_binlog_dump and
//! page_protocol_com_binlog_dump_gtid of the MySQL source documentation; "Replication Protocol" in MariaDB's). After a dump command the
//! server sends one packet per event, a byte 0x00 and then the event, for as long as the connection lasts, or up to the
//! end of its log and then EOF if [`DUMP_NON_BLOCK`] was asked for. After EOF or an error the server closes the connection.
//!
//! This is the hot path. An event is handed out as a slice of the buffer that it was read into. A caller takes what is there with
//! [`buffered_packet`](Session::buffered_packet) until nothing is, and only then waits with [`next_event`](Session::next_event). An event of
//! [`LARGE_EVENT`] bytes and more comes in pieces, as they arrive, since it may be larger than memory.

use mysql_common::constants::Command;
use mysql_common::packets::{BinlogDumpFlags, ComBinlogDump, ComRegisterSlave};
use mysql_common::proto::MySerialize;

use crate::session::{Session, State, server_error};
use crate::{ClientError, Result, Stream};

/// Dump flag: end with EOF at the end of the log rather than waiting for more.
pub const DUMP_NON_BLOCK: u16 = 0x01;
/// Dump flag, MySQL 8.0.26 and later: signs of life carry positions of 64 bits (Heartbeat_v2 events). Servers that do not know it take no notice.
pub const DUMP_HEARTBEAT_V2: u16 = 0x02;
/// Dump flag, COM_BINLOG_DUMP_GTID: the GTID set counts.
pub const DUMP_THROUGH_GTID: u16 = 0x04;

/// Events of so many bytes and more come in pieces.
pub const LARGE_EVENT: usize = 1 << 20;

const CONTEXT: &str = "reading the binary log";

/// A packet of a dump.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DumpPacket<'a> {
    /// An event, from its common header to its checksum, borrowed from the connection's buffer.
    Event(&'a [u8]),
    /// A piece of a large event, borrowed likewise. The pieces of an event follow each other without anything between.
    Piece {
        /// The bytes; the first piece holds at least the common header, the last may be empty.
        bytes: &'a [u8],
        /// An event begins with it.
        first: bool,
        /// The event ends with it.
        last: bool,
    },
    /// The log ended, and the dump was asked for with [`DUMP_NON_BLOCK`]. The server closes the connection now.
    EndOfStream,
}

/// What a replica tells about itself in COM_REGISTER_SLAVE; seen in SHOW REPLICAS.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ReplicaIdentity {
    /// The server_id, which no other replica of the same source may use.
    pub server_id: u32,
    /// The host name to show; at most 255 bytes are sent.
    pub hostname: String,
    /// The user name to show; at most 255 bytes are sent.
    pub user: String,
    /// The port to show.
    pub port: u16,
}

impl<S: Stream> Session<S> {
    /// Registers as a replica. Optional before a dump; shows the replica in SHOW REPLICAS.
    pub async fn register_replica(&mut self, replica: &ReplicaIdentity) -> Result<()> {
        let mut payload = Vec::new();
        ComRegisterSlave::new(replica.server_id)
            .with_hostname(replica.hostname.as_bytes())
            .with_user(replica.user.as_bytes())
            .with_port(replica.port)
            .serialize(&mut payload);
        self.simple(&payload, &[], "registering as a replica").await
    }

    /// Asks for the binary log from a position. Positions past 4 GiB cannot be expressed here: start at 4 and skip, or use GTIDs.
    ///
    /// Whether the server accepts shows only in the first packet.
    pub async fn binlog_dump(
        &mut self,
        server_id: u32,
        file: &str,
        position: u32,
        flags: u16,
    ) -> Result<()> {
        let mut payload = Vec::new();
        ComBinlogDump::new(server_id)
            .with_pos(position)
            .with_flags(BinlogDumpFlags::from_bits_retain(flags))
            .with_filename(file.as_bytes())
            .serialize(&mut payload);
        self.begin_dump(&payload).await
    }

    /// Asks for the transactions that are not in `gtid_set` (in the binary form of Previous_gtids). With an empty `file` the server
    /// finds the file itself; `position` is then 4. Add [`DUMP_THROUGH_GTID`] to `flags`.
    ///
    /// MySQL only: MariaDB takes its GTIDs from `SET @slave_connect_state` and then COM_BINLOG_DUMP.
    pub async fn binlog_dump_gtid(
        &mut self,
        server_id: u32,
        flags: u16,
        file: &str,
        position: u64,
        gtid_set: &[u8],
    ) -> Result<()> {
        let too_long = |_| {
            ClientError::usage(
                "session.too-long",
                "a GTID set or file name is too long",
                None,
            )
        };
        let file_len = u32::try_from(file.len()).map_err(too_long)?;
        let set_len = u32::try_from(gtid_set.len()).map_err(too_long)?;
        let mut payload = Vec::with_capacity(27 + file.len() + gtid_set.len());
        payload.push(Command::COM_BINLOG_DUMP_GTID as u8);
        payload.extend_from_slice(&flags.to_le_bytes());
        payload.extend_from_slice(&server_id.to_le_bytes());
        payload.extend_from_slice(&file_len.to_le_bytes());
        payload.extend_from_slice(file.as_bytes());
        payload.extend_from_slice(&position.to_le_bytes());
        // The server reads the set whatever the flags say.
        payload.extend_from_slice(&set_len.to_le_bytes());
        payload.extend_from_slice(gtid_set);
        self.begin_dump(&payload).await
    }

    async fn begin_dump(&mut self, payload: &[u8]) -> Result<()> {
        self.require_idle()?;
        self.state = State::Busy;
        let sent = self.command(payload, &[]).await;
        let sequence = self.settle(sent)?;
        self.reader.expect_sequence(sequence);
        self.state = State::Dumping;
        Ok(())
    }

    /// The next packet of the dump, waiting for it.
    ///
    /// The future may be dropped, or left suspended, at any point: no byte is lost. After an interruption (see
    /// [`ClientError::is_interrupted`]) it may be called again. Any other error ends the dump.
    pub async fn next_event(&mut self) -> Result<DumpPacket<'_>> {
        self.require_dumping()?;
        if let Err(e) = self.fill_part(LARGE_EVENT).await {
            if !e.is_interrupted() {
                self.state = State::Broken;
            }
            return Err(e);
        }
        match self.take_event()? {
            Some(packet) => Ok(packet),
            // fill() returned, so a packet is there.
            None => Err(ClientError::malformed("a packet of the dump was expected")),
        }
    }

    /// The next packet of the dump if all of it has been read already. Never waits.
    pub fn buffered_packet(&mut self) -> Result<Option<DumpPacket<'_>>> {
        self.require_dumping()?;
        self.take_event()
    }

    fn require_dumping(&self) -> Result<()> {
        if self.state == State::Dumping {
            return Ok(());
        }
        self.require_ready()?;
        Err(ClientError::usage(
            "session.not-dumping",
            "no binary log was asked for",
            None,
        ))
    }

    fn take_event(&mut self) -> Result<Option<DumpPacket<'_>>> {
        let Self { reader, state, .. } = self;
        let part = match reader.next_part(LARGE_EVENT) {
            Ok(Some(part)) => part,
            Ok(None) => return Ok(None),
            Err(e) => {
                *state = State::Broken;
                return Err(e);
            }
        };
        let payload = part.bytes;
        match payload {
            bytes if !part.first => Ok(Some(DumpPacket::Piece {
                bytes,
                first: false,
                last: part.last,
            })),
            [0x00, event @ ..] if part.last => Ok(Some(DumpPacket::Event(event))),
            [0x00, bytes @ ..] => Ok(Some(DumpPacket::Piece {
                bytes,
                first: true,
                last: false,
            })),
            [0xfe, ..] => {
                *state = State::Ended;
                Ok(Some(DumpPacket::EndOfStream))
            }
            [0xff, ..] => {
                *state = State::Ended;
                Err(server_error(payload, CONTEXT))
            }
            _ => {
                *state = State::Broken;
                Err(ClientError::malformed(
                    "an event, EOF or an error was expected in the dump",
                ))
            }
        }
    }
}
