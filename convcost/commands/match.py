"""`match`: finds the counts of a network that print as a given figure, for many settings."""

import re
from collections import Counter
from collections.abc import Iterator

from convcost.language.load import Documents
from convcost.language.network_inputs import Settings
from convcost.model.costs import costs, inputs_of
from convcost.model.deploy import deploy
from convcost.model.errors import ConstraintError, SpecError, UsageError
from convcost.model.figures import Figure, parse_figure
from convcost.model.network import Network
from convcost.model.options import show
from convcost.model.suggestions import did_you_mean
from convcost.reports.match import MATCHED, MAX_SHOWN, Match, NetworkSettings
from convcost.reports.match import match as match_figures
from convcost.sources.spec_files import open_source

SIZES = (32, 128, 160, 192, 224, 227, 240, 256, 288, 299, 320, 331, 384, 416, 448, 512, 608, 640)
CLASSES = (10, 100, 1000, 1001)
DEPLOYED_STEPS = 2  # assumptions
PRINTED_UNIT = re.compile(
    r"([\d.,]*)([kmgbt]?)(flops?|macs?|madds?|mult-?adds?|ops|params?)?", re.IGNORECASE
)
# Of all networks that are built, one for each setting:
MAX_LAYERS = 60_000
MAX_DIFFERENT = 8_000  # layers
MAX_VALUES = 300_000


def match(
    spec: str,
    words: list[str],
    fixed_settings: Settings = Settings(),  # noqa: B008
    *,
    all_readings: bool = False,
) -> Match:
    """The readings of published figures. A reading is a count of the network that prints as a
    figure.

    `words` are figures, each with or without a measure: `4.12G`, `0.3 GFLOPs`, or `macs 4.1G
    params 25.6M`.
    The variables and the size in `fixed_settings` do not change in any reading. With
    `all_readings`, the report shows every reading, else the simplest ones.

    Raises UsageError for a word that is neither a figure nor a measure, and if the spec has several
    networks; SpecError for a spec with problems.
    """
    figures = _figures(words)
    source, pick = open_source(spec, fixed_settings)
    documents = Documents(source)
    networks = documents.load(fixed_settings, pick)
    if len(networks) != 1:
        names = ", ".join(f"{spec}#{network.name}" for network in networks)
        raise UsageError(f"`{spec}` has {len(networks)} networks; choose one of {names}")
    untried: list[str] = []
    points = _points(documents, networks[0], fixed_settings, untried)
    shown = 10**6 if all_readings else MAX_SHOWN
    report = match_figures(points, figures, shown, _text(fixed_settings))
    return report._replace(untried=tuple(untried))


def _figures(words: list[str]) -> tuple[tuple[str, Figure], ...]:
    """Parses words to pairs of a measure, or "", and a figure.

    A measure belongs to the figure after it. A measure that is the last word belongs to the figure
    before it. Raises UsageError.
    """
    figures: list[tuple[str, Figure]] = []
    measure = ""
    words = _separate_units([part for word in words for part in word.split() or [word]])
    for number, word in enumerate(words):
        if word in MATCHED:
            if number == len(words) - 1 and figures and not figures[-1][0]:
                figures[-1] = word, figures[-1][1]
                return _distinct(figures)
            measure = word
            continue
        try:
            figures.append((measure, parse_figure(word)))
        except ConstraintError as error:
            hint = did_you_mean(word, MATCHED) if word.isalpha() else error.help
            raise UsageError(f"{error.message}; {hint}") from None
        measure = ""
    if measure or not figures:
        raise UsageError(f"`{measure or 'match'}` needs a figure, like 4.1G")
    return _distinct(figures)


def _distinct(figures: list[tuple[str, Figure]]) -> tuple[tuple[str, Figure], ...]:
    """Each figure once. Of figures with the same text, the text gets the measure."""
    once = dict.fromkeys(figures)
    texts = [figure.text for _, figure in once]
    return tuple(
        (measure, figure._replace(text=f"{measure} {figure.text}"))
        if measure and texts.count(figure.text) > 1
        else (measure, figure)
        for measure, figure in once
    )


def _separate_units(words: list[str]) -> list[str]:
    """The words with `0.3GFLOPs`, `0.3 GFLOPs` and `0.3G FLOPs` as `flops 0.3G`.

    Tools print `FLOPs` for macs, and the reverse; both are any number of operations here.
    """
    tokens: list[str] = []
    for word in words:
        parts = PRINTED_UNIT.fullmatch(word)
        number, unit, noun = parts.groups() if parts else ("", "", "")
        if word in MATCHED or not (unit or noun) or not (number or tokens):
            tokens.append(word)
            continue
        number = number or tokens.pop()
        if noun:
            tokens.append("params" if noun.lower().startswith("param") else "flops")
            unit = unit.upper()
        tokens.append(number + unit)
    return tokens


def _points(
    documents: Documents, network: Network, base: Settings, untried: list[str]
) -> Iterator[NetworkSettings]:
    """The network under the given settings, and further ones: those of each published figure, and
    each change of one variable or of the size. Each is followed by the network as deployed.

    Settings that the spec does not allow are left out. Those that would take too long are added to
    `untried`.
    """
    limits = Counter(values=MAX_VALUES, layers=MAX_LAYERS, different=MAX_DIFFERENT)
    total = Counter[str]()
    for point in _trained_and_deployed("", 0, network):
        total += _work(point)
        yield point
    # The network itself is read already. Settings that it refuses take about as long as it does.
    point_work = total + Counter(values=documents.count_values(network.name, MAX_VALUES))
    for settings, steps in _settings(network, base):
        size = base.size if settings.size is None else settings.size
        whole = base._replace(variables=(*base.variables, *settings.variables), size=size)
        if not total + point_work <= limits:
            untried.append(_text(settings))
            continue
        try:
            (changed,) = documents.load(whole, network.name, figures=())
        except SpecError:
            total += point_work
            continue
        total["values"] += point_work["values"]
        for point in _trained_and_deployed(_text(settings), steps, changed):
            total += _work(point)
            yield point


def _work(point: NetworkSettings) -> Counter[str]:
    """What is counted for a network. A layer counts once for each of its inputs."""
    network = point.costs.network
    layers = sum(max(len(step.inputs), 1) for step in network.steps)
    if point.deployed:  # most of its layers are those of the trained network
        return Counter(layers=layers)
    different = {(id(step.layer), inputs_of(network, step)) for step in network.steps}
    return Counter(layers=layers, different=len(different))


def _trained_and_deployed(settings: str, steps: int, network: Network) -> Iterator[NetworkSettings]:
    """A network as it is trained, and as inference runs it if this changes its params."""
    trained = costs(network)
    yield NetworkSettings(settings, steps, trained)
    folded = deploy(network)
    if folded.steps == network.steps:
        return
    deployed = costs(folded)
    if deployed.totals.params != trained.totals.params:
        yield NetworkSettings(settings, steps + DEPLOYED_STEPS, deployed, deployed=True)


def _settings(network: Network, fixed_settings: Settings) -> Iterator[tuple[Settings, int]]:
    distinct_settings = {Settings()}
    for settings, steps in _all_settings(network, fixed_settings):
        if settings not in distinct_settings:
            distinct_settings.add(settings)
            yield settings, steps


def _all_settings(network: Network, base: Settings) -> Iterator[tuple[Settings, int]]:
    fixed, sized = dict(base.variables), base.size is not None or bool(base.sizes)
    network_sizes = {shape.size for _, shape in network.inputs if shape.size}
    for entry in network.published:
        further = tuple(item for item in entry.settings if item[0] not in fixed)
        agree = all(fixed.get(name, value) == value for name, value in entry.settings)
        if agree and (not sized or entry.size is None or network_sizes == {entry.size}):
            yield Settings(further, None if sized else entry.size), 1
    for name, value in network.variables:
        if name in fixed:
            continue
        if isinstance(value, bool):
            yield Settings(((name, not value),)), 1
        elif name == "classes":
            yield from ((Settings(((name, classes),)), 3) for classes in CLASSES)
    sizes = [shape.size for _, shape in network.inputs]
    if len(sizes) == 1 and len(sizes[0]) > 1 and not sized:
        yield from ((Settings((), (size,) * len(sizes[0])), 2) for size in SIZES)


def _text(settings: Settings) -> str:
    sizes = [*settings.sizes, *([("", settings.size)] if settings.size is not None else [])]
    texts = [f"{name}={show(value)}" for name, value in dict(settings.variables).items()]
    for name, size in sizes:
        texts.append(f"size={name}{'=' if name else ''}{'x'.join(map(str, size))}")
    return " ".join(texts)
