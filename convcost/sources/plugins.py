"""Adds kinds, formats and conventions from the folders in CONVCOST_PLUGINS."""

import os

from convcost.model.errors import UsageError
from convcost.model.registry import modules_in

PARTS = {
    "layers": "kinds",
    "render": "formats",
    "conventions": "counting conventions",
    "cli": "commands",
}


def plugin_folders(part: str) -> list[str]:
    """The folder `part` of each folder that CONVCOST_PLUGINS names."""
    return [f"{folder}/{part}" for folder in _folders()]


def plug_in() -> None:
    """Adds the kinds in `layers/`, the formats in `render/` and the conventions in `conventions/`
    of each plugin folder.

    Raises UsageError for a folder without plug-ins.
    """
    if not _folders():
        return
    from convcost.model.kind import KINDS
    from convcost.render import FORMATS

    for folder in _folders():
        _check(folder)
    for folder in plugin_folders("layers"):
        KINDS.extend(folder)
    for folder in plugin_folders("render"):
        FORMATS.extend(folder)
    for folder in filter(os.path.isdir, plugin_folders("conventions")):
        from convcost.conventions import CONVENTIONS

        CONVENTIONS.extend(folder)


def _folders() -> list[str]:
    return [folder for folder in os.environ.get("CONVCOST_PLUGINS", "").split(os.pathsep) if folder]


def _check(folder: str) -> None:
    """Raises UsageError if a folder does not exist or has no plug-ins, and for a misspelt folder in
    it: its plug-ins would be ignored."""
    if not os.path.isdir(folder):  # noqa: PTH112  pathlib is not needed yet
        raise UsageError(f"CONVCOST_PLUGINS names the folder `{folder}`, which does not exist")
    from convcost.model.suggestions import nearest

    for entry in sorted(os.scandir(folder), key=lambda entry: entry.name):
        if entry.is_dir() and entry.name not in PARTS and not entry.name.startswith((".", "_")):
            meant = nearest(entry.name, PARTS)
            if meant is not None and modules_in([entry.path]):
                raise UsageError(f"no plug-in is read from `{entry.path}`; rename it to `{meant}`")
    if not any(modules_in([f"{folder}/{part}"]) for part in PARTS):
        listed = ", ".join(f"{part}/ for {content}" for part, content in PARTS.items())
        message = f"the folder `{folder}` in CONVCOST_PLUGINS has no plug-ins"
        raise UsageError(message, help=f"put each file into one of these folders: {listed}")
