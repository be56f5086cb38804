"""Writes text and values as YAML scalars, with quotes only where YAML needs them."""

import json
import re
from fractions import Fraction
from typing import Any

from convcost.language.scalars import BOOLS
from convcost.language.yaml_nodes import NULLS
from convcost.model.errors import is_visible
from convcost.model.options import show

# Texts without a character that has a meaning in YAML, inside or outside of brackets.
_PLAIN = re.compile(r"[A-Za-z0-9_.+/($][A-Za-z0-9_ .+*/()^$;~=<>!%&@|\\-]*")
_PROSE = re.compile(r"[A-Za-z0-9][A-Za-z0-9 _.,:;+*/()\[\]{}<>=&%$'#!?@|~-]*")


def text(value: str) -> str:
    """Text that YAML reads as text, such as a name or a note."""
    if _PLAIN.fullmatch(value) and _word(value):
        return value
    return quoted(value)


def unquoted_text(value: str) -> str:
    """Text after a key at the start of a line. Commas and brackets have no meaning there."""
    torn = ": " in value or " #" in value or value[-1:] == ":"
    if _PROSE.fullmatch(value) and _word(value) and not torn:
        return value
    return text(value)


def _word(value: str) -> bool:
    """Whether YAML reads a plain scalar as this text, not as a number or truth value."""
    return value == value.strip() and value not in NULLS and value not in BOOLS


def quoted(value: str) -> str:
    """The text in double quotes. Invisible characters are escaped, and so is `##`, because a CI log
    runs `##[group]` as a command. Half of a surrogate pair, as in the name of a file that is not
    UTF-8, is written as text, like `\\udcff`."""
    whole = json.dumps(value, ensure_ascii=False)
    return "".join(map(_escape, whole)).replace("##", "#\\u0023")


def _escape(character: str) -> str:
    if is_visible(character):
        return character
    code = ord(character)
    if 0xD800 <= code <= 0xDFFF:  # noqa: PLR2004  half of a surrogate pair, which YAML has not
        return f"\\\\u{code:04x}"
    return f"\\u{code:04X}" if code <= 0xFFFF else f"\\U{code:08X}"  # noqa: PLR2004  YAML's two forms


def expression(value: str) -> str:
    """An expression. An expression with a comma needs quotes inside brackets."""
    return f'"{value}"' if "," in value else value


def number_text(value: Any) -> str:
    """A number, truth value or word as the value of an option."""
    if isinstance(value, Fraction) and value.denominator == 1:
        return str(int(value))
    shown = show(value)
    return shown.strip("`") if isinstance(value, str) else shown
