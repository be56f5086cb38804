"""Conventions as values: rules, names, and what no spec can know."""

import json
import subprocess
import sys
from math import prod

import pytest
from support import ROOT, cost, run, shipped

from convcost.conventions import (
    CONVENTIONS,
    LayerUse,
    N,
    X,
    Y,
    distinct_layer_uses,
    find_convention,
    find_conventions,
)
from convcost.model.costs import costs
from convcost.model.errors import UsageError
from convcost.model.kind import KINDS
from convcost.model.shape import Shape
from convcost.reports.kinds import example_network

NAMES = [name for name, _ in CONVENTIONS.items()]


def counted(name, costs):
    return find_convention(name).count(costs)


def total(name, layer, shape="channels: 16, size: 8", **options):
    text = f"name: one\ninput: {{{shape}}}\nlayers: [{layer}]\n"
    result = counted(name, cost(text, **options))
    assert not result.uncounted
    return result.total


def convcost_costs(example):
    return costs(example_network(example))


def test_each_file_has_the_convention_of_its_name():
    files = sorted((ROOT / "convcost" / "conventions").glob("[!_]*.py"))
    assert [name for name in NAMES if ":" not in name] == [file.stem for file in files]


@pytest.mark.parametrize("name", NAMES)
def test_the_rules_of_a_convention_name_kinds_and_operations(name):
    kinds = dict(KINDS.items())
    operations = {kind.operation for kind in kinds.values()}
    assert set(CONVENTIONS[name].rules) <= {*kinds, *operations, "*"}


def test_a_formula_computes_and_prints():
    use = LayerUse(KINDS["relu"](), (Shape(4, (8, 8)),), Shape(4, (4, 4)), batch=2)
    formula = 2 * X - (Y + 1) * 3 // (N * 2)
    assert formula.text == "2·X − (Y + 1)·3/(N·2)"
    resize = find_convention("fvcore").rules["resize"].formula
    assert resize.text == "by mode (nearest: Y; linear: 4·Y) (not 2 axes: 0)"
    assert formula.evaluate(use) == 2 * 512 - (128 + 1) * 3 // 4
    assert formula.quantities == {
        "X": "elements of the input",
        "Y": "elements of the output",
        "N": "samples",
    }


LAYERS = [name for name, kind in KINDS.items() if kind.role in ("layer", "join")]


SEVERAL = (
    "if it is several operations in one, or its biases are not one for each output element, set "
    "no `operation`, and give it rules by its name in convcost/conventions/flops.py and _rules.py"
)


@pytest.mark.parametrize("kind", LAYERS)
def test_a_kind_of_layer_says_what_it_computes(kind):
    has_rule = kind in find_convention("flops").rules
    assert KINDS[kind].operation or has_rule, (
        f"set the trait `operation` of `{kind}`, see docs/plugins.md; {SEVERAL}"
    )


AT_OUTPUT = ("conv", "deformable_conv", "linear")  # uses each weight at each output position
AT_INPUT = ("transposed_conv",)
FILTERS = [name for name in LAYERS if KINDS[name].operation in (*AT_OUTPUT, *AT_INPUT)]


@pytest.mark.parametrize("kind", FILTERS)
def test_a_kind_with_filters_is_a_single_operation(kind):
    for example in KINDS[kind].examples:
        layer = convcost_costs(example).layers[-1]
        shape = layer.output if KINDS[kind].operation in AT_OUTPUT else example.input
        macs = (layer.weights or layer.buffers) * prod(shape.size)
        assert layer.macs == macs, f"the macs of `{kind}`: {SEVERAL}"
        assert layer.biases in (0, layer.output.channels), f"the biases of `{kind}`: {SEVERAL}"


@pytest.mark.parametrize("kind", LAYERS)
def test_the_conventions_of_convcost_count_every_example(kind):
    for example in KINDS[kind].examples:
        costs = convcost_costs(example)
        for name in ("macs", "flops"):
            unknown = {layer.kind for layer in costs.layers if layer.uncounted}
            assert {kind for kind, _ in counted(name, costs).uncounted} == unknown, (
                f"set the trait `operation` of `{kind}`, or give it a rule in "
                f"convcost/conventions/{name}.py"
            )
        assert counted("macs", costs).total == costs.totals.macs


@pytest.mark.parametrize("spec", ["resnet50", "vit_b16", "swin_tiny", "unet", "mobilenet_v3_large"])
@pytest.mark.parametrize("name", ["macs", "flops"])
def test_the_conventions_of_convcost_count_every_kind(name, spec):
    assert not counted(name, shipped(spec)).uncounted


def test_the_convention_macs_gives_the_macs_of_convcost():
    for spec in ("resnet50", "googlenet", "vit_b16"):
        costs = shipped(spec)
        assert counted("macs", costs).layers == tuple(layer.macs for layer in costs.layers)


def test_flops_count_two_per_multiply_add_and_one_per_bias():
    layer = "{conv: 128, kernel: 3, bias: true}"
    outputs = 128 * 126 * 126
    assert total("flops", layer, "channels: 1, size: 128") == 2 * outputs * 9 + outputs


X16 = 16 * 8 * 8
# Layers that add biases, on 16×8×8: their macs without biases, and the additions of biases.
WITH_BIASES = {
    "{conv: 4, kernel: 3, bias: true}": (9 * 16 * 4 * 6 * 6, 4 * 6 * 6),
    "{depthwise: 3, bias: true}": (9 * 16 * 6 * 6, 16 * 6 * 6),
    "{transposed_conv: 4, kernel: 2, stride: 2, bias: true}": (
        16 * 4 * 2 * 2 * 8 * 8,
        4 * 16 * 16,
    ),
    "{locally_connected: 4, kernel: 3, bias: true}": (9 * 16 * 4 * 6 * 6, 4 * 6 * 6),
    "{sequence: [{side: [{conv: 18, kernel: 3, name: o}]}, "
    "{deformable_conv: [input, side_1/o], filters: 4, kernel: 3, bias: true}]}": (
        9 * 16 * (18 + 4) * 6 * 6,
        4 * 6 * 6,
    ),
    "{linear: 4, each_position: true}": (16 * 4 * 8 * 8, 4 * 8 * 8),
    "{scale: , shift: true}": (0, X16),
    "{scale: , factor: false, shift: true}": (0, X16),
}
RECURRENT = {  # on 6 steps of 16 features: one vector of biases for each gate, or two
    "{rnn: 8}": (8 * (16 + 8) * 6, 2 * 8 * 6),
    "{gru: 8}": (3 * 8 * (16 + 8) * 6, 2 * 3 * 8 * 6),
    "{lstm: 8, one_bias: true}": (4 * 8 * (16 + 8) * 6, 4 * 8 * 6),
    "{lstm: 8, bidirectional: true}": (2 * 4 * 8 * (16 + 8) * 6, 2 * 2 * 4 * 8 * 6),
    "{lstm: 8, bias: false}": (4 * 8 * (16 + 8) * 6, 0),
}


@pytest.mark.parametrize("name", ["macs:biases", "connections"])
def test_each_addition_of_a_bias_counts_1(name):
    shapes = {"channels: 16, size: 8": WITH_BIASES, "channels: 16, size: [6]": RECURRENT}
    for shape, layers in shapes.items():
        for layer, (macs, added) in layers.items():
            assert total(name, layer, shape) == macs + added, layer
            assert total(name, layer, shape, batch=3) == 3 * (macs + added), layer
    assert total(name, "{group_norm: 4, shift: true}") == 0


@pytest.mark.parametrize("kind", LAYERS)
def test_a_convention_with_biases_counts_those_of_each_kind(kind):
    if KINDS[kind].is_norm or KINDS[kind].stated:
        return
    for example in KINDS[kind].examples:
        costs = convcost_costs(example)
        for name in ("macs:biases", "connections", "flops"):
            found = counted(name, costs)
            others = 2 * costs.totals.macs if name == "flops" else costs.totals.macs
            least = others + costs.totals.biases
            total = -1 if found.uncounted else found.total
            assert total >= least, (
                f"`{name}` does not count the biases of `{kind}`; add a rule for `{kind}` to "
                f"convcost/conventions/{'flops' if name == 'flops' else '_rules'}.py"
            )


def test_only_convolutions_are_in_the_macs_of_convolutions():
    for layer, macs in {
        "{conv: 4, kernel: 3, bias: true}": 9 * 16 * 4 * 6 * 6,
        "{depthwise: 3}": 9 * 16 * 6 * 6,
        "{transposed_conv: 4, kernel: 2, stride: 2}": 16 * 4 * 2 * 2 * 8 * 8,
        "{locally_connected: 4, kernel: 3}": 9 * 16 * 4 * 6 * 6,
        "{linear: 4, each_position: true}": 0,
        "{matmul: [input, input], transpose: true}": 0,
        "{contract: [input, input], over: channels}": 0,
        "{fft: size}": 0,
        "{custom: a convolution, params: 0, macs: 100}": 100,
    }.items():
        assert total("macs:convolutions", layer) == macs, layer


# The operations of each element, in the order in which a formula computes them.
ACTIVATIONS = {
    "relu": "max", "sign": "compare", "tanh": "tanh", "{threshold: 1}": "compare",
    "relu6": "max min", "hard_tanh": "max min", "leaky_relu": "compare times",
    "prelu": "compare times", "hard_shrink": "compare compare", "tanh_shrink": "tanh minus",
    "soft_shrink": "compare compare minus", "softsign": "abs plus divide",
    "softplus": "exp plus log", "sigmoid": "minus exp plus divide",
    "hard_sigmoid": "plus max min divide", "elu": "compare exp minus times",
    "silu": "minus exp plus divide times", "hard_swish": "plus max min divide times",
    "gelu": "divide erf plus times divide", "mish": "exp plus log tanh times",
    "selu": "compare exp minus times times", "celu": "compare divide exp minus times",
    "log_sigmoid": "minus exp plus divide log", "quick_gelu": "times minus exp plus divide times",
    "softmax": "max minus exp plus divide", "log_softmax": "max minus exp plus log",
    "{elementwise: sqrt}": "root", "{elementwise: affine}": "times plus",
    "l2_norm": "square plus divide", "batch_norm": "times plus", "identity": "", "dropout": "",
    "{batch_norm: , scale: false, shift: false}": "times plus", "scale": "times",
    "{scale: , shift: true}": "times plus", "{scale: , factor: false, shift: true}": "plus",
    "rms_norm": "square plus divide times", "{rms_norm: , scale: false}": "square plus divide",
    "{rms_norm: , shift: true}": "square plus divide times plus",
    "{rms_norm: , over: all}": "square plus divide times",
    "global_response_norm": "square plus divide times times plus",
    **{
        f"{{{norm}, {more}}}": "plus minus square plus divide" + words
        for norm in ("group_norm: 4", "instance_norm: ", "layer_norm: ")
        for more, words in {
            "shift: true": " times plus", "scale: false": " plus", "shift: false": " times",
            "scale: false, shift: false": "",
        }.items()
    },
    "{local_response_norm: 3}": "square square square plus plus times power divide",
}  # fmt: skip

FLOPS = {
    **{layer: len(words.split()) * X16 for layer, words in ACTIVATIONS.items()},
    "glu": 5 * 8 * 8 * 8,
    "{max_pool: 2}": (4 - 1) * 16 * 4 * 4,
    "{adaptive_max_pool: 2}": (16 - 1) * 16 * 2 * 2,
    "global_max_pool": (64 - 1) * 16,
    "{avg_pool: 2}": 4 * 16 * 4 * 4,
    "{adaptive_avg_pool: 2}": 16 * 16 * 2 * 2,
    "global_avg_pool": X16,
    "{mean: size}": X16,
    **{f"{{{kind}: size}}": (64 - 1) * 16 for kind in ("sum", "max", "min")},
    "{add: [input, input, input]}": 2 * X16,
    **{
        f"{{{kind}: [input, input]}}": X16
        for kind in ("add", "subtract", "multiply", "divide", "maximum", "minimum")
    },
    "{concat: [input, input]}": 0,
    "{upsample: 2}": 0,
    "{upsample: 2, mode: linear}": (4 + 3) * 16 * 16 * 16,
    "{upsample: 2, mode: cubic}": (16 + 15) * 16 * 16 * 16,
    "{conv: 4, kernel: 3, bias: true}": (2 * 9 * 16 + 1) * 4 * 6 * 6,
    "{depthwise: 3}": 2 * 9 * 16 * 6 * 6,
    "{transposed_conv: 4, kernel: 2, stride: 2}": 2 * 16 * 4 * 4 * 8 * 8,
    "{locally_connected: 4, kernel: 3, bias: true}": (2 * 9 * 16 + 1) * 4 * 6 * 6,
    "{linear: 4, each_position: true}": (2 * 16 + 1) * 4 * 8 * 8,
    "{matmul: [input, input], transpose: true}": 2 * 16 * 8 * 8 * 8,
    "{attention: [input, input, input]}": 2 * 2 * 16 * 8 * 8 * 8 + 6 * 8 * 8 * 8,
    "{contract: [input, input], over: channels}": 2 * X16,
    "{einsum: {a: [], b: []}, equation: 'chw,dhw->cd'}": 2 * 16 * X16,
    "{pad: 1}": 0,
    "flatten": 0,
}


@pytest.mark.parametrize(("layer", "flops"), FLOPS.items())
def test_flops_are_the_operations_of_the_formula_of_each_kind(layer, flops):
    assert total("flops", layer) == flops


@pytest.mark.parametrize("name", ["timm_activations", "regnet_activations"])
def test_activations_of_tables_are_only_outputs_of_convolutions(name):
    costs = cost("""\
        name: a bottleneck with norms
        input: {channels: 256, size: 56}
        layers:
          - add:
              main: [{conv: 64, kernel: 1}, batch_norm, relu, {conv: 64, kernel: 3, padding: 1},
                     batch_norm, relu, {conv: 256, kernel: 1}, batch_norm]
              skip: []
          - relu
        """)
    assert counted(name, costs).total == (64 + 64 + 256) * 56 * 56 == 1_204_224


def test_activations_of_regnet_name_layers_that_its_blocks_do_not_have():
    layers = "{conv: 4, kernel: 1}, {transposed_conv: 4, kernel: 2, stride: 2}, relu"
    costs = cost(f"name: net\ninput: {{channels: 16, size: 8}}\nlayers: [{layers}]\n")
    found = counted("regnet_activations", costs)
    assert found.layers == (4 * 8 * 8, None, 0)
    assert found.uncounted == (("transposed_conv", 1),)
    assert found.notes[-1] == (
        "not counted by regnet_activations, and not in its total: transposed_conv ×1; "
        "the blocks of RegNet have no such layer"
    )


def test_the_profiler_of_tensorflow_counts_no_3d_pools_and_transposed_convolutions():
    flat, deep = "channels: 16, size: [8, 8]", "channels: 16, size: [8, 8, 8]"
    pool = "{max_pool: 2}"
    assert total("keras_flops", pool, flat) == 2 * 2 * 16 * 4 * 4
    assert total("keras_flops", pool, deep) == 0
    transposed = "{transposed_conv: 4, kernel: 2, stride: 2, bias: true}"
    assert total("keras_flops", transposed, flat) == 2 * 4 * 16 * 2 * 2 * 8 * 8 + 4 * 16 * 16
    assert total("keras_flops", transposed, deep) == 4 * 16 * 16 * 16


def test_torchstat_has_formulas_of_2d_modules_only():
    conv = "{conv: 4, kernel: 1, bias: true}"
    layers = [conv, "batch_norm", "{max_pool: 2}", "{transposed_conv: 4, kernel: 1}", "relu"]
    elements, outputs = 16 * 8 * 8, 4 * 8 * 8
    flops = [outputs * 16 + outputs, 2 * elements, elements, 0, elements]
    madds = [2 * outputs * 16, 4 * elements, 3 * elements // 4, outputs * (2 * 16 - 1), elements]
    for name, numbers in [("torchstat", flops), ("torchstat:madd", madds)]:
        assert [total(name, layer) for layer in layers] == numbers
        for size in ("[8]", "[8, 8, 8]"):
            sizes = f"channels: 16, size: {size}"
            assert [total(name, layer, sizes) for layer in layers[:-1]] == [0, 0, 0, 0]
    assert total("torchstat", "{upsample: 2}") == 16 * 16  # not times the channels


def test_a_tool_that_counts_one_sample_ignores_the_batch():
    layer = "{conv: 32, kernel: 3, padding: 1, bias: true}"
    for name, factor in [("ptflops_pytorch", 1), ("ptflops_aten", 4), ("darknet", 1)]:
        assert total(name, layer, batch=4) == factor * total(name, layer)


# (convention, layer, number), for conventions whose numbers are not in layers.csv.
BY_SOURCE = [
    ("macs", "{conv: 32, kernel: 3, padding: 1, bias: true}", 294912),
    ("flops", "{conv: 32, kernel: 3, padding: 1, bias: true}", 2 * 294912 + 2048),
    ("connections", "{conv: 32, kernel: 3, padding: 1, bias: true}", 294912 + 2048),
    ("ops", "{conv: 32, kernel: 3, padding: 1, bias: true}", 294912),
    ("regnet_activations", "{conv: 32, kernel: 3, padding: 1, bias: true}", 2048),
    ("regnet_activations:max_pools", "{max_pool: 2}", 16 * 4 * 4),
    ("timm_activations", "{conv: 32, kernel: 3, padding: 1, bias: true}", 2048),
    ("torchstat", "{conv: 32, kernel: 3, padding: 1, bias: true}", 294912 + 2048),
    ("torchstat:madd", "{conv: 32, kernel: 3, padding: 1, bias: true}", 2 * 294912),
    ("torchstat:madd", "{max_pool: 2}", (4 - 1) * 256),
    ("darknet", "{conv: 32, kernel: 3, padding: 1, bias: true}", 2 * 294912),
    ("keras_flops", "{conv: 32, kernel: 3, padding: 1, bias: true}", 2 * 294912 + 2048),
    ("keras_flops", "batch_norm", 2 * 1024 + 6 * 16),
    ("netscope", "{depthwise: 3, padding: 1}", 16 * 9216),
    ("netscope", "local_response_norm", 5 * 1024),
    ("convnet_burden", "{conv: 32, kernel: 3, padding: 1, bias: true}", 294912 + 2048),
    ("convnet_burden", "{max_pool: 3, stride: 2, padding: 1}", 2 * 256 * 4),
    ("deepspeed", "{transposed_conv: 16, kernel: 2, stride: 2, groups: 16}", 0),
    ("deepspeed:flops", "{upsample: 1.5}", 16 * 8 * 8 * 9 // 4),
    ("deepspeed:flops", "{upsample: [1.5, 2]}", 16 * 8 * 8 * 3),
    ("deepspeed:flops", "local_response_norm", 4 * 16 * 8 * 8 + 4 * 8 * 8),
    ("ultralytics_thop:yolo", "batch_norm", 8 * 1024),
    ("thop", "{lstm: 32}", None),
]


@pytest.mark.parametrize("name", [name for name in NAMES if ":" not in name])
def test_each_convention_has_a_number_of_its_source(name):
    header = (ROOT / "tests" / "conventions" / "layers.csv").read_text("utf-8").split("\n")[0]
    assert name in header.split(",") or name in {convention for convention, *_ in BY_SOURCE}, (
        f"add a layer and the number of `{name}` to BY_SOURCE in "
        "tests/conventions/test_conventions.py, or a column to layers.csv"
    )


@pytest.mark.parametrize(("name", "layer", "number"), BY_SOURCE)
def test_conventions_without_measured_layers_follow_their_source(name, layer, number):
    if number is None:  # an LSTM of 50 steps: 4 gates with biases, and 8 operations a unit
        macs = 4 * 32 * (64 + 32) + 2 * 4 * 32 + 8 * 32
        assert total(name, layer, "channels: 64, size: [50]") == 50 * macs
    else:
        assert total(name, layer) == number


def test_a_norm_is_folded_into_the_convolution_before_it_where_the_export_does():
    conv = "{conv: 32, kernel: 3, padding: 1}"
    biased = "{conv: 32, kernel: 3, padding: 1, bias: true}"
    assert total("onnx_tool", f"{conv}, batch_norm") == 294912 + 2048
    assert total("onnx_tool", f"{biased}, batch_norm") == 294912 + 2048
    assert total("onnx_tool", "batch_norm") == 31 * 1024
    twice = "{conv: 32, kernel: 3, padding: 1}, {add: {norm: [batch_norm], skip: []}}"
    assert total("onnx_tool", twice) == 294912 + 31 * 2048 + 2048
    assert total("onnx_tool", f"{conv}, {{side: [batch_norm]}}") == 294912 + 31 * 2048


def test_a_kind_that_a_convention_does_not_know_is_named_and_never_a_silent_zero():
    costs = cost("""\
        name: net
        input: {channels: 16, size: 8}
        layers: [silu, {custom: sampling, params: 0, macs: 100}, silu, relu]
        """)
    result = counted("torch_scan", costs)
    assert result.uncounted == (("silu", 2), ("custom", 1))
    assert result.layers == (None, None, None, 0)
    assert counted("thop", costs).uncounted == (("custom", 1),)
    assert counted("macs", costs).total == 100


def test_notes_name_what_is_not_counted_and_other_numbers_under_an_assumption():
    layers = "{conv: 32, kernel: 3}, batch_norm, {lstm: 8}, {custom: x, params: 0, macs: uncounted}"
    text = f"name: net\ninput: {{channels: 16, size: 8}}\nlayers: [{layers}POOL]\n"
    plain, pooled = (cost(text.replace("POOL", pool)) for pool in ("", ", global_avg_pool"))
    why = "the number depends on how the framework splits a recurrent layer"
    first, *others = counted("onnx_tool", plain).notes
    assert first == find_convention("onnx_tool").note
    missing = "not counted by onnx_tool, and not in its total:"
    assert others == [f"{missing} lstm ×1; {why}", f"{missing} custom ×1"]
    missing = "not counted by thop, and not in its total: custom ×1"
    assert counted("thop", plain).notes == (find_convention("thop").note, missing)
    functional = counted("thop:functional_pools", pooled).total
    assert counted("thop", pooled).total == functional + 8 * (6 * 6 + 1)
    assert counted("thop", pooled).notes == (
        find_convention("thop").note,
        missing,
        f"thop:functional_pools: {functional:,} for net, if it calls its last pool as a function",
    )


def test_a_sum_of_only_some_layers_is_not_a_total():
    uses = distinct_layer_uses(cost("input: {channels: 4, size: 8}\nlayers: [relu, silu, relu]"))
    assert find_convention("torch_scan").total(uses) is None
    assert find_convention("keras_flops").total(uses) is None
    assert find_convention("macs").total(uses) == 0


def test_the_numbers_of_a_network_add_up_by_kind():
    result = counted("thop", shipped("resnet50"))
    by_kind = {kind: count.exact or 0 for kind, count in result.by_kind.items()}
    assert sum(by_kind.values()) == result.total
    assert by_kind["batch_norm"] == 4 * 11_113_984
    assert by_kind["global_avg_pool"] == 2048 * 49 + 2048


def test_an_unknown_convention_is_refused_with_the_nearest_name():
    with pytest.raises(UsageError, match="there is no convention `thopp`; did you mean `thop`"):
        find_convention("thopp")
    with pytest.raises(UsageError, match="there is no convention `thop:madd`; known here: "):
        find_convention("thop:madd")
    with pytest.raises(UsageError, match="there is no convention `x`; `convcost conventions`"):
        find_convention("x")


@pytest.mark.parametrize(
    ("name", "help_"),
    [
        ("keras", "known here: `keras_flops`"),
        ("ptflops", "did you mean `ptflops_aten`?"),
        ("GFLOPs", "did you mean `flops`?"),
        ("onnx-tool", "did you mean `onnx_tool`?"),
        ("yolo", "known here: `ultralytics_thop:yolo`"),
        ("tohp", "did you mean `thop`?"),
        ("tho", "did you mean `thop`?"),
        ("flop", "did you mean `flops`?"),
        ("darknet:old", "`darknet` has no such variant; `convcost conventions` lists them"),
    ],
)
def test_a_part_of_a_name_suggests_the_conventions_that_have_it(name, help_):
    with pytest.raises(UsageError) as error:
        find_convention(name)
    assert str(error.value) == f"there is no convention `{name}`; {help_}"


def test_a_list_of_conventions_has_each_once():
    assert [c.name for c in find_conventions("thop, fvcore,thop")] == ["thop", "fvcore"]


OURS = """
from convcost.conventions import BIAS, MACS, ZERO, Y, convention
convention("ours", word="ops", meaning="Ours.", source="a paper",
           rules={"conv linear": 2 * MACS + BIAS, "relu": Y}, rest=ZERO)
"""
# Two per multiply-add, one for each bias and for each output of the ReLU.
OUR_NUMBER = 2 * 16 * 3 * 3 * 3 * 6 * 6 + 16 * 6 * 6 + 16 * 6 * 6
OUR_SPEC = f"""
name: net
input: {{channels: 3, size: 8}}
vars: {{bias: true}}
layers: [{{conv: 16, kernel: 3, bias: bias}}, relu]
published: [{{macs: {OUR_NUMBER}, count: ours, source: a table}}]
budget: {{macs: {{max: {OUR_NUMBER}, count: ours}}}}
"""


@pytest.fixture
def plugin(tmp_path):
    (tmp_path / "conventions").mkdir()
    (tmp_path / "conventions" / "ours.py").write_text(OURS, "utf-8")
    (tmp_path / "net.yaml").write_text(OUR_SPEC, "utf-8")

    def tree(*arguments):
        done = run(*arguments, "--format", "json", cwd=tmp_path, CONVCOST_PLUGINS=str(tmp_path))
        assert done.stderr == b""
        return done.returncode, json.loads(done.stdout)

    return tree


@pytest.mark.slow
def test_a_convention_of_a_plugin_is_one_file_and_works_in_every_command(plugin):
    code, found = plugin("conventions", "ours")
    assert code == 0
    assert "2·macs + b·Y" in json.dumps(found, ensure_ascii=False)
    _, found = plugin("analyze", "net.yaml", "--count", "ours")
    assert found["networks"][0]["counts"][0]["total"] == OUR_NUMBER
    _, found = plugin("compare", "net.yaml", "net.yaml", "--count", "ours")
    assert [network["counts"][0]["total"] for network in found["networks"]] == [OUR_NUMBER] * 2
    _, found = plugin("analyze", "net.yaml", "--count", "ours", "--set", "bias=true,false")
    totals = [network["counts"][0]["total"] for network in found["networks"]]
    assert totals == [OUR_NUMBER, OUR_NUMBER - 16 * 6 * 6]
    _, found = plugin("explain", "net.yaml", "--count", "ours,macs")
    assert str(OUR_NUMBER) in json.dumps(found)
    code, found = plugin("verify", "net.yaml")
    assert (code, found["figures"][0]["verdict"]) == (0, "exact")
    assert plugin("check", "net.yaml")[0] == 0
    code, found = plugin("match", "net.yaml", "macs", str(OUR_NUMBER))
    assert code == 0
    assert "ours ops" in [name for reading in found["readings"] for name in reading["names"]]


def test_no_command_imports_conventions_unless_asked():
    code = (
        "import sys, convcost.cli; convcost.cli.run(['analyze', 'resnet50', '--depth', '1']);"
        "sys.exit(any('conventions' in name for name in sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False, capture_output=True)
    assert done.returncode == 0


def test_tools_count_every_pair_of_masked_attention():
    layer = "{attention: [input, input, input], heads: 2%s}"
    full, causal = layer % "", layer % ", causal: true"
    shape = "channels: 8, size: [6]"
    assert total("torch", causal, shape) == total("torch", full, shape) == 2 * 2 * 6 * 6 * 8
    assert total("macs", causal, shape) == 2 * (6 * 7 // 2) * 8
    assert total("flops", full, shape) == 2 * 2 * 6 * 6 * 8 + 6 * 2 * 6 * 6


@pytest.mark.parametrize("n", range(1, 12))
@pytest.mark.parametrize("o", range(1, 12))
def test_the_elements_in_adaptive_windows_are_counted_one_by_one(n, o):
    covered = sum(-(-(j + 1) * n // o) - j * n // o for j in range(o))
    number = total("ultralytics_thop", f"{{adaptive_avg_pool: {o}}}", f"channels: 3, size: [{n}]")
    assert number == 3 * covered + 3 * o


@pytest.mark.parametrize("ceil", ["true", "false"])
@pytest.mark.parametrize("n", range(4, 14))
@pytest.mark.parametrize(
    ("f", "s", "p", "d"),
    [
        (2, 2, 0, 1),
        (3, 2, 1, 1),
        (3, 3, 0, 1),
        (4, 3, 1, 1),
        (3, 1, 1, 1),
        (2, 4, 1, 3),
        (2, 3, 0, 2),
    ],
)
def test_the_elements_in_windows_are_counted_one_by_one(n, f, s, p, d, ceil):
    layer = f"{{avg_pool: {f}, stride: {s}, padding: {p}, dilation: {d}, ceil: {ceil}}}"
    text = f"name: one\ninput: {{channels: 1, size: [{n}]}}\nlayers: [{layer}]\n"
    (o,) = cost(text).layers[0].output.size
    covered = sum(i * s - p + t * d < n + p for i in range(o) for t in range(f))
    assert counted("ultralytics_thop", cost(text)).total == covered + o


def test_a_very_large_size_takes_no_time():
    shape = "channels: 1, size: [1000000000]"
    assert total("flops", "{max_pool: 2}", shape) == 10**9 // 2
    assert total("flops", "{adaptive_avg_pool: 100000000}", shape) == 10**9


def test_torchstat_counts_a_residual_network_as_measured():
    costs = shipped("resnet18")
    assert counted("torchstat", costs).total == 1_822_151_680
    assert counted("torchstat:madd", costs).total == 3_639_510_552


BINARY = """\
name: binary
input: {channels: 64, size: 8}
dtype: {layers: [{match: "sign*", activations: int1}, {match: "*binary", weights: int1}]}
layers:
  - {conv: 64, kernel: 3, padding: 1}
  - sign
  - {conv: 64, kernel: 3, padding: 1, name: binary}
  - {conv: 3, kernel: 1, name: also_binary}
  - sign
  - {conv: 3, kernel: 1}
  - sign
  - {conv: 5, kernel: 1, name: odd_binary}
"""


def test_ops_count_64_binary_multiply_adds_as_one():
    found = counted("ops", cost(BINARY))
    whole = 8 * 8 * 64 * 64 * 9
    assert [number for number in found.layers if number] == [
        whole,
        whole // 64,
        8 * 8 * 3 * 64,  # its input is not binary
        8 * 8 * 3 * 3,  # its weights are not binary
        -(-8 * 8 * 5 * 3 // 64),
    ]
    assert counted("ops", cost(BINARY, batch=3)).layers[2] == 3 * whole // 64


def test_without_dtypes_ops_are_macs():
    found = cost(BINARY.replace("dtype: ", "x-dtype: "))
    assert counted("ops", found).total == found.totals.macs
