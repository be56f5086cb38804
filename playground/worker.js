// Runs convcost. One message is one call of a function of playground.py, and one message is its answer.
import { loadPyodide } from "./pyodide/pyodide.mjs";

// Python gets a MemoryError, and the page a new worker, before a spec takes more than this.
const MAX_PAGES = (768 * 2 ** 20) / 2 ** 16;
const grow = WebAssembly.Memory.prototype.grow;
WebAssembly.Memory.prototype.grow = function (pages) {
  if (this.buffer.byteLength / 2 ** 16 + pages > MAX_PAGES) throw new RangeError("out of memory");
  return grow.call(this, pages);
};

/**
 * The content of a file that the build has compressed. Its suffix is not `.gz`: some servers let the browser unpack that.
 * The files belong together, so the browser asks whether one in its cache is still that of the server.
 */
async function read(file) {
  const { body } = await fetch(file, { cache: "no-cache" });
  return new Response(body.pipeThrough(new DecompressionStream("gzip"))).arrayBuffer();
}

/** An interpreter from the snapshot of one that has convcost imported; see prepare.py. */
async function load() {
  const archive = read("./convcost.archive");
  const python = await loadPyodide({ indexURL: "./pyodide/", _loadSnapshot: read("./python.snapshot") });
  python.unpackArchive(await archive, "zip", { extractDir: "/lib/python3.14/site-packages" });
  python.runPython("import importlib; importlib.invalidate_caches()"); // those of the snapshot
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
