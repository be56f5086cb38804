"""Edits of a network: layers removed, replaced or inserted, and every shape computed again."""

from typing import Any, TypeAlias

from convcost.model.kind import Kind
from convcost.model.network import Network, Step
from convcost.model.shape import Shape

# The layers that replace a step, in series, each with the suffix of its path. Without layers, the
# step is replaced by its first input.
GraphEdit: TypeAlias = dict[int, list[tuple[str, Kind[Any]]]]


def apply_edit(network: Network, edit: GraphEdit) -> Network:
    """The network after an edit. Raises ConstraintError if a layer does not accept its new input.

    Options keep their values: an expression over `in_channels` is not evaluated again.
    """
    steps: list[Step] = []
    # New indices of the old steps and inputs.
    sources = {-1 - k: -1 - k for k in range(len(network.inputs))}
    resized = False  # whether a tensor has another shape than before

    def shape(source: int) -> Shape:
        return steps[source].shape if source >= 0 else network.inputs[-1 - source][1]

    for index, step in enumerate(network.steps):
        inputs = tuple([sources[source] for source in step.inputs])
        shared = None if step.shared is None else sources[step.shared]
        if not resized and index not in edit:
            sources[index] = len(steps)
            is_same = inputs == step.inputs and shared == step.shared
            steps.append(step if is_same else step._replace(inputs=inputs, shared=shared))
            continue
        for suffix, layer in edit.get(index, [("", step.layer)]):
            inputs = inputs if layer.takes_several else inputs[:1]
            output = layer.output(layer.select_inputs(tuple(map(shape, inputs))))
            path = step.path + suffix
            steps.append(
                step._replace(path=path, layer=layer, inputs=inputs, shape=output, shared=shared)
            )
            inputs = (len(steps) - 1,)
        sources[index] = inputs[0]
        resized = resized or shape(inputs[0]) != step.shape
    last = sources[network.last]
    groups = tuple(
        group._replace(output=sources.get(group.output, group.output)) for group in network.groups
    )
    return network._replace(steps=tuple(steps), groups=groups, output=shape(last), last=last)
