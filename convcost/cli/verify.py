"""`convcost verify`: do the figures that others printed agree with the exact ones?"""

from typing import Annotated, Any

import typer

from convcost.cli import _exits, _output, _reporting
from convcost.costs import Costs, costs
from convcost.errors import Problem, Refusal, Source, SpecError, UsageError
from convcost.files.sources import Asked, open_source
from convcost.network import Network, Published
from convcost.questions.judge import Held, exact
from convcost.questions.verify import Printed, verify
from convcost.spec.entry import Settings
from convcost.spec.load import load

EPILOG = """Examples:

  convcost verify googlenet

  convcost verify net.yaml --format json

Exit codes: 0 every figure agrees or is off as noted, 1 one is not, 2 usage or spec error."""


def command(
    specs: Annotated[
        list[str],
        typer.Argument(
            metavar="SPEC...", help="File, name of a shipped spec, or -; #name picks one."
        ),
    ],
    *,
    out: _reporting.Out,
) -> None:
    """Do published figures agree with the exact ones, each under its own settings?"""
    with _output.complaints():
        where = _output.targets(out)
        report = verify(_all(specs))
        _output.write(report, where, specs)
        if not report.confirmed:
            raise SystemExit(_exits.OVER)


def _all(arguments: list[str]) -> tuple[Printed, ...]:
    """What the arguments print; everything that is wrong with any, in one group of errors."""
    printed: list[Printed] = []
    errors: list[SpecError | UsageError] = []
    for argument in arguments:
        try:
            printed += _printed(open_source(argument))
        except (SpecError, UsageError) as error:
            errors.append(error)
    if errors:
        raise ExceptionGroup("specs", errors)
    return tuple(printed)


def _printed(asked: Asked) -> list[Printed]:
    """The networks of one source, each entry with its costs. Raises SpecError with all problems."""
    problems: list[Problem] = []
    found = []
    for network in load(asked.source, pick=asked.pick):
        loads = _Loads(asked.source, network)
        held = []
        for entry in network.published:
            try:
                held.append(Held(entry, loads.under(entry)))
            except SpecError as error:
                problems += error.problems
            except Refusal as refusal:
                problems.append(Problem(refusal.code, refusal.message, entry.place))
        found.append(Printed(network.name, network.file, network.source, tuple(held)))
    if problems:
        raise SpecError(asked.source, problems)
    return found


class _Loads:
    """One network under every setting that its entries ask for, each loaded and counted once."""

    def __init__(self, source: Source, network: Network) -> None:
        self.source = source
        self.network = network
        self.known: dict[Any, Costs] = {}

    def under(self, entry: Published) -> Costs:
        # A setting of 1 is not one of true, though they are equal.
        typed = frozenset((name, type(value), value) for name, value in entry.settings)
        key = (typed, entry.size)
        if key not in self.known:
            network = self.network
            if entry.settings or entry.size is not None:
                settings = Settings(entry.settings, entry.size)
                (network,) = load(self.source, settings, network.name)
            self.known[key] = costs(network)
        exact(self.known[key], entry.layer)
        return self.known[key]
