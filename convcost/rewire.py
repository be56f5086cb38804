"""A network with layers taken out, put in or exchanged, every shape walked anew.

This is the arithmetic side of a rewritten spec: what the written text must come to.
"""

from typing import Any, NamedTuple

from convcost.kind import Kind
from convcost.network import Network, Step
from convcost.shapes import Shape


class Rewiring(NamedTuple):
    """What to change, by the index of a step.

    A step taken out hands on what came in. `before` stands between a step and its one input,
    `after` between a step and all that take it. No step that is taken out, or stands behind one of
    several inputs, may be named in `before`.
    """

    out: frozenset[int] = frozenset()
    instead: tuple[tuple[int, Kind[Any]], ...] = ()
    before: tuple[tuple[int, Kind[Any]], ...] = ()
    after: tuple[tuple[int, Kind[Any]], ...] = ()


def rewired(network: Network, change: Rewiring) -> Network:
    """The network after a change. Raises Refusal where a layer cannot take what now comes in.

    Options keep the values they had: what leans on `in_channels` in a spec is not evaluated anew.
    """
    walk = _Walk(network)
    instead, before, after = dict(change.instead), dict(change.before), dict(change.after)
    for index, step in enumerate(network.steps):
        if index in change.out:
            walk.sources[index] = walk.sources[step.inputs[0]]
            continue
        folder, slash, _ = step.path.rpartition("/")
        inputs = tuple(walk.sources[source] for source in step.inputs)
        if index in before:
            inputs = (walk.step(step, before[index], f"{folder}{slash}reduce", inputs),)
        shared = None if step.shared is None else walk.sources[step.shared]
        layer = instead.get(index, step.layer)
        walk.sources[index] = walk.step(step, layer, step.path, inputs, shared)
        if index in after:
            path = f"{folder}{slash}expand"
            walk.sources[index] = walk.step(step, after[index], path, (walk.sources[index],))
    last = walk.sources[network.last]
    groups = tuple(
        group._replace(output=walk.sources.get(group.output, group.output))
        for group in network.groups
    )
    return network._replace(
        steps=tuple(walk.steps), groups=groups, output=walk.shape(last), last=last
    )


class _Walk:
    """Steps as they are made; `sources` maps what a network calls its steps and inputs."""

    def __init__(self, network: Network) -> None:
        self.inputs = network.inputs
        self.steps: list[Step] = []
        self.sources = {-1 - k: -1 - k for k in range(len(network.inputs))}

    def shape(self, source: int) -> Shape:
        return self.steps[source].shape if source >= 0 else self.inputs[-1 - source][1]

    def step(
        self,
        origin: Step,
        layer: Kind[Any],
        path: str,
        inputs: tuple[int, ...],
        shared: int | None = None,
    ) -> int:
        shape = layer.output(layer.take(tuple(map(self.shape, inputs))))
        self.steps.append(
            origin._replace(path=path, layer=layer, inputs=inputs, shape=shape, shared=shared)
        )
        return len(self.steps) - 1
