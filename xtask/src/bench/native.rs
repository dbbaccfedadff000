//! MySQL's own replica.

use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use datain_throwaway_servers::{Client, ROOT_PASSWORD, Server};

use crate::demo::interrupt::Interrupt;

/// A replica that is set up and stopped.
pub(super) struct Native {
    client: Client,
}

impl Native {
    /// Tells the target whose replica it is.
    pub(super) fn prepare(
        source: &Server,
        target: &Server,
        workers: u32,
        tls: bool,
    ) -> Result<Self> {
        let mut client = target.client();
        let way = match tls {
            true => "SOURCE_SSL = 1",
            false => "SOURCE_SSL = 0, GET_SOURCE_PUBLIC_KEY = 1",
        };
        client.execute(&format!(
            "SET GLOBAL replica_parallel_workers = {workers};
             CHANGE REPLICATION SOURCE TO SOURCE_HOST = '127.0.0.1', SOURCE_PORT = {}, SOURCE_USER = 'root', \
             SOURCE_PASSWORD = '{ROOT_PASSWORD}', SOURCE_AUTO_POSITION = 1, {way}",
            source.port()
        ))?;
        Ok(Self { client })
    }

    pub(super) fn start(&mut self) -> Result<()> {
        self.client.execute("START REPLICA")?;
        Ok(())
    }

    /// Waits until the target has executed this set.
    pub(super) fn wait_for(
        &mut self,
        set: &str,
        patience: Duration,
        interrupt: &Interrupt,
    ) -> Result<()> {
        let deadline = Instant::now() + patience;
        loop {
            // It returns as soon as it is so, and looks up once a second for the sake of errors and Ctrl-C.
            let answer = self
                .client
                .execute(&format!("SELECT WAIT_FOR_EXECUTED_GTID_SET('{set}', 1)"))?;
            if answer.lines().last() == Some("0") {
                return Ok(());
            }
            interrupt.check()?;
            self.check()?;
            if Instant::now() > deadline {
                bail!(
                    "the replica has not caught up after {} s",
                    patience.as_secs()
                );
            }
        }
    }

    /// An error when the replica has stopped with one.
    fn check(&mut self) -> Result<()> {
        let errors = self.client.execute(
            "SELECT LAST_ERROR_MESSAGE FROM performance_schema.replication_connection_status WHERE LAST_ERROR_NUMBER <> 0
             UNION ALL SELECT LAST_ERROR_MESSAGE FROM performance_schema.replication_applier_status_by_worker WHERE LAST_ERROR_NUMBER <> 0",
        )?;
        match errors.lines().nth(1) {
            Some(error) => bail!("the replica has stopped: {error}"),
            None => Ok(()),
        }
    }

    pub(super) fn stop(&mut self) -> Result<()> {
        self.client
            .execute("STOP REPLICA")
            .context("failed to stop the replica")?;
        Ok(())
    }
}
