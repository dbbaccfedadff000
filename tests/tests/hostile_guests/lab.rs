//! Two servers, a good pipeline between them, and configurations of hostile ones.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use datain_tests::host::{Exit, Host, TempDir};
use datain_tests::pipeline_run::{FROM_THE_START, wait_for};
use datain_tests::servers::{cell, run, server};
use datain_tests::usage::Sample;
use datain_throwaway_servers::Server;

/// How long all the hostile plugins of one process may take.
const LIMIT: Duration = Duration::from_secs(180);

/// What a pipeline with hostile plugins is to end with.
pub(crate) struct Hostile {
    pub(crate) name: String,
    /// The accounts' names, which say what the plugins do; none for datain's own plugin.
    pub(crate) source: Option<String>,
    pub(crate) target: Option<String>,
    /// The error's code.
    pub(crate) code: &'static str,
    /// `[limits] memory_mib` and `call_seconds`.
    pub(crate) memory_mib: u32,
    pub(crate) call_seconds: u32,
}

impl Hostile {
    /// Both plugins are the guest; one of them does `what` at the call, the other one is quiet.
    pub(crate) fn new(side: &str, what: &str, call: &str, code: &'static str) -> Self {
        let act = Some(format!("{what}@{call}"));
        let calm = Some("calm".to_owned());
        let (source, target) = match side {
            "source" => (act, calm),
            _ => (calm, act),
        };
        Self {
            name: format!("{side}-{call}-{what}"),
            source,
            target,
            code,
            memory_mib: 64,
            call_seconds: 30,
        }
    }

    /// The same with little time.
    pub(crate) fn short(self) -> Self {
        Self {
            call_seconds: 1,
            ..self
        }
    }

    /// The same with room for what it wants to hand over.
    pub(crate) fn large(self) -> Self {
        Self {
            memory_mib: 512,
            ..self
        }
    }
}

/// The servers, and the good pipeline's table.
pub(crate) struct Lab {
    pub(crate) source: Server,
    pub(crate) target: Server,
    folder: TempDir,
}

impl Lab {
    pub(crate) fn new() -> Self {
        let lab = Self {
            source: server(),
            target: server(),
            folder: TempDir::new().expect("a folder"),
        };
        run(
            &lab.source,
            "CREATE DATABASE good; CREATE TABLE good.t (id INT PRIMARY KEY AUTO_INCREMENT)",
        );
        lab
    }

    fn good(&self) -> PathBuf {
        let extra = format!("[replicate]\ninclude = [\"good.*\"]\n{FROM_THE_START}");
        Host::config(
            self.folder.path(),
            "good",
            &self.source,
            &self.target,
            &extra,
        )
        .expect("a configuration")
    }

    fn config(&self, hostile: &Hostile) -> PathBuf {
        let guest = std::env::current_exe().expect("the test's path");
        let guest = guest
            .ancestors()
            .map(|folder| folder.join("test-guests/hostile.wasm"))
            .find(|path| path.is_file())
            .expect("target/test-guests/hostile.wasm: `cargo xtask wasm --test-guests` builds it");
        let guest = guest.display();
        let mut plugins = String::new();
        for (key, wanted) in [("source", &hostile.source), ("sink", &hostile.target)] {
            if wanted.is_some() {
                plugins.push_str(&format!("{key} = \"{guest}\"\n"));
            }
        }
        let extra = format!(
            "[replicate]\ninclude = [\"hostile.*\"]\n{FROM_THE_START}[plugins]\n{plugins}\
             [limits]\nmemory_mib = {}\nmax_row_mib = 4\ncall_mib = 16\ncall_cpu_seconds = 1\ncall_seconds = {}\n",
            hostile.memory_mib, hostile.call_seconds
        );
        let path = Host::config(
            self.folder.path(),
            &hostile.name,
            &self.source,
            &self.target,
            &extra,
        )
        .expect("a configuration");
        let text = std::fs::read_to_string(&path).expect("the configuration");
        let (of_source, of_target) = text.split_once("[target]").expect("two servers");
        let user = |text: &str, wanted: &Option<String>| match wanted {
            Some(user) => text.replace("user = \"root\"", &format!("user = \"{user}\"")),
            None => text.to_owned(),
        };
        let text = format!(
            "{}[target]{}",
            user(of_source, &hostile.source),
            user(of_target, &hostile.target)
        );
        std::fs::write(&path, text).expect("the configuration");
        path
    }

    /// Runs all of them in one process with the good pipeline, and checks how each has ended, that the good one still replicates, and that no more than `mib` of memory
    /// stay beyond what the good one took alone.
    pub(crate) fn run(&self, all: &[Hostile], mib: u64) -> Exit {
        let alone = self.alone();
        let mut arguments = vec![
            "run".to_owned(),
            "--log-level".to_owned(),
            "info".to_owned(),
        ];
        let configs = all.iter().map(|hostile| self.config(hostile));
        for config in std::iter::once(self.good()).chain(configs) {
            arguments.extend(["-c".to_owned(), config.display().to_string()]);
        }
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        let mut host = Host::spawn_command(&arguments).expect("a host");
        let begun = Instant::now();
        loop {
            let ended = host.stderr().matches("\n  pipeline: ").count();
            if ended >= all.len() {
                break;
            }
            assert!(host.is_running().expect("its state"), "{}", host.stderr());
            assert!(
                begun.elapsed() < LIMIT,
                "{ended} of {} have ended:\n{}",
                all.len(),
                host.stderr()
            );
            std::thread::sleep(Duration::from_millis(50));
        }
        let took = begun.elapsed();
        self.good_one_goes_on(&mut host);
        let after = Sample::of(host.pid(), 0.0).expect("the host lives");
        println!(
            "{} hostile pipelines ended within {:.1} s; resident memory: {} MiB for the good one alone, {} MiB at most, {} MiB afterwards; {} threads, {} files",
            all.len(),
            took.as_secs_f64(),
            alone >> 10,
            after.peak_kib >> 10,
            after.kib >> 10,
            after.threads,
            after.files
        );
        host.terminate();
        let exit = host.wait(LIMIT).expect("it ends");
        let wrong: Vec<String> = all
            .iter()
            .filter_map(|hostile| not_ended_with(&exit, hostile))
            .collect();
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
        // The code is that of the one that failed first.
        assert!(exit.code == 3 || exit.code == 2, "{}", exit.code);
        assert!(!exit.stderr.contains("panicked"), "{}", exit.stderr);
        assert!(
            !exit.stderr.contains('\u{1b}') && !exit.stderr.contains('\u{7}'),
            "a plugin steers the terminal"
        );
        assert!(
            after.kib < alone + (mib << 10),
            "{} KiB alone, {} KiB afterwards",
            alone,
            after.kib
        );
        exit
    }

    /// What a process with the good pipeline alone takes, in KiB.
    fn alone(&self) -> u64 {
        let mut host = Host::start(&self.good(), &[]).expect("a host");
        self.good_one_goes_on(&mut host);
        let alone = Sample::of(host.pid(), 0.0).expect("the host lives").kib;
        host.terminate();
        assert_eq!(host.wait(LIMIT).expect("it ends").code, 130);
        alone
    }

    fn good_one_goes_on(&self, host: &mut Host) {
        run(&self.source, "INSERT INTO good.t VALUES ()");
        let rows = cell(&self.source, "SELECT COUNT(*) FROM good.t");
        wait_for(host, "a row through the good pipeline", |_| {
            let there = "SELECT COUNT(*) FROM information_schema.TABLES WHERE TABLE_SCHEMA = 'good' AND TABLE_NAME = 't'";
            (cell(&self.target, there) == "1"
                && cell(&self.target, "SELECT COUNT(*) FROM good.t") == rows)
                .then_some(())
        });
    }
}

/// What is wrong with a pipeline's error: it must have the code, and a hint.
fn not_ended_with(exit: &Exit, hostile: &Hostile) -> Option<String> {
    let name = format!("\n  pipeline: {}\n", hostile.name);
    let Some(end) = exit.stderr.find(&name) else {
        return Some(format!("{} has not ended", hostile.name));
    };
    // A plugin's own words are indented.
    let begin = exit.stderr[..end].rfind("\nerror[").map_or(0, |at| at + 1);
    let error = &exit.stderr[begin..end];
    let right =
        error.starts_with(&format!("error[{}]: ", hostile.code)) && error.contains("\n  hint: ");
    (!right).then(|| {
        format!(
            "{} is to end with {} and a hint: {error:.2000}",
            hostile.name, hostile.code
        )
    })
}
