//! Latency: from right before a commit on the source to the moment when its row is seen on the target.
//!
//! A procedure on the source inserts single rows at a fixed pace, each with the time at that moment. A procedure on the target looks every millisecond which
//! is the newest row, and notes the time. Both servers read the one clock of this machine, and no client's round trip is in the figures. A latency is at
//! most about a millisecond too large (the pace of looking, and longer if all cores are busy), never too small; the source's own commit is in it.

use std::{collections::BTreeMap, thread, time::Duration};

use anyhow::{Context as _, Result, anyhow, bail};
use datain_throwaway_servers::Server;

use super::{
    lab::{Lab, Mode, executed},
    native::Native,
    percentiles::Summary,
    report::{Delay, Delays, Engine},
    subject::{Running, Subject},
    usage,
};
use crate::demo::interrupt::Interrupt;

/// The tables, one for each writer, so that the order of ids is that of commits.
pub(super) const TABLES: &str = "CREATE DATABASE bench;
CREATE TABLE bench.written_1 (id BIGINT PRIMARY KEY, at BIGINT NOT NULL, note VARCHAR(100) NOT NULL);
CREATE TABLE bench.written_2 LIKE bench.written_1;";

/// What one session can surely insert in a second.
const PER_WRITER: u32 = 2_500;
/// How long rows are waited for after the last insert.
const DRAIN: Duration = Duration::from_secs(30);
/// How long an engine may take to begin, and to end.
const PATIENCE: Duration = Duration::from_secs(60);

/// What is offered.
#[derive(Debug, Clone)]
pub(super) struct Offer {
    pub(super) rates: Vec<u32>,
    pub(super) seconds: u32,
    pub(super) tls: bool,
}

/// Measures one engine at all rates, on a target of its own.
pub(super) fn measure(
    lab: &mut Lab,
    mode: Mode,
    engine: Engine,
    subject: &Subject,
    offer: &Offer,
    interrupt: &Interrupt,
) -> Result<Vec<Delay>> {
    lab.fresh_target(mode)?;
    let (source, target) = (&lab.source, lab.target()?);
    // The rows of earlier measurements are left out: what is inserted from now on counts.
    let set = executed(source)?;
    target.sql(&format!(
        "RESET BINARY LOGS AND GTIDS; SET GLOBAL gtid_purged = '{set}'"
    ))?;
    let run;
    let mut working = match engine {
        Engine::Native(workers) => {
            let mut native = Native::prepare(source, target, workers, offer.tls)?;
            native.start()?;
            Working::Native(Box::new(native))
        }
        Engine::Datain => {
            run = subject.configure(lab.folder(), [source, target], "bench", &set)?;
            Working::Datain(run.start(&[])?)
        }
    };
    let mut pair = Pair {
        source,
        target,
        next: newest(source)?,
    };
    let mut delays = Vec::new();
    // One row shows that the engine is at work.
    let mut ready = pair.offer(10, 1, PATIENCE, interrupt).and_then(|delays| {
        working.check()?;
        match delays.summary.missing {
            0 => Ok(()),
            _ => bail!("no row came within {} s", PATIENCE.as_secs()),
        }
    });
    for &rate in &offer.rates {
        let result = match &ready {
            Ok(()) => pair
                .offer(rate, rate * offer.seconds, DRAIN, interrupt)
                .and_then(|delays| working.check().map(|()| delays)),
            Err(error) => Err(anyhow!("not measured: {error:#}")),
        };
        interrupt.check()?;
        // An engine that is still behind would carry that into the next measurement.
        if let Ok(delays) = &result
            && delays.summary.missing > 0
        {
            ready = Err(anyhow!("it was still behind at the rate before"));
        }
        let result = result.map_err(|error| format!("{error:#}"));
        if let Err(error) = &result {
            eprintln!("  latency, {}, {rate}/s: {error}", engine.name());
        }
        delays.push(Delay {
            mode,
            engine,
            offered_per_second: rate,
            result,
        });
    }
    if ready.is_ok() {
        working.end(interrupt)?;
    }
    Ok(delays)
}

enum Working<'a> {
    Native(Box<Native>),
    Datain(Running<'a>),
}

impl Working<'_> {
    fn check(&mut self) -> Result<()> {
        match self {
            Self::Native(_) => Ok(()),
            Self::Datain(running) => running.check(),
        }
    }

    fn end(self, interrupt: &Interrupt) -> Result<()> {
        match self {
            Self::Native(mut native) => native.stop(),
            Self::Datain(running) => running.end(PATIENCE, interrupt).map(|_| ()),
        }
    }
}

/// Both servers, and the highest ids so far.
struct Pair<'a> {
    source: &'a Server,
    target: &'a Server,
    next: [i64; 2],
}

/// The rows of one writer, from the first to the last id; none if the last is lower.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Range {
    first: i64,
    last: i64,
}

impl Pair<'_> {
    /// Inserts so many rows at this rate, and sees when they come.
    fn offer(
        &mut self,
        rate: u32,
        count: u32,
        patience: Duration,
        interrupt: &Interrupt,
    ) -> Result<Delays> {
        let load = usage::load_average();
        let writers = rate.div_ceil(PER_WRITER).clamp(1, 2);
        let each = count / writers;
        let ranges: [Range; 2] = std::array::from_fn(|at| {
            let first = self.next[at] + 1;
            let works = u32::try_from(at).is_ok_and(|at| at < writers);
            let last = first - 1 + if works { i64::from(each) } else { 0 };
            Range { first, last }
        });
        self.next = ranges.map(|range| range.last);
        let writing = Duration::from_secs(u64::from(count / rate.max(1)) + 1);
        let watch = format!(
            "SET SESSION sql_log_bin = 0; CALL bench_tools.watch({}, {}, {}, {}, {})",
            ranges[0].first,
            ranges[0].last,
            ranges[1].first,
            ranges[1].last,
            (writing * 2 + patience).as_secs()
        );
        let (source, target) = (self.source, self.target);
        thread::scope(|scope| {
            let watcher = scope.spawn(|| target.sql(&watch));
            let writers: Vec<_> = (1..=writers)
                .zip(ranges)
                .map(|(writer, range)| {
                    let call = format!(
                        "CALL bench_tools.paced({writer}, {}, {each}, {})",
                        range.first,
                        rate / writers
                    );
                    scope.spawn(move || source.sql(&call))
                })
                .collect();
            for writer in writers {
                let ended = writer.join().map_err(|_| anyhow!("a writer panicked"))?;
                ended.context("failed to write on the source")?;
            }
            let ended = watcher
                .join()
                .map_err(|_| anyhow!("the watcher panicked"))?;
            ended.context("failed to watch the target")
        })?;
        interrupt.check()?;
        let mut all = Vec::new();
        let mut offered = 0;
        let (mut first, mut last) = (i64::MAX, i64::MIN);
        for (writer, range) in (1..=writers).zip(ranges) {
            let written = self.written(writer, range)?;
            let seen = self.seen(writer)?;
            offered += u64::try_from(written.len()).unwrap_or_default();
            first = first.min(written.values().copied().min().unwrap_or(i64::MAX));
            last = last.max(written.values().copied().max().unwrap_or(i64::MIN));
            all.extend(latencies(&written, &seen));
        }
        let micros = u64::try_from(last.saturating_sub(first)).unwrap_or_default();
        #[expect(clippy::cast_precision_loss, reason = "a rate for people")]
        let achieved = match micros {
            0 => 0.0,
            micros => (offered - 1) as f64 / (micros as f64 / 1e6),
        };
        Ok(Delays {
            achieved_per_second: achieved,
            summary: Summary::of(all, offered),
            load,
        })
    }

    /// When each row was written.
    fn written(&self, writer: u32, range: Range) -> Result<BTreeMap<i64, i64>> {
        let text = self.source.sql(&format!(
            "SELECT id, at FROM bench.written_{writer} WHERE id BETWEEN {} AND {}",
            range.first, range.last
        ))?;
        let rows = numbers::<2>(&text)?;
        Ok(rows.into_iter().map(|[id, at]| (id, at)).collect())
    }

    /// Which rows were seen first at which moment.
    fn seen(&self, writer: u32) -> Result<Vec<(Range, i64)>> {
        let text = self.target.sql(&format!(
            "SELECT first, last, at FROM bench_tools.seen WHERE writer = {writer}"
        ))?;
        let rows = numbers::<3>(&text)?;
        Ok(rows
            .into_iter()
            .map(|[first, last, at]| (Range { first, last }, at))
            .collect())
    }
}

/// The highest ids that were written so far.
fn newest(source: &Server) -> Result<[i64; 2]> {
    let text = source.sql(
        "SELECT (SELECT COALESCE(MAX(id), 0) FROM bench.written_1), (SELECT COALESCE(MAX(id), 0) FROM bench.written_2)",
    )?;
    let rows = numbers::<2>(&text)?;
    rows.into_iter().next().context("the source gave no ids")
}

/// The rows of a client's batch output, behind its line of names.
fn numbers<const N: usize>(text: &str) -> Result<Vec<[i64; N]>> {
    text.lines()
        .skip(1)
        .map(|line| {
            let cells: Result<Vec<i64>, _> = line.split('\t').map(str::parse).collect();
            let cells = cells.with_context(|| format!("no numbers: {line:?}"))?;
            <[i64; N]>::try_from(cells)
                .map_err(|cells| anyhow!("{N} numbers were expected, not {cells:?}"))
        })
        .collect()
}

/// Microseconds of every row that was seen. The clock is one, but a row can be seen in the microsecond in which it was written.
fn latencies(written: &BTreeMap<i64, i64>, seen: &[(Range, i64)]) -> Vec<u64> {
    let rows = seen.iter().flat_map(|(range, at)| {
        let rows = written.range(range.first..=range.last.max(range.first));
        rows.map(move |(_, written)| u64::try_from(at - written).unwrap_or_default())
    });
    rows.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_row_is_held_against_the_moment_when_it_was_first_seen() {
        let written = [(1, 1_000), (2, 2_000), (3, 3_000), (4, 4_000)].into();
        let range = |first, last| Range { first, last };
        let seen = [(range(1, 2), 5_000), (range(3, 3), 9_000)];
        assert_eq!(latencies(&written, &seen), [4_000, 3_000, 6_000]);
        assert_eq!(latencies(&written, &[]), [0; 0]);
    }

    #[test]
    fn the_clients_output_is_read() {
        let rows = numbers::<2>("id\tat\n1\t17\n2\t18\n").unwrap();
        assert_eq!(rows, [[1, 17], [2, 18]]);
        assert!(numbers::<2>("").unwrap().is_empty());
        assert!(numbers::<2>("id\tat\n1\tNULL\n").is_err());
        assert!(numbers::<3>("a\tb\n1\t2\n").is_err());
    }
}
