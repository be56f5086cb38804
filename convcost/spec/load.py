"""A source to its networks: the sections of a document, in the order they need each other."""

from typing import Any, NamedTuple

from convcost.errors import Note, Problem, Refusal, Source, SpecError
from convcost.kind import Option
from convcost.names import did_you_mean
from convcost.network import Budget, Network, Placed, Published
from convcost.options import size_of, tensor
from convcost.shapes import Shape
from convcost.spec.document import Mapping, Node, Scalar, Sequence, read
from convcost.spec.figures import Figures, Names
from convcost.spec.layout import MOST_LAYERS, Layout, TooMany
from convcost.spec.read import COMMON, Reader
from convcost.spec.recipes import Block, Bound, Recipe
from convcost.spec.scope import Scope, Tensor
from convcost.spec.values import IN, Values

SECTIONS = (
    "name", "source", "note", "input", "inputs", "vars", "defaults", "blocks", "layers",
    "published", "budget",
)  # fmt: skip
DEEPEST_BLOCKS = 64


class Settings(NamedTuple):
    """What a request changes in a spec: `--set`, `--size`."""

    variables: tuple[tuple[str, Any], ...] = ()
    size: tuple[int, ...] | None = None


def load(source: Source, settings: Settings = Settings(), pick: str | None = None) -> list[Network]:  # noqa: B008
    """The networks of a source, or the one named `pick`. Raises SpecError with all problems."""
    nodes, problems = read(source.text)
    if not nodes and not problems:
        problems.append(Problem("CC005", f"{source.name} holds no spec", help=_MINIMAL))
    documents = []
    if not problems or nodes:
        documents = _picked(_documents(nodes, source, problems), pick, problems)
    networks = [document.network(settings) for document in documents]
    if problems:
        raise SpecError(source, problems)
    return [network for network in networks if network is not None]


_MINIMAL = "a spec has at least `input: {channels: 3, size: 224}` and `layers: [...]`"


def _documents(nodes: list[Node], source: Source, problems: list[Problem]) -> list["Document"]:
    documents: list[Document] = []
    for index, node in enumerate(nodes):
        if type(node) is not Mapping:
            empty = type(node) is Scalar and node.null
            found = "nothing" if empty else "a list" if type(node) is Sequence else "one word"
            message = f"a spec is a mapping with `input` and `layers`, not {found}"
            problems.append(Problem("CC005", message, None if empty else node.place, help=_MINIMAL))
            continue
        document = Document(node, source, problems, index if len(nodes) > 1 else None)
        same = next((other for other in documents if other.name == document.name), None)
        if same is not None:
            place = _place(document.node.get("name"), document.node)
            notes = (Note("and this one", _place(same.node.get("name"), same.node)),)
            message = f"two documents are named `{document.name}`"
            problems.append(Problem("CC107", message, place, notes))
        documents.append(document)
    return documents


def _place(node: Node | None, other: Node) -> Any:
    return (node or other).place


def _picked(
    documents: list["Document"], pick: str | None, problems: list[Problem]
) -> list["Document"]:
    if pick is None:
        return documents
    found = [document for document in documents if document.name == pick]
    if not found:
        hint = did_you_mean(pick, [document.name for document in documents])
        problems.append(Problem("CC113", f"there is no document `{pick}` in this file", help=hint))
    return found


class Document:
    """One document on its way to a network."""

    def __init__(
        self, node: Mapping, source: Source, problems: list[Problem], index: int | None
    ) -> None:
        self.node = node
        self.source = source
        self.problems = problems
        self.values = Values(problems)
        name = node.get("name")
        stem = source.name.replace("\\", "/").rsplit("/", 1)[-1].split(".")[0]
        if type(name) is Scalar and not name.null:
            self.name = name.text
        else:
            self.name = stem if index is None else f"{stem}_{index + 1}"

    def problem(self, code: str, message: str, node: Node, help: str = "") -> None:  # noqa: A002
        self.problems.append(Problem(code, message, node.place, help=help))

    def network(self, settings: Settings) -> Network | None:
        before = len(self.problems)
        for name, (key, _) in self.node.entries.items():
            if name not in SECTIONS and not name.startswith("x-"):
                hint = did_you_mean(name, SECTIONS)
                self.problem("CC101", f"a spec has no section `{name}`", key, hint)
        variables = self._variables(settings)
        inputs, places = self._inputs(settings, variables)
        reader = Reader(self.values, variables)
        names = tuple(variables)
        self._defaults(reader, names)
        self._blocks(reader, names)
        layers = self.node.get("layers")
        if layers is None:
            self.problem("CC103", "a spec needs `layers`", self._head(), _MINIMAL)
        items = reader.layers(layers, "`layers`", names)
        if type(layers) is Sequence and not layers.items:
            self.problem("CC103", "`layers` has no layers", layers)
        layout = Layout(self.values, variables, inputs, places)
        self._run(layout, items, variables)
        published, budget = self._figures(layout, variables, complete=len(self.problems) == before)
        if len(self.problems) > before:
            return None
        return Network(
            name=self.name,
            file=self.source.name,
            inputs=inputs,
            steps=tuple(layout.steps),
            groups=tuple(layout.groups),
            source=self._text("source"),
            variables=tuple(variables.items()),
            published=published,
            budget=budget,
        )

    def _head(self) -> Node:
        """Where a missing section is missed: the first key."""
        first = next(iter(self.node.entries.values()), None)
        return first[0] if first is not None else self.node

    def _text(self, section: str) -> str:
        node = self.node.get(section)
        if node is None or (type(node) is Scalar and node.null):
            return ""
        if type(node) is not Scalar:
            self.problem("CC104", f"`{section}` must be text", node)
            return ""
        return node.text

    def _mapping(self, section: str) -> dict[str, tuple[Scalar, Node]]:
        node = self.node.get(section)
        if node is None or (type(node) is Scalar and node.null):
            return {}
        if type(node) is not Mapping:
            self.problem("CC104", f"`{section}` must be a mapping", node)
            return {}
        return node.entries

    # Variables and inputs

    def _variables(self, settings: Settings) -> dict[str, Any]:
        """`vars` in order, each an expression over those before it; `--set` replaces."""
        variables: dict[str, Any] = {}
        declared = self._mapping("vars")
        given = dict(settings.variables)
        for name in given:
            if name not in declared:
                self.problems.append(
                    Problem(
                        "CC113",
                        f"`{self.name}` has no variable `{name}` to set",
                        help=did_you_mean(name, declared),
                    )
                )
        for name, (key, value) in declared.items():
            if not _is_name(name):
                self.problem("CC107", f"`{name}` cannot be the name of a variable", key, _NAMES)
                continue
            bound = self._variable(name, value, variables)
            if name in given:
                variables[name] = given[name]
            elif bound is not None:
                variables[name] = bound
            else:
                variables[name] = 1  # said already; what uses it is still to be read
        return variables

    def _variable(self, name: str, value: Node, before: dict[str, Any]) -> Any:
        option = Option(name, name, "Variable", "a number, true or false")
        bound = self.values.bind(option, value, before, "vars")
        if bound is None:
            return None
        try:
            return self.values.settle(bound, _looked_up(before))
        except Refusal as refusal:
            self.values.refuse(value.place, refusal)
            return None

    def _inputs(
        self, settings: Settings, variables: dict[str, Any]
    ) -> tuple[tuple[tuple[str, Shape], ...], list[Placed]]:
        both = self.node.get("input"), self.node.get("inputs")
        if both[0] is not None and both[1] is not None:
            self.problem("CC104", "a spec has either `input` or `inputs`", both[1])
        if both[0] is None and both[1] is None:
            self.problem("CC103", "a spec needs `input`", self._head(), _MINIMAL)
        nodes = {"input": both[0]} if both[0] is not None else {}
        if not nodes:
            nodes = {name: value for name, (_, value) in self._mapping("inputs").items()}
        inputs: list[tuple[str, Shape]] = []
        places: list[Placed] = []
        for name, node in nodes.items():
            shape = self._input(name, node, variables)
            inputs.append((name, shape or Shape(0)))
            places.append(node)
        if settings.size is not None and inputs:
            inputs = self._resized(inputs, settings.size, places[0])
        return tuple(inputs), places

    def _input(self, name: str, node: Node, variables: dict[str, Any]) -> Shape | None:
        option = Option(name, name, "Tensor", "a shape")
        bound = self.values.bind(option, node, variables, "the network")
        if bound is None:
            return None
        try:
            value = self.values.settle(bound, _looked_up(variables))
            return value if isinstance(value, Shape) else tensor(value)
        except Refusal as refusal:
            self.values.refuse(node.place, refusal, f"`{name}`:")
            return None

    def _resized(
        self, inputs: list[tuple[str, Shape]], size: tuple[int, ...], place: Placed
    ) -> list[tuple[str, Shape]]:
        if len(inputs) > 1:
            message = "--size has one meaning only where there is one input"
            self.problems.append(Problem("CC113", message, place.place))
            return inputs
        name, shape = inputs[0]
        rank = len(shape.size)
        if shape.channels == 0:
            return inputs
        # One number is a square, a row or a cube, as the spec's own input is.
        wanted = size * rank if len(size) == 1 else size
        if rank == 0 or len(wanted) != rank:
            axes = "is flat" if rank == 0 else f"has {rank} axes"
            message = f"--size gives {len(size)} numbers, the input of `{self.name}` {axes}"
            self.problems.append(Problem("CC113", message, place.place))
            return inputs
        return [(name, Shape(shape.channels, size_of(wanted)))]

    # Defaults and blocks

    def _defaults(self, reader: Reader, names: tuple[str, ...]) -> None:
        for kind_name, (key, node) in self._mapping("defaults").items():
            kind = reader.vocabulary.get(kind_name)
            if kind is None or isinstance(kind, Block):
                hint = did_you_mean(kind_name, reader.vocabulary)
                self.problem("CC102", f"there is no kind `{kind_name}`", key, hint)
                continue
            if type(node) is not Mapping:
                self.problem("CC104", f"`{kind_name}` must be a mapping of options", node)
                continue
            bound: list[Bound] = []
            for name, (option_key, value) in node.entries.items():
                option = kind.options.get(name)
                if option is None:
                    hint = did_you_mean(name, kind.options)
                    self.problem("CC101", f"{kind_name} has no option `{name}`", option_key, hint)
                    continue
                made = self.values.bind(option, value, names, kind_name)
                if made is not None:
                    bound.append(made)
            reader.defaults[kind_name] = tuple(bound)

    def _blocks(self, reader: Reader, names: tuple[str, ...]) -> None:
        bodies: list[tuple[Block, Mapping]] = []
        for name, (key, node) in self._mapping("blocks").items():
            block = Block(name, key)
            if name in reader.vocabulary:
                self.problem("CC107", f"`{name}` is a kind and cannot be a block", key)
                continue
            reader.vocabulary[name] = block
            if type(node) is not Mapping:
                self.problem(
                    "CC104", f"block `{name}` must have `layers`", key, "options: {…}, layers: […]"
                )
                block.broken = True
                continue
            self._options(block, node, names)
            bodies.append((block, node))
        for block, node in bodies:
            layers = node.get("layers")
            if layers is None:
                self.problem("CC103", f"block `{block.name}` needs `layers`", block.origin)
            seen = (*names, *(name for name in block.options if name not in names))
            block.items = reader.layers(layers, f"`layers` of block `{block.name}`", seen)
        self._calls([block for block, _ in bodies])

    def _options(self, block: Block, node: Mapping, names: tuple[str, ...]) -> None:
        for name, (key, _) in node.entries.items():
            if name not in ("options", "layers", "note") and not name.startswith("x-"):
                hint = did_you_mean(name, ("options", "layers", "note"))
                self.problem("CC101", f"a block has no key `{name}`", key, hint)
        options = node.get("options")
        if options is None or (type(options) is Scalar and options.null):
            return
        if type(options) is not Mapping:
            block.broken = True
            self.problem("CC104", "`options` must be a mapping", options, "{width: , stride: 1}")
            return
        seen = list(names)
        for name, (key, value) in options.entries.items():
            if not _is_name(name) or name in (*COMMON, "weights"):
                self.problem("CC107", f"`{name}` cannot be the name of an option", key, _NAMES)
                block.broken = True
                continue
            meaning = f"an option of block {block.name}"
            option = Option(name, name, "Variable", meaning)
            if not (type(value) is Scalar and value.null):
                bound = self.values.bind(option, value, seen, block.name)
                if bound is None:
                    block.broken = True
                    bound = Bound(option, value, 1)
                block.defaults[name] = bound
                option = option._replace(default=bound.constant)
            block.options[name] = option
            seen.append(name)

    def _calls(self, blocks: list[Block]) -> None:
        """No block may call itself, over however many others."""
        safe: set[str] = set()

        def visit(block: Block, chain: tuple[Block, ...]) -> bool:
            if block.name in safe:
                return True
            if block in chain:
                self._circle((*chain[chain.index(block) :], block))
                return False
            if len(chain) >= DEEPEST_BLOCKS:
                message = f"blocks call each other more than {DEEPEST_BLOCKS} deep"
                self.problem("CC004", message, block.origin)
                return False
            for called in _called(block.items):
                if not visit(called, (*chain, block)):
                    block.items = ()
                    return False
            safe.add(block.name)
            return True

        for block in blocks:
            visit(block, ())

    def _circle(self, chain: tuple[Block, ...]) -> None:
        names = " → ".join(block.name for block in chain)
        self.problem(
            "CC109", f"block `{chain[0].name}` calls itself: {names}", chain[0].origin,
            "write the levels out, or use `repeat`",
        )  # fmt: skip

    # Layers and figures

    def _run(self, layout: Layout, items: tuple[Recipe, ...], variables: dict[str, Any]) -> None:
        flows = [
            Tensor(-1 - k, shape if shape.channels else None)
            for k, (_, shape) in enumerate(layout.inputs)
        ]
        entering = flows[0] if len(flows) == 1 else Tensor(None, None)
        if not flows:
            entering = Tensor(-1, None)
        scope = Scope("", variables, None, items, entering)
        for (name, _), place, flow in zip(layout.inputs, layout.input_places, flows, strict=True):
            if name != "input":
                layout.declare(scope, name, place, flow)
        try:
            layout.all(scope, entering)
        except TooMany:
            message = f"the network has more than {MOST_LAYERS:,} layers"
            self.problem("CC110", message, self.node.entries["layers"][0])

    def _figures(
        self, layout: Layout, variables: dict[str, Any], *, complete: bool
    ) -> tuple[tuple[Published, ...], Budget | None]:
        published, budget = self.node.get("published"), self.node.get("budget")
        if published is None and budget is None:
            return (), None
        paths: Any = {step.path for step in layout.steps} | {group.path for group in layout.groups}
        figures = Figures(self.problems)
        names = Names(paths if complete else _Anything(), variables)
        return (
            figures.published(published, names) if published is not None else (),
            figures.budget(budget, paths) if budget is not None else None,
        )


class _Anything(frozenset[str]):
    """The paths of a network that could not be laid out: any may exist."""

    def __contains__(self, path: object) -> bool:
        return True


_NAMES = "letters, digits and _; `in_` and the common keys are the language's own"


def _is_name(name: str) -> bool:
    words = ("and", "or", "not", "if", "else", "true", "false", "True", "False", "TRUE", "FALSE")
    return (
        name.isascii() and name.isidentifier() and not name.startswith("in_") and name not in words
    )


def _looked_up(variables: dict[str, Any]) -> Any:
    def lookup(name: str) -> Any:
        if name in IN:
            raise Refusal("CC106", f"{name} has no value here: nothing has come in yet")
        return variables[name]

    return lookup


def _called(items: tuple[Recipe, ...]) -> list[Block]:
    found: list[Block] = []
    for item in items:
        if item.block is not None:
            found.append(item.block)
        found += _called(item.items)
        for branch in item.branches:
            found += _called(branch.items)
    return found
