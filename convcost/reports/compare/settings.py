"""Which of the compared networks a setting applies to."""

from collections.abc import Iterable

from convcost.language.network_inputs import Settings
from convcost.model.network import Network


def applied_notes(
    networks: Iterable[Network], settings: Settings
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """A note for each variable and each input that only some networks have; and the names that none
    has."""
    networks = list(networks)
    names = [network.name for network in networks]
    labels = [n.name if names.count(n.name) == 1 else n.file for n in networks]
    variables = [{name for name, _ in network.variables} for network in networks]
    inputs = [{name for name, _ in network.inputs} for network in networks]
    requested = [
        *((f"--set {name}", name, variables) for name, _ in settings.variables),
        *((f"--size {name}", name, inputs) for name, _ in settings.sizes),
    ]
    notes, unknown = [], []
    for option, name, owned in requested:
        having = [label for label, keys in zip(labels, owned, strict=True) if name in keys]
        lacking = [label for label, keys in zip(labels, owned, strict=True) if name not in keys]
        if not having:
            unknown.append(name)
        elif lacking:
            notes.append(f"{option} applies to {', '.join(having)}, not to {', '.join(lacking)}")
    return tuple(notes), tuple(unknown)
