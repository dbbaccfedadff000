// Log lines on standard error, one write each: threads that never return to their event loop cannot use process.stderr.

import { writeSync } from 'node:fs';

const LEVELS = ['trace', 'debug', 'info', 'warn', 'error'];
/** Lines a second that a plugin may write, and how many may come at once. */
const RATE = 100;
const BURST = 500;
const LENGTH_MAX = 4096;

/** Whether this is the name of a level. */
export const isLevel = (name) => LEVELS.includes(name);

/** Writes what is at least of the level `threshold`. */
export function logger(threshold, who) {
  return (level, message, fields = {}) => {
    if (LEVELS.indexOf(level) < LEVELS.indexOf(threshold)) return;
    const pairs = Object.entries(fields).filter(([, value]) => value !== undefined);
    const more = pairs.map(([name, value]) => ` ${name}=${JSON.stringify(String(value))}`).join('');
    const line = `${new Date().toISOString()} ${level.toUpperCase().padEnd(5)} ${who}: ${message}${more}`;
    try {
      // A line break in a message would be a line of its own, which nobody wrote; a terminal obeys other control characters.
      writeSync(2, `${line.replace(/\p{Cc}/gu, ' ').slice(0, LENGTH_MAX)}\n`);
    } catch {
      // Nobody reads any more; replication goes on.
    }
  };
}

/** The same for lines that a plugin writes, which are limited in rate. */
export function limited(log, now = () => performance.now()) {
  let [tokens, filled, dropped] = [BURST, now(), 0];
  return (level, message, fields) => {
    tokens = Math.min(BURST, tokens + ((now() - filled) / 1000) * RATE);
    filled = now();
    if (tokens < 1) {
      dropped += 1;
      return;
    }
    tokens -= 1;
    if (dropped > 0) log('warn', `${dropped} log lines were left out`);
    dropped = 0;
    log(level, message, fields);
  };
}
