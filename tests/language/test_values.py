"""The values of options, for every option of every kind."""

from itertools import product

import pytest
from spec_texts import EIGHT
from support import messages, problems

from convcost.model.kind import KINDS
from convcost.model.options import TYPES


@pytest.mark.parametrize(
    ("layer", "expected"),
    [
        pytest.param("conv", ["`filters` (output channels)", "`kernel` (window size)"], id="conv"),
        pytest.param("{conv: 8}", ["`kernel` (window size)"], id="conv without a kernel"),
        pytest.param("{conv: , kernel: 3}", ["`filters` (output channels)"], id="without filters"),
        pytest.param("max_pool", ["`kernel` (window size)"], id="max_pool"),
        pytest.param("linear", ["`features` (output features)"], id="linear"),
        pytest.param(
            "{custom: x}",
            [
                "`params` (weights and biases)",
                "`macs` (multiply-adds for one sample; `uncounted` if they are not known)",
            ],
            id="custom",
        ),
    ],
)
def test_a_missing_option_is_reported_with_its_meaning(layer, expected):
    kind = layer.strip("{").split(":")[0]
    column = 10 + layer.startswith("{")
    assert messages(f"{EIGHT}layers: [{layer}]") == [
        f"2:{column} CC103 {kind} needs {option}" for option in expected
    ]


def test_every_required_option_of_every_kind_is_reported_if_missing():
    for name, kind in KINDS.items():
        needed = [option for option in kind.options.values() if option.required]
        if kind.role == "layer":
            assert messages(f"{EIGHT}layers:\n- {name}")[: len(needed)] == [
                f"3:3 CC103 {name} needs `{option.name}` ({option.meaning})" for option in needed
            ]


SAMPLES = {
    "PositiveInt": "1", "Natural": "0", "NonNegativeInt": "0", "StatedInt": "0",
    "Number": "1", "Flag": "true", "PerAxisInt": "1", "Padding": "0",
    "Border": "0", "Factor": "2", "Label": "x", "Mode": "nearest", "ChannelsOrAll": "all",
    "Tensor": "{channels: 1, size: 1}", "ShapePattern": "{channels: rest, size: 1}", "Function":
    "erf", "Connections": "[[1]]",
    "Along": "1", "Axes": "all",
}  # fmt: skip


ENORMOUS = "99999999999999999999"


MOST = "must be at most 1,000,000,000, not 99999999999999999999"


# Which of 0, −1, 1.5 and true each type takes, and what it says of the others.
TAKEN = {
    "PositiveInt": ((), "a whole number of at least 1"),
    "PerAxisInt": ((), "a whole number of at least 1"),
    "Natural": (("0",), "a whole number of at least 0"),
    "NonNegativeInt": (("0",), "a whole number of at least 0"),
    "StatedInt": (("0",), "a whole number of at least 0"),
    "Padding": (("0",), "a whole number of at least 0"),
    "Border": (("0",), "a whole number of at least 0"),
    "Number": (("0", "-1", "1.5"), "a number"),
    "Factor": (("1.5",), "a number"),
    "Flag": (("true",), "true or false"),
    "Mode": ((), "`nearest`, `linear` or `cubic`"),
    "ChannelsOrAll": ((), "`channels` or `all`"),
    "Tensor": ((), "{channels: n, size: n or [h, w]}"),
    "ShapePattern": ((), "{channels: n, size: n or [h, w]}"),
    "Function": ((), "the name of a function"),
    "Along": ((), "a whole number of at least 1"),
    "Axes": ((), "a whole number of at least 1"),
    "Connections": ((), "a list of lists of channels, one for each filter"),
}


def expected_message(type_name, value):
    """The message about a value for an option of a type; empty if it is valid."""
    if value == "word":
        return f"must be {TYPES[type_name].meaning}, not `word`"
    taken, wanted = TAKEN[type_name]
    if value in taken:
        return ""
    if type_name == "Factor" and value != "true":
        wanted = "above 0"
    return f"must be {wanted}, not {value}"


def with_option(kind, option, value):
    """A layer of a kind whose other required options hold what they may."""
    written = {
        other.name: SAMPLES[other.type_name]
        for other in kind.options.values()
        if other.required and other is not option
    }
    written[option.name] = value
    own = written.pop(kind.principal, "")
    others = "".join(f", {name}: {text}" for name, text in written.items())
    return f"{{{kind.name}: {own}{others}}}"


@pytest.mark.parametrize(
    "name", [name for name, kind in KINDS.items() if kind.role == "layer" and kind.options]
)
def test_a_number_that_an_option_cannot_hold_is_refused(name):
    kind = KINDS.get(name)
    for option, value in product(kind.options.values(), ("0", "-1", "1.5", "true", "word")):
        if option.type_name == "Label":
            continue
        message = expected_message(option.type_name, value)
        layer = with_option(kind, option, value)
        key = f"{kind.name}: " if option.name == kind.principal else f"{option.name}: "
        column = 10 + layer.index(key) + len(key)
        found = messages(f"{EIGHT}layers: [{layer}]")
        if message:
            assert found == [f"2:{column} CC104 `{option.name}` of {name} {message}"], layer
        else:
            assert not [line for line in found if "CC104" in line and f"`{option.name}`" in line]


def test_an_enormous_number_is_refused_in_every_option_of_every_kind():
    numeric = ("PositiveInt", "Natural", "Number", "PerAxisInt", "Padding", "Border", "Factor")
    options = [
        (kind, option)
        for _, kind in KINDS.items()
        for option in kind.options.values()
        if option.type_name in numeric and kind.role == "layer"
    ]
    found = [messages(f"{EIGHT}layers:\n- {with_option(*each, ENORMOUS)}") for each in options]
    assert [[line.split(" ", 1)[1] for line in lines] for lines in found] == [
        [f"CC104 `{option.name}` of {kind.name} {MOST}"] for kind, option in options
    ]


@pytest.mark.parametrize("measure", ["params", "macs"])
def test_a_custom_layer_may_cost_more_than_the_largest_option_value(measure):
    written = {"params": "0", "macs": "0"} | {measure: "3e9"}
    layer = f"{{custom: x, params: {written['params']}, macs: {written['macs']}}}"
    assert messages(f"{EIGHT}layers: [{layer}]") == []


NUMERIC = ("PositiveInt", "Natural", "PerAxisInt", "Padding", "Border", "Factor", "Number")


# The types that take what the others refuse.
TAKE_ZERO = ("Natural", "Padding", "Border", "Number")


TAKE_NEGATIVE = ("Number",)


TAKE_FRACTIONS = ("Factor", "Number")


NUMERIC_OPTIONS = [
    (kind, option)
    for _, kind in KINDS.items()
    if kind.role == "layer"
    for option in kind.options.values()
    if option.type_name in NUMERIC
]


def on_lines_of_their_own(kind, option, value):
    """A spec with a layer whose options each have a line, and the line of `option`."""
    written = {
        other.name: SAMPLES[other.type_name]
        for other in kind.options.values()
        if other.required and other is not option
    }
    written[option.name] = value
    own = written.pop(kind.principal, "")
    lines = [f"- {kind.name}: {own}", *(f"  {name}: {text}" for name, text in written.items())]
    wanted = f"- {kind.name}:" if option.name == kind.principal else f"  {option.name}:"
    line = next(number for number, text in enumerate(lines, 3) if text.startswith(wanted))
    return f"{EIGHT}layers:\n" + "\n".join(lines) + "\n", line


@pytest.mark.parametrize(
    ("value", "taken_by"),
    [
        pytest.param("0", TAKE_ZERO, id="zero"),
        pytest.param("-1", TAKE_NEGATIVE, id="negative"),
        pytest.param("2.5", TAKE_FRACTIONS, id="fractional"),
        pytest.param("true", (), id="boolean"),
        pytest.param('"1e40"', (), id="ten to the fortieth"),
        pytest.param("99999999999999999999", (), id="twenty digits"),
        pytest.param("text", (), id="text"),
        pytest.param("[]", (), id="an empty list"),
        pytest.param("[1, 1, 1, 1, 1, 1, 1, 1, 1]", (), id="nine numbers"),
        pytest.param("{a: 1}", (), id="a mapping"),
    ],
)
def test_a_bad_number_is_refused_once_on_the_line_of_its_option(value, taken_by):
    for kind, option in NUMERIC_OPTIONS:
        if option.type_name not in taken_by:
            text, line = on_lines_of_their_own(kind, option, value)
            found = [problem.span.line for problem in problems(text)]
            assert found == [line], f"{kind.name} {option.name}"


def test_an_option_in_a_mapping_may_have_a_name_that_other_tools_use_for_another():
    assert messages("input: {channels: 3, size: 4}\nlayers: [{dropout: {rate: 1/2}}]") == []
