// A plugin's own thread: makes instances, calls into them, and runs one side of the pipeline.
//
// Batches go from the source's thread to the sink's over a message port, their rows moved and not copied; acknowledgements come back over the same
// port. Both threads read it with receiveMessageOnPort, since neither returns to its event loop while it runs. The main thread sees neither.

import { parentPort, receiveMessageOnPort, workerData } from 'node:worker_threads';
import { failed } from './errors.js';
import { imports } from './imports.js';
import { logger } from './log.js';
import { ATTENTION, DRAIN, EVENT, INTERRUPTED, callFor, wake } from './shared.js';

/** A batch is closed when its rows reach this size. */
const BATCH_BYTES = 1 << 20;
/** How much may wait between the two sides, or one larger batch alone. */
const QUEUE_BYTES = 16 << 20;
/** The longest sleep in a plugin; and until the source has caught up, which it may learn from the server alone. */
const MAX_WAIT_MS = 500;
const MAX_WAIT_BEHIND_MS = 50;
const STATUS_MS = 1000;
/** How long a stop waits for what was accepted to be committed. */
const DRAIN_MS = 10_000;
/** Wall time of calls that may not return early, and of the others beyond the time that they were told to wait. */
const LONG_MS = 600_000;
const GRACE_MS = 120_000;
/** What records cost beside the bytes that they carry, roughly. */
const RECORD_BYTES = 256;

const { role, name, server, endpoint, control, other, queued, lane, code, modules, threshold } = workerData;
const post = (message) => parentPort.postMessage(message);
const log = logger(threshold, name);
const { call, interfaces } = imports({ name, server, endpoint, control, log, threshold, post });
const { instantiate } = await import(code);

/** One instance for all jobs: after an error in one of them this thread gets no other. */
const instance = instantiate((file) => modules[file], interfaces)[role];

/** A call into the plugin that may sleep for so long. */
function bounded(end, attention, body) {
  Object.assign(call, { end: performance.now() + end, attention, overdue: false });
  try {
    return body();
  } catch (error) {
    throw meaning(error);
  }
}

/** What the host ended, the host explains; the plugin only passed it on. */
function meaning(error) {
  if (Atomics.load(control, INTERRUPTED)) return { interrupted: true };
  if (call.overdue) return failed('retry', 'plugin.deadline', `a call into the ${role} plugin did not return in time`);
  if (!(error instanceof Error)) return { ...error, server: `${name} ${server.host}:${server.port}` };
  return failed('retry', 'plugin.trap', `the ${role} plugin crashed`, { detail: error.message, hint: 'a plugin must never do so: please report it, with the log lines before it' });
}

const jobs = {
  describe: () => bounded(GRACE_MS, false, () => instance.describe()),
  inspect: (config) => bounded(LONG_MS, false, () => instance.inspect(config)),
  check: (config, known) => bounded(LONG_MS, false, () => instance.check(config, known)),
  noteError: (config, report) => bounded(LONG_MS, false, () => instance.noteError(config, report)),
  run: role === 'source' ? runSource : runSink,
};

parentPort.on('message', ({ job, id, given }) => {
  try {
    post({ id, result: jobs[job](...given) });
  } catch (error) {
    post({ id, error: error instanceof Error ? meaning(error) : error });
  }
});

/** Reads, hands on, and tells the source what became durable. */
function runSource(config, resume, setPosition) {
  const { Reader } = instance;
  const reader = bounded(LONG_MS, false, () => Reader.open(config, resume, setPosition));
  post({ opened: true });
  let [begins, caughtUp] = [resume === undefined, false];

  const between = () => {
    // Forgotten first and looked for afterwards: what comes in between ends the next sleep at once.
    Atomics.store(control, ATTENTION, 0);
    if (Atomics.load(control, INTERRUPTED)) throw { interrupted: true };
    let newest;
    for (let next; (next = receiveMessageOnPort(lane)); ) newest = next.message;
    if (newest) bounded(GRACE_MS, false, () => reader.ack(newest));
    if (!caughtUp && bounded(GRACE_MS, false, () => reader.status()).caughtUp) {
      caughtUp = true;
      post({ caughtUp });
    }
  };

  for (;;) {
    between();
    const maxWaitMs = caughtUp ? MAX_WAIT_MS : MAX_WAIT_BEHIND_MS;
    const batch = bounded(maxWaitMs + GRACE_MS, true, () => reader.poll({ maxBytes: BATCH_BYTES, maxWaitMs }));
    if (batch === undefined) continue;
    const place = begins && batch.transactions.find(({ checkpoint }) => checkpoint)?.checkpoint;
    if (place) {
      post({ began: place });
      begins = false;
    }
    const size = sizeOf(batch);
    for (;;) {
      const event = Atomics.load(control, EVENT);
      const waiting = Atomics.load(queued, 0);
      if (waiting <= 0 || waiting + size <= QUEUE_BYTES) break;
      between();
      // A source that is not asked does not read: that is the backpressure.
      Atomics.wait(control, EVENT, event, MAX_WAIT_MS);
    }
    lane.postMessage({ batch, size }, [batch.rows.buffer]);
    // A sink that has more to take looks for itself.
    if (Atomics.add(queued, 0, size) <= 0) callFor(other);
  }
}

/** Takes batches when the plugin accepts one, lets it work, and passes on what became durable. */
function runSink(config) {
  const { Writer } = instance;
  const writer = bounded(LONG_MS, false, () => Writer.open(config));
  post({ opened: bounded(GRACE_MS, false, () => writer.resumeFrom()) });
  let [accepts, pending, next, said] = [true, false, undefined, 0];

  const look = () => {
    const found = next ? undefined : receiveMessageOnPort(lane)?.message;
    if (!found) return;
    next = found.batch;
    Atomics.sub(queued, 0, found.size);
    wake(other);
  };
  const tell = () => post({ status: bounded(GRACE_MS, false, () => writer.status()) });
  const work = (what, ms, attention) => {
    const progress = bounded(ms + GRACE_MS, attention, () => writer[what](ms));
    ({ accepts, pending } = progress);
    if (progress.durable === undefined) return;
    post({ durable: progress.durable.ordinal });
    lane.postMessage(progress.durable);
    callFor(other);
  };

  for (;;) {
    Atomics.store(control, ATTENTION, 0);
    if (Atomics.load(control, INTERRUPTED)) throw { interrupted: true };
    if (Atomics.load(control, DRAIN)) {
      const end = performance.now() + DRAIN_MS;
      while (pending && performance.now() < end) work('flush', MAX_WAIT_MS, false);
      tell();
      return pending;
    }
    look();
    if (accepts && next) {
      const batch = next;
      next = undefined;
      bounded(GRACE_MS, false, () => writer.apply(batch));
      look();
    }
    // While it may take more and more is there, it must not sleep.
    work('advance', accepts && next ? 0 : MAX_WAIT_MS, true);
    if (performance.now() - said > STATUS_MS) {
      said = performance.now();
      tell();
    }
  }
}

/** About how much memory a batch takes. */
function sizeOf({ tables, transactions, rows }) {
  let size = rows.length + RECORD_BYTES * (1 + transactions.length) + tables.reduce((sum, { columns }) => sum + RECORD_BYTES * (1 + columns.length / 4), 0);
  for (const { changes, checkpoint } of transactions) {
    size += checkpoint ? checkpoint.data.length + checkpoint.display.length : 0;
    for (const { tag, val } of changes) size += tag === 'statement' ? RECORD_BYTES + val.sql.length : RECORD_BYTES / 4;
  }
  return Math.ceil(size);
}
