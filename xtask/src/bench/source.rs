//! `bench source`.
use crate::demo::interrupt::Interrupt;
use anyhow::{Result, bail};
use clap::Args;
use std::process::ExitCode;
#[derive(Args)]
pub(crate) struct Arguments {}
pub(super) fn run(_a: &Arguments, _i: &Interrupt) -> Result<ExitCode> {
    bail!("not yet")
}
