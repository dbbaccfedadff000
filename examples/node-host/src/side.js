// One plugin's thread, seen from the main thread.

import { Worker } from 'node:worker_threads';
import { failed } from './errors.js';
import { DRAIN, INTERRUPTED, callFor, wake, words } from './shared.js';
import { Sockets } from './sockets.js';

const ENDPOINT = { source: 'source', sink: 'target' };
const POLICY = { disabled: 'disabled', preferred: 'preferred' };
/** How long a thread may take to end after it was interrupted. */
const END_MS = 5000;

/** What both sides share: the words of both, and the port between them. */
export class Lane {
  constructor() {
    const { port1, port2 } = new MessageChannel();
    this.controls = { source: words(5), sink: words(5) };
    this.ports = { source: port1, sink: port2 };
    this.queued = words(1);
  }
}

export class Side {
  #calls = new Map();
  #numbers = 0;

  /** `heard` gets what the thread says by itself while it runs. */
  constructor(role, { config, plugins, lane, threshold }, heard) {
    const name = ENDPOINT[role];
    const server = config[name];
    this.role = role;
    this.control = lane.controls[role];
    this.sockets = new Sockets(name, server, this.control);
    this.worker = new Worker(new URL('./worker.js', import.meta.url), {
      workerData: {
        role, name, server, threshold, ...plugins[role],
        endpoint: { tls: POLICY[server.tls] ?? 'required', getServerPublicKey: server.get_server_public_key },
        control: this.control, other: lane.controls[role === 'source' ? 'sink' : 'source'], queued: lane.queued, lane: lane.ports[role],
      },
      transferList: [lane.ports[role]],
    });
    const crashed = (reason) => {
      const error = failed('retry', 'plugin.trap', `the thread of the ${role} plugin ended`, { detail: reason, hint: 'a plugin must never do so: please report it, with the log lines before it' });
      for (const { reject } of this.#calls.values()) reject(error);
      this.#calls.clear();
    };
    this.worker.on('error', (error) => crashed(error.message));
    this.ended = new Promise((done) => {
      this.worker.on('exit', (code) => {
        crashed(`exit code ${code}`);
        this.sockets.closeAll();
        done();
      });
    });
    this.worker.on('message', (message) => {
      if (this.sockets.take(message)) return;
      const call = this.#calls.get(message.id);
      if (call === undefined) return heard(message);
      this.#calls.delete(message.id);
      if (message.error) call.reject(message.error);
      else call.resolve(message.result);
    });
  }

  /** Has the thread do a job of worker.js. */
  call(job, ...given) {
    return new Promise((resolve, reject) => {
      const id = this.#numbers++;
      this.#calls.set(id, { resolve, reject });
      this.worker.postMessage({ job, id, given });
    });
  }

  /** Commit what was accepted, then end. */
  drain() {
    Atomics.store(this.control, DRAIN, 1);
    callFor(this.control);
  }

  interrupt() {
    Atomics.store(this.control, INTERRUPTED, 1);
    wake(this.control);
  }

  /** Ends the thread, by force if it does not listen. */
  async end(running) {
    this.interrupt();
    if (running) await within(END_MS, running.catch(() => {}));
    await this.worker.terminate();
    await this.ended;
  }
}

/** Waits for it, but no longer than so. */
export function within(ms, promise) {
  let timer;
  const late = new Promise((done) => {
    timer = setTimeout(done, ms);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}
