"""Each kind as JSON Schema: what a layer of it may have, and what it must have."""

from typing import Any

from convcost.kind import KINDS, Example, Kind, Option
from convcost.questions.kinds import meaning
from convcost.questions.schema.plain import plain
from convcost.questions.schema.values import AUTHORS, NOTHING, Schema, any_of, option, ref
from convcost.spec.common import COMMON
from convcost.spec.document import read
from convcost.spec.read import learns

COMMON_MEANINGS = {
    "name": "its name; without one it is called by its kind and its ordinal",
    "from": "the layer whose output it takes, instead of the one before; a list for a join",
    "repeat": "how many copies stand in series, 0 of them too",
    "when": "true or false: the layer is dropped if false",
    "note": "a remark",
    "weights": "a layer of the same kind whose weights are used again",
}


def common() -> dict[str, Schema]:
    """The keys that every layer takes."""
    named = {"type": ["number", "boolean"]}
    names = {"type": "array", "items": ref("word"), "minItems": 1}
    taken = {
        "name": any_of({"type": "string", "pattern": r"^(?!input$)[^/]*[^/\s][^/]*$"}, named),
        "from": any_of(ref("word"), names),
        "repeat": ref("Natural"),
        "when": ref("Flag"),
        "note": ref("text"),
        "weights": ref("word"),
    }
    return {f"key_{key}": {**taken[key], "description": COMMON_MEANINGS[key]} for key in taken}


def common_keys(*more: str) -> Schema:
    return {key: ref(f"key_{key}") for key in (*COMMON, *more)}


def plain_kinds() -> list[type[Kind[Any]]]:
    """The kinds that are layers themselves and hold no others."""
    return [kind for _, kind in KINDS.items() if kind.role == "layer"]


def options() -> dict[str, Schema]:
    """A definition for each option of each kind, `conv.kernel`: a layer, its own mapping and
    `defaults` all refer to it."""
    return {
        f"{name}.{known.name}": option(known)
        for name, kind in KINDS.items()
        for known in kind.options.values()
    }


def own_options(kind: type[Kind[Any]]) -> Schema:
    return {name: ref(f"{kind.name}.{name}") for name in kind.options}


def kind_schema(kind: type[Kind[Any]]) -> Schema:
    """A mapping that names the kind: its own value, further options, common keys, nothing else."""
    shares = ("weights",) if learns(kind) else ()
    return {
        "description": meaning(kind),
        "examples": [value for example in kind.examples if (value := _example(example))],
        "type": "object",
        "properties": {**own_options(kind), **common_keys(*shares), kind.name: _value(kind)},
        "patternProperties": AUTHORS,
        "additionalProperties": False,
        "required": [kind.name],
        **_once(kind),
    }


def needs_schema(kind: type[Kind[Any]]) -> Schema | None:
    """What a layer has to have if no `defaults` give it; None if it needs nothing."""
    needed = [known for known in kind.options.values() if known.required]
    all_of = [_given(kind, known) for known in needed]
    if kind.either:
        all_of.append({"anyOf": [_given(kind, kind.options[name]) for name in kind.either]})
    return {"allOf": all_of} if all_of else None


def _example(example: Example) -> Any:
    (node,), _ = read(example.spec)
    return plain(node)


def _value(kind: type[Kind[Any]]) -> Schema:
    """What stands behind the kind's own word: its principal option, nothing, or all by name."""
    principal = kind.options.get(kind.principal or "")
    forms = [NOTHING, *([ref(principal.type_name)] if principal else [])]
    if kind.options:
        forms.append(
            {
                "type": "object",
                "properties": own_options(kind),
                "additionalProperties": False,
                "minProperties": 1,
            }
        )
    told = f": {principal.meaning}" if principal else ""
    return {**any_of(*forms), "description": f"{kind.name}{told}. {meaning(kind)}"}


def _own(kind: type[Kind[Any]], known: Option) -> Schema:
    """The kind's own value is given, and is no mapping of options."""
    shape = {"type": "object", "required": ["channels", "size"]}
    filled = shape if known.type.meaning[:1] == "{" else {"not": {"type": ["null", "object"]}}
    return {"properties": {kind.name: filled}, "required": [kind.name]}


def _by_name(kind: type[Kind[Any]], known: Option) -> Schema:
    holds = {"type": "object", "required": [known.name]}
    return {"properties": {kind.name: holds}, "required": [kind.name]}


def _given(kind: type[Kind[Any]], known: Option) -> Schema:
    """An option has a value, in one of the ways to give it."""
    filled = {"properties": {known.name: {"not": NOTHING}}, "required": [known.name]}
    ways = [filled, _by_name(kind, known)]
    if known.name == kind.principal:
        ways.append(_own(kind, known))
    return any_of(*ways)


def _once(kind: type[Kind[Any]]) -> Schema:
    """No option twice, and only one of those that exclude each other."""
    twice: list[Schema] = [
        {"allOf": [{"required": [name]}, _by_name(kind, known)]}
        for name, known in kind.options.items()
    ]
    if kind.principal:
        own = _own(kind, kind.options[kind.principal])
        twice.append({"allOf": [{"required": [kind.principal]}, own]})
    either = [_given(kind, kind.options[name]) for name in kind.either]
    twice += [{"allOf": [one, other]} for n, one in enumerate(either) for other in either[n + 1 :]]
    return {"not": {"anyOf": twice}} if twice else {}
