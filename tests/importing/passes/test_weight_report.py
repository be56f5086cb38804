"""Layers have as many numbers as the file stores for them, and a note says if they have not."""

from types import SimpleNamespace
from typing import Any

import numpy as np
import onnx_models
import pytest
import tflite_models
from onnx import numpy_helper
from onnx_models import array, imported_graph, ints, model, node, summed_counts
from support import run

from convcost.importing.driver import Imported
from convcost.importing.ir.builder import GraphBuilder
from convcost.importing.ir.constant import Constant, StoredTensor
from convcost.importing.ir.tensor_views import whole_view
from convcost.importing.passes import weight_report
from convcost.importing.passes.weight_report import (
    excluded_notes,
    storage_note,
    stored_numbers,
    verify_balance,
)
from convcost.language.load import load
from convcost.model.costs import costs
from convcost.model.errors import Source


def context(params, **used):
    """A layer graph of one layer that has the tensors `used`, by name with their elements."""
    constants = {
        name: Constant(
            (n,), is_float=True, sources=((name, n),), learned=True, view=whole_view(name, (n,))
        )
        for name, n in used.items()
    }
    layer = SimpleNamespace(params=params, buffers=0)
    builder: Any = GraphBuilder("net", "")
    builder.layers, builder.used = [layer], dict.fromkeys(used, 0)
    return SimpleNamespace(builder=builder, constants=constants)


def balance(one):
    verify_balance(one.builder, stored_numbers(one))
    return one.builder.gaps


def test_layers_that_have_what_is_stored_are_balanced():
    assert balance(context(24 + 8, weights=24, bias=8)) == []


def test_layers_that_have_less_than_is_stored_are_named():
    (note,) = balance(context(24, weights=24, bias=8))
    assert note == "counts differ: the layers have 24 numbers, but the file stores 32 for them"


def test_a_tensor_that_several_layers_have_as_their_own_is_stored_once(tmp_path):
    nodes = [
        node("Conv", "x", "w", "b", "-> h"),
        node("BatchNormalization", "h", "g", "b", "m", "v", "-> n"),
        node("BatchNormalization", "n", "g2", "b2", "m", "v", "-> y"),
    ]
    equal = dict.fromkeys(("b", "m", "v"), np.ones(8, np.float32))
    weights = {**equal, **{name: array(8) for name in ("g", "g2", "b2")}}
    layer_graph = imported_graph(tmp_path, model(nodes, {**weights, "w": array(8, 8, 1, 1)}))
    assert [layer.params for layer in layer_graph.layers] == [8 * 8 + 8, 2 * 8, 2 * 8]
    assert [layer.buffers for layer in layer_graph.layers] == [0, 2 * 8, 2 * 8]


def test_a_mask_that_is_computed_from_single_numbers_is_not_stored(tmp_path):
    nodes = [
        node("Constant", "-> rows", value_ints=[0, 1, 2, 3]),
        node("Unsqueeze", "rows", "last", "-> column"),
        node("Less", "rows", "column", "-> below"),
        node("Constant", "-> zero", value_float=0.0),
        node("Constant", "-> low", value=numpy_helper.from_array(np.array(-1e9, np.float32))),
        node("Where", "below", "low", "zero", "-> mask"),
        node("Add", "x", "mask", "-> y"),
    ]
    layer_graph = imported_graph(tmp_path, model(nodes, {"last": ints(1)}, inputs={"x": (1, 4, 1)}))
    assert summed_counts(layer_graph) == (0, 0, 0)
    assert layer_graph.notes == ()


def test_a_model_whose_numbers_do_not_balance_is_not_counted():
    text = "input: {channels: 3, size: 8}\nlayers:\n  - {conv: 4, kernel: 1}\n"
    (network,) = load(Source("net.yaml", text))
    counted = costs(network)
    note = "counts differ: the layers have 24 numbers, but the file stores 32 for them"
    assert Imported(text, counted, ()).counted
    assert Imported(text, counted, (note,)).counted
    assert not Imported(text, counted, (note,), gaps=(note,)).counted


def test_a_table_from_which_weights_are_computed_and_that_is_none_is_named(tmp_path):
    nodes = [
        node("Mul", "w", "/mask", "-> masked"),
        node("Conv", "x", "masked", "-> y"),
    ]
    weights = {"w": array(8, 8, 3, 3), "/mask": array(8, 8, 3, 3)}
    layer_graph = imported_graph(tmp_path, model(nodes, weights))
    assert layer_graph.layers[0].params == 8 * 8 * 3 * 3
    assert (
        "576 numbers of the file are used to compute weights, and not counted as params: "
        "`/mask` (576)" in layer_graph.notes
    )


@pytest.mark.parametrize("stored", [28, 29, 30, 31, 32])
def test_params_and_buffers_of_the_layers_are_compared_with_the_numbers_of_the_file(stored):
    layers = [SimpleNamespace(params=n, buffers=2) for n in (20, 4, 0)]
    builder: Any = GraphBuilder("net", "")
    builder.layers = layers
    own = f"the layers have 30 numbers, but the file stores {stored} for them"
    verify_balance(builder, stored)
    expected = [] if stored == 20 + 4 + 3 * 2 else [f"counts differ: {own}"]
    assert (builder.notes, builder.gaps) == (expected, expected)


def test_tensors_that_are_not_counted_have_a_note_for_each_reason():
    elements = dict(zip("abcdef", (1, 20, 3000, 4, 5, 6), strict=True))
    reasons = {"a": "in no layer", **dict.fromkeys("fbcde", "of the code")}
    assert excluded_notes(reasons, elements) == [
        "1 number of the file is in no layer: `a` (1)",
        "3,035 numbers of the file are of the code: `f` (6), `b` (20), `c` (3,000) and 2 more",
    ]


def test_stored_types_have_their_numbers_and_bytes():
    float32 = StoredTensor("float32", 5, 20)
    assert storage_note([float32]) == []
    int8 = StoredTensor("int8", 4, 4), StoredTensor("int8", 10, 9)
    assert storage_note([*int8, StoredTensor("float16", 3, 6), float32]) == [
        (
            "stored numbers of layers: 3 as float16 (6 bytes), 5 as float32 (20 bytes), "
            "14 as int8 (13 bytes)"
        )
    ]


def onnx_file():
    nodes = [onnx_models.node("Conv", "x", "w", "-> y")]
    return onnx_models.model(nodes, {"w": onnx_models.array(4, 8, 1, 1)}).SerializeToString()


def tflite_file():
    w = onnx_models.array(4, 1, 1, 8)
    tensors = {"x": (1, 8, 8, 8), "w": w, "y": (1, 8, 8, 4)}
    return tflite_models.model([tflite_models.conv("x", "w", "", "-> y")], tensors)


@pytest.mark.parametrize(
    ("name", "make"),
    [("net.onnx", onnx_file), ("net.tflite", tflite_file)],
)
def test_a_count_that_differs_from_the_file_is_never_silent(name, make, tmp_path, monkeypatch):
    (tmp_path / name).write_bytes(make())
    commands = [
        ("import", name, "-o", "net.yaml", "--force"),
        ("import", name, "--strict", "-o", "net.yaml", "--force"),
        ("import", name, "--check", "net.yaml"),
        ("import", name, "--check", "net.yaml", "--strict"),
        ("analyze", name),
    ]

    def codes():
        return [run(*command, cwd=tmp_path).returncode for command in commands]

    assert codes() == [0, 0, 0, 0, 0]
    monkeypatch.setattr(weight_report, "verify_balance", lambda one, n: verify_balance(one, n + 1))
    assert codes() == [0, 1, 0, 1, 2]
    note = "counts differ: the layers have 32 numbers, but the file stores 33 for them"
    assert note in run(*commands[0], cwd=tmp_path).stderr.decode()
    message = f"error[CC401]: {name}: {note}"
    help_ = "`convcost import` writes a spec of the layers"
    assert run("analyze", name, cwd=tmp_path).stderr.decode() == f"{message}\nhelp: {help_}\n"
