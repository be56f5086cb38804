"""Kinds and formats of folders that the environment names."""

import os


def plug_in() -> None:
    """Kinds and formats of folders named in CONVCOST_PLUGINS: `layers/` and `render/` of each."""
    folders = os.environ.get("CONVCOST_PLUGINS")
    if not folders:
        return
    from convcost.kind import KINDS
    from convcost.report import FORMATS

    for folder in folders.split(os.pathsep):
        KINDS.extend(os.path.join(folder, "layers"))  # noqa: PTH118  pathlib is not needed yet
        FORMATS.extend(os.path.join(folder, "render"))  # noqa: PTH118
