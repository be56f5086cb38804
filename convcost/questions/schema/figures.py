"""The sections `published` and `budget` as JSON Schema."""

from convcost.options import LARGEST, MAX_AXES
from convcost.questions.schema.values import AUTHORS, NAME, Schema, any_of, ref
from convcost.spec.figures import BITS, LIMITED, MEASURES, OF_LAYERS
from convcost.spec.limits import LIMIT_KEYS
from convcost.units import BINARY, SUFFIXES

# Commas group thousands, and only where there is no unit.
_GROUPED = r"[0-9]{1,3}(?:,[0-9]{3})+(?:\.[0-9]*)?"
_DIGITS = r"(?=[0-9_]*\.?[0-9])[0-9_]*(?:\.[0-9]*)?(?:[eE][-+]?[0-9]{1,2})?"
_UNITS = "|".join(sorted(filter(None, (*SUFFIXES, *BINARY))))
_UNITS_OF_BYTES = "|".join(sorted(filter(None, {*SUFFIXES, *BINARY} - {"B"})))
_FROM_0 = r"(?:\+?|-(?=[0_,.]*(?:[^0-9_,.]|$)))"  # -0 is 0
FIGURE = rf"^ *[-+]?(?:{_GROUPED} *|{_DIGITS} *(?:{_UNITS})? *)$"
WHOLE = rf"^ *{_FROM_0}(?:{_GROUPED} *|{_DIGITS} *(?:{_UNITS})? *)$"
IN_BYTES = rf"^ *{_FROM_0}(?:{_GROUPED} *B? *|{_DIGITS} *(?:{_UNITS_OF_BYTES})? *B? *)$"
GROWTH = rf"^ *{_FROM_0}(?:{_GROUPED} *|{_DIGITS} *(?:{_UNITS}|%)? *)$"
LIMIT_MEANINGS = {
    "max": "the most that is within; the limit itself is",
    "min": "the least that is within",
    "warn": "from above this on a warning",
    "grow": "how much more than the base is allowed: 2%, or a count",
    "grow_floor": "growth up to this count is always allowed",
    "dtype": "the type of a number that is stored, for bytes",
}


def figures() -> dict[str, Schema]:
    """The definitions `published` and `budget`, and those that they are made of."""
    return {
        "figure": {
            **any_of({"type": "number"}, {"type": "string", "pattern": FIGURE, "maxLength": 30}),
            "description": "a number as printed: 25.6M, 3.8e9, 6,994,392; the digits are kept",
            "examples": ["25.6M", "159K", 6998552],
        },
        "whole_figure": {
            **any_of(
                {"type": "integer", "minimum": 0},
                {"type": "string", "pattern": WHOLE, "maxLength": 30},
            ),
            "description": "a whole number from 0: 7000000, 7M, 1.6G, 4e9, 64Ki",
        },
        "setting": any_of(
            {"type": ["number", "boolean"]},
            {"type": "string", "pattern": r"^[-+]?[0-9.][0-9.eExoa-fA-F+-]*$|^[tTfF]"},
        ),
        "published": {
            "description": "Figures printed elsewhere; `convcost verify` holds them against the "
            "exact ones.",
            "type": "array",
            "items": ref("published_figure"),
        },
        "published_figure": _published(),
        "budget": _budget(),
        "rule": _rule(),
        **{f"limit_{measure}": _limit(measure) for measure in LIMITED},
    }


def _published() -> Schema:
    one = {"enum": list(MEASURES)}
    size = any_of(
        {"type": "integer", "minimum": 1, "maximum": LARGEST},
        {"type": "string", "pattern": WHOLE, "maxLength": 30},
    )
    return {
        "description": "a figure printed elsewhere, of a layer or of the whole network",
        "type": "object",
        "properties": {
            **{
                measure: {**ref("figure"), "description": _printed(measure)} for measure in MEASURES
            },
            "layer": {**ref("text"), "description": "path of a layer; without it all the network"},
            "source": {**ref("text"), "description": "where it is printed"},
            "note": {**ref("text"), "description": "a remark"},
            "off": {
                **any_of({"type": "boolean"}, one, {"type": "array", "items": one, "minItems": 1}),
                "description": "true, or the measures of this entry that are known to be wrong",
            },
            "set": {
                "description": "the vars under which the figure holds",
                "type": "object",
                "propertyNames": {"pattern": NAME},
                "additionalProperties": ref("setting"),
            },
            "size": {
                **any_of(size, {"type": "array", "items": size, "maxItems": MAX_AXES}),
                "description": "the input size under which the figure holds",
            },
        },
        "patternProperties": AUTHORS,
        "additionalProperties": False,
        "required": ["source"],
        "allOf": [_measured(MEASURES), *map(_off_if_printed, MEASURES)],
        "examples": [{"params": "25.6M", "macs": 3.8e9, "source": "He et al., Table 1"}],
    }


def _printed(measure: str) -> str:
    return f"{measure} as printed: 25.6M, 3.8e9"


def _measured(measures: tuple[str, ...]) -> Schema:
    return {"anyOf": [{"required": [measure]} for measure in measures]}


def _off_if_printed(measure: str) -> Schema:
    """Only what is printed can be off."""
    listed = {"type": "array", "contains": {"const": measure}}
    off = {"required": ["off"], "properties": {"off": any_of({"const": measure}, listed)}}
    return {"if": off, "then": {"required": [measure]}}


def _limits(measures: tuple[str, ...]) -> dict[str, Schema]:
    return {measure: ref(f"limit_{measure}") for measure in measures}


def _budget() -> Schema:
    rules = {"type": "array", "items": ref("rule")}
    return {
        "description": "What the network may cost.",
        "type": "object",
        "properties": {
            **_limits(LIMITED),
            "layers": {**rules, "description": "rules for paths; the first that matches holds"},
            "groups": {**rules, "description": "rules for the sum of the paths that match"},
            "message": {**ref("text"), "description": "what to say where it is not kept"},
            "name": {**ref("text"), "description": "what the budget is called"},
        },
        "patternProperties": AUTHORS,
        "additionalProperties": False,
        "examples": [{"params": {"max": "7M"}, "macs": {"max": "1.6G"}}],
    }


def _rule() -> Schema:
    return {
        "description": "limits for the paths that match",
        "type": "object",
        "properties": {
            "match": {**ref("text"), "description": "a pattern of paths: head*, stage_4/*"},
            **_limits(OF_LAYERS),
        },
        "patternProperties": AUTHORS,
        "additionalProperties": False,
        "required": ["match"],
        "allOf": [_measured(OF_LAYERS)],
    }


def _limit(measure: str) -> Schema:
    stored = {"type": "string", "pattern": IN_BYTES, "maxLength": 31}
    count = {"type": "integer", "minimum": 0}
    whole = any_of(count, stored) if measure == "bytes" else ref("whole_figure")
    grown: list[Schema] = [count, {"type": "string", "pattern": GROWTH, "maxLength": 31}]
    grow = any_of(*grown, stored) if measure == "bytes" else any_of(*grown)
    taken = {"grow": grow, "dtype": {"enum": [*BITS, None]}}
    keys = [key for key in LIMIT_KEYS if key != "dtype" or measure == "bytes"]
    limit = {
        "type": "object",
        "properties": {
            key: {**taken.get(key, whole), "description": LIMIT_MEANINGS[key]} for key in keys
        },
        "patternProperties": AUTHORS,
        "additionalProperties": False,
        "dependentRequired": {"grow_floor": ["grow"]},
        "allOf": [_measured(("max", "min", "warn", "grow"))],
    }
    return {"description": f"how many {measure} there may be", **any_of(whole, limit)}
