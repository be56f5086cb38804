"""Operators that the ONNX front end cannot import are refused or noted, never silently left out."""

import subprocess
import sys

import numpy as np
import pytest
from onnx import TensorProto, helper, numpy_helper
from onnx_models import array, imported_graph, ints, model, node

from convcost.importing.driver import ImportRequest, read
from convcost.model.errors import ConstraintError

WITHOUT = """
import sys
class Blocked:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] == {package!r}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)
sys.meta_path.insert(0, Blocked())
from convcost.cli import main
sys.argv[1:] = ["import", {path!r}]
sys.exit(main())
"""


@pytest.mark.parametrize("package", ["onnx", "numpy", "google"])
def test_a_file_is_refused_if_the_package_that_reads_it_is_missing(tmp_path, package):
    path = tmp_path / "model.onnx"
    path.write_bytes(model([node("Relu", "x", "-> y")]).SerializeToString())
    run = subprocess.run(
        [sys.executable, "-c", WITHOUT.format(package=package, path=str(path))],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert run.returncode == 2, run.stderr
    assert "onnx is needed to read this file" in run.stderr
    assert "pip install 'convcost[onnx]'" in run.stderr
    assert "Traceback" not in run.stderr


def _refusal(folder, made, **options) -> tuple[str, str, str]:
    with pytest.raises(ConstraintError) as caught:
        imported_graph(folder, made, **options)
    return caught.value.code, caught.value.message, caught.value.help


FROBNICATE = node("Frobnicate", "a", "-> b", domain="own")
NOBODY = (
    "convcost does not know the operator Frobnicate of the domain `own`, and its output shape "
    "is not known"
)
UNKNOWN = [node("Relu", "x", "-> a"), FROBNICATE, node("Relu", "b", "-> y")]


def _stated(dims):
    made = model(UNKNOWN, dims=(1, 8, 12, 10))
    made.graph.value_info.append(helper.make_tensor_value_info("b", TensorProto.FLOAT, dims))
    return made


def test_an_unknown_operator_needs_a_shape_in_the_file(tmp_path):
    assert _refusal(tmp_path, model(UNKNOWN)) == (
        "CC401",
        f"Frobnicate `b`: {NOBODY}",
        "add its shape to the file's value_info",
    )
    layer_graph = imported_graph(tmp_path, _stated((1, 8, 6, 5)))
    assert [layer.kind for layer in layer_graph.layers] == ["relu", "custom", "relu"]
    assert layer_graph.layers[1].uncounted
    assert layer_graph.layers[2].output.text == "6×5×8"


def test_a_shape_in_the_file_is_valid_at_the_size_of_the_file_only(tmp_path):
    code, message, help_ = _refusal(tmp_path, _stated((1, 8, 6, 5)), size=(24, 20))
    assert (code, help_) == ("CC402", "import it without --size, or export it for that size")
    assert message == (
        "the model works only at its own size, `x` is 1×8×12×10 in the file; at --size 24x20: "
        f"Frobnicate `b`: {NOBODY}"
    )


DATA = [node("Relu", "x", "-> r"), node("NonZero", "r", "-> n")]
AFTER = {
    "nothing": ([node("Relu", "r", "-> y")], ["n", "y"], ""),
    "one operator": (
        [node("Cast", "n", "-> y", to=TensorProto.FLOAT)],
        ["r", "y"],
        ", and 1 operator after it, none with weights or macs: Cast",
    ),
    "many": (
        [
            node("Transpose", "n", "-> t"), node("Cast", "t", "-> c", to=TensorProto.FLOAT),
            node("Abs", "c", "-> d"), node("Abs", "d", "-> e"), node("Neg", "e", "-> y"),
        ],
        ["r", "y"],
        ", and 5 operators after it, none with weights or macs: Abs ×2, Transpose, Cast and 1 more",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", AFTER)
def test_tensors_that_depend_on_data_are_reported_by_their_operators(tmp_path, name):
    nodes, outputs, more = AFTER[name]
    layer_graph = imported_graph(tmp_path, model([*DATA, *nodes], outputs=outputs))
    assert layer_graph.notes == (
        "left out: NonZero `n`, because its output shape depends on the data" + more,
    )


BEGUN = [*DATA, node("Cast", "n", "-> c", to=TensorProto.FLOAT), node("Transpose", "c", "-> t")]
WHY = "its input shape depends on the data: NonZero `n`"
COSTLY = {
    "MatMul": (node("MatMul", "c", "t", "-> y"), f"MatMul `y`: it costs macs, and {WHY}"),
    "Gemm": (node("Gemm", "c", "t", "-> y"), f"Gemm `y`: it costs macs, and {WHY}"),
    "Einsum": (
        node("Einsum", "c", "t", "-> y", equation="ij,jk->ik"),
        f"Einsum `y`: it costs macs, and {WHY}",
    ),
    "Conv": (node("Conv", "c", "t", "-> y"), f"Conv `y`: it costs macs, and {WHY}"),
    "unknown": (
        node("Frobnicate", "c", "-> y", domain="own"),
        (
            f"Frobnicate `y`: convcost does not know the operator Frobnicate of the domain `own`, "
            f"and {WHY}"
        ),
    ),
    "unknown, of a known domain": (
        node("Frobnicate", "c", "-> y", domain="com.microsoft"),
        (
            "Frobnicate `y`: convcost does not know the operator Frobnicate "
            "of the domain `com.microsoft`, "
            f"and {WHY}"
        ),
    ),
}


@pytest.mark.parametrize("name", COSTLY)
def test_operators_that_may_cost_something_are_never_left_out(tmp_path, name):
    last, message = COSTLY[name]
    made = model([*BEGUN, last], outputs=["r", "y"])
    assert _refusal(tmp_path, made)[:2] == ("CC401", message)


def test_operators_on_shapes_may_depend_on_data(tmp_path):
    nodes = [*BEGUN, node("Shape", "t", "-> s"), node("ConstantOfShape", "s", "-> y")]
    (note,) = imported_graph(tmp_path, model(nodes, outputs=["r", "y"])).notes
    assert note.startswith("left out: NonZero `n`")


def _scaled(number: int):
    """Norms whose scales are ones, and stored once; their other three tensors are their own."""
    nodes, weights = [], {}
    for at in range(2):
        for which in range(number):
            mine = f"n{at}.{which}"
            weights |= {f"s{which}": np.ones(8, np.float32), f"{mine}b": array(8)}
            weights |= {f"{mine}m": array(8), f"{mine}v": array(8)}
            before = nodes[-1].output[0] if nodes else "x"
            inputs = (f"s{which}", f"{mine}b", f"{mine}m", f"{mine}v")
            nodes.append(node("BatchNormalization", before, *inputs, f"-> {mine}"))
    return model([*nodes, node("Relu", nodes[-1].output[0], "-> y")], weights)


REPEATED = {1: "`s0` (8)", 3: "`s0` (8), `s1` (8), `s2` (8)",
            5: "`s0` (8), `s1` (8), `s2` (8) and 2 more"}  # fmt: skip


@pytest.mark.parametrize("number", REPEATED)
def test_notes_name_three_tensors_and_count_the_rest(tmp_path, number):
    why = "counted for each of several layers, since equal tensors are stored once"
    note = f"{8 * number} numbers of the file are {why}: {REPEATED[number]}"
    assert imported_graph(tmp_path, _scaled(number)).notes == (note,)


def test_weights_inside_a_branch_only_are_reported(tmp_path):
    def branch(op):
        given = helper.make_tensor_value_info("o", TensorProto.FLOAT, [1, 5, 8])
        held = [numpy_helper.from_array(array(8), f"of_{op}")]
        return helper.make_graph([node(op, "x", f"of_{op}", "-> o")], "branch", [], [given], held)

    nodes = [
        node("ReduceSum", "x", "-> s", keepdims=0),
        node("Greater", "s", "zero", "-> c"),
        node("If", "c", "-> y", then_branch=branch("Mul"), else_branch=branch("Add")),
    ]
    made = model(nodes, {"zero": np.array(0, np.float32)}, (1, 5, 8))
    note = "16 numbers of the file are in no layer: `of_Add in If `y`` (8), `of_Mul in If `y`` (8)"
    assert imported_graph(tmp_path, made).notes == (note,)


def test_a_file_of_one_size_reports_why_and_its_spec_has_that_size(tmp_path):
    nodes = [
        node("Resize", "x", "", "", "sizes", "-> up", mode="nearest"),
        node("Resize", "x", "", "scales", "-> twice", mode="nearest"),
        node("Add", "up", "twice", "-> y"),
    ]
    scales = np.array([1, 1, 2, 2], dtype=np.float32)
    made = model(nodes, {"sizes": ints(1, 8, 24, 20), "scales": scales}, dims=[1, 8, 12, 10])
    path = tmp_path / "net.onnx"
    path.write_bytes(made.SerializeToString())
    imported = read(ImportRequest(str(path)))
    assert "input: {channels: 8, size: [12, 10], fixed: true}\n" in imported.text
    assert imported.notes[0] == (
        "the input is `fixed: true`, because the model accepts no other size that convcost tried; "
        "the model refuses 63×129: the file was exported for one size and contains numbers of it "
        "(Add `y`: add needs branches of one shape, not 126×258×8 and 24×20×8)"
    )
