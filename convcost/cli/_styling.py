"""Options that mean something to some formats only: what they may be, and whether one is idle."""

import re
from collections.abc import Collection
from typing import Any

from convcost.cli._reporting import Out
from convcost.errors import UsageError
from convcost.report import FORMATS, Format, printable

LABEL = re.compile(r"[A-Za-z0-9:.+/_ -]*")  # what \\label takes as it is
KEY = re.compile(r"[A-Za-z0-9._-]{0,64}")  # nothing that could end the line it stands in
LEAST_BYTES = 1_000  # the verdict always has room


def styling(out: Out) -> dict[str, tuple[str, Any]]:
    """The fields of a style that only some formats use, each with its option and what was given."""
    return {
        "caption": ("--caption", out.caption),
        "label": ("--label", out.label),
        "long": ("--longtable", out.longtable),
        "siunitx": ("--siunitx", out.siunitx),
        "bare": ("--csv-raw", out.csv_raw),
        "max_bytes": ("--max-bytes", out.max_bytes),
        "comment_key": ("--comment-key", out.comment_key),
    }


def refuse_styling(out: Out, written: Collection[Format]) -> None:
    """What cannot be, and an option that none of the formats written uses: that is a mistake, not a
    wish to pass over. Raises UsageError."""
    if out.max_bytes is not None and out.max_bytes < LEAST_BYTES:
        raise UsageError(f"--max-bytes is {LEAST_BYTES:,} or more, not {out.max_bytes:,}")
    for field, (option, given) in styling(out).items():
        if not given or any(field in one.uses for one in written):
            continue
        users = [name for name, form in FORMATS.items() if field in form.uses]
        none = "neither" if len(users) > 1 else "none"
        raise UsageError(f"{option} is for {' and '.join(users)}, {none} is written")
    if not LABEL.fullmatch(out.label):
        raise UsageError(
            f"--label is made of letters, digits and : . - + / _, not `{printable(out.label)}`"
        )
    if not KEY.fullmatch(out.comment_key):
        raise UsageError(
            "--comment-key is up to 64 letters, digits and - _ ., "
            f"not `{printable(out.comment_key)}`"
        )
