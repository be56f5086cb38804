"""An `If` or a `Loop` that constants determine has the layers of what runs."""

import numpy as np
import pytest
from onnx import TensorProto, helper, numpy_helper
from onnx_models import FLOAT, array, imported_graph, ints, layer_texts, model, node, summed_counts
from support import at_most

from convcost.importing.frontends.onnx import inlining
from convcost.importing.ir.constant import Constant
from convcost.importing.spec import proved_spec
from convcost.model.errors import ConstraintError

X = (1, 8, 6, 5)
CONV = 8 * 8
TRUE = np.array(1, bool)


def body(nodes, inputs=(), outputs=("o",), **stored):
    """A nested graph. The first of several inputs is a number, the second a condition."""
    typed = [helper.make_empty_tensor_value_info(name) for name in inputs[2:]]
    if inputs:
        condition = helper.make_tensor_value_info(inputs[1], TensorProto.BOOL, [])
        typed = [helper.make_tensor_value_info(inputs[0], TensorProto.INT64, []), condition, *typed]
    ends = [helper.make_empty_tensor_value_info(name) for name in outputs]
    held = [numpy_helper.from_array(array, name) for name, array in stored.items()]
    return helper.make_graph(nodes, "body", typed, ends, held)


def constant(name, *dims):
    return node("Constant", f"-> {name}", value=numpy_helper.from_array(array(*dims)))


def conv(weights, x="x"):
    return body([node("Conv", x, weights, "-> o")], **{weights: array(8, 8, 1, 1)})


def step(op, *inputs):
    """The body of a loop with the state `s`, whose condition never changes."""
    names = ("i", "c", "s")
    return body([node("Identity", "c", "-> d"), node(op, "s", *inputs, "-> t")], names, ("d", "t"))


def refusal(tmp_path, made):
    with pytest.raises(ConstraintError) as caught:
        imported_graph(tmp_path, made)
    return caught.value.message


@pytest.mark.parametrize(("condition", "runs", "other"), [(1, "v", "w"), (0, "w", "v")])
def test_the_branch_of_a_constant_condition_is_imported(tmp_path, condition, runs, other):
    nodes = [
        node("If", "c", "-> h", then_branch=conv("v"), else_branch=conv("w")),
        node("Relu", "h", "-> y"),
    ]
    graph = imported_graph(tmp_path, model(nodes, {"c": np.array(condition, bool)}, X))
    assert layer_texts(graph) == ["conv filters=8 kernel=1 → 6×5×8", "relu → 6×5×8"]
    assert summed_counts(graph) == (CONV, 0, CONV * 6 * 5)
    assert graph.layers[0].path == (runs,)
    assert graph.notes == (f"64 numbers of the file are in no layer: `{other}` (64)",)
    proved_spec(graph)


def test_constants_of_nodes_that_do_not_run_are_in_a_note(tmp_path):
    branch = body([constant("w", 8, 8, 1, 1), node("Conv", "x", "w", "-> o")])
    nodes = [
        constant("idle", 7, 5),
        node("If", "c", "-> y", then_branch=conv("v"), else_branch=branch),
    ]
    graph = imported_graph(tmp_path, model(nodes, {"c": TRUE}, X))
    assert summed_counts(graph) == (CONV, 0, CONV * 6 * 5)
    assert graph.notes == ("99 numbers of the file are in no layer: `w` (64), `idle` (35)",)


def test_constants_of_a_branch_that_depends_on_the_data_are_in_a_note(tmp_path):
    branches = [body([constant("k", 8, 1, 1), node(op, "x", "k", "-> o")]) for op in ("Mul", "Add")]
    nodes = [
        node("ReduceSum", "x", "-> s", keepdims=0),
        node("Cast", "s", "-> c", to=TensorProto.BOOL),
        node(
            "If",
            "c",
            "-> y",
            then_branch=branches[0],
            else_branch=body([node("Relu", "x", "-> o")]),
        ),
        node(
            "If",
            "c",
            "-> z",
            then_branch=branches[1],
            else_branch=body([node("Relu", "x", "-> o")]),
        ),
    ]
    graph = imported_graph(tmp_path, model(nodes, {}, X, outputs=("y", "z")))
    assert graph.notes == (
        "16 numbers of the file are in no layer: `k in If `y`` (8), `k in If `z`` (8)",
    )


def test_a_condition_that_is_computed_from_shapes_is_constant(tmp_path):
    """As PyTorch exports `squeeze`."""
    squeeze = body([node("Squeeze", "p", "axes", "-> o")], axes=ints(2, 3))
    nodes = [
        node("GlobalAveragePool", "x", "-> p"),
        node("Shape", "p", "-> s"),
        node("Gather", "s", "two", "-> n"),
        node("Equal", "n", "one", "-> c"),
        node(
            "If",
            "c",
            "-> h",
            then_branch=squeeze,
            else_branch=body([node("Identity", "p", "-> o")]),
        ),
        node("MatMul", "h", "w", "-> y"),
    ]
    weights = {"two": np.array(2), "one": np.array(1), "w": array(8, 4)}
    graph = imported_graph(tmp_path, model(nodes, weights, X))
    assert layer_texts(graph) == [
        "global_avg_pool → 1×1×8",
        "flatten → 8",
        "linear features=4 bias=False → 4",
    ]


def test_a_branch_within_a_branch_is_imported(tmp_path):
    inner = node("If", "c", "-> o", then_branch=conv("v", "r"), else_branch=conv("w", "r"))
    outer = body([node("Relu", "x", "-> r"), inner])
    nodes = [node("If", "c", "-> y", then_branch=outer, else_branch=conv("u"))]
    graph = imported_graph(tmp_path, model(nodes, {"c": TRUE}, X))
    assert layer_texts(graph) == ["relu → 6×5×8", "conv filters=8 kernel=1 → 6×5×8"]


@pytest.mark.parametrize("condition", ["", "yes"])
def test_the_steps_of_a_loop_share_their_weights(tmp_path, condition):
    nodes = [node("Loop", "n", condition, "x", "-> y", body=step("Conv", "w"))]
    stored = {"n": np.array(3), "yes": TRUE, "w": array(8, 8, 1, 1)}
    graph = imported_graph(tmp_path, model(nodes, stored, X))
    assert layer_texts(graph) == ["conv filters=8 kernel=1 → 6×5×8"] * 3
    assert [layer.shares for layer in graph.layers] == [None, 0, 0]
    assert summed_counts(graph) == (CONV, 0, 3 * CONV * 6 * 5)
    proved_spec(graph)


@pytest.mark.parametrize("opset", [11, 20])
def test_outputs_of_steps_are_stacked(tmp_path, opset):
    nodes = [
        node("Identity", "c", "-> d"),
        node("Conv", "s", "w", "-> t"),
        node("Relu", "t", "-> r"),
    ]
    inner = body(nodes, ("i", "c", "s"), ("d", "t", "r"), w=array(8, 8, 1, 1))
    outer = [node("Loop", "n", "", "x", "-> last", "y", body=inner)]
    graph = imported_graph(tmp_path, model(outer, {"n": np.array(2)}, X, opset=opset))
    assert summed_counts(graph) == (CONV, 0, 2 * CONV * 6 * 5)
    assert graph.layers[graph.outputs[0]].output.elements == 2 * 8 * 6 * 5


@pytest.mark.parametrize(
    ("steps", "condition", "goes_on", "convs"),
    [(3, 1, 0, 1), (0, 1, 1, 0), (3, 0, 1, 0), (3, 1, 1, 3)],
)
def test_a_loop_runs_as_often_as_its_constants_say(tmp_path, steps, condition, goes_on, convs):
    nodes = [
        node("Constant", "-> d", value=numpy_helper.from_array(np.array(goes_on, bool))),
        node("Conv", "s", "w", "-> t"),
    ]
    inner = body(nodes, ("i", "c", "s"), ("d", "t"))
    outer = [node("Loop", "n", "b", "x", "-> h", body=inner), node("Relu", "h", "-> y")]
    stored = {"n": np.array(steps), "b": np.array(condition, bool), "w": array(8, 8, 1, 1)}
    graph = imported_graph(tmp_path, model(outer, stored, X))
    assert [layer.kind for layer in graph.layers] == ["conv"] * convs + ["relu"]


def test_a_loop_may_leave_constants_that_nothing_reads(tmp_path):
    """As PyTorch exports an `EmbeddingBag`."""
    yes = node("Constant", "-> yes", value=numpy_helper.from_array(TRUE))
    nodes = [yes, node("Loop", "n", "yes", "x", "-> y", body=step("Conv", "w"))]
    made = model(nodes, {"n": np.array(2), "w": array(8, 8, 1, 1)}, X)
    made.producer_name = "pytorch"
    assert summed_counts(imported_graph(tmp_path, made)) == (CONV, 0, 2 * CONV * 6 * 5)


def test_a_loop_of_too_many_steps_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(inlining, "MAX_ADDED_NODES", 2)
    nodes = [node("Loop", "n", "", "x", "-> y", body=step("Conv", "w"))]
    made = model(nodes, {"n": np.array(3), "w": array(8, 8, 1, 1)}, X)
    assert refusal(tmp_path, made) == (
        "Loop `y`: it runs a Conv in each step, and convcost imports only the steps of a Loop with "
        "a known number of steps and at most 20,000 operators"
    )


def loop(x, y, *nodes):
    """A `Loop` of ten steps. Its body has the state `s`; without nodes it returns that."""
    inner = body(nodes, ("i", "c", "s"), ("c", "t" if nodes else "s"))
    return node("Loop", "ten", "", x, f"-> {y}", body=inner)


RELU = node("Relu", "s", "-> t")
BRANCHES = {name: body([node("Relu", "s", "-> o")]) for name in ("then_branch", "else_branch")}
LOOPS = {  # how many nodes all steps add, with an Identity for the output of a first pass
    "loops in series": (10 * 1 + 10 * 1 - 2 * 2, [loop("x", "h", RELU), loop("h", "y", RELU)]),
    "a loop in a loop": (10 * 10 * 1 - 3 + 1, [loop("x", "y", loop("s", "t", RELU))]),
    "branches in a loop": (10 * 3 - 4, [loop("x", "y", node("If", "ten", "-> t", **BRANCHES))]),
    "many inputs": (
        10 * (1 + (33 - 4) // 2) - (1 + 1 + (33 - 4) // 2),
        [loop("x", "y", node("Sum", *["s"] * 32, "-> t"))],
    ),
    "steps without nodes": (10 * 1 - 2, [loop("x", "y")]),
}


@pytest.mark.parametrize("name", LOOPS)
def test_the_nodes_that_all_loops_add_are_limited(name):
    added, nodes = LOOPS[name]
    constants = {"ten": Constant((), is_float=False, data=np.array(10))}

    def has_loops(max_added):
        made = model(nodes, {"ten": np.array(10)}, X)
        max_nodes = inlining.count_nodes(made.graph.node) + max_added
        while inlining.resolve_control_flow(made, constants, max_nodes):
            pass
        return any(node.op_type == "Loop" for node in made.graph.node)

    assert not has_loops(added)
    assert has_loops(added - 1)


def test_the_tensors_of_many_steps_are_numbered_in_time():
    """The numbers of one name are not tried again in each step."""
    made = model([loop("x", "y", RELU)], {"ten": np.array(400)}, X)
    with at_most(lines=40_000):
        assert inlining.resolve_control_flow(
            made, {"ten": Constant((), is_float=False, data=np.array(400))}, 1_000
        )


def test_branches_of_several_nodes_may_use_one_name(tmp_path):
    """The second condition is known only after the first branch replaced its `If`."""
    flat = body([node("Flatten", "x", "-> o")])
    first = node("If", "c", "-> h", then_branch=body([node("Relu", "x", "-> o")]), else_branch=flat)
    flat = body([node("Flatten", "h", "-> o")])
    conv_of_h = conv("w", "h")
    nodes = [
        first,
        node("Shape", "h", "-> s"),
        node("Size", "s", "-> n"),
        node("Equal", "n", "four", "-> d"),
        node("If", "d", "-> y", then_branch=conv_of_h, else_branch=flat),
    ]
    graph = imported_graph(tmp_path, model(nodes, {"c": TRUE, "four": np.array(4)}, X))
    assert layer_texts(graph) == ["relu → 6×5×8", "conv filters=8 kernel=1 → 6×5×8"]


def test_a_scan_of_weights_is_refused(tmp_path):
    inner = body([node("Gemm", "s", "w", "-> t")], (), ("t",))
    inner.input.append(helper.make_tensor_value_info("s", FLOAT, [1, 8]))
    nodes = [node("Scan", "x", "-> y", body=inner, num_scan_inputs=1)]
    assert refusal(tmp_path, model(nodes, {"w": array(8, 8)}, (3, 1, 8))) == (
        "Scan `y`: it runs a Gemm in each step, and convcost imports only the steps of a Loop with "
        "a known number of steps and at most 20,000 operators"
    )
