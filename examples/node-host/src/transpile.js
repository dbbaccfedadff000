// From a component to JavaScript and core modules, by jco's own `generate`, kept beside the component under the component's hash.

import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, readdirSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { failed } from './errors.js';

const JCO = '@bytecodealliance/jco-transpile/component';
/** Changes when the options below do: what was made with others is not used. */
const FORM = 1;

/** What a component exports: the two interfaces of its world. */
const WORLD = { source: ['source', 'source-cutover'], sink: ['sink', 'sink-cutover'] };
const IMPORTS = ['credentials', 'log', 'system', 'transport', 'types'];

/** The plugin `role` of the folder: its module's address, and its compiled core modules by name. */
export async function plugin(folder, role, log) {
  const path = join(folder, `${role}.wasm`);
  let bytes;
  try {
    bytes = readFileSync(path);
  } catch (error) {
    throw failed('config', 'plugin.not-found', `failed to read the ${role} plugin: ${error.message}`, { hint: '`cargo xtask wasm` builds the plugins into target/plugins; --plugins FOLDER names another folder' });
  }
  const name = `${role}-${createHash('sha256').update(`${FORM} ${await version()}`).update(bytes).digest('hex').slice(0, 16)}`;
  const into = join(folder, 'node', name);
  if (!isOurs(into)) await make(bytes, role, into, log);
  const modules = {};
  for (const file of readdirSync(into)) {
    if (file.endsWith('.wasm')) modules[file] = await WebAssembly.compile(readFileSync(join(into, file)));
  }
  return { code: pathToFileURL(join(into, `${role}.js`)).href, modules };
}

/** Whether the folder is there and nobody else can have put something into it: it is run as native code, outside of any sandbox. */
function isOurs(folder) {
  const found = statSync(folder, { throwIfNoEntry: false });
  return found !== undefined && found.uid === process.getuid() && (found.mode & 0o077) === 0;
}

async function make(bytes, role, into, log) {
  const begun = performance.now();
  const { $init, generate } = await import(jco());
  await $init;
  let made;
  try {
    made = generate(bytes, { name: role, instantiation: { tag: 'sync' }, noTypescript: true, noNodejsCompat: true, noComponentErrorWrapping: true });
  } catch (error) {
    throw failed('config', 'plugin.invalid', `the ${role} plugin cannot be transpiled`, { detail: String(error.message ?? error), hint: 'is it a component of this release? `cargo xtask wasm` builds one' });
  }
  const missing = made.imports.filter((name) => !IMPORTS.some((known) => name === `datain:replication/${known}`));
  const lacks = WORLD[role].filter((name) => !made.exports.some(([found]) => found === `datain:replication/${name}@0.1.0`));
  if (missing.length > 0 || lacks.length > 0) {
    const detail = [missing.length > 0 && `it imports ${missing.join(', ')}`, lacks.length > 0 && `it does not export ${lacks.join(', ')}`].filter(Boolean).join('; ');
    throw failed('config', 'plugin.unsupported', `the ${role} plugin asks for what this host does not have`, { detail, hint: 'use a plugin of this release' });
  }
  const partial = `${into}.${process.pid}`;
  mkdirSync(dirname(into), { recursive: true, mode: 0o700 });
  rmSync(partial, { recursive: true, force: true });
  mkdirSync(partial, { mode: 0o700 });
  for (const [name, content] of made.files) writeFileSync(join(partial, name), content);
  if (!isOurs(into)) rmSync(into, { recursive: true, force: true });
  try {
    renameSync(partial, into);
  } catch (error) {
    // Another process has made the same meanwhile.
    rmSync(partial, { recursive: true, force: true });
    if (!isOurs(into)) throw error;
  }
  log('info', `transpiled the ${role} plugin`, { seconds: ((performance.now() - begun) / 1000).toFixed(1) });
}

/** Where npm has put jco: beside this program, or in the folder that DATAIN_NODE_PACKAGES names, where `npm ci` was run on a copy of its package files. */
function jco() {
  const from = process.env.DATAIN_NODE_PACKAGES ? join(process.env.DATAIN_NODE_PACKAGES, 'package.json') : fileURLToPath(import.meta.url);
  try {
    return pathToFileURL(createRequire(from).resolve(JCO)).href;
  } catch {
    throw failed('config', 'jco.missing', 'jco-transpile is not installed', { hint: '`npm ci` in examples/node-host installs it' });
  }
}

async function version() {
  const path = fileURLToPath(jco());
  return readFileSync(join(dirname(dirname(path)), 'package.json'), 'utf8').match(/"version": "(.*)"/)?.[1];
}
