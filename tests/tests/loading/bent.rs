//! Rows that a target cannot keep as they are, each in a table that makes it so.

/// The tables on the source.
pub const TABLES: &str = "
    CREATE TABLE invalid_bytes (id INT PRIMARY KEY, c VARCHAR(20) CHARACTER SET latin1);
    CREATE TABLE duplicate (id INT PRIMARY KEY, u INT);
    CREATE TABLE second_key (id INT PRIMARY KEY, u INT);
    CREATE TABLE too_long (id INT PRIMARY KEY, c VARCHAR(20));
    CREATE TABLE overflow (id INT PRIMARY KEY, n INT, g TINYINT AS (n) STORED);
    CREATE TABLE not_null (id INT PRIMARY KEY, n INT);
    CREATE TABLE no_such_member (id INT PRIMARY KEY, e ENUM('a', 'b', 'c'));
    CREATE TABLE no_such_mask (id INT PRIMARY KEY, s SET('a', 'b', 'c'));
    CREATE TABLE too_many_bits (id INT PRIMARY KEY, b BIT(12));
    CREATE TABLE checked (id INT PRIMARY KEY, n INT);
    CREATE TABLE child (id INT PRIMARY KEY, parent INT);
    CREATE TABLE no_partition (id INT PRIMARY KEY, n INT);
";

/// One row for each.
pub const ROWS: &[&str] = &[
    "INSERT INTO invalid_bytes VALUES (1, X'61FF62')",
    "INSERT INTO duplicate VALUES (2, 2), (1, 1)",
    "INSERT INTO second_key VALUES (2, 1)",
    "INSERT INTO too_long VALUES (1, 'abcdefghij')",
    "INSERT INTO overflow (id, n) VALUES (1, 100)",
    "INSERT INTO not_null VALUES (1, NULL)",
    "INSERT INTO no_such_member VALUES (1, 3)",
    "INSERT INTO no_such_mask VALUES (1, 4)",
    "INSERT INTO too_many_bits VALUES (1, 0xFFF)",
    "INSERT INTO checked VALUES (1, -1)",
    "INSERT INTO child VALUES (1, 7)",
    "INSERT INTO no_partition VALUES (1, 1), (11, 1)",
];

/// The tables on the target.
pub const ON_TARGET: &str = "
    CREATE TABLE invalid_bytes (id INT PRIMARY KEY, c VARCHAR(20) CHARACTER SET utf8mb4);
    CREATE TABLE duplicate (id INT PRIMARY KEY, u INT); INSERT INTO duplicate VALUES (1, 9);
    CREATE TABLE second_key (id INT PRIMARY KEY, u INT UNIQUE); INSERT INTO second_key VALUES (1, 1);
    CREATE TABLE too_long (id INT PRIMARY KEY, c VARCHAR(5));
    CREATE TABLE overflow (id INT PRIMARY KEY, n INT, g TINYINT AS (n * 2) STORED);
    CREATE TABLE not_null (id INT PRIMARY KEY, n INT NOT NULL);
    CREATE TABLE no_such_member (id INT PRIMARY KEY, e ENUM('a', 'b'));
    CREATE TABLE no_such_mask (id INT PRIMARY KEY, s SET('a', 'b'));
    CREATE TABLE too_many_bits (id INT PRIMARY KEY, b BIT(9));
    CREATE TABLE checked (id INT PRIMARY KEY, n INT, CHECK (n > 0));
    CREATE TABLE parent (id INT PRIMARY KEY);
    CREATE TABLE child (id INT PRIMARY KEY, parent INT, FOREIGN KEY (parent) REFERENCES parent (id));
    CREATE TABLE no_partition (id INT PRIMARY KEY, n INT) PARTITION BY RANGE (id) (PARTITION p VALUES LESS THAN (10));
";
