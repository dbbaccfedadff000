//! Every kind of statement but those of tables.

use datain_sql_statement::{Options, is_transaction_control};

use crate::check;

#[test]
fn transaction_control() {
    check("BEGIN", "Begin");
    check("begin work", "Begin");
    check("START TRANSACTION WITH CONSISTENT SNAPSHOT", "Begin");
    check("BEGIN NOT ATOMIC CREATE USER a; END", "Other");
    check("START REPLICA", "Other");
    check("COMMIT", "Commit");
    check("/* x */ COMMIT AND CHAIN", "Commit");
    check("ROLLBACK", "Rollback");
    check("ROLLBACK WORK TO `a`", "Savepoint(RollbackTo)");
    check(
        "ROLLBACK /*!40000 TO */ SAVEPOINT a",
        "Savepoint(RollbackTo)",
    );
    check("SAVEPOINT `a`", "Savepoint(Set)");
    check("RELEASE SAVEPOINT a", "Savepoint(Release)");
    check("XA START X'7431',X'',1", "Xa(Start) +t1//1");
    check("XA BEGIN 'a''b'", "Xa(Start) +a\\'b//1");
    check("XA END X'7431',X'62',0x2A", "Xa(End) +t1/b/42");
    check("XA PREPARE 0x7431", "Xa(Prepare) +t1//1");
    check(
        "XA COMMIT X'7431',X'',1 ONE PHASE",
        "Xa(Commit { one_phase: true }) +t1//1",
    );
    check(
        "XA COMMIT X'7431',X'',1",
        "Xa(Commit { one_phase: false }) +t1//1",
    );
    check("XA ROLLBACK X'743'", "Xa(Rollback) +incomplete");
    check("XA RECOVER CONVERT XID", "Xa(Recover)");
    for (sql, expected) in [
        ("savepoint a", true),
        ("XA END 'x'", true),
        ("SET @a = 1", false),
        ("INSERT", false),
    ] {
        assert_eq!(
            is_transaction_control(sql.as_bytes(), &Options::default()),
            expected,
            "{sql}"
        );
    }
}

#[test]
fn accounts() {
    for sql in [
        "CREATE USER a@b IDENTIFIED BY 'x'",
        "/* CREATE TABLE t */ CREATE -- TABLE\n # x\n /**/ USER 'a'@'%'",
        "/*!80000 CREATE */ /*!80000 USER */ a",
        "/*!080400CREATE USER*/ a",
        "CREATE/**/USER IF NOT EXISTS a",
        "CREATE OR REPLACE USER a",
        "ALTER USER a ACCOUNT LOCK",
        "DROP USER a",
        "RENAME USER a TO b",
        "GRANT ALL ON shop.* TO a",
        "REVOKE SELECT ON t FROM a",
        "SET PASSWORD FOR 'a'@'b' = 'x'",
        "SET PASSWORD = PASSWORD('x')",
        "SET @a = f(1, 2), PASSWORD FOR a = 'x'",
        "SET DEFAULT ROLE ALL TO a",
        "SET ROLE NONE",
        "CREATE ROLE r",
        "DROP ROLE IF EXISTS r",
        "SET STATEMENT max_statement_time=1, lock_wait_timeout=(2) FOR CREATE USER a",
    ] {
        check(sql, "Account");
    }
    check("CREATE TABLE user (role INT)", "Table(Create) user");
    check(
        "CREATE TABLE t (c INT) COMMENT 'GRANT ALL'",
        "Table(Create) t",
    );
    check("SET @a = 'x, PASSWORD'", "Set");
    check("SET @a = password", "Set");
}

#[test]
fn schemas() {
    check("CREATE DATABASE `a b`", "Schema(Create) a b.*");
    check(
        "create schema if not exists s DEFAULT CHARACTER SET gbk",
        "Schema(Create) s.*",
    );
    check("DROP SCHEMA IF EXISTS `x``y`", "Schema(Drop) x`y.*");
    check("ALTER DATABASE s READ ONLY = 1", "Schema(Alter) s.*");
    check(
        "ALTER DATABASE DEFAULT CHARACTER SET = utf8mb4",
        "Schema(Alter)",
    );
    check("ALTER SCHEMA ENCRYPTION = 'Y'", "Schema(Alter)");
    check(
        "ALTER SCHEMA encryption ENCRYPTION 'Y'",
        "Schema(Alter) encryption.*",
    );
    check("ALTER SCHEMA CHARSET utf8mb4", "Schema(Alter)");
    check(
        "ALTER SCHEMA charset CHARSET utf8mb4",
        "Schema(Alter) charset.*",
    );
    check("DROP DATABASE", "Schema(Drop) +incomplete");
}

#[test]
fn stored_objects() {
    check(
        "CREATE OR REPLACE ALGORITHM = MERGE DEFINER=`x`@`%` SQL SECURITY INVOKER VIEW `v` AS SELECT 1",
        "View(Create) v",
    );
    check(
        "CREATE DEFINER=root@127.0.0.1 VIEW s.v AS TABLE t",
        "View(Create) s.v",
    );
    check(
        "CREATE /*!50013 DEFINER='a'@'%' SQL SECURITY DEFINER */ /*!50001 VIEW v AS SELECT 1 */",
        "View(Create) v",
    );
    check(
        "CREATE JSON RELATIONAL DUALITY VIEW v AS SELECT 1",
        "View(Create) v",
    );
    check(
        "ALTER DEFINER = CURRENT_USER() VIEW v AS SELECT 1",
        "View(Alter) v",
    );
    check("DROP VIEW IF EXISTS a, s.b", "View(Drop) a s.b");
    check(
        "CREATE DEFINER=CURRENT_USER PROCEDURE s.p() BEGIN DROP TABLE t; END",
        "Routine(Create) s.p",
    );
    check(
        "CREATE DEFINER=role FUNCTION IF NOT EXISTS f() RETURNS INT RETURN 1",
        "Routine(Create) f",
    );
    check(
        "CREATE AGGREGATE FUNCTION IF NOT EXISTS u RETURNS STRING SONAME 'u.so'",
        "LoadableFunction",
    );
    check("ALTER PROCEDURE p COMMENT 'x'", "Routine(Alter) p");
    check("DROP FUNCTION IF EXISTS s.f", "Routine(Drop) s.f");
    check("CREATE PACKAGE BODY p AS END", "Routine(Create) p");
    check(
        "CREATE DEFINER=`a`@`b` TRIGGER s.g BEFORE INSERT ON `s`.`t` FOR EACH ROW SET @a = 1",
        "Trigger(Create) s.g +on s.t",
    );
    check("DROP TRIGGER IF EXISTS g", "Trigger(Drop) g");
    check(
        "CREATE EVENT e ON SCHEDULE EVERY 1 DAY DO DROP TABLE t",
        "Event(Create) e",
    );
    check(
        "ALTER DEFINER=a EVENT e ON SCHEDULE EVERY (1) DAY RENAME TO s.f DO CALL p()",
        "Event(Alter) e s.f",
    );
    check("ALTER EVENT e DO RENAME TABLE a TO b", "Event(Alter) e");
    check("DROP EVENT e", "Event(Drop) e");
    check(
        "CREATE TEMPORARY SEQUENCE s START WITH 1",
        "Sequence(Create) s +temporary",
    );
}

#[test]
fn others() {
    check("OPTIMIZE LOCAL TABLE a, b.c", "Maintenance a b.c");
    check(
        "ANALYZE NO_WRITE_TO_BINLOG TABLES a UPDATE HISTOGRAM ON c",
        "Maintenance a",
    );
    check("ANALYZE FORMAT=JSON SELECT 1", "Dml");
    check("FLUSH PRIVILEGES", "Maintenance");
    check("PURGE BINARY LOGS TO 'x'", "Maintenance");
    for sql in [
        "INSTALL PLUGIN p SONAME 'x'",
        "UNINSTALL COMPONENT 'x'",
        "CREATE SERVER s FOREIGN DATA WRAPPER mysql OPTIONS (USER 'x')",
        "DROP TABLESPACE t",
        "CREATE UNDO TABLESPACE t ADD DATAFILE 'x'",
        "ALTER LOGFILE GROUP g ADD UNDOFILE 'x'",
        "SET RESOURCE GROUP g",
        "ALTER INSTANCE ROTATE INNODB MASTER KEY",
        "CREATE OR REPLACE SPATIAL REFERENCE SYSTEM 1 NAME 'x'",
    ] {
        check(sql, "Server");
    }
    for sql in [
        "insert into t values (1)",
        "REPLACE t SET a=1",
        "LOAD DATA INFILE 'x' INTO TABLE t",
        "CALL p()",
        "WITH a AS (SELECT 1) DELETE FROM t",
        "(SELECT 1)",
        "/*! INSERT */ t VALUES ()",
        "TABLE t",
        "DO SLEEP(1)",
    ] {
        check(sql, "Dml");
    }
    check("SET NAMES utf8mb4", "Set");
    check("SET STATEMENT a=1", "Set +incomplete");
    for sql in [
        "",
        ";",
        "/* only",
        "-- x",
        "'CREATE USER a'",
        "`CREATE` USER a",
        "DROP PREPARE s",
        "CREATE",
        "\0DROP",
    ] {
        check(sql, "Other");
    }
}

/// As MySQL 9.7 wrote them to its binary log.
#[test]
fn as_logged() {
    check("truncate a /* xid=47 */", "Table(Truncate) a");
    check(
        "DROP TABLE `z1`,`z2` /* generated by server */ /* xid=18692 */",
        "Table(Drop) z1 z2",
    );
    check(
        "create table zz /* 999999 (a int) */ (b int) /* xid=18674 */",
        "Table(Create) zz",
    );
    check(
        "CREATE TABLE `ab` (\n  `a` int DEFAULT NULL\n) START TRANSACTION COMMENT='x'",
        "Table(Create) ab +[START TRANSACTION]",
    );
    check(
        "CREATE ALGORITHM=UNDEFINED MATERIALIZED /*(BY ENGINE=UNKNOWN)*/ DEFINER=`root`@`localhost` SQL SECURITY DEFINER \
         VIEW `mm` AS select 1 /* xid=58 */",
        "View(Create) mm",
    );
    check(
        "CREATE LIBRARY `l`\n    LANGUAGE javascript\nAS $$x$$ /* xid=53 */",
        "Routine(Create) l",
    );
    check(
        "CREATE DEFINER=`root`@`localhost` trigger t.g before insert on a for each row set @a=1",
        "Trigger(Create) t.g +on a",
    );
    check(
        "ALTER USER 'root'@'localhost' IDENTIFIED WITH 'caching_sha2_password' AS ''",
        "Account",
    );
    check("XA PREPARE X'71',X'72',1", "Xa(Prepare) +q/r/1");
}
