"""A convolution as a matrix product, and the costs of other layers in its place."""

from math import prod
from typing import Any

from convcost.model.axes import per_axis
from convcost.model.cost_product import NOTHING, CostProduct, product
from convcost.model.kind import Kind
from convcost.model.number_format import format_count
from convcost.model.record import NamedTuple
from convcost.model.shape import Shape

REDUCED_TO = 4  # the channels before a 1x1 reduction for each one after it, as in bottlenecks


class ProductRecord(NamedTuple):
    """A cost: its product by name (`formula`) and in numbers (`work`), and its value."""

    value: int
    formula: str
    work: str


class MatrixRecord(NamedTuple):
    """A convolution as a matrix product: (rows, columns) of the left and the right matrix."""

    names: str
    left: tuple[int, int]
    right: tuple[int, int]


class AlternativeRecord(NamedTuple):
    """Weights and macs of other layers in the place of this one, without biases."""

    name: str
    weights: ProductRecord
    macs: ProductRecord


def product_record(cost: CostProduct) -> ProductRecord:
    """The value, the names and the numbers of a product."""
    return ProductRecord(cost.value, cost.formula, cost.text)


def times_batch(cost: CostProduct, batch: int) -> CostProduct:
    """The product for the whole batch."""
    return cost if batch == 1 else cost.times(samples=batch)


def _plain_kernel(layer: Any, inputs: tuple[Shape, ...]) -> tuple[int, ...] | None:
    """The kernel of a convolution with one group, else None."""
    if layer.name != "conv" or layer.groups != 1 or layer.connections:
        return None
    return per_axis(layer.kernel, len(inputs[0].size), "kernel")


def matrix_product(
    layer: Kind[Any], inputs: tuple[Shape, ...], output: Shape, batch: int
) -> MatrixRecord | None:
    """[positions, channels · kernel] times [channels · kernel, filters]; None for other layers."""
    kernel = _plain_kernel(layer, inputs)
    if kernel is None:
        return None
    positions, window = batch * prod(output.size), inputs[0].channels * prod(kernel)
    inner = "·".join(("channels", *("kernel" for _ in kernel)))
    names = f"(positions × {inner}) · ({inner} × filters)"
    return MatrixRecord(names, (positions, window), (window, output.channels))


def alternatives(
    layer: Kind[Any], inputs: tuple[Shape, ...], output: Shape, batch: int
) -> list[AlternativeRecord]:
    """A depthwise convolution with a 1x1, and a 1x1 reduction; empty if the layer has neither."""
    kernel = _plain_kernel(layer, inputs)
    channels, size = inputs[0]
    if kernel is None or max(kernel) == 1 or channels == 1:
        return []
    filters, reduced = output.channels, max(1, channels // REDUCED_TO)
    depthwise = product(channels=channels, kernel=kernel)
    pointwise = product(filters=filters, channels=channels)
    reduction = product(reduced=reduced, channels=channels)
    rest = product(filters=filters, kernel=kernel, reduced=reduced)

    def record(name: str, *parts: tuple[CostProduct, tuple[int, ...]]) -> AlternativeRecord:
        weights = macs = NOTHING
        for cost, positions in parts:
            weights, macs = weights.plus(cost), macs.plus(cost.times(positions=positions))
        return AlternativeRecord(
            name, product_record(weights), product_record(times_batch(macs, batch))
        )

    thin = f"1x1 to {format_count(reduced)}, then this"
    return [
        record("depthwise, then 1x1", (depthwise, output.size), (pointwise, output.size)),
        record(thin, (reduction, size), (rest, output.size)),
    ]
