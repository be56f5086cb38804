"""The spec language as JSON Schema (2020-12), from the registered kinds.

It is for editors, and for checks before convcost runs. It refuses nothing that convcost accepts and
gives a meaning. It cannot look up a name, compute a shape or compute a sum.
"""

from convcost.language.budgets import LIMITED, OF_LAYERS
from convcost.language.common_keys import FROZEN
from convcost.language.published import PRINTED
from convcost.model.dtypes import ALL, PARTS
from convcost.model.figures import BINARY_SUFFIXES, MAX_DIGITS, SUFFIXES
from convcost.model.kind import KINDS
from convcost.model.network import COUNTED, IN_BYTES
from convcost.model.options import MAX_WINDOW_AXES
from convcost.reports.kinds import meaning
from convcost.reports.schema.layers import layer_definitions, own_options
from convcost.reports.schema.values import (
    AUTHORS,
    NAME,
    Schema,
    any_of,
    array,
    describe,
    has_one,
    parts,
    record,
    ref,
    types,
    words,
)

DIALECT = "https://json-schema.org/draft/2020-12/schema"
EXAMPLE = {
    "name": "tiny",
    "input": {"channels": 3, "size": 32},
    "layers": [{"conv": 64, "kernel": 3, "padding": 1}, "relu"],
}
_UNITS = "|".join(sorted({*SUFFIXES, *BINARY_SUFFIXES} - {""}))
# Commas group thousands, and only where there is no unit.
_GROUPED = r"[0-9]{1,3}(?:,[0-9]{3})+(?:\.[0-9]*)?"
_DIGITS = r"(?=[0-9_]*\.?[0-9])[0-9_]*(?:\.[0-9]*)?(?:[eE][-+]?[0-9]{1,4})?"
_FIGURE = rf"^ *[-+]?(?:{_GROUPED}|{_DIGITS} *(?:{_UNITS})?) *B? *%? *$"
LIMIT_MEANINGS = {
    "max": "the largest count that passes",
    "min": "the smallest count that passes",
    "warn": "a larger count gives a warning",
    "grow": "the most that it may grow beyond the base: 2%, or a count",
    "grow_floor": "growth up to this count always passes",
}


def spec_schema() -> Schema:
    """The schema of one document of a spec."""
    return {
        "$schema": DIALECT,
        "title": "convcost spec",
        "description": "A convolutional network and what it may cost; one document is one network.",
        **record(_sections(), "layers"),
        "oneOf": [{"required": ["input"]}, {"required": ["inputs"]}],
        "examples": [EXAMPLE],
        **_rules(),
        "$defs": {**parts(), **types(), **layer_definitions(), **figures()},
    }


def _sections() -> dict[str, Schema]:
    def mapping(description: str, value: Schema, *, names: Schema, **further: object) -> Schema:
        return {
            "description": description,
            "type": ["object", "null"],
            "propertyNames": any_of(names, {"pattern": "^x-"}),
            "patternProperties": AUTHORS,
            "additionalProperties": value,
            **further,
        }

    defaults = {
        name: {
            **record({**own_options(kind), FROZEN.name: ref(f"key_{FROZEN.name}")}),
            "description": meaning(kind),
        }
        for name, kind in KINDS.items()
    }
    return {
        "name": ref("text", "what the network is called"),
        "source": ref("text", "where it is from"),
        "note": ref("text", "a remark"),
        "input": ref("Input", "the shape of one input sample"),
        "inputs": {
            "description": "several inputs by name; layers use them with `from`",
            "type": "object",
            "additionalProperties": ref("Input"),
            "minProperties": 1,
        },
        "vars": mapping(
            "Numbers, true or false, that --set name=value replaces; each may use those before it.",
            ref("Variable"),
            names={"pattern": NAME},
            examples=[{"classes": 1000, "width": 0.5}],
        ),
        "defaults": {
            **record(defaults, examples=[{"conv": {"bias": True}}]),
            "type": ["object", "null"],
            "description": "default options for all layers of a kind",
        },
        "blocks": mapping(
            "layers under a name, with options", ref("block"), names={"not": words(KINDS.names())}
        ),
        "layers": {"type": "array", "minItems": 1, "description": "the network itself"},
        "dtype": any_of(ref("dtype"), ref("dtypes")),
        "published": ref("published"),
        "budget": ref("budget"),
        "variants": mapping(
            "networks that differ from the document in variables, size and figures",
            any_of(_variant(), {"type": "null"}),
            names={"pattern": r"^[\w.-]+$"},
            examples=[{"b0": {}, "b4": {"set": {"width": 1.4, "depth": 1.8}, "size": 380}}],
        ),
    }


def _variant() -> Schema:
    count = ref("PositiveInt")
    values = {"type": "object", "propertyNames": {"pattern": NAME}}
    return record(
        {
            "set": {**values, "description": "the vars that are other than in the document"},
            "size": describe(
                any_of(count, array(count, 0, MAX_WINDOW_AXES)), "the size of the input"
            ),
            **{text: ref("text") for text in ("source", "note")},
            **{figures: ref(figures) for figures in ("published", "budget")},
        }
    )


def _rules() -> Schema:
    """Which rules the layers of a document follow, by its `blocks` and its `defaults`. They follow
    none if a block has an option that is called like a kind."""

    def follows(rule: str) -> Schema:
        layers = {"layers": ref(f"layers_{rule}")}
        blocks = {"patternProperties": AUTHORS, "additionalProperties": {"properties": layers}}
        return {"properties": {**layers, "blocks": blocks}}

    no_kinds = {"propertyNames": {"not": words(KINDS.names())}}
    no_options_like_kinds = {"additionalProperties": {"properties": {"options": no_kinds}}}
    has_blocks, has_defaults = {"required": ["blocks"]}, {"required": ["defaults"]}
    return {
        "if": {"properties": {"blocks": no_options_like_kinds}},
        "then": {
            "allOf": [
                {"if": has_blocks, "then": follows("calls"), "else": follows("kinds")},
                {"if": has_defaults, "else": follows("needs")},
            ]
        },
    }


# Figures


def figures() -> dict[str, Schema]:
    """The definitions `published` and `budget`, and their parts."""
    text = {"type": "string", "pattern": _FIGURE, "maxLength": MAX_DIGITS + len("%")}
    rules = array(ref("rule"))
    keys = {key: ref("whole_figure", about) for key, about in LIMIT_MEANINGS.items()}
    dtype = ref("dtype", f"the types of the numbers, for {', '.join(IN_BYTES)}")
    keys["count"] = ref("text", f"the convention of {', '.join(COUNTED)}: thop, fvcore")
    limit = record({**keys, "dtype": dtype}, **has_one(("max", "min", "warn", "grow")))
    return {
        "figure": {
            **any_of({"type": "number"}, text),
            "description": "a number as printed: 25.6M, 3.8e9, 6,994,392; the digits are kept",
            "examples": ["25.6M", "159K", 6998552],
        },
        "whole_figure": describe(
            any_of({"type": "integer", "minimum": 0}, text),
            "a whole number of at least 0: 7000000, 7M, 1.6G, 4e9, 64Ki",
        ),
        **_dtypes(),
        "published": describe(
            array(_published_figure()),
            "Figures printed elsewhere; `convcost verify` compares them with the exact ones.",
        ),
        "budget": record(
            {
                **{measure: ref("limit") for measure in LIMITED},
                "layers": describe(rules, "rules for paths; the first that matches applies"),
                "groups": describe(rules, "rules for the sum of the paths that match"),
                "message": ref("text", "what to print if it is exceeded"),
                "name": ref("text", "what the budget is called"),
            },
            description="What the network may cost.",
            examples=[{"params": {"max": "7M"}, "macs": {"max": "1.6G"}}],
        ),
        "rule": record(
            {
                "match": ref("text", "a pattern of paths: head*, stage_4/*"),
                **{measure: ref("limit") for measure in OF_LAYERS},
            },
            "match",
            description="limits for the paths that match",
            **has_one(OF_LAYERS),
        ),
        "limit": describe(any_of(ref("whole_figure"), limit), "how much there may be"),
    }


def _dtypes() -> dict[str, Schema]:
    """The definitions `dtype`, a text, and `dtypes`, a mapping by part and by layer."""
    parts = {part: ref("dtype", f"the dtype of the {part}") for part in PARTS}
    parts = {ALL: ref("dtype", "the dtype of all other parts"), **parts}
    rule = record(
        {"match": ref("text", "a pattern of paths: head*, stage_4/*"), **parts},
        "match",
        description="the dtypes of the paths that match",
        **has_one(parts),
    )
    rules = describe(array(rule), "rules for paths; the first that matches applies")
    return {
        "dtype": {
            "type": "string",
            "pattern": r"^[a-z0-9_/=, ]+$",
            "description": "a type of numbers",
            "examples": ["int8", "int4/32", "int8,biases=int32"],
        },
        "dtypes": record(
            {**parts, "layers": rules},
            description="the types of the numbers of a network, by part and by layer",
            examples=[{"all": "int8", "biases": "int32"}],
        ),
    }


def _published_figure() -> Schema:
    text, size, base = words(PRINTED), ref("whole_figure"), {"enum": [1000, 1024]}
    measures = any_of({"type": "boolean"}, text, array(text, 1))
    properties = {
        **{name: ref("figure", f"{name} as printed: 25.6M, 3.8e9") for name in PRINTED},
        "layer": ref("text", "path of a layer; without it the whole network"),
        "count": ref("text", f"the convention of {', '.join(COUNTED)}: thop, fvcore"),
        "dtype": ref("dtype", "the types of the numbers, for flash and peak_memory"),
        "source": ref("text", "where it is printed"),
        "note": ref("text", "a remark"),
        "k": describe(
            any_of(base, {"type": "object", "propertyNames": text, "additionalProperties": base}),
            "1024 if K is 1024 and M is 1024², of this entry or by measure: {weights: 1024}",
        ),
        "truncated": describe(
            measures, "true, or the measures of this entry that are truncated, not rounded"
        ),
        "biases": describe(
            any_of({"type": "boolean"}, ref("figure")),
            "a figure; or false if these params have no biases, true if these weights have them",
        ),
        "off": describe(measures, "true, or the measures of this entry that are known to be wrong"),
        "set": {
            "description": "the vars that the figure is for",
            "type": "object",
            "propertyNames": {"pattern": NAME},
            "additionalProperties": ref("word"),
        },
        "size": describe(
            any_of(size, array(size, 0, MAX_WINDOW_AXES)), "the input size that the figure is for"
        ),
    }
    return record(
        properties,
        "source",
        description="a figure printed elsewhere, of a layer or of the whole network",
        examples=[{"params": "25.6M", "macs": 3.8e9, "source": "He et al., Table 1"}],
        **has_one(PRINTED),
    )
