"""Keras models come in from their configuration alone; what they hold is counted exactly."""

import pytest
from keras_models import SHAPE, conv, counted, functional, imported_graph, one, sequential

from convcost.importing.frontends.keras.names import paths
from convcost.importing.spec import proved_spec
from convcost.model.errors import ConstraintError

CASES = {
    "a convolution with its activation": (
        [conv("c", 8, 3, activation="relu")],
        [("conv", 8 * 3 * 3 * 3 + 8, 8 * 3 * 3 * 3 * 30 * 30), ("relu", 0, 0)],
    ),
    "a convolution padded to keep its size, with no bias": (
        [conv("c", 8, 3, padding="same", strides=[2, 2], use_bias=False)],
        [("conv", 8 * 3 * 3 * 3, 8 * 3 * 3 * 3 * 16 * 16)],
    ),
    "a grouped convolution": (
        [conv("a", 8, 1, use_bias=False), conv("c", 16, 3, groups=4, use_bias=False)],
        [("conv", 8 * 3, 8 * 3 * 32 * 32), ("conv", 16 * 3 * 3 * 2, 16 * 3 * 3 * 2 * 30 * 30)],
    ),
    "a depthwise convolution": (
        [one("DepthwiseConv2D", "d", kernel_size=[3, 3], strides=[1, 1], padding="same")],
        [("depthwise", 3 * 3 * 3 + 3, 3 * 3 * 3 * 32 * 32)],
    ),
    "a separable convolution is two": (
        [one("SeparableConv2D", "s", filters=8, kernel_size=[3, 3], padding="same")],
        [("depthwise", 3 * 3 * 3, 3 * 3 * 3 * 32 * 32), ("conv", 8 * 3 + 8, 8 * 3 * 32 * 32)],
    ),
    "a transposed convolution": (
        [
            one(
                "Conv2DTranspose",
                "t",
                filters=4,
                kernel_size=[3, 3],
                strides=[2, 2],
                padding="same",
            )
        ],
        [("transposed_conv", 3 * 4 * 3 * 3 + 4, 32 * 32 * 3 * 4 * 3 * 3)],
    ),
    "batch norm, pool and a classifier": (
        [
            one("BatchNormalization", "bn", axis=-1, scale=False),
            one("MaxPooling2D", "p", pool_size=[2, 2], strides=None, padding="valid"),
            one("Flatten", "f"),
            one("Dense", "fc", units=10, activation="softmax"),
        ],
        [
            ("batch_norm", 3, 0),
            ("max_pool", 0, 0),
            ("flatten", 0, 0),
            ("linear", 10 * 16 * 16 * 3 + 10, 10 * 16 * 16 * 3),
            ("softmax", 0, 0),
        ],
    ),
    "a global pool hands on a vector": (
        [one("GlobalAveragePooling2D", "g"), one("Dense", "fc", units=10, use_bias=False)],
        [("global_avg_pool", 0, 0), ("flatten", 0, 0), ("linear", 10 * 3, 10 * 3)],
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_a_keras_layer_costs_what_its_formula_gives(tmp_path, case):
    layers, expected = CASES[case]
    assert counted(tmp_path, *layers) == expected


def test_a_dense_layer_on_a_map_works_at_every_position(tmp_path):
    assert counted(tmp_path, one("Dense", "fc", units=16)) == [
        ("linear", 16 * 3 + 16, 16 * 3 * 32 * 32)
    ]


RECURRENT = {
    "LSTM": ({}, "lstm", 4 * 16 * (8 + 16) + 4 * 16, 4 * 16 * (8 + 16) * 10),
    "GRU": ({"reset_after": True}, "gru", 3 * 16 * (8 + 16) + 2 * 3 * 16, 3 * 16 * (8 + 16) * 10),
    "SimpleRNN": ({"use_bias": False}, "rnn", 16 * (8 + 16), 16 * (8 + 16) * 10),
}


@pytest.mark.parametrize("kind", RECURRENT)
def test_a_recurrent_layer_counts_its_gates_once_a_step(tmp_path, kind):
    config, drawn_as, params, macs = RECURRENT[kind]
    layer = one(kind, "r", units=16, return_sequences=True, **config)
    assert counted(tmp_path, layer, shape=[None, 10, 8]) == [(drawn_as, params, macs)]


def test_a_bidirectional_layer_costs_two_layers(tmp_path):
    inner = one("LSTM", "r", units=16)
    layer = one("Bidirectional", "b", layer=inner, merge_mode="concat")
    assert counted(tmp_path, layer, shape=[None, 10, 8]) == [
        ("lstm", 2 * (4 * 16 * (8 + 16) + 4 * 16), 2 * 4 * 16 * (8 + 16) * 10)
    ]


def test_attention_is_four_projections_and_two_products(tmp_path):
    layers = [
        (one("InputLayer", "x", batch_shape=[None, 49, 64]),),
        (one("MultiHeadAttention", "mha", num_heads=4, key_dim=16), "x", "x"),
    ]
    layer_graph = imported_graph(tmp_path, functional(layers, ["mha"]))
    assert sum(layer.params for layer in layer_graph.layers) == 4 * (64 * 64 + 64)
    products = 4 * (49 * 49 * 16 + 49 * 49 * 16)
    assert sum(layer.macs for layer in layer_graph.layers) == 4 * 64 * 64 * 49 + products


def test_branches_join_and_shared_layers_count_their_params_once(tmp_path):
    shared = conv("c", 3, 3, padding="same", use_bias=False)
    config = functional(
        [
            (one("InputLayer", "x", batch_shape=SHAPE),),
            (shared, "x"),
            (one("Add", "sum"), "x", "c"),
        ],
        ["sum"],
    )
    again = {"class_name": "__keras_tensor__", "config": {"keras_history": ["sum", 0, 0]}}
    layers = config["config"]["layers"]
    layers[1]["inbound_nodes"].append({"args": [again], "kwargs": {}})
    config["config"]["output_layers"] = [["c", 1, 0]]
    layer_graph = imported_graph(tmp_path, config)
    assert [layer.kind for layer in layer_graph.layers] == ["conv", "add", "conv"]
    assert [layer.params for layer in layer_graph.layers] == [3 * 3 * 3 * 3, 0, 0]
    assert layer_graph.layers[2].shares == 0
    assert "weights: " in proved_spec(layer_graph)


def test_the_nodes_of_keras_2_are_read(tmp_path):
    config = functional([(one("InputLayer", "x", batch_shape=SHAPE),), (conv("c", 8, 3), "x")], "c")
    config["config"]["layers"][1]["inbound_nodes"] = [[["x", 0, 0, {}]]]
    config["config"]["output_layers"] = [["c", 0, 0]]
    assert [layer.params for layer in imported_graph(tmp_path, config).layers] == [
        8 * 3 * 3 * 3 + 8
    ]


def test_an_open_size_is_requested_and_accepted(tmp_path):
    config = sequential(conv("c", 8, 3), shape=[None, None, None, 3])
    with pytest.raises(ConstraintError) as refused:
        imported_graph(tmp_path, config)
    assert refused.value.code == "CC405"
    assert refused.value.message == "input `image` is open: ?×?×3"
    assert refused.value.help == "add --size 224, or --input 3x224x224"
    for asked in ({"size": (64,)}, {"inputs": [(3, 64, 64)]}):
        assert imported_graph(tmp_path, config, **asked).layers[0].macs == 8 * 3 * 3 * 3 * 62 * 62


FIXED = {"size": (16,)}, {"inputs": [(3, 16, 16)]}, {"inputs": [(3, 8)]}, {"size": (8, 9)}


@pytest.mark.parametrize("asked", FIXED)
def test_another_size_than_the_fixed_one_is_an_error(tmp_path, asked):
    config = sequential(one("Flatten", "f"), one("Dense", "d", units=5), shape=[None, 8, 8, 3])
    with pytest.raises(ConstraintError) as refused:
        imported_graph(tmp_path, config, **asked)
    assert refused.value.code == "CC405"
    assert refused.value.message == "the input `image` is fixed to 8×8×3"
    for same in ({"size": (8,)}, {"inputs": [(3, 8, 8)]}):
        assert imported_graph(tmp_path, config, **same).layers[-1].params == 5 * 8 * 8 * 3 + 5


def test_a_model_with_a_fixed_size_imports_at_another_size_if_its_weights_fit(tmp_path):
    layers = [conv("c", 8, 3), one("GlobalAveragePooling2D", "g"), one("Dense", "d", units=5)]
    layer_graph = imported_graph(tmp_path, sequential(*layers), size=(16, 20), resized=True)
    assert sum(layer.macs for layer in layer_graph.layers) == 8 * 3 * 3 * 3 * 14 * 18 + 8 * 5
    layers[1] = one("Flatten", "f")
    with pytest.raises(ConstraintError) as refused:
        imported_graph(tmp_path, sequential(*layers), size=(16, 20), resized=True)
    assert refused.value.message == "layer `d`: the number of its weights depends on the size"
    opened = sequential(conv("c", 8, 3), shape=[None, None, None, 3])
    layer_graph = imported_graph(tmp_path, opened, size=(16, 20), resized=True)
    assert layer_graph.layers[0].macs == 8 * 3 * 3 * 3 * 14 * 18
    turned = conv("c", 8, 3, data_format="channels_first")
    config = sequential(turned, shape=[None, 3, 8, 8])
    layer_graph = imported_graph(tmp_path, config, size=(16, 20), resized=True)
    assert layer_graph.layers[0].macs == 8 * 3 * 3 * 3 * 14 * 18


def test_only_open_dims_are_filled(tmp_path):
    first = conv("c", 8, 3, data_format="channels_first")
    config = sequential(first, shape=[None, 3, None, None])
    assert imported_graph(tmp_path, config, size=(16,)).layers[0].macs == 8 * 3 * 3 * 3 * 14 * 14
    half = sequential(conv("c", 8, 3), shape=[None, 8, None, 3])
    assert imported_graph(tmp_path, half, size=(8, 16)).layers[0].macs == 8 * 3 * 3 * 3 * 6 * 14
    with pytest.raises(
        ConstraintError, match="the input `image` is fixed where it is not open: 8×\\?×3"
    ):
        imported_graph(tmp_path, half, size=(16,))


def test_unknown_inputs_are_refused(tmp_path):
    with pytest.raises(ConstraintError, match="the model takes 1, but 2 --input are given"):
        imported_graph(tmp_path, sequential(conv("c", 8, 3)), inputs=[(3, 32, 32), (3, 32, 32)])


def test_prelu_slopes_are_per_channel_in_both_layouts(tmp_path):
    layers = [
        conv("c", 8, 3, data_format="channels_first", use_bias=False),
        one("PReLU", "p", shared_axes=[2, 3]),
    ]
    assert counted(tmp_path, *layers, shape=[None, 3, 6, 7]) == [
        ("conv", 8 * 3 * 3 * 3, 8 * 3 * 3 * 3 * 4 * 5),
        ("prelu", 8, 0),
    ]


def test_common_prefixes_of_names_are_modules():
    names = [f"conv2_block1_1_{part}" for part in ("conv", "bn", "relu")] + ["conv2_block1_out"]
    assert paths([*names, "predictions"]) == {
        "conv2_block1_1_conv": ("conv2", "block1", "1", "conv"),
        "conv2_block1_1_bn": ("conv2", "block1", "1", "bn"),
        "conv2_block1_1_relu": ("conv2", "block1", "1", "relu"),
        "conv2_block1_out": ("conv2", "block1", "out"),
        "predictions": ("predictions",),
    }


TURNED = {
    "of an image": ([None, 28, 28, 1], (28, 28, 1), "28x28x1", "1x28x28"),
    "of an open one": ([None, None, None, 3], (48, 32, 3), "48x32x3", "3x48x32"),
    "of rows": ([None, 10, 8], (10, 8), "10x8", "8x10"),
}


@pytest.mark.parametrize("case", TURNED)
def test_an_input_with_its_channels_last_is_refused_with_the_right_order(tmp_path, case):
    shape, asked, shown, meant = TURNED[case]
    config = sequential(one("ReLU", "r"), shape=shape)
    with pytest.raises(ConstraintError) as refused:
        imported_graph(tmp_path, config, inputs=[asked])
    assert (refused.value.message, refused.value.help) == (
        f"--input {shown} has its channels last, but --input is channels first",
        f"--input {meant}",
    )
    turned = (asked[-1], *asked[:-1])
    assert imported_graph(tmp_path, config, inputs=[turned]).inputs[0][1] == (turned[0], turned[1:])


def test_generated_names_of_keras_become_names_of_kinds(tmp_path):
    layers = [
        conv("conv2d_7", 8, 3, activation="relu"),
        conv("conv2d_8", 8, 3),
        conv("conv2d_9", 8, 3),
        one("MaxPooling2D", "max_pooling2d", pool_size=[2, 2]),
        one("BatchNormalization", "fancy", axis=-1),
        one("LayerNormalization", "layer_normalization_2", axis=-1),
        one("GlobalAveragePooling2D", "global_average_pooling2d_1"),
        one("Dense", "dense", units=10, activation="softmax"),
    ]
    text = proved_spec(imported_graph(tmp_path, sequential(*layers)))
    assert text.count("name: ") == 2
    assert text.startswith("name: net\n")
    assert "name: fancy" in text


@pytest.mark.parametrize(("merged", "join"), [("concat", "concat"), ("sum", "add")])
def test_two_directions_that_differ_are_two_layers(tmp_path, merged, join):
    forward = one("LSTM", "r", units=16)
    backward = one("GRU", "b", units=16, go_backwards=True, reset_after=False)
    layer = one("Bidirectional", "b", layer=forward, backward_layer=backward, merge_mode=merged)
    assert counted(tmp_path, layer, shape=[None, 10, 8]) == [
        ("lstm", 4 * 16 * (8 + 16) + 4 * 16, 4 * 16 * (8 + 16) * 10),
        ("gru", 3 * 16 * (8 + 16) + 3 * 16, 3 * 16 * (8 + 16) * 10),
        (join, 0, 0),
    ]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({}, "two layers with the same direction"),
        ({"go_backwards": True, "return_sequences": True}, "a sequence and its last step"),
    ],
)
def test_two_directions_that_do_not_fit_are_refused(tmp_path, options, message):
    forward, other = one("LSTM", "r", units=16), one("LSTM", "b", units=16, **options)
    layer = one("Bidirectional", "b", layer=forward, backward_layer=other)
    with pytest.raises(
        ConstraintError, match=f"convcost does not support Bidirectional of {message}"
    ):
        counted(tmp_path, layer, shape=[None, 10, 8])
