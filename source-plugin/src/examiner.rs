//! The resource `examiner`: a comparison's questions to the source, one at a time on one session ([`datain_capture::examine`]).
//!
//! Each question is a task that owns the session and gives it back with the answer. A digest may take longer than one call: its task then waits for the next call with the same question.

use std::cell::RefCell;
use std::time::Duration;

use datain_capture::examine::{Examiner as Examination, filters};
use datain_contract::ErrorExt as _;
use datain_contract::types::{Checkpoint, Error, KeyRange, TableDigest, TableRows};
use datain_plugin_runtime::clock::Moment;
use datain_plugin_runtime::executor::{Slice, Task};
use datain_plugin_runtime::session;
use datain_plugin_runtime::stream::HostStream;

use crate::bindings::exports::datain::replication::source::{
    ComparedTable, Examiner as ExaminerHandle, GuestExaminer, TablePart, TableShape,
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

fn busy() -> Error {
    Error::fatal(
        "source.closed",
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
        let open = Task::new(async move {
            let mut source = session::connect(&config.endpoint, |_| {}).await?;
            let (filter, only) = filters(&mut source, &config.settings, &config.only).await?;
            Examination::open(source, filter, only).await
        });
        let core = session::finish(open, Moment::now().after(TIME))?;
        Ok(ExaminerHandle::new(Examiner {
            core: RefCell::new(Some(core)),
            digest: RefCell::new(None),
        }))
    }

    fn tables(&self) -> Result<Vec<ComparedTable>, Error> {
        let listed = self.ask(async |mut core| {
            let listed = core.tables().await;
            (core, listed)
        })?;
        let compared = listed.into_iter().map(|table| ComparedTable {
            schema: table.schema,
            name: table.name,
            estimated_rows: table.estimated_rows,
        });
        Ok(compared.collect())
    }

    fn begin(
        &self,
        schema: String,
        name: String,
        strong: bool,
    ) -> Result<Option<TableShape>, Error> {
        let shape = self.ask(async move |mut core| {
            let shape = core.begin(&schema, &name, strong).await;
            (core, shape)
        })?;
        Ok(shape.map(|(data, ranged)| TableShape { data, ranged }))
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

    fn read(&self, range: KeyRange, max_bytes: u32) -> Result<TablePart, Error> {
        let part = self.ask(async move |mut core| {
            let part = core.read(&range, max_bytes as usize).await;
            (core, part)
        })?;
        Ok(TablePart {
            rows: part.rows,
            range: part.range,
        })
    }

    fn read_keys(&self, keys: Vec<Vec<u8>>, hold: bool) -> Result<TableRows, Error> {
        self.ask(async move |mut core| {
            let rows = core.read_keys(&keys, hold).await;
            (core, rows)
        })
    }

    fn release(&self) -> Result<(), Error> {
        self.ask(async |mut core| {
            let released = core.release().await;
            (core, released)
        })
    }

    fn mark(&self) -> Result<Vec<u8>, Error> {
        let mark = self.ask(async |mut core| {
            let mark = core.mark().await;
            (core, mark)
        })?;
        Ok(mark.to_bytes())
    }

    fn covers(&self, checkpoint: Checkpoint, mark: Vec<u8>) -> Result<bool, Error> {
        self.ask(async move |mut core| {
            let covers = core.covers(&checkpoint, &mark).await;
            (core, covers)
        })
    }
}
