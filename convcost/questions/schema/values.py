"""What an option may hold, as JSON Schema says it: one definition for each type of options.

Where a number is taken, text may stand that is an expression. A pattern tells its form; names,
parentheses and values it cannot tell.
"""

from typing import Any, TypeAlias

from convcost.kind import Option
from convcost.options import LARGEST, LARGEST_STATED, MAX_AXES, MOST_AXES, TYPES
from convcost.spec.expressions import LONGEST, WORDS
from convcost.spec.scalars import BOOLS
from convcost.spec.sections import WORDS as RESERVED
from convcost.spec.sizes import SAYS

Schema: TypeAlias = dict[str, Any]

_BLANK = r"[ \t\n\r\f\v]"
_NUMBER = r"(?:0[xo][0-9a-fA-F]+|(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][-+]?[0-9]+)?)"
_WORDS = "|".join(sorted(WORDS))
_NAME = rf"(?!(?:{_WORDS})(?![A-Za-z0-9_]))[A-Za-z_][A-Za-z0-9_]*"
# Before an operand: blanks, signs, `not`, parentheses, the names of functions.
_BEFORE = rf"(?:{_BLANK}|[-+(]|not(?![A-Za-z0-9_])|{_NAME}{_BLANK}*\()*"
_OPERAND = rf"(?:{_NUMBER}|{_NAME}(?![A-Za-z0-9_]))"
_AFTER = rf"(?:{_BLANK}|\))*"
_OPERATOR = r"(?:\*\*|//|<=|>=|==|!=|[-+*/%<>,]|(?:and|or|if|else)(?![A-Za-z0-9_]))"
_TRUTHS = "|".join(sorted(BOOLS))
EXPRESSION = (
    rf"^(?!(?:{_TRUTHS})$){_BEFORE}{_OPERAND}{_AFTER}(?:{_OPERATOR}{_BEFORE}{_OPERAND}{_AFTER})*$"
)
NAME = rf"^(?!in_)(?!(?:{'|'.join(sorted(RESERVED))})$)[A-Za-z_][A-Za-z0-9_]*$"
AUTHORS = {"^x-": True}  # keys that are the author's own
NOTHING: Schema = {"type": "null"}


def ref(name: str) -> Schema:
    """A definition of the same document, by name."""
    return {"$ref": f"#/$defs/{name}"}


def any_of(*schemas: Schema) -> Schema:
    return {"anyOf": list(schemas)}


def _number(least: int, most: int = LARGEST, kind: str = "integer") -> Schema:
    return any_of({"type": kind, "minimum": least, "maximum": most}, ref("expression"))


def _each(name: str, longest: int = MAX_AXES) -> Schema:
    """One, or a list of them."""
    listed = {"type": "array", "items": ref(name), "minItems": 1, "maxItems": longest}
    return any_of(ref(name), listed)


def types() -> dict[str, Schema]:
    """A definition for each entry of `options.TYPES`, by its name there."""
    made = {
        "Count": _number(1),
        "Natural": _number(0),
        "Tally": _number(0, LARGEST_STATED),
        "Stated": any_of(_words("Stated"), _number(0, LARGEST_STATED)),
        "Number": _number(-LARGEST, LARGEST, "number"),
        "Flag": any_of({"type": "boolean"}, ref("expression")),
        "Extent": _each("Count"),
        "Padding": any_of(_words("Padding"), _each("Natural", 2 * MAX_AXES)),
        "Border": _each("Natural", 2 * MAX_AXES),
        "Factor": _each("factor"),
        "Mode": _words("Mode"),
        "Span": _words("Span"),
        "Variable": any_of({"type": "boolean"}, _words("Variable"), _each("Number", 2 * MAX_AXES)),
        "Label": ref("word"),
        "Along": any_of(_words("Along"), _axis()),
        "Axes": any_of(_words("Axes"), _axis(), _axes()),
        "Function": _words("Function"),
        "Input": _input(),
        "Tensor": _tensor(ref("Count"), MOST_AXES),
        "Form": _tensor(any_of(ref("Count"), _words("Form")), MOST_AXES),
        "Layers": NOTHING,
    }
    return {
        name: {"description": TYPES[name].meaning, **made.get(name, {})} for name in sorted(TYPES)
    }


def _words(name: str) -> Schema:
    return {"enum": list(TYPES[name].words)}


def _axis() -> Schema:
    return _number(1, MOST_AXES)


def _axes() -> Schema:
    each = {"items": _axis(), "minItems": 1, "maxItems": MOST_AXES, "uniqueItems": True}
    return {"type": "array", **each}


def _input() -> Schema:
    """A tensor, and which sizes besides its own a request may ask for."""
    schema = _tensor(ref("Count"), MAX_AXES)
    said = {
        name: {**any_of(ref(known.type_name), NOTHING), "description": known.meaning}
        for name, known in SAYS.items()
    }
    return {**schema, "properties": {**schema["properties"], **said}}


def _tensor(count: Schema, longest: int) -> Schema:
    return {
        "type": "object",
        "properties": {
            "channels": {**count, "description": "channels of one sample"},
            "size": {
                **any_of(count, {"type": "array", "items": count, "maxItems": longest}),
                "description": "n is a square; [h, w], [n], [d, h, w]; [] flat",
            },
        },
        "patternProperties": AUTHORS,
        "additionalProperties": False,
        "required": ["channels", "size"],
        "examples": [{"channels": 3, "size": 224}, {"channels": 3, "size": [256, 320]}],
    }


def parts() -> dict[str, Schema]:
    """The definitions that those of the types are made of."""
    positive = {"type": "number", "exclusiveMinimum": 0, "maximum": LARGEST}
    return {
        "expression": {
            "type": "string",
            "pattern": EXPRESSION,
            "maxLength": LONGEST,
            "description": "An expression over vars, the options of the block and in_channels, "
            "in_height, in_width, in_depth, with + - * / // % **, comparisons, and or not, "
            "a if c else b, min max abs round floor ceil divisible(x, 8).",
        },
        "factor": any_of(positive, ref("expression")),
        "word": {"type": ["string", "number", "boolean"], "minLength": 1},
        "text": {"type": ["string", "number", "boolean", "null"]},
    }


def option(known: Option) -> Schema:
    """What an option of a kind takes, with its meaning and default for an editor to show.

    One that may be left out may be left empty.
    """
    taken = ref(known.type_name)
    schema = taken if known.required else any_of(taken, NOTHING)
    meaning = f"{known.meaning}: {known.type.meaning}"
    shown = {"description": meaning[:1].upper() + meaning[1:]}
    plain = known.default is None or isinstance(known.default, int | str)
    default = {"default": known.default} if plain and not known.required else {}
    return {**schema, **shown, **default}
