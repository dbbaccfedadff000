//! Two servers, hosts that die between them, and the proof that nothing came of it.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use datain_tests::compare;
use datain_tests::host::{Exit, Host, TempDir};
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
    began: Instant,
    points: u32,
    deaths: u32,
}

impl Lab {
    /// With the tables on both servers, over a pipeline of this name that takes everything.
    pub(crate) fn new(name: &str) -> Lab {
        Self::of(server(), server(), name, &after(""))
    }

    /// The same for transactions of which no two touch the same row.
    pub(crate) fn apart(name: &str) -> Lab {
        Lab {
            half: work::HALF_APART,
            ..Self::new(name)
        }
    }

    /// The same into a target that takes LOAD DATA LOCAL.
    pub(crate) fn loading(name: &str) -> Lab {
        let target = Server::builder(Flavor::Mysql97).relaxed();
        let target = target.option("local_infile=ON").start();
        Self::of(server(), target.expect("a server"), name, &after(""))
    }

    /// The same from a source that has no GTIDs.
    pub(crate) fn without_gtids(name: &str) -> Lab {
        let source = Server::builder(Flavor::Mysql97).relaxed().without_gtid();
        let source = source.start().expect("a server");
        let start = "mode = \"position\"\nfile = \"binlog.000001\"\nposition = 4\n";
        Self::of(source, server(), name, start)
    }

    fn of(source: Server, target: Server, name: &str, start: &str) -> Lab {
        run(&source, work::TABLES);
        let folder = TempDir::new().expect("a folder");
        let config = config(&folder, name, &source, &target, start);
        let lab = Lab {
            source,
            target,
            folder,
            config,
            half: work::HALF,
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
            self.config = config(&self.folder, &name, &self.source, &self.target, &start);
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
        let left = "SELECT (SELECT COUNT(*) FROM datain.xa_prepared) + (SELECT COUNT(ddl_identity) FROM datain.checkpoints)";
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
        let exit = Host::spawn_in(&arguments, &environment)
            .and_then(|mut host| host.wait(LIMIT))
            .unwrap_or_else(|error| panic!("{point}: {error:#}"));
        self.deaths += u32::from(exit.code == KILLED);
        assert_eq!(cell(&self.target, self.half), "0", "{point}: {exit}");
        exit
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

fn config(folder: &TempDir, name: &str, source: &Server, target: &Server, start: &str) -> PathBuf {
    let more = format!("[apply]\ngroup_max_rows = 100\n[start]\n{start}");
    Host::config(folder.path(), name, source, target, &more).expect("a configuration")
}
