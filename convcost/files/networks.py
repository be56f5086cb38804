"""Arguments to networks: the specs of all of them, or everything that is wrong with any."""

from collections.abc import Iterable

from convcost.errors import SpecError, UsageError
from convcost.files.sources import open_source
from convcost.network import Network
from convcost.spec.entry import Settings
from convcost.spec.load import load


def read(arguments: Iterable[str], asked: Settings) -> list[Network]:
    """The networks of all arguments; everything that is wrong with any, in one group of errors."""
    networks: list[Network] = []
    errors: list[SpecError | UsageError] = []
    for argument in arguments:
        try:
            source, pick = open_source(argument)
            networks += load(source, asked, pick)
        except (SpecError, UsageError) as error:
            errors.append(error)
    if errors:
        raise ExceptionGroup("specs", errors)
    return networks
