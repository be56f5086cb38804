"""PyTorch models with Fourier transforms. 2·N·⌈log2 N⌉ macs for N complex points, half if real."""

import pytest

from convcost.importing.frontends.torch import read

torch = pytest.importorskip("torch")
from torch import nn  # noqa: E402

MAPS, HEIGHT, WIDTH = 8, 12, 10
HALF = WIDTH // 2 + 1


class Spectral(nn.Module):
    """A product in the frequency domain, as in GFNet."""

    def __init__(self):
        super().__init__()
        self.factors = nn.Parameter(torch.ones(MAPS, HEIGHT, HALF, 2))

    def forward(self, x):
        y = torch.fft.rfft2(x) * torch.view_as_complex(self.factors)
        return torch.fft.irfft2(y, s=x.shape[-2:])


class Complex(nn.Module):
    def forward(self, x):
        return torch.fft.ifftn(torch.fft.fftn(x, dim=(-2, -1)), dim=(-1,)).imag


class Mixed(nn.Module):
    """As in FNet: real numbers first, then complex ones."""

    def forward(self, x):
        return torch.fft.fft(torch.fft.fft(x, dim=-1), dim=-2).real


class Product(nn.Module):
    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(MAPS, 4, dtype=torch.complex64))

    def forward(self, x):
        return torch.einsum("bihw,io->bohw", torch.fft.rfft2(x), self.weight).abs()


ALONG_REAL_ROWS = MAPS * HEIGHT * WIDTH * 4
ALONG_HALF_COLUMNS = MAPS * HALF * 2 * HEIGHT * 4
ALONG_ROWS = MAPS * HEIGHT * 2 * WIDTH * 4
ALONG_COLUMNS = MAPS * WIDTH * 2 * HEIGHT * 4


def imported(module):
    return read(f"{__name__}:{module.__name__}", inputs=((MAPS, HEIGHT, WIDTH),))


@pytest.mark.parametrize(
    ("module", "macs"),
    [
        (Spectral, 2 * (ALONG_REAL_ROWS + ALONG_HALF_COLUMNS)),
        (Complex, ALONG_COLUMNS + ALONG_ROWS + ALONG_ROWS),
        (Mixed, ALONG_REAL_ROWS + ALONG_COLUMNS),
    ],
)
def test_a_transform_has_the_macs_of_the_kind_fft(module, macs):
    assert sum(layer.macs for layer in imported(module).layers) == macs


def test_factors_in_the_frequency_domain_are_params():
    assert sum(layer.params for layer in imported(Spectral).layers) == MAPS * HEIGHT * HALF * 2


def test_a_product_of_complex_numbers_is_not_counted_as_one_of_real_numbers():
    (product,) = (layer for layer in imported(Product).layers if "einsum" in str(layer.options))
    assert dict(product.options)["macs"] == "uncounted"
