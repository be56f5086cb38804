"""The size of what each layer hands on, along the depth of a network."""

from convcost.costs import Costs
from convcost.pictures import Curve


def memory(costs: Costs) -> Curve:
    return Curve(
        "memory",
        f"{costs.network.name}: activations by depth",
        "activations: elements of a layer's output",
        tuple(layer.path for layer in costs.layers),
        tuple(layer.activations for layer in costs.layers),
    )
