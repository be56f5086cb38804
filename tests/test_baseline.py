"""Baselines: written so that a diff reads well, read with care, and never loosened by accident."""

import json
import subprocess

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from repository import BODY, STEM, Repository, net
from support import ROOT, SPECS, cost, loaded, run

from convcost import __version__
from convcost.questions.check.baseline import NoBaseline, parsed, written
from convcost.questions.check.measures import measured

SCHEMA = Draft202012Validator(
    json.loads((ROOT / "convcost/schemas/baseline-1.json").read_text("utf-8"))
)
PARAMS = STEM + BODY
SHIPPED = sorted(SPECS.glob("*.yaml"))


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "net.yaml").write_text(net(), "utf-8")
    assert update(tmp_path).returncode == 0
    return tmp_path


def update(folder, *arguments, specs=("net.yaml",)):
    return run("check", *specs, "--base", "b.json", "--update-baseline", *arguments, cwd=folder)


def check(folder, *arguments):
    ran = run("check", "net.yaml", "--base", "b.json", *arguments, "--format", "json", cwd=folder)
    return ran.returncode, json.loads(ran.stdout) if ran.stdout else ran.stderr.decode()


# The file


def test_a_baseline_has_a_line_for_each_layer_and_only_integers(folder):
    text = (folder / "b.json").read_text("utf-8")
    layers = """\
        "layers": [
          {"path": "stem", "kind": "conv", "output": {"channels": 8, "size": [6, 6]}, "weights": 216, "macs": 7776, "activations": 288},
          {"path": "body/a", "kind": "conv", "output": {"channels": 8, "size": [6, 6]}, "weights": 64, "macs": 2304, "activations": 288},
          {"path": "body/b", "kind": "conv", "output": {"channels": 8, "size": [6, 6]}, "weights": 64, "macs": 2304, "activations": 288}
        ]
"""  # noqa: E501  as it stands in the file
    assert layers in text
    assert text.endswith("}\n")
    totals = json.loads(text)["specs"]["net.yaml"]["net"]["totals"]
    assert totals == {
        "weights": PARAMS,
        "biases": 0,
        "params": PARAMS,
        "buffers": 0,
        "macs": PARAMS * 6 * 6,
        "activations": 3 * 8 * 6 * 6,
        "largest_activation": 8 * 6 * 6,
        "depth": 3,
        "receptive_field": 3,
    }


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_what_is_written_is_valid_and_read_as_it_was(path):
    networks = {costs.network.name: measured(costs) for costs in loaded(path)}
    text = written({path.name: networks})
    assert list(SCHEMA.iter_errors(json.loads(text))) == []
    assert written(parsed(text)) == text


@given(st.permutations(["b.yaml", "a.yaml", "a/b.yaml", "é.yaml", 'q"\\.yaml']))
def test_whatever_the_order_the_file_is_the_same(names):
    one = measured(cost(net()))
    baseline = {name: {"z": one._replace(name="z"), "net": one} for name in names}
    text = written(baseline)
    assert text == written({name: dict(reversed(baseline[name].items())) for name in sorted(names)})
    assert list(json.loads(text)["specs"]) == sorted(names)


def test_a_spec_is_named_by_its_path_from_the_baseline(folder):
    (folder / "ci").mkdir()
    (folder / "models").mkdir()
    (folder / "models" / "a.yaml").write_text(net(), "utf-8")
    base = ("--base", "../ci/b.json")
    run("check", "a.yaml", "vgg16", *base, "--update-baseline", cwd=folder / "models")
    written = json.loads((folder / "ci" / "b.json").read_text("utf-8"))
    assert list(written["specs"]) == ["../models/a.yaml", "shipped:vgg16"]
    ran = run("check", "models", "vgg16", "--base", "ci/b.json", "--max-growth", "0", cwd=folder)
    assert ran.returncode == 0
    assert "skipped" not in ran.stdout.decode().splitlines()[-4]
    assert "deleted" not in ran.stdout.decode()


# Growth over it


def test_growth_over_a_baseline_is_exact(folder):
    (folder / "net.yaml").write_text(net(9, "{layers: [{match: stem, params: {grow: 10%}}]}"))
    code, answer = check(folder, "--max-growth", "2%")
    assert code == 1
    told = {(f["measure"], f["path"]): (f["base"], f["change"]) for f in answer["findings"]}
    assert told == {
        ("params", "stem"): (STEM, 27),
        ("params", ""): (PARAMS, 27 + 8),
        ("macs", ""): (PARAMS * 6 * 6, (27 + 8) * 6 * 6),
    }
    assert answer["against"] == "b.json"


@given(st.integers(1, 12), st.integers(1, 12))
def test_a_baseline_is_as_good_a_base_as_the_spec_itself(before, after):
    old, new = measured(cost(net(before))), measured(cost(net(after)))
    read = parsed(written({"x": {"net": old}}))["x"]["net"]
    assert (read.depth, read.receptive_field, read.inputs) == (
        old.depth,
        old.receptive_field,
        old.inputs,
    )
    for one, other in zip(read.layers, old.layers, strict=True):
        assert one._replace(field=other.field) == other
    assert [row.path for row in new.layers] == [row.path for row in read.layers]


# The ratchet


def test_a_baseline_that_would_grow_is_not_written_and_what_grows_is_told(folder):
    before = (folder / "b.json").read_bytes()
    (folder / "net.yaml").write_text(net(9), "utf-8")
    ran = update(folder, "--format", "json")
    assert ran.returncode == 1
    assert ran.stderr == b""
    answer = json.loads(ran.stdout)
    assert [(f["measure"], f["base"], f["change"]) for f in answer["findings"]] == [
        ("weights", PARAMS, 27 + 8),
        ("params", PARAMS, 27 + 8),
        ("macs", PARAMS * 6 * 6, (27 + 8) * 6 * 6),
        ("activations", 3 * 8 * 6 * 6, 6 * 6),
        ("largest_activation", 8 * 6 * 6, 6 * 6),
    ]
    assert answer["statements"] == [
        "b.json is not written: 5 counts grew; --allow-growth accepts that"
    ]
    assert (folder / "b.json").read_bytes() == before
    allowed = update(folder, "--allow-growth")
    assert (allowed.returncode, allowed.stderr) == (0, b"wrote b.json\n")
    assert check(folder, "--max-growth", "0")[0] == 0


def test_what_shrinks_or_is_new_is_written(folder):
    (folder / "net.yaml").write_text(net(7) + "---\n" + net().replace("name: net", "name: new"))
    (folder / "other.yaml").write_text(net(), "utf-8")
    assert update(folder, specs=("net.yaml", "other.yaml")).returncode == 0
    specs = json.loads((folder / "b.json").read_text("utf-8"))["specs"]
    assert specs["net.yaml"]["net"]["totals"]["params"] == 7 * 27 + 7 * 8 + 64
    assert list(specs["net.yaml"]) == ["net", "new"]
    assert list(specs) == ["net.yaml", "other.yaml"]


@pytest.mark.parametrize(
    ("budget", "refused"),
    [
        ("", []),
        ("{layers: [{match: body/a, macs: {grow: 50%}}]}", [("layer", "body/a")]),
        ("{layers: [{match: body/a, macs: {max: 1M}}]}", []),
        # The first rule that matches counts, here as everywhere.
        ("{layers: [{match: body/*, params: {max: 1M}}, {match: '*', macs: {grow: 1%}}]}", []),
        ("{groups: [{match: body/a, macs: {grow: 90%, grow_floor: 1M}}]}", [("group", "body/a")]),
        ("{receptive_field: {grow: 90%}}", [("total", "")]),
    ],
)
def test_layers_and_groups_may_not_grow_where_a_rule_says_how_much_they_may(
    folder, budget, refused
):
    # A smaller stem pays for a larger layer, so that no total but the receptive field grows.
    grown = net(2, budget).replace("{conv: 8, kernel: 1, name: a}", "{conv: 9, kernel: 3, name: a}")
    (folder / "net.yaml").write_text(grown, "utf-8")
    ran = update(folder, "--format", "json")
    found = [(f["scope"], f["path"]) for f in json.loads(ran.stdout)["findings"]]
    assert (ran.returncode, found) == (1 if refused else 0, refused)


def told(ran):
    """The exit code, and the statements of an answer."""
    assert ran.returncode in (0, 1), ran.stderr.decode()
    return ran.returncode, json.loads(ran.stdout)["statements"]


def two(first, second, filters):
    """A file of two networks; the second has so many filters."""
    one = net().replace("name: net", f"name: {first}")
    return f"{one}---\n{net(filters).replace('name: net', f'name: {second}')}"


@pytest.mark.parametrize(
    ("filters", "written"), [(7, True), (8, True), (9, False)], ids=["less", "same", "more"]
)
def test_a_spec_of_another_name_is_held_against_what_is_deleted(folder, filters, written):
    (folder / "net.yaml").rename(folder / "other.yaml")
    (folder / "other.yaml").write_text(net(filters), "utf-8")
    code, said = told(update(folder, "--format", "json", specs=("other.yaml",)))
    grew = ": 5 counts grew; --allow-growth accepts that"
    assert code == (0 if written else 1)
    assert said == [
        "net.yaml: deleted, was in b.json",
        "other.yaml#net: new, held against net.yaml, which is deleted",
        "b.json is written" if written else f"b.json is not written{grew}",
    ]
    assert update(folder, "--allow-growth", specs=("other.yaml",)).returncode == 0


@pytest.mark.parametrize("picked", ["", "#c"])
@pytest.mark.parametrize(("filters", "code"), [(4, 0), (5, 1)])
def test_a_network_of_another_name_is_held_against_what_is_deleted(folder, picked, filters, code):
    (folder / "two.yaml").write_text(two("a", "b", 4), "utf-8")
    update(folder, specs=("two.yaml",))
    (folder / "two.yaml").write_text(two("a", "c", filters), "utf-8")
    ran = update(folder, "--format", "json", specs=(f"two.yaml{picked}",))
    assert told(ran)[0] == code
    assert "two.yaml#c: new, held against two.yaml#b, which is deleted" in told(ran)[1]
    update(folder, "--allow-growth", specs=(f"two.yaml{picked}",))
    specs = json.loads((folder / "b.json").read_text("utf-8"))["specs"]
    assert list(specs["two.yaml"]) == ["a", "c"]


def test_more_that_is_new_than_is_deleted_is_growth(folder):
    (folder / "net.yaml").unlink()
    (folder / "two.yaml").write_text(two("net", "more", 1), "utf-8")
    code, said = told(update(folder, "--format", "json", specs=("two.yaml",)))
    assert code == 1
    assert said[1:3] == [
        "two.yaml#net: new, held against net.yaml, which is deleted",
        "two.yaml#more: new beside what is deleted, so all of it is growth",
    ]


def test_what_is_new_and_held_against_nothing_is_told(folder):
    (folder / "new.yaml").write_text(two("a", "b", 50), "utf-8")
    code, said = told(update(folder, "--format", "json", specs=("net.yaml", "new.yaml")))
    names = "new.yaml#a, new.yaml#b"
    assert code == 0
    assert said == [
        f"2 networks are new in b.json, held against nothing: {names}",
        "b.json is written",
    ]


@pytest.mark.parametrize(("filters", "code"), [(8, 0), (9, 1)])
def test_new_layers_under_a_rule_of_growth_are_held_against_the_deleted(folder, filters, code):
    budget = "{layers: [{match: 'body/*', params: {grow: 50%}}]}"
    (folder / "net.yaml").write_text(net(8, budget), "utf-8")
    update(folder)
    # A smaller stem pays, so that no total grows.
    text = net(2, budget).replace("conv: 8, kernel: 1, name: b", f"conv: {filters}, kernel: 1")
    text = text.replace("kernel: 1}]", "kernel: 1, name: c}]")
    if filters > 8:
        text = text.replace("conv: 9, kernel: 1", "conv: 9, kernel: [3, 1]")
    (folder / "net.yaml").write_text(text, "utf-8")
    ran = update(folder, "--format", "json")
    found = json.loads(ran.stdout)["findings"]
    assert ran.returncode == code
    assert [(f["path"], f["base"], f["found"], f["message"]) for f in found] == (
        [("body/*", 64, 8 * 9 * 3, "new layers (body/c) held against deleted ones (body/b)")]
        if code
        else []
    )


@pytest.mark.parametrize(
    ("budget", "more", "exceeded"),
    [
        ("{params: {max: 10}}", [], 1),
        ("{params: {max: 10}}", ["--allow-growth"], 1),
        ("{params: {min: 1M, warn: 10}}", [], 1),
        ("", ["--max-params", "10", "--max-macs", "10"], 2),
        ("{params: {grow: 1%, warn: 10}}", [], 0),
    ],
)
def test_a_baseline_over_a_limit_is_not_written(folder, budget, more, exceeded):
    before = (folder / "b.json").read_bytes()
    (folder / "net.yaml").write_text(net(7, budget), "utf-8")
    ran = update(folder, *more, "--format", "plain")
    text = ran.stdout.decode()
    limits = "1 limit is exceeded" if exceeded == 1 else f"{exceeded} limits are exceeded"
    told = f"b.json is not written: {limits}" if exceeded else "b.json is written"
    assert ran.returncode == (1 if exceeded else 0)
    assert f"\n{told}\n" in text
    assert f"\nThe baseline is {'not ' if exceeded else ''}written\n" in text
    assert "Within all budgets" not in text
    assert ((folder / "b.json").read_bytes() == before) == bool(exceeded)


def test_growth_that_is_accepted_is_told_as_that_and_is_no_warning(folder):
    (folder / "net.yaml").write_text(net(9), "utf-8")
    ran = update(folder, "--allow-growth", "--format", "json")
    answer = json.loads(ran.stdout)
    assert (answer["findings"], answer["summary"]["warned"]) == ([], 0)
    weights = f"+{27 + 8} (+{100 * 35 / PARAMS:.1f} %)"
    assert answer["statements"][0].startswith(f"net.yaml: grew, accepted: weights {weights}, ")
    assert answer["statements"][1] == "b.json is written: 5 counts grew, accepted"


# Names


def test_a_folder_that_is_a_link_has_the_same_base(folder):
    (folder / "real").mkdir()
    (folder / "real" / "a.yaml").write_text(net(), "utf-8")
    (folder / "link").symlink_to("real")
    (folder / "ci").mkdir()
    (folder / "linked").symlink_to("ci")
    base = ("--base", "linked/b.json")
    run("check", "link/a.yaml", *base, "--update-baseline", cwd=folder)
    assert list(json.loads((folder / "ci/b.json").read_text("utf-8"))["specs"]) == [
        "../real/a.yaml"
    ]
    for spec, file in (("real", "ci/b.json"), ("link", "linked/b.json")):
        ran = run("check", spec, "--base", file, "--max-growth", "0", cwd=folder)
        assert "2 limits checked: 2 within, 0 exceeded\n" in ran.stdout.decode()


def test_a_shipped_spec_is_not_the_user_s_file_of_its_name(folder):
    Repository(folder).commit()
    (folder / "vgg16.yaml").write_text(net(), "utf-8")
    (folder / "convcost.yaml").write_text("budgets: [{params: {max: 1}}]", "utf-8")
    asked = ("vgg16", "--base", "b.json", "--update-baseline")
    assert run("check", *asked, cwd=folder).returncode == 0
    specs = json.loads((folder / "b.json").read_text("utf-8"))["specs"]
    assert list(specs) == ["net.yaml", "shipped:vgg16"]
    ran = run("check", "vgg16", "--base", "git:HEAD", "--max-growth", "0", cwd=folder)
    assert "vgg16.yaml: no file of a repository, so without a base" in ran.stdout.decode()


def test_what_was_not_asked_for_stays_and_what_is_gone_goes(folder):
    both = net() + "---\n" + net(4).replace("name: net", "name: two")
    for name in ("a.yaml", "b.yaml", "old.yaml"):
        (folder / name).write_text(both, "utf-8")
    update(folder, specs=("a.yaml", "b.yaml", "old.yaml"))
    (folder / "old.yaml").unlink()
    for name in ("a.yaml", "b.yaml"):
        (folder / name).write_text(both.replace("conv: 4", "conv: 3"), "utf-8")
    ran = update(folder, specs=("a.yaml#net",))
    assert "old.yaml: deleted, was in b.json" in ran.stdout.decode()
    specs = json.loads((folder / "b.json").read_text("utf-8"))["specs"]
    assert list(specs) == ["a.yaml", "b.yaml", "net.yaml"]
    assert specs["a.yaml"]["two"]["totals"]["params"] == 4 * 27 + 4 * 8 + 64
    update(folder, specs=("a.yaml#two",))
    specs = json.loads((folder / "b.json").read_text("utf-8"))["specs"]
    assert specs["a.yaml"]["two"]["totals"]["params"] == 3 * 27 + 3 * 8 + 64


def test_a_broken_spec_leaves_the_baseline_as_it_was(folder):
    before = (folder / "b.json").read_bytes()
    (folder / "bad.yaml").write_text("layers: [", "utf-8")
    ran = update(folder, specs=("net.yaml", "bad.yaml"))
    assert ran.returncode == 2
    assert (folder / "b.json").read_bytes() == before


# Files that are no baseline


def spoilt(text, change):
    tree = json.loads(text)
    change(tree, tree["specs"]["net.yaml"]["net"])
    return json.dumps(tree)


def put(where, key, value):
    return lambda tree, network: where(tree, network).__setitem__(key, value)


def totals(_, network):
    return network["totals"]


def stem(_, network):
    return network["layers"][0]


def root(tree, _):
    return tree


def own(_, network):
    return network


OTHER = (
    f"its schema is `convcost.baseline/2`, and convcost {__version__} reads `convcost.baseline/1`"
)
WRONG = [
    (lambda text: text[:200], "it is no JSON: there is a mistake in line 4"),
    (lambda text: "<<<<<<< HEAD\n" + text, "it is no JSON: there is a mistake in line 1"),
    (lambda _: "[" * 100_000, "it is nested too deep"),
    (lambda _: "[1]", "its `schema` is not `convcost.baseline/1`"),
    (lambda _: "9" * 5000, "it is no JSON: there is a mistake"),
    (put(root, "schema", "convcost.baseline/2"), OTHER),
    (put(root, "schema", "convcost.check/1"), "it is the answer of `convcost check`, no baseline"),
    (put(root, "schema", 1), "its `schema` is not `convcost.baseline/1`"),
    (put(root, "specs", []), "`specs` is not a mapping"),
    (put(totals, "macs", 1.0), "`macs` is not a count"),
    (put(totals, "macs", -1), "`macs` is not a count"),
    (put(totals, "macs", True), "`macs` is not a count"),
    (put(totals, "macs", 1), "`macs` of `net` is not what its layers come to"),
    (put(stem, "macs", 7777), "`macs` of `net` is not what its layers come to"),
    (put(stem, "path", None), "`path` and `kind` of a layer are not text"),
    (put(stem, "output", {"channels": 8, "size": 6}), "`size` of `stem` is not a list of counts"),
    (put(own, "layers", {}), "`layers` is not a list"),
    (put(own, "inputs", {"\x1b[2J": 1}), "`input \\x1b[2J` is not a mapping"),
]  # fmt: skip


@pytest.mark.parametrize(("change", "said"), WRONG, ids=[said for _, said in WRONG])
def test_a_file_that_is_no_baseline_is_said_to_be_none_and_is_not_written_over(
    folder, change, said
):
    file = folder / "b.json"
    text = file.read_text("utf-8")
    file.write_text(change(text) if change.__code__.co_argcount == 1 else spoilt(text, change))
    before = file.read_bytes()
    code, answer = check(folder, "--max-params", "1", "--max-growth", "1%")
    assert code == 1  # what needs no base is checked all the same
    (told,) = answer["statements"]
    assert told == (
        f"net.yaml: no base, growth is not checked: `b.json` is no baseline: {said}; mend it, or "
        "delete it and write it with --update-baseline"
    )
    ran = update(folder)
    assert ran.returncode == 2
    assert ran.stderr.decode() == (
        f"error: `b.json` is no baseline: {said}\nhelp: mend it, or delete it to begin anew\n"
    )
    assert file.read_bytes() == before


def test_the_answer_of_a_check_is_no_baseline(folder):
    run("check", "net.yaml", "--max-params", "1", "-o", "answer.json", cwd=folder)
    ran = run("check", "net.yaml", "--base", "answer.json", "--max-growth", "1%", cwd=folder)
    assert "it is the answer of `convcost check`, no baseline" in ran.stdout.decode()


@pytest.mark.parametrize(
    ("asked", "meant"), [("bb.json", "; did you mean `b.json`?"), ("other.json", "")]
)
def test_a_baseline_that_is_not_there_is_an_error_unless_it_is_to_be_written(folder, asked, meant):
    ran = run("check", "net.yaml", "--base", asked, "--max-growth", "1%", cwd=folder)
    said = f"error: there is no baseline `{asked}`{meant}\nhelp: write it with --update-baseline\n"
    assert (ran.returncode, ran.stderr.decode()) == (2, said)


KEYS = st.sampled_from(["specs", "net", "layers", "totals", "inputs", "x"])
JSON = st.recursive(
    st.none() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(KEYS, inner),
)


@given(JSON)
def test_no_json_is_a_fault_of_the_program_and_what_is_read_is_valid(value):
    for tree in (value, {"schema": "convcost.baseline/1", "specs": value}):
        try:
            parsed(json.dumps(tree))
        except NoBaseline:
            continue
        whole = {**tree, "version": "0.0.0", "convention": ""}
        assert list(SCHEMA.iter_errors(whole)) == []


# Requests

NAMES = "--update-baseline writes the file that --base names: --base baseline.json"
NO_FOLDER = "cannot write `no/b.json`: No such file or directory"
OVER = "--output would overwrite the base `b.json`"
OVER_CONFIG = "--output would overwrite the configuration `convcost.yaml`"
BOTH = "--allow-growth accepts any growth, and --max-growth limits it"
UPDATE = ["--update-baseline", "--base", "b.json"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["net.yaml", "--update-baseline"], NAMES),
        (["net.yaml", "--update-baseline", "--base", "git:main"], NAMES),
        (["net.yaml", "--update-baseline", "--base", "net.yaml"], NAMES),
        (["-", *UPDATE], "a spec from standard input has no name to stand under in a baseline"),
        (["net.yaml", *UPDATE, "-o", "b.json"], OVER),
        (["net.yaml", "--max-growth", "1%", "--base", "b.json", "-o", "./b.json"], OVER),
        (["net.yaml", *UPDATE[:-1], "no/b.json"], NO_FOLDER),
        (["net.yaml", *UPDATE[:-1], "no.json", "-o", "json:./no.json"], f"{OVER[:-8]}`no.json`"),
        (["net.yaml", *UPDATE, "-o", "plain:convcost.yaml"], OVER_CONFIG),
        (["net.yaml", *UPDATE, "-o", "plain:no/x"], NO_FOLDER.replace("b.json", "x")),
        (["net.yaml", *UPDATE, "--allow-growth", "--max-growth", "1%"], BOTH),
    ],
)  # fmt: skip
def test_a_request_that_cannot_be_met_leaves_the_baseline_alone(folder, arguments, said):
    (folder / "convcost.yaml").write_text("budgets: [{macs: {max: 1M}}]", "utf-8")
    (folder / "net.yaml").write_text(net(7), "utf-8")  # the baseline would be another
    before = (folder / "b.json").read_bytes()
    ran = run("check", *arguments, cwd=folder, text=net())
    assert (ran.returncode, ran.stderr.decode()) == (2, f"error: {said}\n")
    assert (folder / "b.json").read_bytes() == before
    assert not (folder / "no.json").exists()


def test_a_baseline_that_may_not_be_written_is_refused_before_anything_is(folder):
    (folder / "b.json").chmod(0o444)
    before = (folder / "b.json").read_bytes()
    (folder / "net.yaml").write_text(net(7), "utf-8")
    ran = update(folder, "-o", "out.json")
    said = "error: cannot write `b.json`: it, or its folder, is read-only\n"
    assert (ran.returncode, ran.stderr.decode()) == (2, said)
    assert (folder / "b.json").read_bytes() == before
    assert not (folder / "out.json").exists()


def test_a_diff_of_a_baseline_shows_the_layers_that_changed(folder):
    repository = Repository(folder)
    repository.commit()
    (folder / "net.yaml").write_text(net().replace("kernel: 1, name: b", "kernel: 3, name: b"))
    assert update(folder, "--allow-growth").returncode == 0
    command = ["git", "diff", "--numstat", "b.json"]
    diff = subprocess.run(command, cwd=folder, capture_output=True, check=True).stdout
    assert diff.split()[:2] == [b"2", b"2"]  # the totals, and the layer


def test_macs_that_nobody_knows_stay_unknown_in_a_baseline(tmp_path):
    layers = "[{conv: 8, kernel: 3}, {custom: magic, params: 0, macs: uncounted, name: magic}]"
    (tmp_path / "net.yaml").write_text(f"input: {{channels: 3, size: 8}}\nlayers: {layers}\n")
    base = ("check", "net.yaml", "--base", "base.json")
    assert run(*base, "--update-baseline", cwd=tmp_path).returncode == 0
    assert '"path": "magic", "kind": "custom"' in (tmp_path / "base.json").read_text()
    assert '"macs": "uncounted"' in (tmp_path / "base.json").read_text()
    (tmp_path / "net.yaml").write_text(
        "input: {channels: 3, size: 8}\nlayers: [{conv: 8, kernel: 3}]\n"
    )
    told = run(*base, "--max-growth", "0%", cwd=tmp_path).stdout.decode()
    assert "uncounted" in told
