"""Products that are summed at once are one contraction, and nothing else is."""

from onnx_models import array, imported_graph, ints, layer_texts, model, node, summed_counts

INPUTS = {"a": (1, 8, 6, 5), "b": (1, 8, 6, 5)}


def layers(folder, *nodes, **weights):
    layer_graph = imported_graph(folder, model(list(nodes), weights, inputs=INPUTS))
    return layer_texts(layer_graph), summed_counts(layer_graph)[2]


def test_a_product_that_is_summed_over_the_channels_is_a_contraction(tmp_path):
    nodes = (node("Mul", "a", "b", "-> p"), node("ReduceSum", "p", "over", "-> y"))
    assert layers(tmp_path, *nodes, over=ints(1)) == (
        ["contract over=channels → 6×5×1"],
        8 * 6 * 5,
    )


def test_so_is_the_mean_of_a_product_over_an_axis_of_the_size(tmp_path):
    nodes = (node("Mul", "a", "b", "-> p"), node("ReduceMean", "p", "over", "-> y"))
    assert layers(tmp_path, *nodes, over=ints(2)) == (["contract over=1 → 1×5×8"], 8 * 6 * 5)


def test_over_several_axes_the_first_sum_is_the_contraction(tmp_path):
    nodes = (node("Mul", "a", "b", "-> p"), node("ReduceSum", "p", "over", "-> y"))
    assert layers(tmp_path, *nodes, over=ints(1, 2)) == (
        ["contract over=channels → 6×5×1", "sum over=1 → 1×5×1"],
        8 * 6 * 5,
    )


def test_a_sum_over_all_axes_of_a_product_is_one_contraction(tmp_path):
    nodes = (node("Mul", "a", "b", "-> p"), node("ReduceSum", "p", "over", "-> y"))
    assert layers(tmp_path, *nodes, over=ints(1, 2, 3)) == (
        ["contract over=all → 1×1×1"],
        8 * 6 * 5,
    )
    assert layers(tmp_path, *nodes, over=ints(2, 3)) == (["contract over=size → 1×1×8"], 8 * 6 * 5)


def test_a_gate_of_channels_only_scales_what_is_summed(tmp_path):
    gate = node("GlobalAveragePool", "b", "-> g")
    nodes = (gate, node("Mul", "a", "g", "-> p"), node("ReduceSum", "p", "over", "-> y"))
    assert layers(tmp_path, *nodes, over=ints(2)) == (
        ["global_avg_pool → 1×1×8", "multiply → 6×5×8", "sum over=1 → 1×5×8"],
        0,
    )


def test_a_learned_factor_of_each_channel_that_is_summed_over_the_channels_is_a_branch(tmp_path):
    nodes = (node("Mul", "a", "own.w", "-> p"), node("ReduceSum", "p", "over", "-> y"))
    found, macs = layers(tmp_path, *nodes, **{"own.w": array(8, 1, 1)}, over=ints(1))
    assert [line.split()[0] for line in found] == ["learned", "contract"]
    assert macs == 8 * 6 * 5
    scaled = (["scale → 6×5×8", "sum over=size → 1×1×8"], 0)
    assert layers(tmp_path, *nodes, **{"own.w": array(8, 1, 1)}, over=ints(2, 3)) == scaled
    scaled = (["scale shared=True → 6×5×8", "sum over=channels → 6×5×1"], 0)
    assert layers(tmp_path, *nodes, **{"own.w": array(1)}, over=ints(1)) == scaled


def test_a_fixed_factor_that_is_summed_over_is_a_branch_and_no_param(tmp_path):
    nodes = (node("Mul", "a", "fixed", "-> p"), node("ReduceSum", "p", "over", "-> y"))
    found, macs = layers(tmp_path, *nodes, fixed=array(8, 1, 1), over=ints(1))
    assert [line.split()[0] for line in found] == ["learned", "reshape", "contract"]
    assert macs == 8 * 6 * 5


def test_a_product_that_something_else_reads_stays(tmp_path):
    nodes = (
        node("Mul", "a", "b", "-> p"),
        node("ReduceSum", "p", "over", "-> s"),
        node("Add", "p", "s", "-> y"),
    )
    kinds = [layer.split()[0] for layer in layers(tmp_path, *nodes, over=ints(1))[0]]
    assert kinds == ["multiply", "sum", "add"]


def test_layers_after_a_contraction_keep_their_inputs_and_shared_weights(tmp_path):
    nodes = (
        node("Conv", "a", "w", "-> first"),
        node("Conv", "b", "w", "-> second"),
        node("Mul", "first", "second", "-> p"),
        node("ReduceSum", "p", "over", "-> s"),
        node("Concat", "s", "first", "-> y", axis=1),
    )
    layer_graph = imported_graph(
        tmp_path, model(list(nodes), {"w": array(8, 8, 1, 1), "over": ints(1)}, inputs=INPUTS)
    )
    found = [(layer.kind, layer.inputs, layer.shares) for layer in layer_graph.layers]
    assert found == [
        ("conv", (-1,), None),
        ("conv", (-2,), 0),
        ("contract", (0, 1), None),
        ("concat", (2, 0), None),
    ]
    assert layer_graph.outputs == (3,)
