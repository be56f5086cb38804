"""How far something is enlarged."""

from collections.abc import Sequence
from fractions import Fraction
from math import floor
from typing import Any

from convcost.importing.parts.windows import each

FINEST = 1000  # the largest denominator of a factor that somebody wrote down


def enlargement(
    before: Sequence[int], after: Sequence[int], factors: Sequence[Fraction] | None
) -> dict[str, Any]:
    """The options of an `upsample`: a scale where it is a plain number that comes to the same, else
    the size. `factors` are those that the model has, None where it has a size."""
    ratios = factors or [Fraction(b, a) for a, b in zip(before, after, strict=True)]
    plain = [ratio.limit_denominator(FINEST) for ratio in ratios]
    same = all(floor(n * f) == o for n, f, o in zip(before, plain, after, strict=True))
    if same and (factors is not None or all(ratio.denominator == 1 for ratio in plain)):
        numbers = [int(f) if f.denominator == 1 else f for f in plain]
        return {"scale": numbers[0] if len(set(numbers)) == 1 else tuple(numbers)}
    return {"size": each(after)}
