"""What stands in a model more than once becomes a block, with options for what differs."""

import pytest
from sketch import NORM, RELU, Sketch, X, conv, layers_of

from convcost.importing.outline.anti_unify import anti_unify
from convcost.importing.outline.block_inputs import BlockInputs
from convcost.importing.outline.tree import Item
from convcost.importing.spec import proved_spec
from convcost.model.shape import Shape


def block_of(text: str) -> str:
    """What stands under `blocks`."""
    return text.partition("\nblocks:\n")[2].partition("\nlayers:\n")[0] + "\n"


def split(net, source, width, module):
    """Half of the channels goes through one convolution, then all that is left through another."""

    def put(kind, *sources, name, **options):
        return net.put(kind, *sources, path=(module, name), **options)

    half = width // 2
    start = put("conv", source, name="reduce", filters=width, kernel=1)
    first = put("slice", start, name="slice", length=half)
    first = put("conv", first, name="first", filters=half, kernel=3, padding=1)
    second = put("slice", start, name="slice_1", length=half, start=half)
    second = put("add", first, second, name="add")
    second = put("conv", second, name="second", filters=half, kernel=3, padding=1)
    return put("concat", first, second, name="concat")


# Names


def test_a_block_can_take_its_own_layers_by_name():
    net, flow = Sketch(), -1
    for number, width in enumerate((8, 8, 16)):
        flow = split(net, flow, width, f"split_{number}")
    text = net.text()
    assert block_of(text) == (
        "  split:\n"
        "    options: {filters: }\n"
        "    layers:\n"
        "      - {conv: filters, kernel: 1, name: reduce}\n"
        "      - {slice: in_channels // 2}\n"
        "      - {conv: in_channels, kernel: 3, padding: 1, name: first}\n"
        "      - {add: {main: [], skip: [{slice: in_channels // 2, start: in_channels // 2, "
        "from: reduce}]}}\n"
        "      - {conv: in_channels, kernel: 3, padding: 1, name: second}\n"
        "      - {concat: [first, second]}\n"
    )
    assert layers_of(text) == "  - {split: 8, repeat: 2}\n  - {split: 16}\n"


def test_a_block_takes_its_input_by_the_name_input():
    net, flow = Sketch(), -1
    for number in range(3):
        path = (f"tree_{number}",)
        one = net.chain(flow, conv(), NORM, path=path)
        two = net.chain(one, conv(), RELU, path=path)
        three = net.chain(two, conv(), NORM, path=path)
        joined = net.put("concat", three, one, flow, path=(*path, "join"))
        flow = net.put("conv", joined, path=(*path, "root"), filters=4, kernel=1)
    text = net.text()
    assert "c: input" in block_of(text) or "input]" in block_of(text)
    assert layers_of(text) == "  - {tree: , repeat: 3}\n"


def test_equal_expressions_in_all_calls_become_one_option():
    net, flow = Sketch(), -1

    def branches(source, width, *path):
        convs = (("a", 1), ("b", 3), ("c", 5))
        ends = [
            net.chain(source, conv(width, kernel), path=(*path, name)) for name, kernel in convs
        ]
        return net.put("concat", *ends, path=(*path, "join"))

    for width in (8, 16, 24, 32):
        unit = f"unit_{width}"
        flow = net.chain(branches(flow, width, unit, "in"), NORM, RELU, path=(unit,))
        flow = net.put("depthwise", flow, path=(unit, "dw"), kernel=3, padding=1)
    for width in (4, 12):
        flow = branches(flow, width, f"last_{width}")
    text = net.text()
    assert "[{branches: filters, name: in}, batch_norm, relu, " in block_of(text)
    assert layers_of(text).endswith(
        "  - {branches: 4, name: last_4}\n  - {branches: 12, name: last_12}\n"
    )


def test_weights_used_twice_in_a_module_are_shared_in_its_block():
    net, flow = Sketch(), -1
    for number in range(2):
        path = (f"twice_{number}",)
        first = net.chain(flow, conv(), path=path)
        again = net.put("relu", first, path=(*path, "relu"))
        shared = {"filters": 4, "kernel": 3, "padding": 1}
        again = net.put("conv", again, path=(*path, "conv"), shares=first, **shared)
        flow = net.chain(again, NORM, ("gelu", {}), conv(8), conv(4), path=path)
    text = net.text()
    assert "{conv: 4, kernel: 3, padding: 1, weights: conv_1}" in block_of(text)
    assert layers_of(text) == "  - {twice: , repeat: 2}\n"


def test_a_block_takes_no_layer_from_outside_by_name():
    net, flow = Sketch(), -1
    for number in range(3):
        path = (f"unit_{number}",)
        before = net.chain(flow, conv())
        start = net.chain(before, ("gelu", {}))
        inner = net.chain(start, conv(), NORM, RELU, conv(), NORM, RELU, path=path)
        inner = net.put("add", inner, before, path=(*path, "first"))
        inner = net.chain(inner, conv(), NORM, RELU, conv(), path=path)
        flow = net.put("add", inner, start, path=(*path, "second"))
    text = net.text()  # what it takes is in the block then
    assert "        name: unit\n" in block_of(text)
    assert layers_of(text) == "  - {block: , repeat: 3}\n"


def test_a_copy_that_another_layer_takes_by_name_has_its_own_name_in_a_block():
    net, flow = Sketch(), -1
    for number, width in enumerate((4, 8, 16)):
        path = (f"tree_{number}",)
        ends = [net.put("conv", flow, path=(*path, "in"), filters=width, kernel=1)]
        for _ in range(2):
            inner = net.chain(ends[-1], conv(width), NORM, conv(width), NORM)
            ends.append(net.put("add", inner, ends[-1]))
        flow = net.put("concat", *reversed(ends), path=(*path, "join"))
    assert block_of(net.text()).partition("  conv_add_concat:\n")[2] == (
        "    options: {filters: }\n"
        "    layers:\n"
        "      - {conv: filters, kernel: 1, name: in}\n"
        "      - {add: {main: [{conv_bn: filters, repeat: 2}], shortcut: []}, name: add_1}\n"
        "      - {add: {main: [{conv_bn: filters, repeat: 2}], shortcut: []}, name: add_2}\n"
        "      - {concat: [add_2, add_1, in], name: join}\n"
    )


def row(*taken: int | None, start: int = 0) -> tuple[Item, ...]:
    """Layers one behind the other; those that take a value by name, with what they take."""
    return tuple(
        Item("relu", number=start + n, refs=() if value is None else (value,))
        for n, value in enumerate(taken)
    )


@pytest.mark.parametrize(
    ("first", "last", "inputs"),
    [
        (0, 0, (-1,)),  # others may use its output by name
        (0, 1, None),  # but nothing before that
        (0, 2, (-1,)),
        (1, 2, (0,)),  # it may use its input by name
        (2, 3, (0,)),  # or only another value
        (3, 3, (2,)),
    ],
)
def test_a_part_has_the_values_that_it_uses_as_inputs(first, last, inputs):
    items = row(None, None, 0, None)
    assert BlockInputs(items).inputs_of(items[first : last + 1], entering=first - 1) == inputs


@pytest.mark.parametrize(("taken", "same"), [(3, True), (4, False), (5, False)])
def test_all_uses_of_a_block_take_the_same_layer_by_name(taken, same):
    items = (*row(None, None, None, 0), *row(None, None, taken, start=4))
    one, other = items[1:4], items[4:7]
    assert (anti_unify([one, other], [(0,), (3,)]) is not None) is same


# What comes in


def with_tables(net, flow, module, *tables, width=4):
    """A layer whose output is multiplied by tables, and a shortcut around it."""
    inner = net.chain(flow, conv(), path=module)
    for number, table in enumerate(tables):
        inner = net.put("multiply", inner, table, path=(*module, f"turn_{number}"))
    inner = net.chain(inner, NORM, conv(width), NORM, conv(), path=(*module, "out"))
    return net.put("add", flow, inner, path=(*module, "add"))


def cosine(net, *module, function="cos"):
    """A function of learned angles, which depends on no input of the network."""
    path = (*module, "angles")
    angles = net.put("learned", -1, path=path, shape=Shape(4, (8, 8)), buffer=True)
    return net.put("elementwise", angles, path=(*module, function), function=function)


def test_a_table_that_all_layers_share_is_an_input_of_their_block():
    net = Sketch()
    flow = net.chain(-1, conv(), path=("stem",))
    cos = cosine(net, "decoder", "0")  # computed in the layer that uses it first
    for number in range(4):
        flow = with_tables(net, flow, ("decoder", str(number)), cos)
    text = net.text()
    assert block_of(text) == (
        "  residual:\n"
        "    inputs: [x, cos]\n"
        "    layers:\n"
        "      - {multiply: {main: [{conv: 4, kernel: 3, padding: 1}], skip: cos}, name: "
        "turn_0, from: x}\n"
        "      - batch_norm\n"
        "      - {conv: 4, kernel: 3, padding: 1}\n"
        "      - batch_norm\n"
        "      - {conv: 4, kernel: 3, padding: 1, name: conv_2}\n"
        "      - {add: [x, conv_2], name: add_1}\n"
        "    outputs: [add_1, cos]\n"
    )
    assert layers_of(text) == (
        "  - {learned: {channels: 4, size: [8, 8]}, buffer: true, name: angles}\n"
        "  - {elementwise: cos, name: cos}\n"
        "  - {conv: 4, kernel: 3, padding: 1, name: stem, from: input}\n"
        "  - {residual: , from: [stem, cos], repeat: 4}\n"
    )


@pytest.mark.parametrize(
    ("is_join", "first"),
    [
        (False, "  - {learned: {channels: 4, size: [8, 8]}, name: table, from: x}"),
        (True, "  - add:"),
    ],
)
def test_a_tensor_that_is_first_in_a_network_of_several_inputs_names_one(is_join, first):
    """Otherwise the text cannot be read, and the spec is a plain list of layers."""
    net = Sketch((("x", X), ("y", X)))
    table = net.put("learned", -1, path=("table",), shape=X)
    if is_join:
        table = net.put("add", table, net.put("learned", -1, path=("other",), shape=X))
    table = net.chain(table, RELU)
    flow = net.put("add", net.put("add", -1, -2), table)
    for number in range(3):
        inner = net.chain(flow, conv(), NORM, RELU, conv(), path=("layers", str(number)))
        flow = net.put("add", inner, flow, path=("layers", str(number), "add"))
    text = net.text(net.put("add", flow, table))
    assert "{residual: , repeat: 3}" in text
    assert layers_of(text).partition("\n")[0] == first


def test_a_block_with_tables_has_options():
    net = Sketch()
    cos, sin = cosine(net), cosine(net, function="sin")
    flow = net.chain(-1, conv(), path=("stem",))
    for number, width in enumerate((4, 8, 16)):
        flow = with_tables(net, flow, ("decoder", str(number)), cos, sin, width=width)
    text = net.text()
    assert block_of(text) == (
        "  residual:\n"
        "    options: {filters: }\n"
        "    inputs: [x, cos, sin]\n"
        "    layers:\n"
        "      - {multiply: {main: [{conv: 4, kernel: 3, padding: 1}], skip: cos}, name: "
        "turn_0, from: x}\n"
        "      - {multiply: [turn_0, sin], name: turn_1}\n"
        "      - sequence: [batch_norm, {conv: filters, kernel: 3, padding: 1}, batch_norm,\n"
        "                   {conv: 4, kernel: 3, padding: 1}]\n"
        "        name: out\n"
        "      - {add: [x, out]}\n"
    )
    assert layers_of(text) == (
        "  - {learned: {channels: 4, size: [8, 8]}, buffer: true, name: angles}\n"
        "  - {elementwise: cos, name: cos}\n"
        "  - {learned: {channels: 4, size: [8, 8]}, buffer: true, name: angles_2}\n"
        "  - {elementwise: sin, name: sin}\n"
        "  - {conv: 4, kernel: 3, padding: 1, name: stem, from: input}\n"
        "  - sequence: [{residual: 4, name: residual_1, from: [stem, cos, sin]},\n"
        "               {residual: 8, name: residual_2, from: [residual_1, cos, sin]},\n"
        "               {residual: 16, from: [residual_2, cos, sin]}]\n"
        "    name: decoder\n"
    )


def test_the_input_of_a_block_has_no_automatic_name_of_a_layer():
    net = Sketch()
    mask = net.put("constant", -1, path=("constant",), shape=Shape(4, (8, 8)))
    other = net.put("constant", -1, path=("constant",), shape=Shape(4, (8, 8)))
    flow = net.chain(-1, conv(), path=("stem",))
    for number in range(3):
        flow = with_tables(net, flow, ("decoder", str(number)), mask, other)
    text = net.text()
    assert "    inputs: [x, constant_in, constant_in_2]\n" in block_of(text)
    assert layers_of(text) == (
        "  - {constant: {channels: 4, size: [8, 8]}, name: constant_1}\n"
        "  - {constant: {channels: 4, size: [8, 8]}, name: constant_2}\n"
        "  - {conv: 4, kernel: 3, padding: 1, name: stem, from: input}\n"
        "  - {sequence: [{residual: , from: [stem, constant_1, constant_2], repeat: 3}], "
        "name: decoder}\n"
    )


def test_modules_that_share_another_output_have_a_block_with_two_inputs():
    net = Sketch()
    memory = net.chain(-1, conv(), RELU, path=("encoder",))
    flow = net.chain(memory, conv(), path=("stem",))
    for number in range(3):
        flow = with_tables(net, flow, ("decoder", str(number)), memory)
    text = net.text()
    assert block_of(text) == (
        "  residual:\n"
        "    inputs: [x, encoder]\n"
        "    layers:\n"
        "      - {multiply: {main: [{conv: 4, kernel: 3, padding: 1}], skip: encoder}, "
        "name: turn_0, from: x}\n"
        "      - sequence: [batch_norm, {conv: 4, kernel: 3, padding: 1}, batch_norm,\n"
        "                   {conv: 4, kernel: 3, padding: 1}]\n"
        "        name: out\n"
        "      - {add: [x, out], name: add_1}\n"
        "    outputs: [add_1, encoder]\n"
    )
    assert layers_of(text) == (
        "  - {sequence: [{conv: 4, kernel: 3, padding: 1}, relu], name: encoder}\n"
        "  - {conv: 4, kernel: 3, padding: 1, name: stem}\n"
        "  - {sequence: [{residual: , from: [stem, encoder], repeat: 3}], name: decoder}\n"
    )


def test_parts_that_use_a_different_output_each_have_no_block_with_two_inputs():
    net = Sketch()
    ends = [net.chain(-1, conv(), RELU, path=(f"encoder_{n}",)) for n in range(3)]
    flow = ends[-1]
    for number, end in enumerate(reversed(ends)):
        flow = with_tables(net, flow, ("decoder", str(number)), end)
    assert "inputs:" not in block_of(net.text())


def test_branches_with_a_reshape_are_branches():
    net = Sketch((("x", Shape(4, (6,))),))
    start = net.chain(-1, ("gelu", {}))
    side = net.put("reshape", start, shape=Shape(6, (4,)))
    side = net.put("linear", side, features=6, each_position=True)
    side = net.put("reshape", side, shape=Shape(4, (6,)))
    net.put("multiply", net.put("relu", start), net.put("tanh", side))
    assert "from:" not in net.text()


def test_a_call_of_a_block_that_begins_with_a_learned_tensor_is_a_bias():
    net, flow = Sketch((("x", Shape(8, (4, 4))),)), -1
    for width, join in ((16, "add"), (32, "multiply"), (64, "add")):
        table = net.put("learned", -1, shape=Shape(width, (4, 4)))
        table = net.chain(table, conv(2 * width), RELU, conv(8))
        flow = net.chain(net.put(join, flow, table), RELU)
    assert layers_of(net.text()) == (
        "  - {add: {x: [], bias: [{learned_conv_relu: 16}]}}\n"
        "  - relu\n"
        "  - {multiply: {x: [], factor: [{learned_conv_relu: 32}]}}\n"
        "  - relu\n"
        "  - {add: {x: [], bias: [{learned_conv_relu: 64}]}}\n"
        "  - relu\n"
    )


def gated(net, source, width):
    """A convolution times a product of two learned tensors, which comes first."""
    factors = [net.put("learned", source, shape=Shape(width, (1, 1))) for _ in range(2)]
    gate = net.put("multiply", *factors)
    flow = net.put("conv", source, filters=width, kernel=3, padding=1)
    return net.put("multiply", net.put("multiply", flow, gate), gate)


def test_a_block_that_begins_with_learned_tensors_has_the_input_of_its_other_layers():
    net, flow, sides = Sketch(), -1, []
    for width in (8, 16, 32, 64):
        flow = net.put("conv", flow, filters=width, kernel=1)
        sides.append(net.put("conv", flow, filters=5, kernel=1))
        flow = gated(net, flow, width)
    text = net.text(net.put("add", *sides, net.put("conv", flow, filters=5, kernel=1)))
    assert block_of(text) == (
        "  multiply_block:\n"
        "    layers:\n"
        "      - multiply:\n"
        "          a: [{learned: {channels: in_channels, size: [1, 1]}}]\n"
        "          b: [{learned: {channels: in_channels, size: [1, 1]}}]\n"
        "        name: multiply_1\n"
        "      - multiply: {skip: [{conv: in_channels, kernel: 3, padding: 1, from: input}], "
        "main: []}\n"
        "        name: multiply_2\n"
        "      - {multiply: [multiply_2, multiply_1]}\n"
    )
    assert "  - {conv: 5, kernel: 1, name: conv_2}\n  - {multiply_block: , from: conv_1}\n" in text


def test_the_calls_of_a_block_may_differ_in_all_their_inputs():
    net, sides, flow = Sketch(), [], -1
    for width in (8, 16, 32):
        flow = net.put("conv", flow, filters=width, kernel=1)
        sides.append(net.put("conv", flow, filters=4, kernel=1))
    flow = net.put("conv", flow, filters=4, kernel=1)
    for number, side in enumerate(reversed(sides)):
        path = (f"merge_{number}",)
        flow = net.put("add", flow, side, path=(*path, "add"))
        flow = net.chain(flow, conv(), path=path)
        flow = net.put("multiply", flow, side, path=(*path, "gate"))
        flow = net.chain(flow, conv(4, 5), NORM, ("tanh", {}), path=path)
    text = net.text()
    assert block_of(text) == (
        "  merge:\n"
        "    inputs: [x, conv_in]\n"
        "    layers: [{conv: 4, kernel: 3, padding: 1, name: conv_1, from: x},\n"
        "             {multiply: [conv_1, conv_in], name: gate}, "
        "{conv: 4, kernel: 5, padding: 2},\n"
        "             batch_norm, tanh]\n"
    )
    assert text.count("- {merge: , from: [add_1, conv_2]}\n") == 3  # each in its own list


def test_a_relu_in_the_name_of_a_class_is_one_word():
    net, flow = Sketch(), -1
    for number, width in enumerate((8, 16, 32)):
        flow = net.chain(flow, conv(width), NORM, RELU, path=("body", str(number)))
    classes = tuple((("body", str(number)), "Conv2dReLU") for number in range(3))
    assert block_of(net.text(classes=classes)).startswith("  conv_relu:\n")


def test_the_width_of_a_learned_tensor_is_that_of_the_item_before_it_in_the_text():
    net, flow, sides = Sketch(), -1, []
    for width in (8, 16, 32):
        flow = gated(net, flow, width)
        flow = net.put("add", flow, gated(net, flow, width))
        sides.append(net.put("conv", flow, filters=4, kernel=1))
    text = net.text(*sides, flow)
    assert "      - {multiply_block: in_channels, name: multiply_block_1}\n" in block_of(text)
    assert layers_of(text).endswith(
        "  - {residual: , from: multiply_1}\n"
        "  - {side: [{conv: 4, kernel: 1}]}\n"
        "  - conv_multiply_block_residual\n"
        "  - {side: [{conv: 4, kernel: 1}]}\n"
        "  - conv_multiply_block_residual\n"
        "  - {conv: 4, kernel: 1}\n"
    )


def test_learned_tensors_are_joined_where_they_are_used():
    net = Sketch((("x", Shape(4, (5,))),))
    tokens = net.put("linear", -1, path=("embed",), features=8, each_position=True)
    token = net.put("learned", -1, path=("class_token",), shape=Shape(8, (1,)))
    tokens = net.put("concat", token, tokens, along=1)
    position = net.put("learned", -1, path=("position",), shape=Shape(8, (6,)))
    net.put("add", tokens, position)
    assert layers_of(net.text()) == (
        "  - {linear: 8, each_position: true, name: embed}\n"
        "  - {concat: {class_token: [{learned: {channels: 8, size: [1]}}], x: []}, along: 1}\n"
        "  - {add: {x: [], position: [{learned: {channels: 8, size: [6]}}]}}\n"
    )


# Options


def residual(net, source, width, module, stride=1):
    """Two convolutions; where the shape changes, a third beside them."""
    path = (module,)
    main = net.chain(source, conv(width, stride=stride), NORM, RELU, conv(width), NORM, path=path)
    short = source
    if stride != 1:
        short = net.chain(source, conv(width, 1, stride=stride), NORM, path=(*path, "down"))
    return net.put("add", main, short, path=(*path, "add"))


def test_a_shortcut_takes_its_stride_from_the_option_of_the_block():
    net = Sketch()
    flow = net.chain(-1, RELU)
    for number, width in enumerate((4, 8, 16)):
        flow = residual(net, flow, width, f"unit_{number}", stride=1 if width == 4 else 2)
    text = net.text()
    assert "down: [{conv_bn: [filters, stride], kernel: 1, when: down}]" in block_of(text)
    assert "options: {filters: , stride: 2, down: true}" in block_of(text)


def test_an_option_that_always_equals_the_input_channels_is_left_out():
    net, flow = Sketch(), -1
    for number, width in enumerate((8, 16, 32)):
        flow = net.chain(flow, conv(width, 1), (("tanh", "gelu", "silu")[number], {}))
        path = (f"se_{number}",)
        gate = net.put("global_avg_pool", flow, path=(*path, "pool"))
        gate = net.put("conv", gate, path=(*path, "fc1"), filters=3 + number, kernel=1)
        gate = net.chain(gate, RELU, path=path)
        gate = net.put("conv", gate, path=(*path, "fc2"), filters=width, kernel=1)
        gate = net.chain(gate, ("sigmoid", {}), path=path)
        flow = net.put("multiply", flow, gate, path=(*path, "multiply"))
    text = net.text()
    assert "    options: {filters: , channels: in_channels}\n" in block_of(text)
    assert "{squeeze_excite: 5, name: se_2}" in layers_of(text)


@pytest.mark.parametrize(
    ("part", "expression"), [(2, "2 * in_channels // 3"), (1, "in_channels // 3")]
)
def test_a_number_can_be_a_simple_fraction_of_the_input_channels(part, expression):
    net, flow = Sketch(), -1
    for number, width in enumerate((12, 24, 48)):
        path = (f"part_{number}",)
        flow = net.chain(flow, conv(width), NORM, RELU, path=path)
        flow = net.put("slice", flow, path=(*path, "x"), length=width // 3, start=part * width // 3)
    text = net.text()
    assert f"start: {expression}" in block_of(text)
    assert "    options: {filters: }\n" in block_of(text)


def test_the_heads_of_attention_over_parts_are_not_a_fraction_of_a_part():
    net, flow = Sketch((("x", Shape(32, (9,))),)), -1
    for number, (width, heads) in enumerate(((32, 2), (64, 4), (128, 8))):
        path = (f"unit_{number}",)
        flow = net.put("linear", flow, path=(*path, "in"), features=3 * width, each_position=True)
        parts = [
            net.put("slice", flow, path=(*path, "part"), start=start, length=width)
            for start in (0, width, 2 * width)
        ]
        flow = net.put("attention", *parts, path=(*path, "attention"), heads=heads)
    text = net.text()
    assert "      heads: heads\n" in block_of(text)
    assert layers_of(text) == (
        "  - {attention_block: 2, name: unit_0}\n"
        "  - {attention_block: 4, name: unit_1}\n"
        "  - {attention_block: 8, name: unit_2}\n"
    )


def test_two_sevenths_of_the_input_channels_stay_a_number():
    net, flow = Sketch(), -1
    for number, width in enumerate((14, 28, 56)):
        path = (f"part_{number}",)
        flow = net.chain(flow, conv(width), NORM, RELU, path=path)
        flow = net.put("slice", flow, path=(*path, "x"), length=2 * width // 7)
    assert "// 7" not in net.text()


def test_options_have_the_order_of_the_header():
    net, flow = Sketch(), -1
    for number in range(5):
        first, second = (5, 5, 5, 5, 7)[number], (11, 13, 17, 19, 23)[number]
        kinds = (conv(first), NORM, ("gelu", {}), conv(second, 1), RELU, conv(8, 5), ("tanh", {}))
        flow = net.chain(flow, *kinds, path=(f"unit_{number}",))
    assert block_of(net.text()).partition("\n")[2] == (
        "    options: {filters_1: , filters_2: 5}\n"
        "    layers: [{conv: filters_2, kernel: 3, padding: 1}, batch_norm, gelu,\n"
        "             {conv: filters_1, kernel: 1}, relu, "
        "{conv: 8, kernel: 5, padding: 2}, tanh]\n"
    )


def test_a_block_comes_after_the_blocks_that_it_calls():
    net = Sketch()
    flow = net.chain(-1, RELU)
    for number, width in enumerate((4, 8, 16)):
        flow = residual(net, flow, width, f"unit_{number}", stride=1 if width == 4 else 2)
    names = [line[2:-1] for line in block_of(net.text()).splitlines() if line[2:3] != " "]
    assert names == ["conv_bn", "residual"]


# Uses that no options can tell apart


def test_layers_that_depend_on_the_input_in_the_same_way_become_a_block():
    net, flow = Sketch((("x", Shape(4, (64, 64))),)), -1
    for number in range(4):
        path = (f"crop_{number}",)
        flow = net.chain(flow, conv(), NORM, RELU, conv(), NORM, RELU, path=path)
        length = 64 - number - 1
        flow = net.put("slice", flow, path=(*path, "slice"), length=length, along=1)
    layer_graph = net.graph()
    layers = list(layer_graph.layers)
    for index in (6, 13):  # of the four only two know that they follow
        layers[index] = layers[index]._replace(follows=(("length", "in_height - 1"),))
    text = proved_spec(layer_graph._replace(layers=tuple(layers)))
    assert "{slice: in_height - 1, along: 1}" in block_of(text)
    assert layers_of(text) == (
        "  - {crop_block: , repeat: 2}\n"
        "  - {sequence: [{conv_bn_relu: , repeat: 2}, {slice: 61, along: 1}], name: crop_2}\n"
        "  - {sequence: [{conv_bn_relu: , repeat: 2}, {slice: 60, along: 1}], name: crop_3}\n"
    )


def test_repeated_joins_become_a_repeat_without_a_block():
    net, flow = Sketch(), -1
    one, other = (5, 7, 11, 13, 17, 19, 23, 29, 31), (31, 7, 5, 29, 11, 23, 17, 13, 37)
    for widths in (one, one, other):  # more options than a reader keeps apart
        main = net.chain(flow, *(conv(width) for width in widths), conv(4))
        flow = net.put("add", main, flow)
    text = net.text()
    assert "blocks:" not in text
    assert "repeat: 2" in layers_of(text)
