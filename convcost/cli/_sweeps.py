"""Lists in `--set` and `--size`: their combinations, and the networks that come out of them."""

from collections.abc import Callable
from functools import partial
from typing import Any

from convcost.cli import _networks
from convcost.costs import costs
from convcost.errors import Problem, SpecError, UsageError
from convcost.files.sources import Asked, open_source
from convcost.network import Network
from convcost.questions.points import Axis, Counted, Point, count, counted, points, where
from convcost.report import printable
from convcost.spec.figures import same
from convcost.spec.load import load
from convcost.units import grouped

MOST = 1_000


def axes(assignments: list[str] | None, size: str | None) -> tuple[Axis, ...]:
    """`--set a=1,2 --set b=true --size 128,256x320`, the size last. Raises UsageError."""
    found: dict[str, Axis] = {}
    for assignment in assignments or []:
        name, values = _networks.assigned(assignment)
        shown = printable(name)
        if name in found:
            both = f"{found[name].text(*range(len(found[name].values)))},{printable(values)}"
            raise UsageError(f"--set gives {shown} twice; did you mean --set {shown}={both}?")
        one = partial(_networks.value, name)
        found[name] = Axis(name, _listed(f"--set {shown}", values, one))
    if size is not None:
        found[""] = Axis("", _listed("--size", size, _networks.extent))
    asked = tuple(found.values())
    if count(asked) > MOST:
        raise UsageError(
            f"{grouped(count(asked))} points are asked for; a sweep has at most {grouped(MOST)}"
        )
    return asked


def _listed(option: str, text: str, parse: Callable[[str], Any]) -> tuple[Any, ...]:
    values: list[Any] = []
    for item in text.split(","):
        if not item.strip():
            raise UsageError(f"{option} has an empty item: `{printable(text)}`")
        value = parse(item.strip())
        if any(_alike(value, other) for other in values):
            raise UsageError(f"{option} has {printable(item.strip())} twice: `{printable(text)}`")
        values.append(value)
    return tuple(values)


def _alike(one: Any, other: Any) -> bool:
    """Whether two items ask for the same: 0.5 and 0.50, 128 and 128x128; not 1 and true."""
    if isinstance(one, tuple):
        return bool(one == other or len({*one, *other}) == 1)
    return same(one, other)


def read(
    arguments: list[str], asked: tuple[Axis, ...], batch: int
) -> tuple[tuple[Counted, ...], ...]:
    """Every network of all arguments at every point; everything that is wrong with any, in one
    group of errors."""
    networks: list[tuple[Counted, ...]] = []
    errors: list[SpecError | UsageError] = []
    for argument in arguments:
        try:
            networks += _all(open_source(argument), asked, batch)
        except (SpecError, UsageError) as error:
            errors.append(error)
    if errors:
        raise ExceptionGroup("specs", errors)
    return tuple(networks)


def _all(asked: Asked, given: tuple[Axis, ...], batch: int) -> list[tuple[Counted, ...]]:
    """The networks of one source, each at every point. Raises SpecError with all problems."""
    found: list[list[Counted]] = []
    problems: dict[Problem, list[Point]] = {}
    for point in points(given):
        try:
            networks = load(asked.source, point.settings, asked.pick)
        except SpecError as error:
            for problem in error.problems:
                problems.setdefault(problem, []).append(point)
            continue
        if not problems:  # else nothing will be shown
            found.append(_counted(networks, point, batch))
    if problems:
        raise SpecError(asked.source, [_placed(*item, given) for item in problems.items()])
    return list(zip(*found, strict=True))


def _counted(networks: list[Network], point: Point, batch: int) -> list[Counted]:
    return [counted(point, costs(network, batch)) for network in networks]


def _placed(problem: Problem, some: list[Point], given: tuple[Axis, ...]) -> Problem:
    """A problem, told once with the points that have it; nothing is added if all of them do."""
    said = where(given, some)
    return problem._replace(message=f"{problem.message} (with {said})") if said else problem
