"""Kinds and layers as JSON Schema.

A block has the name that its author gives it, and JSON Schema cannot look a name up. So there are
rules for lists of layers, and a document follows some of them, by its blocks and its `defaults`.
Each rule is for all layers of the document.
"""

from typing import Any

import yaml

from convcost.model.kind import COMMON_KEYS, KINDS, WEIGHT_KEYS, Kind
from convcost.reports.kinds import meaning
from convcost.reports.schema.values import (
    NAME,
    NOTHING,
    Schema,
    any_of,
    array,
    describe,
    has_one,
    option,
    record,
    ref,
    words,
)

AnyKind = type[Kind[Any]]


def layer_definitions() -> dict[str, Schema]:
    """Every definition about layers: common keys, options, kinds, `call`, `block`, rules."""
    kinds = dict(KINDS.items())
    return {
        **{f"key_{key}": schema for key, schema in _common().items()},
        **{
            f"{name}.{kind_option.name}": option(kind_option)
            for name, kind in kinds.items()
            for kind_option in kind.options.values()
        },
        **{f"kind_{name}": _kind(kind) for name, kind in kinds.items()},
        "kinds": {
            "properties": {name: {"description": meaning(kind)} for name, kind in kinds.items()},
            **_by_key({name: ref(f"kind_{name}") for name in kinds}),
        },
        "call": _call(),
        "block": _block(),
        **_list_rules(),
    }


def _list_rules() -> dict[str, Schema]:
    """The rules for a list of layers. `layers_kinds` is for a document without blocks: each layer
    has a kind. `layers_calls` is for one with blocks: each has a kind or calls a block.
    `layers_needs` is for one without `defaults`: each has the required options of its kind."""
    names = list(KINDS.names())
    kind_word = words(name for name, kind in KINDS.items() if kind.role == "layer")
    block_word = {"minLength": 1, "not": words(names), "description": "a block of this document"}
    needs = {name: schema for name, kind in KINDS.items() if (schema := _needs(kind))}
    is_word, mapping = {"type": "string"}, {"type": "object", **ref("kinds")}
    call = {"if": {"propertyNames": {"not": words(names)}}, "then": ref("call")}
    return {
        f"layers_{name}": _nested_list(f"layers_{name}", rule)
        for name, rule in {
            "kinds": {"if": is_word, "then": kind_word, "else": mapping | has_one(names)},
            "calls": {"if": is_word, "then": any_of(kind_word, block_word), "else": mapping | call},
            "needs": {"not": words(needs), **_by_key(needs)},
        }.items()
    }


def _nested_list(name: str, rule: Schema) -> Schema:
    """A list whose layers follow a rule; the lists inside its layers follow the definition `name`,
    which is this list."""
    inside: Schema = {}
    for kind in dict(KINDS.items()).values():
        if kind.role != "layer":
            nested = {"additionalProperties": ref(name)} if kind.role == "join" else ref(name)
            inside[kind.name] = {"properties": {kind.name: nested, str(kind.principal): nested}}
    return {"items": {"allOf": [rule, _by_key(inside)]}}


def _by_key(rules_by_kind: dict[str, Schema]) -> Schema:
    """A rule for layers with a key: the layer follows the schema, unless the key is an option of
    its kind.

    `scale` is a kind, but in {upsample: , scale: 2} an option. `dependencies` has the same rule for
    editors that know draft 7 only.
    """
    by_key = {}
    for key, schema in rules_by_kind.items():
        owners = [name for name, kind in KINDS.items() if key in kind.options and name != key]
        by_key[key] = {"if": has_one(owners), "else": schema} if owners else schema
    return {"dependentSchemas": by_key, "dependencies": by_key}


# Keys


def _common() -> dict[str, Schema]:
    """The keys that every layer accepts, and `weights`."""
    sources = any_of(ref("word"), array(ref("word"), 1))
    return {
        "name": ref("name", "the name of the layer; by default its kind and a number"),
        "from": describe(
            sources,
            "the layer whose output is the input of this one; a list for a join, or a block with "
            "several inputs",
        ),
        "repeat": ref("Natural", "the number of copies in series, 0 or more"),
        "when": ref("Flag", "true or false: the layer is dropped if false"),
        "note": ref("text", "a remark"),
        "frozen": ref("Frozen", "what training does not change, also in the layers inside"),
        "density": ref(
            "Density", "the share of the weights that is not pruned, as its author states"
        ),
        "weights": ref("word", "a layer of the same kind whose weights this layer uses"),
    }


def _common_refs(*more: str) -> Schema:
    return {key: ref(f"key_{key}") for key in (*COMMON_KEYS, *more)}


def own_options(kind: AnyKind) -> Schema:
    """The name and the schema of each option of a kind."""
    return {name: ref(f"{kind.name}.{name}") for name in kind.options}


# Kinds


def _kind(kind: AnyKind) -> Schema:
    """A mapping that names the kind: its own value, further options, common keys, nothing else."""
    principal = kind.options.get(kind.principal or "")
    forms = [NOTHING, *([ref(principal.type_name)] if principal else [])]
    if kind.options:
        forms.append(record(own_options(kind)))
    about = f"{kind.name}: {principal.meaning}" if principal else kind.name
    value_schema = describe(any_of(*forms), f"{about}. {meaning(kind)}")
    keys = _common_refs(*(WEIGHT_KEYS if kind.learns else ()))
    return record(
        {**own_options(kind), **keys, kind.name: value_schema},
        kind.name,
        description=meaning(kind),
        examples=[yaml.safe_load(example.spec) for example in kind.examples],
    )


def _needs(kind: AnyKind) -> Schema | None:
    """The required options of a layer whose own value is not a mapping of options; None if it has
    none. A layer in one word has no options."""
    required = [kind_option.name for kind_option in kind.options.values() if kind_option.required]
    if kind.role != "layer" or not (required or kind.required_one_of):
        return None
    keys = [name for name in required if name != kind.principal]
    by_key: Schema = {"required": keys}
    if kind.principal in required:
        value = {"properties": {kind.name: {"not": NOTHING}}}
        by_key |= any_of(value, {"required": [kind.principal]})
    return {"if": {"properties": {kind.name: {"type": "object"}}}, "else": by_key}


# Blocks


def _call() -> Schema:
    """The call of a block, which is a mapping without a kind."""
    variable = any_of(ref("Variable"), NOTHING)
    by_name = {
        "type": "object",
        "propertyNames": {"pattern": NAME},
        "additionalProperties": variable,
    }
    return {
        **record({**_common_refs(), "weights": False}),
        "additionalProperties": any_of(variable, array(variable), by_name),
        "description": "The call of a block. A value sets its first option, a list sets options in "
        "order, and a mapping or further keys set options by name.",
    }


def _block() -> Schema:
    options = {
        "description": "the options with their defaults; an option without a default is required",
        "type": ["object", "null"],
        "propertyNames": {"pattern": NAME, "not": words([*COMMON_KEYS, "weights"])},
        "additionalProperties": any_of(ref("Variable"), NOTHING),
        "examples": [{"width": None, "stride": 1}],
    }
    names = array(ref("name"), 1)
    properties = {
        "options": options,
        "inputs": describe(
            names,
            "names of the inputs, which its layers use with `from`; a call lists a layer each",
        ),
        "layers": {"type": "array", "description": "what the block is made of"},
        "outputs": describe(
            array(ref("word"), 1), "one layer for each input; they are the inputs of the next copy"
        ),
        "note": {"description": "a remark"},
    }
    return record(properties, "layers", description="layers under a name, with options")
