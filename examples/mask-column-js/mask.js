// A transform for datain that replaces the text in some columns by asterisks: ../mask-column in JavaScript.
//
//     [[transform]]
//     path = "mask_column_js.wasm"
//     [transform.config]
//     columns = ["shop.customer.email", "shop.customer.@4"]
//
// NULL stays NULL. A column that cannot be masked as told is an error that stops the pipeline: rows never pass unmasked.
// What a function throws is its error; the names are those of wit/, in JavaScript's spelling.

const VERSION = 1;
const ASTERISK = 42;
const TEXT = 17;

function fail(code, message) {
  throw {
    disposition: "reconfigure",
    code,
    message,
    hint: "change [transform.config] columns",
  };
}

function requireThat(condition, why) {
  if (!condition) fail("row-block.malformed", `a row set cannot be read: ${why}`);
}

class Transformer {
  #columns;
  // What is known of each table by its id: kinds of columns, and for each the number of asterisks, or 0.
  #tables = new Map();

  constructor(columns) {
    this.#columns = columns;
  }

  static open(text) {
    const columns = JSON.parse(text).config?.columns;
    const named = (column) => typeof column === "string" && column.split(".").length === 3;
    if (!Array.isArray(columns) || columns.length === 0 || !columns.every(named)) {
      fail("config.invalid-value", 'columns must be a list of "schema.table.column"');
    }
    return new Transformer(columns.map((column) => column.split(".")));
  }

  apply(batch) {
    for (const table of batch.tables) this.#tables.set(table.id, this.#layout(table));
    if (batch.rows.length === 0) return undefined;
    const output = new Output(batch.rows.length);
    output.bytes([VERSION]);
    const places = [];
    for (const transaction of batch.transactions) {
      for (const change of transaction.changes) {
        if (change.tag !== "rows") continue;
        const offset = output.length;
        copy(batch.rows, change.val, this.#tables.get(change.val.table), output);
        places.push({ offset, length: output.length - offset });
      }
    }
    return { rows: output.taken(), places };
  }

  #layout(table) {
    const masks = new Array(table.columns.length).fill(0);
    for (const [schema, name, column] of this.#columns) {
      if (schema !== table.schema || name !== table.name) continue;
      const index = find(table, column);
      const { kind, length } = table.columns[index];
      if (kind < 15 || kind > TEXT) fail("mask.kind", `${schema}.${name}.${column} is not text, and cannot be masked`);
      masks[index] = kind === TEXT ? 3 : Math.min(Math.max(length >> 2, 1), 3);
    }
    return { kinds: table.columns.map((column) => column.kind), masks };
  }
}

// The index of a column that is called by its name or its number.
function find(table, column) {
  const name = `${table.schema}.${table.name}`;
  const index = column.startsWith("@")
    ? Number(column.slice(1)) - 1
    : table.columns.findIndex((found) => found.name === column);
  if (table.columns[index]) return index;
  if (!column.startsWith("@") && table.columns.some((found) => found.name === undefined)) {
    fail("mask.names-unknown", `the source's log does not name the columns of ${name}`);
  }
  fail("mask.column-missing", `${name} has no column ${column}`);
}

// Appends a row set, masked: see wit/ROWS.md.
function copy(block, set, layout, output) {
  requireThat(block[0] === VERSION, "the row block has another version");
  requireThat(layout !== undefined, "it is of a table that was not described");
  const end = set.offset + set.length;
  requireThat(end <= block.length, "it lies outside of its block");
  const input = new Input(block.subarray(set.offset, end));
  const images = [];
  for (let i = 0; i < (set.operation === "update" ? 2 : 1); i++) {
    const bitmap = input.take((layout.kinds.length + 7) >> 3);
    output.bytes(bitmap);
    images.push([...layout.kinds.keys()].filter((column) => bit(bitmap, column)));
  }
  for (let row = 0; row < set.count; row++) {
    for (const present of images) {
      const nulls = input.take((present.length + 7) >> 3);
      output.bytes(nulls);
      present.forEach((column, nth) => {
        if (bit(nulls, nth)) return;
        const value = input.value(layout.kinds[column]);
        const asterisks = layout.masks[column];
        if (asterisks === 0) output.bytes(value);
        else output.bytes([asterisks, 0, 0, 0, ...new Array(asterisks).fill(ASTERISK)]);
      });
    }
  }
  requireThat(input.left() === 0, "bytes follow the last row");
}

function bit(bitmap, index) {
  return ((bitmap[index >> 3] >> (index & 7)) & 1) === 1;
}

class Input {
  #bytes;
  #at = 0;

  constructor(bytes) {
    this.#bytes = bytes;
  }

  left() {
    return this.#bytes.length - this.#at;
  }

  take(length) {
    requireThat(length <= this.left(), "it ends too early");
    this.#at += length;
    return this.#bytes.subarray(this.#at - length, this.#at);
  }

  // A value as it stands, with its length in front where it has one.
  value(kind) {
    const width = [undefined, 1, 2, 3, 4, 8, 0, 4, 8, 8, 2, 0, 0, 0, 0, 0, 0, 0, 2, 8, 0, 0, 0][kind];
    requireThat(width !== undefined, "a column is of a kind that is not known here");
    if (width > 0) return this.take(width);
    const [a, b, c, d] = this.take(4);
    this.#at -= 4;
    return this.take(4 + a + b * 2 ** 8 + c * 2 ** 16 + d * 2 ** 24);
  }
}

// Bytes that grow.
class Output {
  #bytes;
  length = 0;

  constructor(expected) {
    this.#bytes = new Uint8Array(expected + 1024);
  }

  bytes(added) {
    if (this.length + added.length > this.#bytes.length) {
      const larger = new Uint8Array(2 * (this.length + added.length));
      larger.set(this.taken());
      this.#bytes = larger;
    }
    this.#bytes.set(added, this.length);
    this.length += added.length;
  }

  taken() {
    return this.#bytes.subarray(0, this.length);
  }
}

export const transform = {
  describe: () => ({ name: "mask-column-js", version: "0.1.0", rowBlockVersions: new Uint8Array([VERSION]) }),
  Transformer,
};
