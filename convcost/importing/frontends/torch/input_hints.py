"""Suggests other inputs for a model that fails on the given ones, by trying them on the meta
device."""

from collections.abc import Iterator
from inspect import Parameter, signature
from typing import Any

# The attribute of a module with its input width, our word for it, and its axis after the batch.
WIDTHS = (("in_channels", "channels", 0), ("in_features", "features", -1))
MAX_FIRST_MODULES = 3  # modules of a type that may be the first one to run


def suggest_inputs(module: Any, input_tensors: tuple[Any, ...]) -> str:
    """The nearest inputs that the model runs on, or the inputs that it needs; "" if no other input
    helps."""
    if wanting := _number_hint(module, len(input_tensors)):
        return wanting
    for number, tensor in enumerate(input_tensors):
        for other, text in _alternatives(module, tensor):
            if _can_run(module, (*input_tensors[:number], other, *input_tensors[number + 1 :])):
                return text
    return ""


def _number_hint(module: Any, number: int) -> str:
    """The names of the tensors that the model needs, if their number differs from `number`."""
    kinds = (Parameter.POSITIONAL_ONLY, Parameter.POSITIONAL_OR_KEYWORD)
    try:
        parameters = signature(module.forward).parameters.values()
    except (TypeError, ValueError):
        return ""
    takes = [parameter for parameter in parameters if parameter.kind in kinds]
    needed = [parameter.name for parameter in takes if parameter.default is Parameter.empty]
    several = any(parameter.kind is Parameter.VAR_POSITIONAL for parameter in parameters)
    if not needed or (len(needed) <= number and (several or number <= len(takes))):
        return ""
    times = {1: "once", 2: "twice"}.get(len(needed), f"{len(needed)} times")
    return f"forward takes {', '.join(needed)}: give --input {times}"


def _alternatives(module: Any, tensor: Any) -> Iterator[tuple[Any, str]]:
    """Tensors that the user may have meant instead, each with a message."""
    _, *dims = tensor.shape
    if len(dims) > 1 and dims[0] == 1:
        yield tensor[0], f"without the batch: --input {_text(dims[1:])}"
    if len(dims) > 1:
        last = [dims[-1], *dims[:-1]]
        yield tensor.new_empty((1, *last)), f"channels first: --input {_text(last)}"
    for attribute, word, axis in WIDTHS:
        for width in _widths(module, attribute) if dims else ():
            other_dims = [*dims]
            other_dims[axis] = width
            text = f"the model takes {width} {word}: --input {_text(other_dims)}"
            yield tensor.new_empty((1, *other_dims)), text
    if tensor.is_floating_point():
        yield tensor.long(), f"the model takes whole numbers: --input {_text(dims)}:int"
    else:
        yield tensor.float(), f"the model takes no whole numbers: --input {_text(dims)}"


def _widths(module: Any, attribute: str) -> list[int]:
    widths = [getattr(submodule, attribute, None) for submodule in module.modules()]
    return [width for width in dict.fromkeys(widths) if type(width) is int][:MAX_FIRST_MODULES]


def _text(dims: list[int]) -> str:
    return "x".join(map(str, dims))


def _can_run(module: Any, input_tensors: tuple[Any, ...]) -> bool:
    try:
        module(*input_tensors)
    except Exception as error:  # noqa: BLE001  a user's code may raise anything
        return "meta tensors" in str(error)
    return True
