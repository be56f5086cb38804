"""Measures design spaces as ratios: traces to analyses, and evaluated points to hand-written numpy.

    python benchmarks/design_spaces.py [--runs N]

All times are CPU time of this process. Yardstick and candidate take turns, and the best of each
counts. The exit code is 1 if a target is missed. docs/performance.md has the table.
"""

import argparse
import gc
import sys
import time
from collections.abc import Callable, Sequence
from fractions import Fraction
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parent.parent))

from convcost.design_space.network_function import NetworkFunction
from convcost.design_space.polynomial import number
from convcost.design_space.traced_function import TracedFunction, Variable
from convcost.language.load import Documents
from convcost.model.costs import costs
from convcost.model.errors import Source
from convcost.sources.spec_files import open_source

TRACED = ("mobilenet_v1", "mobilenet_v2", "googlenet", "resnet50", "vgg16")
CHUNK = 1 << 14
WIDTHS = 41  # in steps of 1/32, from 1/4
SIZES = 1024  # from 32
DEPTHS = 16  # copies of the block with 512 filters
SEPARABLE = [
    (64, 1), (128, 2), (128, 1), (256, 2), (256, 1), (512, 2), (512, 1), (1024, 2), (1024, 1),
]  # fmt: skip
MAX_TRACE = 5  # times one analysis
MIN_POINTS = 1_000_000  # a second
MAX_NUMPY = 3  # times the formulas by hand


def cpu_seconds(*functions: Callable[[], object], runs: int) -> list[float]:
    """The least CPU time of each function, which take turns."""
    best = [float("inf")] * len(functions)
    for _ in range(runs):
        for index, function in enumerate(functions):
            gc.collect(0)
            start = time.process_time()
            function()
            best[index] = min(best[index], time.process_time() - start)
    return best


def trace_ratio(spec: str, runs: int) -> float:
    """The time of a trace at two new values of every variable, in times of an analysis."""
    source, _ = open_source(spec)
    documents = Documents(source)
    name = documents.load()[0].name
    function = NetworkFunction(documents, name, ("params", "macs"))
    variables = tuple(Variable(one, (n, 2 * n)) for one, n in function.point().items())
    traced = TracedFunction(function, variables, 2)
    point = {one.name: int(one.column.numerators[0]) for one in variables}
    analysis, trace = cpu_seconds(
        lambda: costs(Documents(source).load(pick=name)[0]), lambda: traced.trace(point), runs=runs
    )
    print(f"{spec}: an analysis {analysis * 1e3:.1f} ms, a trace {trace * 1e3:.1f} ms")
    return trace / analysis


def mobilenet() -> tuple[TracedFunction, list[dict[str, np.ndarray]]]:
    """MobileNet v1 with a variable depth, and the points of width × size × depth in chunks."""
    text = open_source("mobilenet_v1")[0].text
    text = text[: text.index("published:")].replace("repeat: 5", "repeat: depth")
    text = text.replace("vars: {", "vars: {depth: 5, ")
    function = NetworkFunction(Documents(Source("net.yaml", text)), None, ("params", "macs"))
    widths = tuple(number(Fraction(k, 32)) for k in range(8, 8 + WIDTHS))
    variables = (
        Variable("depth", tuple(range(1, 1 + DEPTHS))),
        Variable("width", widths),
        Variable("size", tuple(range(32, 32 + SIZES))),
    )
    total = DEPTHS * WIDTHS * SIZES
    chunks = [np.arange(start, min(start + CHUNK, total)) for start in range(0, total, CHUNK)]
    return TracedFunction(function, variables, 2), [
        {
            "depth": index // (WIDTHS * SIZES),
            "width": index // SIZES % WIDTHS,
            "size": index % SIZES,
        }
        for index in chunks
    ]


def by_hand(positions: dict[str, np.ndarray]) -> Sequence[np.ndarray]:
    """Params and macs of the same points, from the layers of the paper."""
    width, depth = positions["width"] + 8, positions["depth"] + 1  # width in 32nds
    size = -(-(positions["size"] + 32) // 2)
    channels = width
    params = channels * 3 * 9 + 2 * channels
    macs = size * size * channels * 3 * 9
    for filters, stride in SEPARABLE:
        size = -(-size // stride) if stride > 1 else size
        own = filters // 32 * width
        copies = depth if (filters, stride) == (512, 1) else 1
        params = params + copies * (channels * 9 + 2 * channels + own * channels + 2 * own)
        macs = macs + copies * (size * size * (channels * 9 + own * channels))
        channels = own
    return params + channels * 1000 + 1000, macs + channels * 1000


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--runs", type=int, default=7)
    runs = parser.parse_args().runs
    gc.disable()
    traced, chunks = mobilenet()
    for chunk in chunks:
        for own, other in zip(
            traced.evaluate(traced.columns(chunk)).results, by_hand(chunk), strict=True
        ):
            assert (own == other).all()
    ours, numpy = cpu_seconds(
        lambda: [traced.evaluate(traced.columns(chunk)) for chunk in chunks],
        lambda: [by_hand(chunk) for chunk in chunks],
        runs=runs,
    )
    points = DEPTHS * WIDTHS * SIZES
    ratio = max(trace_ratio(spec, runs) for spec in TRACED)
    print(f"\n{points:,} points of MobileNet v1, {len(traced.outcomes)} traces")
    results = [
        ("points a second, params and macs", points / ours, f"≥ {MIN_POINTS:,}"),
        ("times the formulas by hand in numpy", ours / numpy, f"≤ {MAX_NUMPY}"),
        ("a trace, times an analysis", ratio, f"≤ {MAX_TRACE}"),
    ]
    for what, value, target in results:
        print(f"{what:<40} {value:>12,.2f}   target {target}")
    good = points / ours >= MIN_POINTS and ours / numpy <= MAX_NUMPY and ratio <= MAX_TRACE
    sys.exit(not good)


if __name__ == "__main__":
    main()
