"""Files that are no sound ONNX model: each is refused in a sentence, and nothing else is opened."""

import tracemalloc
from contextlib import suppress
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import ModelProto, TensorProto, helper, numpy_helper
from onnx_models import X, array, imported_graph, ints, model, node

from convcost.importing.frontends.onnx import read
from convcost.model.errors import ConstraintError, UsageError

W = array(4, 8, 3, 3)


def _refusal(act) -> tuple[str, str]:
    with pytest.raises(ConstraintError) as caught:
        act()
    return caught.value.code, caught.value.message


def _plain() -> ModelProto:
    return model([node("Relu", "x", "-> y")])


def _doubled(times: int) -> ModelProto:
    """A shape concatenated with itself several times: lists of 4, 8, 16, … whole numbers."""
    nodes = [node("Shape", "x", "-> s0")]
    nodes += [node("Concat", f"s{n}", f"s{n}", f"-> s{n + 1}", axis=0) for n in range(times)]
    return model([*nodes, node("Reshape", "x", f"s{times}", "-> y")])


def _stretched(times: int) -> ModelProto:
    """A model with a list that has as many numbers as a tensor has elements."""
    one = helper.make_tensor("one", TensorProto.INT64, [1], [1])
    nodes = [
        node("Expand", "x", "wide", "-> b"),
        node("Flatten", "b", "-> f", axis=0),
        node("Squeeze", "f", "-> v"),
        node("Shape", "v", "-> s"),
        node("ConstantOfShape", "s", "-> c", value=one),
        node("Mul", "c", "c", "-> d"),
        node("Reshape", "x", "d", "-> y"),
    ]
    return model(nodes, {"wide": ints(times, 8, 12, 10)})


def _constants(**attributes) -> list[tuple[str, ModelProto]]:
    """A model with a `Constant` in the graph, and one with it in a function."""
    nodes = [node("Constant", "-> w", **attributes), node("MatMul", "x", "w", "-> y")]
    called = model([node("F", "x", "-> y", domain="my")], dims=(1, 4))
    opsets = [helper.make_opsetid("", 20)]
    called.functions.append(helper.make_function("my", "F", ["x"], ["y"], nodes, opsets))
    return [("graph", model(nodes, dims=(1, 4))), ("function", called)]


def _with_negative_dims() -> dict[str, ModelProto]:
    dense = numpy_helper.from_array(array(4, 4), "w")
    dense.dims[:] = [-4, 4]
    values = numpy_helper.from_array(array(3), "w")
    sparse = helper.make_sparse_tensor(values, numpy_helper.from_array(ints(0, 5, 9)), [-4, 4])
    stored = {kind: model([node("MatMul", "x", "w", "-> y")], dims=(1, 4)) for kind in "ds"}
    stored["d"].graph.initializer.append(dense)
    stored["s"].graph.sparse_initializer.append(sparse)
    return {
        "initializer": stored["d"],
        "sparse initializer": stored["s"],
        **{f"constant of a {place}": made for place, made in _constants(value=dense)},
        **{
            f"sparse constant of a {place}": made for place, made in _constants(sparse_value=sparse)
        },
    }


@pytest.mark.parametrize("name", _with_negative_dims())
def test_a_tensor_with_a_negative_dim_is_refused(tmp_path, name):
    assert _refusal(lambda: imported_graph(tmp_path, _with_negative_dims()[name])) == (
        "CC404",
        "the tensor `w` has a negative dim: [-4, 4]",
    )


def test_a_tensor_that_does_not_broadcast_is_refused_with_both_shapes(tmp_path):
    made = model([node("Expand", "x", "s", "-> y")], {"s": ints(1, 3)}, (1, 8))
    assert _refusal(lambda: imported_graph(tmp_path, made)) == (
        "CC404",
        "Expand `y`: a tensor of [1, 8] does not broadcast to [1, 3]",
    )


@pytest.mark.parametrize(
    ("made", "message"),
    [
        (
            _doubled(28),  # ONNX 1.22 counts the numbers of a list in 32 bits
            f"Reshape `y` has an output of {4 * 2**28:,} axes, more than 64",
        ),
        (
            _stretched(10**9),
            f"Reshape `y` has an output of {10**9 * 960:,} axes, more than 64",
        ),
    ],
    ids=["doubled", "stretched"],
)
def test_shapes_that_fill_all_memory_are_refused(tmp_path, made, message):
    assert _refusal(lambda: imported_graph(tmp_path, made)) == ("CC404", message)


def test_a_list_can_be_concatenated_with_itself_a_few_times(tmp_path):
    nodes = [node("Shape", "x", "-> s"), node("Concat", "s", "s", "-> both", axis=0)]
    nodes += [node("Slice", "both", "four", "eight", "-> t"), node("Reshape", "x", "t", "-> y")]
    ends = {"four": ints(4), "eight": ints(8)}
    assert imported_graph(
        tmp_path, model([*nodes, node("Relu", "y", "-> z")], ends, outputs=["z"])
    ).layers


GARBLED = "the file cannot be read as ONNX: it is truncated, damaged or in another format"
FILES = {
    "empty": (b"", "the file is empty"),
    "zip": (
        b"PK\x03\x04rest",
        "the file is a zip archive, as PyTorch and Keras write, not an ONNX model",
    ),
    "hdf5": (b"\x89HDF\r\n", "the file is an HDF5 file, as Keras writes, not an ONNX model"),
    "pickle": (b"\x80\x02}q\x00.", "the file is a pickle, as PyTorch writes, not an ONNX model"),
    "lfs": (
        b"version https://git-lfs.github.com/spec/v1\n",
        "the file is a pointer of Git LFS, not an ONNX model",
    ),
    "page": (b"<!DOCTYPE html>", "the file is a web page or XML, not an ONNX model"),
    "json": (b'{"a": 1}', "the file is JSON, not an ONNX model"),
    "text": (b"hello, this is text", GARBLED),
    "truncated": (_plain().SerializeToString()[:-7], GARBLED),
    "no graph": (
        ModelProto(ir_version=8).SerializeToString(),
        "the file has no graph: it is not an ONNX model, or an empty one",
    ),
}


@pytest.mark.parametrize("name", FILES)
def test_a_file_that_is_not_a_model_is_refused_by_its_type(tmp_path, name):
    content, message = FILES[name]
    path = tmp_path / "model.onnx"
    path.write_bytes(content)
    assert _refusal(lambda: read(path)) == ("CC404", message)


def test_every_truncation_of_a_model_is_refused_or_read(tmp_path):
    whole = model([node("Conv", "x", "w", "-> y")], {"w": array(4, 8, 3, 3)}).SerializeToString()
    path = tmp_path / "model.onnx"
    for length in range(0, len(whole), 7):
        path.write_bytes(whole[:length])
        with pytest.raises(ConstraintError):
            read(path)


def test_a_missing_file_is_a_usage_error(tmp_path):
    with pytest.raises(UsageError, match=r"cannot read .*: No such file or directory"):
        read(tmp_path / "none.onnx")


def test_a_file_over_two_gibibytes_is_refused_unread(tmp_path):
    path = tmp_path / "model.onnx"
    with path.open("wb") as file:
        file.truncate(2**31)
    assert _refusal(lambda: read(path)) == (
        "CC404",
        "the file has 2,147,483,648 bytes, an ONNX file has at most 2,147,483,647",
    )


def test_a_cycle_is_reported_by_name(tmp_path):
    made = model([node("Add", "x", "b", "-> a"), node("Relu", "a", "-> b")], outputs=["b"])
    assert _refusal(lambda: imported_graph(tmp_path, made)) == (
        "CC404",
        "the graph has a cycle: Add `a` and Relu `b` depend on each other",
    )


def test_a_tensor_computed_twice_is_reported_by_name(tmp_path):
    made = model([node("Relu", "x", "-> y"), node("Tanh", "x", "-> y")])
    assert _refusal(lambda: imported_graph(tmp_path, made)) == (
        "CC404",
        "the tensor `y` is produced twice: by Tanh `y` and Relu `y`",
    )


def test_a_tensor_that_no_node_computes_is_reported_by_name(tmp_path):
    made = model([node("Add", "x", "ghost", "-> y")])
    assert _refusal(lambda: imported_graph(tmp_path, made)) == (
        "CC404",
        "Add `y` reads `ghost`, which no operator produces",
    )


def test_an_output_that_no_node_computes_is_reported_by_name(tmp_path):
    made = model([node("Relu", "x", "-> y")], outputs=["z"])
    assert _refusal(lambda: imported_graph(tmp_path, made)) == (
        "CC404",
        "no operator produces the output `z`",
    )


def test_an_axis_that_the_input_does_not_have_is_reported(tmp_path):
    made = model([node("LpNormalization", "x", "-> y", axis=4)])
    assert _refusal(lambda: imported_graph(tmp_path, made)) == (
        "CC404",
        "LpNormalization `y`: its `axis` is 4, but its input has 4 axes",
    )


def test_a_tensor_of_more_axes_than_numpy_has_is_reported(tmp_path):
    nodes = [node("Relu", "x", "-> r"), node("Reshape", "r", "s", "-> y")]
    assert _refusal(lambda: imported_graph(tmp_path, model(nodes, {"s": ints(*[1] * 65)}))) == (
        "CC404",
        "Reshape `y` has an output of 65 axes, more than 64",
    )


def _outside(location: str) -> ModelProto:
    made = model([node("Conv", "x", "w", "-> y")])
    weights = TensorProto(name="w", data_type=TensorProto.FLOAT, dims=[4, 8, 3, 3])
    weights.data_location = TensorProto.EXTERNAL
    entry = weights.external_data.add()
    entry.key, entry.value = "location", location
    made.graph.initializer.append(weights)
    return made


@pytest.mark.parametrize(
    "location", ["../secret", "/etc/passwd", "a/../../b", "C:\\secret", "..\\secret", ""]
)
def test_weights_outside_the_folder_are_refused(tmp_path, location):
    assert _refusal(lambda: imported_graph(tmp_path, _outside(location))) == (
        "CC404",
        f"the tensor `w` stores its numbers in `{location}`, outside of the model's folder",
    )


def test_constants_of_a_function_outside_the_folder_are_refused(tmp_path):
    (weights,) = _outside("../secret").graph.initializer
    for _, made in _constants(value=weights):
        assert _refusal(lambda made=made: imported_graph(tmp_path, made)) == (
            "CC404",
            "the tensor `w` stores its numbers in `../secret`, outside of the model's folder",
        )


def test_a_missing_external_file_of_weights_is_accepted(tmp_path):
    layer_graph = imported_graph(tmp_path, _outside("weights.bin"))
    assert [(layer.params, layer.macs) for layer in layer_graph.layers] == [
        (4 * 8 * 3 * 3, 4 * 8 * 3 * 3 * 10 * 8)
    ]


def test_numbers_needed_from_a_missing_external_file_are_requested(tmp_path):
    made = model([node("Reshape", "x", "w", "-> y")])
    shape = TensorProto(name="w", data_type=TensorProto.INT64, dims=[2])
    shape.data_location = TensorProto.EXTERNAL
    entry = shape.external_data.add()
    entry.key, entry.value = "location", "weights.bin"
    made.graph.initializer.append(shape)
    with pytest.raises(ConstraintError) as caught:
        imported_graph(tmp_path, made)
    assert (caught.value.message, caught.value.help) == (
        (
            "Reshape `y`: the numbers of its `shape` are not known: the file does not contain "
            "them, or they are more than 4,096"
        ),
        (
            "store small tensors in the model's own file: "
            "onnx.save(…, save_as_external_data=True, size_threshold=32768)"
        ),
    )


def test_numbers_that_follow_from_the_values_of_inputs_are_refused_with_a_fix(tmp_path):
    made = model([node("Cast", "x", "-> n", to=TensorProto.INT64),
                  node("Reshape", "x", "n", "-> y")])  # fmt: skip
    with pytest.raises(ConstraintError) as caught:
        imported_graph(tmp_path, made)
    assert (caught.value.message, caught.value.help) == (
        (
            "Reshape `y`: the numbers of its `shape` are not known: the model computes them from "
            "the values of its inputs"
        ),
        "export the model with an example of a fixed size, without dynamic axes",
    )


def test_functions_that_call_each_other_are_refused(tmp_path):
    made = model([node("Twice", "x", "-> y", domain="own")])
    inner = helper.make_function(
        "own", "Twice", ["a"], ["b"], [helper.make_node("Twice", ["a"], ["b"], domain="own")],
        [helper.make_opsetid("own", 1)],
    )  # fmt: skip
    made.functions.append(inner)
    with pytest.raises(ConstraintError) as caught:
        imported_graph(tmp_path, made)
    assert caught.value.code in ("CC401", "CC404")


def test_nested_graphs_have_a_limit(tmp_path):
    graph = helper.make_graph([node("Relu", "x", "-> y")], "g", [], [])
    for _ in range(22):
        inner = helper.make_node("If", ["c"], ["y"], then_branch=graph, else_branch=graph)
        del inner.attribute[1]
        graph = helper.make_graph([inner], "g", [], [])
    made = model([node("Relu", "x", "-> y")])
    made.graph.node.extend(graph.node)
    assert _refusal(lambda: imported_graph(tmp_path, made)) == (
        "CC404",
        "the graphs of the file are nested more than 20 levels deep",
    )


def _branch(op: str) -> ModelProto:
    inner = helper.make_graph(
        [helper.make_node(op, ["x", "w"] if op == "Conv" else ["x"], ["z"])],
        "inner", [], [helper.make_tensor_value_info("z", TensorProto.FLOAT, X)],
    )  # fmt: skip
    return model(
        [
            node("ReduceMax", "x", "-> m", keepdims=0),
            node("Cast", "m", "-> c", to=TensorProto.BOOL),
            node("If", "c", "-> y", then_branch=inner, else_branch=inner),
        ],
        {"w": array(8, 8, 1, 1)},
    )


def test_a_branch_with_weights_is_refused(tmp_path):
    assert _refusal(lambda: imported_graph(tmp_path, _branch("Conv"))) == (
        "CC401",
        "If `y`: whether it runs a Conv depends on the data",
    )


def test_a_branch_without_weights_is_an_uncounted_layer(tmp_path):
    layer_graph = imported_graph(tmp_path, _branch("Relu"))
    assert layer_graph.layers[-1].uncounted
    assert dict(layer_graph.layers[-1].options)["what"] == "If"


def test_weights_that_do_not_match_their_input_are_refused(tmp_path):
    made = model([node("Conv", "x", "w", "-> y")], {"w": array(4, 5, 3, 3)})
    code, message = _refusal(lambda: imported_graph(tmp_path, made))
    assert (code, message) == (
        "CC403",
        "Conv `y`: conv counts 288 params, but the model has 180 for it",
    )


BROKEN = {
    "a pool without a kernel": (node("MaxPool", "x", "-> y"), {}),
    "a join of one": (node("Mul", "x", "-> y"), {}),
    "no second input": (node("Gemm", "x", "-> y"), {}),
    "strides of three axes": (node("Conv", "x", "w", "-> y", strides=[1, 1, 1]), {"w": W}),
    "an axis there is not": (node("Concat", "x", "x", "-> y", axis=9), {}),
    "a permutation of three axes": (node("Transpose", "x", "-> y", perm=[0, 2, 1]), {}),
    "no equation": (node("Einsum", "x", "x", "-> y"), {}),
    "pads of one axis": (node("Pad", "x", "p", "-> y"), {"p": ints(1, 1)}),
    "a text for a number": (node("Flatten", "x", "-> y", axis="first"), {}),
    "blocks of nothing": (node("DepthToSpace", "x", "-> y", blocksize=0), {}),
}


@pytest.mark.parametrize("name", BROKEN)
def test_an_operator_that_violates_its_onnx_definition_is_refused(tmp_path, name):
    broken, weights = BROKEN[name]
    with pytest.raises(ConstraintError) as caught:
        imported_graph(tmp_path, model([broken], weights))
    assert caught.value.code in ("CC302", "CC401", "CC402", "CC403", "CC404", "CC104")
    assert caught.value.message


@pytest.mark.slow
@settings(max_examples=100, deadline=None)
@given(st.integers(0, 10**6), st.integers(0, 255))
def test_a_file_with_one_wrong_byte_is_read_or_refused(at, byte):
    nodes = [
        node("Conv", "x", "w", "b", "-> c", pads=[1, 1, 1, 1]), node("Relu", "c", "-> r"),
        node("MaxPool", "r", "-> p", kernel_shape=[2, 2]), node("Reshape", "p", "s", "-> y"),
    ]  # fmt: skip
    weights = {"w": array(2, 8, 1, 1), "b": array(2), "s": ints(0, -1)}
    content = bytearray(model(nodes, weights).SerializeToString())
    content[at % len(content)] = byte
    with TemporaryDirectory() as folder:
        path = Path(folder) / "model.onnx"
        path.write_bytes(content)
        with suppress(ConstraintError):
            read(path)


def test_open_dimensions_are_requested_by_name(tmp_path):
    made = model([node("Relu", "x", "-> y")], dims=["n", 3, "height", "width"])
    with pytest.raises(ConstraintError) as caught:
        imported_graph(tmp_path, made)
    assert caught.value.code == "CC405"
    assert caught.value.message == (
        "the model leaves `height` (axis 2 of `x`), `width` (axis 3 of `x`) open"
    )
    assert caught.value.help == (
        "give the size, --size 224 or --size 48x320, or each by its name: "
        "--dim 'height=…' --dim 'width=…'"
    )


GIVEN = [
    ({"size": (20, 30)}, "20×30×3"),
    ({"dims": {"height": 20, "width": 30}}, "20×30×3"),
    ({"size": (20, 30), "dims": {"n": 1}}, "20×30×3"),
    ({"size": (20,)}, "20×20×3"),
    ({"size": (20,), "dims": {"width": 30}}, "20×30×3"),
]


@pytest.mark.parametrize(("options", "shape"), GIVEN)
def test_open_dimensions_take_the_given_values(tmp_path, options, shape):
    made = model([node("Relu", "x", "-> y")], dims=["n", 3, "height", "width"])
    assert imported_graph(tmp_path, made, **options).layers[0].output.text == shape


WRONG = [
    (["n", 3, 8, 8], {"dims": {"m": 1}}, "the model has no dimension `m`"),
    (
        ["n", 3, 8, 8],
        {"dims": {"n": 4}},
        "the dimension `n` is the batch of `x`, always 1",
    ),
    (["n", 3, "h", 8], {"dims": {"h": 0}}, "the dimension `h` must be at least 1, not 0"),
    (
        ["n", 3, "h", "w"],
        {"size": (8, 8, 8)},
        "--size gives 3 numbers, but the input `x` is 1×3×?×?",
    ),
    (["n", "c", "h", "w"], {"size": (8,)}, "--size gives 1 number, but the input `x` is 1×?×?×?"),
    (
        ["n", 3],
        {"size": (8,)},
        "--size needs an input with channels and a size, but the model has none: `x` is ?×3",
    ),
]


@pytest.mark.parametrize(("dims", "options", "message"), WRONG)
def test_impossible_dimensions_are_refused(tmp_path, dims, options, message):
    made = model([node("Relu", "x", "-> y")], dims=dims)
    assert _refusal(lambda: imported_graph(tmp_path, made, **options)) == ("CC405", message)


FIXED = [
    ([1, 3, 16, 16], (20,), "20×20×3"),
    ([1, 3, 16, 16], (20, 30), "20×30×3"),
    ([1, 3, 16, 16], (16,), "16×16×3"),
    ([1, 16, 16, 3], (20,), "20×20×3"),
    ([1, 3, 16, 16, 16], (20,), "20×20×20×3"),
    ([1, 3, 16], (20,), "20×3"),
]


@pytest.mark.parametrize(("dims", "size", "shape"), FIXED)
def test_a_size_replaces_every_fixed_axis(tmp_path, dims, size, shape):
    layer_graph = imported_graph(tmp_path, model([node("Relu", "x", "-> y")], dims=dims), size=size)
    assert layer_graph.layers[0].output.text == shape
    shown = "×".join(map(str, dims))
    same = size == (16,)
    assert layer_graph.notes == (
        () if same else (f"`x` is {shown} in the file, and is imported at --size",)
    )


def test_a_size_is_not_for_the_vectors_among_the_inputs(tmp_path):
    made = model(
        [node("Conv", "x", "w", "-> c"), node("Relu", "v", "-> r"), node("Add", "c", "b", "-> y")],
        {"w": array(8, 3, 3, 3), "b": array(1, 8, 1, 1)},
        inputs={"x": (1, 3, 12, 12), "v": (5,)},
        outputs=("y", "r"),
    )
    outputs = [layer.output.text for layer in imported_graph(tmp_path, made, size=(20,)).layers]
    assert outputs == ["18×18×8", "5"]


def test_a_size_applies_to_the_inputs_with_an_open_size(tmp_path):
    made = model(
        [node("Relu", "x", "-> a"), node("Relu", "m", "-> b")],
        inputs={"x": [1, 3, "h", "w"], "m": [1, 1, 5, 5]},
        outputs=["a", "b"],
    )
    outputs = [layer.output.text for layer in imported_graph(tmp_path, made, size=(20,)).layers]
    assert outputs == ["20×20×3", "5×5×1"]


BOUND = {
    "a table": (
        [node("Relu", "x", "-> r"), node("Add", "r", "t", "-> y")],
        {"t": array(1, 3, 16, 16)},
        "Add `y`: add needs branches of one shape, not 20×20×3 and 16×16×3",
    ),
    "a linear layer": (
        [node("Flatten", "x", "-> f"), node("Gemm", "f", "w", "-> y")],
        {"w": array(3 * 16 * 16, 5)},
        "Gemm `y`: linear counts 6,000 params, but the model has 3,840 for it",
    ),
    "a reshape": (
        [node("Reshape", "x", "s", "-> y")],
        {"s": ints(1, 3, 16 * 16)},
        f"Reshape `y`: {3 * 20 * 20:,} elements cannot have the shape [1, 3, {16 * 16}]",
    ),
}


@pytest.mark.parametrize("name", BOUND)
def test_a_model_of_one_size_is_read_at_no_other(tmp_path, name):
    nodes, weights, message = BOUND[name]
    made = model(nodes, weights, [1, 3, 16, 16])
    assert imported_graph(tmp_path, made).layers
    with pytest.raises(ConstraintError) as caught:
        imported_graph(tmp_path, made, size=(20,))
    assert (caught.value.code, caught.value.message, caught.value.help) == (
        "CC402",
        "the model works only at its own size, `x` is 1×3×16×16 in the file; at --size 20: "
        + message,
        "import it without --size, or export it for that size",
    )


def test_a_model_for_several_samples_is_read_for_one_with_a_note(tmp_path):
    layer_graph = imported_graph(tmp_path, model([node("Relu", "x", "-> y")], dims=(16, *X[1:])))
    assert layer_graph.notes == ("`x` was exported for 16 samples and is imported for one",)
    assert layer_graph.layers[0].output.text == "12×10×8"


def _chain(op: str, steps: int) -> ModelProto:
    """A constant that is computed from a learned one in some steps."""
    nodes = [node(op, "w", f"c{n}", f"-> c{n + 1}") for n in range(steps)]
    weights = {"c0": array(8, 1, 1), "w": array(8, 1, 1)}
    return model([*nodes, node("Add", "x", f"c{steps}", "-> y")], weights)


@pytest.mark.parametrize("op", ["Add", "Mul"])
def test_a_constant_may_be_computed_in_some_steps(tmp_path, op):
    layer_graph = imported_graph(tmp_path, _chain(op, 40))
    assert sum(layer.params for layer in layer_graph.layers) == 8 + 8
    assert _refusal(lambda: imported_graph(tmp_path, _chain(op, 2000))) == (
        "CC401",
        "Add `y`: it reads a constant that is computed in too many steps",
    )


def _ranges(length: int, *nodes) -> ModelProto:
    """Whole numbers from 0 on, `r`, which picks channels of `x` in the end."""
    weights = {"a": np.array(0), "b": np.array(length), "c": np.array(1)}
    return model([node("Range", "a", "b", "c", "-> r"), *nodes], weights)


@pytest.mark.parametrize(
    ("made", "channels"),
    [
        pytest.param(
            _ranges(10**8, node("Gather", "x", "r", "-> y", axis=1)), 10**8, id="as it is"
        ),
        pytest.param(
            _ranges(
                10**8,
                node("Concat", "r", "r", "-> q", axis=0),
                node("Gather", "x", "q", "-> y", axis=1),
            ),
            2 * 10**8,
            id="beside itself",
        ),
        pytest.param(
            _ranges(
                2**20,
                node("Concat", *["r"] * 400, "-> q", axis=0),
                node("Gather", "x", "q", "-> y", axis=1),
            ),
            400 * 2**20,
            id="many that are just short enough",
        ),
        pytest.param(
            _ranges(
                2**20,
                *(node("Add", "r", "c", f"-> q{n}") for n in range(200)),
                node("Max", *(f"q{n}" for n in range(200)), "-> q"),
                node("Gather", "x", "q", "-> y", axis=1),
            ),
            2**20,
            id="many beside each other",
        ),
        pytest.param(
            _ranges(
                2**20,
                *(node("Cast", "r", f"-> t{n}", to=TensorProto.STRING) for n in range(4)),
                *(node("Cast", f"t{n}", f"-> q{n}", to=TensorProto.INT64) for n in range(4)),
                node("Max", *(f"q{n}" for n in range(4)), "-> q"),
                node("Gather", "x", "q", "-> y", axis=1),
            ),
            2**20,
            id="as text",
        ),
    ],
)
def test_huge_lists_are_not_expanded(tmp_path, made, channels):
    tracemalloc.start()
    assert imported_graph(tmp_path, made).layers[-1].output.channels == channels
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 300 * 10**6


@pytest.mark.parametrize("inside", [False, True])
@pytest.mark.parametrize("count", [1, 3, 2**31])
def test_a_split_into_other_parts_than_its_outputs_is_refused(tmp_path, count, inside):
    """Inference would crash, or make a list of all parts."""
    made = node("Split", "x", "-> y", "z", axis=1, num_outputs=count)
    if inside:
        outputs = [helper.make_empty_tensor_value_info(name) for name in ("y", "z")]
        bodies = [helper.make_graph([made], "g", [], outputs)] * 2
        made = node("If", "c", "-> y", "z", then_branch=bodies[0], else_branch=bodies[1])
    message = f"Split `y` has 2 outputs for {count:,} parts"
    refused = _refusal(lambda: imported_graph(tmp_path, model([made], {"c": np.asarray(True)})))
    assert refused == ("CC404", message)


def test_an_unsqueeze_that_names_an_axis_twice_is_refused(tmp_path):
    nodes = [node("Unsqueeze", "x", "axes", "-> u"), node("Relu", "u", "-> y")]
    code, message = _refusal(lambda: imported_graph(tmp_path, model(nodes, {"axes": ints(1, 1)})))
    assert (code, message[:11]) == ("CC404", "Unsqueeze `")


def test_an_operator_that_computes_a_shape_without_its_input_is_refused(tmp_path):
    nodes = [node("Unsqueeze", "", "axes", "-> s"), node("Reshape", "x", "s", "-> y")]
    code, message = _refusal(lambda: imported_graph(tmp_path, model(nodes, {"axes": ints(0)})))
    assert (code, message) == ("CC401", "Unsqueeze `s`: its output shape is not known")


@pytest.mark.parametrize("times", [1, 600])
def test_long_lists_of_weights_are_not_expanded(tmp_path, times):
    """Inference would make room for each of their numbers, in each operator that reads them."""
    resource = pytest.importorskip("resource")
    length = 2**31 - 1 if times == 1 else 2**19
    long = TensorProto(name="k", data_type=TensorProto.FLOAT, dims=[length], raw_data=b"1234")
    names = ["x", *(f"a{n}" for n in range(times - 1)), "y"]
    nodes = [node("Add", a, "k", f"-> {b}") for a, b in pairwise(names)]
    made = model(nodes, dims=(1, 1, 1, 1))
    made.graph.initializer.append(long)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with suppress(ConstraintError):
        imported_graph(tmp_path, made)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 300_000  # kB


def test_functions_whose_inlining_adds_many_inputs_are_refused_first(tmp_path):
    """Of 4,449 inputs and an output, two names after the first four count as a node: 9 × 2,223."""
    made = model([node("f", "x", f"-> {name}", domain="own") for name in "yabcdefgh"])
    opsets = [helper.make_opsetid("", 20)]
    sums = [node("Sum", *["x"] * 4_449, "-> y")]
    made.functions.append(helper.make_function("own", "f", ["x"], ["y"], sums, opsets))
    with pytest.raises(ConstraintError) as caught:
        imported_graph(tmp_path, made)
    assert caught.value.message == "the calls of functions add more than 20,000 nodes to the model"


@pytest.mark.parametrize(("levels", "refused"), [(4, False), (60, True)])
def test_functions_whose_inlining_doubles_the_graph_are_refused_first(tmp_path, levels, refused):
    made = model([node("f0", "x", "-> y", domain="own")])
    for level in range(levels):
        nodes = [node("Relu", "x", "-> y")]
        if level < levels - 1:
            call = f"f{level + 1}"
            nodes = [
                node(call, "x", "-> once", domain="own"),
                node(call, "once", "-> y", domain="own"),
            ]
        opsets = [helper.make_opsetid("", 20), helper.make_opsetid("own", 1)]
        made.functions.append(helper.make_function("own", f"f{level}", ["x"], ["y"], nodes, opsets))
    if not refused:
        assert len(imported_graph(tmp_path, made).layers) == 2 ** (levels - 1)
        return
    with pytest.raises(ConstraintError) as caught:
        imported_graph(tmp_path, made)
    assert caught.value.code == "CC401"
    assert caught.value.message == "the calls of functions add more than 20,000 nodes to the model"


@pytest.mark.parametrize("order", [[0, 4, 1, 2, 3], 3, [0.0, 2.0, 1.0]])
def test_an_input_whose_channels_are_moved_by_no_valid_order_is_refused(tmp_path, order):
    nodes = [node("Transpose", "x", "-> t", perm=order), node("Relu", "t", "-> y")]
    assert _refusal(lambda: imported_graph(tmp_path, model(nodes, dims=(1, 16, 4)))) == (
        "CC404",
        "the file's operators or tensors do not conform to ONNX",
    )


@pytest.mark.parametrize(
    ("op", "name", "numbers"),
    [
        ("Unsqueeze", "axes", [float("nan"), 2.0]),
        ("Reshape", "shape", [1.0, -1.0]),
        ("Expand", "shape", "1, 8, 12, 10"),
    ],
)
def test_options_that_must_be_integers_are_refused_if_they_are_not(tmp_path, op, name, numbers):
    made = model([node(op, "x", "-> y", **{name: numbers})], opset=4)
    assert _refusal(lambda: imported_graph(tmp_path, made)) == (
        "CC404",
        f"{op} `y`: its `{name}` must have integers",
    )
