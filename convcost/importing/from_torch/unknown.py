"""Operators that have no counterpart: a layer that says so, and never a silent zero."""

from typing import Any

from convcost.importing.from_torch.held import Held, tensors
from convcost.importing.from_torch.materials import buffers, flowing, weights
from convcost.importing.from_torch.registry import Call
from convcost.importing.parts.stated import bounded
from convcost.importing.value import Value, made
from convcost.shapes import Shape


def unknown(call: Call) -> Any:
    """A `custom` layer, uncounted; one for each tensor that comes out."""
    return stated(call, call.name.removeprefix("aten."), None)


def stated(call: Call, what: str, macs: int | None = 0) -> Any:
    """A `custom` layer that states the shape the model gives; of None macs nobody knows them. Of
    several tensors the first has params and macs, and the others are drawn if someone takes them.
    """
    given = list(tensors(dict(call.given)))
    sources = [one for one in given if isinstance(one, Value)]
    held = [one for one in given if isinstance(one, Held)]
    if not sources:
        sources, held = [flowing(call.easel, one) for one in held if one.leaves], []
    learned = {key: n for key, n in weights(*held).items() if key not in call.easel.used}
    kept = {key: n for key, n in buffers(*held).items() if key not in call.easel.used}
    several = bool(call.dims) and isinstance(call.dims[0], tuple)
    found: list[Value | None] = []
    for number, dims in enumerate(call.dims if several else (call.dims,)):
        if dims is None or (number and f"getitem:{number}" not in call.users):
            found.append(None)
            continue
        found.append(_layer(call, what, macs, dims, sources, {} if number else learned, kept))
        kept, macs = {}, None if macs is None else 0
    return tuple(found) if several else found[0]


def _layer(
    call: Call, what: str, macs: int | None, dims: tuple[int, ...], sources: list[Value],
    learned: dict[str, int], kept: dict[str, int],
) -> Value:  # fmt: skip
    alike = next((one for one in sources if one.dims == dims and one.axes is not None), None)
    if alike is not None:  # its elements stand where those of that one do
        return alike._replace(
            source=_emitted(call, what, macs, alike.shape, sources, learned, kept)
        )
    if not dims:
        index = _emitted(call, what, macs, Shape(1), sources, learned, kept)
        return Value(index, Shape(1), (), (), None)
    batch = 0 if len(dims) > 1 and dims[0] == 1 else None
    rest = dims[1:] if batch == 0 else dims
    rank = len(dims)
    # The layout of what comes in, where the rank lets it be.
    first = sources[0]
    channel = first.channel if len(first.dims) == rank and first.channel != batch else rank - 1
    at = channel - (rank - len(rest))
    shape = Shape(rest[at], (*rest[:at], *rest[at + 1 :]))
    index = _emitted(call, what, macs, shape, sources, learned, kept)
    return made(index, shape, rank, channel, batch)


def _emitted(
    call: Call, what: str, macs: int | None, shape: Shape, sources: list[Value],
    learned: dict[str, int], kept: dict[str, int],
) -> int:  # fmt: skip
    inputs, bound = bounded(call.easel, [one.source for one in sources], shape, macs or 0)
    options = {
        "what": what,
        "params": sum(learned.values()),
        "buffers": sum(kept.values()),
        "macs": "uncounted" if macs is None else macs,
        **bound,
    }
    return call.easel.emit("custom", call.path, inputs, options, tensors=learned, buffers=kept)
