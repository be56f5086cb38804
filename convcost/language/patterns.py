"""Patterns of paths in the sections of a spec, such as `head*`."""

import re
from collections.abc import Callable, Collection, Iterable
from fnmatch import translate
from functools import cache

from convcost.language.problems import Problems
from convcost.language.yaml_nodes import Node
from convcost.model.suggestions import nearest

MAX_COMPARISONS = 5_000_000  # between the patterns of one section and the paths of its network
WILDCARDS = frozenset("*?[")
PAIRS = 1_000  # of a character of a pattern and one of a path; they count as one comparison


def has_wildcard(pattern: str) -> bool:
    """Whether a pattern can match anything but itself."""
    return not WILDCARDS.isdisjoint(pattern)


@cache
def matcher(pattern: str) -> Callable[[str], object]:
    """A function of a text that returns a match if the whole text matches. Compiling a pattern
    takes as long as about 100 matches, and `re` and `fnmatch` keep only some of them."""
    return re.compile(translate(pattern)).match


def comparisons(patterns: Iterable[str], paths: Iterable[str]) -> int:
    """The comparisons of patterns with paths. A long pattern and a long path count as several,
    because a `*` can begin at each character of the path."""
    of_patterns, of_paths = (list(map(len, texts)) for texts in (patterns, paths))
    pairs = sum(of_patterns) * sum(of_paths)
    return len(of_patterns) * len(of_paths) + pairs // PAIRS


def suggest_pattern(pattern: str, paths: Iterable[str]) -> str:
    """Help for a pattern that matches nothing: the one that matches only the nearest path."""
    path = nearest(pattern, paths)
    if path is None:
        return ""
    escaped = re.sub("([*?[])", r"[\1]", path)
    return f"did you mean `{escaped}`?"


class PatternChecker:
    """Adds a problem for each pattern of a section that matches no path.

    `paths` are the paths of the network, or None if they are not known.
    """

    def __init__(self, problems: Problems, section: str, paths: Collection[str] | None) -> None:
        self.problems = problems
        self.section = section
        self.paths = paths
        self._characters = sum(map(len, paths or ()))
        self._compared = 0

    def check(self, pattern: str, node: Node) -> None:
        paths = self.paths
        if paths is not None and not self._matches_any(pattern, paths, node):
            hint = suggest_pattern(pattern, paths)
            self.problems.add("CC108", f"no layer matches `{pattern}`", node, hint)

    def _matches_any(self, pattern: str, paths: Collection[str], node: Node) -> bool:
        """Whether a path matches. Adds one problem if there are too many comparisons."""
        if not has_wildcard(pattern):
            return pattern in paths
        before = self._compared
        self._compared += len(paths) + len(pattern) * self._characters // PAIRS
        if self._compared <= MAX_COMPARISONS:
            return any(map(matcher(pattern), paths))
        if before <= MAX_COMPARISONS:
            message = (
                f"the patterns of the {self.section} need more than {MAX_COMPARISONS:,} "
                f"comparisons with the {len(paths):,} paths of this network"
            )
            self.problems.add("CC112", message, node, "use fewer patterns with `*`, `?` or `[`")
        return True
