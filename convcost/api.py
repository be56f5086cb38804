"""Every use case of the command line as a function.

These functions, their arguments and the names of the counts in their results are stable. All
counts are exact integers: params, macs (one multiply and one add are one mac) and activations
(elements), of one sample unless `batch` says otherwise. A spec is the path of a file, or the name
of a spec that ships with convcost, like `googlenet`. `file#name` is one network of a file.

A broken spec raises SpecError with all problems and their places; a wrong call raises UsageError.
If several specs are broken, the first is raised, with the others as its notes.
"""

import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache, wraps
from typing import TYPE_CHECKING, Literal, ParamSpec, TypeAlias, TypeVar

from convcost.model.costs import Costs, CountingConvention, costs
from convcost.model.errors import UsageError, brief
from convcost.model.network import Network
from convcost.render import Style, find_format
from convcost.reports.report import Report
from convcost.sources.api_arguments import (
    PerAxisInt,
    Size,
    Value,
    parse_batch,
    parse_settings,
    parse_shapes,
    parse_size,
    spec_name,
    specs_of_call,
    text_of,
)
from convcost.sources.networks import read_networks
from convcost.sources.plugins import plug_in

if TYPE_CHECKING:
    from convcost.importing.driver import Imported
    from convcost.reports.check.report import Check
    from convcost.reports.compare import Comparison
    from convcost.reports.conventions import Conventions
    from convcost.reports.explain import Explanation
    from convcost.reports.explain.counts import CountExplanation
    from convcost.reports.formula import Formulas
    from convcost.reports.match import Match
    from convcost.reports.memory import Memory
    from convcost.reports.reduce.report import Reductions
    from convcost.reports.search import SearchResult
    from convcost.reports.verify import Verification

__all__ = [
    "analyze",
    "check",
    "compare",
    "counting_conventions",
    "explain",
    "explain_counts",
    "formatted",
    "formula",
    "import_model",
    "load",
    "load_all",
    "match",
    "memory",
    "reduce",
    "search",
    "undo_reductions",
    "verify",
]

P = ParamSpec("P")
T = TypeVar("T")
Spec: TypeAlias = str | os.PathLike[str]
_plug_in_once = cache(plug_in)


def _use_case(function: Callable[P, T]) -> Callable[P, T]:
    """Loads the plug-ins before each call of a function, and turns an ExceptionGroup into one
    error.

    It raises the first error of the group, with the others as notes.
    """

    @wraps(function)
    def call(*args: P.args, **kwargs: P.kwargs) -> T:
        _plug_in_once()
        try:
            return function(*args, **kwargs)
        except ExceptionGroup as group:
            first, *others = group.exceptions
            for other in others:
                first.add_note(f"and: {other}")
            raise first from None

    return call


@_use_case
def load(
    spec: Spec,
    *,
    set: Mapping[str, Value] | None = None,  # noqa: A002  as --set
    size: Size | None = None,
) -> Network:
    """The one network of a spec, with all blocks expanded and all shapes inferred.

    `set` replaces variables of the spec, like `{"classes": 10}`; a float has the value of its
    decimal text, so 0.1 is 1/10. `size` replaces the input size of the spec, in elements: `256` or
    `(256, 320)` for all inputs, `{"mask": 64}` for one of several.

    Raises UsageError if there is no such file, or it has several networks.
    """
    networks = load_all(spec, set=set, size=size)
    _refuse_several(spec, networks)
    return networks[0]


@_use_case
def load_all(
    spec: Spec,
    *,
    set: Mapping[str, Value] | None = None,  # noqa: A002  as --set
    size: Size | None = None,
) -> tuple[Network, ...]:
    """All networks of a spec, in the order of the file; see `load`."""
    name = spec_name(spec)
    return tuple(read_networks([name], parse_settings(set, size)))


@_use_case
def analyze(
    spec: Spec | Network,
    *,
    set: Mapping[str, Value] | None = None,  # noqa: A002  as --set
    size: Size | None = None,
    batch: int = 1,
    count: str | Sequence[str] | None = None,
    deploy: bool = False,
) -> Costs:
    """The costs of a network: its `totals`, and the same counts for each of its `layers`.

    Both have `weights`, `biases`, `params`, `buffers`, `macs` and `activations`. Macs and
    activations are those of `batch` samples. A layer also has `path`, `kind` and `output`. With
    `count`, like `"thop,fvcore"`, `by_convention` has the counts by these conventions. With
    `deploy`, the network is as inference runs it.

    Raises UsageError for a file of several networks, and for `set` or `size` of a loaded network.
    """
    from convcost.commands.analyze import analyze as command

    settings, conventions = parse_settings(set, size), _conventions(count)
    report = command(
        [_spec(spec)], settings, parse_batch(batch), conventions=conventions, deployed=deploy
    )
    _refuse_several(spec, [network_costs.network for network_costs in report.networks])
    return report.networks[0]


@_use_case
def compare(
    *specs: Spec | Network,
    baseline: str | None = None,
    set: Mapping[str, Value] | None = None,  # noqa: A002  as --set
    size: Size | None = None,
    batch: int = 1,
    layers: bool = False,
    count: str | Sequence[str] | None = None,
    deploy: bool = False,
) -> "Comparison":
    """Networks side by side: `networks` are their costs, `base` those of the baseline.

    A spec of several networks adds all of them. The baseline is the first network, or the
    one of that name. With `layers`, the report has the layers in which each network differs. With
    `deploy`, each network is followed by the network as inference runs it.

    Raises UsageError for fewer than two networks, and for an unknown baseline.
    """
    from convcost.commands.compare import compare as command

    name = None if baseline is None else str(baseline)
    settings, conventions = parse_settings(set, size), _conventions(count)
    samples = parse_batch(batch)
    report = command(map(_spec, specs), settings, samples, name, conventions, deployed=deploy)
    return report._replace(layers=layers)


@_use_case
def explain(
    spec: Spec | Network,
    layer: str,
    *,
    set: Mapping[str, Value] | None = None,  # noqa: A002  as --set
    size: Size | None = None,
    batch: int = 1,
    deploy: bool = False,
) -> "Explanation":
    """How each number of one layer or group is computed; `layer` is its path. With `deploy`, the
    network is as inference runs it.

    Raises UsageError if no network of the spec has the path.
    """
    from convcost.commands.explain import explain as command

    settings = parse_settings(set, size)
    return command(_spec(spec), str(layer), settings, parse_batch(batch), deployed=deploy)


@_use_case
def explain_counts(
    spec: Spec | Network,
    count: str | Sequence[str],
    *,
    set: Mapping[str, Value] | None = None,  # noqa: A002  as --set
    size: Size | None = None,
    batch: int = 1,
    deploy: bool = False,
) -> "CountExplanation":
    """Where the counts of conventions, like `"thop,fvcore"`, differ, by kind of layer. With
    `deploy`, the network is as inference runs it.

    Raises UsageError for an unknown convention.
    """
    from convcost.commands.explain import explain_counts as command

    settings, conventions = parse_settings(set, size), _conventions(count)
    return command(_spec(spec), settings, conventions, parse_batch(batch), deployed=deploy)


@_use_case
def match(
    spec: Spec,
    *figures: str,
    set: Mapping[str, Value] | None = None,  # noqa: A002  as --set
    size: Size | None = None,
) -> "Match":
    """The counts of a network that print as these figures: `"4.12G"`, `"params", "25.6M"`.

    Such a count is a reading. `readings` has all of them, the simplest first; `found` is true if
    every figure has one. No reading changes the variables of `set` or the `size`.

    Raises UsageError for a word that is neither a figure nor a measure.
    """
    from convcost.commands.match import match as command

    return command(spec_name(spec), list(figures), parse_settings(set, size))


@_use_case
def counting_conventions(name: str | None = None) -> "Conventions":
    """The counting conventions, or the one of that name with its rules.

    Raises UsageError if there is none of that name.
    """
    from convcost.commands.conventions import conventions as command

    return command(name)


@_use_case
def memory(
    *specs: Spec | Network,
    dtype: str | Sequence[str] | None = None,
    in_place: bool = True,
    device: Spec | None = None,
    deploy: bool = False,
    order: Literal["spec", "best"] = "spec",
    training: Literal["sgd", "momentum", "adam"] | None = None,
    set: Mapping[str, Value] | None = None,  # noqa: A002  as --set
    size: Size | None = None,
    batch: int = 1,
) -> "Memory":
    """The memory that is alive while each layer runs, and the peak, in elements and in bytes.

    `dtype` is the type of all numbers, instead of those in the spec: `"int8"`. It may name parts of
    a layer, `"int8,biases=int32"`, and several may be for the layers that match a pattern,
    `["int8", "head*:float16"]`. With `in_place`, an elementwise layer writes over an input that
    nothing reads later. With `device`, like `"h100"` or a file, the report says whether each
    network fits and bounds its time. With `deploy`, batch norms are folded. `order` is that of the
    spec, or the one of least peak. `training` is an optimizer, for the memory of training. Raises
    UsageError for an unknown dtype, device, order or optimizer.
    """
    from convcost.commands.memory import memory as command

    if order not in ("spec", "best"):
        raise UsageError(f"the order is `spec` or `best`, not {brief(order)}")
    if training not in (None, "sgd", "momentum", "adam"):
        raise UsageError(f"training needs sgd, momentum or adam, not {brief(training)}")
    settings = parse_settings(set, size)
    listed = dtype if isinstance(dtype, list | tuple) else () if dtype is None else (dtype,)
    texts = tuple(text_of("dtype", item) for item in listed)
    return command(
        map(_spec, specs),
        settings,
        parse_batch(batch),
        dtypes=texts,
        in_place=in_place,
        device=None if device is None else text_of("device", device),
        deployed=deploy,
        reorder=order == "best",
        optimizer=training or "",
    )


@_use_case
def formula(
    spec: Spec,
    path: str = "",
    *,
    vary: str | Sequence[str] = (),
    notation: str = "text",
    measures: Sequence[str] = ("params", "macs", "activations"),
    set: Mapping[str, Value] | None = None,  # noqa: A002  as --set
    size: Size | None = None,
) -> "Formulas":
    """The costs of a network, or of the layer or group at `path`, as formulas of its variables.

    `vary` names variables of the spec, `"size"` and `"batch"`; by default all of them vary.
    `notation` is `"text"`, `"latex"` or `"python"`. Raises UsageError for an unknown path, variable
    or notation.
    """
    from convcost.commands.formula import formula as command

    names = (vary,) if isinstance(vary, str) else tuple(vary)
    settings = parse_settings(set, size)
    return command(spec_name(spec), path, names, settings, notation, tuple(measures))


@_use_case
def search(
    spec: Spec,
    *,
    vary: Sequence[str],
    where: Sequence[str] = (),
    sort: str = "macs",
    top: int = 20,
    pareto: Sequence[str] = (),
    columns: Sequence[str] = (),
    samples: int = 0,
    seed: int = 0,
    sobol: bool = False,
    score: str = "",
    points: str = "",
    resume: str = "",
    workers: int = 0,
    scheduler: str = "",
    dtype: str | Sequence[str] = (),
    device: str = "",
    deploy: bool = False,
    set: Mapping[str, Value] | None = None,  # noqa: A002  as --set
    size: Size | None = None,
) -> "SearchResult":
    """The best points of a design space, and its Pareto front.

    The arguments are the options of `convcost search`, as text: `vary=["width=0.25:1:0.25"]`.
    Raises UsageError for a wrong one, before the first point.
    """
    from convcost.commands.search import SearchOptions
    from convcost.commands.search import search as command

    options = SearchOptions(
        vary=tuple(vary),
        where=tuple(where),
        sort=sort,
        top=top,
        pareto=tuple(pareto),
        samples=samples,
        seed=seed,
        sobol=sobol,
        score=score,
        columns=tuple(columns),
        dtypes=(dtype,) if isinstance(dtype, str) and dtype else tuple(dtype),
        points=points,
        resume=resume,
        workers=workers,
        scheduler=scheduler,
        device=device,
        deployed=deploy,
    )
    return command(spec_name(spec), options, parse_settings(set, size))


@_use_case
def reduce(
    spec: Spec,
    *layers: str,
    channels: int | str | None = None,
    expand: bool = False,
    rewrite: bool = False,
    set: Mapping[str, Value] | None = None,  # noqa: A002  as --set
    size: Size | None = None,
    batch: int = 1,
) -> "Reductions":
    """What a 1x1 convolution before each larger convolution would save.

    `layers` are paths of layers or groups; `"3x3/conv_1=96"` also gives the channels of the 1x1. By
    default they are all larger convolutions. `channels` are the channels of every other 1x1: 64,
    or `"64,1/4"` for 64 and a quarter of the input channels. With `expand`, a second 1x1 after the
    convolution restores the number of filters. With `rewrite`, `outcome.text` is the spec with the
    1x1 convolutions.

    Raises UsageError if there is nothing to reduce.
    """
    from convcost.commands.reduce import ReduceRequest
    from convcost.commands.reduce import reduce as command

    settings, file = parse_settings(set, size), "-" if rewrite else None
    request = ReduceRequest(spec_name(spec), layers, settings, parse_batch(batch), file)
    return command(request, None if channels is None else str(channels), expand=expand)


@_use_case
def undo_reductions(
    spec: Spec,
    *layers: str,
    projections: bool = True,
    rewrite: bool = False,
    set: Mapping[str, Value] | None = None,  # noqa: A002  as --set
    size: Size | None = None,
    batch: int = 1,
) -> "Reductions":
    """What a network costs without its 1x1 reductions, or without those in `layers`.

    Without `projections`, a 1x1 after a pool stays. With `rewrite`, `outcome.text` is the spec
    without the 1x1.
    """
    from convcost.commands.reduce import ReduceRequest
    from convcost.commands.reduce import undo_reductions as command

    settings, file = parse_settings(set, size), "-" if rewrite else None
    request = ReduceRequest(spec_name(spec), layers, settings, parse_batch(batch), file)
    return command(request, projections=projections)


@_use_case
def verify(*specs: Spec) -> "Verification":
    """The figures in the `published` sections of specs, compared with the exact counts.

    `confirmed` is true if every figure agrees, or is noted as off. A figure that does not agree
    raises no error.
    """
    from convcost.commands.verify import verify as command

    return command([spec_name(spec) for spec in specs])


@_use_case
def check(
    specs: Spec | Network | Iterable[Spec | Network],
    *,
    base: Spec | None = None,
    config: Spec | None = None,
    max_params: int | str | None = None,
    max_macs: int | str | None = None,
    max_growth: int | str | None = None,
    allow_missing_base: bool = False,
    device: Spec | None = None,
    dtype: str | None = None,
    deploy: bool = False,
) -> "Check":
    """Whether specs, or all specs of a folder, are within their budgets.

    A loaded network is checked against its own budget and the `convcost.yaml` above its file. It
    has no Git history, so its base can only be a spec.

    Budgets come from the specs, from the `convcost.yaml` above each (or `config`), and from the
    call: the maximum of params and macs, a number or text like `"4.3M"`, and the maximum growth of
    both over the base, like `"2%"`, or 2 for two params and two macs. `base` is
    `"git:origin/main"`, a baseline file, or a spec.

    `device` is the name of a device, like `"stm32h743"`, or a file of one: its flash and its RAM
    are limits, too, for numbers of `dtype`, like `"int8"`. With `deploy`, the networks are as
    inference runs them, and only the limits of the call and of `config` are checked.

    `bool(check)` is `check.ok`; `str(check)` is the report, so that `assert check.ok, str(check)`
    prints it. An exceeded limit raises no error. If growth is limited and the base is not
    available, the check is not ok, unless `allow_missing_base` is set.

    Raises UsageError if there is no limit to check.
    """
    from convcost.commands.check import check as command
    from convcost.commands.check import device_limits
    from convcost.reports.check.limits import budget_of_limits
    from convcost.sources.check_inputs import CheckRequest

    names, networks = specs_of_call(specs)
    against = None if base is None else text_of("base", base)
    if networks and against and (against.startswith("git:") or against.endswith(".json")):
        raise UsageError(f"a loaded network is not in `{against}`; give a spec as base")
    request = CheckRequest(
        specs=names,
        base=against,
        config=None if config is None else text_of("config", config),
        limits=budget_of_limits(max_params, max_macs, max_growth),
        limits_from="the call",
        networks=networks,
        allow_missing_base=allow_missing_base,
        device_limits=device_limits(None if device is None else text_of("device", device), dtype),
        deployed=deploy,
    )
    return command(request)[0]


@_use_case
def import_model(
    model: Spec,
    *,
    inputs: Sequence[Sequence[int]] = (),
    dtypes: Sequence[str] = (),
    size: PerAxisInt | None = None,
    dims: Mapping[str, int] | None = None,
    name: str | None = None,
    fixed: bool = False,
) -> "Imported":
    """A model as a spec: `text` is the spec, `costs` are its costs, `notes` say what was left out.

    `model` is a .onnx, .tflite, .keras, .h5 or .json file, or `"package.module:callable"` for
    PyTorch. For PyTorch and Keras, `inputs` are the shapes of the inputs, channels first and
    without the batch;
    `dtypes` are `"float"` or `"int"`, one for each. `size` and, for ONNX, `dims` give dimensions
    that the model leaves open. With `fixed`, the spec is for this input size only.

    Raises UsageError if the model cannot be read.
    """
    from convcost.commands.import_ import import_model as command
    from convcost.importing.driver import ImportRequest

    request = ImportRequest(
        model=text_of("model", model),
        inputs=parse_shapes(inputs),
        size=None if size is None else parse_size(size),
        dims=tuple((dims or {}).items()),
        name=name,
        dtypes=tuple(dtypes),
        fixed=fixed,
    )
    return command(request)


@_use_case
def formatted(
    answer: Report | Costs | Network,
    format: str = "plain",  # noqa: A002  as --format
) -> str:
    """A report as text in any of the formats, like `"markdown"` or `"json"`.

    Costs and a loaded network are formatted as the report of `analyze`. Raises UsageError for an
    unknown format, and for one that this report does not have.
    """
    output_format = find_format(str(format))
    report: object = answer
    if isinstance(report, Network):
        report = costs(report)
    if isinstance(report, Costs):
        from convcost.reports.analyze import Analysis

        report = Analysis((report,))
    if not isinstance(report, Report):
        raise UsageError(f"formatted accepts a report, costs or a network, not {brief(report)}")
    return "".join(output_format.write(report, Style()))


def _spec(spec: Spec | Network) -> str | Network:
    return spec if isinstance(spec, Network) else spec_name(spec)


def _refuse_several(spec: Spec | Network, networks: Sequence[Network]) -> None:
    if len(networks) == 1 or isinstance(spec, Network):
        return
    names = ", ".join(f"`{network.name}`" for network in networks)
    shown = spec_name(spec)
    raise UsageError(
        f"`{shown}` has {len(networks)} networks: {names}",
        help=f"select one, for example `{shown}#{networks[0].name}`, or use load_all",
    )


def _conventions(names: str | Sequence[str] | None) -> Sequence[CountingConvention]:
    if names is None:
        return ()
    from convcost.conventions import find_conventions

    listed = names if isinstance(names, list | tuple) else (names,)
    return find_conventions(",".join(text_of("count", name) for name in listed))
