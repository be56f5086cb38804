"""Inserts a 1x1 before convolutions: in the network, and in the text of its spec."""

from collections.abc import Collection
from typing import TypeAlias

from convcost.language.yaml_edit import SourceItem, SpecEditor, get
from convcost.layers.conv import Conv
from convcost.model.errors import ConstraintError, Span, UsageError
from convcost.model.graph_edit import GraphEdit
from convcost.model.record import NamedTuple
from convcost.reports.reduce.candidates import ReducibleConv, Width, find_candidates
from convcost.reports.reduce.dataflow import Dataflow, SpecItem, SpecItems
from convcost.reports.reduce.savings import NetworkSavings

# Items of one span, each with the convolution that it begins with.
Paths: TypeAlias = Collection[tuple[SpecItem, ReducibleConv]]


class Insertion(NamedTuple):
    """A 1x1 of a width before an item. If the width is too large for some of its paths, the 1x1 is
    `conditional`: those paths get none."""

    width: Width
    conditional: bool
    paths: list[tuple[SpecItem, ReducibleConv]]


class Insertions:
    """Inserts a 1x1, of the first of its widths, before each convolution with savings.

    If the convolutions are `named`, each gets a 1x1; otherwise each that then has fewer macs. A
    named one that cannot get a 1x1 raises UsageError; `notes` have the reasons for all others.
    """

    def __init__(self, savings: NetworkSavings, *, named: bool) -> None:
        self.network = savings.costs.network
        self.expand = savings.expand
        self.chosen: dict[Span, Insertion] = {}
        self.notes: list[str] = []
        self._flow = Dataflow(self.network)
        self._candidates = {conv.step: conv for conv in find_candidates(self.network)[0]}
        self._saved = {
            saving.candidate.step: saving.reduced[0].saved_macs for saving in savings.savings
        }
        self._items = items = SpecItems(self.network)
        beginnings = {span: self._begin(alike) for span, alike in items.by_span.items()}
        for saving in savings.savings:
            candidate = saving.candidate
            spans = (item.span for item in items.items_around(candidate.step))
            span = next((span for span in spans if candidate.step in beginnings[span]), None)
            reason = "is on the same line of the spec as layers that a 1x1 would change too"
            if span is not None:
                paths = beginnings[span].values()
                reason = self._choose(span, paths, saving.widths[0], named=named)
            if reason and named:
                raise UsageError(f"`{candidate.path}` {reason}")
            self.notes += [f"{candidate.path} gets no 1x1: it {reason}"] if reason else []
        changed = [conv.path for new in self.chosen.values() for _, conv in new.paths]
        requested = {saving.candidate.path for saving in savings.savings}
        also = ", ".join(path for path in changed if path not in requested)
        self.notes += (
            [f"also changed, because they are on the same lines of the spec: {also}"]
            if also
            else []
        )

    def _begin(self, alike: list[SpecItem]) -> dict[int, tuple[SpecItem, ReducibleConv]]:
        """The candidates that items of one span begin with, by step; none if one item does not.

        A candidate alone uses the input of its item. With a 1x1 after the item too, the other
        layers must be elementwise.
        """
        begins = {}
        for item in alike:
            entering = self._flow.entries(item.steps)
            if len(entering) != 1 or entering[0] not in self._candidates:
                return {}
            others = item.steps - {entering[0]}
            are_elementwise = all(map(self._flow.is_elementwise, others))
            if self.expand and not (are_elementwise and len(self._flow.exits(item.steps)) == 1):
                return {}
            begins[entering[0]] = item, self._candidates[entering[0]]
        return begins

    def _choose(self, span: Span, paths: Paths, width: Width, *, named: bool) -> str:
        """Chooses a 1x1 for an item; the reason if it gets none."""
        if span in self.chosen:
            same = self.chosen[span].width == width
            return (
                "" if same else "is on the same line of the spec as a layer that gets another width"
            )
        fitting = [each for each in paths if width.fits(each[1].x.channels)]
        if self.expand and len(fitting) < len(paths):
            return "is on the same line of the spec as a layer with too few channels"
        if not named and sum(self._saved[conv.step] for _, conv in fitting) <= 0:
            return "would cost more after a 1x1"
        self.chosen[span] = Insertion(width, len(fitting) < len(paths), fitting)
        return ""

    def change(self) -> GraphEdit:
        """The change of the steps of the network."""
        change: GraphEdit = {}
        for width, _, paths in self.chosen.values():
            for item, conv in paths:
                channels = width.width_for(conv.x.channels)
                reduce, window, *expand = conv.layers(channels, expand=self.expand)
                change[conv.step] = [("_reduce", reduce), ("", window)]
                for layer in expand:
                    (last,) = self._flow.exits(item.steps)
                    change.setdefault(last, [("", self.network.steps[last].layer)])
                    change[last].append(("_expand", layer))
        return change

    def edit(self, editor: SpecEditor) -> None:
        """Inserts a 1x1 before items; with `expand`, also a second 1x1 after each item."""
        items = {span: editor.item(span) for span in sorted(self.chosen)}
        editor.keep_names(items.values(), self._items.copies, inserts=True)
        for span, item in items.items():
            new = self.chosen[span]
            name = new.paths[0][0].path.rpartition("/")[2]
            options = _options(item, new)
            reduce = {"conv": new.width.expression, **options, "name": f"{name}_reduce"}
            source = get(item.node, "from")
            if source.id == "scalar" and source.value:
                if new.conditional:
                    message = f"`{name}` has `from`, and some of its copies get no 1x1"
                    hint = "give fewer channels, so that each copy gets one"
                    raise ConstraintError("CC004", message, hint)
                reduce["from"] = source.value
                editor.set_value(source, f"{name}_reduce")
            editor.insert(item, reduce)
            if self.expand:
                expand = {"conv": item.option_text("filters"), **options, "name": f"{name}_expand"}
                editor.set_option(item, "filters", "in_channels")
                editor.insert(item, expand, after=True)


def _options(item: SourceItem, new: Insertion) -> dict[str, str | int]:
    """The options of a 1x1 but its filters: those whose default, also from the `defaults` of the
    document, is another value, and `when`."""
    first_candidate = new.paths[0][1]
    reduce, _ = first_candidate.layers(1, expand=False)
    options: dict[str, str | int] = {}
    for name, value in reduce.option_values.items():
        of_document = get(item.document, "defaults", "conv", name).value
        default = of_document or Conv.options[name].default
        if name != "filters" and str(value).lower() != str(default).lower():
            options[name] = value
    when = get(item.node, "when").value
    conditions = [f"({when})"] if when else []
    if new.conditional:
        conditions.append(f"in_channels >= {new.width.least_channels}")
    return {**options, "when": " and ".join(conditions)} if conditions else options
