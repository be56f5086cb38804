"""Files of TensorFlow Lite as models: their sizes, their names, and what is refused."""

import json
import resource
import struct
import sys
from contextlib import suppress
from random import Random

import flatbuffers  # type: ignore[import-not-found,import-untyped,unused-ignore]
import pytest
import tflite_models as lite
from onnx_models import layer_texts
from support import run
from tflite_models import RELU, SAME, VALID, array, conv, imported_graph, ints, model, node

from convcost.importing.frontends.tflite import file as tflite_file
from convcost.importing.frontends.tflite import read
from convcost.model.errors import ConstraintError, UsageError

KIND = "model of TensorFlow Lite"
TRUNCATED = "the file cannot be read as TensorFlow Lite: the file is truncated or damaged"


def small(**more) -> bytes:
    nodes = [
        conv("x", "w", "b", "-> c", Padding=SAME, StrideH=2, StrideW=2,
             FusedActivationFunction=RELU),
        node("MEAN", "c", "hw", "-> m", kind="ReducerOptions"),
        node("FULLY_CONNECTED", "m", "v", "-> y", kind="FullyConnectedOptions"),
    ]  # fmt: skip
    tensors = {"x": (1, 32, 32, 3), "w": array(8, 3, 3, 3), "b": array(8), "c": (1, 16, 16, 8),
               "hw": ints(1, 2), "m": (1, 8), "v": array(5, 8), "y": (1, 5)}  # fmt: skip
    return model(nodes, tensors, **more)


OPEN = {"x": (-1, -1, -1, 3), "c": (-1, -1, -1, 8), "m": (-1, 8), "y": (-1, 5)}


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "net.tflite").write_bytes(small())
    return tmp_path


def refusal(folder, made, **options):
    with pytest.raises(ConstraintError) as caught:
        imported_graph(folder, made, **options)
    return caught.value.code, caught.value.message


# Commands


SPEC = """\
name: net
source: net.tflite
input: {channels: 3, size: 32}
layers:
  - {conv: 8, kernel: 3, stride: 2, padding: same, bias: true, name: c}
  - relu
  - {global_avg_pool: , name: m}
  - flatten
  - {linear: 5, bias: false, name: y}
"""


def test_a_file_becomes_a_spec_that_it_still_agrees_with(folder):
    done = run("import", "net.tflite", "-o", "net.yaml", cwd=folder)
    assert (folder / "net.yaml").read_text() == SPEC
    macs = 16 * 16 * 8 * 3 * 3 * 3 + 5 * 8
    assert done.stderr.decode().splitlines()[:2] == [
        "wrote net.yaml",
        f"net: 5 layers, {8 * 3 * 3 * 3 + 8 + 5 * 8} params, {macs:,} macs",
    ]
    checked = run("import", "net.tflite", "--check", "net.yaml", cwd=folder)
    assert checked.returncode == 0


@pytest.mark.parametrize(
    "command",
    [
        ("analyze", "net.tflite"),
        ("compare", "net.tflite", "net.tflite"),
        ("explain", "net.tflite", "c"),
        ("check", "net.tflite", "--max-macs", "1M"),
        ("verify", "net.tflite"),
        ("reduce", "net.tflite"),
    ],
)
def test_a_command_takes_a_tflite_file_in_place_of_a_spec(folder, command):
    done = run(*command, cwd=folder)
    assert (done.returncode, done.stderr.decode()) == (0, "")


def test_a_file_is_analyzed_at_another_size(folder):
    done = run("analyze", "net.tflite", "--size", "64", "--format", "json", cwd=folder)
    (network,) = json.loads(done.stdout)["networks"]
    assert network["totals"]["macs"] == 32 * 32 * 8 * 3 * 3 * 3 + 5 * 8


def test_a_layer_that_is_not_counted_fails_a_strict_import(tmp_path):
    made = model([node("Wavelet", "x", "-> y")], {"x": (1, 8, 8, 3), "y": (1, 8, 8, 3)})
    (tmp_path / "net.tflite").write_bytes(made)
    assert run("import", "net.tflite", cwd=tmp_path).returncode == 0
    assert run("import", "net.tflite", "--strict", cwd=tmp_path).returncode == 1


def test_so_does_a_part_that_is_left_out(tmp_path):
    (tmp_path / "net.tflite").write_bytes(small(others=["decode"]))
    assert run("import", "net.tflite", "--strict", cwd=tmp_path).returncode == 1
    done = run("analyze", "net.tflite", cwd=tmp_path)
    assert done.returncode == 2
    assert done.stderr.decode() == (
        "error[CC401]: net.tflite: left out: 1 other subgraph of the file: `decode`\n"
        "help: `convcost import` writes a spec of the layers\n"
    )


def test_input_and_dim_are_for_other_models(folder):
    done = run("import", "net.tflite", "--input", "3x32x32", cwd=folder)
    assert done.stderr.decode() == (
        "error[CC401]: net.tflite: --input is for PyTorch and Keras models\n"
        "help: for a .tflite file, give --size\n"
    )
    done = run("import", "net.tflite", "--dim", "n=1", cwd=folder)
    assert "--dim is for ONNX models" in done.stderr.decode()


def test_the_package_that_reads_the_file_may_be_missing(folder, monkeypatch):
    monkeypatch.setitem(sys.modules, "tflite", None)
    with pytest.raises(ConstraintError) as refused:
        read(folder / "net.tflite")
    assert (refused.value.code, refused.value.message, refused.value.help) == (
        "CC401",
        "tflite is needed to read this file",
        "pip install 'convcost[tflite]'",
    )


# Inputs


def test_an_open_batch_is_imported_as_one_sample(tmp_path):
    made = small(open_={"x": (-1, 32, 32, 3), "c": (-1, 16, 16, 8), "m": (-1, 8)})
    assert imported_graph(tmp_path, made).inputs[0][1].text == "32×32×3"


def test_an_open_size_is_given(tmp_path):
    made = small(open_=OPEN)
    assert refusal(tmp_path, made) == ("CC405", "the input `x` is open: ?×?×?×3")
    assert imported_graph(tmp_path, made, size=(64, 48)).layers[0].output.text == "32×24×8"
    sized = ("CC405", "--size gives 3 numbers, but the input `x` is 1×?×?×3")
    assert refusal(tmp_path, made, size=(1, 2, 3)) == sized


def test_a_batch_is_imported_as_one_sample_with_a_note(tmp_path):
    nodes = [conv("x", "w", "-> y", Padding=SAME)]
    made = model(nodes, {"x": (4, 32, 32, 3), "w": array(8, 3, 3, 3), "y": (4, 32, 32, 8)})
    graph = imported_graph(tmp_path, made)
    assert layer_texts(graph) == ["conv filters=8 kernel=3 padding=same → 32×32×8"]
    assert graph.notes == ("`x` is 4×32×32×3 in the file, and is imported as 1×32×32×3",)


def test_an_input_that_is_transposed_at_once_has_its_channels_first(tmp_path):
    nodes = [node("TRANSPOSE", "x", "order", "-> t"), conv("t", "w", "-> y", Padding=VALID)]
    tensors = {"x": (1, 6, 32, 24), "order": ints(0, 2, 3, 1), "t": (1, 32, 24, 6),
               "w": array(8, 3, 3, 6), "y": (1, 30, 22, 8)}  # fmt: skip
    graph = imported_graph(tmp_path, model(nodes, tensors))
    assert graph.inputs[0][1].text == "32×24×6"
    assert layer_texts(graph) == ["conv filters=8 kernel=3 → 30×22×8"]


def test_a_model_with_numbers_of_its_size_is_refused_at_another(tmp_path):
    nodes = [
        node("RELU", "x", "-> r"),
        node("RESHAPE", "r", "to", "-> f"),
        node("TANH", "f", "-> y"),
    ]
    tensors = {"x": (1, 8, 8, 2), "r": (1, 8, 8, 2), "to": ints(1, 128), "f": (1, 128),
               "y": (1, 128)}  # fmt: skip
    own = "the model works only at its own size, `x` is 1×8×8×2 in the file"
    assert refusal(tmp_path, model(nodes, tensors), size=(9, 9)) == (
        "CC402",
        f"{own}; at --size 9x9: RESHAPE `f`: 162 elements cannot have the shape [1, 128]",
    )


@pytest.mark.parametrize(("op", "name"), [("RESHAPE", "RESHAPE"), ("Wave", "custom Wave")])
def test_a_shape_that_only_the_file_states_is_not_known_at_another_size(tmp_path, op, name):
    nodes = [node("RELU", "x", "-> r"), node(op, "r", "-> y")]
    made = model(nodes, {"x": (1, 8, 8, 2), "r": (1, 8, 8, 2), "y": (1, 128)})
    own = "the model works only at its own size, `x` is 1×8×8×2 in the file"
    message = f"{own}; at --size 9x9: {name} `y`: its output shape is not known"
    assert refusal(tmp_path, made, size=(9, 9)) == ("CC402", message)
    assert imported_graph(tmp_path, made).layers[-1].output.text == "128"


def test_a_wrong_option_is_refused_with_its_name(tmp_path):
    nodes = [conv("x", "w", "", "-> y", Padding=VALID)]
    tensors = {"x": (1, 8, 8, 3), "w": array(4, 1, 1, 5), "y": (1, 8, 8, 4)}
    message = "CONV_2D `y`: `groups` of conv: must be a whole number of at least 1, not 0"
    assert refusal(tmp_path, model(nodes, tensors)) == ("CC104", message)


def test_a_model_with_numbers_of_its_batch_is_refused_for_one_sample(tmp_path):
    nodes = [node("RELU", "x", "-> r"), node("RESHAPE", "r", "to", "-> y")]
    tensors = {"x": (2, 8, 8, 2), "r": (2, 8, 8, 2), "to": ints(1, 256), "y": (1, 256)}
    own = "the model works only at its own size, `x` is 2×8×8×2 in the file"
    assert refusal(tmp_path, model(nodes, tensors)) == (
        "CC402",
        f"{own}; for one sample: RESHAPE `y`: 128 elements cannot have the shape [1, 256]",
    )


# Names


@pytest.mark.parametrize(
    ("output", "weights", "path"),
    [
        ("net/stem/Relu;net/bn/FusedBatchNormV3;net/stem/Conv2D", "w", ("stem",)),
        ("net/a/Relu", "net/stage1/conv/Conv2D_dequantize", ("stage1", "conv")),
        ("StatefulPartitionedCall:0", "net/last/Conv2D1", ("last",)),
        ("conv2d_7", "conv2d_7/Kernel", ("conv2d_7",)),
        ("Identity", "tfl.pseudo_qconst3", ("conv_2d",)),
    ],
)
def test_a_layer_has_the_name_of_its_module(tmp_path, output, weights, path):
    nodes = [conv("x", "first", "-> net/other/Conv2D", Padding=SAME),
             conv("net/other/Conv2D", weights, f"-> {output}", Padding=SAME)]  # fmt: skip
    tensors = {"x": (1, 8, 8, 4), "first": array(4, 1, 1, 4), "net/other/Conv2D": (1, 8, 8, 4),
               weights: array(4, 3, 3, 4), output: (1, 8, 8, 4)}  # fmt: skip
    graph = imported_graph(tmp_path, model(nodes, tensors, outputs=[output]))
    assert graph.layers[1].path[-len(path) :] == path


# Damaged files


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "the file is empty"),
        (b"PK\x03\x04 something", f"the file is not a {KIND}: it has no identifier TFL3"),
        (b"\x10\0\0\0TFL3", TRUNCATED),
        (b"\xff\xff\xff\xffTFL3" + bytes(64), TRUNCATED),
    ],
)  # fmt: skip
def test_a_file_that_is_not_a_model_is_refused(tmp_path, content, message):
    (tmp_path / "net.tflite").write_bytes(content)
    with pytest.raises(ConstraintError) as refused:
        read(tmp_path / "net.tflite")
    assert (refused.value.code, refused.value.message) == ("CC404", message)


def test_a_file_that_cannot_be_opened_is_refused(tmp_path):
    with pytest.raises(UsageError, match="No such file or directory"):
        read(tmp_path / "net.tflite")


def test_every_truncated_file_is_refused(tmp_path):
    data, path = small(), tmp_path / "net.tflite"
    for length in range(8, len(data), 7):
        path.unlink(missing_ok=True)
        path.write_bytes(data[:length])
        with pytest.raises(ConstraintError):
            read(path)


def test_changed_bytes_are_read_or_refused(tmp_path):
    rng, path = Random(7), tmp_path / "net.tflite"
    for _ in range(600):
        data = bytearray(small())
        for _ in range(rng.choice([1, 3, 20])):
            data[rng.randrange(8, len(data))] = rng.choice([0, 1, 127, 128, 255])
        path.unlink(missing_ok=True)
        path.write_bytes(data)
        with suppress(ConstraintError):
            read(path)


def test_a_tensor_whose_bytes_do_not_fit_its_shape_is_refused(tmp_path):
    made = small(shapes={"w": (8, 3, 3, 4)})
    message = f"the tensor `w` needs {8 * 3 * 3 * 4 * 4:,} bytes, but the file stores 864"
    assert refusal(tmp_path, made) == ("CC404", message)


def test_a_vector_longer_than_the_file_is_refused_at_once(tmp_path):
    shape = struct.pack("<5i", 4, 8, 3, 3, 3)
    made = small().replace(shape, struct.pack("<5i", 0x3FFFFFFF, 8, 3, 3, 3))
    assert refusal(tmp_path, made) == ("CC404", TRUNCATED)


def test_a_name_as_long_as_the_file_is_not_copied(tmp_path):
    path, name = tmp_path / "net.tflite", struct.pack("<i", 1) + b"x\0"
    path.write_bytes(small().replace(name, struct.pack("<I", 1 << 31) + b"x\0"))
    with path.open("r+b") as file:
        file.truncate(3 << 30)  # a hole
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(ConstraintError, match=TRUNCATED):
        read(path)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 100_000  # kB


def test_tables_that_many_others_share_are_not_read_again_and_again(tmp_path, monkeypatch):
    monkeypatch.setattr(tflite_file, "MAX_ENTRIES", 10_000)
    file = flatbuffers.Builder(1024)
    tensor = lite.table(file, "Tensor")
    tensors = lite.tables(file, [tensor] * 200)
    graph = lite.table(file, "SubGraph", Tensors=tensors)
    buffers = lite.tables(file, [lite.table(file, "Buffer")])
    graphs = lite.tables(file, [graph] * 200)
    file.Finish(lite.table(file, "Model", Subgraphs=graphs, Buffers=buffers), b"TFL3")
    (tmp_path / "net.tflite").write_bytes(file.Output())
    with pytest.raises(ConstraintError) as refused:
        read(tmp_path / "net.tflite")
    assert refused.value.message == "the file has more than 10,000 entries"


def test_the_weights_of_a_large_file_are_not_loaded(tmp_path):
    path = tmp_path / "net.tflite"
    path.write_bytes(small())
    with path.open("r+b") as file:
        file.truncate(3 << 30)  # a hole
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    assert len(read(path).layers) == 5
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 100_000  # kB
