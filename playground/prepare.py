"""Makes the files of Python for the page. The build runs these functions in Pyodide.

The page starts from a snapshot of the memory of an interpreter that has imported convcost. Two
archives have the modules that are not in the snapshot, compiled.
"""

import gc
import importlib
import json
import shutil
import sys
import zipimport
from compileall import compile_dir
from pathlib import Path
from py_compile import PycInvalidationMode
from zipfile import ZIP_DEFLATED, ZIP_STORED, ZipFile

# Modules that connect, test, debug or start processes. Others import them in functions.
UNUSED = (
    *("doctest", "email", "http", "multiprocessing", "pdb"),
    *("pydoc", "unittest", "urllib", "xmlrpc"),
)
IMPORTED_BY_NAME = "rich._unicode_data."
STDLIB, ARCHIVE = Path("/stdlib"), Path("/archive")


def compile_modules() -> None:
    """Unpacks `stdlib.zip` and `archive.zip`, compiles the modules, and writes `stdlib.zip` again.

    All modules but those of convcost lose their docstrings.
    """
    for folder in (STDLIB, ARCHIVE):
        shutil.unpack_archive(f"{folder}.zip", folder)
    for folder in (ARCHIVE / "convcost", STDLIB, ARCHIVE):
        optimize = 0 if folder.name == "convcost" else 2
        mode = PycInvalidationMode.UNCHECKED_HASH
        assert compile_dir(folder, quiet=2, legacy=True, optimize=optimize, invalidation_mode=mode)
    shutil.make_archive(str(STDLIB), "zip", STDLIB)


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
