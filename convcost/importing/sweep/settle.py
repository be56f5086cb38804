"""The spec of a model, with the sizes that it holds for."""

from collections.abc import Callable, Iterator
from typing import NamedTuple

from convcost.errors import Refusal
from convcost.importing.drawing import Drawing
from convcost.importing.spec import specced
from convcost.importing.sweep.follow import followed, sames
from convcost.importing.sweep.hold import DIFFERS, LAX, NARROW, NEITHER, SAME, Verdict, held
from convcost.importing.sweep.same import merged
from convcost.importing.sweep.sizes import Size, alone, even, near, probes, stepped, steps
from convcost.shapes import size_text
from convcost.spec.sizes import Sizes

FIXED = Sizes(fixed=True)


class Swept(NamedTuple):
    """The text of a spec; `notes` are what is known of it at other sizes."""

    text: str
    notes: tuple[str, ...] = ()


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
        seen = self._seen(text)
        if not _is_wrong(seen):
            return Swept(text, tuple(_known(seen)))
        refused = {one.outcome for one in seen} <= {NEITHER, LAX}
        sizes = FIXED if refused else self._sizes(text)
        wrong = next((one for one in seen if one.outcome in (DIFFERS, LAX)), None)
        if sizes.fixed and wrong is not None:
            told = self.drawing  # what was told from other sizes holds for none of them
        said = "fixed: true" if sizes.fixed else f"multiple: {sizes.multiple}"
        notes = tuple(_bound(seen, wrong, said))
        return Swept(specced(told._replace(sizes=sizes)), notes)

    def _told(self) -> tuple[Drawing, str]:
        """The drawing with what goes with the size told so, if three drawings tell it, and its
        text."""
        for sizes in (*probes(self.own), alone(self.own)):
            models = [model for size in sizes if not isinstance(model := self._model(size), str)]
            told = followed(self.drawing, *models) if models else None
            if told is None:
                continue
            same = sames(self.drawing, *models)
            told = merged(told, same)
            try:
                text = specced(told)
            except Refusal:  # what was told does not come to what was drawn
                continue
            self.same = same
            return told, text
        return self.drawing, specced(self.drawing)

    def _seen(self, text: str) -> list[Verdict]:
        """Verdicts at as many sizes as it takes: two that divide by nothing, one wider than high
        and one higher than wide; where the model does not take these, squares, and multiples."""
        seen: list[Verdict] = []
        for sizes in probes(self.own):
            outcomes = {one.outcome for one in seen}
            squares = len(sizes[0]) > 1 and len(set(sizes[0])) == 1
            if squares and LAX not in outcomes:
                continue
            if DIFFERS in outcomes or (SAME in outcomes and LAX not in outcomes):
                break
            seen += [self._verdict(text, size) for size in sizes]
        if {one.outcome for one in seen} == {NEITHER}:
            # A head for 7×7 takes what comes to 7×7, one for rows of a line lines of any length; a
            # table of positions takes nothing else.
            seen += [self._verdict(text, size) for size in (near(self.own), *alone(self.own))]
        return seen

    def _sizes(self, text: str) -> Sizes:
        """What a spec that is wrong at some sizes takes: of the multiples of a number it has to be
        right at all that are looked at, near and far."""
        right = (SAME, NEITHER)
        if self._verdict(text, even(self.own)).outcome not in right:  # a multiple of them all
            return FIXED
        for step in steps(self.own):
            found = set()
            for size in stepped(self.own, step):
                found.add(self._verdict(text, size).outcome)
                if not found <= set(right):
                    break
            else:
                if SAME in found:
                    return Sizes(multiple=step)
        return FIXED

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


def _is_wrong(seen: list[Verdict]) -> bool:
    """Whether a spec takes sizes that it is wrong at, or may be. That a model takes squares only
    leaves those that are none to the user."""
    outcomes = {one.outcome for one in seen}
    if DIFFERS in outcomes or NARROW in outcomes or SAME not in outcomes:
        return True
    taken = [one for one in seen if one.outcome == SAME]
    return LAX in outcomes and not any(len(set(one.size)) == 1 for one in taken)


def _known(seen: list[Verdict]) -> Iterator[str]:
    same = " and ".join(size_text(one.size) for one in seen if one.outcome == SAME)
    yield f"held against the model at other sizes too, {same}"


def _bound(seen: list[Verdict], wrong: Verdict | None, said: str) -> Iterator[str]:
    """Why a spec takes some sizes only."""
    if wrong is not None:
        yield f"at {size_text(wrong.size)} {_because(wrong)}, so its input is `{said}`"
        return
    narrow = next((one for one in seen if one.outcome == NARROW), None)
    if narrow is None:
        yield f"the model takes no other size that was tried, so its input is `{said}`"
    else:
        only = f"{narrow.why}, so its input is `{said}`"
        yield f"the model takes {size_text(narrow.size)} too, this spec does not: {only}"


def _because(wrong: Verdict) -> str:
    if wrong.outcome == LAX:
        return f"the model refuses, {wrong.why}"
    return f"the model has other layers than this spec, {wrong.why}"
