//! Event type codes: `Log_event_type` of MySQL's `binlog_event.h`, and MariaDB's own from 160 on, of its `log_event.h`.

use std::fmt;

macro_rules! event_types {
    ($($(#[$doc:meta])* $name:ident = $code:literal,)*) => {
        /// The type of an event.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum EventType {
            $($(#[$doc])* $name,)*
            /// A code that this crate has no name for.
            Unknown(u8),
        }

        impl EventType {
            /// The code in the common header.
            #[must_use]
            pub fn code(self) -> u8 {
                match self {
                    $(Self::$name => $code,)*
                    Self::Unknown(code) => code,
                }
            }
        }

        impl From<u8> for EventType {
            fn from(code: u8) -> Self {
                match code {
                    $($code => Self::$name,)*
                    other => Self::Unknown(other),
                }
            }
        }
    };
}

event_types! {
    /// Start of a file before 5.0.
    StartV3 = 1,
    /// A statement, and BEGIN or COMMIT.
    Query = 2,
    /// The server has stopped.
    Stop = 3,
    /// The log goes on in another file.
    Rotate = 4,
    /// LAST_INSERT_ID or INSERT_ID for the statement that follows.
    Intvar = 5,
    /// RAND seeds for the statement that follows.
    Rand = 13,
    /// A user variable for the statement that follows.
    UserVar = 14,
    /// First event of every file: version and layout.
    FormatDescription = 15,
    /// COMMIT of a transactional engine.
    Xid = 16,
    /// First block of a file for LOAD DATA in statement format.
    BeginLoadQuery = 17,
    /// LOAD DATA in statement format.
    ExecuteLoadQuery = 18,
    /// A further block of a file for LOAD DATA.
    AppendBlock = 9,
    /// The file for LOAD DATA is to be deleted.
    DeleteFile = 11,
    /// Names a table for the rows events that follow.
    TableMap = 19,
    /// Inserts, without extra data (5.1 to 5.5, MariaDB).
    WriteRowsV1 = 23,
    /// Updates, without extra data.
    UpdateRowsV1 = 24,
    /// Deletes, without extra data.
    DeleteRowsV1 = 25,
    /// Something happened on the source that the log does not hold.
    Incident = 26,
    /// Sign of life of an idle source.
    Heartbeat = 27,
    /// An event that may be passed over.
    Ignorable = 28,
    /// The statement that caused the rows events that follow.
    RowsQuery = 29,
    /// Inserts.
    WriteRows = 30,
    /// Updates.
    UpdateRows = 31,
    /// Deletes.
    DeleteRows = 32,
    /// Begins a transaction with a GTID.
    Gtid = 33,
    /// Begins a transaction without one.
    AnonymousGtid = 34,
    /// The GTIDs of all files before this one.
    PreviousGtids = 35,
    /// Group replication's certification data.
    TransactionContext = 36,
    /// Group replication's change of membership.
    ViewChange = 37,
    /// XA PREPARE.
    XaPrepare = 38,
    /// Updates with partial JSON values.
    PartialUpdateRows = 39,
    /// A compressed transaction.
    TransactionPayload = 40,
    /// Sign of life with a 64-bit position.
    HeartbeatV2 = 41,
    /// Begins a transaction with a GTID that may have a tag (8.3 and later).
    GtidTagged = 42,
    /// MariaDB: the statement that caused the rows events that follow.
    MariadbAnnotateRows = 160,
    /// MariaDB: the oldest file that crash recovery needs.
    MariadbBinlogCheckpoint = 161,
    /// MariaDB: begins an event group; stands for BEGIN.
    MariadbGtid = 162,
    /// MariaDB: the GTID position at the start of a file.
    MariadbGtidList = 163,
    /// MariaDB: what follows is encrypted.
    MariadbStartEncryption = 164,
    /// MariaDB: a compressed statement.
    MariadbQueryCompressed = 165,
    /// MariaDB: compressed inserts, version 1.
    MariadbWriteRowsCompressedV1 = 166,
    /// MariaDB: compressed updates, version 1.
    MariadbUpdateRowsCompressedV1 = 167,
    /// MariaDB: compressed deletes, version 1.
    MariadbDeleteRowsCompressedV1 = 168,
    /// MariaDB: compressed inserts.
    MariadbWriteRowsCompressed = 169,
    /// MariaDB: compressed updates.
    MariadbUpdateRowsCompressed = 170,
    /// MariaDB: compressed deletes.
    MariadbDeleteRowsCompressed = 171,
}

impl fmt::Display for EventType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unknown(code) => write!(f, "unknown ({code})"),
            named => write!(f, "{named:?}"),
        }
    }
}
