"""`specs`: the specs that ship with convcost."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache

from convcost.model.costs import Costs, costs
from convcost.model.errors import UsageError
from convcost.model.network import Network
from convcost.model.peak_memory import peak_memory
from convcost.reports.specs import NUMBERS, ShippedNetwork, ShippedSpec, ShippedSpecs
from convcost.reports.sweep.selection import PointFilter, parse_filter
from convcost.sources.shipped_variants import documents_of_spec, full_name, shipped_counts
from convcost.sources.spec_files import shipped_specs

YEARS = re.compile(r"arXiv:(\d\d)\d\d\.|\b((?:19|20)\d\d)\b")
BYTES_OF_FLOAT32 = 4


def specs(where: Iterable[str] = ()) -> ShippedSpecs:
    """The shipped specs, and the costs of their networks where they are asked for. With conditions
    such as `macs <= 300M`, only the networks that meet them all. Raises UsageError."""
    conditions = tuple(parse_filter(text, NUMBERS) for text in where)
    return ShippedSpecs(tuple(_specs()), cache(lambda: tuple(all_networks(conditions))), conditions)


def _specs() -> Iterator[ShippedSpec]:
    counts = shipped_counts()
    for name, path in shipped_specs().items():
        documents = documents_of_spec(name, path)
        networks = tuple(documents.variants) or tuple(documents.sources)
        source = next(iter(documents.sources.values()))
        params, macs = zip(*(counts[name, network] for network in networks), strict=True)
        yield ShippedSpec(name, networks, source, params, macs)


def all_networks(where: Sequence[PointFilter] = ()) -> Iterator[ShippedNetwork]:
    """The costs of every shipped network, each with the argument that names it. Networks whose
    params, macs or year do not meet a condition are not counted, and left out."""
    counts = shipped_counts()
    for name, path in shipped_specs().items():
        documents = documents_of_spec(name, path)
        sources = documents.sources
        of_variants = [full_name(name, variant) for variant in documents.variants]
        names = of_variants or (
            [name] if len(sources) == 1 else [f"{name}#{document}" for document in sources]
        )
        keys = documents.variants or sources
        for spec, key, document in zip(names, keys, sources, strict=True):
            params, macs = counts[name, key]
            value_by_name = {"params": params, "macs": macs, "year": _year(sources[document])}
            if _can_meet(where, value_by_name):
                yield _network(spec, *documents.load(pick=document, figures=()))


def _can_meet(where: Iterable[PointFilter], numbers: Mapping[str, int]) -> bool:
    """Whether a network of which some numbers are known can meet all conditions. Raises UsageError
    for a wrong one, unless one before it may leave the network out."""
    undecided = False
    for condition in where:
        try:
            if not condition.matches(numbers.__getitem__):
                return False
        except KeyError:
            undecided = True
        except UsageError:
            if not undecided:
                raise
    return True


def _network(spec: str, network: Network) -> ShippedNetwork:
    counted = costs(network)
    peak = peak_memory(network).elements
    return ShippedNetwork(
        spec=spec,
        name=network.name,
        inputs=dict(network.inputs),
        params=counted.totals.params,
        macs=counted.totals.macs,
        activations=counted.totals.activations,
        peak_memory_int8=peak,
        peak_memory_float32=BYTES_OF_FLOAT32 * peak,
        receptive_field=_receptive_field(counted),
        year=_year(network.source),
        source=network.source,
    )


def _receptive_field(counted: Costs) -> tuple[int, ...]:
    """The extents at the last layer with several positions, or the size of the input if that layer
    depends on all of it, as after a reshape, whose step is 0, or a gate of a global pool."""
    size = counted.network.inputs[0][1].size
    depends_on_all: list[bool] = []
    field_extents: tuple[int, ...] = ()
    for layer, step in zip(counted.layers, counted.network.steps, strict=True):
        is_single = max(layer.output.size, default=1) == 1
        whole = is_single or not all(axis.step for axis in layer.field)
        depends_on_all.append(whole or any(n >= 0 and depends_on_all[n] for n in step.inputs))
        if not is_single:
            extents = tuple(axis.extent for axis in layer.field)
            field_extents = size if depends_on_all[-1] else extents
    return field_extents


def _year(source: str) -> int:
    match = YEARS.search(source)
    if match is None:
        return 0
    return 2000 + int(match[1]) if match[1] else int(match[2])
