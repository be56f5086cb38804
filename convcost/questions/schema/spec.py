"""The spec language as JSON Schema (2020-12), made from the kinds there are at run time.

It is for editors and for checks before the program runs. It refuses nothing that means something;
what needs a name looked up, a shape or a sum it cannot see.
"""

from convcost.kind import KINDS
from convcost.questions.kinds import meaning
from convcost.questions.schema.figures import figures
from convcost.questions.schema.kinds import common, options, own_options
from convcost.questions.schema.layers import VOCABULARIES, Vocabulary, layers, option_names
from convcost.questions.schema.values import (
    AUTHORS,
    NAME,
    Schema,
    any_of,
    parts,
    ref,
    types,
)

DIALECT = "https://json-schema.org/draft/2020-12/schema"
EXAMPLE = {
    "name": "tiny",
    "input": {"channels": 3, "size": 32},
    "layers": [{"conv": 64, "kernel": 3, "padding": 1}, "relu"],
}


def spec_schema() -> Schema:
    """The schema of one document of a spec."""
    return {
        "$schema": DIALECT,
        "title": "convcost spec",
        "description": "A convolutional network and what it may cost; one document is one network.",
        "type": "object",
        "properties": _sections(),
        "patternProperties": AUTHORS,
        "additionalProperties": False,
        "required": ["layers"],
        "oneOf": [{"required": ["input"]}, {"required": ["inputs"]}],
        "examples": [EXAMPLE],
        **_by_vocabulary(),
        "$defs": {
            **parts(),
            **types(),
            **common(),
            **options(),
            **layers(),
            **figures(),
            "default": _defaults(),
            **{of.name("document"): _document(of) for of in VOCABULARIES},
        },
    }


def _sections() -> dict[str, Schema]:
    return {
        "name": {**ref("text"), "description": "what the network is called"},
        "source": {**ref("text"), "description": "where it is from"},
        "note": {"type": ["string", "number", "boolean", "null"], "description": "a remark"},
        "input": {**ref("Input"), "description": "the shape of one sample that comes in"},
        "inputs": {
            "description": "several inputs by name, each taken with `from`",
            "type": "object",
            "additionalProperties": ref("Input"),
            "minProperties": 1,
        },
        "vars": {
            "description": "Numbers, true or false, that --set name=value replaces; each may lean "
            "on those before it.",
            **_names(ref("Variable")),
            "examples": [{"classes": 1000, "width": 0.5}],
        },
        "defaults": ref("default"),
        "blocks": {"description": "layers under a name, with options", "type": ["object", "null"]},
        "layers": {"description": "the network itself", "type": "array", "minItems": 1},
        "published": ref("published"),
        "budget": ref("budget"),
    }


def _names(value: Schema) -> Schema:
    """A mapping of names that expressions may use."""
    return {
        "type": ["object", "null"],
        "propertyNames": any_of({"pattern": NAME}, {"pattern": "^x-"}),
        "patternProperties": AUTHORS,
        "additionalProperties": value,
    }


def _defaults() -> Schema:
    kinds = {
        name: {
            "description": meaning(kind),
            "type": "object",
            "properties": own_options(kind),
            "patternProperties": AUTHORS,
            "additionalProperties": False,
        }
        for name, kind in KINDS.items()
    }
    return {
        "description": "options of every layer of a kind that does not say otherwise",
        "type": ["object", "null"],
        "properties": kinds,
        "patternProperties": AUTHORS,
        "additionalProperties": False,
        "examples": [{"conv": {"bias": True}}],
    }


def _document(of: Vocabulary) -> Schema:
    blocks = {
        "type": ["object", "null"],
        "propertyNames": {"not": {"enum": KINDS.names()}},
        "patternProperties": AUTHORS,
        "additionalProperties": ref(of.name("block")),
    }
    return {"properties": {"layers": ref(of.name("layers")), "blocks": blocks}}


def _by_vocabulary() -> Schema:
    """Which vocabulary a document has, by its `defaults` and its `blocks`."""
    kinds = {
        name: {"propertyNames": {"not": {"enum": needed}}}
        for name, kind in KINDS.items()
        if (needed := [*(o.name for o in kind.options.values() if o.required), *kind.either])
    }
    return {
        "if": {"properties": {"defaults": {"properties": kinds}}},
        "then": _by_blocks(needs=True),
        "else": _by_blocks(needs=False),
    }


def _by_blocks(*, needs: bool) -> Schema:
    none, plain, any_ = (ref(of.name("document")) for of in VOCABULARIES if of.needs == needs)
    kinds = {"enum": KINDS.names()}
    options = {"propertyNames": {"not": kinds}}
    blocks = {
        "propertyNames": {"not": {"enum": option_names()}},
        "additionalProperties": {"properties": {"options": options}},
    }
    return {
        "if": {"properties": {"blocks": {"propertyNames": {"pattern": "^x-"}}}},
        "then": none,
        "else": {"if": {"properties": {"blocks": blocks}}, "then": plain, "else": any_},
    }
