//! Debian packages, downloaded with the machine's own apt and unpacked into a folder, installed nowhere.
//!
//! apt is given a state of its own (`Dir::State`, `Dir::Cache`, an empty dpkg status), so that it works for every user and
//! leaves the system's lists, cache and packages alone. Where packages come from is the machine's own configuration: the
//! repositories are taken from `apt-get indextargets`, and proxies and certificates from the usual apt.conf files.

use std::{
    env,
    ffi::OsStr,
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use crate::{Error, Progress, Result, cache, process, progress::size};

const HINT: &str = "the machine's apt must reach a Debian mirror: check /etc/apt/sources.list.d and the network, then \
                    try again (what was downloaded is kept)";

/// Which part of the archive packages are taken from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Suite {
    /// A suite of the machine's main mirror, for example `sid`, whatever the machine itself runs.
    Named(&'static str),
    /// What the machine itself runs, with its updates and security updates.
    Machine,
}

/// A private apt. Its folder is kept until [`Apt::discard`], so that an interrupted download goes on where it was.
#[derive(Debug)]
pub struct Apt {
    folder: PathBuf,
}

impl Apt {
    /// Prepares the private state `name` in the cache folder, and reads the suite's package lists.
    ///
    /// # Errors
    /// When this is no Debian, or the mirror does not answer.
    pub fn open(name: &str, suite: Suite, progress: &dyn Progress) -> Result<Self> {
        let apt = Self {
            folder: cache::root()?.join("apt").join(name),
        };
        for folder in ["state/lists/partial", "cache/archives/partial", "empty"] {
            cache::create_dir(&apt.folder.join(folder))?;
        }
        apt.write("status", "")?;
        apt.write("sources.list", &sources(suite)?)?;
        let dir = apt.folder.display();
        apt.write(
            "apt.conf",
            &format!(
                "// Hooks are for the system's own state.\n\
                 #clear APT::Update::Post-Invoke;\n#clear APT::Update::Post-Invoke-Success;\n\
                 Dir::State \"{dir}/state\";\nDir::State::status \"{dir}/status\";\n\
                 Dir::Cache \"{dir}/cache\";\nDir::Cache::archives \"archives\";\n\
                 Dir::Etc::sourcelist \"{dir}/sources.list\";\nDir::Etc::sourceparts \"{dir}/empty\";\n\
                 Dir::Etc::preferences \"{dir}/empty/none\";\nDir::Etc::preferencesparts \"{dir}/empty\";\n\
                 APT::Sandbox::User \"root\";\nAPT::Install-Recommends \"false\";\n\
                 Acquire::Languages \"none\";\nAcquire::Retries \"2\";\nAcquire::http::Timeout \"30\";\n"
            ),
        )?;
        progress.begin("reading the Debian package lists", None);
        process::run(apt.get().args(["update", "--error-on=any"]), HINT, || ())?;
        progress.finish("read the Debian package lists");
        Ok(apt)
    }

    /// The packages that `package` depends on directly.
    ///
    /// # Errors
    /// When there is no such package.
    pub fn depends(&self, package: &str) -> Result<Vec<String>> {
        let mut command = self.command("apt-cache");
        let text = process::run(
            command.args(["depends", "--important", package]),
            HINT,
            || (),
        )?;
        Ok(text
            .lines()
            .filter_map(|line| line.trim().strip_prefix("Depends: "))
            .map(str::to_owned)
            .collect())
    }

    /// Downloads packages with all that they depend on.
    ///
    /// # Errors
    /// When one does not exist or cannot be downloaded.
    pub fn download_closure(
        &self,
        packages: &[&str],
        progress: &dyn Progress,
    ) -> Result<Vec<PathBuf>> {
        let arguments = ["install", "--yes", "--download-only", "--quiet=2"];
        self.download(&arguments, packages, progress)
    }

    /// Downloads packages alone.
    ///
    /// # Errors
    /// When one does not exist or cannot be downloaded.
    pub fn download_only<S: AsRef<OsStr>>(
        &self,
        packages: &[S],
        progress: &dyn Progress,
    ) -> Result<Vec<PathBuf>> {
        self.download(&["download", "--quiet=2"], packages, progress)
    }

    fn download<S: AsRef<OsStr>>(
        &self,
        arguments: &[&str],
        packages: &[S],
        progress: &dyn Progress,
    ) -> Result<Vec<PathBuf>> {
        let archives = self.folder.join("cache/archives");
        // "install" leaves out of this list what is there already, so it is asked from an empty cache's view.
        let none = self.folder.join("empty");
        let mut command = self.get();
        command
            .arg(format!("-oDir::Cache::archives={}", none.display()))
            .args(arguments)
            .arg("--print-uris");
        let listed = process::run(command.args(packages).current_dir(&none), HINT, || ())?;
        let files: Vec<_> = listed.lines().filter_map(listed_file).collect();
        let total: u64 = files.iter().map(|(_, bytes)| bytes).sum();
        let missing: Vec<_> = files
            .iter()
            .filter(|(name, bytes)| file_size(&archives.join(name)) != Some(*bytes))
            .collect();
        if !missing.is_empty() {
            progress.begin(
                &format!("downloading {} Debian packages", files.len()),
                Some(total),
            );
            let mut command = self.get();
            command
                .args(arguments)
                .args(packages)
                .current_dir(&archives);
            process::run(&mut command, HINT, || {
                let here = files
                    .iter()
                    .filter_map(|(name, _)| file_size(&archives.join(name)));
                let coming = files
                    .iter()
                    .filter_map(|(name, _)| file_size(&archives.join("partial").join(name)));
                progress.advance(here.sum::<u64>() + coming.sum::<u64>());
            })?;
            progress.finish(&format!(
                "downloaded {} Debian packages, {}",
                files.len(),
                size(total)
            ));
        }
        Ok(files
            .iter()
            .map(|(name, _)| archives.join(saved_name(&archives, name)))
            .collect())
    }

    /// Unpacks downloaded packages into `into`, without running their scripts.
    ///
    /// # Errors
    /// When one is damaged or the disk is full.
    pub fn unpack(&self, packages: &[PathBuf], into: &Path, progress: &dyn Progress) -> Result<()> {
        let total = packages.iter().filter_map(|path| file_size(path)).sum();
        progress.begin("unpacking", Some(total));
        let mut done = 0;
        for package in packages {
            let hint = "delete the cache folder and try again; the disk may be full";
            process::run(
                Command::new("dpkg-deb")
                    .arg("--extract")
                    .arg(package)
                    .arg(into),
                hint,
                || (),
            )?;
            done += file_size(package).unwrap_or(0);
            progress.advance(done);
        }
        progress.finish(&format!("unpacked {} packages", packages.len()));
        Ok(())
    }

    /// Removes the private state and the downloaded packages.
    ///
    /// # Errors
    /// File errors.
    pub fn discard(self) -> Result<()> {
        cache::remove_dir(&self.folder)
    }

    fn write(&self, name: &str, text: &str) -> Result<()> {
        let path = self.folder.join(name);
        fs::write(&path, text).map_err(Error::io("write", path))
    }

    fn command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        command
            .arg("-c")
            .arg(self.folder.join("apt.conf"))
            .env("LC_ALL", "C")
            .env("DEBIAN_FRONTEND", "noninteractive");
        command
    }

    fn get(&self) -> Command {
        self.command("apt-get")
    }
}

/// One line of `--print-uris`: 'address' file-name size digest.
fn listed_file(line: &str) -> Option<(String, u64)> {
    let mut words = line.strip_prefix('\'')?.split_whitespace().skip(1);
    Some((words.next()?.to_owned(), words.next()?.parse().ok()?))
}

/// `apt-get download` may save a file under a name in which a colon of the version is not escaped.
fn saved_name(archives: &Path, name: &str) -> String {
    if archives.join(name).exists() {
        name.to_owned()
    } else {
        name.replace("%3a", ":")
    }
}

fn file_size(path: &Path) -> Option<u64> {
    fs::metadata(path).ok().map(|metadata| metadata.len())
}

/// A sources.list made of the machine's own repositories.
fn sources(suite: Suite) -> Result<String> {
    let hint = "this needs a Debian machine with apt; elsewhere install the server yourself and name it in DATAIN_MYSQLD";
    let release = fs::read_to_string("/etc/os-release").unwrap_or_default();
    let codename = release
        .lines()
        .find_map(|line| line.strip_prefix("VERSION_CODENAME="))
        .unwrap_or("")
        .trim_matches('"');
    let mut command = Command::new("apt-get");
    command.args([
        "indextargets",
        "--format",
        "$(REPO_URI) $(RELEASE) $(COMPONENT)",
        "Created-By: Packages",
    ]);
    let listed = process::run(command.env("LC_ALL", "C"), hint, || ())?;
    let architecture = process::run(
        Command::new("dpkg").arg("--print-architecture"),
        hint,
        || (),
    )?;
    // Debian's own keyring beside the keys that apt trusts anyway: a machine may name it in its sources only.
    let keyring = Path::new("/usr/share/keyrings/debian-archive-keyring.gpg");
    let signed = if keyring.exists() {
        format!(" signed-by={}", keyring.display())
    } else {
        String::new()
    };
    let options = format!("[target=Packages arch={}{signed}]", architecture.trim());

    let mut text = String::new();
    for line in listed.lines() {
        let mut words = line.split_whitespace();
        let (Some(repository), Some(release), Some("main")) =
            (words.next(), words.next(), words.next())
        else {
            continue;
        };
        let entry = match suite {
            Suite::Named(name) if release == codename => {
                format!("deb {options} {repository} {name} main\n")
            }
            Suite::Machine
                if release == codename || release.starts_with(&format!("{codename}-")) =>
            {
                format!("deb {options} {repository} {release} main\n")
            }
            _ => continue,
        };
        if !text.contains(&entry) {
            let _ = write!(text, "{entry}");
        }
    }
    if codename.is_empty() || text.is_empty() {
        return Err(Error::unusable(
            format!(
                "apt knows no repository of this machine's own release ({codename:?}, {})",
                env::consts::ARCH
            ),
            hint,
        ));
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_of_print_uris_gives_name_and_size() {
        let line =
            "'m://x/pool/m/mariadb_11%2b1_amd64.deb' mariadb_1%3a11+1_amd64.deb 3661896 SHA256:19";
        assert_eq!(
            listed_file(line),
            Some(("mariadb_1%3a11+1_amd64.deb".to_owned(), 3_661_896))
        );
        assert_eq!(listed_file("Reading package lists..."), None);
    }
}
