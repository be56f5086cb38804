"""Graphs of Keras: what calls take, models in models, and whose classes layers are."""

from typing import Any

import pytest
from keras_models import (
    SHAPE,
    conv,
    entry,
    functional,
    graph,
    imported_graph,
    one,
    sequential,
    tensor,
)
from onnx_models import layer_texts

from convcost.importing.spec import proved_spec
from convcost.model.errors import ConstraintError
from convcost.model.shape import Shape


def test_cyclic_layers_are_refused(tmp_path):
    layers = [
        (one("InputLayer", "x", batch_shape=SHAPE),),
        (one("ReLU", "a"), "b"),
        (one("ReLU", "b"), "a"),
    ]
    with pytest.raises(
        ConstraintError, match="the layers have a cycle, or inputs are missing: `a`, `b`"
    ):
        imported_graph(tmp_path, functional(layers, ["b"]))


def test_layers_in_another_order_are_imported_in_the_order_of_the_inputs_that_need_them(tmp_path):
    names = ["a", "b", "d", "e", "f", "g"]
    layers = [
        (one("InputLayer", "x", batch_shape=[None, 6, 5, 3]),),
        (one("Concatenate", "c", axis=-1), *names),
        *((conv(name, 4, 1), "x") for name in names),
    ]
    graph_ = imported_graph(tmp_path, functional(layers, ["c"]))
    assert [layer.path for layer in graph_.layers] == [(name,) for name in (*names, "c")]


def operation(kind, name, **config):
    return {**one(kind, name, **config), "module": "keras.src.ops.numpy"}


def test_tensors_are_concatenated_and_reduced_by_layers_and_by_functions(tmp_path):
    layers = [
        (one("InputLayer", "x", batch_shape=[None, 6, 5, 3]),),
        (conv("a", 4, 1), "x"),
        (one("Concatenate", "c", axis=-1), "x", "a"),
        (operation("Concatenate", "d", axis=2), "c", "c"),
        (operation("Max", "m", axis=[1, 2], keepdims=True), "d"),
        (operation("Sum", "s", axis=-1, keepdims=False), "d"),
    ]
    assert layer_texts(imported_graph(tmp_path, functional(layers, ["m", "s"]))) == [
        "conv filters=4 kernel=1 bias=True → 6×5×4",
        "concat → 6×5×7",
        "concat along=2 → 6×10×7",
        "global_max_pool → 1×1×7",
        "sum over=channels → 6×10×1",
        f"reshape shape={Shape(10, (6,))} → 6×10",
    ]


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (operation("Concatenate", "f"), "convcost does not support Concatenate along the batch"),
        (
            operation("Mean", "f"),
            "convcost does not support Mean over all axes, including the batch",
        ),
        (
            operation("Matmul", "f"),
            "convcost supports Matmul only for two tensors of matrices",
        ),
    ],
)
def test_functions_over_the_batch_are_refused(tmp_path, function, message):
    layers = [(one("InputLayer", "x", batch_shape=[None, 7]),), (function, "x")]
    with pytest.raises(ConstraintError) as refused:
        imported_graph(tmp_path, functional(layers, ["f"]))
    assert refused.value.message == f"layer `f`: {message}"


def test_a_product_of_two_tensors_of_matrices_has_its_macs(tmp_path):
    layers = [
        (one("InputLayer", "x", batch_shape=[None, 6, 5]),),
        (one("Permute", "t", dims=[2, 1]), "x"),
        (operation("Matmul", "p"), "x", "t"),
    ]
    graph_ = imported_graph(tmp_path, functional(layers, ["p"]))
    assert layer_texts(graph_) == ["matmul transpose=True → 6×6"]
    assert sum(layer.macs for layer in graph_.layers) == 6 * 5 * 6


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
    layer_graph = imported_graph(tmp_path, config)
    assert sum(layer.params for layer in layer_graph.layers) == 2 * 32 * 32 + 2 * 24 * 32
    macs = 2 * 6 * 32 * 32 + 2 * 9 * 24 * 32 + 2 * 6 * 9 * 32
    assert sum(layer.macs for layer in layer_graph.layers) == macs


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
    params = sum(layer.params for layer in imported_graph(tmp_path, config).layers)
    assert params == 2 * 32 * 32 + 2 * 24 * 32


def test_a_tensor_passed_by_an_unknown_keyword_is_refused(tmp_path):
    def model(**keywords):
        return graph(
            (entry("x", 8),),
            (one("Dense", "d", units=4), ([], keywords)),
            inputs=["x", 0, 0],
            outputs=["d", 0, 0],
        )

    assert imported_graph(tmp_path, model(inputs=tensor("x"))).layers[0].params == 8 * 4 + 4
    with pytest.raises(ConstraintError) as refused:
        imported_graph(tmp_path, model(inputs=tensor("x"), context=tensor("x")))
    assert refused.value.code == "CC401"
    assert (
        refused.value.message
        == "layer `d`: Dense has a tensor as `context`, which convcost does not support"
    )


def test_layers_that_only_compute_a_mask_are_free(tmp_path):
    def model(end):
        return graph(
            (entry("x", 5, 4),),
            (one("NotEqual", "ne"), ([tensor("x"), 0.0], {})),
            (one("LSTM", "r", units=3), ([tensor("x")], {"mask": tensor("ne")})),
            inputs=["x", 0, 0],
            outputs=end,
        )

    layer_graph = imported_graph(tmp_path, model(["r", 0, 0]))
    assert [layer.params for layer in layer_graph.layers] == [4 * (4 + 3) * 3 + 4 * 3]
    assert layer_graph.free == (("NotEqual", 1),)
    with pytest.raises(ConstraintError, match="convcost does not know the class `NotEqual`"):
        imported_graph(tmp_path, model([["r", 0, 0], ["ne", 0, 0]]))


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
def test_a_nested_model_takes_its_inputs_by_name_and_can_be_the_output(tmp_path, case):
    layer_graph = imported_graph(tmp_path, nested(*NESTED[case]))
    params = {layer.path[-1]: layer.params for layer in layer_graph.layers}
    assert params == {"da": 6 * 3 + 3, "db": 4 * 5 + 5, "last": 3 * 2 + 2}
    ends = [layer_graph.layers[end].path[-1] for end in layer_graph.outputs]
    assert ends == ["last", "db"]


def test_a_nested_model_without_an_input_is_refused(tmp_path):
    inputs = {"b": ["b", 0, 0], "a": ["a", 0, 0]}
    with pytest.raises(ConstraintError, match="a model is called without its input `b`"):
        imported_graph(tmp_path, nested(inputs, {"a": tensor("six")}))
    with pytest.raises(ConstraintError, match="a model of 2 inputs is called with 1"):
        imported_graph(tmp_path, nested(inputs, [tensor("six")]))


UNWEIGHTED = "a file without weights does not state its params"
OWN = {
    ("Dense", "keras.layers", None): None,
    ("Dense", "tensorflow.keras.layers", None): None,
    ("Dense", "tf_keras.layers", None): None,
    ("LayerScale", "keras.src.applications.convnext", "LayerScale"): None,
    ("Custom>CustomScaleLayer", None, None): None,
    ("Dense", None, "Dense"): "the file does not name its module",
    ("Dense", None, "mine>Dense"): "it is registered as `mine>Dense`",
    ("Dense", "keras.layers", "mine>Dense"): "it is registered as `mine>Dense`",
    ("StochasticDepth", "extras.layers", "StochasticDepth"): "its module is `extras.layers`",
}


@pytest.mark.parametrize("written", OWN)
def test_a_class_belongs_to_keras_by_its_module_and_not_by_its_name(tmp_path, written):
    kind, module, registered = written
    layer = one(kind, "d", units=4) | {"module": module, "registered_name": registered}
    if ">" in kind:
        layer = one(kind, "d")
    config = sequential(layer, conv("c", 4, 1), shape=[None, 8, 8, 3])
    if OWN[written] is None:
        assert imported_graph(tmp_path, config).layers
        return
    with pytest.raises(ConstraintError) as refused:
        imported_graph(tmp_path, config)
    assert refused.value.code == "CC401"
    assert refused.value.message == (
        f"layer `d`: the class `{kind}` is not part of Keras: {OWN[written]}, and {UNWEIGHTED}"
    )


MINE = {"module": "mine.layers", "registered_name": "mine>LSTM"}
AROUND = {
    "Bidirectional": one("LSTM", "r", units=4) | MINE,
    "TimeDistributed": one("Dense", "r", units=4) | MINE,
    "SpectralNormalization": one("Dense", "r", units=4) | MINE,
}


@pytest.mark.parametrize("kind", AROUND)
def test_a_wrapped_layer_must_belong_to_keras(tmp_path, kind):
    inner = AROUND[kind]
    config = sequential(one(kind, "around", layer=inner), shape=[None, 7, 8])
    with pytest.raises(ConstraintError) as refused:
        imported_graph(tmp_path, config)
    assert refused.value.message == (
        f"layer `around`: {kind} has a layer of the class `{inner['class_name']}`, which is not "
        "part of Keras: it is registered as `mine>LSTM`"
    )


def test_a_cell_must_belong_to_keras(tmp_path):
    cells = {"cells": [one("LSTMCell", "a", units=4), one("GRUCell", "b", units=4) | MINE]}
    stacked = {"class_name": "StackedRNNCells", "config": cells}
    with pytest.raises(
        ConstraintError, match="RNN has a layer of the class `GRUCell`, which is not part of Keras"
    ):
        imported_graph(tmp_path, sequential(one("RNN", "r", cell=stacked), shape=[None, 7, 8]))


def test_a_class_without_stored_weights_is_refused_with_a_fix(tmp_path):
    config = graph(
        (entry("x", 8),),
        (one("Gain", "g"), ([tensor("x", shape=[None, 8])], {})),
        (one("Dense", "d", units=4), ([tensor("g", shape=[None, 8])], {})),
        inputs=["x", 0, 0],
        outputs=["d", 0, 0],
    )
    with pytest.raises(ConstraintError) as refused:
        imported_graph(tmp_path, config)
    assert (
        refused.value.message
        == f"layer `g`: convcost does not know the class `Gain`, and {UNWEIGHTED}"
    )
    assert refused.value.help == (
        "save the model with its weights, as model.keras: the layer becomes `custom`, "
        "its macs uncounted; or as ONNX, model.export('model.onnx', format='onnx')"
    )


def test_a_function_of_keras_has_no_params(tmp_path):
    function = one("Cumsum", "f") | {"module": "keras.src.ops.numpy"}
    config = graph(
        (entry("x", 8),),
        (function, ([tensor("x", shape=[None, 8])], {})),
        (one("Dense", "d", units=4), ([tensor("f", shape=[None, 8])], {})),
        inputs=["x", 0, 0],
        outputs=["d", 0, 0],
    )
    first, _ = imported_graph(tmp_path, config).layers
    assert (first.kind, first.params, first.uncounted) == ("custom", 0, True)


@pytest.mark.parametrize(
    ("subscripts", "kind", "macs"),
    [("btc, bsc -> bts", "matmul", 7 * 7 * 8), ("...c,...c->...", "matmul", 7 * 8)],
)
def test_the_function_einsum_is_a_product(tmp_path, subscripts, kind, macs):
    function = one("Einsum", "e", subscripts=subscripts) | {"module": "keras.src.ops.numpy"}
    config = graph(
        (entry("x", 7, 8),),
        (function, ([tensor("x"), tensor("x")], {})),
        inputs=["x", 0, 0],
        outputs=["e", 0, 0],
    )
    found = [
        (layer.kind, layer.macs) for layer in imported_graph(tmp_path, config).layers if layer.macs
    ]
    assert found == [(kind, macs)]


FUNCTIONS: dict[str, tuple[dict[str, Any], str]] = {
    "ExpandDims": ({"axis": 1}, "1×6×7×3"),
    "Squeeze": ({"axis": None}, "6×7×3"),
    "Swapaxes": ({"axis1": 1, "axis2": 2}, "7×6×3"),
    "Moveaxis": ({"source": -1, "destination": 1}, "6×7×3"),  # the layout is tracked
    "Stack": ({"axis": 1}, "1×6×7×3"),
    "Pad": ({"pad_width": [[0, 0], [1, 2], [0, 0], [0, 0]]}, "9×7×3"),
    "Clip": ({"x_min": 0, "x_max": 1}, "6×7×3"),
    "Cast": ({"dtype": "float16"}, "6×7×3"),
    "Sqrt": ({}, "6×7×3"),
}


@pytest.mark.parametrize("kind", FUNCTIONS)
def test_a_function_has_no_params_and_no_macs(tmp_path, kind):
    options, text = FUNCTIONS[kind]
    layers = [
        (one("InputLayer", "x", batch_shape=[None, 6, 7, 3]),),
        (operation(kind, "f", **options), "x"),
        (one("ReLU", "r"), "f"),
    ]
    layer_graph = imported_graph(tmp_path, functional(layers, ["r"]))
    assert layer_graph.layers[-1].output.text == text
    assert [(layer.params, layer.macs, layer.uncounted) for layer in layer_graph.layers] == [
        (0, 0, False)
    ] * len(layer_graph.layers)
    proved_spec(layer_graph)


@pytest.mark.parametrize(
    ("kind", "options", "texts"),
    [
        ("Split", {"indices_or_sections": 3, "axis": 2}, ["6×2×3"] * 3),
        ("Split", {"indices_or_sections": [1, 3], "axis": 2}, ["6×1×3", "6×2×3", "6×3×3"]),
        ("Unstack", {"axis": -1}, ["6×6"] * 3),
    ],
)
def test_the_parts_of_a_tensor_are_slices(tmp_path, kind, options, texts):
    ends = [f"r{number}" for number in range(len(texts))]
    config = graph(
        (entry("x", 6, 6, 3),),
        (operation(kind, "f", **options), ([tensor("x")], {})),
        *(
            (one("ReLU", name), ([tensor("f", number=number)], {}))
            for number, name in enumerate(ends)
        ),
        inputs=["x", 0, 0],
        outputs=[[name, 0, 0] for name in ends],
    )
    layer_graph = imported_graph(tmp_path, config)
    assert [layer_graph.layers[end].output.text for end in layer_graph.outputs] == texts
    assert [layer.kind for layer in layer_graph.layers].count("slice") == len(texts)
    proved_spec(layer_graph)


@pytest.mark.parametrize(
    ("kind", "options", "message"),
    [
        ("Split", {"indices_or_sections": 2, "axis": 0}, "Split along the batch"),
        ("Split", {"indices_or_sections": 4, "axis": 1}, "4 parts of an axis of 6"),
        ("Pad", {"pad_width": [[1, 1]]}, "padding by [[1, 1]] of 4 axes"),
    ],
)
def test_parts_and_padding_of_samples_are_refused(tmp_path, kind, options, message):
    layers = [
        (one("InputLayer", "x", batch_shape=[None, 6, 7, 3]),),
        (operation(kind, "f", **options), "x"),
    ]
    with pytest.raises(ConstraintError) as refused:
        imported_graph(tmp_path, functional(layers, ["f"]))
    assert refused.value.message == f"layer `f`: convcost does not support {message}"


def test_functions_recorded_by_keras_2_are_joins_and_activations(tmp_path):
    calls = {
        "math.multiply": ["x", 0, 0, {"y": 2, "name": None}],
        "__operators__.add": ["math.multiply", 0, 0, {"y": ["x", 0, 0], "name": None}],
        "nn.relu": ["__operators__.add", 0, 0, {"name": None}],
    }
    layers = [(one("TFOpLambda", name, function=name),) for name in calls]
    config = graph((entry("x", 8),), *layers, inputs=["x", 0, 0], outputs=["nn.relu", 0, 0])
    for layer, call in zip(config["config"]["layers"][1:], calls.values(), strict=True):
        layer["inbound_nodes"] = [call]
    layer_graph = imported_graph(tmp_path, config)
    assert [layer.kind for layer in layer_graph.layers] == ["add", "relu"]
    assert layer_graph.free == (("multiply", 1),)
    config["config"]["layers"][3]["config"]["function"] = "linalg.inv"
    with pytest.raises(
        ConstraintError, match=r"convcost does not know the function `linalg\.inv` of TensorFlow"
    ):
        imported_graph(tmp_path, config)


STATE = {"slice", "reshape", "flatten"}


@pytest.mark.parametrize("sequences", [False, True])
@pytest.mark.parametrize("end", [["r", 0, 1], ["r", 0, 2], ["d", 0, 0], ["s", 0, 0]])
def test_a_state_is_the_last_step_of_the_output(tmp_path, end, sequences):
    """A state that is only the initial state of a layer adds no layer."""
    layer = one("LSTM", "r", units=3, return_state=True, return_sequences=sequences)
    dense = [(one("Dense", "d", units=2), ([tensor("r", 0, 1)], {}))]
    config = graph(
        (entry("x", 5, 4),),
        (layer, ([tensor("x")], {})),
        (one("LSTM", "s", units=3), ([tensor("x")], {"initial_state": [tensor("r", 0, 1)]})),
        *(dense if end[0] == "d" else []),
        inputs=["x", 0, 0],
        outputs=end,
    )
    layer_graph = imported_graph(tmp_path, config)
    kinds = [layer.kind for layer in layer_graph.layers]
    assert kinds.count("slice") == (sequences and end[0] != "s")
    assert [kind for kind in kinds if kind not in STATE] == [
        "lstm", "lstm", *["linear"] * (end[0] == "d")
    ]  # fmt: skip
    assert layer_graph.layers[layer_graph.outputs[0]].output.channels == {"d": 2}.get(end[0], 3)


@pytest.mark.parametrize(
    ("layer", "reads", "kinds"),
    [
        ("GRU", [1, 2], ["slice", "slice"]),
        ("LSTM", [1, 4], ["slice", "slice"]),
        ("LSTM", [0, 3], ["slice"]),
        ("RNN", [2, 4], ["slice", "slice"]),
    ],
)
def test_the_states_of_both_directions_are_parts_of_the_output(tmp_path, layer, reads, kinds):
    """The states of a direction follow those of the other; an LSTM has two."""
    inner = {**one(layer, "r", units=3, return_state=True, reset_after=True)}
    if layer == "RNN":
        inner["config"] = {"cell": one("LSTMCell", "c", units=3), "return_state": True}
    config = graph(
        (entry("x", 5, 4),),
        (one("Bidirectional", "b", layer=inner), ([tensor("x")], {})),
        (one("Concatenate", "c", axis=-1), ([[tensor("b", 0, number) for number in reads]], {})),
        inputs=["x", 0, 0],
        outputs=["c", 0, 0],
    )
    made = imported_graph(tmp_path, config)
    name, gates = ("gru", 3) if layer == "GRU" else ("lstm", 4)
    biases = 2 if layer == "GRU" else 1
    assert [layer.kind for layer in made.layers] == [name, *kinds, "concat"]
    assert made.layers[0].params == 2 * gates * 3 * (4 + 3 + biases)
    assert made.layers[-1].output.channels == (2 * 3 if 0 in reads else 3) + 3


def test_the_attention_weights_of_a_layer_are_refused(tmp_path):
    layer = one("MultiHeadAttention", "m", num_heads=2, key_dim=4)
    config = graph(
        (entry("x", 5, 4),),
        (layer, ([tensor("x"), tensor("x")], {"return_attention_scores": True})),
        inputs=["x", 0, 0],
        outputs=["m", 0, 1],
    )
    with pytest.raises(ConstraintError) as refused:
        imported_graph(tmp_path, config)
    assert (refused.value.code, refused.value.message, refused.value.help) == (
        "CC401",
        "layer `m` has several outputs, and convcost supports only the first",
        "convcost reads the states of LSTM, GRU, SimpleRNN and Bidirectional",
    )


def test_parts_that_nothing_reads_become_no_layer(tmp_path):
    config = graph(
        (entry("x", 6, 4),),
        (operation("Split", "f", indices_or_sections=3, axis=1), ([tensor("x")], {})),
        (one("Dense", "d", units=2), ([tensor("f", 0, 1)], {})),
        inputs=["x", 0, 0],
        outputs=["d", 0, 0],
    )
    layer_graph = imported_graph(tmp_path, config)
    assert [layer.kind for layer in layer_graph.layers] == ["slice", "linear"]


TWICE = {
    "slopes for places": (one("PReLU", "l"), 6 * 4, 0),
    "a recurrent convolution": (
        one("TimeDistributed", "l", layer=one("LSTM", "r", units=4, return_sequences=True)),
        4 * 4 * (4 + 4 + 1),
        0,
    ),
    "weights held to a norm": (
        one("SpectralNormalization", "l", layer=one("Dense", "d", units=4)),
        4 * 4 + 4,
        4,
    ),
}


@pytest.mark.parametrize("name", TWICE)
def test_a_layer_without_a_kind_called_twice_is_counted_once(tmp_path, name):
    layer, params, buffers = TWICE[name]
    shape = (2, 3, 4) if "layer" in layer["config"] and "recurrent" in name else (6, 4)
    config = graph(
        (entry("x", *shape),),
        (layer, ([tensor("x")], {}), ([tensor("l")], {})),
        inputs=["x", 0, 0],
        outputs=["l", 1, 0],
    )
    layer_graph = imported_graph(tmp_path, config)
    assert sum(layer.params for layer in layer_graph.layers) == params
    assert sum(layer.buffers for layer in layer_graph.layers) == buffers
    proved_spec(layer_graph)


def brackets(*entries):
    return {"class_name": "GetItem", "config": {"name": "g"}, "module": "keras.src.ops.numpy"}, (
        [tensor("x"), list(entries)],
        {},
    )


def span(start=None, stop=None, step=None):
    return {"class_name": "__slice__", "config": {"start": start, "stop": stop, "step": step}}


DOTS = {"class_name": "__ellipsis__", "config": {}}
TAKEN = {
    "a number": ((span(), 0), "7×3", [("slice", {"length": 1, "along": 1})]),
    "a range": ((span(), span(1, -1)), "4×7×3", [("slice", {"length": 4, "start": 1, "along": 1})]),
    "the last axis": ((DOTS, span(None, None, 2)), "6×7×2", [("slice", {"length": 2, "step": 2})]),
    "from the end": (
        (span(), span(), -1),
        "6×3",
        [("slice", {"length": 1, "start": 6, "along": 2})],
    ),
    "a new axis": ((span(), None, DOTS), "1×6×7×3", []),
}


@pytest.mark.parametrize("name", TAKEN)
def test_an_index_in_brackets_is_a_slice(tmp_path, name):
    entries, text, layers = TAKEN[name]
    layer, call = brackets(*entries)
    end = one("ReLU", "r")
    config = graph(
        (entry("x", 6, 7, 3),),
        (layer, call),
        (end, ([tensor("g")], {})),
        inputs=["x", 0, 0],
        outputs=["r", 0, 0],
    )
    layer_graph = imported_graph(tmp_path, config)
    found = [
        (layer.kind, dict(layer.options)) for layer in layer_graph.layers if layer.kind == "slice"
    ]
    assert (layer_graph.layers[-1].output.text, found) == (text, layers)
    assert not any(layer.uncounted for layer in layer_graph.layers)
    proved_spec(layer_graph)


REFUSED = {
    "samples": ((0,), "convcost does not support indexing the batch"),
    "nothing": ((span(), span(3, 3)), "a range selects no entry of an axis of 6"),
    "too far": ((span(), 6), "selects entry 6 of an axis of 6"),
    "a tensor": ((span(), "?"), "convcost supports only integers and ranges as an index"),
    "too many": ((span(),) * 5, "GetItem has 5 entries for 4 axes"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_other_indices_in_brackets_are_refused(tmp_path, name):
    entries, message = REFUSED[name]
    layer, call = brackets(*entries)
    config = graph((entry("x", 6, 7, 3),), (layer, call), inputs=["x", 0, 0], outputs=["g", 0, 0])
    with pytest.raises(ConstraintError) as refused:
        imported_graph(tmp_path, config)
    assert (refused.value.code, refused.value.message) == ("CC401", f"layer `g`: {message}")


def test_samples_stay_samples_after_a_matrix_for_each_position(tmp_path):
    dense = one("EinsumDense", "e", equation="bhwc,hwcd->bhwd", output_shape=[6, 7, 5])
    pool = one("MaxPooling2D", "p", pool_size=[3, 3], strides=[2, 2], padding="valid")
    layer_graph = imported_graph(tmp_path, sequential(dense, pool, shape=[None, 6, 7, 3]))
    assert layer_graph.layers[-1].output.text == "2×3×5"
    assert sum(layer.params for layer in layer_graph.layers) == 6 * 7 * 3 * 5
    proved_spec(layer_graph)


def test_nested_models_that_multiply_have_a_limit(tmp_path, monkeypatch):
    monkeypatch.setattr("convcost.importing.frontends.keras.model.MAX_LAYERS", 2_000)
    model = sequential(one("Dense", "d", units=4), shape=[None, 4])
    for number in range(40):
        model["config"]["name"] = name = f"m{number}"
        twice = (model, ([tensor("x")], {}), ([tensor(name)], {}))
        model = graph((entry("x", 4),), twice, inputs=["x", 0, 0], outputs=[name, 1, 0])
    with pytest.raises(ConstraintError) as refused:
        imported_graph(tmp_path, model)
    message = "the model has more than 2,000 layers"
    assert (refused.value.code, refused.value.message) == ("CC401", message)
