//! Two servers, hosts that die between them, and the proof that nothing came of it.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use datain_mysql_client::Session;
use datain_mysql_client::blocking::block_on;
use datain_tests::compare;
use datain_tests::host::{Exit, Host, TempDir};
use datain_tests::native::{self, Fragile};
use datain_tests::seed::long;
use datain_tests::servers::{cell, run, server};
use datain_throwaway_servers::{Flavor, Server};

use crate::points::{Point, Step};
use crate::work;

/// How long a host may take to die, or to catch up.
const LIMIT: Duration = Duration::from_secs(120);

/// How a process ends that kills itself: by SIGKILL.
const KILLED: i32 = -9;

pub(crate) struct Lab {
    source: Server,
    target: Server,
    folder: TempDir,
    config: PathBuf,
    /// What differs from 0 when a transaction is there in half, or before an older one.
    half: &'static str,
    /// Each round's oldest group is held up until younger ones are there.
    holds_up: bool,
    began: Instant,
    points: u32,
    deaths: u32,
}

impl Lab {
    /// With the tables on both servers, over a pipeline of this name that takes everything.
    pub(crate) fn new(name: &str) -> Lab {
        Self::of(server(), server(), name, &after(""), "")
    }

    /// The same for transactions of which no two touch the same row.
    pub(crate) fn apart(name: &str) -> Lab {
        Lab {
            half: work::HALF_APART,
            ..Self::new(name)
        }
    }

    /// The same where the source's order is not kept, and the oldest group of each round comes last.
    pub(crate) fn in_any_order(name: &str) -> Lab {
        let apply = "preserve_commit_order = false\n";
        Lab {
            half: work::HALF_IN_ANY_ORDER,
            holds_up: true,
            ..Self::of(server(), server(), name, &after(""), apply)
        }
    }

    /// The same into a target that takes LOAD DATA LOCAL.
    pub(crate) fn loading(name: &str) -> Lab {
        let target = Server::builder(Flavor::Mysql97).relaxed();
        let target = target.option("local_infile=ON").start();
        Self::of(server(), target.expect("a server"), name, &after(""), "")
    }

    /// The same from a source that has no GTIDs.
    pub(crate) fn without_gtids(name: &str) -> Lab {
        let source = Server::builder(Flavor::Mysql97).relaxed().without_gtid();
        let source = source.start().expect("a server");
        let start = "mode = \"position\"\nfile = \"binlog.000001\"\nposition = 4\n";
        Self::of(source, server(), name, start, "")
    }

    fn of(source: Server, target: Server, name: &str, start: &str, apply: &str) -> Lab {
        run(&source, work::TABLES);
        let folder = TempDir::new().expect("a folder");
        let config = config(&folder, name, [&source, &target], start, apply);
        let lab = Lab {
            source,
            target,
            folder,
            config,
            half: work::HALF,
            holds_up: false,
            began: Instant::now(),
            points: 0,
            deaths: 0,
        };
        lab.catch_up();
        lab
    }

    /// A host dies at each of these points, over work that is made anew for each.
    pub(crate) fn each(&mut self, steps: &[Step], work: impl Fn(u32) -> String) {
        for point in Point::all(steps) {
            run(&self.source, &work(self.points));
            self.survive(&point);
        }
        println!(
            "{} points, {} deaths, {:.1} s",
            self.points,
            self.deaths,
            self.began.elapsed().as_secs_f64()
        );
    }

    /// The same for points that only a pipeline's first host comes to.
    pub(crate) fn each_beginning(&mut self, steps: &[Step], work: impl Fn(u32) -> String) {
        for point in Point::all(steps) {
            run(&self.target, "DROP SCHEMA datain");
            let start = after(&self.newest());
            let name = format!("beginning{}", self.points);
            let servers = [&self.source, &self.target];
            self.config = config(&self.folder, &name, servers, &start, "");
            run(&self.source, &work(self.points));
            self.survive(&point);
        }
    }

    fn survive(&mut self, point: &Point) {
        self.points += 1;
        let exit = self.dies(point);
        assert_eq!(exit.code, KILLED, "{point} was not met: {exit}");
        if long() {
            self.die_again(point);
        } else {
            self.catch_up();
        }
        compare::assert_equal(&self.source, &self.target, &["fp"]);
        let display = cell(&self.target, "SELECT display FROM datain.checkpoints");
        assert!(display.ends_with(&self.newest()), "{point}: {display}");
        let left = "SELECT (SELECT COUNT(*) FROM datain.xa_prepared) + (SELECT COUNT(ddl_identity) FROM datain.checkpoints) + (SELECT COUNT(*) FROM datain.ahead WHERE ordinal > 0)";
        assert_eq!(cell(&self.target, left), "0", "{point} leaves something");
    }

    /// What goes on comes to the same step, unless it was done.
    fn die_again(&mut self, point: &Point) {
        let exit = self.dies(&point.first());
        match exit.code {
            0 => {}
            KILLED => self.catch_up(),
            _ => panic!("{point}, again: {exit}"),
        }
    }

    /// Lets a host run that is to die at the point. Whoever reads the target then sees no half transaction.
    fn dies(&mut self, point: &Point) -> Exit {
        let config = self.config.to_str().expect("a path of ours");
        let arguments = ["run", "-c", config, "--until-caught-up"];
        let environment = [("DATAIN_FAILPOINT", point.to_string())];
        let environment = environment
            .each_ref()
            .map(|(name, value)| (*name, value.as_str()));
        let holder = self.holds_up.then(|| self.hold_up(self.points - 1));
        let exit = Host::spawn_in(&arguments, &environment)
            .and_then(|mut host| {
                if let Some(mut holder) = holder {
                    self.wait_for_younger_ones(&mut host)?;
                    block_on(holder.exec(b"ROLLBACK"))?;
                }
                host.wait(LIMIT)
            })
            .unwrap_or_else(|error| panic!("{point}: {error:#}"));
        self.deaths += u32::from(exit.code == KILLED);
        assert_eq!(cell(&self.target, self.half), "0", "{point}: {exit}");
        exit
    }

    /// A client of the target that has inserted the round's first row, and has not committed it.
    fn hold_up(&self, round: u32) -> Session<Fragile> {
        let mut holder = native::session(&self.target);
        let insert = format!(
            "START TRANSACTION; INSERT IGNORE INTO fp.counted VALUES ({}, 0)",
            work::first_of(round)
        );
        block_on(holder.query(insert.as_bytes())).expect("a row");
        holder
    }

    fn wait_for_younger_ones(&self, host: &mut Host) -> anyhow::Result<()> {
        let end = Instant::now() + LIMIT;
        while host.is_running()?
            && cell(
                &self.target,
                "SELECT COUNT(*) FROM datain.ahead WHERE ordinal > 0",
            ) == "0"
        {
            anyhow::ensure!(Instant::now() < end, "no younger group has gone ahead");
            std::thread::sleep(Duration::from_millis(20));
        }
        Ok(())
    }

    fn catch_up(&self) {
        let exit = Host::run(&self.config, &["--until-caught-up"], LIMIT).expect("the host ends");
        assert_eq!(exit.code, 0, "{exit}");
    }

    /// Where the source stands: its GTID set, or, without GTIDs, file and offset.
    fn newest(&self) -> String {
        let executed = cell(&self.source, "SELECT @@gtid_executed").replace('\n', "");
        if !executed.is_empty() {
            return executed;
        }
        let status = self.source.query("SHOW BINARY LOG STATUS");
        let status = status.expect("the source tells").into_iter().next();
        let place: Vec<_> = status.into_iter().flatten().flatten().take(2).collect();
        place.join(":")
    }
}

/// Behind these transactions.
fn after(gtid_set: &str) -> String {
    format!("mode = \"gtid\"\ngtid_set = \"{gtid_set}\"\n")
}

fn config(
    folder: &TempDir,
    name: &str,
    [source, target]: [&Server; 2],
    start: &str,
    apply: &str,
) -> PathBuf {
    let more = format!("[apply]\ngroup_max_rows = 100\n{apply}[start]\n{start}");
    Host::config(folder.path(), name, source, target, &more).expect("a configuration")
}
