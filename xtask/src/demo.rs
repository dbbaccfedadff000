//! `cargo xtask demo`: replication between two real servers, live, with a kill in the middle and a proof at the end.
//!
//! The steps: build, start two MySQL servers, make a shop on the source, run `datain` while writers change the shop, add a
//! column, kill `datain` without warning, start it again, let it catch up, and let both servers count and sum up their rows.
//!
//! | module | what it knows |
//! |---|---|
//! | [`build`] | making the plugins and the host |
//! | [`lab`] | the two servers, the config file, leaving them up |
//! | [`shop`], [`writers`] | the data, and who changes it |
//! | [`host`], [`feed`] | `datain` as a child process, and what it says of its progress |
//! | [`live`] | the part while writers are at work |
//! | [`proof`] | the comparison, and the totals |
//! | [`screen`], [`interrupt`] | what people see, and Ctrl-C |

pub(crate) mod build;
mod feed;
pub(crate) mod host;
pub(crate) mod interrupt;
mod lab;
mod live;
mod proof;
pub(crate) mod screen;
mod shop;
mod writers;

use std::{process::ExitCode, time::Duration};

use anyhow::Result;
use clap::Args;

use feed::Feed;
use interrupt::Interrupt;
use lab::Lab;
use screen::Screen;

#[derive(Args)]
pub(crate) struct Arguments {
    /// Leave both servers up at the end, to look around
    #[arg(long)]
    keep: bool,
    /// How long the writers write
    #[arg(long, value_name = "N", default_value_t = 20, value_parser = clap::value_parser!(u64).range(5..=600))]
    seconds: u64,
}

/// How long `datain` may take to commit what it has accepted, and to catch up.
const PATIENCE: Duration = Duration::from_secs(60);

pub(crate) fn run(arguments: &Arguments) -> Result<ExitCode> {
    let interrupt = Interrupt::watch()?;
    let result = steps(arguments, &interrupt);
    // What ended by Ctrl-C has no error of its own worth showing: all else follows from it.
    if interrupt.is_raised() {
        eprintln!("interrupted; nothing is left running");
        return Ok(ExitCode::from(130));
    }
    result
}

fn steps(arguments: &Arguments, interrupt: &Interrupt) -> Result<ExitCode> {
    let mut screen = Screen::new();
    screen.step("Build the plugins and the host");
    let built = build::run()?;
    interrupt.check()?;

    screen.step("Start two MySQL servers");
    let lab = Lab::start(&built, interrupt)?;
    lab.introduce(&built);
    let shown = interrupt
        .check()
        .and_then(|()| show(arguments, &mut screen, &built, &lab, interrupt));
    if arguments.keep && !interrupt.is_raised() {
        screen.step("Leave both servers up");
        lab.leave_running(&built)?;
    } else {
        drop(lab);
    }
    shown
}

/// All that happens between two running servers.
fn show(
    arguments: &Arguments,
    screen: &mut Screen,
    built: &build::Built,
    lab: &Lab,
    interrupt: &Interrupt,
) -> Result<ExitCode> {
    screen.step("Make a shop on the source, while datain does not run yet");
    println!("  {}", shop::create(&lab.source)?);

    screen.step(&format!(
        "Replicate while {} writers change the shop for {} s",
        writers::NUMBER,
        arguments.seconds
    ));
    let host = host::Host::new(&built.host, lab);
    let feed = Feed::default();
    let time = Duration::from_secs(arguments.seconds);
    let running = live::run(time, lab, &host, &feed, interrupt)?;

    screen.step("Stop datain, and run it once more until it has caught up");
    let code = running.interrupt(PATIENCE, interrupt)?;
    println!("  SIGINT: datain committed what it had accepted, and ended with exit code {code}");
    let seconds = host.until_caught_up(&feed, PATIENCE, interrupt)?;
    println!("  datain run --until-caught-up: exit code 0 after {seconds:.1} s");

    screen.step("Ask datain where it stands: datain status -c shop.toml");
    for line in host.status("text")?.lines() {
        println!("  {}", screen::clipped(line, 110));
    }

    screen.step("Let both servers count and sum up their rows");
    let equal = proof::show(lab, &host, &feed)?;
    screen.finish(if equal {
        "EQUAL: every table has the same definition and the same rows on both sides"
    } else {
        "DIFFERENT: see above"
    });
    Ok(if equal {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}
