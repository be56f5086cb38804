// Runs convcost. One message is one call of a function of playground.py, and one message is its answer.
import { loadPyodide } from "./pyodide/pyodide.mjs";

// Python gets a MemoryError, and the page a new worker, before a spec takes more than this.
const MOST_PAGES = (768 * 2 ** 20) / 2 ** 16;
const grow = WebAssembly.Memory.prototype.grow;
WebAssembly.Memory.prototype.grow = function (pages) {
  if (this.buffer.byteLength / 2 ** 16 + pages > MOST_PAGES) throw new RangeError("out of memory");
  return grow.call(this, pages);
};

async function load() {
  const archive = fetch("./convcost.zip").then((answer) => answer.arrayBuffer());
  const python = await loadPyodide({ indexURL: "./pyodide/" });
  const folder = python.runPython("import sysconfig; sysconfig.get_path('purelib')");
  python.unpackArchive(await archive, "zip", { extractDir: folder });
  return python.pyimport("playground");
}

const playground = load();
playground.then(() => postMessage({ ready: true }), (error) => postMessage({ startFailed: String(error) }));

onmessage = async ({ data: { name, args } }) => {
  const module = await playground;
  try {
    postMessage({ value: module[name](...args) });
  } catch (error) {
    const kind = error.type; // of the exception of Python; its message is a traceback
    const message = error.message.split(/\n(?:\w+\.)*UsageError: /).at(-1).trim();
    postMessage({ error: message, kind, fatal: kind !== "UsageError" });
  }
};
