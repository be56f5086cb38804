"""What convcost counts: the measures, and the counts of a layer or a network by measure."""

from collections.abc import Callable, Iterable
from enum import StrEnum
from operator import attrgetter
from typing import Self

from convcost.model.record import NamedTuple

CONVENTION = (
    "macs: one multiply and one add count as 1, in convolutions, linear layers and matrix "
    "products; biases, norms, activations, pooling and joins count 0"
)


class Measure(StrEnum):
    """A measure; its value is its name in specs, in JSON and in tables.

    Every measure adds up over layers. One that is `per_sample` also grows with the batch. One that
    is a `part_of` another measure is equal to it in most networks, and reports name it where it is
    not; `rest` is the word for what it lacks, and the field of `Counts`. Columns, JSON, budgets and
    published figures have every measure of this class; `Counts` has what they are computed from.
    """

    unit: str
    meaning: str
    per_sample: bool
    part_of: str
    rest: str

    WEIGHTS = "weights", "parameters", "learned factors"
    BIASES = "biases", "parameters", "learned summands"
    PARAMS = "params", "parameters", "weights + biases"
    TRAINABLE = (
        "trainable",
        "parameters",
        "params that training changes: all that are not frozen",
        False,
        "params",
        "frozen",
    )
    BUFFERS = "buffers", "numbers", "numbers kept with the model that training does not change"
    MACS = "macs", "multiply-adds", "one multiply and one add count as one", True
    ACTIVATIONS = "activations", "elements", "elements of the outputs", True
    ACTIVE = (
        "active",
        "parameters",
        "params that one position of the input uses: not those of experts that it does not take",
        False,
        "params",
        "idle",
    )

    def __new__(
        cls,
        name: str,
        unit: str = "",
        meaning: str = "",
        per_sample: bool = False,
        part_of: str = "",
        rest: str = "",
    ) -> Self:
        member = str.__new__(cls, name)
        member._value_ = name
        member.unit, member.meaning = unit, meaning
        member.per_sample, member.part_of, member.rest = per_sample, part_of, rest
        return member


HEADLINE = (Measure.PARAMS, Measure.MACS)
MEASURES = tuple(Measure)  # a tuple: before Python 3.12, `text in Measure` raises TypeError
PARTS = tuple(measure for measure in Measure if measure.part_of)


class Count(NamedTuple):
    """A count, and the number of layers that are not in it because theirs is not known. With such
    layers it is a lower bound, and no difference, ratio or share of it is known."""

    known: int
    uncounted: int = 0

    @property
    def exact(self) -> int | None:
        """The count; None if it is a lower bound."""
        return None if self.uncounted else self.known

    @property
    def shown(self) -> int | None:
        """The count as tables show it, with a note on the layers that are not in it; None if there
        are such layers and no others count."""
        return self.known or (None if self.uncounted else 0)

    def __bool__(self) -> bool:
        """Whether there may be more than 0."""
        return bool(self.known or self.uncounted)

    def __sub__(self, other: "Count") -> int | None:
        """The difference; None if one of the counts is a lower bound."""
        return None if self.uncounted or other.uncounted else self.known - other.known


def largest(counts: Iterable[Count]) -> Count:
    """The largest count, a lower bound if one of them is. It is 0 if there are none."""
    counts = list(counts)
    return Count(max((c.known for c in counts), default=0), sum(c.uncounted for c in counts))


class Counts(NamedTuple):
    """Exact counts of a layer or a network.

    With `uncounted` layers, whose macs are not known, `macs` are those of the others.
    `counts.count_of(Measure.MACS)` is a `Count`, which has both.
    """

    weights: int = 0
    biases: int = 0
    buffers: int = 0
    macs: int = 0
    activations: int = 0
    frozen: int = 0  # part of the params
    idle: int = 0  # part of the params
    uncounted: int = 0

    @property
    def params(self) -> int:
        """Weights plus biases."""
        return self.weights + self.biases

    @property
    def trainable(self) -> int:
        return self.params - self.frozen

    @property
    def active(self) -> int:
        return self.params - self.idle

    def count_of(self, measure: Measure) -> Count:
        """The count of a measure, with the number of layers that are not in it."""
        return Count(getattr(self, measure), self.uncounted if measure == Measure.MACS else 0)

    def rest(self, part: Measure) -> int:
        """What a part of another measure lacks: the frozen or the idle params."""
        count: int = getattr(self, part.rest)
        return count

    def by_measure(self) -> dict[str, int]:
        """Every measure with its count, in the order of JSON."""
        return dict(zip(Measure, every_count(self), strict=True))


every_count: Callable[[Counts], tuple[int, ...]] = attrgetter(*Measure)


def sum_counts(counts: Iterable[Counts]) -> Counts:
    """The sum of each measure. All counts are 0 if `counts` is empty."""
    return Counts(*map(sum, zip(*counts, strict=True)))
