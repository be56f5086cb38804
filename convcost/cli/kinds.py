"""`convcost kinds`: which layers the language knows, and how each is counted."""

from typing import Annotated

import typer

from convcost.cli import _output, _reporting
from convcost.errors import UsageError
from convcost.kind import KINDS
from convcost.names import did_you_mean
from convcost.questions.kinds import Kinds
from convcost.report import printable

EPILOG = """Examples:

  convcost kinds

  convcost kinds conv"""


def command(
    kind: Annotated[
        str | None, typer.Argument(metavar="[KIND]", help="One kind, with formulas and examples.")
    ] = None,
    *,
    out: _reporting.Out,
) -> None:
    """Every kind of layer: its options, defaults, formulas and examples."""
    with _output.complaints():
        where = _output.targets(out)
        if kind is not None and KINDS.get(kind) is None:
            hint = did_you_mean(kind, KINDS.names())
            raise UsageError(
                f"there is no kind `{printable(kind)}`; {hint or '`convcost kinds` lists them'}"
            )
        _output.write(Kinds(kind), where)
