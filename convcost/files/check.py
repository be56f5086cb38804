"""A check from names to answer; the command and the API are both this."""

from convcost.errors import UsageError
from convcost.files.gather import Asked, Gathered, gather, refuse_nothing
from convcost.questions.check.evaluate import findings
from convcost.questions.check.report import Check
from convcost.questions.uncounted import uncounted_of
from convcost.report import printable

SHOWN = 3


def checked(asked: Asked, *, if_any: bool = False) -> tuple[Check, tuple[str, ...]]:
    """The answer, and the specs that were read for it.

    Raises UsageError if there is no limit, unless `if_any` lets that pass, and a group of all that
    is wrong with specs and request.
    """
    all_ = gather(asked)
    found = tuple(finding for one in all_.held for finding in findings(one))
    if not if_any:
        refuse_nothing(all_)
    if not found and not if_any:
        raise UsageError(
            f"there is no limit to check for {some(all_.files)}\n{_notes(all_)}"
            "help: add `budget: {params: {max: 5M}}` to the spec, or --max-params 5M"
        )
    statements = (*all_.statements, *_without(all_), *_uncounted(all_))
    against = all_.base.asked if all_.base is not None else ""
    check = Check(found, statements, against, held=all_.held, unmet=all_.unmet)
    return check, all_.files


def _notes(all_: Gathered) -> str:
    """What may be why there is none, like a budget that is for no file."""
    return "".join(f"note: {said}\n" for said in all_.statements[:SHOWN])


def _without(all_: Gathered) -> tuple[str, ...]:
    count = len(all_.without)
    have = "has" if count == 1 else "have"
    said = f"{count} of the networks {have} no budget: {some(all_.without)}"
    return (said,) if count else ()


def _uncounted(all_: Gathered) -> tuple[str, ...]:
    return tuple(
        f"{printable(held.spec)}: {printable(said)}"
        for held in all_.held
        for said in uncounted_of(held.network.name, held.network.layers)
    )


def some(names: tuple[str, ...]) -> str:
    """The first of them, and that there are more."""
    return ", ".join(map(printable, names[:SHOWN])) + "…" * (len(names) > SHOWN)
