"""What every answer says of layers whose multiply-adds nobody knows."""

from collections.abc import Iterable, Iterator

from convcost.costs import Costs, LayerCost

NAMED = 3


def uncounted(networks: Iterable[Costs]) -> Iterator[str]:
    """What is said of each network that has such layers, once of several alike."""
    yield from dict.fromkeys(
        said for costs in networks for said in uncounted_of(costs.network.name, costs.layers)
    )


def uncounted_of(name: str, layers: Iterable[LayerCost]) -> Iterator[str]:
    """`uncounted: 2 layers of Net, the macs leave them out: a, b`; nothing where all is counted."""
    paths = [layer.path for layer in layers if layer.uncounted]
    if not paths:
        return
    number = "1 layer" if len(paths) == 1 else f"{len(paths):,} layers"
    named = ", ".join(paths[:NAMED]) + ", …" * (len(paths) > NAMED)
    them = "it" if len(paths) == 1 else "them"
    yield f"uncounted: {number} of {name}, the macs leave {them} out: {named}"
