"""`convcost verify`: published figures compared with the exact counts."""

from convcost.cli import _networks, _output, _process, _reporting
from convcost.commands.verify import verify

EPILOG = """\b
Examples:
  convcost verify googlenet
  convcost verify net.yaml --format json

Exit codes: 0: every figure agrees or is marked as off, 1: a figure does not agree, 2: usage or
spec error."""


def command(specs: _networks.SpecsArgument, *, out: _reporting.OutputOptions) -> None:
    """Compare the published figures of specs with the exact counts."""
    outputs = _output.parse_outputs(out)
    report = verify(specs)
    _output.write(report, outputs, specs)
    if not report.confirmed:
        raise SystemExit(_process.FAILED)
