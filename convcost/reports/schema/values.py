"""The values of options as JSON Schema: one definition for each type of options.

A number may also be text that is an expression. A pattern checks the characters of an expression;
it cannot check names, parentheses and values.
"""

from collections.abc import Iterable
from typing import Any, TypeAlias

from convcost.language.expressions import MAX_LENGTH
from convcost.language.fields import WORDS as RESERVED
from convcost.language.network_inputs import SIZE_OPTIONS
from convcost.model.kind import Option
from convcost.model.options import MAX_NUMBER, MAX_STATED, MAX_TENSOR_AXES, MAX_WINDOW_AXES, TYPES

Schema: TypeAlias = dict[str, Any]

EXPRESSION = r"^[A-Za-z0-9_.,+*/%<>=!() \t\n\r\f\v-]+$"
NAME = rf"^(?!in_)(?!(?:{'|'.join(sorted(RESERVED))})$)[A-Za-z_][A-Za-z0-9_]*$"
AUTHORS = {"^x-": True}  # keys that are the author's own
NOTHING: Schema = {"type": "null"}


def ref(name: str, description: str = "") -> Schema:
    """A reference to a definition of the same document, with a description."""
    return describe({"$ref": f"#/$defs/{name}"}, description)


def describe(schema: Schema, description: str) -> Schema:
    """The schema with a description, which editors show."""
    return {**schema, "description": description} if description else schema


def any_of(*schemas: Schema) -> Schema:
    """A value that follows at least one of the schemas."""
    return {"anyOf": list(schemas)}


def words(values: Iterable[str]) -> Schema:
    """One of some texts."""
    return {"enum": list(values)}


def array(item: Schema, least: int = 0, most: int | None = None) -> Schema:
    """A list of `least` to `most` items."""
    longest = {} if most is None else {"maxItems": most}
    return {"type": "array", "items": item, "minItems": least, **longest}


def record(properties: Schema, *required: str, **further: Any) -> Schema:
    """A mapping of known keys, and of the author's own."""
    return {
        "type": "object",
        "properties": properties,
        "patternProperties": AUTHORS,
        "additionalProperties": False,
        "required": list(required),
        **further,
    }


def has_one(keys: Iterable[str]) -> Schema:
    """A mapping that has one of the keys."""
    return any_of(*({"required": [key]} for key in keys))


def number(least: int, most: int = MAX_NUMBER, kind: str = "integer") -> Schema:
    """A number between two bounds, both included, or an expression."""
    return any_of({"type": kind, "minimum": least, "maximum": most}, ref("expression"))


def types() -> dict[str, Schema]:
    """A definition for each entry of `options.TYPES`, by its name there."""

    def one_or_list(item: Schema, longest: int = MAX_WINDOW_AXES, **further: Any) -> list[Schema]:
        return [item, {**array(item, 1, longest), **further}]

    count, axis = ref("PositiveInt"), number(1, MAX_TENSOR_AXES)
    flag = any_of({"type": "boolean"}, ref("expression"))
    borders = one_or_list(ref("Natural"), 2 * MAX_WINDOW_AXES)
    positive = {"type": "number", "exclusiveMinimum": 0, "maximum": MAX_NUMBER}
    branches = {
        "type": "object",
        "propertyNames": ref("name"),
        "additionalProperties": any_of(ref("word"), {"type": "array"}),
    }
    size_options = {
        name: describe(any_of(ref(entry.type_name), NOTHING), entry.meaning)
        for name, entry in SIZE_OPTIONS.items()
    }
    values: dict[str, list[Schema]] = {
        "PositiveInt": [number(1)],
        "Natural": [number(0)],
        "NonNegativeInt": [number(0, MAX_STATED)],
        "StatedInt": [number(0, MAX_STATED)],
        "Number": [number(-MAX_NUMBER, MAX_NUMBER, "number")],
        "Flag": [flag],
        "Frozen": [flag],
        "PerAxisInt": one_or_list(count),
        "Padding": borders,
        "Border": borders,
        "Density": [any_of({**positive, "maximum": 1}, ref("expression"))],
        "Factor": one_or_list(any_of(positive, ref("expression"))),
        "Variable": [flag, *one_or_list(ref("Number"), 2 * MAX_WINDOW_AXES)],
        "Label": [ref("word")],
        "Along": [axis],
        "Axes": one_or_list(axis, MAX_TENSOR_AXES, uniqueItems=True),
        "Input": [_tensor(count, MAX_WINDOW_AXES, **size_options)],
        "Tensor": [_tensor(count, MAX_TENSOR_AXES)],
        "ShapePattern": [_tensor(any_of(words(["rest"]), count), MAX_TENSOR_AXES)],
        "Connections": [array({**array(count, 1), "uniqueItems": True}, 1)],
        "Layers": [{"type": "array"}, branches],
    }
    named = {name: [words(entry.words)] for name, entry in TYPES.items() if entry.words}
    named["ShapePattern"] = []  # `rest` replaces a number in the shape, not the shape
    return {
        name: describe(any_of(*named.get(name, []), *values.get(name, [])), entry.meaning)
        for name, entry in sorted(TYPES.items())
    }


def _tensor(count: Schema, longest: int, **further: Schema) -> Schema:
    size = any_of(count, array(count, 0, longest))
    properties = {
        "channels": describe(count, "channels of one sample"),
        "size": describe(size, "n is a square; [h, w], [n] and [d, h, w] also work; [] is flat"),
        **further,
    }
    examples = [{"channels": 3, "size": 224}, {"channels": 3, "size": [256, 320]}]
    return record(properties, "channels", "size", examples=examples)


def parts() -> dict[str, Schema]:
    """The definitions that those of the types are made of."""
    return {
        "expression": {
            "type": "string",
            "pattern": EXPRESSION,
            "maxLength": MAX_LENGTH,
            "description": "An expression over vars, the options of the block and in_channels, "
            "in_height, in_width, in_depth, with + - * / // % **, comparisons, and or not, "
            "a if c else b, min max abs round floor ceil divisible(x, 8).",
        },
        "word": {"type": ["string", "number", "boolean"], "minLength": 1},
        "text": {"type": ["string", "number", "boolean", "null"]},
        "name": any_of(
            {"type": "string", "pattern": r"^(?!input$)[^/]*[^/\s][^/]*$"},
            {"type": ["number", "boolean"]},
        ),
    }


def option(kind_option: Option) -> Schema:
    """The value of an option of a kind, with its meaning and default for an editor to show.

    An optional one may be empty.
    """
    value_schema = ref(kind_option.type_name)
    schema = value_schema if kind_option.required else any_of(value_schema, NOTHING)
    meaning = f"{kind_option.meaning}: {kind_option.type.meaning}"
    plain = kind_option.default is None or isinstance(kind_option.default, int | str)
    default = {"default": kind_option.default} if plain and not kind_option.required else {}
    return {**describe(schema, meaning[:1].upper() + meaning[1:]), **default}
