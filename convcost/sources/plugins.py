"""Adds kinds, formats and conventions from the folders in CONVCOST_PLUGINS."""

import os


def plugin_folders(part: str) -> list[str]:
    """The folder `part` of each folder that CONVCOST_PLUGINS names."""
    folders = os.environ.get("CONVCOST_PLUGINS")
    return [f"{folder}/{part}" for folder in folders.split(os.pathsep)] if folders else []


def plug_in() -> None:
    """Adds the kinds in `layers/`, the formats in `render/` and the conventions in `conventions/`
    of each plugin folder."""
    if not os.environ.get("CONVCOST_PLUGINS"):
        return
    from convcost.model.kind import KINDS
    from convcost.render import FORMATS

    for folder in plugin_folders("layers"):
        KINDS.extend(folder)
    for folder in plugin_folders("render"):
        FORMATS.extend(folder)
    for folder in filter(os.path.isdir, plugin_folders("conventions")):
        from convcost.conventions import CONVENTIONS

        CONVENTIONS.extend(folder)
