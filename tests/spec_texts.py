"""Short specs for tests, and what of their networks most tests look at."""

from support import cost

EIGHT = "input: {channels: 8, size: 8}\n"


def paths(text, **variables):
    return [layer.path for layer in cost(text, **variables).layers]


def inputs_by_path(text):
    """Each layer and what feeds it, by path, or by the name of an input."""
    network = cost(text).network
    names = [name for name, _ in network.inputs]
    return {
        step.path: [network.steps[i].path if i >= 0 else names[-1 - i] for i in step.inputs]
        for step in network.steps
    }
