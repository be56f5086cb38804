"""PyTorch models that sample at positions which a layer gives."""

import pytest

from convcost.importing.frontends.torch import read

torch = pytest.importorskip("torch")
from torch import nn  # noqa: E402
from torch.nn import functional as F  # noqa: E402, N812


class Sampled(nn.Module):
    def __init__(self):
        super().__init__()
        self.offsets = nn.Conv2d(8, 2, 3, padding=1)

    def forward(self, x):
        grid = self.offsets(x).permute(0, 2, 3, 1)
        return F.grid_sample(x, grid, mode="nearest", align_corners=False)


class Deformed(nn.Module):
    def __init__(self):
        super().__init__()
        from torchvision.ops import DeformConv2d

        self.offsets = nn.Conv2d(8, 2 * 9 * 2, 3, padding=1, stride=2)
        self.deformed = DeformConv2d(8, 4, 3, padding=1, stride=2, groups=2, bias=False)

    def forward(self, x):
        return self.deformed(x, self.offsets(x))


def imported(module):
    return read(f"{__name__}:{module.__name__}", inputs=((8, 12, 10),))


def test_a_grid_is_sampled():
    graph = imported(Sampled)
    assert [layer.kind for layer in graph.layers] == ["conv", "grid_sample"]
    sampled = graph.layers[-1]
    assert dict(sampled.options)["mode"] == "nearest"
    assert sampled.output == (8, (12, 10))


def test_a_deformable_convolution_has_the_macs_of_a_convolution():
    pytest.importorskip("torchvision")
    graph = imported(Deformed)
    assert [layer.kind for layer in graph.layers] == ["conv", "deformable_conv"]
    deformed = graph.layers[-1]
    assert dict(deformed.options)["offset_groups"] == 2
    assert (deformed.params, deformed.macs) == (4 * 9 * 4, 4 * 9 * 4 * 6 * 5)
