-- What only newer servers have.
USE rental;
CREATE TABLE wish (wish_id INT NOT NULL AUTO_INCREMENT, customer_id INT UNSIGNED NOT NULL, body JSON, words VARCHAR(60) AS (JSON_UNQUOTE(body->'$.word')) STORED, near POINT NOT NULL SRID 4326, hidden INT INVISIBLE DEFAULT 7, PRIMARY KEY (wish_id), SPATIAL KEY by_place (near), KEY by_word ((UPPER(words))),
    CHECK (hidden < 100), FOREIGN KEY (customer_id) REFERENCES customer (customer_id) ON DELETE CASCADE);
INSERT INTO wish (customer_id, body, near) SELECT n % 600 + 1, JSON_OBJECT('word', CONCAT('w', n), 'd', CAST(n / 3 AS DECIMAL(10,3)), 'at', CAST('2026-02-28 01:02:03.4' AS DATETIME(1)), 'list', JSON_ARRAY(n, NULL, TRUE)), ST_SRID(POINT(n % 180, n % 90), 4326) FROM thousand;
CREATE TABLE vectors (vector_id INT NOT NULL PRIMARY KEY, v VECTOR(3));
INSERT INTO vectors SELECT n, STRING_TO_VECTOR(CONCAT('[', n, ',0.5,-1]')) FROM thousand;
