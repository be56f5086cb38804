"""PyTorch models: what each operator comes to, what layers are called, what cannot be read."""

import logging
import subprocess
import sys
from fractions import Fraction
from functools import partial
from math import prod
from pathlib import Path
from typing import Any

import pytest

from convcost.importing.frontends.torch import read
from convcost.importing.spec import proved_spec
from convcost.language.load import load
from convcost.model.costs import costs
from convcost.model.errors import ConstraintError, Source, SpecError

torch = pytest.importorskip("torch")
from torch import nn  # noqa: E402
from torch.nn import functional as F  # noqa: E402, N812

ROUTE = (
    "the ONNX route may work: torch.onnx.export(model, example, 'model.onnx'), then "
    "`convcost import model.onnx`"
)

BACKBONE = (
    "name a function that returns the part before that, such as a detector's backbone and heads; "
    "or use the ONNX route: torch.onnx.export(model, example, 'model.onnx'); a mixture of experts "
    "is the kind `experts` of a spec: `convcost kinds experts`"
)


class Fun(nn.Module):
    """A function of a tensor as a module, with what it learns."""

    def __init__(self, function, **learned):
        super().__init__()
        self.function = function
        for name, dims in learned.items():
            self.register_parameter(name, nn.Parameter(torch.empty(dims)))

    def forward(self, x):
        return self.function(x, self)


MAKE = {}


def imported_graph(make, *inputs, dtypes=(), size=None):
    MAKE["it"] = make
    return read(f"{__name__}:made", inputs=inputs, dtypes=dtypes, size=size)


def made():
    return MAKE["it"]()


def layers(layer_graph):
    return [
        (layer.kind, layer.output.text, layer.params, layer.macs) for layer in layer_graph.layers
    ]


def totals(layer_graph):
    return sum(layer.params for layer in layer_graph.layers), sum(
        layer.macs for layer in layer_graph.layers
    )


IMAGE = (6, 20, 30)
ONE_LAYER = [
    (
        "a convolution has its bias",
        lambda: nn.Conv2d(6, 8, 3, stride=2, padding=1, bias=True),
        IMAGE,
        ("conv", "10×15×8", 8 * 3 * 3 * 6 + 8, 8 * 3 * 3 * 6 * 10 * 15),
    ),
    (
        "groups share the channels out",
        lambda: nn.Conv2d(6, 8, (1, 3), groups=2, bias=False),
        IMAGE,
        ("conv", "20×28×8", 8 * 3 * (6 // 2), 8 * 3 * (6 // 2) * 20 * 28),
    ),
    (
        "as many groups as channels are a depthwise convolution",
        lambda: nn.Conv2d(6, 12, 5, padding=2, groups=6, bias=False),
        IMAGE,
        ("depthwise", "20×30×12", 6 * 2 * 5 * 5, 6 * 2 * 5 * 5 * 20 * 30),
    ),
    (
        "padding in a word keeps the size, of even kernels too",
        lambda: nn.Conv2d(6, 4, 4, padding="same", dilation=3, bias=False),
        IMAGE,
        ("conv", "20×30×4", 4 * 4 * 4 * 6, 4 * 4 * 4 * 6 * 20 * 30),
    ),
    (
        "padding `valid` is none",
        lambda: nn.Conv2d(6, 4, 4, padding="valid", bias=False),
        IMAGE,
        ("conv", "17×27×4", 4 * 4 * 4 * 6, 4 * 4 * 4 * 6 * 17 * 27),
    ),
    (
        "a convolution of rows has one axis",
        lambda: nn.Conv1d(6, 4, 3, bias=False),
        (6, 50),
        ("conv", "48×4", 4 * 3 * 6, 4 * 3 * 6 * 48),
    ),
    (
        "a convolution of volumes has three",
        lambda: nn.Conv3d(2, 4, 3, bias=False),
        (2, 5, 6, 7),
        ("conv", "3×4×5×4", 4 * 27 * 2, 4 * 27 * 2 * 3 * 4 * 5),
    ),
    (
        "a transposed convolution counts its inputs",
        lambda: nn.ConvTranspose2d(6, 8, 3, stride=2, padding=1, output_padding=1, groups=2),
        IMAGE,
        ("transposed_conv", "40×60×8", 4 * 3 * 3 * 6 + 8, 4 * 3 * 3 * 6 * 20 * 30),
    ),
    (
        "a linear layer works at every position",
        lambda: nn.Linear(8, 5),
        (7, 8),
        ("linear", "7×5", 5 * 8 + 5, 5 * 8 * 7),
    ),
    (
        "a product with a learned matrix is a linear layer",
        lambda: Fun(lambda x, m: x @ m.w, w=(8, 5)),
        (7, 8),
        ("linear", "7×5", 5 * 8, 5 * 8 * 7),
    ),
    (
        "so is a sum by Einstein",
        lambda: Fun(lambda x, m: torch.einsum("btc,cd->btd", x, m.w), w=(8, 5)),
        (7, 8),
        ("linear", "7×5", 5 * 8, 5 * 8 * 7),
    ),
    (
        "a batch norm learns two numbers a channel",
        lambda: nn.BatchNorm2d(6),
        IMAGE,
        ("batch_norm", "20×30×6", 6 + 6, 0),
    ),
    (
        "a norm without numbers of its own learns none",
        lambda: nn.GroupNorm(3, 6, affine=False),
        IMAGE,
        ("group_norm", "20×30×6", 0, 0),
    ),
    (
        "a layer norm over the last axis learns them by channel",
        lambda: nn.LayerNorm(8),
        (7, 8),
        ("layer_norm", "7×8", 8 + 8, 0),
    ),
    (
        "a layer norm over all axes learns them by element",
        lambda: nn.LayerNorm(IMAGE),
        IMAGE,
        ("layer_norm", "20×30×6", 2 * 6 * 20 * 30, 0),
    ),
    (
        "a root mean square norm has no shift",
        lambda: nn.RMSNorm(8),
        (7, 8),
        ("rms_norm", "7×8", 8, 0),
    ),
    (
        "an instance norm may learn",
        lambda: nn.InstanceNorm2d(6, affine=True),
        IMAGE,
        ("instance_norm", "20×30×6", 6 + 6, 0),
    ),
    (
        "a pool may round up",
        lambda: nn.MaxPool2d(3, stride=2, ceil_mode=True),
        IMAGE,
        ("max_pool", "10×15×6", 0, 0),
    ),
    (
        "an average pool slides like a maximum",
        lambda: nn.AvgPool2d((2, 3), padding=(0, 1), count_include_pad=False),
        IMAGE,
        ("avg_pool", "10×10×6", 0, 0),
    ),
    (
        "an adaptive pool need not divide its input",
        lambda: nn.AdaptiveAvgPool2d((7, 7)),
        IMAGE,
        ("adaptive_avg_pool", "7×7×6", 0, 0),
    ),
    (
        "to a single position it is a global pool",
        lambda: nn.AdaptiveMaxPool2d(1),
        IMAGE,
        ("global_max_pool", "1×1×6", 0, 0),
    ),
    (
        "a mean over the size is one too",
        lambda: Fun(lambda x, _: x.mean((2, 3), keepdim=True)),
        IMAGE,
        ("global_avg_pool", "1×1×6", 0, 0),
    ),
    ("slopes are learned", lambda: nn.PReLU(6), IMAGE, ("prelu", "20×30×6", 6, 0)),
    (
        "relu6 goes by its own name",
        lambda: nn.ReLU6(inplace=True),
        IMAGE,
        ("relu6", "20×30×6", 0, 0),
    ),
    (
        "a learned number a channel is a scale",
        lambda: Fun(lambda x, m: x * m.gamma, gamma=(6, 1, 1)),
        IMAGE,
        ("scale", "20×30×6", 6, 0),
    ),
    (
        "interpolation by a whole factor says the factor",
        lambda: nn.Upsample(scale_factor=2, mode="bilinear"),
        IMAGE,
        ("upsample", "40×60×6", 0, 0),
    ),
    (
        "pixels come out of channels",
        lambda: nn.PixelShuffle(2),
        (8, 5, 5),
        ("pixel_shuffle", "10×10×2", 0, 0),
    ),
    (
        "a pad of edges has four numbers",
        lambda: nn.ZeroPad2d((0, 1, 2, 3)),
        IMAGE,
        ("pad", "25×31×6", 0, 0),
    ),
]


@pytest.mark.parametrize(
    ("make", "dims", "expected"), [one[1:] for one in ONE_LAYER], ids=[one[0] for one in ONE_LAYER]
)
def test_an_operator_is_imported_as_one_layer(make, dims, expected):
    layer_graph = imported_graph(make, dims)
    assert layers(layer_graph) == [expected]
    assert proved_spec(layer_graph)


class Sequence(nn.Module):
    def __init__(self, kind, **options):
        super().__init__()
        self.body = kind(8, 5, batch_first=True, **options)

    def forward(self, x):
        return self.body(x)[0]


RECURRENT = [
    ("lstm", nn.LSTM, {}, 4 * 5 * (8 + 5) + 2 * 4 * 5, 4 * 5 * (8 + 5) * 7, "7×5"),
    ("gru", nn.GRU, {"bias": False}, 3 * 5 * (8 + 5), 3 * 5 * (8 + 5) * 7, "7×5"),
    (
        "gru",
        nn.GRU,
        {"num_layers": 2, "bidirectional": True, "bias": False},
        2 * 3 * 5 * (8 + 5) + 2 * 3 * 5 * (10 + 5),
        (2 * 3 * 5 * (8 + 5) + 2 * 3 * 5 * (10 + 5)) * 7,
        "7×10",
    ),
]


@pytest.mark.parametrize(("kind", "module", "options", "params", "macs", "output"), RECURRENT)
def test_a_recurrent_layer_runs_once_a_step(kind, module, options, params, macs, output):
    layer_graph = imported_graph(lambda: Sequence(module, **options), (7, 8))
    assert layers(layer_graph) == [(kind, output, params, macs)]


class Residual(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(4, 4, 3, padding=1, bias=False)
        self.bn = nn.BatchNorm2d(4)
        self.relu = nn.ReLU(inplace=True)

    def forward(self, x):
        y = self.relu(self.bn(self.conv(x)))
        y = self.conv(y)
        y += x
        return self.relu(y)


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(3, 4, 3, bias=False), nn.ReLU())
        self.stage = nn.Sequential(Residual(), Residual())
        self.head = nn.Linear(4, 10)
        self.auxiliary = nn.Sequential(nn.Linear(4, 7), nn.Linear(7, 7, bias=False))
        self.scale = nn.Parameter(torch.empty(4))

    def forward(self, x):
        x = self.stage(self.stem(x))
        return self.head(torch.flatten(F.adaptive_avg_pool2d(x, 1), 1))


def test_layers_have_the_names_of_modules_and_functions_those_of_kinds():
    layer_graph = imported_graph(Net, (3, 8, 8))
    assert ["/".join(layer.path) for layer in layer_graph.layers][:8] == [
        "stem/0",
        "stem/1",
        "stage/0/conv",
        "stage/0/bn",
        "stage/0/relu",
        "stage/0/conv",
        "stage/0/add",
        "stage/0/relu",
    ]
    assert dict(layer_graph.classes)[("stage",)] == "Sequential"
    assert dict(layer_graph.classes)[("stage", "1")] == "Residual"
    paths = ["/".join(layer.path) for layer in layer_graph.layers]
    assert paths[-5:] == ["global_avg_pool", "flatten", "head", "scale", "auxiliary/unused"]


def test_weights_used_twice_count_once_as_params_and_twice_as_macs():
    layer_graph = imported_graph(Residual, (4, 6, 6))
    first, second = (layer for layer in layer_graph.layers if layer.kind == "conv")
    assert (first.params, first.macs) == (4 * 3 * 3 * 4, 4 * 3 * 3 * 4 * 6 * 6)
    assert (second.params, second.macs) == (0, 4 * 3 * 3 * 4 * 6 * 6)
    assert layer_graph.layers[second.shares] == first


def test_a_parameter_with_two_names_is_counted_once():
    def make():
        net = nn.Sequential(nn.Linear(8, 8, bias=False), nn.Linear(8, 8, bias=False))
        net[1].weight = net[0].weight
        return net

    assert totals(imported_graph(make, (8,))) == (8 * 8, 2 * 8 * 8)


def test_unused_params_are_reported_and_counted():
    layer_graph = imported_graph(Net, (3, 8, 8))
    never = "registered, but not used to compute the outputs"
    idle = (4 * 7 + 7) + 7 * 7
    assert [(layer.kind, layer.params) for layer in layer_graph.layers[-2:]] == [
        ("learned", 4),
        ("learned", idle),
    ]
    assert layer_graph.notes == (
        f"scale: 4 params are {never}",
        f"auxiliary: {idle} params are {never}",
    )
    assert totals(layer_graph)[0] == sum(parameter.numel() for parameter in Net().parameters())


class SelfAttention(nn.Module):
    def __init__(self):
        super().__init__()
        self.attention = nn.MultiheadAttention(12, 3, batch_first=True)

    def forward(self, x):
        return self.attention(x, x, x, need_weights=False)[0]


class CrossAttention(nn.Module):
    """Query, key and value of their own: parts of one weight meet different tensors."""

    def __init__(self):
        super().__init__()
        self.attention = nn.MultiheadAttention(12, 3, batch_first=True)

    def forward(self, x):
        return self.attention(x, x * 2 + x, x.relu(), need_weights=False)[0]


def test_parts_of_a_weight_count_no_more_than_the_weight():
    layer_graph = imported_graph(CrossAttention, (9, 12))
    products = 3 * (9 * 9 * 4 + 9 * 9 * 4)
    assert totals(layer_graph) == (
        (36 * 12 + 36) + (12 * 12 + 12),
        36 * 12 * 9 + products + 12 * 12 * 9,
    )
    assert proved_spec(layer_graph)


def test_attention_of_heads_stays_whole():
    layer_graph = imported_graph(SelfAttention, (9, 12))
    products = 3 * (9 * 9 * 4 + 9 * 9 * 4)
    (attention,) = (layer for layer in layer_graph.layers if layer.kind == "attention")
    assert (dict(attention.options), attention.macs) == ({"heads": 3}, products)
    assert totals(layer_graph) == (
        (36 * 12 + 36) + (12 * 12 + 12),
        36 * 12 * 9 + products + 12 * 12 * 9,
    )


class Windowed(nn.Module):
    """Attention with a learned bias for every distance, as in Swin."""

    def __init__(self):
        super().__init__()
        self.qkv = nn.Linear(8, 24, bias=False)
        self.table = nn.Parameter(torch.empty(13, 2))
        self.register_buffer("distances", torch.zeros(7 * 7, dtype=torch.long))

    def forward(self, x):
        query, key, value = self.qkv(x).reshape(1, 7, 3, 2, 4).permute(2, 0, 3, 1, 4).unbind(0)
        bias = self.table[self.distances].view(7, 7, 2).permute(2, 0, 1).unsqueeze(0)
        scores = (query * 0.5) @ key.transpose(-2, -1) + bias
        return (scores.softmax(-1) @ value).transpose(1, 2).reshape(1, 7, 8)


def test_attention_is_one_layer_also_if_its_caller_ignores_the_mean_of_its_weights():
    """`MultiheadAttention` returns this mean unless it gets `need_weights=False`."""

    class Ignores(nn.Module):
        def __init__(self):
            super().__init__()
            self.attention = nn.MultiheadAttention(8, 2, batch_first=True)

        def forward(self, x):
            return self.attention(x, x, x)[0]

    kinds = [layer.kind for layer in imported_graph(Ignores, (5, 8)).layers]
    assert kinds == ["linear", "slice", "slice", "slice", "attention", "linear"]


def test_a_table_gathered_by_a_buffer_is_an_embedding():
    layer_graph = imported_graph(Windowed, (7, 8))
    assert totals(layer_graph) == (24 * 8 + 13 * 2, 24 * 8 * 7 + 2 * (2 * 7 * 7 * 4))
    (table,) = (layer for layer in layer_graph.layers if layer.kind == "embedding")
    assert (table.params, table.output.text) == (13 * 2, "49×2")
    assert sum(layer.buffers for layer in layer_graph.layers) == 7 * 7
    assert dict(layer_graph.free) == {"multiply a fixed number": 1}
    assert proved_spec(layer_graph)


def test_factors_of_filters_are_a_scale_behind_the_convolution():
    def make():
        return nn.utils.parametrizations.weight_norm(nn.Conv2d(3, 4, 3))

    layer_graph = imported_graph(make, (3, 6, 6))
    assert [(layer.kind, layer.params) for layer in layer_graph.layers] == [
        ("conv", 4 * 3 * 3 * 3),
        ("scale", 4 + 4),
    ]


def test_tokens_and_positions_are_learned_tensors():
    def forward(x, m):
        x = torch.cat((m.token.expand(x.shape[0], -1, -1), x), 1)
        return (x + m.positions) @ m.weight

    learned = {"token": (1, 1, 8), "positions": (1, 8, 8), "weight": (8, 2)}
    layer_graph = imported_graph(lambda: Fun(forward, **learned), (7, 8))
    assert [("/".join(layer.path), layer.kind, layer.params) for layer in layer_graph.layers] == [
        ("token", "learned", 8),
        ("concat", "concat", 0),
        ("positions", "learned", 8 * 8),
        ("add", "add", 0),
        ("linear", "linear", 8 * 2),
    ]


def test_an_embedding_takes_whole_numbers():
    layer_graph = imported_graph(lambda: nn.Embedding(100, 16), (9,), dtypes=("int64",))
    assert layers(layer_graph) == [("embedding", "9×16", 100 * 16, 0)]


def test_an_operator_without_a_kind_is_an_uncounted_layer():
    layer_graph = imported_graph(lambda: Fun(lambda x, _: torch.special.bessel_j0(x) + 1), IMAGE)
    (layer,) = layer_graph.layers
    assert (layer.kind, layer.uncounted, layer.output.text) == ("custom", True, "20×30×6")
    assert dict(layer.options)["what"] == "special_bessel_j0"


@pytest.mark.parametrize(
    "function",
    [lambda x: torch.remainder(x, 3), lambda x: torch.histc(x, 4), lambda x: x.cummax(-1)[0],
     lambda x: (x > 0) & (x < 1), lambda x: x.log1p(), lambda x: x.median(-1)[0]],
)  # fmt: skip
def test_an_operator_without_products_has_no_macs(function):
    layer_graph = imported_graph(lambda: Fun(lambda x, _: function(x) + 0.0), IMAGE)
    assert not any(layer.macs or layer.uncounted for layer in layer_graph.layers)


@pytest.mark.parametrize(("function", "kind"), [(torch.max, "maximum"), (torch.min, "minimum")])
def test_the_larger_of_two_tensors_is_a_join(function, kind):
    def forward(x, _):
        return function(function(x, torch.tensor(0.5)), x.sigmoid())

    layer_graph = imported_graph(lambda: Fun(forward), IMAGE)
    assert [layer.kind for layer in layer_graph.layers] == ["sigmoid", kind]
    assert layer_graph.free == ((f"{kind} a fixed number", 1),)


def test_the_positions_of_a_maximum_depend_on_the_input():
    layer_graph = imported_graph(
        lambda: Fun(lambda x, m: F.embedding(x.max(-1)[1], m.table), table=(20, 6)), (4, 20)
    )
    index, table = layer_graph.layers[-2:]
    assert dict(index.options)["what"] == "argmax"
    assert (table.kind, table.inputs, table.params) == (
        "embedding",
        (len(layer_graph.layers) - 2,),
        20 * 6,
    )


class Experts(nn.Module):
    """16 rows for one of 4 matrices each; `kept` rows are counted in the ends of the groups."""

    def __init__(self, kept=16):
        super().__init__()
        self.kept, self.router = kept, nn.Linear(8, 4, bias=False)
        self.weights = nn.Parameter(torch.ones(4, 8, 16))

    def forward(self, x):
        chosen, order = self.router(x[0]).argmax(-1).sort()
        counts = torch.histc(chosen[: self.kept].float(), bins=4, min=0, max=3)
        ends = counts.cumsum(0, dtype=torch.int32)
        return torch._grouped_mm(x[0][order].bfloat16(), self.weights.bfloat16(), offs=ends)


@pytest.mark.parametrize("kept", [16, 15])
def test_a_grouped_product_is_counted_if_its_groups_have_all_rows(kept):
    layer_graph = imported_graph(lambda: Experts(kept), (16, 8))
    product = layer_graph.layers[-1]
    assert (product.kind, product.params) == ("custom", 4 * 8 * 16)
    assert (product.macs, product.uncounted) == ((16 * 8 * 16, False) if kept == 16 else (0, True))


PRODUCTS: dict[str, tuple[Any, dict[str, tuple[int, ...]], int]] = {
    "tensordot": (lambda x, m: torch.tensordot(x, m.a, dims=([2], [0])), {"a": (4, 6)}, 5 * 4 * 6),
    "tensordot of inputs": (
        lambda x, _: torch.tensordot(x[0], x.relu()[0], dims=2).view(1, 1), {}, 5 * 4,
    ),
    "inner": (lambda x, m: torch.inner(x, m.a), {"a": (6, 4)}, 5 * 4 * 6),
    "linalg.matmul": (lambda x, m: torch.linalg.matmul(x, m.a), {"a": (4, 6)}, 5 * 4 * 6),
    "multi_dot": (  # the cheaper order: first the product of both weights
        lambda x, m: torch.linalg.multi_dot([x[0], m.a, m.b]), {"a": (4, 60), "b": (60, 1)},
        4 * 60 * 1 + 5 * 4 * 1,
    ),
    "chain_matmul": (
        lambda x, m: torch.chain_matmul(x[0], m.a, m.b), {"a": (4, 2), "b": (2, 9)},
        5 * 4 * 2 + 5 * 2 * 9,
    ),
    "matrix_power": (lambda x, _: torch.linalg.matrix_power(x @ x.mT, 3), {}, 5 * 4 * 5 + 2 * 5**3),
    "mv": (lambda x, m: torch.mv(x[0], m.a), {"a": (4,)}, 5 * 4),
    "dot": (lambda x, m: torch.dot(x[0, 0], m.a).view(1, 1), {"a": (4,)}, 4),
    "vecdot": (lambda x, m: torch.linalg.vecdot(x, m.a), {"a": (5, 4)}, 5 * 4),
    "cosine_similarity": (
        lambda x, _: F.cosine_similarity(x.unsqueeze(1), x.unsqueeze(2), dim=-1), {}, 5 * 5 * 4,
    ),
    "_int_mm": (
        lambda x, _: torch._int_mm(x[0].char(), x[0].char().mT), {}, 5 * 4 * 5,
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", PRODUCTS)
def test_a_product_that_pytorch_makes_of_others_has_their_macs(name):
    function, learned, macs = PRODUCTS[name]
    layer_graph = imported_graph(lambda: Fun(function, **learned), (5, 4))
    assert not any(layer.uncounted for layer in layer_graph.layers)
    assert sum(layer.macs for layer in layer_graph.layers) == macs
    assert sum(layer.params for layer in layer_graph.layers) == sum(map(prod, learned.values()))


def test_a_function_that_vmap_runs_for_each_entry_is_counted_for_all():
    class Rows(nn.Module):
        def __init__(self):
            super().__init__()
            self.linear = nn.Linear(8, 4)

        def forward(self, x):
            return torch.vmap(torch.vmap(self.linear))(x)

    assert layers(imported_graph(Rows, (5, 8))) == [("linear", "5×4", 8 * 4 + 4, 5 * 8 * 4)]


def test_a_product_of_windows_and_weights_that_is_summed_is_a_contraction():
    layer_graph = imported_graph(
        lambda: Fun(lambda x, m: (x.unfold(2, 3, 1) * m.a).sum(-1), a=(3,)), (4, 20)
    )
    assert sum(layer.macs for layer in layer_graph.layers) == 4 * 18 * 3


def test_a_mean_with_fixed_weights_is_a_contraction():
    def soft_argmax(x, _):
        return (x.softmax(-1) * torch.arange(20.0)).sum(-1)

    layer_graph = imported_graph(lambda: Fun(soft_argmax), (4, 20))
    found = [(layer.kind, layer.params, layer.macs) for layer in layer_graph.layers if layer.macs]
    assert found == [("contract", 0, 4 * 20)]


def test_an_operator_that_pytorch_cannot_decompose_stays_uncounted():
    layer_graph = imported_graph(lambda: Fun(lambda x, _: torch.linalg.solve(x @ x.mT, x)), (5, 4))
    found = [(layer.kind, layer.macs, layer.uncounted) for layer in layer_graph.layers]
    assert found == [("matmul", 5 * 4 * 5, False), ("custom", 0, True)]


def test_a_slice_that_is_written_to_is_read_again():
    def forward(x, _):
        y = x * 2
        y[:, :2] = y[:, :2].relu()
        return y.sigmoid()

    layer_graph = imported_graph(lambda: Fun(forward), IMAGE)
    kinds = [layer.kind for layer in layer_graph.layers]
    assert kinds[-1] == "sigmoid"
    assert "relu" in kinds
    order = dict(enumerate(layer_graph.layers))
    behind = {len(kinds) - 1}
    for index in reversed(order):
        if index in behind:
            behind.update(order[index].inputs)
    assert kinds.index("relu") in behind


def test_a_tensor_changed_in_place_is_read_with_its_change():
    def forward(x, _):
        y = x * 2
        y.relu_()
        return y.sigmoid()

    layer_graph = imported_graph(lambda: Fun(forward), IMAGE)
    assert [(layer.kind, layer.inputs) for layer in layer_graph.layers] == [
        ("relu", (-1,)),
        ("sigmoid", (0,)),
    ]


class Blur(nn.Module):
    """Weights that are kept and not learned, as they are or all alike."""

    def __init__(self, alike):
        super().__init__()
        self.register_buffer("filter", torch.ones(1 if alike else 6, 1, 3, 3))

    def forward(self, x):
        return F.conv2d(x, self.filter.expand(6, 1, 3, 3), groups=6)


def test_fixed_weights_are_buffers_of_their_layer():
    (layer,) = imported_graph(partial(Blur, alike=False), IMAGE).layers
    assert (layer.kind, layer.params, layer.buffers) == ("depthwise", 0, 6 * 3 * 3)
    assert layer.macs == 6 * 3 * 3 * 18 * 28


def test_fixed_weights_with_fewer_numbers_than_the_kernel_are_declared():
    (layer,) = imported_graph(partial(Blur, alike=True), IMAGE).layers
    assert (layer.kind, layer.params, layer.buffers) == ("custom", 0, 3 * 3)
    assert layer.macs == 6 * 3 * 3 * 18 * 28


def test_all_inputs_and_outputs_are_reported():
    class Two(nn.Module):
        def forward(self, image, mask):
            return {"both": image * mask, "sum": image.sum(1, keepdim=True)}

    layer_graph = imported_graph(Two, (4, 6, 6), (1, 6, 6))
    assert [(name, shape.text) for name, shape in layer_graph.inputs] == [
        ("image", "6×6×4"),
        ("mask", "6×6×1"),
    ]
    assert [layer_graph.layers[end].kind for end in layer_graph.outputs] == ["multiply", "sum"]


def test_widths_computed_with_tensors_are_read():
    def make():
        width = int(torch.tensor([4.0, 8.0]).max().item())
        return nn.Conv2d(3, width, 1, bias=False)

    assert totals(imported_graph(make, (3, 5, 5))) == (8 * 3, 8 * 3 * 5 * 5)


# Sizes, and inputs that are whole numbers


def test_a_size_replaces_every_axis_after_the_channels():
    make = lambda: nn.Conv2d(3, 8, 1, bias=False)  # noqa: E731
    assert totals(imported_graph(make, (3, 5, 5), size=(16,)))[1] == 8 * 3 * 16 * 16
    assert totals(imported_graph(make, (3, 5, 5), size=(16, 10)))[1] == 8 * 3 * 16 * 10


def test_a_size_keeps_vectors_and_changes_the_number_of_tokens():
    class Both(nn.Module):
        def __init__(self):
            super().__init__()
            self.table = nn.Embedding(9, 4)

        def forward(self, tokens, vector):
            return self.table(tokens) + vector

    layer_graph = imported_graph(Both, (7,), (4,), dtypes=("int",), size=(20,))
    assert [shape.text for _, shape in layer_graph.inputs] == ["20×1", "4"]


def test_a_size_with_another_number_of_axes_is_refused():
    MAKE["it"] = nn.ReLU
    assert refusal(f"{__name__}:made", size=(4, 4, 4)) == (
        "CC401",
        "--size 4x4x4 has 3 axes, --input 3x8x8 has 2",
        "give one number for every axis, or one for each",
    )


class Decoder(nn.Module):
    """A language model of two layers."""

    def __init__(self, tied):
        super().__init__()
        self.tokens, self.places = nn.Embedding(100, 32), nn.Embedding(16, 32)
        self.layers = nn.ModuleList(
            nn.TransformerEncoderLayer(32, 4, 128, batch_first=True) for _ in range(2)
        )
        self.head = nn.Linear(32, 100, bias=False)
        if tied:
            self.head.weight = self.tokens.weight

    def forward(self, tokens):
        length = tokens.shape[1]
        x = self.tokens(tokens) + self.places(torch.arange(length, device=tokens.device))
        for layer in self.layers:
            x = layer(x)
        return self.head(x)


LAYER = (4 * 32 * 32 + 4 * 32) + (2 * 128 * 32 + 128 + 32) + 2 * (32 + 32)


@pytest.mark.parametrize(("tied", "tables"), [(False, 2), (True, 1)])
def test_a_language_model_reads_tokens_and_counts_its_tied_table_once(tied, tables):
    layer_graph = imported_graph(lambda: Decoder(tied), (12,), dtypes=("int",))
    assert [shape.text for _, shape in layer_graph.inputs] == ["12×1"]
    assert totals(layer_graph)[0] == tables * 100 * 32 + 16 * 32 + 2 * LAYER
    products = 12 * (4 * 32 * 32 + 2 * 128 * 32) + 2 * 12 * 12 * 32
    assert totals(layer_graph)[1] == 2 * products + 12 * 100 * 32
    assert ("weights: " in proved_spec(layer_graph)) == tied


def test_columns_of_integers_are_looked_up_one_by_one():
    class Columns(nn.Module):
        def __init__(self):
            super().__init__()
            self.tables = nn.ModuleList(nn.Embedding(rows, 4) for rows in (5, 6))

        def forward(self, x):
            return torch.cat([table(x[:, n]) for n, table in enumerate(self.tables)], 1)

    layer_graph = imported_graph(Columns, (2,), dtypes=("int",))
    assert totals(layer_graph)[0] == 5 * 4 + 6 * 4
    assert "rows: 6" in proved_spec(layer_graph)


# Tensors that are not on the meta device


class Tied(nn.Module):
    """Two layers with one matrix, as an embedding and a head have, and a table on the CPU."""

    def __init__(self):
        super().__init__()
        self.first, self.second = nn.Linear(8, 8, bias=False), nn.Linear(8, 8, bias=False)
        self.second.weight = self.first.weight

    def forward(self, x):
        return self.second(self.first(x)) + torch.arange(8, device="cpu")


TIED = Tied()  # built with real tensors


@pytest.mark.parametrize("make", [Tied, lambda: TIED])
def test_shared_weights_count_once_where_the_module_needs_the_cpu(make):
    layer_graph = imported_graph(make, (4, 8))
    assert [(layer.params, layer.macs, layer.shares) for layer in layer_graph.layers] == [
        (8 * 8, 4 * 8 * 8, None),
        (0, 4 * 8 * 8, 0),
    ]


def test_flexible_attention_is_attention():
    flex_attention = pytest.importorskip("torch.nn.attention.flex_attention").flex_attention

    def forward(x, _):
        heads = x.view(1, 128, 4, 16).transpose(1, 2)
        return flex_attention(heads, heads, heads)

    (layer,) = (
        layer for layer in imported_graph(lambda: Fun(forward), (128, 64)).layers if layer.macs
    )
    assert (layer.kind, layer.macs) == ("attention", 2 * 4 * 128 * 128 * 16)


# Operators without a kind


def test_an_unknown_operator_that_keeps_the_shape_follows_the_size():
    text = proved_spec(imported_graph(lambda: Fun(lambda x, _: torch.cumsum(x, -1)), IMAGE))
    (network,) = load(Source("net.yaml", text))
    (other,) = load(Source("net.yaml", text.replace("[20, 30]", "[40, 30]")))
    assert [layer.output.text for layer in costs(network).layers] == ["20×30×6"]
    assert [layer.output.text for layer in costs(other).layers] == ["40×30×6"]


def test_transposed_matrices_keep_the_axes_before():
    layers = imported_graph(lambda: Fun(lambda x, _: x.mT @ x), IMAGE).layers
    (product,) = (layer for layer in layers if layer.kind == "matmul")
    assert product.output.elements == 6 * 30 * 30
    assert product.macs == 6 * 30 * 30 * 20


def test_an_unknown_operator_that_changes_the_shape_fixes_the_size():
    text = proved_spec(imported_graph(lambda: Fun(lambda x, _: x.nanmedian(-1)[0]), IMAGE))
    assert "    input: {channels: 6, size: [20, 30]}" in text
    larger = text.replace(
        "\ninput: {channels: 6, size: [20, 30]}", "\ninput: {channels: 6, size: 40}"
    )
    with pytest.raises(
        SpecError, match="the costs of nanmedian are for input 20×30×6, not 40×40×6"
    ):
        costs(load(Source("net.yaml", larger))[0])


# What cannot be read


def refusal(target, inputs=((3, 8, 8),), **more):
    with pytest.raises(ConstraintError) as caught:
        read(target, inputs=inputs, **more)
    return caught.value.code, caught.value.message, caught.value.help


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    before = set(sys.modules)
    yield tmp_path
    for name in set(sys.modules) - before:
        if name.startswith("cc_"):
            del sys.modules[name]


def test_a_target_has_a_module_and_a_callable(folder):
    assert refusal("resnet50") == (
        "CC401",
        "it does not name a PyTorch model",
        "write package.module:callable, torchvision.models:resnet50",
    )


def test_a_missing_module_is_reported(folder):
    assert refusal("cc_nothing.models:net") == (
        "CC401",
        "there is no module `cc_nothing`",
        "convcost looks for modules in this folder and among the installed packages",
    )


def test_a_missing_import_of_a_module_is_reported(folder):
    Path("cc_needs.py").write_text("import cc_missing\n")
    assert refusal("cc_needs:net") == (
        "CC401",
        "`cc_needs` needs the module `cc_missing`, which is not installed",
        "",
    )


def test_a_module_that_raises_is_reported(folder):
    Path("cc_fails.py").write_text("1 / 0\n")
    assert refusal("cc_fails:net") == (
        "CC401",
        "`cc_fails` cannot be imported: ZeroDivisionError: division by zero",
        "",
    )


def test_a_misspelt_name_gets_a_suggestion(folder):
    Path("cc_near.py").write_text("def resnet(): pass\n")
    assert refusal("cc_near:resnett") == (
        "CC401",
        "`cc_near` has no `resnett`",
        "did you mean `resnet`?",
    )


def test_an_object_that_is_not_a_module_is_refused(folder):
    Path("cc_other.py").write_text("def net(): return 7\nnumber = 7\n")
    assert refusal("cc_other:net") == (
        "CC401",
        "it returns an int, not a torch.nn.Module",
        "name a class of modules, or a function that returns one",
    )
    assert refusal("cc_other:number")[1] == "it is an int, which cannot be called"


def test_a_callable_that_raises_is_reported(folder):
    Path("cc_raises.py").write_text("def net(width): pass\n")
    missing = "TypeError: net() missing 1 required positional argument: 'width'"
    assert refusal("cc_raises:net") == (
        "CC401",
        f"it cannot be built: {missing}",
        "write a function without arguments that returns the module, and name that",
    )
    Path("cc_own.py").write_text("def net(): raise FileNotFoundError('net.pt')\n")
    assert refusal("cc_own:net") == (
        "CC401",
        "it cannot be built: FileNotFoundError: net.pt",
        "",
    )


class Pair(nn.Module):
    def forward(self, image, meta, scale=None):
        return image * meta


class Stubborn(nn.Module):
    def forward(self, x):
        raise LookupError("no such thing")


CLASSIFIER = (nn.Conv2d, (3, 8, 3))
TRIED = [
    ("a batch", CLASSIFIER, [(1, 3, 8, 8)], "float", "without the batch: --input 3x8x8"),
    ("channels last", CLASSIFIER, [(8, 8, 3)], "float", "channels first: --input 3x8x8"),
    ("a channel more", CLASSIFIER, [(4, 8, 8)], "float",
     "the model takes 3 channels: --input 3x8x8"),
    ("whole numbers", CLASSIFIER, [(3, 8, 8)], "int",
     "the model takes no whole numbers: --input 3x8x8"),
    ("too few features", (nn.Linear, (9, 4)), [(5, 8)], "float",
     "the model takes 9 features: --input 5x9"),
    ("no whole numbers", (nn.Embedding, (9, 4)), [(5,)], "float",
     "the model takes whole numbers: --input 5:int"),
    ("one input of two", (Pair, ()), [(3, 8, 8)], "float",
     "forward takes image, meta: give --input twice"),
    ("four inputs", (Pair, ()), [(3, 8, 8)] * 4, "float",
     "forward takes image, meta: give --input twice"),
    ("an error of its own", (Stubborn, ()), [(3, 8, 8)], "float", ""),
]  # fmt: skip


@pytest.mark.parametrize(
    ("make", "inputs", "dtype", "help_"), [one[1:] for one in TRIED], ids=[one[0] for one in TRIED]
)
def test_a_model_that_refuses_the_input_is_reported_with_its_reason(make, inputs, dtype, help_):
    kind, arguments = make
    MAKE["it"] = lambda: kind(*arguments)
    error = refusal(f"{__name__}:made", inputs, dtypes=(dtype,))
    sizes = " and ".join("×".join(map(str, dims)) for dims in inputs)
    assert (error[0], error[2]) == ("CC401", help_)
    assert error[1].startswith(f"it cannot be run on {sizes}: ")


def test_a_file_in_place_of_a_module_is_refused(folder):
    code, message = "CC401", "use the name of the module, not the name of its file"
    assert refusal("cc_pkg/nets.py:Net") == (code, message, "did you mean cc_pkg.nets:Net?")
    assert refusal(f"{folder}/nets.py:Net") == (code, message, "did you mean nets:Net?")
    assert refusal("/elsewhere/nets.py:Net") == (
        code,
        message,
        "in the folder /elsewhere: nets:Net",
    )


def test_a_model_with_data_dependent_control_flow_is_refused(folder):
    Path("cc_branch.py").write_text(
        "import torch\n"
        "class Net(torch.nn.Module):\n"
        "    def forward(self, x):\n"
        "        return x if x.sum() > 0 else -x\n"
    )
    code, message, help_ = refusal("cc_branch:Net")
    assert (code, help_) == ("CC401", BACKBONE)
    why = "RuntimeError: Tensor.item() cannot be called on meta tensors"
    problem = "it cannot be exported, because its control flow depends on the values of tensors"
    assert message == f"{problem}: {why}"


def test_a_model_that_needs_a_device_and_the_values_of_tensors_is_refused(folder):
    Path("cc_device.py").write_text(
        "import torch\n"
        "class Net(torch.nn.Module):\n"
        "    def forward(self, x):\n"
        "        y = torch.cat((x, torch.ones(1, 3, 8, 8, device='cpu')))\n"
        "        return y if y.sum() > 0 else -y\n"
    )
    code, message, help_ = refusal("cc_device:Net")
    assert (code, help_) == ("CC401", ROUTE)
    assert message.startswith(
        "it cannot be exported, because it needs tensors on certain devices: "
    )


def test_logs_of_pytorch_are_hidden(folder):
    """Its handlers keep the standard error they began with: only a process of its own tells."""
    Path("cc_loud.py").write_text(
        "import torch\n"
        "class Branch(torch.nn.Module):\n"
        "    def forward(self, x):\n"
        "        return x if x.sum() > 0 else -x\n"
        "def net(): return torch.nn.Linear(9, 4)\n"
    )
    for target in ("Branch", "net"):
        command = [sys.executable, "-m", "convcost", "import", f"cc_loud:{target}"]
        done = subprocess.run(
            [*command, "--input", "3x8x8"], capture_output=True, text=True, check=False
        )
        lines = done.stderr.splitlines()
        assert (done.returncode, len(lines)) == (2, 2), done.stderr
        assert lines[0].startswith(f"error[CC401]: cc_loud:{target}: it ")
        assert lines[1].startswith("help: ")


def test_logging_is_restored():
    imported_graph(nn.ReLU, IMAGE)
    assert logging.root.manager.disable == logging.NOTSET


def test_a_missing_input_is_requested():
    assert refusal(f"{__name__}:made", ()) == (
        "CC405",
        "the shape of its input is missing",
        "--input 3x224x224: channels, height and width",
    )


def test_an_unknown_number_type_is_refused():
    MAKE["it"] = nn.ReLU
    assert refusal(f"{__name__}:made", dtypes=("float31",)) == (
        "CC401",
        "PyTorch has no numbers of type `float31`",
        "use a type such as float32 or int64",
    )


def test_a_module_can_replace_the_callable(folder):
    Path("cc_instance.py").write_text("import torch\nnet = torch.nn.Conv2d(3, 4, 1, bias=False)\n")
    assert totals(read("cc_instance:net", inputs=[(3, 8, 8)])) == (4 * 3, 4 * 3 * 8 * 8)


def test_the_output_of_a_model_is_printed_to_standard_error(folder, capsys):
    Path("cc_prints.py").write_text(
        "import torch\nprint('loading')\n"
        "def net():\n    print('building')\n    return torch.nn.ReLU()\n"
    )
    read("cc_prints:net", inputs=[(3, 8, 8)])
    printed = capsys.readouterr()
    assert printed.out == ""
    assert "building" in printed.err


class Masked(nn.Module):
    def __init__(self, choose):
        super().__init__()
        self.first, self.second, self.choose = nn.Linear(64, 64), nn.Linear(64, 64), choose

    def forward(self, x):
        return self.second(self.choose(self.first(x[0])))


@pytest.mark.parametrize(
    ("choose", "operator"),
    [
        (lambda y: y[y[:, 0] > 0], "aten.index"),
        (lambda y: y[torch.nonzero(y[:, 0])[:, 0]], "aten.nonzero"),
        (lambda y: torch.unique(y, dim=0), "aten.unique_dim"),
    ],
)
def test_a_shape_that_follows_from_data_is_refused_with_the_params(choose, operator):
    with pytest.raises(ConstraintError) as refusal:
        imported_graph(lambda: Masked(choose), (32, 64))
    assert refusal.value.message == (
        f"the number of elements of {operator} depends on the data, and so do the macs "
        f"after it; the model has {2 * (64 * 64 + 64):,} params"
    )


def test_dynamically_quantized_modules_are_counted_as_those_of_floats():
    def make():
        net = nn.Sequential(
            nn.Conv2d(3, 16, 3), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(16, 10)
        )
        return torch.ao.quantization.quantize_dynamic(net, {nn.Linear}, dtype=torch.qint8)

    layer_graph = imported_graph(make, (3, 32, 32))
    assert sum(layer.params for layer in layer_graph.layers) == 16 * 3 * 3 * 3 + 16 + 16 * 10 + 10
    assert sum(layer.macs for layer in layer_graph.layers) == 16 * 3 * 3 * 3 * 30 * 30 + 16 * 10
    assert layer_graph.notes == (
        "1 module is quantized: packed integers count as the weights that they represent",
    )


def test_a_dynamically_quantized_lstm_is_an_lstm():
    def make():
        return torch.ao.quantization.quantize_dynamic(
            nn.Sequential(nn.LSTM(8, 16, batch_first=True)), {nn.LSTM}, dtype=torch.qint8
        )

    (layer,) = [layer for layer in imported_graph(make, (5, 8)).layers if layer.kind == "lstm"]
    assert (layer.params, layer.macs) == (4 * 16 * (8 + 16 + 2), 5 * 4 * 16 * (8 + 16))


QUANTIZED = torch.ao.quantization


def static_quantized():
    net = nn.Sequential(
        QUANTIZED.QuantStub(), nn.Conv2d(3, 8, 3), nn.ReLU(), nn.Conv2d(8, 4, 1),
        QUANTIZED.DeQuantStub(),
    ).eval()  # fmt: skip
    net.qconfig = QUANTIZED.get_default_qconfig("x86")
    prepared = QUANTIZED.prepare(QUANTIZED.fuse_modules(net, [["1", "2"]]))
    prepared(torch.randn(1, 3, 9, 9))
    return QUANTIZED.convert(prepared)


class Shortcut(nn.Module):
    def __init__(self):
        super().__init__()
        self.first, self.second = nn.Conv2d(3, 8, 3), nn.Conv2d(8, 4, 1)
        self.skip = nn.Conv2d(8, 4, 1, bias=False)

    def forward(self, x):
        y = self.first(x).relu()
        return torch.relu(self.second(y) + self.skip(y))


def graph_quantized():
    fx = pytest.importorskip("torch.ao.quantization.quantize_fx")
    example = torch.randn(1, 3, 9, 9)
    mapping = QUANTIZED.get_default_qconfig_mapping("x86")
    prepared = fx.prepare_fx(Shortcut().eval(), mapping, example)
    prepared(example)
    return fx.convert_fx(prepared)


def prepared_for_training():
    net = nn.Sequential(QUANTIZED.QuantStub(), nn.Conv2d(3, 8, 3), nn.Conv2d(8, 4, 1))
    net.qconfig = QUANTIZED.get_default_qat_qconfig("x86")
    return QUANTIZED.prepare_qat(net.train())


def scaled_by_its_output():
    net = nn.Linear(8, 4)
    net.scale = float(net(torch.randn(1, 8)).abs().max())
    return net


def test_a_module_that_runs_while_it_is_built_is_built_with_real_weights():
    assert layers(imported_graph(scaled_by_its_output, (8,))) == [("linear", "4", 4 * 8 + 4, 4 * 8)]


@pytest.mark.parametrize(
    ("make", "skip"), [(static_quantized, 0), (graph_quantized, 1), (prepared_for_training, 0)]
)
def test_a_quantized_convolution_is_counted_as_one_of_floats(make, skip):
    layer_graph = imported_graph(make, (3, 9, 9))
    assert not any(layer.uncounted for layer in layer_graph.layers)
    own = skip * 8 * 4
    assert sum(layer.params for layer in layer_graph.layers) == 3 * 9 * 8 + 8 + 8 * 4 + 4 + own
    assert sum(layer.macs for layer in layer_graph.layers) == 7 * 7 * (3 * 9 * 8 + 8 * 4 + own)


def test_a_dynamically_quantized_cell_is_a_cell():
    layer_graph = imported_graph(
        lambda: QUANTIZED.quantize_dynamic(nn.Sequential(nn.GRUCell(8, 6)), {nn.GRUCell}), (8,)
    )
    assert sum(layer.params for layer in layer_graph.layers) == 3 * 6 * (8 + 6 + 2)
    assert sum(layer.macs for layer in layer_graph.layers) == 3 * 6 * (8 + 6)


def test_a_quantized_activation_has_the_number_of_the_one_of_floats():
    quantized = torch.ao.nn.quantized
    layer_graph = imported_graph(
        lambda: nn.Sequential(
            nn.Linear(8, 4), quantized.LeakyReLU(1.0, 0, 0.3), quantized.ELU(1.0, 0, 0.4)
        ),
        (8,),
    )
    options = [(layer.kind, dict(layer.options)) for layer in layer_graph.layers]
    assert options[1:] == [
        ("leaky_relu", {"slope": Fraction(3, 10)}), ("elu", {"alpha": Fraction(2, 5)})
    ]  # fmt: skip


def every_activation():
    net = nn.Sequential(
        nn.Conv2d(3, 8, 1), nn.PReLU(8), nn.LeakyReLU(0.1), nn.ELU(), nn.Hardswish(), nn.Sigmoid(),
        nn.InstanceNorm2d(8, affine=True), nn.GroupNorm(2, 8), nn.Softmax(1),
        nn.GroupNorm(2, 8, affine=False), nn.LayerNorm(9, bias=False),
    ).eval()  # fmt: skip
    fx = pytest.importorskip("torch.ao.quantization.quantize_fx")
    mapping = QUANTIZED.get_default_qconfig_mapping("x86")
    return fx.convert_fx(fx.prepare_fx(net, mapping, torch.randn(1, 3, 9, 9)))


def test_quantized_activations_and_norms_are_those_of_floats():
    graph = imported_graph(every_activation, (3, 9, 9))
    assert not any(layer.uncounted for layer in graph.layers)
    assert sum(layer.params for layer in graph.layers) == 3 * 8 + 8 + 8 + 2 * 8 + 2 * 8 + 9
    assert {"prelu", "leaky_relu", "elu", "hard_swish", "sigmoid", "group_norm"} <= {
        layer.kind for layer in graph.layers
    }


def norm_quantized():
    net = nn.Sequential(QUANTIZED.QuantStub(), nn.Conv2d(3, 8, 1), nn.BatchNorm2d(8)).eval()
    net.qconfig = QUANTIZED.get_default_qconfig("x86")
    return QUANTIZED.convert(QUANTIZED.prepare(net))


def test_a_module_that_copies_its_weights_while_it_is_built_is_built_with_real_weights():
    graph = imported_graph(norm_quantized, (3, 9, 9))
    assert sum(layer.params for layer in graph.layers) == 3 * 8 + 8 + 2 * 8


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
def test_a_model_of_other_floats_is_counted_with_inputs_of_float32(dtype):
    def make():
        return nn.Sequential(nn.Conv2d(3, 8, 3), nn.Flatten(), nn.Linear(8 * 7 * 7, 4)).to(dtype)

    graph = imported_graph(make, (3, 9, 9))
    assert sum(layer.params for layer in graph.layers) == 3 * 9 * 8 + 8 + 8 * 49 * 4 + 4
    assert sum(layer.macs for layer in graph.layers) == 7 * 7 * 3 * 9 * 8 + 8 * 49 * 4


def test_packed_sequences_and_sparse_operators_are_refused_with_what_to_do(folder):
    Path("cc_packed.py").write_text(
        "import torch\n"
        "from torch.nn.utils.rnn import pack_padded_sequence\n"
        "class Packed(torch.nn.Module):\n"
        "    def __init__(self):\n"
        "        super().__init__()\n"
        "        self.lstm = torch.nn.LSTM(8, 6, batch_first=True)\n"
        "    def forward(self, x):\n"
        "        return self.lstm(pack_padded_sequence(x, torch.tensor([5]), True))[0].data\n"
        "class Sparse(Packed):\n"
        "    def forward(self, x):\n"
        "        return torch.sparse.mm(self.lstm.weight_ih_l0.to_sparse_csr(), x[0].T)\n"
    )
    code, message, help_ = refusal("cc_packed:Packed", ((5, 8),))
    assert code == "CC401"
    assert message.startswith(
        "it cannot be exported, because it packs sequences of different lengths: "
    )
    assert help_ == (
        "name a function that returns the model without pack_padded_sequence; it counts the "
        "padding too"
    )
    code, message, help_ = refusal("cc_packed:Sparse", ((5, 8),))
    assert code == "CC401"
    assert message.startswith(
        "it cannot be exported, because PyTorch does not know the shapes of one of its operators: "
    )
    assert help_ == (
        "name a function that returns the model without that operator, with dense tensors instead "
        f"of sparse ones; or {ROUTE}"
    )


class Inside(nn.Module):
    """A module of TorchScript in another one."""

    def __init__(self, compiled):
        super().__init__()
        self.inner = compiled

    def forward(self, x):
        return self.inner(x)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(
    ("make", "what"),
    [
        (lambda: torch.jit.script(nn.Linear(8, 4)), "it"),
        (lambda: torch.jit.trace(nn.Conv2d(3, 8, 3), torch.ones(1, 3, 9, 9)), "it"),
        (lambda: Inside(torch.jit.script(nn.Linear(8, 4))), "its module `inner`"),
    ],
)
def test_torchscript_is_refused_with_what_to_do(make, what):
    with pytest.raises(ConstraintError) as caught:
        imported_graph(make, (8,))
    assert caught.value.message == f"{what} is TorchScript, which torch.export cannot trace"
    assert caught.value.help == (
        f"name a function that returns the Python module, before torch.jit; or {ROUTE}"
    )


@pytest.mark.filterwarnings("ignore")
def test_a_traced_part_of_a_module_is_read():
    def make():
        return Inside(torch.jit.trace(nn.Linear(8, 4), torch.ones(1, 8)))

    assert totals(imported_graph(make, (8,))) == (8 * 4 + 4, 8 * 4)


@pytest.mark.parametrize("reduce", ["sum", "mean"])
def test_a_product_that_is_summed_is_a_contraction(reduce):
    class Products(nn.Module):
        def forward(self, a, b):
            return getattr(a * b, reduce)(1)

    layer_graph = imported_graph(Products, (32, 64, 64), (32, 64, 64))
    assert layers(layer_graph)[0] == ("contract", "64×64×1", 0, 32 * 64 * 64)


def test_a_gate_that_is_summed_is_not_a_contraction():
    class Gated(nn.Module):
        def forward(self, a, b):
            return (a * b).sum((2, 3))

    layer_graph = imported_graph(Gated, (32, 64, 64), (32, 1, 1))
    assert [layer.macs for layer in layer_graph.layers] == [0] * len(layer_graph.layers)
