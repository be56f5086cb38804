"""Writes the Python of the playground to standard output as a zip: convcost, its specs, packages.

rich knows the widths of characters.
"""

import io
import sys
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZipFile

import rich
import yaml

HERE = Path(__file__).resolve().parent
TOP = HERE.parent
# The page has no command line, imports no models, and searches no design spaces.
LEFT_OUT = {"__pycache__", "cli", "design_space", "importing", "schemas"}


def main() -> None:
    data = io.BytesIO()
    with ZipFile(data, "w", ZIP_DEFLATED) as archive:
        packages = (Path(package.__path__[0]) for package in (yaml, rich))
        for root in (TOP / "convcost", TOP / "specs", *packages):
            for file in sorted(root.rglob("*")):
                name = file.relative_to(root.parent)
                if file.is_file() and file.suffix != ".so" and not LEFT_OUT & set(name.parts):
                    archive.write(file, str(name))
        archive.write(HERE / "playground.py", "playground.py")
    sys.stdout.buffer.write(data.getvalue())


if __name__ == "__main__":
    main()
