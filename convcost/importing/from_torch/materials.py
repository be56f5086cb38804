"""What the operators need of tensors: a flowing one of a held one, the leaves of a weight."""

from math import prod

from convcost.importing.easel import Easel
from convcost.importing.from_torch.held import Held, Leaf
from convcost.importing.from_torch.names import parted
from convcost.importing.parts.tensors import learned
from convcost.importing.value import Value, made, reshaped
from convcost.shapes import Shape

MAPS = 4  # [n, c, h, w]: channels are not last


def flowing(easel: Easel, x: Value | Held) -> Value:
    """The tensor as a layer gives it; a held one is drawn, once."""
    if isinstance(x, Value):
        return x
    if x.node not in easel.held:
        easel.held[x.node] = _drawn(easel, x)
    return easel.held[x.node]


def _drawn(easel: Easel, x: Held) -> Value:
    beside = len(easel.layers) - 1
    channel = 1 if len(x.dims) >= MAPS else -1
    if not x.leaves:
        return _constant(easel, x, beside, channel)
    if x.call is None or (x.leaf and x.leaf.elements == prod(x.dims)):
        return _whole(easel, x, x.leaves[0], beside, channel)
    drawn: Value = x.call()
    return drawn


def _whole(easel: Easel, x: Held, leaf: Leaf, beside: int, channel: int) -> Value:
    """A tensor that the model registers, whatever form it has here: it is put down once."""
    once = easel.held.get(leaf.key)
    if once is None:
        once = easel.held[leaf.key] = learned(
            easel, leaf.key, x.dims, parted(leaf.key), beside=beside, buffer=not leaf.learned,
            channel=channel,
        )  # fmt: skip
    return reshaped(once, x.dims)


def _constant(easel: Easel, x: Held, beside: int, channel: int) -> Value:
    """Numbers that the model's code makes up: neither learned nor kept."""
    rank = len(x.dims)
    at = channel % rank if rank else 0
    batch = 0 if rank > 1 and x.dims[0] == 1 and at else None
    size = tuple(n for axis, n in enumerate(x.dims) if axis not in (at, batch))
    shape = Shape(x.dims[at], size) if rank else Shape(1)
    options = {"what": "constant", "params": 0, "macs": 0, "output": shape}
    index = easel.emit("custom", ("constant",), [beside], options)
    return made(index, shape, rank, at, batch)


def weights(*held: Held | None) -> dict[str, int]:
    """The learned leaves that weights are made of, with their elements."""
    return {leaf.key: leaf.elements for one in held if one for leaf in one.leaves if leaf.learned}


def buffers(*held: Held | None) -> dict[str, int]:
    return {
        leaf.key: leaf.elements for one in held if one for leaf in one.leaves if not leaf.learned
    }


def main(weight: Held) -> tuple[dict[str, int], dict[str, int]]:
    """Of the leaves that a weight is made of, the one that has its form, and the others: factors
    of filters where weights are standardized or normalized."""
    found = weights(weight)
    size = prod(weight.dims)
    own = next((key for key, n in found.items() if n == size), None)
    if own is None:
        return found, {}
    return {own: size}, {key: n for key, n in found.items() if key != own}
