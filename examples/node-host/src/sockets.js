// The sockets of one plugin instance, on the main thread: what the instance's connections (imports.js) leave in shared memory goes out, what comes in is put there.

import { connect, isIP } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { pem } from './config.js';
import { Block, CLOSED, OVERFULL, PHASE, PLAIN, RUNG, TLS, wake } from './shared.js';

/** Bytes that are handed to node at once, and how many it may hold before more is taken. */
const SEND = 256 * 1024;
const KEEPALIVE_MS = 30_000;

/** All sockets of one instance. */
export class Sockets {
  constructor(name, server, control) {
    [this.name, this.server, this.control, this.open] = [name, server, control, new Map()];
  }

  /** What the instance asks for; false if that is no affair of sockets. */
  take({ connect, memory, startTls, close, rung }) {
    if (connect !== undefined) this.open.set(connect, new Socket(this, new Block(memory)));
    else if (startTls !== undefined) this.open.get(startTls)?.startTls();
    else if (close !== undefined) this.close(close);
    else if (rung) this.move();
    else return false;
    return true;
  }

  close(number) {
    this.open.get(number)?.close();
    this.open.delete(number);
  }

  closeAll() {
    for (const number of [...this.open.keys()]) this.close(number);
  }

  move() {
    // Forgotten first and looked for afterwards.
    Atomics.store(this.control, RUNG, 0);
    for (const socket of this.open.values()) {
      socket.send();
      socket.fill();
    }
  }
}

class Socket {
  constructor({ name, server, control }, block) {
    Object.assign(this, { name, server, control, block, rest: undefined, full: false, ended: false });
    const { host, port } = server;
    this.#begin('connecting to');
    this.stream = connect({ host, port, noDelay: true, keepAlive: true, keepAliveInitialDelay: KEEPALIVE_MS });
    this.stream.once('connect', () => this.#stands(PLAIN));
    this.#listen();
  }

  /** Up to TLS in mid-stream: what was written before has gone to the socket first. */
  startTls() {
    this.send();
    const { server, stream: plain } = this;
    plain.write('', () => {
      if (plain.destroyed) return;
      let files;
      try {
        files = Object.fromEntries(['ca', 'cert', 'key'].filter((key) => server[key]).map((key) => [key, pem(server, this.name, key)]));
      } catch (error) {
        this.#fail(error.code, error.message, error.hint);
        return;
      }
      for (const [event, listener] of Object.entries(this.listeners)) plain.off(event, listener);
      plain.on('error', this.listeners.error);
      this.#begin('the TLS handshake with');
      this.stream = connectTls({
        socket: plain,
        host: server.host,
        servername: isIP(server.host) ? undefined : server.host,
        // As MySQL's own clients: without verification any certificate will do, with verify-ca any name.
        rejectUnauthorized: server.tls.startsWith('verify'),
        ...(server.tls === 'verify-identity' ? {} : { checkServerIdentity: () => undefined }),
        ...files,
      });
      this.stream.once('secureConnect', () => this.#stands(TLS));
      this.#listen();
    });
  }

  /** From the plugin to the server, until node holds enough. */
  send() {
    const { outgoing } = this.block;
    let sent = false;
    while (!this.full && outgoing.filled > 0 && !this.stream.destroyed) {
      this.full = !this.stream.write(outgoing.pop(SEND));
      sent = true;
    }
    if (sent) wake(this.control);
  }

  /** From the server to the plugin, as far as there is room. A plugin that does not read stops the server. */
  fill() {
    if (this.rest === undefined) return;
    for (;;) {
      this.rest = this.rest.subarray(this.block.incoming.push(this.rest));
      if (this.rest.length === 0) break;
      this.stream.pause();
      if (this.block.get(OVERFULL)) return;
      // Said first and looked once more, so that room which came in between is seen.
      this.block.set(OVERFULL, 1);
    }
    this.block.set(OVERFULL, 0);
    this.rest = undefined;
    if (this.ended) this.#end();
    else this.stream.resume();
    wake(this.control);
  }

  close() {
    clearTimeout(this.timer);
    // What was written still leaves, as when a process closes a socket; nothing is heard any more.
    this.full = false;
    this.send();
    this.stream.off('data', this.listeners.data);
    this.stream.destroySoon();
    setTimeout(() => this.stream.destroy(), 1000).unref();
  }

  #listen() {
    this.listeners = {
      data: (data) => {
        this.rest = this.rest === undefined ? data : Buffer.concat([this.rest, data]);
        this.fill();
      },
      drain: () => {
        this.full = false;
        this.send();
      },
      end: () => this.#end(),
      close: () => this.#end(),
      error: (error) => this.#fail(...meaning(error, this.#address())),
    };
    for (const [event, listener] of Object.entries(this.listeners)) this.stream.on(event, listener);
  }

  #begin(doing) {
    const seconds = this.server.connect_timeout_seconds;
    clearTimeout(this.timer);
    this.timer = setTimeout(() => {
      this.#fail('net.timeout', `${doing} ${this.#address()} took longer than ${seconds} s`, 'check the address, the port and firewalls in between; connect_timeout_seconds sets the limit');
      this.stream.destroy();
    }, seconds * 1000);
  }

  #stands(phase) {
    clearTimeout(this.timer);
    this.block.set(PHASE, phase);
    wake(this.control);
  }

  #end() {
    this.ended = true;
    // What came before the end is read before the end is told.
    if (this.rest === undefined) this.block.set(CLOSED, 1);
    wake(this.control);
  }

  #fail(code, message, hint) {
    clearTimeout(this.timer);
    this.block.fail({ code, message, hint });
    wake(this.control);
  }

  #address() {
    return `the ${this.name} ${this.server.host}:${this.server.port}`;
  }
}

const ERRNO = {
  ECONNREFUSED: ['net.refused', 'is the server running, and is the port right?'],
  EHOSTUNREACH: ['net.unreachable', 'check the address and the route to it'],
  ENETUNREACH: ['net.unreachable', 'check the address and the route to it'],
  ETIMEDOUT: ['net.timeout', 'check the address, the port and firewalls in between'],
  ENOTFOUND: ['net.name-unknown', 'check the name, and this machine\'s name service'],
  EAI_AGAIN: ['net.name-unknown', 'check the name, and this machine\'s name service'],
  ECONNRESET: ['net.reset'],
  EPIPE: ['net.reset'],
};
/** OpenSSL's and node's names for a certificate that is not accepted. */
const UNTRUSTED = /^(UNABLE_TO_|CERT_|SELF_SIGNED_|DEPTH_ZERO_|INVALID_CA|PATH_LENGTH|CRL_)/;

/** Code, message and hint for an error of node's. */
function meaning(error, server) {
  // A name with several addresses fails with all their errors in one.
  const first = error.errors?.[0] ?? error;
  const reason = first.message || first.code;
  if (Object.hasOwn(ERRNO, first.code)) return [ERRNO[first.code][0], `the connection to ${server} failed: ${reason}`, ERRNO[first.code][1]];
  if (first.code === 'ERR_TLS_CERT_ALTNAME_INVALID') return ['tls.name-mismatch', `the certificate of ${server} is for another name`, 'set `host` to a name in the certificate, or tls to "verify-ca" to accept any name'];
  if (UNTRUSTED.test(first.code)) return ['tls.untrusted-certificate', `the certificate of ${server} is not trusted (${reason})`, 'name the PEM file of the authority that signed it with `ca`'];
  if (/^(ERR_SSL_|ERR_TLS_|EPROTO)/.test(first.code)) return ['tls.failed', `the TLS handshake with ${server} failed (${reason})`, 'the server must offer TLS 1.2 or 1.3'];
  return ['net.failed', `the connection to ${server} failed: ${reason}`];
}
