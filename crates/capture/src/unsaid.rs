//! What a log does not say of a statement's session, since its server had no such setting, or only one for all sessions.
//!
//! A newer server takes its own default where nothing is said. Then a table of `CHARSET utf8mb4` gets another collation than on the source, and a `TIMESTAMP` column another definition, without a word.

use datain_binlog::FormatDescription;
use datain_contract::types::SessionContext;

/// The number of utf8mb4_general_ci, the default collation of utf8mb4 in every MySQL before 8.0.
const UTF8MB4_GENERAL_CI: u16 = 45;

/// Bit of flags2 by which MariaDB says that `explicit_defaults_for_timestamp` was ON (read off logs of 11.8 and 10.11).
const EXPLICIT_TIMESTAMPS: u32 = 1 << 24;

/// What the server that is read says of itself, for all its sessions.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Sessions {
    /// `explicit_defaults_for_timestamp`; before 8.0 only the server's start sets it.
    pub explicit_timestamps: Option<bool>,
}

/// Fills in what events of a server with this format description leave out.
pub fn fill_in(context: &mut SessionContext, format: &FormatDescription, sessions: Sessions) {
    let is_known = !format.server_version.is_empty();
    if is_known && format.is_mariadb() {
        // The list is there, if only without a pair: by that a sink knows whose statement it is.
        context.character_set_collations.get_or_insert_default();
        // A session can set it since 10.6.9.
        context.explicit_defaults_for_timestamp = match context.flags2 {
            Some(flags) if format.version_numbers() >= (10, 6, 9) => {
                Some(flags & EXPLICIT_TIMESTAMPS != 0)
            }
            _ => None,
        };
        return;
    }
    if !is_known || format.version_numbers() >= (8, 0, 0) {
        return;
    }
    context
        .default_collation_for_utf8mb4
        .get_or_insert(UTF8MB4_GENERAL_CI);
    if context.explicit_defaults_for_timestamp.is_none() {
        context.explicit_defaults_for_timestamp = sessions.explicit_timestamps;
    }
}
