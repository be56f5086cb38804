"""Frames around the boxes that share a name: `inception_3a` around its branches."""

from typing import NamedTuple

from convcost.pictures import Box

DEEPEST = 2  # frames in frames


class Frame(NamedTuple):
    """A name and its boxes; `depth` is how many frames it stands in."""

    path: str
    boxes: tuple[int, ...]
    depth: int


def frames(boxes: tuple[Box, ...]) -> tuple[Frame, ...]:
    """For each name that holds two boxes or more, outer ones first; a name that holds the same as
    the one above it gets none."""
    members: dict[str, list[int]] = {}
    for number, box in enumerate(boxes):
        words = box.path.split("/")
        for length in range(1, len(words) + 1):
            members.setdefault("/".join(words[:length]), []).append(number)
    found: dict[str, Frame] = {}
    for path, held in members.items():
        outer = [frame for frame in found.values() if path.startswith(f"{frame.path}/")]
        same = any(frame.boxes == tuple(held) for frame in outer)
        if len(held) > 1 and len(outer) < DEEPEST and not same:
            found[path] = Frame(path, tuple(held), len(outer))
    return tuple(found.values())


def name_in(box: Box, drawn: tuple[Frame, ...]) -> str:
    """What a box is called within the innermost frame around it."""
    if box.label:
        return box.label
    inner = [frame.path for frame in drawn if box.path.startswith(f"{frame.path}/")]
    return box.path[len(max(inner, key=len)) + 1 :] if inner else box.path
