"""Specs by file, by name, from standard input: arguments to texts."""

import os
import sys
from pathlib import Path, PurePath
from typing import NamedTuple

from convcost.errors import Source, UsageError
from convcost.names import nearest
from convcost.report import printable

LARGEST = 100 * 2**20
SUFFIXES = (".yaml", ".yml")
STDIN = "<stdin>"
CONFIG = "convcost.yaml"
MISSPELT = "convcost.yml"  # not read, but never taken for a spec


class Asked(NamedTuple):
    """A source, and the one document of it that is asked for."""

    source: Source
    pick: str | None


def shipped() -> dict[str, Path]:
    """The specs that travel with the program, by name."""
    package = Path(__file__).resolve().parent.parent
    for folder in (package / "specs", package.parent / "specs"):
        if folder.is_dir():
            return {path.stem: path for path in sorted(folder.glob("*.yaml"))}
    return {}


class Found(NamedTuple):
    """What an argument names, not read yet: `name` is what messages call it, `path` its file or
    None for standard input, `pick` the one document that is asked for."""

    name: str
    path: Path | None
    pick: str | None = None
    shipped: bool = False


def open_source(argument: str) -> Asked:
    """`net.yaml`, `net.yaml#name`, `googlenet`, `-`. Raises UsageError."""
    found = find(argument)
    return Asked(source_of(found), found.pick)


def find(argument: str) -> Found:
    """The file of `net.yaml`, `net.yaml#name`, `googlenet`, `-`. Raises UsageError if none is."""
    if argument == "-":
        return Found(STDIN, None)
    if not argument.partition("#")[0]:
        raise UsageError(f"`{printable(argument)}` names no spec")
    path = Path(argument)
    pick = None
    if not _exists(path) and "#" in argument:
        name, _, pick = argument.partition("#")
        if not pick:
            raise UsageError(f"`{printable(argument)}` names no document after #")
        path, argument = Path(name), name
        if argument == "-":
            return Found(STDIN, None, pick)
    if _is_file(path):
        return Found(argument, path, pick)
    ours = shipped()
    if argument in ours:
        return Found(f"{argument}.yaml", ours[argument], pick, shipped=True)
    raise UsageError(_lost(argument, path, ours))


def source_of(found: Found) -> Source:
    """The text of what was found. Raises UsageError."""
    if found.path is None:
        return _standard_input()
    called = found.name.removesuffix(".yaml") if found.shipped else found.name
    return Source(found.name, read_text(found.path, called))


def specs_of(argument: str) -> list[str]:
    """A spec, or all of a folder; a configuration is none, in a folder and as a glob names it.

    Raises UsageError for a folder without any, and for no name at all."""
    if not argument:
        raise UsageError("`` names no spec")
    folder = Path(argument)
    if not _exists(folder) or not folder.is_dir():
        return [] if folder.name in (CONFIG, MISSPELT) and _exists(folder) else [argument]
    inside = (path.relative_to(folder) for path in folder.rglob("*") if path.is_file())
    found = sorted(str(folder / path) for path in inside if is_spec(path))
    if not found:
        raise UsageError(f"there is no spec in `{printable(argument)}`")
    return found


def is_spec(path: PurePath) -> bool:
    """Whether a file of a folder is taken for a spec, by its path from there: hidden ones and
    configurations are not."""
    hidden = any(part.startswith(".") for part in path.parts)
    return path.suffix in SUFFIXES and path.name not in (CONFIG, MISSPELT) and not hidden


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except (OSError, ValueError):
        return False


def _is_file(path: Path) -> bool:
    """Files, and what can be read like one: a pipe, as `<(…)` gives."""
    return _exists(path) and not path.is_dir()


def _lost(argument: str, path: Path, ours: dict[str, Path]) -> str:
    shown = printable(argument)
    if _exists(path):
        return f"`{shown}` is a folder, not a spec"
    meant = nearest(path.name.removesuffix(".yaml").removesuffix(".yml"), ours)
    if path.suffix in SUFFIXES or os.sep in argument:
        folder = path.parent
        beside = []
        if folder.is_dir() and os.access(folder, os.R_OK):
            beside = [p.name for p in folder.iterdir() if p.suffix in SUFFIXES]
        close = nearest(path.name, beside)
        if close:
            return f"there is no file `{shown}`; did you mean `{printable(str(folder / close))}`?"
        hint = f"; `{meant}` is a spec that ships with convcost" if meant else ""
        return f"there is no file `{shown}`{hint}"
    begun = [name for name in ours if name.startswith(argument)]
    meant = "` or `".join(begun) if len(begun) > 1 else meant
    listed = f"; did you mean `{meant}`?" if meant else ""
    names = ", ".join(ours)
    return f"there is no file and no shipped spec `{shown}`{listed}\nshipped specs: {names}"


def _standard_input() -> Source:
    if sys.stdin is None or sys.stdin.closed:
        raise UsageError("standard input is closed")
    if sys.stdin.isatty():
        sys.stderr.write("reading a spec from the terminal; end it with Ctrl-D\n")
    return Source(STDIN, _decoded(sys.stdin.buffer.read(LARGEST + 1), "standard input"))


def read_text(path: Path, name: str) -> str:
    """The text of a file that goes by `name` in messages. Raises UsageError."""
    try:
        with path.open("rb") as file:
            return _decoded(file.read(LARGEST + 1), name)
    except OSError as error:
        raise UsageError(f"cannot read `{printable(name)}`: {error.strerror}") from None


def _decoded(data: bytes, name: str) -> str:
    shown = printable(name)
    if len(data) > LARGEST:
        raise UsageError(f"`{shown}` is larger than {LARGEST // 2**20} MiB: no spec is")
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise UsageError(f"`{shown}` is UTF-16; save it as UTF-8")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        byte = data[error.start]
        raise UsageError(
            f"error[CC001]: `{shown}` is not UTF-8 text: byte 0x{byte:02x} at offset "
            f"{error.start}, line {line}"
        ) from None
    if "\0" in text:
        offset = text.index("\0")
        raise UsageError(f"error[CC001]: `{shown}` is not text: a zero byte at offset {offset}")
    return text
