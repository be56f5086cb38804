// Builds the playground into a folder that any static host serves: node build.mjs [FOLDER]
import { build } from "esbuild";
import { execFileSync } from "node:child_process";
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { loadPyodide } from "pyodide";

const here = dirname(fileURLToPath(import.meta.url));
const top = dirname(here);
const folder = resolve(process.argv[2] ?? join(here, "dist"));
const MAX_BYTES = 12e6; // bytes of the first load, compressed
const python = process.env.PYTHON ?? "python3";
const writeCompressed = (file, bytes) => writeFileSync(join(folder, file), gzipSync(bytes, { level: 9 }));

rmSync(folder, { recursive: true, force: true });
mkdirSync(join(folder, "pyodide"), { recursive: true });
await build({
  entryPoints: [join(here, "main.js")], outdir: folder, bundle: true, minify: true, format: "esm", target: "es2022",
});
for (const file of ["index.html", "playground.css", "worker.js"]) cpSync(join(here, file), join(folder, file));
cpSync(join(top, "convcost/render/html/page.css"), join(folder, "page.css"));
for (const file of ["pyodide.mjs", "pyodide.asm.mjs", "pyodide.asm.wasm", "pyodide-lock.json"]) {
  cpSync(join(here, "node_modules/pyodide", file), join(folder, "pyodide", file));
}
await writePython(execFileSync(python, [join(here, "archive.py")]));

let first = 0;
for (const file of readdirSync(folder, { recursive: true }).sort()) {
  if (!statSync(join(folder, file)).isFile()) continue;
  const bytes = readFileSync(join(folder, file));
  const packed = gzipSync(bytes, { level: 9 }).length;
  first += packed;
  console.log(`${String(packed).padStart(10)} bytes compressed  ${file}`);
}
console.log(`${String(first).padStart(10)} bytes compressed, the first load; the limit is ${MAX_BYTES}`);
if (first > MAX_BYTES) process.exit(1);

/** Writes the snapshot of an interpreter that has convcost imported, and the archives of the other modules. */
async function writePython(archive) {
  const prepare = readFileSync(join(here, "prepare.py"), "utf8");
  const stdlib = join(folder, "pyodide/python_stdlib.zip");
  const compiler = await loadPyodide();
  compiler.FS.writeFile("/stdlib.zip", readFileSync(join(here, "node_modules/pyodide/python_stdlib.zip")));
  compiler.FS.writeFile("/archive.zip", archive);
  compiler.runPython(prepare);
  compiler.globals.get("compile_modules")();
  writeFileSync(stdlib, compiler.FS.readFile("/stdlib.zip"));

  const interpreter = await loadPyodide({ stdLibURL: stdlib, _makeSnapshot: true });
  interpreter.unpackArchive(compiler.FS.readFile("/archive.zip"), "zip", { extractDir: "/lib/python3.14/site-packages" });
  const loaded = interpreter.runPython(`${prepare}\nwarm_up()`, { globals: interpreter.toPy({}) });
  compiler.globals.get("pack")(loaded);
  writeCompressed("convcost.archive", compiler.FS.readFile("/archive.zip"));
  writeFileSync(stdlib, compiler.FS.readFile("/stdlib.zip"));
  clearFreeMemory(interpreter._module);
  writeCompressed("python.snapshot", interpreter.makeMemorySnapshot());
}

/** Fills the free blocks of a heap with zeros, so that they take no space in the snapshot. */
function clearFreeMemory(heap) {
  const blocks = [];
  const clear = (size) => {
    const end = heap._sbrk(0);
    const block = heap._malloc(size);
    if (heap._sbrk(0) > end) return heap._free(block);
    heap.HEAPU8.fill(0, block, block + size);
    return blocks.push(block);
  };
  for (let size = 2 ** 20; size >= 16; size /= 2) while (clear(size));
  blocks.forEach((block) => heap._free(block));
}
