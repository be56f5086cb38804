"""Finds the specs that the arguments of a check name, each of them once."""

from collections.abc import Iterable

from convcost.model.errors import UsageError
from convcost.sources.links import PathLinks
from convcost.sources.spec_files import SpecLocation, locate, specs_in


def unique_specs(arguments: Iterable[str]) -> list[SpecLocation | UsageError]:
    """The specs that the arguments name, and the specs in the folders among them, in order.

    An argument that names no spec is returned as an error. A file with several names appears once,
    under the first one. A document does not appear again if an argument names its whole file.
    """
    spec_by_key: dict[tuple[str, str | None], SpecLocation | UsageError] = {}
    names: dict[str, dict[str, None]] = {}
    links = PathLinks()
    for argument in arguments:
        try:
            for spec in map(locate, specs_in(argument)):
                followed = links.follow(spec.path) if spec.path else None
                file = str(followed.target) if followed else "-"
                names.setdefault(file, {})[spec.name] = None
                spec_by_key.setdefault((file, spec.pick), spec._replace(followed=followed))
        except UsageError as error:
            spec_by_key.setdefault((argument, ""), error)
    return [
        spec if isinstance(spec, UsageError) else spec._replace(names=tuple(names[file]))
        for (file, pick), spec in spec_by_key.items()
        if pick is None or (file, None) not in spec_by_key
    ]
