//! Those who change the shop while it is replicated: a thread and a session each.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    thread::{self, JoinHandle},
    time::Duration,
};

use anyhow::{Context as _, Result, anyhow};
use datain_throwaway_servers::{Client, Server};

use super::shop::{CUSTOMERS, PRODUCTS};

/// One transaction, and whether the column that comes in the middle is there.
type Job = fn(&mut Chance, bool) -> String;

/// What the writers do, each in its own thread.
const JOBS: [Job; 4] = [place_order, go_on, cancel, change_keys];

/// How many there are.
pub(super) const NUMBER: usize = JOBS.len();

/// Errors that a concurrent writer has to expect, and after which it tries again: deadlock, lock wait, and a definition that
/// changed under a transaction.
const EXPECTED: [&str; 3] = ["ERROR 1213 ", "ERROR 1205 ", "ERROR 1412 "];

/// Running writers; dropping it stops them.
pub(super) struct Writers {
    shared: Arc<Shared>,
    threads: Vec<JoinHandle<Result<()>>>,
}

#[derive(Default)]
struct Shared {
    stop: AtomicBool,
    altered: AtomicBool,
    committed: AtomicU64,
    given_up: AtomicU64,
}

/// What the writers have done.
pub(super) struct Written {
    /// Transactions. Those that found nothing to change are not in the source's binary log.
    pub(super) committed: u64,
    /// Deadlocks and the like.
    pub(super) given_up: u64,
}

impl Writers {
    pub(super) fn start(source: &Server) -> Self {
        let shared = Arc::new(Shared::default());
        let threads = (1..).zip(JOBS).map(|(seed, job)| {
            let (client, shared) = (source.client(), Arc::clone(&shared));
            thread::spawn(move || write(client, job, Chance::new(seed), &shared))
        });
        Self {
            threads: threads.collect(),
            shared,
        }
    }

    /// From now on the writers use the new column.
    pub(super) fn altered(&self) {
        self.shared.altered.store(true, Ordering::Relaxed);
    }

    /// Whether all still write.
    pub(super) fn are_alive(&self) -> bool {
        !self.threads.iter().any(JoinHandle::is_finished)
    }

    /// Stops them. An error when one of them could not go on.
    pub(super) fn finish(mut self) -> Result<Written> {
        self.join()?;
        Ok(Written {
            committed: self.shared.committed.load(Ordering::Relaxed),
            given_up: self.shared.given_up.load(Ordering::Relaxed),
        })
    }

    fn join(&mut self) -> Result<()> {
        self.shared.stop.store(true, Ordering::Relaxed);
        let ends: Vec<_> = self.threads.drain(..).map(JoinHandle::join).collect();
        ends.into_iter()
            .try_for_each(|end| end.unwrap_or_else(|_| Err(anyhow!("a writer panicked"))))
    }
}

impl Drop for Writers {
    fn drop(&mut self) {
        // Whoever wants to know how they ended calls `finish`.
        let _ = self.join();
    }
}

/// Between a writer's transactions, so that two cores suffice for two servers, four writers and `datain`: this is no benchmark.
const PAUSE: Duration = Duration::from_millis(5);

fn write(mut client: Client, job: Job, mut chance: Chance, shared: &Shared) -> Result<()> {
    while !shared.stop.load(Ordering::Relaxed) {
        let transaction = job(&mut chance, shared.altered.load(Ordering::Relaxed));
        match client.execute(&format!("START TRANSACTION;\n{transaction};\nCOMMIT")) {
            Ok(_) => shared.committed.fetch_add(1, Ordering::Relaxed),
            Err(error)
                if EXPECTED
                    .iter()
                    .any(|number| error.to_string().contains(number)) =>
            {
                shared.given_up.fetch_add(1, Ordering::Relaxed)
            }
            Err(error) => {
                return Err(error).with_context(|| format!("a writer failed:\n{transaction}"));
            }
        };
        thread::sleep(PAUSE);
    }
    Ok(())
}

/// A new order with one to four items.
fn place_order(chance: &mut Chance, altered: bool) -> String {
    let customer = chance.up_to(CUSTOMERS);
    let products: Vec<_> = (0..chance.up_to(4))
        .map(|_| chance.up_to(PRODUCTS).to_string())
        .collect();
    let products = products.join(", ");
    let note = chance.one_of(&[
        "NULL",
        "'please ring twice'",
        "'ありがとう'",
        "'c’est l’été 🌻'",
        "'тільки після 18:00'",
    ]);
    let (column, value) = match altered {
        true => (", gift", ", RAND() < 0.5"),
        false => ("", ""),
    };
    format!(
        "INSERT INTO shop.orders (customer_id, placed, note{column}) VALUES ({customer}, NOW(6), {note}{value});
SET @o = LAST_INSERT_ID();
INSERT INTO shop.order_items
  SELECT @o, ROW_NUMBER() OVER (ORDER BY id), id, 1 + id % 3, price FROM shop.products WHERE id IN ({products});
UPDATE shop.orders SET total = (SELECT SUM(quantity * price) FROM shop.order_items WHERE order_id = @o) WHERE id = @o;
UPDATE shop.products SET stock = stock - 1 WHERE id IN ({products})"
    )
}

/// Orders are paid and sent, prices change, customers come by.
fn go_on(chance: &mut Chance, _altered: bool) -> String {
    let (customer, product) = (chance.up_to(CUSTOMERS), chance.up_to(PRODUCTS));
    match chance.up_to(4) {
        1 => {
            "UPDATE shop.orders SET status = 'paid' WHERE status = 'new' ORDER BY id LIMIT 8".into()
        }
        2 => "UPDATE shop.orders SET status = 'sent', note = CONCAT(COALESCE(note, ''), ' ✓') \
              WHERE status = 'paid' ORDER BY id LIMIT 8"
            .into(),
        3 => format!(
            "UPDATE shop.products SET price = GREATEST(1, ROUND(price * (0.95 + RAND() * 0.1), 2)), \
             tags = JSON_SET(tags, '$[1]', stock, '$[2]', 'sale') WHERE id BETWEEN {product} AND {product} + 4"
        ),
        _ => format!(
            "UPDATE shop.customers SET profile = JSON_SET(COALESCE(profile, JSON_OBJECT()), '$.visits', \
             COALESCE(JSON_EXTRACT(profile, '$.visits'), 0) + 1, '$.seen', NOW(6)) WHERE id = {customer}"
        ),
    }
}

/// Orders lose items, are cancelled, and go away with what belongs to them.
fn cancel(chance: &mut Chance, _altered: bool) -> String {
    match chance.up_to(3) {
        1 => "DELETE FROM shop.orders WHERE status = 'sent' ORDER BY id LIMIT 1".into(),
        2 => "DELETE FROM shop.orders WHERE status = 'cancelled' ORDER BY id LIMIT 2".into(),
        _ => "SET @o = (SELECT MIN(id) FROM shop.orders WHERE status = 'new');
DELETE FROM shop.order_items WHERE order_id = @o AND line > 1;
UPDATE shop.orders SET status = 'cancelled', note = '✂' WHERE id = @o"
            .into(),
    }
}

/// Keys move (an order's downwards, since a new order takes the number after the greatest): primary keys with what refers to them, unique keys that change places, rows that take over their neighbour's
/// key.
fn change_keys(chance: &mut Chance, _altered: bool) -> String {
    match chance.up_to(3) {
        1 => "UPDATE shop.orders SET id = id - 1000000 WHERE id > 1000000 AND status = 'sent' ORDER BY id LIMIT 3"
            .into(),
        2 => {
            let one = chance.up_to(PRODUCTS);
            let two = 1 + (one + chance.up_to(PRODUCTS - 1) - 1) % PRODUCTS;
            format!(
                "SET @a = (SELECT sku FROM shop.products WHERE id = {one}), @b = (SELECT sku FROM shop.products WHERE id = {two});
UPDATE shop.products SET sku = '-' WHERE id = {one};
UPDATE shop.products SET sku = @a WHERE id = {two};
UPDATE shop.products SET sku = @b WHERE id = {one}"
            )
        }
        _ => {
            let number = chance.next();
            format!(
                "UPDATE shop.customers SET id = id + 1 WHERE id > 100000 ORDER BY id DESC;
INSERT INTO shop.customers VALUES (100001, 'Ірина Nguyễn', 'guest-{number:x}@example.org', NULL, NOW(6));
DELETE FROM shop.customers WHERE id > 100020"
            )
        }
    }
}

/// Numbers that look random (xorshift64*), the same in every run.
struct Chance(u64);

impl Chance {
    fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1)
    }

    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_F491_4F6C_DD1D)
    }

    /// From 1 to `most`, which is not 0.
    fn up_to(&mut self, most: u64) -> u64 {
        1 + (self.next() >> 16) % most.max(1)
    }

    fn one_of<'a>(&mut self, choices: &[&'a str]) -> &'a str {
        let at = usize::try_from(self.next() >> 40).unwrap_or_default();
        choices.get(at % choices.len().max(1)).unwrap_or(&"")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn two_products_that_change_places_are_two_and_every_number_comes() {
        let mut chance = Chance::new(1);
        let mut seen = [false; 4];
        for _ in 0..200 {
            seen[usize::try_from(chance.up_to(4)).unwrap() - 1] = true;
            let one = chance.up_to(PRODUCTS);
            let two = 1 + (one + chance.up_to(PRODUCTS - 1) - 1) % PRODUCTS;
            assert!(one != two && (1..=PRODUCTS).contains(&two), "{one} {two}");
        }
        assert_eq!(seen, [true; 4]);
    }
}
