"""Layers as JSON Schema, in the vocabularies that a document may have.

Kinds are known, the names of blocks are the author's. JSON Schema cannot look a name up, but it can
tell whether a document has blocks at all, and whether they are named so that a call could be taken
for something else; so a misspelt kind is seen where there are no blocks, and a layer that has only
options of kinds is no call.
"""

from typing import Any, NamedTuple

from convcost.kind import KINDS, Kind
from convcost.questions.kinds import meaning
from convcost.questions.schema.kinds import (
    common_keys,
    kind_schema,
    needs_schema,
    own_options,
    plain_kinds,
)
from convcost.questions.schema.values import AUTHORS, NAME, NOTHING, Schema, any_of, ref
from convcost.spec.common import COMMON


class Vocabulary(NamedTuple):
    """What the layers of a document may be.

    `blocks` are `none`, `plain`, or `any`: with options called like kinds, or called like options
    of kinds. Unless `needs`, `defaults` of the document give what kinds must have.
    """

    blocks: str
    needs: bool

    def name(self, what: str) -> str:
        return f"{what}_{self.blocks}_{'needs' if self.needs else 'defaults'}"


VOCABULARIES = tuple(
    Vocabulary(blocks, needs) for blocks in ("none", "plain", "any") for needs in (True, False)
)


def option_names() -> list[str]:
    return sorted({name for _, kind in KINDS.items() for name in kind.options})


def layers() -> dict[str, Schema]:
    """All definitions of layers: those of the kinds, and for each vocabulary `layers`, `block`."""
    ordinary = plain_kinds()
    needs = {kind.name: found for kind in ordinary if (found := needs_schema(kind))}
    defs: dict[str, Schema] = {f"kind_{kind.name}": kind_schema(kind) for kind in ordinary}
    defs |= {f"needs_{name}": schema for name, schema in needs.items()}
    defs["kinds"] = {
        "properties": {name: {"description": meaning(kind)} for name, kind in KINDS.items()},
        **_by_key({kind.name: f"kind_{kind.name}" for kind in ordinary}),
    }
    defs["needs"] = _by_key({name: f"needs_{name}" for name in needs})
    defs["call_value"] = _call_value()
    for vocabulary in VOCABULARIES:
        defs |= _vocabulary(vocabulary, tuple(needs))
    return defs


def _by_key(names: dict[str, str]) -> Schema:
    """A layer that has the key follows the definition.

    `dependencies` says the same to editors that stopped at draft 7.
    """
    rules = {key: _unless_an_option(key, ref(name)) for key, name in names.items()}
    return {"dependentSchemas": rules, "dependencies": rules}


def _unless_an_option(key: str, schema: Schema) -> Schema:
    """`scale` is a kind, but in {upsample: , scale: 2} an option."""
    owners = [name for name, kind in KINDS.items() if key in kind.options and name != key]
    if not owners:
        return schema
    return {"if": {"anyOf": [{"required": [owner]} for owner in owners]}, "else": schema}


def _vocabulary(of: Vocabulary, needing: tuple[str, ...]) -> dict[str, Schema]:
    layer, called = of.name("layer"), of.name("layers")
    holders = {kind.name: kind for _, kind in KINDS.items() if kind.role != "layer"}
    mapping = [ref("kinds"), *([ref("needs")] if of.needs else [])]
    mapping.append(_by_key({name: of.name(name) for name in holders}))
    named: Schema = {"type": "object", "allOf": mapping}
    anything = {"propertyNames": {"not": {"enum": KINDS.names()}}}
    if of.blocks == "none":
        named["allOf"].append({"if": anything, "then": _some_kind()})
        forms = [named]
    elif of.blocks == "plain":
        named["allOf"].append({"if": anything, "then": _call(option_names())})
        forms = [named]
    else:
        forms = [{**named, "not": anything}, _call(KINDS.names())]
    return {
        called: {"type": "array", "items": ref(layer)},
        layer: {
            "if": {"type": "string"},
            "then": _word(of, needing),
            "else": {"type": "object", **(forms[0] if len(forms) == 1 else any_of(*forms))},
        },
        of.name("block"): _block(ref(called)),
        **{of.name(name): _holder(kind, called) for name, kind in holders.items()},
    }


def _some_kind() -> Schema:
    """Says of a layer without a kind which of its keys is no key of any layer."""
    known = [*KINDS.names(), *option_names(), *COMMON, "weights"]
    known_or_authors = any_of({"enum": sorted({*known})}, {"pattern": "^x-"})
    return {
        "propertyNames": known_or_authors,
        "anyOf": [{"required": [name]} for name in KINDS.names()],
    }


def _word(of: Vocabulary, needing: tuple[str, ...]) -> Schema:
    """A layer in one word: a kind that needs nothing more, or a block."""
    alone = [kind.name for kind in plain_kinds() if not (of.needs and kind.name in needing)]
    kinds = {"enum": alone, "description": "a kind that needs no options; `convcost kinds`"}
    if of.blocks == "none":
        return kinds
    others = {"type": "string", "minLength": 1, "not": {"enum": KINDS.names()}}
    return any_of(kinds, {**others, "description": "a block of this document"})


def _call(no_blocks: list[str]) -> Schema:
    """The call of a block; at least one key is none of these and none that every layer has."""
    strangers = {"enum": [*no_blocks, *COMMON, "weights"]}
    return {
        "description": "The call of a block: its first option by a value, several by a list, any "
        "by a mapping or by further keys.",
        "type": "object",
        "properties": {**common_keys(), "weights": False},
        "patternProperties": AUTHORS,
        "additionalProperties": ref("call_value"),
        "not": {"propertyNames": any_of(strangers, {"pattern": "^x-"})},
    }


def _call_value() -> Schema:
    one = any_of(ref("Variable"), NOTHING)
    by_name = {
        "type": "object",
        "propertyNames": {"pattern": NAME},
        "additionalProperties": one,
    }
    return any_of(one, {"type": "array", "items": one}, by_name)


def _block(called: Schema) -> Schema:
    return {
        "description": "layers under a name, with options",
        "type": "object",
        "properties": {
            "options": {
                "description": "each with a default after its colon, or required",
                "type": ["object", "null"],
                "propertyNames": {
                    "pattern": NAME,
                    "not": {"enum": [*COMMON, "weights"]},
                },
                "additionalProperties": any_of(ref("Variable"), NOTHING),
                "examples": [{"width": None, "stride": 1}],
            },
            "layers": {**called, "description": "what the block is made of"},
            "note": {"description": "a remark"},
        },
        "patternProperties": AUTHORS,
        "additionalProperties": False,
        "required": ["layers"],
    }


def _holder(kind: type[Kind[Any]], called: str) -> Schema:
    """A kind that is made of layers: branches of a join, or one list."""
    assert kind.principal is not None
    join = kind.role == "join"
    value = _branches(called) if join else ref(called)
    nothing = any_of(NOTHING, {"type": ["array", "object"], "maxItems": 0, "maxProperties": 0})
    own = {"properties": {kind.name: {"not": nothing if join else NOTHING}}}
    further = {
        "properties": {kind.principal: {"not": nothing if join else NOTHING}},
        "required": [kind.principal],
    }
    fed = {
        "properties": {"from": {"type": "array", "minItems": 2}, "repeat": False},
        "required": ["from"],
    }
    one_input = {"properties": {"from": {"maxItems": 1}}}
    told = f"{kind.name}: {kind.options[kind.principal].meaning}. {meaning(kind)}"
    taken = {**any_of(value, NOTHING), "description": told}
    held: Schema = {"if": any_of(own, further), "then": one_input, "else": fed}
    return {
        "description": meaning(kind),
        "type": "object",
        "properties": {
            **own_options(kind),
            **common_keys(),
            kind.name: taken,
            kind.principal: taken,
        },
        "patternProperties": AUTHORS,
        "additionalProperties": False,
        "required": [kind.name],
        "not": {"required": [kind.principal], **own},
        **(held if join else any_of(own, further)),
    }


def _branches(called: str) -> Schema:
    names = {"type": "array", "items": ref("word")}
    branches = {
        "type": "object",
        "propertyNames": {"pattern": r"^(?!input$)[^/]*[^/\s][^/]*$"},
        "additionalProperties": any_of(ref("word"), ref(called)),
    }
    return any_of(branches, names)
