"""Counts classifiers of torchvision with other counters, and by the conventions of convcost.

    PYTHONPATH=.:benchmarks python benchmarks/count_networks_with_peers.py [NAME…] [-o table.md]

Each network is imported by convcost, and counted by five counters for real. A number that agrees
with a variant of a convention, because the network calls activations or pools as functions, is
marked with it. The exit code is 1 if a number differs. Needs what `count_with_peers.py` needs, with
thop. docs/conventions.md has the table.
"""

import argparse
import io
import sys
from contextlib import redirect_stderr, redirect_stdout
from itertools import combinations
from pathlib import Path

from count_with_peers import measured
from import_models import SIZES, _prepare_torchvision

import convcost
from convcost.conventions import Convention, find_convention
from convcost.model.costs import Costs

NETWORKS = (
    *("alexnet", "vgg11", "vgg13", "vgg16_bn", "resnet18", "resnet34", "resnet101", "resnet152"),
    *("resnext50_32x4d", "wide_resnet50_2", "squeezenet1_0", "squeezenet1_1"),
    *("shufflenet_v2_x0_5", "shufflenet_v2_x1_0", "mobilenet_v3_small", "mobilenet_v3_large"),
    *("mnasnet0_5", "mnasnet1_0", "efficientnet_b0", "efficientnet_b1"),
    *("regnet_x_400mf", "regnet_y_400mf", "densenet121", "inception_v3"),
)
# A network that writes layers of one kind as modules here and as functions there has the number of
# no variant.
MIXED = {
    ("densenet121", "ptflops_pytorch"),  # one F.relu among modules
    ("inception_v3", "thop"),  # F.avg_pool2d in its blocks, a module at the end
    ("inception_v3", "ptflops_pytorch"),
}
PEERS = ("torch", "fvcore", "thop", "ptflops_pytorch", "torchinfo")


def assumptions(name: str) -> list[Convention]:
    """The convention, and what its variants of the same number give, alone and together."""
    base = find_convention(name)
    variants = [find_convention(one) for one in base.variants]
    variants = [one for one in variants if one.word == base.word and one.factor == base.factor]
    found = [base]
    for size in range(1, len(variants) + 1):
        for some in combinations(variants, size):
            changed = {k: r for one in some for k, r in one.rules.items() if r != base.rules.get(k)}
            label = "+".join(one.name.partition(":")[2] for one in some)
            found.append(base._replace(name=label, rules={**base.rules, **changed}))
    return found


def compared(peer: str, costs: Costs, number: str) -> tuple[str, bool]:
    """The cell of a table, and whether the numbers agree."""
    for convention in assumptions(peer):
        counted = convention.count(costs)
        if number == str(counted.total):
            mark = "" if convention.name == peer else f" ({convention.name})"
            return f"{counted.total:,}{mark}", True
    by = find_convention(peer).count(costs)
    return f"{int(number):,}, not {by.total:,}", False


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", default=NETWORKS)
    parser.add_argument("-o", "--output", type=Path)
    options = parser.parse_args()
    _prepare_torchvision()
    import torch
    from torchvision import models

    lines = [f"| network | {' | '.join(PEERS)} |\n|---|{'--:|' * len(PEERS)}\n"]
    failed = 0
    for name in options.names:
        size = SIZES.get(name, 224)
        target = f"torchvision.models:{name}"
        with redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()):
            costs = convcost.import_model(target, inputs=[(3, size, size)], fixed=True).costs
        cells = []
        for peer in PEERS:
            number = measured(peer, getattr(models, name)(), torch.randn(1, 3, size, size))
            cell, agrees = compared(peer, costs, number)
            if (name, peer) in MIXED:
                cell, agrees = f"{int(number):,} (mixed)", True
            failed += not agrees
            cells.append(cell)
        lines.append(f"| {name} | {' | '.join(cells)} |\n")
        sys.stderr.write(lines[-1])
    if options.output is None:
        sys.stdout.writelines(lines)
    else:
        options.output.write_text("".join(lines), "utf-8")
    raise SystemExit(failed > 0)


if __name__ == "__main__":
    main()
