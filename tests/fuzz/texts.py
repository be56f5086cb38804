"""Damaged texts of specs: bytes, lines, words, subtrees, numbers and aliases changed."""

import json
import re

from support import SPECS

from fuzz.formulas import JOINS, KINDS

NUMBERS = """
0 -1 1 2 3 7 0.5 1/0 1/3 255 513 9999 1000000000 1000000001 999999999999999 1e15 1e30 1e400
1e-400 10**15 9**999 0x7fffffffffffffff 018 1_000 .inf .nan -0 +5 1:30 null ~ true on in_channels
in_channels**9 in_width-in_width 2**0.5 max(1,2 divisible(7,0)
""".split()  # noqa: SIM905
WORDS = [*KINDS, *JOINS, "sequence", "side", "input", "inputs", "layers", "blocks", "vars", "from"]
WORDS += ["name", "when", "repeat", "weights", "published", "budget", "defaults", "same", "rest"]
WORDS += ["kernel", "stride", "padding", "groups", "along", "size", "channels", "over", "params"]
SIGNS = [
    "\0",
    "\x1b[31m",
    "\ufeff",
    "\u2028",
    "\x85",
    "\u202e",
    "é",
    "e\u0301",
    "😀",
    "\t",
    "\r",
    "'",
]
SIGNS += [
    "&a ",
    "*a",
    "<<: *a",
    "!!python/object:os.system ",
    "!!int ",
    "---\n",
    "...\n",
    "%YAML 9.9\n",
]
SIGNS += ["{", "}", "[", "]", ":", ": ", "? ", "- ", "# ", "|\n", ">-\n", '"', ",", "@", "`", "%"]
LEXEME = re.compile(r"[\w.]+")
SMALL = [path for path in SPECS.glob("*.yaml") if path.stat().st_size < 2500]
SECTIONS = [
    "budget: {params: {max: 7M, warn: 1k}, layers: [{match: '*', macs: {max: 1}}]}\n",
    "budget: {groups: [{match: '**', params: {grow: 2%, grow_floor: 3}}], depth: {max: 9}}\n",
    "published: [{params: 25.6M, macs: 3.8e9, source: a, set: {w: 2}}]\n",
    "published: [{layer: conv_1, weights: 2.7K, off: true, source: Table 1}]\n",
    "x-own: {a: &a [1, 2], b: *a}\n",
]


def damaged(text, rng):
    """One to four changes of a text."""
    if rng.random() < 0.2:
        text += rng.choice(SECTIONS)
    for _ in range(rng.choice([1, 1, 1, 2, 4])):
        text = rng.choice(CHANGES)(text, rng)
    data = text.encode("utf-8", "surrogatepass")
    if rng.random() < 0.1:
        data = flipped(data, rng)
    return data


def flipped(data, rng):
    """A few bytes changed, removed or added, or the end cut off."""
    found = bytearray(data)
    for _ in range(rng.choice([1, 1, 2, 8])):
        at = rng.randrange(len(found) + 1)
        found[at : at + rng.choice([0, 1, 1, 4])] = rng.choice(
            [b"", rng.randbytes(1), rng.randbytes(4)]
        )
    return bytes(found[: rng.randrange(len(found) + 1)] if rng.random() < 0.15 else found)


def _line(text, rng):
    lines = text.splitlines(keepends=True) or [""]
    i, j = rng.randrange(len(lines)), rng.randrange(len(lines))
    change = rng.randrange(5)
    if change == 0:
        del lines[i]
    elif change == 1:
        lines.insert(j, lines[i])
    elif change == 2:
        lines[i], lines[j] = lines[j], lines[i]
    elif change == 3:
        lines[i] = " " * rng.randint(1, 4) + lines[i]
    else:
        lines[i] = lines[i][rng.randint(1, 4) :]
    return "".join(lines)


def _replaced(text, rng, pattern, news):
    there = list(pattern.finditer(text))
    if not there:
        return text
    one = rng.choice(there)
    return text[: one.start()] + rng.choice(news) + text[one.end() :]


def _word(text, rng):
    return _replaced(text, rng, LEXEME, [*LEXEME.findall(text), *rng.sample(WORDS, 8)])


def _number(text, rng):
    news = [str(rng.randint(1, 9))] if rng.random() < 0.5 else NUMBERS
    return _replaced(text, rng, re.compile(r"\b\d+\b"), news)


def _sign(text, rng):
    at = rng.randrange(len(text) + 1)
    return text[:at] + rng.choice(SIGNS) + text[at:]


def _subtree(text, rng):
    """A flow collection or a list item, copied in place of another, or beside it many times."""
    there = list(re.finditer(r"\{[^{}]*\}|\[[^\[\]]*\]|(?<=\n) *- .*\n", text))
    if not there:
        return text
    one, other = rng.choice(there), rng.choice(there)
    copy = one[0] * rng.choice([1, 1, 2, 50]) if one[0].endswith("\n") else one[0]
    return text[: other.start()] + copy + text[rng.choice([other.start(), other.end()]) :]


def _nested(text, rng):
    """A value inside many collections, or an expression inside many parentheses."""
    there = list(LEXEME.finditer(text))
    if not there:
        return text
    one, depth = rng.choice(there), rng.choice([1, 5, 50, 500, 3000])
    begin, end = rng.choice(
        ["[]", "()", ("{a: ", "}"), ("[[],", "]"), ("{sequence: [", "]}"), ("-", ""), ("not ", "")]
    )
    return text[: one.start()] + begin * depth + one[0] + end * depth + text[one.end() :]


CHANGES = [_line, _word, _word, _number, _number, _number, _subtree, _subtree, _sign, _nested]


def shipped(rng):
    return rng.choice(SMALL).read_text("utf-8")


def changed_json(value, rng):
    """A JSON value with one part replaced, removed, copied or nested."""
    spots: list[tuple[list | dict, object]] = []
    waiting = [value]
    while waiting:
        one = waiting.pop()
        keys = (
            list(one) if isinstance(one, dict) else range(len(one)) if isinstance(one, list) else ()
        )
        spots += [(one, key) for key in keys]
        waiting += [one[key] for key in keys]
    if not spots:
        return value
    (holder, key), (other, name) = rng.choice(spots), rng.choice(spots)
    change = rng.randrange(6)
    if change == 0:
        del holder[key]
    elif change == 1:
        holder[key] = json.loads(json.dumps(other[name])) if holder is not other else None
    elif change == 2:
        for _ in range(rng.choice([1, 30, 220])):
            holder[key] = [holder[key]] if rng.random() < 0.5 else {"class_name": holder[key]}
    else:
        news = [
            0,
            -1,
            2,
            3.5,
            1e300,
            float("nan"),
            10**9,
            10**18,
            2**64,
            True,
            None,
            "",
            "relu",
            [],
            {},
            [1, 2],
            "x" * 300,
        ]
        holder[key] = rng.choice(news)
    return value
