"""Views: the same elements in other dims or in another order. They add no layer; a later layer that
needs the elements in the new order adds one."""

from math import prod

from convcost.importing.ir.builder import GraphBuilder
from convcost.importing.ir.ops import Node
from convcost.importing.ir.tensor import Tensor, permuted, reshaped, with_rank
from convcost.importing.passes.lowering import lower, lowering
from convcost.model.errors import ConstraintError


@lowering("reshape")
def reshape(builder: GraphBuilder, node: Node) -> Tensor:
    """The elements in the dims `to`; −1 is the extent that follows from the others."""
    x, to = node.x, list(node.attributes["to"])
    product = prod(n for n in to if n != -1)
    dims = [x.elements // max(product, 1) if n == -1 else n for n in to]
    if prod(dims) != x.elements or to.count(-1) > 1 or min(dims, default=1) < 1:
        raise ConstraintError(
            "CC402",
            f"{x.elements:,} elements cannot have the shape {to}",
            "was the model exported for another size or batch? a reshape may have fixed dims",
        )
    return reshaped(x, dims)


@lowering("flatten")
def flatten(builder: GraphBuilder, node: Node) -> Tensor:
    """A matrix: the axes before `axis`, by default the first one, and the others."""
    dims, axis = node.x.dims, node.attributes.get("axis")
    split = 1 if axis is None else axis + len(dims) if axis < 0 else axis
    return reshaped(node.x, (prod(dims[:split]), prod(dims[split:])))


@lowering("squeeze")
def squeeze(builder: GraphBuilder, node: Node) -> Tensor:
    """Removes `axes`; all axes of extent 1 if there are none."""
    x, axes = node.x, node.attributes["axes"]
    rank = len(x.dims)
    removed = [axis % rank for axis in axes] or [axis for axis, n in enumerate(x.dims) if n == 1]
    return reshaped(x, [n for axis, n in enumerate(x.dims) if axis not in removed])


@lowering("unsqueeze")
def unsqueeze(builder: GraphBuilder, node: Node) -> Tensor:
    """Adds `axes` of extent 1, which are axes of the output."""
    axes = list(node.attributes["axes"])
    rank = len(node.x.dims) + len(axes)
    added = {axis % rank for axis in axes}
    if len(added) < len(axes):
        raise ConstraintError("CC404", f"its axes {axes} contain an axis twice")
    extents = iter(node.x.dims)
    return reshaped(node.x, [1 if axis in added else next(extents) for axis in range(rank)])


@lowering("permute")
def permute(builder: GraphBuilder, node: Node) -> Tensor:
    """The axes in another `order`; the reverse order if there is none."""
    rank, order = len(node.x.dims), node.attributes.get("order")
    axes = list(range(rank))[::-1] if order is None else [*order]
    if sorted(axis + rank if axis < 0 else axis for axis in axes) != list(range(rank)):
        raise ConstraintError(
            "CC404", f"its permutation {axes} must have each of the {rank} axes once"
        )
    return permuted(node.x, axes)


@lowering("expand")
def expand(builder: GraphBuilder, node: Node) -> Tensor:
    """Copies along axes, to `dims`. If the model only reshapes the copies (`merged`), those along
    an axis of extent 1 become entries of the axis before it: the keys of grouped queries, each
    copied for several heads, are one layer without a reshape. `what` names the layer."""
    dims = tuple(node.attributes["dims"])
    x = with_rank(node.x, len(dims))
    copied = [axis for axis, extent in enumerate(x.dims) if extent != dims[axis]]
    if not copied:
        return x
    into = copied[0] - 1
    before, after = dims[:into], dims[into + 2 :]
    single = len(copied) == 1 == x.dims[copied[0]]
    merges = single and node.attributes["merged"] and into not in (-1, x.batch)
    joined = (*before, prod(dims[into : into + 2]), *after) if merges else dims
    x = reshaped(x, (*before, dims[into], *after)) if merges else x
    return reshaped(
        lower(builder, "custom", node.path, x, what=node.attributes["what"], dims=joined), dims
    )
