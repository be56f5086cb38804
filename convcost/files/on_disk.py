"""Whether there is any file that a budget is for."""

import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from convcost.spec.config import Rules

MOST = 20_000  # files that are looked at; with more it is not known, and nothing is said
WILD = "*?["


def any_file(folders: Iterable[Path], rules: Rules) -> bool:
    """Whether the globs name a file below one of the folders; true if that is not known."""
    if not rules.specs:
        return True
    seen = 0
    for folder in folders:
        for glob in rules.specs:
            for path in _files(folder, _fixed(glob)):
                seen += 1
                if seen > MOST or rules.covers(path):
                    return True
    return False


def _fixed(glob: str) -> str:
    """The folder that all files of a glob are in: `models/small` of `models/small/*.yaml`."""
    wild = min((glob.find(sign) for sign in WILD if sign in glob), default=len(glob))
    return glob[:wild].rpartition("/")[0]


def _files(folder: Path, below: str) -> Iterator[str]:
    for root, names, files in os.walk(folder / below):
        names[:] = [name for name in names if name != ".git"]
        for name in files:
            yield os.path.relpath(f"{root}/{name}", folder).replace(os.sep, "/")
