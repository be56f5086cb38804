"""Renamed files, by their contents."""

import re
from collections import Counter
from collections.abc import Mapping

PIECE = re.compile(rb"\S[^\r\n]{0,63}")  # a line without its indentation; a long one in pieces
MAX_COMPARISONS = 1_000_000  # between pieces; with more, only files with equal contents are found


def detect_renames(new: Mapping[str, bytes], deleted: Mapping[str, bytes]) -> dict[str, str]:
    """Old names by new names: the most similar pairs first, each file once.

    Two files are similar if they share at least half of the bytes of the larger one, by lines.
    """
    names = {data: name for name, data in deleted.items()}
    old_by_new = {name: names.pop(data) for name, data in new.items() if data in names}
    used = set(old_by_new.values())
    before = {name: Counter(PIECE.findall(deleted[name])) for name in deleted.keys() - used}
    after = {name: Counter(PIECE.findall(new[name])) for name in new.keys() - old_by_new.keys()}
    if len(after) * sum(map(len, before.values())) > MAX_COMPARISONS:
        return old_by_new
    pairs = []
    for name, pieces in after.items():
        for old, others in before.items():
            shared, larger = _size(pieces & others), max(_size(pieces), _size(others))
            if 0 < larger <= 2 * shared:
                pairs.append((larger - shared, name, old))
    for _, name, old in sorted(pairs):
        if name not in old_by_new and old not in used:
            old_by_new[name] = old
            used.add(old)
    return old_by_new


def _size(pieces: Counter[bytes]) -> int:
    return sum(len(piece) * count for piece, count in pieces.items())
