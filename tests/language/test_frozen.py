"""Layers whose params training does not change."""

import json

import pytest
from support import ROOT, cost, messages, problems, run, shipped

from convcost.model.costs import costs
from convcost.model.deploy import deploy

CONV = 16 * 3 * 3 * 3  # weights of {conv: 16, kernel: 3} on three channels
INPUT = "input: {channels: 3, size: 8}\n"


def trainable(layers: str, **variables) -> dict[str, int]:
    """The trainable params of each layer that has params, by path."""
    found = cost(f"{INPUT}{layers}", **variables)
    return {layer.path: layer.trainable for layer in found.layers if layer.params}


@pytest.mark.parametrize(
    ("frozen", "left"),
    [
        ("true", 0),
        ("false", CONV + 16),
        ("weights", 16),
        ("biases", CONV),
        ("", CONV + 16),
        ("in_channels > 2", 0),
        ("in_channels > 3", CONV + 16),
    ],
)
def test_a_layer_can_freeze_all_of_its_params_or_one_part(frozen, left):
    layers = f"layers: [{{conv: 16, kernel: 3, bias: true, frozen: {frozen}}}]"
    assert trainable(layers) == {"conv_1": left}


@pytest.mark.parametrize(
    "layer",
    [
        "{sequence: [{conv: 16, kernel: 3}, relu], name: a, frozen: true}",
        "{a: , frozen: true}",
        "{add: {a: [{conv: 16, kernel: 3}], b: [{conv: 16, kernel: 3}]}, frozen: true}",
        "{a: , frozen: true, repeat: 2}",
        "{side: [{conv: 16, kernel: 3}], frozen: true}",
        "{sequence: [{sequence: [{a: }]}], frozen: true}",
        "{a: {freeze: true}}",
    ],
)
def test_a_group_freezes_the_layers_inside_it_and_no_others(layer):
    inner = (
        "{conv: 16, kernel: 3, frozen: freeze}" if "freeze" in layer else "{conv: 16, kernel: 3}"
    )
    block = f"{{options: {{freeze: false}}, layers: [{inner}]}}"
    found = trainable(f"blocks: {{a: {block}}}\nlayers: [{layer}, {{conv: 2, kernel: 1, name: z}}]")
    last = found.pop("z")
    assert last > 0
    assert set(found.values()) == {0}


def test_the_innermost_frozen_is_valid():
    layers = """
blocks: {a: {layers: [{conv: 16, kernel: 3, frozen: false}, {conv: 2, kernel: 1}]}}
layers:
  - {a: , frozen: true}
  - {sequence: [{conv: 4, kernel: 1, frozen: true}, {conv: 4, kernel: 1}], frozen: false}
"""
    assert trainable(layers) == {
        "a_1/conv_1": CONV,
        "a_1/conv_2": 0,
        "sequence_1/conv_1": 0,
        "sequence_1/conv_2": 4 * 4,
    }


def test_a_default_is_as_if_it_were_written_on_each_layer_of_the_kind():
    layers = """
defaults: {batch_norm: {frozen: true}, conv: {frozen: freeze}}
vars: {freeze: false}
layers:
  - {sequence: [batch_norm, {conv: 16, kernel: 3}], frozen: false}
  - {sequence: [{batch_norm: , frozen: false}, {conv: 2, kernel: 1}], frozen: true}
"""
    norm, conv, other, last = trainable(layers).values()
    assert (norm, conv, other, last) == (0, CONV, 16 + 16, 2 * 16)
    norm, conv, other, last = trainable(layers, freeze=True).values()
    assert (norm, conv, other, last) == (0, 0, 16 + 16, 0)


TIED = """
input: {{channels: 1, size: [16]}}
layers:
  - {{embedding: 8, rows: 100, name: tokens, {0}}}
  - {{linear: 100, each_position: true, bias: false, weights: tokens, {1}}}
"""


@pytest.mark.parametrize(
    ("owner", "user", "left"),
    [
        ("frozen: true", "note: x", 0),
        ("note: x", "frozen: true", 0),
        ("frozen: true", "frozen: true", 0),
        ("frozen: false", "note: x", 100 * 8),
    ],
)
def test_shared_weights_are_frozen_if_one_of_their_layers_is(owner, user, left):
    totals = cost(TIED.format(owner, user)).totals
    assert (totals.params, totals.trainable) == (100 * 8, left)


def test_shared_weights_cannot_be_frozen_in_one_place_and_trainable_in_another():
    (message,) = messages(TIED.format("frozen: false", "frozen: true"))
    shares = "linear shares weights that are not frozen in `tokens`"
    assert message == f"5:62 CC306 {shares}, frozen (weights and biases) here"


@pytest.mark.parametrize(
    ("value", "found"),
    [("maybe", "`maybe`"), ("2", "2"), ("[true]", "[true]"), ("{a: 1}", "a mapping")],
)
def test_any_other_value_of_frozen_is_refused(value, found):
    (message,) = messages(f"{INPUT}layers: [{{conv: 16, kernel: 3, frozen: {value}}}]")
    wanted = "`frozen` of a layer must be true, false, `weights` or `biases`"
    assert message == f"2:40 CC104 {wanted}, not {found}"


def test_a_folded_layer_is_trainable_if_it_is_made_from_trainable_params():
    text = (
        INPUT
        + """
layers:
  - {conv: 16, kernel: 3, frozen: true}
  - batch_norm
  - {conv: 16, kernel: 3}
  - {batch_norm: , frozen: true}
  - {conv: 16, kernel: 1, frozen: true}
  - {batch_norm: , frozen: true}
"""
    )
    folded = costs(deploy(cost(text).network))
    assert [layer.trainable for layer in folded.layers] == [CONV + 16, 16 * 3 * 3 * 16, 0]


def test_nothing_is_frozen_unless_the_spec_says_so():
    totals = shipped("resnet50").totals
    assert totals.trainable == totals.params


def test_llama_with_adapters_of_rank_16_on_all_linear_layers_has_the_published_counts():
    with (ROOT / "docs" / "lora.yaml").open(encoding="utf-8") as file:
        totals = cost(file.read()).totals
    attention = 2 * (4096 + 4096) + 2 * (4096 + 1024)  # query and output, key and value
    adapters = 16 * (32 * (attention + 3 * (4096 + 14336)) + 4096 + 128256)
    assert totals.trainable == adapters == 44_060_672
    assert totals.params == 8_030_261_248 + adapters == 8_074_321_920


def test_every_report_has_the_trainable_params(tmp_path):
    spec = tmp_path / "net.yaml"
    body = "layers: [{conv: 16, kernel: 3, name: a, frozen: %s}, {conv: 2, kernel: 1}]\n"
    limit = "published: [{trainable: 32, source: x}]\nbudget: {trainable: {max: 32, grow: 0%}}\n"
    spec.write_text(f"name: net\n{INPUT}{body % 'true'}{limit}")
    other = tmp_path / "other.yaml"
    other.write_text(f"name: net\n{INPUT}{body % 'false'}")

    def tree(*arguments):
        return json.loads(run(*arguments, "--format", "json", cwd=tmp_path).stdout)

    (network,) = tree("analyze", "net.yaml")["networks"]
    assert network["totals"]["trainable"] == 2 * 16
    assert [layer["trainable"] for layer in network["layers"]] == [0, 2 * 16]
    (layer,) = tree("explain", "net.yaml", "a")["layers"]
    assert (layer["params"], layer["trainable"]) == (CONV, 0)
    _, changed = tree("compare", "net.yaml", "other.yaml", "--layers")["networks"]
    assert changed["layers"][0]["trainable_change"] == CONV
    (change,) = [change for change in changed["changes"] if change["measure"] == "trainable"]
    assert (change["before"], change["after"]) == (2 * 16, CONV + 2 * 16)
    (figure,) = tree("verify", "net.yaml")["figures"]
    assert (figure["measure"], figure["verdict"]) == ("trainable", "exact")
    assert run("check", "net.yaml", cwd=tmp_path).returncode == 0
    other.write_text(other.read_text() + limit)
    assert run("check", "other.yaml", "--base", "net.yaml", cwd=tmp_path).returncode == 1


def test_a_frozen_layer_is_a_change_in_a_check_and_its_baseline_is_read_again(tmp_path):
    spec = tmp_path / "net.yaml"
    text = f"name: net\n{INPUT}layers: [{{conv: 16, kernel: 3, frozen: true}}]\n"
    spec.write_text(f"{text}budget: {{trainable: {{grow: 0%}}}}\n")
    run("check", "net.yaml", "--base", "base.json", "--update-baseline", cwd=tmp_path)
    kept = run("check", "net.yaml", "--base", "base.json", cwd=tmp_path)
    assert kept.returncode == 0, kept.stdout
    spec.write_text(spec.read_text().replace("true", "false"))
    grown = run("check", "net.yaml", "--base", "base.json", cwd=tmp_path)
    assert (grown.returncode, b"CC203" in grown.stdout) == (1, True)


def test_reduce_leaves_frozen_convolutions_as_they_are(tmp_path):
    (tmp_path / "net.yaml").write_text(
        "input: {channels: 64, size: 8}\nlayers: [{conv: 64, kernel: 3, frozen: true}]\n"
    )
    printed = run("reduce", "net.yaml", cwd=tmp_path).stdout.decode()
    assert "no 1x1 where the convolution is frozen, so its weights cannot change: 1" in printed


@pytest.mark.parametrize("other", ["freeze", "trainable", "requires_grad", "frozn"])
def test_the_words_of_other_tools_lead_to_frozen(other):
    (problem,) = problems(f"{INPUT}layers: [{{conv: 16, kernel: 3, {other}: true}}]")
    assert problem.message == f"conv has no option `{other}`"
    assert problem.help == "did you mean `frozen`?"


def test_a_key_of_all_layers_does_not_belong_among_the_options_of_a_kind():
    text = f"{INPUT}layers: [{{conv: {{filters: 16, kernel: 3, frozen: true}}}}]"
    (problem,) = problems(text)
    assert problem.help == "write `frozen` beside `conv`, not among its options"
