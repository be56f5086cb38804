"""The sizes and types of a model's inputs, as the user requests them."""

from collections.abc import Sequence

from convcost.model.errors import ConstraintError

WORDS = {"int": "int64", "float": "float32"}  # PyTorch's names of our types
WHOLE = ("int", "int64", "int32")  # a vector of these types has a length and no channels


def resize_inputs(
    inputs: Sequence[Sequence[int]], dtypes: Sequence[str], size: Sequence[int] | None
) -> tuple[tuple[int, ...], ...]:
    """The inputs at another size. Vectors of floats have no size and do not change. Raises
    ConstraintError."""
    if size is None:
        return tuple(map(tuple, inputs))
    found = []
    for number, dims in enumerate(inputs):
        row = len(dims) == 1 and number < len(dtypes) and dtypes[number] in WHOLE
        kept = () if row else tuple(dims[:1])
        axes = len(dims) - len(kept)
        if axes and len(size) not in (1, axes):
            shown, asked = ("x".join(map(str, one)) for one in (dims, size))
            raise ConstraintError(
                "CC401",
                f"--size {asked} has {len(size)} axes, --input {shown} has {axes}",
                "give one number for every axis, or one for each",
            )
        found.append((*kept, *(size if len(size) == axes else tuple(size) * axes)))
    return tuple(found)
