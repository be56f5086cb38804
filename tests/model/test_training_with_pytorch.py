"""The saved tensors and backward macs of experts, against those of PyTorch's autograd."""

from itertools import product
from textwrap import dedent

import pytest

from convcost.language.load import load
from convcost.language.network_inputs import Settings
from convcost.model.costs import costs
from convcost.model.dtypes import Dtypes
from convcost.model.errors import Source
from convcost.model.training import training

torch = pytest.importorskip("torch")
from torch import nn  # noqa: E402
from torch.nn import functional as F  # noqa: E402, N812
from torch.utils.flop_counter import FlopCounterMode  # noqa: E402

POSITIONS, CHANNELS, HIDDEN, EXPERTS, TAKEN = 6, 4, 5, 3, 2


def expert():
    return nn.ModuleList([nn.Linear(CHANNELS, HIDDEN), nn.Linear(HIDDEN, CHANNELS)])


def with_pytorch(activation, *, shared, first, frozen):
    """The bytes that autograd saves, without the weights, and the macs of the backward pass. Only
    the experts that are taken run, at all positions."""
    gate, last = nn.Linear(CHANNELS, EXPERTS), nn.Linear(CHANNELS, 2)
    before, added = nn.Linear(CHANNELS, CHANNELS), expert()
    taken = nn.ModuleList(expert() for _ in range(TAKEN))
    taken.requires_grad_(not frozen)
    modules = nn.ModuleList([gate, last, before, added, taken])
    weights = {parameter.untyped_storage().data_ptr() for parameter in modules.parameters()}
    saved = {}

    def save(tensor):
        saved[tensor.untyped_storage().data_ptr()] = tensor.untyped_storage()
        return tensor

    def run(layers, x):
        inner, outer = layers
        return outer(getattr(F, activation)(inner(x)))

    with torch.autograd.graph.saved_tensors_hooks(save, lambda tensor: tensor):
        x = torch.randn(POSITIONS, CHANNELS)
        x = before(x) if first else x
        factors = gate(x).softmax(-1)
        y = sum(factors[:, n : n + 1] * run(one, x) for n, one in enumerate(taken))
        y = last(y + run(added, x) if shared else y)
    with FlopCounterMode(display=False) as counter:
        y.sum().backward()
    kept = (tensor.nbytes() for pointer, tensor in saved.items() if pointer not in weights)
    return sum(kept), counter.get_total_flops() // 2


def with_convcost(activation, *, shared, first, frozen):
    def layers(more=""):
        linear = "{{linear: {}, each_position: true{}}}"
        return f"[{linear.format(HIDDEN, more)}, {activation}, {linear.format(CHANNELS, more)}]"

    text = f"""
        input: {{channels: {CHANNELS}, size: [{POSITIONS}]}}
        layers:
          - {f"linear: {CHANNELS}" if first else "identity:"}
            {"each_position: true" if first else ""}
          - experts:
              gate: [{{linear: {EXPERTS}, each_position: true}}, softmax]
              each: {layers(", frozen: true" if frozen else "")}
              {f"shared: {layers()}" if shared else ""}
            of: {EXPERTS}
            take: {TAKEN}
          - {{linear: 2, each_position: true}}
        """
    network = load(Source("net.yaml", dedent(text)), Settings())[0]
    found = training(costs(network, 1), "sgd", Dtypes())
    return found.saved, found.backward_macs


@pytest.mark.parametrize("activation", ["relu", "silu", "gelu"])
def test_training_of_experts_is_that_of_autograd(activation):
    for shared, first, frozen in product([False, True], repeat=3):
        case = {"shared": shared, "first": first, "frozen": frozen}
        assert with_convcost(activation, **case) == with_pytorch(activation, **case), case
