// Errors as people meet them, in the shape of the contract's record `error` (wit/types.wit). `disposition` may also be `config`: nothing was begun.

/** An error of this host, to be thrown. */
export const failed = (disposition, code, message, more = {}) => ({ disposition, code, message, ...more });

/** The error in full, one fact a line, as datain prints it. */
export function text(error) {
  const { code, message, detail, position, gtid, table, server, serverErrno, sqlstate, hint } = error;
  const said = [server, serverErrno && `errno ${serverErrno}`, sqlstate && `SQLSTATE ${sqlstate}`].filter(Boolean).join(', ');
  const lines = Object.entries({ detail, position, gtid, table, server: said || undefined, hint }).filter(([, value]) => value);
  return [`error[${code}]: ${message}`, ...lines.map(([name, value]) => `  ${name}: ${value.replaceAll('\n', '\n    ')}`)].join('\n');
}

/** 2 for the configuration, else 3. */
export const exitCode = (error) => (error.disposition === 'config' ? 2 : 3);
