"""PyTorch models whose weights are used twice, or are computed from others: params are what is
stored, once, and macs what runs."""

import pytest
from sketch import layers_of

from convcost.importing.frontends.torch import read
from convcost.importing.spec import proved_spec
from convcost.language.load import load
from convcost.model.costs import costs
from convcost.model.errors import Source

torch = pytest.importorskip("torch")
from torch import nn  # noqa: E402
from torch.nn import functional as F  # noqa: E402, N812
from torch.nn.utils import parametrizations, parametrize  # noqa: E402

MAKE = {}


def made():
    return MAKE["it"]()


class Net(nn.Module):
    """A function of what comes in, with modules and with tensors that it learns."""

    def __init__(self, function, learned=None, **modules):
        super().__init__()
        self.function = function
        for name, module in modules.items():
            setattr(self, name, module)
        for name, dims in (learned or {}).items():
            self.register_parameter(name, nn.Parameter(torch.empty(dims)))

    def forward(self, x):
        return self.function(self, x)


def imported_graph(make, *inputs, dtypes=()):
    """The layer graph, whose spec is proved to be it."""
    MAKE["it"] = make
    layer_graph = read(f"{__name__}:made", inputs=inputs, dtypes=dtypes)
    (network,) = load(Source("net", proved_spec(layer_graph)))
    assert costs(network).totals.params == sum(
        parameter.numel() for parameter in make().parameters()
    )
    return layer_graph


def layers(layer_graph):
    return [(layer.kind, layer.params, layer.macs) for layer in layer_graph.layers]


def tied(a, b, turned=False):
    """The two modules, the second with the weights of the first."""
    b.weight = a.weight
    return a, b


IMAGE = (4, 6, 6)
KERNEL, PLACES = 4 * 3 * 3 * 4, 6 * 6


# Shared weights, each layer with a bias of its own

BIASES = [
    (
        "convolutions",
        lambda: nn.Sequential(*tied(*(nn.Conv2d(4, 4, 3, padding=1) for _ in range(2)))),
        IMAGE,
        [
            ("conv", KERNEL, KERNEL * PLACES),
            ("scale", 4, 0),
            ("conv", 0, KERNEL * PLACES),
            ("scale", 4, 0),
        ],
    ),
    (
        "one with a bias and one without",
        lambda: nn.Sequential(*tied(nn.Conv1d(4, 4, 1), nn.Conv1d(4, 4, 1, bias=False))),
        (4, 6),
        [("conv", 4 * 4, 4 * 4 * 6), ("scale", 4, 0), ("conv", 0, 4 * 4 * 6)],
    ),
    (
        "transposed convolutions",
        lambda: nn.Sequential(*tied(*(nn.ConvTranspose2d(4, 4, 3, padding=1) for _ in range(2)))),
        IMAGE,
        [
            ("transposed_conv", KERNEL, KERNEL * PLACES),
            ("scale", 4, 0),
            ("transposed_conv", 0, KERNEL * PLACES),
            ("scale", 4, 0),
        ],
    ),
    (
        "linear layers",
        lambda: nn.Sequential(*tied(nn.Linear(8, 8), nn.Linear(8, 8))),
        (5, 8),
        [("linear", 8 * 8, 8 * 8 * 5), ("scale", 8, 0), ("linear", 0, 8 * 8 * 5), ("scale", 8, 0)],
    ),
]


@pytest.mark.parametrize(
    ("make", "dims", "expected"),
    [biase[1:] for biase in BIASES],
    ids=[biase[0] for biase in BIASES],
)
def test_layers_that_share_weights_have_separate_biases_after_them(make, dims, expected):
    assert layers(imported_graph(make, dims)) == expected


def test_a_separate_bias_has_its_own_name():
    layer_graph = imported_graph(BIASES[0][1], IMAGE)
    assert ["/".join(layer.path) for layer in layer_graph.layers] == ["0", "0/bias", "1", "1/bias"]


def test_layers_that_also_share_their_bias_stay_one_layer():
    def make():
        a, b = tied(nn.Linear(8, 8), nn.Linear(8, 8))
        b.bias = a.bias
        return nn.Sequential(a, b)

    whole = 8 * 8 + 8
    assert layers(imported_graph(make, (8,))) == [("linear", whole, 8 * 8), ("linear", 0, 8 * 8)]


def test_a_table_can_be_the_matrix_of_a_linear_layer_with_a_bias():
    def make():
        return nn.Sequential(*tied(nn.Embedding(40, 16), nn.Linear(16, 40)))

    assert layers(imported_graph(make, (9,), dtypes=("int",))) == [
        ("embedding", 40 * 16, 0),
        ("linear", 0, 40 * 16 * 9),
        ("scale", 40, 0),
    ]


# Shared weights that no spec has a word for


def test_a_transposed_shared_matrix_declares_its_macs():
    def make():
        return Net(lambda net, x: F.linear(net.code(x), net.code.weight.t()), code=nn.Linear(16, 4))

    layer_graph = imported_graph(make, (16,))
    assert layers(layer_graph) == [
        ("linear", 4 * 16 + 4, 4 * 16),
        ("custom", 0, 16 * 4),
    ]
    assert dict(layer_graph.layers[-1].options)["what"] == "linear of shared weights"


def test_a_convolution_that_shares_the_weights_of_a_transposed_one_declares_its_macs():
    def make():
        return nn.Sequential(
            *tied(
                nn.Conv2d(4, 4, 3, padding=1, bias=False),
                nn.ConvTranspose2d(4, 4, 3, padding=1, bias=False),
            )
        )

    assert layers(imported_graph(make, IMAGE)) == [
        ("conv", KERNEL, KERNEL * PLACES),
        ("custom", 0, KERNEL * PLACES),
    ]


def test_a_norm_that_shares_its_factor_has_its_own_shift():
    def make():
        return nn.Sequential(*tied(nn.LayerNorm(8), nn.LayerNorm(8)))

    layer_graph = imported_graph(make, (5, 8))
    assert layers(layer_graph) == [("layer_norm", 8 + 8, 0), ("custom", 8, 0)]


def test_a_norm_without_params_that_runs_twice_keeps_its_buffers_once():
    def make():
        return Net(
            lambda net, x: net.norm(net.norm(x).relu()), norm=nn.BatchNorm2d(4, affine=False)
        )

    layer_graph = imported_graph(make, IMAGE)
    assert [layer.buffers for layer in layer_graph.layers] == [4 + 4, 0, 0]
    (network,) = load(Source("net", proved_spec(layer_graph)))
    assert costs(network).totals.buffers == 4 + 4


# One tensor, met twice

GATE = [
    (
        "as a factor of the channels, both times",
        lambda net, x: x * net.g.view(1, -1, 1, 1) + x.relu() * net.g.view(1, -1, 1, 1).sigmoid(),
        (4,),
        [("scale", 4), ("relu", 0), ("scale", 0), ("add", 0)],
    ),
    (
        "of heads that are elsewhere in each",
        lambda net, x: (
            x.softmax(1) * net.g.view(1, 1, -1, 1) + x * net.g.view(1, 1, -1, 1).permute(0, 1, 3, 2)
        ),
        (6,),
        [
            ("softmax", 0),
            ("learned", 6),
            ("reshape", 0),
            ("multiply", 0),
            ("multiply", 0),
            ("add", 0),
        ],
    ),
    (
        "as a map and as a row",
        lambda net, x: (x * net.g).flatten(2) + net.g.flatten(),
        (6, 6),
        [("learned", 36), ("multiply", 0), ("reshape", 0), ("reshape", 0), ("add", 0)],
    ),
]


@pytest.mark.parametrize(
    ("function", "dims", "expected"), [one[1:] for one in GATE], ids=[one[0] for one in GATE]
)
def test_a_tensor_used_twice_counts_its_params_once(function, dims, expected):
    layer_graph = imported_graph(lambda: Net(function, {"g": dims}), IMAGE)
    assert sorted((layer.kind, layer.params) for layer in layer_graph.layers) == sorted(expected)


def test_a_number_computed_from_learned_numbers_is_a_tensor():
    def forward(net, x):
        return x * ((net.a * net.b).sum().exp() - net.c)

    layer_graph = imported_graph(lambda: Net(forward, {"a": (7,), "b": (7,), "c": ()}), IMAGE)
    learned = [layer.params for layer in layer_graph.layers if layer.kind in ("learned", "scale")]
    assert sum(learned) == 7 + 7 + 1


def test_a_tensor_concatenated_twice_is_emitted_once():
    def forward(net, x):
        map_ = torch.cat((x, net.g.view(1, 1, 6, 6)), 1)
        return torch.cat((map_.flatten(2), net.g.view(1, 1, 36)), 1)

    layer_graph = imported_graph(lambda: Net(forward, {"g": (6, 6)}), IMAGE)
    assert [layer.params for layer in layer_graph.layers if layer.kind == "learned"] == [6 * 6]
    assert sorted({layer.kind for layer in layer_graph.layers}) == ["concat", "learned", "reshape"]


class Gated(nn.Module):
    """A gate between two maps, both times of heads: first as they are, then turned."""

    def __init__(self):
        super().__init__()
        self.gate = nn.Parameter(torch.empty(4))
        self.places = nn.Linear(3, 4)
        self.project = nn.Linear(8, 8)

    def forward(self, x):
        rows = x.reshape(1, 9, 4, 2).transpose(1, 2)
        gate = self.gate.view(1, -1, 1, 1)
        where = self.places(torch.ones(1, 9, 9, 3, device=x.device)).permute(0, 3, 1, 2).softmax(-1)
        seen = (rows @ rows.transpose(-2, -1)).softmax(-1)
        mixed = (1 - gate.sigmoid()) * seen + gate.sigmoid() * where
        return x + self.project((mixed @ rows).transpose(1, 2).reshape(1, 9, 8))


def test_modules_that_use_a_tensor_twice_repeat_one_block():
    text = proved_spec(
        imported_graph(lambda: nn.Sequential(nn.Linear(8, 8), *(Gated() for _ in range(6))), (9, 8))
    )
    assert "repeat: 6" in text
    assert text.count("learned: ") == 1


# Weights that are computed


def test_a_factor_for_each_feature_is_a_scale_after_the_layer():
    make = lambda: parametrizations.weight_norm(nn.Linear(8, 5))  # noqa: E731
    assert layers(imported_graph(make, (7, 8))) == [
        ("linear", 8 * 5, 8 * 5 * 7),
        ("scale", 5 + 5, 0),
    ]


def test_weights_with_weight_norm_are_plain_weights():
    make = lambda: parametrizations.spectral_norm(nn.Linear(8, 5))  # noqa: E731
    assert layers(imported_graph(make, (7, 8))) == [("linear", 8 * 5 + 5, 8 * 5 * 7)]


def test_a_layer_with_a_factor_for_each_input_channel_declares_its_macs():
    make = lambda: parametrizations.weight_norm(nn.ConvTranspose2d(4, 6, 3))  # noqa: E731
    weights = 4 * 6 * 3 * 3
    assert layers(imported_graph(make, IMAGE)) == [("custom", weights + 4 + 6, weights * PLACES)]


class Few(nn.Module):
    """A map of weights for all filters alike."""

    def forward(self, weight):
        return weight.expand(4, 4, 3, 3)


def test_weights_with_fewer_numbers_than_the_kernel_are_declared():
    def make():
        conv = nn.Conv2d(4, 4, 3, padding=1)
        conv.weight = nn.Parameter(torch.empty(1, 4, 3, 3))
        parametrize.register_parametrization(conv, "weight", Few(), unsafe=True)
        return conv

    assert layers(imported_graph(make, IMAGE)) == [("custom", 4 * 3 * 3 + 4, KERNEL * PLACES)]


def test_a_computed_bias_is_an_addition():
    def forward(net, x):
        return F.conv2d(x, net.w, x.mean((0, 2, 3)))

    layer_graph = imported_graph(lambda: Net(forward, {"w": (4, 4, 1, 1)}), IMAGE)
    assert sorted(layers(layer_graph)) == sorted(
        [("global_avg_pool", 0, 0), ("conv", 4 * 4, 4 * 4 * PLACES), ("add", 0, 0)]
    )


# Pieces, steps, bags and forms


class Frozen(nn.Module):
    """A batch norm with buffers alone, as torchvision, timm and DETR write it."""

    def __init__(self, channels):
        super().__init__()
        for name in ("weight", "bias", "running_mean", "running_var"):
            self.register_buffer(name, torch.ones(channels))

    def forward(self, x):
        w, b, m, v = (table.reshape(1, -1, 1, 1) for table in self.buffers())
        factor = w * (v + 1e-5).rsqrt()
        return x * factor + (b - m * factor)


def test_a_norm_by_hand_whose_tensors_are_buffers_is_a_batch_norm():
    layer_graph = imported_graph(lambda: nn.Sequential(Frozen(4), nn.ReLU()), IMAGE)
    (norm, _) = layer_graph.layers
    assert (norm.path, norm.kind, norm.options) == (
        ("0", "batch_norm"),
        "batch_norm",
        (("buffer", True),),
    )
    assert (norm.params, norm.buffers) == (0, 4 * 4)


def test_a_buffer_has_its_channels_where_the_tensor_has_them_that_it_is_subtracted_from():
    class Centred(nn.Module):
        def __init__(self):
            super().__init__()
            self.register_buffer("mean", torch.ones(4, 1, 1))

        def forward(self, x):
            return x - self.mean

    layer_graph = imported_graph(Centred, IMAGE)
    assert layers_of(proved_spec(layer_graph)) == (
        "  - {subtract: {x: [], mean: [{learned: {channels: 4, size: [1, 1]}, buffer: true}]}}\n"
    )


def test_an_empty_slice_is_not_a_layer():
    def forward(_, x):
        first, rest = x[:, :0], x[:, 0:]
        nothing, whole = rest.split([0, 5], 1)
        return torch.cat((first * 2, nothing, whole.relu()), 1)

    assert layers(imported_graph(lambda: Net(forward), (5, 8))) == [("relu", 0, 0)]


def test_a_part_that_nothing_reads_is_not_a_layer():
    layer_graph = imported_graph(lambda: Net(lambda _, x: x.chunk(2, 1)[0].relu()), (6, 8))
    assert layers(layer_graph) == [("slice", 0, 0), ("relu", 0, 0)]
    layer_graph = imported_graph(lambda: Net(lambda _, x: x.unbind(1)[2].relu()), (6, 8))
    assert [layer.kind for layer in layer_graph.layers][:2] == ["slice", "relu"]
    assert [layer.kind for layer in layer_graph.layers].count("slice") == 1


def test_a_cell_costs_one_step_for_each_call_and_counts_its_params_once():
    def forward(net, x):
        state = None
        for row in x.unbind(1):
            state = net.cell(row, state)
        return state[0]

    layer_graph = imported_graph(lambda: Net(forward, cell=nn.LSTMCell(8, 5)), (3, 8))
    cells = [
        layer for layer in layer_graph.layers if dict(layer.options).get("what") == "lstm_cell"
    ]
    step = 4 * 5 * (8 + 5)
    assert sum(cell.macs for cell in cells) == 3 * step
    assert sum(cell.params for cell in cells) == step + 2 * 4 * 5


def test_an_embedding_bag_is_an_embedding_and_a_mean():
    layer_graph = imported_graph(
        lambda: nn.EmbeddingBag(50, 16, mode="mean"), (8,), dtypes=("int",)
    )
    assert [layer.kind for layer in layer_graph.layers] == [
        "embedding",
        "global_avg_pool",
        "flatten",
    ]


def test_a_bilinear_form_is_a_row_times_a_matrix_times_a_column():
    MAKE["it"] = lambda: nn.Bilinear(10, 12, 7)
    (layer,) = read(f"{__name__}:made", inputs=[(10,), (12,)]).layers
    assert (layer.params, layer.macs) == (7 * 10 * 12 + 7, 7 * (10 * 12 + 12))


@pytest.mark.parametrize("vector_first", [False, True])
def test_a_product_with_a_vector_takes_each_element_of_the_matrix_once(vector_first):
    def forward(net, x):
        return net.v @ x if vector_first else x @ net.v

    layer_graph = imported_graph(lambda: Net(forward, {"v": (5 if vector_first else 8,)}), (5, 8))
    assert sum(layer.macs for layer in layer_graph.layers) == 5 * 8


def test_windows_over_three_axes_and_many_samples_declare_their_macs():
    def forward(net, x):
        return net.pool(net.conv(x.reshape(2, 2, 4, 4, 4)))

    def make():
        return Net(forward, conv=nn.Conv3d(2, 2, 3, padding=1, groups=2), pool=nn.MaxPool3d(2))

    layer_graph = imported_graph(make, (4, 4, 4, 4))
    conv, pool = (layer for layer in layer_graph.layers if layer.kind == "custom")
    assert (conv.params, conv.macs) == (2 * 27 + 2, 2 * 2 * 27 * 4**3)
    assert (pool.params, pool.macs, pool.output.elements) == (0, 0, 4 * 2**3)


def test_lazy_modules_run_first():
    def forward_ready():
        net = nn.Sequential(nn.Conv2d(4, 8, 3), nn.Flatten(), nn.Linear(8 * 4 * 4, 10))
        return sum(parameter.numel() for parameter in net.parameters())

    MAKE["it"] = lambda: nn.Sequential(nn.LazyConv2d(8, 3), nn.Flatten(), nn.LazyLinear(10))
    layer_graph = read(f"{__name__}:made", inputs=[IMAGE])
    assert sum(layer.params for layer in layer_graph.layers) == forward_ready()


def test_a_module_that_reads_its_weights_during_construction_gets_numbers():
    def make():
        linear = nn.Linear(8, 8, bias=False)
        assert float(linear.weight.detach().sum()) != 0
        return linear

    MAKE["it"] = make
    (layer,) = read(f"{__name__}:made", inputs=[(8,)]).layers
    assert (layer.params, layer.macs) == (8 * 8, 8 * 8)


def test_a_learned_initial_state_is_used():
    def forward(self, x):
        return self.gru(x, self.state)[0]

    graph = imported_graph(
        lambda: Net(forward, {"state": (1, 1, 6)}, gru=nn.GRU(4, 6, batch_first=True)), (5, 4)
    )
    params = 3 * 6 * (4 + 6) + 2 * 3 * 6
    assert layers(graph) == [("learned", 6, 0), ("gru", params, 5 * 3 * 6 * (4 + 6))]
    assert graph.notes == ()
