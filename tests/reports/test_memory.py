"""`convcost memory`: the peak, the tensors that are alive at the peak, and their bytes."""

import json

import pytest
from report_forms import validator
from support import run

import convcost
from convcost.model.peak_memory import peak_memory
from convcost.reports.analyze import Analysis

HEAD = """\
name: head
input: {channels: 1, size: 96}
defaults: {conv: {padding: same}, depthwise: {padding: same}}
layers: [{conv: 8, kernel: 3, stride: 2}, {depthwise: 3}, {conv: 16, kernel: 1}]
"""
CLASSIFIER = """\
name: a small classifier
input: {channels: 3, size: 50}
defaults: {conv: {kernel: 3, padding: 1, bias: true}}
layers: [{conv: 32}, {max_pool: 2}, {conv: 64}, {max_pool: 2}, flatten, {linear: 500}, {linear: 10}]
"""
MAPS = 50 * 50 * (3 + 32) + 25 * 25 * (32 + 64) + 12 * 12 * 64


def answer(text, *arguments):
    done = run("memory", "-", *arguments, "--format", "json", text=text)
    assert done.returncode == 0, done.stderr.decode()
    report = json.loads(done.stdout)
    validator("convcost.memory/1").validate(report)
    return report["networks"][0]


def test_the_report_names_the_tensors_that_are_alive_at_the_peak():
    done = run("memory", "-", "--dtype", "int8", text=HEAD)
    assert (
        done.stdout.decode()
        == """\
head

layer        kind         output  elements alive  bytes alive  bytes of flash
conv_1       conv        48×48×8          27,648       27,648              72
depthwise_1  depthwise   48×48×8          36,864       36,864              72
conv_2       conv       48×48×16          55,296       55,296             128
peak                                      55,296       55,296

peak: 55,296 bytes, while conv_2 runs: depthwise_1 18,432, conv_2 36,864
flash: 272 bytes: weights 272
all tensors of a run: 82,944 elements, 82,944 bytes
numbers of int8, 8 bits each
alive: the tensors that a layer reads and writes, and those that later layers still read, in the \
order of the spec; a view such as flatten needs no memory of its own
in place: an elementwise layer writes over an input that nothing reads later
input 96×96×1; 1 sample
"""
    )


def test_json_has_the_same_numbers():
    network = answer(HEAD, "--dtype", "float16")
    assert network["peak"] == {"elements": 48 * 48 * (8 + 16), "bytes": 2 * 48 * 48 * (8 + 16)}
    assert (network["peak_layer"], network["dtype"]) == ("conv_2", "float16")
    assert [tensor["name"] for tensor in network["peak_tensors"]] == ["depthwise_1", "conv_2"]
    assert network["params"]["elements"] == 8 * 3 * 3 + 8 * 3 * 3 + 16 * 8


@pytest.mark.parametrize("batch", [1, 64])
def test_all_tensors_are_the_input_and_each_output_that_is_not_a_view(batch):
    network = answer(CLASSIFIER, "--batch", str(batch))
    elements = batch * (MAPS + 500 + 10)
    assert network["all_tensors"] == {"elements": elements, "bytes": 4 * elements}
    assert elements == batch * 157_226


def test_bits_of_a_dtype_are_rounded_up_to_bytes():
    odd = "input: {channels: 3, size: []}\nlayers: [{linear: 5, bias: false}, {linear: 1}]\n"
    network = answer(odd, "--dtype", "int4")
    assert (network["weights"], network["biases"], network["peak"]) == (
        {"elements": 5 * 3 + 5, "bytes": 8 + 3},
        {"elements": 1, "bytes": 1},
        {"elements": 3 + 5, "bytes": 2 + 3},
    )


def test_without_in_place_an_activation_needs_its_own_memory():
    text = "input: {channels: 1, size: 8}\nlayers: [{conv: 4, kernel: 1}, relu]\n"
    assert answer(text)["peak"]["elements"] == 64 * (1 + 4)
    assert answer(text, "--no-inplace")["peak"]["elements"] == 64 * (4 + 4)


def test_top_lists_the_layers_with_the_most_memory_alive():
    done = run("memory", "-", "--top", "1", "--format", "csv", text=HEAD)
    rows = [line.split(",") for line in done.stdout.decode().splitlines()]
    assert rows[1:] == [["head", "conv_2", "conv", "48x48x16", "55296", "221184", "512"]]


def test_an_unknown_dtype_is_an_error():
    done = run("memory", "-", "--dtype", "float17", text=HEAD)
    message = "error: there is no dtype `float17`\nhelp: did you mean `float16`?\n"
    assert (done.returncode, done.stdout, done.stderr.decode()) == (2, b"", message)


def test_a_network_without_layers_is_an_error():
    text = "input: {channels: 1, size: 8}\nlayers: [{relu: , repeat: 0}]\n"
    done = run("memory", "-", text=text)
    assert (done.returncode, done.stdout) == (2, b"")
    assert done.stderr.decode() == "error: `<stdin>` has no layers, so no memory is used\n"


def test_a_chart_has_the_bytes_of_every_layer(tmp_path):
    done = run("memory", "resnet50", "--plot", "alive.svg", cwd=tmp_path)
    assert done.returncode == 0, done.stderr.decode()
    assert (tmp_path / "alive.svg").read_text("utf-8").startswith("<svg")


MIXED = """\
name: mixed
input: {channels: 3, size: 32}
dtype: {all: int8, biases: int32, layers: [{match: "l*", all: float16}, {match: input, activations: float32}]}
layers: [{conv: 8, kernel: 3, bias: true}, relu, flatten, {linear: 10}]
"""  # noqa: E501  a spec
CONV, MAPS_OUT = 8 * 3 * 3 * 3, 30 * 30 * 8


def test_the_section_dtype_has_the_types_of_parts_and_of_layers():
    network = answer(MIXED)
    assert network["dtype"] == "int8,biases=int32; l*:float16; input:activations=float32"
    assert network["peak"]["bytes"] == 4 * 32 * 32 * 3 + MAPS_OUT
    assert network["weights"]["bytes"] == CONV + 2 * 10 * MAPS_OUT
    assert network["biases"]["bytes"] == 4 * 8 + 2 * 10
    assert [(layer["flash"], layer["dtype"]) for layer in network["layers"]] == [
        (CONV + 4 * 8, "int8,biases=int32"),
        (0, "int8,biases=int32"),
        (0, "int8,biases=int32"),
        (2 * (10 * MAPS_OUT + 10), "float16"),
    ]


def test_the_option_dtype_replaces_the_section_and_a_pattern_changes_layers_of_it():
    assert answer(MIXED, "--dtype", "float64")["peak"]["bytes"] == 8 * (32 * 32 * 3 + MAPS_OUT)
    network = answer(MIXED, "--dtype", "conv*:weights=int4/32")
    groups = -(-CONV // 32)
    assert network["weights"]["bytes"] == (4 * CONV + 16 * groups) // 8 + 2 * 10 * MAPS_OUT
    assert network["biases"]["bytes"] == 4 * 8 + 2 * 10


def test_a_layer_writes_over_an_input_of_its_own_dtype_only():
    text = "input: {channels: 1, size: 8}\nlayers: [{conv: 4, kernel: 1}, relu]\n"
    assert answer(text, "--dtype", "int8")["peak"]["bytes"] == 64 * (1 + 4)
    mixed = answer(text, "--dtype", "int8", "--dtype", "relu_1:float16")
    assert (mixed["peak_layer"], mixed["peak"]["bytes"]) == ("relu_1", 64 * 4 + 2 * 64 * 4)


@pytest.mark.parametrize(
    ("dtypes", "message"),
    [
        (["int8", "float16"], "--dtype float16 is the second one for all layers"),
        (["q*:int8"], "no layer and no input matches `q*`"),
        (["weight=int8"], "a layer has no part `weight`\nhelp: did you mean `weights`?"),
        (["int4/0"], "`int4/0` is not a dtype with scales\nhelp: write int4/32, or int4/"),
        (["int4/32/int9"], "there is no dtype `int9`\nhelp: did you mean `int8`?"),
        (["int8,int4"], "`int8,int4` has two dtypes for all\nhelp: write int8, or int8,biases=int32, or weights=int4/32,activations=float16"),  # noqa: E501  a row of the table
    ],
)  # fmt: skip
def test_a_wrong_dtype_option_is_an_error(dtypes, message):
    options = [word for text in dtypes for word in ("--dtype", text)]
    done = run("memory", "-", *options, text=HEAD)
    assert (done.returncode, done.stdout) == (2, b"")
    assert done.stderr.decode().startswith(f"error: {message}")


@pytest.mark.parametrize("name", ["resnet50", "unet"])
def test_the_chart_of_an_analysis_shows_the_tensors_that_are_alive(name):
    costs = convcost.analyze(name, batch=2)
    (curve,) = [chart for chart in Analysis((costs,)).charts() if chart.name == "memory"]
    assert max(curve.values) == peak_memory(costs.network, 2).elements
    assert curve.labels[curve.values.index(max(curve.values))] == (
        costs.network.steps[peak_memory(costs.network).step].path
    )


def test_the_training_of_a_network_without_macs_has_no_ratio_of_passes():
    ran = run(
        "memory", "-", "--training", "sgd", text="input: {channels: 3, size: 4}\nlayers: [relu]\n"
    )
    assert ran.returncode == 0
    assert "\nbackward pass: 0 macs\n" in ran.stdout.decode()


def test_the_page_has_the_peak_and_the_flash_of_each_network_before_the_layers():
    page = convcost.memory("vgg16", "mobilenet_v2", device="h100").page()
    assert page.title == "VGG-16, MobileNet v2"
    vgg, mobilenet = page.chapters
    titles = [section.title.partition(" (")[0] for section in vgg.sections]
    assert titles == ["Along the depth", "Layers", "On NVIDIA H100 80GB SXM"]
    # The first two convolutions of stage 2: an expanded map of 112×112×96, and that of 56×56×96.
    assert [(fact.name, fact.value, fact.note) for fact in mobilenet.facts] == [
        (
            "peak in bytes",
            4 * 96 * (112 * 112 + 56 * 56),
            "while stage2/bottleneck_1/depthwise_1 runs",
        ),
        ("flash in bytes", 4 * (3_504_872 + 34_112), ""),
    ]
