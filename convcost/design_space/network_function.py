"""The numbers of a network as a function of its variables, input size and batch."""

import gc
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from convcost.language.load import Documents
from convcost.language.network_inputs import Settings
from convcost.language.requested_dtypes import with_dtypes
from convcost.model.costs import Costs, costs
from convcost.model.deploy import deploy
from convcost.model.dtypes import Dtypes
from convcost.model.errors import Problem, SpecError
from convcost.model.measures import Measure
from convcost.model.network import Network
from convcost.model.peak_memory import peak_memory
from convcost.model.ratio import fraction
from convcost.model.roofline import Device, bounds
from convcost.model.stored_bytes import stored_bytes
from convcost.reports.sweep.points import NUMBERS, Point, PointCosts, cost_point

if TYPE_CHECKING:
    from convcost.conventions import Convention

BYTES = ("peak_memory", "flash", "memory")  # measures of a whole network
MEASURES = (*NUMBERS, *BYTES)
NANOSECONDS = "nanoseconds"  # the least time on a device, rounded down
PICOSECONDS_IN_NANOSECOND = 1000


def conventions_of(measures: Iterable[str]) -> "dict[str, Convention]":
    """The counting conventions among the names of measures."""
    names = [name for name in measures if name not in (*MEASURES, NANOSECONDS)]
    if not names:
        return {}
    from convcost.conventions import find_convention

    return {name: find_convention(name) for name in names}


class NetworkFunction:
    """Loads one network at values of its variables, and gives some of its numbers: measures, and
    totals by counting conventions.

    `network` is the one at its own values, if it is loaded already. `size` is the size of all
    inputs and `batch` the number of samples, unless the spec has a variable of this name.
    `settings` are those of everything that does not vary. With `deployed`, the numbers are those of
    the network as inference runs it. The measure NANOSECONDS needs a `device` that has a bandwidth.
    A network without all counts of one of the `required_measures` is an error. A call also gives
    the number of layers that are not in each of the `partial_measures`.
    Raises SpecError, and ConstraintError if the device has no rate for a dtype.
    """

    def __init__(
        self,
        documents: Documents,
        pick: str | None,
        measures: Iterable[str] = (),
        settings: Settings = Settings(),  # noqa: B008
        dtypes: Sequence[str] = (),
        device: Device | None = None,
        deployed: bool = False,
        network: Network | None = None,
        required_measures: Collection[str] = (),
        partial_measures: Sequence[str] = (),
    ) -> None:
        self.documents = documents
        self.pick = pick
        self.measures = tuple(measures)
        self.conventions = conventions_of(self.measures)
        self.settings = settings
        self.dtypes = dtypes
        self.device = device
        self.deployed = deployed
        self.required_measures = required_measures
        self.partial_measures = partial_measures
        self.network = network or documents.load(settings, pick)[0]
        self.variables = dict(self.network.variables)

    def point(self) -> dict[str, Any]:
        """The numbers that can vary, with their own values."""
        value_by_name: dict[str, Any] = {}
        sizes = [shape.size for _, shape in self.network.inputs if shape.size]
        if sizes and all(set(size) == set(sizes[0][:1]) for size in sizes):
            value_by_name["size"] = sizes[0][0]
        value_by_name["batch"] = 1
        for name, value in self.variables.items():
            if type(value) is not bool and hasattr(type(value), "denominator"):
                value_by_name[name] = fraction(value)
        return value_by_name

    def costs(self, values: Mapping[str, Any]) -> Costs:
        """The costs of all layers. Raises SpecError."""
        # The command turned garbage collection off, and scopes refer to each other.
        gc.collect(0)
        variables = {name: value for name, value in values.items() if name in self.variables}
        others = {name: value for name, value in values.items() if name not in self.variables}
        settings = self.settings._replace(
            variables=tuple({**dict(self.settings.variables), **variables}.items())
        )
        if "size" in others:
            size = others["size"]
            settings = settings._replace(size=size if isinstance(size, tuple) else (size,))
        (network,) = self.documents.load(settings, self.pick, figures=())
        if self.deployed:
            network = deploy(network)
        fields = "receptive_field" in self.measures
        return costs(network, others.get("batch", 1), receptive_fields=fields)

    def __call__(self, values: Mapping[str, Any]) -> list[int]:
        """The `measures`, then the number of layers that are not in each of `partial_measures`.
        Raises SpecError."""
        network_costs = self.costs(values)
        for name in self.required_measures:
            self._require_known(name, network_costs)
        point = cost_point(Point((), ()), network_costs)
        numbers = [self._number(name, network_costs, point) for name in self.measures]
        return [
            *numbers,
            *(len(self._uncounted(name, network_costs)) for name in self.partial_measures),
        ]

    def _uncounted(self, name: str, network_costs: Costs) -> list[int]:
        """The indices of the layers that are not in a measure."""
        if name in self.conventions:
            numbers = self.conventions[name].numbers(network_costs).layers
            return [index for index, number in enumerate(numbers) if number is None]
        if name != Measure.MACS:
            return []
        return [index for index, layer in enumerate(network_costs.layers) if layer.uncounted]

    def _require_known(self, name: str, network_costs: Costs) -> None:
        """Raises SpecError for the first layer without a count of a measure."""
        for index in self._uncounted(name, network_costs):
            layer = network_costs.layers[index]
            problem = Problem(
                "CC112",
                f"`{name}` of the {layer.kind} `{layer.path}` is not known",
                network_costs.network.steps[index].origin.span,
                help="state it, or use another measure in --where and --pareto",
            )
            raise SpecError(self.documents.source, [problem])

    def _number(self, name: str, network_costs: Costs, point: PointCosts) -> Any:
        if name in self.conventions:
            return self.conventions[name].numbers(network_costs).total
        if name == NANOSECONDS:
            assert self.device is not None
            limits = bounds(network_costs, self._dtypes(network_costs), self.device)
            return sum(limit.picoseconds for limit in limits) // PICOSECONDS_IN_NANOSECOND
        return self.bytes(name, network_costs) if name in BYTES else point.value(name)

    def bytes(self, measure: str, network_costs: Costs) -> int:
        """One of BYTES, with the dtypes of the network or of the request.

        `flash` is the weights, biases and buffers, `memory` is flash and peak memory together. The
        peak memory of a network without layers is 0.
        """
        dtypes = self._dtypes(network_costs)
        total = 0
        if measure != "flash" and network_costs.network.steps:
            total += peak_memory(network_costs.network, network_costs.batch, dtypes=dtypes).bytes
        if measure != "peak_memory":
            total += sum(layer.total for layer in stored_bytes(network_costs.layers, dtypes))
        return total

    def _dtypes(self, network_costs: Costs) -> Dtypes:
        (network,) = with_dtypes([network_costs.network], self.dtypes)
        return network.dtypes or Dtypes()
