//! What servers call the types of events: `Log_event::get_type_str` of MySQL's `log_event.cc`, and of MariaDB's for its own types.

use crate::event::types::EventType;

impl EventType {
    /// The name that SHOW BINLOG EVENTS and mysqlbinlog give it; "Unknown" where they have none.
    #[must_use]
    pub fn server_name(self) -> &'static str {
        match self {
            Self::StartV3 => "Start_v3",
            Self::Query => "Query",
            Self::Stop => "Stop",
            Self::Rotate => "Rotate",
            Self::Intvar => "Intvar",
            Self::Rand => "RAND",
            Self::UserVar => "User var",
            Self::FormatDescription => "Format_desc",
            Self::Xid => "Xid",
            Self::BeginLoadQuery => "Begin_load_query",
            Self::ExecuteLoadQuery => "Execute_load_query",
            Self::AppendBlock => "Append_block",
            Self::DeleteFile => "Delete_file",
            Self::TableMap => "Table_map",
            Self::WriteRowsV1 => "Write_rows_v1",
            Self::UpdateRowsV1 => "Update_rows_v1",
            Self::DeleteRowsV1 => "Delete_rows_v1",
            Self::Incident => "Incident",
            Self::Heartbeat | Self::HeartbeatV2 => "Heartbeat",
            Self::Ignorable => "Ignorable",
            Self::RowsQuery => "Rows_query",
            Self::WriteRows => "Write_rows",
            Self::UpdateRows => "Update_rows",
            Self::DeleteRows => "Delete_rows",
            Self::Gtid | Self::MariadbGtid => "Gtid",
            Self::AnonymousGtid => "Anonymous_Gtid",
            Self::PreviousGtids => "Previous_gtids",
            Self::TransactionContext => "Transaction_context",
            Self::ViewChange => "View_change",
            Self::XaPrepare => "XA_prepare",
            Self::PartialUpdateRows => "Update_rows_partial",
            Self::TransactionPayload => "Transaction_payload",
            Self::GtidTagged => "Gtid_tagged",
            Self::MariadbAnnotateRows => "Annotate_rows",
            Self::MariadbBinlogCheckpoint => "Binlog_checkpoint",
            Self::MariadbGtidList => "Gtid_list",
            Self::MariadbStartEncryption => "Start_encryption",
            Self::MariadbQueryCompressed => "Query_compressed",
            Self::MariadbWriteRowsCompressedV1 => "Write_rows_compressed_v1",
            Self::MariadbUpdateRowsCompressedV1 => "Update_rows_compressed_v1",
            Self::MariadbDeleteRowsCompressedV1 => "Delete_rows_compressed_v1",
            Self::MariadbWriteRowsCompressed => "Write_rows_compressed",
            Self::MariadbUpdateRowsCompressed => "Update_rows_compressed",
            Self::MariadbDeleteRowsCompressed => "Delete_rows_compressed",
            Self::Unknown(_) => "Unknown",
        }
    }
}
