"""The module that the worker of the playground calls, outside of a browser."""

import json

import pytest

import playground
from convcost.model.errors import UsageError
from convcost.render import FORMATS

NAIVE, REDUCED = json.loads(playground.shipped("inception_3a"))
SMALL = """name: small
input: {channels: 3, size: 32}
vars: {width: 0.5, n: 8, pool: true}
layers: [{conv: n, kernel: 1}]
"""


def request(*specs, **settings):
    return json.dumps({"specs": specs, **settings})


def check(*specs, **settings):
    return json.loads(playground.check(request(*specs, **settings)))


def keys(above, own=()):
    return {
        key["label"]: key["info"] for key in json.loads(playground.keys(json.dumps([above, own])))
    }


def test_the_first_specs_are_the_naive_and_the_reduced_module():
    assert json.loads(playground.start())["first"] == "inception_3a"
    found = check(NAIVE, REDUCED)
    assert [network["params"] for network in found["networks"]] == ["387,072", "157,184"]
    assert found["views"] == ["naive", "reduced"]


def test_problems_belong_to_their_spec_and_have_a_span():
    found = check(NAIVE, REDUCED.replace("kernel: 3", "kernal: 3"))
    first, second = found["problems"]
    assert first == []
    assert [(entry["code"], entry["help"]) for entry in second] == [
        ("CC101", "did you mean `kernel`?")
    ]
    line = REDUCED.splitlines().index(
        "      3x3: [{conv: 96, kernel: 1, name: reduce}, {conv: 128, kernel: 3, padding: 1}]"
    )
    column = REDUCED.splitlines()[line].index("kernel: 3") + 1
    assert second[0]["span"] == [line + 1, column, line + 1, column + len("kernal")]
    assert found["error"] == "1 problem"
    assert found["networks"] == []


def test_settings_apply_to_the_networks_that_have_them():
    pool = {"pool": "true"}
    found = check(NAIVE, SMALL.replace("pool", "other"), set=pool, batch=2)
    assert found["error"] == ""
    assert found["networks"][0]["macs"] == f"{2 * 387_072 * 28 * 28:,}"


def test_the_totals_of_a_network_of_which_no_macs_are_known_have_a_question_mark():
    layers = "[{custom: magic, params: 5, macs: uncounted}]"
    found = check(f"name: net\ninput: {{channels: 1, size: 4}}\nlayers: {layers}\n")
    assert found["networks"] == [{"name": "net", "params": "5", "macs": "?"}]


def test_a_wrong_setting_is_an_error_without_a_span():
    found = check(SMALL, set={"n": "x"})
    assert found["error"] == "set: n: `x` is neither a number nor true or false"
    assert found["problems"] == []


def test_every_variable_has_a_slider_or_a_box():
    found = {variable["name"]: variable for variable in check(SMALL)["variables"]}
    assert found["n"] == {"name": "n", "value": "8", "min": "1", "max": "32", "step": "1"}
    assert found["width"] == {
        "name": "width", "value": "0.5", "min": "0.05", "max": "4", "step": "0.05",
    }  # fmt: skip
    assert found["pool"] == {"name": "pool", "value": True}
    assert found["input size"]["value"] == "32"


def test_the_page_has_no_style_sheet_and_no_script():
    body = json.loads(playground.page(request(NAIVE, REDUCED)))
    assert "<h1>reduced compared with naive</h1>" in body
    assert "<style" not in body
    assert "<script" not in body


def test_a_view_is_the_page_of_the_network_with_that_name():
    body = json.loads(playground.page(request(NAIVE, REDUCED, view="reduced")))
    assert "<h1>reduced</h1>" in body


def test_a_name_with_hidden_characters_is_shown_with_escapes():
    hidden = 'input: {channels: 1, size: 1}\nname: "%s"\nlayers: [{conv: 1, kernel: 1}]\n'
    two = (hidden % "a\\u202eb", hidden % "a\\u202ec")
    found = check(*two)
    assert [network["name"] for network in found["networks"]] == ["a\\u202eb", "a\\u202ec"]
    assert found["views"] == ["a\\u202eb", "a\\u202ec"]
    assert "<h1>a\\u202ec</h1>" in json.loads(playground.page(request(*two, view="a\\u202ec")))
    (problem,) = check(hidden.replace("conv", '"co\\u200bnv"') % "a")["problems"][0]
    assert problem["message"] == "there is no kind or block `co\\u200bnv`"


def test_a_convention_is_a_further_count():
    body = json.loads(playground.page(request(SMALL, count=["thop"])))
    assert "thop" in body


def test_a_network_that_is_too_long_for_the_page_is_not_in_the_page():
    spec = "input: {channels: 1, size: 9}\nlayers: [{conv: 1, kernel: 1, repeat: 3001}]\n"
    body = json.loads(playground.page(request(spec)))
    assert body == (
        "<header></header><main><p>The page shows reports of up to 3,000 layers, and this one has "
        "3,001. Download it instead.</p></main>"
    )


def test_a_comparison_of_many_networks_is_in_the_page_whatever_their_layers():
    body = json.loads(playground.page(request(*json.loads(playground.shipped("hrnet")))))
    assert "HRNet-w64 compared with HRNet-w18</h1>" in body


@pytest.mark.parametrize(
    "name",
    [*(format_entry["name"] for format_entry in json.loads(playground.menus())["formats"]), "svg"],
)
def test_every_format_is_exported(name):
    found = json.loads(playground.export(request(SMALL.replace("small", "a/b")), name))
    suffixes = (".svg",) if name == "svg" else FORMATS[name].suffixes or (".txt",)
    assert found["name"] == f"a-b{suffixes[0]}"
    assert found["text"]


def test_the_keys_of_a_mapping_have_their_meaning():
    assert keys([])["layers"] == "the network itself"
    assert keys(["input"])["channels"] == "channels of one sample"
    assert keys(["defaults", "conv"])["bias"] == keys(["layers", 0], ["conv"])["bias"] != ""
    assert {"conv", "relu", "name", "repeat"} <= set(keys(["layers", 0]))
    assert "stride" in keys(["layers", 0, "concat", "3x3", 0], ["max_pool"])
    assert keys(["blocks", "stem", "layers", 0], ["linear"])["features"] != ""
    assert "source" in keys(["published", 0])
    assert keys(["layers", 0, "concat"], ["3x3"]) == {}


def test_a_spec_with_problems_is_not_exported():
    with pytest.raises(UsageError) as raised:
        playground.export(request("layers: []"), "csv")
    assert str(raised.value) == "correct the problems of the spec first"
