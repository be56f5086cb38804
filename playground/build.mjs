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
const LARGEST = 12e6; // bytes of the first load, compressed
const python = process.env.PYTHON ?? "python3";

rmSync(folder, { recursive: true, force: true });
mkdirSync(join(folder, "pyodide"), { recursive: true });
await build({
  entryPoints: [join(here, "main.js")], outdir: folder, bundle: true, minify: true, format: "esm", target: "es2022",
});
for (const file of ["index.html", "playground.css", "worker.js"]) cpSync(join(here, file), join(folder, file));
cpSync(join(top, "convcost/render/html/page.css"), join(folder, "page.css"));
for (const file of ["pyodide.mjs", "pyodide.asm.mjs", "pyodide.asm.wasm", "python_stdlib.zip", "pyodide-lock.json"]) {
  cpSync(join(here, "node_modules/pyodide", file), join(folder, "pyodide", file));
}
writeFileSync(join(folder, "convcost.zip"), await compiled(execFileSync(python, [join(here, "archive.py")])));

let first = 0;
for (const file of readdirSync(folder, { recursive: true }).sort()) {
  if (!statSync(join(folder, file)).isFile()) continue;
  const bytes = readFileSync(join(folder, file));
  const packed = gzipSync(bytes, { level: 9 }).length;
  first += packed;
  console.log(`${String(packed).padStart(10)} bytes compressed  ${file}`);
}
console.log(`${String(first).padStart(10)} bytes compressed, the first load; the limit is ${LARGEST}`);
if (first > LARGEST) process.exit(1);

/** The archive with the compiled modules of the Python in the browser: they load faster. */
async function compiled(archive) {
  const pyodide = await loadPyodide();
  pyodide.unpackArchive(new Uint8Array(archive), "zip", { extractDir: "/archive" });
  pyodide.runPython(`
import compileall, py_compile, shutil
mode = py_compile.PycInvalidationMode.UNCHECKED_HASH
assert compileall.compile_dir("/archive", quiet=2, invalidation_mode=mode)
shutil.make_archive("/compiled", "zip", "/archive")
`);
  return pyodide.FS.readFile("/compiled.zip");
}
