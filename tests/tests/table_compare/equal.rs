//! Equal tables.

use datain_mysql_client::blocking::block_on;
use datain_table_compare::{Algorithm, Bucket, Digest, Range};
use datain_throwaway_servers::Flavor;

use super::corners;
use super::pairs::{
    Pair, SOURCE, TARGET, differences, digest, rows, run, server, session, tables, writer,
};

/// Every type at its corners, every character set, generated and invisible columns, keys of the server's own: two tables with the same rows have the same digests, as a whole and by
/// buckets, and rows without a difference; and the digest is not that of the rows without one of them.
#[test]
fn tables_of_every_type() {
    let server = server(Flavor::Mysql97);
    let (corner_tables, mut fill) = corners::corners(&server);
    fill.retain(|sql| !sql.contains("binlog_row_image"));
    let more = "CREATE TABLE keyless (a INT, b VARCHAR(9)); SET sql_generate_invisible_primary_key = ON; CREATE TABLE invisible_key (a INT); SET sql_generate_invisible_primary_key = OFF;";
    fill.push(
        "INSERT INTO keyless VALUES (1, 'a'), (1, 'a'), (2, NULL), (NULL, NULL), (NULL, NULL)"
            .to_owned(),
    );
    fill.push("INSERT INTO invisible_key (a) VALUES (1), (2), (2), (NULL)".to_owned());
    let mut writer = writer(&server);
    for schema in [SOURCE, TARGET] {
        run(
            &mut writer,
            &format!(
                "CREATE DATABASE {schema} CHARACTER SET utf8mb4; USE {schema}; {corner_tables}{more}"
            ),
        );
        for sql in &fill {
            run(&mut writer, sql);
        }
    }
    let (mut a, mut b) = (session(&server), session(&server));
    let names = tables(&mut a, SOURCE);
    assert!(names.len() > 60, "{names:?}");
    for name in &names {
        for algorithm in [Algorithm::Crc32, Algorithm::Sha2] {
            if algorithm == Algorithm::Sha2 && name.starts_with("in ") {
                // Another hash of the same text.
                continue;
            }
            let pair = Pair::new((&mut a, SOURCE), (&mut b, TARGET), name, algorithm)
                .unwrap_or_else(|e| panic!("{name}: {e:?}"));
            let whole = Range::default();
            let of_source = digest(&pair.source, &mut a, &whole);
            let of_target = digest(&pair.target, &mut b, &whole);
            assert_eq!(of_source, of_target, "{name}");
            assert!(of_source.rows > 0, "{name} is empty");
            let images = rows(&pair.source, &mut a, &whole);
            assert_eq!(images.len() as u64, of_source.rows);
            let differ = differences(&pair, &mut a, &mut b, &whole);
            assert!(differ.is_empty(), "{name}: {differ:?}");
            by_buckets(&pair, &mut a, &of_source);
            // One row less is another table, and named.
            let less = pair.target.differences(&images, &images[1..]);
            assert_eq!(less.expect("differences").len(), 1, "{name}");
        }
    }
}

/// The buckets are a partition of the rows.
fn by_buckets(pair: &Pair, session: &mut super::pairs::Root, whole: &Digest) {
    const OF: u32 = 3;
    let buckets = block_on(pair.source.buckets(session, &Range::default(), OF)).expect("buckets");
    assert_eq!(buckets.len(), OF as usize);
    let rows_in = |digests: &[Digest]| digests.iter().map(|d| d.rows).sum::<u64>();
    assert_eq!(rows_in(&buckets), whole.rows);
    for (index, bucket) in buckets.iter().enumerate() {
        let range = Range {
            bucket: Some(Bucket {
                index: index as u32,
                of: OF,
            }),
            ..Range::default()
        };
        assert_eq!(digest(&pair.source, session, &range), *bucket);
        assert_eq!(
            rows(&pair.source, session, &range).len() as u64,
            bucket.rows
        );
    }
}
