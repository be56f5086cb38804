"""A layer graph becomes a spec that says the same, as a person would say it."""

from pathlib import Path

import pytest
import support
from hypothesis import given, settings
from hypothesis import strategies as st
from sketch import NORM, RELU, Sketch, X, conv, layers_of

from convcost.importing.emit.scalars import text, unquoted_text
from convcost.importing.ir.layer_graph import GraphLayer, LayerGraph
from convcost.importing.outline.canonicalize import repeats_kind
from convcost.importing.outline.wiring import shortened_inputs
from convcost.importing.spec import proved_spec
from convcost.importing.verify.round_trip import verify_round_trip
from convcost.language.load import load
from convcost.language.network_inputs import AllowedSizes, Settings
from convcost.language.yaml_nodes import Mapping, Scalar, parse_documents
from convcost.model.costs import Costs, costs
from convcost.model.errors import ConstraintError, Source
from convcost.model.shape import Shape

SPECS = Path(__file__).parents[3] / "specs"
UNKNOWN = "there is no kind or block `rleu`"


def shipped(name: str, *, stripped: bool = False, size=None) -> LayerGraph:
    """A spec of `specs/` as the layer graph of a model; `stripped` has no names of modules."""
    of = support.first_costs(name) if size is None else support.shipped(name, size=size)
    network, layers = of.network, list[GraphLayer]()
    for number, (step, cost) in enumerate(zip(network.steps, of.layers, strict=True)):
        options = tuple(
            (option.name, getattr(step.layer, option.field))
            for option in type(step.layer).options.values()
            if option.type_name != "Layers"
            and (option.required or getattr(step.layer, option.field) != option.default)
        )
        path = (f"{step.layer.name}_{number}",) if stripped else tuple(step.path.split("/"))
        layers.append(
            GraphLayer(path, step.layer.name, options, step.inputs, step.shape, cost.params,
                  cost.buffers, cost.macs, step.shared, step.note)
        )  # fmt: skip
    last = (network.last,) if network.last >= 0 else ()
    return LayerGraph(network.name, network.source, network.inputs, tuple(layers), last)


def counted(spec: str, size=None) -> Costs:
    (network,) = load(Source("net.yaml", spec), Settings((), size))
    return costs(network)


# Every shipped network comes back


@pytest.mark.parametrize("name", support.SHIPPED)
@pytest.mark.parametrize("stripped", [False, True], ids=["named", "stripped"])
def test_a_shipped_network_survives_the_round_trip(name, stripped):
    layer_graph = shipped(name, stripped=stripped)
    spec = proved_spec(layer_graph)
    lines = spec.splitlines()
    assert [line for line in lines if len(line) > 100 and not line.startswith("source")] == []
    found = counted(spec)
    assert sorted((c.kind, c.output, c.params, c.buffers, c.macs) for c in found.layers) == sorted(
        (c.kind, c.output, c.params, c.buffers, c.macs) for c in layer_graph.layers
    )
    assert found.totals.macs == sum(layer.macs for layer in layer_graph.layers)


@pytest.mark.parametrize(
    ("name", "named", "stripped"),
    [
        ("resnet50", 36, 32),
        ("resnet152", 44, 32),
        ("googlenet", 40, 42),
        ("densenet121", 32, 32),
        ("mobilenet_v2", 40, 36),
        ("unet", 36, 36),
        ("shufflenet_v2_x1_0", 40, 40),
        ("convnext_tiny", 32, 32),
        ("vit_b16", 36, 34),
    ],
)
def test_a_network_takes_no_more_lines_than_a_handwritten_spec(name, named, stripped):
    assert len(proved_spec(shipped(name)).splitlines()) <= named
    assert len(proved_spec(shipped(name, stripped=True)).splitlines()) <= stripped


@pytest.mark.parametrize("name", ["resnet50", "densenet121", "mobilenet_v2", "shufflenet_v2_x1_0"])
def test_an_imported_network_can_be_analyzed_at_another_size(name):
    found = counted(proved_spec(shipped(name, stripped=True)), size=(160, 160))
    expected = shipped(name, size=(160, 160))
    assert found.totals.macs == sum(layer.macs for layer in expected.layers)
    assert found.totals.params == sum(layer.params for layer in expected.layers)


def test_resnet_50_without_names_becomes_the_table_of_its_paper():
    assert (
        proved_spec(shipped("resnet50", stripped=True))
        == """\
name: ResNet-50
source: He et al., arXiv:1512.03385, Table 1
input: {channels: 3, size: 224}
blocks:
  conv_bn:
    options: {filters: , kernel: 1, stride: 1}
    layers: [{conv: filters, kernel: kernel, stride: stride, padding: kernel // 2}, batch_norm]
  residual:
    options: {filters: , stride: 1, project: false}
    layers:
      - add:
          main: [{conv_bn: filters}, relu, {conv_bn: filters, kernel: 3, stride: stride}, relu,
                 {conv_bn: 4 * filters}]
          shortcut: [{conv_bn: 4 * filters, stride: stride, when: project}]
      - relu
layers:
  - {conv_bn: 64, kernel: 7, stride: 2}
  - relu
  - {max_pool: 3, stride: 2, padding: 1}
  - {residual: 64, project: true}
  - {residual: 64, repeat: 2}
  - {residual: 128, stride: 2, project: true}
  - {residual: 128, repeat: 3}
  - {residual: 256, stride: 2, project: true}
  - {residual: 256, repeat: 5}
  - {residual: 512, stride: 2, project: true}
  - {residual: 512, repeat: 2}
  - global_avg_pool
  - flatten
  - {linear: 1000}
"""
    )


# Branches


def test_branches_between_a_layer_and_a_join_are_written_inside_the_join():
    net = Sketch()
    main = net.chain(-1, conv(), NORM)
    net.put("add", main, -1)
    assert layers_of(net.text()) == (
        "  - {add: {main: [{conv: 4, kernel: 3, padding: 1}, batch_norm], shortcut: []}}\n"
    )


def test_a_concat_that_grows_one_by_one_has_two_inputs():
    net = Sketch()
    pieces = [net.put("relu", -1)]
    for number in range(3):
        joined = net.put("concat", *pieces) if number else pieces[0]
        pieces.append(net.chain(joined, conv(3)))
    net.put("concat", *pieces)
    before, after = net.text().split("layers:\n  - relu\n")
    assert "[{concat: {before: [], new: [{conv: 3, kernel: 3, padding: 1}]}}]" in before
    assert after == "  - {dense: , repeat: 3}\n"


def test_a_u_shape_is_not_a_branch_and_takes_its_skips_by_name():
    net = Sketch()
    top = net.chain(-1, conv())
    down = net.chain(top, ("max_pool", {"kernel": 2, "stride": 2}), conv(8), NORM)
    net.put("concat", top, net.put("upsample", down, scale=2))
    assert layers_of(net.text()) == (
        "  - {conv: 4, kernel: 3, padding: 1, name: conv_1}\n"
        "  - {max_pool: 2, stride: 2}\n"
        "  - {conv: 8, kernel: 3, padding: 1}\n"
        "  - batch_norm\n"
        "  - {upsample: 2, name: upsample_1}\n"
        "  - {concat: [conv_1, upsample_1]}\n"
    )


def test_a_head_outside_the_main_path_is_a_side():
    net = Sketch()
    stem = net.chain(-1, conv())
    head = net.chain(stem, ("global_avg_pool", {}), ("flatten", {}), path=("aux",))
    net.chain(stem, RELU)
    assert layers_of(net.text(head, head + 1)) == (
        "  - {conv: 4, kernel: 3, padding: 1}\n"
        "  - {side: [global_avg_pool, flatten], name: aux}\n"
        "  - relu\n"
    )


def test_the_main_output_is_last_also_if_other_layers_have_no_user():
    net = Sketch()
    join = {"what": "join", "params": 3, "macs": 5, "output": X}
    start = net.put("custom", -1, -1, **join)
    norm = net.put("batch_norm", start)
    net.put("add", start, -1, -1)
    net.put("batch_norm", start)
    main = net.put("add", norm, norm)
    assert net.text(norm, main).endswith(
        "  - {side: [batch_norm]}\n"
        "  - {batch_norm: , name: batch_norm_1}\n"
        "  - {add: {a: [], b: input, c: input}, from: custom_1}\n"
        "  - {add: {shortcut: [], shortcut_2: []}, from: batch_norm_1}\n"
    )


def test_several_inputs_are_taken_by_name():
    net = Sketch((("left", X), ("right", X)))
    net.put("add", net.chain(-1, conv()), net.chain(-2, RELU))
    assert net.text().partition("inputs")[2] == (
        ": {left: {channels: 4, size: 8}, right: {channels: 4, size: 8}}\n"
        "layers:\n"
        "  - {add: {main: [{conv: 4, kernel: 3, padding: 1}], skip: [{relu: , from: right}]}, "
        "from: left}\n"
    )


def test_a_learned_tensor_is_written_in_the_branch_that_uses_it():
    net = Sketch((("x", Shape(8, (5,))),))
    table = net.put("learned", -1, path=("position",), shape=Shape(8, (5,)))
    net.put("add", -1, table)
    assert layers_of(net.text()) == (
        "  - {add: {x: [], position: [{learned: {channels: 8, size: [5]}}]}}\n"
    )


# Names


def test_modules_are_sequences_and_generated_names_are_left_out():
    net = Sketch()
    stem = net.chain(-1, conv(), NORM, RELU, path=("stem",))
    net.put("conv", stem, path=("features", "0", "conv1"), filters=4, kernel=1)
    net.put("relu", stem + 1, path=("features", "0", "act"))
    net.put("conv", stem + 2, path=("features", "1"), filters=8, kernel=1)
    net.put("conv", stem + 3, path=("head",), filters=2, kernel=1)
    assert layers_of(net.text()) == (
        "  - {sequence: [{conv: 4, kernel: 3, padding: 1}, batch_norm, relu], name: stem}\n"
        "  - {sequence: [{conv: 4, kernel: 1}, relu, {conv: 8, kernel: 1}], name: features}\n"
        "  - {conv: 2, kernel: 1, name: head}\n"
    )


def test_a_block_has_the_name_of_the_class_of_its_module():
    net, flow = Sketch(), -1
    for number in range(4):
        flow = net.chain(flow, conv(4 * 2**number), NORM, RELU, path=("body", str(number)))
    classes = tuple((("body", str(number)), "ConvBNAct2d") for number in range(4))
    found = net.text(classes=classes)
    assert "  conv_bn_act:\n    options: {filters: }\n" in found
    assert "{conv_bn_act: 32}" in found


HOSTILE = st.sampled_from(
    ["a/b", "input", "1e3", "null", "~", "- x", "a: b", "#", "\x1b[31m", "\u202e", "*a", "&b", "!c",
     "{", "]", '"', "'", "", " ", "conv_2", "relu_1", "add_1", "main", "shortcut", "x-y", "a" * 99,
     "true", "010", "\u00e9", "0", "relu", "%d", "<<", "=", "a,b", "a ", " a", "\n", "\u2028"]
)  # fmt: skip


@pytest.mark.slow
@settings(max_examples=400, deadline=None)
@given(st.one_of(HOSTILE, st.text(), st.text("ab0-:#&*!?{}[], .'\"%@`~=<>|\\\n\t")))
def test_any_text_survives_quoting_and_has_no_hidden_characters(value):
    word = text(value)
    document = f"a: {word}\nb: [{word}, {{{word}: {word}}}]\nc: {unquoted_text(value)}\n"
    (node,), problems = parse_documents(document)
    assert problems == []
    assert isinstance(node, Mapping)
    flat = node.get("b").items
    scalars = [node.get("a"), node.get("c"), flat[0], *flat[1].entries[value]]
    assert [scalar.text for scalar in scalars] == [value] * 5
    assert not any(isinstance(scalar, Scalar) and scalar.null for scalar in scalars)
    assert all(character.isprintable() for line in document.split("\n") for character in line)


# Laws: whatever feeds whatever, nothing is lost


@st.composite
def layer_graphs(draw) -> LayerGraph:
    """Any graph: chains, joins, dead ends, weights used again, tensors of the model's own."""
    count = draw(st.integers(1, 2))
    net = Sketch(tuple((draw(HOSTILE), X) for _ in range(count)))
    for number in range(draw(st.integers(1, 14))):
        sources = st.integers(max(-count, number - 5), number - 1)
        kind = draw(
            st.sampled_from(["conv", "relu", "batch_norm", "add", "add", "learned", "custom"])
        )
        path = (*draw(st.sampled_from([(), ("m",), ("m", "0"), ("m", "1")])), draw(HOSTILE))
        options, taken = {}, [draw(sources)]
        if kind == "conv":
            kernel = draw(st.sampled_from([1, 3]))
            options = {"filters": 4, "kernel": kernel, **({"padding": 1} if kernel == 3 else {})}
        elif kind == "learned":
            options = {"shape": X}
        elif kind == "custom":
            options = {"what": draw(HOSTILE) or "x", "params": 3, "macs": 5, "output": X}
        if kind in ("add", "custom"):
            taken = draw(st.lists(sources, min_size=1, max_size=3))
        same = [
            n for n, layer in enumerate(net.layers)
            if kind in ("conv", "batch_norm") and layer.shares is None
            and (layer.kind, layer.options) == (kind, tuple(options.items()))
        ]  # fmt: skip
        shares = draw(st.sampled_from([None, *same]))
        net.put(
            kind,
            *taken,
            path=path,
            shares=shares,
            note=draw(st.sampled_from(["", "", "a: #b"])),
            **options,
        )
    outputs = draw(
        st.lists(st.integers(0, len(net.layers) - 1), min_size=1, max_size=2, unique=True)
    )
    return net.graph(*outputs)


@pytest.mark.slow
@settings(max_examples=150, deadline=None)
@given(layer_graphs())
def test_any_layer_graph_becomes_a_proved_spec(layer_graph):
    found = counted(proved_spec(layer_graph))
    assert len(found.layers) == len(layer_graph.layers)
    assert found.totals.params == sum(layer.params for layer in layer_graph.layers)
    assert found.totals.macs == sum(layer.macs for layer in layer_graph.layers)


# The proof


def proof_of(layer_graph: LayerGraph, spec: str) -> str:
    with pytest.raises(ConstraintError) as refused:
        verify_round_trip(
            spec, layer_graph, range(len(layer_graph.layers)), shortened_inputs(layer_graph.layers)
        )
    return f"{refused.value.code} {refused.value.message}"


@pytest.mark.parametrize(
    ("layers", "message"),
    [
        (
            "[{conv: 8, kernel: 1}, relu]",
            "CC402 `stem/conv` is a conv of 8×8×4 in the model, a conv of 8×8×8 in the spec",
        ),
        (
            "[{conv: 4, kernel: 1, bias: true}, relu]",
            f"CC403 `stem/conv` has {4 * 4} params in the model, {4 * 4 + 4} in the spec",
        ),
        (
            "[{conv: 4, kernel: 1}, gelu]",
            "CC402 `relu_1` is a relu of 8×8×4 in the model, a gelu of 8×8×4 in the spec",
        ),
        (
            "[{conv: 4, kernel: 1}, {relu: , from: input}]",
            "CC402 `relu_1` has other inputs in the spec",
        ),
        ("[{conv: 4, kernel: 1}]", "CC402 the spec has 1 layers, the model 2"),
        (
            "[{conv: 4, kernel: 1}, rleu]",
            f"CC402 the spec of this model cannot be read back: {UNKNOWN} in line 2",
        ),
    ],
)
def test_the_round_trip_check_names_the_layer_that_differs(layers, message):
    net = Sketch()
    net.put("relu", net.put("conv", -1, path=("stem", "conv"), filters=4, kernel=1))
    spec = f"input: {{channels: 4, size: 8}}\nlayers: {layers}\n"
    assert proof_of(net.graph(), spec) == message


def test_free_and_uncounted_layers_are_marked():
    net = Sketch()
    net.put("custom", -1, what="deformable", params=0, macs="uncounted")
    found = net.text(free=(("Identity", 3),), notes=("stored as int8",))
    assert "Identity" in found.splitlines()[1]
    assert "stored as int8" in found.splitlines()[1]
    assert "macs: uncounted" in found


# Size


def test_a_spec_of_a_thousand_layers_is_a_few_lines():
    net, flow = Sketch(), -1
    for _ in range(250):
        flow = net.put("add", net.chain(flow, conv(), NORM, RELU), flow)
    assert len(net.text().splitlines()) < 12


def inception(net, source, module, filters=4):
    """Three branches of a module; what stands behind its last layer has no name of its own."""
    one = net.put("conv", source, path=(module, "1x1"), filters=filters, kernel=1)
    one = net.put("relu", one, path=("relu",))
    three = net.put("conv", source, path=(module, "3x3_reduce"), filters=2, kernel=1)
    three = net.put("conv", three, path=(module, "3x3"), filters=4, kernel=3, padding=1)
    pool = net.put("max_pool", source, path=(module, "max_pool"), kernel=3, stride=1, padding=1)
    pool = net.put("conv", pool, path=(module, "pool_proj"), filters=2, kernel=1)
    return net.put("concat", one, three, pool, path=("concat",))


def test_a_join_is_in_the_module_of_its_branches_and_branches_are_named_by_their_layers():
    net = Sketch()
    inception(net, net.chain(-1, RELU), "inception_3a")
    assert net.text() == (
        "name: net\n"
        "input: {channels: 4, size: 8}\n"
        "layers:\n"
        "  - relu\n"
        "  - concat:\n"
        "      1x1: [{conv: 4, kernel: 1}, relu]\n"
        "      3x3: [{conv: 2, kernel: 1, name: 3x3_reduce}, {conv: 4, kernel: 3, padding: 1}]\n"
        "      pool_proj: [{max_pool: 3, stride: 1, padding: 1}, {conv: 2, kernel: 1}]\n"
        "    name: inception_3a\n"
    )


def test_blocks_have_the_names_of_their_modules():
    net = Sketch()
    source = -1
    for filters, module in enumerate(("inception_3a", "inception_3b", "inception_4a"), 6):
        source = inception(net, source, module, filters)
    text = net.text()
    assert "  inception:\n" in text
    for filters, module in enumerate(("inception_3a", "inception_3b", "inception_4a"), 6):
        assert f"  - {{inception: {filters}, name: {module}}}\n" in text


def test_a_border_before_a_window_does_not_make_a_branch_a_u_shape():
    net = Sketch()
    start = net.chain(-1, NORM, RELU)
    main = net.chain(start, conv(2, 1), RELU, ("pad", {"border": 1}))
    main = net.put("conv", main, filters=2, kernel=3)
    main = net.put("conv", main, filters=8, kernel=1)
    net.put("add", net.put("conv", start, filters=8, kernel=1), main)
    assert "from:" not in net.text()


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("stem_bn", "batch_norm"),
        ("top_activation", "silu"),
        ("0_bn", "batch_norm"),
        ("zero_padding2d_1", "pad"),
        ("average_pooling2d_9", "avg_pool"),
    ],
)
def test_names_that_only_repeat_the_kind_are_left_out(name, kind):
    assert repeats_kind(name, kind)


@pytest.mark.parametrize("name", ["3x3", "stem_conv", "fc6"])
def test_names_that_distinguish_a_layer_are_kept(name):
    assert not repeats_kind(name, "conv")


def test_a_spec_of_one_size_has_no_expressions_of_the_size():
    net = Sketch()
    net.put("slice", -1, length=6, start=2, along=1)
    follows = (("length", "in_height - 2"),)
    net.layers[0] = net.layers[0]._replace(follows=follows)
    assert layers_of(net.text()) == "  - {slice: in_height - 2, start: 2, along: 1}\n"
    fixed = net.text(sizes=AllowedSizes(fixed=True))
    assert layers_of(fixed) == "  - {slice: 6, start: 2, along: 1}\n"
