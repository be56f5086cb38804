"""`check --update-baseline`: the new text of a baseline file. It is an error if a count grew."""

from collections.abc import Mapping

from convcost.model.errors import UsageError, printable
from convcost.model.number_format import counted
from convcost.model.record import NamedTuple
from convcost.reports.check.baseline_policy import forbid_growth, may_have_grown, pair_networks
from convcost.reports.check.evaluate import CheckedNetwork, evaluate
from convcost.reports.check.finding_text import network_label
from convcost.reports.check.measures import MeasuredNetwork
from convcost.reports.check.report import Check
from convcost.reports.notes import first_texts
from convcost.sources.baseline_file import BaselineFile
from convcost.sources.check_inputs import CheckInputs, CheckRequest, check_inputs
from convcost.sources.spec_files import STDIN


class BaselineUpdate(NamedTuple):
    """The report, the files of the specs, and the new text of the baseline.

    The text is None if a count grew."""

    check: Check
    files: tuple[str, ...]
    text: str | None


def update_baseline(request: CheckRequest, *, allow_growth: bool) -> BaselineUpdate:
    """Checks that no count of the baseline grew, even if a budget allows the growth.

    Also checks all other limits of the budgets. Raises UsageError if the base is not a baseline
    file, and an ExceptionGroup of all errors of the specs and the request.
    """
    file = request.base
    if file is None or file.startswith("git:") or not file.endswith(".json"):
        raise UsageError(
            "--update-baseline needs a baseline file as base", help="add --base baseline.json"
        )
    inputs = check_inputs(request, for_update=True)
    inputs.refuse_no_spec()
    base = inputs.base
    assert isinstance(base, BaselineFile)
    text = base.updated_text(_current_networks(inputs, base))
    networks, statements = _with_bases(inputs, base)
    limits = [finding for finding in evaluate(inputs.networks) if finding.test != "grow"]
    with_base = (network for network in networks if network.base is not None)
    growth = [
        finding._replace(level="error") if may_have_grown(finding) else finding
        for finding in evaluate(forbid_growth(network, file) for network in with_base)
        if finding.level != "skipped" or may_have_grown(finding)
    ]
    exceeded = sum(finding.level == "error" for finding in limits)
    grown = [finding for finding in growth if finding.level == "error"]
    grew = "grew or may have grown" if any(any(f.uncounted) for f in grown) else "grew"
    grew = f"{counted(len(grown), 'count')} {grew}"
    if allow_growth:
        growth = [finding for finding in growth if finding.level != "error"]
    reasons = []
    if exceeded:
        verb = "is" if exceeded == 1 else "are"
        reasons.append(f"{counted(exceeded, 'limit')} {verb} exceeded")
    not_accepted = [grew] if grown else []
    if inputs.unavailable:
        not_accepted.append(f"growth of {counted(len(inputs.unavailable), 'spec')} is not known")
    if not_accepted and not allow_growth:
        reasons.append(f"{' and '.join(not_accepted)}; accept growth with --allow-growth")
    if reasons:
        verdict = f"{file} is not written: {', and '.join(reasons)}"
    else:
        verdict = f"the new {file} is accepted{f': {grew}' if grown else ''}"
    report = Check(
        (*limits, *growth),
        tuple(map(printable, (*inputs.statements, *statements, verdict))),
        file,
        networks=tuple(networks),
        # The file is written after the report, so that it is unchanged if an output fails.
        headline="The baseline is not written" if reasons else "The new baseline is accepted",
    )
    return BaselineUpdate(report, inputs.files, None if reasons else text)


def _with_bases(inputs: CheckInputs, base: BaselineFile) -> tuple[list[CheckedNetwork], list[str]]:
    """The networks, and a sentence about each new one, to print.

    A new network that is like no deleted one also gets a deleted network as its base. Without this,
    a network that is renamed and changed could grow without a finding.
    """
    used = {id(checked.base) for checked in inputs.networks}
    deleted = [
        old for old in (*inputs.deleted, *base.deleted_networks()) if id(old.network) not in used
    ]
    new = [checked.network.name for checked in inputs.networks if checked.base is None]
    pairs = iter(pair_networks(new, [old.network.name for old in deleted]))
    networks, statements, unmatched = [], [], []
    for checked in inputs.networks:
        name = network_label(checked.spec, checked.network.name)
        if checked.base is not None:
            networks.append(checked)
        elif (pair := next(pairs)) is None:
            networks.append(checked)
            unmatched.append(name)
        else:
            file, old = deleted[pair]
            networks.append(checked._replace(base=old))
            label = network_label(file, old.name)
            statements.append(f"{name} is new; it is compared with {label}, which was deleted")
    if unmatched:
        count = counted(len(unmatched), "new network")
        statements.append(f"{base.name} has {count}: {first_texts(unmatched)}")
    return networks, statements


def _current_networks(
    inputs: CheckInputs, base: BaselineFile
) -> dict[str, Mapping[str, MeasuredNetwork]]:
    """The current networks, by the key of the spec in the file and by their names. Raises
    UsageError for a spec that is not a whole file."""
    for spec in inputs.specs:
        if spec.name == STDIN:
            raise UsageError(
                "a baseline stores specs by file name, and standard input has none",
                help="save the spec to a file",
            )
        if not spec.has_all_networks:
            raise UsageError(f"a baseline stores all networks of a spec; give `{spec.name}`")
    return {key: spec.networks for spec in inputs.specs for key in base.keys(spec.location)}
