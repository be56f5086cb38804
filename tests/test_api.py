"""The Python functions: the reports of the command line, clear errors, a fast import."""

import io
import json
import pickle
import subprocess
import sys
from decimal import Decimal
from fractions import Fraction
from inspect import isfunction
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from repository import BODY, STEM, Repository, net
from support import ROOT, cost, plugin_example, run

import convcost
from convcost import api
from convcost.render import FORMATS

PARAMS = STEM + BODY
A_SPEC = "a spec must be a str or pathlib.Path"
TWO = net() + "---\n" + net(4).replace("name: net", "name: small")


@pytest.fixture
def folder(tmp_path, monkeypatch):
    (tmp_path / "net.yaml").write_text(net(), "utf-8")
    (tmp_path / "two.yaml").write_text(TWO, "utf-8")
    (tmp_path / "bad.yaml").write_text(net().replace("kernel: 3", "kernal: 3"), "utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def python(code: str, **environment: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, check=True, cwd=ROOT, env=environment
    )
    return done.stdout.decode().strip()


# The package


def test_importing_convcost_imports_no_other_module():
    code = (
        "import sys; before = set(sys.modules); import convcost; print(*set(sys.modules) - before)"
    )
    assert python(code) == "convcost"


def test_every_exported_name_exists_and_no_other_does():
    assert set(convcost.__all__) <= set(dir(convcost))
    for name in convcost.__all__:
        assert getattr(convcost, name) is not None
    with pytest.raises(AttributeError, match="module 'convcost' has no attribute 'analyse'"):
        _ = convcost.analyse


def test_every_function_has_a_docstring_and_annotations():
    functions = {name for name, value in vars(api).items() if isfunction(value)}
    own = {name for name in functions if vars(api)[name].__module__ == api.__name__}
    public = {name for name in own if not name.startswith("_")}
    for name in public:
        assert name in api.__all__, f"add `{name}` to __all__ in convcost/api.py"
        function = getattr(convcost, name)
        assert function is getattr(api, name)
        assert function.__doc__, name
        assert set(function.__annotations__) >= {"return"}, name
    assert set(api.__all__) == public
    assert set(convcost.__all__) > public


def test_a_star_import_has_the_exported_names_only():
    code = "from convcost import *; print(*(set(globals()) - {'__annotations__'}))"
    names = {name for name in python(code).split() if not name.startswith("__")}
    assert names == {name for name in convcost.__all__ if name != "__version__"}


@pytest.mark.slow
def test_a_type_checker_accepts_the_functions_and_refuses_unknown_names(tmp_path):
    (tmp_path / "good.py").write_text(
        "import convcost\n"
        "macs: int = convcost.analyze('net.yaml', set={'width': 0.5}, size=(8, 8)).totals.macs\n"
        "shared: convcost.Costs = convcost.analyze('net.yaml')\n"
        "ok: bool = convcost.check(['a.yaml'], max_growth='2%').ok\n"
        "names: list[str] = [c.network.name for c in convcost.compare('a', 'b').networks]\n"
    )
    (tmp_path / "bad.py").write_text("import convcost\nconvcost.analyse('net.yaml')\n")
    mypy = pytest.importorskip("mypy.api")
    cache = ("--strict", "--cache-dir", str(tmp_path / "cache"))
    assert mypy.run([*cache, str(tmp_path / "good.py")])[2] == 0
    message, _, code = mypy.run([*cache, str(tmp_path / "bad.py")])
    assert code == 1
    assert 'Module has no attribute "analyse"' in message


# load and analyze


@pytest.mark.parametrize(
    "spec", ["net.yaml", Path("net.yaml"), "net.yaml#net", Path("two.yaml#net")]
)
def test_a_spec_is_a_path_and_a_name(folder, spec):
    costs = convcost.analyze(spec)
    assert (costs.totals.params, costs.totals.macs) == (PARAMS, PARAMS * 6 * 6)
    assert [layer.path for layer in costs.layers] == ["stem", "body/a", "body/b"]
    assert convcost.analyze(convcost.load(spec)).layers == costs.layers


def test_a_shipped_spec_is_found_by_its_name():
    assert convcost.analyze("vgg16").totals.params == 138_357_544


def test_macs_and_activations_are_for_the_batch(folder):
    one, five = convcost.analyze("net.yaml"), convcost.analyze("net.yaml", batch=5)
    assert five.totals.macs == 5 * one.totals.macs
    assert five.totals.activations == 5 * one.totals.activations
    assert five.totals.params == one.totals.params


@pytest.mark.parametrize("half", [0.5, "0.5", "1/2", Fraction(1, 2), Decimal("0.5")])
def test_a_setting_has_its_exact_value(half):
    if half == "1/2":
        with pytest.raises(convcost.UsageError, match="set: width: `1/2` is neither a number nor"):
            convcost.analyze("mobilenet_v1", set={"width": half})
        return
    ran = run("analyze", "mobilenet_v1", "--set", "width=0.5", "--size", "160", "--format", "json")
    (network,) = json.loads(ran.stdout)["networks"]
    costs = convcost.analyze("mobilenet_v1", set={"width": half}, size=160)
    assert costs.totals.macs == network["totals"]["macs"]
    again = convcost.analyze("mobilenet_v1", set={"width": half}, size=(160, 160))
    assert again.layers == costs.layers


@given(st.decimals(0, 100, places=3))
def test_a_float_is_the_decimal_it_is_written_as(number):
    from convcost.sources.api_arguments import parse_settings

    ((_, found),) = parse_settings({"x": float(number)}, None).variables
    assert found == Fraction(str(number))


def test_all_networks_of_a_file_are_loaded_in_its_order(folder):
    assert [network.name for network in convcost.load_all("two.yaml")] == ["net", "small"]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda: convcost.load("two.yaml"),
            ("`two.yaml` has 2 networks: `net`, `small`"
            "\nhelp: select one, for example `two.yaml#net`, or use load_all"),
        ),
        (
            lambda: convcost.load("nte.yaml"),
            "there is no file `nte.yaml`; did you mean `net.yaml`?",
        ),
        (lambda: convcost.load("."), "`.` is a folder, not a spec"),
        (lambda: convcost.load(""), "`` is not the name of a spec"),
        (lambda: convcost.load("net.yaml", size=0), "size must be like 256 or (256, 320), not 0"),
        (
            lambda: convcost.load("net.yaml", size="8x8"),
            "size must be like 256 or (256, 320), not '8x8'",
        ),
        (lambda: convcost.load("net.yaml", size=True),
            "size must be like 256 or (256, 320), not True"),
        (
            lambda: convcost.load("net.yaml", set={"w": float("nan")}),
            "set: w: `nan` is neither a number nor true or false",
        ),
        (
            lambda: convcost.load("net.yaml", set={"w": [1]}),
            "set: w needs a number, true or false, not a list",
        ),
        (
            lambda: convcost.analyze("net.yaml", batch=0),
            "batch must be an integer from 1 to 1,000,000,000, not 0",
        ),
        (
            lambda: convcost.analyze("net.yaml", batch=True),
            "batch must be an integer from 1 to 1,000,000,000, not True",
        ),
        (
            lambda: convcost.analyze(convcost.load("net.yaml"), size=9),
            "a loaded network cannot change; give `set` and `size` to `load`",
        ),
        (
            lambda: convcost.compare("net.yaml"),
            "compare needs two networks or more, but there is only one",
        ),
        (convcost.compare, "compare needs two networks or more, but there is none"),
        (
            lambda: convcost.compare("two.yaml", baseline="smal"),
            "there is no network `smal` among these; did you mean `small`?",
        ),
        (
            lambda: convcost.check("net.yaml"),
            ("there is no limit to check for net.yaml"
            "\nhelp: add `budget: {params: {max: 5M}}` to the spec, or --max-params 5M"),
        ),
        (
            lambda: convcost.analyze(("net.yaml", "two.yaml")),
            A_SPEC + ", not ('net.yaml', 'two.yaml')",
        ),
        (lambda: convcost.check(b"x"), A_SPEC + ", not b'x'"),
        (lambda: convcost.check(5), A_SPEC + ", not 5"),
        (lambda: convcost.check(None), A_SPEC + ", not None"),
        (lambda: convcost.check([5]), A_SPEC + ", not 5"),
        (lambda: convcost.check([["net.yaml"]]), A_SPEC + ", not ['net.yaml']"),
        (lambda: convcost.load("a\0"), "a spec has a zero byte: `a\\x00`"),
        (
            lambda: convcost.load("\ud800"),
            "a spec has an invalid character: `\\ud800`",
        ),
        (
            lambda: convcost.check("net.yaml", base="git:a\0b", max_params=1),
            "base has a zero byte: `git:a\\x00b`",
        ),
        (
            lambda: convcost.check("net.yaml", base="git:\ud800", max_params=1),
            "base has an invalid character: `git:\\ud800`",
        ),
        (
            lambda: convcost.check("net.yaml", base=5, max_params=1),
            "base must be a str or pathlib.Path, not 5",
        ),
        (
            lambda: convcost.check("net.yaml", config="a\0", max_params=1),
            "config has a zero byte: `a\\x00`",
        ),
        (
            lambda: convcost.check("net.yaml", max_params=10**5000),
            "max_params has more than 100 digits: the limit is too large",
        ),
        (
            lambda: convcost.check("net.yaml", max_params=[10**5000]),
            "max_params must be a whole number, or text like 4.3M or 2%, not a very long list",
        ),
        (
            lambda: convcost.check("net.yaml", max_params="4,3M"),
            ("`4,3M` is ambiguous: commas may only group thousands, without a unit\n"
            "help: write a decimal point, or no comma"),
        ),
        (
            lambda: convcost.check(convcost.load("net.yaml"), base="git:main", max_growth=0),
            "a loaded network is not in `git:main`; give a spec as base",
        ),
        (
            lambda: convcost.check(convcost.load("net.yaml"), base="b.json", max_growth=0),
            "a loaded network is not in `b.json`; give a spec as base",
        ),
        (
            lambda: convcost.explain("net.yaml", "stm"),
            "there is no layer `stm` in `net.yaml`; did you mean `stem`?",
        ),
        (
            lambda: convcost.explain("net.yaml", 3),
            "there is no layer `3` in `net.yaml`; known here: `stem`, `body`, `body/a`, `body/b`",
        ),
        (lambda: convcost.verify(3), A_SPEC + ", not 3"),
        (lambda: convcost.import_model(3), "model must be a str or pathlib.Path, not 3"),
        (
            lambda: convcost.import_model("a.json", inputs=(3, 8, 8)),
            "inputs must be shapes, like [(3, 224, 224)], not (3, 8, 8)",
        ),
        (
            lambda: convcost.import_model("a.json", inputs=[b"abc"]),
            "inputs must be shapes, like [(3, 224, 224)], not [b'abc']",
        ),
        (
            lambda: convcost.analyze("net.yaml", set=[1]),
            'set must be a mapping of variables, like {"classes": 10}, not [1]',
        ),
        (
            lambda: convcost.analyze("net.yaml", set={1: 1}),
            "set: the name of a variable must be a str, not 1",
        ),
        (
            lambda: convcost.compare("net.yaml", "two.yaml#small", baseline=5),
            "there is no network `5` among these; known here: `net`, `small`",
        ),
        (
            lambda: convcost.compare(["net.yaml", "two.yaml"]),
            A_SPEC + ", not ['net.yaml', 'two.yaml']",
        ),
        (
            lambda: convcost.formatted(None),
            "formatted accepts a report, costs or a network, not None",
        ),
        (
            lambda: convcost.load("net.yaml", size=b"ab"),
            "size must be like 256 or (256, 320), not b'ab'",
        ),
        (
            lambda: convcost.load("net.yaml", size=(10**5000,)),
            "size must be like 256 or (256, 320), not a very long tuple",
        ),
        (
            lambda: convcost.analyze("net.yaml", batch=10**5000),
            "batch must be an integer from 1 to 1,000,000,000, not a very long int",
        ),
        (
            lambda: convcost.load("net.yaml", set={"w": 10**5000}),
            "set: w has more than 40 digits",
        ),
        (
            lambda: convcost.formatted(convcost.analyze("net.yaml"), 5),
            ("there is no format `5`; known here: "
            + ", ".join(f"`{name}`" for name in FORMATS.names())),
        ),
        (lambda: convcost.check([]), "there is no spec to check"),
        (
            lambda: convcost.check("net.yaml", max_params="4.3m"),
            "there is no unit `m`\nhelp: did you mean `M`?",
        ),
        (
            lambda: convcost.check("net.yaml", max_growth=0.02),
            "max_growth must be a whole number, or text like 4.3M or 2%, not 0.02",
        ),
        (lambda: convcost.check("net.yaml", max_macs=-1), "`-1` is below 0"),
        (
            lambda: convcost.formatted(convcost.analyze("net.yaml"),
            "mrkdown"), "there is no format `mrkdown`; did you mean `markdown`?",
        ),
        (
            lambda: convcost.formatted(convcost.analyze("net.yaml"), "sarif"),
            ("the format `sarif` writes the findings of `convcost check`; "
            "this report has no findings"),
        ),
    ],
)  # fmt: skip
def test_an_invalid_call_is_an_error_with_a_reason(folder, call, message):
    with pytest.raises(convcost.UsageError) as caught:
        call()
    assert str(caught.value) == message


def test_the_error_of_a_spec_has_places_and_help(folder):
    with pytest.raises(convcost.SpecError) as caught:
        convcost.analyze("bad.yaml")
    assert str(caught.value) == (
        "bad.yaml:4:15: error[CC101]: conv has no option `kernal`\n  help: did you mean `kernel`?"
    )
    assert [problem.code for problem in caught.value.problems] == ["CC101"]
    stored = io.BytesIO()
    pickler = pickle.Pickler(stored)
    pickler.dispatch_table = {}  # Dask, where it is imported, adds all frames of the test run.
    pickler.dump(caught.value)
    again = pickle.loads(stored.getvalue())
    assert (str(again), again.problems) == (str(caught.value), caught.value.problems)


def test_control_characters_in_an_error_are_escaped(tmp_path):
    path = tmp_path / "bad\x1b[2J.yaml"
    path.write_text('name: x\ninput: 3\nlayers: [{"\\e[2J": 3}]\n')
    with pytest.raises(convcost.SpecError) as caught:
        convcost.load(path)
    assert "\\x1b[2J.yaml:" in str(caught.value)
    assert "\x1b" not in str(caught.value)


def test_the_first_of_several_broken_specs_is_raised_with_the_others_as_notes(folder):
    with pytest.raises(convcost.SpecError) as caught:
        convcost.check(["bad.yaml", "none.yaml"], max_params=1)
    assert caught.value.__notes__ == ["and: there is no file `none.yaml`; did you mean `net.yaml`?"]


# compare


def test_networks_are_compared_as_the_command_compares_them(folder):
    small = convcost.load("two.yaml#small")
    both = convcost.compare("net.yaml", small, baseline="small", layers=True)
    assert both.base.network == small
    ran = run(
        "compare", "net.yaml", "two.yaml#small", "--baseline", "small", "--layers", cwd=folder
    )
    assert convcost.formatted(both) == ran.stdout.decode()
    (totals,) = [network.totals.params for network in both.networks if network is not both.base]
    assert totals - both.base.totals.params == (STEM + BODY) - (4 * 27 + 4 * 8 + 8 * 8)


# explain, verify, import


def test_a_layer_is_explained_as_the_command_explains_it(folder):
    explanation = convcost.explain("net.yaml", "stem", batch=2)
    ran = run("explain", "net.yaml", "stem", "--batch", "2", cwd=folder)
    assert convcost.formatted(explanation) == ran.stdout.decode()
    loaded = convcost.explain(convcost.load("net.yaml"), "stem", batch=2)
    assert convcost.formatted(loaded) == ran.stdout.decode()


def test_reductions_are_those_of_the_command(folder):
    offers = convcost.reduce("two.yaml#net", channels="2,1/4")
    ran = run("reduce", "two.yaml#net", "--channels", "2,1/4", cwd=folder)
    assert convcost.formatted(offers) == ran.stdout.decode()
    wide = net().replace("channels: 3", "channels: 64")
    (folder / "wide.yaml").write_text(wide, "utf-8")
    reduced = convcost.reduce("wide.yaml", "stem=16", rewrite=True)
    ran = run("reduce", "wide.yaml", "stem=16", "--write", "-", cwd=folder)
    assert reduced.outcome.text == ran.stdout.decode()
    (folder / "reduced.yaml").write_text(reduced.outcome.text, "utf-8")
    saved = 64 * 3 * 3 * 8 - (64 * 16 + 16 * 3 * 3 * 8)
    before = convcost.analyze("wide.yaml").totals.params
    assert before - convcost.analyze("reduced.yaml").totals.params == saved
    naive = convcost.undo_reductions("reduced.yaml", rewrite=True)
    (folder / "naive.yaml").write_text(naive.outcome.text, "utf-8")
    assert convcost.analyze("naive.yaml").totals.params == before


def test_verify_returns_the_report_of_the_command(folder):
    published = f"published: [{{params: {PARAMS}, source: here}}, {{params: 1, source: there}}]\n"
    (folder / "net.yaml").write_text(net() + published, "utf-8")
    found = convcost.verify("net.yaml", Path("two.yaml"))
    ran = run("verify", "net.yaml", "two.yaml", cwd=folder)
    assert convcost.formatted(found) == ran.stdout.decode()
    assert (found.confirmed, found.summary.exact, found.summary.off) == (False, 1, 1)
    assert convcost.verify("two.yaml").confirmed


KERAS = {
    "class_name": "Sequential",
    "config": {
        "name": "tiny",
        "layers": [
            {
                "class_name": "Conv2D",
                "config": {
                    "name": "conv",
                    "filters": 8,
                    "kernel_size": 3,
                    "batch_input_shape": [None, None, None, 3],
                },
            }
        ],
    },
}


def test_a_model_is_imported_as_the_command_imports_it(folder):
    (folder / "tiny.json").write_text(json.dumps(KERAS), "utf-8")
    imported = convcost.import_model(Path("tiny.json"), size=16, name="small")
    ran = run("import", "tiny.json", "--size", "16", "--name", "small", cwd=folder)
    assert imported.text == ran.stdout.decode()
    assert imported.counted
    assert imported.costs.totals.params == 8 * 3 * 3 * 3 + 8
    with pytest.raises(convcost.UsageError, match=r"^error\[CC404\]: lost.onnx: there is no such"):
        convcost.import_model("lost.onnx")


# check


def test_a_check_is_true_if_no_limit_is_exceeded(folder):
    check = convcost.check("net.yaml", max_params=PARAMS, max_macs="1M")
    assert check
    assert check.ok
    assert repr(check) == "<Check ok=True: 2 limits checked: 2 within, 0 exceeded>"


def test_the_text_of_a_failed_check_is_that_of_the_command(folder):
    check = convcost.check(["net.yaml", Path("two.yaml")], max_params=PARAMS - 1)
    assert not check
    ran = run("check", "net.yaml", "two.yaml", "--max-params", str(PARAMS - 1), cwd=folder)
    assert ran.returncode == 1
    assert str(check) == ran.stdout.decode().rstrip().replace("the command line", "the call")
    assert repr(check) == (
        "<Check ok=False: net.yaml: params 344 over the max 343 (+1); "
        "3 limits checked: 1 within, 2 exceeded>"
    )


def test_a_check_compares_with_a_commit_and_reads_a_configuration(folder):
    repository = Repository(folder)
    (folder / "bad.yaml").unlink()
    repository.commit()
    repository.write("net.yaml", net(9))
    repository.write("limits.yaml", "budgets: [{specs: net.yaml, macs: {max: 1}}]")
    grown = convcost.check(folder / "net.yaml", base="git:main", max_growth="2%")
    assert [f.base for f in grown.findings()] == [PARAMS, PARAMS * 6 * 6]
    limited = convcost.check("net.yaml", config=folder / "limits.yaml")
    assert [(f.measure, f.limit) for f in limited.findings()] == [("macs", 1)]
    (folder / "limits.yaml").unlink()
    run("check", ".", "--base", "b.json", "--update-baseline", cwd=folder)
    assert convcost.check(".", base=Path("b.json"), max_growth=0).ok


def test_a_loaded_network_is_checked_unchanged(folder):
    (folder / "convcost.yaml").write_text("budgets: [{macs: {max: 1}}]", "utf-8")
    (folder / "wide.yaml").write_text(net(9, "{params: {max: 5}}"), "utf-8")
    network = convcost.load("wide.yaml", size=16)
    check = convcost.check([network, "net.yaml"], base="net.yaml", max_growth=0)
    macs = convcost.analyze(network).totals.macs
    assert [(f.spec, f.measure, f.test, f.found) for f in check.findings()] == [
        ("net.yaml", "macs", "max", PARAMS * 6 * 6),
        ("wide.yaml", "params", "max", convcost.analyze(network).totals.params),
        ("wide.yaml", "macs", "max", macs),
        ("wide.yaml", "params", "grow", convcost.analyze(network).totals.params),
        ("wide.yaml", "macs", "grow", macs),
    ]
    assert check.statements == (
        "wide.yaml: the input of `net` is 16×16×3; it was 8×8×3 in net.yaml",
    )
    (folder / "convcost.yaml").unlink()
    assert convcost.check(convcost.load("net.yaml"), max_params=PARAMS)


def test_results_have_a_short_repr(folder):
    costs = convcost.analyze("net.yaml")
    assert repr(costs) == str(costs) == f"<Costs net: {PARAMS} params, {PARAMS * 6 * 6:,} macs>"
    assert repr(convcost.analyze("net.yaml", batch=2)).endswith(" macs of 2 samples>")
    assert repr(convcost.load("net.yaml")) == "<Network net: 3 layers>"
    both = convcost.compare("net.yaml", "two.yaml#small", baseline="small")
    assert repr(both) == "<Comparison of net, small with small>"
    assert str(both) == convcost.formatted(both).rstrip("\n")
    hostile = costs.network._replace(name="\x1b[2J")
    assert repr(hostile) == "<Network \\x1b[2J: 3 layers>"


def test_a_network_is_formatted_as_its_costs(folder):
    network = convcost.load("net.yaml")
    assert convcost.formatted(network, "json") == convcost.formatted(
        convcost.analyze(network), "json"
    )


@pytest.mark.parametrize("name", ["json", "markdown", "csv", "plain"])
def test_a_report_is_formatted_as_the_command_writes_it(folder, name):
    ran = run("analyze", "net.yaml", "--format", name, cwd=folder)
    assert convcost.formatted(convcost.analyze("net.yaml"), name) == ran.stdout.decode()


def test_analyze_reads_a_file(folder):
    assert convcost.analyze("net.yaml").totals == cost(net()).totals


def test_kinds_of_a_plugin_folder_are_known(tmp_path):
    (tmp_path / "layers").mkdir()
    kind = plugin_example("layers/maxout.py")
    (tmp_path / "layers" / "maxout.py").write_text(kind, "utf-8")
    spec = tmp_path / "drop.yaml"
    spec.write_text("input: {channels: 64, size: 8}\nlayers: [{maxout: 2}]\n")
    code = f"import convcost; print(convcost.analyze({str(spec)!r}).totals.macs)"
    assert python(code, CONVCOST_PLUGINS=str(tmp_path)) == str(2 * 64 * 64 * 8 * 8)
