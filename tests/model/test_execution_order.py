"""The order of least peak memory, against all orders of small networks and an example by hand."""

from textwrap import dedent

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from support import SPECS

from convcost.language.load import load
from convcost.language.network_inputs import Settings
from convcost.model.dtypes import parse_dtypes
from convcost.model.errors import Source
from convcost.model.execution_order import best_order, reordered
from convcost.model.peak_memory import peak_memory
from convcost.model.task_graph import task_graph

INT8 = parse_dtypes("int8")
MAX_ORDERS = 2_000
# Two branches, one of which is longer, as in Liberis and Lane, "Neural networks on
# microcontrollers: saving memory at inference via operator reordering", 2019, arXiv:1910.05110.
BRANCHES = """
    input: {channels: 1568, size: []}
    layers:
      - {linear: 3136, name: t1}
      - {linear: 1568, name: t2}
      - {linear: 512, name: t3}
      - {linear: 512, name: t4, from: t1}
      - {linear: 256, name: t5, from: t3}
      - {linear: 256, name: t6, from: t4}
      - {concat: [t5, t6]}
    """


def network(text):
    return load(Source("net.yaml", dedent(text)), Settings())[0]


def peak(net, *, in_place=True):
    return peak_memory(net, in_place=in_place, dtypes=INT8).bytes


def test_another_order_of_two_branches_needs_4960_bytes_instead_of_5216():
    net = network(BRANCHES)
    found = best_order(net, dtypes=INT8)
    assert peak(net) == 3136 + 1568 + 512 == 5216
    assert (found.peak, found.exact) == (3136 + 256 + 1568, True) == (4960, True)
    best = reordered(net, found.steps)
    assert peak(best) == 4960
    assert [step.path for step in best.steps][:3] == ["t1", "t4", "t6"]


KINDS = st.sampled_from(["linear", "linear", "relu", "flatten", "add", "concat", "stored"])
LAYERS = st.lists(
    st.tuples(KINDS, st.integers(1, 5), st.integers(1, 5), st.sampled_from([1, 2, 3, 8, 20])),
    min_size=1,
    max_size=8,
)


def random_network(drawn):
    """All tensors are flat, so that any two of one length can be added."""
    lengths, lines = [8], []
    for number, (wanted, first, second, size) in enumerate(drawn, 1):
        one, other = (max(0, len(lengths) - back) for back in (first, second))
        names = ["input" if i == 0 else f"t{i}" for i in (one, other)]
        kind = "relu" if wanted == "add" and lengths[one] != lengths[other] else wanted
        if kind == "stored":
            lines.append(f"  - {{learned: {{channels: {size}, size: []}}, name: s{number}}}")
            lines.append(f"  - {{linear: {size}, from: s{number}, name: t{number}}}")
            lengths.append(size)
            continue
        sizes = {"linear": size, "concat": lengths[one] + lengths[other]}
        lengths.append(sizes.get(kind, lengths[one]))
        option = size if kind == "linear" else ""
        rest = f"{option}, from: {names[0]}"
        if kind in ("add", "concat"):
            rest = f"[{names[0]}, {names[1]}]"
        lines.append(f"  - {{{kind}: {rest}, name: t{number}}}")
    return network("input: {channels: 8, size: []}\nlayers:\n" + "\n".join(lines))


def all_orders(net):
    """Every order in which each step comes after those that it reads; at most MAX_ORDERS."""
    count, found = len(net.steps), []
    stack: list[tuple[int, ...]] = [()]
    while stack and len(found) <= MAX_ORDERS:
        order = stack.pop()
        if len(order) == count:
            found.append(order)
        for index, step in enumerate(net.steps):
            reads = () if step.layer.memory == "weights" else step.inputs
            if index not in order and all(read < 0 or read in order for read in reads):
                stack.append((*order, index))
    return found


SIZES = st.sampled_from([1, 2, 3, 8, 20])
BRANCHED = st.recursive(
    st.tuples(st.just("layer"), SIZES),
    lambda inner: st.tuples(
        st.just("concat"), st.lists(st.lists(inner, max_size=3), min_size=2, max_size=3)
    ),
    max_leaves=8,
)
MAX_TASKS = 11


def branched(layers):
    """The layers of a series-parallel network. At most one branch of a join has no layer."""
    found = []
    for kind, value in layers:
        if kind == "layer":
            found.append(f"{{linear: {value}}}")
            continue
        empty = [branch for branch in value if not branch][:1]
        branches = [branched(branch) for branch in value if branch] + [[] for _ in empty]
        if len(branches) == 1:
            branches.append(["{linear: 1}"])
        named = (f"b{number}: [{', '.join(branch)}]" for number, branch in enumerate(branches))
        found.append(f"{{concat: {{{', '.join(named)}}}}}")
    return found


def series_parallel(layers, channels):
    text = f"input: {{channels: {channels}, size: []}}\nlayers: [{', '.join(branched(layers))}]"
    return network(text)


def least_peak(net, *, in_place):
    """The least peak of all orders, by the sets of tasks that have run."""
    graph = task_graph(net, 1, in_place=in_place, dtypes=INT8)
    peaks = {frozenset[int](): graph.alive_inputs}
    for _ in graph.tasks:
        following: dict[frozenset[int], int] = {}
        for done, before in peaks.items():
            for number, task in enumerate(graph.tasks):
                writers = {graph.tensors[read].writer for read in task.reads} - {-1}
                if number not in done and writers <= done:
                    order = [*sorted(done), number]
                    alive = dict(zip(order, graph.alive_in(order), strict=True))
                    after = done | {number}
                    reached = max(before, alive[number][1])
                    following[after] = min(reached, following.get(after, reached))
        peaks = following
    return min(peaks.values())


@given(st.lists(BRANCHED, min_size=1, max_size=3), st.sampled_from([1, 5, 30]), st.booleans())
def test_no_order_of_a_series_parallel_network_has_a_lower_peak(layers, channels, in_place):
    net = series_parallel(layers, channels)
    assume(len(net.steps) <= MAX_TASKS)
    found = best_order(net, in_place=in_place, dtypes=INT8)
    assert found.exact
    assert peak(reordered(net, found.steps), in_place=in_place) == found.peak
    assert found.peak == least_peak(net, in_place=in_place)


@given(LAYERS, st.booleans())
def test_no_order_of_a_small_network_has_a_lower_peak(drawn, in_place):
    net = random_network(drawn)
    found = best_order(net, in_place=in_place, dtypes=INT8)
    assert found.exact
    assert sorted(found.steps) == list(range(len(net.steps)))
    assert peak(reordered(net, found.steps), in_place=in_place) == found.peak
    orders = all_orders(net)
    if len(orders) <= MAX_ORDERS:
        peaks = (peak(reordered(net, order), in_place=in_place) for order in orders)
        assert found.peak == min(peaks)


@given(LAYERS, st.booleans(), st.integers(1, 40))
def test_a_search_that_is_cut_short_gives_bounds_of_the_least_peak(drawn, in_place, work):
    net = random_network(drawn)
    best = best_order(net, in_place=in_place, dtypes=INT8)
    found = best_order(net, in_place=in_place, dtypes=INT8, max_work=work)
    assert found.at_least <= best.peak <= found.peak <= peak(net, in_place=in_place)
    assert peak(reordered(net, found.steps), in_place=in_place) == found.peak


@pytest.mark.parametrize(
    "name", ["googlenet", "inception_v3", "densenet", "unet", "swin", "shufflenet_v2"]
)
def test_the_order_of_a_shipped_network_is_exact(name):
    path = SPECS / f"{name}.yaml"
    net = load(Source(path.name, path.read_text("utf-8")), Settings())[0]
    found = best_order(net, dtypes=INT8)
    assert found.exact
    assert peak(reordered(net, found.steps)) == found.peak <= peak(net)


def test_branches_that_keep_their_order_have_a_bound():
    branches = ", ".join(
        f"b{n}: [{{linear: 4}}, {{linear: 9999}}, {{linear: {n % 9 + 1}}}]" for n in range(700)
    )
    net = network(f"input: {{channels: 9000, size: []}}\nlayers: [{{concat: {{{branches}}}}}]")
    found = best_order(net, dtypes=INT8)
    assert found.at_least < found.peak == peak(net)


def test_branches_wait_at_the_size_that_needs_the_least():
    # After 21 of 32 branches, the others run up to their first layer, which frees the input.
    branches = ", ".join(f"b{n}: [{{linear: 4}}, {{linear: 40}}, {{linear: 2}}]" for n in range(32))
    net = network(
        f"""
        input: {{channels: 3, size: []}}
        layers: [{{linear: 256}}, {{concat: {{{branches}}}}}]
        """
    )
    found = best_order(net, dtypes=INT8)
    assert (found.peak, found.exact) == (256 + 21 * 2 + 4 + 40, True)
    assert peak(net) == 256 + 30 * 2 + 4 + 40


def test_branches_in_branches_need_no_search():
    innermost = "a: [{linear: 4}, {linear: 20}], b: [{linear: 9000}, {linear: 1}]"
    inner = ", ".join(f"i{n}: [{{linear: 8}}, {{concat: {{{innermost}}}}}]" for n in range(8))
    outer = ", ".join(f"o{n}: [{{linear: 9}}, {{concat: {{{inner}}}}}]" for n in range(8))
    net = network(f"input: {{channels: 9, size: []}}\nlayers: [{{concat: {{{outer}}}}}]")
    found = best_order(net, dtypes=INT8)
    assert found.exact
    assert peak(reordered(net, found.steps)) == found.peak < peak(net)


def test_many_equal_branches_need_no_search():
    branches = ", ".join(f"b{n}: [{{linear: 4}}, {{linear: 100}}]" for n in range(32))
    net = network(
        f"input: {{channels: 256, size: []}}\nlayers: [{{concat: {{{branches}}}}}, {{linear: 5}}]"
    )
    found = best_order(net, dtypes=INT8)
    assert (found.peak, found.exact) == (32 * 100 + 32 * 100, True)


def test_the_layers_of_an_expert_count_all_copies_that_run():
    net = network(
        """
        input: {channels: 64, size: [32]}
        layers:
          - experts: {gate: [{linear: 8, each_position: true}],
                      each: [relu, {linear: 128, each_position: true}, silu,
                             {linear: 64, each_position: true}]}
            of: 8
            take: 2
        """
    )
    for in_place in (True, False):
        found = best_order(net, in_place=in_place, dtypes=INT8)
        best = reordered(net, found.steps)
        assert found.peak == peak(best, in_place=in_place) <= peak(net, in_place=in_place)
    # The gate, and two copies of 128 and of 64 channels.
    assert best_order(net, dtypes=INT8).peak == 32 * (8 + 2 * 128 + 2 * 64)
