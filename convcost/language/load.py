"""Loads the networks of a source. Each section of a document is read before those that use it."""

from collections.abc import Collection
from functools import lru_cache
from operator import is_
from typing import TYPE_CHECKING

from convcost.language.blocks import parse_blocks
from convcost.language.expand import Expansion
from convcost.language.fields import Sections
from convcost.language.network_builder import NetworkTooLargeError
from convcost.language.network_inputs import MINIMAL_SPEC, NetworkInputs, Settings
from convcost.language.parser import LayerParser
from convcost.language.problems import AliasLimitError, Problems
from convcost.language.syntax_tree import Block
from convcost.language.values import Names
from convcost.language.yaml_nodes import (
    Mapping,
    Node,
    Scalar,
    Sequence,
    count_values,
    filled_documents,
    parse_documents,
)
from convcost.model.errors import Note, Source, SpecError
from convcost.model.network import Budget, Network, Published
from convcost.model.record import NamedTuple
from convcost.model.shape import Shape
from convcost.model.suggestions import did_you_mean, limited_suggestions

if TYPE_CHECKING:
    from convcost.language.published import FiguresBySettings
    from convcost.language.syntax_tree import LayerNode
    from convcost.model.dtypes import Dtypes

MAX_LAYERS_IN_ALL = 500_000  # layers and groups of all networks that are loaded at once
TEXTS = ("name", "source", "note")
WITH_LAYERS = ("defaults", "blocks", "layers")
SETTABLE = ("input", "inputs", "vars", "defaults", "blocks", "layers", "dtype")
WITH_FIGURES = ("published", "budget", "variants")
SECTIONS = (*TEXTS, *SETTABLE, *WITH_FIGURES)


def load(source: Source, settings: Settings = Settings(), pick: str | None = None) -> list[Network]:  # noqa: B008
    """The networks of a source, or the one named `pick`. Raises SpecError with all problems."""
    documents = Documents(source) if pick is None else documents_of(source)
    return documents.load(settings, pick)


@lru_cache(maxsize=1)
def documents_of(source: Source) -> "Documents":
    """The documents of a source. They are kept for the next call, which may select another of
    them."""
    return Documents(source)


class Documents:
    """The documents of a source. The text is parsed once, for any number of settings.

    `variants` has the name of the network of each variant.
    """

    def __init__(self, source: Source) -> None:
        self.source = source
        self._written: _WrittenLayers | None = None  # the layers of the last document
        self._by_settings: dict[str, FiguresBySettings] = {}  # by the name of the document
        nodes, yaml_problems = parse_documents(source.text)
        self.problems = Problems(yaml_problems)
        if not nodes and not yaml_problems:
            self.problems.add("CC005", f"{source.name} contains no spec", help=MINIMAL_SPEC)
        self._by_name: dict[str, Mapping] = {}
        self.variants: dict[str, str] = {}
        with limited_suggestions():
            self._list(nodes)

    def load(
        self,
        settings: Settings = Settings(),  # noqa: B008
        pick: str | None = None,
        *,
        figures: Collection[int] | None = None,
        only_current: bool = False,
    ) -> list[Network]:
        """The networks, or the one named `pick`. `figures` are the entries of `published` to read;
        then the section `budget` is not read. With `only_current`, entries for other settings are
        read once, in the first call. Raises SpecError with all problems."""
        problems = Problems(self.problems)
        selected = self._by_name
        if pick is not None:
            document_name = pick if pick in selected else self.variants.get(pick, pick)
            selected = {name: node for name, node in selected.items() if name == document_name}
            if not selected and not problems:
                message = f"there is no document `{pick}` in this file"
                names = (*self.variants, *self._by_name)
                problems.add("CC113", message, help=did_you_mean(pick, names))
        with limited_suggestions():
            networks = []
            size = 0
            for name, node in selected.items():
                problems.start_document()
                try:
                    network = self._read_network(
                        name, node, settings, problems, figures, only_current=only_current
                    )
                except AliasLimitError:
                    problems.report_repeated(node)
                    break
                networks.append(network and network._replace(notes=self.source.notes))
                size += len(network.steps) + len(network.groups) if network else 0
                if size > MAX_LAYERS_IN_ALL:
                    message = f"the networks have more than {MAX_LAYERS_IN_ALL:,} layers in all"
                    hint = f"select one of them with `#`, such as `{self.source.name}#{name}`"
                    problems.add("CC110", message, node.entries["layers"][0], hint)
                    break
        if problems:
            # Variants repeat the problems of their document.
            raise SpecError(self.source, list(dict.fromkeys(problems)))
        return [network for network in networks if network is not None]

    def count_values(self, name: str, most: int) -> int:
        """The values of a document that are read for any settings, without its figures; see
        `yaml_nodes.count_values`."""
        entries = self._by_name[name].entries
        return count_values([entries[key][1] for key in SETTABLE if key in entries], most)

    @property
    def sources(self) -> dict[str, str]:
        """The text of `source` of each network, by name."""
        node_by_name = {name: node.get("source") for name, node in self._by_name.items()}
        return {name: n.text if type(n) is Scalar else "" for name, n in node_by_name.items()}

    def _list(self, nodes: list[Node]) -> None:
        filled = filled_documents(nodes)
        for index, node in enumerate(filled or nodes):
            if type(node) is not Mapping:
                message = "a spec must be a mapping with `input` and `layers`"
                self.problems.add("CC005", message, node if filled else None, MINIMAL_SPEC)
                continue
            figures = [node.entries[key][1] for key in WITH_FIGURES if key in node.entries]
            if self.problems.refuse_repeated(node, figures):
                continue
            name = self._name(node, index if len(filled) > 1 else None)
            if node.get("variants") is None:
                self._add(name, node)
                continue
            from convcost.language.variants import expand_variants

            for key, variant in expand_variants(name, node, self.problems):
                full = f"{name}-{key.text}"
                if self.variants.setdefault(key.text, full) != full:
                    self.problems.add("CC107", f"two variants are named `{key.text}`", key)
                self._add(full, variant)

    def _add(self, name: str, node: Mapping) -> None:
        other = self._by_name.setdefault(name, node)
        if other is not node:
            note = Note("the first one is here", (other.get("name") or other).span)
            message = f"two documents are named `{name}`"
            self.problems.add("CC107", message, node.get("name") or node, "", note)

    def _name(self, node: Mapping, index: int | None) -> str:
        """The name in a document, otherwise the name of its file without suffixes, with the number
        of the document if there are several."""
        name = node.get("name")
        if type(name) is Scalar and name.text:
            return name.text
        file = self.source.name.replace("\\", "/").rsplit("/", 1)[-1]
        stem = file.split(".")[0] or file
        return stem if index is None else f"{stem}_{index + 1}"

    def _read_network(
        self,
        name: str,
        node: Mapping,
        settings: Settings,
        problems: Problems,
        figures: Collection[int] | None,
        *,
        only_current: bool,
    ) -> Network | None:
        """The network of one document; None, and problems, if something is wrong."""
        before = len(problems)
        if entry := node.entries.get("class_name"):
            hint = "this is the file of a Keras model: `convcost import FILE` writes a spec of it"
            problems.add("CC101", "a spec has no section `class_name`", entry[0], hint)
            return None
        sections = Sections(node, problems)
        sections.check_keys("a spec", node.entries, SECTIONS, "section")
        texts = {name: sections.text(node.get(name), name, "CC104") for name in TEXTS}
        network_inputs = NetworkInputs(sections, name, settings)
        variables = network_inputs.variables
        inputs, origins = network_inputs.inputs()
        written = self._read_layers(sections, network_inputs.names)
        expansion = Expansion(problems, variables, inputs, origins)
        try:
            output = expansion.expand(written.items, written.blocks)
        except NetworkTooLargeError as error:
            problems.calls.clear()
            problems.add("CC110", error.message, node.entries["layers"][0])
            return None
        paths = None
        if len(problems) == before:
            groups = (group.path for group in expansion.groups)
            paths = dict.fromkeys((*(step.path for step in expansion.steps), *groups))
        dtypes = _read_dtypes(node, inputs, paths, problems)
        current = self._by_settings.get(name) if only_current else None
        entries = figures if current is None else current.of(network_inputs)
        published = _read_published(node, network_inputs, paths, problems, entries)
        budget = _read_budget(node, paths, problems) if figures is None else None
        if len(problems) > before:
            return None
        if only_current and current is None and published:
            from convcost.language.published import FiguresBySettings

            self._by_settings[name] = FiguresBySettings(published)
        return Network(
            name=name,
            file=self.source.name,
            inputs=inputs,
            steps=tuple(expansion.steps),
            groups=tuple(expansion.groups),
            source=texts["source"],
            variables=tuple(variables.items()),
            published=published,
            budget=budget,
            output=output.shape or Shape(0),
            last=-1 if output.source is None else output.source,
            changed=tuple(network_inputs.changed.items()),
            resized=network_inputs.resized,
            states_bias=written.states_bias,
            dtypes=dtypes,
        )

    def _read_layers(self, sections: Sections, names: Names) -> "_WrittenLayers":
        """The layers of a document as written; their expressions may use `names`. The layers of the
        last document are kept: they are the same for other values of its variables, and for its
        next variant."""
        key = (*map(sections.node.get, WITH_LAYERS), tuple(names))
        last = self._written
        if last is not None and all(map(is_, key[:-1], last.key)) and key[-1] == last.key[-1]:
            return last
        before = len(sections.problems)
        written = _read_layers(sections, names, key)
        self._written = written if len(sections.problems) == before else None
        return written


class _WrittenLayers(NamedTuple):
    """The layers and the blocks of a document as written. `key` has the sections that they are
    read from, and the names of the variables."""

    key: tuple[object, ...]
    items: "tuple[LayerNode, ...]"
    blocks: tuple[Block, ...]
    states_bias: bool


def _read_layers(sections: Sections, names: Names, key: tuple[object, ...]) -> _WrittenLayers:
    """Reads `defaults`, `blocks` and `layers`."""
    parser = LayerParser(sections.problems)
    parse_blocks(sections, parser, names)
    layers = sections.node.get("layers")
    items = parser.layers(layers, "`layers`", names)
    if layers is None or (type(layers) is Sequence and not layers.items):
        missing_at = layers or sections.head()
        parser.problems.add("CC103", "a spec needs `layers`", missing_at, MINIMAL_SPEC)
    return _WrittenLayers(key, items, tuple(parser.blocks.values()), parser.binder.states_bias)


def _read_dtypes(
    node: Mapping,
    inputs: tuple[tuple[str, Shape], ...],
    paths: Collection[str] | None,
    problems: Problems,
) -> "Dtypes | None":
    """The section `dtype`. `paths` are the paths of the network, or None if they are not known."""
    types = node.get("dtype")
    if not types:
        return None
    from convcost.language.dtypes import DtypeParser

    named = None if paths is None else dict.fromkeys((*paths, *(name for name, _ in inputs)))
    return DtypeParser(problems, named).parse(types)


def _read_published(
    node: Mapping,
    network_inputs: NetworkInputs,
    paths: Collection[str] | None,
    problems: Problems,
    entries: Collection[int] | None,
) -> tuple[Published, ...]:
    """The section `published`, or some of its entries. `paths` are the paths of the network, or
    None if they are not known."""
    printed = node.get("published")
    if entries is not None and type(printed) is Sequence:
        printed = printed._replace(items=[printed.items[n] for n in entries])
    if not printed:
        return ()
    from convcost.language.published import PublishedParser

    return PublishedParser(problems, network_inputs, paths).parse(printed)


def _read_budget(node: Mapping, paths: Collection[str] | None, problems: Problems) -> Budget | None:
    """The section `budget`. `paths` are the paths of the network, or None if they are not known."""
    limits = node.get("budget")
    if not limits:
        return None
    from convcost.language.budgets import BudgetParser

    return BudgetParser(problems, paths).parse(limits)
