"""The Python API: the answers of the command line, errors that read well, a quick import."""

import json
import pickle
import subprocess
import sys
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from repository import BODY, STEM, Repository, net
from support import ROOT, cost, run

import convcost

PARAMS = STEM + BODY
A_SPEC = "a spec is a path or a name, as text or a pathlib.Path"
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


def test_importing_convcost_imports_nothing_that_takes_time():
    code = (
        "import sys; before = set(sys.modules); import convcost; print(*set(sys.modules) - before)"
    )
    assert python(code) == "convcost"


def test_all_that_is_exported_is_there_and_nothing_else_is():
    assert set(convcost.__all__) <= set(dir(convcost))
    for name in convcost.__all__:
        assert getattr(convcost, name) is not None
    with pytest.raises(AttributeError, match="module 'convcost' has no attribute 'analyse'"):
        _ = convcost.analyse


def test_every_function_says_what_it_takes_and_gives():
    for name in ("load", "load_all", "analyze", "compare", "check", "formatted"):
        function = getattr(convcost, name)
        assert function.__doc__, name
        assert set(function.__annotations__) >= {"return"}, name


def test_a_type_checker_knows_the_api_and_refuses_what_is_not_in_it(tmp_path):
    (tmp_path / "good.py").write_text(
        "import convcost\n"
        "macs: int = convcost.analyze('net.yaml', set={'width': 0.5}, size=(8, 8)).totals.macs\n"
        "ok: bool = convcost.check(['a.yaml'], max_growth='2%').ok\n"
        "names: list[str] = [c.network.name for c in convcost.compare('a', 'b').networks]\n"
    )
    (tmp_path / "bad.py").write_text("import convcost\nconvcost.analyse('net.yaml')\n")
    mypy = pytest.importorskip("mypy.api")
    cache = ("--strict", "--cache-dir", str(tmp_path / "cache"))
    assert mypy.run([*cache, str(tmp_path / "good.py")])[2] == 0
    said, _, code = mypy.run([*cache, str(tmp_path / "bad.py")])
    assert code == 1
    assert 'Module has no attribute "analyse"' in said


# load and analyze


@pytest.mark.parametrize(
    "spec", ["net.yaml", Path("net.yaml"), "net.yaml#net", Path("two.yaml#net")]
)
def test_a_spec_is_a_path_and_a_name(folder, spec):
    costs = convcost.analyze(spec)
    assert (costs.totals.params, costs.totals.macs) == (PARAMS, PARAMS * 6 * 6)
    assert [layer.path for layer in costs.layers] == ["stem", "body/a", "body/b"]
    assert convcost.analyze(convcost.load(spec)).layers == costs.layers


def test_a_spec_that_ships_is_known_by_its_name():
    assert convcost.analyze("vgg16").totals.params == 138_357_544


def test_macs_and_activations_are_of_the_batch(folder):
    one, five = convcost.analyze("net.yaml"), convcost.analyze("net.yaml", batch=5)
    assert five.totals.macs == 5 * one.totals.macs
    assert five.totals.activations == 5 * one.totals.activations
    assert five.totals.params == one.totals.params


@pytest.mark.parametrize("half", [0.5, "0.5", "1/2", Fraction(1, 2), Decimal("0.5")])
def test_a_setting_is_the_number_that_it_is_written_as(half):
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
def test_a_float_is_exact(number):
    from convcost.files.settings import settings

    ((_, found),) = settings({"x": float(number)}, None).variables
    assert found == Fraction(str(number))


def test_all_networks_of_a_file_are_loaded_in_its_order(folder):
    assert [network.name for network in convcost.load_all("two.yaml")] == ["net", "small"]


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (
            lambda: convcost.load("two.yaml"),
            ("`two.yaml` holds 2 networks: `net`, `small`"
            "\nhelp: pick one, like `two.yaml#net`, or take load_all"),
        ),
        (
            lambda: convcost.load("nte.yaml"),
            "there is no file `nte.yaml`; did you mean `net.yaml`?",
        ),
        (lambda: convcost.load("."), "`.` is a folder, not a spec"),
        (lambda: convcost.load(""), "`` names no spec"),
        (lambda: convcost.load("net.yaml", size=0), "size is like 256 or (256, 320), not 0"),
        (
            lambda: convcost.load("net.yaml", size="8x8"),
            "size is like 256 or (256, 320), not '8x8'",
        ),
        (lambda: convcost.load("net.yaml", size=True), "size is like 256 or (256, 320), not True"),
        (
            lambda: convcost.load("net.yaml", set={"w": float("nan")}),
            "set: w: `nan` is neither a number nor true or false",
        ),
        (
            lambda: convcost.load("net.yaml", set={"w": [1]}),
            "set: w takes a number, true or false, not a list",
        ),
        (lambda: convcost.analyze("net.yaml", batch=0), "batch is a whole number from 1, not 0"),
        (
            lambda: convcost.analyze("net.yaml", batch=True),
            "batch is a whole number from 1, not True",
        ),
        (
            lambda: convcost.analyze(convcost.load("net.yaml"), size=9),
            "a network that is loaded stays as it is: give `set` and `size` to load",
        ),
        (lambda: convcost.compare("net.yaml"), "compare takes two networks or more, this is one"),
        (convcost.compare, "compare takes two networks or more, there is none"),
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
            lambda: convcost.analyze(convcost.load_all("two.yaml")),
            "a spec is a path or a name, as text or a pathlib.Path, and one at a time, not a tuple",
        ),
        (
            lambda: convcost.analyze(b"net.yaml"),
            ("a spec is a path or a name, as text or a pathlib.Path, not bytes: os.fsdecode gives "
            "the text of b'net.yaml'"),
        ),
        (lambda: convcost.check(b"x"), A_SPEC + ", not bytes: os.fsdecode gives the text of b'x'"),
        (lambda: convcost.check(5), A_SPEC + ", not 5"),
        (lambda: convcost.check(None), A_SPEC + ", not None"),
        (lambda: convcost.check([5]), A_SPEC + ", not 5"),
        (lambda: convcost.check([["net.yaml"]]), A_SPEC + ", and one at a time, not a list"),
        (lambda: convcost.load("a\0"), "a spec has a zero byte: `a\\x00`"),
        (
            lambda: convcost.load("\ud800"),
            "a spec has a character that is none: `\\ud800`",
        ),
        (
            lambda: convcost.check("net.yaml", base="git:a\0b", max_params=1),
            "base has a zero byte: `git:a\\x00b`",
        ),
        (
            lambda: convcost.check("net.yaml", base="git:\ud800", max_params=1),
            "base has a character that is none: `git:\\ud800`",
        ),
        (
            lambda: convcost.check("net.yaml", base=5, max_params=1),
            "base is text or a pathlib.Path, not 5",
        ),
        (
            lambda: convcost.check("net.yaml", config="a\0", max_params=1),
            "config has a zero byte: `a\\x00`",
        ),
        (
            lambda: convcost.check("net.yaml", max_params=10**5000),
            "max_params has more than 30 digits: nothing counts so much",
        ),
        (
            lambda: convcost.check("net.yaml", max_params=[10**5000]),
            "max_params is a whole number, or text like 4.3M or 2%, not a very long list",
        ),
        (
            lambda: convcost.check("net.yaml", max_params="4,3M"),
            ("`4,3M` is unclear: commas group thousands, and only where there is no unit; "
            "write 4.3M"),
        ),
        (
            lambda: convcost.check(convcost.load("net.yaml"), base="git:main", max_growth=0),
            ("a network that is loaded has no past in `git:main`: its base is a spec, or check its "
            "file"),
        ),
        (
            lambda: convcost.analyze("net.yaml", set=[1]),
            'set is a mapping of variables, like {"classes": 10}, not [1]',
        ),
        (
            lambda: convcost.analyze("net.yaml", set={1: 1}),
            "set: the name of a variable is text, not 1",
        ),
        (
            lambda: convcost.compare("net.yaml", "two.yaml", baseline=5),
            "baseline is the name of a network, not 5",
        ),
        (
            lambda: convcost.compare(["net.yaml", "two.yaml"]),
            'each spec is an argument of its own: compare("a.yaml", "b.yaml")',
        ),
        (
            lambda: convcost.formatted(None),
            "formatted takes what analyze, compare or check gave, not None",
        ),
        (
            lambda: convcost.load("net.yaml", size=b"ab"),
            "size is like 256 or (256, 320), not b'ab'",
        ),
        (
            lambda: convcost.load("net.yaml", size=(10**5000,)),
            "size is like 256 or (256, 320), not a very long tuple",
        ),
        (
            lambda: convcost.analyze("net.yaml", batch=10**5000),
            "batch is a whole number from 1, not a very long int",
        ),
        (
            lambda: convcost.load("net.yaml", set={"w": 10**5000}),
            "set: w has more than 40 digits: nothing counts so much",
        ),
        (
            lambda: convcost.formatted(convcost.analyze("net.yaml"), 5),
            "format is the name of one, like `json`, not 5",
        ),
        (lambda: convcost.check([]), "there is nothing to check: no spec is named"),
        (
            lambda: convcost.check("net.yaml", max_params="4.3m"),
            "`m` is no unit; did you mean 4.3M?",
        ),
        (
            lambda: convcost.check("net.yaml", max_growth=0.02),
            ("max_growth is a whole number, or text like 4.3M or 2%, not 0.02; did you mean 2%?"),
        ),
        (lambda: convcost.check("net.yaml", max_macs=-1), "`-1` is below 0"),
        (
            lambda: convcost.formatted(convcost.analyze("net.yaml"),
            "mrkdown"), "there is no format `mrkdown`; did you mean `markdown`?",
        ),
        (
            lambda: convcost.formatted(convcost.analyze("net.yaml"),
            "sarif"), "the format `sarif` is for a check: it writes findings",
        ),
    ],
)  # fmt: skip
def test_a_call_that_cannot_be_answered_says_why(folder, call, said):
    with pytest.raises(convcost.UsageError) as caught:
        call()
    assert str(caught.value) == said


def test_a_spec_with_mistakes_is_told_with_places_and_help(folder):
    with pytest.raises(convcost.SpecError) as caught:
        convcost.analyze("bad.yaml")
    assert str(caught.value) == (
        "bad.yaml:4:15: error[CC101]: conv has no option `kernal`\n  help: did you mean `kernel`?"
    )
    assert [problem.code for problem in caught.value.problems] == ["CC101"]
    again = pickle.loads(pickle.dumps(caught.value))
    assert (str(again), again.problems) == (str(caught.value), caught.value.problems)


def test_what_a_terminal_obeys_is_shown_as_its_escape(tmp_path):
    path = tmp_path / "bad\x1b[2J.yaml"
    path.write_text('name: x\ninput: 3\nlayers: [{"\\e[2J": 3}]\n')
    with pytest.raises(convcost.SpecError) as caught:
        convcost.load(path)
    assert "\\x1b[2J.yaml:" in str(caught.value)
    assert "\x1b" not in str(caught.value)


def test_of_several_wrong_specs_the_first_is_raised_and_the_others_are_its_notes(folder):
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
    (totals,) = [one.totals.params for one in both.networks if one is not both.base]
    assert totals - both.base.totals.params == (STEM + BODY) - (4 * 27 + 4 * 8 + 8 * 8)


# check


def test_a_check_is_true_if_all_limits_are_kept(folder):
    check = convcost.check("net.yaml", max_params=PARAMS, max_macs="1M")
    assert check
    assert check.ok
    assert repr(check) == "<Check ok=True: 2 limits checked: 2 within, 0 exceeded>"


def test_a_check_that_fails_tells_by_its_text_what_the_command_tells(folder):
    check = convcost.check(["net.yaml", Path("two.yaml")], max_params=PARAMS - 1)
    assert not check
    ran = run("check", "net.yaml", "two.yaml", "--max-params", str(PARAMS - 1), cwd=folder)
    assert ran.returncode == 1
    assert str(check) == ran.stdout.decode().rstrip().replace("the command line", "the call")
    assert repr(check) == (
        "<Check ok=False: net.yaml: params 344 over the max 343 (+1); "
        "3 limits checked: 1 within, 2 exceeded>"
    )


def test_a_check_against_a_commit_and_with_a_configuration(folder):
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


def test_a_network_that_is_loaded_is_checked_as_it_stands(folder):
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
    assert check.statements == ("wide.yaml: `net` takes 16×16×3, and took 8×8×3 in net.yaml",)
    (folder / "convcost.yaml").unlink()
    assert convcost.check(convcost.load("net.yaml"), max_params=PARAMS)


def test_answers_are_short_as_an_interpreter_shows_them(folder):
    costs = convcost.analyze("net.yaml")
    assert repr(costs) == str(costs) == f"<Costs net: {PARAMS} params, {PARAMS * 6 * 6:,} macs>"
    assert repr(convcost.analyze("net.yaml", batch=2)).endswith(" macs of 2 samples>")
    assert repr(convcost.load("net.yaml")) == "<Network net: 3 layers>"
    both = convcost.compare("net.yaml", "two.yaml#small", baseline="small")
    assert repr(both) == "<Comparison of net, small against small>"
    assert str(both) == convcost.formatted(both).rstrip("\n")
    hostile = costs.network._replace(name="\x1b[2J")
    assert repr(hostile) == "<Network \\x1b[2J: 3 layers>"


def test_a_network_is_formatted_as_what_it_costs(folder):
    network = convcost.load("net.yaml")
    assert convcost.formatted(network, "json") == convcost.formatted(
        convcost.analyze(network), "json"
    )


@pytest.mark.parametrize("name", ["json", "markdown", "csv", "plain"])
def test_an_answer_is_formatted_as_the_command_writes_it(folder, name):
    ran = run("analyze", "net.yaml", "--format", name, cwd=folder)
    assert convcost.formatted(convcost.analyze("net.yaml"), name) == ran.stdout.decode()


def test_costs_are_what_they_are_without_a_file(folder):
    assert convcost.analyze("net.yaml").totals == cost(net()).totals


def test_kinds_of_the_environment_are_known(tmp_path):
    readme = (ROOT / "README.md").read_text("utf-8")
    kind = readme.split("```python\n", 1)[1].split("```", 1)[0]
    (tmp_path / "layers").mkdir()
    (tmp_path / "layers" / "maxout.py").write_text(kind, "utf-8")
    spec = tmp_path / "drop.yaml"
    spec.write_text("input: {channels: 64, size: 8}\nlayers: [{maxout: 2}]\n")
    code = f"import convcost; print(convcost.analyze({str(spec)!r}).totals.macs)"
    assert python(code, CONVCOST_PLUGINS=str(tmp_path)) == str(2 * 64 * 64 * 8 * 8)
