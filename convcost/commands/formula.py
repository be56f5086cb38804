"""`formula`: the costs of a network as formulas of its variables."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from convcost.design_space.conditions import conditions
from convcost.design_space.network_function import BYTES, MEASURES, NetworkFunction
from convcost.design_space.notation import NOTATIONS, Notation
from convcost.design_space.symbol import Symbol, expression
from convcost.design_space.trace import Trace, TraceLimitError, check_trace
from convcost.language.load import Documents
from convcost.language.network_inputs import Settings
from convcost.model.axes import axis_names
from convcost.model.costs import Costs, costs, total_counts
from convcost.model.errors import UsageError
from convcost.model.measures import CONVENTION, Measure
from convcost.model.network import Network
from convcost.model.options import MAX_NUMBER, show
from convcost.model.suggestions import did_you_mean
from convcost.reports.explain import members_of, output_of, paths, unknown_path
from convcost.reports.formula import Formulas, MeasureFormula, NetworkFormulas
from convcost.reports.notes import field_notes, stated_notes
from convcost.sources.spec_files import open_source

DEFAULT_MEASURES = (Measure.PARAMS, Measure.MACS, Measure.ACTIVATIONS)
MAX_LENGTH = 20_000  # factors of a formula, some of them in floors
DECIMALS = 10**9  # the values of a variable are multiples of 1/DECIMALS


def formula(
    spec: str,
    path: str = "",
    vary: Sequence[str] = (),
    settings: Settings = Settings(),  # noqa: B008
    notation: str = "text",
    measures: Sequence[str] = DEFAULT_MEASURES,
) -> Formulas:
    """Measures and the output size of each network of a spec, or of the layer or group at `path`,
    as formulas of the variables in `vary`.

    By default these are all variables that are numbers, `size` and `batch`. Raises UsageError if no
    network has the path or a variable, for an unknown measure, and for a formula that is too large;
    and SpecError.
    """
    _check_names(measures, notation, of_layer=bool(path))
    documents, networks, vary = _load(spec, vary, settings)
    functions = [
        NetworkFunction(documents, network.name, measures, settings, network=network)
        for network in networks
    ]
    with_path = [function for function in functions if not path or path in paths(function.network)]
    if not with_path:
        raise unknown_path(path, spec, networks)
    number_names = tuple(dict.fromkeys(name for function in with_path for name in function.point()))
    for name in vary:
        if name not in number_names:
            from convcost.language.option_variables import vary_hint

            hint = vary_hint(name, number_names)
            raise UsageError(f"`{spec}` has no number `{name}` to vary; {hint}")
    names = vary or number_names
    return Formulas(
        tuple(_formulas(function, path, names, NOTATIONS[notation]) for function in with_path)
    )


def _check_names(measures: Sequence[str], notation: str, *, of_layer: bool) -> None:
    """Raises UsageError for an unknown notation or measure, and for a measure of a whole network
    if the formulas are those `of_layer`."""
    for name in measures:
        if name not in MEASURES or (of_layer and name in BYTES):
            measure_names = tuple(other for other in MEASURES if not of_layer or other not in BYTES)
            hint = did_you_mean(name, measure_names, len(measure_names))
            raise UsageError(f"{'a layer' if of_layer else 'a network'} has no `{name}`; {hint}")
    if notation not in NOTATIONS:
        hint = did_you_mean(notation, NOTATIONS, len(NOTATIONS))
        raise UsageError(f"there is no notation `{notation}`; {hint}")


def _load(
    spec: str, vary: Sequence[str], settings: Settings
) -> tuple[Documents, list[Network], tuple[str, ...]]:
    """The documents of a spec, its networks, and the variables in `vary`. An option of a layer,
    such as `conv1.filters`, becomes a variable of them. Raises UsageError and SpecError."""
    source, pick = open_source(spec)
    documents = Documents(source)
    networks = documents.load(settings, pick)
    if not any("." in name for name in vary):
        return documents, networks, tuple(vary)
    from convcost.language.option_variables import variable_name, with_option_variables

    for network in networks:
        source = with_option_variables(source, network, vary)
    documents = Documents(source)
    return documents, documents.load(settings, pick), tuple(map(variable_name, vary))


def _notes(counted: Costs, path: str) -> Iterator[str]:
    """What macs are, whether a count is stated or not known, and whether the receptive field is a
    bound."""
    yield CONVENTION
    yield from stated_notes([counted], (path,) if path else ())
    yield from field_notes(output_of(counted, path)[1])


def _formulas(
    function: NetworkFunction, path: str, names: Sequence[str], notation: Notation
) -> NetworkFormulas:
    network = function.network
    point = {name: value for name, value in function.point().items() if name in names}
    trace = Trace()
    symbols = {
        name: _symbol(trace, name, value, is_spec_variable=name in function.variables)
        for name, value in point.items()
    }
    try:
        pairs = [(name, expression(number)) for name, number in _numbers(function, symbols, path)]
    except TraceLimitError:
        raise _too_large(network.name) from None
    trace.finish(failed=False)
    polynomials = [operand[0] for _, operand in pairs if operand is not None]
    if any(
        polynomial.length > MAX_LENGTH
        for polynomial in (*polynomials, *(guard.polynomial for guard in trace.guards))
    ):
        raise _too_large(network.name)
    rows = []
    for measure, operand in pairs:
        polynomial, value = operand or (None, None)
        text = None if polynomial is None else notation.formula(polynomial)
        rows.append(MeasureFormula(measure, text, value))
    plain = _numbers(function, point, path)
    check_trace([row.value for row in rows], [value for _, value in plain], point)
    at = {name: show(value) for name, value in point.items()}
    fields = "receptive_field" in function.measures
    notes = list(_notes(costs(network, receptive_fields=fields), path))
    valid = conditions(trace.guards)
    return NetworkFormulas(
        name=network.name,
        file=network.file,
        path=path,
        at=at,
        formulas=rows,
        conditions=valid,
        notes=notes,
    )


def _too_large(name: str) -> UsageError:
    return UsageError(
        f"the formulas of `{name}` are too large to print",
        help="give fewer variables to --vary, or name a layer; `convcost search` has numbers",
    )


def _symbol(trace: Trace, name: str, value: Any, *, is_spec_variable: bool) -> Symbol:
    """The symbol of a variable: any number if it is the spec's own, else an integer from 1."""
    bounds = (-MAX_NUMBER if is_spec_variable else 1, MAX_NUMBER)
    return Symbol(
        trace, trace.variable(name, value, bounds, DECIMALS if is_spec_variable else 1), value
    )


def _numbers(
    function: NetworkFunction, values: Mapping[str, Any], path: str
) -> Iterator[tuple[str, Any]]:
    """The measures of the network, or of the layer or group at a path, and the output size."""
    network_costs = function.costs(values)
    counts = total_counts(members_of(network_costs, path) if path else network_costs.layers)
    output, field = output_of(network_costs, path)
    for name in function.measures:
        if name in BYTES:
            yield name, function.bytes(name, network_costs)
        elif name == "receptive_field":
            yield from _axes("receptive field", [axis.extent for axis in field])
        elif name != "channels":
            count = counts.count_of(Measure(name))
            yield name, count.shown if count.uncounted else count.known
    yield "output channels", output.channels
    yield from _axes("output", output.size)


def _axes(prefix: str, size: Sequence[Any]) -> Iterable[tuple[str, Any]]:
    return ((f"{prefix} {name}", n) for name, n in zip(axis_names(len(size)), size, strict=True))
