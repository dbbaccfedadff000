// A pipeline: generations of plugin instances, one after the other.
//
// A generation opens the sink, reads the target's checkpoint, opens the source behind it, and lives until something fails. There is one cure then: both
// instances are thrown away, and after a pause a new generation begins from the checkpoint. The host keeps no state of its own.

import { forSink, forSource } from './config.js';
import { failed } from './errors.js';
import { Lane, Side, within } from './side.js';

const PAUSE_MS = 200;
const PAUSE_MAX_MS = 30_000;
/** Crashes in a row without progress after which a plugin is given up. */
const CRASHES = 5;
/** A generation that lived for so long counts as progress even if the source was idle. */
const SETTLED_MS = 60_000;
/** What a stop waits for at most: worker.js gives the target 10 s. */
const DRAIN_MS = 15_000;
/** What opening the stream says better, and with the right cure, than a check before it. */
const AT_OPENING = ['server.replica-id-in-use', 'source.binlog-purged', 'source.diverged', 'source.other-server'];

export class Pipeline {
  #stop;
  #checked = false;
  #reached = false;
  #known = false;
  #version;
  #began;
  #durable = 0n;
  #totals = { transactions: 0n, rows: 0n, groups: 0n };

  /** `about`: config, plugins, threshold. */
  constructor(about, log) {
    this.about = about;
    this.log = log;
    this.stopping = new Promise((done) => {
      this.#stop = done;
    });
  }

  /** Ends the run in order. */
  stop() {
    this.#stop('stopped');
  }

  /** Durable transactions, rows and groups of this run. */
  get totals() {
    return this.#totals;
  }

  /** Replicates until it is stopped, or with `untilCaughtUp` until what the source had at its opening is durable. Returns why it ended; throws what no new start cures. */
  async run(untilCaughtUp) {
    let [pause, crashes, newest] = [PAUSE_MS, 0, 0n];
    for (;;) {
      const begun = performance.now();
      try {
        return await this.#generation(untilCaughtUp);
      } catch (error) {
        if (error.interrupted) return 'stopped';
        // A target whose rows are locked was reached: the lock is most likely a killed predecessor's, which is still being rolled back.
        const reached = this.#reached || error.code === 'server.lock-wait-timeout';
        if (error.disposition !== 'retry' || !reached) throw error;
        if (this.#durable > newest || performance.now() - begun > SETTLED_MS) [pause, crashes, newest] = [PAUSE_MS, 0, this.#durable];
        if (error.code.startsWith('plugin.') && ++crashes >= CRASHES) throw error;
        this.log('warn', error.message, { code: error.code, server: error.server, errno: error.serverErrno, detail: error.detail, hint: error.hint, retry_in_ms: pause });
      }
      if ((await within(pause, this.stopping)) === 'stopped') return 'stopped';
      pause = Math.min(pause * 2, PAUSE_MAX_MS);
    }
  }

  async #generation(untilCaughtUp) {
    const shared = { ...this.about, lane: new Lane() };
    const events = { source: {}, sink: {} };
    const arrived = (role, name) => new Promise((done) => {
      events[role][name] = done;
    });
    const [resumption, streaming, caughtUp] = [arrived('sink', 'opened'), arrived('source', 'opened'), arrived('source', 'caughtUp')];
    events.source.began = (place) => (this.#began = place);
    events.sink.durable = (ordinal) => (this.#durable = ordinal);
    let status;
    events.sink.status = (now) => (status = now);
    const sides = Object.fromEntries(['source', 'sink'].map((role) => [role, new Side(role, shared, (message) => {
      for (const [name, value] of Object.entries(message)) events[role][name]?.(value);
    })]));
    const running = {};
    const start = (role, ...given) => {
      running[role] = sides[role].call('run', ...given);
      // It is looked at where it is waited for.
      running[role].catch(() => {});
    };
    const interrupted = this.stopping.then(() => Promise.reject({ interrupted: true }));
    interrupted.catch(() => {});
    const first = (...promises) => Promise.race([interrupted, ...Object.values(running), ...promises]);
    const { config } = this.about;
    try {
      this.#version ??= await first(agree(sides));
      if (!this.#checked) await first(this.#check(sides));
      this.#checked = true;
      start('sink', forSink(config, this.#version, this.#known));
      const from = await first(resumption);
      this.#resumes(from);
      start('source', forSource(config, this.#version, from.ahead), from.checkpoint, from.setPosition);
      await first(streaming);
      this.#reached = true;
      this.log('info', 'streaming');
      await first(caughtUp);
      this.log('info', 'caught up with what the source had when it was opened');
      if (!untilCaughtUp) await first();
      await this.#drain(sides, running);
      return 'caught up';
    } catch (error) {
      if (error.interrupted && running.source) await this.#drain(sides, running);
      throw error;
    } finally {
      await Promise.all(Object.values(sides).map((side) => side.end(running[side.role])));
      if (status) {
        this.#totals.transactions += status.transactionsApplied;
        this.#totals.rows += status.rowsApplied;
        this.#totals.groups += status.groupsCommitted;
      }
    }
  }

  /** Where the source is to begin. */
  #resumes(from) {
    const { config } = this.about;
    if (!from.checkpoint && this.#durable > 0n) {
      throw failed('fatal', 'checkpoint.removed', `the target no longer has the checkpoint of pipeline \`${config.name}\`, which it had while this host was running`, { hint: 'is it another server, or was the pipeline removed? To begin anew on purpose, start the host again' });
    }
    this.#known = true;
    if (from.checkpoint) this.#durable = from.checkpoint.ordinal;
    // Until a checkpoint is durable, a new generation begins where the first one did: "now" must not move on. Number 0 has the source write its beginning down again.
    if (!from.checkpoint && this.#began) from.checkpoint = { ...this.#began, ordinal: 0n };
    if (from.checkpoint) this.log('info', 'resuming', { checkpoint: from.checkpoint.display });
    else this.log('info', 'the target has no checkpoint: beginning where `start` says');
  }

  /** The source first, so that nothing new comes; then the sink commits what it has accepted. */
  async #drain(sides, running) {
    await sides.source.end(running.source);
    sides.sink.drain();
    const ended = running.sink.catch(({ code, message }) => {
      this.log('warn', `the plugin ended with an error of its own: ${message}`, { code });
      return true;
    });
    const left = await within(DRAIN_MS, ended);
    if (left !== false) this.log('info', 'not everything that was read could be committed in time; the next run reads it again');
  }

  /** The checks before the start: both plugins look at their servers, and what the source says of itself goes to the sink. */
  async #check({ source, sink }) {
    const { config } = this.about;
    const [ofSource, ofSink] = [forSource(config, this.#version), forSink(config, this.#version, false)];
    const { checkpoint } = await sink.call('inspect', ofSink);
    const { findings, facts } = await source.call('check', ofSource, checkpoint);
    const all = [...findings, ...(await sink.call('check', ofSink, facts))].filter(({ code }) => !AT_OPENING.includes(code));
    for (const { code, message, remedy } of all.filter(({ severity }) => severity === 'warning')) this.log('warn', message, { code, remedy });
    const [worst, ...rest] = all.filter(({ severity }) => severity === 'fatal');
    if (worst === undefined) return;
    const more = rest.map(({ code, message }) => `found as well: ${message} (${code})`);
    throw failed('reconfigure', worst.code, worst.message, { detail: [worst.reason, ...more].join('\n'), hint: worst.remedy ?? '`datain check` says more', table: worst.subjects.join(', ') || undefined });
  }

  /** Leaves the error that ends the run in the target, for `datain status`. */
  async leaveNote(error) {
    // The owner of the pipeline has an error of its own, or none.
    if (this.#version === undefined || ['checkpoint.fenced', 'checkpoint.removed', 'config.start-changed', 'server.replica-id-in-use', 'sink.stopped'].includes(error.code)) return;
    const { disposition: kind, code, message, detail, position, gtid, table, server, serverErrno: errno, sqlstate, hint } = error;
    const side = new Side('sink', { ...this.about, lane: new Lane() }, () => {});
    const noted = side.call('noteError', forSink(this.about.config, this.#version, this.#known), JSON.stringify({ kind, code, message, detail, position, gtid, table, server, errno, sqlstate, hint }));
    await within(DRAIN_MS, noted.catch(() => {}));
    await side.end();
  }
}

/** The highest version of the row block that the source writes and the sink reads. */
async function agree({ source, sink }) {
  const [writes, reads] = await Promise.all([source.call('describe'), sink.call('describe')]);
  const common = [...writes.rowBlockVersions].filter((version) => [...reads.rowBlockVersions].includes(version));
  if (common.length > 0) return Math.max(...common);
  throw failed('config', 'row-block.version', 'the two plugins know no common version of the row block', { hint: 'use source and sink plugins of the same release' });
}
