"""Parses YAML nodes to layer nodes; checks every key, kind, block and value once."""

from typing import Any

from convcost.language.common_keys import CommonKeys, is_layer_name
from convcost.language.option_binding import HasOptions, OptionBinder, Written
from convcost.language.problems import Problems
from convcost.language.syntax_tree import DEFERRED, Block, Branch, LayerNode
from convcost.language.values import Entries, Names, report_split_expression
from convcost.language.yaml_nodes import MAX_DEPTH, Mapping, Node, Scalar, Sequence
from convcost.model.errors import ConstraintError
from convcost.model.kind import COMMON_KEYS, KINDS, RESERVED, WEIGHT_KEYS, Kind
from convcost.model.options import show
from convcost.model.suggestions import SYNONYMS, did_you_mean, nearest, other_name

EXAMPLE = "the kind is the key, its main option the value: {conv: 64, kernel: 3}"
OTHER_KINDS = "`convcost kinds` lists the kinds; `custom` accepts costs that you state"


class LayerParser:
    """Parses layers of kinds and of the blocks of one document."""

    def __init__(self, problems: Problems) -> None:
        self.problems = problems
        self.blocks: dict[str, Block] = {}
        self.common = CommonKeys(problems)
        self.binder = OptionBinder(problems)
        self._constants: dict[tuple[object, ...], Kind[Any]] = {}
        self._problems_within = 0
        self._depth = 0
        self._read: dict[tuple[int, Names], LayerNode] = {}

    def known(self, name: str) -> HasOptions | None:
        """The kind or block of a name. A kind is imported when it is looked up."""
        return self.blocks.get(name) or KINDS.get(name)

    def owner(self, name: str) -> HasOptions:
        """The kind or block of that name. Raises KeyError if there is none."""
        return self.blocks.get(name) or KINDS[name]

    # Layers

    def layers(self, node: Node | None, subject: str, names: Names) -> tuple[LayerNode, ...]:
        """Parses a list of layers; their expressions may use `names`."""
        if type(node) is not Sequence:
            if node is not None:
                message = f"{subject} must be a list of layers"
                self.problems.add("CC104", message, node, "write [a, b, …]")
            return ()
        if self._depth >= MAX_DEPTH:
            self.problems.add("CC004", f"layers are nested more than {MAX_DEPTH} deep", node)
            return ()
        self.problems.count_read(node)
        before, within = len(self.problems), self._problems_within
        self._depth += 1
        nodes = [self.layer(item, names) for item in node.items]
        self._depth -= 1
        self._problems_within = within + len(self.problems) - before
        joins = [i for i, r in enumerate(nodes) if r.branches and not r.name]
        if len(joins) == 1 and nodes[joins[0]].repeat is None:
            nodes[joins[0]] = nodes[joins[0]]._replace(only_join=True)
        return tuple(nodes)

    def layer(self, node: Node, names: Names) -> LayerNode:
        """Parses one layer; its expressions may use `names`. Equal layers are parsed once."""
        if type(node) is Mapping:
            layer_node = self._read.get((id(node), names))
            if layer_node is not None:
                return layer_node
            signature = self._signature(node)
            if signature is not None:
                layer = self._constants.get(signature)
                if layer is not None:
                    name = node.entries.get("name")
                    text = name[1].text if name else ""  # type: ignore[union-attr]
                    word = node.entries[layer.name][0]
                    return LayerNode(word, type(layer), layer, text, True, layer.name)
            layer_node = self._read[id(node), names] = self._mapping(node, names)
            if layer_node.simple and layer_node.layer is not None and signature is not None:
                self._constants[signature] = layer_node.layer
            return layer_node
        if type(node) is Scalar:
            layer = self._constants.get((node.text,))
            if layer is not None:
                return LayerNode(node, type(layer), layer, "", True, layer.name)
            return self._word(node, names)
        self.problems.add("CC111", "a layer must be a word or a mapping, not a list", node)
        return LayerNode(node)

    def _signature(self, node: Mapping) -> tuple[object, ...] | None:
        """All keys and values of a mapping except the name, so that equal layers are parsed once.

        None for a mapping that has to be parsed each time.
        """
        parts: list[object] = []
        for key, (_, value) in node.entries.items():
            if type(value) is not Scalar:
                return None
            if key != "name":
                parts.append(key)
                parts.append(value.text)
            elif not is_layer_name(value.text) or value.null:
                return None
        return tuple(parts)

    def _word(self, node: Scalar, names: Names) -> LayerNode:
        if not self.known(node.text):
            if node.null:
                self.problems.add("CC111", "a layer is missing here", node)
                return LayerNode(node)
            return self._unknown_kind(node, Written(node, node, {}, names))
        layer = self._parse(node, Written(node, node, {}, names), self.owner(node.text))
        if layer.simple and layer.layer is not None:
            self._constants[(node.text,)] = layer.layer
        return layer

    def _unknown_kind(self, node: Node, written: Written) -> LayerNode:
        """Adds a problem. A layer with the name that another tool uses for a kind is read as that
        kind, so that its other problems are found too."""
        word = written.word
        kind_names = [*KINDS.names(), *self.blocks]
        hint = did_you_mean(word.text, kind_names) or (EXAMPLE if "(" in word.text else OTHER_KINDS)
        self.problems.add("CC102", f"there is no kind or block {show(word.text)}", word, hint)
        meant = other_name(word.text, kind_names)
        if meant is None:
            return LayerNode(word, name=self.common.name(written.options))
        layer = self._parse(node, written, self.owner(meant))
        return layer._replace(label=meant, simple=False)

    def _mapping(self, node: Mapping, names: Names) -> LayerNode:
        entries = node.entries
        word = self._kind_key(entries)
        if word is None:
            return self._no_kind(node, names)
        options = self.owner(word).options
        # `pad` is a kind, but after `conv` it is another tool's name for the option `padding`.
        unknown_keys = [key for key in entries if self._is_unknown_key(key, word)]
        second = [key for key in unknown_keys if self.known(key)]
        if not all(SYNONYMS.get(key) in options for key in second):
            both = " and ".join(f"`{key}`" for key in (word, *second)[:3])
            message = f"a layer can have one kind, not {both}"
            self.problems.add("CC111", message, node, "write two layers")
            return LayerNode(node, name=self.common.name(entries))
        key, value = entries[word]
        rest = {name: entry for name, entry in entries.items() if name != word}
        return self._parse(node, Written(key, value, rest, names), self.owner(word))

    def _kind_key(self, entries: Entries) -> str | None:
        """The first key that is a kind or block, and has the other keys as options; the first kind
        or block if none has them.

        The options of a kind are not looked up as kinds: that would import files without need.
        """
        first = None
        for word in entries:
            if word not in RESERVED and self.known(word):
                if not any(self._is_unknown_key(key, word) for key in entries):
                    return word
                first = first or word
        return first

    def _is_unknown_key(self, key: str, word: str) -> bool:
        """Whether a key is neither the word of a layer nor an option of its kind or block."""
        usual = (*RESERVED, *WEIGHT_KEYS)
        is_known = key == word or key in self.owner(word).options or key in usual
        return not is_known and not key.startswith("x-")

    def _no_kind(self, node: Mapping, names: Names) -> LayerNode:
        """Adds a problem for a layer without a kind: that its kind is unknown, if one of its keys
        is probably a misspelled kind, otherwise that it has none."""
        unknown = LayerNode(node, name=self.common.name(node.entries))
        if report_split_expression(self.problems, node):
            return unknown
        kind_names = [*KINDS.names(), *self.blocks]
        valid = {option for word in kind_names for option in self.owner(word).options}
        valid |= {*RESERVED, *WEIGHT_KEYS, "type", "kind", "op", "layer"}
        unknown_keys = [key for key, _ in node.entries.values() if key.text not in valid]
        misspelled = [key for key in unknown_keys if nearest(key.text, kind_names)]
        if misspelled or len(unknown_keys) == 1:
            word = (misspelled or unknown_keys)[0]
            rest = {name: entry for name, entry in node.entries.items() if name != word.text}
            written = Written(word, node.entries[word.text][1], rest, names)
            return self._unknown_kind(node, written)
        self.problems.add("CC111", "this layer has no kind", node, EXAMPLE)
        return unknown

    # One layer

    def _parse(self, node: Node, written: Written, owner: HasOptions) -> LayerNode:
        """Parses a layer from its word and its keys; `node` is the whole layer."""
        word = written.word
        before, within = len(self.problems), self._problems_within
        if report_split_expression(self.problems, node):
            return LayerNode(word, name=self.common.name(written.options), label=word.text)
        keys = (*COMMON_KEYS, *(WEIGHT_KEYS if owner.learns else ()))
        option_keys = [key for key in WEIGHT_KEYS if key in owner.options]
        usual = [key for key in keys if key not in option_keys]
        common = {key: written.options[key] for key in usual if key in written.options}
        options = {
            key: entry
            for key, entry in written.options.items()
            if key not in common and not key.startswith("x-")
        }
        written = written._replace(options=options)
        layer = self.common.parse(word, common, written.names)
        if isinstance(owner, Block):
            layer = layer._replace(block=owner, options=self.binder.bind(owner, written) or ())
        else:
            layer = self._kind(layer, owner, written)
        # A layer with a problem becomes a node without a kind; one that only contains such layers
        # stays.
        if len(self.problems) - before > self._problems_within - within:
            return LayerNode(word, name=layer.name, label=word.text)
        frozen = layer.frozen or self.binder.frozen.get(owner.name)
        other_keys = (
            *(layer.sources, layer.branches, layer.note),
            *(layer.repeat, layer.when, frozen, layer.density, layer.weights),
        )
        simple = layer.layer is not None and not any(other_keys)
        return layer._replace(simple=simple, frozen=frozen)

    def _kind(self, layer: LayerNode, kind: type[Kind[Any]], written: Written) -> LayerNode:
        if kind.role == "layer":
            return self._bind(layer, kind, written)
        options = dict(written.options)
        if kind.principal in options:
            key, value = options.pop(kind.principal)
            if written.has_value:
                self.binder.report_given_twice(key.text, kind.name, key)
            written = written._replace(value=value)
        written = written._replace(options=options)
        if kind.role == "join":
            branches = self._branches(written, layer)
            if kind.branch_names:
                branches = self._in_order(kind, branches, written.word)
            bound = self._bind(layer, kind, written._replace(value=written.word))
            return bound._replace(branches=branches)
        self.binder.check_known(kind, written.options)
        if not written.has_value:
            self.problems.add("CC103", f"{kind.name} has no layers", written.word)
        body = None if written.value is written.word else written.value
        items = self.layers(body, f"`{kind.name}`", written.names)
        return layer._replace(kind=kind, items=items)

    def _branches(self, written: Written, join: LayerNode) -> tuple[Branch, ...]:
        """The branches of a join: named lists of layers, names of layers, or both."""
        owner, value = written.word.text, written.value
        if not written.has_value or (type(value) is not Scalar and not value[0]):
            # A join without branches joins the layers that `from` names.
            if len(join.sources) < 2:  # noqa: PLR2004
                hint = f"write {{{owner}: {{a: […], b: […]}}}} or {{{owner}: [name, name]}}"
                self.problems.add("CC103", f"{owner} has no branches", written.word, hint)
            elif join.repeat is not None:
                message = f"{owner} cannot be repeated: `from` names its inputs"
                self.problems.add("CC104", message, written.word)
            return ()
        if type(value) is Scalar:
            message = f"{owner} needs named lists of layers or a list of names, not `{value.text}`"
            self.problems.add("CC104", message, value, f"write {{{owner}: [{value.text}, …]}}")
            return ()
        if len(join.sources) > 1:
            message = f"the branches of {owner} accept one input, not {len(join.sources)}"
            self.problems.add("CC108", message, join.sources[0])
        self.problems.count_read(value)
        if type(value) is Sequence:
            names = [self.common.reference(item) for item in value.items]
            return tuple([Branch(name.text, name, source=name) for name in names if name])
        assert type(value) is Mapping
        return tuple([self._branch(*entry, written.names) for entry in value.entries.values()])

    def _in_order(
        self, kind: type[Kind[Any]], branches: tuple[Branch, ...], word: Scalar
    ) -> tuple[Branch, ...]:
        """The branches of a kind that knows them by name, in the order of its inputs."""
        branch_by_name = {branch.name: branch for branch in branches}
        names = [name.rstrip("?") for name in kind.branch_names]
        for name, branch in branch_by_name.items():
            if name not in names:
                hint = did_you_mean(name, names)
                message = f"{kind.name} has no branch `{name}`"
                self.problems.add("CC101", message, branch.origin, hint)
        for name in kind.branch_names:
            if name not in branch_by_name and not name.endswith("?"):
                hint = f"write {{{kind.name}: {{{name}: […], …}}}}"
                self.problems.add("CC103", f"{kind.name} needs a branch `{name}`", word, hint)
        copied = branch_by_name.get(kind.copied_branch)
        if copied is not None and copied.source is not None:
            message = f"branch `{copied.name}` must be a list of layers, which are copied"
            self.problems.add("CC104", message, copied.source)
        return tuple([branch_by_name[name] for name in names if name in branch_by_name])

    def _branch(self, key: Scalar, body: Node, names: Names) -> Branch:
        self.common.check_name(key)
        if type(body) is Scalar and not body.null:
            return Branch(key.text, key, source=body)
        if type(body) is not Sequence:
            message = f"branch `{key.text}` must be a list of layers or the name of a layer"
            hint = "an empty list [] outputs the incoming tensor"
            self.problems.add("CC104", message, key, hint)
            return Branch(key.text, key)
        return Branch(key.text, key, self.layers(body, f"branch `{key.text}`", names))

    def _bind(self, layer: LayerNode, kind: type[Kind[Any]], written: Written) -> LayerNode:
        """Adds the options, and the layer itself if all of them are constants."""
        values = self.binder.bind(kind, written)
        if values is None:
            return layer
        constant = None
        if all(value.constant is not DEFERRED for value in values):
            try:
                constant = kind(**{value.option.name: value.constant for value in values})
            except ConstraintError as error:
                self.problems.refuse(written.word, error)
        return layer._replace(kind=kind, options=values, layer=constant)
