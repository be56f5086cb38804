"""PyTorch models that sample at positions which a layer gives, and operators of many samples."""

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


class Halves(nn.Module):
    """An operator on the first and the last half of the channels, which become two samples."""

    def __init__(self, module):
        super().__init__()
        self.module = module

    def forward(self, x):
        return self.module(x.reshape(2, x.shape[1] // 2, *x.shape[2:]))


class Unpool(nn.Module):
    def forward(self, x):
        return F.max_unpool2d(*F.max_pool2d(x, 2, return_indices=True), 2)


class SampledTwice(Sampled):
    def __init__(self):
        super().__init__()
        self.offsets = nn.Conv2d(8, 2, 1)


class DeformedTwice(Deformed):
    def __init__(self):
        super().__init__()
        self.offsets = nn.Conv2d(8, 2 * 9 * 2, 1, stride=2)


OFFSETS = (2 * 9 * 2) * 8
# name: the operator, its input, the output, (params, macs)
OF_MANY_SAMPLES = {
    "transposed_conv": (lambda: nn.ConvTranspose2d(8, 4, (3, 2), 2, bias=False), (16, 6, 5),
                        (4, (2, 13, 10)), (4 * 8 * 3 * 2, 2 * 6 * 5 * 8 * 4 * 3 * 2)),
    "transposed_conv with an output padding": (
        lambda: nn.ConvTranspose1d(8, 4, 3, 2, 1, 1, bias=False), (16, 6),
        (4, (2, 12)), (4 * 8 * 3, 2 * 6 * 8 * 4 * 3),
    ),
    "deformable_conv": (DeformedTwice, (16, 12, 10), (4, (2, 6, 5)),
                        (OFFSETS + 36 + 4 * 9 * 4, 2 * 6 * 5 * (OFFSETS + 4 * 9 * 4))),
    "pixel_shuffle": (lambda: nn.PixelShuffle(2), (16, 6, 5), (2, (2, 12, 10)), (0, 0)),
    "pixel_unshuffle": (lambda: nn.PixelUnshuffle(2), (16, 6, 4), (32, (2, 3, 2)), (0, 0)),
    "upsample": (lambda: nn.Upsample(scale_factor=2), (16, 3, 6, 5), (8, (2, 6, 12, 10)), (0, 0)),
    "max_unpool": (Unpool, (16, 6, 4), (8, (2, 6, 4)), (0, 0)),
    "grid_sample": (SampledTwice, (16, 6, 5), (8, (2, 6, 5)), (2 * 8 + 2, 2 * 6 * 5 * 2 * 8)),
}  # fmt: skip


@pytest.mark.parametrize("name", OF_MANY_SAMPLES)
def test_an_operator_of_many_samples_has_the_shape_and_the_macs_of_all(name, monkeypatch):
    pytest.importorskip("torchvision")
    build, dims, output, counts = OF_MANY_SAMPLES[name]
    monkeypatch.setitem(globals(), "make", lambda: Halves(build()))
    graph = read(f"{__name__}:make", inputs=(dims,))
    assert graph.layers[-1].output == output
    assert (
        sum(layer.params for layer in graph.layers),
        sum(layer.macs for layer in graph.layers),
    ) == counts
    assert not any(layer.uncounted for layer in graph.layers)
