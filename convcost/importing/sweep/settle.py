"""The spec of a model, with the sizes that it holds for."""

from collections.abc import Callable, Iterator
from typing import NamedTuple

from convcost.errors import Refusal
from convcost.importing.drawing import Drawing
from convcost.importing.spec import specced
from convcost.importing.sweep.follow import followed, sames
from convcost.importing.sweep.hold import DIFFERS, LAX, NARROW, NEITHER, SAME, Verdict, held
from convcost.importing.sweep.same import merged
from convcost.importing.sweep.sizes import Size, even, probes, stepped, steps
from convcost.shapes import Shape, size_text
from convcost.spec.sizes import Sizes

PLAIN = frozenset(
    ("conv", "depthwise", "max_pool", "avg_pool", "global_max_pool", "global_avg_pool", "flatten",
     "linear", "add", "concat", "multiply", "channel_shuffle")
)  # fmt: skip

STATED = ("custom", "reshape", "slice", "learned", "upsample")
# Operators that never change a size: another that is free, as a pad by nothing, does at others.
STILL = frozenset(
    ("Add", "Cast", "CastLike", "Clip", "DequantizeLinear", "Div", "Dropout", "Identity", "Mul",
     "QuantizeLinear", "Sub")
)  # fmt: skip


class Swept(NamedTuple):
    """The text of a spec; `notes` are what is known of it at other sizes."""

    text: str
    notes: tuple[str, ...] = ()


def is_plain(drawing: Drawing) -> bool:
    """Whether all layers slide, join, or leave the shape alone: nothing in them is a number of the
    size, or made of one."""
    return STILL.issuperset(name for name, _ in drawing.free) and all(
        layer.kind in PLAIN
        or (layer.kind not in STATED and layer.output == _taken(drawing, layer.inputs[0]))
        for layer in drawing.layers
    )


def _taken(drawing: Drawing, source: int) -> Shape:
    return drawing.layers[source].output if source >= 0 else drawing.inputs[-1 - source][1]


def swept(drawing: Drawing, again: Callable[[Size], Drawing]) -> Swept:
    """The spec of a drawing with one input, held against the model at other sizes too: it says what
    goes with the size, and which sizes it takes. `again` draws the model at another size.

    Raises Refusal."""
    ((_, shape),) = drawing.inputs
    return _Sweep(drawing, shape.size, again).settled()


class _Sweep:
    def __init__(self, drawing: Drawing, own: Size, again: Callable[[Size], Drawing]) -> None:
        self.drawing = drawing
        self.own = own
        self.again = again
        self.models: dict[Size, Drawing | str] = {}
        self.same: frozenset[int] = frozenset()  # pads that are in their windows

    def settled(self) -> Swept:
        told, text = self._told()
        seen = list(self._seen(text, again=told != self.drawing))
        if any(one.outcome == DIFFERS for one in seen) or _is_lax(seen):
            wrong = next(one for one in seen if one.outcome in (DIFFERS, LAX))
            sizes = self._sizes(text, seen)
            said = "fixed: true" if sizes.fixed else f"multiple: {sizes.multiple}"
            because = f"at {size_text(wrong.size)} {_because(wrong)}, so its input is `{said}`"
            return Swept(specced(told._replace(sizes=sizes)), (because,))
        if all(one.outcome in (NARROW, NEITHER) for one in seen):
            text = specced(told._replace(sizes=Sizes(fixed=True)))
        return Swept(text, tuple(_known(seen)))

    def _told(self) -> tuple[Drawing, str]:
        """The drawing with what goes with the size told so, if two drawings tell it, and its
        text."""
        for size, _ in probes(self.own):
            model = self._model(size)
            told = None if isinstance(model, str) else followed(self.drawing, model)
            if told is not None and not isinstance(model, str):
                same = sames(self.drawing, model)
                told = merged(told, same)
                try:
                    text = specced(told)
                except Refusal:  # what was told does not come to what was drawn
                    break
                self.same = same
                return told, text
        return self.drawing, specced(self.drawing)

    def _seen(self, text: str, *, again: bool) -> Iterator[Verdict]:
        """Verdicts at as many sizes as it takes: where it holds at a multiple of nothing, nothing
        is worked out from the size. What was told from a size needs another one."""
        for size, another in probes(self.own):
            verdict = self._verdict(text, size)
            yield verdict
            if verdict.outcome == SAME:
                if again:
                    yield self._verdict(text, another)
                return

    def _sizes(self, text: str, seen: list[Verdict]) -> Sizes:
        """What a spec that is wrong at some sizes takes."""
        multiple = next((one for one in seen if one.size == even(self.own)), None)
        if multiple is None or multiple.outcome in (SAME, NEITHER):
            for step in steps(self.own):
                if self._verdict(text, stepped(self.own, step)).outcome == SAME:
                    return Sizes(multiple=step)
        return Sizes(fixed=True)

    def _verdict(self, text: str, size: Size) -> Verdict:
        model = self._model(size)
        return held(text, size, model if isinstance(model, str) else merged(model, self.same))

    def _model(self, size: Size) -> Drawing | str:
        if size not in self.models:
            try:
                self.models[size] = self.again(size)
            except Refusal as refusal:
                self.models[size] = refusal.message
        return self.models[size]


def _is_lax(seen: list[Verdict]) -> bool:
    """Whether a spec takes sizes that the model refuses, for more than that it wants squares."""
    refused = [one for one in seen if one.outcome == LAX]
    taken = [one for one in seen if one.outcome == SAME]
    return bool(refused) and not any(len(set(one.size)) == 1 for one in taken)


def _known(seen: list[Verdict]) -> Iterator[str]:
    """What is to be known of sizes besides the own one."""
    same = " and ".join(size_text(one.size) for one in seen if one.outcome == SAME)
    if same:
        yield f"held against the model at other sizes too, {same}"
    narrow = next((one for one in seen if one.outcome == NARROW), None)
    if narrow is not None:
        alone = "" if same else ", so its input is `fixed: true`"
        at = size_text(narrow.size)
        yield f"the model takes {at} too, this spec does not: {narrow.why}{alone}"
    elif not same:
        yield "the model takes no other size, so its input is `fixed: true`"


def _because(wrong: Verdict) -> str:
    if wrong.outcome == LAX:
        return f"the model refuses, {wrong.why}"
    return f"the model has other layers than this spec, {wrong.why}"
