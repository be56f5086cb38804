"""Products that state the axes they sum over: EinsumDense, Dot and the function einsum."""

from string import ascii_letters
from typing import NamedTuple

from convcost.importing.frontends.keras.call import LayerCall, layer
from convcost.importing.frontends.keras.layers.activations import add_activation
from convcost.importing.ir.refusals import unsupported
from convcost.importing.ir.tensor import Tensor, reshaped
from convcost.importing.passes.lower.einsum import Operand, input_operand, lower_einsum
from convcost.importing.passes.lower.stored_tensors import join_with_learned, learned_tensor
from convcost.model.errors import ConstraintError

ELLIPSIS_AXES = "0123456789"


@layer("EinsumDense")
def einsum_dense(call: LayerCall) -> Tensor:
    input_letters, kernel, out, extents = _parse_equation(call)
    dims = tuple(extents[letter] for letter in kernel)
    biased = call.config.get("bias_axes") or ""
    # A bias for each feature belongs to the linear layer, if the product is a linear layer.
    features, summed = set(kernel) - set(input_letters), set(kernel) & set(input_letters)
    is_linear_bias = (
        bool(biased) and set(biased) == features and bool(summed) and not summed & set(out)
    )
    bias = call.tensor("bias", *(extents[letter] for letter in biased)) if biased else {}
    path = (*call.path, "kernel")

    def value() -> Tensor:
        key = f"{call.key}/kernel"
        return learned_tensor(call.builder, key, dims, path, neighbour=call.x.source)

    def matrix() -> dict[str, int]:
        return call.tensor("kernel", *dims) | (bias if is_linear_bias else {})

    learned = Operand(dims, value, depends_on_input=False, matrix=matrix, bias=is_linear_bias)
    y = _einsum(call, f"{input_letters},{kernel}->{out}", [input_operand(call.x), learned])
    if biased and not is_linear_bias:
        sides = tuple(extents[letter] if letter in biased else 1 for letter in out)
        y = join_with_learned(
            call.builder, "add", y, f"{call.key}/bias", sides, (*call.path, "bias")
        )
    return add_activation(call, y)


@layer("ops.Einsum")
def einsum(call: LayerCall) -> Tensor:
    equation = str(call.config["subscripts"]).replace(" ", "")
    return _einsum(call, equation, [input_operand(x) for x in call.values])


def _einsum(call: LayerCall, equation: str, operands: list[Operand]) -> Tensor:
    output = lower_einsum(call.builder, equation, operands, call.path)
    if output is None:
        raise unsupported(f"{call.kind} of `{equation}`")
    return output


class _Equation(NamedTuple):
    """The letters of the axes of the input, the kernel and the output, and the extent of each
    letter."""

    input: str
    kernel: str
    output: str
    extents: dict[str, int]


def _parse_equation(call: LayerCall) -> _Equation:
    """The equation of an EinsumDense. Raises ConstraintError if an extent is not known, or if an
    axis is summed of the input or of the kernel only."""
    text = str(call.config["equation"]).replace(" ", "")
    input_letters, _, rest = text.partition(",")
    kernel, _, out = rest.partition("->")
    aligns_at_end = not input_letters.endswith("...")
    if "..." in input_letters:
        more = len(call.x.dims) - len(input_letters.replace("...", ""))
        letters = ELLIPSIS_AXES[: max(more, 0)]
        input_letters, out = input_letters.replace("...", letters), out.replace("...", letters)
    written = call.config["output_shape"]
    shape = tuple(written) if isinstance(written, list | tuple) else (written,)
    shape = (None,) * (len(out) - len(shape)) + shape if aligns_at_end else (None, *shape)
    extents = dict(zip(input_letters, call.x.dims, strict=False))
    for letter, extent in zip(out, shape, strict=False):
        if letter not in extents and type(extent) is int:
            extents[letter] = extent
    has_extents = set(input_letters) | set(kernel) | set(out) <= set(extents)
    # Each axis that is summed over must be in both the input and the kernel.
    sums_both = set(input_letters) <= set(kernel + out) and set(kernel) <= set(input_letters + out)
    if not (has_extents and sums_both and len(input_letters) == len(call.x.dims)):
        raise unsupported(f"EinsumDense of `{text}`")
    return _Equation(input_letters, kernel, out, extents)


@layer("Dot")
def dot(call: LayerCall) -> Tensor:
    """Sums the product over one axis of each input. The output has the other axes, those of the
    first input first."""
    if len(call.values) != 2:  # noqa: PLR2004  a product of two
        raise ConstraintError("CC404", f"Dot needs two tensors, not {len(call.values)}")
    axes = call.config["axes"]
    axes = axes if isinstance(axes, list | tuple) else [axes, axes]
    first, second = call.values
    a, b = (int(axis) % len(x.dims) for axis, x in zip(axes, call.values, strict=True))
    if not a or not b or second.dims[b] != first.dims[a]:
        raise unsupported(f"Dot along the axes {list(axes)}")
    letters = ascii_letters[: len(first.dims)]
    other = ascii_letters[0] + ascii_letters[26 : 25 + len(second.dims)]
    other = other.replace(other[b], letters[a])
    out = letters.replace(letters[a], "") + other[1:].replace(letters[a], "")
    y = _einsum(call, f"{letters},{other}->{out}", [input_operand(first), input_operand(second)])
    return y if len(out) > 1 else reshaped(y, (1, 1))
