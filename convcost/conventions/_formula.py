"""Quantities of a layer, and formulas of these quantities.

A formula computes a count and has a text. `4 * X` is a formula: `(4 * X).evaluate(use)` is an int,
`(4 * X).text` is `4·X`. X, Y and the other totals count the whole batch.
"""

import operator
from collections.abc import Callable, Mapping
from functools import cache
from math import gcd, prod
from typing import Any, NoReturn

from convcost.model.errors import DefinitionError, brief
from convcost.model.kind import KINDS, Kind
from convcost.model.network import Density
from convcost.model.options import TYPES
from convcost.model.record import NamedTuple
from convcost.model.shape import Shape
from convcost.model.suggestions import did_you_mean
from convcost.model.symbolic import is_integer
from convcost.model.window import AxisWindow

REQUIRED: Any = object()


class LayerUse(NamedTuple):
    """A layer with its input shapes, its output shape and the batch.

    `before` is the layer of the first input if no other layer reads that input. `binary` is whether
    the weights and the first input have 1 bit. `times` is how often it runs: a layer of an
    expert as often as experts are taken. `density` has the share of its
    weights that is not pruned, for conventions that count only those. `macs`, those of one sample,
    pruned or not, and `known_windows` are set if they are computed already; many conventions need
    them.
    """

    layer: Kind[Any]
    inputs: tuple[Shape, ...]
    output: Shape
    batch: int = 1
    before: Kind[Any] | None = None
    binary: bool = False
    times: int = 1
    density: Density | None = None
    macs: int | None = None
    known_windows: tuple[AxisWindow, ...] | None = None

    @property
    def x(self) -> Any:
        """The input shape or shapes, in the form that the methods of the kind accept."""
        return self.layer.select_inputs(self.inputs)

    @property
    def windows(self) -> tuple[AxisWindow, ...]:
        return self.layer.windows(self.x) if self.known_windows is None else self.known_windows

    def option(self, name: str, default: Any = REQUIRED) -> Any:
        """The value of an option, or `default` if the kind does not have it.

        Raises DefinitionError if no kind has it, or if the layer does not have it and there is no
        default.
        """
        option = self.layer.options.get(name)
        if option is not None:
            return getattr(self.layer, option.field)
        options = _all_options()
        if name not in options:
            hint = did_you_mean(name, options)
            raise DefinitionError(f"no kind has the option `{name}`{hint and f'; {hint}'}")
        if default is REQUIRED:
            raise DefinitionError(f"`{self.layer.name}` has no option `{name}`")
        return default


@cache
def _all_options() -> frozenset[str]:
    """The names of the options of all kinds."""
    return frozenset(name for _, kind in KINDS.items() for name in kind.options)


class Formula:
    """An integer that depends on a layer, and its text.

    `quantities` maps the names in the text to their meanings. `is_factor` is true if the text
    needs no brackets as a factor.
    """

    __slots__ = ("evaluate", "is_factor", "quantities", "text")

    def __init__(
        self,
        text: str,
        evaluate: Callable[[LayerUse], int],
        quantities: Mapping[str, str] | None = None,
        *,
        is_factor: bool = True,
    ) -> None:
        self.text = text
        self.evaluate = evaluate
        self.quantities = dict(quantities or {})
        self.is_factor = is_factor

    def __repr__(self) -> str:
        return self.text

    def __radd__(self, other: int) -> "Formula":
        return as_formula(other) + self

    def __rsub__(self, other: int) -> "Formula":
        return as_formula(other) - self

    def __add__(self, other: "Formula | int") -> "Formula":
        b = as_formula(other)
        return _combined(self, b, f"{self.text} + {b.text}", operator.add, is_factor=False)

    def __sub__(self, other: "Formula | int") -> "Formula":
        b = as_formula(other)
        return _combined(self, b, f"{self.text} − {b.as_factor}", operator.sub, is_factor=False)

    def __mul__(self, other: "Formula | int") -> "Formula":
        b = as_formula(other)
        return _combined(self, b, f"{self.as_factor}·{b.as_factor}", operator.mul)

    def __rmul__(self, other: int) -> "Formula":
        return as_formula(other) * self

    def __truediv__(self, other: object) -> NoReturn:
        text = other.as_factor if isinstance(other, Formula) else str(other)
        raise DefinitionError(
            f"`{self.as_factor} / {text}` is not a whole number; `//` rounds down"
        )

    def __floordiv__(self, other: "Formula | int") -> "Formula":
        b = as_formula(other)
        divisor = f"({b.text})" if "·" in b.text else b.as_factor
        return _combined(self, b, f"{self.as_factor}/{divisor}", operator.floordiv)

    @property
    def as_factor(self) -> str:
        """The text, in brackets if it is a sum."""
        return self.text if self.is_factor else f"({self.text})"


def quantity(name: str, meaning: str, evaluate: Callable[[LayerUse], int]) -> Formula:
    """A formula that is one quantity."""
    return Formula(name, evaluate, {name: meaning})


def as_formula(value: Formula | int) -> Formula:
    """A formula, or a whole number as a formula.

    Raises DefinitionError for any other value: with a float, a count would not be exact.
    """
    if isinstance(value, Formula):
        return value
    if not is_integer(value):
        raise DefinitionError(f"{brief(value)} is not a whole number{_exact_form(value)}")
    return Formula(str(value), lambda _work: value)


def _exact_form(value: object) -> str:
    """How to write a number that is not whole: `; write 3 * X // 2, not 1.5 * X`."""
    from fractions import Fraction

    try:
        exact = Fraction(str(value))
    except ValueError:
        return ", and no formula"
    by = f" // {exact.denominator}" if exact.denominator > 1 else ""
    return f"; write `{exact.numerator} * X{by}`, not `{value} * X`"


def _combined(
    a: Formula,
    b: Formula,
    text: str,
    operation: Callable[[int, int], int],
    *,
    is_factor: bool = True,
) -> Formula:
    return Formula(
        text,
        lambda use: operation(a.evaluate(use), b.evaluate(use)),
        a.quantities | b.quantities,
        is_factor=is_factor,
    )


def choose(
    condition: Callable[[LayerUse], Any], other_case: str, then: Formula, otherwise: Formula
) -> Formula:
    """`then` if the condition is true, else `otherwise`.

    `other_case` says in words when the condition is false, as in the text
    `2·X (without scale and shift: X)`.
    """
    return Formula(
        f"{then.text} ({other_case}: {otherwise.text})",
        lambda use: (then if condition(use) else otherwise).evaluate(use),
        then.quantities | otherwise.quantities,
        is_factor=False,
    )


def if_affine(then: Formula, otherwise: Formula) -> Formula:
    """`then` for a norm with a learned scale or shift, `otherwise` for one without."""
    return choose(PARAMS.evaluate, "without scale and shift", then, otherwise)


def if_axes(axes: int, then: Formula, otherwise: Formula) -> Formula:
    """`then` for an output with this number of axes, `otherwise` for any other."""
    return choose(lambda use: len(use.output.size) == axes, f"not {axes} axes", then, otherwise)


def if_binary(then: Formula, otherwise: Formula) -> Formula:
    """`then` for a layer whose weights and first input have 1 bit, `otherwise` for any other."""
    return choose(lambda use: use.binary, "not binary", then, otherwise)


def if_words_as_padding(then: Formula, otherwise: Formula) -> Formula:
    """`then` for `padding: same` and `valid`, `otherwise` for a padding of numbers.

    PyTorch has no `same` with a stride, so that case counts as numbers. The text of the formula has
    the case of numbers first.
    """

    def has_numbers(use: LayerUse) -> bool:
        padding = use.option("padding", 0)
        return padding != "valid" and (padding != "same" or STRIDES.evaluate(use) != 1)

    return choose(has_numbers, "padding as a word", otherwise, then)


def by_axes(*factors: int) -> Formula:
    """Y times a factor: the first for one axis, the second for two axes, and so on.

    The last factor is also that of more axes.
    """
    for factor in factors:
        as_formula(factor)
    listed = ", ".join(map(str, factors))
    return Formula(
        f"Y times {listed} for 1 to {len(factors)} axes",
        lambda use: Y.evaluate(use) * factors[min(len(use.output.size), len(factors)) - 1],
        Y.quantities,
        is_factor=False,
    )


def by_mode(**formulas: Formula) -> Formula:
    """The formula for the mode of a resize; 0 for any other mode.

    Raises DefinitionError for a mode that does not exist.
    """
    for mode in formulas:
        if mode not in TYPES["Mode"].words:
            hint = did_you_mean(mode, TYPES["Mode"].words)
            raise DefinitionError(f"there is no mode `{mode}` of a resize; {hint}")
    return Formula(
        f"by mode ({'; '.join(f'{mode}: {f.text}' for mode, f in formulas.items())})",
        lambda use: formulas.get(use.option("mode"), ZERO).evaluate(use),
        {name: text for formula in formulas.values() for name, text in formula.quantities.items()},
        is_factor=False,
    )


def _elements(shapes: tuple[Shape, ...], batch: int) -> int:
    return batch * sum(shape.elements for shape in shapes)


def _kernel(use: LayerUse) -> int:
    """The elements of a window: those of the kernel, or the input size divided by the output size,
    rounded down, for a pool without a kernel."""
    if use.windows:
        return prod(window.f for window in use.windows)
    sizes = zip(use.inputs[0].size, use.output.size, strict=True)
    return prod(n // o for n, o in sizes)


def _kernel_of_an_int(use: LayerUse) -> int:
    sides = {window.f for window in use.windows}
    return sides.pop() if len(sides) == 1 else _kernel(use)


def _pooled(use: LayerUse) -> int:
    """The elements that all windows cover; an element in two windows counts twice."""
    if use.windows:
        per_axis = [_covered(window) for window in use.windows]
    else:
        # Windows from ⌊j·n/o⌋ to ⌈(j + 1)·n/o⌉: neighbours share an element where o does not
        # divide (j + 1)·n.
        sizes = zip(use.inputs[0].size, use.output.size, strict=True)
        per_axis = [n + o - gcd(n, o) for n, o in sizes]
    return use.batch * use.output.channels * prod(per_axis)


def _covered(window: AxisWindow) -> int:
    """The elements that all windows of one axis cover, padding included.

    If the number of windows is rounded up, the last window can end after the padding. The elements
    after the padding do not count.
    """
    windows = window.output
    if window.padding is None:
        return windows * window.f
    padded = window.n + sum(window.padding)
    fitting = min((padded - window.d * (window.f - 1) - 1) // window.s + 1, windows)
    starts = range(fitting * window.s, windows * window.s, window.s)
    return fitting * window.f + sum(-(-(padded - start) // window.d) for start in starts)


def _states(use: LayerUse) -> int:
    """Hidden units × steps × layers × directions of a recurrent layer, in the whole batch."""
    units = use.option("hidden") * use.option("layers")
    directions = 2 if use.option("bidirectional") else 1
    return int(units * directions * prod(use.inputs[0].size) * use.batch)


def _groups(use: LayerUse) -> int:
    """The groups of a convolution; each channel of a depthwise one is a group."""
    if use.layer.operation == "conv" and not use.layer.mixes_channels:
        return use.inputs[0].channels
    return int(use.option("groups", 1))


def _scores(use: LayerUse) -> int:
    """The number of pairs of a query and a key, over all heads and the whole batch."""
    first = use.layer.macs(use.x).terms[0]
    return use.batch * prod(f.value for f in first if f.name != "query channels")


def _macs_with(use: LayerUse, **options: Any) -> int:
    """The macs of the whole batch if the layer had these options."""
    return use.layer.with_options(**options).macs(use.x).value * use.batch


def _projection_macs(use: LayerUse) -> int:
    """The macs of an LSTM whose hidden state has the size of its projection."""
    width = use.option("projection") or use.option("hidden")
    return _macs_with(use, hidden=width, projection=None)


def _macs(use: LayerUse) -> int:
    """The macs of one sample, without those of pruned weights."""
    macs = use.layer.macs(use.x).value if use.macs is None else use.macs
    return macs if use.density is None else use.density.macs(macs)


X = quantity("X", "elements of the input", lambda use: _elements(use.inputs[:1], use.batch))
Y = quantity("Y", "elements of the output", lambda use: _elements((use.output,), use.batch))
MACS = quantity(
    "macs", "multiply-adds, as convcost counts them", lambda use: _macs(use) * use.batch
)
MACS_64 = Formula("⌈macs/64⌉", lambda use: -(-MACS.evaluate(use) // 64), MACS.quantities)
WEIGHTS = quantity(
    "W", "weights", lambda use: use.layer.weights(use.x).value or use.layer.buffers(use.x).value
)
BIASES = quantity("B", "biases", lambda use: use.layer.biases(use.x).value)
PARAMS = quantity(
    "params",
    "weights and biases",
    lambda use: use.layer.weights(use.x).value + use.layer.biases(use.x).value,
)
HAS_BIAS = quantity(
    "b", "1 with a bias or shift, else 0", lambda use: 1 if BIASES.evaluate(use) else 0
)
HAS_SCALE = quantity(
    "f", "1 with a factor, else 0", lambda use: 1 if use.layer.weights(use.x).value else 0
)
BIAS = HAS_BIAS * Y
SCALE = HAS_SCALE * Y
K = quantity("K", "elements of a window", _kernel)
K_INT = quantity(
    "k", "one side of the window, or all its elements if the sides differ", _kernel_of_an_int
)
POOLED = quantity("V", "elements in all windows", _pooled)
N = quantity("N", "samples", lambda use: use.batch)
C_IN = quantity("C_in", "channels of the input", lambda use: use.inputs[0].channels)
C_OUT = quantity("C_out", "channels of the output", lambda use: use.output.channels)
GROUPS = quantity("g", "groups", _groups)
AXES = quantity("d", "axes of the size", lambda use: len(use.output.size))
STRIDES = quantity("s", "product of the strides", lambda use: prod(w.s for w in use.windows))
POSITIONS_IN = quantity(
    "P_in",
    "positions of the input, in all samples",
    lambda use: use.batch * prod(use.inputs[0].size),
)
POSITIONS_OUT = quantity(
    "P_out",
    "positions of the output, in all samples",
    lambda use: use.batch * prod(use.output.size),
)
STATES = quantity("H", "hidden units × steps × layers × directions", _states)
UNPROJECTED = quantity(
    "macs'", "multiply-adds without projections", lambda use: _macs_with(use, projection=None)
)
PROJECTIONS = quantity(
    "J", "multiply-adds of projections", lambda use: (use.option("projection") or 0) * _states(use)
)
NARROW = quantity(
    "macs''", "multiply-adds if the hidden state had the size of the projection", _projection_macs
)
# Most tools count attention without its mask.
ALL_PAIRS = quantity(
    "M",
    "multiply-adds of all queries with all keys",
    lambda use: _macs_with(use, causal=False, window=None),
)
SCORES = quantity("Q", "pairs of a query and a key", _scores)
BRANCHES = quantity("n", "branches", lambda use: len(use.inputs))
NEIGHBOURS = quantity(
    "m", "channels in the window of the norm", lambda use: int(use.option("neighbours"))
)
ZERO = as_formula(0)
