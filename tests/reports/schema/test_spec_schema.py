"""`convcost schema spec`: the JSON Schema and the program agree on a spec.

It refuses nothing that means something to the program, and of what the program refuses all that can
be seen without looking up a name, working out a shape or an expression: the tables below say which.
"""

import json
import re
import subprocess
import sys
from copy import deepcopy
from itertools import pairwise

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from plain_yaml import plain
from support import ROOT, SPECS, messages, plugin_example, run

from convcost.language.budgets import parse_bytes, parse_growth
from convcost.language.expressions import parse
from convcost.language.yaml_nodes import Mapping, parse_documents
from convcost.model.errors import ConstraintError
from convcost.model.figures import MAX_DIGITS, parse_figure, parse_whole_figure
from convcost.model.kind import KINDS
from convcost.model.options import TYPES
from convcost.reports.schema.spec import spec_schema
from convcost.reports.schema.values import EXPRESSION, types

SCHEMA = spec_schema()
VALIDATOR = Draft202012Validator(SCHEMA)
FIGURES = Draft202012Validator(SCHEMA["$defs"]["figure"])
EIGHT = "input: {channels: 8, size: 8}\n"
BLOCK = "blocks: {b: {options: {n: 4, f: 1}, layers: [{conv: n, kernel: f}]}}\n"


def documents(text):
    """The documents of a text as a validator sees them."""
    return [plain(node) for node in parse_documents(text)[0] if type(node) is Mapping]


def valid(text):
    """Whether the schema takes every document of a text."""
    return all(map(VALIDATOR.is_valid, documents(text)))


SHIPPED = {
    f"{path.stem} {number}": document
    for path in sorted(SPECS.glob("*.yaml"))
    for number, document in enumerate(documents(path.read_text("utf-8")), 1)
}


@pytest.mark.slow
def test_the_schema_is_valid_in_the_dialect_that_it_names():
    assert SCHEMA["$schema"] == Draft202012Validator.META_SCHEMA["$id"]
    Draft202012Validator.check_schema(SCHEMA)


def test_every_reference_of_the_schema_has_its_definition_and_every_definition_is_used():
    used = set(re.findall(r'"#/\$defs/([^"]+)"', json.dumps(SCHEMA)))
    assert used == set(SCHEMA["$defs"])


def test_every_type_of_options_has_a_definition_of_its_own():
    undefined = [name for name, schema in types().items() if set(schema) == {"description"}]
    assert (sorted(types()), undefined) == (sorted(TYPES), [])


@pytest.mark.parametrize("name", SHIPPED)
def test_every_shipped_document_is_valid(name):
    assert [error.message for error in VALIDATOR.iter_errors(SHIPPED[name])] == []


@pytest.mark.parametrize("name", KINDS.names())
def test_every_example_of_a_kind_is_valid_and_is_shown_to_an_editor(name):
    kind = KINDS.get(name)
    for layer in kind.examples:
        assert valid(f"{EIGHT}layers:\n- {layer.spec}")
    if kind.role == "layer":
        definition = SCHEMA["$defs"][f"kind_{name}"]
        assert len(definition["examples"]) == len(kind.examples)
        assert definition["description"] == " ".join(kind.__doc__.split())


# Values, for every option of every kind

VALUES = [
    "0", "1", "-1", "2.0", "1.5", "true", "~", "''", "same", "all", "nearest", "uncounted",
    "in_channels", "1000000000", "1000000001", "1e25", "[]", "[1]", "[1, 1, 1]",
    "[1, 1, 1, 1]", "[0, 1]",
    "[true]", "[[1]]", "[[1], [2, 1]]", "[[]]",
    "[[1, 1]]", "[~]", "{a: 1}", "{channels: 1, size: 1}", "{channels: 1, size: {}}",
    "3 px; rm", "'max(8, 2)'", "010", "0x1f", ".5",
]  # fmt: skip
SAMPLES = {
    "PositiveInt": "1", "Natural": "0", "NonNegativeInt": "0", "Number": "1", "Flag": "true",
    "PerAxisInt": "1",
    "Padding": "0", "Border": "0", "Factor": "2", "Label": "x", "Mode": "nearest", "ChannelsOrAll":
    "all",
    "Tensor": "{channels: 1, size: 1}", "ShapePattern": "{channels: rest, size: 1}", "Function":
    "erf", "Connections": "[[1]]",
    "Along": "1", "Axes": "all", "StatedInt": "0",
}  # fmt: skip


def with_option(kind, option, value):
    """A layer of a kind whose other required options hold what they may."""
    written = {
        other.name: SAMPLES[other.type_name]
        for other in kind.options.values()
        if other.required and other is not option
    }
    written[option.name] = value
    own = written.pop(kind.principal, "")
    return f"{{{kind.name}: {own}{''.join(f', {k}: {v}' for k, v in written.items())}}}"


# A word may be a variable's name, and what an expression comes to is not known.
WORDS = ("same", "uncounted", "all", "nearest", "in_channels", "'max(8, 2)'")


@pytest.mark.slow
@pytest.mark.parametrize("name", [n for n, k in KINDS.items() if k.role == "layer" and k.options])
def test_the_schema_accepts_the_same_option_values_as_the_program(name):
    kind = KINDS.get(name)
    for option in kind.options.values():
        about_values = f"CC10[15]|CC10[34].*`{option.name}`"
        for value in VALUES:
            layer = with_option(kind, option, value)
            problems = messages(f"{EIGHT}layers:\n- {layer}")
            # What depends on the input or on other options is left to the program.
            form = [
                line
                for line in problems
                if re.search(about_values, line) and "exactly one of" not in line
            ]
            if value in WORDS and valid(f"{EIGHT}layers:\n- {layer}"):
                continue
            assert valid(f"{EIGHT}layers:\n- {layer}") == (not form), (layer, problems)


# Whole specs, on which schema and program agree

GOOD = {
    "one input": EIGHT + "layers: [relu]",
    "an input of one size": "input: {channels: 3, size: 8, fixed: true}\nlayers: [relu]",
    "an input of multiples": "vars: {n: 4}\ninput: {channels: 3, size: 8, multiple: n, fixed: }\n"
    "layers: [relu]",
    "several inputs": "inputs: {a: {channels: 8, size: 8}, b: {channels: 8, size: 8}}\n"
    "layers: [{concat: [a, b]}]",
    "a null section": EIGHT + "vars:\ndefaults:\nblocks:\nlayers: [relu]",
    "frozen layers": EIGHT + "vars: {f: true}\ndefaults: {batch_norm: {frozen: f}}\n"
    "layers: [batch_norm, {conv: 2, kernel: 1, frozen: weights}, {sequence: [relu], frozen: true}]",
    "the author's own keys": EIGHT + "x-a: [1]\nvars: {x-b: {}}\ndefaults: {x-c: 1, conv: {x-d: 1}}"
    "\nblocks: {x-e: 1, b: {x-f: 1, layers: []}}\nlayers: [{relu: , x-g: [{}]}, b]\n"
    "published: [{x-h: 1, params: 0, source: s}]\nbudget: {x-i: 1, macs: {max: 0, x-j: 1}}",
    "variants": EIGHT + "vars: {n: 4}\nlayers: [{conv: n, kernel: 1}]\nvariants:\n  x1_0:\n"
    "  x-a: 3\n  50: {set: {n: 8}, size: [4, 6], published: [{params: 64, source: s}], note: x}",
    "a kind by name": EIGHT + "layers: [{conv: {filters: 3, kernel: 3}, stride: 2}]",
    "a kind without its value": EIGHT + "layers: [{conv: , filters: 3, kernel: 3}]",
    "what defaults give": EIGHT + "defaults: {conv: {filters: 3, kernel: 1}}\n"
    "layers: [conv, {conv: 4}, {conv: , stride: 2}]",
    "a size by defaults": EIGHT + "defaults: {upsample: {scale: 2}}\n"
    "layers: [upsample, {upsample: , size: 9}]",
    "an option that is called like a kind": EIGHT
    + "layers: [{upsample: , scale: 2}, {batch_norm: , scale: false}]",
    "a block's option that is called like a kind": EIGHT
    + "blocks: {b: {options: {scale: 2}, layers: [{upsample: scale}]}}\n"
    "layers: [{b: , scale: 3}, {b: 1, name: c}, {scale: , shift: true}]",
    "a block that is called like an option": EIGHT
    + "blocks: {stride: {options: {n: }, layers: [{conv: n, kernel: 1}]}}\nlayers: [{stride: 3}]",
    "calls of blocks": EIGHT + BLOCK + "layers: [b, {b: 3}, {b: [3, 1]}, {b: [~, 1]}, {b: {n: 2}},"
    "{b: , f: 1}, {b: 3, when: false}]",
    "a block with lists for options": "input: {channels: 1, size: 9}\n"
    "blocks: {b: {options: {f: [1, 3], p: same}, layers: [{conv: 2, kernel: f, padding: p}]}}\n"
    "layers: [b, {b: [[3, 1], valid]}, {b: {f: [1, 1]}}]",
    "joins": EIGHT + "layers: [{relu: , name: r}, {concat: {a: [], b: r, c: [tanh]}},"
    "{add: [r, r]}, {add: , from: [r, r]}, {multiply: , branches: {p: [], q: []}}]",
    "joins with options": EIGHT + "layers: [{concat: {a: [], b: []}, along: 1}, "
    "{matmul: [input, input], transpose: true, name: m}, {attention: , from: [m, m, m], heads: 2}]",
    "shapes": EIGHT + "layers: [{reshape: {channels: rest, size: [2, 2, 2, 2, in_width/2]}}, "
    "{learned: , shape: {channels: 3, size: []}}, {learned: {shape: {channels: 8, size: 2}}}, "
    "{mean: [1, 2], keep: false}]",
    "groups": EIGHT + "layers: [{sequence: [relu], repeat: 2}, {side: [], when: true}]",
    "shared weights": EIGHT + "layers: [{conv: 8, kernel: 1, name: a}, "
    "{conv: 8, kernel: 1, weights: a}]",
    "names that are numbers": "name: 7\nsource: 1\n" + EIGHT + "layers: [{relu: , name: 3, note: 4}"
    ", {tanh: , from: 3}]",
    "a custom layer": EIGHT + "layers: [{custom: x, params: 3e9, macs: '2*in_channels',"
    "output: {channels: 'in_channels//2', size: [4, 4]}}]",
    "figures": EIGHT
    + "vars: {n: 1}\nlayers: [{relu: , name: r}]\npublished: [{params: 0, off: true"
    ", source: s}, {layer: r, macs: '6,994,392', weights: 159K, off: [macs], source: s"
    ", size: [8, 8], set: {n: 2}, note: x}, {params: +0.5e3, source: , off: false}, {params: 1"
    ", k: 1024, truncated: true, biases: false, source: s}, {macs: 1, weights: 2, biases: 3"
    ", k: {macs: 1024, weights: 1000}, truncated: [macs], source: s}]",
    "a budget": EIGHT
    + "layers: [{relu: , name: r}]\nbudget: {params: 7M, macs: {max: 1.6G, min: 0"
    ", warn: 1_000, grow: 2%, grow_floor: 1Mi}, bytes: {max: 4MB, dtype: int8}, name: n"
    ", message: m, layers: [{match: 'r*', macs: 3}], groups: [{match: r, macs: {grow: 7}}]}",
}  # fmt: skip

BAD = {
    "a rule for what only a whole network has": EIGHT
    + "layers: [{relu: , name: r}]\nbudget: {layers: [{match: r, depth: 3}]}",
    "a name that is a list": "name: [a]\n" + EIGHT + "layers: [relu]",
    "no input": "layers: [relu]",
    "input and inputs": EIGHT + "inputs: {a: {channels: 3, size: 8}}\nlayers: [relu]",
    "inputs of none": "inputs: {}\nlayers: [relu]",
    "no layers": EIGHT,
    "none listed": EIGHT + "layers: []",
    "layers in a word": EIGHT + "layers: relu",
    "a misspelt section": EIGHT + "layer: [relu]\nlayers: [relu]",
    "a misspelt kind": EIGHT + "layers: [{cnv: 3, kernel: 1}]",
    "a misspelt kind in a word": EIGHT + "layers: [rleu]",
    "a misspelt kind of defaults": EIGHT + "defaults: {cnv: {bias: true}}\nlayers: [relu]",
    "a misspelt option": EIGHT + "layers: [{conv: 3, kernel: 1, strides: 2}]",
    "a misspelt option where there are blocks": EIGHT + BLOCK + "layers: [{conv: 3, kernl: 1}]",
    "a misspelt option by name": EIGHT + "layers: [{conv: {filters: 3, kernl: 1}}]",
    "a misspelt option of defaults": EIGHT + "defaults: {conv: {biass: true}}\nlayers: [relu]",
    "a misspelt common key": EIGHT + "layers: [{relu: , nmae: x}]",
    "a misspelt key of a block": EIGHT + "blocks: {b: {option: {}, layers: []}}\nlayers: [relu]",
    "a misspelt key of an input": "input: {channels: 3, size: 3, dept: 3}\nlayers: [relu]",
    "a multiple in a list": "input: {channels: 3, size: 8, multiple: [2, 2]}\nlayers: [relu]",
    "a fixed input by a number": "input: {channels: 3, size: 8, fixed: 1}\nlayers: [relu]",
    "sizes of a tensor": EIGHT + "layers: [{learned: {channels: 3, size: 8, fixed: true}}]",
    "a misspelt key of a figure": EIGHT + "layers: [relu]\npublished: [{params: 3, sorce: s}]",
    "a misspelt key of a variant": EIGHT + "layers: [relu]\nvariants: {a: {sizes: 4}}",
    "a name of a variant with a space": EIGHT + "layers: [relu]\nvariants: {a b: {}}",
    "a variant that is no mapping": EIGHT + "layers: [relu]\nvariants: {a: 3}",
    "a misspelt key of a budget": EIGHT + "layers: [relu]\nbudget: {parms: {max: 3}}",
    "a misspelt key of a limit": EIGHT + "layers: [relu]\nbudget: {params: {mx: 3, max: 3}}",
    "a misspelt key of a rule": EIGHT + "layers: [relu]\nbudget: {layers: [{mach: r, macs: 1}]}",
    "a rule for nothing": EIGHT + "layers: [relu]\nbudget: {layers: [{macs: 1}]}",
    "a rule without a limit": EIGHT + "layers: [relu]\nbudget: {layers: [{match: '*'}]}",
    "a decimal comma": EIGHT + "layers: [relu]\nbudget: {params: '4,3M'}",
    "thousands with a unit": EIGHT + "layers: [relu]\nbudget: {params: '4,300k'}",
    "a limit of nothing": EIGHT + "layers: [relu]\nbudget: {params: {}}",
    "a limit in lower case": EIGHT + "layers: [relu]\nbudget: {params: 4.3m}",
    "a figure of nothing": EIGHT + "layers: [relu]\npublished: [{source: s}]",
    "a figure of nobody": EIGHT + "layers: [relu]\npublished: [{params: 3}]",
    "K of 1023": EIGHT + "layers: [relu]\npublished: [{params: 3, k: 1023, source: s}]",
    "K of nothing": EIGHT + "layers: [relu]\npublished: [{params: 3, k: {x: 1024}, source: s}]",
    "truncated for a number": EIGHT
    + "layers: [relu]\npublished: [{params: 3, truncated: 1, source: s}]",
    "a figure in words": EIGHT + "layers: [relu]\npublished: [{params: many, source: s}]",
    "a kind with no options in a word": EIGHT + "layers: [conv]",
    "a kind without what it needs": EIGHT + "layers: [{conv: 3}]",
    "a kind without its value": EIGHT + "layers: [{conv: , kernel: 3}]",
    "two kinds": EIGHT + "layers: [{conv: 3, kernel: 1, relu: }]",
    "two kinds where there are blocks": EIGHT + BLOCK + "layers: [{conv: 3, kernel: 1, relu: }]",
    "no kind": EIGHT + "layers: [{name: x}]",
    "only options": EIGHT + "layers: [{filters: 64, kernel: 3}]",
    "a list for a layer": EIGHT + "layers: [[relu]]",
    "nothing for a layer": EIGHT + "layers: [~]",
    "a value where none is taken": EIGHT + "layers: [{relu: 3}]",
    "weights of what has none": EIGHT + "layers: [{conv: 8, kernel: 1, name: a}, "
    "{relu: , weights: a}]",
    "weights of a block": EIGHT + BLOCK + "layers: [{conv: 8, kernel: 1, name: a}, "
    "{b: 3, weights: a}]",
    "a join of nothing": EIGHT + "layers: [concat]",
    "a misspelt option of a join": EIGHT + "layers: [{concat: [input, input], alongg: 1}]",
    "an option of another join": EIGHT + "layers: [{concat: [input, input], transpose: true}]",
    "an axis of a join that is no axis": EIGHT + "layers: [{concat: [input, input], along: 0}]",
    "a shape without its size": EIGHT + "layers: [{learned: {channels: 3}}]",
    "an input of four axes": "input: {channels: 1, size: [1, 1, 1, 1]}\nlayers: [relu]",
    "an axis twice": EIGHT + "layers: [{mean: [1, 1]}]",
    "a join of a word": EIGHT + "layers: [{add: input}]",
    "a branch of null": EIGHT + "layers: [{add: {a: , b: []}}]",
    "a branch with a slash": EIGHT + "layers: [{add: {a/b: [], b: []}}]",
    "a misspelt kind in a branch": EIGHT + "layers: [{add: {a: [rleu], b: []}}]",
    "a misspelt kind in a group": EIGHT + "layers: [{sequence: [{side: [rleu]}]}]",
    "a group of nothing": EIGHT + "layers: [sequence]",
    "a name with a slash": EIGHT + "layers: [{relu: , name: a/b}]",
    "the name input": EIGHT + "layers: [{relu: , name: input}]",
    "an empty name": EIGHT + "layers: [{relu: , name: ' '}]",
    "from nothing": EIGHT + "layers: [{relu: , from: []}]",
    "a fraction of copies": EIGHT + "layers: [{relu: , repeat: 1.5}]",
    "a count for what is frozen": EIGHT + "layers: [{relu: , frozen: 1}]",
    "another part that is frozen": EIGHT + "defaults: {conv: {frozen: [biases]}}\nlayers: [relu]",
    "a count for a condition": EIGHT + "layers: [{relu: , when: 1}]",
    "a variable of the language": EIGHT + "vars: {in_x: 1}\nlayers: [relu]",
    "a variable without value": EIGHT + "vars: {a: }\nlayers: [relu]",
    "an option of a block that is a common key": EIGHT
    + "blocks: {b: {options: {repeat: 1}, layers: [relu]}}\nlayers: [relu]",
    "a block of no layers": EIGHT + "blocks: {b: {options: {n: 1}}}\nlayers: [relu]",
    "a block that is a kind": EIGHT + "blocks: {conv: {layers: [relu]}}\nlayers: [relu]",
    "an expression torn by a comma": EIGHT + "layers: [{conv: max(8, 9), kernel: 3}]",
}  # fmt: skip


@pytest.mark.parametrize("name", GOOD)
def test_the_schema_accepts_what_the_program_accepts(name):
    assert messages(GOOD[name]) == []
    for document in documents(GOOD[name]):
        assert [error.message for error in VALIDATOR.iter_errors(document)] == []


@pytest.mark.parametrize("name", BAD)
def test_what_the_program_refuses_the_schema_refuses(name):
    assert messages(BAD[name]) != []
    assert not valid(BAD[name])


# What JSON Schema cannot see, each with the reason

UNSEEN = {
    "a name is not looked up: variable": EIGHT + "layers: [{conv: wdth, kernel: 1}]",
    "a name is not looked up: yes may be a variable": EIGHT
    + "layers: [{conv: 1, kernel: 1, bias: yes}]",
    "a name is not looked up: layer": EIGHT + "layers: [{relu: , from: nope}]",
    "a name is not looked up: block": EIGHT + BLOCK + "layers: [c]",
    "a name is not looked up: a kind may be a block": EIGHT
    + BLOCK + "layers: [{cnv: 3, kernel: 1}]",
    "a name is not looked up: option of a block": EIGHT + BLOCK + "layers: [{b: 3, m: 1}]",
    "a name is not looked up: path": EIGHT
    + "layers: [relu]\npublished: [{layer: x, macs: 0, source: s}]",
    "a name is not looked up: pattern": EIGHT
    + "layers: [relu]\nbudget: {layers: [{match: x, macs: 0}]}",
    "names are not compared: taken twice": EIGHT + "layers: [{relu: , name: a}, {tanh: , name: a}]",
    "names are not compared: a circle": EIGHT + "blocks: {b: {layers: [b]}}\nlayers: [b]",
    "items are not counted against a block": EIGHT + BLOCK + "layers: [{b: [1, 2, 3]}]",
    "keys are not compared with a list": EIGHT + BLOCK + "layers: [{b: 1, n: 3}]",
    "copies are not counted": EIGHT + "layers: [{relu: , repeat: 1000000000}]",
    "no expression is worked out": EIGHT + "layers: [{conv: 10/4, kernel: 1}]",
    "no expression is worked out: a number in quotes": EIGHT + "layers: [{conv: '0', kernel: 1}]",
    "no parenthesis is matched": EIGHT + "layers: [{conv: '(1', kernel: 1}]",
    "no text is worked out": EIGHT + "layers: [relu]\nbudget: {params: {max: '1.5'}}",
    "no numbers are compared": EIGHT + "layers: [relu]\nbudget: {params: {max: 1, min: 2}}",
    "no numbers are compared: a warning": EIGHT
    + "layers: [relu]\nbudget: {params: {max: 1, warn: 2}}",
    "no numbers are compared: custom": EIGHT
    + "layers: [{custom: x, params: 1, macs: 1, biases: 2}]",
    "no shape is worked out: a window": EIGHT + "layers: [{conv: 8, kernel: 9}]",
    "no shape is worked out: groups": EIGHT + "layers: [{conv: 8, kernel: 1, groups: 3}]",
    "no shape is worked out: a join": EIGHT + "layers: [{concat: {a: [{max_pool: 2}], b: []}}]",
    "a layer may never be laid out: two inputs": EIGHT + "layers: [{relu: , from: [input, input]}]",
    "a document does not see the other": (EIGHT + "name: a\nlayers: [relu]\n---\n") * 2,
    "the inputs of a join are not counted": EIGHT + "layers: [{add: , from: input}]",
    "the branches of a join are given twice": EIGHT
    + "layers: [{add: {a: [], b: []}, branches: {c: [relu]}}]",
    "all measures have the same keys": EIGHT
    + "layers: [relu]\nbudget: {params: {max: 3, dtype: int8}}",
    "keys of a limit are not compared": EIGHT
    + "layers: [relu]\nbudget: {params: {max: 3, grow_floor: 1}}",
    "keys of a figure are not compared": EIGHT + "layers: [relu]\n"
    "published: [{params: 3, off: [macs], source: s}]",
    "options are not counted: too few in a mapping": EIGHT + "layers: [{conv: {kernel: 3}}]",
    "options are not counted: none of two": EIGHT + "layers: [{upsample: , mode: linear}]",
    "options are not counted: two of two": EIGHT + "layers: [{upsample: 2, size: 9}]",
    "options are not counted: twice": EIGHT + "layers: [{conv: 3, filters: 3, kernel: 1}]",
    "a name is not looked up: an option may be a block": EIGHT
    + BLOCK + "layers: [{filters: 64, kernel: 3}]",
    "no expression is worked out: it ends too early": EIGHT + "layers: [{conv: '3 *', kernel: 3}]",
}  # fmt: skip

# What the program takes although it has no meaning; the schema refuses it.
STRICTER = {
    "a word that no variable can hold, where nothing is laid out": EIGHT
    + "vars: {m: 3}\nlayers: [relu, {upsample: 2, mode: m, when: false}]",
    "a block that is called by a number": EIGHT + "blocks: {3: {layers: [relu]}}\nlayers: [3]",
}


@pytest.mark.parametrize("name", UNSEEN)
def test_what_json_schema_cannot_check_is_left_to_the_program(name):
    assert messages(UNSEEN[name]) != []
    assert valid(UNSEEN[name])


@pytest.mark.parametrize("name", STRICTER)
def test_the_schema_refuses_what_has_no_meaning(name):
    assert messages(STRICTER[name]) == []
    assert not valid(STRICTER[name])


# Every key of every spec, misspelt

# Keys that are names of the author's: who speaks of them is not looked up.
NAMED = re.compile(
    r"/(?:vars|blocks|inputs|set)/[^/]+$|/options/[^/]+$|/(?:add|concat|multiply)/[^/]+$"
)


def keys(value, path=()):
    """The paths of all keys."""
    if isinstance(value, dict):
        for key, item in value.items():
            yield (*path, key)
            yield from keys(item, (*path, key))
    elif isinstance(value, list):
        for number, item in enumerate(value):
            yield from keys(item, (*path, number))


def misspelt(document, path):
    changed = deepcopy(document)
    holder = changed
    for step in path[:-1]:
        holder = holder[step]
    key = path[-1]
    entries = list(holder.items())
    holder.clear()
    holder.update({f"{key}q" if name == key else name: value for name, value in entries})
    return changed, {f"{key}q" if name == key else name for name, _ in entries}


def place_of(path):
    """A path whatever the numbers in its lists."""
    return "/".join("" if type(step) is int else step for step in ("", *path))


LARGE = (
    "deit",
    "densenet",
    "efficientdet",
    "efficientnet_v2",
    "hrnet",
    "inception_resnet_v2",
    "res2net",
    "swin",
)


def few_variants(document):
    """A document with one variant for each set of keys that variants have."""
    if "variants" not in document:
        return document
    kept = {}
    for name, variant in document["variants"].items():
        kept.setdefault(frozenset(place_of(path) for path in keys(variant)), (name, variant))
    return document | {"variants": dict(kept.values())}


NAMING = {"add", "blocks", "concat", "inputs", "multiply", "options", "set", "variants", "vars"}


def kind_of_place(document, path):
    """The last three keys of a path, `*` for each that the author of the spec chose."""
    blocks = document.get("blocks") or {}
    steps = ("", *("" if type(step) is int else step for step in path))
    place = [
        "*" if before in NAMING or step in blocks else step for before, step in pairwise(steps)
    ]
    return (*place[-3:], bool(blocks))


def to_misspell():
    """Each document with its keys, those left out that are at such a place in another one."""
    seen = set()
    # Large networks last, so that few of their keys are left to try, and each takes long.
    for name, shipped in sorted(SHIPPED.items(), key=lambda item: item[0].split()[0] in LARGE):
        document = few_variants(shipped)
        chosen = []
        for path in keys(document):
            place = kind_of_place(document, path)
            if place not in seen:
                seen.add(place)
                chosen.append(path)
        if chosen:
            yield pytest.param(document, chosen, id=name)


@pytest.mark.slow
@pytest.mark.parametrize(("document", "chosen"), list(to_misspell()))
def test_a_misspelt_key_is_refused_as_the_program_refuses_it(document, chosen):
    assert messages(json.dumps(document)) == []
    for path in chosen:
        place = place_of(path)
        changed, around = misspelt(document, path)
        refused = bool(messages(json.dumps(changed)))
        if VALIDATOR.is_valid(changed):
            a_call = document.get("blocks") and not around & set(KINDS.names())
            assert not refused or a_call or NAMED.search(place), place
        else:
            assert refused, place


# Patterns

WORDS_AND_SIGNS = (
    "0 7 1.5 .5 2e3 0x1f w in_width true nots iffy max( abs( ( ) ) , + - * / // % ** < <= =="
)
SPACED = (" ", "and ", " or ", "not ", " if ", " else ", "\t", "\n")
TOKENS = st.lists(st.sampled_from([*WORDS_AND_SIGNS.split(), *SPACED]), min_size=1, max_size=9)


@given(TOKENS.map("".join))
def test_the_pattern_of_expressions_accepts_every_valid_expression(text):
    try:
        parse(text)
    except ConstraintError:
        return
    assert re.search(EXPRESSION, text) or text in ("true", "false")


@given(st.text("0159_,. +-eEkKMGTBi%m", min_size=1, max_size=9))
@example("0E0000")
@example("9" * MAX_DIGITS)
def test_the_definition_of_figures_accepts_every_valid_figure(text):
    for parsed in (parse_figure, parse_whole_figure, parse_bytes, parse_growth):
        try:
            parsed(text)
        except ConstraintError:
            continue
        assert FIGURES.is_valid(text), (parsed, text)


# The command


def test_the_schema_is_printed_and_written_alike(tmp_path):
    printed = run("schema", "spec")
    assert (printed.returncode, printed.stderr) == (0, b"")
    assert json.loads(printed.stdout) == SCHEMA
    assert printed.stdout.isascii()
    done = run("schema", "spec", "-o", "convcost.schema.json", cwd=tmp_path)
    assert (done.stdout, done.stderr) == (b"", b"wrote convcost.schema.json\n")
    assert (tmp_path / "convcost.schema.json").read_bytes() == printed.stdout


def test_an_unknown_schema_is_refused_with_the_names_of_all():
    error = run("schema", "zzz").stderr.decode()
    assert error.startswith("error: there is no schema `zzz`; known here: `spec`, `report`, ")
    schemas = list((ROOT / "convcost" / "schemas").glob("*.json"))
    assert len(re.findall("`convcost[.][a-z_]+/1`", error)) == len(schemas)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["spce"], "error: there is no schema `spce`; did you mean `spec`?\n"),
        (
            ["convcost.analyse/1"],
            "error: there is no schema `convcost.analyse/1`; did you mean `convcost.analyze/1`?\n",
        ),
        (["spec", "-o", ""], "error: --output has no file name\n"),
        (["spec", "-o", "no/x"], "error: cannot write `no/x`: No such file or directory\n"),
    ],
)
def test_an_unknown_schema_is_refused(arguments, message):
    done = run("schema", *arguments)
    assert (done.returncode, done.stdout, done.stderr.decode()) == (2, b"", message)


def test_the_kind_of_a_plugin_is_in_the_schema(tmp_path):
    (tmp_path / "layers").mkdir()
    kind = plugin_example("layers/maxout.py")
    (tmp_path / "layers" / "maxout.py").write_text(kind, "utf-8")
    done = run("schema", "spec", CONVCOST_PLUGINS=str(tmp_path))
    validator = Draft202012Validator(json.loads(done.stdout))
    verdicts = {
        layer: validator.is_valid(documents(f"{EIGHT}layers: [{layer}]")[0])
        for layer in ("{maxout: 2}", "{maxout: 2, peices: 3}", "{maxout: 0}", "maxout")
    }
    assert verdicts == {
        "{maxout: 2}": True,
        "{maxout: 2, peices: 3}": False,
        "{maxout: 0}": False,
        "maxout": False,
    }
    assert not VALIDATOR.is_valid(documents(f"{EIGHT}layers: [{{maxout: 2}}]")[0])


def test_no_other_command_imports_the_schema():
    code = (
        "import sys; sys.argv = ['convcost', '--help']\n"
        "import os; os._exit = lambda code: None\n"
        "from convcost.cli import main\n"
        "main()\n"
        "print([name for name in sys.modules if 'reports.schema' in name], file=sys.stderr)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, cwd=ROOT)
    assert done.stderr == b"[]\n"
