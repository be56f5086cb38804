"""The dims of a model's inputs: its own, with the open dims filled."""

from typing import Any

from convcost.importing.passes.model_inputs import MAX_COLOURS, channels_first, dims_text
from convcost.model.errors import ConstraintError

Dims = list[int | None]
FIXED = "import it without --size; `convcost analyze` accepts --size for the spec"
HINT = "add --size 224, or --input 3x224x224"


def input_dims(
    name: str, shape: Any, given: tuple[int, ...] | None, size: tuple[int, ...] | None
) -> tuple[list[int], int]:
    """The dims of the input `name`, with a batch of 1, and its channel axis.

    `given` are all dims of this input, channels first; `size` is for inputs without `given`. Dims
    that are numbers in the model's own `shape` do not change. Raises ConstraintError.
    """
    if shape is None and given is None:
        raise ConstraintError(
            "CC405", "the model does not state its input shape", "add --input 3x224x224"
        )
    own: Dims = [None] * len(given or ())
    if shape is not None:
        own = _require_valid(name, shape)
    dims, channel = _fill_open_dims(name, own, given, size)
    if None in dims:
        raise ConstraintError("CC405", f"input `{name}` is open: {dims_text(own)}", HINT)
    found = [1, *(n for n in dims if n is not None)]
    return found, 1 if channels_first(found) else channel


def _require_valid(name: str, shape: Any) -> Dims:
    dims = list(shape[1:])
    if not dims or any(n is not None and (type(n) is not int or n < 1) for n in dims):
        raise ConstraintError(
            "CC404", f"the input `{name}` must have sizes from 1 or None, not {shape!r:.80}"
        )
    return dims


def _fill_open_dims(
    name: str, own: Dims, given: tuple[int, ...] | None, size: tuple[int, ...] | None
) -> tuple[Dims, int]:
    """The dims with the open ones filled: channels last if that fits the fixed dims, otherwise
    channels first."""
    axes = len(own) - 1
    if given is None and (size is None or not axes):
        return own, len(own)
    for channel in (axes, 0):
        dims: Dims
        if given is not None:
            dims = [*given[1:]]
            dims.insert(channel, given[0])
        else:
            assert size is not None
            dims = [*(size * axes if len(size) == 1 else size)]
            dims.insert(channel, own[channel])
        if len(dims) == len(own) and all(b in (None, a) for a, b in zip(dims, own, strict=True)):
            if given is not None and not channel and axes and _is_in_keras_order(given, own):
                asked, meant = ("x".join(map(str, x)) for x in (given, (given[-1], *given[:-1])))
                message = f"--input {asked} has its channels last, but --input is channels first"
                raise ConstraintError("CC405", message, f"--input {meant}")
            return dims, channel + 1
    _require_same_channels(own, given)
    fixed = "fixed to" if None not in own else "fixed where it is not open:"
    raise ConstraintError("CC405", f"the input `{name}` is {fixed} {dims_text(own)}", FIXED)


def _require_same_channels(own: Dims, given: tuple[int, ...] | None) -> None:
    """Raises ConstraintError if the channels of --input differ from the model's."""
    c = own[-1]
    if given is None or len(given) != len(own) or c in (None, given[0]):
        return
    asked = "x".join(map(str, given))
    if given[-1] == c:
        meant = "x".join(map(str, (c, *given[:-1])))
        raise ConstraintError(
            "CC401", f"--input is channels first, not {asked}", f"--input {meant}"
        )
    message = f"the model takes {c} channels, --input {asked} has {given[0]}"
    raise ConstraintError("CC401", message, f"--input {'x'.join(map(str, (c, *given[1:])))}")


def _is_in_keras_order(given: tuple[int, ...], own: Dims) -> bool:
    """Whether --input equals the model's own dims in Keras' order instead of channels first."""
    *size, c = given
    if len(size) == 1:
        return own[-1] is not None
    return c <= MAX_COLOURS < size[0] or (len(set(size)) == 1 and c != size[0])
