//! Passwords show up nowhere: both accounts have passwords that are looked for in everything that datain writes, keeps and says.

#![allow(
    clippy::disallowed_methods,
    reason = "tests measure time with std's clocks"
)]

use std::path::Path;
use std::time::Duration;

use datain_tests::host::{Exit, Host, TempDir};
use datain_tests::pipeline_run::{LIMIT, wait_for};
use datain_tests::servers::{cell, run, server};
use datain_throwaway_servers::{ROOT_PASSWORD, Server};

/// Passwords of the source's and the target's account, and one that is wrong. No other text holds them.
const SOURCE: &str = "Marker-Quokka-71-of-source";
const TARGET: &str = "Marker-Quokka-72-of-target";
const WRONG: &str = "Marker-Quokka-73-wrong";
const MARK: &str = "Quokka";

fn account(server: &Server, password: &str) {
    run(
        server,
        &format!(
            "CREATE USER keeper@'%' IDENTIFIED BY '{password}'; GRANT ALL ON *.* TO keeper@'%'"
        ),
    );
}

/// Looks for the passwords, as they are and in the forms that a careless hand would give them.
fn clean(what: &str, text: &str) {
    let forms = [
        MARK.to_owned(),
        // base64 of the letters, at each of the three places that they may have in a group.
        "UXVva2th".to_owned(),
        "F1b2trY".to_owned(),
        "RdW9ra2".to_owned(),
        MARK.bytes().map(|byte| format!("{byte:02x}")).collect(),
        MARK.bytes()
            .map(|byte| byte.to_string())
            .collect::<Vec<_>>()
            .join(", "),
    ];
    for form in forms {
        assert!(!text.contains(&form), "{what} holds {form}:\n{text}");
    }
}

fn clean_exit(what: &str, exit: &Exit) {
    clean(what, &exit.stderr);
    clean(what, &exit.stdout);
}

struct Lab {
    source: Server,
    target: Server,
    folder: TempDir,
}

impl Lab {
    /// A configuration whose passwords stand in it, or, for the source, in a file.
    fn config(&self, name: &str, passwords: [&str; 2], more: &str) -> std::path::PathBuf {
        let extra = "[replicate]\ninclude = [\"d.*\"]\n[start]\nmode = \"now\"\n";
        let path = Host::config(self.folder.path(), name, &self.source, &self.target, extra)
            .expect("a configuration");
        let text = std::fs::read_to_string(&path).expect("the configuration");
        let root = format!("user = \"root\"\npassword = \"{ROOT_PASSWORD}\"\n");
        let text = text
            .replacen(
                &root,
                &format!("user = \"keeper\"\n{}\n{more}", passwords[0]),
                1,
            )
            .replacen(
                &root,
                &format!("user = \"keeper\"\n{}\n{more}", passwords[1]),
                1,
            );
        std::fs::write(&path, text).expect("the configuration");
        path
    }

    fn ask(&self, command: &[&str], config: &Path) -> Exit {
        let mut arguments = command.to_vec();
        arguments.extend([
            "-c",
            config.to_str().expect("a path"),
            "--log-level",
            "trace",
        ]);
        Host::command(&arguments, LIMIT).expect("it ends")
    }
}

#[test]
fn a_password_is_nowhere() {
    let lab = Lab {
        source: server(),
        target: server(),
        folder: TempDir::new().expect("a folder"),
    };
    account(&lab.source, SOURCE);
    account(&lab.target, TARGET);
    run(
        &lab.source,
        "CREATE DATABASE d; CREATE TABLE d.t (id INT PRIMARY KEY); INSERT INTO d.t VALUES (1)",
    );
    let inline = |password: &str| format!("password = \"{password}\"");
    let [of_source, of_target, wrong] = [SOURCE, TARGET, WRONG].map(inline);

    // Over TLS, and encrypted with the server's RSA key; the second time from a file.
    let plain = "tls = \"disabled\"\nget_server_public_key = true\n";
    std::fs::write(lab.folder.path().join("secret.txt"), format!("{SOURCE}\n")).expect("a file");
    let configs = [
        lab.config("inline", [&of_source, &of_target], ""),
        lab.config(
            "file",
            ["password_file = \"secret.txt\"", &of_target],
            plain,
        ),
    ];
    for config in &configs {
        let path = config.to_str().expect("a path");
        let mut host = Host::spawn_command(&[
            "run",
            "-c",
            path,
            "--log-level",
            "trace",
            "--progress",
            "json",
        ])
        .expect("a host");
        wait_for(&mut host, "streaming", |host| {
            host.stdout()
                .contains("\"state\":\"streaming\"")
                .then_some(())
        });
        let arguments = std::fs::read(format!("/proc/{}/cmdline", host.pid())).expect("arguments");
        clean(
            "the process's arguments",
            &String::from_utf8_lossy(&arguments),
        );
        // The socket's answers, and those of the servers, at the highest level too.
        for command in [
            &["status", "--format", "json"][..],
            &["status"],
            &["check", "--format", "json"],
            &["stop"],
            &["start"],
        ] {
            clean_exit(command[0], &lab.ask(command, config));
        }
        // A connection that is lost is made anew, with the password.
        run(&lab.source, "SELECT 1");
        let id = cell(
            &lab.source,
            "SELECT ID FROM information_schema.PROCESSLIST WHERE COMMAND LIKE 'Binlog Dump%' LIMIT 1",
        );
        if !id.is_empty() {
            // It may have ended by itself just now.
            let _ = lab.source.sql(&format!("KILL {id}"));
        }
        std::thread::sleep(Duration::from_millis(500));
        host.terminate();
        let exit = host.wait(LIMIT).expect("it ends");
        assert_eq!(exit.code, 130, "{exit}");
        assert!(
            exit.stderr.contains("TRACE") || exit.stderr.contains("DEBUG"),
            "{exit}"
        );
        clean_exit("run", &exit);
    }

    // Refused at the login, by either server.
    for (name, passwords) in [
        ("bad-source", [&wrong, &of_target]),
        ("bad-target", [&of_source, &wrong]),
    ] {
        let config = lab.config(name, passwords.map(String::as_str), "");
        let exit = lab.ask(&["run"], &config);
        assert_eq!(exit.code, 3, "{exit}");
        assert!(exit.stderr.contains("server.access-denied"), "{exit}");
        clean_exit(name, &exit);
    }

    // Mistakes in the file, right where the password stands.
    for (name, line) in [
        ("unquoted", format!("password = {MARK}")),
        ("unclosed", format!("password = \"{SOURCE}")),
        ("twice", format!("{of_source}\npassword_env = \"X\"")),
        ("in-a-list", format!("password = [\"{SOURCE}\"]")),
    ] {
        let config = lab.config(name, [&line, &of_target], "");
        let exit = lab.ask(&["run"], &config);
        assert_eq!(exit.code, 2, "{exit}");
        clean_exit(name, &exit);
    }
    let number = lab.config("number", ["password = 7717717717", &of_target], "");
    let exit = lab.ask(&["run"], &number);
    assert_eq!(exit.code, 2, "{exit}");
    assert!(exit.stderr.contains("config.wrong-type"), "{exit}");
    assert!(!exit.stderr.contains("7717717717"), "{exit}");

    // What is kept in the target.
    let tables = lab
        .target
        .query("SELECT TABLE_NAME FROM information_schema.TABLES WHERE TABLE_SCHEMA = 'datain'")
        .expect("tables");
    assert!(!tables.is_empty(), "there is something kept");
    for table in tables.into_iter().flatten().flatten() {
        let rows = lab
            .target
            .query(&format!("SELECT * FROM datain.`{table}`"))
            .expect("rows");
        clean(&table, &format!("{rows:?}"));
    }
}
