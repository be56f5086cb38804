"""An imported spec gives at another size what the model gives there, or an error: never another
number."""

import json
from importlib.util import find_spec

import pytest
from sketch import windowed

from convcost.importing.frontends.keras import read
from convcost.importing.ir.builder import GraphBuilder
from convcost.importing.ir.tensor import permuted, reshaped
from convcost.importing.passes.lower import reductions, slices, windows
from convcost.importing.passes.lowering import lower
from convcost.importing.passes.rewrite import rewrite
from convcost.importing.spec import proved_spec
from convcost.importing.verify.equivalence import Equivalence
from convcost.language.load import load
from convcost.language.network_inputs import Settings
from convcost.model.costs import costs
from convcost.model.errors import Source, SpecError

SIZE = (32, 32)
OTHERS = ((48, 64), (37, 45), (64, 32), (33, 32))


def conv(builder, x, filters, name, kernel=3, stride=1):
    tensors = {name: filters * x.dims[1] * kernel * kernel}
    half = (kernel // 2,) * 2
    window = windows.SlidingWindow((kernel,) * 2, (stride,) * 2, half, half)
    return lower(builder, "conv", (name,), x, filters=filters, window=window, weights=tensors)


def dense(builder, x, features, name):
    tensors = {name: features * x.dims[-1]}
    return lower(builder, "linear", (name,), x, features=features, weights=tensors)


def pooled(builder, x, kernel):
    return windowed(builder, "avg_pool", x, {"kernel": kernel, "stride": kernel}, "pool")


def flat(x):
    return reshaped(x, (1, x.elements))


def every_second(builder, x, axis, start):
    length = len(range(start, x.dims[axis], 2))
    return slices.slice_axis(builder, x, axis, start, length, ("piece",), 2)


# Models that build their layer graph at a size, as a front end does; the input is [1, 3, h, w].


def focus(builder, x):
    parts = [
        every_second(builder, every_second(builder, x, 2, row), 3, column)
        for column in (0, 1)
        for row in (0, 1)
    ]
    return conv(builder, lower(builder, "concat", ("concat",), *parts, axis=1), 8, "conv")


def without_edges(builder, x):
    return conv(builder, slices.slice_axis(builder, x, 2, 1, x.dims[2] - 2, ("piece",)), 8, "conv")


def last_row(builder, x):
    return conv(
        builder, slices.slice_axis(builder, x, 2, x.dims[2] - 1, 1, ("piece",)), 8, "conv", 1
    )


def half(builder, x):
    return conv(builder, slices.slice_axis(builder, x, 3, 0, x.dims[3] // 2, ("piece",)), 8, "conv")


def tokens(builder, x):
    y = conv(builder, x, 8, "patches", 4, 4)
    y = permuted(reshaped(y, (1, 8, y.dims[2] * y.dims[3])), (0, 2, 1))
    y = dense(builder, y, 16, "each")
    return dense(
        builder, reductions.reduce_axes(builder, "mean", y, [1], False, ("mean",)), 5, "head"
    )


def anchors(builder, x):
    y = conv(builder, x, 6, "conv", stride=2)
    _, _, h, w = y.dims
    y = permuted(reshaped(y, (1, 2, 3, h, w)), (0, 3, 4, 1, 2))
    return dense(builder, reshaped(y, (1, h * w * 2, 3)), 4, "each")


def pooled_by_its_size(builder, x):
    y = pooled(builder, conv(builder, x, 8, "conv"), (x.dims[2], x.dims[3]))
    return dense(builder, flat(y), 5, "head")


def flattened(builder, x):
    return dense(builder, flat(conv(builder, x, 2, "conv", stride=2)), 5, "head")


def over_positions(builder, x):
    y = conv(builder, x, 8, "conv", stride=4)
    return dense(builder, reshaped(y, (1, 8, y.dims[2] * y.dims[3])), 5, "mixer")


def layer_graph(model, size):
    builder = GraphBuilder(model.__name__, "")
    x = builder.input("x", (1, 3, *size), 1)
    return rewrite(builder.graph([model(builder, x)]))


def analyzed(text, size=None):
    (network,) = load(Source("net", text), Settings((), size))
    return costs(network)


FREE = (focus, without_edges, last_row, tokens, anchors)


@pytest.mark.parametrize("model", FREE, ids=lambda model: model.__name__)
@pytest.mark.parametrize("size", OTHERS, ids=lambda size: f"{size[0]}x{size[1]}")
def test_a_model_of_any_size_sweeps_to_what_an_import_at_each_size_gives(model, size):
    if model is focus and any(n % 2 for n in size):
        pytest.skip("its halves do not fit together")
    swept = analyzed(proved_spec(layer_graph(model, SIZE)), size)
    imported = analyzed(proved_spec(layer_graph(model, size)))
    assert Equivalence(imported, swept).is_same
    assert swept.totals == imported.totals


BOUND = {
    half: "`length` of slice must be a whole number of at least 1, not 0",
    flattened: "linear needs 512 inputs, not 3072",
    pooled_by_its_size: "linear needs 8 inputs, not 16",
    over_positions: "linear needs 64 inputs, not 384",
}


@pytest.mark.parametrize("model", BOUND, ids=lambda model: model.__name__)
def test_a_model_of_one_size_is_an_error_at_another_size(model):
    text = proved_spec(layer_graph(model, SIZE))
    wide = (32, 64) if model is pooled_by_its_size else (48, 128)
    with pytest.raises(SpecError) as caught:
        analyzed(text, wide)
    assert caught.value.problems[0].message == BOUND[model]


def test_a_range_of_sizes_is_written_by_its_exceptions():
    assert slices.expressions(0, 30, 0, 1, 1) == {}  # a class token
    assert slices.expressions(0, 56, 0, 3, 1) == {}  # what a window's shift takes round
    assert slices.expressions(0, 56, 3, 53, 1) == {"length": "in_width - 3"}
    assert slices.expressions(1, 30, 1, 28, 1) == {"length": "in_height - 2"}
    assert slices.expressions(0, 30, 29, 1, 1) == {"start": "in_width - 1"}
    assert slices.expressions(0, 64, 0, 32, 2) == {"length": "(in_width + 1) // 2"}
    assert slices.expressions(0, 64, 1, 32, 2) == {"length": "in_width // 2"}
    assert slices.expressions(0, 63, 2, 21, 3) == {"length": "in_width // 3"}
    assert slices.expressions(0, 63, 4, 20, 3) == {"length": "(in_width - 2) // 3"}
    assert slices.expressions(0, 30, 0, 15, 1) == {"length": "15 if in_width == 30 else 0"}
    assert slices.expressions(3, 30, 1, 28, 1) == {}  # no word for that axis


def test_options_fixed_by_a_keras_configuration_do_not_change_with_the_size(tmp_path):
    """VGG's `flatten` binds it, a global pool does not."""
    layers = [
        ("Conv2D", {"name": "conv", "filters": 4, "kernel_size": [3, 3], "strides": [2, 2],
                    "padding": "same", "dilation_rate": [1, 1]}),
        ("Flatten", {"name": "flatten"}),
        ("Dense", {"name": "predictions", "units": 5, "activation": "softmax"}),
    ]  # fmt: skip
    assert "linear: 5, inputs: 1024, name: predictions" in _keras(tmp_path, layers)
    assert "  - softmax\n" in _keras(tmp_path, layers)
    layers[1] = ("GlobalAveragePooling2D", {"name": "pool"})
    swept = analyzed(_keras(tmp_path, layers), (37, 45))
    assert swept.totals.macs == 19 * 23 * 4 * 3 * 9 + 4 * 5


def _keras(folder, layers):
    entry = {
        "class_name": "InputLayer",
        "config": {"name": "image", "batch_shape": [None, 32, 32, 3]},
    }
    listed = [entry, *({"class_name": name, "config": config} for name, config in layers)]
    config = {"class_name": "Sequential", "config": {"name": "net", "layers": listed}}
    path = folder / "net.json"
    path.write_text(json.dumps({"class_name": "Sequential", "config": config["config"]}))
    return proved_spec(read(path))


@pytest.mark.skipif(find_spec("torch") is None, reason="torch is not installed")
@pytest.mark.parametrize("size", [(48, 64), (37, 45)], ids=["48x64", "37x45"])
def test_a_pytorch_model_sweeps_to_its_costs_at_each_size(size):
    from torch import nn
    from torch.nn import functional

    from convcost.importing.frontends.torch import lower_graph, trace

    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.stem = nn.Conv2d(3, 8, 3, stride=2, padding=1)
            self.squeeze, self.excite = nn.Conv2d(8, 2, 1), nn.Conv2d(2, 8, 1)
            self.head = nn.Linear(8 * 49, 5)

        def forward(self, x):
            x = functional.relu(self.stem(x))[:, :, 1:]
            gate = self.excite(functional.relu(self.squeeze(x.mean((2, 3), keepdim=True))))
            return self.head(functional.adaptive_avg_pool2d(x * gate.sigmoid(), 7).flatten(1))

    def imported(at):
        module = Net().to("meta").eval()
        return proved_spec(
            lower_graph.lower_program(module, trace.trace(module, [(3, *at)], ()), "nets:Net")
        )

    assert Equivalence(analyzed(imported(size)), analyzed(imported(SIZE), size)).is_same
