"""Limits that are not in a file: those of the command line or of a call from Python."""

from collections.abc import Callable
from typing import Any

from convcost.language.budgets import parse_growth
from convcost.model.dtypes import parse_dtypes
from convcost.model.errors import UsageError, brief, usage_errors
from convcost.model.figures import MAX_DIGITS, parse_whole_figure
from convcost.model.measures import Measure
from convcost.model.network import Budget, Limit
from convcost.model.roofline import Device
from convcost.reports.check.measures import NO_SPAN


def budget_of_limits(
    max_params: int | str | None, max_macs: int | str | None, max_growth: int | str | None
) -> Budget | None:
    """A budget of counts, such as 4300000 or `4.3M`, and of growth, such as `2%`.

    Raises UsageError.
    """
    if max_params is None and max_macs is None and max_growth is None:
        return None
    grow = _read("max_growth", max_growth, parse_growth)
    total = (
        Limit(measure, NO_SPAN, max=_read(f"max_{measure}", most, parse_whole_figure), grow=grow)
        for measure, most in ((Measure.PARAMS, max_params), (Measure.MACS, max_macs))
        if most is not None or grow is not None
    )
    return Budget(total=tuple(total))


def budget_of_device(device: Device, dtype: str | None) -> Budget:
    """The memory of a device as limits. Without flash, weights and tensors share the RAM.

    `dtype` replaces the dtypes of the specs: `int8`, or `int8,biases=int32`. Raises UsageError.
    """
    with usage_errors():
        text = "" if dtype is None else parse_dtypes(dtype).text
    if device.flash is None:
        limits = {"memory": device.ram}
    else:
        limits = {"flash": device.flash, "peak_memory": device.ram}
    total = (Limit(measure, NO_SPAN, max=most, dtype=text) for measure, most in limits.items())
    return Budget(total=tuple(total))


def _read(name: str, value: Any, parse: Callable[[str], Any]) -> Any:
    if value is None:
        return None
    if type(value) is int and abs(value) >= 10**MAX_DIGITS:
        raise UsageError(f"{name} has more than {MAX_DIGITS} digits: the limit is too large")
    if type(value) is not int and not isinstance(value, str):
        requirement = "a whole number, or text like 4.3M or 2%"
        raise UsageError(f"{name} must be {requirement}, not {brief(value)}")
    with usage_errors():
        return parse(str(value))
