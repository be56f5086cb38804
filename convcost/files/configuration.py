"""Budgets that stand in a file of their own: which of them is for a spec."""

from functools import cache
from pathlib import Path
from typing import TypeAlias

from convcost.errors import Source, SpecError, UsageError
from convcost.files.sources import CONFIG, read_text
from convcost.network import Budget
from convcost.spec.config import Rules, config

# Each budget with the name of the file it stands in.
Budgets: TypeAlias = tuple[tuple[str, Budget], ...]


class Configurations:
    """The configuration that was asked for, or for each spec the nearest above it; each is read
    once, and what is wrong with it is one error."""

    def __init__(self, asked: str | None) -> None:
        self.asked = None if asked is None else Path(asked)
        self._found = cache(_above)
        self._read: dict[Path, tuple[Rules, ...] | SpecError | UsageError] = {}

    def budgets(self, spec: str) -> Budgets:
        """The budgets for a spec, by its name. Raises SpecError, UsageError."""
        path = Path(spec)
        found = self.asked
        if found is None and path.is_file():
            found = self._found(path.resolve().parent)
        if found is None:
            return ()
        try:
            inside = path.resolve().relative_to(found.resolve().parent).as_posix()
        except ValueError:
            inside = path.as_posix()
        return tuple((str(found), r.budget) for r in self._rules(found) if r.covers(inside))

    def _rules(self, path: Path) -> tuple[Rules, ...]:
        if path not in self._read:
            try:
                self._read[path] = config(Source(str(path), read_text(path, str(path))))
            except (SpecError, UsageError) as error:
                self._read[path] = error
        rules = self._read[path]
        if isinstance(rules, SpecError | UsageError):
            raise rules
        return rules


def _above(folder: Path) -> Path | None:
    """The configuration nearest above, within the repository; by a short name if it has one."""
    for above in (folder, *folder.parents):
        found = above / CONFIG
        if found.is_file():
            here = Path.cwd()
            return found.relative_to(here) if found.is_relative_to(here) else found
        if (above / ".git").exists():
            return None
    return None
