"""Text for LaTeX: whatever a spec holds comes out as text, under plain pdflatex and any encoding.

What pdflatex has no glyph for without further packages is shown as its escape, `\\u4e2d`. Numbers
are grouped by thin spaces, their minus is a minus.
"""

import re
from functools import lru_cache

from convcost.report import printable

ASCII = {
    "\\": r"\textbackslash{}",
    "{": r"\{",
    "}": r"\}",
    "$": r"\$",
    "&": r"\&",
    "#": r"\#",
    "%": r"\%",
    "_": r"\_",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    # Quotes that babel may have made active, or that an encoding turns; no \textquotedbl in OT1.
    '"': r"{\char34}",
    "`": r"\`{}",
    "[": "{[}",
    "]": "{]}",
}
SPECIALS = str.maketrans(ASCII)
SIGNS = {
    "×": r"$\times$",
    "÷": r"$\div$",
    "·": r"$\cdot$",
    "−": r"$-$",
    "±": r"$\pm$",
    "→": r"$\rightarrow$",
    "←": r"$\leftarrow$",
    "↑": r"$\uparrow$",
    "↓": r"$\downarrow$",
    "↔": r"$\leftrightarrow$",
    "⇒": r"$\Rightarrow$",
    "⌊": r"$\lfloor$",
    "⌋": r"$\rfloor$",
    "⌈": r"$\lceil$",
    "⌉": r"$\rceil$",
    "≤": r"$\leq$",
    "≥": r"$\geq$",
    "≠": r"$\neq$",
    "≈": r"$\approx$",
    "≡": r"$\equiv$",
    "∈": r"$\in$",
    "∞": r"$\infty$",
    "∑": r"$\sum$",
    "∏": r"$\prod$",
    "√": r"$\surd$",
    "µ": r"$\mu$",
    "°": r"$^\circ$",
    "…": r"\dots{}",
    "–": r"\textendash{}",
    "—": r"\textemdash{}",
    "‐": "-",
    "‘": r"\textquoteleft{}",
    "’": r"\textquoteright{}",
    "“": r"\textquotedblleft{}",
    "”": r"\textquotedblright{}",
    "•": r"$\bullet$",
    "†": r"$\dagger$",
    "‡": r"$\ddagger$",
    "§": r"\S{}",
    "¶": r"\P{}",
    "©": r"\copyright{}",
    "ß": r"\ss{}",
    "æ": r"\ae{}",
    "Æ": r"\AE{}",
    "œ": r"\oe{}",
    "Œ": r"\OE{}",
    "ø": r"\o{}",
    "Ø": r"\O{}",
    "ł": r"\l{}",
    "Ł": r"\L{}",
    "ı": r"\i{}",
    "█": r"\rule{.5em}{1.6ex}",
    "─": r"\textemdash{}",
    "│": r"\textbar{}",
}
ACCENTS = {
    "\u0300": "`", "\u0301": "'", "\u0302": "^", "\u0303": "~", "\u0304": "=", "\u0306": "u",
    "\u0307": ".", "\u0308": '"', "\u030a": "r", "\u030b": "H", "\u030c": "v", "\u0323": "d",
    "\u0327": "c", "\u0331": "b",
}  # fmt: skip
BELOW = ("d", "c", "b")
# Greek capitals that TeX has not: they look like Latin ones.
LIKE_LATIN = dict(zip("ΑΒΕΖΗΙΚΜΝΟΡΤΧο", "ABEZHIKMNOPTXo", strict=True))
GREEK = frozenset(
    (
        *("alpha", "beta", "gamma", "delta", "epsilon", "zeta", "eta", "theta", "iota", "kappa"),
        *("lambda", "mu", "nu", "xi", "pi", "rho", "sigma", "varsigma", "tau", "upsilon", "phi"),
        *("chi", "psi", "omega"),
    )
)
SPELT = {"lamda": "lambda", "final sigma": "varsigma"}

# A number that stands alone; `1,234` in a name is a part of that name.
NUMBER = re.compile(r"(?<![^\s(])([+-]?\d{1,3}(?:,\d{3})*(?:\.\d+)?)(?=[\s).,;%]|$)")
NAME = re.compile(r"[A-Za-z][A-Za-z0-9_/]*")  # as layers are called, most of them
LIGATURES = re.compile(r"(?<=-)(?=-)|(?<=')(?=')|(?<=,)(?=,)")  # fonts join them to another sign
JOINT = re.compile(r"(?<=[/_·:=-])(?=\w)|(?<=[a-z]\.)(?=[a-z])")
SHORT = 9
LONGEST, ATOM = 24, 10  # a part of a word longer than this many letters is cut to this many


def number(text: str) -> str:
    """`-229,888` with a minus and thin spaces."""
    minus = "$-$" if text[:1] == "-" else ""
    return minus + text.removeprefix("-").replace(",", r"\,")


@lru_cache(maxsize=4096)
def escaped(text: str, *, breaks: bool = False, numbers: bool = False) -> str:
    """Text as LaTeX of one line, spaces before it kept. With `breaks` a long word may run over.
    Only `numbers` of the program's own are grouped: those of an author stay as they are."""
    if not breaks and NAME.fullmatch(text):
        return text.replace("_", r"\_")
    text = printable(text)
    indent = len(text) - len(text.lstrip(" "))
    pieces = NUMBER.split(text[indent:]) if numbers else [text[indent:]]
    words = _breaking if breaks else _words
    body = (number(piece) if n % 2 else words(piece) for n, piece in enumerate(pieces))
    space = rf"\hspace*{{{indent // 2}.{indent % 2 * 5}em}}" if indent else ""
    return "".join((space, *body))


def _breaking(text: str) -> str:
    return "".join(
        r"\allowbreak ".join(map(_words, _atoms(word))) for word in re.split(r"(\s+)", text)
    )


def _atoms(word: str) -> list[str]:
    """A word cut after its joints, and anywhere where it has none for long."""
    if len(word) < SHORT:
        return [word]
    parts = JOINT.split(word)
    steps = (ATOM if len(part) > LONGEST else LONGEST for part in parts)
    return [
        part[i : i + step]
        for part, step in zip(parts, steps, strict=True)
        for i in range(0, len(part), step)
    ]


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
    known = SIGNS.get(character) or LIKE_LATIN.get(character)
    if known:
        return known
    same = normalize("NFC", character)  # the sign of an ohm is an Omega
    return _accented(same) or _greek(same) or _raised(same) or _unknown(character)


def _accented(character: str) -> str:
    """A letter and its accent, of those that every encoding has."""
    from unicodedata import normalize

    parts = normalize("NFD", character)
    letter, accent = parts[0], ACCENTS.get(parts[1:])
    if accent is None or not (letter.isascii() and letter.isalpha()):
        return ""
    dotless = "\\" if letter in "ij" and accent not in BELOW else ""
    return f"\\{accent}{{{dotless}{letter}}}"


def _greek(character: str) -> str:
    from unicodedata import name

    found = re.fullmatch(r"GREEK (SMALL|CAPITAL) LETTER ([A-Z ]+)", name(character, ""))
    if not found:
        return ""
    letter = SPELT.get(found[2].lower(), found[2].lower())
    if letter not in GREEK:
        return ""
    return f"$\\{letter if found[1] == 'SMALL' else letter.capitalize()}$"


def _raised(character: str) -> str:
    """`²` and `₂`."""
    from unicodedata import decomposition

    kind, _, code = decomposition(character).partition(" ")
    if kind not in ("<super>", "<sub>") or " " in code:
        return ""
    return f"\\text{kind.strip('<>')}script{{{_character(chr(int(code, 16)))}}}"


def _unknown(character: str) -> str:
    code = ord(character)
    escape = f"u{code:04x}" if code < 0x10000 else f"U{code:08x}"  # noqa: PLR2004
    return r"\textbackslash{}" + escape
