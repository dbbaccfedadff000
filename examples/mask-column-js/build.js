// Makes mask_column_js.wasm of mask.js. With all of the engine's features off it asks its host for nothing but what wit/ says.
import { componentize } from "@bytecodealliance/componentize-js";
import { writeFile } from "node:fs/promises";

const { component, imports } = await componentize({
  sourcePath: "mask.js",
  witPath: "wit",
  worldName: "transform-plugin",
  disableFeatures: ["random", "stdio", "clocks", "http", "fetch-event"],
});
await writeFile("mask_column_js.wasm", component);
console.log(`mask_column_js.wasm: ${component.length} bytes; imports:`);
console.log(imports);
