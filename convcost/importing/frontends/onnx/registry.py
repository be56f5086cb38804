"""The operators of ONNX."""

from convcost.importing.ir.operator_table import OperatorTable
from convcost.importing.ir.ops import Row

OPERATORS = OperatorTable("convcost.importing.frontends.onnx.operators")
operator, row, free_row = OPERATORS.operator, OPERATORS.row, OPERATORS.free_row
row_of, has = OPERATORS.row_of, OPERATORS.has


def without_layer(op: str, *names: str) -> None:
    """Registers operators that need no rule."""
    for name in names:
        OPERATORS.add(name, Row(op=op))
