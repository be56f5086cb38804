"""`check`: whether specs are within their budgets."""

from convcost.model.errors import UsageError, printable
from convcost.model.network import Budget
from convcost.reports.check.evaluate import evaluate
from convcost.reports.check.report import Check
from convcost.reports.notes import deployed_notes, first_texts, stated_notes
from convcost.sources.check_inputs import CheckInputs, CheckRequest, check_inputs


def check(request: CheckRequest, *, if_any: bool = False) -> tuple[Check, tuple[str, ...]]:
    """Returns the report, and the files of the specs that the check read.

    Raises UsageError if there is no spec or no limit, unless `if_any` is set, and an ExceptionGroup
    of all errors of the specs and the request.
    """
    inputs = check_inputs(request)
    findings = tuple(evaluate(inputs.networks))
    if not if_any:
        inputs.refuse_no_spec()
        if not findings:
            specs = first_texts([spec.name for spec in inputs.specs])
            hint = "add `budget: {params: {max: 5M}}` to the spec, or --max-params 5M"
            if request.deployed:
                hint = (
                    "add --max-params 5M or --config; a budget in a spec limits the trained network"
                )
            raise UsageError(
                f"there is no limit to check for {specs}",
                *(f"note: {statement}" for statement in inputs.statements[:3]),
                help=hint,
            )
    device: tuple[str, ...] = ()
    if request.device_limits:
        from convcost.reports.device import RUNTIME_MEMORY

        device = (f"device: {RUNTIME_MEMORY}",)
    counted = [checked.network.costs for checked in inputs.networks]
    folded = deployed_notes([costs for costs in counted if costs is not None])
    texts = (*inputs.statements, *folded, *_without_budget(inputs), *_stated_notes(inputs), *device)
    statements = tuple(map(printable, texts))
    report = Check(
        findings,
        statements,
        request.base or "",
        networks=inputs.networks,
        base_missing=any(
            finding.test == "grow" and finding.spec in inputs.unavailable for finding in findings
        ),
        allow_missing_base=request.allow_missing_base,
    )
    return report, inputs.files


def device_limits(device: str | None, dtype: str | None) -> tuple[tuple[str, Budget], ...]:
    """The limits of a shipped device or of the file of a device, for a CheckRequest.

    Raises UsageError, and SpecError for an invalid file.
    """
    if device is None:
        if dtype is not None:
            raise UsageError(
                "the dtype of a check needs a device",
                help="limits in a budget have a dtype of their own: {max: 1MiB, dtype: int8}",
            )
        return ()
    from convcost.reports.check.limits import budget_of_device
    from convcost.sources.devices import read_device

    return ((device, budget_of_device(read_device(device), dtype)),)


def _without_budget(inputs: CheckInputs) -> tuple[str, ...]:
    names = [
        f"{checked.spec}#{checked.network.name}"
        for checked in inputs.networks
        if not checked.budgets
    ]
    has = "1 network has" if len(names) == 1 else f"{len(names)} networks have"
    return (f"{has} no budget: {first_texts(names)}",) if names else ()


def _stated_notes(inputs: CheckInputs) -> tuple[str, ...]:
    notes = (
        f"{checked.spec}: {note}"
        for checked in inputs.networks
        if checked.network.costs is not None
        for note in stated_notes([checked.network.costs])
    )
    return tuple(dict.fromkeys(notes))  # a network can have two bases
