"""`convcost.yaml`: budgets for many specs, each with the globs of the files it is for."""

from fnmatch import fnmatchcase
from typing import NamedTuple

from convcost.errors import Place, Problem, Source, SpecError
from convcost.names import did_you_mean
from convcost.network import Budget
from convcost.spec.document import Mapping, Node, Scalar, Sequence, read
from convcost.spec.figures import LIMITED, Anything, Figures

KEYS = (*LIMITED, "layers", "groups", "message", "name", "specs")
MINIMAL = "budgets: [{params: {max: 4.3M}, macs: {max: 320M}}]"


ANYWHERE = "**/"
MOST_ANYWHERE = 6  # in one glob: each may also be left out, and doubles what is tried


class Rules(NamedTuple):
    """One entry of `budgets`: a budget, and the globs of the specs it is for; none means all."""

    specs: tuple[str, ...]
    budget: Budget
    place: Place

    def covers(self, path: str) -> bool:
        """Whether it is for a spec, by its path from the folder of the configuration."""
        return not self.specs or any(
            fnmatchcase(path, spelling) for glob in self.specs for spelling in _spellings(glob)
        )


def _spellings(glob: str) -> list[str]:
    """A glob, and the same without each `**/`, which may also stand for no folder at all."""
    while glob.startswith("./"):
        glob = glob[2:]
    found = [""]
    for piece in glob.split("/"):
        last = [f"{one}{piece}/" for one in found]
        found = [*last, *found] if piece == "**" else last
    return [one[:-1] for one in found if one]


def config(source: Source) -> tuple[Rules, ...]:
    """The budgets of a configuration. Raises SpecError with all problems."""
    nodes, problems = read(source.text)
    root = nodes[0] if nodes else None
    found: tuple[Rules, ...] = ()
    if type(root) is Mapping:
        found = _read(root, problems)
    elif not problems:
        place = root.place if root is not None else None
        problems.append(Problem("CC005", "a configuration is a mapping", place, help=MINIMAL))
    if problems:
        raise SpecError(source, problems)
    return found


def _read(root: Mapping, problems: list[Problem]) -> tuple[Rules, ...]:
    for name, (key, _) in root.entries.items():
        if name != "budgets" and not name.startswith("x-"):
            hint = did_you_mean(name, ("budgets",))
            message = f"a configuration has no key `{name}`"
            problems.append(Problem("CC101", message, key.place, help=hint))
    node = root.get("budgets")
    if type(node) is not Sequence:
        place = node.place if node is not None else root.place
        problems.append(Problem("CC112", "`budgets` must be a list", place, help=MINIMAL))
        return ()
    return tuple(rules for item in node.items if (rules := _rules(item, problems)) is not None)


def _rules(node: Node, problems: list[Problem]) -> Rules | None:
    if type(node) is not Mapping:
        problems.append(Problem("CC112", "a budget must be a mapping", node.place, help=MINIMAL))
        return None
    specs = _globs(node.get("specs"), problems)
    rest = Mapping(
        {name: entry for name, entry in node.entries.items() if name != "specs"},
        node.start,
        node.end,
    )
    budget = Figures(problems).budget(rest, Anything())
    return None if budget is None else Rules(specs, budget, node.place)


def _globs(node: Node | None, problems: list[Problem]) -> tuple[str, ...]:
    listed = [] if node is None else node.items if type(node) is Sequence else [node]
    words = tuple(item.text for item in listed if type(item) is Scalar and not item.null)
    if node is not None and (len(words) < len(listed) or not words):
        message = "`specs` must be a glob, or a list of them"
        problems.append(Problem("CC112", message, node.place, help='["models/*.yaml"]'))
    for item in listed:
        if type(item) is Scalar and item.text.count(ANYWHERE) > MOST_ANYWHERE:
            message = f"a glob takes `{ANYWHERE}` {MOST_ANYWHERE} times at most"
            problems.append(Problem("CC112", message, item.place))
    return words
