"""Nodes to recipes: every key, kind, block and value of a spec is checked here, once."""

from collections.abc import Iterable
from typing import Any

from convcost.errors import Note, Problem, Refusal
from convcost.kind import KINDS, Kind, Option
from convcost.names import did_you_mean, nearest
from convcost.spec.document import Mapping, Node, Scalar, Sequence
from convcost.spec.recipes import DEFERRED, Block, Bound, Branch, Recipe
from convcost.spec.values import Values

COMMON = ("name", "from", "repeat", "when", "note")
REPEAT = Option("repeat", "repeat", "Natural", "copies in series")
WHEN = Option("when", "when", "Flag", "keep the layer if true")

Vocabulary = dict[str, "type[Kind[Any]] | Block"]


def learns(kind: type[Kind[Any]]) -> bool:
    """Whether a kind has params that `weights: other_layer` could share."""
    return kind.weights is not Kind.weights and not kind.stated


class Reader:
    """Reads layers in one vocabulary (kinds and the document's blocks) and one set of defaults."""

    def __init__(self, values: Values, variables: Iterable[str]) -> None:
        self.values = values
        self.problems = values.problems
        self.variables = tuple(variables)
        self.vocabulary: Vocabulary = dict(KINDS.items())
        self.defaults: dict[str, tuple[Bound, ...]] = {}
        self._constants: dict[tuple[object, ...], Kind[Any]] = {}
        self._read: dict[tuple[int, tuple[str, ...]], Recipe] = {}

    def problem(
        self,
        code: str,
        message: str,
        node: Node,
        help: str = "",  # noqa: A002
        *notes: Note,
    ) -> None:
        self.problems.append(Problem(code, message, node.place, notes, help))

    # Layers

    def layers(self, node: Node | None, what: str, names: tuple[str, ...]) -> tuple[Recipe, ...]:
        """A list of layers; `names` are what their expressions may use."""
        if type(node) is not Sequence:
            if node is not None:
                self.problem("CC104", f"{what} must be a list of layers", node, "write [a, b, …]")
            return ()
        recipes = [self.layer(item, names) for item in node.items]
        joins = [i for i, r in enumerate(recipes) if r.branches and not r.name]
        if len(joins) == 1 and recipes[joins[0]].repeat is None:
            recipes[joins[0]] = recipes[joins[0]]._replace(lone=True)
        return tuple(recipes)

    def layer(self, node: Node, names: tuple[str, ...]) -> Recipe:
        if type(node) is Mapping:
            signature = self._signature(node)
            if signature is not None:
                layer = self._constants.get(signature)
                if layer is not None:
                    name = node.entries.get("name")
                    text = name[1].text if name else ""  # type: ignore[union-attr]
                    word = node.entries[layer.name][0]
                    return Recipe(word, type(layer), layer, text, True, layer.name)
            return self._shared(node, names, signature)
        if type(node) is Scalar:
            layer = self._constants.get((node.text,))
            if layer is not None:
                return Recipe(node, type(layer), layer, "", True, layer.name)
            return self._word(node, names)
        self.problem("CC111", "a layer is a word or a mapping, not a list", node)
        return Recipe(node)

    def _signature(self, node: Mapping) -> tuple[object, ...] | None:
        """What two mappings have in common that mean the same layer: all but their names."""
        parts: list[object] = []
        for key, (_, value) in node.entries.items():
            if type(value) is not Scalar:
                return None
            if key != "name":
                parts.append(key)
                parts.append(value.text)
            elif not _good_name(value.text) or value.null:
                return None
        return tuple(parts)

    def _shared(
        self, node: Mapping, names: tuple[str, ...], signature: tuple[object, ...] | None
    ) -> Recipe:
        """An aliased layer is read once, however often it stands in the spec."""
        known = self._read.get((id(node), names))
        if known is None:
            known = self._mapping(node, names)
            self._read[id(node), names] = known
            if known.plain and known.layer is not None and signature is not None:
                self._constants[signature] = known.layer
        return known

    def _word(self, node: Scalar, names: tuple[str, ...]) -> Recipe:
        found = self.vocabulary.get(node.text)
        if found is None:
            if node.null:
                self.problem("CC111", "a layer is missing here", node)
            else:
                self._unknown_kind(node)
            return Recipe(node)
        recipe = self._recipe(node, node, node, found, {}, names)
        if recipe.plain and recipe.layer is not None:
            self._constants[(node.text,)] = recipe.layer
        return recipe

    def _unknown_kind(self, node: Scalar) -> None:
        meant = did_you_mean(node.text, self.vocabulary)
        self.problem(
            "CC102",
            f"there is no kind or block `{node.text}`",
            node,
            meant or "`convcost kinds` lists the kinds; `custom` states a cost of its own",
        )

    def _mapping(self, node: Mapping, names: tuple[str, ...]) -> Recipe:
        entries = node.entries
        called = [key for key in entries if key in self.vocabulary]
        if len(called) > 1:
            called = [key for key in called if self._takes_all(key, entries)] or called
        if not called:
            self._no_kind(node)
            return Recipe(node, name=self._name(entries))
        if len(called) > 1:
            both = " and ".join(f"`{key}`" for key in called[:3])
            self.problem("CC111", f"one layer names {both}: which is it?", node, "write two layers")
            return Recipe(node, name=self._name(entries))
        word, value = entries[called[0]]
        rest = {key: entry for key, entry in entries.items() if key != called[0]}
        return self._recipe(node, word, value, self.vocabulary[called[0]], rest, names)

    def _takes_all(self, word: str, entries: dict[str, tuple[Scalar, Node]]) -> bool:
        options = self.vocabulary[word].options
        return all(
            key == word or key in options or key in (*COMMON, "weights") or key.startswith("x-")
            for key in entries
        )

    def _no_kind(self, node: Mapping) -> None:
        candidates = [
            key for key, _ in node.entries.values() if key.text not in (*COMMON, "weights")
        ]
        if _torn(node):
            self._torn_expression(node)
        elif not candidates:
            self.problem("CC111", "this layer names no kind", node)
        else:
            known_option = {name for found in self.vocabulary.values() for name in found.options}
            best = next(
                (key for key in candidates if nearest(key.text, self.vocabulary)),
                next((key for key in candidates if key.text not in known_option), candidates[0]),
            )
            self._unknown_kind(best)

    def _torn_expression(self, node: Node) -> None:
        torn = _torn(node)
        assert torn is not None
        self.problem(
            "CC105",
            f"`{torn.text}` is only a part of an expression",
            torn,
            'inside { } an expression with a comma needs quotes: "max(8, width)"',
        )

    # One layer

    def _recipe(
        self,
        node: Node,
        word: Scalar,
        value: Node,
        found: "type[Kind[Any]] | Block",
        rest: dict[str, tuple[Scalar, Node]],
        names: tuple[str, ...],
    ) -> Recipe:
        before = len(self.problems)
        if _torn(node):
            self._torn_expression(node)
            return Recipe(word, name=self._name(rest), label=word.text)
        common = {key: rest[key] for key in (*COMMON, "weights") if key in rest}
        if isinstance(found, Block) or not learns(found):
            common.pop("weights", None)
        options = {
            key: entry
            for key, entry in rest.items()
            if key not in common and not key.startswith("x-")
        }
        made = Recipe(
            word,
            name=self._name(common),
            sources=self._sources(common),
            repeat=self._common(REPEAT, common, names),
            when=self._common(WHEN, common, names),
            note=self._text(common, "note"),
        )
        if isinstance(found, Block):
            made = made._replace(
                block=found, bound=self._arguments(found, word, value, options, names)
            )
        else:
            if "weights" in common:
                made = made._replace(weights=self._reference(common["weights"][1]))
            made = self._kind(made, found, word, value, options, names)
        if len(self.problems) > before:
            return Recipe(word, name=made.name, label=word.text)
        simple = not (made.sources or made.branches or made.repeat or made.when)
        plain = simple and made.layer is not None and made.weights is None and not made.note
        return made._replace(plain=plain)

    def _kind(
        self,
        made: Recipe,
        kind: type[Kind[Any]],
        word: Scalar,
        value: Node,
        options: dict[str, tuple[Scalar, Node]],
        names: tuple[str, ...],
    ) -> Recipe:
        if kind.role != "layer":
            self._unknown_options(kind.name, options, kind.options)
            if kind.role == "join":
                branches = self._branches(kind.name, word, value, names, made.sources)
                return made._replace(kind=kind, layer=kind(), branches=branches)
            if not _given(word, value):
                self.problem("CC103", f"{kind.name} has no layers", word)
            items = self.layers(None if value is word else value, f"`{kind.name}`", names)
            return made._replace(kind=kind, items=items)
        given: dict[str, Bound] = {
            bound.option.name: bound for bound in self.defaults.get(kind.name, ())
        }
        if _given(word, value):
            if kind.principal is None:
                self.problem(
                    "CC104",
                    f"`{kind.name}` takes no value of its own",
                    value,
                    f"write `{kind.name}`"
                    + (", options as further keys" if kind.options else " alone"),
                )
            else:
                if kind.principal in options:
                    self.problem(
                        "CC003",
                        f"`{kind.principal}` of {kind.name} is given twice",
                        options[kind.principal][0],
                        "",
                        Note("as its own value here", value.place),
                    )
                self._bind(given, kind.options[kind.principal], value, names, kind.name)
        known = {key: kind.options[key] for key in options if key in kind.options}
        self._unknown_options(kind.name, options, kind.options)
        for key, option in known.items():
            self._bind(given, option, options[key][1], names, kind.name)
        if any(option.required and option.name not in given for option in kind.options.values()):
            written = {*options, *((kind.principal,) if _given(word, value) else ())}
            self._missing(kind.name, kind.options, given, written, word, kind.principal)
            return made
        bound = tuple(given.values())
        layer = None
        if all(item.constant is not DEFERRED for item in bound):
            try:
                layer = kind(**{item.option.name: item.constant for item in bound})
            except Refusal as refusal:
                self.values.refuse(word.place, refusal)
        return made._replace(kind=kind, bound=bound, layer=layer)

    def _bind(
        self,
        given: dict[str, Bound],
        option: Option,
        node: Node,
        names: tuple[str, ...],
        owner: str,
    ) -> None:
        bound = self.values.bind(option, node, names, owner)
        if bound is not None:
            given[option.name] = bound

    def _missing(
        self,
        owner: str,
        options: dict[str, Option],
        given: dict[str, Bound],
        written: Iterable[str],
        word: Scalar,
        principal: str | None,
    ) -> None:
        """Says what is required and was not even misspelt."""
        meant = {nearest(key, options) for key in written}
        for option in options.values():
            if option.required and option.name not in given and option.name not in meant:
                where = "{" + owner + ": …}" if option.name == principal else f"`{option.name}: …`"
                self.problem(
                    "CC103",
                    f"{owner} needs `{option.name}` ({option.meaning})",
                    word,
                    f"add {where}",
                )

    def _unknown_options(
        self, owner: str, options: dict[str, tuple[Scalar, Node]], known: Iterable[str]
    ) -> None:
        allowed = [*known, *COMMON]
        for key, (word, _) in options.items():
            if key not in known:
                self.problem(
                    "CC101",
                    f"{owner} has no option `{key}`",
                    word,
                    did_you_mean(key, allowed),
                )

    # Blocks

    def _arguments(
        self,
        block: Block,
        word: Scalar,
        value: Node,
        options: dict[str, tuple[Scalar, Node]],
        names: tuple[str, ...],
    ) -> tuple[Bound, ...]:
        """A block's options: its first from its own value, in order from a list, by name from a
        mapping, and by further keys."""
        written: dict[str, tuple[Scalar, Node]] = {}
        order = list(block.options)
        if type(value) is Mapping:
            written.update(value.entries)
        elif _given(word, value):
            listed = value.items if type(value) is Sequence else [value]
            if len(listed) > len(order):
                has = f"{len(order)} option{'s' * (len(order) != 1)}"
                self.problem(
                    "CC104", f"`{block.name}` has {has}, not {len(listed)}", value, ", ".join(order)
                )
            written.update({n: (word, item) for n, item in zip(order, listed, strict=False)})
        for key, entry in options.items():
            if key in written:
                self.problem("CC003", f"`{key}` of {block.name} is given twice", entry[0])
            written[key] = entry
        self._unknown_options(block.name, written, block.options)
        given: dict[str, Bound] = {}
        for key, (_, item) in written.items():
            if key in block.options:
                self._bind(given, block.options[key], item, names, block.name)
        if not block.broken:
            first = order[0] if order else None
            self._missing(block.name, block.options, given, written, word, first)
        return tuple(given.values())

    # Joins

    def _branches(
        self,
        owner: str,
        word: Scalar,
        value: Node,
        names: tuple[str, ...],
        sources: tuple[Scalar, ...],
    ) -> tuple[Branch, ...]:
        if not _given(word, value):
            if len(sources) < 2:  # noqa: PLR2004  a join joins
                self.problem(
                    "CC103",
                    f"{owner} has no branches",
                    word,
                    f"write {{{owner}: {{a: […], b: […]}}}} or {{{owner}: [name, name]}}",
                )
            return ()
        if type(value) is Scalar:
            self.problem(
                "CC104",
                f"{owner} takes named lists of layers or a list of names, not `{value.text}`",
                value,
                f"write {{{owner}: [{value.text}, …]}}",
            )
            return ()
        if type(value) is Sequence:
            return tuple(self._named_branch(item) for item in value.items)
        assert type(value) is Mapping
        branches = []
        for name, (key, body) in value.entries.items():
            self._check_name(key)
            if type(body) is Scalar and not body.null:
                branches.append(Branch(name, key, source=body))
            elif type(body) is Sequence:
                items = self.layers(body, f"branch `{name}`", names)
                branches.append(Branch(name, key, items))
            else:
                self.problem(
                    "CC104",
                    f"branch `{name}` must be a list of layers or the name of a layer",
                    key,
                    "an empty list [] is the incoming tensor itself",
                )
        return tuple(branches)

    def _named_branch(self, item: Node) -> Branch:
        source = self._reference(item)
        if source is None:
            return Branch("", item)
        return Branch(source.text, source, source=source)

    # Common keys

    def _name(self, entries: dict[str, tuple[Scalar, Node]]) -> str:
        if "name" not in entries:
            return ""
        node = entries["name"][1]
        if type(node) is not Scalar or node.null:
            self.problem("CC107", "a name must be a word", node)
            return ""
        return node.text if self._check_name(node) else ""

    def _check_name(self, node: Scalar) -> bool:
        if _good_name(node.text):
            return True
        if node.text == "input":
            reason = "`input` is the tensor that comes in and cannot be a name"
        elif not node.text.strip():
            reason = "a name cannot be empty"
        else:
            reason = f"`{node.text}` cannot be a name: `/` separates the names of a path"
        self.problem("CC107", reason, node)
        return False

    def _text(self, entries: dict[str, tuple[Scalar, Node]], key: str) -> str:
        if key not in entries:
            return ""
        node = entries[key][1]
        if type(node) is not Scalar:
            self.problem("CC104", f"`{key}` must be text", node)
            return ""
        return node.text

    def _sources(self, entries: dict[str, tuple[Scalar, Node]]) -> tuple[Scalar, ...]:
        if "from" not in entries:
            return ()
        node = entries["from"][1]
        listed = node.items if type(node) is Sequence else [node]
        if not listed:
            self.problem("CC108", "`from` names nothing", node)
        found = [self._reference(item) for item in listed]
        return tuple(source for source in found if source is not None)

    def _reference(self, node: Node) -> Scalar | None:
        if type(node) is Scalar and not node.null:
            return node
        self.problem(
            "CC108",
            "this must be the name of a layer",
            node,
            "branches of layers need names: {a: […], b: […]}" if type(node) is not Scalar else "",
        )
        return None

    def _common(
        self, option: Option, entries: dict[str, tuple[Scalar, Node]], names: tuple[str, ...]
    ) -> Bound | None:
        if option.name not in entries:
            return None
        return self.values.bind(option, entries[option.name][1], names, "a layer")


def _given(word: Scalar, value: Node) -> bool:
    """Whether a layer has a value of its own: `conv: 64`, not `relu` nor `relu:`."""
    return value is not word and not (type(value) is Scalar and value.null)


def _good_name(text: str) -> bool:
    return "/" not in text and text != "input" and text.strip() != ""


def _torn(node: Node) -> Scalar | None:
    """The first half of an expression that a comma inside braces tore apart."""
    if type(node) is not Mapping or not any(")" in key and "(" not in key for key in node.entries):
        return None
    for _, value in node.entries.values():
        if type(value) is Scalar and value.plain and value.text.count("(") > value.text.count(")"):
            return value
    return None
