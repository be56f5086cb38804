"""PyTorch models at other sizes than that they were imported at: traced anew, they are what their
spec says."""

import os
from pathlib import Path

import pytest
from support import run

from convcost.importing import driver
from convcost.language.load import load
from convcost.language.network_inputs import Settings
from convcost.model.costs import costs
from convcost.model.errors import Source, SpecError

torch = pytest.importorskip("torch")
from torch import nn  # noqa: E402
from torch.nn import functional as F  # noqa: E402, N812


def conv(a, b, stride=1, kernel=3):
    return nn.Conv2d(a, b, kernel, stride=stride, padding=kernel // 2, bias=False)


class Net(nn.Module):
    """Three convolutions, each of half the size, and a way from their outputs to the network's."""

    def __init__(self, way):
        super().__init__()
        self.a, self.b, self.c = conv(3, 8, 2), conv(8, 16, 2), conv(16, 16, 2)
        self.way = way

    def forward(self, x):
        a = self.a(x)
        b = self.b(a)
        return self.way(x, a, b, self.c(b))


MAKE = {}


def made():
    return Net(MAKE["way"])


def imported(way, size=(64, 64)):
    MAKE["way"] = way
    return driver.read(driver.ImportRequest(f"{__name__}:made", ((3, *size),)))


def macs(text, size):
    (network,) = load(Source("net", text), Settings((), size))
    return costs(network).totals.macs


def enlarged(x, _a, _b, c):
    return F.interpolate(c, scale_factor=1.5)


def like_the_input(x, _a, _b, c):
    return F.interpolate(c, size=x.shape[-2:], mode="bilinear")


def like_a_skip(_x, a, b, c):
    b = torch.cat([b, F.interpolate(c, size=b.shape[-2:])], 1)
    return torch.cat([a, F.interpolate(b, size=a.shape[-2:])], 1)


def whole(_x, _a, _b, c):
    return F.avg_pool2d(c, c.shape[-2:]).flatten(1)


def whole_square(_x, _a, _b, c):
    return F.avg_pool2d(c, c.shape[-1]).flatten(1)


def halved(_x, a, _b, _c):
    return a[:, :, : a.shape[2] // 2]


def tokens_and_back(_x, _a, b, _c):
    n, c, h, w = b.shape
    tokens = F.layer_norm(b.flatten(2).transpose(1, 2), (c,))
    return tokens.transpose(1, 2).reshape(n, c, h, w)


FREE = {
    enlarged: "{upsample: 1.5}",
    like_the_input: "{upsample_like: {x: [], like: input}, mode: linear}",
    like_a_skip: "{upsample_like: {x: [], like: b}}",
    whole: "- global_avg_pool",
    whole_square: "- global_avg_pool",
    halved: "{slice: in_height // 2, along: 1}",
    tokens_and_back: "{reshape_like: {x: [], like: b}}",
}


@pytest.mark.parametrize("way", FREE, ids=lambda way: way.__name__)
def test_numbers_that_a_model_computes_from_its_size_are_reported(way):
    made_of = imported(way)
    assert FREE[way] in made_of.text
    assert "input: {channels: 3, size: 64}\n" in made_of.text
    for size in [(96, 96), (101, 101), (80, 80)]:
        assert macs(made_of.text, size) == imported(way, size).costs.totals.macs


def padded(x, _a, _b, _c):
    return F.pad(x, (0, -x.shape[-1] % 32, 0, -x.shape[-2] % 32))


def test_a_pad_to_a_multiple_leaves_the_multiples():
    made_of = imported(padded)
    assert "input: {channels: 3, size: 64, multiple: 32}\n" in made_of.text
    (note,) = [note for note in made_of.notes if "multiple" in note]
    assert note == (
        "the input is `multiple: 32`, because the model and the spec differ at 127×193: "
        "only the model has `pad_1`, pad to 128×224×3"
    )
    with pytest.raises(SpecError):
        macs(made_of.text, (100, 100))


def test_size_dependent_control_flow_makes_the_spec_fixed():
    def deeper(_x, a, _b, _c):
        return a.relu() if a.shape[-1] > 40 else a

    assert "input: {channels: 3, size: 64, fixed: true}\n" in imported(deeper).text


def test_a_blur_is_a_depthwise_convolution_of_buffers_at_any_size():
    class Blur(nn.Module):
        def __init__(self):
            super().__init__()
            self.register_buffer("blur", torch.ones(8, 1, 3, 3))
            self.conv = conv(3, 8)

        def forward(self, x):
            return F.conv2d(self.conv(x), self.blur, stride=2, groups=8, padding=1)

    MAKE["make"] = Blur
    made_of = driver.read(driver.ImportRequest(f"{__name__}:blur", ((3, 64, 64),)))
    assert "{depthwise: 3, stride: 2, padding: 1, buffer: true}" in made_of.text
    assert made_of.costs.totals.buffers == 8 * 3 * 3
    assert made_of.costs.totals.params == 8 * 3 * 3 * 3
    assert macs(made_of.text, (65, 33)) == 8 * 3 * 9 * 65 * 33 + 8 * 9 * 33 * 17


def blur():
    return MAKE["make"]()


class Same(nn.Module):
    """TensorFlow's padding: as many zeros as ⌈n/2⌉ windows ask for."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 8, 3, stride=2, bias=False)

    def forward(self, x):
        left, right = (divmod((-(-n // 2) - 1) * 2 + 3 - n, 2) for n in reversed(x.shape[-2:]))
        border = [one for half, odd in (left, right) for one in (half, half + odd)]
        return self.conv(F.pad(x, border))


def same():
    return Same()


def test_pads_that_depend_on_the_size_become_padding_and_check_accepts_them(tmp_path):
    target = f"{__name__}:same"
    folder = Path(__file__).parent
    path = {
        "PYTHONPATH": os.pathsep.join((str(folder.parents[3]), str(folder.parents[2]), str(folder)))
    }
    done = run("import", target, "--input", "3x64x64", "-o", "s.yaml", cwd=tmp_path, **path)
    assert done.returncode == 0, done.stderr.decode()
    text = (tmp_path / "s.yaml").read_text()
    assert "{conv: 8, kernel: 3, stride: 2, padding: same}" in text
    assert run("import", target, "--check", "s.yaml", cwd=tmp_path, **path).returncode == 0
    (tmp_path / "s.yaml").write_text(text.replace("same", "1"))
    assert run("import", target, "--check", "s.yaml", cwd=tmp_path, **path).returncode == 1
    for size in [(64, 64), (65, 33)]:
        height, width = (-(-n // 2) for n in size)
        assert macs(text, size) == 8 * 3 * 3 * 3 * height * width


class Words(nn.Module):
    """A table of words, and a linear layer; it refuses an input with a second axis."""

    def __init__(self):
        super().__init__()
        self.table, self.head = nn.Embedding(10, 8), nn.Linear(8, 4)

    def forward(self, words):
        (_batch, _length) = words.shape
        return self.head(self.table(words))


def test_a_row_of_integers_is_read_at_other_lengths():
    made = driver.read(driver.ImportRequest(f"{__name__}:Words", ((16,),), dtypes=("int",)))
    assert "input: {channels: 1, size: [16]}\n" in made.text
    assert made.notes == ("also compared with the model at 63 and 163",)
    assert macs(made.text, (40,)) == 40 * 8 * 4


class Decoder(nn.Module):
    """Two layers of attention with positions from a table, as in GPT-2."""

    def __init__(self):
        super().__init__()
        self.tokens, self.positions = nn.Embedding(50, 8), nn.Embedding(400, 8)
        self.layers = nn.ModuleList(nn.MultiheadAttention(8, 2) for _ in range(2))

    def forward(self, x):
        y = self.tokens(x) + self.positions(torch.arange(x.shape[1]))
        for layer in self.layers:
            y = y + layer(y, y, y)[0]
        return y


def test_positions_of_a_language_model_follow_its_length():
    request = driver.ImportRequest(f"{__name__}:Decoder", ((24,),), dtypes=("int",))
    found = driver.read(request)
    assert found.notes[-1] == "also compared with the model at 63 and 163"
    one_length = driver.read(request._replace(fixed=True))
    assert macs(found.text, (24,)) == one_length.costs.totals.macs
    longer = driver.read(request._replace(inputs=((100,),), fixed=True))
    assert macs(found.text, (100,)) == longer.costs.totals.macs


@pytest.mark.parametrize("written", ["", "--fixed"])
@pytest.mark.parametrize("checked", ["", "--fixed"])
def test_a_spec_of_one_size_or_of_all_still_describes_its_model(tmp_path, written, checked):
    model = [f"{__name__}:Decoder", "--input", "24:int"]
    spec = tmp_path / "decoder.yaml"
    assert run("import", *model, *written.split(), "-o", str(spec)).returncode == 0
    result = run("import", *model, *checked.split(), "--check", str(spec))
    assert result.returncode == 0
    assert result.stdout.startswith(f"{spec} still describes Decoder\n".encode())
