"""What `--base` names: a commit, a baseline file, or a spec."""

from collections.abc import Iterable
from pathlib import Path

from convcost.errors import UsageError
from convcost.files.baseline import BaselineBase
from convcost.files.commit import CommitBase
from convcost.files.sources import SUFFIXES, find, shipped, source_of
from convcost.files.was import Base, NoSpec, Now, Was, exists, of_text
from convcost.names import nearest
from convcost.report import printable


def base_of(
    asked: str, arguments: Iterable[str], files: Iterable[Path], *, begun: bool = False
) -> Base:
    """The base that is asked for; `arguments` are what is checked, `files` the specs that comes
    to. A baseline may be one that is only `begun`, as it is about to be written.

    Raises UsageError if it is a file that cannot be read.
    """
    scheme, colon, ref = asked.partition(":")
    if colon and scheme == "git":
        return CommitBase(ref, arguments, files)
    if asked.endswith(".json"):
        return BaselineBase(asked, begun=begun)
    return SpecBase(asked)


class SpecBase:
    """A spec: its networks are the base of those that have their names; of one network alone,
    and one that is asked for alone, the names are no matter."""

    keeps = False

    def __init__(self, asked: str) -> None:
        _refuse_ref(asked)
        self.asked = asked
        self.name = printable(asked)
        found = find(asked)
        source = source_of(found)
        try:
            self._was = Was(of_text(source, found.pick))
        except NoSpec as reason:
            lack = f"`{self.name}` is no spec ({reason}): mend it or name another"
            self._was = Was(lack=lack, unmet=True)

    def of(self, now: Now) -> Was:
        return self._was

    def had(self, argument: str) -> bool:
        return False

    def deleted(self) -> list[str]:
        return []


def _refuse_ref(asked: str) -> None:
    """A name that no file has and that looks like none is most likely that of a branch."""
    name = asked.partition("#")[0]
    known = asked in ("", "-") or name in ("", "-") or name in shipped()
    if known or exists(Path(asked)) or exists(Path(name)) or Path(name).suffix in SUFFIXES:
        return
    meant = [f"git:{asked}", *filter(None, [nearest(name, shipped())])]
    listed = " or ".join(f"`{printable(one)}`" for one in meant)
    raise UsageError(
        f"there is no file `{printable(asked)}` to be the base; did you mean {listed}?\n"
        "help: a base is git:REF, a baseline .json, or a spec"
    )
