//! Rows of a source's log, written to a target twice: by LOAD DATA LOCAL as far as that goes, and by INSERT. Neither the engine nor a checkpoint takes part.

use datain_apply::mapping::{Collations, Mapping};
use datain_apply::statements::load::{self, Load};
use datain_apply::statements::{self, Bounds, Check};
use datain_apply::target_table::{TargetTable, columns_query, keys_query, table_query};
use datain_apply::{contract, settings};
use datain_capture::reader::Reader;
use datain_contract::types::{Batch, Change, Error, Operation, RowSet, Table};
use datain_mysql_client::blocking::{BlockingStream, block_on};
use datain_mysql_client::{ClientError, ConnectOptions, Outcome, Session, quote_identifier};
use datain_throwaway_servers::{ROOT_PASSWORD, Server};

use crate::native;
use crate::random_schema::Schema;
use crate::seed::Rng;

/// A session of root's.
pub type Root = Session<BlockingStream>;

/// The bounds of statements that the engine has.
pub const BOUNDS: Bounds = Bounds {
    bytes: 256 << 10,
    rows: 1000,
    hints: true,
};

/// A session for rows, which may load.
///
/// # Panics
/// When the server lets nobody in.
#[must_use]
pub fn session(server: &Server) -> Root {
    let stream = BlockingStream::unix(server.socket()).expect("the server's socket");
    let mut options = ConnectOptions::new("root").with_password(ROOT_PASSWORD);
    options.found_rows = true;
    options.multi_statements = true;
    options.local_files = true;
    block_on(async {
        let mut session = Session::connect(stream, &options).await?;
        session
            .exec(&settings::for_rows(session.server_version()))
            .await?;
        for sql in settings::IF_KNOWN {
            match session.exec(sql).await {
                Err(e) if e.errno() != Some(settings::UNKNOWN_VARIABLE) => return Err(e),
                _ => {}
            }
        }
        Ok::<_, ClientError>(session)
    })
    .expect("a session")
}

/// All inserts that the source has logged since it had executed `gtids`, in batches; of other changes there must be none.
///
/// # Panics
/// When they cannot be read.
#[must_use]
pub fn inserts_since(source: &Server, gtids: &str) -> Vec<Batch> {
    let settings = native::settings(&format!(r#"{{"mode":"gtid","gtid_set":"{gtids}"}}"#));
    block_on(async {
        let mut reader = Reader::open(native::session(source), &settings, None, false).await?;
        let mut batches = Vec::new();
        while !reader.progress().reached_head {
            batches.push(reader.next_batch(1 << 20, |_| {}).await?);
        }
        Ok::<_, Error>(batches)
    })
    .expect("the log")
}

/// Runs statements that fill the tables of `schema`, in a session that takes everything, and returns what the log has of them.
///
/// # Panics
/// When one is refused.
pub fn fill(server: &Server, schema: &str, statements: &[String]) -> Vec<Batch> {
    let before = executed(server);
    let mut session = session(server);
    block_on(async {
        session
            .exec(b"SET SESSION sql_mode = 'NO_AUTO_VALUE_ON_ZERO,ALLOW_INVALID_DATES'")
            .await?;
        session.exec(format!("USE {schema}").as_bytes()).await?;
        for sql in statements {
            if let Err(error) = session.exec(sql.as_bytes()).await {
                panic!("{error}: {sql}");
            }
        }
        Ok::<_, ClientError>(())
    })
    .expect("rows");
    inserts_since(server, &before)
}

/// The row sets of batches, each with its table and its block.
///
/// # Panics
/// When a batch holds anything but inserts.
pub fn row_sets(batches: &[Batch]) -> Vec<(&Table, &RowSet, &[u8])> {
    let tables: Vec<&Table> = batches.iter().flat_map(|batch| &batch.tables).collect();
    let mut sets = Vec::new();
    for batch in batches {
        for change in batch.transactions.iter().flat_map(|t| &t.changes) {
            let Change::Rows(set) = change else {
                panic!("only rows were written: {change:?}");
            };
            assert_eq!(set.operation, Operation::Insert);
            let table = tables
                .iter()
                .find(|table| table.id == set.table)
                .expect("a table record");
            sets.push((*table, set, batch.rows.as_slice()));
        }
    }
    sets
}

/// How rows of `table` go into the table of that name in `schema`.
///
/// # Errors
/// Those of the mapping.
///
/// # Panics
/// When the target does not answer, or has no such table.
pub fn mapping(
    target: &mut Root,
    table: &Table,
    schema: &str,
) -> Result<Mapping, contract::types::Error> {
    let name = &table.name;
    block_on(async {
        let version = target.server_version().clone();
        let collations = target.query_rows(Collations::query(&version)).await?;
        let collations = Collations::from_answer(&collations);
        let head = target.query_first(&table_query(schema, name)).await?;
        let columns = target
            .query_rows(&columns_query(schema, name, &version))
            .await?;
        let keys = target.query_rows(&keys_query(schema, name)).await?;
        let known = TargetTable::from_answers(schema, name, head.as_ref(), &columns, &keys);
        Mapping::new(table, known.expect("the target's table"), &collations)
    })
}

/// Writes a row set by INSERT, as the engine does.
///
/// # Errors
/// Those of the server.
///
/// # Panics
/// When a count is not what it should be.
pub fn insert(
    target: &mut Root,
    set: &RowSet,
    block: &[u8],
    mapping: &Mapping,
) -> Result<(), Error> {
    let mut list = Vec::new();
    statements::write(set, block, mapping, BOUNDS, 0, |statement| {
        list.push(statement);
        Ok(())
    })?;
    for statement in list {
        let guard = match &statement.check {
            Check::ReadBack(guard) => Some(guard),
            Check::Strict | Check::Documents | Check::MayMiss | Check::Load(_) => None,
        };
        block_on(async {
            if guard.is_some() {
                target.exec(settings::LENIENT).await?;
            }
            let ok = target.exec(&statement.sql).await?;
            assert_eq!(ok.affected_rows, statement.rows);
            if let Some(guard) = guard {
                target.exec(guard).await?;
                target.exec(settings::STRICT).await?;
            } else {
                assert_eq!(ok.warnings, 0);
            }
            Ok::<_, Error>(())
        })?;
    }
    Ok(())
}

/// What became of a load.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Loaded {
    /// All rows are there.
    Whole,
    /// The server has stored other rows than it was sent, or fewer. The caller must roll back.
    Bent,
    /// Not a row set that can be loaded; nothing was sent.
    NotLoadable,
}

/// Writes a row set by LOAD DATA LOCAL.
///
/// # Errors
/// Those of the server.
pub fn load(
    target: &mut Root,
    set: &RowSet,
    block: &[u8],
    mapping: &Mapping,
) -> Result<Loaded, Error> {
    match load::of_set(set, block, mapping)? {
        Some(load) => run(target, &load),
        None => Ok(Loaded::NotLoadable),
    }
}

/// Runs a load.
///
/// # Errors
/// Those of the server.
pub fn run(target: &mut Root, load: &Load) -> Result<Loaded, Error> {
    let ok = block_on(target.load_local(load.sql(), load.data()))?;
    Ok(if load::is_whole(&ok, load.rows()) {
        Loaded::Whole
    } else {
        Loaded::Bent
    })
}

/// The GTID set that a server has executed.
///
/// # Panics
/// When it does not answer.
#[must_use]
pub fn executed(server: &Server) -> String {
    let rows = server.query("SELECT @@global.gtid_executed");
    let set = rows.expect("GTIDs")[0][0].clone();
    set.unwrap_or_default().replace('\n', "")
}

/// Makes a table of the source on the target, in another schema.
///
/// # Panics
/// When a server refuses.
pub fn copy_definition(source: &Server, target: &mut Root, from: &str, table: &str, to: &str) {
    let mut of_source = session(source);
    let show = format!(
        "SHOW CREATE TABLE {}.{}",
        quote_identifier(from),
        quote_identifier(table)
    );
    // As bytes: a default may be a text in any character set.
    let create = match block_on(of_source.query(show.as_bytes())).as_deref() {
        Ok([Outcome::Rows(shown)]) => shown.rows[0][1].clone().expect("the definition"),
        other => panic!("{show}: {other:?}"),
    };
    block_on(async {
        // The text is in UTF-8, and may hold defaults that only a lenient session takes.
        target
            .exec(b"SET NAMES utf8mb4, SESSION sql_mode = 'ALLOW_INVALID_DATES'")
            .await?;
        target
            .exec(format!("USE {}", quote_identifier(to)).as_bytes())
            .await?;
        target.exec(&create).await?;
        target
            .exec(&settings::for_rows(target.server_version()))
            .await
    })
    .unwrap_or_else(|e| panic!("{e}: {}", String::from_utf8_lossy(&create)));
}

/// Tables with random rows, made again in the schema `to`, which holds nothing else, and the statements that copy their rows to there. Tables without rows are left out.
///
/// # Panics
/// When the server refuses what it is known to take.
#[must_use]
pub fn random_copies(source: &Server, seed: u64, to: &str) -> Vec<(String, String)> {
    let mut rng = Rng::with_seed(seed);
    let (mut schema, beginning) = Schema::begin(&mut rng, seed);
    let mut of_rows = native::session(source);
    let mut run = |sql: &str| block_on(of_rows.exec(sql.as_bytes())).is_ok();
    for sql in beginning {
        assert!(run(&sql), "DATAIN_SEED={seed}: {sql}");
    }
    for _ in 0..150 {
        let step = schema.step(&mut rng, 60);
        if run(&step.sql) {
            schema.done(step);
        }
    }
    if let Some(step) = schema.settle() {
        assert!(run(&step.sql));
    }
    assert!(run("SET SESSION sql_mode = 'ALLOW_INVALID_DATES'"));
    assert!(run("SET GLOBAL binlog_row_metadata = MINIMAL"));
    assert!(run(&format!("DROP DATABASE IF EXISTS {to}")));
    assert!(run(&format!("CREATE DATABASE {to}")));
    let mut of_server = session(source);
    let query = format!(
        "SELECT TABLE_NAME, COLUMN_NAME FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = '{}' \
         AND GENERATION_EXPRESSION = '' ORDER BY 1, ORDINAL_POSITION",
        schema.name.replace('\\', "\\\\").replace('\'', "\\'")
    );
    let quote = quote_identifier;
    let columns = block_on(of_server.query_rows(query.as_bytes())).expect("columns");
    let mut tables = Vec::new();
    for of_table in columns.chunk_by(|a, b| a[0] == b[0]) {
        let name = of_table[0][0].clone().unwrap_or_default();
        let (copy, original) = (
            format!("{to}.{}", quote(&name)),
            format!("{}.{}", quote(&schema.name), quote(&name)),
        );
        let names: Vec<String> = of_table
            .iter()
            .map(|row| quote(row[1].as_deref().unwrap_or_default()))
            .collect();
        let names = names.join(",");
        assert!(run(&format!("CREATE TABLE {copy} LIKE {original}")));
        let some =
            block_on(of_server.query_rows(format!("SELECT 1 FROM {original} LIMIT 1").as_bytes()));
        if some.expect("rows").is_empty() {
            assert!(run(&format!("DROP TABLE {copy}")));
        } else {
            tables.push((
                name,
                format!("INSERT INTO {copy} ({names}) SELECT {names} FROM {original}"),
            ));
        }
    }
    tables
}
