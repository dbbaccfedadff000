//! A server's files on disk, and how its programs are run from there.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use crate::{Error, Flavor, Result, cache, fetch, keyring, process};

/// The files of one server: fetched into the cache, or named by `DATAIN_MYSQLD`.
#[derive(Debug, Clone)]
pub struct Distribution {
    flavor: Flavor,
    mysqld: Program,
    client: Option<Program>,
    /// `share/…` with the messages, character sets and bootstrap scripts; none for the user's own server.
    share: Option<PathBuf>,
    base: Option<PathBuf>,
    plugins: Option<PathBuf>,
    identity: String,
}

/// A program that may need the libraries, and even the loader, that came with it.
#[derive(Debug, Clone)]
pub(crate) struct Program {
    path: PathBuf,
    loader: Option<PathBuf>,
    libraries: Vec<PathBuf>,
}

impl Program {
    /// `path` in an unpacked Debian, to be run through the loader and the libraries that were unpacked with it.
    pub(crate) fn unpacked(root: &Path, path: &str) -> Result<Self> {
        let libraries = library_folders(root);
        let loader = libraries
            .iter()
            .find_map(|folder| find(folder, |name| name.starts_with("ld-linux")));
        let loader = loader.ok_or_else(|| {
            let what = format!("there is no dynamic loader in {}", root.display());
            Error::unusable(
                what,
                format!("delete {} and fetch it again", root.display()),
            )
        })?;
        Ok(Self {
            path: root.join(path),
            loader: Some(loader),
            libraries,
        })
    }

    pub(crate) fn command(&self) -> Command {
        let libraries = self
            .libraries
            .iter()
            .map(|path| path.to_string_lossy())
            .collect::<Vec<_>>()
            .join(":");
        match &self.loader {
            Some(loader) => {
                let mut command = Command::new(loader);
                command.arg("--library-path").arg(libraries).arg(&self.path);
                command
            }
            None => {
                let mut command = Command::new(&self.path);
                if !libraries.is_empty() {
                    command.env("LD_LIBRARY_PATH", libraries);
                }
                command
            }
        }
    }
}

impl Distribution {
    /// Finds the programs in an unpacked folder.
    pub(crate) fn unpacked(flavor: Flavor, root: &Path) -> Result<Self> {
        let identity = cache::complete(root).unwrap_or_default();
        if flavor == Flavor::Mysql56 {
            let base = root.join("package/server");
            let mysqld = Program {
                path: base.join("mysqld"),
                loader: None,
                libraries: vec![base.clone()],
            };
            let share = Some(base.join("share"));
            return Ok(Self {
                flavor,
                mysqld,
                client: None,
                share,
                base: Some(base),
                plugins: None,
                identity,
            });
        }
        let (mysqld, client) = if flavor.is_mariadb() {
            ("usr/sbin/mariadbd", "usr/bin/mariadb")
        } else {
            ("usr/sbin/mysqld", "usr/bin/mysql")
        };
        let share = ["usr/share/mysql", "usr/share/mariadb"].map(|path| root.join(path));
        Ok(Self {
            flavor,
            mysqld: Program::unpacked(root, mysqld)?,
            client: Some(Program::unpacked(root, client)?),
            share: share
                .into_iter()
                .find(|path| path.join("charsets").exists()),
            base: Some(root.join("usr")),
            plugins: Some(root.join("usr/lib/mysql/plugin")),
            identity,
        })
    }

    /// The user's own server. Its client is looked for beside it, and then on PATH.
    pub(crate) fn own(path: &Path) -> Result<Self> {
        let path = path
            .canonicalize()
            .map_err(Error::io("find the server named by DATAIN_MYSQLD,", path))?;
        let plain = |path| Program {
            path,
            loader: None,
            libraries: Vec::new(),
        };
        let beside = path
            .parent()
            .map(|folder| [folder.join("mysql"), folder.join("../bin/mysql")]);
        let client = beside
            .into_iter()
            .flatten()
            .find(|client| client.exists())
            .unwrap_or_else(|| PathBuf::from("mysql"));
        let changed = fs::metadata(&path).and_then(|metadata| metadata.modified());
        let identity = format!("{} {changed:?}", path.display());
        let (mysqld, client) = (plain(path), Some(plain(client)));
        Ok(Self {
            flavor: Flavor::Mysql97,
            mysqld,
            client,
            share: None,
            base: None,
            plugins: None,
            identity,
        })
    }

    /// The same with a keyring, whose files are made in `folder`.
    pub(crate) fn with_keyring(mut self, folder: &Path) -> Result<Self> {
        let Some(plugins) = &self.plugins else {
            return Err(Error::unusable(
                format!("{} has no folder of plugins that is known", self.identity),
                "a server with a keyring needs a fetched MySQL 9.7",
            ));
        };
        let made = keyring::make(&self.mysqld.path, plugins, folder)?;
        self.mysqld.path = made.program;
        self.plugins = Some(made.plugins);
        Ok(self)
    }

    /// Which server it is.
    #[must_use]
    pub fn flavor(&self) -> Flavor {
        self.flavor
    }

    /// What was fetched, for people: version and package. For the user's own server its path.
    #[must_use]
    pub fn identity(&self) -> &str {
        &self.identity
    }

    /// Runs the server for its version, which also proves that it can run here.
    pub(crate) fn check_version(&self) -> Result<String> {
        let hint = "the distribution cannot run on this machine; `cargo xtask servers list` shows the others";
        let printed = process::run(
            self.server_command().args(["--no-defaults", "--version"]),
            hint,
            || (),
        )?;
        let version = printed
            .split_once("Ver ")
            .and_then(|(_, rest)| rest.split_whitespace().next())
            .unwrap_or("");
        if version.starts_with(self.flavor.version_prefix()) {
            return Ok(version.to_owned());
        }
        let what = format!(
            "{} was fetched as {}, but says that it is {version:?}",
            self.mysqld.path.display(),
            self.flavor
        );
        Err(Error::unusable(
            what,
            "the mirror has moved on to another version line",
        ))
    }

    /// The server program. The caller adds `--defaults-file` first.
    #[must_use]
    pub fn server_command(&self) -> Command {
        self.mysqld.command()
    }

    /// The distribution's own command-line client. MySQL 5.6's package has none: MariaDB 10.11's serves for it.
    ///
    /// # Errors
    /// When that other distribution has not been fetched.
    pub fn client_command(&self) -> Result<Command> {
        if let Some(client) = &self.client {
            return Ok(client.command());
        }
        match fetch::fetched(Flavor::Mariadb1011)? {
            Some(Self {
                client: Some(client),
                ..
            }) => Ok(client.command()),
            _ => Err(Error::unusable(
                format!(
                    "{} comes without a client, and MariaDB 10.11's, which serves for it, is not there",
                    self.flavor
                ),
                "run `cargo xtask servers fetch mariadb-10.11`",
            )),
        }
    }

    /// The distribution's `mysqlbinlog`, which lies beside its client.
    ///
    /// # Errors
    /// When the distribution has none.
    pub fn mysqlbinlog_command(&self) -> Result<Command> {
        self.beside_client("mysqlbinlog")
    }

    /// The distribution's `mysqldump`, which lies beside its client.
    ///
    /// # Errors
    /// When the distribution has none.
    pub fn mysqldump_command(&self) -> Result<Command> {
        self.beside_client("mysqldump")
    }

    fn beside_client(&self, name: &str) -> Result<Command> {
        let Some(client) = &self.client else {
            return Err(Error::unusable(
                format!("{} comes without {name}", self.flavor),
                "take another server",
            ));
        };
        let program = Program {
            path: client.path.with_file_name(name),
            ..client.clone()
        };
        Ok(program.command())
    }

    /// The settings that tell the server where its own files are.
    pub(crate) fn settings(&self) -> Vec<String> {
        let mut settings = Vec::new();
        let mut set = |name: &str, path: Option<PathBuf>| {
            if let Some(path) = path {
                settings.push(format!("{name}={}", path.display()));
            }
        };
        set("basedir", self.base.clone());
        set("lc_messages_dir", self.share.clone());
        set(
            "character_sets_dir",
            self.share.as_ref().map(|share| share.join("charsets")),
        );
        set("plugin_dir", self.plugins.clone());
        settings
    }

    /// One of the bootstrap scripts, under either of the names that it has had.
    pub(crate) fn script(&self, names: &[&str]) -> Result<String> {
        let share = self.share.as_deref().unwrap_or(Path::new(""));
        let path = names
            .iter()
            .map(|name| share.join(name))
            .find(|path| path.exists());
        let path = path.unwrap_or_else(|| share.join(names.first().copied().unwrap_or_default()));
        let bytes = fs::read(&path).map_err(Error::io("read the bootstrap script", path))?;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }
}

/// `usr/lib/ARCH-linux-gnu` and `lib/ARCH-linux-gnu` of an unpacked Debian.
pub(crate) fn library_folders(root: &Path) -> Vec<PathBuf> {
    ["usr/lib", "lib"]
        .iter()
        .filter_map(|path| find(&root.join(path), |name| name.ends_with("-linux-gnu")))
        .collect()
}

/// Where MariaDB's client library of an unpacked Debian has the ways to log in that it loads from files (caching_sha2_password).
pub(crate) fn mariadb_plugins(root: &Path) -> Option<PathBuf> {
    library_folders(root)
        .into_iter()
        .map(|folder| folder.join("libmariadb3/plugin"))
        .find(|folder| folder.exists())
}

fn find(folder: &Path, wanted: impl Fn(&str) -> bool) -> Option<PathBuf> {
    let entries = fs::read_dir(folder).ok()?;
    entries
        .flatten()
        .find(|entry| wanted(&entry.file_name().to_string_lossy()))
        .map(|entry| entry.path())
}
