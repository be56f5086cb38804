"""Which sizes a network takes besides the one its spec has: all, none, or multiples of a number."""

from typing import NamedTuple

from convcost.errors import Refusal
from convcost.kind import Option
from convcost.shapes import size_text
from convcost.spec.document import Mapping, Node

SAYS = {
    "fixed": Option("fixed", "fixed", "Flag", "whether it takes its own size alone", False),
    "multiple": Option("multiple", "multiple", "Count", "what all extents are multiples of", 1),
}


class Sizes(NamedTuple):
    """`input: {…, fixed: true}` and `input: {…, multiple: 32}`: what the layers below hold for.

    A `fixed` network takes the size in its spec alone; of another, every extent is a multiple of
    `multiple`.
    """

    fixed: bool = False
    multiple: int = 1

    def check(self, own: tuple[int, ...], wanted: tuple[int, ...]) -> None:
        """Raises Refusal if a network of the size `own` does not take the size `wanted`."""
        if self.fixed and wanted != own:
            raise Refusal(
                "CC113",
                f"size {size_text(wanted)}, but it takes {size_text(own)} alone: "
                "its input is `fixed`",
                "its layers hold for that size; what was imported is imported again at another",
            )
        off = [n for n in wanted if n % self.multiple]
        if off:
            nearest = tuple(_nearest(n, self.multiple) for n in wanted)
            raise Refusal(
                "CC113",
                f"size {size_text(wanted)}, but it takes multiples of {self.multiple} alone, "
                f"which {off[0]} is not",
                f"the nearest is {size_text(nearest)}",
            )


def parted(node: Node) -> tuple[Node, dict[str, Node]]:
    """An `input` as it is written: its tensor, and what it says of sizes."""
    if type(node) is not Mapping:
        return node, {}
    said = {key: value for key, (_, value) in node.entries.items() if key in SAYS}
    left = {key: entry for key, entry in node.entries.items() if key not in SAYS}
    return node._replace(entries=left) if said else node, said


def _nearest(n: int, multiple: int) -> int:
    return max(multiple, (2 * n + multiple) // (2 * multiple) * multiple)
