"""The first networks and comparisons of the project, compared with exact figures."""

import re
from fractions import Fraction

import pytest
from support import SPECS, run, shipped

from convcost.model.costs import Costs, total_counts
from convcost.model.errors import SpecError
from convcost.model.network import IN_BYTES

CLASSIC = (
    "alexnet", "aux_pool", "bottleneck_256", "cs231n", "fully_convolutional", "googlenet",
    "inception_3a", "nin", "one_by_one", "reduce_3x3", "reduce_4x4", "reduce_5x5", "resnet50",
    "resnet152", "vgg16",
)  # fmt: skip

# spec, document, variables, params, macs
NETWORKS = [
    ("googlenet", None, {}, 6_998_552, 1_582_671_872),
    ("googlenet", None, {"aux": True}, 13_378_280, 1_591_044_096),
    ("googlenet", None, {"reduce": False}, 6_998_552 - (64 * 64 + 64), 1_569_826_816),
    ("vgg16", None, {}, 138_357_544, 15_470_264_320),
    ("alexnet", None, {}, 60_965_224, 724_406_816),
    ("resnet50", None, {}, 25_557_032, 4_089_184_256),
    ("resnet50", None, {"paper": True}, 25_557_032, 3_857_973_248),
    ("resnet152", None, {}, 60_192_808, 11_513_626_624),
    ("resnet152", None, {"paper": True}, 60_192_808, 11_282_415_616),
    ("nin", "imagenet", {}, 7_595_176, 1_100_188_800),
    ("nin", "cifar10", {}, 966_986, 222_486_528),
]

# layer, weights, macs: what the filters of GoogLeNet's own table come to
GOOGLENET = [
    ("conv1", 64 * 7 * 7 * 3, 118_013_952),
    ("conv2", 64 * 64 + 192 * 3 * 3 * 64, 359_661_568),
    ("inception_3a", 163_328, 128_049_152),
    ("inception_3b", 388_096, 304_267_264),
    ("inception_4a", 375_552, 73_608_192),
    ("inception_4b", 448_512, 87_908_352),
    ("inception_4c", 509_440, 99_850_240),
    ("inception_4d", 604_672, 118_515_712),
    ("inception_4e", 867_328, 169_996_288),
    ("inception_5a", 1_042_432, 51_079_168),
    ("inception_5b", 1_442_816, 70_697_984),
    ("linear", 1000 * 1024, 1_024_000),
]

# layer, weights in K, macs in M, as printed; and which of the two the filters do not bear out
PRINTED = [
    ("conv1", "2.7K", "34M", {"weights", "macs"}),
    ("conv2", "112K", "360M", set()),
    ("inception_3a", "159K", "128M", set()),
    ("inception_3b", "380K", "304M", {"weights"}),
    ("inception_4a", "364K", "73M", {"weights"}),
    ("inception_4b", "437K", "88M", {"weights"}),
    ("inception_4c", "463K", "100M", {"weights"}),
    ("inception_4d", "580K", "119M", {"weights"}),
    ("inception_4e", "840K", "170M", {"weights"}),
    ("inception_5a", "1072K", "54M", {"weights", "macs"}),
    ("inception_5b", "1388K", "71M", {"weights"}),
    ("linear", "1000K", "1M", set()),
]

# spec, naive weights, reduced weights
REDUCTIONS = [
    (
        "inception_3a",
        64 * 1 * 1 * 192 + 128 * 3 * 3 * 192 + 32 * 5 * 5 * 192,
        64 * 192 + (96 * 192 + 128 * 3 * 3 * 96) + (16 * 192 + 32 * 5 * 5 * 16),
    ),
    ("bottleneck_256", 256 * 3 * 3 * 256 * 2, 64 * 256 + 64 * 3 * 3 * 64 + 256 * 64),
    ("reduce_5x5", 5 * 5 * 512 * 64, 1 * 1 * 512 * 24 + 5 * 5 * 24 * 64),
    ("reduce_4x4", 4 * 4 * 256 * 256, 256 * 64 + 4 * 4 * 64 * 256),
    ("reduce_3x3", 3 * 3 * 256 * 256, 256 * 64 + 3 * 3 * 64 * 64 + 64 * 256),
]

# document, variables, size; height, width and channels that come out; weights
ONE_BY_ONE = [
    ("one_filter", {}, None, (6, 6, 1), 32),
    ("reduction", {}, None, (28, 28, 32), 192 * 32),
    ("embedding", {}, None, (48, 64, 1), 200),
    ("embedding", {"filters": 50}, None, (48, 64, 50), 200 * 50),
    ("embedding", {"filters": 50}, (7, 9), (7, 9, 50), 200 * 50),
    ("any_depth", {"d": 64}, None, (100, 100, 64), (1 * 1 * 512) * 64),
    ("any_depth", {"d": 2048}, None, (100, 100, 2048), (1 * 1 * 512) * 2048),
    ("pixel_is_a_row", {}, None, (3, 3, 1), 3),
]


def output(costs: Costs) -> tuple[int, ...]:
    """What comes out last, as height × width × channels."""
    shape = costs.layers[-1].output
    return (*shape.size, shape.channels)


def under(costs: Costs, name: str):
    """The sum of a layer, or of all that stands under a name."""
    found = [row for row in costs.layers if row.path == name or row.path.startswith(f"{name}/")]
    assert found, f"nothing is named {name}"
    return total_counts(found)


@pytest.mark.parametrize(("spec", "document", "variables", "params", "macs"), NETWORKS)
def test_a_network_has_the_counts_of_other_sources(spec, document, variables, params, macs):
    totals = shipped(spec, document, **variables).totals
    assert (totals.params, totals.macs) == (params, macs)


@pytest.mark.parametrize(("layer", "weights", "macs"), GOOGLENET)
def test_a_row_of_googlenets_table_is_exact(layer, weights, macs):
    row = under(shipped("googlenet"), layer)
    assert (row.weights, row.macs) == (weights, macs)


def test_the_rows_of_googlenets_table_add_up_to_the_network():
    totals = shipped("googlenet").totals
    assert totals.weights == sum(weights for _, weights, _ in GOOGLENET)
    assert totals.macs == sum(macs for _, _, macs in GOOGLENET)


@pytest.mark.parametrize(("layer", "weights", "macs", "wrong"), PRINTED)
def test_a_printed_row_of_googlenet_is_marked_if_no_rounding_gives_it(layer, weights, macs, wrong):
    costs = shipped("googlenet")
    (entry,) = (entry for entry in costs.network.published if entry.layer == layer)
    figures = dict(entry.figures)
    assert (figures["weights"].text, figures["macs"].text) == (weights, macs)
    row = under(costs, layer)._asdict()
    kilo = {"weights": 1024, "macs": 1000}
    missed = {name for name, found in figures.items() if not agrees(row[name], found, kilo[name])}
    assert missed == wrong == set(entry.off)
    assert bool(wrong) == entry.note.startswith("exactly")


def agrees(exact: int, figure, kilo: int) -> bool:
    """Whether a printed figure is the exact one, rounded or cut to the digits printed."""
    value = Fraction(*figure.value(kilo))
    digit = value / figure.digits
    return value - digit / 2 <= exact < value + digit


def test_googlenets_auxiliary_heads_cost_as_the_paper_describes_them():
    costs = shipped("googlenet", aux=True)
    for name, channels in (("aux1", 512), ("aux2", 528)):
        weights = 128 * channels + 1024 * 4 * 4 * 128 + 1000 * 1024
        assert under(costs, name).weights == weights
        assert under(costs, name).biases == 128 + 1024 + 1000
    plain = shipped("googlenet")
    assert output(costs) == output(plain) == (1000,)


def test_googlenet_without_the_1x1_in_conv2_is_the_network_of_6994392_params():
    assert shipped("googlenet", reduce=False).totals.params == 6_994_392


def test_every_branch_of_a_googlenet_module_has_a_name():
    paths = [row.path for row in shipped("googlenet").layers]
    inside = [
        path.removeprefix("inception_3a/") for path in paths if path.startswith("inception_3a/")
    ]
    assert inside == [
        "1x1/conv_1", "1x1/relu_1",
        "3x3/reduce", "3x3/relu_1", "3x3/conv_2", "3x3/relu_2",
        "5x5/reduce", "5x5/relu_1", "5x5/conv_2", "5x5/relu_2",
        "pool/max_pool_1", "pool/project", "pool/relu_1",
        "concat_1",
    ]  # fmt: skip


def test_fewer_classes_change_the_last_layer_only():
    more, fewer = shipped("vgg16"), shipped("vgg16", classes=10)
    assert more.totals.params - fewer.totals.params == 990 * (4096 + 1)


@pytest.mark.parametrize(("spec", "naive", "reduced"), REDUCTIONS)
def test_a_1x1_reduction_saves_the_computed_amount(spec, naive, reduced):
    assert shipped(spec, "naive").totals.weights == naive
    assert shipped(spec, "reduced").totals.weights == reduced
    assert shipped(spec, "naive").totals.biases == shipped(spec, "reduced").totals.biases == 0


@pytest.mark.parametrize("spec", ["bottleneck_256", "reduce_5x5", "reduce_4x4", "reduce_3x3"])
def test_the_naive_and_the_reduced_network_have_the_same_output_shape(spec):
    assert output(shipped(spec, "naive")) == output(shipped(spec, "reduced"))


def test_the_reduced_inception_3a_has_157184_weights_and_notes_the_printed_158048():
    costs = shipped("inception_3a", "reduced")
    assert costs.totals.weights == 157_184
    (slip,) = (entry for entry in costs.network.published if entry.off)
    assert [(name, figure.text) for name, figure in slip.figures] == [("weights", "158048")]
    assert "157,184" in slip.note


@pytest.mark.parametrize(
    ("document", "channels", "weights"),
    [("naive", 64 + 128 + 32 + 192, 387_072), ("reduced", 64 + 128 + 32 + 32, 157_184 + 32 * 192)],
)
def test_pooling_adds_192_channels_to_the_naive_module_and_32_to_the_reduced(
    document, channels, weights
):
    costs = shipped("inception_3a", document, pool=True)
    assert output(costs) == (28, 28, channels)
    assert costs.totals.weights == weights


def test_the_reduced_module_with_pooling_equals_the_one_in_googlenet():
    module = shipped("inception_3a", "reduced", pool=True).totals
    inside = under(shipped("googlenet"), "inception_3a")
    assert (module.weights, module.macs) == (inside.weights, inside.macs) == (163_328, 128_049_152)


def test_the_naive_module_of_cs231n_has_the_macs_and_channels_of_the_slide():
    costs = shipped("cs231n", "naive")
    assert costs.totals.macs == 854_196_224
    assert output(costs) == (28, 28, 128 + 192 + 96 + 256)


def test_the_reduced_module_of_cs231n_has_271_and_not_358_million_macs():
    costs = shipped("cs231n", "reduced")
    weights = 128 * 256 + (64 * 256 + 192 * 3 * 3 * 64) + (64 * 256 + 96 * 5 * 5 * 64) + 64 * 256
    assert costs.totals.macs == 28 * 28 * weights == 271_351_808
    assert [entry.off for entry in costs.network.published] == [("macs",)]


@pytest.mark.parametrize(("document", "variables", "size", "shape", "weights"), ONE_BY_ONE)
def test_a_1x1_convolution_keeps_the_size_and_turns_channels_into_filters(
    document, variables, size, shape, weights
):
    costs = shipped("one_by_one", document, size=size, **variables)
    assert output(costs) == shape
    assert costs.totals.weights == weights
    assert costs.totals.macs == weights * shape[0] * shape[1]


@pytest.mark.parametrize(("document", "channels"), [("after_4a", 512), ("after_4d", 528)])
def test_the_auxiliary_pool_makes_a_4x4_map(document, channels):
    costs = shipped("aux_pool", document)
    assert output(costs) == (4, 4, channels)
    assert (costs.totals.params, costs.totals.macs) == (0, 0)


def test_both_heads_cost_the_same_at_their_own_image_size():
    convolutional, linear = (shipped("fully_convolutional", d) for d in ("convolutional", "linear"))
    assert convolutional.totals.params == linear.totals.params == 5_701_994
    assert convolutional.totals.macs == linear.totals.macs == 677_178_368
    assert output(convolutional) == (1, 1, 10)
    assert output(linear) == (10,)


@pytest.mark.parametrize(("size", "map_size"), [((256, 256), (3, 3)), ((200, 320), (1, 5))])
def test_a_larger_image_gives_a_convolutional_head_a_map_of_class_scores(size, map_size):
    costs = shipped("fully_convolutional", "convolutional", size=size)
    assert output(costs) == (*map_size, 10)
    assert costs.totals.params == 5_701_994


@pytest.mark.parametrize("size", [(256, 256), (200, 320), (160, 160)])
def test_another_image_is_an_error_for_a_linear_head(size):
    with pytest.raises(SpecError) as caught:
        shipped("fully_convolutional", "linear", size=size)
    (problem,) = caught.value.problems
    lines = (SPECS / "fully_convolutional.yaml").read_text(encoding="utf-8").splitlines()
    assert "{linear: 512" in lines[problem.span.line - 1]


def test_a_spec_has_a_limited_number_of_lines():
    lines = (SPECS / "googlenet.yaml").read_text(encoding="utf-8").splitlines()
    assert len(lines) < 60
    assert max(map(len, lines)) <= 100


@pytest.mark.parametrize("spec", CLASSIC)
def test_a_shipped_network_is_found_by_name(spec, tmp_path):
    done = run("analyze", spec, "--depth", "1", cwd=tmp_path)
    assert done.returncode == 0, done.stderr.decode()


@pytest.mark.parametrize("spec", CLASSIC)
def test_every_unmarked_figure_of_a_classic_agrees_with_the_exact_one(spec):
    for document in documents(spec):
        for entry in shipped(spec, document).network.published:
            costs = shipped(spec, document, **dict(entry.settings))
            row = (under(costs, entry.layer) if entry.layer else costs.totals).by_measure()
            row["channels"] = costs.layers[-1].output.channels
            wrong = [
                name
                for name, figure in entry.figures
                if name not in IN_BYTES  # tests/specs/test_memory_figures.py
                and not any(agrees(row[name], figure, kilo) for kilo in (1000, 1024))
            ]
            assert set(wrong) == set(entry.off), f"{document}: {entry}"


def documents(spec: str) -> list[str | None]:
    """The names of a spec's documents; None for the one network of a variant or a document."""
    if not (SPECS / f"{spec}.yaml").exists():
        return [None]
    lines = (SPECS / f"{spec}.yaml").read_text(encoding="utf-8").splitlines()
    names = [line.split(":")[1].split("#")[0].strip() for line in lines if line.startswith("name:")]
    return [*names] if len(names) > 1 else [None]


@pytest.mark.parametrize("spec", ["googlenet", "vgg16", "alexnet", "nin", "resnet50", "resnet152"])
def test_a_classic_network_is_within_its_budget(spec):
    for document in documents(spec):
        costs = shipped(spec, document)
        row = {"params": costs.totals.params, "macs": costs.totals.macs}
        budget = costs.network.budget
        assert budget is not None
        assert [limit.measure for limit in budget.total] == ["params", "macs"]
        for limit in budget.total:
            assert row[limit.measure] <= limit.max
            assert 10 * limit.max <= 11 * row[limit.measure], "a budget far above says nothing"


def test_googlenet_reproduces_the_table_of_its_paper():
    """Table 1 of arXiv:1409.4842: the six filter numbers of each module."""
    ran = run(
        "analyze", "googlenet", "--depth", "1", "--columns", "layer,options", "--format", "csv"
    )
    header, *rows = ran.stdout.decode().splitlines()
    names = ["n1", "r3", "n3", "r5", "n5", "pool"]
    assert header.split(",") == ["network", "path", *(f"option_{name}" for name in names)]
    text = (SPECS / "googlenet.yaml").read_text("utf-8")
    written = re.findall(r"inception: \[(.*?)\], name: (\w+)", text)
    assert len(written) == 9
    assert [row.split(",")[1:] for row in rows if "inception" in row] == [
        [name, *(number.strip() for number in numbers.split(","))] for numbers, name in written
    ]
    assert all(row.endswith(",,,,,") for row in rows if "inception" not in row)
