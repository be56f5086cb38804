"""The memory and the multiply-adds of training, against formulas and figures of PyTorch."""

from textwrap import dedent
from typing import get_args

import pytest

import convcost
from convcost.language.load import load
from convcost.language.network_inputs import Settings
from convcost.model.costs import costs
from convcost.model.dtypes import Dtypes
from convcost.model.errors import Source
from convcost.model.kind import KINDS, BackwardReads
from convcost.model.training import OPTIMIZERS, backward_reads, training


def counted(text, batch=1):
    return costs(load(Source("net.yaml", dedent(text)), Settings())[0], batch)


def trained(text, batch=1, optimizer="sgd"):
    return training(counted(text, batch), optimizer, Dtypes())


def shipped(name, batch):
    return costs(convcost.load(name), batch)


@pytest.mark.parametrize("name", [name for name, _ in KINDS.items()])
def test_every_kind_says_what_its_gradients_need(name):
    example = KINDS[name].examples[0]
    x = f"{{channels: {example.input.channels}, size: {list(example.input.size)}}}"
    network = counted(f"input: {x}\nlayers: [{example.spec}]").network
    assert all(backward_reads(step.layer) in get_args(BackwardReads) for step in network.steps)


# Measured with torch 2 and torchvision, by `torch.autograd.graph.saved_tensors_hooks`, in training
# mode and with 2 samples: the storages saved, without params, without the indices of the max pool
# (int64) and without the mean and deviation that each batch norm saves for each channel.
@pytest.mark.parametrize(
    ("name", "saved", "indices", "channels"),
    [
        ("resnet18", 44_398_080, 8 * 2 * 56 * 56 * 64, 4_800),
        ("resnet50", 172_031_488, 8 * 2 * 56 * 56 * 64, 26_560),
    ],
)
def test_saved_tensors_are_those_of_pytorch(name, saved, indices, channels):
    found = training(shipped(name, 2), "sgd", Dtypes())
    assert found.saved == saved - indices - 4 * 2 * channels


# What the derivative of a function needs. PyTorch saves the same tensors or more; of the functions
# that follow from the output, it saves less of those that it computes in place.
FROM_INPUT = (
    "gelu", "silu", "batch_norm", "{layer_norm: }", "{prelu: }", "{elementwise: square}",
    "{elementwise: erf}",
)  # fmt: skip
FROM_OUTPUT = (
    "relu", "relu6", "sigmoid", "tanh", "softmax", "leaky_relu", "elu", "celu", "selu",
    "{threshold: 0.1}", "softplus", "hard_sigmoid", "{elementwise: exp}", "{elementwise: sqrt}",
)  # fmt: skip
FROM_NEITHER = (
    "{avg_pool: 2}", "global_avg_pool", "{adaptive_avg_pool: 2}", "{mean: size}", "{sum: size}",
    "{upsample: 2}", "{pad: 1}", "{crop: 1}", "{slice: 2}", "{add: [input, input]}",
    "{concat: [input, input]}", "{pixel_unshuffle: 2}", "sign", "{elementwise: negate}",
    "{elementwise: affine}", "{elementwise: floor}",
)  # fmt: skip


@pytest.mark.parametrize("layer", [*FROM_INPUT, *FROM_OUTPUT, *FROM_NEITHER])
def test_a_layer_saves_what_its_derivative_needs(layer):
    text = f"""
        input: {{channels: 4, size: 6}}
        layers: [{{conv: 4, kernel: 1}}, {layer.replace("input", "conv_1")}, {{mean: all}}]
        """
    maps = 4 * 6 * 6
    assert trained(text).saved == 4 * (maps + maps * (layer not in FROM_NEITHER))


# A linear layer after a function reads the output of the function for the gradient of its weights.
@pytest.mark.parametrize("layer", FROM_OUTPUT)
def test_a_derivative_that_follows_from_the_output_needs_no_input(layer):
    convolution = "{conv: 4, kernel: 1}"
    text = f"input: {{channels: 4, size: 6}}\nlayers: [{convolution}, {layer}, {convolution}]"
    assert trained(text).saved == 4 * (2 * 4 * 6 * 6)


@pytest.mark.parametrize(("reduction", "pool"), [("max", "global_max_pool"), ("min", "")])
def test_a_reduction_to_an_extreme_needs_its_position_as_a_max_pool(reduction, pool):
    text = (
        f"input: {{channels: 4, size: 6}}\nlayers: [{{conv: 4, kernel: 1}}, {{{reduction}: size}}]"
    )
    assert trained(text).saved == 4 * (4 * 6 * 6 + 4)
    if pool:
        assert trained(text.replace("{max: size}", pool)).saved == trained(text).saved


# The gradient of the input of a linear layer needs its weights only.
@pytest.mark.parametrize(
    "layer",
    [
        "conv: 4, kernel: 3", "depthwise: 3", "transposed_conv: 4, kernel: 3", "scale: ",
        "linear: 4, each_position: true", "locally_connected: 4, kernel: 3",
    ],
)  # fmt: skip
def test_a_frozen_linear_layer_does_not_save_its_input(layer):
    text = f"""
        input: {{channels: 4, size: 6}}
        layers: [{{conv: 4, kernel: 1}}, {{{layer}, frozen: true}}, {{mean: all}}]
        """
    assert trained(text).saved == 4 * (4 * 6 * 6)
    assert trained(text.replace("true}", "false}")).saved == 4 * (2 * 4 * 6 * 6)


CHAIN = """
    input: {channels: 3, size: 8}
    layers: [{conv: 4, kernel: 3, bias: true}, batch_norm, relu, flatten, {linear: 5}]
    """
MAPS = 6 * 6 * 4


def test_a_tensor_that_two_gradients_need_is_saved_once():
    # The input of conv and of batch_norm, and the output of relu, which linear reads as a view.
    assert trained(CHAIN).saved == 4 * (8 * 8 * 3 + MAPS + MAPS)
    assert trained(CHAIN, batch=7).saved == 7 * trained(CHAIN).saved


def test_the_first_layer_needs_no_gradient_of_its_input():
    first, last = 6 * 6 * 4 * 27, MAPS * 5
    assert trained(CHAIN).backward_macs == first + 2 * last
    assert trained(CHAIN, batch=3).backward_macs == 3 * (first + 2 * last)


@pytest.mark.parametrize(("optimizer", "numbers"), list(OPTIMIZERS.items()))
def test_an_optimizer_keeps_numbers_for_each_param(optimizer, numbers):
    found = trained(CHAIN, optimizer=optimizer)
    params = 4 * 27 + 4 + 2 * 4 + MAPS * 5 + 5
    assert (found.gradients, found.state) == (4 * params, numbers * 4 * params)


def test_a_product_of_two_computed_tensors_has_two_gradients():
    text = """
        input: {channels: 4, size: [6]}
        layers:
          - {attention: {q: [{linear: 4, each_position: true}], k: [], v: []}}
        """
    found = counted(text)
    linear, product = 4 * 4 * 6, 4 * 6 * 6
    assert found.totals.macs == linear + 2 * product
    # The gradients of the weights, of the queries and of the scores; keys and values are the input.
    assert training(found, "sgd", Dtypes()).backward_macs == linear + product + product


def of_taken_experts(layers):
    """The macs of the backward pass of two of three experts, with a gate of the input."""
    gate = "[{conv: 3, kernel: 1, frozen: true}]"
    return f"""
        input: {{channels: 4, size: [6]}}
        layers: [{{experts: {{gate: {gate}, each: [{layers}]}}, of: 3, take: 2}}]
        """


def test_each_expert_that_is_taken_has_gradients_of_attention_and_of_states():
    linear, product = 4 * 4 * 6, 4 * 6 * 6
    keys = "{attention: {q: [], k: [{linear: 4, each_position: true}], v: []}}"
    # The gradients of the weights, of the keys, and of the scores.
    assert trained(of_taken_experts(keys)).backward_macs == 2 * (linear + 2 * product)
    states, inputs = 4 * 4 * 6, 4 * 4 * 6
    found = trained(of_taken_experts("{rnn: 4}"), batch=5).backward_macs
    assert found == 5 * 2 * ((states + inputs) + states)


# PyTorch saves the same elements, by `torch.autograd.graph.saved_tensors_hooks`.
@pytest.mark.parametrize(
    "join",
    [
        "multiply: {map: [], gate: [{conv: 4, kernel: 1}]}",
        'einsum: {map: [], gate: [{conv: 4, kernel: 1}]}, equation: "ci,cj->ij"',
        "contract: {map: [], gate: [{conv: 4, kernel: 1}]}, over: channels",
        "matmul: {map: [], gate: [{conv: 4, kernel: 1}]}, transpose: true",
    ],
)
def test_a_factor_is_saved_only_for_the_gradient_of_another(join):
    text = f"input: {{channels: 4, size: [6]}}\nlayers: [{{{join}}}]"
    assert trained(text).saved == 4 * (4 * 6)
    text = text.replace("map: []", "map: [{conv: 4, kernel: 1}]")
    assert trained(text).saved == 4 * (4 * 6 + 2 * 4 * 6)


# As in PyTorch: both gradients need the divisor, and that of the divisor needs the dividend.
@pytest.mark.parametrize(
    ("one", "other", "maps"), [("conv", "conv", 3), ("conv", "", 1), ("", "conv", 2), ("", "", 0)]
)
def test_the_gradients_of_a_quotient_need_its_divisor(one, other, maps):
    layers = {"conv": "[{conv: 4, kernel: 1}]", "": "[]"}
    join = f"divide: {{one: {layers[one]}, other: {layers[other]}}}"
    text = f"input: {{channels: 4, size: [6]}}\nlayers: [{{{join}}}]"
    assert trained(text).saved == maps * 4 * (4 * 6)


def test_a_shared_expert_is_added_and_its_output_is_not_saved():
    text = """
        input: {channels: 4, size: [6]}
        layers:
          - experts:
              gate: [{conv: 3, kernel: 1}]
              each: [{conv: 5, kernel: 1}]
              shared: [{conv: 5, kernel: 1}]
            of: 3
            take: 2
        """
    assert trained(text).saved == 4 * (4 * 6 + 3 * 6 + 2 * 5 * 6)


def test_a_recurrent_first_layer_needs_gradients_of_its_states():
    text = "input: {channels: 3, size: [10]}\nlayers: [{lstm: 5}]"
    macs, of_input = 4 * 5 * (3 + 5) * 10, 4 * 5 * 3 * 10
    assert trained(text).backward_macs == 2 * macs - of_input


def test_shared_weights_have_one_gradient_and_each_layer_its_macs():
    text = """
        input: {channels: 4, size: []}
        layers: [{linear: 4, name: a, bias: false}, {linear: 4, bias: false, weights: a}]
        """
    found = trained(text)
    assert (found.gradients, found.backward_macs) == (4 * 16, 16 + 2 * 16)


def test_frozen_layers_before_the_first_trainable_one_need_nothing():
    frozen = CHAIN.replace("bias: true", "bias: true, frozen: true").replace(
        "batch_norm", "{batch_norm: , frozen: true}"
    )
    found = trained(frozen, optimizer="adam")
    assert (found.saved, found.backward_macs) == (4 * MAPS, MAPS * 5)
    assert (found.gradients, found.state) == (4 * (MAPS * 5 + 5), 8 * (MAPS * 5 + 5))


def test_a_frozen_layer_passes_the_gradient_on_and_does_not_need_its_input():
    text = """
        input: {channels: 4, size: []}
        layers: [{linear: 6}, {linear: 7, frozen: true}, {linear: 8}]
        """
    found = trained(text)
    assert found.saved == 4 * (4 + 7)
    assert found.backward_macs == 4 * 6 + 6 * 7 + 2 * 7 * 8


@pytest.mark.parametrize("name", ["vgg16", "mobilenet_v2", "googlenet", "resnet50"])
def test_the_backward_pass_is_twice_the_forward_pass_but_for_the_first_input(name):
    found = shipped(name, 1)
    first = next(layer.macs for layer in found.layers if layer.macs)
    assert training(found, "adam", Dtypes()).backward_macs == 2 * found.totals.macs - first
