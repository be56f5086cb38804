"""The model of a comment on a change, independent of the markup: a verdict, then blocks."""

from typing import TypeAlias

from convcost.model.record import NamedTuple
from convcost.reports.table import Table

Lines: TypeAlias = tuple[str, ...]


class CommentBlock(NamedTuple):
    """A table, or lines, under a title. A `folded` block is closed until the reader opens it.

    If there is no room for all, the block with the highest `rank` is cut first. A block that
    `shortens` loses the ends of long texts before it loses rows; right-aligned cells stay whole.
    """

    title: str
    body: Table | Lines
    rank: int
    folded: bool = False
    shortens: bool = False


class Comment(NamedTuple):
    """A comment on a change. `key` names it among several. The verdict is one short sentence that
    has no text from a spec."""

    key: str
    verdict: str
    blocks: tuple[CommentBlock, ...]
