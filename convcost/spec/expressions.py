"""Expressions over numbers and truth values, exact: integers and fractions, never a float.

    choice   = either ["if" either "else" choice]
    either   = both {"or" both}
    both     = negation {"and" negation}
    negation = "not" negation | relation
    relation = sum {("<" | "<=" | ">" | ">=" | "==" | "!=") sum}
    sum      = term {("+" | "-") term}
    term     = factor {("*" | "/" | "//" | "%") factor}
    factor   = ("-" | "+") factor | power
    power    = atom ["**" factor]
    atom     = number | name | function "(" choice {"," choice} ")" | "(" choice ")"

Nothing else parses.
"""

import operator
import re
from collections.abc import Callable
from functools import lru_cache
from math import ceil, floor
from typing import Any, NamedTuple, TypeAlias

from convcost.errors import Refusal
from convcost.names import did_you_mean
from convcost.options import show
from convcost.spec.scalars import BOOLS, number

Value: TypeAlias = Any  # int, Fraction or bool
Lookup: TypeAlias = Callable[[str], Value]
Evaluate: TypeAlias = Callable[[Lookup], Value]

LONGEST = 400
DEEPEST = 40
MOST_BITS = 256

_TOKEN = re.compile(
    r"\s*(?:(?P<number>0[xo][0-9a-fA-F]+|(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][-+]?\d+)?)"
    r"|(?P<name>[A-Za-z_]\w*)|(?P<sign>\*\*|//|<=|>=|==|!=|[-+*/%<>(),]))",
    re.ASCII,
)
WORDS = frozenset(("and", "or", "not", "if", "else"))


class Expression(NamedTuple):
    """A text that has been read; `names` is what it asks its surroundings for."""

    text: str
    names: frozenset[str]
    evaluate: Evaluate


@lru_cache(maxsize=4096)
def parse(text: str) -> Expression:
    """Raises Refusal with what was found and where in the text."""
    if len(text) > LONGEST:
        raise Refusal("CC105", f"an expression has at most {LONGEST} characters, not {len(text)}")
    if text.count("(") != text.count(")"):
        raise Refusal(
            "CC105",
            f"`{text}` has a parenthesis without its pair",
            'inside { } or [ ] an expression with a comma needs quotes: "max(8, width)"',
        )
    return _Parser(text).whole()


def _divisible(value: Value, by: Value) -> Value:
    """MobileNet's rounding: the nearest multiple of `by`, at least `by`, never below 90 %."""
    if by <= 0:
        raise Refusal("CC106", f"divisible by {show(by)} has no meaning")
    nearest = max(by, (2 * value + by) // (2 * by) * by)
    return nearest + by if 10 * nearest < 9 * value else nearest


def _round(value: Value) -> int:
    """To the nearest whole number; a half goes to the even one."""
    rounded: int = round(value)
    return rounded


def _exact(value: Value) -> Value:
    """A fraction that is whole becomes an int."""
    if type(value) is not int and value.denominator == 1:
        return int(value)
    return value


def _divide(a: Value, b: Value) -> Value:
    from fractions import Fraction

    return Fraction(a) / Fraction(b)


def _power(a: Value, b: Value) -> Value:
    if type(b) is not int:
        raise Refusal("CC106", f"an exponent must be a whole number, not {show(b)}")
    size = max(a.numerator.bit_length(), a.denominator.bit_length())
    if size * abs(b) > MOST_BITS and abs(a) != 1:
        raise Refusal("CC106", f"{show(a)} ** {show(b)} is beyond what is counted")
    from fractions import Fraction

    return Fraction(a) ** b if b < 0 else a**b


FUNCTIONS: dict[str, tuple[Callable[..., Value], int, int]] = {
    "min": (min, 2, 16),
    "max": (max, 2, 16),
    "abs": (abs, 1, 1),
    "round": (_round, 1, 1),
    "floor": (floor, 1, 1),
    "ceil": (ceil, 1, 1),
    "divisible": (_divisible, 2, 2),
}
ARITHMETIC: dict[str, Callable[[Value, Value], Value]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": _divide,
    "//": operator.floordiv,
    "%": operator.mod,
    "**": _power,
}
ORDER: dict[str, Callable[[Value, Value], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


def _numeric(value: Value) -> Value:
    if type(value) is bool or not hasattr(value, "denominator"):
        raise Refusal("CC106", f"arithmetic takes numbers, not {show(value)}")
    return value


def _truth(value: Value) -> bool:
    if type(value) is not bool:
        raise Refusal("CC106", f"`and`, `or`, `not` and `if` take true or false, not {show(value)}")
    return value


def calculate(sign: str, a: Value, b: Value) -> Value:
    """One step of arithmetic, exact. Raises Refusal where there is no answer, or a huge one."""
    _numeric(a)
    _numeric(b)
    if sign in ("/", "//", "%") and b == 0:
        raise Refusal("CC106", f"{show(a)} {sign} 0 has no value")
    if sign == "**" and a == 0 and b < 0:
        raise Refusal("CC106", f"0 ** {show(b)} has no value")
    result = _exact(ARITHMETIC[sign](a, b))
    if max(result.numerator.bit_length(), result.denominator.bit_length()) > MOST_BITS:
        raise Refusal("CC106", f"{show(a)} {sign} {show(b)} is beyond what is counted")
    return result


class _Parser:
    """Recursive descent; each rule of the grammar is a method that returns how to evaluate it."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.names: set[str] = set()
        self.depth = 0
        self.tokens: list[tuple[str, str]] = []
        at = 0
        stripped = text.rstrip()
        while at < len(stripped):
            match = _TOKEN.match(stripped, at)
            if not match or match.lastgroup is None:
                rest = stripped[at:].lstrip()
                raise Refusal("CC105", f"`{rest[0]}` has no meaning in the expression `{text}`")
            self.tokens.append((match.lastgroup, match[match.lastgroup]))
            at = match.end()
        self.at = 0

    def whole(self) -> Expression:
        evaluate = self.choice()
        if self.at < len(self.tokens):
            raise self.unexpected("an operator")
        return Expression(self.text, frozenset(self.names), evaluate)

    def peek(self) -> str:
        return self.tokens[self.at][1] if self.at < len(self.tokens) else ""

    def accept(self, *words: str) -> str:
        word = self.peek()
        if word in words:
            self.at += 1
            return word
        return ""

    def expect(self, word: str) -> None:
        if not self.accept(word):
            raise self.unexpected(f"`{word}`")

    def unexpected(self, wanted: str) -> Refusal:
        found = f"`{self.peek()}`" if self.peek() else "its end"
        message = f"expected {wanted}, not {found}, in the expression `{self.text}`"
        hints = {"`,`": "a list is written [3, 3]", "`=`": "`==` compares"}
        return Refusal("CC105", message, hints.get(found, ""))

    def choice(self) -> Evaluate:
        self.depth += 1
        if self.depth > DEEPEST:
            raise Refusal("CC105", f"an expression nests at most {DEEPEST} levels")
        value = self.either()
        if self.accept("if"):
            condition = self.either()
            self.expect("else")
            other = self.choice()
            self.depth -= 1
            return lambda env: value(env) if _truth(condition(env)) else other(env)
        self.depth -= 1
        return value

    def either(self) -> Evaluate:
        left = self.both()
        while self.accept("or"):
            left = self._or(left, self.both())
        return left

    def _or(self, a: Evaluate, b: Evaluate) -> Evaluate:
        return lambda env: _truth(a(env)) or _truth(b(env))

    def both(self) -> Evaluate:
        left = self.negation()
        while self.accept("and"):
            left = self._and(left, self.negation())
        return left

    def _and(self, a: Evaluate, b: Evaluate) -> Evaluate:
        return lambda env: _truth(a(env)) and _truth(b(env))

    def negation(self) -> Evaluate:
        negations = 0
        while self.accept("not"):
            negations += 1
        value = self.relation()
        if not negations:
            return value
        return lambda env: _truth(value(env)) if negations % 2 == 0 else not _truth(value(env))

    def relation(self) -> Evaluate:
        first = self.sum()
        rest: list[tuple[str, Evaluate]] = []
        while sign := self.accept(*ORDER, "==", "!="):
            rest.append((sign, self.sum()))
        if not rest:
            return first

        def evaluate(env: Lookup) -> bool:
            left = first(env)
            for sign, other in rest:
                right = other(env)
                if not self._holds(sign, left, right):
                    return False
                left = right
            return True

        return evaluate

    @staticmethod
    def _holds(sign: str, left: Value, right: Value) -> bool:
        if sign in ORDER:
            return ORDER[sign](_numeric(left), _numeric(right))
        same = (type(left) is bool) == (type(right) is bool) and left == right
        return same if sign == "==" else not same

    def sum(self) -> Evaluate:
        left = self.term()
        while sign := self.accept("+", "-"):
            left = self._arithmetic(sign, left, self.term())
        return left

    def term(self) -> Evaluate:
        left = self.factor()
        while sign := self.accept("*", "/", "//", "%"):
            left = self._arithmetic(sign, left, self.factor())
        return left

    def _arithmetic(self, sign: str, a: Evaluate, b: Evaluate) -> Evaluate:
        return lambda env: calculate(sign, a(env), b(env))

    def factor(self) -> Evaluate:
        minus = 0
        while sign := self.accept("-", "+"):
            minus += sign == "-"
        value = self.power()
        return (lambda env: -_numeric(value(env))) if minus % 2 else value

    def power(self) -> Evaluate:
        base = self.atom()
        if self.accept("**"):
            self.depth += 1
            if self.depth > DEEPEST:
                raise Refusal("CC105", f"an expression nests at most {DEEPEST} levels")
            exponent = self.factor()
            self.depth -= 1
            return self._arithmetic("**", base, exponent)
        return base

    def atom(self) -> Evaluate:
        if self.accept("("):
            inner = self.choice()
            self.expect(")")
            return inner
        if self.at >= len(self.tokens):
            raise self.unexpected("a number or a name")
        group, word = self.tokens[self.at]
        if group == "number":
            self.at += 1
            value = number(word)
            if value is None:
                raise Refusal("CC105", f"`{word}` is not a number")
            return lambda _: value
        if group != "name" or word in WORDS:
            raise self.unexpected("a number or a name")
        self.at += 1
        if word in BOOLS:
            truth = BOOLS[word]
            return lambda _: truth
        if self.accept("("):
            return self.call(word)
        self.names.add(word)
        return lambda env: env(word)

    def call(self, name: str) -> Evaluate:
        if name not in FUNCTIONS:
            raise Refusal("CC105", f"there is no function `{name}`", did_you_mean(name, FUNCTIONS))
        function, least, most = FUNCTIONS[name]
        arguments = [self.choice()]
        while self.accept(","):
            arguments.append(self.choice())
        self.expect(")")
        if not least <= len(arguments) <= most:
            wanted = str(least) if least == most else f"{least} or more"
            numbers = "number" if most == 1 else "numbers"
            raise Refusal("CC105", f"`{name}` takes {wanted} {numbers}, not {len(arguments)}")
        return lambda env: _exact(function(*(_numeric(a(env)) for a in arguments)))
