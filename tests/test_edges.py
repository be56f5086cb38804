"""Where layers meet at odd angles: shared weights, depth, inputs that pass by, closed streams."""

import os
import subprocess
import sys
import time

import pytest
from support import ROOT, cost, messages, run

H = "input: {channels: 64, size: 8}\n"


def params(text):
    return [layer.params for layer in cost(text).layers]


def test_weights_shared_twice_are_those_of_the_first_layer():
    text = (
        H + "layers: [{conv: 64, kernel: 1, name: a}, {conv: 64, kernel: 1, name: b, weights: a},"
    )
    assert params(text + " {conv: 64, kernel: 1, weights: b}]") == [64 * 64, 0, 0]
    assert messages(text + "\n {conv: 10, kernel: 5, weights: b}]") == [
        "3:33 CC306 conv needs weights 10 × 5 × 5 × 64, `b` has weights 64 × 1 × 1 × 64"
    ]
    assert messages(text + "\n {conv: 64, kernel: 1, bias: true, weights: b}]") == [
        "3:45 CC306 conv needs biases 64, `b` has biases 0"
    ]
    assert messages(text + "\n {batch_norm: , weights: b}]") == [
        "3:26 CC306 batch_norm needs weights 64, `b` is no layer of this kind"
    ]


def test_a_norm_used_twice_has_its_buffers_once():
    text = H + "layers: [{batch_norm: , name: a}, {batch_norm: , weights: a}]"
    assert (cost(text).totals.params, cost(text).totals.buffers) == (2 * 64, 2 * 64)


def test_a_group_that_hands_on_the_input_has_its_shape():
    text = H + "layers: [{sequence: [{side: [flatten, {linear: 10}]}], name: s}, relu]"
    done = run("analyze", "-", "--depth", "1", "--format", "csv", text=text)
    assert done.stdout.decode().splitlines()[1].split(",")[:4] == [
        "<stdin>",
        "s",
        "sequence",
        "8x8x64",
    ]


def test_no_copies_of_what_from_names_are_what_it_names():
    text = H + (
        "layers: [{conv: 2, kernel: 1, name: c}, {conv: 5, kernel: 1},"
        " {relu: , repeat: 0, from: c, name: z}, {conv: 3, kernel: 1, from: z}]"
    )
    assert params(text)[-1] == 3 * 2


def test_what_holds_layers_leaves_it_to_them_which_input_they_take():
    text = "inputs: {i: {channels: 2, size: 8}, j: {channels: 3, size: 8}}\nlayers: "
    joined = cost(text + "[{concat: {a: i, b: [{relu: , from: j}]}}]")
    assert joined.layers[-1].output.channels == 2 + 3
    assert cost(text + "[{sequence: [{conv: 2, kernel: 1, from: i}]}]").totals.params == 2 * 2
    assert messages(text + "[{concat: {a: i, b: []}}]") == [
        "2:26 CC108 branch `b` is the incoming tensor, and none comes in"
    ]


def test_one_of_two_options_said_here_wins_over_the_other_said_for_all():
    text = H + "defaults: {upsample: {scale: 2}}\nlayers: [{upsample: , size: 5}, upsample]"
    assert [layer.output.size for layer in cost(text).layers] == [(5, 5), (10, 10)]


def nested(levels: int, inner: str) -> str:
    return "{sequence: [" * levels + inner + "]}" * levels


def test_layers_stand_in_each_other_64_deep_and_no_deeper_by_any_way():
    anchors = "\n".join(
        f"x-{i}: &a{i} {nested(28, f'*a{i - 1}' if i else 'relu')}" for i in range(40)
    )
    assert messages(f"{H}{anchors}\nlayers: [*a1]") == []
    (aliased,) = messages(f"{H}{anchors}\nlayers: [*a39]")
    assert aliased.endswith("CC004 layers stand in each other more than 64 deep")
    blocks = "\n".join(
        f"  b{i}: {{layers: [{nested(24, f'b{i - 1}' if i else 'relu')}]}}" for i in range(30)
    )
    assert messages(f"{H}blocks:\n{blocks}\nlayers: [b1]") == []
    (called,) = messages(f"{H}blocks:\n{blocks}\nlayers: [b29]")
    assert called.endswith("CC110 layers stand in each other more than 64 deep")


def test_names_that_multiply_are_refused_before_memory_is_gone():
    name = "x" * 50_000
    text = f"{H}layers: [{{sequence: [{{relu: , repeat: 200000}}], name: {name}}}]"
    start = time.process_time()
    (message,) = messages(text)
    assert time.process_time() - start < 1
    assert message.endswith("the paths of the layers take more than 100,000,000 characters")


@pytest.mark.parametrize(
    "layers",
    [
        pytest.param(
            "{transposed_conv: 8, kernel: 5, stride: 4093, dilation: 4092}"
            + ", {conv: 8, kernel: 4000, padding: same}" * 3,
            id="a stride of thousands",
        ),
        pytest.param(
            "{adaptive_avg_pool: 4095}" + ", {conv: 4, kernel: 3, padding: 1}" * 200,
            id="a pool with as many windows",
        ),
        pytest.param(
            "{transposed_conv: 1, kernel: 1000000000, stride: 2}", id="a kernel of a billion"
        ),
    ],
)
def test_a_receptive_field_is_worked_out_in_time(layers):
    start = time.process_time()
    cost(f"input: {{channels: 8, size: [4096]}}\nlayers: [{layers}]")
    assert time.process_time() - start < 1


def test_a_path_below_a_file_is_no_spec(tmp_path):
    (tmp_path / "net.yaml").write_text(H)
    done = run("analyze", "net.yaml/x.yaml", cwd=tmp_path)
    assert (done.returncode, done.stderr) == (2, b"error: there is no file `net.yaml/x.yaml`\n")


@pytest.mark.parametrize("argument", ["", "#", "#x", "net.yaml#"])
def test_an_argument_that_names_nothing_is_refused(argument):
    done = run("analyze", argument)
    assert done.returncode == 2
    assert b"names no" in done.stderr


def shell(command: str, folder) -> subprocess.CompletedProcess:
    return subprocess.run(
        ["bash", "-c", command.replace("convcost", f"{sys.executable} -m convcost")],
        cwd=folder, capture_output=True, check=False,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip


@pytest.mark.parametrize(
    ("command", "code"),
    [
        ("convcost analyze net.yaml >&-", 2),
        ("convcost analyze net.yaml -o out.csv >&-", 0),
        ("convcost analyze net.yaml 2>&-", 0),
        ("convcost analyze nosuch 2>&-", 2),
        ("convcost analyze - <&-", 2),
        ("convcost analyze net.yaml --format csv -o /dev/stdout | cat", 0),
        ("convcost analyze net.yaml#net --format csv -o net.yaml", 2),
        ("convcost analyze - --format csv -o net.yaml < net.yaml", 2),
    ],
)
def test_streams_that_are_closed_or_the_same_are_met(command, code, tmp_path):
    spec = f"name: net\n{H}layers: [relu]\n"
    (tmp_path / "net.yaml").write_text(spec)
    done = shell(f"set -o pipefail; {command}", tmp_path)
    assert done.returncode == code, done.stderr
    assert b"Traceback" not in done.stderr
    assert (tmp_path / "net.yaml").read_text() == spec
    if "/dev/stdout" in command:
        assert done.stdout.startswith(b"network,path")
