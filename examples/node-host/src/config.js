// The configuration: the keys of datain's TOML file (docs/configuration.md), those that this host knows, as JSON; and what a plugin is told of it.

import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { failed } from './errors.js';

const SERVER = {
  host: 'string', port: 'number', user: 'string', password: 'string', password_file: 'string', password_env: 'string', tls: 'string', ca: 'string',
  cert: 'string', key: 'string', get_server_public_key: 'boolean', connect_timeout_seconds: 'number',
};
const SHAPE = {
  name: 'string',
  source: { ...SERVER, server_id: 'number' },
  target: SERVER,
  replicate: { include: 'list', exclude: 'list', definer: 'string' },
  start: { mode: 'string', file: 'string', position: 'number', gtid_set: 'string' },
  apply: { group_max_rows: 'number', group_linger_ms: 'number', connections: 'number', preserve_commit_order: 'boolean', conflicts: 'string', statements: 'string' },
};
const TLS_MODES = ['disabled', 'preferred', 'required', 'verify-ca', 'verify-identity'];
const START_KEYS = { snapshot: [], now: [], position: ['file', 'position'], gtid: ['gtid_set'] };

const wrong = (message, hint) => failed('config', 'config.invalid', message, { hint: hint ?? 'examples/node-host/README.md lists the keys' });

/** Reads and checks the file; paths in it become absolute. */
export function load(path) {
  let config;
  try {
    config = JSON.parse(readFileSync(path, 'utf8'));
  } catch (error) {
    // What the parser says may quote the file, and so a password.
    const reason = error instanceof SyntaxError ? 'it is no JSON' : error.message;
    throw failed('config', 'config.unreadable', `failed to read ${path}: ${reason}`, { hint: 'the configuration is a JSON object: see examples/node-host/README.md' });
  }
  check(config, SHAPE, '');
  if (!/^[A-Za-z0-9_-]{1,64}$/.test(config.name ?? '')) throw wrong('`name` must be 1 to 64 letters, digits, `_` or `-`');
  for (const name of ['source', 'target']) config[name] = server(config[name], name, dirname(resolve(path)));
  config.start = { mode: 'snapshot', ...config.start };
  const keys = START_KEYS[config.start.mode];
  if (!keys) throw wrong(`start.mode must be one of ${Object.keys(START_KEYS).join(', ')}`);
  if (config.start.mode === 'position') config.start.position ??= 4;
  for (const key of keys) if (config.start[key] === undefined) throw wrong(`start.${key} is missing`);
  for (const key of Object.keys(config.start)) if (key !== 'mode' && !keys.includes(key)) throw wrong(`start.${key} does not belong to the mode ${config.start.mode}`);
  config.source.server_id ??= serverId(config.name);
  return config;
}

function check(value, shape, at) {
  const is = { string: (v) => typeof v === 'string', number: Number.isSafeInteger, boolean: (v) => typeof v === 'boolean', list: (v) => Array.isArray(v) && v.every((e) => typeof e === 'string') };
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw wrong(`${at || 'the configuration'} must be a JSON object`);
  for (const [key, inner] of Object.entries(value)) {
    const name = at ? `${at}.${key}` : key;
    if (!Object.hasOwn(shape, key)) throw wrong(`the key \`${name}\` is unknown`);
    if (typeof shape[key] === 'object') check(inner, shape[key], name);
    else if (!is[shape[key]](inner)) throw wrong(`\`${name}\` must be a ${shape[key] === 'list' ? 'list of strings' : shape[key]}`);
  }
}

function server(given, name, folder) {
  const server = { port: 3306, tls: 'preferred', connect_timeout_seconds: 10, get_server_public_key: false, ...given };
  for (const key of ['host', 'user']) if (!server[key]) throw wrong(`${name}.${key} is missing`);
  if (!TLS_MODES.includes(server.tls)) throw wrong(`${name}.tls must be one of ${TLS_MODES.join(', ')}`);
  if (server.port < 1 || server.port > 65535) throw wrong(`${name}.port must be from 1 to 65535`);
  if ((server.cert === undefined) !== (server.key === undefined)) throw wrong(`${name} needs both \`cert\` and \`key\`, or none`);
  if (server.ca !== undefined && !server.tls.startsWith('verify')) throw wrong(`${name}.ca needs ${name}.tls = "verify-ca" or "verify-identity"`, 'without them the certificate is not looked at');
  for (const key of ['ca', 'cert', 'key', 'password_file']) if (server[key] !== undefined) server[key] = resolve(folder, server[key]);
  if (['password', 'password_file', 'password_env'].filter((key) => server[key] !== undefined).length > 1) throw wrong(`${name} has more than one password`);
  for (const key of ['ca', 'cert', 'key']) if (server[key] !== undefined) pem(server, name, key);
  return server;
}

/** A PEM file, read afresh at each connect. */
export function pem(server, name, key) {
  try {
    return readFileSync(server[key]);
  } catch (error) {
    throw failed('config', 'config.unreadable', `failed to read ${name}.${key}: ${error.message}`, { hint: 'it is the path of a PEM file' });
  }
}

/** The password, read afresh at each login; nothing for an account without one. */
export function password(server) {
  const unreadable = (message) => failed('reconfigure', 'config.password-unreadable', message, { hint: 'the password stands in `password`, in the file of `password_file`, or in the environment variable of `password_env`' });
  if (server.password !== undefined) return Buffer.from(server.password);
  if (server.password_env !== undefined) {
    const value = process.env[server.password_env];
    if (value === undefined) throw unreadable(`the environment variable ${server.password_env} is not set`);
    return Buffer.from(value);
  }
  if (server.password_file === undefined) return undefined;
  try {
    const bytes = readFileSync(server.password_file);
    const end = bytes.at(-1) !== 0x0a ? bytes.length : bytes.at(-2) === 0x0d ? -2 : -1;
    return bytes.subarray(0, end);
  } catch (error) {
    throw unreadable(`failed to read the password file: ${error.message}`);
  }
}

/** The id under which the source knows the pipeline, the same as datain's own (host-harness/src/config/server_id.rs): so two hosts with one pipeline notice each other. */
function serverId(name) {
  const first = createHash('sha256').update(name).digest().readUInt32BE(0) >>> 4;
  return (0xd0000000 | Math.min(first, 0x0ffffffe)) >>> 0;
}

/** The JSON for the source plugin; the keys are listed in host-harness/src/plugin/plugin_config.rs. Keys that are missing have the plugin's defaults. */
export const forSource = (config, version, ahead) => JSON.stringify({
  stream: config.name, endpoint: 'source', row_block_version: version, server_id: config.source.server_id, ...config.replicate,
  statements: config.apply?.statements, start: config.start, ahead: ahead ?? null,
});

/** The JSON for the sink plugin. `known`: this host has seen the pipeline in the target, so it must not begin anew. */
export const forSink = (config, version, known) => JSON.stringify({
  stream: config.name, endpoint: 'target', row_block_version: version, include: config.replicate?.include, exclude: config.replicate?.exclude, ...config.apply,
  beginning: { place: place(config.start), is_place: ['position', 'gtid'].includes(config.start.mode), set_position: false, known },
});

/** What the target keeps to notice that the start was changed: the same text as datain's own. */
function place({ mode, file, position, gtid_set }) {
  if (mode === 'position') return `position ${file}:${position}`;
  return mode === 'gtid' ? `gtid ${gtid_set}` : mode;
}
