"""The section `published`: figures printed elsewhere. `convcost verify` compares them."""

from collections.abc import Collection, Iterable
from functools import partial
from typing import Any

from convcost.language.fields import A_CONVENTION, A_DTYPE, SET_EXAMPLE, FieldReader
from convcost.language.network_inputs import NetworkInputs
from convcost.language.problems import Problems
from convcost.language.scalars import BOOLS, parse_convention, parse_variable
from convcost.language.yaml_nodes import Mapping, Node, Scalar, Sequence
from convcost.model.errors import ConstraintError
from convcost.model.figures import parse_figure, parse_whole_figure
from convcost.model.measures import Measure
from convcost.model.network import COUNTED, Published
from convcost.model.options import size_of
from convcost.model.suggestions import did_you_mean

IN_BYTES = ("flash", "peak_memory")
PRINTED = (*Measure, "channels", "flops", *IN_BYTES)
KEYS = (
    *PRINTED,
    *("count", "layer", "source", "note", "k", "truncated", "off", "set", "size", "dtype"),
)


class FiguresBySettings:
    """The indices of published entries by their settings, so that those of one network are found
    without a look at all others."""

    def __init__(self, entries: Iterable[Published]) -> None:
        # By the names of their variables, then by the values of these and the size.
        self._indices: dict[tuple[str, ...], dict[tuple[Any, ...], list[int]]] = {}
        for index, entry in enumerate(entries):
            values = dict(entry.settings)
            names = tuple(sorted(values))
            key = (*map(values.get, names), entry.size)
            self._indices.setdefault(names, {}).setdefault(key, []).append(index)

    def of(self, inputs: NetworkInputs) -> list[int]:
        """The entries, in order, that may have the variables and the size of a network."""
        indices: list[int] = []
        for names, by_values in self._indices.items():
            values = tuple(map(inputs.variables.get, names))
            for size in {inputs.size, None}:
                indices += by_values.get((*values, size), ())
        return sorted(indices)


class PublishedParser(FieldReader):
    """Parses the figures of one network.

    `paths` are the paths of its layers, or None if the network has a problem."""

    def __init__(
        self, problems: Problems, inputs: NetworkInputs, paths: Collection[str] | None
    ) -> None:
        super().__init__(problems)
        self.inputs = inputs
        self.paths = paths

    def parse(self, node: Node) -> tuple[Published, ...]:
        """The figures of a section. Adds a problem for each mistake."""
        return self.items(node, "published", self._entry, "begin each with `- `")

    def _entry(self, node: Node) -> Published | None:
        if type(node) is not Mapping:
            message = "a published figure must be a mapping"
            self.problems.add("CC112", message, node, "{params: 25.6M, source: …}")
            return None
        self.check_keys("a published figure", node.entries, KEYS)
        nodes = {name: value for name, (_, value) in node.entries.items() if name in PRINTED}
        value, biases = nodes.get("biases"), None
        if type(value) is Scalar and value.text in BOOLS:  # a declaration, not a figure
            biases = BOOLS[value.text]
            del nodes["biases"]
        figures = []
        for measure in PRINTED:
            if measure in nodes:
                parse = partial(parse_figure, byte=measure in IN_BYTES)
                read = self.parse_text(nodes[measure], measure, parse)
                if read is not None:
                    figures.append((measure, read))
        if not nodes:
            listed = ", ".join(f"`{measure}`" for measure in PRINTED)
            message = "a published figure needs a measure"
            self.problems.add("CC112", message, node, f"add at least one of {listed}")
        if "source" not in node.entries:
            message = "a published figure needs `source`"
            self.problems.add("CC103", message, node, "name the paper or page that prints it")
        if {"peak_memory", "layer"} <= node.entries.keys():
            message = "`peak_memory` is a figure of the whole network, not of a layer"
            self.problems.add("CC112", message, node.entries["peak_memory"][0])
        settings = self._settings(node.get("set"))
        size = self._size(node.get("size"))
        applies = self.inputs.have_settings(settings, size)
        printed = tuple(measure for measure, _ in figures)
        return Published(
            layer=self._layer(node, applies=applies),
            figures=tuple(figures),
            source=self.text(node.get("source"), "source"),
            span=node.span,
            settings=settings,
            size=size,
            note=self.text(node.get("note"), "note"),
            off=self._measures(node, "off", printed),
            binary=self._binary(node.get("k"), printed),
            truncated=self._measures(node, "truncated", printed),
            biases=biases,
            counted_by=self._count(node.get("count"), node),
            dtype=self._dtype(node),
            applies=applies,
        )

    def _count(self, value: Node | None, node: Mapping) -> str:
        """The convention of the figures of operations and activations."""
        if value is None:
            return ""
        counted = [measure for measure in COUNTED if measure in node.entries]
        name = self.parse_text(
            value, "count", lambda text: parse_convention(text, counted), A_CONVENTION
        )
        if not counted:
            message = "`count` has no effect without a figure that a convention counts"
            self.problems.add("CC112", message, value, f"add one of {', '.join(COUNTED)}")
        return name or ""

    def _dtype(self, node: Mapping) -> str:
        """The dtypes of the figures in bytes; empty if they are those of the spec."""
        value = node.get("dtype")
        if value is None:
            return ""
        if node.entries.keys().isdisjoint(IN_BYTES):
            message = "`dtype` has no effect without a figure in bytes"
            self.problems.add("CC112", message, value, f"any of {', '.join(IN_BYTES)}")
        from convcost.model.dtypes import parse_dtypes

        dtypes = self.parse_text(value, "dtype", parse_dtypes, A_DTYPE)
        return dtypes.text if dtypes else ""

    def _layer(self, node: Mapping, *, applies: bool) -> str:
        """The path of the layer; checked only if this network has the settings of the figure."""
        layer = self.text(node.get("layer"), "layer")
        if layer and applies and self.paths is not None and layer not in self.paths:
            hint = did_you_mean(layer, self.paths, 0)
            where = node.entries["layer"][1]
            self.problems.add("CC108", f"there is no layer `{layer}`", where, hint)
        return layer

    def _settings(self, node: Node | None) -> tuple[tuple[str, Any], ...]:
        if node is None:
            return ()
        if type(node) is not Mapping:
            message = "`set` must be a mapping of variables"
            self.problems.add("CC112", message, node, SET_EXAMPLE)
            return ()
        settings = []
        for name, (key, value) in node.entries.items():
            if name not in self.inputs.defaults:
                hint = did_you_mean(name, self.inputs.defaults)
                self.problems.add("CC113", f"there is no variable `{name}`", key, hint)
            elif type(value) is not Scalar:
                self.problems.add("CC112", f"`{name}` must be a number, true or false", value)
            else:
                setting = self.parse_text(value, name, parse_variable)
                if setting is not None:
                    settings.append((name, setting))
        return tuple(settings)

    def _size(self, node: Node | None) -> tuple[int, ...] | None:
        if node is None:
            return None
        items = node.items if type(node) is Sequence else [node]
        numbers = [self.parse_text(item, "size", parse_whole_figure) for item in items]
        if None in numbers:
            return None
        try:
            return size_of(tuple(numbers) if type(node) is Sequence else numbers[0])
        except ConstraintError as error:
            self.problems.refuse(node, error)
            return None

    def _measures(self, node: Mapping, key: str, printed: tuple[str, ...]) -> tuple[str, ...]:
        """The measures that `key` names: `true` means all measures of the entry."""
        value = node.get(key)
        if value is None:
            return ()
        if type(value) is Scalar and value.text in BOOLS:
            return printed if BOOLS[value.text] else ()
        items = value.items if type(value) is Sequence else [value]
        measures = tuple(item.text for item in items if type(item) is Scalar)
        if not measures or len(measures) < len(items) or not set(measures) <= set(printed):
            message = f"`{key}` must be true, or a list of: {', '.join(printed)}"
            self.problems.add("CC112", message, value)
            return ()
        return measures

    def _binary(self, node: Node | None, printed: tuple[str, ...]) -> tuple[str, ...]:
        """The measures with K = 1024: a number means all measures of the entry, a mapping some."""
        if node is None:
            return ()
        by_name = node.entries if type(node) is Mapping else dict.fromkeys(printed, (node, node))
        bases = {
            name: value.text if type(value) is Scalar else ""
            for name, (_, value) in by_name.items()
        }
        if not set(bases) <= set(printed) or not set(bases.values()) <= {"1000", "1024"}:
            hint = f"for single figures, write a mapping of: {', '.join(printed)}"
            self.problems.add("CC112", "`k` must be 1000 or 1024", node, hint)
        return tuple(name for name, base in bases.items() if base == "1024")
