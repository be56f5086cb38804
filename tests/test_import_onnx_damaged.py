"""Files that are no sound ONNX model: each is refused in a sentence, and nothing else is opened."""

from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import ModelProto, TensorProto, helper
from onnx_models import X, array, drawn, ints, model, node

from convcost.errors import Refusal, UsageError
from convcost.importing.from_onnx import read

W = array(4, 8, 3, 3)


def _refused(act) -> tuple[str, str]:
    with pytest.raises(Refusal) as caught:
        act()
    return caught.value.code, caught.value.message


def _plain() -> ModelProto:
    return model([node("Relu", "x", "-> y")])


def _doubled(times: int) -> ModelProto:
    """A shape that is laid beside itself, again and again: 2, 4, 8, … whole numbers."""
    nodes = [node("Shape", "x", "-> s0")]
    nodes += [node("Concat", f"s{n}", f"s{n}", f"-> s{n + 1}", axis=0) for n in range(times)]
    return model([*nodes, node("Reshape", "x", f"s{times}", "-> y")])


def _stretched(times: int) -> ModelProto:
    """A shape worked out of data's, as long as a tensor is large."""
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


@pytest.mark.parametrize(
    ("made", "message"),
    [
        (
            _doubled(34),
            (
                f"Concat `s15` makes a list of up to {64 * 2**15:,} whole numbers, to be "
                "worked out one by one"
            ),
        ),
        (
            _stretched(10**9),
            f"`c` is a list of {10**9 * 960:,} whole numbers that are all worked out",
        ),
    ],
    ids=["doubled", "stretched"],
)
def test_shapes_that_fill_all_memory_are_refused(tmp_path, made, message):
    assert _refused(lambda: drawn(tmp_path, made)) == ("CC404", message)


def test_a_list_may_be_laid_beside_itself_a_few_times(tmp_path):
    nodes = [node("Shape", "x", "-> s"), node("Concat", "s", "s", "-> both", axis=0)]
    nodes += [node("Slice", "both", "four", "eight", "-> t"), node("Reshape", "x", "t", "-> y")]
    ends = {"four": ints(4), "eight": ints(8)}
    assert drawn(tmp_path, model([*nodes, node("Relu", "y", "-> z")], ends, outputs=["z"])).layers


GARBLED = "the file cannot be read as ONNX: it is truncated, damaged or something else"
FILES = {
    "empty": (b"", "the file is empty"),
    "zip": (
        b"PK\x03\x04rest",
        "the file is a zip archive, as PyTorch and Keras write, no ONNX model",
    ),
    "hdf5": (b"\x89HDF\r\n", "the file is an HDF5 file, as Keras writes, no ONNX model"),
    "pickle": (b"\x80\x02}q\x00.", "the file is a pickle, as PyTorch writes, no ONNX model"),
    "lfs": (
        b"version https://git-lfs.github.com/spec/v1\n",
        "the file is a pointer of Git LFS, no ONNX model",
    ),
    "page": (b"<!DOCTYPE html>", "the file is a web page or XML, no ONNX model"),
    "json": (b'{"a": 1}', "the file is JSON, no ONNX model"),
    "text": (b"hello, this is text", GARBLED),
    "truncated": (_plain().SerializeToString()[:-7], GARBLED),
    "no graph": (
        ModelProto(ir_version=8).SerializeToString(),
        "the file holds no graph: it is no ONNX model, or an empty one",
    ),
}


@pytest.mark.parametrize("name", FILES)
def test_a_file_that_is_no_model_is_refused_for_what_it_is(tmp_path, name):
    content, message = FILES[name]
    path = tmp_path / "model.onnx"
    path.write_bytes(content)
    assert _refused(lambda: read(path)) == ("CC404", message)


def test_every_truncation_of_a_model_is_refused_or_read(tmp_path):
    whole = model([node("Conv", "x", "w", "-> y")], {"w": array(4, 8, 3, 3)}).SerializeToString()
    path = tmp_path / "model.onnx"
    for length in range(0, len(whole), 7):
        path.write_bytes(whole[:length])
        with pytest.raises(Refusal):
            read(path)


def test_a_file_that_is_missing_is_the_users_mistake(tmp_path):
    with pytest.raises(UsageError, match=r"cannot read .*: No such file or directory"):
        read(tmp_path / "none.onnx")


def test_a_file_beyond_two_gibibytes_is_refused_unread(tmp_path):
    path = tmp_path / "model.onnx"
    with path.open("wb") as file:
        file.truncate(2**31)
    assert _refused(lambda: read(path)) == (
        "CC404",
        "the file has 2,147,483,648 bytes, an ONNX file has at most 2,147,483,647",
    )


def test_a_circle_is_named(tmp_path):
    made = model([node("Add", "x", "b", "-> a"), node("Relu", "a", "-> b")], outputs=["b"])
    assert _refused(lambda: drawn(tmp_path, made)) == (
        "CC404",
        "the graph runs in a circle: Relu `b` reads what Add `a` makes of it",
    )


def test_a_tensor_that_is_made_twice_is_named(tmp_path):
    made = model([node("Relu", "x", "-> y"), node("Tanh", "x", "-> y")])
    assert _refused(lambda: drawn(tmp_path, made)) == (
        "CC404",
        "the tensor `y` is made twice: by Tanh `y` and Relu `y`",
    )


def test_a_tensor_that_nothing_makes_is_named(tmp_path):
    made = model([node("Add", "x", "ghost", "-> y")])
    assert _refused(lambda: drawn(tmp_path, made)) == (
        "CC404",
        "Add `y` reads `ghost`, which nothing makes",
    )


def test_an_output_that_nothing_makes_is_named(tmp_path):
    made = model([node("Relu", "x", "-> y")], outputs=["z"])
    assert _refused(lambda: drawn(tmp_path, made)) == (
        "CC404",
        "the output `z` is made by no operator",
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
def test_weights_that_claim_to_lie_outside_of_the_folder_are_refused(tmp_path, location):
    assert _refused(lambda: drawn(tmp_path, _outside(location))) == (
        "CC404",
        f"the tensor `w` says that its numbers lie in `{location}`, outside of the model's folder",
    )


def test_weights_in_a_file_beside_need_not_be_there(tmp_path):
    drawing = drawn(tmp_path, _outside("weights.bin"))
    assert [(layer.params, layer.macs) for layer in drawing.layers] == [
        (4 * 8 * 3 * 3, 4 * 8 * 3 * 3 * 10 * 8)
    ]


def test_numbers_that_are_needed_and_lie_in_another_file_are_asked_for(tmp_path):
    made = model([node("Reshape", "x", "w", "-> y")])
    shape = TensorProto(name="w", data_type=TensorProto.INT64, dims=[2])
    shape.data_location = TensorProto.EXTERNAL
    entry = shape.external_data.add()
    entry.key, entry.value = "location", "weights.bin"
    made.graph.initializer.append(shape)
    assert _refused(lambda: drawn(tmp_path, made)) == (
        "CC401",
        "Reshape `y`: its `shape` are not known beforehand, in another file or too many to be read",
    )


def test_functions_that_call_each_other_are_refused(tmp_path):
    made = model([node("Twice", "x", "-> y", domain="own")])
    inner = helper.make_function(
        "own", "Twice", ["a"], ["b"], [helper.make_node("Twice", ["a"], ["b"], domain="own")],
        [helper.make_opsetid("own", 1)],
    )  # fmt: skip
    made.functions.append(inner)
    with pytest.raises(Refusal) as caught:
        drawn(tmp_path, made)
    assert caught.value.code in ("CC401", "CC404")


def test_graphs_within_graphs_have_a_limit(tmp_path):
    graph = helper.make_graph([node("Relu", "x", "-> y")], "g", [], [])
    for _ in range(22):
        inner = helper.make_node("If", ["c"], ["y"], then_branch=graph, else_branch=graph)
        del inner.attribute[1]
        graph = helper.make_graph([inner], "g", [], [])
    made = model([node("Relu", "x", "-> y")])
    made.graph.node.extend(graph.node)
    assert _refused(lambda: drawn(tmp_path, made)) == (
        "CC404",
        "the file has graphs within graphs, more than 20 deep",
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


def test_a_branch_with_weights_in_it_is_refused(tmp_path):
    assert _refused(lambda: drawn(tmp_path, _branch("Conv"))) == (
        "CC401",
        "If `y`: it runs a Conv, or not, or many times: that follows from data",
    )


def test_a_branch_without_weights_is_a_layer_that_nobody_counts(tmp_path):
    drawing = drawn(tmp_path, _branch("Relu"))
    assert drawing.layers[-1].uncounted
    assert dict(drawing.layers[-1].options)["what"] == "If"


def test_weights_that_do_not_go_with_what_comes_in_are_refused(tmp_path):
    made = model([node("Conv", "x", "w", "-> y")], {"w": array(4, 5, 3, 3)})
    code, message = _refused(lambda: drawn(tmp_path, made))
    assert (code, message) == (
        "CC403",
        "Conv `y`: conv counts 288 params, the model holds 180 for it",
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
def test_an_operator_that_is_not_as_onnx_has_it_is_refused(tmp_path, name):
    broken, weights = BROKEN[name]
    with pytest.raises(Refusal) as caught:
        drawn(tmp_path, model([broken], weights))
    assert caught.value.code in ("CC302", "CC401", "CC402", "CC403", "CC404", "CC104")
    assert caught.value.message


@settings(max_examples=100, deadline=None)
@given(st.integers(0, 10**6), st.integers(0, 255))
def test_one_wrong_byte_is_refused_or_read_and_nothing_else(at, byte):
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
        with suppress(Refusal):
            read(path)


def test_open_dimensions_are_asked_for_by_name(tmp_path):
    made = model([node("Relu", "x", "-> y")], dims=["n", 3, "height", "width"])
    with pytest.raises(Refusal) as caught:
        drawn(tmp_path, made)
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
def test_open_dimensions_are_taken_as_given(tmp_path, options, shape):
    made = model([node("Relu", "x", "-> y")], dims=["n", 3, "height", "width"])
    assert drawn(tmp_path, made, **options).layers[0].output.text == shape


WRONG = [
    (["n", 3, 8, 8], {"dims": {"m": 1}}, "the model has no dimension `m`"),
    (
        ["n", 3, 8, 8],
        {"dims": {"n": 4}},
        "the dimension `n` is the batch of `x`, which is 1 here",
    ),
    (["n", 3, "h", 8], {"dims": {"h": 0}}, "the dimension `h` must be at least 1, not 0"),
    (["n", 3, "h", "w"], {"size": (8, 8, 8)}, "--size gives 3 numbers, the input `x` is 1×3×?×?"),
    (["n", "c", "h", "w"], {"size": (8,)}, "--size gives 1 number, the input `x` is 1×?×?×?"),
    (
        ["n", 3],
        {"size": (8,)},
        "--size is of an input with channels and a size, the model has none: `x` is ?×3",
    ),
]


@pytest.mark.parametrize(("dims", "options", "message"), WRONG)
def test_dimensions_that_cannot_be_are_refused(tmp_path, dims, options, message):
    made = model([node("Relu", "x", "-> y")], dims=dims)
    assert _refused(lambda: drawn(tmp_path, made, **options)) == ("CC405", message)


FIXED = [
    ([1, 3, 16, 16], (20,), "20×20×3"),
    ([1, 3, 16, 16], (20, 30), "20×30×3"),
    ([1, 3, 16, 16], (16,), "16×16×3"),
    ([1, 16, 16, 3], (20,), "20×20×3"),
    ([1, 3, 16, 16, 16], (20,), "20×20×20×3"),
    ([1, 3, 16], (20,), "20×3"),
]


@pytest.mark.parametrize(("dims", "size", "shape"), FIXED)
def test_a_size_goes_for_every_axis_that_a_model_has_fixed(tmp_path, dims, size, shape):
    drawing = drawn(tmp_path, model([node("Relu", "x", "-> y")], dims=dims), size=size)
    assert drawing.layers[0].output.text == shape
    shown = "×".join(map(str, dims))
    same = size == (16,)
    assert drawing.notes == (
        () if same else (f"`x` is {shown} in the file, and is read for --size",)
    )


def test_a_size_is_of_the_inputs_that_leave_theirs_open(tmp_path):
    made = model(
        [node("Relu", "x", "-> a"), node("Relu", "m", "-> b")],
        inputs={"x": [1, 3, "h", "w"], "m": [1, 1, 5, 5]},
        outputs=["a", "b"],
    )
    outputs = [layer.output.text for layer in drawn(tmp_path, made, size=(20,)).layers]
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
        "Gemm `y`: linear counts 6,000 params, the model holds 3,840 for it",
    ),
    "a reshape": (
        [node("Reshape", "x", "s", "-> y")],
        {"s": ints(1, 3, 16 * 16)},
        f"Reshape `y`: reshapes {3 * 20 * 20:,} elements to [1, 3, {16 * 16}]",
    ),
}


@pytest.mark.parametrize("name", BOUND)
def test_a_model_that_is_bound_to_its_size_is_read_at_no_other(tmp_path, name):
    nodes, weights, message = BOUND[name]
    made = model(nodes, weights, [1, 3, 16, 16])
    assert drawn(tmp_path, made).layers
    with pytest.raises(Refusal) as caught:
        drawn(tmp_path, made, size=(20,))
    assert (caught.value.code, caught.value.message, caught.value.help) == (
        "CC402",
        "the model is bound to its own size, `x` is 1×3×16×16 in the file; at --size 20: "
        + message,
        "import it without --size, or export it for that size",
    )


def test_a_model_for_several_samples_is_read_for_one_and_says_so(tmp_path):
    drawing = drawn(tmp_path, model([node("Relu", "x", "-> y")], dims=(16, *X[1:])))
    assert drawing.notes == ("`x` was exported for 16 samples, read for one",)
    assert drawing.layers[0].output.text == "12×10×8"
