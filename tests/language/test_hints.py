"""Help for what people of other tools type: each hint leads to a valid spec."""

import json

import pytest
from spec_texts import EIGHT
from support import cost, problems, run

INPUT = "input: {channels: 3, size: 32}\n"


def helps(text):
    """The code and the help of each problem, in the order of the lines."""
    return [f"{problem.code} {problem.help}" for problem in problems(text)]


# A layer as typed, the code and help of each of its problems, and the layers that they lead to.
LAYERS = [
    ("maxpool", ["CC102 did you mean `max_pool`?", "CC103 add {max_pool: …}"], "{max_pool: 2}"),
    ("{maxpool: 2}", ["CC102 did you mean `max_pool`?"], "{max_pool: 2}"),
    ("{MaxPool2d: 2}", ["CC102 did you mean `max_pool`?"], "{max_pool: 2}"),
    ("{avgpool: 2}", ["CC102 did you mean `avg_pool`?"], "{avg_pool: 2}"),
    ("bn", ["CC102 did you mean `batch_norm`?"], "batch_norm"),
    ("batchnorm", ["CC102 did you mean `batch_norm`?"], "batch_norm"),
    ("BatchNorm2d", ["CC102 did you mean `batch_norm`?"], "batch_norm"),
    ("ReLU", ["CC102 did you mean `relu`?"], "relu"),
    ("{conv2d: 8, kernel: 3}", ["CC102 did you mean `conv`?"], "{conv: 8, kernel: 3}"),
    (
        "{conv2d: 8, kernel_size: 3, strides: 2, activation: relu}",
        [
            "CC102 did you mean `conv`?",
            "CC101 did you mean `kernel`?",
            "CC101 did you mean `stride`?",
            "CC101 write `relu` as the next layer",
        ],
        "{conv: 8, kernel: 3, stride: 2}, relu",
    ),
    (
        "{conv: {out_channels: 8, kernel_size: 3}}",
        ["CC101 did you mean `filters`?", "CC101 did you mean `kernel`?"],
        "{conv: {filters: 8, kernel: 3}}",
    ),
    ("{conv: 8, kernel_size: 3}", ["CC101 did you mean `kernel`?"], "{conv: 8, kernel: 3}"),
    (
        "{conv: , out_channels: 8, kernel: 3}",
        ["CC101 did you mean `filters`?"],
        "{conv: , filters: 8, kernel: 3}",
    ),
    (
        "{conv: , filters: 8, kernel: 3, strides: 2}",
        ["CC101 did you mean `stride`?"],
        "{conv: , filters: 8, kernel: 3, stride: 2}",
    ),
    (
        "{conv: 8, kernel: 3, activation: ReLU}",
        ["CC101 write `relu` as the next layer"],
        "{conv: 8, kernel: 3}, relu",
    ),
    (
        "{conv: 8, kernel: 3, activation: swish}",
        ["CC101 write `silu` as the next layer"],
        "{conv: 8, kernel: 3}, silu",
    ),
    (
        "{conv: 8, kernel: 3, activation: linear}",
        ["CC101 remove it: a layer has no activation"],
        "{conv: 8, kernel: 3}",
    ),
    (
        "{conv: 8, kernel: 3, activation: mine}",
        ["CC101 an activation is a layer of its own, written as the next layer"],
        "{conv: 8, kernel: 3}, {elementwise: exp}",
    ),
    (
        "{conv: 8, kernel: 3, bn: true}",
        ["CC101 write `batch_norm` as the next layer"],
        "{conv: 8, kernel: 3}, batch_norm",
    ),
    (
        "{conv: 8, kernel: 3, maxpool: 2}",
        ["CC101 write `{max_pool: 2}` as the next layer"],
        "{conv: 8, kernel: 3}, {max_pool: 2}",
    ),
    *(
        (
            f"{{conv: 8, kernel: 3, padding: {same}}}",
            ["CC104 did you mean `same`?"],
            "{conv: 8, kernel: 3, padding: same}",
        )
        for same in ("SAME", "Same", "'SAME'", '"Same"', "SAME_UPPER")
    ),
    ("{conv: 8, kernel: 3x3}", ["CC105 write [3, 3]"], "{conv: 8, kernel: [3, 3]}"),
    ("{conv:8, kernel: 3}", ["CC102 write `conv: 8`, with a space after the colon"],
     "{conv: 8, kernel: 3}"),
    ("{conv: 8, kernel:3}", ["CC101 write `kernel: 3`, with a space after the colon"],
     "{conv: 8, kernel: 3}"),
    ("{global_avg_pool: 1}", ["CC104 write `global_avg_pool` alone"], "global_avg_pool"),
    ("{upsample: , scale_factor: 2}", ["CC101 did you mean `scale`?"], "{upsample: , scale: 2}"),
    ("'Conv2d(3, 8)'",
     ["CC102 the kind is the key, its main option the value: {conv: 64, kernel: 3}"],
     "{conv: 64, kernel: 3}"),
]  # fmt: skip


@pytest.mark.parametrize(("typed", "expected", "meant"), LAYERS, ids=[layer[0] for layer in LAYERS])
def test_the_hint_for_a_layer_leads_to_a_valid_spec(typed, expected, meant):
    assert helps(f"{INPUT}layers: [{typed}]") == expected
    assert not problems(f"{INPUT}layers: [{meant}]")


@pytest.mark.parametrize("typed", ["fc", "dense", "Linear", "fully_connected"])
def test_the_hints_for_a_linear_layer_name_flatten_if_the_input_needs_it(typed):
    flat = EIGHT + "layers: [flatten, {%s: 10}]"
    assert helps(flat % typed) == ["CC102 did you mean `linear`?"]
    assert not problems(flat % "linear")
    unknown, not_flat = problems(f"{EIGHT}layers: [{{{typed}: 10}}]")
    assert unknown.help == "did you mean `linear`?"
    assert not_flat.message == "linear needs a flat input, not 8×8×8"
    assert not_flat.help.startswith("put `flatten` before it; or")


# What is written after `input: `, its problem, and what it leads to.
INPUTS = [
    ("[3, 32, 16]", "CC104", "{channels: 3, size: [32, 16]}"),
    ("[224, 224, 3]", "CC104", "{channels: 3, size: [224, 224]}"),
    ("[1, 28, 28]", "CC104", "{channels: 1, size: [28, 28]}"),
    ("[1, 3, 32, 32]", "CC104", "{channels: 3, size: [32, 32]}"),
    ("[null, 32, 32, 3]", "CC104", "{channels: 3, size: [32, 32]}"),
    ("[2, 100]", "CC104", "{channels: 2, size: [100]}"),
    ("[3, 16, 32, 32]", "CC104", "{channels: 3, size: [16, 32, 32]}"),
    ("3x32x32", "CC105", "{channels: 3, size: [32, 32]}"),
    ("224x224x3", "CC105", "{channels: 3, size: [224, 224]}"),
    ("3×32×32", "CC105", "{channels: 3, size: [32, 32]}"),
]


@pytest.mark.parametrize(("typed", "code", "meant"), INPUTS)
def test_the_hint_for_an_input_leads_to_a_valid_spec(typed, code, meant):
    assert helps(f"input: {typed}\nlayers: [relu]") == [f"{code} write {meant}"]
    assert not problems(f"input: {meant}\nlayers: [relu]")


def test_the_hint_for_an_input_of_one_number_has_both_meanings():
    assert helps("input: 784\nlayers: [relu]") == [
        "CC104 write {channels: 3, size: 784} for an image, {channels: 784, size: []} for a vector"
    ]
    assert cost("input: {channels: 784, size: []}\nlayers: [relu]").network.output.text == "784"


@pytest.mark.parametrize(
    ("size", "meant"),
    [
        ("224x192", "[224, 192]"),
        ("224×192", "[224, 192]"),
        ("3x224x192", "[224, 192]"),  # the channels are in it, too
        ("224x192x3", "[224, 192]"),
        ("16x224x192", "[16, 224, 192]"),
    ],
)
def test_the_hint_for_a_size_leads_to_a_valid_spec(size, meant):
    text = "input: {channels: 3, size: %s}\nlayers: [relu]"
    assert helps(text % size) == [f"CC105 write `size: {meant}`"]
    assert not problems(text % meant)


# A line that is not YAML, and what it leads to.
LINES = [
    ("- conv: 64, kernel: 3", "- {conv: 64, kernel: 3}"),
    ("- conv: 64, kernel: 3, padding: 1 # the stem", "- {conv: 64, kernel: 3, padding: 1}"),
    ("- conv: filters: 64, kernel: 3", "- conv: {filters: 64, kernel: 3}"),
    ("- add: main: [relu], skip: []", "- add: {main: [relu], skip: []}"),
]


@pytest.mark.parametrize(("line", "meant"), LINES)
def test_the_hint_for_a_line_of_several_keys_has_braces(line, meant):
    hint = f"CC002 write `{meant}`, or quote a text that contains `: `"
    assert helps(f"{INPUT}layers:\n  {line}\n  - relu\n") == [hint]
    assert not problems(f"{INPUT}layers:\n  {meant}\n  - relu\n")


def test_the_hint_for_a_section_of_several_keys_has_braces():
    (problem,) = problems("input: channels: 3, size: 32\nlayers: [relu]")
    assert problem.help == (
        "write `input: {channels: 3, size: 32}`, or quote a text that contains `: `"
    )


def test_a_long_line_is_not_repeated_in_a_help():
    (problem,) = problems(f"{INPUT}layers:\n  - conv: 64, name: {'x' * 100}\n")
    assert problem.help == (
        "align the line with the lines above it; quote a text that contains `: `"
    )


@pytest.mark.parametrize(
    "text", ["layers:\n\t- relu", "layers:\n  -\trelu", "layers:\n  - relu\n\t- relu"]
)
def test_a_tab_is_named(text):
    (problem,) = problems(INPUT + text)
    assert (problem.code, problem.message) == ("CC002", "not YAML: a tab cannot indent")
    assert problem.help == "indent with spaces"
    assert not problems(INPUT + text.replace("\t", "  " if "\n\t" in text else " "))


# FLOPs

TWICE = "did you mean `macs`? One mac is a multiply and an add, so 2 FLOPs"


def test_flops_are_a_measure_of_budgets():
    assert helps(f"{INPUT}layers: [relu]\nbudget: {{flops: {{max: 5}}}}") == []
    found = helps(f"{INPUT}layers: [relu]\nbudget: {{FLOPs: {{max: 5}}}}")
    assert found == ["CC101 did you mean `flops`?"]


@pytest.mark.parametrize("word", ["GFLOPs", "ops"])
def test_the_hint_for_flops_says_that_a_mac_is_two_of_them(word):
    assert helps(f"{INPUT}layers: [relu]\nbudget: {{{word}: {{max: 5}}}}") == [f"CC101 {TWICE}"]


def test_multiply_adds_are_macs():
    found = helps(f"{INPUT}layers: [relu]\nbudget: {{madds: {{max: 5}}}}")
    assert found == ["CC101 did you mean `macs`?"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--columns", "flops"), "there is no column `flops`; add --count flops"),
        (("--sort", "flops"), "cannot sort by `flops`; add --count flops"),
        (("--units", "flops=G"), f"there is no measure `flops`; {TWICE}"),
    ],
)
def test_an_option_named_flops_has_a_hint_that_works(options, message):
    done = run("analyze", "alexnet", *options)
    assert (done.returncode, done.stderr.decode()) == (2, f"error: {message}\n")
    assert run("analyze", "alexnet", *(o.replace("flops", "macs") for o in options)).returncode == 0


A_LAYER = "to set a value of a layer, add `vars: {%s: 1}` to the spec and write `%s` as that value"


@pytest.mark.parametrize(
    ("variables", "name", "hint"),
    [
        ("{width: 8}", "widht", "did you mean `width`?"),
        ("{width: 8}", "kernel", "known here: `width`; " + A_LAYER % ("kernel", "kernel")),
        ("{}", "kernel", "the spec has no variables; " + A_LAYER % ("kernel", "kernel")),
        (
            "{}",
            "stem/conv_1.kernel",
            "the spec has no variables; " + A_LAYER % ("kernel", "kernel"),
        ),
        ("{}", "conv_1.", "the spec has no variables; " + A_LAYER % ("name", "name")),
        ("{}", "size", "the size is set by an option of its own, `--size N`"),
        ("{}", "batch", "the batch is set by an option of its own, `--batch N`"),
    ],
)
def test_set_names_the_variables_and_says_how_an_option_of_a_layer_is_set(variables, name, hint):
    text = f"{EIGHT}vars: {variables}\nlayers: [{{conv: 8, kernel: 3}}]"
    (problem,) = problems(text, **{name: 5})
    assert problem.help == hint


def test_an_option_becomes_a_variable_as_the_hint_says():
    text = EIGHT + "vars: {kernel: 1}\nlayers: [{conv: 8, kernel: kernel}]"
    assert cost(text, kernel=3).totals.weights == 8 * 3 * 3 * 8


def test_the_hint_of_a_sweep_is_printed_once():
    ran = run("analyze", "vgg16", "--set", "kernel=1,3")
    assert ran.stderr.decode().count("to set a value of a layer") == 1


@pytest.mark.parametrize("section", ["vars", "inputs", "blocks", "defaults", "variants"])
@pytest.mark.parametrize("value", ["[a]", "[{name: a}]", "a"])
def test_a_section_that_is_not_a_mapping_has_an_example_that_is_valid(section, value):
    head = "" if section == "inputs" else EIGHT
    text = f"{head}{section}: {value}\nlayers: [{{conv: 1, kernel: 1}}]"
    (problem,) = (
        problem for problem in problems(text) if problem.message == f"`{section}` must be a mapping"
    )
    assert problem.help.startswith(f"write {section}: {{")
    example = problem.help.removeprefix("write ")
    source = ", from: left" if section == "inputs" else ""
    variables = "vars: {width: 8}\n" if section == "variants" else ""
    spec = f"{head}{variables}{example}\nlayers: [{{conv: 1, kernel: 1{source}}}]\n"
    ran = run("analyze", "-", text=spec)
    assert ran.returncode == 0, ran.stderr.decode()


@pytest.mark.parametrize("name", ["[- b -]", "[a*]", "what?[1]"])
def test_the_suggested_pattern_matches_the_layer(name):
    spec = {"input": {"channels": 1, "size": 1}, "layers": [{"conv": 1, "kernel": 1, "name": name}]}

    def checked(pattern):
        rule = {"match": pattern, "params": {"max": 1}}
        text = json.dumps({**spec, "budget": {"layers": [rule]}})
        return run("check", "-", text=text)

    error = checked(name).stderr.decode()
    suggested = error.partition("did you mean `")[2].partition("`?")[0]
    assert checked(suggested).returncode == 0
    memory = ("memory", "-", "--dtype", f"{name}:int8")
    assert (
        f"help: did you mean `{suggested}`?" in run(*memory, text=json.dumps(spec)).stderr.decode()
    )
