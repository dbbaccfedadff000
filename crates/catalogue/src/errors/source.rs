//! The source.

use super::{ErrorEntry, Section};

pub(super) const SECTION: Section = Section {
    title: "The source",
    entries: &[
        ErrorEntry {
            codes: &[
                "source.log-bin-off",
                "source.format-not-row",
                "source.gtid-off",
            ],
            then: "ends",
            meaning: "a setting of the source; the hint has the SQL",
        },
        ErrorEntry {
            codes: &["source.flavour-unsupported"],
            then: "ends",
            meaning: "the source cannot be read by this version",
        },
        ErrorEntry {
            codes: &["sink.flavour-unsupported"],
            then: "ends",
            meaning: "the target is a MySQL before 8.0, or a MariaDB before 10.6",
        },
        ErrorEntry {
            codes: &["source.position-unknown"],
            then: "ends",
            meaning: "grant `REPLICATION CLIENT`",
        },
        ErrorEntry {
            codes: &["source.offset-too-large"],
            then: "ends",
            meaning: "a start by file at 4 GiB or more",
        },
        ErrorEntry {
            codes: &["source.other-server"],
            then: "ends",
            meaning: "the checkpoint's file and offset are of another server",
        },
        ErrorEntry {
            codes: &["source.diverged"],
            then: "ends",
            meaning: "the target has transactions that this source never had: is it the right server, and is it up to date?",
        },
        ErrorEntry {
            codes: &["source.binlog-purged"],
            then: "ends",
            meaning: "take a new copy",
        },
        ErrorEntry {
            codes: &["source.incident"],
            then: "ends",
            meaning: "the source says that its log lacks changes: take a new copy",
        },
        ErrorEntry {
            codes: &["source.anonymous-transaction"],
            then: "ends",
            meaning: "a transaction without a GTID in a stream by GTID",
        },
        ErrorEntry {
            codes: &["source.gtid-set-unreadable"],
            then: "ends",
            meaning: "the source's GTID set is not understood",
        },
        ErrorEntry {
            codes: &[
                "source.statement-format",
                "source.statement-inside",
                "source.rollback-logged",
            ],
            then: "ends",
            meaning: "the log holds what may not have the same effect on the target",
        },
        ErrorEntry {
            codes: &[
                "source.temporary-table",
                "source.statement-triggers",
                "source.load-data",
            ],
            then: "ends",
            meaning: "with `statements = \"replay\"`: a change of rows was logged as a statement whose effect the target cannot repeat",
        },
        ErrorEntry {
            codes: &["source.statement-while-copying"],
            then: "ends",
            meaning: "with `statements = \"replay\"`: a change of rows was logged as a statement while the first copy was under way",
        },
        ErrorEntry {
            codes: &["source.triggers-unseen"],
            then: "ends",
            meaning: "with `statements = \"replay\"`: the account may not see which tables of the source have triggers",
        },
        ErrorEntry {
            codes: &["source.objects-changing"],
            then: "again",
            meaning: "first copy: a table, view or routine was dropped while definitions were read",
        },
        ErrorEntry {
            codes: &["source.objects-unreadable"],
            then: "ends",
            meaning: "first copy: what the server says of its objects is not understood",
        },
        ErrorEntry {
            codes: &["source.xa-unknown"],
            then: "ends",
            meaning: "the source committed an XA branch that was prepared before the pipeline began: its rows were never seen. Take a new copy; end what `XA RECOVER` shows before the next start",
        },
        ErrorEntry {
            codes: &["source.xa-unreadable"],
            then: "ends",
            meaning: "a statement of an XA transaction in a form that is not known",
        },
        ErrorEntry {
            codes: &["source.dump-ended"],
            then: "again",
            meaning: "the source ended the dump",
        },
        ErrorEntry {
            codes: &["source.silent"],
            then: "again",
            meaning: "nothing came for three heartbeats: the connection is dead though nobody closed it, or the source hangs",
        },
        ErrorEntry {
            codes: &["source.closed"],
            then: "ends",
            meaning: "a reader was used after it had failed: an error in the host",
        },
        ErrorEntry {
            codes: &["binlog.unknown-event", "binlog.column-type"],
            then: "ends",
            meaning: "an event or a column type that this version does not know",
        },
        ErrorEntry {
            codes: &[
                "binlog.checksum",
                "binlog.malformed",
                "binlog.magic",
                "binlog.truncated-transaction",
            ],
            then: "ends",
            meaning: "a damaged log: compare with `mysqlbinlog --verify-binlog-checksum` on the source",
        },
        ErrorEntry {
            codes: &["binlog.truncated"],
            then: "ends",
            meaning: "a file ends inside an event; everything before is whole: copy it again, or name the relay log that follows too",
        },
        ErrorEntry {
            codes: &["binlog.encrypted"],
            then: "ends",
            meaning: "the server has encrypted the file: read through the server, or have `mysqlbinlog --read-from-remote-server --raw` make a copy",
        },
        ErrorEntry {
            codes: &["binlog.other-layout"],
            then: "ends",
            meaning: "a file of a server that laid out or numbered its events in a way of its own: Google's MySQL 5.1, and snapshots of 5.1 and 5.2. Only its own `mysqlbinlog` reads it",
        },
        ErrorEntry {
            codes: &["binlog.version"],
            then: "ends",
            meaning: "a file of a server before MySQL 5.0",
        },
        ErrorEntry {
            codes: &["binlog.compression"],
            then: "ends",
            meaning: "a compressed transaction cannot be decompressed: a damaged log",
        },
        ErrorEntry {
            codes: &["binlog.compression-kind"],
            then: "ends",
            meaning: "a transaction is compressed in a way that this version does not know",
        },
        ErrorEntry {
            codes: &["binlog.compression-window"],
            then: "ends",
            meaning: "`binlog_transaction_compression_level_zstd` is over 19 on the source, which needs more memory than a plugin has",
        },
        ErrorEntry {
            codes: &["row-too-large", "binlog.event-too-large"],
            then: "ends",
            meaning: "a row, or a statement, is over the limit: raise `limits.max_row_mib` and `limits.memory_mib`",
        },
        ErrorEntry {
            codes: &["snapshot.definition-changed"],
            then: "ends",
            meaning: "a definition was changed on the source before the first copy was complete: remove the pipeline, drop what was copied, and start again. Of tables that are added later: put `[replicate]` back, which gives their copy up",
        },
        ErrorEntry {
            codes: &["snapshot.filter-changed"],
            then: "ends",
            meaning: "`[replicate]` was changed before the first copy, or that of tables which were added, was complete: put it back until it is",
        },
        ErrorEntry {
            codes: &["snapshot.xa"],
            then: "ends",
            meaning: "an XA transaction was prepared when the first copy began: end it (`XA RECOVER` shows it) and start again; or one has changed a table before its first copy was complete: remove the pipeline, drop what was copied, and start again when none is under way",
        },
        ErrorEntry {
            codes: &["snapshot.no-key"],
            then: "ends",
            meaning: "tables that are to be copied have no key that tells their rows apart: give them a primary key, leave them out, or have them copied in one go (`[check] allow = [\"no-primary-key\"]`)",
        },
        ErrorEntry {
            codes: &["snapshot.unlogged-cascades"],
            then: "ends",
            meaning: "a foreign key changes rows of a table that is to be copied, and the source does not log that: let it log cascades, or leave the table out",
        },
        ErrorEntry {
            codes: &["snapshot.engine", "snapshot.mariadb-object"],
            then: "ends",
            meaning: "a table that is to be copied is not InnoDB's, and cannot be read while it changes: change its engine, or leave it out",
        },
        ErrorEntry {
            codes: &["snapshot.definitions-unreadable"],
            then: "ends",
            meaning: "the source's account may not see all that is to be copied: the detail and the hint say what it lacks",
        },
        ErrorEntry {
            codes: &[
                "snapshot.not-visible",
                "snapshot.other-server",
                "snapshot.chunk-abandoned",
            ],
            then: "again",
            meaning: "the source took long to show what it had logged, its address leads to several servers, or a chunk's rows did not come to their end",
        },
        ErrorEntry {
            codes: &["snapshot.incomplete"],
            then: "ends",
            meaning: "`datain skip` or `--set-position` before the first copy was complete: let it end, or remove the pipeline",
        },
        ErrorEntry {
            codes: &["snapshot.column-type"],
            then: "ends",
            meaning: "a table that is to be copied has a column of a type that this version does not know: leave the table out",
        },
        ErrorEntry {
            codes: &["snapshot.json-types"],
            then: "ends",
            meaning: "a table with a JSON column on a MySQL before 8.0.4, which cannot tell the types of its values: copy it by other means, and start at a position",
        },
        ErrorEntry {
            codes: &["snapshot.key-foreign"],
            then: "ends",
            meaning: "the key of a table was changed while the table was copied: copy it from its beginning",
        },
        ErrorEntry {
            codes: &["snapshot.key-unwritable"],
            then: "ends",
            meaning: "a primary key holds text that is not well formed in its character set: mend the rows on the source, or leave the table out",
        },
        ErrorEntry {
            codes: &[
                "snapshot.value-unreadable",
                "snapshot.definition-unreadable",
            ],
            then: "ends",
            meaning: "the source shows a table, or a value, in a form that is not understood: report it",
        },
        ErrorEntry {
            codes: &["filter.mixed-statement", "filter.unreadable-statement"],
            then: "ends",
            meaning: "the filter cannot decide about a statement",
        },
    ],
};
