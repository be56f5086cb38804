"""Devices: files of the user, and those that ship with convcost."""

import os
from pathlib import Path

from convcost.language.device import parse_device
from convcost.model.errors import Source, UsageError
from convcost.model.roofline import Device
from convcost.model.suggestions import did_you_mean
from convcost.sources.spec_files import SUFFIXES, read_text, shipped_files


def read_device(name: str) -> Device:
    """The device of a file, or a shipped device by its name. Raises UsageError and SpecError."""
    shipped = shipped_files("devices")
    path = shipped.get(name)
    if path is None:
        path = Path(name)
        if not (name.endswith(SUFFIXES) or os.sep in name) or not path.is_file():
            listing = f"known devices: {', '.join(shipped)}; or give a file"
            hint = f"{did_you_mean(name, shipped, 0)} {listing}".lstrip()
            raise UsageError(f"there is no device `{name}`", help=hint)
    return parse_device(Source(name, read_text(path, name)))
