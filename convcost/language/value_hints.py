"""Help for values in the notation of other tools: `3x32x32`, `[3, 32, 32]`, `kernel: 3x3`."""

from convcost.language.scalars import parse_extents
from convcost.language.yaml_nodes import Mapping, Node, Scalar, Sequence
from convcost.model.errors import ConstraintError
from convcost.model.kind import Option

UNKNOWN_BATCH = ("-1", "?", "n", "N", "None", "null")


def value_hint(option: Option, node: Node) -> str:
    """What to write instead of a value that an option does not accept; empty if unknown."""
    if option.type_name == "Input":
        return _size_hint(node) if type(node) is Mapping else _input_hint(node)
    numbers = _numbers(node)
    try:
        option.type.check(numbers)
    except ConstraintError:
        return ""
    return f"write {list(numbers)}" if len(numbers) > 1 else ""


def _numbers(node: Node | None) -> tuple[int, ...]:
    """The numbers in `3x32x32` or `[null, 3, 32, 32]`; empty for any other value."""
    if type(node) is Scalar:
        return parse_extents(node.text)
    if type(node) is not Sequence or not all(type(item) is Scalar for item in node.items):
        return ()
    texts = [item.text for item in node.items if type(item) is Scalar]
    return parse_extents("x".join(texts[1:] if texts[:1] and texts[0] in UNKNOWN_BATCH else texts))


def _size_hint(node: Mapping) -> str:
    """Help for `{channels: 3, size: 224x224}`, also if the size has the channels."""
    size, channels = node.get("size"), node.get("channels")
    numbers = _numbers(size) if type(size) is Scalar else ()
    channels_text = channels.text if type(channels) is Scalar else ""
    if len(numbers) > 2:  # noqa: PLR2004
        if str(numbers[0]) == channels_text:
            numbers = numbers[1:]
        elif str(numbers[-1]) == channels_text:
            numbers = numbers[:-1]
    return f"write `size: {list(numbers)}`" if len(numbers) > 1 else ""


def _input_hint(node: Node) -> str:
    """Help for a shape without words: the channels are first, or last if they are fewer."""
    numbers = _numbers(node)
    if len(numbers) == 4 and numbers[0] == 1:  # noqa: PLR2004  a batch
        numbers = numbers[1:]
    if len(numbers) == 1:
        vector = f"{{channels: {numbers[0]}, size: []}}"
        return f"write {{channels: 3, size: {numbers[0]}}} for an image, {vector} for a vector"
    if not 1 < len(numbers) <= 4:  # noqa: PLR2004
        return ""
    channels, *size = numbers
    if numbers[-1] < channels:
        *size, channels = numbers
    return f"write {{channels: {channels}, size: {size}}}"
