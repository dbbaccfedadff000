// What two threads share: words in shared memory, and rings of bytes.
//
// A plugin's thread sleeps in one place, on the word EVENT of its control block. Whoever has news for it first writes the news, then adds one to EVENT
// and notifies. The sleeper reads EVENT before it looks for news, so that nothing that comes in between is missed.

/** Words of a plugin's control block. */
export const EVENT = 0;
/** The host has something for the plugin: `wait` returns an empty list. */
export const ATTENTION = 1;
/** The instance is to end: `wait` answers `interrupted` from now on. */
export const INTERRUPTED = 2;
/** The main thread has been rung for, and has not looked yet. */
export const RUNG = 3;
/** The sink is to commit what it has accepted, and to end. */
export const DRAIN = 4;

/** Words of a connection's block, in front of its two rings. */
export const PHASE = 0;
/** Length of the failure's JSON; 0 while there is none. */
export const FAILURE = 1;
/** The peer has closed its side. */
export const CLOSED = 2;
/** The main thread has bytes that did not fit: it wants to be rung for when there is room. */
export const OVERFULL = 3;
const IN = 4;
const OUT = 6;

/** Values of PHASE. */
export const CONNECTING = 0;
export const PLAIN = 1;
export const HANDSHAKE = 2;
export const TLS = 3;

const RING = 1 << 20;
const HEADER = 64;
const FAILURE_MAX = 4096;

/** Memory that both threads see, as 32-bit words. */
export const words = (count) => new Int32Array(new SharedArrayBuffer(4 * count));

/** Wakes the thread that sleeps on this control block. */
export function wake(control) {
  Atomics.add(control, EVENT, 1);
  Atomics.notify(control, EVENT);
}

/** The same, and lets `wait` return to the plugin. */
export function callFor(control) {
  Atomics.store(control, ATTENTION, 1);
  wake(control);
}

/** Bytes from one thread to another, in order: one thread pushes, one pops. Both counters only grow, modulo 2^32. */
class Ring {
  constructor(words, at, bytes) {
    [this.words, this.pushed, this.popped, this.bytes] = [words, at, at + 1, bytes];
  }

  /** How many bytes are there. */
  get filled() {
    return (Atomics.load(this.words, this.pushed) - Atomics.load(this.words, this.popped)) >>> 0;
  }

  /** How many would still fit. */
  get room() {
    return RING - this.filled;
  }

  /** Takes a prefix, and says how long it is. */
  push(data) {
    const taken = Math.min(data.length, this.room);
    const from = (Atomics.load(this.words, this.pushed) >>> 0) % RING;
    const first = Math.min(taken, RING - from);
    this.bytes.set(data.subarray(0, first), from);
    this.bytes.set(data.subarray(first, taken), 0);
    Atomics.add(this.words, this.pushed, taken);
    return taken;
  }

  /** Up to `max` bytes, copied out of the shared memory. */
  pop(max) {
    const size = Math.min(max, this.filled);
    const from = (Atomics.load(this.words, this.popped) >>> 0) % RING;
    const first = Math.min(size, RING - from);
    const data = new Uint8Array(size);
    data.set(this.bytes.subarray(from, from + first));
    data.set(this.bytes.subarray(0, size - first), first);
    Atomics.add(this.words, this.popped, size);
    return data;
  }
}

/** What both threads know of a connection: its phase, its failure, and what is under way in both directions. */
export class Block {
  constructor(memory = new SharedArrayBuffer(HEADER + FAILURE_MAX + 2 * RING)) {
    this.memory = memory;
    this.words = new Int32Array(memory, 0, HEADER / 4);
    this.failureBytes = new Uint8Array(memory, HEADER, FAILURE_MAX);
    const ring = (number) => new Uint8Array(memory, HEADER + FAILURE_MAX + number * RING, RING);
    this.incoming = new Ring(this.words, IN, ring(0));
    this.outgoing = new Ring(this.words, OUT, ring(1));
  }

  get(word) {
    return Atomics.load(this.words, word);
  }

  set(word, value) {
    Atomics.store(this.words, word, value);
  }

  /** The first failure counts. */
  fail(failure) {
    if (this.get(FAILURE) > 0) return;
    const short = { ...failure, message: failure.message.slice(0, 500) };
    const text = new TextEncoder().encode(JSON.stringify(short)).subarray(0, FAILURE_MAX);
    this.failureBytes.set(text);
    this.set(FAILURE, text.length);
  }

  /** The failure as the contract's record; nothing while there is none. */
  failure() {
    const length = this.get(FAILURE);
    return length === 0 ? undefined : JSON.parse(new TextDecoder().decode(this.failureBytes.slice(0, length)));
  }
}
