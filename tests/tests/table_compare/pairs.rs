//! A table on both sides, and what is asked of it.

use datain_contract::types::Error;
use datain_mysql_client::blocking::{BlockingStream, block_on};
use datain_mysql_client::{ConnectOptions, Session};
use datain_table_compare::{
    Algorithm, Chunk, ChunkLimits, Difference, Digest, Mismatch, Range, Reading, Shape, Side, What,
    prepare,
};
use datain_table_scan::TableDefinition;
pub use datain_tests::bulk_load::Root;
use datain_throwaway_servers::{Flavor, ROOT_PASSWORD, Server};

/// The schemas of the two sides, where one server is both.
pub const SOURCE: &str = "of_source";
pub const TARGET: &str = "of_target";

/// No limits.
pub const ALL: ChunkLimits = ChunkLimits {
    rows: u32::MAX,
    bytes: usize::MAX,
};

pub fn server(flavor: Flavor) -> Server {
    Server::builder(flavor).relaxed().start().expect("a server")
}

/// A session that compares tables.
pub fn session(server: &Server) -> Root {
    let stream = BlockingStream::unix(server.socket()).expect("the server's socket");
    let options = ConnectOptions::new("root").with_password(ROOT_PASSWORD);
    let mut session = block_on(Session::connect(stream, &options)).expect("a login");
    block_on(prepare(&mut session)).expect("settings");
    session
}

/// A session that takes every value.
pub fn writer(server: &Server) -> Root {
    let stream = BlockingStream::unix(server.socket()).expect("the server's socket");
    let mut options = ConnectOptions::new("root").with_password(ROOT_PASSWORD);
    options.multi_statements = true;
    let mut session = block_on(Session::connect(stream, &options)).expect("a login");
    run(
        &mut session,
        "SET NAMES utf8mb4, sql_mode = 'NO_AUTO_VALUE_ON_ZERO,ALLOW_INVALID_DATES', time_zone = '+00:00', timestamp = 1600000000",
    );
    session
}

pub fn run(session: &mut Root, sql: &str) {
    block_on(session.query(sql.as_bytes())).unwrap_or_else(|e| panic!("{e}: {sql}"));
}

pub fn definition(session: &mut Root, schema: &str, table: &str) -> TableDefinition {
    let definition = block_on(TableDefinition::ask(session, schema, table));
    definition
        .expect("a definition")
        .unwrap_or_else(|| panic!("no table {schema}.{table}"))
}

/// A table's two sides.
pub struct Pair {
    pub source: Side,
    pub target: Side,
}

impl Pair {
    /// What the source says goes to the target's side as bytes.
    pub fn new(
        (a, of_source): (&mut Root, &str),
        (b, of_target): (&mut Root, &str),
        table: &str,
        algorithm: Algorithm,
    ) -> Result<Self, Vec<Mismatch>> {
        let own = definition(a, of_source, table);
        let shape = Shape::of(&own, algorithm);
        let version = a.server_version().clone();
        let source = Side::new(shape.clone(), &own, &version)?;
        let sent = Shape::from_bytes(&shape.to_bytes()).expect("a shape");
        assert_eq!(sent, shape);
        let own = definition(b, of_target, table);
        let version = b.server_version().clone();
        let target = Side::new(sent, &own, &version)?;
        Ok(Self { source, target })
    }
}

pub fn digest(side: &Side, session: &mut Root, range: &Range) -> Digest {
    block_on(side.digest(session, range))
        .unwrap_or_else(|e| panic!("{e:?}: {:?}", side.digest_sql(range)))
}

pub fn all_of(session: &mut Root, chunk: Result<Chunk<'_>, Error>) -> Vec<Vec<u8>> {
    block_on(async {
        let mut chunk = chunk?;
        let (mut rows, mut out) = (Vec::new(), Vec::new());
        while chunk.next_row(session, &mut out).await? {
            rows.push(std::mem::take(&mut out));
        }
        assert!(chunk.end().is_last);
        Ok::<_, Error>(rows)
    })
    .unwrap_or_else(|e| panic!("{e:?}"))
}

pub fn rows(side: &Side, session: &mut Root, range: &Range) -> Vec<Vec<u8>> {
    let chunk = block_on(side.rows(session, range, ALL, Reading::Consistent));
    all_of(session, chunk)
}

/// All differences of a range, by its rows.
pub fn differences(
    pair: &Pair,
    source: &mut Root,
    target: &mut Root,
    range: &Range,
) -> Vec<Difference> {
    let of_source = rows(&pair.source, source, range);
    let of_target = rows(&pair.target, target, range);
    pair.target
        .differences(&of_source, &of_target)
        .expect("differences")
}

/// In which columns the rows differ; Missing and Surplus by these names.
pub fn columns(differences: &[Difference]) -> Vec<String> {
    let mut names = Vec::new();
    for difference in differences {
        match &difference.what {
            What::Missing => names.push("(missing)".to_owned()),
            What::Surplus => names.push("(surplus)".to_owned()),
            What::Columns(columns) => names.extend(columns.clone()),
        }
    }
    names
}

/// All tables of a schema.
pub fn tables(session: &mut Root, schema: &str) -> Vec<String> {
    let sql = format!(
        "SELECT TABLE_NAME FROM information_schema.TABLES WHERE TABLE_SCHEMA = _utf8mb4'{schema}' ORDER BY 1"
    );
    let rows = block_on(session.query_rows(sql.as_bytes())).expect("tables");
    rows.into_iter().filter_map(|row| row[0].clone()).collect()
}
