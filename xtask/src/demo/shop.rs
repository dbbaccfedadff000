//! The shop: four tables with foreign keys, and the rows that are there before replication begins.

use anyhow::{Context as _, Result};
use datain_throwaway_servers::Server;

/// Customers and products that are there at the begin, numbered from 1, and that no writer deletes.
pub(super) const CUSTOMERS: u64 = 200;
/// See [`CUSTOMERS`].
pub(super) const PRODUCTS: u64 = 60;
/// Orders at the begin.
const ORDERS: u64 = 400;

const TABLES: &str = "
CREATE DATABASE shop CHARACTER SET utf8mb4;
USE shop;
CREATE TABLE customers (
  id INT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
  name VARCHAR(80) NOT NULL,
  email VARCHAR(120) NOT NULL UNIQUE,
  profile JSON,
  joined DATETIME(6) NOT NULL
);
CREATE TABLE products (
  id INT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
  sku CHAR(12) NOT NULL UNIQUE,
  name VARCHAR(120) NOT NULL,
  price DECIMAL(10,2) NOT NULL,
  stock INT NOT NULL,
  tags JSON,
  description TEXT
);
CREATE TABLE orders (
  id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY,
  customer_id INT UNSIGNED NOT NULL,
  status ENUM('new', 'paid', 'sent', 'cancelled') NOT NULL DEFAULT 'new',
  total DECIMAL(12,2) NOT NULL DEFAULT 0,
  placed DATETIME(6) NOT NULL,
  note VARCHAR(200),
  KEY (status),
  FOREIGN KEY (customer_id) REFERENCES customers (id)
) AUTO_INCREMENT = 1000001;
CREATE TABLE order_items (
  order_id BIGINT UNSIGNED NOT NULL,
  line SMALLINT UNSIGNED NOT NULL,
  product_id INT UNSIGNED NOT NULL,
  quantity INT NOT NULL,
  price DECIMAL(10,2) NOT NULL,
  PRIMARY KEY (order_id, line),
  FOREIGN KEY (order_id) REFERENCES orders (id) ON DELETE CASCADE ON UPDATE CASCADE,
  FOREIGN KEY (product_id) REFERENCES products (id)
);";

/// The change of a table's definition in the middle: the columns after it move.
pub(super) const ALTER: &str =
    "ALTER TABLE shop.orders ADD COLUMN gift BOOLEAN NOT NULL DEFAULT FALSE AFTER status";

fn rows() -> String {
    let numbers = |up_to| {
        format!(
            "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {up_to})"
        )
    };
    format!(
        "SET SESSION cte_max_recursion_depth = 10000;
INSERT INTO customers (name, email, profile, joined) {}
  SELECT CONCAT(ELT(1 + i % 8, 'Zoë', 'José', 'Наталія', '美咲', 'Łukasz', 'Anaïs', 'محمد', 'Siân'), ' ',
                ELT(1 + i % 7, 'O’Neill', 'García', 'Шевченко', '小林', 'Żak', 'Müller', 'Ó Briain')),
         CONCAT('customer', i, '@example.org'),
         IF(i % 9 = 0, NULL, JSON_OBJECT('visits', i % 13, 'language', ELT(1 + i % 4, 'en', 'uk', 'ja', 'pl'),
            'news', CAST(IF(i % 2, 'true', 'false') AS JSON), 'score', i / 7)),
         NOW(6) - INTERVAL i * 1000003 MICROSECOND
  FROM n;
INSERT INTO products (sku, name, price, stock, tags, description) {}
  SELECT CONCAT('SKU-', LPAD(i * 37, 6, '0')),
         CONCAT(ELT(1 + i % 6, 'Tea 茶', 'Coffee', 'Crème brûlée', 'Pierogi', 'Борщ', 'Biscuits 🍪'), ' no. ', i),
         i * 1.37 + 0.99, 100000, JSON_ARRAY('new', i, NULL, JSON_OBJECT('organic', i % 2 = 0)),
         IF(i % 5 = 0, NULL, REPEAT('Made with care – mit Liebe – з любов’ю. ', i % 30))
  FROM n;
INSERT INTO orders (customer_id, status, placed, note) {}
  SELECT 1 + i * 7 % {CUSTOMERS}, ELT(1 + i % 4, 'new', 'paid', 'sent', 'cancelled'), NOW(6) - INTERVAL i MINUTE,
         IF(i % 3 = 0, 'Дякую! 🙏', NULL)
  FROM n;
INSERT INTO order_items
  SELECT o.id, ROW_NUMBER() OVER (PARTITION BY o.id ORDER BY p.id), p.id, 1 + o.id % 3, p.price
  FROM orders AS o JOIN products AS p ON p.id % 20 = o.id % 20;
UPDATE orders SET total = (SELECT SUM(quantity * price) FROM order_items WHERE order_id = id);",
        numbers(CUSTOMERS),
        numbers(PRODUCTS),
        numbers(ORDERS)
    )
}

/// Makes the shop; returns a description of it.
pub(super) fn create(source: &Server) -> Result<String> {
    source
        .sql(&format!("{TABLES}\n{}", rows()))
        .context("failed to make the shop")?;
    let counts = source.query(
        "SELECT (SELECT COUNT(*) FROM shop.customers), (SELECT COUNT(*) FROM shop.products), \
         (SELECT COUNT(*) FROM shop.orders), (SELECT COUNT(*) FROM shop.order_items)",
    )?;
    let count = |at: usize| counts.first()?.get(at)?.as_deref();
    let number = |at| count(at).unwrap_or("no").to_owned();
    Ok(format!(
        "{} customers, {} products, {} orders with {} items; the target is empty",
        number(0),
        number(1),
        number(2),
        number(3)
    ))
}
