"""Expressions over numbers and truth values, parsed by Python's own `ast`.

These parts of Python's grammar are accepted: numbers, names, `+ - * / // % **`, comparisons, `and
or not`, `a if c else b` and calls of `FUNCTIONS`. Before Python parses an expression, each number
and name is replaced by `_` and its index, so that a variable may be called `class` and `010` is
ten.
"""

import ast
import re
from collections.abc import Callable
from functools import cache, lru_cache
from typing import TypeAlias

from convcost.language.arithmetic import FUNCTIONS, Value, calculate, compare, numeric, truth, whole
from convcost.language.scalars import BOOLS, parse_number
from convcost.model.errors import ConstraintError
from convcost.model.number_format import counted
from convcost.model.record import NamedTuple
from convcost.model.suggestions import did_you_mean

Lookup: TypeAlias = Callable[[str], Value]
Evaluate: TypeAlias = Callable[[Lookup], Value]

MAX_LENGTH = 400  # characters
MAX_PARENTHESES = 40

NUMBER_OR_NAME = r"0[xo][0-9a-fA-F]+|(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][-+]?\d+)?|[A-Za-z_]\w*"
STRAY = r"[^\w\s.+\-*/%<>=!(),]|(?<![=!<>])=(?!=)"
WORDS = frozenset(("and", "or", "not", "if", "else"))
SIGNS: dict[type[ast.AST], str] = {
    ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/", ast.FloorDiv: "//", ast.Mod: "%",
    ast.Pow: "**", ast.Lt: "<", ast.LtE: "<=", ast.Gt: ">", ast.GtE: ">=", ast.Eq: "==",
    ast.NotEq: "!=", ast.And: "and", ast.Or: "or", ast.Not: "not", ast.USub: "-", ast.UAdd: "+",
}  # fmt: skip


class Expression(NamedTuple):
    """A parsed text; `names` are the variables that `evaluate` looks up."""

    text: str
    names: frozenset[str]
    evaluate: Evaluate


@lru_cache(maxsize=4096)
def parse(text: str) -> Expression:
    """Parses an expression. Raises ConstraintError if the text is not an expression of this
    language."""
    if len(text) > MAX_LENGTH:
        message = f"an expression has at most {MAX_LENGTH} characters, not {len(text)}"
        raise ConstraintError("CC105", message)
    if text.isidentifier() and text.isascii() and text not in WORDS and text not in BOOLS:
        return Expression(text, frozenset((text,)), lambda env: env(text))
    if text.count("(") > MAX_PARENTHESES:
        message = f"an expression has at most {MAX_PARENTHESES} parentheses"
        raise ConstraintError("CC105", message)
    if stray := _pattern(STRAY).search(text):
        message = f"`{stray[0]}` has no meaning in the expression `{text}`"
        raise ConstraintError("CC105", message)
    operands: list[str] = []

    def stand_in(match: re.Match[str]) -> str:
        if match[0] in WORDS:
            return f" {match[0]} "
        operands.append(match[0])
        return f" _{len(operands) - 1} "

    source = " ".join(_pattern(NUMBER_OR_NAME).sub(stand_in, text).split())
    builder = _FunctionBuilder(operands)
    try:
        evaluate = builder.build(ast.parse(source, mode="eval").body)
    except (SyntaxError, RecursionError, MemoryError):
        hint = ""
        if text.count("(") != text.count(")"):
            hint = 'inside { } or [ ] an expression with a comma needs quotes: "max(8, width)"'
        elif "," in text:
            hint = "write a list as [3, 3]"
        raise ConstraintError("CC105", f"`{text}` is not an expression", hint) from None
    return Expression(text, frozenset(builder.names), evaluate)


@cache
def _pattern(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern, re.ASCII)


class _FunctionBuilder:
    """Builds functions that evaluate a syntax tree of Python; `names` are its variables."""

    def __init__(self, operands: list[str]) -> None:
        self.operands = operands
        self.names: set[str] = set()

    def build(self, node: ast.expr) -> Evaluate:  # noqa: PLR0911  one for each kind of node
        """The function that evaluates a node. Raises SyntaxError for a node that is not of this
        language."""
        if isinstance(node, ast.Name):
            return self._operand(self.operands[int(node.id[1:])])
        if isinstance(node, ast.BinOp) and type(node.op) in SIGNS:
            left, sign, right = self.build(node.left), SIGNS[type(node.op)], self.build(node.right)
            return lambda env: calculate(sign, left(env), right(env))
        if isinstance(node, ast.UnaryOp) and type(node.op) in SIGNS:
            sign, operand = SIGNS[type(node.op)], self.build(node.operand)
            if sign == "not":
                return lambda env: not truth(operand(env))
            return lambda env: calculate(sign, 0, operand(env))
        if isinstance(node, ast.BoolOp):
            terms, last = list(map(self.build, node.values)), isinstance(node.op, ast.Or)
            # The first term that is true ends an `or`, the first that is false an `and`.
            return lambda env: last is any(truth(term(env)) is last for term in terms)
        if isinstance(node, ast.IfExp):
            then, condition = self.build(node.body), self.build(node.test)
            other = self.build(node.orelse)
            return lambda env: then(env) if truth(condition(env)) else other(env)
        if isinstance(node, ast.Compare):
            signs = [SIGNS[type(sign)] for sign in node.ops]
            others = list(zip(signs, map(self.build, node.comparators), strict=True))
            return _comparison(self.build(node.left), others)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and not node.keywords:
            name = self.operands[int(node.func.id[1:])]
            return _call(name, list(map(self.build, node.args)))
        raise SyntaxError

    def _operand(self, word: str) -> Evaluate:
        if word in BOOLS or not (word[0].isalpha() or word[0] == "_"):
            value = BOOLS[word] if word in BOOLS else parse_number(word)
            if value is None:
                raise ConstraintError("CC105", f"`{word}` is not a number")
            return lambda _: value
        self.names.add(word)
        return lambda env: env(word)


def _comparison(first: Evaluate, others: list[tuple[str, Evaluate]]) -> Evaluate:
    def evaluate(env: Lookup) -> bool:
        left = first(env)
        for sign, other in others:
            right = other(env)
            if not compare(sign, left, right):
                return False
            left = right
        return True

    return evaluate


def _call(name: str, arguments: list[Evaluate]) -> Evaluate:
    if name not in FUNCTIONS:
        hint = did_you_mean(name, FUNCTIONS)
        raise ConstraintError("CC105", f"there is no function `{name}`", hint)
    function, least, most = FUNCTIONS[name]
    if not least <= len(arguments) <= most:
        requirement = f"{least} to {most} numbers"
        if least == most:
            requirement = counted(most, "number")
        raise ConstraintError("CC105", f"`{name}` needs {requirement}, not {len(arguments)}")
    return lambda env: whole(function(*(numeric(argument(env)) for argument in arguments)))
