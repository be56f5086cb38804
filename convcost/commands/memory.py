"""`memory`: the tensors that are alive while a network runs, and the peak."""

from collections.abc import Iterable, Sequence

from convcost.language.network_inputs import Settings
from convcost.language.requested_dtypes import with_dtypes
from convcost.model.costs import costs
from convcost.model.dtypes import Dtypes
from convcost.model.errors import UsageError
from convcost.model.network import Network
from convcost.reports.device import require_rates
from convcost.reports.memory import Memory, OrderRecord
from convcost.sources.devices import read_device
from convcost.sources.networks import SpecOrNetwork, read_networks


def memory(
    specs: Iterable[SpecOrNetwork],
    settings: Settings,
    batch: int = 1,
    *,
    dtypes: Sequence[str] = (),
    in_place: bool = True,
    top: int | None = None,
    device: str | None = None,
    deployed: bool = False,
    reorder: bool = False,
    optimizer: str = "",
) -> Memory:
    """The memory of every network of the specs, for `batch` samples, in elements and in bytes.

    Each of `dtypes` is for all layers, as in `int8,biases=int32`, and replaces those of the spec;
    or it is for the layers that match a pattern, as in `head*:float16`. `device` is the name or the
    file of a device, on which the report then bounds the time of each layer. With `deployed`, batch
    norms are folded. With `reorder`, the layers run in the order of the least peak.
    With `optimizer`, one of OPTIMIZERS, the report also has the memory of training.

    Raises UsageError for an unknown dtype, a pattern that matches nothing, a network without
    layers, or a device without a rate for a dtype, and an ExceptionGroup of all errors of the
    specs.
    """
    networks = read_networks(specs, settings, deployed=deployed)
    for network in networks:
        if not network.steps:
            raise UsageError(f"`{network.name}` has no layers, so no memory is used")
    networks = with_dtypes(networks, dtypes)
    orders: tuple[OrderRecord, ...] = ()
    if reorder:
        found_orders = [_best_order(network, batch, in_place) for network in networks]
        networks = [network for network, _ in found_orders]
        orders = tuple(order for _, order in found_orders)
    counted = tuple(costs(network, batch) for network in networks)
    target_device = None if device is None else read_device(device)
    if target_device is not None and target_device.bandwidth is not None:
        for each in counted:
            require_rates(each, target_device)
    return Memory(counted, in_place, top, target_device, orders, optimizer)


def _best_order(network: Network, batch: int, in_place: bool) -> tuple[Network, OrderRecord]:
    """The network in the order of the least peak, and how this peak compares with its own."""
    from convcost.model.execution_order import best_order, reordered
    from convcost.model.peak_memory import peak_memory

    dtypes = network.dtypes or Dtypes()
    execution_order = best_order(network, batch, in_place=in_place, dtypes=dtypes)
    spec_peak = peak_memory(network, batch, in_place=in_place, dtypes=dtypes).bytes
    order = OrderRecord(execution_order.exact, execution_order.at_least, spec_peak)
    return reordered(network, execution_order.steps), order
