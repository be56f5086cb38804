"""Keras models come in from their configuration alone; what they hold is counted exactly."""

import json
import zipfile
from importlib.util import find_spec

import pytest

from convcost.errors import Refusal
from convcost.importing.from_keras import read
from convcost.importing.from_keras.names import paths
from convcost.importing.spec import specced

SHAPE = [None, 32, 32, 3]


def one(kind, name, **config):
    return {"class_name": kind, "config": {"name": name, **config}}


def sequential(*layers, shape=SHAPE):
    entry = one("InputLayer", "image", batch_shape=shape)
    return {"class_name": "Sequential", "config": {"name": "net", "layers": [entry, *layers]}}


def conv(name, filters, kernel, **config):
    full = {"strides": [1, 1], "padding": "valid", "dilation_rate": [1, 1], **config}
    return one("Conv2D", name, filters=filters, kernel_size=[kernel, kernel], **full)


def functional(layers, outputs):
    """Layers as (layer, names of what it takes)."""
    listed = [
        {
            **layer,
            "name": layer["config"]["name"],
            "inbound_nodes": [
                {
                    "args": [
                        [
                            {
                                "class_name": "__keras_tensor__",
                                "config": {"shape": None, "keras_history": [source, 0, 0]},
                            }
                            for source in sources
                        ]
                    ],
                    "kwargs": {},
                }
            ]
            if sources
            else [],
        }
        for layer, *sources in layers
    ]
    return {
        "class_name": "Functional",
        "config": {
            "name": "net",
            "layers": listed,
            "input_layers": [[listed[0]["name"], 0, 0]],
            "output_layers": [[output, 0, 0] for output in outputs],
        },
    }


def drawn(tmp_path, config, **asked):
    path = tmp_path / "net.json"
    path.write_text(json.dumps(config))
    return read(path, **asked)


def counted(tmp_path, *layers, shape=SHAPE):
    """Kinds, params and macs of the layers of a sequential model, proved as a spec."""
    drawing = drawn(tmp_path, sequential(*layers, shape=shape))
    specced(drawing)
    return [(layer.kind, layer.params, layer.macs) for layer in drawing.layers]


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
def test_a_layer_of_keras_counts_what_its_formula_says(tmp_path, case):
    layers, expected = CASES[case]
    assert counted(tmp_path, *layers) == expected


def test_a_dense_layer_on_a_map_works_at_every_position(tmp_path):
    assert counted(tmp_path, one("Dense", "fc", units=16)) == [
        ("linear", 16 * 3 + 16, 16 * 3 * 32 * 32)
    ]


RECURRENT = {
    "LSTM": ({}, "lstm", 4 * 16 * (8 + 16) + 4 * 16, 4 * 16 * (8 + 16) * 10),
    "GRU": ({}, "gru", 3 * 16 * (8 + 16) + 2 * 3 * 16, 3 * 16 * (8 + 16) * 10),
    "SimpleRNN": ({"use_bias": False}, "rnn", 16 * (8 + 16), 16 * (8 + 16) * 10),
}


@pytest.mark.parametrize("kind", RECURRENT)
def test_a_recurrent_layer_counts_its_gates_once_a_step(tmp_path, kind):
    config, drawn_as, params, macs = RECURRENT[kind]
    layer = one(kind, "r", units=16, return_sequences=True, **config)
    assert counted(tmp_path, layer, shape=[None, 10, 8]) == [(drawn_as, params, macs)]


def test_a_bidirectional_layer_is_two(tmp_path):
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
    drawing = drawn(tmp_path, functional(layers, ["mha"]))
    assert sum(layer.params for layer in drawing.layers) == 4 * (64 * 64 + 64)
    products = 4 * (49 * 49 * 16 + 49 * 49 * 16)
    assert sum(layer.macs for layer in drawing.layers) == 4 * 64 * 64 * 49 + products


def test_branches_meet_and_shared_layers_are_params_once(tmp_path):
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
    drawing = drawn(tmp_path, config)
    assert [layer.kind for layer in drawing.layers] == ["conv", "add", "conv"]
    assert [layer.params for layer in drawing.layers] == [3 * 3 * 3 * 3, 0, 0]
    assert drawing.layers[2].shares == 0
    assert "weights: " in specced(drawing)


def test_the_nodes_of_keras_2_are_read_too(tmp_path):
    config = functional([(one("InputLayer", "x", batch_shape=SHAPE),), (conv("c", 8, 3), "x")], "c")
    config["config"]["layers"][1]["inbound_nodes"] = [[["x", 0, 0, {}]]]
    config["config"]["output_layers"] = [["c", 0, 0]]
    assert [layer.params for layer in drawn(tmp_path, config).layers] == [8 * 3 * 3 * 3 + 8]


def test_an_open_size_is_asked_for_and_taken(tmp_path):
    config = sequential(conv("c", 8, 3), shape=[None, None, None, 3])
    with pytest.raises(Refusal) as refused:
        drawn(tmp_path, config)
    assert refused.value.code == "CC405"
    assert refused.value.message == "input `image` is open: ?×?×3"
    assert refused.value.help == "add --size 224, or --input 3x224x224"
    for asked in ({"size": (64,)}, {"inputs": [(3, 64, 64)]}):
        assert drawn(tmp_path, config, **asked).layers[0].macs == 8 * 3 * 3 * 3 * 62 * 62


DAMAGED = {
    "not JSON": ("{", "CC404", "the configuration is not JSON, line 1: Expecting property name"),
    "no model": ("[]", "CC404", "the JSON is no Keras model"),
    "a class of its own": (
        json.dumps({"class_name": "MyNet", "config": {"depth": 3}}),
        "CC401",
        "`MyNet` is a model of its own class: its configuration holds no layers",
    ),
    "an unknown layer": (
        json.dumps(sequential(one("Wavelet", "w"))),
        "CC401",
        "layer `w`: the class `Wavelet` is not read",
    ),
    "a layer without its options": (
        json.dumps(sequential(one("Conv2D", "c"))),
        "CC404",
        "the configuration is not as Keras writes it (KeyError: 'filters')",
    ),
    "a kernel that does not fit": (
        json.dumps(sequential(conv("c", 8, 33))),
        "CC301",
        "layer `c`: kernel 33 is larger than the input 32",
    ),
}


@pytest.mark.parametrize("case", DAMAGED)
def test_a_damaged_configuration_is_refused_in_plain_words(tmp_path, case):
    text, code, message = DAMAGED[case]
    path = tmp_path / "net.json"
    path.write_text(text)
    with pytest.raises(Refusal) as refused:
        read(path)
    assert (refused.value.code, refused.value.message[: len(message)]) == (code, message)


def test_layers_in_a_circle_are_refused(tmp_path):
    layers = [
        (one("InputLayer", "x", batch_shape=SHAPE),),
        (one("ReLU", "a"), "b"),
        (one("ReLU", "b"), "a"),
    ]
    with pytest.raises(Refusal, match="the layers go in a circle, or their inputs lack: `a`, `b`"):
        drawn(tmp_path, functional(layers, ["b"]))


def test_a_keras_file_is_a_zip_archive_with_its_configuration(tmp_path):
    path = tmp_path / "net.keras"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("config.json", json.dumps(sequential(conv("c", 8, 3))))
    assert read(path).layers[0].params == 8 * 3 * 3 * 3 + 8
    path.write_bytes(b"PK\x03\x04 truncated")
    with pytest.raises(Refusal, match=r"is no \.keras file: no zip archive, or a damaged one"):
        read(path)


def test_beginnings_that_names_share_are_modules():
    names = [f"conv2_block1_1_{part}" for part in ("conv", "bn", "relu")] + ["conv2_block1_out"]
    assert paths([*names, "predictions"]) == {
        "conv2_block1_1_conv": ("conv2", "block1", "1", "conv"),
        "conv2_block1_1_bn": ("conv2", "block1", "1", "bn"),
        "conv2_block1_1_relu": ("conv2", "block1", "1", "relu"),
        "conv2_block1_out": ("conv2", "block1", "out"),
        "predictions": ("predictions",),
    }


@pytest.mark.skipif(find_spec("keras") is None, reason="keras is not installed")
def test_a_model_that_keras_builds_comes_to_what_keras_counts(tmp_path, monkeypatch):
    monkeypatch.setenv("KERAS_BACKEND", "torch")
    import keras

    model = keras.applications.MobileNetV2(weights=None)
    path = tmp_path / "mobilenet.keras"
    model.save(path)
    drawing = read(path)
    params = sum(layer.params for layer in drawing.layers)
    assert params == sum(weight.numpy().size for weight in model.trainable_weights)
    assert params + sum(layer.buffers for layer in drawing.layers) == model.count_params()
