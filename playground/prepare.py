"""Makes the files of Python for the page. The build runs these functions in Pyodide.

The page starts from a snapshot of the memory of an interpreter that has imported convcost. Two
archives have the modules that are not in the snapshot, compiled.
"""

import gc
import importlib
import json
import py_compile
import shutil
import sys
import zipimport
from importlib.util import cache_from_source
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZIP_STORED, ZipFile

# Modules that connect, test, debug or start processes. Others import them in functions.
UNUSED = (
    *("doctest", "email", "http", "multiprocessing", "pdb"),
    *("pydoc", "unittest", "urllib", "xmlrpc"),
)
IMPORTED_BY_NAME = "rich._unicode_data."
STDLIB, ARCHIVE = Path("/stdlib"), Path("/archive")


def compile_modules() -> None:
    """Adds compiled modules to `stdlib.zip` and `archive.zip`.

    All modules but the kinds of layers lose their docstrings; the editor shows those of the kinds.
    """
    for folder in (STDLIB, ARCHIVE):
        shutil.unpack_archive(f"{folder}.zip", folder)
        for file in folder.rglob("*.py"):
            optimize = 0 if "layers" in file.parts else 2
            mode = py_compile.PycInvalidationMode.UNCHECKED_HASH
            for compiled in (f"{file}c", cache_from_source(str(file))):
                py_compile.compile(
                    str(file), compiled, optimize=optimize, invalidation_mode=mode, quiet=2
                )
        shutil.make_archive(str(folder), "zip", folder)


def warm_up() -> str:
    """Computes the first answers of the page. Returns the names of the imported modules.

    The registries become complete: they find modules by their sources, which the page does not
    have.
    """
    import playground
    from convcost.model.kind import KINDS

    KINDS.names()
    playground.start()
    playground.menus()
    specs = json.loads(playground.shipped(playground.OPENS_FIRST))
    for request in (specs, specs[:1]):
        text = json.dumps({"specs": request})
        playground.check(text)
        playground.page(text)
    importlib.invalidate_caches()  # the page does it too; what it needs for that is imported
    vars(zipimport)["_zip_directory_cache"].clear()
    gc.collect()
    return json.dumps(list(sys.modules))


def pack(loaded: str) -> None:
    """Writes `stdlib.zip` and `archive.zip`, without the modules in `loaded`.

    Only modules stay that convcost may import, directly or through others. The build compresses
    `archive.zip`, because its files are smaller together.
    """
    from modulefinder import ModuleFinder

    finder = ModuleFinder([str(ARCHIVE), str(STDLIB)], excludes=UNUSED)
    known = set(json.loads(loaded))
    for module in sorted(_name(file, ARCHIVE) for file in ARCHIVE.rglob("*.py")):
        if module in known or module.startswith(IMPORTED_BY_NAME):
            package, _, name = module.rpartition(".")
            finder.import_hook(package or name, None, [name] if package else None)
    for folder, compression in ((STDLIB, ZIP_DEFLATED), (ARCHIVE, ZIP_STORED)):
        for file in folder.rglob("*.py*"):
            name = _name(file, folder)
            if file.suffix == ".py" or name in known or name not in finder.modules:
                file.unlink()
        with ZipFile(f"{folder}.zip", "w", compression) as archive:
            for file in sorted(folder.rglob("*.*")):
                archive.write(file, str(file.relative_to(folder)))


def _name(file: Path, folder: Path) -> str:
    return ".".join(file.relative_to(folder).with_suffix("").parts).removesuffix(".__init__")
