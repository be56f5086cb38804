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


def tensor(name, node=0, number=0, shape=None):
    history = {"shape": shape, "keras_history": [name, node, number]}
    return {"class_name": "__keras_tensor__", "config": history}


def graph(*layers, inputs, outputs, name="net"):
    """Layers as (layer, calls); a call is (args, kwargs)."""
    listed = [
        {
            **layer,
            "name": layer["config"]["name"],
            "inbound_nodes": [{"args": args, "kwargs": kwargs} for args, kwargs in calls],
        }
        for layer, *calls in layers
    ]
    config = {"name": name, "layers": listed, "input_layers": inputs, "output_layers": outputs}
    return {"class_name": "Functional", "config": config}


def entry(name, *dims):
    return one("InputLayer", name, batch_shape=[None, *dims])


FIXED = {"size": (16,)}, {"inputs": [(3, 16, 16)]}, {"inputs": [(3, 8)]}, {"size": (8, 9)}


@pytest.mark.parametrize("asked", FIXED)
def test_what_a_model_fixes_is_not_changed(tmp_path, asked):
    config = sequential(one("Flatten", "f"), one("Dense", "d", units=5), shape=[None, 8, 8, 3])
    with pytest.raises(Refusal) as refused:
        drawn(tmp_path, config, **asked)
    assert refused.value.code == "CC405"
    assert refused.value.message == "the input `image` is fixed to 8×8×3"
    for same in ({"size": (8,)}, {"inputs": [(3, 8, 8)]}):
        assert drawn(tmp_path, config, **same).layers[-1].params == 5 * 8 * 8 * 3 + 5


def test_only_open_dims_are_filled(tmp_path):
    first = conv("c", 8, 3, data_format="channels_first")
    config = sequential(first, shape=[None, 3, None, None])
    assert drawn(tmp_path, config, size=(16,)).layers[0].macs == 8 * 3 * 3 * 3 * 14 * 14
    half = sequential(conv("c", 8, 3), shape=[None, 8, None, 3])
    assert drawn(tmp_path, half, size=(8, 16)).layers[0].macs == 8 * 3 * 3 * 3 * 6 * 14
    with pytest.raises(Refusal, match="the input `image` is fixed where it is not open: 8×\\?×3"):
        drawn(tmp_path, half, size=(16,))


def test_inputs_that_the_model_has_not_are_refused(tmp_path):
    with pytest.raises(Refusal, match="the model takes 1, but 2 --input are given"):
        drawn(tmp_path, sequential(conv("c", 8, 3)), inputs=[(3, 32, 32), (3, 32, 32)])


Q, V, M = tensor("q"), tensor("v"), tensor("m")
CALLED = {
    "by position": ([Q, V], {}),
    "with a mask by name": ([Q, V], {"attention_mask": M}),
    "with a mask by position": ([Q, V, None, M], {}),
    "by name, out of order": ([], {"key": V, "query": Q, "query_mask": M, "value": V}),
}


@pytest.mark.parametrize("how", CALLED)
def test_attention_takes_query_value_and_key_and_no_mask(tmp_path, how):
    layer = one("MultiHeadAttention", "mha", num_heads=4, key_dim=8, use_bias=False)
    config = graph(
        (entry("q", 6, 32),),
        (entry("v", 9, 24),),
        (entry("m", 6, 9),),
        (layer, CALLED[how]),
        inputs=[["q", 0, 0], ["v", 0, 0], ["m", 0, 0]],
        outputs=["mha", 0, 0],
    )
    drawing = drawn(tmp_path, config)
    assert sum(layer.params for layer in drawing.layers) == 2 * 32 * 32 + 2 * 24 * 32
    macs = 2 * 6 * 32 * 32 + 2 * 9 * 24 * 32 + 2 * 6 * 9 * 32
    assert sum(layer.macs for layer in drawing.layers) == macs


def test_attention_of_keras_2_takes_its_value_by_name(tmp_path):
    layer = one("MultiHeadAttention", "mha", num_heads=4, key_dim=8, use_bias=False)
    config = graph(
        (entry("q", 6, 32),),
        (entry("v", 9, 24),),
        (layer,),
        inputs=[["q", 0, 0], ["v", 0, 0]],
        outputs=[["mha", 0, 0]],
    )
    call = [["q", 0, 0, {"value": ["v", 0, 0], "training": False}]]
    config["config"]["layers"][2]["inbound_nodes"] = [call]
    params = sum(layer.params for layer in drawn(tmp_path, config).layers)
    assert params == 2 * 32 * 32 + 2 * 24 * 32


def test_a_tensor_by_a_keyword_of_unknown_meaning_is_refused(tmp_path):
    def model(**keywords):
        return graph(
            (entry("x", 8),),
            (one("Dense", "d", units=4), ([], keywords)),
            inputs=["x", 0, 0],
            outputs=["d", 0, 0],
        )

    assert drawn(tmp_path, model(inputs=tensor("x"))).layers[0].params == 8 * 4 + 4
    with pytest.raises(Refusal) as refused:
        drawn(tmp_path, model(inputs=tensor("x"), context=tensor("x")))
    assert refused.value.code == "CC401"
    assert (
        refused.value.message == "layer `d`: Dense takes a tensor as `context`, which is not read"
    )


def test_what_only_makes_a_mask_is_free(tmp_path):
    def model(end):
        return graph(
            (entry("x", 5, 4),),
            (one("NotEqual", "ne"), ([tensor("x"), 0.0], {})),
            (one("LSTM", "r", units=3), ([tensor("x")], {"mask": tensor("ne")})),
            inputs=["x", 0, 0],
            outputs=end,
        )

    drawing = drawn(tmp_path, model(["r", 0, 0]))
    assert [layer.params for layer in drawing.layers] == [4 * (4 + 3) * 3 + 4 * 3]
    assert drawing.free == (("NotEqual", 1),)
    with pytest.raises(Refusal, match="the class `NotEqual` is not read"):
        drawn(tmp_path, model([["r", 0, 0], ["ne", 0, 0]]))


def nested(inputs, args, end=("inner", 1, 0)):
    """A model of two inputs, 6 and 4 wide, called in another."""
    inner = graph(
        (entry("a", 6),),
        (entry("b", 4),),
        (one("Dense", "da", units=3), ([tensor("a")], {})),
        (one("Dense", "db", units=5), ([tensor("b")], {})),
        inputs=inputs,
        outputs={"z": ["da", 0, 0], "y": ["db", 0, 0]},
        name="inner",
    )
    return graph(
        (entry("six", 6),),
        (entry("four", 4),),
        (inner, ([args], {"mask": {"a": None}})),
        (one("Dense", "last", units=2), ([tensor("inner", 0, 1, [None, 3])], {})),
        inputs=[["six", 0, 0], ["four", 0, 0]],
        outputs=[["last", 0, 0], list(end)],
    )


BY_NAME = {"b": tensor("four"), "a": tensor("six")}
NESTED = {
    "a mapping for a mapping": ({"b": ["b", 0, 0], "a": ["a", 0, 0]}, BY_NAME),
    "a mapping for a list": ([["b", 0, 0], ["a", 0, 0]], BY_NAME),
    "a list for a list": ([["b", 0, 0], ["a", 0, 0]], [tensor("four"), tensor("six")]),
    "a list for a mapping": (
        {"b": ["b", 0, 0], "a": ["a", 0, 0]},
        [tensor("six"), tensor("four")],
    ),
}


@pytest.mark.parametrize("case", NESTED)
def test_a_nested_model_takes_its_inputs_by_name_and_may_be_the_end(tmp_path, case):
    drawing = drawn(tmp_path, nested(*NESTED[case]))
    params = {layer.path[-1]: layer.params for layer in drawing.layers}
    assert params == {"da": 6 * 3 + 3, "db": 4 * 5 + 5, "last": 3 * 2 + 2}
    ends = [drawing.layers[end].path[-1] for end in drawing.outputs]
    assert ends == ["last", "db"]


def test_a_nested_model_lacking_an_input_is_refused(tmp_path):
    inputs = {"b": ["b", 0, 0], "a": ["a", 0, 0]}
    with pytest.raises(Refusal, match="a model is called without its input `b`"):
        drawn(tmp_path, nested(inputs, {"a": tensor("six")}))
    with pytest.raises(Refusal, match="a model of 2 inputs is called with 1"):
        drawn(tmp_path, nested(inputs, [tensor("six")]))


OWN = {
    ("Dense", "keras.layers", None): True,
    ("Dense", "tensorflow.keras.layers", None): True,
    ("Dense", "tf_keras.layers", None): True,
    ("LayerScale", "keras.src.applications.convnext", "LayerScale"): True,
    ("Dense", None, "Dense"): False,
    ("Dense", None, "mine>Dense"): False,
    ("Dense", "keras.layers", "mine>Dense"): False,
    ("StochasticDepth", "keras_extras.layers", "StochasticDepth"): False,
}


@pytest.mark.parametrize("written", OWN)
def test_a_class_is_keras_own_by_its_module_not_by_its_name(tmp_path, written):
    kind, module, registered = written
    layer = one(kind, "d", units=4) | {"module": module, "registered_name": registered}
    config = sequential(layer, shape=[None, 8])
    if OWN[written]:
        assert drawn(tmp_path, config).layers
        return
    with pytest.raises(Refusal, match=f"layer `d`: the class `{kind}` is not read"):
        drawn(tmp_path, config)


def test_slopes_are_by_channel_wherever_the_channels_are(tmp_path):
    layers = [
        conv("c", 8, 3, data_format="channels_first", use_bias=False),
        one("PReLU", "p", shared_axes=[2, 3]),
    ]
    assert counted(tmp_path, *layers, shape=[None, 3, 6, 7]) == [
        ("conv", 8 * 3 * 3 * 3, 8 * 3 * 3 * 3 * 4 * 5),
        ("prelu", 8, 0),
    ]


NUMBERS = {
    "Infinity": "the shape of the input `image` is [None, inf, 3]",
    "2.5": "the shape of the input `image` is [None, 2.5, 3]",
    "0": "the shape of the input `image` is [None, 0, 3]",
    "1" * 5000: "the configuration has a number of too many digits",
}


@pytest.mark.parametrize("number", NUMBERS)
def test_numbers_that_no_shape_has_are_refused(tmp_path, number):
    path = tmp_path / "net.json"
    text = json.dumps(sequential(one("ReLU", "r"), shape=[None, "N", 3]))
    path.write_text(text.replace('"N"', number))
    with pytest.raises(Refusal) as refused:
        read(path)
    assert (refused.value.code, refused.value.message) == ("CC404", NUMBERS[number])


def weighted(tmp_path, fill):
    """A file with a dense layer, 8·4 + 4, and the weights that `fill` writes."""
    h5py = pytest.importorskip("h5py")
    with h5py.File(tmp_path / "w.h5", "w") as file:
        fill(h5py, file)
    path = tmp_path / "net.keras"
    config = sequential(one("Dense", "d", units=4), shape=[None, 8])
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("config.json", json.dumps(config))
        archive.writestr("model.weights.h5", (tmp_path / "w.h5").read_bytes())
    return path


def whole(h5py, file):
    file.create_dataset("layers/dense/vars/0", shape=(8, 4), dtype="f4")
    file.create_dataset("layers/dense/vars/1", shape=(4,), dtype="f4")


def test_weights_linked_twice_or_in_a_circle_are_counted_once(tmp_path):
    def fill(h5py, file):
        whole(h5py, file)
        file["layers/itself"] = file["layers"]
        file["layers/again"] = file["layers/dense/vars/0"]

    assert read(weighted(tmp_path, fill)).layers[0].params == 8 * 4 + 4


@pytest.mark.parametrize("link", ["SoftLink", "ExternalLink"])
def test_links_to_elsewhere_are_not_followed(tmp_path, link):
    def fill(h5py, file):
        whole(h5py, file)
        to = ("/layers",) if link == "SoftLink" else (str(tmp_path / "w.h5"), "/layers")
        file["more"] = getattr(h5py, link)(*to)

    with pytest.raises(Refusal) as refused:
        read(weighted(tmp_path, fill))
    assert refused.value.code == "CC404"
    assert refused.value.message == "its weights are links to elsewhere, which are not followed"


def test_weights_that_cannot_be_read_are_refused(tmp_path, monkeypatch):
    path = weighted(tmp_path, whole)
    data = path.read_bytes()
    begun = data.index(b"HDF") + 100
    path.write_bytes(data[:begun] + b"????" + data[begun + 4 :])
    with pytest.raises(Refusal, match="its weights cannot be read: Bad CRC-32") as refused:
        read(path)
    assert refused.value.code == "CC404"
    path.write_bytes(data)
    monkeypatch.setattr("convcost.importing.from_keras.stored.LARGEST", 100)
    with pytest.raises(Refusal, match="its weights are larger than"):
        read(path)


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


TURNED = {
    "of an image": ([None, 28, 28, 1], (28, 28, 1), "28x28x1", "1x28x28"),
    "of an open one": ([None, None, None, 3], (48, 32, 3), "48x32x3", "3x48x32"),
    "of rows": ([None, 10, 8], (10, 8), "10x8", "8x10"),
}


@pytest.mark.parametrize("case", TURNED)
def test_channels_that_are_given_last_are_said_to_be_first(tmp_path, case):
    shape, asked, shown, meant = TURNED[case]
    config = sequential(one("ReLU", "r"), shape=shape)
    with pytest.raises(Refusal) as refused:
        drawn(tmp_path, config, inputs=[asked])
    assert (refused.value.message, refused.value.help) == (
        f"--input {shown} has its channels last, it takes them first",
        f"--input {meant}",
    )
    turned = (asked[-1], *asked[:-1])
    assert drawn(tmp_path, config, inputs=[turned]).inputs[0][1] == (turned[0], turned[1:])


def test_names_that_keras_made_up_are_those_of_kinds(tmp_path):
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
    text = specced(drawn(tmp_path, sequential(*layers)))
    assert text.count("name: ") == 2
    assert text.startswith("name: net\n")
    assert "name: fancy" in text


def test_a_layer_that_goes_back_in_another_way_is_refused(tmp_path):
    forth = one("LSTM", "r", units=16)
    for other in (
        one("GRU", "b", units=16, go_backwards=True),
        one("LSTM", "b", units=8, go_backwards=True),
        one("LSTM", "b", units=16),
    ):
        layer = one("Bidirectional", "b", layer=forth, backward_layer=other)
        with pytest.raises(Refusal, match="Bidirectional of LSTM, concat, is not read"):
            counted(tmp_path, layer, shape=[None, 10, 8])


HAS_KERAS = pytest.mark.skipif(find_spec("keras") is None, reason="keras is not installed")
EXPORTED = "ONNX reads it: model.export('model.onnx', format='onnx'), then convcost import"


@HAS_KERAS
def test_bidirectional_layers_of_keras_count_as_keras_does(tmp_path, monkeypatch):
    monkeypatch.setenv("KERAS_BACKEND", "torch")
    import keras

    start = keras.Input((10, 8))
    x = keras.layers.Bidirectional(keras.layers.LSTM(16, return_sequences=True))(start)
    model = keras.Model(start, keras.layers.Bidirectional(keras.layers.GRU(5))(x))
    path = tmp_path / "net.keras"
    model.save(path)
    lstm, gru = read(path).layers
    assert (lstm.params, gru.params) == (
        2 * (4 * 16 * (8 + 16) + 4 * 16),
        2 * (3 * 5 * (2 * 16 + 5) + 2 * 3 * 5),
    )
    assert lstm.params + gru.params == model.count_params()


@HAS_KERAS
def test_layers_of_other_classes_state_what_the_file_tells_of_them(tmp_path, monkeypatch):
    monkeypatch.setenv("KERAS_BACKEND", "torch")
    import keras

    class Wave(keras.layers.Layer):
        def call(self, x):
            return x * 2

    class Gain(keras.layers.Layer):
        def build(self, shape):
            self.gain = self.add_weight(shape=(shape[-1],))
            self.table = self.add_weight(shape=(2, 3))

        def call(self, x):
            return x[:, ::2] * self.gain

    start = keras.Input((32, 32, 3))
    x = keras.layers.Conv2D(8, 3)(Wave()(Wave()(start)))
    x = Gain(name="first")(Gain(name="second")(x))
    inner = keras.Sequential([keras.Input((8, 30, 8)), Gain(), keras.layers.Dense(2)])
    x = inner(x)
    model = keras.Model(start, keras.layers.Dense(4)(x))
    path = tmp_path / "net.keras"
    model.save(path)
    drawing = read(path)
    found = [(one.kind, one.params, one.output.text) for one in drawing.layers]
    assert found == [
        ("custom", 0, "32×32×3"),
        ("custom", 0, "32×32×3"),
        ("conv", 8 * 3 * 3 * 3 + 8, "30×30×8"),
        ("custom", 8 + 2 * 3, "15×30×8"),
        ("custom", 8 + 2 * 3, "8×30×8"),
        ("custom", 8 + 2 * 3, "4×30×8"),
        ("linear", 2 * 8 + 2, "4×30×2"),
        ("linear", 4 * 2 + 4, "4×30×4"),
    ]
    text = specced(drawing)
    assert text.count("macs: uncounted") == 5
    assert "{custom: Wave, params: 0, macs: uncounted" in text
    bare = tmp_path / "net.json"
    bare.write_text(model.to_json())
    with pytest.raises(Refusal, match="the class `Wave` is not read") as refused:
        read(bare)
    assert refused.value.help == EXPORTED
    last = keras.Model(start, Wave(name="last")(start))
    last.save(path)
    with pytest.raises(Refusal, match="layer `last`: the class `Wave` is not read"):
        read(path)


@HAS_KERAS
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
