"""Nodes to recipes: every key, kind, block and value of a spec is checked here, once."""

from typing import Any

from convcost.errors import Note, Problem, Refusal
from convcost.kind import KINDS, Kind
from convcost.names import SYNONYMS, did_you_mean, nearest
from convcost.options import show
from convcost.spec.binder import Binder, given
from convcost.spec.branches import Branches
from convcost.spec.common import COMMON, Common, good_name
from convcost.spec.document import DEEPEST, Mapping, Node, Scalar, Sequence
from convcost.spec.recipes import DEFERRED, Block, Bound, Recipe
from convcost.spec.values import Entries, Values

Vocabulary = dict[str, "type[Kind[Any]] | Block"]


def learns(kind: type[Kind[Any]]) -> bool:
    """Whether a kind has params that `weights: other_layer` could share."""
    return kind.weights is not Kind.weights and not kind.stated


class Reader:
    """Reads layers in one vocabulary (kinds and the document's blocks) and one set of defaults."""

    def __init__(self, values: Values) -> None:
        self.values = values
        self.problems = values.problems
        self.vocabulary: Vocabulary = dict(KINDS.items())
        self.common = Common(values)
        self.binder = Binder(values)
        self.branches = Branches(self.common, self.layers)
        self._constants: dict[tuple[object, ...], Kind[Any]] = {}
        self._within = 0
        self._depth = 0
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
        if self._depth >= DEEPEST:
            self.problem("CC004", f"layers stand in each other more than {DEEPEST} deep", node)
            return ()
        before, within = len(self.problems), self._within
        self._depth += 1
        recipes = [self.layer(item, names) for item in node.items]
        self._depth -= 1
        self._within = within + len(self.problems) - before
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
            elif not good_name(value.text) or value.null:
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
            f"there is no kind or block {show(node.text)}",
            node,
            meant or "`convcost kinds` lists the kinds; `custom` states a cost of its own",
        )

    def _mapping(self, node: Mapping, names: tuple[str, ...]) -> Recipe:
        entries = node.entries
        called = [key for key in entries if key in self.vocabulary]
        if len(called) > 1:
            called = (
                [key for key in called if self._takes_all(key, entries)]
                or [key for key in called if self._meant_by(key, called)]
                or called
            )
        if not called:
            self._no_kind(node)
            return Recipe(node, name=self.common.name(entries))
        if len(called) > 1:
            both = " and ".join(f"`{key}`" for key in called[:3])
            self.problem("CC111", f"one layer names {both}: which is it?", node, "write two layers")
            return Recipe(node, name=self.common.name(entries))
        word, value = entries[called[0]]
        rest = {key: entry for key, entry in entries.items() if key != called[0]}
        return self._recipe(node, word, value, self.vocabulary[called[0]], rest, names)

    def _takes_all(self, word: str, entries: Entries) -> bool:
        options = self.vocabulary[word].options
        return all(
            key == word or key in options or key in (*COMMON, "weights") or key.startswith("x-")
            for key in entries
        )

    def _meant_by(self, word: str, called: list[str]) -> bool:
        """Whether the other kinds named are other tools' words for this one's options: `pad`."""
        options = self.vocabulary[word].options
        return all(key == word or SYNONYMS.get(key) in options for key in called)

    def _no_kind(self, node: Mapping) -> None:
        candidates = [
            key for key, _ in node.entries.values() if key.text not in (*COMMON, "weights")
        ]
        if self.values.torn(node):
            return
        options = {name for found in self.vocabulary.values() for name in found.options}
        strange = [key for key in candidates if key.text not in options]
        likely = [key for key in strange if nearest(key.text, self.vocabulary)]
        if likely or (len(strange) == 1 and strange[0].text not in ("type", "kind", "op", "layer")):
            self._unknown_kind((likely or strange)[0])
        else:
            hint = "the kind is the key, its main option the value: {conv: 64, kernel: 3}"
            self.problem("CC111", "this layer names no kind", node, hint)

    # One layer

    def _recipe(
        self,
        node: Node,
        word: Scalar,
        value: Node,
        found: "type[Kind[Any]] | Block",
        rest: Entries,
        names: tuple[str, ...],
    ) -> Recipe:
        before, within = len(self.problems), self._within
        if self.values.torn(node):
            return Recipe(word, name=self.common.name(rest), label=word.text)
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
            name=self.common.name(common),
            sources=self.common.sources(common),
            repeat=self.common.repeat(common, names),
            when=self.common.when(common, names),
            note=self.common.text(common, "note"),
        )
        if isinstance(found, Block):
            made = made._replace(
                block=found, bound=self.binder.block(found, word, value, options, names)
            )
        else:
            if "weights" in common:
                made = made._replace(weights=self.common.reference(common["weights"][1]))
            made = self._kind(made, found, word, value, options, names)
        # A layer with a problem is broken; one that only holds such layers is not.
        if len(self.problems) - before > self._within - within:
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
        options: Entries,
        names: tuple[str, ...],
    ) -> Recipe:
        if kind.role == "layer":
            return self._layer(
                made, kind, word, self.binder.kind(kind, word, value, options, names)
            )
        if kind.principal in options:
            key, named = options[kind.principal]
            if given(word, value):
                self.problem("CC003", f"`{key.text}` of {kind.name} is given twice", key)
            value = named
        if kind.role == "join":
            branches = self.branches.read(kind.name, word, value, names, made)
            further = {key: entry for key, entry in options.items() if key != kind.principal}
            bound = self.binder.kind(kind, word, word, further, names)
            return self._layer(made, kind, word, bound)._replace(branches=branches)
        self.binder.unknown(kind.name, options, kind)
        if not given(word, value):
            self.problem("CC103", f"{kind.name} has no layers", word)
        items = self.layers(None if value is word else value, f"`{kind.name}`", names)
        return made._replace(kind=kind, items=items)

    def _layer(
        self, made: Recipe, kind: type[Kind[Any]], word: Scalar, bound: tuple[Bound, ...] | None
    ) -> Recipe:
        """The layer itself, if nothing about it waits for an expression."""
        if bound is None:
            return made
        layer = None
        if all(item.constant is not DEFERRED for item in bound):
            try:
                layer = kind(**{item.option.name: item.constant for item in bound})
            except Refusal as refusal:
                self.values.refuse(word.place, refusal)
        return made._replace(kind=kind, bound=bound, layer=layer)
