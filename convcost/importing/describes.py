"""Does a spec still describe a model? By what its layers are and how they are joined, not by what
they are called."""

from collections import Counter
from collections.abc import Iterator
from difflib import SequenceMatcher
from itertools import zip_longest
from typing import Any, NamedTuple, TypeAlias

from convcost.costs import Costs, LayerCost, inputs_of
from convcost.options import show
from convcost.report import Cell, Column, Table
from convcost.shapes import Shape, size_text
from convcost.units import grouped
from convcost.window import spread_border

# What joins the same whichever branch is written first; a concat's channels only change places.
COMMUTE = ("add", "concat", "maximum", "minimum", "multiply")
INPUT_FREE = ("learned",)  # whatever they stand behind, they give the same
# Options that say how a window slides: what it sees and gives says as much, however it is written.
SLIDING = ("stride", "padding", "ceil")
# Options that cost nothing and change nothing: what has to come in, and what follows from it.
IDLE = ("branches", "each_position", "input", "inputs")
# Kinds that say the same in other words, and what each of them says of itself alone.
MEANT = {
    "upsample": "upsample", "upsample_like": "upsample", "reshape": "reshape",
    "reshape_like": "reshape", "pad": "pad", "pad_like": "pad", "crop": "pad",
}  # fmt: skip
LOOSE = {"upsample": ("scale", "size"), "reshape": ("shape",), "pad": ("border",)}
MOST = 20
COLUMNS = (
    Column("layer", "layer", "left", folds=True),
    Column("in", "stands in", "left"),
    Column("kind", "kind", "left"),
    Column("output", "output"),
    Column("params", "params"),
    Column("macs", "macs"),
    Column("options", "options", "left", folds=True),
)
Rows: TypeAlias = tuple[LayerCost, ...]


class Describes(NamedTuple):
    """The layers of a model, imported anew, held against those of a spec."""

    model: Costs
    spec: Costs
    loose: bool = False  # how much a pool to a single element sees does not matter

    @property
    def same(self) -> bool:
        """Whether both are the same layers, joined alike: names and the order in which branches
        are written aside."""
        mine, others = (
            Counter(mark for _, mark in _fingerprints(costs, loose=self.loose))
            for costs in (self.model, self.spec)
        )
        return mine == others

    def lines(self, at: tuple[int, ...] | None = None) -> Iterator[str]:
        """The answer, which is that for a size other than the spec's own if `at` says so, and what
        is to be known of it."""
        says = "still describes" if self.same else "no longer describes"
        size = "" if at is None else f" at {size_text(at)}"
        yield f"{self.spec.network.file} {says} {self.model.network.name}{size}"
        yield ""
        if not self.same and self.differing() is None:
            yield f"the layers are the same, but joined in another way: see `{self.moved()}`"
        mine, others = self.model.totals, self.spec.totals
        yield from self._inputs()
        yield f"params: model {grouped(mine.params)}, spec {grouped(others.params)}"
        yield f"macs: model {grouped(mine.macs)}, spec {grouped(others.macs)}"

    def differing(self) -> Table | None:
        """The layers that only one of them has, in their order; None if there are none."""
        rows = list(self._differing())
        if not rows:
            return None
        more = len(rows) - MOST
        notes = (f"{grouped(more)} more layers differ",) if more > 0 else ()
        return Table("differing", "Layers that differ", COLUMNS, tuple(rows[:MOST]), notes=notes)

    def moved(self) -> str:
        """The first layer of the model that takes others in the spec; empty if there is none."""
        known = Counter(mark for _, mark in _fingerprints(self.spec, loose=self.loose))
        for row, mark in _fingerprints(self.model, loose=self.loose):
            if not known[mark]:
                return row.path
            known[mark] -= 1
        return ""

    def alone(self) -> tuple[str, LayerCost] | None:
        """The first layer that one of them has and the other has nowhere; None if there is none."""
        for where, costs, others in (
            ("model", self.model, self.spec),
            ("spec", self.spec, self.model),
        ):
            known = Counter(_local(row, others, loose=self.loose) for row in _told(others))
            for row in _told(costs):
                if not known[mark := _local(row, costs, loose=self.loose)]:
                    return where, row
                known[mark] -= 1
        return None

    def _inputs(self) -> Iterator[str]:
        ours, theirs = (
            ", ".join(shape.text for _, shape in costs.network.inputs)
            for costs in (self.model, self.spec)
        )
        if ours != theirs:
            yield f"the inputs differ: model {ours}, spec {theirs}"

    def _differing(self) -> Iterator[tuple[Cell, ...]]:
        mine, others = _told(self.model), _told(self.spec)
        ours = [_local(row, self.model, loose=self.loose) for row in mine]
        theirs = [_local(row, self.spec, loose=self.loose) for row in others]
        matcher = SequenceMatcher(None, ours, theirs, autojunk=False)
        for tag, i, j, k, m in matcher.get_opcodes():
            if tag != "equal":
                yield from self._pairs(mine[i:j], others[k:m])

    def _pairs(self, ours: Rows, theirs: Rows) -> Iterator[tuple[Cell, ...]]:
        """As many as stand at the same place side by side, then the rest."""
        for mine, other in zip_longest(ours, theirs):
            told = ("", "")
            if mine is not None and other is not None and mine.kind == other.kind:
                told = _apart(_options(mine, self.model), _options(other, self.spec))
            if mine is not None:
                yield _row(mine, "model", told[0])
            if other is not None:
                yield _row(other, "spec", told[1])


def _row(row: LayerCost, where: str, options: str) -> tuple[Cell, ...]:
    return row.path, where, row.kind, row.output.text, row.params, row.macs, options


def _options(row: LayerCost, costs: Costs) -> dict[str, str | None]:
    """The options of a layer as a spec has them."""
    layer = costs.network.steps[row.step].layer
    return {
        name: None if value is None else show(value)
        for name, value in (
            (option.name, getattr(layer, option.field))
            for option in layer.options.values()
            if option.type_name != "Layers"
        )
    }


def _apart(mine: dict[str, str | None], other: dict[str, str | None]) -> tuple[str, str]:
    """The options that two layers of a kind do not have in common, of each."""
    names = [name for name in mine if mine[name] != other[name]]
    one, two = (
        ", ".join(f"{name}: {of[name]}" for name in names if of[name] is not None)
        for of in (mine, other)
    )
    return one, two


def _told(costs: Costs) -> Rows:
    """The layers that are compared: not those that change nothing at this size."""
    return tuple(row for row in costs.layers if not _is_idle(row, costs))


def _is_idle(row: LayerCost, costs: Costs) -> bool:
    taken = inputs_of(costs.network, costs.network.steps[row.step])
    return row.kind in MEANT and taken[0] == row.output


def _local(row: LayerCost, costs: Costs, *, loose: bool) -> tuple[Any, ...]:
    """What a layer is by itself. A kind's attributes are its options, as they were given."""
    step = costs.network.steps[row.step]
    x = inputs_of(costs.network, step)
    kind, idle = _meant(row)
    options = {
        name: repr(_plain(value))
        for name, value in vars(step.layer).items()
        if name.rstrip("_") not in idle
    }
    if kind == "pad":
        options["border"] = repr(
            _border(row.kind, vars(step.layer).get("border"), x[0], row.output)
        )
    sight = step.layer.sight(step.layer.take(x))
    # How far a window moves on does not matter where it stands once.
    single = kind.startswith("global_")
    seen = [(one.first, one.last) for one in sight or () if not loose] if single else sight
    own = tuple(sorted(options.items()))
    return kind, own, repr(seen), row.output, row.params, row.buffers, row.macs


def _border(kind: str, border: Any, before: Shape, after: Shape) -> tuple[int, ...]:
    """What is added before and behind each axis; less than nothing where it is taken away."""
    if kind == "pad_like":  # the odd one behind
        whole = [m - n for n, m in zip(before.size, after.size, strict=True)]
        return (*(n // 2 for n in whole), *(n - n // 2 for n in whole))
    pairs = spread_border(border, len(before.size), "border")
    sign = -1 if kind == "crop" else 1
    return (*(sign * begin for begin, _ in pairs), *(sign * end for _, end in pairs))


def _meant(row: LayerCost) -> tuple[str, tuple[str, ...]]:
    """A layer's kind, and what is not compared: a resize or reshape is what comes out, a border
    what is added, by numbers or by another tensor's size; a window of all is the whole."""
    kind = MEANT.get(row.kind, row.kind)
    if kind != row.kind or kind in LOOSE:
        return kind, (*SLIDING, *IDLE, *LOOSE[kind])
    whole = row.kind.removeprefix("global_")
    if whole in ("avg_pool", "max_pool") and set(row.output.size) == {1}:
        return f"global_{whole}", (*SLIDING, *IDLE, "kernel", "dilation")
    return row.kind, (*SLIDING, *IDLE)


def _plain(value: Any) -> Any:
    """`[3, 3]` is 3, however it was written."""
    alike = type(value) is tuple and value and len(set(value)) == 1
    return value[0] if alike else value


def _fingerprints(costs: Costs, *, loose: bool) -> list[tuple[LayerCost, int]]:
    """A number for each layer that is compared, by what it is and by all that it comes from."""
    found: list[int] = []
    told = []
    for row, step in zip(costs.layers, costs.network.steps, strict=True):
        before = [
            found[i] if i >= 0 else hash((i, costs.network.inputs[-1 - i][1]))
            for i in step.inputs[: step.layer.seen]
        ]
        if _is_idle(row, costs):
            found.append(before[0])
            continue
        if row.kind in INPUT_FREE:
            before = []
        if row.kind in COMMUTE:
            before.sort()
        shared = None if step.shared is None else found[step.shared]
        found.append(hash((_local(row, costs, loose=loose), tuple(before), shared)))
        told.append((row, found[-1]))
    return told
