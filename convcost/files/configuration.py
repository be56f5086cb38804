"""Budgets that stand in a file of their own: which of them is for a spec."""

from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import TypeAlias

from convcost.errors import Source, SpecError, UsageError
from convcost.files.above import above
from convcost.files.on_disk import any_file
from convcost.files.sources import CONFIG, MISSPELT, read_text
from convcost.files.was import exists
from convcost.network import Budget, Rule
from convcost.questions.check.measures import Measured, matched
from convcost.report import printable
from convcost.spec.config import Rules, config

# Each budget with the name of the file it stands in.
Budgets: TypeAlias = tuple[tuple[str, Budget], ...]


class Configurations:
    """The configuration that was asked for, or for each spec the nearest above it; each is read
    once, and what is wrong with it is one error."""

    def __init__(self, asked: str | None) -> None:
        self.asked = None if asked is None else Path(asked)
        self._found = cache(above)
        self._read: dict[Path, tuple[Rules, ...] | SpecError | UsageError] = {}
        self._used: set[tuple[Path, Rules]] = set()
        self._rules_met: dict[tuple[str, Rule], bool] = {}

    def budgets(self, spec: str) -> Budgets:
        """The budgets for a spec, by its name. Raises SpecError, UsageError."""
        path = Path(spec)
        found = self.asked
        if found is None and exists(path) and path.is_file():
            found = self._found(path.parent.resolve())
        if found is None:
            return ()
        inside = _inside(found, path)
        rules = [one for one in self._rules(found) if one.covers(inside)]
        self._used.update((found, one) for one in rules)
        return tuple((str(found), one.budget) for one in rules)

    def of_network(self, budgets: Budgets, network: Measured) -> Budgets:
        """The budgets for a spec as they are for one network of it: without the groups that have
        no layer there, as nothing is within any max; a min that they do not reach stays."""
        return tuple(
            (
                file,
                budget._replace(
                    groups=tuple(r for r in budget.groups if self._meets(file, r, network)),
                    layers=tuple(r for r in budget.layers if self._meets(file, r, network)),
                ),
            )
            for file, budget in budgets
        )

    def _meets(self, file: str, rule: Rule, network: Measured) -> bool:
        met = bool(matched(network.layers, rule.match))
        self._rules_met[file, rule] = met or self._rules_met.get((file, rule), False)
        return met or any(limit.min is not None for limit in rule.limits)

    def statements(self) -> Iterator[str]:
        """What of the configurations came to nothing, a sentence each, once all specs are read:
        rules that no layer has met, and budgets that are for no file there is."""
        for (file, rule), met in self._rules_met.items():
            if not met:
                where = printable(f"{file}:{rule.limits[0].place.line}" if rule.limits else file)
                yield f"{where}: `{printable(rule.match)}` matches no layer of the specs it is for"
        for path, rules in self._read.items():
            for one in rules if isinstance(rules, tuple) else ():
                if (path, one) not in self._used and not any_file(self._folders(path), one):
                    yield _for_nothing(path, one)

    def _folders(self, path: Path) -> tuple[Path, ...]:
        """Where the globs of a configuration may find specs."""
        return (path.parent, Path()) if self.asked is not None else (path.parent,)

    def _rules(self, path: Path) -> tuple[Rules, ...]:
        if path not in self._read:
            try:
                self._refuse_misspelt(path)
                self._read[path] = config(Source(str(path), read_text(path, str(path))))
            except (SpecError, UsageError) as error:
                self._read[path] = error
        rules = self._read[path]
        if isinstance(rules, SpecError | UsageError):
            raise rules
        return rules

    def _refuse_misspelt(self, path: Path) -> None:
        if path.name == MISSPELT and path != self.asked:
            shown = printable(str(path))
            raise UsageError(f"`{shown}` is not read; did you mean `{CONFIG}`?")


def _inside(found: Path, spec: Path) -> str:
    """A spec as globs name it: from the folder that the configuration was found in, even if both
    are links; if it is not below, as it was named."""
    try:
        here = spec.parent.resolve() / spec.name
        return here.relative_to(found.parent.resolve()).as_posix()
    except (ValueError, OSError):
        return spec.as_posix()


def _for_nothing(path: Path, rules: Rules) -> str:
    folders = [glob for glob in rules.specs if exists(path.parent / glob)]
    meant = f"; did you mean `{printable(folders[0].rstrip('/'))}/*`?" if folders else ""
    globs = ", ".join(f"`{printable(glob)}`" for glob in rules.specs)
    where = printable(f"{path}:{rules.place.line}")
    budget = f"the budget `{printable(rules.budget.name)}`" if rules.budget.name else "this budget"
    return f"{where}: {budget} is for no file: none matches {globs}{meant}"
