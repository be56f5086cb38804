"""The networks after ResNet, and those of one and three dimensions: each total, to the digit."""

import pytest
from support import cost, shipped

import convcost
from convcost.language.scalars import parse_variable

MODERN = (
    "audio_m5",
    "c3d",
    "convnext_tiny",
    "densenet121",
    "efficientnet_b0",
    "inception_v3",
    "mobilenet_v1",
    "mobilenet_v2",
    "mobilenet_v3_large",
    "resnet18",
    "resnext50_32x4d",
    "se_resnet50",
    "shufflenet_v2_x1_0",
    "squeezenet1_1",
    "swin_tiny",
    "unet",
    "vit_b16",
    "wavenet",
    "xception",
)


def totals(spec, *, size=None, **variables):
    variables = {name: parse_variable(str(value)) for name, value in variables.items()}
    found = shipped(spec, size=size and (size,), **variables).totals
    return found.params, found.macs


def output(spec, *, size=None):
    return shipped(spec, size=size and (size,)).layers[-1].output.text


@pytest.mark.parametrize(
    ("spec", "settings", "params", "macs"),
    [
        pytest.param("squeezenet1_1", {"size": 227}, 1_235_496, 387_747_520, id="SqueezeNet 227"),
        pytest.param("inception_v3", {}, 23_834_568, 5_713_216_096, id="Inception v3"),
        pytest.param("inception_v3", {"aux": True}, 27_161_264, 5_718_899_296, id="with a side"),
        pytest.param("xception", {}, 22_855_952, 8_357_403_496, id="Xception"),
        pytest.param("se_resnet50", {"paper": True}, 28_088_024, 3_860_488_192, id="SE-ResNet-50"),
        pytest.param("mobilenet_v2", {}, 3_504_872, 300_774_272, id="MobileNet v2"),
        pytest.param("unet", {}, 31_030_658, 150_428_424_448, id="U-Net"),
        pytest.param("c3d", {}, 79_991_015, 38_548_959_232, id="C3D on Sports-1M"),
        pytest.param("c3d", {"classes": 101}, 78_409_573, 38_547_378_176, id="C3D on UCF101"),
        pytest.param("audio_m5", {}, 558_090, 278_533_120, id="M5"),
    ],
)
def test_a_network_has_its_exact_totals(spec, settings, params, macs):
    assert totals(spec, **settings) == (params, macs)


def test_wavenet_has_three_times_the_dilations_from_1_to_512():
    weights = 2 * (2 * 32 * 32) + 32 * 32 + 32 * 512  # filter and gate, residual, skip
    biases = 32 + 32 + 32 + 512
    ends = 512 * 512 + 512 * 256
    params = 2 * 256 * 32 + 30 * (weights + biases) + ends + 512 + 256
    macs = 16_000 * (2 * 256 * 32 + 30 * weights + ends)
    assert totals("wavenet") == (params, macs) == (1_073_728, 16_875_520_000)
    (field,) = shipped("wavenet").layers[-1].field
    assert field.extent == 1 + 1 + 3 * (2**10 - 1)


@pytest.mark.parametrize(
    ("width", "size", "macs"),
    [
        (1, 224, 568_740_352),
        (1, 192, 418_121_728),
        (1, 160, 290_675_200),
        (1, 128, 186_400_768),
        (0.75, 224, 325_400_448),
        (0.75, 192, 239_273_472),
        (0.75, 160, 166_396_800),
        (0.75, 128, 106_770_432),
        (0.5, 224, 149_497_088),
        (0.5, 192, 109_970_432),
        (0.5, 160, 76_524_800),
        (0.5, 128, 49_160_192),
        (0.25, 224, 41_030_272),
        (0.25, 192, 30_212_608),
        (0.25, 160, 21_059_200),
        (0.25, 128, 13_570_048),
    ],
)
def test_mobilenet_v1_scales_by_width_and_resolution(width, size, macs):
    assert totals("mobilenet_v1", width=width, size=size)[1] == macs


@pytest.mark.parametrize(
    ("width", "params"), [(1, 4_231_976), (0.75, 2_585_560), (0.5, 1_331_592), (0.25, 470_072)]
)
def test_the_params_of_mobilenet_v1_depend_only_on_its_width(width, params):
    assert totals("mobilenet_v1", width=width)[0] == params
    assert totals("mobilenet_v1", width=width, size=128)[0] == params


@pytest.mark.parametrize(
    ("width", "params", "macs"),
    [
        (1.4, 6_108_776, 582_195_824),
        (1.3, 5_386_792, 509_374_560),
        (0.75, 2_636_424, 209_069_792),
        (0.5, 1_968_680, 97_131_840),
        (0.35, 1_677_128, 59_285_808),
    ],
)
def test_mobilenet_v2_rounds_its_widths_to_multiples_of_eight(width, params, macs):
    assert totals("mobilenet_v2", width=width) == (params, macs)


# Params as torchvision counts them, macs half of what torch's FlopCounterMode counts of its models.


@pytest.mark.parametrize(
    ("settings", "params", "macs"),
    [
        pytest.param({"patch": 32}, 88_224_232, 4_409_186_304, id="B/32"),
        pytest.param({"size": 384}, 86_859_496, 55_484_350_464, id="B/16 at 384"),
        pytest.param(
            {"width": 1024, "depth": 24, "heads": 16}, 304_326_632, 61_554_712_576, id="L/16"
        ),
    ],
)
def test_vit_scales_by_patch_size_and_model(settings, params, macs):
    assert totals("vit_b16", **settings) == (params, macs)


@pytest.mark.parametrize(
    ("settings", "params", "macs"),
    [
        pytest.param({"depth": 18}, 49_606_258, 8_740_875_264, id="S"),
        pytest.param({"depth": 18, "width": 128, "heads": 4}, 87_768_224, 15_430_946_816, id="B"),
        pytest.param({"size": 256}, 28_288_354, 7_345_441_536, id="windows that do not fit"),
        pytest.param({"size": 200}, 28_288_354, 4_089_283_584, id="an odd map too"),
    ],
)
def test_swin_scales_and_pads_its_windows(settings, params, macs):
    assert totals("swin_tiny", **settings) == (params, macs)


def test_the_relative_positions_of_swin_are_buffers_and_their_table_is_learned():
    costs = shipped("swin_tiny")
    assert costs.totals.buffers == 12 * 49 * 49
    tables = [layer.params for layer in costs.layers if layer.path.endswith("/table")]
    assert tables == [13 * 13 * heads for heads in [3] * 2 + [6] * 2 + [12] * 6 + [24] * 2]


def test_every_token_of_a_vit_sees_the_whole_image():
    layers = {layer.path: layer for layer in shipped("vit_b16").layers}
    assert [sight.extent for sight in layers["patches"].field] == [16, 16]
    assert [sight.extent for sight in layers["head"].field] == [224, 224]


@pytest.mark.parametrize(("size", "left"), [(572, 388), (588, 404), (188, 4)])
def test_the_output_of_a_unet_without_padding_is_184_smaller(size, left):
    assert output("unet", size=size) == f"{left}×{left}×2"


def test_squeeze_and_excitation_adds_two_small_layers_to_every_bottleneck():
    assert totals("se_resnet50")[0] - 25_557_032 == sum(
        blocks * (2 * channels * channels // 16 + channels // 16 + channels)
        for blocks, channels in ((3, 256), (4, 512), (6, 1024), (3, 2048))
    )


def test_c3d_keeps_time_until_the_last_pool():
    found = {layer.path: layer.output.text for layer in shipped("c3d").layers}
    assert [found[f"pool{n}"] for n in range(1, 6)] == [
        "16×56×56×64",
        "8×28×28×128",
        "4×14×14×256",
        "2×7×7×512",
        "1×4×4×512",
    ]


def test_m5_has_the_lengths_of_its_paper():
    found = {layer.path: layer.output.text for layer in shipped("audio_m5").layers}
    lengths = [found[f"conv{n}/max_pool_1"] for n in range(1, 5)]
    assert lengths == ["2000×128", "500×128", "125×256", "32×512"]


def test_a_densenet_layer_costs_the_same_written_out():
    plain = cost(
        """
        input: {channels: 64, size: 56}
        layers:
          - batch_norm
          - relu
          - {conv: 128, kernel: 1}
          - batch_norm
          - relu
          - {conv: 32, kernel: 3, padding: 1}
        """
    ).totals
    within = [x for x in shipped("densenet121").layers if x.path.startswith("block1/dense_1/")]
    assert sum(layer.params for layer in within) == plain.params
    assert sum(layer.macs for layer in within) == plain.macs


@pytest.mark.parametrize("spec", MODERN)
def test_a_shipped_network_is_within_its_budget(spec):
    costs = shipped(spec)
    limits = {limit.measure: limit.max for limit in costs.network.budget.total}
    assert set(limits) == {"params", "macs"}
    assert costs.totals.params <= limits["params"]
    assert costs.totals.macs <= limits["macs"]


@pytest.mark.parametrize("spec", MODERN)
def test_an_exact_published_figure_is_reproduced(spec):
    for figure in convcost.verify(spec).tree()["figures"]:
        if figure.published.isdecimal() and figure.verdict != "off":
            assert figure.exact == int(figure.published), figure.source
