"""The questions of the command line, asked from Python.

These functions, their arguments and the names of the counts in what they return are a promise.
All counts are exact integers: params, macs (one multiply and one add are one mac) and activations
(elements), of one sample unless `batch` says otherwise. A spec is the path of a file, or the name
of a spec that ships with convcost, like `googlenet`; of a file of several networks, `file#name` is
one.

Whatever is wrong with a spec raises SpecError, with all problems and their places; whatever is
wrong with a call raises UsageError. If several specs are wrong, the first is raised with the others
as its notes.
"""

import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from typing import Any, TypeAlias

from convcost.costs import Costs, costs
from convcost.errors import UsageError, brief
from convcost.files.calls import name_of, refuse_no_variables, specs_of_call, text_of
from convcost.files.check import checked
from convcost.files.gather import Asked
from convcost.files.networks import read
from convcost.files.plugins import plug_in
from convcost.files.settings import Extent, Value, batch_of, settings
from convcost.names import did_you_mean
from convcost.network import Network
from convcost.questions.analyze import Analysis
from convcost.questions.check.limits import limits
from convcost.questions.check.report import Check
from convcost.questions.compare import Comparison
from convcost.questions.compared import compared
from convcost.report import FORMATS, Report, Style, printable

Spec: TypeAlias = str | os.PathLike[str]


def load(
    spec: Spec,
    *,
    set: Mapping[str, Value] | None = None,  # noqa: A002  as --set
    size: Extent | None = None,
) -> Network:
    """The one network of a spec, every block laid out and every shape known.

    `set` replaces variables of the spec, like `{"classes": 10}`; a float is the number it is
    written as. `size` is the input's in elements, `256` or `(256, 320)`, in place of the spec's.

    Raises UsageError if there is no such file, or it holds several networks.
    """
    networks = load_all(spec, set=set, size=size)
    if len(networks) == 1:
        return networks[0]
    names = ", ".join(f"`{printable(network.name)}`" for network in networks)
    shown = printable(name_of(spec))
    raise UsageError(
        f"`{shown}` holds {len(networks)} networks: {names}\n"
        f"help: pick one, like `{shown}#{printable(networks[0].name)}`, or take load_all"
    )


def load_all(
    spec: Spec,
    *,
    set: Mapping[str, Value] | None = None,  # noqa: A002  as --set
    size: Extent | None = None,
) -> tuple[Network, ...]:
    """All networks of a spec, in the order of the file; see `load`."""
    name = name_of(spec)
    refuse_no_variables(set)
    with _one_error():
        return tuple(read([name], settings(set, size)))


def analyze(
    spec: Spec | Network,
    *,
    set: Mapping[str, Value] | None = None,  # noqa: A002  as --set
    size: Extent | None = None,
    batch: int = 1,
) -> Costs:
    """What a network costs: `totals` of it, and the same of each of its `layers`.

    Both have `weights`, `biases`, `params`, `buffers`, `macs` and `activations`; macs and
    activations are those of `batch` samples. A layer has `path`, `kind` and `output`, too.

    Raises UsageError for a file of several networks, and for `set` or `size` of a network that is
    loaded already.
    """
    count = batch_of(batch)
    if isinstance(spec, Network):
        _refuse_changes(set, size)
        return costs(spec, count)
    return costs(load(spec, set=set, size=size), count)


def compare(
    *specs: Spec | Network,
    baseline: str | None = None,
    set: Mapping[str, Value] | None = None,  # noqa: A002  as --set
    size: Extent | None = None,
    batch: int = 1,
    layers: bool = False,
) -> Comparison:
    """Networks side by side: `networks` are their costs, `base` those of the baseline.

    A spec of several networks stands for all of them. The baseline is the first, or the one that
    is named; with `layers`, the report tells in which layers each differs from it.

    Raises UsageError for fewer than two networks, and for a baseline that is none of them.
    """
    count = batch_of(batch)
    if baseline is not None and not isinstance(baseline, str):
        raise UsageError(f"baseline is the name of a network, not {brief(baseline)}")
    networks: list[Network] = []
    for spec in specs:
        if isinstance(spec, Network):
            _refuse_changes(set, size)
            networks.append(spec)
        elif isinstance(spec, list | tuple):
            raise UsageError('each spec is an argument of its own: compare("a.yaml", "b.yaml")')
        else:
            networks += load_all(spec, set=set, size=size)
    found = compared([costs(network, count) for network in networks], baseline)
    return found._replace(layers=layers)


def check(
    specs: Spec | Network | Iterable[Spec | Network],
    *,
    base: Spec | None = None,
    config: Spec | None = None,
    max_params: int | str | None = None,
    max_macs: int | str | None = None,
    max_growth: int | str | None = None,
) -> Check:
    """Whether specs, or all of a folder, keep within their budgets: `ok`, and why not.

    A network that is loaded is held as it stands, with its own budget and those of the
    `convcost.yaml` above its file. What it was no file can tell, so only a spec can be its base.

    Budgets stand in the specs, in the `convcost.yaml` above each (or `config`), and in the call:
    at most so many params and macs, as a number or like `"4.3M"`, and so much growth of both over
    the base, like `"2%"` or a count: 2 is two more. `base` is `"git:origin/main"`, a baseline file,
    or a spec.

    `bool(check)` is `check.ok`; `str(check)` is the report, so that `assert check.ok, str(check)`
    tells what is exceeded, and by how much. A limit that is exceeded raises nothing.

    Raises UsageError if there is no limit to check.
    """
    named, networks = specs_of_call(specs)
    against = None if base is None else text_of("base", base)
    if networks and against is not None and (against.startswith("git:") or _is_json(against)):
        raise UsageError(
            f"a network that is loaded has no past in `{printable(against)}`: its base is a spec, "
            "or check its file"
        )
    asked = Asked(
        named,
        against,
        None if config is None else text_of("config", config),
        limits(max_params, max_macs, max_growth),
        "the call",
        networks,
    )
    with _one_error():
        return checked(asked)[0]


def formatted(
    answer: Report | Costs | Network,
    format: str = "plain",  # noqa: A002  as --format
) -> str:
    """An answer as text in any of the formats, like `"markdown"` or `"json"`; a network that is
    loaded as what it costs.

    Raises UsageError for a format that there is not, or that this answer cannot be written in.
    """
    _plugged_in()
    if not isinstance(format, str):
        raise UsageError(f"format is the name of one, like `json`, not {brief(format)}")
    found = FORMATS.get(format)
    if found is None:
        hint = did_you_mean(format, FORMATS.names(), len(FORMATS.names()))
        raise UsageError(f"there is no format `{printable(format)}`; {hint}")
    report = _report(answer)
    if found.needs and not hasattr(report, found.needs):
        raise UsageError(f"the format `{found.name}` is for a check: it writes {found.needs}")
    return "".join(found.render(report, Style()))


def _report(answer: Any) -> Report:
    if isinstance(answer, Network):
        answer = costs(answer)
    if isinstance(answer, Costs):
        return Analysis((answer,))
    if not hasattr(answer, "tables") or not hasattr(answer, "tree"):
        shown = brief(answer)
        raise UsageError(f"formatted takes what analyze, compare or check gave, not {shown}")
    found: Report = answer
    return found


def _is_json(name: str) -> bool:
    return name.endswith(".json")


def _refuse_changes(variables: Mapping[str, Value] | None, size: Extent | None) -> None:
    if variables is not None or size is not None:
        raise UsageError("a network that is loaded stays as it is: give `set` and `size` to load")


@contextmanager
def _one_error() -> Iterator[None]:
    """Of several errors the first, so that it can be caught by its name; the others as notes."""
    _plugged_in()
    try:
        yield
    except ExceptionGroup as group:
        first, *others = group.exceptions
        for other in others:
            first.add_note(f"and: {other}")
        raise first from None


@cache
def _plugged_in() -> None:
    plug_in()
