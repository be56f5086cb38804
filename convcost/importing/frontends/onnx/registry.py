"""The operators of ONNX."""

from typing import Any

from convcost.importing.ir.operator_table import OperatorTable
from convcost.importing.ir.ops import Row

OPERATORS = OperatorTable("convcost.importing.frontends.onnx.operators")
operator, row, row_of, has = OPERATORS.operator, OPERATORS.row, OPERATORS.of, OPERATORS.has


def without_layer(op: str, *names: str) -> None:
    """Registers operators that need no rule."""
    for name in names:
        OPERATORS.add(name, Row(op=op))


def free_row(*names: str, what: str = "", like_input: bool = False) -> None:
    """Registers operators without a kind and without multiply-adds. The output has the dims of the
    first input, or those of shape inference."""

    @operator(*names)
    def rule(call: Any) -> Any:
        return call.custom(call.value().dims if like_input else None, what)
