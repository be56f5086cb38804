"""Every convention gives what its tool gives, to the digit.

`layers.csv` has layers as convcost and as PyTorch write them, and the numbers of the tools, from
`benchmarks/count_with_peers.py`. `partial` is a layer that the tool says it cannot count. An empty
cell has no number to compare: the tool fails, or counts by what a spec does not have.
"""

import csv
from functools import cache

import pytest
from support import ROOT, cost, shipped

from convcost.conventions import find_convention

with (ROOT / "tests" / "conventions" / "layers.csv").open(encoding="utf-8") as _file:
    LAYERS = list(csv.DictReader(_file))
TOOLS = list(LAYERS[0])[5:]
# The tool cannot count a function that is the whole model, and does not see one within a model.
UNSEEN_BY_TORCH_SCAN = {"add", "multiply", "concat"}
NETWORKS = {
    # tool: ResNet-50, MobileNetV2, GoogLeNet of torchvision at 224
    "torch": (8178368512, 601548544, 2996752384),
    "fvcore": (4111512576, 314193216, 1504878688),
    "thop": (4133742592, 327486720, 1511332032),
    "ultralytics_thop": (4133742592, 327486720, 1511332032),
    "ptflops_pytorch": (4132436968, 320300008, 1513907448),
    "ptflops_aten": (4089185256, 300775272, 1498377192),
    "torchinfo": (4089238376, 300809384, 1498391752),
    "calflops": (4089184256, 300774272, 1498376192),
    "torchprofile": (4100300288, 307453664, 1501603376),
    "torch_scan": (4111916032, 314130496, 1507673888),
    "onnx_tool": (4117342184, 319949192, 1517437192),
}
# torchvision's MobileNetV2 calls its last pool as a function, its GoogLeNet the activations.
FUNCTIONAL = {
    ("thop", 1): "thop:functional_pools",
    ("ultralytics_thop", 1): "ultralytics_thop:functional_pools",
    ("torch_scan", 1): "torch_scan:functional_pools",
    ("ptflops_pytorch", 1): "ptflops_pytorch:functional_pools",
    ("ptflops_pytorch", 2): "ptflops_pytorch:functional_activations",
}


def net_of(layer: str, shape: tuple[int, ...], batch: int = 1):
    channels, *size = shape
    return cost(
        f"name: one layer\ninput: {{channels: {channels}, size: {size}}}\nlayers: [{layer}]\n",
        batch=batch,
    )


@cache
def costs_of_rows():
    """The costs of each row of `layers.csv`."""
    shapes = [tuple(map(int, row["input"].split(","))) for row in LAYERS]
    return [
        net_of(row["spec"], shape, int(row["batch"]))
        for row, shape in zip(LAYERS, shapes, strict=True)
    ]


@pytest.mark.parametrize("tool", TOOLS)
def test_a_layer_counts_as_its_tool_counts_it(tool):
    found: dict[str, object] = {}
    expected: dict[str, object] = {}
    for row, costs in zip(LAYERS, costs_of_rows(), strict=True):
        if not row[tool]:
            continue
        layer = row["layer"]
        counted = find_convention(tool).count(costs)
        found[layer] = counted.uncounted or counted.total
        if row[tool] == "partial" and layer not in UNSEEN_BY_TORCH_SCAN:
            expected[layer] = ((counted.kinds[-1], 1),)
        else:
            expected[layer] = int(row[tool].replace("partial", "0"))
    assert found == expected


@pytest.mark.parametrize("tool", NETWORKS)
@pytest.mark.parametrize("network", range(3), ids=("resnet50", "mobilenet_v2", "googlenet"))
def test_a_network_counts_as_its_tool_counts_it(network, tool):
    if network == 2:
        costs = cost((ROOT / "tests" / "conventions" / "googlenet.yaml").read_text("utf-8"))
    else:
        costs = shipped(("resnet50", "mobilenet_v2")[network])
    counted = find_convention(FUNCTIONAL.get((tool, network), tool)).count(costs)
    assert not counted.uncounted
    assert counted.total == NETWORKS[tool][network]


def test_thop_before_0_1_counts_half_as_much_for_a_batch_norm():
    new, old = (
        find_convention(name).count(shipped("resnet50")) for name in ("thop", "thop:before_0_1")
    )
    assert (new.total, old.total) == (4_133_742_592, 4_111_514_624)
    assert new.total - old.total == old.by_kind["batch_norm"].known == 2 * 11_113_984


PAGE = (ROOT / "docs" / "conventions.md").read_text("utf-8")
# Networks of the table in docs/conventions.md that also ship with convcost.
SHIPPED = {
    "resnet18": "resnet18",
    "resnet152": "resnet152",
    "resnext50_32x4d": "resnext50_32x4d",
    "squeezenet1_1": "squeezenet1_1",
    "shufflenet_v2_x1_0": "shufflenet_v2_x1_0",
    "mobilenet_v3_large": "mobilenet_v3_large",
    "efficientnet_b0": "efficientnet_b0",
    "densenet121": "densenet121",
    "inception_v3": "inception_v3",
}


@pytest.mark.parametrize("network", SHIPPED)
def test_a_shipped_network_has_the_numbers_that_the_tools_gave(network):
    head, row = (
        [cell.strip() for cell in line.strip("| \n").split("|")]
        for line in PAGE.splitlines()
        if line.startswith(("| network | torch", f"| {network} |"))
    )
    for tool, cell in zip(head[1:], row[1:], strict=True):
        number, _, variant = cell.strip(")").partition(" (")
        if variant != "mixed":
            name = f"{tool}:{variant}" if variant else tool
            if (network, tool) == ("inception_v3", "fvcore"):  # the spec has `padding: same`
                name = "fvcore:padding_numbers"
            assert find_convention(name).count(shipped(SHIPPED[network])).total == int(
                number.replace(",", "")
            ), name
