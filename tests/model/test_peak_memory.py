"""Peak memory: what is alive at one step, against a simulation that frees as it goes."""

from textwrap import dedent

import pytest
import support
from hypothesis import given
from hypothesis import strategies as st

from convcost.language.load import load
from convcost.language.network_inputs import Settings
from convcost.model.errors import Source
from convcost.model.execution_order import best_order
from convcost.model.peak_memory import buffers, peak_memory


def network(text):
    return load(Source("net.yaml", dedent(text)), Settings())[0]


def shipped(name):
    return support.shipped(name).network


def alive(net, peak):
    return [
        (net.steps[b.tensor].path if b.tensor >= 0 else net.inputs[-1 - b.tensor][0], b.elements)
        for b in peak.buffers
    ]


def test_a_layer_needs_its_input_and_its_output():
    net = network(
        """
        input: {channels: 1, size: 96}
        defaults: {conv: {padding: same}, depthwise: {padding: same}}
        layers: [{conv: 8, kernel: 3, stride: 2}, {depthwise: 3}, {conv: 16, kernel: 1},
                 {depthwise: 3, stride: 2}, {conv: 32, kernel: 1}, {depthwise: 3}]
        """
    )
    peak = peak_memory(net)
    assert peak.elements == 48 * 48 * 8 + 48 * 48 * 16
    assert net.steps[peak.step].path == "conv_2"
    assert alive(net, peak) == [("depthwise_1", 48 * 48 * 8), ("conv_2", 48 * 48 * 16)]
    assert peak_memory(net, 3).elements == 3 * peak.elements


def test_a_shortcut_is_alive_until_the_join_that_reads_it():
    net = network(
        """
        input: {channels: 4, size: 10}
        layers:
          - {conv: 6, kernel: 1}
          - add: {main: [{conv: 3, kernel: 1}, {conv: 6, kernel: 1}], skip: []}
          - {conv: 1, kernel: 1}
        """
    )
    assert peak_memory(net).elements == 100 * (6 + 3 + 6)
    assert net.steps[peak_memory(net).step].path == "main/conv_2"
    assert peak_memory(net, in_place=False).elements == 100 * (6 + 6 + 6)  # at the add


def test_activations_and_norms_write_over_their_input():
    net = network(
        "input: {channels: 4, size: 10}\nlayers: [{conv: 9, kernel: 1}, batch_norm, relu, softmax]"
    )
    assert [b.elements for b in buffers(net)] == [4 * 100, 9 * 100, 9 * 100]  # softmax is apart
    assert len(buffers(net, in_place=False)) == 5


def test_a_roll_does_not_write_over_its_input():
    net = network("input: {channels: 3, size: 10}\nlayers: [{roll: 2}]")
    assert peak_memory(net).elements == 2 * 3 * 10 * 10


@pytest.mark.parametrize("norm", ["{instance_norm: }", "{group_norm: 3}"])
def test_a_norm_over_positions_does_not_write_over_its_input(norm):
    net = network(f"input: {{channels: 3, size: 10}}\nlayers: [{norm}]")
    assert peak_memory(net).elements == 2 * 3 * 10 * 10


@pytest.mark.parametrize(
    ("view", "peak"),
    [("", 1), ("identity", 1), ("{reshape: {channels: 8, size: [8]}}", 2)],
)
@pytest.mark.parametrize("x", ["x: [], y: [VIEW]", "y: [VIEW], x: []"])
def test_a_tensor_that_is_also_read_in_another_order_is_not_written_over(view, peak, x):
    net = network(f"""
        input: {{channels: 8, size: [8]}}
        layers: [{{add: {{{x.replace("VIEW", view)}}}}}]
        """)
    assert peak_memory(net).elements == peak * 8 * 8
    assert best_order(net).peak == 4 * peak * 8 * 8


def test_an_input_that_is_read_later_is_not_written_over():
    net = network(
        "input: {channels: 4, size: 10}\n"
        "layers: [{conv: 9, kernel: 1, name: c}, relu, {add: [c, relu_1]}]"
    )
    assert peak_memory(net).elements == 2 * 9 * 100


def test_views_and_stored_tensors_need_no_memory_of_their_own():
    net = network(
        """
        input: {channels: 4, size: 10}
        layers:
          - {add: {x: [], position: [{learned: {channels: 4, size: [10, 10]}}]}}
          - {dropout: 0.1}
          - identity
          - flatten
          - {linear: 10}
        """
    )
    assert [b.elements for b in buffers(net, in_place=False)] == [400, 400, 10]
    assert [b.elements for b in buffers(net)] == [400, 10]


def test_two_experts_do_not_fit_over_the_input_of_one():
    net = network(
        """
        input: {channels: 4, size: [6]}
        layers: [{experts: {gate: [{conv: 3, kernel: 1}], each: [relu]}, of: 3, take: 2}]
        """
    )
    assert [b.elements for b in buffers(net)] == [4 * 6, 3 * 6, 2 * 4 * 6, 4 * 6]


def test_an_output_of_the_network_is_alive_to_the_end():
    net = network(
        """
        input: {channels: 4, size: 10}
        layers: [{side: [{conv: 50, kernel: 1}]}, {conv: 2, kernel: 1}, {conv: 9, kernel: 1}]
        """
    )
    peak = peak_memory(net)
    assert alive(net, peak) == [("side_1/conv_1", 5000), ("conv_1", 200), ("conv_2", 900)]


def test_all_tensors_of_a_small_classifier_have_157226_elements():
    net = network(
        """
        input: {channels: 3, size: 50}
        defaults: {conv: {kernel: 3, padding: 1, bias: true}}
        layers: [{conv: 32}, {max_pool: 2}, {conv: 64}, {max_pool: 2}, flatten, {linear: 500},
                 {linear: 10}]
        """
    )
    maps = 50 * 50 * (3 + 32) + 25 * 25 * (32 + 64) + 12 * 12 * 64
    assert sum(b.elements for b in buffers(net, in_place=False)) == maps + 500 + 10 == 157_226


OPERATIONS = st.sampled_from(["linear", "relu", "flatten", "dropout", "add", "concat", "softmax"])


@given(
    st.lists(st.tuples(OPERATIONS, st.integers(0, 9), st.integers(0, 9)), min_size=1, max_size=12),
    st.booleans(),
)
def test_the_peak_is_that_of_a_run_that_frees_each_tensor_after_its_last_reader(drawn, in_place):
    """All tensors are flat, so that any two of one length can be added."""
    lengths, lines, reads, kinds = [8], [], [], []
    for number, (wanted, first, second) in enumerate(drawn):
        one, other = first % len(lengths), second % len(lengths)
        same = lengths[one] == lengths[other]
        kind = wanted if wanted != "add" or same else "relu"
        inputs = [one, other] if kind in ("add", "concat") else [one]
        names = [f"t{i}" if i else "input" for i in inputs]
        length = {"linear": 3 + number, "concat": lengths[one] + lengths[other]}
        lengths.append(length.get(kind, lengths[one]))
        option = lengths[-1] if kind == "linear" else ""
        rest = f"{option}, from: {names[0]}" if len(names) == 1 else f"[{names[0]}, {names[1]}]"
        lines.append(f"  - {{{kind}: {rest}, name: t{number + 1}}}")
        reads.append(inputs)
        kinds.append(kind)
    net = network("input: {channels: 8, size: []}\nlayers:\n" + "\n".join(lines))
    assert peak_memory(net, in_place=in_place).elements == _peak_of_a_run(
        lengths, reads, kinds, in_place
    )


def _peak_of_a_run(lengths, reads, kinds, in_place):
    """Blocks of memory, each with the tensors that are in it."""
    blocks = [{0}] if any(0 in inputs for inputs in reads) else []
    size = {0: lengths[0]}
    outputs = {n for n in range(len(lengths)) if not any(n in inputs for inputs in reads)} - {0}
    peak = 0
    for step, (inputs, kind) in enumerate(zip(reads, kinds, strict=True)):
        tensor = step + 1
        later = outputs | {n for inputs in reads[step + 1 :] for n in inputs}
        size[tensor] = lengths[tensor]
        own = next(block for block in blocks if inputs[0] in block)
        over = [
            block
            for n in inputs
            for block in blocks
            if n in block and size[n] == size[tensor] and not block & later
        ]
        if kind in ("flatten", "dropout"):
            own.add(tensor)
        elif in_place and kind in ("relu", "add") and over:
            over[0].add(tensor)
        else:
            blocks.append({tensor})
        peak = max(peak, sum(size[min(block)] for block in blocks))
        blocks = [block for block in blocks if block & (later | outputs & set(size))]
    return peak


def test_the_peak_of_resnet_50_has_three_tensors_of_its_first_stage():
    peak = peak_memory(shipped("resnet50"))
    assert peak.elements == 56 * 56 * (64 + 256 + 256)
