"""Escapes any text for LaTeX, under plain pdflatex and any encoding.

A character for which pdflatex has no glyph without further packages is an escape, `\\u4e2d`. Thin
spaces group the digits of numbers, and a hyphen before a number is a minus.
"""

import re
from functools import lru_cache

from convcost.model.errors import printable

ASCII = {
    **{character: f"\\{character}" for character in "{}$&#%_"},
    **{character: f"{{{character}}}" for character in "[]"},
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    # babel can make quotes active, and an encoding can turn them; OT1 has no \textquotedbl.
    '"': r"{\char34}",
    "`": r"\`{}",
}
SPECIALS = str.maketrans(ASCII)
# A character and the name of its macro, in mathematics and in text.
MATH = """
×times ÷div ·cdot ±pm →rightarrow ←leftarrow ↑uparrow ↓downarrow ↔leftrightarrow ⇒Rightarrow
⌊lfloor ⌋rfloor ⌈lceil ⌉rceil ≤leq ≥geq ≠neq ≈approx ≡equiv ∈in ∞infty ∑sum ∏prod √surd µmu
•bullet †dagger ‡ddagger
"""
TEXT = """
…dots –textendash —textemdash ‘textquoteleft ’textquoteright “textquotedblleft ”textquotedblright
§S ¶P ©copyright ßss æae ÆAE œoe ŒOE øo ØO łl ŁL ıi ─textemdash │textbar
"""
SIGNS = {
    **{word[0]: f"$\\{word[1:]}$" for word in MATH.split()},
    **{word[0]: f"\\{word[1:]}{{}}" for word in TEXT.split()},
    "−": "$-$",
    "°": r"$^\circ$",
    "‐": "-",
    "█": r"\rule{.5em}{1.6ex}",
}
ACCENTS = {
    "\u0300": "`", "\u0301": "'", "\u0302": "^", "\u0303": "~", "\u0304": "=", "\u0306": "u",
    "\u0307": ".", "\u0308": '"', "\u030a": "r", "\u030b": "H", "\u030c": "v", "\u0323": "d",
    "\u0327": "c", "\u0331": "b",
}  # fmt: skip
BELOW = ("d", "c", "b")
# TeX has no Greek capitals that look like Latin ones.
LIKE_LATIN = dict(zip("ΑΒΕΖΗΙΚΜΝΟΡΤΧο", "ABEZHIKMNOPTXo", strict=True))
GREEK = """
alpha beta gamma delta epsilon zeta eta theta iota kappa lambda mu nu xi pi rho sigma varsigma tau
upsilon phi chi psi omega
"""
SPELT = {"lamda": "lambda", "final sigma": "varsigma"}

# A number of its own; `1,234` in a name is a part of that name.
NUMBER = re.compile(r"(?<![^\s(])([+-]?[0-9]{1,3}(?:,[0-9]{3})*(?:\.[0-9]+)?)(?=[\s).,;%]|$)")
NAME = re.compile(r"[A-Za-z][A-Za-z0-9_/]*")  # the names of most layers
LIGATURES = re.compile(r"(?<=-)(?=-)|(?<=')(?=')|(?<=,)(?=,)")  # fonts join them to one glyph
JOINT = re.compile(r"(?<=[/_·:=])(?=\w)|(?<=[a-z][.-])(?=[a-z])")  # a line can break here
LONG_PART = re.compile(r"[^\s/_·:=.-]{25,}")  # a line can also break after each ten letters of it


def number(text: str) -> str:
    """A grouped number, `-229,888`, with a minus and thin spaces."""
    minus = "$-$" if text[:1] == "-" else ""
    return minus + text.removeprefix("-").replace(",", r"\,")


@lru_cache(maxsize=4096)
def escape_latex(text: str, *, breaks: bool = False, numbers: bool = False) -> str:
    """A text as one line of LaTeX, with its leading spaces. With `breaks`, words can wrap.

    Only the program's own `numbers` are grouped: the text of an author is not changed.
    """
    if not breaks and NAME.fullmatch(text):
        return text.replace("_", r"\_")
    text = printable(text)
    indent = len(text) - len(text.lstrip(" "))
    pieces = NUMBER.split(text[indent:]) if numbers else [text[indent:]]
    words = _allow_breaks if breaks else _words
    body = (number(piece) if n % 2 else words(piece) for n, piece in enumerate(pieces))
    space = rf"\hspace*{{{indent // 2}.{indent % 2 * 5}em}}" if indent else ""
    return "".join((space, *body))


def _allow_breaks(text: str) -> str:
    text = LONG_PART.sub(lambda match: re.sub(".{10}(?=.)", "\\g<0>\0", match[0]), text)
    return r"\allowbreak ".join(map(_words, JOINT.sub("\0", text).split("\0")))


def _words(text: str) -> str:
    if text.isascii() and text.isalnum():
        return text
    if not text.isascii():
        return "{}".join("".join(map(_character, part)) for part in LIGATURES.split(text))
    return LIGATURES.sub("\0", text).translate(SPECIALS).replace("\0", "{}")


@lru_cache(maxsize=4096)
def _character(character: str) -> str:
    from unicodedata import normalize

    if character.isascii():
        return ASCII.get(character, character)
    replacement = SIGNS.get(character) or LIKE_LATIN.get(character)
    if replacement:
        return replacement
    same = normalize("NFC", character)  # the ohm sign is an Omega
    if len(same) > 1:  # NFC splits this letter
        return _unknown(character)
    return _accent(same) or _greek(same) or _superscript(same) or _unknown(character)


def _accent(character: str) -> str:
    """A letter with an accent that every encoding has, else an empty text."""
    from unicodedata import normalize

    parts = normalize("NFD", character)
    letter, accent = parts[0], ACCENTS.get(parts[1:])
    if accent is None or not (letter.isascii() and letter.isalpha()):
        return ""
    dotless = "\\" if letter in "ij" and accent not in BELOW else ""
    return f"\\{accent}{{{dotless}{letter}}}"


def _greek(character: str) -> str:
    from unicodedata import name

    match = re.fullmatch(r"GREEK (SMALL|CAPITAL) LETTER ([A-Z ]+)", name(character, ""))
    if not match:
        return ""
    letter = SPELT.get(match[2].lower(), match[2].lower())
    if letter not in GREEK.split():
        return ""
    return f"$\\{letter if match[1] == 'SMALL' else letter.capitalize()}$"


def _superscript(character: str) -> str:
    """Superscripts and subscripts, `²` and `₂`, else an empty text."""
    from unicodedata import decomposition

    kind, _, code = decomposition(character).partition(" ")
    if kind not in ("<super>", "<sub>") or " " in code:
        return ""
    return f"\\text{kind.strip('<>')}script{{{_character(chr(int(code, 16)))}}}"


def _unknown(character: str) -> str:
    code = ord(character)
    escape = f"u{code:04x}" if code < 0x10000 else f"U{code:08x}"  # noqa: PLR2004
    return r"\textbackslash{}" + escape
