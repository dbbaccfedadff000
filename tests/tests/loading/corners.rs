//! Tables with values at the corners of their types.

use std::fmt::Write as _;

use datain_throwaway_servers::Server;

/// CREATE TABLE for all of them, and the statements that fill them.
pub fn corners(server: &Server) -> (String, Vec<String>) {
    let mut tables = TABLES.to_owned();
    let mut rows: Vec<String> = ROWS
        .lines()
        .map(str::trim)
        .filter(|l| !l.is_empty())
        .map(str::to_owned)
        .collect();
    each_byte(&mut rows);
    overflowing_set(&mut tables, &mut rows);
    character_sets(server, &mut tables, &mut rows);
    (tables, rows)
}

const TABLES: &str = "
    CREATE TABLE integers (id INT PRIMARY KEY, a TINYINT, b TINYINT UNSIGNED, c SMALLINT, d SMALLINT UNSIGNED, e MEDIUMINT, f MEDIUMINT UNSIGNED,
        g INT, h INT UNSIGNED ZEROFILL, i BIGINT, j BIGINT UNSIGNED, k BOOLEAN NOT NULL);
    CREATE TABLE numbered (id BIGINT UNSIGNED AUTO_INCREMENT PRIMARY KEY, a INT);
    CREATE TABLE decimals (id DECIMAL(65,30) PRIMARY KEY, a DECIMAL(1,0), b DECIMAL(30,30), c DECIMAL(65,0) UNSIGNED, d DECIMAL(10,2));
    CREATE TABLE reals (id INT PRIMARY KEY, f FLOAT, d DOUBLE, g FLOAT(7,3), h DOUBLE(20,5), i FLOAT UNSIGNED);
    CREATE TABLE bits (id INT PRIMARY KEY, a BIT(1), b BIT(8), c BIT(13), d BIT(64) NOT NULL);
    CREATE TABLE years (id INT PRIMARY KEY, y YEAR);
    CREATE TABLE times (id INT PRIMARY KEY, d DATE, t TIME, t3 TIME(3), t6 TIME(6), dt DATETIME, dt6 DATETIME(6), ts TIMESTAMP NULL, ts6 TIMESTAMP(6) NULL);
    CREATE TABLE enums (id INT PRIMARY KEY, e ENUM('3','2','1',''), s SET('4','2','1','0'), f ENUM('NULL','\\\\N') NOT NULL);
    CREATE TABLE no_member (id INT PRIMARY KEY, e ENUM('a','b') NOT NULL);
    CREATE TABLE no_bytes (id INT PRIMARY KEY, v VECTOR(2) NOT NULL);
    CREATE TABLE bytes (id VARBINARY(20) PRIMARY KEY, a BINARY(4), b VARBINARY(40), c BLOB, d TINYBLOB, e BINARY(0));
    CREATE TABLE large_values (id INT PRIMARY KEY, b LONGBLOB);
    CREATE TABLE large_loaded (id INT PRIMARY KEY, b LONGBLOB, t LONGTEXT);
    CREATE TABLE one_column (c VARCHAR(20) PRIMARY KEY);
    CREATE TABLE nulls (id INT PRIMARY KEY, a VARCHAR(20), b BLOB, c INT, d VARCHAR(20) NOT NULL, e CHAR(4));
    CREATE TABLE shapes (id INT PRIMARY KEY, g GEOMETRY, p POINT NOT NULL SRID 4326, c GEOMETRYCOLLECTION, SPATIAL KEY (p));
    CREATE TABLE vectors (id INT PRIMARY KEY, v VECTOR(3));
    CREATE TABLE documents (id INT PRIMARY KEY, j JSON);
    CREATE TABLE plain_documents (id INT PRIMARY KEY, j JSON NOT NULL, k JSON, e ENUM('1','2'));
    CREATE TABLE computed (id INT PRIMARY KEY, a INT, b INT AS (a * 2) STORED, c VARCHAR(20) AS (CONCAT('x', a)) VIRTUAL, d INT INVISIBLE,
        e INT DEFAULT 7, f VARCHAR(9) NOT NULL DEFAULT 'a\\tb', g DATETIME NULL DEFAULT (NOW()), KEY (b), KEY (c));
    CREATE TABLE defaults (id INT PRIMARY KEY, a INT DEFAULT 7, b VARCHAR(9) DEFAULT 'x', c INT NOT NULL, d DATETIME NOT NULL, e TEXT NOT NULL,
        f ENUM('p','q') NOT NULL, g TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP, h INT, i YEAR NOT NULL, j BIT(4) NOT NULL);
    CREATE TABLE `odd ``names\\\\` (`a\\tb` INT PRIMARY KEY, `'` ENUM('x','y'), `@c` BLOB, `ü` SET('x','y'));
";

const ROWS: &str = r#"
    INSERT INTO integers VALUES (1, -128, 0, -32768, 0, -8388608, 0, -2147483648, 0, -9223372036854775808, 0, 0)
    INSERT INTO integers VALUES (2, 127, 255, 32767, 65535, 8388607, 16777215, 2147483647, 4294967295, 9223372036854775807, 18446744073709551615, 1)
    INSERT INTO integers VALUES (-3, NULL, 128, NULL, 32768, NULL, 8388608, NULL, 2147483648, NULL, 9223372036854775808, -1), (0, 0, NULL, 0, NULL, 0, NULL, 0, NULL, 0, NULL, 127)
    INSERT INTO numbered VALUES (0, 1), (5, 2), (18446744073709551614, 3)
    INSERT INTO decimals VALUES ('99999999999999999999999999999999999.999999999999999999999999999999', 9, '0.999999999999999999999999999999', REPEAT('9', 65), 1.5)
    INSERT INTO decimals VALUES ('-99999999999999999999999999999999999.999999999999999999999999999999', -9, '-0.000000000000000000000000000001', 0, -0.01)
    INSERT INTO decimals VALUES (0, 0, 0, 1, -0.00), ('1e-30', NULL, NULL, NULL, NULL)
    INSERT INTO reals VALUES (1, 3.4028234663852886e38, 1.7976931348623157e308, 9999.999, 999999999999999.99999, 0)
    INSERT INTO reals VALUES (2, -3.4028234663852886e38, -1.7976931348623157e308, -9999.999, -999999999999999.99999, 3.4028234663852886e38)
    INSERT INTO reals VALUES (3, 1.1754943508222875e-38, 2.2250738585072014e-308, 0.001, 0.00001, 1e-45)
    INSERT INTO reals VALUES (4, 1e-45, 4.9406564584124654e-324, -0e0, -0e0, 0.1), (5, -0e0, -0e0, 0.1, 0.1, 16777217), (6, 0.1, 0.1, 1234.5678, 1.1, 0.3)
    INSERT INTO reals VALUES (7, 1.17549421e-38, 2.2250738585072009e-308, 0.0005, 123456789.123456789, 8388609), (8, NULL, NULL, NULL, NULL, NULL)
    INSERT INTO bits VALUES (1, 0, 0, 0, 0), (2, 1, 255, 8191, 18446744073709551615), (3, 1, 9, 2313, 0x0909090909090909), (4, 0, 10, 2570, 0x0A0A0A0A0A0A0A0A)
    INSERT INTO bits VALUES (5, 0, 92, 92, 0x5C5C5C5C5C5C5C5C), (6, 0, 78, 0x4E, 0x5C4E), (7, NULL, NULL, NULL, 0x4E), (8, 1, 13, 0x0D0A, 0x1A00), (9, 0, 32, 0x2020, 0x2000000000000000)
    INSERT INTO years VALUES (1, 0), (2, 1901), (3, 2000), (4, 2155), (5, NULL), (6, 1970), (7, 2069)
    INSERT INTO times VALUES (1, '0000-00-00', '00:00:00', '-00:00:00.001', '-838:59:59', '0000-00-00', '0000-00-00 00:00:00', '0000-00-00', '0000-00-00')
    INSERT INTO times VALUES (2, '2020-00-00', '-838:59:59', '838:59:58.999', '838:59:58.999999', '2020-05-00 01:02:03', '2020-00-00 23:59:59.999999', '1970-01-01 00:00:01', '1970-01-01 00:00:01.000001')
    INSERT INTO times VALUES (3, '2021-02-30', '838:59:59', '00:00:00.5', '-00:00:00.000001', '2021-02-31 00:00:00', '0000-01-01 00:00:00.000001', '2038-01-19 03:14:07', '2038-01-19 03:14:07.999999')
    INSERT INTO times VALUES (4, '9999-12-31', '24:00:00', '-12:34:56.789', '100:00:00.1', '9999-12-31 23:59:59', '9999-12-31 23:59:59.999999', '2021-03-28 01:30:00', '2021-10-31 00:30:00.5')
    INSERT INTO times VALUES (5, '0001-01-01', '-00:00:01', '00:00:00', '00:00:00', '1000-01-01', '0000-00-01 00:00:00.5', '2021-03-28 02:30:00', '2021-10-31 01:30:00.5'), (6, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL)
    INSERT INTO times VALUES (7, '0000-01-01', '00:00:01', '00:00:01', '00:00:01', '0000-00-00 01:02:03', '0000-00-00 00:00:00.000001', NULL, NULL)
    INSERT INTO enums VALUES (1, 1, 1, 1), (2, 2, 2, 2), (3, 3, 4, 1), (4, 4, 8, 2), (5, NULL, NULL, 1), (6, 1, 0, 1), (7, 3, 15, 2)
    INSERT INTO no_member VALUES (1, 1), (2, 2)
    INSERT INTO no_member VALUES (3, 'none')
    INSERT INTO no_bytes VALUES (1, X'0D0A095C00000000'), (2, NULL)
    INSERT INTO bytes VALUES ('', 'a', '', '', '', ''), ('a ', 'a ', 'a ', 'a ', 'a ', ''), (X'6100', X'6100', X'6100', X'6100', X'6100', NULL), (X'00', X'00', X'00', X'00', X'00', '')
    INSERT INTO bytes VALUES (X'5C', X'5C5C5C5C', X'5C4E', X'5C', X'5C0A', ''), (X'0A', X'0A0A0A0A', X'090A5C', X'0A09', X'0D0A', ''), (X'5C5C4E', 'N', 'NULL', X'5C4E', 'N', ''), ('N', NULL, NULL, NULL, NULL, NULL)
    INSERT INTO bytes VALUES ('x', 'xxxx', X'20', X'2020', X'00000000', ''), ('"', '"', '"a"', '"\t"', '\'\'', ''), ('0', '\0', '\\0', '\\t', '\\n', '')
    INSERT INTO large_values VALUES (1, REPEAT(X'09', 1048577))
    INSERT INTO large_values VALUES (2, REPEAT(X'00', 1048577))
    INSERT INTO large_loaded VALUES (1, REPEAT(X'090A5C4E', 262144), REPEAT('tab\t', 262144)), (2, REPEAT(X'00', 1048576), '')
    INSERT INTO one_column VALUES ('')
    INSERT INTO one_column VALUES ('NULL'), ('N'), ('\\N'), ('\\'), ('\n'), ('\t'), (' a'), ('a')
    INSERT INTO nulls VALUES (1, NULL, NULL, NULL, 'NULL', NULL), (2, 'NULL', 'NULL', 0, '', 'NULL'), (3, '\\N', '\\N', 1, '\\N', '\\N'), (4, 'N', 'N', 2, 'N', 'N'), (5, '', '', 3, '', '')
    INSERT INTO nulls VALUES (6, '\n\n', '\t\t', 4, '\\', ' a'), (7, '  x  ', 'x  ', 5, '   ', 'a'), (8, '\\\\N', '\\n', 6, '"NULL"', '\'')
    INSERT INTO shapes VALUES (1, ST_GeomFromText('POINT(1 2)'), ST_GeomFromText('POINT(10 20)', 4326), ST_GeomFromText('GEOMETRYCOLLECTION EMPTY')), (2, NULL, ST_GeomFromText('POINT(-10.5 -0.1)', 4326), NULL)
    INSERT INTO shapes VALUES (3, ST_GeomFromText('POLYGON((0 0, 0 1, 1 1, 1 0, 0 0))', 4326), ST_GeomFromText('POINT(9 10)', 4326), ST_GeomFromText('GEOMETRYCOLLECTION(POINT(1 1), LINESTRING(0 0, 9 10))'))
    INSERT INTO shapes VALUES (4, ST_GeomFromText('MULTIPOLYGON(((0 0, 0 1, 1 1, 1 0, 0 0)))'), ST_GeomFromText('POINT(92e-1 1e-300)', 4326), NULL)
    INSERT INTO vectors VALUES (1, STRING_TO_VECTOR('[1,2,3]')), (2, X'0000008001000000FFFF7F7F'), (3, NULL), (4, STRING_TO_VECTOR('[9]')), (5, X'0A090A095C4E0A00'), (6, X'5C5C5C4E09090909')
    INSERT INTO documents VALUES (1, JSON_OBJECT(_utf8mb4'a', 1.5, _utf8mb4'b', CAST('2020-01-01' AS DATE), _utf8mb4'c', CAST(1 AS UNSIGNED)))
    INSERT INTO plain_documents VALUES (1, _utf8mb4'{"a": [1, -1, null, true, false, 1.0, -0.0, 1e300, 5e-324, 0.1, 18446744073709551615, -9223372036854775808, {}, []]}', NULL, 2)
    INSERT INTO plain_documents VALUES (2, _utf8mb4'null', _utf8mb4'"null"', 1), (3, _utf8mb4'"NULL"', _utf8mb4'"\\\\N"', NULL), (4, _utf8mb4'7', _utf8mb4'[]', 2), (5, _utf8mb4'""', _utf8mb4'{}', 2)
    INSERT INTO plain_documents VALUES (6, _utf8mb4'{"tab\\tkey": "a\\tb\\nc\\\\d\\u0000\\u001a😀größe\\"", "": "\\r\\b"}', _utf8mb4'[[[[[{"a": {"b": {"c": [1]}}}]]]]]', 1)
    INSERT INTO plain_documents SELECT 7, JSON_OBJECT(_utf8mb4'k', REPEAT(_utf8mb4'x\ty\n', 20000), _utf8mb4'a', JSON_ARRAY(1, 2, _utf8mb4'z')), JSON_ARRAY(REPEAT(_utf8mb4'a', 70000), 1), 1
    INSERT INTO computed (id, a, d) VALUES (1, 10, 3), (2, NULL, NULL)
    INSERT INTO computed (id, a, d, e, f, g) VALUES (3, 10, 3, NULL, '', NULL), (4, 10, 3, 9, '\t', '2020-01-01')
    SET SESSION binlog_row_image = MINIMAL
    INSERT INTO defaults (id) VALUES (1), (2)
    INSERT INTO defaults (id, a, h) VALUES (3, NULL, 1)
    INSERT INTO computed (id, a) VALUES (5, 1)
    INSERT INTO computed (id, d) VALUES (6, 1)
    SET SESSION binlog_row_image = FULL
    INSERT INTO `odd ``names\\` VALUES (1, 2, 'a\tb', 3), (2, NULL, NULL, 0)
"#;

/// Every byte alone, behind a backslash, before an N.
fn each_byte(rows: &mut Vec<String>) {
    let values: Vec<String> = (0..=255)
        .map(|b| {
            format!(
                "(X'FF{b:02X}', X'{b:02X}', X'5C{b:02X}', X'{b:02X}4E', X'{b:02X}{b:02X}0A{b:02X}', NULL)"
            )
        })
        .collect();
    rows.push(format!("INSERT INTO bytes VALUES {}", values.join(",")));
}

/// A SET whose masks are larger than what a DOUBLE holds exactly.
fn overflowing_set(tables: &mut String, rows: &mut Vec<String>) {
    let members: Vec<String> = (0..64).map(|n| format!("'m{n}'")).collect();
    let _ = write!(
        tables,
        "CREATE TABLE sets (id INT PRIMARY KEY, s SET({}) NOT NULL);",
        members.join(",")
    );
    let values: Vec<String> = [
        0,
        1,
        (1 << 53) + 1,
        (1 << 62) + 1,
        1 << 63,
        (1 << 63) + 1,
        u64::MAX - 1,
        u64::MAX,
    ]
    .iter()
    .enumerate()
    .map(|(id, mask)| format!("({id}, {mask})"))
    .collect();
    rows.push(format!("INSERT INTO sets VALUES {}", values.join(",")));
}

/// A table for each character set of the server, with all strings of it that look like what the file is cut at.
fn character_sets(server: &Server, tables: &mut String, rows: &mut Vec<String>) {
    let names = server
        .query("SELECT CHARACTER_SET_NAME, MAXLEN FROM information_schema.CHARACTER_SETS WHERE CHARACTER_SET_NAME <> 'binary'")
        .expect("character sets");
    assert!(names.len() > 35, "{names:?}");
    for row in names {
        let name = row[0].clone().unwrap_or_default();
        let _ = write!(
            tables,
            "CREATE TABLE `in {name}` (id INT PRIMARY KEY, c CHAR(20), v VARCHAR(60), t TEXT, e ENUM('a','b')) CHARACTER SET {name};"
        );
        let wide = matches!(name.as_str(), "ucs2" | "utf16" | "utf16le" | "utf32");
        let texts = [
            "",
            " ",
            "a  ",
            "  a",
            "NULL",
            "N",
            r"\\N",
            r"\\",
            r"a\tb\nc\\d",
            r"\t",
            r"\n",
            "''",
            "\"",
            r"\0",
            r"\Z",
            r"\r\n",
        ];
        let mut values: Vec<String> = texts
            .iter()
            .map(|text| format!("CONVERT(_utf8mb4'{text}' USING {name})"))
            .collect();
        // Characters of several bytes of which one is a backslash, a tab, a newline, an N; single surrogates.
        let raw: &[&str] = match name.as_str() {
            "gbk" => &["955C", "955C955C", "815C4E"],
            "gb18030" => &["955C", "8130815C", "815C"],
            "big5" => &["A45C", "A45CA45C", "A54E"],
            "sjis" | "cp932" => &["815C", "835C", "955C5C"],
            "ucs2" => &["D800", "0A0A", "0909", "5C5C", "005C004E", "4E0A"],
            "utf16" => &["0A0A", "0909", "5C5C", "D83DDE00", "4E0A"],
            "utf16le" => &["0A0A", "0909", "5C5C", "0A4E"],
            "utf32" => &["00000A0A", "00005C0A", "00010A09"],
            "utf8mb4" => &["F09F9880", "E29C89"],
            "utf8mb3" => &["E29C89", "EFBFBF"],
            "ujis" | "eucjpms" => &["A4A2", "8EB1", "8FB0A1"],
            "euckr" | "gb2312" => &["B0A1", "B0A14E"],
            _ => &[],
        };
        values.extend(raw.iter().map(|hex| format!("_binary X'{hex}'")));
        if !wide && row[1].as_deref() == Some("1") && name != "ascii" {
            // All of a character set of one byte.
            for first in (0..=255).step_by(16) {
                let hex: String = (first..first + 16).map(|b| format!("{b:02X}")).collect();
                values.push(format!("_binary X'{hex}'"));
            }
        }
        let list: Vec<String> = values
            .iter()
            .enumerate()
            .map(|(id, value)| format!("({id}, {value}, {value}, {value}, {})", 1 + id % 2))
            .collect();
        rows.push(format!("INSERT INTO `in {name}` VALUES {}", list.join(",")));
    }
}
