//! What is looked at before the source's writes are stopped, and once more after: nothing that could stop the cutover later may be left to be found out then.

use super::{Cutover, Ended, reverse};
use crate::bindings::types::{self, Definition, NextNumber};
use crate::engine::Role;
use crate::error::Result;
use crate::pipeline::preflight::{self, Finding, Severity};

use super::state::Stage;

/// What the target is to get.
pub(super) struct Wanted {
    pub definitions: Vec<Definition>,
    pub numbers: Vec<NextNumber>,
}

impl Cutover<'_> {
    /// Looks at both servers. With none, nothing stands in the way; warnings are kept for the report.
    pub(super) fn look_before(&mut self) -> Result<Option<Ended>> {
        let target = self.sink()?.inspect()?;
        if target.epoch == 0 && target.checkpoint.is_none() {
            return Ok(Some(Ended::Refused(vec![self.of_host(
                Role::Sink,
                "cutover.no-pipeline",
                format!("the target knows no pipeline {:?}", self.config.name),
                "datain run -c FILE begins it; a cutover is its end",
            )])));
        }
        let mut found = Vec::new();
        if target.stopped_at_micros.is_some() {
            found.push(self.of_host(
                Role::Sink,
                "cutover.pipeline-stopped",
                "a person has stopped the pipeline, so it cannot catch up".to_owned(),
                "datain start -c FILE",
            ));
        }
        let reverse = reverse::path(&self.options.file);
        if reverse.exists() {
            found.push(self.of_host(
                Role::Sink,
                "cutover.reverse-exists",
                format!("{} is there already; the cutover would write the configuration of the way back there", reverse.display()),
                "move it away",
            ));
        }
        self.allowed = self.options.set_read_only || self.state.note.made_read_only.is_some();
        let mut look = self.source()?.look_at_writes(true)?;
        if !look.writes_stopped && !self.allowed {
            self.allowed = self.watcher.may_set_read_only();
            if !self.allowed {
                found.push(self.of_host(
                    Role::Source,
                    "cutover.source-writable",
                    "the source is written to".to_owned(),
                    "datain cutover -c FILE --set-source-read-only makes it read-only when everything is ready; or make it so yourself (SET GLOBAL super_read_only = ON) and run the command again",
                ));
                // Who makes it so himself needs no privilege of datain's account.
                look.findings
                    .retain(|finding| finding.code != "cutover.source-rights");
            }
        }
        self.add(&mut found, look.findings, Role::Source);
        // Their absence is told by what reads them.
        let wanted = self.wanted()?;
        let findings = self
            .sink()?
            .look_at_cutover(&wanted.definitions, &wanted.numbers)?;
        self.add(&mut found, findings, Role::Sink);
        Ok(self.judge(found))
    }

    /// Looks again when nobody can write to the source any more. Something may have changed since the first look.
    pub(super) fn look_after_stop(&mut self) -> Result<std::result::Result<Wanted, Ended>> {
        let look = self.source()?.look_at_writes(false)?;
        if !look.writes_stopped {
            return Err(super::writable());
        }
        let wanted = self.wanted()?;
        let mut found = Vec::new();
        self.add(&mut found, look.findings, Role::Source);
        let findings = self
            .sink()?
            // How rows are numbered there was looked at before, and takes long with many tables.
            .look_at_cutover(&wanted.definitions, &[])?;
        self.add(&mut found, findings, Role::Sink);
        Ok(match self.judge(found) {
            None => Ok(wanted),
            Some(refused) => Err(refused),
        })
    }

    /// Reads from the source what the target is to get.
    pub(super) fn wanted(&self) -> Result<Wanted> {
        let mut source = self.source()?;
        Ok(Wanted {
            definitions: source.held_back_definitions()?,
            numbers: source.next_numbers()?,
        })
    }

    fn add(&self, found: &mut Vec<Finding>, findings: Vec<types::Finding>, role: Role) {
        found.extend(findings.into_iter().map(|f| preflight::finding(f, role)));
    }

    fn judge(&mut self, mut found: Vec<Finding>) -> Option<Ended> {
        found.sort_by_key(|finding| std::cmp::Reverse(finding.severity));
        if found
            .iter()
            .any(|finding| finding.severity == Severity::Fatal)
        {
            return Some(Ended::Refused(found));
        }
        found.retain(|finding| !self.warnings.contains(finding));
        self.warnings.extend(found);
        // Later looks and earlier commands say the same.
        debug_assert!(!self.state.has_reached(Stage::Done));
        None
    }

    fn of_host(&self, role: Role, code: &str, message: String, remedy: &str) -> Finding {
        let found = types::Finding {
            severity: types::Severity::Fatal,
            code: code.to_owned(),
            message,
            reason: String::new(),
            remedy: Some(remedy.to_owned()),
            subjects: Vec::new(),
        };
        preflight::finding(found, role)
    }
}
