"""`convcost reduce`: where would a 1x1 pay, and what would be without those there are?"""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from convcost.cli import _networks, _output, _reporting
from convcost.cli._files import place
from convcost.costs import Costs, costs
from convcost.errors import Refusal, Source, UsageError
from convcost.files.sources import open_source
from convcost.names import did_you_mean
from convcost.network import Network
from convcost.questions.explain import paths
from convcost.questions.reduce.find import Survey, survey, under, undoing
from convcost.questions.reduce.insert import Plan, plan
from convcost.questions.reduce.insert_text import reduce_edit
from convcost.questions.reduce.narrow import Width
from convcost.questions.reduce.offers import WIDTHS, Offers, Reductions, Wish, offers
from convcost.questions.reduce.outcome import Outcome
from convcost.questions.reduce.undo import Undone, without
from convcost.questions.reduce.undo_text import undo_edit
from convcost.questions.reduce.write import Planned, Written, written
from convcost.report import printable
from convcost.rewire import Rewiring
from convcost.spec.draft import Draft
from convcost.spec.entry import Settings
from convcost.spec.load import load

EPILOG = """Examples:

  convcost reduce vgg16 --top 10

  convcost reduce net.yaml 3x3/conv_1=96 5x5/conv_1=16 --write reduced.yaml

  convcost reduce vgg16 --channels 1/4 --expand --write reduced.yaml

  convcost reduce googlenet --undo --write - | convcost compare - googlenet"""


def command(
    spec: Annotated[
        str,
        typer.Argument(
            metavar="SPEC", help="File, name of a shipped spec, or -; #name picks one network."
        ),
    ],
    layers: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[LAYER[=R]]...", help="Layers or groups, each to R channels; all if left out."
        ),
    ] = None,
    channels: Annotated[
        str | None,
        typer.Option(metavar="R,R", help="What the 1x1 leaves: counts, or parts like 1/4."),
    ] = None,
    expand: Annotated[
        bool, typer.Option("--expand", help="With a 1x1 back to the filters: a bottleneck.")
    ] = False,
    undo: Annotated[
        bool, typer.Option("--undo", help="Find the 1x1 reductions there are, and undo them.")
    ] = False,
    projections: Annotated[
        bool | None,
        typer.Option(
            "--projections/--no-projections",
            help="With --undo, also those behind a pool; by default they are.",
        ),
    ] = None,
    write: Annotated[
        str | None, typer.Option(metavar="FILE", help="Write the changed spec; - prints only that.")
    ] = None,
    top: Annotated[
        int | None, typer.Option(min=1, metavar="N", help="The first N rows only.")
    ] = None,
    settings: _networks.SetOption = None,
    size: _networks.SizeOption = None,
    batch: _networks.BatchOption = 1,
    *,
    out: _reporting.Out,
) -> None:
    """Where would a 1x1 pay? Every larger convolution behind a 1x1, most saved first."""
    with _output.complaints():
        where = _output.targets(out)
        if write is not None and any(
            target.path is not None and place(target.path) == place(Path(write)) for target in where
        ):
            raise UsageError(f"--write and --output both go to `{printable(write)}`")
        job = _Job(spec, _networks.settings(settings, size), batch, write)
        wishes = tuple(_wish(layer, job.paths) for layer in layers or ())
        if undo:
            _refuse_with_undo(wishes, channels, top, expand=expand)
            report: Reductions | Undone = job.undo(wishes, projections=projections is not False)
        elif projections is not None:
            raise UsageError("--projections goes with --undo")
        else:
            report = job.reduce(wishes, _widths(channels), top, expand=expand)
        if write == "-":
            where = tuple(target for target in where if target.path is not None)
        _output.write(report, where, [spec], None if write is None else (job.text, write))


def _refuse_with_undo(
    wishes: tuple[Wish, ...], channels: str | None, top: int | None, *, expand: bool
) -> None:
    if channels is not None or any(wish.width for wish in wishes):
        raise UsageError("--undo takes no channels: what the 1x1 leaves is what it finds")
    if expand or top is not None:
        raise UsageError(f"--undo does not go with --{'expand' if expand else 'top'}")


class _Job:
    """One spec, read; and where a new one goes."""

    def __init__(self, spec: str, settings: Settings, batch: int, write: str | None) -> None:
        self.spec = spec
        self.settings = settings
        self.write = write
        asked = open_source(spec)
        self.source: Source = asked.source
        self.pick = asked.pick
        self.networks = load(asked.source, settings, asked.pick)
        self.costs = [costs(network, batch) for network in self.networks]
        self.paths = {path for network in self.networks for path in paths(network)}
        self.text = ""

    def reduce(
        self, wishes: tuple[Wish, ...], widths: tuple[Width, ...], top: int | None, *, expand: bool
    ) -> Reductions:
        having = _having(self.costs, wishes)
        found = tuple(offers(one, wishes, widths, expand=expand) for one in having)
        if self.write is None:
            return Reductions(found, top)
        if len(widths) > 1 and not (wishes and all(wish.width for wish in wishes)):
            raise UsageError("--write takes one width: choose it, like --channels 1/4")
        plans = [(one, plan(one, named=bool(wishes))) for one in found]
        left = [item for _, made in plans for item in made.left]
        plans = [(one, made) for one, made in plans if made.insertions]
        if not plans:
            why = f": `{left[0][0]}` {left[0][1]}" if left else ""
            raise UsageError(printable(f"there is nothing to reduce in `{self.spec}`{why}"))
        planned = tuple(
            self._planned(
                one.costs.network,
                made.change,
                reduce_edit(one.costs.network, made.insertions, expand=expand),
                "reduced",
            )
            for one, made in plans
        )
        notes = [*_notes(plans), *self._written(planned)]
        pairs = tuple(
            (one.costs, costs(item.promised, one.costs.batch))
            for (one, _), item in zip(plans, planned, strict=True)
        )
        return Reductions(found, top, Outcome(pairs, self.write, tuple(notes)))

    def undo(self, wishes: tuple[Wish, ...], *, projections: bool) -> Undone:
        within = tuple(wish.path for wish in wishes)
        having = _having(self.costs, wishes)
        surveys = [
            (one, survey(one.network, projections=projections, within=within)) for one in having
        ]
        for path in within:
            self._found(path, [each for _, each in surveys])
        try:
            found = tuple(
                (one, each, without(one, each, _named(one.network, "naive")))
                for one, each in surveys
            )
        except Refusal as refusal:
            raise UsageError(f"without its 1x1 it is no network: {refusal.message}") from None
        plans = tuple(
            self._planned(
                one.network,
                undoing(one.network, each.found),
                undo_edit(one.network, each.found),
                "naive",
            )
            for one, each in surveys
            if each.found
        )
        if self.write is not None and not plans:
            raise UsageError(f"there is no 1x1 reduction in `{printable(self.spec)}` to undo")
        notes = self._written(plans) if plans else []
        return Undone(found, self.write or "", (*_along(surveys, within), *notes))

    def _found(self, path: str, surveys: list[Survey]) -> None:
        """Refuses a path of no layer, or of none that is a reduction."""
        if path not in self.paths:
            hint = did_you_mean(path, self.paths)
            raise UsageError(printable(f"there is no layer `{path}` in `{self.spec}`; {hint}"))
        left = [reason for each in surveys for name, reason in each.left if under(name, path)]
        if not any(each.found for each in surveys) and not left:
            raise UsageError(printable(f"there is no 1x1 reduction in `{path}`"))

    def _planned(
        self, network: Network, change: Rewiring, edit: Callable[[Draft], None], what: str
    ) -> Planned:
        name = _named(network, what)
        return Planned(network, change, edit, name, self.networks.index(network))

    def _written(self, plans: tuple[Planned, ...]) -> list[str]:
        """Keeps the changed text, read back and compared; what is to be said of it."""
        try:
            new = written(self.source, self.pick, self.settings, plans)
        except Refusal as refusal:
            hint = f"\nhelp: {printable(refusal.help)}" if refusal.help else ""
            if self.write is None:
                # The numbers are those of a network; that its spec comes to it was not to be shown.
                kept = "the numbers are those of the network, each option as it is now"
                return [f"as a spec this cannot be written: {refusal.message}; {kept}"]
            raise UsageError(f"cannot be written: {printable(refusal.message)}{hint}") from None
        self.text = new.text
        return self._standing(new) if self.write is not None else []

    def _standing(self, new: Written) -> list[str]:
        notes = []
        for sections, end in (
            (new.commented, "of the old spec stand in the new one as comments"),
            (new.left_out, "of the old spec are left out of the new one"),
        ):
            if sections:
                notes.append(f"{' and '.join(f'`{name}`' for name in sections)} {end}")
        changed = [f"--set {name}={value}" for name, value in self.settings.variables]
        if self.settings.size:
            changed.append(f"--size {'x'.join(map(str, self.settings.size))}")
        if changed:
            notes.append(f"these are its costs with {' '.join(changed).lower()}")
        return notes


def _having(all_costs: list[Costs], wishes: tuple[Wish, ...]) -> list[Costs]:
    """The networks that have all the layers asked for; the first if none has, for its error."""
    if not wishes or len(all_costs) == 1:
        return all_costs
    wanted = {wish.path for wish in wishes}
    return [one for one in all_costs if wanted <= set(paths(one.network))] or all_costs[:1]


def _named(network: Network, what: str) -> str:
    """`GoogLeNet naive`; what was made so before is not said again."""
    name = network.name
    for said in (" reduced", " naive"):
        name = name.removesuffix(said)
    return f"{name} {what}"


def _notes(plans: list[tuple[Offers, Plan]]) -> list[str]:
    notes = []
    for _, made in plans:
        if made.along:
            listed = ", ".join(made.along[:3]) + ("…" if len(made.along) > 3 else "")  # noqa: PLR2004
            notes.append(f"reduced along, for they stand on the same lines: {listed}")
        notes += [f"left as it is: {path} {reason}" for path, reason in made.left]
    return notes


def _along(surveys: list[tuple[Costs, Survey]], within: tuple[str, ...]) -> list[str]:
    """What was undone though it was not asked for: it stands on the same lines of the spec."""
    paths = [
        item.sites[0].path
        for _, each in surveys
        for item in each.found
        if within and not any(under(item.sites[0].path, path) for path in within)
    ]
    if not paths:
        return []
    listed = ", ".join(paths[:3]) + ("…" if len(paths) > 3 else "")  # noqa: PLR2004
    return [f"{len(paths)} undone along, for they stand on the same lines: {listed}"]


def _wish(text: str, known: set[str]) -> Wish:
    """`3x3/conv_1=96`; a layer whose own name has a `=` is meant by all of it."""
    path, equals, width = text.rpartition("=")
    if not equals or text in known:
        return Wish(text)
    return Wish(path, _width(width))


def _widths(text: str | None) -> tuple[Width, ...]:
    if text is None:
        return WIDTHS
    return tuple(dict.fromkeys(_width(part) for part in text.split(",")))


def _width(text: str) -> Width:
    match = re.fullmatch(r"\s*([0-9]{1,9})(?:/([0-9]{1,9}))?\s*", text)
    part, whole = (int(match[1]), int(match[2] or 0)) if match else (0, 0)
    if match is None or part == 0 or (match[2] and not part < whole):
        raise UsageError(
            f"a width is a count of channels or a part of them, like 64 or 1/4, not "
            f"`{printable(text)}`"
        )
    return Width(part, whole)
