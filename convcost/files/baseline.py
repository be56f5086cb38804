"""A base that is a baseline file: read, compared, written anew."""

import os
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path

from convcost.errors import UsageError
from convcost.files.sources import read_text, shipped
from convcost.files.was import Now, Was, exists
from convcost.names import nearest
from convcost.questions.check.baseline import NoBaseline, parsed, written
from convcost.questions.check.measures import Measured
from convcost.report import printable

SHIPPED = "shipped:"  # no path from anywhere
WRITE = 0o222


class BaselineBase:
    """`baseline.json`. It names specs by their paths from its own folder, links followed."""

    keeps = True

    def __init__(self, file: str, *, begun: bool = False) -> None:
        """`begun`: it is about to be written, and may not be there yet. Raises UsageError."""
        self.asked = file
        self.name = printable(file)
        self.begun = begun
        self.fault = ""
        self.networks: dict[str, dict[str, Measured]] = {}
        if not exists(Path(file)):
            if not begun:
                raise UsageError(_lost(file))
            self.path = Path(os.path.realpath(file))
            return
        self.path = Path(os.path.realpath(file))
        try:
            self.networks = parsed(read_text(self.path, file))
        except NoBaseline as reason:
            self.fault = f"`{self.name}` is no baseline: {printable(str(reason))}"

    def of(self, now: Now) -> Was:
        if self.fault:
            mend = "mend it, or delete it and write it with --update-baseline"
            return Was(lack=f"{self.fault}; {mend}", unmet=True)
        networks = self.networks.get(self.key(now))
        if networks is not None or self.begun:
            return Was(networks or {})
        shown = printable(now.source.name)
        return Was(said=(f"{shown}: new, not in {self.name}: growth is not checked",))

    def had(self, argument: str) -> bool:
        if "\0" in argument:
            return False
        inside = self._path(argument)
        return any(spec == inside or spec.startswith(f"{inside}/") for spec in self.networks)

    def deleted(self) -> list[str]:
        return [f"{printable(self.shown(spec))}: deleted, was in {self.name}" for spec in self.gone]

    @cached_property
    def gone(self) -> tuple[str, ...]:
        """The specs it names that are there no more, wherever they were."""
        return tuple(sorted(spec for spec in self.networks if not self._is_there(spec)))

    def _is_there(self, spec: str) -> bool:
        if spec.startswith(SHIPPED):
            return spec.removeprefix(SHIPPED) in shipped()
        return exists(self.path.parent / spec)

    def key(self, now: Now) -> str:
        """What a spec is called in the file: a path from there, or the name of a shipped one."""
        if now.shipped:
            return f"{SHIPPED}{now.source.name.removesuffix('.yaml')}"
        return self._path(now.source.name)

    def _path(self, spec: str) -> str:
        return os.path.relpath(os.path.realpath(spec), self.path.parent).replace(os.sep, "/")

    def shown(self, spec: str) -> str:
        """A spec of the file as it is called from here."""
        if spec.startswith(SHIPPED):
            return f"{spec.removeprefix(SHIPPED)}.yaml"
        return os.path.relpath(self.path.parent / spec)

    def updated(self, now: Mapping[str, Mapping[str, Measured]]) -> str:
        """The text of the file with what specs cost now in the place of what they did; those that
        were not asked for stay as they are, and those that are gone go."""
        kept = {spec: of for spec, of in self.networks.items() if spec not in self.gone}
        return written({**kept, **now})

    def refuse(self) -> None:
        """Raises UsageError if it is none that can be written anew, before anything is."""
        if self.fault:
            raise UsageError(f"{self.fault}\nhelp: mend it, or delete it to begin anew")
        folder = self.path.parent
        if not folder.is_dir():
            raise UsageError(f"cannot write `{self.name}`: No such file or directory")
        there = exists(self.path)
        closed = there and not (self.path.stat().st_mode & WRITE and os.access(self.path, os.W_OK))
        if closed or not os.access(folder, os.W_OK):
            raise UsageError(f"cannot write `{self.name}`: it, or its folder, is read-only")


def _lost(file: str) -> str:
    shown = printable(file)
    folder = Path(file).parent
    beside = []
    if exists(folder) and folder.is_dir() and os.access(folder, os.R_OK):
        beside = [path.name for path in folder.iterdir() if path.suffix == ".json"]
    close = nearest(Path(file).name, beside)
    meant = f"; did you mean `{printable(str(folder / close))}`?" if close else ""
    return f"there is no baseline `{shown}`{meant}\nhelp: write it with --update-baseline"
