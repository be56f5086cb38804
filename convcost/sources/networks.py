"""Loads the networks of specs by name. One exception has the errors of all specs."""

from collections.abc import Callable, Iterable, Iterator
from typing import TypeAlias, TypeVar

from convcost.language.load import load
from convcost.language.network_inputs import Settings
from convcost.model.errors import SpecError, UsageError
from convcost.model.network import Network
from convcost.sources.spec_files import open_source

A = TypeVar("A")
T = TypeVar("T")

SpecOrNetwork: TypeAlias = str | Network


def read_networks(
    specs: Iterable[SpecOrNetwork], settings: Settings, *, deployed: bool = False
) -> list[Network]:
    """The networks of all specs, in order; with `deployed`, as inference runs them. A loaded
    network is returned unchanged.

    Raises an ExceptionGroup of all SpecErrors and UsageErrors.
    """
    networks = collect(specs, lambda spec: _networks(spec, settings))
    if not deployed:
        return networks
    from convcost.model.deploy import deploy

    return list(map(deploy, networks))


def collect(arguments: Iterable[A], read: Callable[[A], Iterable[T]]) -> list[T]:
    """What `read` returns for all arguments. Raises an ExceptionGroup of all SpecErrors and
    UsageErrors. What they have in common, such as the list of shipped specs, only the first has."""
    items: list[T] = []
    errors: list[SpecError | UsageError] = []
    for argument in arguments:
        try:
            items += read(argument)
        except (SpecError, UsageError) as error:
            errors.append(error)
    if errors:
        raise ExceptionGroup("specs", list(_without_repetition(errors)))
    return items


def _without_repetition(
    errors: Iterable[SpecError | UsageError],
) -> Iterator[SpecError | UsageError]:
    texts: set[str] = set()
    lines: set[str] = set()  # the lines of all messages, except first lines
    for error in errors:
        if (text := str(error)) in texts:
            continue
        texts.add(text)
        if isinstance(error, UsageError):
            first, *rest = error.args
            error.args = (first, *(line for line in rest if line not in lines))
            lines.update(rest)
        yield error


def _networks(spec: SpecOrNetwork, settings: Settings) -> list[Network]:
    if isinstance(spec, str):
        source, pick = open_source(spec, settings)
        return load(source, settings, pick)
    if settings != Settings():
        raise UsageError("a loaded network cannot change; give `set` and `size` to `load`")
    return [spec]
