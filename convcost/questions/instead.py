"""What a convolution is as a matrix product, and what other layers would cost in its place."""

from math import prod
from typing import Any, NamedTuple

from convcost.kind import Kind
from convcost.shapes import Shape
from convcost.units import grouped
from convcost.window import spread
from convcost.work import Work, product

REDUCED_TO = 4  # a 1x1 reduction leaves one channel of so many, as inception and bottlenecks do


class ProductRecord(NamedTuple):
    """A cost by name and in numbers; `value` is what both come to."""

    value: int
    formula: str
    work: str


class MatrixRecord(NamedTuple):
    """A convolution as a matrix product: (rows, columns) of what stands left and right."""

    names: str
    left: tuple[int, int]
    right: tuple[int, int]


class AlternativeRecord(NamedTuple):
    """Weights and macs of other layers in the place of this one; biases are left aside."""

    name: str
    weights: ProductRecord
    macs: ProductRecord


def product_record(work: Work) -> ProductRecord:
    return ProductRecord(work.value, work.formula, work.text)


def of_batch(work: Work, batch: int) -> Work:
    return work if batch == 1 else work.times(samples=batch)


def _plain_kernel(layer: Any, inputs: tuple[Shape, ...]) -> tuple[int, ...] | None:
    """The kernel of a convolution whose filters see all channels, else None."""
    if layer.name != "conv" or layer.groups != 1:
        return None
    return spread(layer.kernel, len(inputs[0].size), "kernel")


def matrix(
    layer: Kind[Any], inputs: tuple[Shape, ...], output: Shape, batch: int
) -> MatrixRecord | None:
    kernel = _plain_kernel(layer, inputs)
    if kernel is None:
        return None
    positions, window = batch * prod(output.size), inputs[0].channels * prod(kernel)
    seen = "·".join(("channels", *("kernel" for _ in kernel)))
    names = f"(positions × {seen}) · ({seen} × filters)"
    return MatrixRecord(names, (positions, window), (window, output.channels))


def alternatives(
    layer: Kind[Any], inputs: tuple[Shape, ...], output: Shape, batch: int
) -> tuple[AlternativeRecord, ...]:
    kernel = _plain_kernel(layer, inputs)
    channels, size = inputs[0]
    if kernel is None or max(kernel) == 1 or channels == 1:
        return ()
    filters, reduced = output.channels, max(1, channels // REDUCED_TO)
    depthwise = product(channels=channels, kernel=kernel)
    pointwise = product(filters=filters, channels=channels)
    reduction = product(reduced=reduced, channels=channels)
    rest = product(filters=filters, kernel=kernel, reduced=reduced)
    to = output.size
    pairs = (
        ("depthwise, then 1x1", (depthwise, to), (pointwise, to)),
        (f"1x1 to {grouped(reduced)}, then this", (reduction, size), (rest, to)),
    )
    return tuple(
        AlternativeRecord(
            name,
            product_record(first.plus(then)),
            product_record(of_batch(_at(first, where).plus(_at(then, there)), batch)),
        )
        for name, (first, where), (then, there) in pairs
    )


def _at(weights: Work, positions: tuple[int, ...]) -> Work:
    """Macs of weights that are used once at every position."""
    return weights.times(positions=positions)
