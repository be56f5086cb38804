"""Finds and reads specs: by path, by name, and from standard input."""

import codecs
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import cache
from pathlib import Path, PurePath

from convcost.language.network_inputs import Settings
from convcost.model.errors import Source, UsageError
from convcost.model.record import NamedTuple
from convcost.model.suggestions import nearest
from convcost.sources import models
from convcost.sources.links import Followed, refuse_link_out
from convcost.sources.models import (
    is_model,
    is_model_file,
    is_unreadable_model,
    read_model,
    refuse_model_folder,
)

MAX_BYTES = 100 * 2**20  # of one spec
SUFFIXES = (".yaml", ".yml")
STDIN = "<stdin>"
CONFIG = "convcost.yaml"
NO_SETTINGS = Settings()
MISSPELT_CONFIG = "convcost.yml"  # not read, and not a spec


def shipped_specs() -> dict[str, Path]:
    """The specs that ship with convcost, by name."""
    return shipped_files("specs")


def shipped_files(kind: str) -> dict[str, Path]:
    """The YAML files of a folder that ships with convcost, by name."""
    package = Path(__file__).resolve().parent.parent
    for folder in (package / kind, package.parent / kind):
        if folder.is_dir():
            files = sorted(os.listdir(folder))  # noqa: PTH208  `glob` compiles its pattern
            yaml_files = (file for file in files if file.endswith(".yaml"))
            return {file.removesuffix(".yaml"): folder / file for file in yaml_files}
    return {}


class SpecLocation(NamedTuple):
    """The file that an argument names, not read yet.

    `name` is for messages and reports; that of a shipped spec has no suffix, so that it is not that
    of a user's file. `path` is None for standard input, `pick` names one network. `names`
    are all names of the file in the arguments, and `followed` is where its links lead, as far as
    they are known.
    """

    name: str
    path: Path | None
    pick: str | None = None
    shipped: bool = False
    names: tuple[str, ...] = ()
    is_model: bool = False
    followed: Followed | None = None

    @property
    def user_file(self) -> Path | None:
        """The user's own file; a shipped spec, standard input and a pipe have none."""
        return self.path if self.path and not self.shipped and self.path.is_file() else None


def open_source(argument: str, settings: Settings = NO_SETTINGS) -> tuple[Source, str | None]:
    """The source that an argument names, and the name of the one network to use, or None for all.

    The argument is a file, `net.yaml#name`, a shipped spec, `-` or a model. Raises UsageError.
    """
    location = locate(argument)
    return read_source(location, settings), location.pick


def locate(argument: str) -> SpecLocation:
    """The file that an argument names: `net.yaml`, `net.yaml#name`, `googlenet`, `resnet50` or `-`.

    The name of a file, or of a spec that was deleted, is not the name of a callable: strangers
    choose the names of files, and a callable is code. Raises UsageError if there is none.
    """
    name, sign, network = argument.partition("#")
    if sign and not _names_network(argument) and path_exists(Path(argument)):
        name, sign = argument, ""
    elif not name:
        raise UsageError(f"`{argument}` is not the name of a spec")
    elif sign and not network:
        raise UsageError(f"there is no network name after `#` in `{argument}`")
    path, pick = Path(name), network if sign else None
    if name == "-":
        return SpecLocation(STDIN, None, pick)
    if path_exists(path) and not path.is_dir():  # a file, or a pipe such as `<(…)`
        model = not name.endswith(SUFFIXES) and (is_model_file(name) or is_unreadable_model(path))
        return SpecLocation(name, path, pick, is_model=model)
    shipped = shipped_specs()
    if name in shipped and not _is_broken_link(name):
        return SpecLocation(name, shipped[name], pick, shipped=True)
    is_file = name.endswith(SUFFIXES) or os.path.lexists(name)  # a folder, or a link to no file
    if is_model(name) and not sign and not is_file:
        return SpecLocation(name, None, is_model=True)
    if not _is_broken_link(name) and (variant := _variant(name, shipped)):
        if sign:
            raise UsageError(f"`{name}` is one network, so `#{network}` selects nothing of it")
        return variant
    raise UsageError(*_not_found(name, path, shipped))


def is_source(path: Path, source: str) -> bool:
    """Whether a file is the one that a spec was read from.

    `source` is the argument that names the spec: `name`, `name#document`, or `-`, for which the
    file is the one that standard input is redirected from.
    """
    try:
        if not path.exists():
            return False
        if source.partition("#")[0] == "-":
            return path.is_file() and os.path.samestat(path.stat(), os.fstat(0))
        file = locate(source).path
        return file is not None and file.is_file() and path.samefile(file)
    except (OSError, ValueError, UsageError):
        return False


def _variant(name: str, shipped: dict[str, Path]) -> SpecLocation | None:
    """The variant of a shipped spec that a name means, such as `resnet50`."""
    if not any(map(name.startswith, shipped)):
        return None
    from convcost.sources.shipped_variants import find_variant

    spec, pick = find_variant(name, shipped) or ("", "")
    return SpecLocation(spec, shipped[spec], pick, shipped=True) if spec else None


def read_source(location: SpecLocation, settings: Settings = NO_SETTINGS) -> Source:
    """The text of a spec; of a model, with the inputs and the size of the settings. Raises
    UsageError if it cannot be read."""
    if location.is_model:
        if settings.sizes:
            raise UsageError("a model needs --input for the shape of each input, not --size NAME=…")
        return read_model(location.name, settings)
    if settings.inputs or settings.dims:
        raise UsageError(f"--input and --dim are for models, and `{location.name}` is a spec")
    if location.path is None:
        return _standard_input()
    return Source(location.name, read_text(location.path, location.name, location.followed))


def specs_in(argument: str) -> list[str]:
    """The argument if it is a spec, all specs in it if it is a folder.

    A configuration is not a spec, not even one that a glob of the shell names. Raises UsageError
    for a folder without specs, for a link out of its repository, and for an empty name.
    """
    if not argument:
        raise UsageError("`` is not the name of a spec")
    folder = Path(argument)
    if _names_network(argument) or not path_exists(folder) or not folder.is_dir():
        return (
            [] if folder.name in (CONFIG, MISSPELT_CONFIG) and path_exists(folder) else [argument]
        )
    refuse_link_out(folder, argument)
    try:
        files = list(files_below(folder, is_hidden))
    except OSError as error:
        raise UsageError(f"cannot read `{error.filename}`: {error.strerror}") from None
    specs = sorted(str(path) for path in files if is_spec(path.relative_to(folder)))
    if not specs:
        raise UsageError(f"there is no spec in `{argument}`")
    return specs


def _names_network(argument: str) -> bool:
    """Whether an argument names a network of a spec, as `net.yaml#name` does, even if there is also
    a file or a folder of that name: strangers choose the names of files. `net.yaml#a.yaml` is a
    file."""
    return argument.partition("#")[0].endswith(SUFFIXES) and not argument.endswith(SUFFIXES)


def is_spec(path: PurePath) -> bool:
    """Whether a file is a spec, by its path from the folder: hidden files and
    configurations are not."""
    hidden = any(map(is_hidden, path.parts))
    return path.suffix in SUFFIXES and path.name not in (CONFIG, MISSPELT_CONFIG) and not hidden


def is_hidden(name: str) -> bool:
    """Whether a file or a folder of that name is hidden."""
    return name.startswith(".")


def files_below(folder: Path, skipped: Callable[[str], bool]) -> Iterator[Path]:
    """The files below a folder, without those in folders whose names are `skipped`. Follows no link
    to a folder. Raises OSError for an unreadable folder."""
    folders = [str(folder)]
    while folders:  # not recursive, because Python limits recursion and strangers nest folders
        with os.scandir(folders.pop()) as entries:
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    if not skipped(entry.name):
                        folders.append(entry.path)
                elif (path := Path(entry.path)).is_file():
                    yield path


def _is_broken_link(name: str) -> bool:
    return os.path.lexists(name) and not path_exists(Path(name))


def names_file(argument: str) -> bool:
    """Whether an argument names a file, and not a shipped spec."""
    suffix = PurePath(argument).suffix
    return suffix in SUFFIXES or suffix.lower() in models.SUFFIXES or os.sep in argument


def path_exists(path: Path) -> bool:
    """Whether there is a file or folder; false for a name that no system accepts."""
    try:
        return path.exists()
    except (OSError, ValueError):
        return False


def _not_found(argument: str, path: Path, shipped: dict[str, Path]) -> tuple[str, ...]:
    if path_exists(path):
        refuse_model_folder(path)
        return (f"`{argument}` is a folder, not a spec",)
    if _is_broken_link(argument):
        return (f"`{argument}` is a link that leads to no file",)
    if names_file(argument):
        close = nearest(path.name, _specs_beside(path))
        hint = f"; did you mean `{path.parent / close}`?" if close else ""
        return (f"there is no file `{argument}`{hint}",)
    message = f"there is no file and no shipped spec `{argument}`"
    if close := nearest(path.name, _shipped_names()):
        return (f"{message}; did you mean `{close}`?", "help: `convcost specs` lists all")
    return message, f"shipped specs: {', '.join(shipped)}"


@cache
def _shipped_names() -> tuple[str, ...]:
    from convcost.sources.shipped_variants import all_names

    return tuple(all_names(shipped_specs()))


def _specs_beside(file: Path) -> Iterator[str]:
    """The names of the other specs in the same folder."""
    with suppress(OSError, ValueError):
        for path in file.parent.iterdir():
            if path.suffix in SUFFIXES and path.name != file.name:  # a link to no file
                yield path.name


def _standard_input() -> Source:
    if sys.stdin is None or sys.stdin.closed:
        raise UsageError("standard input is closed")
    if sys.stdin.isatty():
        sys.stderr.write("reading a spec from the terminal; end it with Ctrl-D\n")
    return Source(STDIN, _decode(sys.stdin.buffer.read(MAX_BYTES + 1), "standard input"))


def read_text(path: Path, name: str, followed: Followed | None = None) -> str:
    """The text of a file; messages call it `name`. `followed` is where its links lead, if known.
    Raises UsageError, also for a link out of its repository."""
    refuse_link_out(path, name, followed)
    try:
        with path.open("rb") as file:
            return _decode(file.read(MAX_BYTES + 1), name)
    except OSError as error:
        raise UsageError(f"cannot read `{name}`: {error.strerror}") from None
    except ValueError:
        reason = "it has a character that file names cannot have"
        raise UsageError(f"`{name}` cannot be the name of a file: {reason}") from None


def _decode(data: bytes, name: str) -> str:
    if len(data) > MAX_BYTES:
        raise UsageError(f"`{name}` is larger than the limit of {MAX_BYTES // 2**20} MiB")
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise UsageError(f"`{name}` is UTF-16; save it as UTF-8")
    try:
        text = data.removeprefix(codecs.BOM_UTF8).decode()
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        byte = data[error.start]
        raise UsageError(
            f"error[CC001]: `{name}` is not UTF-8 text: byte 0x{byte:02x} at offset "
            f"{error.start}, line {line}"
        ) from None
    if "\0" in text:
        offset = text.index("\0")
        raise UsageError(f"error[CC001]: `{name}` is not text: a zero byte at offset {offset}")
    return text
