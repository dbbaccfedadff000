//! The resource `examiner`: a comparison's questions to the target, one at a time ([`datain_apply::examine`]).
//!
//! Each question is a task that owns the session and gives it back with the answer. A digest may take longer than one call: its task then waits for the next call with the same question.

use std::cell::RefCell;
use std::time::Duration;

use datain_apply::examine::{Differing, Examiner as Examination, What, filters};
use datain_contract::ErrorExt as _;
use datain_contract::types::{Checkpoint, Error, KeyRange, TableDigest, TableRows};
use datain_plugin_runtime::clock::Moment;
use datain_plugin_runtime::executor::{Slice, Task};
use datain_plugin_runtime::session;
use datain_plugin_runtime::stream::HostStream;

use crate::bindings::exports::datain::replication::sink::{
    ComparedShape, Difference, DifferenceKind, DifferingValue, Examiner as ExaminerHandle,
    GuestExaminer,
};
use crate::config::Config;

/// How long a question other than a digest may take.
const TIME: Duration = Duration::from_secs(550);

type Core = Examination<HostStream>;
type Answered<T> = (Core, Result<T, Error>);

/// See the module.
pub struct Examiner {
    /// None while a task has it, and after an error that has cost the session.
    core: RefCell<Option<Core>>,
    digest: RefCell<Option<Task<Answered<TableDigest>>>>,
    endpoint: String,
}

impl Examiner {
    /// Asks, and waits for the answer.
    fn ask<T, F>(&self, question: impl FnOnce(Core) -> F) -> Result<T, Error>
    where
        T: 'static,
        F: Future<Output = Answered<T>> + 'static,
    {
        let core = self.core.take().ok_or_else(busy)?;
        match Task::new(question(core)).complete(Moment::now().after(TIME)) {
            Slice::Finished((core, answer)) => {
                self.core.replace(Some(core));
                answer
            }
            Slice::Suspended => Err(too_slow()),
            Slice::Ended(error) => Err(session::ended(error)),
        }
    }
}

/// Sees to it that there is a session to write on.
async fn ready_to_write(core: &mut Core, endpoint: &str) -> Result<(), Error> {
    if core.wants_to_write() {
        let session = session::connect(endpoint, |options| options.found_rows = true).await?;
        core.write_on(session).await?;
    }
    Ok(())
}

fn busy() -> Error {
    Error::fatal(
        "sink.closed",
        "the examiner was used after it had failed, or before it had answered",
    )
}

fn too_slow() -> Error {
    Error::retry("net.timeout", "the server did not answer in time")
        .hint("see whether the server is overloaded, or a lock is held on its tables")
}

impl GuestExaminer for Examiner {
    fn open(config: String) -> Result<ExaminerHandle, Error> {
        datain_plugin_runtime::start();
        let config = Config::parse(&config)?;
        let endpoint = config.endpoint.clone();
        let open = Task::new(async move {
            let mut target = session::connect(&config.endpoint, |_| {}).await?;
            let (filter, only) =
                filters(&mut target, &config.include, &config.exclude, &config.only).await?;
            Examination::open(target, config.stream, filter, only).await
        });
        let core = session::finish(open, Moment::now().after(TIME))?;
        Ok(ExaminerHandle::new(Examiner {
            core: RefCell::new(Some(core)),
            digest: RefCell::new(None),
            endpoint,
        }))
    }

    fn checkpoint(&self) -> Result<Option<Checkpoint>, Error> {
        self.ask(async |mut core| {
            let checkpoint = core.checkpoint().await;
            (core, checkpoint)
        })
    }

    fn tables(&self, schemas: Vec<String>) -> Result<Vec<(String, String)>, Error> {
        self.ask(async move |mut core| {
            let tables = core.tables(&schemas).await;
            (core, tables)
        })
    }

    fn begin(&self, schema: String, name: String, shape: Vec<u8>) -> Result<ComparedShape, Error> {
        let status = self.ask(async move |mut core| {
            let status = core.begin(&schema, &name, &shape).await;
            (core, status)
        })?;
        Ok(ComparedShape {
            mismatches: status.mismatches,
            notes: status.notes,
            ranged: status.ranged,
        })
    }

    fn boundary(&self, after: Option<Vec<u8>>, rows: u32) -> Result<Option<Vec<u8>>, Error> {
        self.ask(async move |mut core| {
            let key = core.boundary(after.as_deref(), rows).await;
            (core, key)
        })
    }

    fn digest(&self, range: KeyRange, max_wait_ms: u32) -> Result<Option<TableDigest>, Error> {
        let mut slot = self.digest.borrow_mut();
        if slot.is_none() {
            let mut core = self.core.take().ok_or_else(busy)?;
            *slot = Some(Task::new(async move {
                let digest = core.digest(&range).await;
                (core, digest)
            }));
        }
        let Some(task) = slot.as_mut() else {
            return Err(busy());
        };
        let until = Moment::now().after(Duration::from_millis(u64::from(max_wait_ms)));
        match task.run(until, || false) {
            Slice::Suspended => Ok(None),
            Slice::Finished((core, digest)) => {
                *slot = None;
                self.core.replace(Some(core));
                digest.map(Some)
            }
            Slice::Ended(error) => {
                *slot = None;
                Err(session::ended(error))
            }
        }
    }

    fn buckets(&self, count: u32) -> Result<Vec<TableDigest>, Error> {
        self.ask(async move |mut core| {
            let digests = core.buckets(count).await;
            (core, digests)
        })
    }

    fn compare(
        &self,
        range: KeyRange,
        rows: TableRows,
        values: bool,
    ) -> Result<Vec<Difference>, Error> {
        let found = self.ask(async move |mut core| {
            let found = core.compare(&range, &rows, values).await;
            (core, found)
        })?;
        Ok(found.into_iter().map(difference).collect())
    }

    fn compare_keys(
        &self,
        keys: Vec<Vec<u8>>,
        rows: TableRows,
        values: bool,
    ) -> Result<Vec<Difference>, Error> {
        let found = self.ask(async move |mut core| {
            let found = core.compare_keys(&keys, &rows, values).await;
            (core, found)
        })?;
        Ok(found.into_iter().map(difference).collect())
    }

    fn repair(&self, keys: Vec<Vec<u8>>, rows: TableRows) -> Result<u32, Error> {
        let endpoint = self.endpoint.clone();
        self.ask(async move |mut core| {
            let written = match ready_to_write(&mut core, &endpoint).await {
                Ok(()) => core.repair(&keys, &rows).await,
                Err(error) => Err(error),
            };
            (core, written)
        })
    }

    fn keep(&self, report: String) -> Result<(), Error> {
        let endpoint = self.endpoint.clone();
        self.ask(async move |mut core| {
            let kept = match ready_to_write(&mut core, &endpoint).await {
                Ok(()) => core.keep(&report).await,
                Err(error) => Err(error),
            };
            (core, kept)
        })
    }
}

/// The contract's form of a difference.
fn difference(found: Differing) -> Difference {
    let (kind, columns) = match found.what {
        What::Missing => (DifferenceKind::Missing, Vec::new()),
        What::Surplus => (DifferenceKind::Surplus, Vec::new()),
        What::Columns(columns) => (DifferenceKind::Changed, columns),
    };
    let value = |(column, source, target)| DifferingValue {
        column,
        source,
        target,
    };
    Difference {
        key: found.key,
        key_text: found.key_text,
        kind,
        columns,
        values: found.values.into_iter().map(value).collect(),
    }
}
