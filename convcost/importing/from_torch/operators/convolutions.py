"""Convolutions, plain and transposed, of one, two and three axes."""

from collections.abc import Mapping
from math import prod
from typing import Any

from convcost.importing.from_torch.held import Held
from convcost.importing.from_torch.materials import buffers, flowing, main, weights
from convcost.importing.from_torch.names import parted
from convcost.importing.from_torch.registry import Call, operator
from convcost.importing.from_torch.samples import apart, together
from convcost.importing.from_torch.unknown import stated
from convcost.importing.parts.biases import shifted
from convcost.importing.parts.joins import elementwise
from convcost.importing.parts.pointwise import by_channel
from convcost.importing.parts.windows import convolved, each, window
from convcost.importing.value import Value, reshaped

AXES = 3  # as many as windows have, so that samples cannot be one more


@operator("aten.conv1d", "aten.conv2d", "aten.conv3d")
def convolution(call: Call) -> Any:
    """`weight` is [filters, channels/groups, kernel…]."""
    given = call.given
    filters, share, *kernel = given["weight"].dims
    fixed = _fixed(call, prod(call.dims) * share * prod(kernel))
    if fixed is not None:
        return fixed
    rank = len(kernel)
    dilation = spread(given["dilation"], rank)
    begins, ends = _padding(given["padding"], kernel, dilation)
    x = together(flowing(call.easel, given["input"]))
    weight, bias = given["weight"], given["bias"]
    own, others = main(weight)
    kept = {} if own else buffers(weight)
    held = not others and _held(call, bias, filters, own)
    tensors = {**own, **(weights(bias) if held else {})}
    # Windows over samples that are many: the axis of samples is one more of the size.
    more = len(x.dims) - 2 - rank
    ones, none = [1] * more, [0] * more
    y = convolved(
        call.easel,
        x,
        call.path,
        filters=filters,
        kernel=[*ones, *kernel],
        stride=[*ones, *spread(given["stride"], rank)],
        begins=[*none, *begins],
        ends=[*none, *ends],
        dilation=[*ones, *dilation],
        groups=given["groups"],
        tensors=tensors,
        bias=held,
        buffers=kept,
    )
    if others:
        y = _weighed(call, y, others, weights(bias))
    elif bias is not None and not held:
        y = _shifted(call, y, bias)
    return apart(y, call.dims)


def _held(call: Call, bias: Value | Held | None, filters: int, own: Mapping[str, int]) -> bool:
    """Whether a bias is the layer's: a learned number each filter, and not drawn apart."""
    learned = isinstance(bias, Held) and sum(weights(bias).values()) == filters
    return learned and not own.keys() & call.apart


def _shifted(call: Call, y: Value, bias: Value | Held) -> Value:
    """A bias behind the layer: others use its weights with biases of their own, or it is worked
    out."""
    if isinstance(bias, Held) and not bias.leaves:
        call.easel.free["add a fixed number"] += 1
        return y
    tensors = weights(bias) if isinstance(bias, Held) else {}
    if isinstance(bias, Held) and bias.leaf is not None and tensors:
        return shifted(call.easel, y, parted(bias.leaf.key), 1, tensors)
    summand = flowing(call.easel, bias)
    across = reshaped(summand, (1, *summand.dims, *(1 for _ in y.dims[2:])))
    return elementwise(call.easel, "add", [y, across], call.path)


def _weighed(call: Call, y: Value, factors: dict[str, int], shifts: dict[str, int]) -> Value:
    """What the weights of filters are multiplied by, one number each, and the bias behind it."""
    options = {"shift": bool(shifts)}
    tensors = {**factors, **shifts}
    path = parted(next(iter(factors)))
    return by_channel(call.easel, "scale", y, path, 1, options, tensors=tensors)


@operator("aten.conv_transpose1d", "aten.conv_transpose2d", "aten.conv_transpose3d")
def transposed(call: Call) -> Any:
    """`weight` is [channels, filters/groups, kernel…]."""
    given = call.given
    share, kernel = given["weight"].dims[1], given["weight"].dims[2:]
    fixed = _fixed(call, prod(given["input"].dims) * share * prod(kernel))
    if fixed is not None:
        return fixed
    rank = len(kernel)
    extra = spread(given["output_padding"], rank)
    weight, bias = given["weight"], given["bias"]
    held = _held(call, bias, share * given["groups"], weights(weight))
    options = {
        "filters": share * given["groups"],
        "kernel": each(kernel),
        "stride": each(spread(given["stride"], rank)),
        "padding": each(spread(given["padding"], rank)),
        "output_padding": each(extra),
        "dilation": each(spread(given["dilation"], rank)),
        "groups": given["groups"],
        "bias": held,
    }
    tensors = weights(weight, bias if held else None)
    x = flowing(call.easel, given["input"])
    y = window(call.easel, "transposed_conv", x, call.path, options, tensors)
    return y if held or bias is None else _shifted(call, y, bias)


def _fixed(call: Call, macs: int) -> Any:
    """What no kind says: stated, with the macs. None for a plain layer, and for one whose weights
    are a learned tensor times a number for each filter."""
    weight = call.given["weight"]
    if isinstance(weight, Value):
        return stated(call, "convolution with computed weights", macs)
    if len(weight.dims) - 2 == AXES and call.given["input"].dims[0] > 1:
        return stated(call, "convolution of many samples", macs)
    own, others = main(weight)
    plain = not call.name.startswith("aten.conv_transpose")
    factors = (0, weight.dims[0]) if plain else (0,)
    if sum(own.values()) == prod(weight.dims) and sum(others.values()) in factors:
        return None
    if own:
        return stated(call, "convolution with weights worked out of others", macs)
    if _kept(call, weight):
        return None
    return stated(call, "convolution with fixed weights", macs)


def _kept(call: Call, weight: Held) -> bool:
    """Whether weights are a buffer as it stands, of this layer alone: a blur before a stride."""
    plain = not call.name.startswith("aten.conv_transpose")
    found = buffers(weight)
    return (
        plain
        and list(found.values()) == [prod(weight.dims)]
        and not found.keys() & call.easel.used.keys()
    )


def _padding(given: Any, kernel: Any, dilation: Any) -> tuple[list[int], list[int]]:
    """Begins and ends; of `same` the odd element goes to the end."""
    if given == "valid":
        given = 0
    if given == "same":
        spans = [d * (f - 1) for d, f in zip(dilation, kernel, strict=True)]
        return [n // 2 for n in spans], [n - n // 2 for n in spans]
    both = list(spread(given, len(kernel)))
    return both, both


def spread(given: Any, rank: int) -> tuple[int, ...]:
    """One number for each axis; PyTorch takes one for all of them too."""
    numbers = tuple(given) if isinstance(given, (tuple, list)) else (given,)
    return numbers * rank if len(numbers) == 1 else numbers
