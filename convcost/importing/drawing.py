"""What a front end hands on: the layers of a model in the order it runs them."""

from typing import Any, NamedTuple, TypeAlias

from convcost.shapes import Shape
from convcost.spec.sizes import Sizes

Path: TypeAlias = tuple[str, ...]


class Drawn(NamedTuple):
    """One layer of a model, as a kind of the spec language.

    `path` is what the model calls it, outermost module first; it need not be unique. `inputs` are
    layers by index, −1−k the k-th input of the model. `output` and `params` are the kind's own
    arithmetic, already held against the model's. `shares` is the layer whose weights it uses again.
    `rest` says which entry of a reshape follows from the others: 0 the channels, 1… the size.
    `follows` are options that go with the size of what comes in, as expressions of the language;
    of a shape an expression for every entry, empty where it stays as it is. `sized` is a resize to
    a size that the model works out, whatever its options say.
    """

    path: Path
    kind: str
    options: tuple[tuple[str, Any], ...]
    inputs: tuple[int, ...]
    output: Shape
    params: int = 0
    buffers: int = 0
    macs: int = 0
    shares: int | None = None
    note: str = ""
    rest: int | None = None
    follows: tuple[tuple[str, str | tuple[str, ...]], ...] = ()
    sized: bool = False

    @property
    def uncounted(self) -> bool:
        return dict(self.options).get("macs") == "uncounted"


class Drawing(NamedTuple):
    """A model as layers. `outputs` are the layers that give what the model returns; `free` are the
    operators that no layer stands for, as they cost nothing, with their number; `classes` are the
    names of modules' classes by path, where the model has such, `sizes` which other sizes it takes.
    A `plain` one says the same at every size, whatever its model was made from.
    """

    name: str
    source: str
    inputs: tuple[tuple[str, Shape], ...]
    layers: tuple[Drawn, ...]
    outputs: tuple[int, ...]
    free: tuple[tuple[str, int], ...] = ()
    notes: tuple[str, ...] = ()
    classes: tuple[tuple[Path, str], ...] = ()
    sizes: Sizes = Sizes()
    plain: bool = False
