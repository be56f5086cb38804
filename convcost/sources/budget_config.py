"""Budgets in configuration files, and the specs that they are for."""

import os
from collections.abc import Collection, Iterable, Iterator
from contextlib import suppress
from itertools import chain, islice
from pathlib import Path
from typing import TypeAlias

from convcost.language.budget_config import ConfiguredBudget, GlobIndex, glob_variants, read_config
from convcost.language.patterns import MAX_COMPARISONS, comparisons, has_wildcard, matcher
from convcost.model.errors import Source, UsageError
from convcost.model.network import Budget, Rule, path_prefixes
from convcost.model.record import NamedTuple
from convcost.reports.check.measures import MeasuredNetwork
from convcost.reports.notes import first_texts
from convcost.sources.config_discovery import ConfigFinder
from convcost.sources.links import GIT, PathLinks
from convcost.sources.spec_files import files_below, path_exists, read_text

MAX_FILES = 20_000  # below a folder; in a larger folder no glob is reported as unused

# Each budget with the name of its file.
Budgets: TypeAlias = tuple[tuple[str, Budget], ...]


class _Config(NamedTuple):
    """A configuration, and the indices of the budgets that apply to a spec."""

    budgets: tuple[ConfiguredBudget, ...]
    globs: GlobIndex
    used: set[int]


class BudgetConfigs:
    """The configurations of a check: `config_file`, or for each spec the nearest one above it.

    Each file is read once.
    """

    def __init__(self, config_file: str | None) -> None:
        self._config_file = None if config_file is None else Path(config_file)
        self._links = PathLinks()
        self._finder = ConfigFinder(self._links)
        self._found: dict[Path, Path] = {}  # the configurations by their folders
        self._configs: dict[Path, _Config] = {}
        self._rules: dict[int, _Rules] = {}  # the rules by the id of their budget
        self._compared = 0

    @property
    def files(self) -> list[str]:
        """The configurations that were read."""
        return list(map(str, self._configs))

    def names_path(self, path: str) -> str:
        """The configuration with a glob for a file, or for files of a folder, of that path in the
        current folder; empty if there is none. Raises SpecError, UsageError."""
        folder = Path.cwd()
        file = self._config_file or self._find(folder)
        if file is None:
            return ""
        prefix = self._path_from(file, Path(path), folder)
        globs = (glob for budget in self._config(file).budgets for glob in budget.specs)
        variants = (variant for glob in globs for variant in glob_variants(glob))
        named = any(variant == prefix or variant.startswith(f"{prefix}/") for variant in variants)
        return str(file) if named else ""

    def budgets(self, *names: str) -> Budgets:
        """The budgets for a spec, by all of its names, with links to folders followed and not: a
        link must hide neither the budget of its target nor that of a spec that it replaces. Raises
        SpecError, UsageError."""
        file_budgets = (
            budget
            for path in map(Path, names)
            for folder in self._folders(path)
            for budget in self._budgets(path, folder)
        )
        # Budgets are compared by identity: the hash of one with many rules takes long.
        return tuple({id(budget): (file, budget) for file, budget in file_budgets}.values())

    def _folders(self, path: Path) -> Iterable[Path]:
        """The folder of a spec, with links followed, and the one that its name has. They differ if
        a link leads to the folder."""
        try:
            named = Path(os.path.abspath(path)).parent  # noqa: PTH100  pathlib follows links
            return dict.fromkeys((self._links.follow(path.parent).target, named))
        except OSError:  # the current folder was deleted
            return (path.parent,)

    def _budgets(self, path: Path, folder: Path) -> Budgets:
        file = self._config_file
        if file is None and path_exists(path) and path.is_file():
            file = self._find(folder)
        if file is None:
            return ()
        config = self._config(file)
        spec = self._path_from(file, path, folder)
        self._compared += config.globs.comparisons([spec])
        if self._compared > MAX_COMPARISONS:
            raise UsageError(
                f"the globs of `{file}` need more than {MAX_COMPARISONS:,} comparisons with the "
                "specs",
                help="use fewer globs with `*`, `?` or `[`",
            )
        matching = config.globs.matching(spec)
        config.used.update(matching)
        return tuple((str(file), config.budgets[index].budget) for index in matching)

    def _find(self, folder: Path) -> Path | None:
        """The configuration for a folder. One that is found through several links to its folder
        has the first of its paths."""
        file = self._finder.find(folder)
        return file and self._found.setdefault(self._links.follow(file.parent).target, file)

    def _path_from(self, config_file: Path, spec: Path, folder: Path) -> str:
        """The path of a spec in `folder`, relative to the folder of a configuration. That of a spec
        which is not below that folder is relative to the current folder, however the spec is named.
        A spec that is below neither keeps its path."""
        path = folder / spec.name
        with suppress(OSError):  # the current folder was deleted
            for above in (self._links.follow(config_file.parent).target, Path.cwd()):
                if path.is_relative_to(above):
                    return path.relative_to(above).as_posix()
        return spec.as_posix()

    def _config(self, file: Path) -> _Config:
        if file not in self._configs:
            budgets = read_config(Source(str(file), read_text(file, str(file))))
            globs = GlobIndex([budget.specs or ("*",) for budget in budgets])
            self._configs[file] = _Config(budgets, globs, set())
        return self._configs[file]

    def match_rules(self, budgets: Budgets, network: MeasuredNetwork) -> None:
        """Finds out which groups and rules of the budgets of a network match a layer. Raises
        UsageError if this needs too many comparisons."""
        if not any(budget.groups or budget.layers for _, budget in budgets):
            return
        paths = {path for layer in network.layers for path in path_prefixes(layer.path)}
        rules = [self._rules_of(file, budget) for file, budget in budgets]
        patterns = {pattern for of_budget in rules for pattern in of_budget.patterns}
        if comparisons(patterns, (layer.path for layer in network.layers)) > MAX_COMPARISONS:
            raise UsageError(
                f"the patterns of the budgets for `{network.name}` need more than "
                f"{MAX_COMPARISONS:,} comparisons with its layers",
                help="use fewer patterns with `*`, `?` or `[`",
            )
        for of_budget in rules:
            of_budget.match(paths)

    def _rules_of(self, file: str, budget: Budget) -> "_Rules":
        """The rules of a budget of a configuration, which is read once."""
        if id(budget) not in self._rules:
            self._rules[id(budget)] = _Rules(file, budget)
        return self._rules[id(budget)]

    def statements(self) -> Iterator[str]:
        """A sentence for each rule that matches no layer, and for each budget whose globs match no
        file. Complete once all specs are read."""
        for rules in self._rules.values():
            yield from rules.statements()
        for path, config in self._configs.items():
            # The globs of a `config_file` are also relative to the current folder.
            folders = [path.parent, Path()] if self._config_file else [path.parent]
            unused = [budget for n, budget in enumerate(config.budgets) if n not in config.used]
            for budget in _matching_no_file([budget for budget in unused if budget.specs], folders):
                yield _unused_message(path, budget)


class _Rules:
    """The groups and rules of a budget, and those that matched no layer yet. `patterns` are those
    with wildcards."""

    def __init__(self, file: str, budget: Budget) -> None:
        self._file = file
        self._unmatched: dict[str, list[Rule]] = {}
        for rule in (*budget.groups, *budget.layers):
            self._unmatched.setdefault(rule.match, []).append(rule)
        self.patterns = list(filter(has_wildcard, self._unmatched))

    def match(self, paths: Collection[str]) -> None:
        matching_patterns = [path for path in paths if path in self._unmatched]
        matching_patterns += (
            pattern
            for pattern in self.patterns
            if pattern in self._unmatched and any(map(matcher(pattern), paths))
        )
        for pattern in dict.fromkeys(matching_patterns):
            del self._unmatched[pattern]

    def statements(self) -> Iterator[str]:
        for rule in chain.from_iterable(self._unmatched.values()):
            where = f"{self._file}:{rule.limits[0].span.line}" if rule.limits else self._file
            yield f"{where}: `{rule.match}` matches no layer of its specs"


def _matching_no_file(
    budgets: list[ConfiguredBudget], folders: Iterable[Path]
) -> list[ConfiguredBudget]:
    """The budgets whose globs match no file below the folders; empty if there are too many files,
    or a folder cannot be read."""
    if not budgets:
        return []
    globs = GlobIndex([budget.specs for budget in budgets])
    matched: set[int] = set()
    for folder in folders:
        try:
            files = islice(files_below(folder, GIT.__eq__), MAX_FILES + 1)
            paths = [path.relative_to(folder).as_posix() for path in files]
        except OSError:
            return []
        if len(paths) > MAX_FILES or globs.comparisons(paths) > MAX_COMPARISONS:
            return []
        for path in paths:
            matched.update(globs.matching(path))
    return [budget for n, budget in enumerate(budgets) if n not in matched]


def _unused_message(path: Path, rules: ConfiguredBudget) -> str:
    paths = {glob: path.parent / glob for glob in rules.specs if glob}
    folders = [glob for glob in paths if os.path.isdir(paths[glob])]  # noqa: PTH112  no error for any name
    meant = f"; did you mean `{folders[0].rstrip('/')}/*`?" if folders else ""
    globs = first_texts([f"`{glob}`" for glob in rules.specs])
    where = f"{path}:{rules.span.line}"
    budget = f"the budget `{rules.budget.name}`" if rules.budget.name else "this budget"
    return f"{where}: {budget} applies to no spec: no file matches {globs}{meant}"
