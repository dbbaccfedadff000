#!/bin/sh
# Makes the fixtures anew: MYSQL='mysql -uroot -S …' DATADIR=… sh make.sh
# MYSQL must reach a throwaway MySQL 9.x with log_bin=binlog and gtid_mode=ON: its binary logs and the schema `types` are deleted.
#
# mysql-5.6-rows-v1.binlog was made by hand on MySQL 5.6.24 with binlog_format=ROW and log_bin_use_v1_row_events=1: RESET MASTER, then
# mysql-5.6-insert.sql (what 5.6 knows of types-1-insert.sql), INSERT INTO types.marks VALUES (1), an UPDATE and a DELETE of `ints`, DROP DATABASE.
#
# Each other fixture is the whole binary log of types-1-insert.sql, types-2-update.sql and types-3-ddl.sql under some settings. After the first two a row is inserted into
# types.marks and the server's own text of every table is appended to types.txt: lines of mark, table and values, with
# strings, geometry and vectors as HEX, JSON as HEX of its text (or its CRC-32 where that is long), ENUM, SET and BIT as numbers, FLOAT as the DOUBLE it equals.
set -eu
cd "$(dirname "$0")"
here=$(pwd)

list_sql="SELECT table_name, CONCAT('SELECT ', GROUP_CONCAT(
    CASE WHEN data_type IN ('json') THEN REPLACE('IF(LENGTH(COL) > 10000, CONCAT(''crc32:'', CRC32(COL)), HEX(COL))', 'COL', CONCAT('CAST(\`', column_name, '\` AS CHAR CHARACTER SET utf8mb4)'))
         WHEN data_type IN ('enum', 'set', 'bit') THEN CONCAT('CAST(\`', column_name, '\` AS UNSIGNED)')
         WHEN data_type = 'float' THEN CONCAT('CAST(\`', column_name, '\` AS DOUBLE)')
         WHEN data_type IN ('char', 'varchar', 'binary', 'varbinary', 'tinytext', 'text', 'mediumtext', 'longtext', 'tinyblob', 'blob', 'mediumblob', 'longblob', 'vector',
           'geometry', 'point') THEN CONCAT('HEX(\`', column_name, '\`)')
         ELSE CONCAT('\`', column_name, '\`') END ORDER BY ordinal_position),
  ' FROM types.\`', REPLACE(table_name, '\`', '\`\`'), '\` ORDER BY id')
  FROM information_schema.columns WHERE table_schema = 'types' AND table_name <> 'marks' GROUP BY table_name ORDER BY table_name"

snapshot() { # NAME MARK
    $MYSQL -N -B -r -e "SET NAMES utf8mb4; SET SESSION group_concat_max_len = 100000; $list_sql" | while IFS='	' read -r table select; do
        $MYSQL -N -B -r -e "SET NAMES utf8mb4; SET time_zone = '+00:00'; $select" | while IFS= read -r line; do
            printf '%s\t%s\t%s\n' "$2" "$table" "$line"
        done
    done >> "$here/types.new"
    $MYSQL -e "INSERT INTO types.marks VALUES ($2)"
}

make() { # NAME SETTINGS
    rm -f types.new
    $MYSQL -e "DROP DATABASE IF EXISTS types; SET GLOBAL binlog_row_metadata = MINIMAL, GLOBAL binlog_row_image = FULL, GLOBAL binlog_checksum = CRC32; $2"
    $MYSQL -e "RESET BINARY LOGS AND GTIDS"
    $MYSQL < types-1-insert.sql
    snapshot "$1" 1
    $MYSQL < types-2-update.sql
    snapshot "$1" 2
    $MYSQL < types-3-ddl.sql
    $MYSQL -e "FLUSH BINARY LOGS"
    cp "$DATADIR/binlog.000001" "$1.binlog"
    # The second file begins with the GTIDs of the first, tags included.
    cp "$DATADIR/binlog.000002" "$1-next.binlog"
    $MYSQL -N -r -e "SELECT @@gtid_executed" > "$1-next.gtids.txt"
    chmod u=rw,go=r "$1.binlog" "$1-next.binlog"
    # The settings change how values are logged, never what they are.
    if [ -e types.txt ]; then cmp types.txt types.new && rm types.new; else mv types.new types.txt; fi
}

rm -f types.txt

make minimal-metadata "SET GLOBAL binlog_row_metadata = MINIMAL"
make full-metadata "SET GLOBAL binlog_row_metadata = FULL"
make minimal-image "SET GLOBAL binlog_row_metadata = FULL, GLOBAL binlog_row_image = MINIMAL"
make no-checksum "SET GLOBAL binlog_checksum = NONE"
# Of this one the short second file is enough.
rm no-checksum.binlog
