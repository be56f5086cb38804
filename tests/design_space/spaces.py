"""Compares traced and plain costs of every shipped network at random points.

PYTHONPATH=tests python -m design_space.spaces [--points 1000] [--seed 1] [NAME…]
"""

import argparse
import random
from fractions import Fraction
from typing import Any

import numpy as np

from convcost.design_space.network_function import NetworkFunction
from convcost.design_space.polynomial import number
from convcost.design_space.traced_function import TracedFunction, Values, Variable
from convcost.language.load import Documents
from convcost.model.errors import SpecError
from convcost.sources.spec_files import open_source, shipped_specs

MEASURES = (
    "params", "weights", "biases", "buffers", "macs", "activations", "channels", "receptive_field",
)  # fmt: skip


def shipped_functions(measures=MEASURES, specs=None):
    """Every network with variables of shipped specs, by default of all, by name."""
    for name in specs or sorted(shipped_specs()):
        documents = Documents(open_source(name)[0])
        for network_name in documents.sources:
            if documents.load(pick=network_name)[0].variables:
                full_name = f"{name}#{network_name}"
                yield full_name, NetworkFunction(documents, network_name, measures)


def random_variables(function, rng):
    """Some values for each variable of a network, for its size and for the batch."""
    found = []
    values: tuple[Any, ...]
    for name, value in function.network.variables:
        if isinstance(value, bool):
            values = (False, True)
        elif value == 1 or type(value) is not int:
            values = tuple(number(Fraction(k, 20)) for k in sorted(rng.sample(range(5, 41), 12)))
        else:
            near = {value, *(rng.randint(1, max(2 * value, 4)) for _ in range(8))}
            values = tuple(sorted(near))
        found.append(Variable(name, values))
    size = function.network.inputs[0][1].size
    if size:
        near = {size[0], *(rng.randint(max(1, size[0] // 4), 2 * size[0]) for _ in range(10))}
        found.append(Variable("size", tuple(sorted(near))))
    found.append(Variable("batch", (1, 3, 8)))
    return tuple(found)


def evaluate_traces(traced, positions):
    """The values at points, all from traces: each point is there twice, because one that no other
    point shares a trace with can be computed with plain numbers."""
    twice = {name: np.repeat(index, 2) for name, index in positions.items()}
    found = traced.evaluate(traced.columns(twice))
    return Values([column[::2] for column in found.results], found.failed[::2])


def check(function, points, rng):
    """Compares all points; returns the numbers of valid points and of traces."""
    variables = random_variables(function, rng)
    traced = TracedFunction(function, variables, len(function.measures))
    positions = {
        variable.name: np.array([rng.randrange(len(variable.values)) for _ in range(points)])
        for variable in variables
    }
    values = evaluate_traces(traced, positions)
    valid = 0
    for n in range(points):
        point = {
            variable.name: variable.values[positions[variable.name][n]] for variable in variables
        }
        try:
            expected = function(point)
        except SpecError:
            assert values.failed[n], point
            continue
        valid += 1
        found = [int(column[n]) for column in values.results]
        assert not values.failed[n], point
        assert found == expected, (point, found, expected)
    return valid, len(traced.outcomes)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--points", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("names", nargs="*")
    arguments = parser.parse_args()
    for name, function in shipped_functions(specs=arguments.names):
        rng = random.Random(f"{arguments.seed} {name}")
        valid, traces = check(function, arguments.points, rng)
        print(f"{name}: {arguments.points} points, {valid} valid, {traces} traces", flush=True)


if __name__ == "__main__":
    main()
