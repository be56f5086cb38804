"""The dims of a model's inputs: its own, with the open dims filled."""

from typing import Any

from convcost.importing.frontends.keras.classes import LayerConfig
from convcost.importing.passes.model_inputs import MAX_COLOURS, channels_first, dims_text
from convcost.model.errors import ConstraintError
from convcost.model.number_format import counted

Dims = list[int | None]
FIXED = "import it without --size; `convcost analyze` accepts --size for the spec"
HINT = "add --size 224, or --input 3x224x224"


def own_input_shape(layer: LayerConfig) -> Any:
    """The input shape that a layer states, or the first layer of a model; None if it states
    none."""
    config = layer["config"]
    shape = config.get("batch_input_shape") or config.get("batch_shape")
    inner = config.get("layers")
    return own_input_shape(inner[0]) if shape is None and inner else shape


def input_dims(
    name: str, shape: Any, option_dims: tuple[int, ...] | None, size: tuple[int, ...] | None
) -> tuple[list[int], int]:
    """The dims of the input `name`, with a batch of 1, and its channel axis.

    `option_dims` are all dims of this input, channels first; `size` is for inputs without them.
    Dims that are numbers in the model's own `shape` do not change. Raises ConstraintError.
    """
    if shape is None and option_dims is None:
        raise ConstraintError(
            "CC405", "the model does not state its input shape", "add --input 3x224x224"
        )
    model_dims: Dims = [None] * len(option_dims or ())
    if shape is not None:
        model_dims = _require_valid(name, shape)
    dims, channel = _fill_open_dims(name, model_dims, option_dims, size)
    if None in dims:
        raise ConstraintError("CC405", f"input `{name}` is open: {dims_text(model_dims)}", HINT)
    dims_with_batch = [1, *(n for n in dims if n is not None)]
    return dims_with_batch, 1 if channels_first(dims_with_batch) else channel


def _require_valid(name: str, shape: Any) -> Dims:
    dims = list(shape[1:])
    if not dims or any(n is not None and (type(n) is not int or n < 1) for n in dims):
        raise ConstraintError(
            "CC404", f"the input `{name}` must have sizes from 1 or None, not {shape!r:.80}"
        )
    return dims


def _fill_open_dims(
    name: str, shape: Dims, option: tuple[int, ...] | None, size: tuple[int, ...] | None
) -> tuple[Dims, int]:
    """The dims with the open ones filled: channels last if that fits the fixed dims, otherwise
    channels first."""
    axes = len(shape) - 1
    if option is None and (size is None or not axes):
        return shape, len(shape)
    for channel in (axes, 0):
        dims: Dims
        if option is not None:
            dims = [*option[1:]]
            dims.insert(channel, option[0])
        else:
            assert size is not None
            dims = [*(size * axes if len(size) == 1 else size)]
            dims.insert(channel, shape[channel])
        if len(dims) == len(shape) and all(
            b in (None, a) for a, b in zip(dims, shape, strict=True)
        ):
            if option is not None and not channel and axes and _is_in_keras_order(option, shape):
                text, meant = ("x".join(map(str, x)) for x in (option, (option[-1], *option[:-1])))
                message = f"--input {text} has its channels last, but --input is channels first"
                raise ConstraintError("CC405", message, f"--input {meant}")
            return dims, channel + 1
    _require_same_channels(shape, option)
    fixed = "fixed to" if None not in shape else "fixed where it is not open:"
    raise ConstraintError("CC405", f"the input `{name}` is {fixed} {dims_text(shape)}", FIXED)


def _require_same_channels(model_dims: Dims, option_dims: tuple[int, ...] | None) -> None:
    """Raises ConstraintError if the channels of --input differ from the model's."""
    c = model_dims[-1]
    if option_dims is None or len(option_dims) != len(model_dims) or c in (None, option_dims[0]):
        return
    option_text = "x".join(map(str, option_dims))
    if option_dims[-1] == c:
        meant = "x".join(map(str, (c, *option_dims[:-1])))
        raise ConstraintError(
            "CC401", f"--input is channels first, not {option_text}", f"--input {meant}"
        )
    message = f"the model takes {counted(c, 'channel')}, --input {option_text} has {option_dims[0]}"
    raise ConstraintError("CC401", message, f"--input {'x'.join(map(str, (c, *option_dims[1:])))}")


def _is_in_keras_order(option_dims: tuple[int, ...], model_dims: Dims) -> bool:
    """Whether --input equals the model's own dims in Keras' order instead of channels first."""
    *size, c = option_dims
    if len(size) == 1:
        return model_dims[-1] is not None
    return c <= MAX_COLOURS < size[0] or (len(set(size)) == 1 and c != size[0])
