"""Lists in `--set` and `--size`: a sweep over all their values."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from convcost.cli import _networks
from convcost.model.costs import CountingConvention
from convcost.model.errors import UsageError
from convcost.reports.sweep import COLUMNS
from convcost.reports.sweep.points import NUMBERS, Axis
from convcost.reports.sweep.selection import SweepView, parse_filter
from convcost.reports.table import Layout


def axes(
    assignments: list[str] | None, sizes: list[str] | None, *, deploy: bool = False
) -> tuple[Axis, ...]:
    """Parses `--set a=1,2` and `--size 128,256x320` to the axes of a sweep, the sizes last.

    Raises UsageError, also for `deploy`, which a sweep does not have.
    """
    if deploy:
        raise UsageError("--deploy does not work in a sweep; give each --set and --size one value")
    axis_by_name: dict[str, Axis] = {}
    for assignment in assignments or []:
        name, values = _networks.name_and_text(assignment)
        if name in axis_by_name:
            raise UsageError(f"--set gives {name} twice; write all values as one list")
        parse = partial(_networks.value, name)
        axis_by_name[name] = Axis(name, _parse_list(f"--set {name}", values, parse))
    by_input = (
        Axis(name, _parse_list(f"--size {name}".rstrip(), text, _networks.input_size), size=True)
        for name, text in _networks.sizes_by_input(sizes).items()
    )
    return (*axis_by_name.values(), *by_input)


def sweep_view(
    swept: tuple[Axis, ...],
    columns: str | None,
    sort: str | None,
    top: int | None,
    layout: Layout,
    where: list[str] | None,
    conventions: Sequence[CountingConvention],
) -> SweepView:
    """The points and columns that the options select. Raises UsageError."""
    variables = [axis.name for axis in swept if not axis.size]
    numbers = (*NUMBERS, *variables, *(convention.name for convention in conventions))
    return SweepView(
        None if columns is None else _columns(columns, swept, conventions),
        _networks.sort_key(sort, *NUMBERS, *variables, conventions=conventions),
        top,
        layout,
        tuple(parse_filter(text, numbers) for text in where or ()),
    )


def _columns(
    text: str, swept: tuple[Axis, ...], conventions: Sequence[CountingConvention]
) -> tuple[str, ...] | None:
    """The columns to print beside the settings, which are always printed."""
    settings = tuple(axis.title for axis in swept if axis.title not in COLUMNS)
    if text == "all":
        return COLUMNS
    chosen = _networks.columns(text, (*COLUMNS, *settings), conventions)
    return tuple(name for name in chosen if name not in settings) or None


def _parse_list(option: str, text: str, parse: Callable[[str], Any]) -> tuple[Any, ...]:
    # True and 1 are equal, so the key also has the type.
    values: dict[tuple[bool, Any], Any] = {}
    for item in text.split(","):
        if not item.strip():
            raise UsageError(f"{option} has an empty item: `{text}`")
        value = parse(item.strip())
        if (type(value) is bool, value) in values:
            raise UsageError(f"{option} has {item.strip()} twice: `{text}`")
        values[type(value) is bool, value] = value
    return tuple(values.values())
