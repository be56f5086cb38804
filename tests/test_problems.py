"""Broken specs: what is said about them, word for word, and how soon."""

import json
import subprocess
import sys

import pytest
from support import ROOT, messages, problems

from convcost.kind import KINDS
from convcost.options import FUNCTIONS, TYPES

EIGHT = "input: {channels: 8, size: 8}\n"
NO_TOKEN = "found character that cannot start any token"
TOO_MANY = "CC110 the network has more than 250,000 layers"

# What may hang or eat all memory is read in a process that cannot.
CHILD = """
import json, sys, time
try:
    import resource
except ImportError:
    pass
else:
    resource.setrlimit(resource.RLIMIT_CPU, (2, 3))
    resource.setrlimit(resource.RLIMIT_AS, (2 << 30, 2 << 30))
from tests.support import cost, messages
text = sys.stdin.read()
start = time.process_time()
found = messages(text) or cost(text) and []
print(json.dumps([time.process_time() - start, found]))
"""


def soon(text):
    """The messages of a text that was read, and counted if there are none, within a second."""
    child = subprocess.run(
        [sys.executable, "-c", CHILD],
        input=text.encode(),
        capture_output=True,
        check=False,
        cwd=ROOT,
        timeout=30,
    )
    assert child.returncode == 0, child.stderr.decode()[-500:] or "stopped after 2 seconds"
    seconds, found = json.loads(child.stdout)
    assert seconds < 1
    return found


# The text as YAML


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param("", ["CC005 net.yaml holds no spec"], id="empty"),
        pytest.param("# nothing\n", ["CC005 net.yaml holds no spec"], id="a comment"),
        pytest.param(
            "- relu\n",
            ["1:1 CC005 a spec is a mapping with `input` and `layers`, not a list"],
            id="a list at the top",
        ),
        pytest.param(
            "relu",
            ["1:1 CC005 a spec is a mapping with `input` and `layers`, not one word"],
            id="a word at the top",
        ),
        pytest.param(
            "{}",
            ["1:1 CC103 a spec needs `input`", "1:1 CC103 a spec needs `layers`"],
            id="an empty mapping",
        ),
        pytest.param(
            EIGHT + "layers: [relu, {conv: 3",
            ["3:1 CC002 not YAML: did not find expected `,` or `}` while parsing a flow mapping"],
            id="cut off inside braces",
        ),
        pytest.param(
            EIGHT + 'layers: ["relu',
            ["2:15 CC002 not YAML: found unexpected end of stream while scanning a quoted scalar"],
            id="cut off inside quotes",
        ),
        pytest.param(
            "input:\n\tchannels: 3\n",
            [f"2:1 CC002 not YAML: {NO_TOKEN} while scanning for the next token"],
            id="a tab",
        ),
        pytest.param(
            EIGHT + "layers: [re\x07lu]",
            ["2:12 CC002 the character U+0007 is not allowed in YAML"],
            id="a control character",
        ),
        pytest.param(
            "? [a]\n: 1\n",
            ["1:3 CC002 a key must be a word, not a list or mapping"],
            id="a list as a key",
        ),
        pytest.param(
            EIGHT + "layers: [!layer relu]",
            ["2:10 CC004 the tag `!layer` has no meaning here"],
            id="a tag",
        ),
        pytest.param(
            "!!python/object/apply:os.system [ls]",
            [
                "1:1 CC004 the tag `!!python/object/apply:os.system` has no meaning here",
                "1:1 CC005 a spec is a mapping with `input` and `layers`, not a list",
            ],
            id="a tag that means harm elsewhere",
        ),
        pytest.param(
            EIGHT + "layers: [relu]\nlayers: [tanh]",
            ["3:1 CC003 `layers` is written twice"],
            id="a section twice",
        ),
        pytest.param(
            EIGHT + "layers: [{conv: 3, kernel: 1, 'kernel': 3, kernel: 5}]",
            ["2:31 CC003 `kernel` is written twice", "2:44 CC003 `kernel` is written twice"],
            id="an option three times",
        ),
        pytest.param(
            EIGHT + "layers: [{conv: 4, <<: 3, kernel: 1}]",
            ["2:20 CC004 `<<` takes a mapping, or a list of them"],
            id="a merge of a number",
        ),
        pytest.param(
            EIGHT + "layers: [*conv]",
            ["2:10 CC004 the alias `*conv` has no anchor before it"],
            id="an alias of nothing",
        ),
        pytest.param(
            EIGHT + "layers: &all [relu, *all]",
            ["2:21 CC004 the alias `*all` stands inside its own anchor"],
            id="an alias in its own list",
        ),
        pytest.param(
            EIGHT + "layers: [&s {sequence: [*s]}]",
            ["2:25 CC004 the alias `*s` stands inside its own anchor"],
            id="an alias in its own mapping",
        ),
    ],
)
def test_a_text_that_is_no_spec_is_refused(text, expected):
    assert messages(text) == expected


# Sections, kinds and keys


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param(EIGHT, ["1:1 CC103 a spec needs `layers`"], id="no layers"),
        pytest.param("layers: [relu]", ["1:1 CC103 a spec needs `input`"], id="no input"),
        pytest.param(
            "inputs: {}\nlayers: [relu]", ["1:1 CC103 a spec needs `input`"], id="inputs of none"
        ),
        pytest.param(
            "inputs:\nlayers: [relu]", ["1:1 CC103 a spec needs `input`"], id="inputs of null"
        ),
        pytest.param(
            EIGHT + "inputs: {a: {channels: 3, size: 8}}\nlayers: [relu]",
            ["2:9 CC104 a spec has either `input` or `inputs`"],
            id="input and inputs",
        ),
        pytest.param(EIGHT + "layers: []", ["2:9 CC103 `layers` has no layers"], id="none listed"),
        pytest.param(
            EIGHT + "layers: relu", ["2:9 CC104 `layers` must be a list of layers"], id="a word"
        ),
        pytest.param(
            EIGHT + "layers: {conv: 3, kernel: 1}",
            ["2:9 CC104 `layers` must be a list of layers"],
            id="a mapping",
        ),
        pytest.param(
            EIGHT + "layers: [relu, ~, [tanh], {name: x}, {kernel: 3}]",
            [
                "2:16 CC111 a layer is missing here",
                "2:19 CC111 a layer is a word or a mapping, not a list",
                "2:27 CC111 this layer names no kind",
                "2:38 CC111 this layer names no kind",
            ],
            id="layers that are none",
        ),
        pytest.param(
            EIGHT + "layers: [{conv: 3, kernel: 1, relu: }]",
            ["2:10 CC111 one layer names `conv` and `relu`: which is it?"],
            id="two kinds in one layer",
        ),
        pytest.param(
            EIGHT + "blocks: {conv: {layers: [relu]}}\nlayers: [relu]",
            ["2:10 CC107 `conv` is a kind and cannot be a block"],
            id="a block with the name of a kind",
        ),
        pytest.param(
            EIGHT + "blocks: {b: [relu]}\nlayers: [b]",
            ["2:10 CC104 block `b` must have `layers`"],
            id="a block that is a list",
        ),
        pytest.param(
            EIGHT + "blocks: {b: {options: {n: 1}}}\nlayers: [b]",
            ["2:10 CC103 block `b` needs `layers`"],
            id="a block without layers",
        ),
    ],
)
def test_a_spec_that_lacks_something_is_refused(text, expected):
    assert messages(text) == expected


@pytest.mark.parametrize(
    ("layer", "column", "message", "help_"),
    [
        pytest.param("cnv", 10, "CC102 there is no kind or block `cnv`", "conv", id="misspelt"),
        pytest.param("Conv", 10, "CC102 there is no kind or block `Conv`", "conv", id="capital"),
        pytest.param(
            "{dense: 3}", 11, "CC102 there is no kind or block `dense`", "linear", id="a synonym"
        ),
        pytest.param(
            "{conv2d: 3, kernel: 1}",
            11,
            "CC102 there is no kind or block `conv2d`",
            "conv",
            id="a synonym with options",
        ),
        pytest.param(
            "{conv: 3, kernel: 1, strides: 2}",
            31,
            "CC101 conv has no option `strides`",
            "stride",
            id="a synonym of an option",
        ),
        pytest.param(
            "{conv: 3, kernl: 1}",
            20,
            "CC101 conv has no option `kernl`",
            "kernel",
            id="a misspelt option that is required",
        ),
        pytest.param(
            "{relu: , nmae: x}", 19, "CC101 relu has no option `nmae`", "name", id="a common key"
        ),
    ],
)
def test_an_unknown_word_comes_with_the_nearest_one(layer, column, message, help_):
    text = f"{EIGHT}layers: [{layer}]"
    assert messages(text) == [f"2:{column} {message}"]
    assert [problem.help for problem in problems(text)] == [f"did you mean `{help_}`?"]


def test_an_unknown_section_comes_with_the_nearest_one():
    text = EIGHT + "layer: [relu]\nlayers: [relu]"
    assert messages(text) == ["2:1 CC101 a spec has no section `layer`"]
    assert problems(text)[0].help == "did you mean `layers`?"


def test_a_word_nothing_resembles_comes_with_the_way_to_all_kinds():
    (problem,) = problems(EIGHT + "layers: [zzzzzz]")
    assert problem.message == "there is no kind or block `zzzzzz`"
    assert problem.help == "`convcost kinds` lists the kinds; `custom` states a cost of its own"


def test_an_endless_word_is_not_repeated_in_full():
    (problem,) = problems(f"{EIGHT}layers: [{'a' * 100_000}]")
    assert len(problem.message) < 200


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
                "`params` (learned numbers, biases included)",
                "`macs` (multiply-adds for one sample; `uncounted` where nobody knows them)",
            ],
            id="custom",
        ),
    ],
)
def test_a_missing_option_is_said_with_its_meaning(layer, expected):
    kind = layer.strip("{").split(":")[0]
    column = 10 + layer.startswith("{")
    assert messages(f"{EIGHT}layers: [{layer}]") == [
        f"2:{column} CC103 {kind} needs {option}" for option in expected
    ]


def test_every_required_option_of_every_kind_is_missed():
    for name, kind in KINDS.items():
        needed = [option for option in kind.options.values() if option.required]
        if kind.role == "layer":
            assert messages(f"{EIGHT}layers:\n- {name}")[: len(needed)] == [
                f"3:3 CC103 {name} needs `{option.name}` ({option.meaning})" for option in needed
            ]


BLOCK = "blocks: {b: {options: {width: , stride: 1}, layers: [relu]}, z: {layers: [relu]}}\n"


@pytest.mark.parametrize(
    ("layer", "expected"),
    [
        pytest.param(
            "b", ["3:10 CC103 b needs `width` (an option of block b)"], id="one is missing"
        ),
        pytest.param("{b: [1, 2, 3]}", ["3:14 CC104 `b` has 2 options, not 3"], id="too many"),
        pytest.param("{z: 1}", ["3:14 CC104 `z` has no options"], id="one where there are none"),
        pytest.param(
            "{b: 1, wdith: 3}", ["3:17 CC101 b has no option `wdith`"], id="an unknown one"
        ),
        pytest.param(
            "{b: 1, width: 3}", ["3:17 CC003 `width` of b is given twice"], id="one twice"
        ),
        pytest.param(
            "{b: {width: 1}, width: 3}",
            ["3:26 CC003 `width` of b is given twice"],
            id="one in the mapping and beside it",
        ),
    ],
)
def test_the_options_of_a_block_are_checked_where_it_is_called(layer, expected):
    assert messages(f"{EIGHT}{BLOCK}layers: [{layer}]") == expected


@pytest.mark.parametrize(
    ("section", "expected"),
    [
        pytest.param(
            "vars: {in_x: 1}", "2:8 CC107 `in_x` cannot be the name of a variable", id="in_ in vars"
        ),
        pytest.param(
            "vars: {if: 1}",
            "2:8 CC107 `if` cannot be the name of a variable",
            id="a word of its own",
        ),
        pytest.param(
            "blocks: {b: {options: {in_x: 1}, layers: [relu]}}",
            "2:24 CC107 `in_x` cannot be the name of an option",
            id="in_ in a block",
        ),
        pytest.param(
            "blocks: {b: {options: {repeat: 1}, layers: [relu]}}",
            "2:24 CC107 `repeat` cannot be the name of an option",
            id="a common key",
        ),
        pytest.param(
            "vars: {a: in_channels}",
            "2:11 CC106 in_channels has no value here: nothing has come in yet",
            id="channels before the input",
        ),
        pytest.param("vars: {a: }", "2:11 CC103 `a` of vars has no value", id="no value"),
        pytest.param(
            "vars: {a: text}",
            f"2:11 CC104 `a` of vars must be {TYPES['Variable'].meaning}, not `text`",
            id="text",
        ),
        pytest.param(
            "vars: {a: b, b: 1}",
            f"2:11 CC104 `a` of vars must be {TYPES['Variable'].meaning}, not `b`",
            id="one that comes later",
        ),
        pytest.param(
            "defaults: {cnv: {bias: true}}",
            "2:12 CC102 there is no kind `cnv`",
            id="a default kind",
        ),
        pytest.param(
            "defaults: {conv: {biass: true}}",
            "2:19 CC101 conv has no option `biass`",
            id="a default option",
        ),
        pytest.param(
            "defaults: {conv: {bias: 3}}",
            "2:25 CC104 `bias` of conv must be true or false, not 3",
            id="a default value",
        ),
    ],
)
def test_a_declaration_is_checked_whether_used_or_not(section, expected):
    assert messages(f"{EIGHT}{section}\nlayers: [relu]") == [expected]


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        pytest.param("3", "1:8 CC104 `input` of the network must be {channels: …, size: …}, not 3",
            id="a number"),
        pytest.param("", "1:7 CC103 `input` of the network has no value", id="null"),
        pytest.param("{channels: 3}", "1:8 CC103 `input` of the network: `size` is missing",
            id="no size"),
        pytest.param("{size: 3}", "1:8 CC103 `input` of the network: `channels` is missing",
            id="no channels"),
        pytest.param("{channels: 3, size: 3, dept: 3}",
            "1:8 CC101 `input` of the network: unknown key `dept`", id="an unknown key"),
        pytest.param("{channels: 0, size: 3}",
            "1:8 CC104 `input` of the network: channels must be a whole number from 1, not 0",
            id="no channel"),
        pytest.param("{channels: 3, size: [8, 0]}",
            "1:8 CC104 `input` of the network: size must be a whole number from 1, not 0",
            id="an axis of 0"),
        pytest.param("{channels: 3, size: [1, 2, 3, 4]}",
            "1:8 CC104 `input` of the network: size takes at most 3 numbers, not 4",
            id="an axis too many"),
        pytest.param("{channels: 3, size: {h: 3}}",
            "1:8 CC104 `input` of the network: size must be a whole number from 1, not a mapping",
            id="a mapping for a size"),
    ],
)  # fmt: skip
def test_an_input_must_be_channels_and_a_size(written, expected):
    assert messages(f"input: {written}\nlayers: [relu]") == [expected]


# Numbers, in every option of every kind

SAMPLES = {
    "Count": "1", "Natural": "0", "Tally": "0", "Stated": "0",
    "Number": "1", "Flag": "true", "Extent": "1", "Padding": "0",
    "Border": "0", "Factor": "2", "Label": "x", "Mode": "nearest", "Span": "all",
    "Tensor": "{channels: 1, size: 1}", "Form": "{channels: rest, size: 1}", "Function": "erf",
    "Along": "1", "Axes": "all",
}  # fmt: skip
ENORMOUS = "99999999999999999999"
MOST = "must be at most 1,000,000,000, not 99,999,999,999,999,999,999"
# Which of 0, −1, 1.5 and true each type takes, and what it says of the others.
TAKEN = {
    "Count": ((), "a whole number from 1"),
    "Extent": ((), "a whole number from 1"),
    "Natural": (("0",), "a whole number from 0"),
    "Tally": (("0",), "a whole number from 0"),
    "Stated": (("0",), "a whole number from 0"),
    "Padding": (("0",), "a whole number from 0"),
    "Border": (("0",), "a whole number from 0"),
    "Number": (("0", "-1", "1.5"), "a number"),
    "Factor": (("1.5",), "a number"),
    "Flag": (("true",), "true or false"),
    "Mode": ((), "`nearest` or `linear` or `cubic`"),
    "Span": ((), "`channels` or `all`"),
    "Tensor": ((), "{channels: …, size: …}"),
    "Form": ((), "{channels: …, size: …}"),
    "Function": ((), " or ".join(f"`{name}`" for name in FUNCTIONS)),
    "Along": ((), "a whole number from 1"),
    "Axes": ((), "a whole number from 1"),
}


def refused(type_name, value):
    """What is said of a value for an option of a type; nothing if it is taken."""
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
    "value",
    [
        pytest.param("0", id="zero"),
        pytest.param("-1", id="negative"),
        pytest.param("1.5", id="fractional"),
        pytest.param("true", id="boolean"),
        pytest.param("word", id="text"),
    ],
)
@pytest.mark.parametrize(
    "name", [name for name, kind in KINDS.items() if kind.role == "layer" and kind.options]
)
def test_a_number_is_refused_where_it_has_no_meaning(name, value):
    kind = KINDS.get(name)
    for option in kind.options.values():
        if option.type_name == "Label":
            continue
        said = refused(option.type_name, value)
        layer = with_option(kind, option, value)
        key = f"{kind.name}: " if option.name == kind.principal else f"{option.name}: "
        column = 10 + layer.index(key) + len(key)
        found = messages(f"{EIGHT}layers: [{layer}]")
        if said:
            assert found == [f"2:{column} CC104 `{option.name}` of {name} {said}"]
        else:
            assert not [line for line in found if "CC104" in line and f"`{option.name}`" in line]


def test_an_enormous_number_is_refused_in_every_option_of_every_kind():
    numeric = ("Count", "Natural", "Number", "Extent", "Padding", "Border", "Factor")
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
def test_a_custom_layer_may_cost_more_than_any_option_counts(measure):
    written = {"params": "0", "macs": "0"} | {measure: "3e9"}
    layer = f"{{custom: x, params: {written['params']}, macs: {written['macs']}}}"
    assert messages(f"{EIGHT}layers: [{layer}]") == []


@pytest.mark.parametrize(
    ("times", "shown"),
    [("-1", "-1"), ("1.5", "1.5"), ("true", "true"), ("two", "`two`"), ("[2]", "[2]")],
)
def test_repeat_is_a_whole_number(times, shown):
    text = f"{EIGHT}layers: [{{relu: , repeat: {times}}}]"
    assert messages(text) == [
        f"2:27 CC104 `repeat` of a layer must be a whole number from 0, not {shown}"
    ]


def test_when_is_true_or_false():
    text = EIGHT + "layers: [{relu: , when: 1}]"
    assert messages(text) == ["2:25 CC104 `when` of a layer must be true or false, not 1"]


@pytest.mark.parametrize(
    ("text", "place"),
    [
        pytest.param(
            EIGHT + "vars: {w: 3}\nlayers: [{conv: max(8, w), kernel: 3}]",
            "3:17 CC105 `max(8`",
            id="in a layer",
        ),
        pytest.param(
            EIGHT + "layers: [{conv: max(8, 9, 7), kernel: 3}]", "2:17 CC105 `max(8`", id="in three"
        ),
        pytest.param(
            EIGHT + "blocks: {b: {options: {n: }, layers: [relu]}}\nlayers: [{b: {n: max(8, 9)}}]",
            "3:18 CC105 `max(8`",
            id="in the mapping of a block",
        ),
        pytest.param(
            EIGHT + "vars: {w: max(3, 4)}\nlayers: [relu]", "2:11 CC105 `max(3`", id="in vars"
        ),
    ],
)
def test_an_expression_torn_by_a_comma_is_named_as_such(text, place):
    assert messages(text) == [f"{place} is only a part of an expression"]
    assert [problem.help for problem in problems(text)] == [
        'inside { } an expression with a comma needs quotes: "max(8, width)"'
    ]


# What depends on the input


@pytest.mark.parametrize(
    ("layer", "message"),
    [
        pytest.param(
            "{conv: 8, kernel: 9}", "CC301 kernel 9 is larger than the input 8", id="conv"
        ),
        pytest.param(
            "{conv: 8, kernel: 11, padding: 1}",
            "CC301 kernel 11 is larger than the padded input 10",
            id="padded conv",
        ),
        pytest.param("{max_pool: 9}", "CC301 kernel 9 is larger than the input 8", id="pool"),
        pytest.param(
            "{depthwise: 3, dilation: 4}",
            "CC301 kernel 3 at dilation 4 spans 9 and is larger than the input 8",
            id="dilated depthwise",
        ),
        pytest.param(
            "{conv: 8, kernel: [3, 3, 3]}",
            "CC304 kernel has 3 numbers, the input has 2 axes",
            id="an axis too many",
        ),
        pytest.param(
            "{conv: 8, kernel: 1, groups: 3}",
            "CC302 input channels 8 cannot be divided by groups 3",
            id="groups of input channels",
        ),
        pytest.param(
            "{conv: 9, kernel: 1, groups: 2}",
            "CC302 filters 9 cannot be divided by groups 2",
            id="groups of filters",
        ),
        pytest.param(
            "{transposed_conv: 9, kernel: 1, groups: 2}",
            "CC302 filters 9 cannot be divided by groups 2",
            id="groups of a transposed conv",
        ),
        pytest.param(
            "{group_norm: 3}",
            "CC302 input channels 8 cannot be divided by groups 3",
            id="groups of a norm",
        ),
        pytest.param(
            "{pixel_shuffle: 3}",
            "CC302 input channels 8 cannot be divided by factor^2 = 9",
            id="a factor",
        ),
        pytest.param(
            "{linear: 10}", "CC304 linear takes a flat input, not 8×8×8", id="linear on a map"
        ),
        pytest.param("{crop: 4}", "CC301 crop takes 4 + 4 of an axis of 8", id="crop"),
        pytest.param(
            "{slice: 5, start: 4}",
            "CC304 slice keeps channels 4 to 8, the input has 8",
            id="slice",
        ),
        pytest.param(
            "{concat: {a: [{conv: 4, kernel: 3}], b: []}}",
            "CC303 concat needs branches of one size, not 6×6 and 8×8",
            id="branches of two sizes",
        ),
        pytest.param(
            "{add: {a: [{conv: 4, kernel: 1}], b: []}}",
            "CC303 add needs branches of one shape, not 8×8×8 and 8×8×4",
            id="branches of other channels",
        ),
        pytest.param(
            "{multiply: {a: [{conv: 8, kernel: [8, 7]}], b: []}}",
            "CC303 multiply needs branches of one shape, not 8×8×8 and 1×2×8",
            id="a gate of two columns",
        ),
    ],
)
def test_a_layer_that_does_not_fit_its_input_is_refused(layer, message):
    assert messages(f"{EIGHT}layers: [{layer}]") == [f"2:11 {message}"]


def test_a_map_is_no_place_for_linear_and_the_ways_out_are_named():
    (problem,) = problems(EIGHT + "layers: [{linear: 10}]")
    assert problem.help == (
        "put `flatten` before it; or, fully convolutional, {conv: 10, kernel: 8} for the same "
        "count, {conv: 10, kernel: 1} or `each_position: true` for one at every position"
    )
    assert [note.message for note in problem.notes] == ["this gives 8×8×8"]


@pytest.mark.parametrize("kind", ["conv", "depthwise", "max_pool", "transposed_conv", "upsample"])
def test_a_flat_input_has_no_place_to_slide_over(kind):
    principal, kernel = (4, ", kernel: 1") if kind.endswith("conv") else (1, "")
    text = f"input: {{channels: 8, size: []}}\nlayers: [{{{kind}: {principal}{kernel}}}]"
    assert messages(text) == [f"2:11 CC304 {kind} takes an input that has a size, this one is flat"]


@pytest.mark.parametrize(
    ("other", "message"),
    [
        pytest.param("{conv: 8, kernel: 1, weights: a}",
            "2:71 CC306 conv needs weights 8 × 1 × 1 × 8, `a` has weights 8 × 3 × 3 × 8",
            id="of another form"),
        pytest.param("{depthwise: 3, weights: a}",
            "2:65 CC306 depthwise needs weights 8 × 3 × 3, `a` is no layer of this kind",
            id="of another kind"),
        pytest.param("{relu: , weights: a}", "2:50 CC101 relu has no option `weights`",
            id="by what has none"),
        pytest.param("{conv: 8, kernel: 3, weights: b}",
            "2:71 CC108 there is no layer `b` before this one", id="of nobody"),
    ],
)  # fmt: skip
def test_weights_are_shared_only_where_they_fit(other, message):
    text = f"{EIGHT}layers: [{{conv: 8, kernel: 3, name: a}}, {other}]"
    assert messages(text) == [message]


# Names and references


@pytest.mark.parametrize(
    ("layers", "expected"),
    [
        pytest.param("relu, {tanh: , from: nope}",
            "2:31 CC108 there is no layer `nope` before this one", id="nothing"),
        pytest.param("{relu: , from: x, name: x}", "2:25 CC108 `x` cannot take its own output",
            id="itself"),
        pytest.param("{relu: , from: x}, {tanh: , name: x}",
            "2:25 CC108 `x` comes later: a layer takes only what stands before it", id="later"),
        pytest.param("{relu: , name: x, when: false}, {tanh: , from: x}",
            "2:57 CC108 `x` is left out here: its `when` is false", id="what is dropped"),
        pytest.param("{sequence: [{relu: , from: s}], name: s}",
            "2:37 CC108 `s` cannot be taken from inside itself", id="the sequence it is in"),
        pytest.param("{concat: {a: [{relu: , from: j}], b: []}, name: j}",
            "2:39 CC108 `j` cannot be taken from inside itself", id="the join it is in"),
        pytest.param("{sequence: [{relu: , name: r}], name: s}, {tanh: , from: s/x}",
            "2:67 CC108 `s/x` names nothing: there is no `x` in it", id="nothing inside"),
        pytest.param("{relu: , name: r}, {tanh: , from: r/x}",
            "2:44 CC108 `r/x` names nothing: there is no `x` in it", id="the inside of a layer"),
        pytest.param("{relu: , from: []}", "2:25 CC108 `from` names nothing", id="an empty list"),
        pytest.param("{relu: , from: [input, input]}",
            "2:33 CC108 relu takes one input, not 2", id="two where one is taken"),
        pytest.param("{concat: {a: x, b: []}}",
            "2:23 CC108 there is no layer `x` before this one", id="nothing in a branch"),
    ],
)  # fmt: skip
def test_a_reference_that_names_nothing_is_refused(layers, expected):
    assert messages(f"{EIGHT}layers: [{layers}]") == [expected]


@pytest.mark.parametrize(
    ("layers", "expected"),
    [
        pytest.param("{relu: , name: a}, {tanh: , name: a}", "2:30 CC107 the name `a` is taken",
            id="two layers"),
        pytest.param("{relu: , name: relu_2}, relu", "2:34 CC107 the name `relu_2` is taken",
            id="a name and an ordinal"),
        pytest.param("{relu: , name: a}, {concat: {a: [tanh], b: []}}",
            "2:39 CC107 the name `a` is taken", id="a layer and a branch"),
        pytest.param("{sequence: [{relu: , name: a}, {tanh: , name: a}], name: s}",
            "2:42 CC107 the name `s/a` is taken", id="two layers of a sequence"),
        pytest.param("{relu: , name: input}",
            "2:25 CC107 `input` is the tensor that comes in and cannot be a name", id="input"),
        pytest.param("{relu: , name: a/b}",
            "2:25 CC107 `a/b` cannot be a name: `/` separates the names of a path", id="a path"),
        pytest.param("{relu: , name: ''}", "2:25 CC107 a name cannot be empty", id="no letters"),
        pytest.param("{relu: , name: [a]}", "2:25 CC107 a name must be a word", id="a list"),
    ],
)  # fmt: skip
def test_a_name_that_cannot_be_is_refused(layers, expected):
    assert messages(f"{EIGHT}layers: [{layers}]") == [expected]


# Figures


@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        pytest.param("{layer: d, params: 3, source: s}", "3:21 CC108 there is no layer `d`",
            id="an unknown layer"),
        pytest.param("{params: 3x, source: s}", "3:22 CC112 params: `x` is no unit", id="a unit"),
        pytest.param("{params: 3m, source: s}", "3:22 CC112 params: `m` is no unit",
            id="a unit in lower case"),
        pytest.param("{params: many, source: s}", "3:22 CC112 params: `many` is not a number",
            id="a word"),
        pytest.param("{params: 3}", "3:13 CC103 a published figure needs `source`",
            id="no source"),
        pytest.param("{source: s}", "3:13 CC112 a published figure names no measure",
            id="no figure"),
        pytest.param("3", "3:13 CC112 a published figure is a mapping", id="a number alone"),
        pytest.param("{params: [3], source: s}", "3:22 CC112 params must be a number",
            id="a list"),
        pytest.param("{params: 3, source: s, set: {x: 3}}", "3:42 CC113 there is no variable `x`",
            id="an unknown variable"),
        pytest.param("{params: 3, source: s, size: 0}",
            "3:42 CC104 size must be a whole number from 1, not 0", id="a size of 0"),
        pytest.param("{params: 3, source: s, nots: x}",
            "3:36 CC101 a published figure has no key `nots`", id="an unknown key"),
    ],
)  # fmt: skip
def test_a_published_figure_is_checked(entry, expected):
    text = f"{EIGHT}layers: [{{conv: 4, kernel: 1, name: c}}]\npublished: [{entry}]"
    assert messages(text) == [expected]


@pytest.mark.parametrize(
    ("budget", "expected"),
    [
        pytest.param("{params: {max: 4.3m}}", "3:24 CC112 max of params: `m` is no unit",
            id="a unit in lower case"),
        pytest.param("{params: 4.3m}", "3:18 CC112 params: `m` is no unit", id="without max"),
        pytest.param("{params: {max: 1.5}}",
            "3:24 CC112 max of params: `1.5` is not a whole number", id="a fraction"),
        pytest.param("{params: {max: -1}}", "3:24 CC112 max of params: `-1` is below 0",
            id="a limit below 0"),
        pytest.param("{params: {max: seven}}", "3:24 CC112 max of params: `seven` is not a number",
            id="a word"),
        pytest.param("{params: {max: }}", "3:24 CC112 max of params has no value", id="nothing"),
        pytest.param("{params: {}}", "3:10 CC112 `params` limits nothing", id="no limit"),
        pytest.param("{params: {mx: 3, max: 3}}", "3:19 CC101 the limit of params has no key `mx`",
            id="an unknown limit"),
        pytest.param("{parms: {max: 3}}", "3:10 CC101 a budget has no key `parms`",
            id="an unknown measure"),
        pytest.param("{params: []}", "3:18 CC112 `params` takes {max: n}", id="a list"),
        pytest.param("3", "3:9 CC112 `budget` must be a mapping", id="a number"),
        pytest.param("{bytes: {max: 4MB, dtype: f32}}", "3:35 CC112 there is no dtype `f32`",
            id="a dtype"),
        pytest.param("{layers: [{params: {max: 1}}]}", "3:19 CC103 a rule needs `match`",
            id="a rule for nothing"),
        pytest.param("{params: {grow: x%}}", "3:25 CC112 grow of params: `x` is not a number",
            id="a growth of a word"),
    ],
)  # fmt: skip
def test_a_budget_is_checked(budget, expected):
    text = f"{EIGHT}layers: [{{conv: 4, kernel: 1}}]\nbudget: {budget}"
    assert messages(text) == [expected]


def test_a_unit_in_lower_case_comes_with_the_one_that_was_meant():
    text = f"{EIGHT}layers: [relu]\nbudget: {{params: {{max: 4.3m}}}}"
    assert [problem.help for problem in problems(text)] == ["did you mean 4.3M?"]


# Without end


def doubled(first, line, levels, key="x-b"):
    """Anchors that each stand for the one before them twice; the last is `*last`."""
    lines = [f"x-a: &a {first}"]
    before = "a"
    for level in range(levels):
        name = "last" if level == levels - 1 else f"b{level}"
        lines.append(f"{key}{level}: &{name} {line.format(before=f'*{before}')}")
        before = name
    return "\n".join(lines) + "\n"


def calls(first, line, levels):
    """Blocks that each call the one before them twice; the last is `last`."""
    lines = ["blocks:", f"  b: {first}"]
    before = "b"
    for level in range(levels):
        name = "last" if level == levels - 1 else f"b{level}"
        lines.append(f"  {name}: {line.format(before=before)}")
        before = name
    return "\n".join(lines) + "\n"


@pytest.mark.parametrize(
    ("layer", "place"),
    [
        pytest.param("{relu: , repeat: 1000000000}", "2:1", id="a billion copies"),
        pytest.param("{relu: , repeat: 500 * 1000}", "2:1", id="copies by an expression"),
        pytest.param(
            "{sequence: [{sequence: [{relu: , repeat: 1000}], repeat: 1000}], repeat: 1000}",
            "2:1",
            id="copies of copies of copies",
        ),
        pytest.param(
            "{sequence: [{sequence: [{relu: , repeat: 99*in_width}], repeat: 99*in_width}], "
            "repeat: 99*in_width}",
            "2:1",
            id="copies of copies by expressions",
        ),
        pytest.param(
            "{sequence: [{sequence: [], repeat: 200000}], repeat: 200000}",
            "2:1",
            id="copies of copies of nothing",
        ),
    ],
)
def test_too_many_copies_are_refused_before_they_are_made(layer, place):
    assert soon(f"{EIGHT}layers: [{layer}]") == [f"{place} {TOO_MANY}"]


@pytest.mark.parametrize(
    ("text", "place"),
    [
        pytest.param(
            doubled("{sequence: [relu]}", "{{sequence: [{before}, {before}]}}", 40),
            "43:1",
            id="aliases of sequences",
        ),
        pytest.param(
            doubled(
                "{concat: {p: [relu], q: []}}", "{{concat: {{p: [{before}], q: [{before}]}}}}", 40
            ),
            "43:1",
            id="aliases of branches",
        ),
        pytest.param(
            doubled("{sequence: []}", "{{sequence: [{before}, {before}]}}", 40),
            "43:1",
            id="aliases of empty sequences",
        ),
        pytest.param(
            doubled(
                "{sequence: [], when: in_channels > 0}",
                "{{sequence: [{before}, {before}], when: in_channels > 0}}",
                40,
            ),
            "43:1",
            id="aliases that hang on a condition",
        ),
    ],
)
def test_an_alias_bomb_is_refused_before_it_is_laid_out(text, place):
    assert soon(f"{text}{EIGHT}layers: [*last]") == [f"{place} {TOO_MANY}"]


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(doubled("[relu]", "[{before}, {before}]", 60), id="of lists"),
        pytest.param(doubled("{k: 1}", "{{l: {before}, r: {before}}}", 60), id="of mappings"),
        pytest.param(doubled("{k: 1}", "{{<<: [{before}, {before}]}}", 60), id="of merges"),
    ],
)
def test_a_bomb_that_nothing_uses_does_not_go_off(text):
    assert soon(f"{text}{EIGHT}layers: [relu]") == []


def test_a_bomb_for_an_option_is_a_list_like_any_other():
    text = doubled("[1, 1]", "[{before}, {before}]", 60)
    assert soon(f"{text}{EIGHT}layers: [{{conv: *last, kernel: 1}}]") == [
        "60:8 CC104 `filters` of conv must be a whole number from 1, not a list"
    ]


NOT_A_COUNT = "`input` of the network: channels must be a whole number from 1, not a mapping"


@pytest.mark.parametrize("levels", [1, 60])
def test_a_bomb_for_an_input_is_a_mapping_like_any_other(levels):
    text = doubled("{channels: 1}", "{{channels: {before}, size: {before}}}", levels)
    column = len(f"x-b{levels - 1}: ") + 1
    assert soon(f"{text}input: *last\nlayers: [relu]") == [
        f"{levels + 1}:{column} CC104 {NOT_A_COUNT}"
    ]


@pytest.mark.parametrize(
    ("text", "call"),
    [
        pytest.param(
            calls("{layers: [relu]}", "{{layers: [{before}, {before}]}}", 40),
            "last",
            id="of a layer",
        ),
        pytest.param(
            calls("{layers: []}", "{{layers: [{before}, {before}]}}", 40), "last", id="of nothing"
        ),
        pytest.param(
            calls(
                "{options: {n: }, layers: [{relu: , repeat: n}]}",
                "{{options: {{n: }}, layers: [{{{before}: n}}, {{{before}: n}}]}}",
                40,
            ),
            "{last: 1}",
            id="of a layer repeated once",
        ),
    ],
)
def test_blocks_that_double_are_refused_before_they_are_laid_out(text, call):
    assert soon(f"{EIGHT}{text}layers: [{call}]") == [f"44:1 {TOO_MANY}"]


@pytest.mark.parametrize(
    ("text", "place"),
    [
        pytest.param("layers: " + "[" * 100_000, "2:72", id="brackets"),
        pytest.param("layers: " + "[" * 100_000 + "]" * 100_000, "2:72", id="brackets with an end"),
        pytest.param("layers: " + "{a: " * 100_000, "2:261", id="braces"),
        pytest.param("layers:\n" + "- " * 100_000, "3:127", id="dashes"),
    ],
)
def test_nesting_without_end_is_refused_where_it_becomes_too_deep(text, place):
    assert soon(EIGHT + text) == [f"{place} CC004 more than 64 levels of nesting"]


@pytest.mark.parametrize(
    ("blocks", "expected"),
    [
        pytest.param("{b: {layers: [b]}}", "2:10 CC109 block `b` calls itself: b → b", id="itself"),
        pytest.param(
            "{a: {layers: [{sequence: [b]}]}, b: {layers: [{add: {x: [c], y: []}}]}, "
            "c: {layers: [a]}}",
            "2:10 CC109 block `a` calls itself: a → b → c → a",
            id="over two others",
        ),
        pytest.param(
            "{b: {options: {n: 3}, layers: [{b: n - 1, when: n > 0}]}}",
            "2:10 CC109 block `b` calls itself: b → b",
            id="with an end in sight",
        ),
    ],
)
@pytest.mark.parametrize("used", [True, False])
def test_a_block_that_calls_itself_is_refused(blocks, expected, used):
    name = blocks[1]
    layers = f"[{name}]" if used else "[relu]"
    assert messages(f"{EIGHT}blocks: {blocks}\nlayers: {layers}") == [expected]


@pytest.mark.parametrize(
    ("layer", "message"),
    [
        pytest.param("{conv: 9**9**9, kernel: 1}",
            "2:17 CC106 9 ** 387420489 is beyond what is counted", id="a power of powers"),
        pytest.param("{conv: " + "1" * 100_000 + ", kernel: 1}",
            f"2:17 CC106 `{'1' * 40}…` is beyond what is counted", id="a number of 100,000 digits"),
        pytest.param("{conv: " + "1+" * 50_000 + "1, kernel: 1}",
            "2:17 CC105 an expression has at most 400 characters, not 100001", id="an endless sum"),
        pytest.param("{upsample: 2, repeat: 100}",
            "2:11 CC305 an output of 1125899906842624×1125899906842624×8 is beyond what is counted",
            id="a size that doubles"),
        pytest.param("{conv: 8, kernel: 2, repeat: 200000}",
            "2:11 CC301 kernel 2 is larger than the input 1", id="copies that no longer fit"),
    ],
)  # fmt: skip
def test_what_is_beyond_counting_is_refused(layer, message):
    assert soon(f"{EIGHT}layers: [{layer}]") == [message]


@pytest.mark.parametrize(
    "layer",
    [
        pytest.param("{max_pool: 1, stride: 1000000000}", id="a stride"),
        pytest.param("{transposed_conv: 1, kernel: 1000000000, stride: 2}", id="a kernel"),
        pytest.param("{transposed_conv: 1, kernel: 1, stride: 1000000000}", id="a spread"),
        pytest.param("{transposed_conv: 1, kernel: 4096, stride: 4096}", id="a square"),
        pytest.param("{upsample: 1000000000}", id="a scale"),
        pytest.param("{adaptive_avg_pool: 999999999}", id="a size"),
    ],
)
def test_a_giant_number_is_counted_as_soon_as_a_small_one(layer):
    assert soon(f"input: {{channels: 1, size: [1000]}}\nlayers: [{layer}]") == []


# All of them at once, and no others


def test_all_problems_are_told_in_one_run_in_the_order_of_the_lines():
    text = """
        nmae: x
        input: {channels: 8, size: 8}
        vars: {in_x: 1}
        blocks: {b: {options: {n: }, layers: [{cnv: n}]}}
        layers:
          - {conv: 8, kernel: 3, strides: 2}
          - b
          - {tanh: , from: nope}
          - {max_pool: 0}
        published: [{params: 3}]
        budget: {params: {max: 4.3m}}
        """
    assert messages(text) == [
        "2:1 CC101 a spec has no section `nmae`",
        "4:8 CC107 `in_x` cannot be the name of a variable",
        "5:40 CC102 there is no kind or block `cnv`",
        "7:26 CC101 conv has no option `strides`",
        "8:5 CC103 b needs `n` (an option of block b)",
        "9:20 CC108 there is no layer `nope` before this one",
        "10:16 CC104 `kernel` of max_pool must be a whole number from 1, not 0",
        "11:13 CC103 a published figure needs `source`",
        "12:24 CC112 max of params: `m` is no unit",
    ]


def test_the_problems_of_all_documents_are_told():
    text = f"{EIGHT}layers: [cnv]\n---\n{EIGHT}layers: [rleu]\n"
    assert messages(text) == [
        "2:10 CC102 there is no kind or block `cnv`",
        "5:10 CC102 there is no kind or block `rleu`",
    ]


def test_what_is_wrong_twice_in_a_block_that_is_called_twice_is_told_once():
    text = EIGHT + "blocks: {b: {layers: [{conv: 8, kernel: 9}]}}\nlayers: [b, b, {b: , repeat: 9}]"
    assert messages(text) == ["2:24 CC301 kernel 9 is larger than the input 8"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        pytest.param(
            EIGHT + "layers: [{conv: 8, kernel: 9}, {conv: in_channels, kernel: 9}, {linear: 3}]",
            ["2:11 CC301 kernel 9 is larger than the input 8"],
            id="from a shape that is not known",
        ),
        pytest.param(
            EIGHT + "layers: [{conv: 8, kernl: 3, name: c}, {relu: , from: c}]",
            ["2:20 CC101 conv has no option `kernl`"],
            id="from a layer that could not be read",
        ),
        pytest.param(
            EIGHT + "layers: [{cnv: 8, name: c}, {relu: , from: c}, {concat: {a: [], b: c}}]",
            ["2:11 CC102 there is no kind or block `cnv`"],
            id="from a layer of an unknown kind",
        ),
        pytest.param(
            "input: {channels: 8, size: text}\nlayers: [{conv: in_channels, kernel: 99}, flatten]",
            [f"1:28 CC104 `input` of the network must be {TYPES['Tensor'].meaning}, not `text`"],
            id="from an input that could not be read",
        ),
        pytest.param(
            EIGHT + "layers: [{sequence: [{relu: , name: r}, cnv], name: s}, {tanh: , from: s/r}]",
            ["2:41 CC102 there is no kind or block `cnv`"],
            id="by a path into a sequence with a problem",
        ),
        pytest.param(
            EIGHT
            + "blocks: {b: {options: {n: }, layers: [{relu: , name: x}]}}\n"
            + "layers: [{b: foo, name: q}, {relu: , from: q/x}]",
            [f"3:14 CC104 `n` of b must be {TYPES['Variable'].meaning}, not `foo`"],
            id="by a path into a call with a problem",
        ),
        pytest.param(
            EIGHT
            + "layers: [{concat: {a: [{relu: , name: r}, cnv], b: []}, name: j}, "
            + "{relu: , from: j/a/r}]",
            ["2:43 CC102 there is no kind or block `cnv`"],
            id="by a path into a branch with a problem",
        ),
        pytest.param(
            EIGHT + "vars: {w: text}\nlayers: [{conv: 2*w, kernel: 1}]",
            [f"2:11 CC104 `w` of vars must be {TYPES['Variable'].meaning}, not `text`"],
            id="from a variable without a value",
        ),
        pytest.param(
            EIGHT + "blocks: {b: {layers: [b]}}\nlayers: [{b: , name: q}, {relu: , from: q}]",
            ["2:10 CC109 block `b` calls itself: b → b"],
            id="from a block that calls itself",
        ),
        pytest.param(
            EIGHT + "layers: [{cnv: 3, name: c}]\npublished: [{layer: c/x, params: 3, source: s}]",
            ["2:11 CC102 there is no kind or block `cnv`"],
            id="in figures of a layer that could not be read",
        ),
    ],
)
def test_one_mistake_is_told_once_and_nothing_follows_from_it(text, expected):
    assert messages(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("name: [a]\n" + EIGHT + "layers: [relu]", "1:7 CC104 `name` must be text"),
        ("note: {a: b}\n" + EIGHT + "layers: [relu]", "1:7 CC104 `note` must be text"),
        (
            EIGHT + "layers: [{add: {a: [], b: []}, branches: {c: [relu], d: []}}]",
            "2:32 CC003 `branches` of add is given twice",
        ),
    ],
)
def test_what_would_be_passed_over_is_refused(text, expected):
    assert messages(text) == [expected]


def test_white_space_of_any_kind_around_a_value_is_none():
    assert messages(EIGHT + 'layers: [{conv: "3\\r", kernel: 1}]') == []
