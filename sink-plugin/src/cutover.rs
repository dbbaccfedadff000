//! The export `sink-cutover`. Each call has a session of its own.

use datain_apply::checkpoint::cutovers;
use datain_apply::cutover::{look, make, numbers, place};
use datain_contract::types::{Definition, Error, Finding, NextNumber};
use datain_plugin_runtime::session;

use crate::bindings::exports::datain::replication::sink_cutover::{
    Consequences, Guest, KnownProgress, Made, Place, Progress,
};
use crate::export::{Sink, once};

impl Guest for Sink {
    fn known(config: String) -> Result<Option<KnownProgress>, Error> {
        once(&config, |config| async move {
            let mut target = session::connect(&config.endpoint, |_| {}).await?;
            let known = cutovers::known(&mut target, &config.stream).await?;
            Ok(known.map(|known| KnownProgress {
                progress: Progress {
                    stage: known.progress.stage,
                    note: known.progress.note,
                    bars_start: known.progress.bars_start,
                },
                revision: known.revision,
                began_at_micros: known.began_at_micros,
                changed_at_micros: known.changed_at_micros,
            }))
        })
    }

    fn set_progress(
        config: String,
        seen: u64,
        next: Option<Progress>,
        consequences: Consequences,
    ) -> Result<u64, Error> {
        once(&config, move |config| async move {
            let next = next.map(|next| cutovers::Progress {
                stage: next.stage,
                note: next.note,
                bars_start: next.bars_start,
            });
            let consequences = cutovers::Consequences {
                stop: consequences.contains(Consequences::STOP),
                start: consequences.contains(Consequences::START),
                settle: consequences.contains(Consequences::SETTLE),
            };
            let mut target = session::connect(&config.endpoint, |_| {}).await?;
            cutovers::set(
                &mut target,
                &config.stream,
                seen,
                next.as_ref(),
                consequences,
            )
            .await
        })
    }

    fn look(
        config: String,
        definitions: Vec<Definition>,
        numbers: Vec<NextNumber>,
    ) -> Result<Vec<Finding>, Error> {
        once(&config, move |config| async move {
            let mut target = session::connect(&config.endpoint, |_| {}).await?;
            let wanted = look::Wanted {
                stream: &config.stream,
                definitions,
                numbers: &numbers,
                choices: config.choices(),
            };
            look::look(&mut target, wanted).await
        })
    }

    fn make(
        config: String,
        definitions: Vec<Definition>,
        kind: String,
    ) -> Result<Vec<Made>, Error> {
        once(&config, move |config| async move {
            let mut target = session::connect(&config.endpoint, |_| {}).await?;
            let made = make::make(&mut target, definitions, &kind, config.choices()).await?;
            Ok(made
                .into_iter()
                .map(|one| Made {
                    kind: one.kind,
                    name: one.name,
                    found: one.found,
                })
                .collect())
        })
    }

    fn raise_next_numbers(config: String, wanted: Vec<NextNumber>) -> Result<Vec<String>, Error> {
        once(&config, move |config| async move {
            let mut target = session::connect(&config.endpoint, |_| {}).await?;
            numbers::raise(&mut target, &wanted).await
        })
    }

    fn own_place(config: String) -> Result<Option<Place>, Error> {
        once(&config, |config| async move {
            let mut target = session::connect(&config.endpoint, |_| {}).await?;
            let place = place::own(&mut target).await?;
            Ok(place.map(|place| Place {
                file: place.file,
                position: place.position,
                gtid_set: place.gtid_set,
            }))
        })
    }
}
