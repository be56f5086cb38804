"""What layers of Keras cost, as products; each was compared with Keras' own count of params."""

from typing import Any

import pytest
from keras_models import counted, entry, graph, imported_graph, one, sequential, tensor

from convcost.importing.spec import proved_spec
from convcost.model.errors import ConstraintError

MAP = [None, 12, 10, 6]
STEPS = [None, 7, 8]
FILM = [None, 4, 12, 10, 6]
STRIP = [None, 12, 6]


def conv2d(**config):
    return one("Conv2D", "c", filters=5, kernel_size=[3, 3], **config)


def einsum(equation, shape, bias=None, **config):
    return one("EinsumDense", "e", equation=equation, output_shape=shape, bias_axes=bias, **config)


def lstm(**config):
    return one("LSTM", "r", units=5, **config)


def stacked(*cells):
    return {"class_name": "StackedRNNCells", "config": {"cells": list(cells)}}


def around(kind, layer, **config):
    return one(kind, "around", layer=layer, **config)


RESETTING = one("GRUCell", "b", units=4, reset_after=True)
ONE_OF_EACH = {
    "layer norm over all": (
        one("LayerNormalization", "n", axis=[1, 2, 3]),
        MAP,
        [("layer_norm", 2 * 12 * 10 * 6, 0)],
    ),
    "layer norm over two axes": (
        one("LayerNormalization", "n", axis=[3, 2], center=False),
        MAP,
        [("layer_norm", 10 * 6, 0)],
    ),
    "layer norm over the size": (
        one("LayerNormalization", "n", axis=[1, 2]),
        MAP,
        [("layer_norm", 2 * 12 * 10, 0)],
    ),
    "layer norm that is an RMS norm": (
        one("LayerNormalization", "n", axis=-1, rms_scaling=True),
        MAP,
        [("rms_norm", 6, 0)],
    ),
    "RMS norm": (one("RMSNormalization", "n", axis=-1), MAP, [("rms_norm", 6, 0)]),
    "RMS norm over two axes": (
        one("RMSNormalization", "n", axis=[2, 3]),
        MAP,
        [("rms_norm", 10 * 6, 0)],
    ),
    "unit norm": (one("UnitNormalization", "n", axis=-1), MAP, [("l2_norm", 0, 0)]),
    "group norm of single channels": (
        one("GroupNormalization", "n", groups=-1, scale=False),
        MAP,
        [("group_norm", 6, 0)],
    ),
    "own filters at every position": (
        one("LocallyConnected2D", "l", filters=5, kernel_size=[3, 3], strides=[2, 1]),
        MAP,
        [("locally_connected", 5 * 8 * 5 * (3 * 3 * 6 + 1), 5 * 8 * 5 * 3 * 3 * 6)],
    ),
    "own filters at every step, without biases": (
        one("LocallyConnected1D", "l", filters=5, kernel_size=[3], use_bias=False),
        STEPS,
        [("locally_connected", 5 * 5 * 3 * 8, 5 * 5 * 3 * 8)],
    ),
    "an LSTM of cuDNN, with two biases": (
        one("CuDNNLSTM", "r", units=4, return_sequences=True),
        STEPS,
        [("lstm", 4 * 4 * (8 + 4) + 2 * 4 * 4, 7 * 4 * 4 * (8 + 4))],
    ),
    "a GRU of cuDNN, with two biases": (
        one("CuDNNGRU", "r", units=4),
        STEPS,
        [("gru", 3 * 4 * (8 + 4) + 2 * 3 * 4, 7 * 3 * 4 * (8 + 4))],
    ),
    "a ReLU with a threshold": (
        one("ThresholdedReLU", "t", theta=1.5),
        STEPS,
        [("relu", 0, 0)],
    ),
    "slopes of every position": (one("PReLU", "p"), MAP, [("custom", 12 * 10 * 6, 0)]),
    "an adaptive pool": (
        one("AdaptiveAveragePooling2D", "p", output_size=[3, 5]),
        MAP,
        [("adaptive_avg_pool", 0, 0)],
    ),
    "an adaptive maximum along one axis": (
        one("AdaptiveMaxPooling1D", "p", output_size=3),
        STRIP,
        [("adaptive_max_pool", 0, 0)],
    ),
    "a transposed convolution of three axes": (
        one("Conv3DTranspose", "t", filters=5, kernel_size=[2, 2, 2], strides=[3, 3, 3]),
        [None, 8, 7, 6, 4],
        [("transposed_conv", 4 * 5 * 2**3 + 5, 8 * 7 * 6 * 4 * 5 * 2**3)],
    ),
    "a depthwise convolution along one axis": (
        one("DepthwiseConv1D", "d", kernel_size=[3], strides=[2], depth_multiplier=2),
        STRIP,
        [("depthwise", 3 * 6 * 2 + 6 * 2, 3 * 6 * 2 * 5)],
    ),
    "a separable convolution along one axis": (
        one("SeparableConv1D", "s", filters=5, kernel_size=[3], depth_multiplier=2),
        STRIP,
        [
            ("depthwise", 3 * 6 * 2, 3 * 6 * 2 * 10),
            ("conv", 6 * 2 * 5 + 5, 6 * 2 * 5 * 10),
        ],
    ),
    "a dense layer as a sum of Einstein's": (
        einsum("abc,cd->abd", [None, 5], "d", activation="relu"),
        STEPS,
        [("linear", 8 * 5 + 5, 8 * 5 * 7), ("relu", 0, 0)],
    ),
    "one that gives heads, with a bias for their channels": (
        einsum("abc,cde->abde", [None, 3, 4], "e"),
        STEPS,
        [("linear", 8 * 3 * 4, 8 * 3 * 4 * 7), ("scale", 4, 0)],
    ),
    "one that takes heads": (
        einsum("abcd,cde->abe", [None, 5], "e"),
        [None, 3, 4, 5],
        [("linear", 4 * 5 * 5 + 5, 4 * 5 * 5 * 3)],
    ),
    "one along the steps": (
        einsum("abc,bd->acd", [8, 5]),
        STEPS,
        [("linear", 7 * 5, 7 * 5 * 8)],
    ),
    "one with a matrix for each step": (
        einsum("abc,bcd->abd", [7, 5]),
        STEPS,
        [("learned", 7 * 8 * 5, 0), ("matmul", 0, 7 * 8 * 5)],
    ),
    "spectral norm": (
        around("SpectralNormalization", conv2d(use_bias=False)),
        MAP,
        [("custom", 0, 0), ("conv", 5 * 3 * 3 * 6, 5 * 3 * 3 * 6 * 10 * 8)],
    ),
    "a convolution of every step": (
        around("TimeDistributed", one("Conv2D", "c", filters=5, kernel_size=[3, 2])),
        FILM,
        [("conv", 5 * 3 * 2 * 6 + 5, 4 * 5 * 3 * 2 * 6 * 10 * 9)],
    ),
    "a depthwise convolution of every step": (
        around("TimeDistributed", one("DepthwiseConv2D", "c", kernel_size=[3, 2])),
        FILM,
        [("depthwise", 6 * 3 * 2 + 6, 4 * 6 * 3 * 2 * 10 * 9)],
    ),
    "a causal convolution of every step": (
        around("TimeDistributed", one("Conv1D", "c", filters=5, kernel_size=[3], padding="causal")),
        [None, 4, 7, 6],
        [("pad", 0, 0), ("conv", 5 * 3 * 6 + 5, 4 * 5 * 3 * 6 * 7)],
    ),
    "a dense layer at every step": (
        around("TimeDistributed", one("Dense", "d", units=5)),
        STEPS,
        [("linear", 8 * 5 + 5, 8 * 5 * 7)],
    ),
    "a global pool at every step": (
        around("TimeDistributed", one("GlobalAveragePooling2D", "g")),
        FILM,
        [("mean", 0, 0)],
    ),
    "a recurrent layer at every step": (
        around("TimeDistributed", lstm()),
        [None, 4, 7, 6],
        [("custom", 4 * 5 * (6 + 5) + 4 * 5, 4 * 7 * 4 * 5 * (6 + 5))],
    ),
    "a model at every step": (
        around(
            "TimeDistributed",
            sequential(conv2d(), one("BatchNormalization", "n", axis=-1), shape=MAP),
        ),
        FILM,
        [("custom", 5 * 3 * 3 * 6 + 5 + 2 * 5, 4 * 5 * 3 * 3 * 6 * 10 * 8)],
    ),
    "a recurrent layer both ways, added": (
        around("Bidirectional", lstm(), merge_mode="sum"),
        STEPS,
        [
            ("lstm", 2 * (4 * 5 * (8 + 5) + 4 * 5), 2 * 4 * 5 * (8 + 5) * 7),
            ("slice", 0, 0),
            ("slice", 0, 0),
            ("add", 0, 0),
        ],
    ),
    "cells on top of each other": (
        one("RNN", "r", cell=stacked(one("LSTMCell", "a", units=5), RESETTING)),
        STEPS,
        [
            ("lstm", 4 * 5 * (8 + 5) + 4 * 5, 4 * 5 * (8 + 5) * 7),
            ("gru", 3 * 4 * (5 + 4) + 2 * 3 * 4, 3 * 4 * (5 + 4) * 7),
        ],
    ),
    "a recurrent convolution": (
        one("ConvLSTM2D", "r", filters=5, kernel_size=[3, 3], strides=[2, 2], padding="same"),
        FILM,
        [
            (
                "custom",
                3 * 3 * (6 + 5) * 4 * 5 + 4 * 5,
                4 * (6 * 5) * 3 * 3 * (6 + 5) * 4 * 5,
            )
        ],
    ),
    "a recurrent convolution of one axis that gives every step": (
        one("ConvLSTM1D", "r", filters=5, kernel_size=[3], use_bias=False, return_sequences=True),
        [None, 4, 12, 6],
        [("custom", 3 * (6 + 5) * 4 * 5, 4 * 10 * 3 * (6 + 5) * 4 * 5)],
    ),
    "a vector again and again": (one("RepeatVector", "v", n=5), [None, 8], [("upsample", 0, 0)]),
    "another size": (
        one("Resizing", "s", height=5, width=7, interpolation="bilinear"),
        MAP,
        [("upsample", 0, 0)],
    ),
    "the middle of an image": (
        one("CenterCrop", "s", height=5, width=7),
        MAP,
        [("crop", 0, 0)],
    ),
}


@pytest.mark.parametrize("case", ONE_OF_EACH)
def test_a_layer_costs_what_its_formula_gives(tmp_path, case):
    layer, shape, expected = ONE_OF_EACH[case]
    found = counted(tmp_path, layer, shape=shape)
    # Where elements only move, that is a layer of its own, and free.
    assert [entry for entry in found if entry != ("reshape", 0, 0)] == expected


def test_a_gru_uses_each_weight_once_a_step_with_either_reset(tmp_path):
    """One that resets before has one bias. Counters that watch Keras on PyTorch see a step more:
    there, Keras tries one to learn the shape of what comes out."""
    params, macs = 3 * (4 * 8 + 8 * 8 + 8), 5 * 3 * (4 * 8 + 8 * 8)
    layer = one("GRU", "r", units=8, reset_after=False)
    assert counted(tmp_path, layer, shape=[None, 5, 4]) == [("gru", params, macs)]
    layer = one("GRU", "r", units=8)  # of a Keras that only had this one
    assert counted(tmp_path, layer, shape=[None, 5, 4]) == [("gru", params, macs)]
    layer = one("GRU", "r", units=8, reset_after=True)
    assert counted(tmp_path, layer, shape=[None, 5, 4]) == [("gru", params + 3 * 8, macs)]


def called(kind, *shapes, together=False, **config):
    """A model of one layer that takes several tensors, `together` as a list."""
    names = "abc"[: len(shapes)]
    given = [tensor(name) for name in names]
    layer = one(kind, "layer", **config)
    return graph(
        *((entry(name, *shape),) for name, shape in zip(names, shapes, strict=True)),
        (layer, ([given] if together else given, {})),
        inputs=[[name, 0, 0] for name in names],
        outputs=["layer", 0, 0],
    )


Q, V = (7, 8), (9, 6)
HEADS = {"num_heads": 2, "key_dim": 4}
GROUPS = {"head_dim": 3, "num_query_heads": 4, "num_key_value_heads": 2}
ATTENTION: dict[str, Any] = {
    "values of another width": (
        ("MultiHeadAttention", Q, V, HEADS | {"value_dim": 5, "use_bias": False}),
        8 * 8 + 6 * 8 + 6 * 10 + 10 * 8,
        8 * 8 * 7 + (6 * 8 + 6 * 10) * 9 + 2 * 7 * 9 * (4 + 5) + 10 * 8 * 7,
        "7×8",
    ),
    "another width that comes out": (
        ("MultiHeadAttention", Q, V, HEADS | {"output_shape": [3, 5]}),
        (8 + 1) * 8 + 2 * (6 + 1) * 8 + (8 + 1) * 3 * 5,
        8 * 8 * 7 + 2 * 6 * 8 * 9 + 2 * 7 * 9 * (4 + 4) + 8 * 3 * 5 * 7,
        "7×3×5",
    ),
    "a gate": (
        ("MultiHeadAttention", Q, V, HEADS | {"use_gate": True, "use_bias": False}),
        2 * 8 * 8 + 2 * 6 * 8 + 8 * 8,
        2 * 8 * 8 * 7 + 2 * 6 * 8 * 9 + 2 * 7 * 9 * (4 + 4) + 8 * 8 * 7,
        "7×8",
    ),
    "over all of a map": (
        ("MultiHeadAttention", (4, 5, 8), (4, 5, 6), HEADS | {"use_bias": False}),
        2 * 8 * 8 + 2 * 6 * 8,
        20 * (2 * 8 * 8 + 2 * 6 * 8) + 2 * 20 * 20 * (4 + 4),
        "4×5×8",
    ),
    "along the rows of a map": (
        ("MultiHeadAttention", (4, 5, 8), (4, 9, 6), HEADS | {"attention_axes": [2]}),
        2 * (8 + 1) * 8 + 2 * (6 + 1) * 8,
        20 * 2 * 8 * 8 + 36 * 2 * 6 * 8 + 4 * 2 * 5 * 9 * (4 + 4),
        "4×5×8",
    ),
    "along the columns of a map": (
        ("MultiHeadAttention", (4, 5, 8), (3, 5, 6), HEADS | {"attention_axes": [1]}),
        2 * (8 + 1) * 8 + 2 * (6 + 1) * 8,
        20 * 2 * 8 * 8 + 15 * 2 * 6 * 8 + 5 * 2 * 4 * 3 * (4 + 4),
        "4×5×8",
    ),
    "fewer heads of keys than of queries": (
        ("GroupedQueryAttention", (7, 8), (9, 8), GROUPS),
        (8 + 1) * 12 + 2 * (8 + 1) * 6 + (12 + 1) * 8,
        2 * 8 * 12 * 7 + 2 * 8 * 6 * 9 + 4 * 7 * 9 * (3 + 3),
        "7×8",
    ),
    "no projections": (
        ("Attention", (7, 8), (9, 8), {}),
        0,
        2 * 7 * 9 * 8,
        "7×8",
    ),
    "no projections, and a scale": (
        ("Attention", (7, 8), (9, 8), {"use_scale": True}),
        1,
        2 * 7 * 9 * 8,
        "7×8",
    ),
    "a sum in place of the first product": (
        ("Attention", (7, 8), (9, 8), {"score_mode": "concat", "use_scale": True}),
        1 + 1,
        7 * 9 * 8,
        "7×8",
    ),
    "Bahdanau's": (("AdditiveAttention", (7, 8), (9, 8), {}), 8, 2 * 7 * 9 * 8, "7×8"),
    "a product along the channels": (
        ("Dot", (7, 8), (9, 8), {"axes": -1}),
        0,
        7 * 9 * 8,
        "7×9",
    ),
    "a product along the steps": (("Dot", (8, 7), (8, 9), {"axes": 1}), 0, 7 * 9 * 8, "7×9"),
    "a product of vectors": (("Dot", (8,), (8,), {"axes": -1}), 0, 8, "1"),
}


@pytest.mark.parametrize("case", ATTENTION)
def test_layers_with_several_inputs_cost_what_their_formula_gives(tmp_path, case):
    (kind, first, second, config), params, macs, output = ATTENTION[case]
    together = kind in ("Attention", "AdditiveAttention", "Dot")
    layer_graph = imported_graph(tmp_path, called(kind, first, second, together=together, **config))
    proved_spec(layer_graph)
    assert sum(layer.params for layer in layer_graph.layers) == params
    assert sum(layer.macs for layer in layer_graph.layers) == macs
    assert not any(layer.uncounted for layer in layer_graph.layers)
    elements = 1
    for extent in output.split("×"):
        elements *= int(extent)
    assert layer_graph.layers[layer_graph.outputs[0]].output.elements == elements


def test_a_reversible_embedding_uses_its_table_as_the_output_matrix(tmp_path):
    table = one("ReversibleEmbedding", "e", input_dim=9, output_dim=6)
    config = graph(
        (entry("x", 7),),
        (table, ([tensor("x")], {}), ([tensor("e")], {"reverse": True})),
        inputs=["x", 0, 0],
        outputs=["e", 1, 0],
    )
    layer_graph = imported_graph(tmp_path, config)
    assert [(layer.kind, layer.params, layer.macs) for layer in layer_graph.layers] == [
        ("embedding", 9 * 6, 0),
        ("linear", 0, 9 * 6 * 7),
    ]
    assert "weights: " in proved_spec(layer_graph)


def test_spectral_norm_has_one_buffer_for_each_output_of_the_kernel(tmp_path):
    for inner, kept in (
        (conv2d(), 5),
        (one("Conv2DTranspose", "c", filters=5, kernel_size=[3, 3]), 6),
        (one("DepthwiseConv2D", "c", kernel_size=[3, 3], depth_multiplier=2), 2),
        (one("Dense", "c", units=5), 5),
    ):
        layer = around("SpectralNormalization", inner)
        first, _ = imported_graph(tmp_path, sequential(layer, shape=MAP)).layers
        assert (first.kind, first.params, first.buffers) == ("custom", 0, kept)


REFUSED = {
    "weights besides": (
        one("Dense", "d", units=5, lora_rank=2),
        "layer `d`: convcost does not support Dense with LoRA",
    ),
    "a norm with more to keep": (
        one("BatchNormalization", "d", renorm=True),
        "layer `d`: convcost does not support BatchNormalization with renorm",
    ),
    "a sum that is no product": (
        einsum("abc,bd->ad", [5]),
        "layer `e`: convcost does not support EinsumDense of `abc,bd->ad`",
    ),
    "a norm over the samples": (
        one("LayerNormalization", "d", axis=[0, 1]),
        "layer `d`: convcost does not support LayerNormalization over the batch axis",
    ),
    "own filters that are stored for all pairs of positions": (
        one("LocallyConnected1D", "d", filters=5, kernel_size=[3], implementation=2),
        (
            "layer `d`: LocallyConnected1D with `implementation=2` stores its weights in another "
            "form; convcost reads only `implementation=1`"
        ),
    ),
    "own filters over an input that is padded": (
        one("LocallyConnected1D", "d", filters=5, kernel_size=[3], padding="same"),
        "layer `d`: convcost does not support the padding `same` of LocallyConnected1D",
    ),
    "attention over the channels": (
        one("MultiHeadAttention", "d", num_heads=2, key_dim=4, attention_axes=[3]),
        "layer `d`: attention needs a query, a value and optionally a key",
    ),
    "steps of nothing": (
        around("TimeDistributed", around("TimeDistributed", one("Flatten", "f"))),
        "layer `around`: layer `around/around`: TimeDistributed needs an input with steps, not 8",
    ),
    "two directions, joined in a way that Keras does not have": (
        around("Bidirectional", lstm(), merge_mode="max"),
        "layer `around`: convcost does not support the merge mode max of Bidirectional",
    ),
    "two directions of no recurrent layer": (
        around("Bidirectional", one("Dense", "d", units=4)),
        "layer `around`: convcost does not support Bidirectional of Dense",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_an_unsupported_option_of_a_layer_is_refused_by_name(tmp_path, case):
    layer, message = REFUSED[case]
    with pytest.raises(ConstraintError) as refused:
        imported_graph(tmp_path, sequential(layer, shape=STEPS))
    assert (refused.value.code, refused.value.message) == ("CC401", message)
