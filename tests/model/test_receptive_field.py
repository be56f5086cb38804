"""What an element sees, compared with sets of inputs that are followed back one by one."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support import at_most, cost, run

from convcost.model import receptive_field
from convcost.model.receptive_field import (
    MAX_INTERVALS,
    MAX_PERIOD,
    ReceptiveField,
    compose,
    resize_field,
    transposed_window_field,
    window_field,
)


def slid(begin, kernel, stride, dilation):
    def seen(o):
        return {o * stride - begin + t * dilation for t in range(kernel)}

    return window_field(begin, dilation * (kernel - 1), stride, dilation), seen


def spread(begin, kernel, stride, dilation):
    def seen(o):
        places = (o + begin - t * dilation for t in range(kernel))
        return {place // stride for place in places if place % stride == 0}

    return transposed_window_field(begin, kernel, stride, dilation), seen


def scaled(n, o, before, after):
    def seen(place):
        return set(range(place * n // o - before, place * n // o + after + 1))

    return resize_field(n, o, before, after), seen


small = st.integers(1, 4)
layers = st.one_of(
    st.builds(slid, st.integers(0, 4), small, small, small),
    st.builds(spread, st.integers(0, 4), small, small, small),
    st.builds(scaled, small, small, st.integers(0, 2), st.integers(0, 2)),
)


def followed(chain):
    """The field of a chain of layers, and the sets of inputs that its outputs see."""
    field = ReceptiveField()
    for layer, _ in chain:
        field = compose(field, layer)
    found = []
    for o in range(field.period):
        seen = {o}
        for _, back in reversed(chain):
            seen = set().union(*map(back, seen))
        found.append(seen)
    return field, found


def widest(found):
    return max((max(seen) - min(seen) + 1 for seen in found if seen), default=0)


@pytest.mark.slow
@given(chain=st.lists(layers, min_size=1, max_size=4))
@settings(max_examples=500, deadline=None)
def test_an_extent_is_the_largest_of_all_outputs(chain):
    field, found = followed(chain)
    assert field.exact
    assert field.extent == widest(found)


@pytest.mark.slow
@given(chain=st.lists(layers, min_size=1, max_size=4))
@settings(max_examples=300, deadline=None)
def test_an_extent_that_is_an_upper_bound_is_never_too_small(chain):
    _, found = followed(chain)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("convcost.model.receptive_field.MAX_PERIOD", 1)
        chain = [(type(layer)(*layer), back) for layer, back in chain]
        field = ReceptiveField()
        for layer, _ in chain:
            field = compose(field, layer)
    assert field.extent >= widest(found)


@pytest.mark.parametrize(
    ("layers", "extents"),
    [
        pytest.param(
            "{transposed_conv: 2, kernel: 1, stride: 3}, {max_pool: 3, stride: 1}",
            [1, 1],
            id="holes of a kernel below the stride",
        ),
        pytest.param(
            "{transposed_conv: 2, kernel: 1, stride: 3}, {max_pool: 4, stride: 1}",
            [1, 2],
            id="a window from one to the next",
        ),
        pytest.param(
            "{transposed_conv: 2, kernel: 2, stride: 2, dilation: 2}, {max_pool: 2, stride: 1}",
            [2, 2],
            id="holes of a dilation",
        ),
        pytest.param(
            "{transposed_conv: 2, kernel: 1, stride: 2}, {conv: 2, kernel: 3, dilation: 2}",
            [1, 3],
            id="a dilated window over holes",
        ),
    ],
)
def test_the_field_after_a_transposed_window_covers_all_inputs_of_an_output(layers, extents):
    found = cost(f"input: {{channels: 2, size: [12, 12]}}\nlayers: [{layers}]")
    assert [layer.field[0].extent for layer in found.layers] == extents


def test_a_long_chain_after_a_transposed_window_with_holes_needs_few_steps():
    stride, chain = MAX_PERIOD - 3, 50
    text = f"{{transposed_conv: 1, kernel: 1, stride: {stride}}}"
    text += ", {max_pool: 3, stride: 1}" * chain
    with at_most(lines=chain * 30_000):
        cost(f"input: {{channels: 1, size: [9]}}\nlayers: [{text}]")


@pytest.mark.parametrize("wide", [0, 1, 2])
def test_the_upper_bound_of_a_join_is_around_all_branches(wide):
    branches = ["[{conv: 1, kernel: 9, padding: 4}]" if n == wide else "[]" for n in range(3)]
    joined = ", ".join(f"{name}: {layers}" for name, layers in zip("abc", branches, strict=True))
    text = f"{{transposed_conv: 1, kernel: 1, stride: {MAX_PERIOD + 1}}}, {{add: {{{joined}}}}}"
    layers = cost(f"input: {{channels: 1, size: [9]}}\nlayers: [{text}]").layers
    before, conv, join = (layer.field[0] for layer in layers)
    assert not join.exact
    assert join == conv != before


def test_the_fields_of_many_layers_with_a_long_period_become_upper_bounds():
    chain = 2 * MAX_INTERVALS // MAX_PERIOD
    text = f"{{transposed_conv: 1, kernel: {MAX_PERIOD}, stride: {MAX_PERIOD}}}"
    text += f", {{conv: 1, kernel: 3, padding: 1, repeat: {chain}}}"
    layers = cost(f"input: {{channels: 1, size: [9]}}\nlayers: [{text}]").layers
    exact = [layer.field[0].exact for layer in layers]
    assert exact == sorted(exact, reverse=True)
    assert exact.count(True) == MAX_INTERVALS // (MAX_PERIOD - 1) + 1
    assert layers[-1].field[0].extent in (
        1 + -(-2 * chain // MAX_PERIOD) + bound for bound in range(3)
    )


@pytest.mark.parametrize("size", [500, 520, 600])
def test_the_receptive_field_of_an_adaptive_pool_is_never_below_its_largest_window(size):
    """Its windows repeat after 500, 520 and 600 outputs; above 512 it is an upper bound."""
    n = 5003
    (layer,) = cost(
        f"input: {{channels: 1, size: [{n}]}}\nlayers: [{{adaptive_avg_pool: {size}}}]\n"
    ).layers
    windows = (-(-(i + 1) * n // size) - i * n // size for i in range(size))
    largest = max(windows)
    assert largest <= layer.field[0].extent <= largest + (size > MAX_PERIOD)


@pytest.mark.parametrize(
    ("layers", "extents"),
    [
        pytest.param("{upsample: 2}, {max_pool: 2}", [1, 1], id="a pool of pairs that are equal"),
        pytest.param(
            "{upsample: 2}, {pad: 1}, {max_pool: 2}", [1, 1, 2], id="after a pad it takes two pairs"
        ),
        pytest.param("{upsample: 2}, {crop: 1}, {max_pool: 2}", [1, 1, 2], id="after a crop too"),
        pytest.param(
            "{upsample: 2}, {pad_like: {x: [], like: [{pad: 1}]}}, {max_pool: 2}",
            [1, 1, 1, 2],
            id="after a pad_like too",
        ),
    ],
)
def test_borders_move_the_windows_that_come_after_them(layers, extents):
    found = cost(f"input: {{channels: 2, size: [6]}}\nlayers: [{layers}]")
    assert [layer.field[0].extent for layer in found.layers] == extents


@pytest.mark.parametrize("layer", ["global_avg_pool", "flatten", "{adaptive_avg_pool: 1}"])
def test_a_layer_with_one_output_depends_on_no_more_than_the_input(layer):
    """The five windows of the first pool are 2 or 3 long, and repeat after 5 outputs."""
    found = cost(f"input: {{channels: 2, size: [9]}}\nlayers: [{{adaptive_avg_pool: 5}}, {layer}]")
    assert [layer.field[0].extent for layer in found.layers] == [3, 9]


def test_an_extent_is_that_of_outputs_that_exist():
    """The outputs depend on inputs 0, 0 to 1, 1 to 2, 2; there are two of them, not four."""
    text = "input: {channels: 2, size: [2]}\nlayers: [{upsample: 4/3}, {crop: [1, 0]}]"
    assert [layer.field[0].extent for layer in cost(text).layers] == [1, 1]
    layers = "{adaptive_avg_pool: 2}, {slice: 1, start: 0, along: 1}"
    found = cost(f"input: {{channels: 2, size: [3]}}\nlayers: [{layers}]")
    assert [layer.field[0].extent for layer in found.layers] == [2, 2]


def test_a_learned_tensor_depends_on_no_input():
    text = """\
inputs: {a: {channels: 2, size: [9]}, b: {channels: 2, size: [9]}}
layers:
  - {conv: 2, kernel: 5, padding: 2, from: a, name: x}
  - {learned: {channels: 2, size: [9]}, name: p}
  - {conv: 2, kernel: 3, padding: 1, name: q}
  - {conv: 2, kernel: 3, padding: 1, from: b, name: y}
  - {add: [y, q]}
  - {add: [q, y]}
  - {concat: [p, q], name: none}
  - global_avg_pool
  - {reshape: {channels: 1, size: [rest]}}
"""
    fields = [layer.field[0] for layer in cost(text).layers]
    assert [field.extent for field in fields] == [5, 0, 0, 3, 3, 3, 0, 0, 0]
    assert [field.step for field in fields] == [1, 0, 0, 1, 1, 1, 0, 0, 0]


@pytest.mark.parametrize(
    "layer",
    [
        "{custom: what, params: 0, macs: 0}",
        "{custom: what, params: 0, macs: uncounted, output: {channels: 2, size: [5]}}",
        "{roll: 3}",
        "{reshape: {channels: 2, size: [18]}}",
    ],
)
def test_a_layer_that_moves_elements_to_unknown_places_depends_on_the_whole_input(layer):
    window = "{conv: 2, kernel: 3}"
    text = f"input: {{channels: 2, size: [20]}}\nlayers: [{window}, {layer}, {window}]\n"
    fields = [layer.field[0] for layer in cost(text).layers]
    assert [(field.extent, field.step) for field in fields] == [(3, 1), (20, 0), (20, 0)]


@pytest.mark.parametrize("kind", ["softmax", "log_softmax", "instance_norm", "l2_norm"])
def test_a_norm_and_a_softmax_depend_on_their_own_position(kind):
    text = f"input: {{channels: 2, size: [20]}}\nlayers: [{{conv: 2, kernel: 3}}, {kind}]"
    fields = [layer.field[0] for layer in cost(text).layers]
    assert [(field.extent, field.step) for field in fields] == [(3, 1), (3, 1)]


BOUND = """\
input: {channels: 1, size: [4000]}
layers: [{conv: 1, kernel: 3}, {upsample: , size: 3989}, {conv: 1, kernel: 3}]
"""


UPPER_BOUND = (
    "receptive field: an upper bound, because its pattern is too long or differs between outputs"
)


def test_tables_mark_an_upper_bound():
    done = run("analyze", "-", "--columns", "layer,receptive_field", text=BOUND)
    fields = [line.split() for line in done.stdout.decode().splitlines() if "_" in line]
    assert fields[-2:] == [["upsample_1", "≤3"], ["conv_2", "≤6"]]
    done = run("explain", "-", "conv_2", text=BOUND)
    assert UPPER_BOUND in done.stdout.decode().splitlines()
    done = run("explain", "-", "conv_1", text=BOUND)
    assert UPPER_BOUND not in done.stdout.decode().splitlines()


RESIZED = """\
input: {channels: 1, size: [4000]}
vars: {n: 3989}
layers:
  - {sequence: [{conv: 1, kernel: 3}], name: before}
  - {sequence: [{upsample: , size: n}, {conv: 1, kernel: 3}], name: after}
"""


@pytest.mark.parametrize(
    ("command", "times"),
    [
        ("explain - after", 1),
        ("explain - before", 0),
        ("formula - --vary n --measures receptive_field", 1),
        ("formula - before --vary n --measures receptive_field", 0),
        ("formula - --vary n --measures params", 0),
        ("analyze - --set n=1999,3989 --columns receptive_field", 1),
        ("analyze - --set n=1999,3998 --columns receptive_field", 0),
        ("analyze - --set n=1999,3989 --sort receptive_field --columns params", 1),
        ("analyze - --set n=1999,3989 --columns params --where receptive_field>3", 1),
        ("analyze - --set n=1999,3989 --columns params", 0),
    ],
)
def test_a_report_with_an_upper_bound_says_so(command, times):
    printed = run(*command.split(), text=RESIZED).stdout.decode().splitlines()
    assert printed.count(UPPER_BOUND) == times


def test_a_search_says_at_which_point_a_receptive_field_is_an_upper_bound(tmp_path):
    path = tmp_path / "net.yaml"
    path.write_text(RESIZED.replace("n: 3989", "n: 3998"))
    command = ("search", str(path), "--vary", "n=3989,3998", "--columns")
    printed = run(*command, "receptive_field").stdout.decode().splitlines()
    assert printed.count(f"{UPPER_BOUND} (at n=3989)") == 1
    assert UPPER_BOUND not in run(*command, "macs").stdout.decode()


def test_the_bounds_of_equal_layers_are_computed_once():
    """The period of the chain, 23 to the power of the copies, is soon above the limit."""
    pair = "{transposed_conv: 3, kernel: 23, stride: 23}, {max_pool: 20, stride: 20}"
    text = f"""
        input: {{channels: 3, size: 8}}
        layers: [{{sequence: [{pair}], repeat: 20}}]
        """
    receptive_field._known_bounds.cache_clear()
    assert not cost(text).layers[-1].field[0].exact
    # Of the field of each layer, and of those of the chain before it is above the limit.
    assert receptive_field._known_bounds.cache_info().misses <= 4
    assert receptive_field._known_bounds.cache_info().hits > 20
