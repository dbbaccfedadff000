//! The shop's customers and clerks: sessions of an ordinary account that write all the time, until the server takes nothing any more.

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{Scope, ScopedJoinHandle};
use std::time::{Duration, Instant};

use datain_mysql_client::blocking::{BlockingStream, block_on};
use datain_mysql_client::{ClientError, ConnectOptions, Session};
use datain_tests::seed::{Rng, long};
use datain_tests::servers::run;
use datain_throwaway_servers::Server;

const SESSIONS: u64 = 3;
const PASSWORD: &str = "of the shop";

/// errno of a server that is read-only.
const READ_ONLY: u16 = 1290;

/// What one session did.
#[derive(Debug, Default)]
pub struct Written {
    pub transactions: u64,
    /// Refused for other reasons than that the server is read-only: a key is there already, a row is locked, a parent is gone.
    pub refused: u64,
    pub last: Option<Instant>,
    /// When the server first said that it is read-only.
    pub stopped: Option<Instant>,
}

/// Makes the account.
pub fn account(source: &Server) {
    run(
        source,
        &format!(
            "CREATE USER 'app'@'%' IDENTIFIED BY '{PASSWORD}'; GRANT ALL ON rental.* TO 'app'@'%'; CREATE USER 'app'@'localhost' IDENTIFIED BY '{PASSWORD}'; GRANT ALL ON rental.* TO 'app'@'localhost'"
        ),
    );
}

/// Lets the sessions write until `stop`.
pub fn start<'s>(
    scope: &'s Scope<'s, '_>,
    source: &Server,
    stop: &'s AtomicBool,
    seed: u64,
) -> Vec<ScopedJoinHandle<'s, Written>> {
    (0..SESSIONS)
        .map(|number| {
            let socket = source.socket();
            scope.spawn(move || write(&socket, stop, &mut Rng::with_seed(seed + number)))
        })
        .collect()
}

fn write(socket: &Path, stop: &AtomicBool, rng: &mut Rng) -> Written {
    let stream = BlockingStream::unix(socket).expect("the server's socket");
    let options = ConnectOptions::new("app").with_password(PASSWORD);
    let mut session = block_on(Session::connect(stream, &options)).expect("a login");
    block_on(session.exec(b"USE rental")).expect("the schema");
    let mut written = Written::default();
    while !stop.load(Ordering::Relaxed) {
        match block_on(transaction(&mut session, rng)) {
            Ok(()) => {
                written.transactions += 1;
                written.last = Some(Instant::now());
                // A shop that is open, not a benchmark.
                std::thread::sleep(Duration::from_millis(if long() { 4 } else { 10 }));
            }
            Err(error) => {
                let errno = error.errno().unwrap_or_else(|| panic!("{error}"));
                if errno == READ_ONLY {
                    written.stopped.get_or_insert_with(Instant::now);
                    std::thread::sleep(Duration::from_millis(5));
                } else {
                    written.refused += 1;
                }
                let _ = block_on(session.exec(b"ROLLBACK"));
            }
        }
    }
    written
}

async fn transaction(
    session: &mut Session<BlockingStream>,
    rng: &mut Rng,
) -> Result<(), ClientError> {
    let mut id = |most: u32| rng.u32(1..=most);
    let (customer, inventory, film, staff) = (id(700), id(5000), id(1000), id(2));
    let statements: Vec<String> = match id(12) {
        1..=3 => vec![
            format!(
                "INSERT INTO rental (rented, inventory_id, customer_id, staff_id) VALUES (NOW(3), {inventory}, {customer}, {staff})"
            ),
            format!(
                "INSERT INTO payment (customer_id, rental_id, amount, took) VALUES ({customer}, LAST_INSERT_ID(), {}.99, '-00:00:01.5')",
                id(9)
            ),
            format!("UPDATE customer SET balance = balance + 0.1 WHERE customer_id = {customer}"),
        ],
        4 => vec![format!(
            "UPDATE rental SET returned = NOW(3) WHERE inventory_id = {inventory} AND returned IS NULL"
        )],
        5 => vec![
            format!(
                "INSERT INTO customer (store_id, name, email, address_id, since) VALUES ({staff}, 'né {customer}', 'n{customer}@example.com', {film}, NOW())"
            ),
            format!(
                "INSERT INTO visit VALUES (CURRENT_DATE, {}, {customer}, 'new')",
                id(1_000_000)
            ),
        ],
        // Rentals go with their customer, payments of others lose their rental: cascades, which old servers do not log.
        6 => vec![format!(
            "DELETE FROM customer WHERE customer_id = {}",
            600 + id(200)
        )],
        7 => vec![format!(
            "UPDATE customer SET email = IF(email LIKE 'c%', CONCAT('x', customer_id), CONCAT('c', customer_id, '@example.com')) WHERE customer_id = {customer}"
        )],
        // Two seats change hands.
        8 | 9 => {
            let (a, b) = (id(1000), id(1000));
            vec![
                format!(
                    "SELECT number, label INTO @n, @l FROM seat WHERE seat_id = {a} FOR UPDATE"
                ),
                format!(
                    "SELECT number, label INTO @m, @k FROM seat WHERE seat_id = {b} FOR UPDATE"
                ),
                format!(
                    "UPDATE seat SET number = -number, label = CONCAT('-', label) WHERE seat_id = {a}"
                ),
                format!(
                    "UPDATE seat SET number = @n, label = @l, held_by = {customer} WHERE seat_id = {b} AND seat_id <> {a}"
                ),
                format!(
                    "UPDATE seat SET number = IF({a} = {b}, @n, @m), label = IF({a} = {b}, @l, @k) WHERE seat_id = {a}"
                ),
            ]
        }
        // A key that is referred to changes.
        10 => vec![format!(
            "UPDATE film SET film_id = IF(film_id > 100000, film_id - 100000, film_id + 100000), description = CONCAT(LEFT(description, 50), '{customer}') WHERE film_id IN ({film}, {film} + 100000)"
        )],
        11 => vec![
            format!("DELETE FROM actor WHERE actor_id = {}", id(200)),
            format!(
                "INSERT INTO actor (actor_id, first_name, last_name) VALUES ({}, 'again', 'ß{film}')",
                id(200)
            ),
            format!(
                "INSERT IGNORE INTO film_actor SELECT {}, film_id FROM film WHERE film_id % 50 = {}",
                id(200),
                id(50)
            ),
        ],
        _ => vec![
            format!(
                "UPDATE visit SET day = day + INTERVAL 40 DAY WHERE visit_id = {film} ORDER BY day LIMIT 1"
            ),
            format!("DELETE FROM visit WHERE visit_id = {}", id(1000)),
        ],
    };
    session.exec(b"START TRANSACTION").await?;
    for sql in statements {
        session.exec(sql.as_bytes()).await?;
    }
    session.exec(b"COMMIT").await?;
    Ok(())
}
