//! The server's ERR packet: number, SQLSTATE, message, and what each number means for replication.
//!
//! Format: "ERR_Packet" in the MySQL source documentation (page_protocol_basic_err_packet). Numbers: "Server Error
//! Message Reference" of the MySQL manual, and MariaDB's "Error Codes".

use std::fmt;

use crate::wire::Cursor;
use crate::{ClientError, Result};

/// An error reported by the server.
///
/// `message` is the server's text, with quoted data removed: a duplicate key, a wrong value and a syntax error quote
/// values of the statement, and those do not belong into logs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerError {
    /// The error number, such as 1045.
    pub errno: u16,
    /// The five characters of SQLSTATE; absent in errors sent before the handshake.
    pub sqlstate: Option<String>,
    /// The server's message without quoted data.
    pub message: String,
    /// What the session was doing, without any values: `INSERT statement`, `login`, `binary log dump`.
    pub context: String,
}

/// What a number means: code, may it pass by itself, hint.
type Meaning = (&'static str, bool, Option<&'static str>);

/// ER_DISK_FULL, ER_RECORD_FILE_FULL (a tablespace that may not grow, or cannot), and what else says so.
const DISK_FULL: Meaning = (
    "server.disk-full",
    true,
    Some(
        "make room on the server: free disk space, or let its tablespace grow (innodb_data_file_path); datain goes on by itself then",
    ),
);

impl ServerError {
    /// Reads an ERR packet. `context` says what was being done, without values.
    pub fn parse(payload: &[u8], context: &str) -> Result<Self> {
        let mut cursor = Cursor::new(payload, "an ERR packet");
        cursor.expect_byte(0xff)?;
        let errno = cursor.u16()?;
        let rest = cursor.rest();
        let (sqlstate, text) = match rest {
            [b'#', state @ ..] if state.len() >= 5 => {
                let (state, text) = state.split_at(5);
                (Some(String::from_utf8_lossy(state).into_owned()), text)
            }
            text => (None, text),
        };
        Ok(Self {
            errno,
            sqlstate,
            message: without_data(errno, &String::from_utf8_lossy(text)),
            context: context.to_owned(),
        })
    }

    /// The stable dotted code; `server.error` for numbers without a meaning of their own here.
    pub fn code(&self) -> &'static str {
        self.meaning().0
    }

    /// What to do about it, where that is known.
    pub fn hint(&self) -> Option<&'static str> {
        self.meaning().2
    }

    /// May the same attempt succeed later with nothing changed by hand?
    pub fn is_transient(&self) -> bool {
        self.meaning().1
    }

    fn meaning(&self) -> Meaning {
        match self.errno {
            1021 | 1114 => DISK_FULL,
            // Errors of writing any file, which say why in their text only.
            _ if self.mentions("No space left on device") => DISK_FULL,
            1041 | 1037 => (
                "server.out-of-resources",
                true,
                Some("free memory on the server; the attempt is repeated"),
            ),
            1040 => (
                "server.too-many-connections",
                true,
                Some("raise max_connections on the server or close other connections"),
            ),
            1203 | 1226 => (
                "server.account-limit",
                true,
                Some(
                    "raise the account's limits (MAX_USER_CONNECTIONS, MAX_QUERIES_PER_HOUR and the like)",
                ),
            ),
            1042 | 1043 | 1158..=1161 => ("server.connection-trouble", true, None),
            1049 => (
                "server.unknown-database",
                false,
                Some("create the schema or correct its name in the configuration"),
            ),
            1044 | 1142 | 1143 | 1227 | 1370 | 1419 => (
                "server.privilege-missing",
                false,
                Some(
                    "grant the account the privilege that the message names; `datain check` lists what is needed",
                ),
            ),
            1045 | 1698 => (
                "server.access-denied",
                false,
                Some("check user and password, and that the account may connect from this host"),
            ),
            1251 | 2059 => (
                "server.auth-plugin-unsupported",
                false,
                Some("let the account use caching_sha2_password"),
            ),
            2061 => (
                "auth.rsa-key-required",
                false,
                Some(
                    "use TLS, or pin the server's public key, or set get_server_public_key = true",
                ),
            ),
            1053 | 1077..=1079 | 1927 | 3032 | 3169 | 4031 => ("server.going-away", true, None),
            1129 => (
                "server.host-blocked",
                false,
                Some("run FLUSH HOSTS, or TRUNCATE performance_schema.host_cache, on the server"),
            ),
            1130 => (
                "server.host-not-allowed",
                false,
                Some(
                    "create the account for the host that datain connects from, for instance 'user'@'%'",
                ),
            ),
            1153 => (
                "server.packet-too-large",
                false,
                Some("raise max_allowed_packet on the server"),
            ),
            1205 => (
                "server.lock-wait-timeout",
                true,
                Some(
                    "another transaction on the server holds the locks; that of a host that was killed is rolled back for about as long as it had been at \
                     work. Nothing is wrong with the rows: it is tried again until the locks are free. SHOW PROCESSLIST and information_schema.INNODB_TRX on the \
                     server show who has them; if it is another client that has forgotten its transaction, end that one",
                ),
            ),
            1213 | 1613 | 1614 | 3101 | 3572 => ("server.deadlock", true, None),
            1317 | 1028 | 3024 | 1969 => ("server.query-interrupted", true, None),
            1236 if self.mentions("purged") || self.mentions("Could not find first log file") => (
                "server.binlog-purged",
                false,
                Some(
                    "the position is no longer in the source's binary logs: take a new snapshot, and raise \
                     binlog_expire_logs_seconds on the source",
                ),
            ),
            1236 if self.mentions("same server_uuid") || self.mentions("same server_id") => (
                "server.replica-id-in-use",
                false,
                Some(
                    "another reader has connected under the same id: this pipeline runs elsewhere too, or another one has the same server_id",
                ),
            ),
            1236 if self.mentions("max_allowed_packet") => (
                "server.packet-too-large",
                false,
                Some(
                    "raise max_allowed_packet on the source; where it is 1 GiB already, which is the most, the event cannot be sent: apply the \
                     effect of its transaction to the target by hand, and go on after it with --set-position",
                ),
            ),
            1236 => (
                "server.binlog-unreadable",
                false,
                Some(
                    "the source cannot send its binary log from this position: check file, position and GTID set",
                ),
            ),
            1290 | 1836 if self.errno == 1836 || self.mentions("read-only") => (
                "server.read-only",
                true,
                Some("make the server writable, or connect to the one that is"),
            ),
            1062 | 1586 | 1761 | 1762 => ("server.duplicate-key", false, None),
            1146 | 1051 => ("server.table-missing", false, None),
            1054 => ("server.column-missing", false, None),
            1216 | 1217 | 1451 | 1452 => ("server.foreign-key", false, None),
            1148 | 3948 | 4166 => (
                "server.local-infile-disabled",
                false,
                Some("set local_infile = ON on the target, or let datain use INSERT"),
            ),
            1064 | 1149 => ("server.syntax", false, None),
            1193 => ("server.unknown-variable", false, None),
            1298 => (
                "server.unknown-time-zone",
                false,
                Some(
                    "load the zone into the server's tables of time zones: mysql_tzinfo_to_sql /usr/share/zoneinfo | mysql mysql",
                ),
            ),
            3159 => (
                "server.tls-required",
                false,
                Some("the server refuses plain connections: set tls to required or stricter"),
            ),
            1820 | 1862 => (
                "server.password-expired",
                false,
                Some("set a new password for the account"),
            ),
            3118 => (
                "server.account-locked",
                false,
                Some("unlock the account: ALTER USER … ACCOUNT UNLOCK"),
            ),
            _ => ("server.error", false, None),
        }
    }

    fn mentions(&self, text: &str) -> bool {
        self.message.contains(text)
    }
}

/// Cuts values of the statement out of the messages that are known to quote them.
fn without_data(errno: u16, message: &str) -> String {
    let (start, ends): (&str, &[&str]) = match errno {
        // Duplicate entry '…' for key '…'
        1062 | 1586 | 1859 => ("entry '", &["' for key "]),
        // … near '…' at line N
        1064 | 1149 => ("near '", &["' at line "]),
        // (Truncated) incorrect … value: '…' for column … at row N
        1264 | 1265 | 1292 | 1366 | 1367 | 1411 | 1525 | 3854 => {
            ("value: '", &["' for column ", "' for function "])
        }
        _ => return message.to_owned(),
    };
    let Some(from) = message.find(start).map(|at| at + start.len()) else {
        return message.to_owned();
    };
    let tail = ends
        .iter()
        .find_map(|end| message.rfind(end).filter(|&at| at >= from))
        .map_or("'", |at| &message[at..]);
    format!("{}…{tail}", &message[..from])
}

impl fmt::Display for ServerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: error {}", self.context, self.errno)?;
        if let Some(state) = &self.sqlstate {
            write!(f, " ({state})")?;
        }
        write!(f, ": {}", self.message)
    }
}

impl std::error::Error for ServerError {}

impl From<ServerError> for ClientError {
    fn from(e: ServerError) -> Self {
        Self::Server(Box::new(e))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(payload: &[u8]) -> ServerError {
        ServerError::parse(payload, "test").expect("a well formed packet")
    }

    #[test]
    fn with_and_without_sqlstate() {
        let with = parse(b"\xff\x15\x04#28000Access denied");
        assert_eq!(
            (with.errno, with.sqlstate.as_deref()),
            (1045, Some("28000"))
        );
        assert_eq!(with.message, "Access denied");
        assert_eq!(with.code(), "server.access-denied");
        let without = parse(b"\xff\x10\x04Too many connections");
        assert_eq!((without.errno, without.sqlstate), (1040, None));
        assert_eq!(without.message, "Too many connections");
        assert!(ServerError::parse(b"\xff\x10", "test").is_err());
    }

    #[test]
    fn quoted_values_are_cut() {
        let cut = |errno: u16, text: &str| without_data(errno, text);
        assert_eq!(
            cut(
                1062,
                "Duplicate entry 'it's a 'secret'' for key 't.PRIMARY'"
            ),
            "Duplicate entry '…' for key 't.PRIMARY'"
        );
        assert_eq!(
            cut(
                1064,
                "You have an error in your SQL syntax; check the manual near 'x = 'secret'' at line 3"
            ),
            "You have an error in your SQL syntax; check the manual near '…' at line 3"
        );
        assert_eq!(
            cut(
                1366,
                "Incorrect integer value: 'secret' for column 'a' at row 1"
            ),
            "Incorrect integer value: '…' for column 'a' at row 1"
        );
        assert_eq!(
            cut(1292, "Truncated incorrect DOUBLE value: 'secret'"),
            "Truncated incorrect DOUBLE value: '…'"
        );
        assert_eq!(
            cut(1146, "Table 'a.b' doesn't exist"),
            "Table 'a.b' doesn't exist"
        );
    }

    #[test]
    fn meanings() {
        let of = |errno: u16, message: &str| ServerError {
            errno,
            sqlstate: None,
            message: message.to_owned(),
            context: String::new(),
        };
        let purged = of(
            1236,
            "… the source has purged binary logs containing GTIDs that the replica requires",
        );
        assert_eq!(purged.code(), "server.binlog-purged");
        assert!(!purged.is_transient() && purged.hint().is_some());
        assert_eq!(of(1049, "").code(), "server.unknown-database");
        assert_eq!(of(1227, "").code(), "server.privilege-missing");
        for (errno, text) in [
            (1021, ""),
            (1114, "The table 't' is full"),
            (
                3,
                "Error writing file './binlog.000001' (OS errno 28 - No space left on device)",
            ),
            (
                1026,
                "Error writing file 'x' (errno: 28 - No space left on device)",
            ),
        ] {
            let full = of(errno, text);
            assert_eq!(full.code(), "server.disk-full", "{errno}");
            assert!(full.is_transient() && full.hint().is_some());
        }
        assert_eq!(
            of(1026, "Error writing file 'x' (errno: 5)").code(),
            "server.error"
        );
        assert!(of(1213, "").is_transient() && of(1040, "").is_transient());
        assert!(of(1290, "running with the --read-only option").is_transient());
        assert!(!of(1290, "running with the --secure-file-priv option").is_transient());
    }
}
