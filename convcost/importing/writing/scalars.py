"""Texts and values as YAML scalars, quoted exactly where a reader needs it."""

import json
import re
import unicodedata
from fractions import Fraction
from typing import Any

from convcost.options import show
from convcost.spec.document import NULLS
from convcost.spec.scalars import BOOLS

# Nothing in it begins or ends anything in YAML, in brackets or out of them.
_PLAIN = re.compile(r"[A-Za-z0-9_.+/($][A-Za-z0-9_ .+*/()^$;~=<>!%&@|\\-]*")
_PROSE = re.compile(r"[A-Za-z0-9][A-Za-z0-9 _.,:;+*/()\[\]{}<>=&%$'#!?@|~-]*")
HIDDEN = ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp")


def text(value: str) -> str:
    """Text that stays text: a name, a note."""
    if _PLAIN.fullmatch(value) and _word(value):
        return value
    return quoted(value)


def prose(value: str) -> str:
    """Text behind a key that begins its line: there a comma or a bracket ends nothing."""
    torn = ": " in value or " #" in value or value[-1:] == ":"
    if _PROSE.fullmatch(value) and _word(value) and not torn:
        return value
    return text(value)


def _word(value: str) -> bool:
    """Whether a plain scalar keeps it, and means nothing else by it."""
    return value == value.strip() and value not in NULLS and value not in BOOLS


def quoted(value: str) -> str:
    """In double quotes; what cannot be seen, as an escape."""
    whole = json.dumps(value, ensure_ascii=False)
    return "".join(map(_escaped, whole))


def _escaped(character: str) -> str:
    hidden = unicodedata.category(character) in HIDDEN or (
        character != " " and unicodedata.category(character) == "Zs"
    )
    if not hidden:
        return character
    code = ord(character)
    return f"\\u{code:04X}" if code <= 0xFFFF else f"\\U{code:08X}"  # noqa: PLR2004  YAML's two forms


def expression(value: str, *, alone: bool = False) -> str:
    """An expression; one with a comma needs quotes in brackets."""
    del alone
    return f'"{value}"' if "," in value else value


def number(value: Any) -> str:
    """A number, truth value or word of an option."""
    if isinstance(value, Fraction) and value.denominator == 1:
        return str(int(value))
    shown = show(value)
    return shown.strip("`") if isinstance(value, str) else shown
