//! A data folder that is initialised once and then copied: a copy takes a fraction of the 3 to 5 seconds.

use std::{
    fs::{self, File},
    hash::{DefaultHasher, Hash as _, Hasher as _},
    path::{Path, PathBuf},
    process::Stdio,
};

use crate::{Distribution, Error, Flavor, ROOT_PASSWORD, Result, cache, process};

/// Raise it when templates are made differently.
const FORMAT: u32 = 2;

/// Settings that the data folder is made for: a server started with another value would refuse it.
const FIXED_AT_INITIALISATION: [&str; 4] = [
    "lower_case_table_names",
    "innodb_page_size",
    "innodb_data_file_path",
    "innodb_undo_tablespaces",
];

/// Copies a fresh data folder into `data`. `options` are the caller's own `name=value` settings.
pub(crate) fn copy_into(
    distribution: &Distribution,
    options: &[String],
    data: &Path,
) -> Result<()> {
    let own: Vec<_> = options
        .iter()
        .filter(|option| is_fixed(option))
        .cloned()
        .collect();
    let mut hasher = DefaultHasher::new();
    (FORMAT, distribution.identity(), &own).hash(&mut hasher);
    let name = format!("{}-{:016x}", distribution.flavor(), hasher.finish());
    let template = cache::root()?.join("templates").join(name);
    let waiting = || ();
    cache::fill(&template, waiting, |folder| -> Result<String> {
        initialise(distribution, &own, folder)?;
        Ok(distribution.identity().to_owned())
    })?;
    copy(&template.join("data"), data)
}

fn is_fixed(option: &str) -> bool {
    let name = option.split('=').next().unwrap_or_default().trim();
    FIXED_AT_INITIALISATION.contains(&name.replace('-', "_").as_str())
}

fn initialise(distribution: &Distribution, own: &[String], folder: &Path) -> Result<()> {
    let data = folder.join("data");
    let tmp = folder.join("tmp");
    if distribution.flavor() != Flavor::Mysql97 {
        cache::create_dir(&data.join("mysql"))?;
    }
    cache::create_dir(&tmp)?;
    let mut settings = distribution.settings();
    settings.push(format!("datadir={}", data.display()));
    settings.push(format!("tmpdir={}", tmp.display()));
    settings.extend(log_size(distribution.flavor()).map(str::to_owned));
    if distribution.flavor() == Flavor::Mysql97 {
        // Half of a template would be an empty log otherwise. A server that is started with the usual 100 MB enlarges it as it needs it.
        settings.push("innodb_redo_log_capacity=16M".to_owned());
    }
    settings.extend(own.iter().cloned());
    let defaults = folder.join("my.cnf");
    write(&defaults, &format!("[mysqld]\n{}\n", settings.join("\n")))?;

    let mut command = distribution.server_command();
    command.arg(format!("--defaults-file={}", defaults.display()));
    command.args(run_as_root());
    let script = folder.join("init.sql");
    let stdin = if distribution.flavor() == Flavor::Mysql97 {
        write(&script, &mysql_accounts())?;
        command.args([
            "--initialize-insecure",
            &format!("--init-file={}", script.display()),
        ]);
        Stdio::null()
    } else {
        let text = if distribution.flavor().is_mariadb() {
            mariadb_bootstrap(distribution)?
        } else {
            mysql56_bootstrap(distribution)?
        };
        write(&script, &text)?;
        command.arg("--bootstrap");
        if !distribution.flavor().is_mariadb() {
            command.arg("--skip-ssl");
        }
        Stdio::from(File::open(&script).map_err(Error::io("open", &script))?)
    };
    let hint = "the server's own messages are above; the cache folder's disk may be full";
    process::run_with_input(&mut command, stdin, hint, || ())?;
    for path in [defaults, script] {
        fs::remove_file(&path).map_err(Error::io("remove", path))?;
    }
    cache::remove_dir(&tmp)
}

/// mysqld refuses to run as root unless it is told so.
pub(crate) fn run_as_root() -> Option<&'static str> {
    // SAFETY: geteuid has no preconditions and cannot fail.
    (unsafe { libc::geteuid() } == 0).then_some("--user=root")
}

/// A small redo log, so that a template is quick to copy. A server that is started with another size resizes it.
pub(crate) fn log_size(flavor: Flavor) -> Option<&'static str> {
    match flavor {
        // It grows while the server runs.
        Flavor::Mysql97 => None,
        Flavor::Mysql56 => Some("innodb_log_file_size=16M"),
        Flavor::Mariadb1011 | Flavor::Mariadb118 => Some("innodb_log_file_size=32M"),
    }
}

fn mysql_accounts() -> String {
    format!(
        "ALTER USER root@localhost IDENTIFIED BY '{ROOT_PASSWORD}';\n\
         CREATE USER root@'127.0.0.1' IDENTIFIED BY '{ROOT_PASSWORD}';\n\
         GRANT ALL PRIVILEGES ON *.* TO root@'127.0.0.1' WITH GRANT OPTION;\n"
    )
}

fn mysql56_bootstrap(distribution: &Distribution) -> Result<String> {
    let mut text = "USE mysql;\n".to_owned();
    for name in ["mysql_system_tables.sql", "mysql_system_tables_data.sql"] {
        text += &distribution.script(&[name])?;
    }
    text += &format!(
        "DELETE FROM mysql.user WHERE User <> 'root' OR Host NOT IN ('localhost', '127.0.0.1');\n\
         UPDATE mysql.user SET Password = PASSWORD('{ROOT_PASSWORD}');\n"
    );
    Ok(text)
}

fn mariadb_bootstrap(distribution: &Distribution) -> Result<String> {
    let mut text = "USE mysql;\nSET @auth_root_socket = NULL;\n".to_owned();
    for name in [
        "system_tables.sql",
        "performance_tables.sql",
        "system_tables_data.sql",
    ] {
        text += &distribution.script(&[&format!("mariadb_{name}"), &format!("mysql_{name}")])?;
        text.push('\n');
    }
    text += &format!(
        "DELETE FROM mysql.global_priv WHERE User <> 'root' AND User <> 'mariadb.sys' \
         OR Host NOT IN ('localhost', '127.0.0.1');\n\
         UPDATE mysql.global_priv SET Priv = JSON_SET(Priv, '$.plugin', 'mysql_native_password', \
         '$.authentication_string', PASSWORD('{ROOT_PASSWORD}')) WHERE User = 'root';\n"
    );
    Ok(text)
}

fn write(path: &PathBuf, text: &str) -> Result<()> {
    fs::write(path, text).map_err(Error::io("write", path))
}

/// Copies a folder. `auto.cnf` stays behind, so that the copy gets a server_uuid of its own.
fn copy(from: &Path, to: &Path) -> Result<()> {
    cache::create_dir(to)?;
    for entry in fs::read_dir(from).map_err(Error::io("read the folder", from))? {
        let entry = entry.map_err(Error::io("read the folder", from))?;
        let target = to.join(entry.file_name());
        let kind = entry
            .file_type()
            .map_err(Error::io("read the type of", entry.path()))?;
        if kind.is_dir() {
            copy(&entry.path(), &target)?;
        } else if kind.is_file() && entry.file_name() != "auto.cnf" {
            fs::copy(entry.path(), &target).map_err(Error::io("copy", entry.path()))?;
        }
    }
    Ok(())
}
