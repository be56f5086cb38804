"""Notes about stored tensors: the layers have as many numbers as the file, or a note says so."""

from types import SimpleNamespace
from typing import Any

import onnx_models
import pytest
import tflite_models
from support import run

from convcost.importing.ir.builder import GraphBuilder
from convcost.importing.passes import weight_report
from convcost.importing.passes.weight_report import excluded_notes, storage_note, verify_balance


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
    float32 = [("float32", 5, 20)]
    assert storage_note(float32) == []
    assert storage_note([("int8", 4, 4), ("float16", 3, 6), ("int8", 10, 9), *float32]) == [
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
