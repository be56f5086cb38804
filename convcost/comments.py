"""What a report says in a comment on a change, before any markup: a verdict, then blocks.

A report that is read where a change is reviewed has a `comment()`; other reports show their tables.
"""

from typing import NamedTuple, TypeAlias

from convcost.report import Table

Lines: TypeAlias = tuple[str, ...]


class Block(NamedTuple):
    """A table, or lines, under a title. A `folded` one is closed until it is asked for.

    Where there is no room for all, the block of the highest `rank` is cut first; long texts of one
    that `shortens` are cut before rows are left out. Cells that stand right are never cut.
    """

    title: str
    body: Table | Lines
    rank: int
    folded: bool = False
    shortens: bool = False


class Comment(NamedTuple):
    """`key` names it among the comments on one change; the verdict is one short sentence, and it
    has nothing in it that a spec says."""

    key: str
    verdict: str
    blocks: tuple[Block, ...]
