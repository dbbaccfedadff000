//! The export `source-cutover`. Each call has a session of its own, since the server may be away between two of them.

use std::time::Duration;

use datain_capture::cutover::{end, held_back, numbers, writes};
use datain_capture::facts::Facts;
use datain_contract::types::{Checkpoint, Definition, Error, NextNumber};
use datain_plugin_runtime::clock::Moment;
use datain_plugin_runtime::executor::Task;
use datain_plugin_runtime::session;

use crate::bindings::exports::datain::replication::source_cutover::{End, Guest, LookOut};
use crate::config::Config;
use crate::export::Source;

/// How long a question or an order may take: nobody can write to the source while it does.
const TIME: Duration = Duration::from_secs(60);

/// One task, within the time.
fn once<T, F>(config: &str, task: impl FnOnce(Config) -> F) -> Result<T, Error>
where
    T: 'static,
    F: Future<Output = Result<T, Error>> + 'static,
{
    datain_plugin_runtime::start();
    let config = Config::parse(config)?;
    session::finish(Task::new(task(config)), Moment::now().after(TIME))
}

impl Guest for Source {
    fn look(config: String, stops_writes: bool) -> Result<LookOut, Error> {
        once(&config, move |config| async move {
            let mut source = session::connect(&config.endpoint, |_| {}).await?;
            let found = writes::look(&mut source, stops_writes).await?;
            Ok(LookOut {
                writes_stopped: found.writes_stopped,
                settings: found.settings,
                findings: found.findings,
            })
        })
    }

    fn stop_writes(config: String) -> Result<(), Error> {
        once(&config, |config| async move {
            let mut source = session::connect(&config.endpoint, |_| {}).await?;
            writes::stop(&mut source).await
        })
    }

    fn allow_writes(config: String, settings: Vec<u8>) -> Result<(), Error> {
        once(&config, move |config| async move {
            let mut source = session::connect(&config.endpoint, |_| {}).await?;
            writes::allow(&mut source, &settings).await
        })
    }

    fn end_of_log(config: String) -> Result<End, Error> {
        once(&config, |config| async move {
            let mut source = session::connect(&config.endpoint, |_| {}).await?;
            let Checkpoint { data, display, .. } = end::of_log(&mut source).await?;
            Ok(End { data, display })
        })
    }

    fn has_passed(config: String, checkpoint: Checkpoint, end: End) -> Result<bool, Error> {
        once(&config, move |config| async move {
            let End { data, display } = end;
            let end = Checkpoint {
                ordinal: 0,
                data,
                display,
            };
            if let Some(passed) = end::judge(&checkpoint, &end)? {
                return Ok(passed);
            }
            let mut source = session::connect(&config.endpoint, |_| {}).await?;
            end::has_passed(&mut source, &checkpoint, &end).await
        })
    }

    fn definitions(config: String) -> Result<Vec<Definition>, Error> {
        once(&config, |config| async move {
            let mut source = session::connect(&config.endpoint, |_| {}).await?;
            let facts = Facts::ask(&mut source).await?;
            let filter = config.settings.filter(&facts)?;
            held_back::definitions(&mut source, &filter, config.settings.definer).await
        })
    }

    fn next_numbers(config: String) -> Result<Vec<NextNumber>, Error> {
        once(&config, |config| async move {
            let mut source = session::connect(&config.endpoint, |_| {}).await?;
            let facts = Facts::ask(&mut source).await?;
            let filter = config.settings.filter(&facts)?;
            numbers::next(&mut source, &filter).await
        })
    }
}
