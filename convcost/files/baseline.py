"""A base that is a baseline file: read, compared, written anew."""

import os
from collections.abc import Mapping
from pathlib import Path

from convcost.errors import UsageError
from convcost.files.sources import read_text, shipped
from convcost.files.was import Now, Was, exists
from convcost.questions.check.baseline import NoBaseline, parsed, written
from convcost.questions.check.measures import Measured
from convcost.report import printable


class BaselineBase:
    """`baseline.json`. It names specs by their paths from its own folder."""

    keeps = True

    def __init__(self, file: str) -> None:
        self.asked = file
        self.name = printable(file)
        self.path = Path(file)
        self.fault = ""
        self.lack = ""
        self.networks: dict[str, dict[str, Measured]] = {}
        if not exists(self.path):
            self.lack = f"there is no `{self.name}` yet: write it with --update-baseline"
            return
        try:
            self.networks = parsed(read_text(self.path, file))
        except NoBaseline as reason:
            self.fault = f"`{self.name}` is no baseline: {printable(str(reason))}"
            self.lack = f"{self.fault}; mend it, or delete it and write it with --update-baseline"

    def of(self, now: Now) -> Was:
        if self.lack:
            return Was(lack=self.lack)
        networks = self.networks.get(self.key(now.source.name))
        if networks is None:
            shown = printable(now.source.name)
            return Was(said=(f"{shown}: new, not in {self.name}: growth is not checked",))
        return Was(networks)

    def had(self, argument: str) -> bool:
        inside = self.key(argument)
        return any(spec == inside or spec.startswith(f"{inside}/") for spec in self.networks)

    def deleted(self) -> list[str]:
        return [self.shown(spec) for spec in self.gone()]

    def gone(self) -> list[str]:
        """The specs it names that are there no more, wherever they were."""
        return sorted(
            spec
            for spec in self.networks
            if not exists(self.path.parent / spec) and spec.removesuffix(".yaml") not in shipped()
        )

    def key(self, spec: str) -> str:
        """What a spec is called in the file: a path from there, or the name of a shipped one."""
        if not exists(Path(spec)) and spec.removesuffix(".yaml") in shipped():
            return spec
        return os.path.relpath(spec, self.path.parent).replace(os.sep, "/")

    def shown(self, spec: str) -> str:
        """A spec of the file as it is called from here."""
        return os.path.normpath(self.path.parent / spec)

    def updated(self, now: Mapping[str, Mapping[str, Measured]]) -> str:
        """The text of the file with what specs cost now in the place of what they did; those that
        were not asked for stay as they are, and those that are gone go."""
        gone = self.gone()
        kept = {spec: of for spec, of in self.networks.items() if spec not in gone}
        return written({**kept, **now})

    def refuse(self) -> None:
        """Raises UsageError if there is a file, and it is none that can be written anew."""
        if self.fault:
            raise UsageError(f"{self.fault}\nhelp: mend it, or delete it to begin anew")
