"""What `--base` names: a commit, a baseline file, or a spec."""

from collections.abc import Iterable

from convcost.files.baseline import BaselineBase
from convcost.files.commit import CommitBase
from convcost.files.sources import open_source
from convcost.files.was import Base, NoSpec, Now, Was, of_text
from convcost.report import printable


def base_of(asked: str, arguments: Iterable[str], specs: Iterable[str]) -> Base:
    """The base that is asked for; `arguments` are what is checked, `specs` what that comes to.

    Raises UsageError if it is a file that cannot be read.
    """
    scheme, colon, ref = asked.partition(":")
    if colon and scheme == "git":
        return CommitBase(ref, arguments, specs)
    if asked.endswith(".json"):
        return BaselineBase(asked)
    return SpecBase(asked)


class SpecBase:
    """A spec: its networks are the base of those that have their names."""

    keeps = False

    def __init__(self, asked: str) -> None:
        self.asked = asked
        self.name = printable(asked)
        source, _ = open_source(asked)
        try:
            self._was = Was(of_text(source))
        except NoSpec as reason:
            self._was = Was(lack=f"`{self.name}` is no spec ({reason}): mend it or name another")

    def of(self, now: Now) -> Was:
        return self._was

    def had(self, argument: str) -> bool:
        return False

    def deleted(self) -> list[str]:
        return []
