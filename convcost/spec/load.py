"""A source to its networks: the sections of a document, in the order they need each other."""

from typing import Any

from convcost.errors import Note, Problem, Source, SpecError
from convcost.names import did_you_mean
from convcost.network import Budget, Network, Published
from convcost.shapes import Shape
from convcost.spec.blocks import Blocks
from convcost.spec.document import Mapping, Node, Scalar, Sequence, read
from convcost.spec.entry import MINIMAL, Entry, Settings
from convcost.spec.figures import Anything, Figures, Names
from convcost.spec.layout import Layout, TooMany
from convcost.spec.read import Reader
from convcost.spec.recipes import Recipe
from convcost.spec.scope import Scope, Tensor
from convcost.spec.sections import Sections
from convcost.spec.values import Values

SECTIONS = (
    "name", "source", "note", "input", "inputs", "vars", "defaults", "blocks", "layers",
    "published", "budget",
)  # fmt: skip


def load(source: Source, settings: Settings = Settings(), pick: str | None = None) -> list[Network]:  # noqa: B008
    """The networks of a source, or the one named `pick`. Raises SpecError with all problems."""
    nodes, problems = read(source.text)
    if not nodes and not problems:
        problems.append(Problem("CC005", f"{source.name} holds no spec", help=MINIMAL))
    documents = []
    if not problems or nodes:
        documents = _picked(_documents(nodes, source, problems), pick, problems)
    networks = [document.network(settings) for document in documents]
    if problems:
        raise SpecError(source, problems)
    return [network for network in networks if network is not None]


def _documents(nodes: list[Node], source: Source, problems: list[Problem]) -> list["Document"]:
    documents: list[Document] = []
    # A divider at the end of a file leaves an empty document behind.
    filled = [node for node in nodes if not (type(node) is Scalar and node.null)]
    for index, node in enumerate(filled or nodes):
        if type(node) is not Mapping:
            empty = type(node) is Scalar and node.null
            found = "nothing" if empty else "a list" if type(node) is Sequence else "one word"
            message = f"a spec is a mapping with `input` and `layers`, not {found}"
            problems.append(Problem("CC005", message, None if empty else node.place, help=MINIMAL))
            continue
        document = Document(node, source, problems, index if len(filled) > 1 else None)
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
        name = node.get("name")
        stem = source.name.replace("\\", "/").rsplit("/", 1)[-1].split(".")[0]
        if type(name) is Scalar and not name.null:
            self.name = name.text
        else:
            self.name = stem if index is None else f"{stem}_{index + 1}"

    def network(self, settings: Settings) -> Network | None:
        before = len(self.problems)
        sections = Sections(self.node, Values(self.problems))
        for name, (key, _) in self.node.entries.items():
            if name not in SECTIONS and not name.startswith("x-"):
                hint = did_you_mean(name, SECTIONS)
                sections.problem("CC101", f"a spec has no section `{name}`", key, hint)
        for name in ("name", "note"):
            if type(self.node.get(name)) in (Mapping, Sequence):
                sections.problem("CC104", f"`{name}` must be text", self.node.entries[name][1])
        entry = Entry(sections, self.name, settings)
        variables = entry.variables()
        inputs, places = entry.inputs(variables)
        reader = Reader(sections.values)
        names = tuple(variables)
        Blocks(sections, reader).read(names)
        layers = sections.get("layers")
        if layers is None:
            sections.problem("CC103", "a spec needs `layers`", sections.head(), MINIMAL)
        items = reader.layers(layers, "`layers`", names)
        if type(layers) is Sequence and not layers.items:
            sections.problem("CC103", "`layers` has no layers", layers)
        layout = Layout(sections.values, variables, inputs, places)
        output = self._run(layout, items, variables)
        complete = len(self.problems) == before
        published, budget = self._figures(layout, entry, variables, complete=complete)
        if len(self.problems) > before:
            return None
        return Network(
            name=self.name,
            file=self.source.name,
            inputs=inputs,
            steps=tuple(layout.steps),
            groups=tuple(layout.groups),
            source=sections.text("source"),
            variables=tuple(variables.items()),
            published=published,
            budget=budget,
            output=output.shape or Shape(0),
            last=-1 if output.source is None else output.source,
            changed=tuple(entry.changed.items()),
            resized=entry.resized,
        )

    # Layers and figures

    def _run(self, layout: Layout, items: tuple[Recipe, ...], variables: dict[str, Any]) -> Tensor:
        flows = [
            Tensor(-1 - k, shape if shape.channels else None)
            for k, (_, shape) in enumerate(layout.inputs)
        ]
        entering = flows[0] if len(flows) == 1 else Tensor(None, None)
        if not flows:
            entering = Tensor(-1, None)
        scope = Scope("", variables, None, items, entering)
        for (name, _), place, flow in zip(layout.inputs, layout.input_places, flows, strict=True):
            if name != "input" or len(flows) > 1:
                layout.declare(scope, name, place, flow)
        try:
            return layout.all(scope, entering)
        except TooMany as stop:
            key = self.node.entries["layers"][0]
            self.problems.append(Problem("CC110", stop.message, key.place))
            return entering

    def _figures(
        self, layout: Layout, entry: Entry, variables: dict[str, Any], *, complete: bool
    ) -> tuple[tuple[Published, ...], Budget | None]:
        published, budget = self.node.get("published"), self.node.get("budget")
        if published is None and budget is None:
            return (), None
        paths: Any = {step.path for step in layout.steps} | {group.path for group in layout.groups}
        figures = Figures(self.problems)
        known = paths if complete else Anything()
        names = Names(known, variables, entry.defaults, entry.changed, entry.resized)
        return (
            figures.published(published, names) if published is not None else (),
            figures.budget(budget, names.paths) if budget is not None else None,
        )
