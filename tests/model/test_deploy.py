"""A network as it is deployed: what is folded, what is merged, and what stays as it is."""

import re
from textwrap import dedent

import pytest
from support import run, shipped

import convcost
from convcost.language.load import load
from convcost.model.costs import costs
from convcost.model.deploy import deploy
from convcost.model.errors import Source


def both(text):
    """The costs of a network as trained and as deployed."""
    (network,) = load(Source("net.yaml", dedent(text)))
    return costs(network), costs(deploy(network))


def kinds(counted):
    return [layer.kind for layer in counted.layers]


def test_a_batch_norm_becomes_the_bias_of_the_convolution_before_it():
    trained, deployed = both(
        """
        input: {channels: 3, size: 32}
        layers: [{conv: 16, kernel: 3, padding: 1}, batch_norm, relu]
        """
    )
    assert trained.totals.params == 16 * 3 * 3 * 3 + 2 * 16 == 464
    assert deployed.totals.params == 16 * 3 * 3 * 3 + 16 == 448
    assert (deployed.totals.buffers, kinds(deployed)) == (0, ["conv", "relu"])
    assert deployed.totals.macs == trained.totals.macs
    assert deployed.network.deployed == "1 batch norm folded into the layer before"


@pytest.mark.parametrize(
    ("layers", "expected"),
    [
        ("[{conv: 4, kernel: 1, bias: true}, batch_norm]", ["conv"]),
        ("[{conv: 4, kernel: 1}, {dropout: 0.1}, batch_norm, identity]", ["conv"]),
        ("[{conv: 4, kernel: 1}, batch_norm, {dropout: 0.1}, batch_norm]", ["conv"]),
        ("[{depthwise: 3}, {batch_norm: , scale: false}]", ["depthwise"]),
        ("[{transposed_conv: 4, kernel: 2}, batch_norm]", ["transposed_conv"]),
        ("[flatten, {linear: 4, bias: false}, batch_norm]", ["flatten", "linear"]),
        # A norm before a convolution or after an activation has no layer to be folded into.
        ("[batch_norm, {conv: 4, kernel: 1}]", ["batch_norm", "conv"]),
        ("[{conv: 4, kernel: 1}, relu, batch_norm]", ["conv", "relu", "batch_norm"]),
        # A layer norm depends on the sample.
        ("[{conv: 4, kernel: 1}, layer_norm]", ["conv", "layer_norm"]),
        # Another layer reads the convolution too, and would get scaled values.
        (
            "[{conv: 4, kernel: 1, name: c}, batch_norm, {add: [c, batch_norm_1]}]",
            ["conv", "batch_norm", "add"],
        ),
        # Shared weights have one norm each.
        (
            "[{conv: 4, kernel: 1, name: c}, batch_norm, {conv: 4, kernel: 1, weights: c}]",
            ["conv", "batch_norm", "conv"],
        ),
        ("[{conv: 4, kernel: 1, buffer: true}, batch_norm]", ["conv", "batch_norm"]),
    ],
)
def test_a_norm_is_folded_only_if_the_result_is_exact(layers, expected):
    _, deployed = both(f"input: {{channels: 4, size: 8}}\nlayers: {layers}\n")
    assert kinds(deployed) == expected


@pytest.mark.parametrize("unread", ["{side: [identity]}", "{side: [{dropout: 0.1}, identity]}"])
def test_an_identity_that_nothing_reads_does_not_keep_a_norm(unread):
    text = (
        f"input: {{channels: 4, size: 8}}\nlayers: [{{conv: 4, kernel: 1}}, {unread}, batch_norm]\n"
    )
    assert kinds(both(text)[1]) == ["conv"]


BLOCK = """
input: {channels: 8, size: 16}
layers:
  - add:
      large: [{conv: 8, kernel: 3, padding: 1}, batch_norm]
      small: [{conv: 8, kernel: 1}, batch_norm]
      identity: [batch_norm]
  - relu
"""


@pytest.mark.parametrize(
    ("layer", "expected", "biases"),
    [
        # 4 params and buffers for each channel; a bias for each of 2 × 2 positions, and of 3 × 3
        ("{locally_connected: 5, kernel: 7}", ["locally_connected"], 2 * 2 * 5),
        ("{locally_connected: 5, kernel: 6}", ["locally_connected", "batch_norm"], 5),
        ("{locally_connected: 5, kernel: 6, bias: true}", ["locally_connected"], 3 * 3 * 5),
    ],
)
def test_a_norm_is_not_folded_into_a_layer_that_then_stores_more(layer, expected, biases):
    trained, deployed = both(f"input: {{channels: 4, size: 8}}\nlayers: [{layer}, batch_norm]\n")
    assert kinds(deployed) == expected
    assert deployed.totals.biases == biases
    before, after = trained.totals, deployed.totals
    assert after.params + after.buffers <= before.params + before.buffers


def test_the_branches_of_a_repvgg_block_are_merged_into_one_convolution():
    trained, deployed = both(BLOCK)
    assert trained.totals.params == 8 * 8 * (3 * 3 + 1) + 3 * 2 * 8
    assert deployed.totals.params == 8 * 8 * 3 * 3 + 8
    assert kinds(deployed) == ["conv", "relu"]
    assert deployed.network.steps[0].inputs == (-1,)
    assert deployed.network.deployed == (
        "2 batch norms folded into the layer before; 1 parallel convolution merged into another; "
        "1 batch norm merged into a parallel convolution"
    )


def test_an_identity_without_a_norm_is_merged_too():
    _, deployed = both(BLOCK.replace("identity: [batch_norm]", "identity: []"))
    assert kinds(deployed) == ["conv", "relu"]
    assert deployed.network.deployed.endswith(
        "; 1 identity shortcut merged into a parallel convolution"
    )


@pytest.mark.parametrize("name", ["repvgg_a0", "resnet50", "densenet121", "mobilenet_v2"])
def test_the_text_accounts_for_every_batch_norm(name):
    network = shipped(name).network
    norms = sum(step.layer.name == "batch_norm" for step in network.steps)
    found = re.findall(r"([0-9]+) batch norms? ", deploy(network).deployed)
    assert sum(map(int, found)) == norms > 0


@pytest.mark.parametrize(
    ("old", "new"),
    [
        # Its windows read the neighbours of a position, but not the position itself.
        ("kernel: 3, padding: 1", "kernel: 2, dilation: 2, padding: 1"),
        ("small: [{conv: 8, kernel: 1}", "small: [{conv: 8, kernel: 1, groups: 2}"),
        ("small: [{conv: 8, kernel: 1}", "small: [{depthwise: 1}"),
        ("small: [{conv: 8, kernel: 1}, batch_norm]", "small: [{conv: 8, kernel: 1}, relu]"),
    ],
)
def test_branches_that_differ_in_more_than_their_kernel_are_not_merged(old, new):
    assert old in BLOCK
    _, deployed = both(BLOCK.replace(old, new))
    assert "add" in kinds(deployed)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("kernel: 3, padding: 1", "kernel: [3, 3], padding: same"),
        ("kernel: 3, padding: 1", "kernel: 3, padding: [1, 1, 1, 1]"),
        ("kernel: 1}", "kernel: [1, 1], stride: [1, 1], padding: valid}"),
        ("kernel: 1}", "kernel: 1, dilation: 2}"),
        # The 1x1 is the middle of a dilated kernel, and the first element of a shifted one.
        ("kernel: 3, padding: 1", "kernel: 3, padding: 2, dilation: 2"),
        ("kernel: 3, padding: 1", "kernel: 3, padding: [0, 0, 2, 2]"),
    ],
)
def test_a_kernel_that_has_a_place_for_the_other_branches_is_that_of_the_sum(old, new):
    assert old in BLOCK
    _, deployed = both(BLOCK.replace(old, new))
    assert (kinds(deployed), deployed.totals.params) == (["conv", "relu"], 8 * 8 * 3 * 3 + 8)
    assert deployed.totals.macs == 8 * 8 * 3 * 3 * 16 * 16


def test_a_dilated_convolution_merges_into_a_larger_kernel_that_reads_the_same_positions():
    # Positions -2, 0 and 2 are three of the five from -2 to 2, but not of the three from -1 to 1.
    dilated = "{conv: 8, kernel: 3, padding: 2, dilation: 2}"
    for kernel, expected in ((5, ["conv", "relu"]), (3, ["conv", "conv", "add", "relu"])):
        plain = f"{{conv: 8, kernel: {kernel}, padding: same}}"
        _, deployed = both(
            f"""
            input: {{channels: 8, size: 16}}
            layers: [{{add: {{a: [{plain}, batch_norm], b: [{dilated}, batch_norm]}}}}, relu]
            """
        )
        assert kinds(deployed) == expected


def test_the_depthwise_branches_of_mobileone_are_merged_into_one_depthwise_convolution():
    block = BLOCK.replace("conv: 8, kernel: 3", "depthwise: 3").replace(
        "conv: 8, kernel", "depthwise"
    )
    trained, deployed = both(block)
    assert trained.totals.params == 8 * 3 * 3 + 8 + 3 * 2 * 8
    assert (kinds(deployed), deployed.totals.params) == (["depthwise", "relu"], 8 * 3 * 3 + 8)


def test_the_padding_of_a_stride_says_where_a_1x1_is_in_a_larger_kernel():
    # At size 16, `same` pads only the end: the windows of both begin at the same position.
    _, deployed = both(
        """
        input: {channels: 8, size: 16}
        layers:
          - add:
              a: [{conv: 8, kernel: 3, stride: 2, padding: same}, batch_norm]
              b: [{conv: 8, kernel: 1, stride: 2}, batch_norm]
        """
    )
    assert (kinds(deployed), deployed.totals.params) == (["conv"], 8 * 8 * 3 * 3 + 8)


def test_a_tensor_has_no_place_in_a_convolution_whose_filters_see_other_channels():
    conv = "{conv: 2, kernel: 1, connections: [[2], [1]]}"
    for third, count in (("[{conv: 2, kernel: 1, connections: [[2], [1]]}]", 1), ("[]", 2)):
        _, deployed = both(
            f"""
            input: {{channels: 2, size: 4}}
            layers: [{{add: {{a: [{conv}], b: [{conv}], c: {third}}}}}]
            """
        )
        assert kinds(deployed) == ["conv"] * count + ["add"] * (count > 1)


ROW = "{conv: 8, kernel: [1, 3], padding: [0, 1]}"
COLUMN = "{conv: 8, kernel: [3, 1], padding: [1, 0]}"


@pytest.mark.parametrize(
    "layers",
    [
        # The sum of 1×3 and 3×1 is a 3×3 kernel, with more params and macs.
        f"add: {{a: [{ROW}], b: [{COLUMN}]}}",
        # One channel broadcasts to the eight of the tensor itself.
        "add: {a: [{conv: 1, kernel: 3, padding: 1}], b: [{conv: 1, kernel: 1}], c: []}",
    ],
)
def test_a_sum_that_no_branch_contains_is_not_merged(layers):
    trained, deployed = both(f"input: {{channels: 8, size: 16}}\nlayers: [{{{layers}}}]")
    assert kinds(deployed) == kinds(trained)
    assert deployed.totals == trained.totals


def test_a_rectangle_that_contains_the_others_is_the_kernel_of_the_sum():
    _, deployed = both(
        """
        input: {channels: 8, size: 16}
        layers:
          - add:
              a: [{conv: 8, kernel: [1, 5], padding: [0, 2]}]
              b: [{conv: 8, kernel: [3, 5], padding: [1, 2]}]
        """
    )
    assert (kinds(deployed), deployed.totals.params) == (["conv"], 8 * 8 * 3 * 5)


@pytest.mark.parametrize(
    ("small", "biases"),
    [
        ("[{conv: 8, kernel: 1}]", 0),
        ("[{conv: 8, kernel: 1, bias: true}]", 8),
        ("[{conv: 8, kernel: 1}, batch_norm]", 8),
        ("[{conv: 8, kernel: 1}], identity: [batch_norm]", 8),
        ("[{conv: 8, kernel: 1}], identity: []", 0),
    ],
)
def test_a_sum_has_a_bias_if_a_branch_has_one(small, biases):
    _, deployed = both(
        f"""
        input: {{channels: 8, size: 16}}
        layers: [{{add: {{large: [{{conv: 8, kernel: 3, padding: 1}}], small: {small}}}}}]
        """
    )
    assert (kinds(deployed), deployed.totals.biases) == (["conv"], biases)
    assert deployed.totals.weights == 8 * 8 * 3 * 3


SUM = "{add: {a: [{conv: 8, kernel: 3, padding: 1}], b: [{conv: 8, kernel: 1}]}}"


@pytest.mark.parametrize(
    ("layers", "biases", "text"),
    [
        pytest.param(
            f"{SUM}, {{dropout: 0.1}}, batch_norm",
            8,
            "1 batch norm folded into the layer before; 1 parallel convolution merged into "
            "another; 1 identity or dropout layer removed",
            id="a norm after it",
        ),
        pytest.param(
            f"{{add: {{c: [{SUM}], d: [{{conv: 8, kernel: 1, bias: true}}]}}}}",
            8,
            "2 parallel convolutions merged into another",
            id="a sum around it",
        ),
        pytest.param(
            f"{{add: {{c: [{SUM}, batch_norm], d: [{SUM}], e: [batch_norm], f: []}}}}, batch_norm",
            8,
            "2 batch norms folded into the layer before; 3 parallel convolutions merged into "
            "another; 1 batch norm merged into a parallel convolution; 1 identity shortcut merged "
            "into a parallel convolution",
            id="norms and sums in each other",
        ),
    ],
)
def test_a_merged_convolution_is_folded_and_merged_like_any_other(layers, biases, text):
    trained, deployed = both(f"input: {{channels: 8, size: 16}}\nlayers: [{layers}]")
    assert (kinds(deployed), deployed.network.deployed) == (["conv"], text)
    assert deployed.totals.params == 8 * 8 * 3 * 3 + biases
    assert deployed.totals.macs == 8 * 8 * 3 * 3 * 16 * 16
    assert deployed.network.output == trained.network.output


def test_a_layer_that_takes_only_a_size_does_not_read_what_is_folded():
    layers = "{conv: 8, kernel: 1}, batch_norm, {upsample_like: {x: input, like: conv_1}}"
    _, deployed = both(f"input: {{channels: 8, size: 16}}\nlayers: [{layers}]")
    assert kinds(deployed) == ["conv", "upsample_like"]


def test_a_convolution_that_gives_the_size_of_another_tensor_is_not_merged():
    layers = "{upsample_like: {x: input, like: add_1/a/conv_1}}"
    _, deployed = both(f"input: {{channels: 8, size: 16}}\nlayers: [{SUM}, {layers}]")
    assert kinds(deployed) == ["conv", "conv", "add", "upsample_like"]


def test_a_convolution_whose_weights_another_layer_uses_is_not_merged():
    trained, deployed = both(
        """
        input: {channels: 8, size: 16}
        layers:
          - name: sum
            add: {a: [{conv: 8, kernel: 3, padding: 1, name: x}], b: [{conv: 8, kernel: 1}]}
          - {conv: 8, kernel: 3, padding: 1, weights: sum/a/x}
        """
    )
    assert kinds(deployed) == ["conv", "conv", "add", "conv"]
    assert deployed.totals == trained.totals


def test_the_norms_of_experts_are_not_folded_into_a_layer_before_all_of_them():
    _, deployed = both(
        """
        input: {channels: 4, size: 8}
        layers:
          - {conv: 3, kernel: 1, name: gate}
          - {conv: 5, kernel: 1, from: input}
          - experts: {gate: gate, each: [batch_norm, {conv: 5, kernel: 1}, batch_norm]}
            of: 3
            take: 1
        """
    )
    assert kinds(deployed) == ["conv", "conv", "batch_norm", "conv", "experts"]
    assert deployed.totals.params == 4 * 3 + 4 * 5 + 3 * (2 * 5) + 3 * (5 * 5 + 5)


REPVGG_A0 = """
name: RepVGG-A0
input: {channels: 3, size: 224}
blocks:
  rep:
    options: {n: , stride: 1, identity: stride == 1 and n == in_channels}
    layers:
      - add:
          large: [{conv: n, kernel: 3, stride: stride, padding: 1}, batch_norm]
          small: [{conv: n, kernel: 1, stride: stride}, batch_norm]
        when: not identity
      - add:
          large: [{conv: n, kernel: 3, padding: 1}, batch_norm]
          small: [{conv: n, kernel: 1}, batch_norm]
          skip: [batch_norm]
        when: identity
      - relu
layers:
  - {rep: 48, stride: 2}
  - {rep: 48, stride: 2}
  - {rep: 48}
  - {rep: 96, stride: 2}
  - {rep: 96, repeat: 3}
  - {rep: 192, stride: 2}
  - {rep: 192, repeat: 13}
  - {rep: 1280, stride: 2}
  - global_avg_pool
  - flatten
  - {linear: 1000}
"""


def test_repvgg_a0_has_its_two_published_counts():
    """Ding and others, 2021, and the authors' repository: 9.11 M as trained, 8.31 M deployed."""
    trained, deployed = both(REPVGG_A0)
    assert (trained.totals.params, deployed.totals.params) == (9_108_968, 8_309_384)


def test_resnet_50_folds_all_of_its_norms():
    network = shipped("resnet50").network
    trained, deployed = costs(network).totals, costs(deploy(network)).totals
    channels = trained.buffers // 2
    assert deployed.params == trained.params - channels
    assert (deployed.buffers, deployed.macs) == (0, trained.macs)


def test_analyze_deploy_reports_what_it_folded():
    done = run("analyze", "mobilenet_v2", "--deploy")
    assert (
        "MobileNet v2 (deployed): 52 batch norms folded into the layer before; 1 identity or "
        "dropout layer removed"
    ) in done.stdout.decode().splitlines()


def test_compare_deploy_compares_the_trained_and_the_deployed_network():
    done = run("compare", "resnet50", "--deploy")
    assert done.returncode == 0
    assert done.stdout.decode().startswith("ResNet-50 (deployed) has 1.001× fewer params ")


def test_explain_deploy_explains_a_merged_layer():
    done = run("explain", "repvgg_a0", "stage1/block_2/same", "--deploy")
    lines = done.stdout.decode().splitlines()
    assert "params               weights + biases = 20,736 + 48 = 20,784" in lines
    assert any(line.startswith("RepVGG-a0 (deployed): 44 batch norms folded") for line in lines)


def test_explain_deploy_compares_the_counts_of_the_deployed_network():
    found = convcost.explain_counts("resnet50", ["thop", "macs"], deploy=True)
    (tree,) = found.tree()["networks"]
    assert [kind["kind"] for kind in tree["kinds"] if len(set(kind["counts"])) > 1] == [
        "global_avg_pool"
    ]
    done = run("explain", "resnet50", "--deploy", "--count", "thop,macs")
    assert b"ResNet-50 (deployed): 53 batch norms folded into the layer before\n" in done.stdout


def test_explain_deploy_lists_the_layers_of_the_deployed_network():
    listed = run("explain", "resnet50", "--deploy").stdout
    assert b"batch_norm_1" not in listed
    done = run("explain", "resnet50", "conv1/batch_norm_1", "--deploy")
    assert done.stderr.startswith(b"error: there is no layer `conv1/batch_norm_1` in `resnet50`; ")


def test_python_counts_a_network_as_deployed():
    norms = 26_560
    trained, deployed = (convcost.analyze("resnet50", deploy=one).totals for one in (False, True))
    assert trained.params - deployed.params == norms
    both = convcost.compare("resnet50", deploy=True).networks
    assert both[0].totals.params - both[1].totals.params == norms
    assert convcost.explain("resnet50", "conv1", deploy=True).tree()["groups"][0]["params"] == 9_472


@pytest.mark.parametrize("command", ["analyze", "compare"])
def test_deploy_with_a_sweep_is_an_error(command):
    done = run(command, "mobilenet_v1", "--set", "width=1,0.5", "--deploy")
    message = "error: --deploy does not work in a sweep; give each --set and --size one value\n"
    assert (done.returncode, done.stderr.decode()) == (2, message)
