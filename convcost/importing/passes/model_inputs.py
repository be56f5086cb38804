"""The dims of a model's inputs: which axis has the channels, and which axes `--size` is for."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from convcost.importing.ir.tensor import MAPS_RANK
from convcost.model.errors import ConstraintError
from convcost.model.number_format import counted

MAX_COLOURS = 4  # channels of an image, such as RGBA
MIN_SIZED_RANK = 3  # axes of a tensor with channels and a size


def dims_text(dims: Sequence[int | None]) -> str:
    """`1×3×?×?`: an open dim is None."""
    return "×".join("?" if extent is None else str(extent) for extent in dims) or "a scalar"


def channels_first(dims: Sequence[int | None]) -> bool:
    """Whether the dims are those of an image with the channels before the size: only the second
    axis is as small as the colours of an image."""
    if len(dims) != MAPS_RANK:
        return False
    second, last = dims[1], dims[-1]
    return second is not None and last is not None and second <= MAX_COLOURS < last


def fill_size(
    name: str, dims: list[int | None], size: Sequence[int], hint: str = "", *, last: bool
) -> None:
    """Puts `size` into the open axes, or into all axes except the batch and the channels if none is
    open. A single number counts for every axis. The channels are the second axis, or the `last`
    one. Raises ConstraintError CC405."""
    places = [axis for axis, extent in enumerate(dims) if extent is None]
    if len(places) != len(size):
        inner = range(1, len(dims))
        orders = (inner[:-1], inner[1:]) if last else (inner[1:], inner[:-1])
        fits = [a for a in orders if len(size) in (1, len(a)) and set(places) <= set(a)]
        if not (fits and places and len(size) == 1):
            places = list(fits[0]) if fits else []
    if not places:
        numbers = counted(len(size), "number")
        message = f"--size gives {numbers}, but the input `{name}` is {dims_text(dims)}"
        raise ConstraintError("CC405", message, hint)
    for axis, extent in zip(places, [*size] * len(places), strict=False):
        dims[axis] = extent


@contextmanager
def at_other_dims(
    file_dims: Sequence[str], size: Sequence[int] | None, *, resized: bool
) -> Iterator[None]:
    """Adds to errors that the inputs have other dims than in the file. `file_dims` lists the dims
    in the file; it is empty if they are the same. With `resized`, convcost chose the size."""
    try:
        yield
    except ConstraintError as refusal:
        if not file_dims:
            raise
        if resized:
            reason = "the file was exported for one size and contains numbers of it"
            raise ConstraintError("CC402", f"{reason} ({refusal.message})") from None
        where = "for one sample" if size is None else f"at --size {'x'.join(map(str, size))}"
        hint = "export it with a batch of 1"
        own_size = f"the model works only at its own size, {', '.join(file_dims)}"
        raise ConstraintError(
            "CC402",
            f"{own_size}; {where}: {refusal.message}",
            hint if size is None else "import it without --size, or export it for that size",
        ) from None
