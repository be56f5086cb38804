"""PyTorch models with `requires_grad = False`: the spec has the same trainable params."""

import pytest

from convcost.importing.frontends.torch import read
from convcost.importing.spec import proved_spec
from convcost.language.load import load
from convcost.language.network_inputs import Settings
from convcost.model.costs import costs
from convcost.model.errors import Source, UsageError
from convcost.sources.models import read_model

torch = pytest.importorskip("torch")
from torch import nn  # noqa: E402

MAKE = {}


def made():
    return MAKE["it"]()


def imported(make, *inputs, dtypes=()):
    """The text of the spec and its totals, compared with the params that PyTorch trains."""
    MAKE["it"] = make
    graph = read(f"{__name__}:made", inputs=inputs, dtypes=dtypes)
    text = proved_spec(graph)
    (network,) = load(Source("net.yaml", text))
    return text, costs(network).totals, graph.notes


def freeze(module, *names):
    """The module with these parameters frozen; by default all."""
    for name, parameter in module.named_parameters():
        parameter.requires_grad_(bool(names) and not name.endswith(names))
    return module


def head_only():
    net = nn.Sequential(nn.Conv2d(3, 16, 3), nn.Flatten(), nn.Linear(16 * 30 * 30, 10))
    freeze(net[0])
    return net


def biases_only():
    return freeze(nn.Sequential(nn.Conv2d(3, 16, 3), nn.BatchNorm2d(16)), "weight")


class Tied(nn.Module):
    def __init__(self):
        super().__init__()
        self.table = freeze(nn.Embedding(100, 8))
        self.head = nn.Linear(8, 100, bias=False)
        self.head.weight = self.table.weight

    def forward(self, x):
        return self.head(self.table(x))


class Adapted(nn.Module):
    """A linear layer of which only an adapter of rank 4 is trained."""

    def __init__(self, channels, features):
        super().__init__()
        self.base = freeze(nn.Linear(channels, features))
        self.down = nn.Linear(channels, 4, bias=False)
        self.up = nn.Linear(4, features, bias=False)

    def forward(self, x):
        return self.base(x) + self.up(self.down(x))


def adapters():
    return nn.Sequential(Adapted(16, 32), nn.ReLU(), Adapted(32, 64), nn.ReLU(), Adapted(64, 8))


@pytest.mark.parametrize(
    ("make", "dims", "dtypes", "trainable"),
    [
        (head_only, (3, 32, 32), (), 16 * 30 * 30 * 10 + 10),
        (biases_only, (3, 32, 32), (), 16 + 16),
        (Tied, (16,), ("int",), 0),
        (adapters, (16,), (), 4 * (16 + 32 + 32 + 64 + 64 + 8)),
        (lambda: freeze(nn.Sequential(nn.Conv2d(3, 16, 3))), (3, 8, 8), (), 0),
    ],
)
def test_what_pytorch_does_not_train_is_frozen_in_the_spec(make, dims, dtypes, trainable):
    _, totals, notes = imported(make, dims, dtypes=dtypes)
    parameters = list(make().parameters())
    assert totals.params == sum(parameter.numel() for parameter in parameters)
    assert totals.trainable == sum(
        parameter.numel() for parameter in parameters if parameter.requires_grad
    )
    assert totals.trainable == trainable
    assert not [note for note in notes if "frozen" in note]


def test_a_spec_says_frozen_once_for_layers_that_are_all_frozen():
    stage = [nn.Conv2d(8, 8, 3, padding=1), nn.BatchNorm2d(8), nn.ReLU()]
    text, totals, _ = imported(lambda: freeze(nn.Sequential(*stage, *stage, *stage)), (8, 16, 16))
    assert totals.trainable == 0
    assert text.count("frozen: true") <= 2


def test_what_a_spec_cannot_express_is_named_in_a_note():
    def make():
        return freeze(nn.LSTM(8, 16, batch_first=True), "weight_hh_l0")

    _, totals, notes = imported(make, (7, 8))
    hidden, params = 4 * 16 * 16, 4 * 16 * (8 + 16 + 2)
    assert totals.trainable == totals.params == params
    assert (
        f"counts differ: {hidden:,} of the {params:,} params of lstm are frozen, which a spec "
        "cannot express; here all of them are trainable"
    ) in notes
    with pytest.raises(UsageError, match="params of lstm are frozen"):
        read_model(f"{__name__}:made", Settings(inputs=(((7, 8), "float"),)))
