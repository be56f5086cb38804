"""Stored tensors: each is counted, or named in a note, and all together are those of the file."""

import re
import warnings

import numpy as np
import pytest
import tflite
from onnx_models import summed_counts
from tflite_models import SAME, array, conv, imported_graph, ints, model, node

from convcost.importing.frontends.tflite.operators import NUMBER
from convcost.model.errors import ConstraintError

X = (1, 12, 10, 8)
Y = (1, 12, 10, 4)
W, B = array(4, 3, 3, 8), array(4)
SEVERAL = "counted for each of several layers, since equal tensors are stored once"
NOTE = re.compile(r"([\d,]+) numbers? of the file (?:is|are) (.*?): ")


def stored(data: bytes) -> int:
    """The elements of all tensors that the file stores, by an independent walk."""
    file = tflite.Model.GetRootAsModel(data, 0)
    graph = file.Subgraphs(0)
    found = {}
    for at in range(graph.TensorsLength()):
        one = graph.Tensors(at)
        if file.Buffers(one.Buffer()).DataLength():
            found[one.Buffer(), one.Type()] = int(np.prod(one.ShapeAsNumpy()))
    return sum(found.values())


def accounted(graph, options: int = 0) -> int:
    """Counted elements, those that the notes name, and the elements of options such as shapes.
    Copies of a tensor that several layers count are in a note too."""
    params, buffers, _ = summed_counts(graph)
    named = {}
    for note in graph.notes:
        if found := NOTE.match(note):
            named[found[2]] = int(found[1].replace(",", ""))
    copies = named.pop(SEVERAL, 0)
    return params + buffers + sum(named.values()) - copies + options


def test_the_elements_of_a_file_are_counted_or_named(tmp_path):
    nodes = [
        conv("x", "w", "b", "-> c", Padding=SAME),
        node("ADD", "c", "two", "-> a"),
        node("RESHAPE", "a", "to", "-> y"),
    ]
    tensors = {"x": X, "w": W, "b": B, "c": Y, "two": np.asarray(np.float32(2)), "a": Y,
               "to": ints(1, 480), "y": (1, 480), "idle": array(5, 7)}  # fmt: skip
    made = model(nodes, tensors)
    graph = imported_graph(tmp_path, made)
    assert graph.notes == (
        "35 numbers of the file are in no layer: `idle` (35)",
        f"1 number of the file is {NUMBER}: `two` (1)",
    )
    assert accounted(graph, options=2) == stored(made) == 4 * 3 * 3 * 8 + 4 + 1 + 2 + 5 * 7


def test_half_precision_weights_count_as_their_elements(tmp_path):
    nodes = [node("DEQUANTIZE", "h", "-> w"), conv("x", "w", "b", "-> y", Padding=SAME)]
    tensors = {"x": X, "h": W.astype(np.float16), "w": W.shape, "b": B, "y": Y}
    made = model(nodes, tensors)
    graph = imported_graph(tmp_path, made)
    stated = f"{4 * 3 * 3 * 8} as float16 ({2 * 4 * 3 * 3 * 8} bytes), 4 as float32 (16 bytes)"
    assert graph.notes == (f"stored numbers of layers: {stated}",)
    assert accounted(graph) == stored(made) == 4 * 3 * 3 * 8 + 4


def test_half_precision_weights_that_begin_with_zero_cause_no_warning(tmp_path):
    half = array(4, 3, 3, 8).astype(np.float16) - np.float16(1)
    nodes = [node("DEQUANTIZE", "h", "-> w"), conv("x", "w", "-> y", Padding=SAME)]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        graph = imported_graph(tmp_path, model(nodes, {"x": X, "h": half, "w": W.shape, "y": Y}))
    assert summed_counts(graph)[0] == 4 * 3 * 3 * 8


def test_a_quantized_model_is_read_as_the_float_model(tmp_path):
    nodes = [
        node("QUANTIZE", "x", "-> q"),
        conv("q", "w", "b", "-> c", Padding=SAME),
        node("DEQUANTIZE", "c", "-> y"),
    ]
    tensors = {"x": X, "q": X, "w": W.astype(np.int8), "b": B.astype(np.int32), "c": Y, "y": Y}
    graph = imported_graph(tmp_path, model(nodes, tensors, types={"q": "INT8", "c": "INT8"}))
    assert summed_counts(graph) == (4 * 3 * 3 * 8 + 4, 0, 12 * 10 * 4 * 3 * 3 * 8)
    assert graph.free == (("DEQUANTIZE", 1), ("QUANTIZE", 1))
    stated = "4 as int32 (16 bytes), 288 as int8 (288 bytes)"
    assert graph.notes == (f"stored numbers of layers: {stated}",)


def test_four_bits_are_half_a_byte(tmp_path):
    nodes = [conv("x", "w", "-> y", Padding=SAME)]
    packed = np.zeros(4 * 3 * 3 * 8 // 2, np.uint8)
    made = model(nodes, {"x": X, "w": packed, "y": Y}, types={"w": "INT4"}, shapes={"w": W.shape})
    graph = imported_graph(tmp_path, made)
    assert summed_counts(graph)[0] == 4 * 3 * 3 * 8
    assert graph.notes == ("stored numbers of layers: 288 as int4 (144 bytes)",)


def test_sparse_weights_count_with_their_zeros(tmp_path):
    nodes = [node("DENSIFY", "s", "-> w"), conv("x", "w", "-> y", Padding=SAME)]
    tensors = {"x": X, "s": array(20), "w": W.shape, "y": Y}
    made = model(nodes, tensors, sparse=["s"], shapes={"s": W.shape})
    graph = imported_graph(tmp_path, made)
    assert summed_counts(graph)[0] == 4 * 3 * 3 * 8
    assert graph.notes == ("288 weights are stored as sparse tensors; their zeros count too",)


def test_weights_that_two_layers_share_count_once(tmp_path):
    nodes = [conv("x", "w", "b", "-> c", Padding=SAME), conv("c", "v", "b", "-> y", Padding=SAME)]
    square = array(8, 3, 3, 8)
    tensors = {"x": X, "w": square, "v": square, "b": array(8), "c": X, "y": X}
    graph = imported_graph(tmp_path, model(nodes, tensors, same={"v": "w"}))
    assert summed_counts(graph)[0] == 8 * 3 * 3 * 8 + 8
    assert [layer.shares for layer in graph.layers] == [None, 0]


def test_a_bias_that_is_stored_once_for_other_weights_counts_for_each_layer(tmp_path):
    nodes = [conv("x", "w", "b", "-> c", Padding=SAME), conv("c", "v", "d", "-> y", Padding=SAME)]
    tensors = {"x": X, "w": array(8, 3, 3, 8), "v": array(8, 1, 1, 8), "b": array(8),
               "d": array(8), "c": X, "y": X}  # fmt: skip
    made = model(nodes, tensors, same={"d": "b"})
    graph = imported_graph(tmp_path, made)
    assert summed_counts(graph)[0] == 8 * 3 * 3 * 8 + 8 + 8 * 8 + 8
    assert graph.notes == (f"8 numbers of the file are {SEVERAL}: `b` (8)",)
    assert accounted(graph) == stored(made)


def test_equal_bytes_of_two_types_are_two_tensors(tmp_path):
    nodes = [node("PAD", "x", "p", "-> a"), conv("a", "w", "b", "-> y", Padding=SAME)]
    tensors = {"x": X, "p": np.zeros((4, 2), np.int32), "a": X, "w": array(16, 3, 3, 8),
               "b": np.zeros(16, np.float16), "y": (1, 12, 10, 16)}  # fmt: skip
    graph = imported_graph(tmp_path, model(nodes, tensors, same={"b": "p"}))
    assert summed_counts(graph)[0] == 16 * 3 * 3 * 8 + 16


def test_weights_that_are_used_to_compute_a_tensor_are_named(tmp_path):
    along = {"kind": "ConcatenationOptions", "Axis": 1}
    nodes = [node("MUL", "a", "b", "-> c"), node("CONCATENATION", "x", "c", "-> y", **along)]
    y = (1, 24, 10, 8)
    tensors = {"x": X, "a": array(1, 12, 10, 1), "b": array(8), "c": X, "y": y}
    graph = imported_graph(tmp_path, model(nodes, tensors))
    assert [layer.kind for layer in graph.layers] == ["constant", "concat"]
    why = "used to compute other tensors, and not counted as params"
    assert graph.notes == (f"128 numbers of the file are {why}: `a` (120), `b` (8)",)


def test_the_order_of_transposed_weights_is_an_option(tmp_path):
    nodes = [node("TRANSPOSE", "v", "order", "-> w"), conv("x", "w", "-> y", Padding=SAME)]
    tensors = {"x": X, "v": array(3, 3, 8, 4), "order": ints(3, 0, 1, 2), "w": (4, 3, 3, 8)}
    graph = imported_graph(tmp_path, model(nodes, tensors | {"y": (1, *X[1:3], 4)}))
    assert summed_counts(graph) == (4 * 3 * 3 * 8, 0, 4 * 3 * 3 * 8 * X[1] * X[2])
    assert graph.notes == ()


def test_a_state_is_not_a_stored_tensor(tmp_path):
    nodes = [
        node("READ_VARIABLE", "handle", "-> s"),
        node("CONCATENATION", "s", "x", "-> y", kind="ConcatenationOptions", Axis=1),
        node("ASSIGN_VARIABLE", "handle", "y", "->"),
    ]
    tensors = {"x": X, "handle": (), "s": (1, 2, 10, 8), "y": (1, 14, 10, 8)}
    graph = imported_graph(tmp_path, model(nodes, tensors, variable=["handle"]))
    assert [layer.kind for layer in graph.layers] == ["constant", "concat"]
    assert (summed_counts(graph), graph.notes) == ((0, 0, 0), ())


HANDLE = node("VAR_HANDLE", "-> handle", kind="VarHandleOptions", SharedName="kernel")
READ = node("READ_VARIABLE", "handle", "-> w")
ASSIGN = node("ASSIGN_VARIABLE", "handle", "kernel", "->")
ONCE = node("CALL_ONCE", "->", kind="CallOnceOptions", InitSubgraphIndex=1)
MATRIX = {"x": (1, 5), "handle": (), "kernel": array(5, 3), "w": (5, 3), "y": (1, 3)}


def test_a_variable_that_only_the_initial_subgraph_assigns_is_a_stored_tensor(tmp_path):
    """As the converter writes the model of a signature, if another signature trains it."""
    nodes = [ONCE, HANDLE, READ, node("BATCH_MATMUL", "x", "w", "-> y")]
    made = model(nodes, MATRIX, once=[HANDLE, ASSIGN])
    graph = imported_graph(tmp_path, made)
    assert [layer.kind for layer in graph.layers] == ["linear"]
    assert (summed_counts(graph), graph.notes) == ((5 * 3, 0, 5 * 3), ())


def test_a_variable_that_the_model_assigns_is_a_state(tmp_path):
    nodes = [ONCE, HANDLE, READ, node("BATCH_MATMUL", "x", "w", "-> y"),
             node("ASSIGN_VARIABLE", "handle", "x", "->")]  # fmt: skip
    graph = imported_graph(tmp_path, model(nodes, MATRIX, once=[HANDLE, ASSIGN]))
    assert [layer.kind for layer in graph.layers] == ["constant", "reshape", "matmul"]
    assert summed_counts(graph) == (0, 0, 5 * 3)
    assert graph.notes == ("15 numbers of the file are in no layer: `kernel` (15)",)


def refusal(tmp_path, nodes, tensors):
    with pytest.raises(ConstraintError) as error:
        imported_graph(tmp_path, model(nodes, tensors))
    return error.value.code, error.value.message


def test_a_variable_without_stored_numbers_is_refused(tmp_path):
    nodes = [HANDLE, READ, node("BATCH_MATMUL", "x", "w", "-> y")]
    tensors = {name: dims for name, dims in MATRIX.items() if name != "kernel"}
    message = "the model reads the variable `handle`, and the file does not store its numbers"
    assert refusal(tmp_path, nodes, tensors) == ("CC401", message)


def test_weights_that_are_computed_from_several_tensors_are_refused(tmp_path):
    nodes = [node("ADD", "kernel", "scale", "-> w"), conv("x", "w", "-> y", Padding=SAME)]
    tensors = {"x": X, "kernel": W, "scale": B, "w": W.shape, "y": Y}
    what = "the weights at input 1 are computed or variable, and convcost reads stored weights only"
    assert refusal(tmp_path, nodes, tensors) == ("CC401", f"CONV_2D `y`: {what}")


BIASED = {
    "FULLY_CONNECTED": (node("FULLY_CONNECTED", "x", "w", "b", "-> y",
                             kind="FullyConnectedOptions", KeepNumDims=True), (4, 8), 1),
    "CONV_2D": (conv("x", "w", "b", "-> y", Padding=SAME), W.shape, 9),
    "TRANSPOSE_CONV": (conv("to", "w", "x", "b", "-> y", op="TRANSPOSE_CONV",
                            kind="TransposeConvOptions", Padding=SAME), W.shape, 9),
    "Convolution2DTransposeBias": (node("Convolution2DTransposeBias", "x", "w", "b", "-> y",
                                        custom=np.array([1, 1, 1], np.int32).tobytes()),
                                   W.shape, 9),
}  # fmt: skip


@pytest.mark.parametrize("computed", ["from the input", "from constants"])
@pytest.mark.parametrize("op", BIASED)
def test_a_computed_bias_is_a_layer_without_params(tmp_path, op, computed):
    layer, dims, taps = BIASED[op]
    of_input = [node("REDUCE_MAX", "x", "axes", "-> m"), node("SLICE", "m", "at", "n", "-> b")]
    first = of_input if computed == "from the input" else [node("FILL", "n", "zero", "-> b")]
    tensors = {"x": X, "to": ints(*Y), "axes": ints(0, 1, 2), "m": (8,), "at": ints(0),
               "n": ints(4), "zero": np.zeros((), np.float32), "b": (4,), "w": array(*dims),
               "y": Y}  # fmt: skip
    graph = imported_graph(tmp_path, model([*first, layer], tensors))
    assert graph.layers[-1].kind == "add"
    assert summed_counts(graph) == (4 * 8 * taps, 0, 12 * 10 * 4 * 8 * taps)
    assert graph.gaps == ()


def test_other_subgraphs_are_left_out_and_named_with_their_tensors(tmp_path):
    made = model([node("RELU", "x", "-> y")], {"x": X, "y": X}, others=["decode", "step"])
    assert imported_graph(tmp_path, made).notes == (
        "left out: 2 other subgraphs of the file: `decode`, `step`",
    )


def test_a_subgraph_that_only_initializes_states_is_not_left_out(tmp_path):
    nodes = [
        node("CALL_ONCE", "->", kind="CallOnceOptions", InitSubgraphIndex=1),
        node("RELU", "x", "-> y"),
    ]
    made = model(nodes, {"x": X, "y": X}, others=["NoOp"])
    assert imported_graph(tmp_path, made).notes == ()


def test_stored_indices_are_options_and_no_numbers_without_a_layer(tmp_path):
    nodes = [node("GATHER", "x", "at", "-> y", kind="GatherOptions", Axis=1)]
    tensors = {"x": X, "at": ints(3, 1, 2), "y": (1, 3, 10, 8)}
    graph = imported_graph(tmp_path, model(nodes, tensors))
    assert ([layer.kind for layer in graph.layers], graph.notes) == (["custom"], ())


def test_integers_that_an_unknown_operator_reads_are_named_and_not_left_out(tmp_path):
    nodes = [node("Wavelet", "x", "at", "one", "-> y", custom=b"?")]
    made = model(nodes, {"x": X, "y": X, "at": ints(3, 1, 2), "one": array(1)})
    graph = imported_graph(tmp_path, made)
    assert graph.notes == ("3 numbers of the file are in no layer: `at` (3)",)
    assert graph.gaps == ()


@pytest.mark.parametrize("second", ["c", ""])
def test_layers_that_share_weights_have_biases_of_their_own(tmp_path, second):
    """As the quantizer writes a layer that runs twice: its biases have different scales."""
    nodes = [
        conv("x", "w", "b", "-> h", Padding=SAME),
        conv("h", "w", second, "-> y", Padding=SAME),
    ]
    tensors = {"x": X, "w": array(8, 3, 3, 8), "b": array(8), "h": X, "y": X}
    if second:
        tensors[second] = array(8) + 1
    graph = imported_graph(tmp_path, model(nodes, tensors))
    filters = 8 * 3 * 3 * 8
    assert summed_counts(graph) == (filters + len("b" + second) * 8, 0, 2 * filters * 12 * 10)
    assert graph.notes == ()


@pytest.mark.parametrize("lowest", [-np.inf, -1e9, -3e4])
def test_a_mask_of_zeros_and_one_large_negative_number_is_not_a_param(tmp_path, lowest):
    nodes = [node("RELU", "x", "-> s"), node("ADD", "s", "t", "-> y")]
    mask = np.where(np.eye(8) > 0, 0, lowest).astype(np.float32).reshape(1, 1, 8, 8)
    tensors = {"x": (1, 2, 8, 8), "s": (1, 2, 8, 8), "t": mask, "y": (1, 2, 8, 8)}
    graph = imported_graph(tmp_path, model(nodes, tensors))
    assert summed_counts(graph) == (0, 0, 0)
    assert graph.notes == (
        "64 numbers of the file are constant, and not counted as params: `t` (64)",
    )


LEARNED = {
    "SELECT_V2": ([node("GREATER", "x", "zero", "-> c"), node("SELECT_V2", "c", "x", "t", "-> y")],
                  {"c": X, "zero": np.asarray(np.float32(0)), "t": array(12, 10, 8)}, 12 * 10 * 8),
    "MAXIMUM": ([node("RELU", "x", "-> c"), node("MAXIMUM", "c", "t", "-> y")],
                {"c": X, "t": array(12, 10, 8)}, 12 * 10 * 8),
    "GATHER_ND": ([node("CAST", "x", "-> c"), node("GATHER_ND", "t", "c", "-> y")],
                  {"c": X, "t": array(*[2] * 8, 5), "y": (1, 12, 10, 5)}, 2**8 * 5),
    "a selected tensor of equal numbers": (
        [node("GREATER", "x", "zero", "-> c"), node("SELECT_V2", "c", "x", "t", "-> y")],
        {"c": X, "zero": np.asarray(np.float32(0)), "t": np.zeros((12, 10, 8), np.float32)}, 0,
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", LEARNED)
def test_a_table_in_the_place_of_the_input_is_learned(tmp_path, name):
    nodes, tensors, params = LEARNED[name]
    graph = imported_graph(tmp_path, model(nodes, {"x": X, "y": X, **tensors}))
    assert (summed_counts(graph), graph.gaps) == ((params, 0, 0), ())
