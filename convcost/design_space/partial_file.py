"""The file that holds the points of a search until they are complete."""

import os
from pathlib import Path


def partial_file(points: Path) -> Path:
    """It is beside the file of points, or beside the target of a link to it."""
    return Path(f"{os.path.realpath(points)}.part")
