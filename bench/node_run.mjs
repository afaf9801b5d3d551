// Runs a module with Node's V8 and its WASI: node_run.mjs MODULE [args...]
import { readFile } from "node:fs/promises";
import { WASI } from "node:wasi";

process.removeAllListeners("warning");
const wasi = new WASI({ version: "preview1", args: process.argv.slice(2), returnOnExit: false });
const module = await WebAssembly.compile(await readFile(process.argv[2]));
const instance = await WebAssembly.instantiate(module, wasi.getImportObject());
wasi.start(instance);
