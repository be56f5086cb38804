"""`convcost.yaml`: budgets for many specs, each with the globs of the files that it applies to."""

from collections.abc import Iterable, Sequence
from itertools import chain

from convcost.language.budgets import BudgetParser
from convcost.language.fields import FieldReader
from convcost.language.patterns import comparisons, has_wildcard, matcher
from convcost.language.problems import Problems
from convcost.language.yaml_nodes import Mapping, Node, Scalar, filled_documents, parse_documents
from convcost.language.yaml_nodes import Sequence as SequenceNode
from convcost.model.errors import Source, Span, SpecError
from convcost.model.network import Budget
from convcost.model.record import NamedTuple
from convcost.model.suggestions import limited_suggestions

MINIMAL_CONFIG = "budgets: [{params: {max: 4.3M}, macs: {max: 320M}}]"
RECURSIVE = "**/"
MAX_RECURSIVE = 6  # in one glob; each one doubles the number of variants to compare


class ConfiguredBudget(NamedTuple):
    """One entry of `budgets`: a budget, and the globs of its specs; without globs, all specs."""

    specs: tuple[str, ...]
    budget: Budget
    span: Span


class GlobIndex:
    """Lists of globs, to find those that match a path."""

    def __init__(self, lists: Sequence[Iterable[str]]) -> None:
        self._exact: dict[str, list[int]] = {}
        self._patterns: dict[str, list[int]] = {}
        for position, globs in enumerate(lists):
            for variant in chain.from_iterable(map(glob_variants, globs)):
                positions_by_glob = self._patterns if has_wildcard(variant) else self._exact
                positions_by_glob.setdefault(variant, []).append(position)

    def comparisons(self, paths: Iterable[str]) -> int:
        """How many comparisons it takes to match the paths with all globs that have wildcards."""
        return comparisons(self._patterns, paths)

    def matching(self, path: str) -> list[int]:
        """The positions of the lists with a glob that matches."""
        matching_positions = set(self._exact.get(path, ()))
        for pattern, positions in self._patterns.items():
            if matcher(pattern)(path):
                matching_positions.update(positions)
        return sorted(matching_positions)


def glob_variants(glob: str) -> list[str]:
    """A glob with and without each of its `**/`, which also matches no folder at all."""
    while glob.startswith("./"):
        glob = glob[2:]
    variants = [""]
    for part in glob.split("/"):
        longer = [f"{variant}{part}/" for variant in variants]
        variants = [*longer, *variants] if part == "**" else longer
    return [variant[:-1] for variant in variants if variant]


def read_config(source: Source) -> tuple[ConfiguredBudget, ...]:
    """The budgets of a configuration. Raises SpecError with all problems."""
    nodes, yaml_problems = parse_documents(source.text)
    problems = Problems(yaml_problems)
    documents = filled_documents(nodes)
    root = documents[0] if documents else None
    budgets: tuple[ConfiguredBudget, ...] = ()
    if type(root) is Mapping:
        with limited_suggestions():
            budgets = _budgets(root, problems)
    elif not problems:
        problems.add("CC005", "a configuration must be a mapping", root, MINIMAL_CONFIG)
    for other in documents[1:2]:
        hint = "remove the line `---`, and put all budgets into one list"
        problems.add("CC005", "a configuration must be one document", other, hint)
    if problems:
        raise SpecError(source, problems)
    return budgets


def _budgets(root: Mapping, problems: Problems) -> tuple[ConfiguredBudget, ...]:
    fields = FieldReader(problems)
    fields.check_keys("a configuration", root.entries, ("budgets",))
    node = root.get("budgets") or root
    if problems.refuse_repeated(root, [node]):
        return ()
    return fields.items(node, "budgets", lambda item: _budget(item, problems), MINIMAL_CONFIG)


def _budget(node: Node, problems: Problems) -> ConfiguredBudget | None:
    if type(node) is not Mapping:
        problems.add("CC112", "a budget must be a mapping", node, MINIMAL_CONFIG)
        return None
    specs = _globs(node.get("specs"), problems)
    rest = {name: entry for name, entry in node.entries.items() if name != "specs"}
    budget = BudgetParser(problems, None).parse(node._replace(entries=rest))
    return None if budget is None else ConfiguredBudget(specs, budget, node.span)


def _globs(node: Node | None, problems: Problems) -> tuple[str, ...]:
    if node is None:
        return ()
    items = node.items if type(node) is SequenceNode else [node]
    globs = tuple(item.text for item in items if type(item) is Scalar and not item.null)
    if len(globs) < len(items) or not globs:
        message = "`specs` must be a glob, or a list of them"
        problems.add("CC112", message, node, '["models/*.yaml"]')
    for item in items:
        if type(item) is Scalar and item.text.count(RECURSIVE) > MAX_RECURSIVE:
            message = f"a glob can have `{RECURSIVE}` at most {MAX_RECURSIVE} times"
            problems.add("CC112", message, item)
    return globs
