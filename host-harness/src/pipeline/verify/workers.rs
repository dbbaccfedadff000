//! A thread for each side, so that both servers work at the same time. A plugin's instance stays on its thread; what is asked of it comes as jobs, one after the other.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::JoinHandle;

use super::super::Stop;
use super::super::components::Loaded;
use super::super::stop::Subscription;
use crate::error::{Error, Kind, Result};
use crate::plugin::{SinkExaminer, SourceExaminer};
use crate::transport::Waker;

type Job<E> = Box<dyn FnOnce(&mut E) + Send>;

/// One side.
pub(super) struct Worker<E> {
    jobs: Option<Sender<Job<E>>>,
    thread: Option<JoinHandle<()>>,
    waker: Arc<Waker>,
    /// Ends what is being waited for when the command is to end.
    _stopping: Subscription,
}

/// What a job will answer.
pub(super) struct Answer<R>(Receiver<Result<R>>);

/// Both sides.
pub(super) struct Pair {
    pub(super) source: Worker<SourceExaminer>,
    pub(super) sink: Worker<SinkExaminer>,
}

impl Pair {
    /// Opens both; `only`: patterns of the tables that are compared.
    pub(super) fn open(loaded: &Arc<Loaded>, only: &[String], stop: &Stop) -> Result<Self> {
        let (plugins, tables) = (Arc::clone(loaded), only.to_vec());
        let (source, source_opened) = Worker::start("datain-source", stop, move |waker| {
            SourceExaminer::open(&plugins.source, waker, &tables)
        })?;
        let (plugins, tables) = (Arc::clone(loaded), only.to_vec());
        let (sink, sink_opened) = Worker::start("datain-sink", stop, move |waker| {
            SinkExaminer::open(&plugins.sink, waker, &tables)
        })?;
        source_opened.wait()?;
        sink_opened.wait()?;
        Ok(Self { source, sink })
    }
}

impl<E: 'static> Worker<E> {
    /// Starts the thread, which opens the instance; the answer says how that went.
    fn start(
        name: &str,
        stop: &Stop,
        open: impl FnOnce(Arc<Waker>) -> Result<E> + Send + 'static,
    ) -> Result<(Self, Answer<()>)> {
        let waker = Arc::new(Waker::new()?);
        let (jobs, list) = channel::<Job<E>>();
        let (opened, answer) = channel();
        let for_instance = Arc::clone(&waker);
        let body = move || {
            let mut instance = match open(for_instance) {
                Ok(instance) => instance,
                Err(error) => {
                    let _ = opened.send(Err(error));
                    return;
                }
            };
            let _ = opened.send(Ok(()));
            while let Ok(job) = list.recv() {
                job(&mut instance);
            }
        };
        let thread = std::thread::Builder::new()
            .name(name.to_owned())
            .spawn(body)
            .map_err(|e| {
                Error::new(
                    Kind::Retry,
                    "host.resources",
                    "failed to start a thread for the comparison",
                )
                .detail(e.to_string())
            })?;
        let shared = Arc::clone(&waker);
        let worker = Self {
            jobs: Some(jobs),
            thread: Some(thread),
            waker,
            _stopping: stop.subscribe(move || shared.interrupt()),
        };
        Ok((worker, Answer(answer)))
    }

    /// Puts a job behind those that wait.
    pub(super) fn ask<R: Send + 'static>(
        &self,
        job: impl FnOnce(&mut E) -> Result<R> + Send + 'static,
    ) -> Answer<R> {
        let (sender, answer) = channel();
        let job: Job<E> = Box::new(move |instance| {
            // Who has asked may have gone on without the answer.
            let _ = sender.send(job(instance));
        });
        if let Some(jobs) = &self.jobs {
            let _ = jobs.send(job);
        }
        Answer(answer)
    }

    /// Asks and waits.
    pub(super) fn get<R: Send + 'static>(
        &self,
        job: impl FnOnce(&mut E) -> Result<R> + Send + 'static,
    ) -> Result<R> {
        self.ask(job).wait()
    }
}

impl<R> Answer<R> {
    /// Waits for it.
    pub(super) fn wait(self) -> Result<R> {
        self.0.recv().unwrap_or_else(|_| {
            Err(Error::new(
                Kind::Fatal,
                "host.panic",
                "a thread of the comparison ended without an answer",
            ))
        })
    }
}

impl<E> Drop for Worker<E> {
    /// Ends what is being waited for, and the thread.
    fn drop(&mut self) {
        self.jobs = None;
        self.waker.interrupt();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
