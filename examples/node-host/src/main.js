// node src/main.js CONFIG.json [--until-caught-up] [--plugins FOLDER] [--log-level LEVEL]
//
// Exit codes, as datain's: 0 done, 2 usage or configuration, 3 replication error, 130 interrupted.

import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { load } from './config.js';
import { exitCode, failed, text } from './errors.js';
import { isLevel, logger } from './log.js';
import { Pipeline } from './pipeline.js';
import { plugin } from './transpile.js';

const USAGE = 'usage: node src/main.js CONFIG.json [--until-caught-up] [--plugins FOLDER] [--log-level trace|debug|info|warn|error]';
const PLUGINS = fileURLToPath(new URL('../../../target/plugins', import.meta.url));

function given() {
  try {
    const { values, positionals } = parseArgs({
      allowPositionals: true,
      options: { 'until-caught-up': { type: 'boolean' }, plugins: { type: 'string', default: PLUGINS }, 'log-level': { type: 'string', default: 'info' } },
    });
    if (positionals.length === 1 && isLevel(values['log-level'])) return { ...values, path: positionals[0] };
  } catch {
    // Said below.
  }
  throw failed('config', 'usage', 'the command line is wrong', { hint: USAGE });
}

async function main() {
  let [pipeline, asked] = [undefined, false];
  for (const signal of ['SIGINT', 'SIGTERM']) {
    process.on(signal, () => {
      // The first ends in order, the second at once, and so does one before anything was begun.
      if (!pipeline || asked) process.exit(130);
      asked = true;
      log('info', `${signal}: committing what was accepted, and ending`);
      pipeline.stop();
    });
  }
  const { path, plugins: folder, 'until-caught-up': untilCaughtUp, 'log-level': threshold } = given();
  const log = logger(threshold, 'host');
  const config = load(path);
  const plugins = { source: await plugin(folder, 'source', log), sink: await plugin(folder, 'sink', log) };
  pipeline = new Pipeline({ config, plugins, threshold }, log);
  const begun = performance.now();
  try {
    const outcome = await pipeline.run(untilCaughtUp);
    const { transactions, rows, groups } = pipeline.totals;
    const seconds = (performance.now() - begun) / 1000;
    log('info', `${outcome}: ${transactions} transactions, ${rows} rows in ${groups} groups applied in ${seconds.toFixed(1)} s`);
    return outcome === 'stopped' ? 130 : 0;
  } catch (error) {
    if (!(error instanceof Error)) await pipeline.leaveNote(error);
    throw error;
  }
}

process.exitCode = await main().catch((error) => {
  const known = error instanceof Error ? failed('fatal', 'host.failed', 'this host failed', { detail: error.stack, hint: 'this is an error in the host: please report it' }) : error;
  console.error(text(known));
  return exitCode(known);
});
