"""What a model is given, as it is asked for: other sizes, and the types of numbers."""

from collections.abc import Sequence

from convcost.errors import Refusal

WORDS = {"int": "int64", "float": "float32"}  # PyTorch's names for ours
WHOLE = ("int", "int64", "int32")  # a row of such has a length, and no channels


def sized(
    inputs: Sequence[Sequence[int]], dtypes: Sequence[str], size: Sequence[int] | None
) -> tuple[tuple[int, ...], ...]:
    """Inputs at another size; vectors have none and stay. Raises Refusal."""
    if size is None:
        return tuple(map(tuple, inputs))
    found = []
    for number, dims in enumerate(inputs):
        row = len(dims) == 1 and number < len(dtypes) and dtypes[number] in WHOLE
        kept = () if row else tuple(dims[:1])
        axes = len(dims) - len(kept)
        if axes and len(size) not in (1, axes):
            shown, asked = ("x".join(map(str, one)) for one in (dims, size))
            raise Refusal(
                "CC401",
                f"--size {asked} has {len(size)} axes, --input {shown} has {axes}",
                "give one number for every axis, or one for each",
            )
        found.append((*kept, *(size if len(size) == axes else tuple(size) * axes)))
    return tuple(found)
