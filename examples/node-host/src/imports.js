// The five interfaces that a plugin imports (wit/), on the plugin's own thread.
//
// Nothing here asks the main thread and waits for its answer: reads, writes and `wait` look at the connection's shared block (shared.js), and what the
// main thread is to do (connect, begin TLS, send, close) is a message without a reply. So the only sleep is `wait`, in Atomics.wait.

import { randomFillSync } from 'node:crypto';
import { ATTENTION, Block, CLOSED, EVENT, FAILURE, HANDSHAKE, INTERRUPTED, OVERFULL, PHASE, PLAIN, RUNG, TLS } from './shared.js';
import { password } from './config.js';
import { failed } from './errors.js';
import { limited } from './log.js';

/** The most that one read hands out, whatever was asked for. */
const READ_MAX = 256 * 1024;
const CONNECTIONS_MAX = 64;
/** The contract's own bound. */
const RANDOM_MAX = 65_536;

const netFailure = (code, message) => ({ tag: 'failed', val: { code, message } });

/** The imports, and `call`: until when the present call may sleep, and whether a call for attention ends its sleep. */
export function imports({ name, server, endpoint, control, log, threshold, post }) {
  const call = { end: Infinity, attention: false, overdue: false, sleeps: 0 };
  let [open, numbers] = [0, 0];

  const ring = () => {
    if (Atomics.exchange(control, RUNG, 1) === 0) post({ rung: true });
  };

  class Connection {
    static connect(asked) {
      if (asked !== name) throw netFailure('net.endpoint-unknown', `this plugin may connect to the endpoint "${name}" only, not to "${asked}"`);
      if (open >= CONNECTIONS_MAX) throw netFailure('net.limit', `the plugin already has ${open} open connections`);
      open += 1;
      return new Connection();
    }

    constructor() {
      this.block = new Block();
      this.number = numbers++;
      post({ connect: this.number, memory: this.block.memory });
    }

    endpoint() {
      return endpoint;
    }

    startTls() {
      this.#check();
      if (endpoint.tls === 'disabled') throw netFailure('tls.failed', `the configuration disables TLS for the ${name}`);
      if (this.block.get(PHASE) !== PLAIN) throw netFailure('tls.failed', 'start-tls was called on a connection that is not a plain, standing one');
      this.block.set(PHASE, HANDSHAKE);
      post({ startTls: this.number });
    }

    secure() {
      return this.block.get(PHASE) === TLS;
    }

    read(max) {
      const { incoming } = this.block;
      // Looked at before the bytes: what came before the end is read before the end is told.
      const closed = this.block.get(CLOSED);
      if (incoming.filled > 0) {
        const val = incoming.pop(Math.min(Math.max(max, 1), READ_MAX));
        if (this.block.get(OVERFULL)) ring();
        return { tag: 'data', val };
      }
      this.#check();
      return { tag: closed ? 'closed' : 'would-block' };
    }

    write(data) {
      this.#check();
      if (!this.#stands()) return 0;
      const taken = this.block.outgoing.push(data);
      if (taken > 0) ring();
      return taken;
    }

    [Symbol.dispose ?? Symbol.for('dispose')]() {
      open -= 1;
      post({ close: this.number });
    }

    /** Whether the plugin's interest is met. A failure always is news. */
    isReady({ readable, writable }) {
      if (this.block.get(FAILURE) > 0) return true;
      if (readable && (this.block.incoming.filled > 0 || this.block.get(CLOSED))) return true;
      return writable && this.#stands() && this.block.outgoing.room > 0;
    }

    #stands() {
      const phase = this.block.get(PHASE);
      return phase === PLAIN || phase === TLS;
    }

    #check() {
      const failure = this.block.failure();
      if (failure) throw { tag: 'failed', val: failure };
    }
  }

  function wait(connections, timeoutMs) {
    const end = performance.now() + timeoutMs;
    for (;;) {
      const event = Atomics.load(control, EVENT);
      // Flags before sockets: a plugin whose sockets are always ready must still hear the host.
      if (Atomics.load(control, INTERRUPTED)) throw { tag: 'interrupted' };
      if (call.attention && Atomics.exchange(control, ATTENTION, 0)) return [];
      const ready = connections.flatMap(([connection, interest], index) => (connection.isReady(interest) ? [index] : []));
      if (ready.length > 0) return ready;
      const now = performance.now();
      if (now >= call.end) {
        call.overdue = true;
        throw { tag: 'interrupted' };
      }
      if (now >= end) return [];
      call.sleeps += 1;
      Atomics.wait(control, EVENT, event, Math.min(end, call.end) - now);
    }
  }

  const write = limited(log);
  return {
    call,
    interfaces: {
      'datain:replication/transport': { Connection, wait },
      'datain:replication/system': {
        nowUnixMicros: () => BigInt(Date.now()) * 1000n,
        monotonicNanos: () => process.hrtime.bigint(),
        randomBytes(length) {
          if (length > RANDOM_MAX) throw new RangeError(`${length} random bytes at a call are more than ${RANDOM_MAX}`);
          return randomFillSync(new Uint8Array(length));
        },
      },
      'datain:replication/log': {
        log: (level, message, fields) => write(level, message, Object.fromEntries(fields)),
        threshold: () => threshold,
      },
      'datain:replication/credentials': {
        get(asked) {
          if (asked !== name) throw failed('fatal', 'config.endpoint-unknown', `this plugin may ask for the credential of "${name}" only, not of "${asked}"`);
          return { user: server.user, password: password(server) };
        },
      },
    },
  };
}
