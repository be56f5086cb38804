"""Which files were moved, by what they hold: for those that git is not told of yet."""

from collections import Counter
from collections.abc import Mapping

MOST = 10_000  # pairs; beyond it only equal files are found
ALIKE = 2  # at least one half of the lines, as git takes it


def moved(new: Mapping[str, bytes], gone: Mapping[str, bytes]) -> dict[str, str]:
    """Old names by new ones: equal files first, then those most alike, each of them once."""
    lines = {name: _lines(data) for name, data in (*new.items(), *gone.items())}
    if len(new) * len(gone) > MOST:
        names = {data: name for name, data in gone.items()}
        return {name: names.pop(data) for name, data in new.items() if data in names}
    pairs = []
    for name in new:
        for old in gone:
            same = (lines[name] & lines[old]).total()
            longer = max(lines[name].total(), lines[old].total())
            if same and ALIKE * same >= longer:
                pairs.append((same - longer, same, name, old))
    pairs.sort(key=lambda pair: (-pair[0], -pair[1], pair[2:]))
    found: dict[str, str] = {}
    for _, _, name, old in pairs:
        if name not in found and old not in found.values():
            found[name] = old
    return found


def _lines(data: bytes) -> Counter[bytes]:
    """Lines that say something; how they end and how deep they stand is no matter."""
    return Counter(line for raw in data.splitlines() if (line := raw.strip()))
