"""`search`: the points of a design space under conditions, the best ones and the Pareto front."""

import os
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from pathlib import Path
from string import digits
from typing import TYPE_CHECKING, Any

from convcost.language.load import Documents
from convcost.language.network_inputs import Settings
from convcost.language.requested_dtypes import with_dtypes
from convcost.model.costs import Costs, costs
from convcost.model.deploy import deploy
from convcost.model.errors import Source, SpecError, UsageError, required_package
from convcost.model.kind import KINDS, Kind
from convcost.model.measures import Measure
from convcost.model.network import Network
from convcost.model.options import value_text
from convcost.model.record import NamedTuple
from convcost.model.roofline import Device
from convcost.model.suggestions import did_you_mean
from convcost.reports.check.limits import budget_of_device
from convcost.reports.device import LOWER_BOUND, RUNTIME_MEMORY, require_rates
from convcost.reports.explain import output_of
from convcost.reports.files import partial_file, write_errors
from convcost.reports.notes import field_notes, stated_notes
from convcost.reports.row_order import sort_keys
from convcost.reports.search import FailedPoints, PointRecord, SearchResult, uncounted_column
from convcost.sources.api_arguments import MAX_NUMBER
from convcost.sources.devices import read_device
from convcost.sources.links import file_to_write, refuse_link_out
from convcost.sources.plugins import plug_in
from convcost.sources.spec_files import is_source, open_source

if TYPE_CHECKING:
    from convcost.conventions import Convention
    from convcost.design_space.search import ChunkResult, Points, SearchRequest

DEPLOYED = "batch norms folded, parallel convolutions merged, identity and dropout removed"
MAX_LAYERS_WITH_NOTES = 50_000  # of all points that are counted for notes
DEFAULT_MEASURES = ("params", "macs", "activations")


class SearchOptions(NamedTuple):
    """The options of a search, as on the command line.

    `vary` are texts such as `width=0.25:1.5:0.05`. With `resume`, the search keeps its state in
    that file. With `workers` above 0 or a `scheduler`, it runs on Dask. Points that do not fit a
    `device` do not match, and its least time is a measure. With `deployed`, the numbers are those
    of the networks as inference runs them.
    """

    vary: tuple[str, ...]
    where: tuple[str, ...] = ()
    sort: str = "macs"
    top: int = 20
    pareto: tuple[str, ...] = ()
    samples: int = 0
    seed: int = 0
    sobol: bool = False
    score: str = ""
    columns: tuple[str, ...] = ()
    dtypes: tuple[str, ...] = ()
    points: str = ""
    resume: str = ""
    workers: int = 0
    scheduler: str = ""
    device: str = ""
    deployed: bool = False


def search(
    spec: str,
    options: SearchOptions,
    settings: Settings = Settings(),  # noqa: B008
    progress: Callable[[int, int], None] = lambda _done, _points: None,
) -> SearchResult:
    """Searches the space of one network. `progress` gets the evaluated and all points.

    Raises UsageError for a wrong option, before the first point, and SpecError for a wrong spec.
    """
    required_package("convcost search needs numpy", "search", "numpy")
    from convcost.design_space.run import Execute, in_process, run_search

    _check_files(spec, options)
    network, request = _request(spec, options, settings)
    execute: Execute = in_process
    if options.workers or options.scheduler:
        from convcost.design_space.distributed import on_cluster

        execute = on_cluster(options.workers, options.scheduler, plug_in)
    total, done = run_search(
        request,
        execute,
        Path(options.points) if options.points else None,
        Path(options.resume) if options.resume else None,
        progress,
    )
    hint = "continue with the same options"
    if not options.resume:
        hint = "with --resume FILE, a search can continue"
    names = _shown_columns(request, total)
    return SearchResult(
        name_of_network=network.name,
        file=network.file,
        source=network.source,
        points=request.space.size,
        evaluated=done,
        matching=total.matching,
        failed=_failed_points(request, total),
        where=request.where,
        sort=options.sort,
        pareto=options.pareto,
        variables=request.space.names,
        measures=names,
        best=_records(request, total.best, names),
        front=_records(request, total.front, names),
        sample=_records(request, total.sample, names),
        measure_notes=_notes(request, network, total),
        continue_with=hint,
        tied=total.tied,
    )


def _check_files(spec: str, options: SearchOptions) -> None:
    """Raises UsageError if an output is a file that is read, or another output, or is not a file,
    such as a folder."""
    partial = str(partial_file(Path(options.points))) if options.points else ""
    files = (("--points", options.points), ("--points", partial), ("--resume", options.resume))
    for option, name in files:
        path = Path(name)
        if not name:
            continue
        if name != partial:  # which replaces a link
            refuse_link_out(path, name)
            with write_errors(path):
                file_to_write(path)
        if any(is_source(path, source) for source in (spec, options.device) if source):
            raise UsageError(f"{option} would overwrite the input `{name}`")
        if path.exists() and not path.is_file():
            raise UsageError(f"{option}: `{name}` is not a file")
        if not path.parent.is_dir():
            raise UsageError(f"{option}: there is no folder `{path.parent}`")
    written = [os.path.realpath(name) for name in (options.points, partial) if name]
    if options.resume and os.path.realpath(options.resume) in written:
        raise UsageError(f"two outputs write to `{options.resume}`; give each its own file")


def _request(
    spec: str, options: SearchOptions, settings: Settings
) -> "tuple[Network, SearchRequest]":
    """The network, and what is searched in its space. Raises UsageError and SpecError."""
    from convcost.design_space.search import SearchRequest
    from convcost.design_space.space import MAX_POINTS, Space, parse_vary

    source, pick = open_source(spec)
    networks = Documents(source).load(settings, pick)
    if len(networks) > 1:
        names = ", ".join(f"`{spec}#{network.name}`" for network in networks)
        raise UsageError(
            f"a search needs exactly one network, and `{spec}` has {len(networks)}: {names}"
        )
    (network,) = networks
    variables = tuple(map(parse_vary, options.vary))
    variable_names = [variable.name for variable in variables]
    if any("." in name for name in variable_names):
        from convcost.language.option_variables import variable_name, with_option_variables

        source = with_option_variables(source, network, variable_names)
        (network,) = Documents(source).load(settings, network.name)
        variables = tuple(
            variable._replace(name=variable_name(variable.name)) for variable in variables
        )
    varied = [variable.name for variable in variables]
    _check_names(varied, network, spec)
    _check_batch(variables, network)
    _check_sobol(options)
    space = Space(variables, options.samples, options.seed, options.sobol)
    if space.size > MAX_POINTS:
        raise UsageError(f"the space has more than {MAX_POINTS:,} points; use --samples")
    device = read_device(options.device) if options.device else None
    if device is not None:
        limits = budget_of_device(device, None).total
        fits = tuple(f"{limit.measure} <= {limit.max}" for limit in limits)
        options = options._replace(where=(*options.where, *fits))
    measures = _measures(options, varied, device)
    request = SearchRequest(
        source=source,
        pick=network.name,
        space=space,
        measures=measures,
        where=options.where,
        sort=options.sort,
        top=options.top,
        pareto=options.pareto,
        settings=settings,
        dtypes=options.dtypes,
        score=options.score,
        device=device,
        deployed=options.deployed,
        partial_measures=_partly_known(measures, source),
    )
    if options.deployed:
        network = deploy(network)
    _check_rates(request, network)
    return network, request


def _shown_columns(request: "SearchRequest", total: "ChunkResult") -> tuple[str, ...]:
    """The measures and the score, and how many layers are not in the measures of printed points."""
    printed = total.best.plus(total.front)
    counts = dict(zip(request.columns, printed.columns, strict=True))
    uncounted = map(uncounted_column, request.partial_measures)
    return (*request.names, *(name for name in uncounted if counts[name].any()))


def _records(
    request: "SearchRequest", points: "Points", names: tuple[str, ...]
) -> tuple[PointRecord, ...]:
    columns = []
    for name in names:
        numbers = points.columns[request.columns.index(name)].astype(object)
        numbers[request.unknown(name, points)] = None
        columns.append(numbers.tolist())
    return tuple(
        PointRecord(_texts(request.space.point(index)), dict(zip(names, row, strict=True)))
        for index, row in zip(points.index.tolist(), zip(*columns, strict=True), strict=True)
    )


def _failed_points(request: "SearchRequest", total: "ChunkResult") -> FailedPoints | None:
    """How many points break a rule, and the first one with its message."""
    if not total.failed:
        return None
    point = request.space.point(total.first_failed)
    return FailedPoints(total.failed, _texts(point), _message(request, point))


def _texts(values: dict[str, Any]) -> dict[str, str]:
    return {name: value_text(value) for name, value in values.items()}


def _check_names(names: Sequence[str], network: Network, spec: str) -> None:
    """Raises UsageError for a name that the network does not have, or that is given twice."""
    from convcost.language.option_variables import vary_hint

    if not names:
        raise UsageError("a search needs --vary, such as --vary width=0.25:1.5:0.05")
    variable_names = ("size", "batch", *(name for name, _ in network.variables))
    for name in names:
        if name not in variable_names:
            hint = vary_hint(name, variable_names)
            raise UsageError(f"--vary: `{spec}` has no variable `{name}`; {hint}")
        if names.count(name) > 1:
            raise UsageError(f"--vary gives {name} twice; write all values as one list")


def _check_batch(variables: Sequence[Any], network: Network) -> None:
    """Raises UsageError if the number of samples varies and is not an integer from 1."""
    if "batch" in dict(network.variables):
        return
    for value in (
        value for variable in variables if variable.name == "batch" for value in variable.values
    ):
        if type(value) is not int or not 0 < value <= MAX_NUMBER:
            requirement = f"an integer from 1 to {MAX_NUMBER:,}"
            raise UsageError(f"--vary: batch must be {requirement}, not {value_text(value)}")


def _check_sobol(options: SearchOptions) -> None:
    """Raises UsageError if Sobol' points are asked for and are not possible."""
    from convcost.design_space.space import MAX_SOBOL_POINTS

    if not options.sobol:
        return
    if not 0 < options.samples <= MAX_SOBOL_POINTS:
        raise UsageError(f"--sobol needs --samples, at most {MAX_SOBOL_POINTS:,}")
    required_package("--sobol needs scipy", "sobol", "scipy")


def _check_rates(request: "SearchRequest", network: Network) -> None:
    """Raises UsageError if the device has no rate for a dtype of the network."""
    from convcost.design_space.network_function import NANOSECONDS

    if NANOSECONDS not in request.measures:
        return
    assert request.device is not None
    (network,) = with_dtypes([network], request.dtypes)
    require_rates(costs(network), request.device)


def _measures(
    options: SearchOptions, variables: Sequence[str], device: Device | None
) -> tuple[str, ...]:
    """The measures to print, to sort by and in conditions. Raises UsageError for unknown names."""
    from convcost.conventions import CONVENTIONS
    from convcost.design_space.network_function import MEASURES, NANOSECONDS
    from convcost.reports.sweep.selection import parse_filter

    timed = (NANOSECONDS,) if device is not None and device.bandwidth is not None else ()
    known = (*MEASURES, *timed, *CONVENTIONS.names())
    columns = options.columns or DEFAULT_MEASURES
    ranked = [
        *(key.removeprefix("-") for key in sort_keys(options.sort)),
        *(name.removeprefix("+") for name in options.pareto),
    ]
    _check_measures("--columns", columns, known)
    _check_measures("--sort or --pareto", ranked, (*known, "score") if options.score else known)
    used = [*columns, *(name for name in ranked if name != "score")]
    # In a condition, a variable comes before a convention of the same name.
    countable = {*MEASURES, *timed, *set(CONVENTIONS.names()).difference(variables)}
    for text in options.where:
        names = parse_filter(text, (*known, NANOSECONDS, *variables)).expression.names
        if NANOSECONDS in names.difference(known, variables):
            raise _needs_device("--where")
        used += sorted(names & countable)
    return tuple(dict.fromkeys(used))


def _check_measures(option: str, names: Iterable[str], known: Collection[str]) -> None:
    """Raises UsageError if a name is not that of a known measure."""
    from convcost.conventions import suggest_convention
    from convcost.design_space.network_function import MEASURES, NANOSECONDS

    for name in names:
        if name == NANOSECONDS and name not in known:
            raise _needs_device(option)
        if name not in known:
            listed = ", ".join(f"`{measure}`" for measure in MEASURES)
            listing = f"write {listed}, or a convention of `convcost conventions`"
            near = suggest_convention(name) if ":" in name else did_you_mean(name, known, 0)
            raise UsageError(f"{option}: there is no measure `{name}`; {near or listing}")


def _needs_device(option: str) -> UsageError:
    return UsageError(f"{option}: `nanoseconds` needs a --device with a bandwidth")


def _notes(request: "SearchRequest", network: Network, total: "ChunkResult") -> tuple[str, ...]:
    """What the measures are: the bound of a device, and what is stated or not counted."""
    from convcost.design_space.network_function import NANOSECONDS, conventions_of

    network_costs = costs(network)
    conventions = tuple(conventions_of(request.measures).values())
    notes = [note for convention in conventions for note in convention.count(network_costs).notes]
    notes += _point_notes(request, network_costs, total, conventions)
    if request.deployed:
        notes.append(f"deployed: {DEPLOYED}")
    if request.device is not None:
        notes.append(f"{request.device.name}: {RUNTIME_MEMORY}")
    if NANOSECONDS in request.measures:
        notes.append(f"{NANOSECONDS}: {LOWER_BOUND}")
    return tuple(dict.fromkeys(notes))


def _point_notes(
    request: "SearchRequest",
    spec_costs: Costs,
    total: "ChunkResult",
    conventions: Sequence["Convention"],
) -> Iterator[str]:
    """Notes on counts that are stated, not known, or a bound: those of the network at its own
    values, and others of the first printed point that has them, with the values of the point."""
    notes = {_topic(note): note for note in _count_notes(request, spec_costs, conventions)}
    printed = dict.fromkeys((*total.best.index.tolist(), *total.front.index.tolist()))
    topics = _possible_topics(request, conventions)
    if topics is not None and topics <= notes.keys():
        yield from notes.values()
        return
    function, layers, searched = request.function(), 0, 0
    for index in printed:
        if layers > MAX_LAYERS_WITH_NOTES:
            break
        point = request.space.point(index)
        counted = function.costs(point)
        values = " ".join(f"{name}={value}" for name, value in _texts(point).items())
        for note in _count_notes(request, counted, conventions):
            notes.setdefault(_topic(note), f"{note} (at {values})")
        layers += 1 + len(counted.layers)
        searched += 1
    yield from notes.values()
    if searched < len(printed):
        first = f"the first {searched:,} of {len(printed):,} points"
        yield f"stated and unknown counts were searched in {first} only"


def _partly_known(measures: tuple[str, ...], source: Source) -> tuple[str, ...]:
    """The measures that may be known in part: totals by conventions, and the macs of a spec with a
    kind whose macs may be unknown."""
    from convcost.design_space.network_function import conventions_of

    kinds = [name for name, kind in KINDS.items() if kind.counted is not Kind.counted]
    unknown = Measure.MACS in measures and _may_have(source, kinds)
    return (*((Measure.MACS,) if unknown else ()), *conventions_of(measures))


def _possible_topics(
    request: "SearchRequest", conventions: Sequence["Convention"]
) -> set[str] | None:
    """The topics of all notes that points can have, by the words of the spec; None if these do not
    say it, with conventions or receptive fields."""
    if "receptive_field" in request.measures or conventions:
        return None
    words = {
        "density": ["density"],
        "stated": [name for name, kind in KINDS.items() if kind.stated],
        "uncounted": [name for name, kind in KINDS.items() if kind.counted is not Kind.counted],
    }
    return {topic for topic, of_topic in words.items() if _may_have(request.source, of_topic)}


def _may_have(source: Source, words: Iterable[str]) -> bool:
    """Whether a spec may have a word. With a backslash, YAML can write any word by its codes."""
    return "\\" in source.text or any(word in source.text for word in words)


def _count_notes(
    request: "SearchRequest", counted: Costs, conventions: Sequence["Convention"]
) -> Iterator[str]:
    """Which counts of one network are stated, not known, or a bound."""
    yield from stated_notes([counted])
    for convention in conventions:
        yield from convention.uncounted_notes(counted, convention.numbers(counted))
    if "receptive_field" in request.measures:
        yield from field_notes(output_of(counted, "")[1])


def _topic(note: str) -> str:
    """What a note is about, the same for all points: the word before `: the`, such as `uncounted`,
    or the note without numbers."""
    return note.partition(": the ")[0].translate(dict.fromkeys(map(ord, digits)))


def _message(request: "SearchRequest", point: dict[str, Any]) -> str:
    """The first problem of a point."""
    try:
        request.function()(point)
    except SpecError as error:
        return str(error).splitlines()[0]
    raise UsageError("the state of --resume counts a point as failed that does not fail")
