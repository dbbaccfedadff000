//! What the host keeps for one plugin instance: the store's data.

use std::sync::Arc;
use std::time::{Duration, Instant};

use rustix::time::{ClockId, clock_gettime};
use wasmtime::ResourceLimiter;

use super::imports::{LogGate, Output};
use crate::config::{Address, Config, Password, ServerConfig};
use crate::engine::Role;
use crate::transport::Connections;

/// The data of a plugin's store. Everything that its imports may reach is in here.
pub struct PluginState {
    pub(super) role: Role,
    pub(super) connections: Connections,
    pub(super) account: Account,
    pub(super) output: Output,
    pub(super) log: LogGate,
    pub(super) memory: MemoryLimit,
    pub(super) call: Call,
}

impl PluginState {
    pub(super) fn new(
        role: Role,
        config: &Config,
        server: &ServerConfig,
        connections: Connections,
    ) -> Self {
        Self {
            role,
            connections,
            account: Account {
                user: server.user.clone(),
                password: server.password.clone(),
            },
            output: Output::new(match &server.address {
                Address::Output(path) => Some(path.clone()),
                _ => None,
            }),
            log: LogGate::new(role, config.limits.log_lines_per_second),
            memory: MemoryLimit::new((config.limits.memory_mib as usize) << 20),
            call: Call::new(config.limits.call_cpu),
        }
    }
}

/// How long a plugin may still take to return once `wait` has told it to: it has nothing left to wait for.
const RETURN_TIME: Duration = Duration::from_secs(2);

/// Elements of all tables of a component together: they lie in the host's memory. datain's own plugins have about 2,000.
const TABLE_ELEMENTS: usize = 100_000;
/// Core instances, tables and memories of a component. A component of ours has two of the first, one of the others.
const INSTANCES: usize = 64;
const TABLES: usize = 64;
const MEMORIES: usize = 16;

/// The account of the plugin's endpoint.
pub(super) struct Account {
    pub user: String,
    pub password: Password,
}

/// How long the call under way may take, by the processor's clock and by the wall's.
pub(super) struct Call {
    cpu_limit: Duration,
    cpu_start: Duration,
    wall_end: Instant,
    /// Whether `wait` ended the call since `wall_end` had passed.
    pub(super) overdue: bool,
    /// Whether the host's wake-ups end a `wait`.
    pub(super) attention: bool,
}

impl Call {
    fn new(cpu_limit: Duration) -> Self {
        Self {
            cpu_limit,
            cpu_start: Duration::ZERO,
            wall_end: Instant::now(),
            overdue: false,
            attention: false,
        }
    }

    /// Begins a call that may sleep until `wall` has passed.
    pub(super) fn begin(&mut self, wall: Duration, attention: bool) {
        self.cpu_start = thread_cpu_time();
        self.wall_end = Instant::now() + wall;
        self.overdue = false;
        self.attention = attention;
    }

    /// Whether the call has used up its processor time. The thread's own clock stands still while the plugin waits and while
    /// other programs have the processor, so that a slow machine or network is never taken for an endless loop.
    pub(super) fn cpu_exhausted(&self) -> bool {
        thread_cpu_time().saturating_sub(self.cpu_start) > self.cpu_limit
    }

    /// Whether the call goes on although its time is over and it had time to return.
    pub(super) fn is_past_return(&self) -> bool {
        Instant::now() > self.wall_end + RETURN_TIME
    }

    /// Wall time that is left for sleeping.
    pub(super) fn wall_left(&self) -> Duration {
        self.wall_end.saturating_duration_since(Instant::now())
    }
}

fn thread_cpu_time() -> Duration {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    Duration::new(
        time.tv_sec.try_into().unwrap_or(0),
        time.tv_nsec.try_into().unwrap_or(0),
    )
}

/// Bounds the linear memory of all modules in the component together, and what else of the host's memory they are made of.
pub(super) struct MemoryLimit {
    limit: usize,
    used: usize,
    table_elements: usize,
    /// Whether growth was ever refused: it explains the trap that usually follows.
    pub(super) refused: bool,
}

impl MemoryLimit {
    fn new(limit: usize) -> Self {
        Self {
            limit,
            used: 0,
            table_elements: 0,
            refused: false,
        }
    }
}

impl ResourceLimiter for MemoryLimit {
    fn memory_growing(
        &mut self,
        current: usize,
        desired: usize,
        _maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        let used = self.used.saturating_add(desired.saturating_sub(current));
        if used > self.limit {
            self.refused = true;
            return Ok(false);
        }
        self.used = used;
        Ok(true)
    }

    fn table_growing(
        &mut self,
        current: usize,
        desired: usize,
        _maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        let elements = self
            .table_elements
            .saturating_add(desired.saturating_sub(current));
        if elements > TABLE_ELEMENTS {
            self.refused = true;
            return Ok(false);
        }
        self.table_elements = elements;
        Ok(true)
    }

    fn instances(&self) -> usize {
        INSTANCES
    }

    fn tables(&self) -> usize {
        TABLES
    }

    fn memories(&self) -> usize {
        MEMORIES
    }
}

/// Why the host stopped a running plugin.
#[derive(Debug, thiserror::Error)]
pub(super) enum Stopped {
    #[error("the call used up its processor time")]
    CpuLimit,
    #[error("the call did not return in time")]
    Deadline,
    #[error("the host ended the instance")]
    Killed,
}

/// Asked at every tick of the epoch while the plugin runs, and by `wait`, in which a plugin can spend all its time.
pub(super) fn may_go_on(state: &PluginState) -> Result<(), Stopped> {
    let waker = state.connections.waker();
    let told = waker.interrupted_for();
    if waker.is_killed() || told.is_some_and(|since| since > RETURN_TIME) {
        return Err(Stopped::Killed);
    }
    if state.call.is_past_return() {
        return Err(Stopped::Deadline);
    }
    if state.call.cpu_exhausted() {
        // One that was told to return, and asks again and again instead, is no endless loop of its own.
        return Err(if state.call.overdue {
            Stopped::Deadline
        } else {
            Stopped::CpuLimit
        });
    }
    Ok(())
}

/// The waker of an instance, by which other threads reach it.
pub(super) type SharedWaker = Arc<crate::transport::Waker>;
