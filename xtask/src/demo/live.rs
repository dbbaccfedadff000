//! The part while the writers are at work: a new column, a kill and a restart at fixed moments.

use std::{
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result};

use super::{
    feed::Feed,
    host::{Host, Running},
    interrupt::Interrupt,
    lab::Lab,
    screen::{Line, grouped},
    shop,
    writers::Writers,
};

/// When things happen, in hundredths of the writers' time.
const ALTER_AT: u32 = 35;
const KILL_AT: u32 = 60;
/// How long `datain` stays away: long enough for the lag to be seen.
const AWAY: Duration = Duration::from_millis(1500);

/// Returns `datain`, still running.
pub(super) fn run(
    time: Duration,
    lab: &Lab,
    host: &Host,
    feed: &Feed,
    interrupt: &Interrupt,
) -> Result<Running> {
    let mut line = Line::new(time);
    let begin = Instant::now();
    let mut running = Some(host.start(feed)?);
    let writers = Writers::start(&lab.source);
    let at = |hundredths: u32| time * hundredths / 100;
    let mut altered = false;
    let mut killed: Option<Instant> = None;
    while begin.elapsed() < time && writers.are_alive() {
        interrupt.check()?;
        if let Some(running) = &mut running {
            running.check()?;
        }
        let now = begin.elapsed();
        if !altered && now >= at(ALTER_AT) {
            lab.source.sql(shop::ALTER)?;
            writers.altered();
            altered = true;
            line.event(
                now,
                "ALTER TABLE shop.orders ADD COLUMN gift …; the writers go on with it",
            );
        }
        if killed.is_none()
            && now >= at(KILL_AT)
            && let Some(victim) = running.take()
        {
            let pid = victim.pid();
            victim.kill()?;
            killed = Some(Instant::now());
            line.event(
                now,
                &format!("kill -9 {pid}: datain is dead, and the writers go on"),
            );
        }
        if running.is_none() && killed.is_some_and(|killed| killed.elapsed() >= AWAY) {
            let started = host.start(feed)?;
            line.event(
                now,
                "datain runs again, and goes on from the checkpoint in the target",
            );
            running = Some(started);
        }
        let progress = feed.latest().filter(|_| running.is_some());
        line.show(now, progress.as_ref(), running.is_some());
        thread::sleep(Duration::from_millis(100));
    }
    let written = writers.finish()?;
    drop(line);
    println!(
        "  the writers committed {} transactions (those that change nothing are not logged); {} met a deadlock",
        grouped(written.committed),
        written.given_up
    );
    running.context("datain was not started again")
}
