"""Names that the language allows: unique in their list, and never the automatic name of another
item."""

import re
from collections.abc import Container
from itertools import chain, count

from convcost.model.errors import is_visible
from convcost.model.kind import KINDS

MAX_LENGTH = 60  # characters
_SPACES = re.compile(r"\s+")


def valid_name(name: str) -> str:
    """The name closest to the model's own name that the language allows and that is readable; may
    be empty."""
    shown = "".join(
        character if is_visible(character) else "_" for character in name.replace("/", ".")
    )
    shown = _SPACES.sub(" ", shown).strip()[:MAX_LENGTH].strip()
    return "" if shown == "input" or not shown.strip("._ ") else shown


def unused_name(base_name: str, used_names: Container[str]) -> str:
    """The name, with a number appended if it is in use."""
    names = chain((base_name,), (f"{base_name}_{number}" for number in count(2)))
    return next(name for name in names if name not in used_names)


def input_name(base_name: str, used_names: Container[str]) -> str:
    """The name for an input, with a number if it is in use. A kind with a number would be the
    automatic name of a layer."""
    is_automatic = base_name in KINDS.names() or base_name.rpartition("_")[2].isdigit()
    return unused_name(f"{base_name}_in" if is_automatic else base_name, used_names)


def stem(name: str) -> str:
    """A name without the number at its end, which distinguishes copies; the whole name if it has no
    number."""
    return name.rstrip("0123456789").rstrip("_.- ") if name[-1:].isdigit() else name
