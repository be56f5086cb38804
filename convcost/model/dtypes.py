"""The dtypes of stored and computed numbers, and the bytes of tensors of a dtype."""

import re
from collections.abc import Callable, Iterable, Iterator
from fnmatch import translate
from functools import cache, lru_cache
from itertools import accumulate

from convcost.model.errors import ConstraintError
from convcost.model.record import NamedTuple
from convcost.model.suggestions import did_you_mean

BITS = {
    "float64": 64, "float32": 32, "float16": 16, "bfloat16": 16, "float8": 8,
    "int32": 32, "int16": 16, "int8": 8, "uint8": 8, "int4": 4, "int2": 2, "int1": 1,
}  # fmt: skip
SCALE = "float16"
PARTS = ("weights", "biases", "buffers", "activations")
ALL = "all"
GRAMMAR = "write int8, or int8,biases=int32, or weights=int4/32,activations=float16"


class Dtype(NamedTuple):
    """The type of numbers. With `group`, each group of so many numbers has one scale more.

    `int4/32` is 4 bits and a float16 scale for each 32 numbers, `int4/32/float32` has float32
    scales.
    """

    name: str
    bits: int
    group: int = 0
    scale_bits: int = 0

    def bytes(self, elements: int) -> int:
        """The bytes of a tensor, rounded up. A last group that is not full has its own scale."""
        bits = elements * self.bits
        if self.group:
            bits += -(-elements // self.group) * self.scale_bits
        return -(-bits // 8)


FLOAT32 = Dtype("float32", BITS["float32"])


class DtypeRule(NamedTuple):
    """The dtypes of some parts of the layers, or inputs, that match a pattern."""

    match: str
    parts: tuple[tuple[str, Dtype], ...]

    @property
    def text(self) -> str:
        """The dtypes of the parts, without the pattern; see `parse_parts`."""
        return _text(self.parts)


class LayerDtypes(NamedTuple):
    """The dtypes of the parts of a layer; `activations` is that of its output."""

    weights: Dtype = FLOAT32
    biases: Dtype = FLOAT32
    buffers: Dtype = FLOAT32
    activations: Dtype = FLOAT32

    @property
    def text(self) -> str:
        """`int8`, or `int8,biases=int32`; see `parse_parts`."""
        return _text(zip(PARTS, self, strict=True))


class Dtypes(NamedTuple):
    """The dtypes of a network. The first rule that matches a layer, or a group around it, changes
    the dtypes of this layer."""

    default: LayerDtypes = LayerDtypes()
    rules: tuple[DtypeRule, ...] = ()

    @property
    def text(self) -> str:
        """The dtypes in the form of `--dtype`; each rule follows a `;`."""
        rules = (f"{rule.match}:{rule.text}" for rule in self.rules)
        return "; ".join((self.default.text, *rules))

    def for_paths(self, paths: Iterable[str]) -> Iterator[LayerDtypes]:
        """The dtypes of the layers, or inputs, with these paths."""
        if not self.rules:
            yield from (self.default for _ in paths)
            return
        first_rule = _first_rule(self.rules)
        by_rule = [self.default._replace(**dict(rule.parts)) for rule in self.rules]
        by_rule.append(self.default)
        for path in paths:
            yield by_rule[min(map(first_rule, accumulate(path.split("/"), "{}/{}".format)))]


@lru_cache(maxsize=4)
def _first_rule(rules: tuple[DtypeRule, ...]) -> Callable[[str], int]:
    """Gives the number of the first rule that matches a path; the number of rules if none does.

    A report needs the dtypes of all layers many times, so the numbers are kept.
    """
    exact: dict[str, int] = {}
    patterns = []
    for number, rule in enumerate(rules):
        if any(character in rule.match for character in "*?["):
            patterns.append(f"(?P<rule{number}>{translate(rule.match)})")
        else:
            exact.setdefault(rule.match, number)
    # The first alternative that matches is the first of the rules.
    match = re.compile("|".join(patterns)).match if patterns else None

    @cache
    def first_rule(path: str) -> int:
        rule_index = exact.get(path, len(rules))
        matched = match and match(path)
        name = matched and matched.lastgroup
        return min(rule_index, int(name.removeprefix("rule"))) if name else rule_index

    return first_rule


def _text(parts: Iterable[tuple[str, Dtype]]) -> str:
    """The shortest text that `parse_parts` reads as these parts."""
    dtype_by_part = dict(parts)
    common = None
    if len(dtype_by_part) == len(PARTS):
        common = max(dtype_by_part.values(), key=list(dtype_by_part.values()).count)
    listed = [f"{part}={dtype.name}" for part, dtype in dtype_by_part.items() if dtype != common]
    return ",".join(([common.name] if common else []) + listed)


def parse_dtype(text: str) -> Dtype:
    """Parses `int8`, `int4/32` or `int4/32/float32`. Raises ConstraintError."""
    name, *scales = (part.strip() for part in text.split("/"))
    if name not in BITS:
        raise ConstraintError(
            "CC112", f"there is no dtype `{name}`", did_you_mean(name, BITS, len(BITS))
        )
    if not scales:
        return Dtype(name, BITS[name])
    group, *scale = scales
    size = int(group) if group.isascii() and group.isdecimal() and len(group) <= 9 else 0  # noqa: PLR2004
    if not size or len(scale) > 1:
        message = f"`{text.strip()}` is not a dtype with scales"
        raise ConstraintError("CC112", message, f"write {name}/32, or {name}/32/float32")
    scale_type = parse_dtype(scale[0]) if scale else Dtype(SCALE, BITS[SCALE])
    shown = f"{name}/{size}" + (f"/{scale_type.name}" if scale else "")
    return Dtype(shown, BITS[name], size, scale_type.bits)


def parse_parts(text: str) -> tuple[tuple[str, Dtype], ...]:
    """Parses `int8,biases=int32`: the dtypes of parts of a layer; a dtype without a part is that of
    all parts. Raises ConstraintError."""
    dtype_by_part: dict[str, Dtype] = {}
    parts: set[str] = set()
    for item in text.split(","):
        part, equals, name = (word.strip() for word in item.rpartition("="))
        part = part if equals else ALL
        if part != ALL and part not in PARTS:
            part_names = (ALL, *PARTS)
            hint = did_you_mean(part, part_names, len(part_names))
            raise ConstraintError("CC112", f"a layer has no part `{part}`", hint)
        if part in parts:
            raise ConstraintError("CC112", f"`{text.strip()}` has two dtypes for {part}", GRAMMAR)
        parts.add(part)
        others = PARTS if part == ALL else (part,)
        # The dtype of all parts does not replace those of single parts, wherever it is.
        dtypes = dict.fromkeys(others, parse_dtype(name))
        dtype_by_part = dtypes | dtype_by_part if part == ALL else dtype_by_part | dtypes
    return tuple(dtype_by_part.items())


@lru_cache(maxsize=64)
def parse_dtypes(text: str) -> Dtypes:
    """The dtypes of a network without rules, from text. A part that is not given is float32.

    Raises ConstraintError.
    """
    return Dtypes(LayerDtypes()._replace(**dict(parse_parts(text))))
