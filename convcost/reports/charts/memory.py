"""The tensors that are alive while each layer runs, along the depth of a network."""

from convcost.model.costs import Costs
from convcost.model.peak_memory import alive_at_steps, buffers
from convcost.reports.chart_model import Curve


def memory(costs: Costs) -> Curve:
    network = costs.network
    alive = alive_at_steps(network, buffers(network, costs.batch))
    return Curve(
        "memory",
        f"{network.name}: memory alive by depth",
        "elements of all tensors that are alive while the layer runs",
        tuple(layer.path for layer in costs.layers),
        tuple(at_step.elements for at_step in alive),
    )
