//! Where the host dies: what it is about to send, or has sent, and at which occurrence of that.

use std::fmt;

use datain_tests::seed::long;

/// What the sink sends, and the moments of it with their counts.
pub(crate) type Step = (&'static str, &'static [(&'static str, &'static [u32])]);

/// One point, as `DATAIN_FAILPOINT` has it.
#[derive(Debug, Clone)]
pub(crate) struct Point {
    pub(crate) side: &'static str,
    pub(crate) moment: &'static str,
    pub(crate) count: u32,
    pub(crate) text: &'static str,
}

impl Point {
    /// The points of a table; those at later occurrences in a long run only.
    pub(crate) fn all(steps: &[Step]) -> impl Iterator<Item = Point> {
        let counted = if long() { usize::MAX } else { 1 };
        steps.iter().flat_map(move |&(text, moments)| {
            moments.iter().flat_map(move |&(moment, counts)| {
                counts.iter().take(counted).map(move |&count| Point {
                    side: if moment == "at" { "host" } else { "target" },
                    moment,
                    count,
                    text,
                })
            })
        })
    }

    /// The same point the first time that it is met.
    pub(crate) fn first(&self) -> Point {
        Point {
            count: 1,
            ..self.clone()
        }
    }
}

impl fmt::Display for Point {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Point {
            side,
            moment,
            count,
            text,
        } = self;
        write!(f, "{side} {moment} {count} {text}")
    }
}

/// Groups of small transactions: five of them, each in one packet and a COMMIT.
pub(crate) const ROWS: &[Step] = &[
    (
        "SET epoch = LAST_INSERT_ID",
        &[("before", &[1]), ("sent", &[1]), ("answered", &[1])],
    ),
    (
        "START TRANSACTION",
        &[
            ("before", &[1, 3]),
            ("within", &[2]),
            ("sent", &[1, 4]),
            ("answered", &[2]),
        ],
    ),
    (
        "UPDATE datain.checkpoints SET written_at",
        &[
            ("before", &[2]),
            ("within", &[1, 4]),
            ("sent", &[1, 3]),
            ("answered", &[1, 4]),
        ],
    ),
    (
        "COMMIT",
        &[
            ("before", &[1, 2, 4]),
            ("within", &[1, 3]),
            ("sent", &[1, 2, 3, 4]),
            ("answered", &[1, 2, 4]),
        ],
    ),
];

/// Groups that are written at the same time: between the statements of one and another, and between their commits.
pub(crate) const APART: &[Step] = &[
    (
        "START TRANSACTION",
        &[("within", &[2]), ("sent", &[3]), ("answered", &[2, 4])],
    ),
    (
        "UPDATE datain.checkpoints SET written_at",
        &[
            ("before", &[2]),
            ("within", &[3]),
            ("sent", &[2]),
            ("answered", &[3]),
        ],
    ),
    (
        "COMMIT",
        &[
            ("before", &[2, 1, 4]),
            ("within", &[3, 2]),
            ("sent", &[2, 3, 5]),
            ("answered", &[2, 3, 4]),
        ],
    ),
];

/// Groups that are committed before an older one, and the commit that takes them in.
pub(crate) const AHEAD: &[Step] = &[
    (
        "LOCK IN SHARE MODE",
        &[
            ("before", &[1, 3]),
            ("within", &[2]),
            ("sent", &[1, 4]),
            ("answered", &[2]),
        ],
    ),
    (
        "UPDATE datain.checkpoints SET written_at",
        &[
            ("before", &[1]),
            ("within", &[1]),
            ("sent", &[1]),
            ("answered", &[1]),
        ],
    ),
    (
        "DELETE FROM datain.ahead",
        &[
            ("before", &[1]),
            ("within", &[1]),
            ("sent", &[1]),
            ("answered", &[1]),
        ],
    ),
    (
        "COMMIT",
        &[
            ("before", &[2, 1, 4]),
            ("within", &[3]),
            ("sent", &[2, 1, 4]),
            ("answered", &[3, 2, 5]),
        ],
    ),
];

/// The host's own steps: from the source to the sink, and back.
pub(crate) const HOST: &[Step] = &[
    ("queued", &[("at", &[1])]),
    ("accepted", &[("at", &[1])]),
    ("durable", &[("at", &[1])]),
    ("acknowledging", &[("at", &[1])]),
    ("acknowledged", &[("at", &[1])]),
];

/// A transaction in several packets, between smaller ones: `row-N-` is in its N-th row.
pub(crate) const LARGE: &[Step] = &[
    (
        "row-00001-",
        &[("before", &[1]), ("sent", &[1]), ("answered", &[1])],
    ),
    (
        "row-02500-",
        &[
            ("before", &[1]),
            ("within", &[1]),
            ("sent", &[1]),
            ("answered", &[1]),
        ],
    ),
    (
        "row-04999-",
        &[("before", &[1]), ("sent", &[1]), ("answered", &[1])],
    ),
    (
        "COMMIT",
        &[
            ("before", &[1, 2]),
            ("sent", &[1, 2]),
            ("answered", &[1, 2]),
        ],
    ),
];

/// The same where its rows go by LOAD DATA: the answer to that is the server's wish for the rows.
pub(crate) const LOADED: &[Step] = &[(
    "LOAD DATA LOCAL INFILE",
    &[
        ("before", &[1]),
        ("within", &[1]),
        ("sent", &[1]),
        ("answered", &[1]),
    ],
)];

/// Statements only, so that every COMMIT is a statement's.
pub(crate) const STATEMENTS: &[Step] = &[
    (
        "SET ddl_identity = _utf8mb4",
        &[
            ("before", &[1, 4]),
            ("within", &[2]),
            ("sent", &[1, 3]),
            ("answered", &[1, 5]),
        ],
    ),
    (
        "SET SESSION timestamp",
        &[("before", &[2]), ("answered", &[3])],
    ),
    // To the statement's own, and back.
    (
        "SET SESSION gtid_next",
        &[
            ("before", &[1, 2]),
            ("sent", &[1, 2]),
            ("answered", &[3, 4]),
        ],
    ),
    (
        "CREATE TABLE made",
        &[
            ("before", &[1]),
            ("within", &[1]),
            ("sent", &[1]),
            ("answered", &[1]),
        ],
    ),
    // It copies a table, so it still runs when the host is gone.
    (
        "ALTER TABLE copied",
        &[
            ("before", &[1]),
            ("within", &[1]),
            ("sent", &[1]),
            ("answered", &[1]),
        ],
    ),
    (
        "RENAME TABLE made",
        &[("before", &[1]), ("sent", &[1]), ("answered", &[1])],
    ),
    (
        "TRUNCATE TABLE kept",
        &[("before", &[1]), ("sent", &[1]), ("answered", &[1])],
    ),
    (
        "DROP TABLE",
        &[("before", &[1]), ("sent", &[1]), ("answered", &[1])],
    ),
    (
        "ddl_identity = NULL",
        &[
            ("before", &[1, 3]),
            ("within", &[2]),
            ("sent", &[1, 4]),
            ("answered", &[2]),
        ],
    ),
    (
        "COMMIT",
        &[
            ("before", &[1, 3]),
            ("within", &[2]),
            ("sent", &[1, 2, 4]),
            ("answered", &[1, 3]),
        ],
    ),
    (
        "RELEASE_LOCK",
        &[("before", &[1]), ("sent", &[2]), ("answered", &[1])],
    ),
];

/// Some of both, for a source whose checkpoints and intents are files and offsets.
pub(crate) const OFFSETS: &[Step] = &[
    (
        "UPDATE datain.checkpoints SET written_at",
        &[("within", &[2]), ("answered", &[1])],
    ),
    (
        "COMMIT",
        &[("before", &[2]), ("sent", &[1, 3]), ("answered", &[2])],
    ),
];

/// See [`OFFSETS`].
pub(crate) const OFFSETS_OF_STATEMENTS: &[Step] = &[
    (
        "SET ddl_identity = _utf8mb4",
        &[("sent", &[2]), ("answered", &[1])],
    ),
    (
        "ALTER TABLE copied",
        &[("before", &[1]), ("sent", &[1]), ("answered", &[1])],
    ),
    (
        "ddl_identity = NULL",
        &[("before", &[1]), ("sent", &[2]), ("answered", &[1])],
    ),
    ("COMMIT", &[("sent", &[1])]),
];

/// CREATE TABLE … SELECT: the statement under its intent, then the rows in the group that ends it.
pub(crate) const TABLES_WITH_ROWS: &[Step] = &[
    (
        "SET ddl_identity = _utf8mb4",
        &[("sent", &[1]), ("answered", &[1])],
    ),
    (
        "CREATE TABLE `selected",
        &[("before", &[1]), ("sent", &[1]), ("answered", &[1])],
    ),
    (
        "of the selection",
        &[("before", &[1]), ("sent", &[1]), ("answered", &[1])],
    ),
    (
        "ddl_identity = NULL",
        &[("before", &[1]), ("sent", &[1]), ("answered", &[1])],
    ),
    (
        "COMMIT",
        &[("before", &[1]), ("sent", &[1]), ("answered", &[1])],
    ),
];

/// Branches that are kept at their PREPARE, and applied at their COMMIT.
pub(crate) const BRANCHES: &[Step] = &[
    (
        "INSERT INTO datain.xa_prepared",
        &[("before", &[1, 3]), ("sent", &[1]), ("answered", &[2])],
    ),
    (
        "FROM datain.xa_prepared",
        &[("before", &[1, 2]), ("sent", &[1]), ("answered", &[1, 3])],
    ),
    (
        "UPDATE datain.checkpoints SET written_at",
        &[("within", &[1, 2]), ("sent", &[1]), ("answered", &[2])],
    ),
    (
        "COMMIT",
        &[
            ("before", &[1, 2]),
            ("sent", &[1, 2]),
            ("answered", &[1, 2]),
        ],
    ),
];

/// What the first host of a pipeline does, in the order in which it does it.
pub(crate) const BEGINNING: &[Step] = &[
    ("GET_LOCK", &[("answered", &[1])]),
    (
        "CREATE SCHEMA IF NOT EXISTS datain",
        &[("before", &[1]), ("sent", &[1]), ("answered", &[1])],
    ),
    (
        "CREATE TABLE IF NOT EXISTS datain.",
        &[
            ("before", &[1, 2]),
            ("sent", &[1, 3]),
            ("answered", &[1, 5]),
        ],
    ),
    (
        "INSERT IGNORE INTO datain.checkpoints",
        &[("before", &[1]), ("sent", &[1]), ("answered", &[1])],
    ),
    ("RELEASE_LOCK", &[("before", &[1]), ("answered", &[1])]),
    (
        "SET epoch = LAST_INSERT_ID",
        &[("before", &[1]), ("sent", &[1]), ("answered", &[1])],
    ),
    (
        "ON DUPLICATE KEY UPDATE writer",
        &[("before", &[1]), ("sent", &[1]), ("answered", &[1])],
    ),
    (
        "UPDATE datain.checkpoints SET began_at",
        &[("before", &[1]), ("sent", &[1]), ("answered", &[1])],
    ),
    (
        "COMMIT",
        &[("before", &[1]), ("sent", &[1]), ("answered", &[1])],
    ),
];
