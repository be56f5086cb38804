"""What every answer says of layers whose multiply-adds nobody knows."""

from collections.abc import Iterable, Iterator

from convcost.costs import Costs

NAMED = 3


def uncounted(networks: Iterable[Costs]) -> Iterator[str]:
    """`uncounted: 2 layers of Net, the macs leave them out: a, b`; nothing where all is counted."""
    told: dict[str, None] = {}
    for costs in networks:
        paths = [layer.path for layer in costs.layers if layer.uncounted]
        if paths:
            layers = "1 layer" if len(paths) == 1 else f"{len(paths):,} layers"
            named = ", ".join(paths[:NAMED]) + ", …" * (len(paths) > NAMED)
            told[
                f"uncounted: {layers} of {costs.network.name}, the macs leave "
                f"{'it' if len(paths) == 1 else 'them'} out: {named}"
            ] = None
    yield from told
