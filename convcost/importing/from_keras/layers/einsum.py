"""Products that say which axes they sum over: EinsumDense and Dot."""

from math import prod
from typing import NamedTuple

from convcost.errors import Refusal
from convcost.importing.easel import Easel
from convcost.importing.from_keras.call import Call, layer
from convcost.importing.from_keras.layers.activations import activated
from convcost.importing.parts.joins import product
from convcost.importing.parts.linear import connected
from convcost.importing.parts.tensors import learned, met
from convcost.importing.value import Value, permuted, reshaped

ELIDED = "0123456789"


class Equation(NamedTuple):
    """Letters of the axes that come in, of the kernel's and of those that come out, and extents."""

    given: str
    kernel: str
    out: str
    extents: dict[str, int]

    def dims(self, letters: str) -> tuple[int, ...]:
        return tuple(self.extents[letter] for letter in letters)

    def only(self, letters: str, *, kernel: bool, out: bool) -> str:
        """Those of `letters` in that order that the kernel, and the output, has or has not."""
        return "".join(
            one for one in letters if (one in self.kernel) is kernel and (one in self.out) is out
        )


@layer("EinsumDense")
def einsum_dense(easel: Easel, call: Call) -> Value:
    equation = _read(call)
    summed = equation.only(equation.given, kernel=True, out=False)
    apart = equation.only(equation.given, kernel=True, out=True)
    rest = equation.only(equation.given, kernel=False, out=True)
    free = "".join(one for one in equation.out if one not in equation.given)
    biased = call.config.get("bias_axes") or ""
    whole = bool(biased) and set(biased) == set(free) and not apart
    kernel = call.tensor("kernel", *equation.dims(equation.kernel))
    order = [equation.given.index(one) for one in (apart + rest + summed)]
    x, f = permuted(call.x, order), prod(equation.dims(free))
    if apart:
        drawn = _apart(easel, call, x, equation, apart, rest, f)
    else:
        tensors = kernel | (call.tensor("bias", *equation.dims(biased)) if whole else {})
        rows = reshaped(x, (*equation.dims(rest), prod(equation.dims(summed))))
        drawn = connected(easel, rows, call.path, features=f, tensors=tensors, bias=whole)
    letters = apart + rest + free
    drawn = permuted(
        reshaped(drawn, equation.dims(letters)), [letters.index(one) for one in equation.out]
    )
    if equation.out[0] == equation.given[0]:
        drawn = drawn._replace(batch=0)
    if biased and not whole:
        dims = tuple(equation.extents[one] if one in biased else 1 for one in equation.out)
        drawn = met(easel, "add", drawn, f"{call.key}/bias", dims, (*call.path, "bias"))
    return activated(easel, call, drawn)


def _apart(
    easel: Easel, call: Call, x: Value, equation: Equation, apart: str, rest: str, features: int
) -> Value:
    """With a matrix of its own at each place of some axes: a product of matrices."""
    summed = prod(equation.dims(equation.only(equation.given, kernel=True, out=False)))
    n = prod(equation.dims(apart))
    rows = reshaped(x, (n, prod(equation.dims(rest)), summed))
    key, dims = f"{call.key}/kernel", (n, summed, features)
    matrices = learned(easel, key, dims, (*call.path, "kernel"), beside=x.source)
    return product(easel, "matmul", [rows, matrices], call.path)


def _read(call: Call) -> Equation:
    text = str(call.config["equation"]).replace(" ", "")
    given, _, right = text.partition(",")
    kernel, _, out = right.partition("->")
    before = not given.endswith("...")
    if "..." in given:
        more = len(call.x.dims) - len(given.replace("...", ""))
        letters = ELIDED[: max(more, 0)]
        given, out = given.replace("...", letters), out.replace("...", letters)
    written = call.config["output_shape"]
    shape = tuple(written) if isinstance(written, list | tuple) else (written,)
    shape = (None,) * (len(out) - len(shape)) + shape if before else (None, *shape)
    extents = dict(zip(given, call.x.dims, strict=False))
    for letter, extent in zip(out, shape, strict=False):
        if letter not in extents and type(extent) is int:
            extents[letter] = extent
    known = set(given) | set(kernel) | set(out) <= set(extents)
    plain = all(len(set(one)) == len(one) for one in (given, kernel, out))
    # A sum over axes that the kernel has not is no product, nor is a kernel's over its own.
    used = set(given) <= set(kernel + out) and set(kernel) <= set(given + out)
    if not (known and plain and used and len(given) == len(call.x.dims)):
        raise Refusal("CC401", f"EinsumDense of `{text}` is not read")
    return Equation(given, kernel, out, extents)


@layer("Dot")
def dot(easel: Easel, call: Call) -> Value:
    """The sum over an axis of each; the others stay, those of the first before."""
    if len(call.values) != 2:  # noqa: PLR2004  a product of two
        raise Refusal("CC404", f"Dot takes two tensors, not {len(call.values)}")
    axes = call.config["axes"]
    axes = axes if isinstance(axes, list | tuple) else [axes, axes]
    (a, first), (b, second) = (
        (int(axis) % len(x.dims), x) for axis, x in zip(axes, call.values, strict=True)
    )
    left, right = (
        [n for n in range(1, len(x.dims)) if n != axis] for axis, x in ((a, first), (b, second))
    )
    n = first.dims[a]
    if not a or not b or second.dims[b] != n:
        raise Refusal("CC401", f"Dot along the axes {list(axes)} is not read")
    dims = (*(first.dims[axis] for axis in left), *(second.dims[axis] for axis in right))
    rows = reshaped(permuted(first, (0, *left, a)), (1, first.elements // n, n))
    columns = reshaped(permuted(second, (0, b, *right)), (1, n, second.elements // n))
    drawn = product(easel, "matmul", [rows, columns], call.path)
    return reshaped(drawn, (1, *(dims or (1,))))
